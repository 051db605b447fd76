import { basename, dirname, join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { revokedHtlcs, readChannel } from "../../json/channel-file.js";
import { decode, encode } from "../../json/decode.js";
import { type JournalLine, journalLine } from "../../json/journal.js";
import { readMessage } from "../../json/messages.js";
import { parseStrict } from "../../json/strict.js";
import { toHex } from "../../protocol/bytes.js";
import { type ChannelState, highestSigned, isFunded, lowestUnreleased } from "../../protocol/channel/state.js";
import { backUp } from "../../protocol/channel/transitions/backup.js";
import { lookupSecret, secretIndex } from "../../protocol/keys/shachain.js";
import { LnError } from "../../protocol/errors.js";
import { MESSAGE_TYPES } from "../../protocol/wire/messages.js";
import { type Finding, firstDifference } from "../../audit/finding.js";
import { type ReadLine, chainFinding } from "../../audit/journal.js";
import type { Beginning, Moment, Sight } from "../../audit/record.js";
import { partyPaths, singlePaths } from "../../store/paths.js";
import { BACKUP_FORMAT, readBackup } from "../shared/backup.js";
import type { Context } from "../shared/context.js";
import { type Looked, type Printed, lookAt } from "./printed.js";

/** A party's channel file, as far as it is to be believed. */
export interface StateFile {
  readonly file: string;
  readonly state: ChannelState;
  readonly revision: number;
  readonly hash: string;
  /** The lines of the revoked file beside it. */
  readonly revoked: readonly unknown[];
  /** Whether the file beside it vouches for it, or there is none. */
  readonly sound: boolean;
}

export interface JournalFile {
  readonly file: string;
  readonly lines: readonly ReadLine[];
}

/** All that a folder shows of a run. */
export interface Folder {
  readonly sights: readonly Sight[];
  readonly states: readonly StateFile[];
  /** Parties as a backup restores them. */
  readonly restored: readonly Pick<StateFile, "file" | "state" | "revoked" | "sound">[];
  readonly journals: readonly JournalFile[];
  /** Messages that nothing tells the sender of. */
  readonly unplaced: readonly string[];
  /** What commands printed of the channel. */
  readonly printed: readonly Printed[];
  /** Documents of which nothing follows from the channel, and why. */
  readonly untold: readonly { readonly file: string; readonly why: string }[];
  /** Every file that was looked at. */
  readonly files: readonly string[];
  /** Files that are of another kind. */
  readonly ignored: readonly string[];
  readonly findings: readonly Finding[];
}

/** The name that `-o DIR/` gives a message. */
const MESSAGE_NAME = /^(\d{4,})-(.+)-([a-z_]+)[.]json$/;
const KEYS = /(^|[.])keys[.]json$/;
const CHANNEL = /(^|[.])channel[.]json$/;

/** Reads every file below a folder but keys. What can't be read and has the name of a file of ours is a finding. */
export function readFolder(ctx: Context, folder: string): Folder {
  const sights: Sight[] = [];
  const states: StateFile[] = [];
  const restored: Folder["restored"][number][] = [];
  const journals: JournalFile[] = [];
  const unplaced: string[] = [];
  const printed: Printed[] = [];
  const untold: Folder["untold"][number][] = [];
  const ignored: string[] = [];
  const findings: Finding[] = [];
  const files = ctx.store.filesBelow(folder).filter((file) => !KEYS.test(basename(file)));
  const found = <T>(at: Finding["at"], act: () => T): T | undefined => {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof LnError)) throw error;
      const { code, message, details } = error;
      findings.push({
        kind: "unreadable",
        at,
        fact: message,
        expected: text(details["json"]),
        found: text(details["wire"] ?? details["value"]),
        code,
      });
      return undefined;
    }
  };
  for (const file of files) {
    const name = basename(file);
    const [, number, party, type] = MESSAGE_NAME.exec(name) ?? [];
    if (name.endsWith("journal.ndjson")) {
      const lines = found({ kind: "file", file, path: null }, () => readJournal(ctx, file, found));
      if (lines !== undefined) journals.push({ file, lines });
    } else if (CHANNEL.test(name)) {
      const read = found({ kind: "state", party: basename(dirname(file)), file, path: null }, () => readState(ctx, file, findings));
      if (read !== undefined) states.push(read);
    } else if (number !== undefined && party !== undefined && type !== undefined && type in MESSAGE_TYPES) {
      const at = { kind: "message", party, seq: Number(number), type, files: [file] } as const;
      const read = found(at, () => readMessage(parseStrict(ctx.store.readText(file), file), file));
      if (read === undefined) continue;
      const seq = read.seq ?? Number(number);
      if (seq !== Number(number)) {
        findings.push({ kind: "unreadable", at, fact: "seq is not the number in the file's name", expected: number, found: String(seq), code: null });
      } else if (read.message.type !== type) {
        findings.push({
          kind: "unreadable",
          at,
          fact: "it is not of the type in the file's name",
          expected: type,
          found: read.message.type,
          code: null,
        });
      } else sights.push({ party, seq, hash: toHex(sha256(read.wire)), wire: read.wire, file });
    } else if (isBackup(ctx, file)) {
      const read = found({ kind: "file", file, path: null }, () => readBackup(ctx, file));
      if (read !== undefined) restored.push({ file, state: backUp(read.state), revoked: read.revoked, sound: true });
    } else if (isMessage(ctx, file)) unplaced.push(file);
    else if (!/(^|[.])(highwater[.]json|revoked[.]ndjson)$/.test(name)) {
      const looked: Looked = /[.](json|ndjson)$/.test(name) ? lookAt(file, ctx.store.readText(file)) : { is: "other" };
      if (looked.is === "printed") printed.push(looked.printed);
      else if (looked.is === "untold") untold.push({ file, why: looked.why });
      else if (looked.is === "unreadable") {
        found({ kind: "file", file, path: null }, () => {
          throw looked.error;
        });
      } else ignored.push(file);
    }
  }
  return { sights, states, restored, journals, unplaced, printed, untold, files, ignored, findings };
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : value === undefined ? null : JSON.stringify(value);
}

