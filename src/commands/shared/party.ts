import { printChannel, revokedHtlcs } from "../../json/channel-file.js";
import { encode } from "../../json/decode.js";
import { readKeysDocument } from "../../json/keys-file.js";
import { type ReadMessage, printMessage, readMessage } from "../../json/messages.js";
import { parseStrict } from "../../json/strict.js";
import { withoutWif } from "../../json/wif.js";
import { type ChannelState, type OutboxEntry, highestSigned, isFunded, lowestUnreleased } from "../../protocol/channel/state.js";
import { type Sent, newestSent } from "../../protocol/channel/message-log.js";
import { type Outcome, done } from "../../protocol/channel/transitions/outcome.js";
import { ERROR_CODES, LnError } from "../../protocol/errors.js";
import type { PartyKeys } from "../../protocol/keys/party-keys.js";
import { type MessageName, decodeMessage } from "../../protocol/wire/messages.js";
import type { JournalEntry } from "../../store/journal-file.js";
import type { PartyPaths } from "../../store/paths.js";
import type { Document, Report } from "./command.js";
import type { Context } from "./context.js";
import { isStdout } from "./io.js";
import { type Passed, journalEvent } from "./journal.js";
import { messageDocument } from "./no-message.js";
import { type ChangeOptions, type Party, type PartyOptions, readInput } from "./load-party.js";

// In a file of its own, so that what only looks at a party starts without what messages need
export * from "./load-party.js";

/** Secret: the party's keys, each in hex or in wallet import format. Throws: file-…, json-…, key-wif. */
export async function loadKeys(ctx: Context, paths: PartyPaths, { strict }: Partial<PartyOptions>): Promise<PartyKeys> {
  const { document, warnings } = ctx.store.readKeys(paths, { strict: strict === true });
  warnings.forEach(ctx.warn);
  return readKeysDocument(await withoutWif(document, paths.keys, async () => (await import("../../ecc/wasm.js")).tiny), paths.keys);
}

/** Throws: usage-argument, input-unreadable, input-no-message, json-…, wire-…. */
export function readMessageFile(ctx: Context, path: string | undefined): ReadMessage {
  if (path === undefined) throw new LnError("usage-argument", "name the message file, or - for standard input", {});
  return readMessage(messageDocument(readInput(ctx, path).trim(), path, parseStrict), path);
}

/**
 * Makes a step last: the new state is on disk before anything of it is shown. Returns the report of the step: its message, or `summary`.
 * `passed` are the messages of the step beside the one that its outcome sends.
 * Throws: file-….
 */
export function settle(
  ctx: Context,
  party: ChangingParty,
  outcome: Outcome,
  options: ChangeOptions,
  summary: () => Document,
  passed: Passed = {},
): Report {
  const { state, sent, repeated, resend } = outcome;
  refuseTwoDocuments(ctx, options);
  outcome.warnings.forEach(ctx.warn);
  if (party.loaded === undefined && options.channelOut === undefined) requireNew(ctx, party.paths);
  if (options.dryRun === true) return { document: { dry_run: true, ...wouldSend(sent, resend), ...summary() } };
  if (!repeated) save(ctx, party, outcome, options, passed);
  else if (options.channelOut !== undefined && party.loaded !== undefined) {
    writeState(ctx, options.channelOut, `${JSON.stringify(party.loaded.document, null, 2)}\n`);
  }
  const message = sent ?? (resend === null ? null : reopened(resend));
  return message === null ? { document: repeated ? { already_done: true, ...summary() } : summary() } : messageReport(state, message);
}

function refuseTwoDocuments(ctx: Context, { channel, channelOut, dryRun }: ChangeOptions): void {
  if (channel === "-" && channelOut === undefined && dryRun !== true) {
    throw new LnError("usage-channel-out", "a channel read from standard input is written to --channel-out", {});
  }
  if (channelOut !== undefined && isStdout(channelOut) && ctx.outputIsStdout) {
    throw new LnError("usage-stdout-twice", "with --channel-out - the message goes to a file: -o FILE", {});
  }
}

/** For what creates a channel: there must be none yet. Throws: file-exists, file-…. */
export function requireNew(ctx: Context, paths: PartyPaths): void {
  try {
    ctx.store.load(paths, "look");
  } catch (error) {
    if (error instanceof LnError && (error.code === "file-missing" || error.code === "file-folder-missing")) return;
    throw error;
  }
  throw new LnError("file-exists", `${paths.channel} exists: a channel is never created over another`, { path: paths.channel });
}

/** A party whose channel file does not exist yet. */
export interface NewParty {
  readonly paths: PartyPaths;
  readonly loaded: undefined;
}

