import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../protocol/bytes.js";
import type { Received, Sent } from "../../protocol/channel/message-log.js";
import { type ChannelState, type FundedChannel, isFunded } from "../../protocol/channel/state.js";
import { encodeMessage } from "../../protocol/wire/messages.js";
import type { JournalEntry } from "../../store/journal-file.js";
import type { Document } from "./command.js";

/** The messages of a step. */
export interface Passed {
  readonly received?: Received | undefined;
  readonly sent?: readonly Sent[];
}

/** What a command has done to a channel, as the journal tells it: never a secret that is still ours. */
export function journalEvent(
  command: string,
  before: ChannelState | undefined,
  after: ChannelState,
  { received, sent = [] }: Passed,
): JournalEntry["event"] {
  const requests = before?.messages.requests ?? [];
  const request = after.messages.requests.find(({ id }) => requests.every((known) => known.id !== id));
  const [flagsBefore, flagsAfter] = [flagsOf(before), flagsOf(after)];
  const closed = flagsBefore.forceClosed === null ? flagsAfter.forceClosed : null;
  // By a message that carries the signature it shows by itself
  const closingSigned = flagsAfter.closingSigned && !flagsBefore.closingSigned && sent.length === 0;
  return {
    command,
    party: after.party,
    ...(received === undefined ? {} : { received: entryOf(after.messages.lastReceived, received.message.type, received.wire, toHex(received.wire)) }),
    sent: sent.map(({ seq, message }) => {
      const wire = encodeMessage(message);
      // Its secret is released by being sent, which comes after this line: as in the outbox it keeps its place, and here its hash
      return entryOf(seq, message.type, wire, message.type === "revoke_and_ack" ? null : toHex(wire));
    }),
    ...(request === undefined ? {} : { request_id: request.id }),
    ...(closed === null ? {} : { force_closed: closed }),
    ...(closingSigned ? { closing_signed: true } : {}),
    ...(flagsAfter.behind && !flagsBefore.behind ? { behind: true } : {}),
  };
}

function entryOf(seq: number, type: string, wire: Uint8Array, shown: string | null): Document {
  return { seq, type, hash: toHex(sha256(wire)), wire: shown };
}

function flagsOf(state: ChannelState | undefined): Pick<FundedChannel["flags"], "forceClosed" | "closingSigned" | "behind"> {
  return state !== undefined && isFunded(state) ? state.flags : { forceClosed: null, closingSigned: false, behind: false };
}