type Found = <T>(at: Finding["at"], act: () => T) => T | undefined;

function readJournal(ctx: Context, file: string, found: Found): readonly ReadLine[] {
  return ctx.store
    .lines(file)
    .map(({ document }, at) =>
      found({ kind: "journal", file, line: at + 1 }, (): ReadLine => ({ document, line: decode(journalLine, document, `${file}:${at + 1}`) })),
    )
    .filter((line) => line !== undefined);
}

function readState(ctx: Context, file: string, findings: Finding[]): StateFile {
  const paths = basename(file) === "channel.json" ? partyPaths(dirname(file)) : singlePaths(file);
  let sound = true;
  let loaded;
  try {
    loaded = ctx.store.load(paths, "look");
  } catch (error) {
    if (!(error instanceof LnError) || !error.code.startsWith("file-")) throw error;
    loaded = ctx.store.load(paths, "pure");
    if (error.code !== "file-highwater-missing") {
      sound = false;
      const at = { kind: "state", party: basename(dirname(file)), file, path: null } as const;
      const { details } = error;
      const [expected, state] = [text(details["highwater_state_hash"]), text(details["state_hash"])];
      findings.push({ kind: "state", at, fact: error.message, expected, found: state, code: error.code });
    }
  }
  const revoked = ctx.store.revokedLines(paths).map((line) => encode(revokedHtlcs, decode(revokedHtlcs, line, paths.revoked)));
  const state = readChannel(loaded.document, file);
  const marks = sound ? marksFinding(ctx, paths.highwater, state, loaded.revision) : null;
  if (marks !== null) findings.push(marks);
  return { file, state, revision: loaded.revision, hash: loaded.hash, revoked, sound };
}