type ChangingParty = (Pick<Party, "paths" | "loaded"> & { readonly state?: ChannelState }) | (NewParty & { readonly state?: undefined });

/** What a step adds to the party's journal. */
export function journalEntry(
  { command }: Context,
  { journal }: Pick<ChangeOptions, "journal">,
  before: ChannelState | undefined,
  { state, sent }: Outcome,
  passed: Passed = {},
): JournalEntry {
  return {
    begin: journal === true,
    event: journalEvent(command, before, state, { ...passed, sent: [...(sent === null ? [] : [sent]), ...(passed.sent ?? [])] }),
  };
}

function save(ctx: Context, { paths, loaded, state: before }: ChangingParty, outcome: Outcome, options: ChangeOptions, passed: Passed): void {
  const { state, revoked } = outcome;
  const document = printChannel(state);
  const line = revoked === null || !isFunded(state) ? [] : [encode(revokedHtlcs, { ...revoked, fundingTxid: state.fundings[0].txid })];
  if (options.channelOut !== undefined) {
    if (line.length > 0 && options.revokedOut === undefined) {
      throw new LnError("usage-revoked-out", "this step revokes a commitment with HTLCs: say with --revoked-out where their line goes", {});
    }
    if (options.revokedOut !== undefined && line.length > 0) ctx.store.appendRevoked(options.revokedOut, line);
    writeState(ctx, options.channelOut, ctx.store.next(loaded, document).text);
    return;
  }
  const marks = isFunded(state)
    ? { lowestUnreleased: lowestUnreleased(state), highestSigned: highestSigned(state) < 0 ? null : highestSigned(state) }
    : { lowestUnreleased: 0, highestSigned: null };
  const change = { marks, revoked: line, journal: journalEntry(ctx, options, before, outcome, passed) };
  if (loaded === undefined) ctx.store.createChannel(paths, document, change);
  else ctx.store.save(paths, loaded, document, change);
}

/** A state that goes elsewhere than into its party's folder. */
function writeState(ctx: Context, path: string, text: string): void {
  if (isStdout(path)) ctx.writeStdout(text);
  else ctx.store.writeState(path, text);
}

function wouldSend(sent: Sent | null, resend: OutboxEntry | null): Record<string, unknown> {
  const type = sent?.message.type ?? resend?.type;
  return type === undefined ? {} : { would_send: type };
}

/** A message from the outbox. Throws: internal-outbox. */
export function reopened({ seq, wire }: OutboxEntry): Sent {
  if (wire === null) throw new LnError("internal-outbox", "a message without its bytes", { seq });
  return { seq, message: decodeMessage(wire) };
}

/** The report that is a message: its file is named after its number, party and type. */
export function messageReport(state: ChannelState, { message, seq }: Sent): Report {
  const number = String(seq).padStart(4, "0");
  return {
    document: { ...printMessage(message, seq) },
    fileName: `${number}-${state.party}-${message.type}.json`,
    undelivered: wayBack(message.type, seq),
  };
}

/** Which commands give their message again, and how to get those of the others. */
const REPEATABLE: readonly MessageName[] = [
  "commitment_signed",
  "revoke_and_ack",
  "channel_ready",
  "funding_signed",
  "funding_created",
  "shutdown",
  "closing_signed",
  "closing_complete",
  "closing_sig",
];

function wayBack(type: MessageName, seq: number): string {
  if (REPEATABLE.includes(type)) return "the same command prints it again";
  return `"chankit resend PARTY --seq ${seq}" prints it; the same command makes another, unless by its --request-id`;
}

/** The outcome of a command run again after its step was done: its message once more. Throws: state-message-not-held. */
export function repeated(state: ChannelState, type: MessageName): Outcome {
  const resend = newestSent(state.messages, type);
  if (resend === undefined)
    throw new LnError("state-message-not-held", `the channel is ${state.phase}: its ${type} was sent and acknowledged`, { type, phase: state.phase });
  return done(state, { repeated: true, resend });
}

/** Runs what takes in a message; a refusal also says what BOLT asks for then. */
export function receiving<T>(take: () => T): T {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    const asks = boltAsks(error.code);
    throw asks === undefined ? error : new LnError(error.code, error.message, { ...error.details, bolt_asks: asks });
  }
}

/** What BOLT asks a node to do about a refused message. */
function boltAsks(code: keyof typeof ERROR_CODES): string | undefined {
  const entry = ERROR_CODES[code];
  switch ("bolt" in entry ? entry.bolt : undefined) {
    case "warning":
      return "send a warning";
    case "fail":
      return "send an error and fail the channel";
    default:
      return undefined;
  }
}
