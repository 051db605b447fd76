import { displayTxid } from "../../protocol/bytes.js";
import { previewCommitment, heldCommitments, type HeldCommitment } from "../../protocol/channel/select.js";
import { isFunded } from "../../protocol/channel/state.js";
import { LnError } from "../../protocol/errors.js";
import { SIDES } from "../../protocol/side.js";
import { printMessage } from "../../json/messages.js";
import type { Stand } from "../../audit/replay.js";
import type { JsonObject } from "../../store/state.js";
import { publicKeys } from "../shared/identity.js";
import { channelSummary } from "../shared/summary.js";
import { commitmentDocument } from "../shared/transactions.js";

/** What a step prints that brings a party into a moment, as far as it has the fields of `document`, which tell the command that printed it. */
export function stepDocument({ state, revoked, told, heard }: Stand, document: JsonObject, heardBefore: ReadonlySet<string>): JsonObject {
  const asked = (name: string, value: () => unknown): JsonObject => (name in document ? { [name]: value() } : {});
  const tried = document["dry_run"] === true;
  const again = document["already_done"] === true;
  const received = document["received"];
  const verifies = again || heard?.type === "commitment_signed";
  return {
    ...asked("dry_run", () => true),
    ...asked("already_done", () => true),
    ...asked("would_send", () => told.at(-1)?.message.type),
    ...asked("received", () => (again && typeof received === "string" && heardBefore.has(received) ? received : heard?.type)),
    ...asked("valid", () => (verifies ? true : undefined)),
    ...asked("behind", () => isFunded(state) && state.flags.behind),
    ...asked("retransmits", () => told.map(({ message }) => message.type)),
    ...asked("messages", () => (tried ? [] : told.map(({ message, seq }) => printMessage(message, seq)))),
    ...asked("revoked_lines", () => revoked.length),
    // Of the case that was imported no file of the run tells
    ...asked("case", () => document["case"]),
    ...asked("as", () => document["as"]),
    ...channelSummary(state),
  };
}

/** What `release-funding` prints. */
export function fundingDocument({ state }: Stand, document: JsonObject): JsonObject | null {
  if (!isFunded(state)) return null;
  const [{ txid, outputIndex, amount }] = state.fundings;
  const stored = document["dry_run"] !== true;
  return {
    ...(stored ? {} : { dry_run: true }),
    ...("already_done" in document ? { already_done: true } : {}),
    funding_txid: displayTxid(txid),
    funding_output_index: outputIndex,
    funding_satoshis: Number(amount),
    may_be_broadcast: stored,
    ...(state.fundingPsbt === null || !stored ? {} : { psbt: state.fundingPsbt }),
  };
}

/** What `keygen` prints; `keysOf` is where a party's keys are, as far as the folder shows it. */
export function keysDocument({ party, keys }: Stand, document: JsonObject, keysOf: (party: string, named: unknown) => unknown): JsonObject {
  return { party, keys: keysOf(party, document["keys"]), ...publicKeys(keys()) };
}

/** Every commitment that `build-commitment` could print in a moment. */
export function commitmentDocuments({ state }: Stand, explain: boolean): readonly JsonObject[] {
  if (!isFunded(state)) return [];
  return SIDES.flatMap((owner) => [
    ...attempt(() => heldCommitments(state, owner)),
    ...attempt((): readonly HeldCommitment[] => [previewCommitment(state, owner)]),
  ]).map((held) => commitmentDocument(held, explain));
}

/** Nothing where the state does not determine it yet: a point that is to come, a fee that nobody could pay. */
export function attempt<T>(act: () => readonly T[]): readonly T[] {
  try {
    return act();
  } catch (error) {
    if (error instanceof LnError) return [];
    throw error;
  }
}