/** What the highwater file says beside the state's hash must be so. */
function marksFinding(ctx: Context, file: string, state: ChannelState, revision: number): Finding | null {
  const marks = ctx.store.readMarks(file);
  if (marks?.revision !== revision) return null;
  const signed = isFunded(state) ? highestSigned(state) : -1;
  const expected = { lowestUnreleased: isFunded(state) ? lowestUnreleased(state) : 0, highestSigned: signed < 0 ? null : signed };
  const { lowestUnreleased: lowest, highestSigned: highest } = marks;
  const difference = firstDifference(expected, { lowestUnreleased: lowest, highestSigned: highest });
  if (difference === null) return null;
  const path = difference.path === "lowestUnreleased" ? "lowest_unreleased" : "highest_signed";
  const at = { kind: "state", party: state.party, file, path } as const;
  return { kind: "state", at, fact: `${path} is not the state's`, expected: difference.expected, found: difference.found, code: null };
}

function isMessage(ctx: Context, file: string): boolean {
  return isDocument(ctx, file, (document) => "type" in document && String(document["type"]) in MESSAGE_TYPES);
}

function isBackup(ctx: Context, file: string): boolean {
  return isDocument(ctx, file, ({ format }) => format === BACKUP_FORMAT);
}

function isDocument(ctx: Context, file: string, is: (document: Readonly<Record<string, unknown>>) => boolean): boolean {
  if (!file.endsWith(".json")) return false;
  try {
    const document = parseStrict(ctx.store.readText(file), file);
    return typeof document === "object" && document !== null && is(document as Readonly<Record<string, unknown>>);
  } catch (error) {
    if (error instanceof LnError) return false;
    throw error;
  }
}

/** What journals and sound channel files say of messages. */
export function sightsIn({ states, journals }: Pick<Folder, "states" | "journals">, peerOf: (party: string) => string): readonly Sight[] {
  const ofJournals = journals.flatMap(({ file, lines }) =>
    lines.flatMap(({ line }, at): readonly Sight[] => {
      const source = `${file}:${at + 1}`;
      const sight = (party: string, { seq, hash, wire }: JournalLine["sent"][number]): Sight => ({
        party,
        seq,
        hash: toHex(hash),
        wire,
        file: source,
      });
      return [...line.sent.map((one) => sight(line.party, one)), ...(line.received === undefined ? [] : [sight(peerOf(line.party), line.received)])];
    }),
  );
  const ofStates = states
    .filter(({ sound }) => sound)
    .flatMap(({ file, state: { party, messages } }): readonly Sight[] => [
      // A shutdown in the outbox may name another script than the one that was sent: it is to be sent again with the newest
      ...messages.outbox.flatMap(({ seq, type, wire }) =>
        wire === null || type === "shutdown" ? [] : [{ party, seq, hash: toHex(sha256(wire)), wire, file }],
      ),
      ...messages.recentlyReceived.map(({ seq, hash }) => ({ party: peerOf(party), seq, hash: toHex(hash), wire: null, file })),
    ]);
  return [...ofJournals, ...ofStates];
}

/** Chains that do not hold, and journals that end elsewhere than the state beside them. */
export function journalFindings({ states, journals }: Pick<Folder, "states" | "journals">): readonly Finding[] {
  return journals.flatMap(({ file, lines }) => {
    const broken = chainFinding(file, lines);
    if (broken !== null) return [broken];
    const last = lines.at(-1)?.line;
    const beside = states.find((state) => journalBeside(state.file) === file);
    if (last === undefined || beside === undefined || !beside.sound || toHex(last.stateAfter) === beside.hash) return [];
    const at = { kind: "journal", file, line: lines.length } as const;
    const fact = `the journal ends with another state than ${beside.file} holds`;
    return [{ kind: "chain", at, fact, expected: beside.hash, found: toHex(last.stateAfter), code: null } as const];
  });
}

function journalBeside(file: string): string {
  return (basename(file) === "channel.json" ? partyPaths(dirname(file)) : singlePaths(file)).journal;
}

/** The moments that a party's files show: its journal's, of which the longest counts, and those of its channel files. */
export function momentsOf(party: string, { states, journals }: Pick<Folder, "states" | "journals">, beginning: Beginning | null): readonly Moment[] {
  const { lastSent, lastReceived } = beginning?.state.messages ?? { lastSent: 0, lastReceived: 0 };
  const ours = journals.filter(({ lines }) => lines[0]?.line.party === party);
  const [longest] = [...ours].sort((a, b) => b.lines.length - a.lines.length);
  // Where the party is taken up later than its journal begins, what came first has no place among the messages
  const isLater = (longest?.lines ?? []).some(
    ({ line }) => line.sent.some(({ seq }) => seq <= lastSent) || (line.received !== undefined && line.received.seq <= lastReceived),
  );
  let sent: number | null = null;
  let received: number | null = null;
  const moments: Moment[] = [];
  for (const [at, { line }] of (longest?.lines ?? []).entries()) {
    const begins = line.stateBefore === null;
    sent = line.sent.at(-1)?.seq ?? sent ?? (begins && !isLater ? lastSent : null);
    received = line.received?.seq ?? received ?? (begins && !isLater ? lastReceived : null);
    if (longest === undefined || sent === null || received === null) continue;
    const step = {
      revision: line.revision,
      before: line.stateBefore === null ? null : toHex(line.stateBefore),
      after: toHex(line.stateAfter),
      forceClosed: line.forceClosed ?? null,
      closingSigned: line.closingSigned === true,
    };
    moments.push({ sent, received, shown: { kind: "journal", file: longest.file, line: at + 1, step } });
  }
  for (const { file, state, revoked, sound } of states.filter((one) => one.state.party === party)) {
    const { lastSent, lastReceived } = state.messages;
    moments.push({ sent: lastSent, received: lastReceived, shown: { kind: "state", file, state, revoked, sound } });
  }
  const reached = ({ sent: told, received: heard }: Moment): boolean => told >= lastSent && heard >= lastReceived;
  // A journal's line that only force-closes comes after what the channel file of the same moment is compared with, and changes nothing of that
  return moments.filter(reached).sort((a, b) => a.sent + a.received - (b.sent + b.received));
}

/**
 * Where a party is taken up: at its opening where that is among its messages, else at the earliest of its channel files that is to be believed.
 * So a run is judged that begins with import-channel, by the document that was imported or a copy made then, or with restore, by the backup.
 */
export function beginningOf(party: string, { states, restored }: Pick<Folder, "states" | "restored">, sights: readonly Sight[]): Beginning | null {
  // A hash alone, as the peer keeps it of what it has heard, is no opening
  if (sights.some(({ party: by, seq, wire }) => by === party && seq === 1 && wire !== null)) return null;
  const told = ({ state: { messages } }: Pick<StateFile, "state">): number => messages.lastSent + messages.lastReceived;
  const [first] = [...restored, ...states]
    .filter(({ state, sound }) => state.party === party && sound && isFunded(state))
    .sort((a, b) => told(a) - told(b));
  if (first === undefined || !isFunded(first.state)) return null;
  const { file, state, revoked } = first;
  const peers = states.flatMap((one) => (one.sound && one.state.party !== party && isFunded(one.state) ? [one.state] : []));
  const lowest = lowestUnreleased(state);
  const released = [lowest - 1, lowest - 2].flatMap((number) => {
    const secrets = number < 0 ? [] : peers.flatMap(({ remoteSecrets }) => lookupSecret(remoteSecrets, secretIndex(number)) ?? []);
    return secrets.slice(0, 1).map((secret) => [number, secret] as const);
  });
  return { file, state, revoked: revoked.map((line) => decode(revokedHtlcs, line, file)), released: new Map(released) };
}

export function pathIn(folder: string, file: string): string {
  return file.startsWith(join(folder, "/")) ? file.slice(join(folder, "/").length) : file;
}
