import { equalBytes } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { type PartyKeys, ownSecret } from "../../keys/party-keys.js";
import { lookupSecret, secretIndex } from "../../keys/shachain.js";
import { Secret32 } from "../../secret.js";
import { withSide } from "../../side.js";
import type { MessageOf } from "../../wire/messages.js";
import { decodeMessage, encodeMessage } from "../../wire/messages.js";
import { type Received, type Sent, acknowledge, classifyReceived, recordReceived, withoutNegotiation } from "../message-log.js";
import { requireOwnKeys } from "../own-keys.js";
import {
  type ChannelState,
  type FundedChannel,
  type MessageLog,
  NO_CLOSING,
  type OutboxEntry,
  highestSigned,
  lowestUnreleased,
  ownPoint,
  requireFunded,
} from "../state.js";
import { type Outcome, done, expectChannel, expectType } from "./outcome.js";
import { lastRevocation } from "./revoke.js";

/** What stands in your_last_per_commitment_secret before the first revocation. BOLT 2 §Message Retransmission. */
const NO_SECRET = new Uint8Array(32);

/**
 * After a disconnect: what the peer proposed and never signed is forgotten, and the peer is told what we hold. Our own proposals wait to be sent again.
 * The message takes a number of its own, from which the peer goes on counting.
 * BOLT 2 §Message Retransmission. Throws: state-not-funded, state-no-commitment.
 */
export function reestablish(channel: ChannelState): Outcome<FundedChannel> {
  const state = forgetting(requireFunded(channel));
  const [{ local, remote }] = state.fundings;
  if (local.current === null || remote.current === null)
    throw new LnError("state-no-commitment", "nothing was signed on either side yet", { owner: "local" });
  const revoked = remote.current.number;
  const last = revoked === 0 ? null : lookupSecret(state.remoteSecrets, secretIndex(revoked - 1));
  const message: MessageOf<"channel_reestablish"> = {
    type: "channel_reestablish",
    channelId: state.channelId,
    // Whoever has lost state asks for the end: 0 makes the peer fail the channel and publish its newest commitment
    nextCommitmentNumber: state.flags.behind ? 0n : BigInt(local.current.number + 1),
    nextRevocationNumber: BigInt(revoked),
    yourLastPerCommitmentSecret: last ?? new Secret32(NO_SECRET),
    myCurrentPerCommitmentPoint: ownPoint(state, local.current.number).point,
  };
  const seq = state.messages.lastSent + 1;
  return done({ ...state, messages: { ...state.messages, lastSent: seq, reestablishing: true } }, { sent: { message, seq } });
}

/** The peer's unsigned proposals, and what would take their being sent again for a repeat. BOLT 2 §Message Retransmission. */
function forgetting(state: FundedChannel): FundedChannel {
  const forgotten = state.changes.remote.filter(({ stage }) => stage === "proposed");
  const count = (kind: "pay" | "add_htlc") => BigInt(forgotten.filter(({ content }) => content.kind === kind).length);
  const { htlc, pay } = state.nextIds.remote;
  return {
    ...state,
    changes: withSide(
      state.changes,
      "remote",
      state.changes.remote.filter((change) => !forgotten.includes(change)),
    ),
    nextIds: withSide(state.nextIds, "remote", { htlc: htlc - count("add_htlc"), pay: pay - count("pay") }),
    messages: { ...withNewestShutdown(state), recentlyReceived: [] },
    closing: { ...NO_CLOSING, signed: state.closing.signed },
  };
}

/** A close is negotiated anew, and shutdown names the script that we named last. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
function withNewestShutdown({ messages, channelId, shutdownScripts: { local } }: FundedChannel): MessageLog {
  if (local === null) return messages;
  const wire = encodeMessage({ type: "shutdown", channelId, scriptpubkey: local });
  const { outbox, ...log } = withoutNegotiation(messages);
  return { ...log, outbox: outbox.map((entry) => (entry.type === "shutdown" ? { ...entry, wire } : entry)) };
}

/** What a reconnection asks for. */
export interface Resumption {
  readonly state: FundedChannel;
  readonly repeated: boolean;
  /** What is sent again, in the order of the first time, under new numbers. */
  readonly retransmitted: readonly Sent[];
  /** The peer has proved that we lost state: from now on nothing is broadcast or signed. */
  readonly behind: boolean;
}

/**
 * Takes in the peer's channel_reestablish and says what to send again.
 * Secrets in: to judge the secret that the peer shows, and to make a revocation again.
 * BOLT 2 §Message Retransmission. Throws: state-reestablish-…, state-peer-behind, state-wrong-channel, key-mismatch.
 */
export function resume(channel: ChannelState, keys: PartyKeys, received: Received): Resumption {
  const message = expectType(received, "channel_reestablish");
  const before = requireFunded(channel);
  expectChannel(before.channelId, message.channelId);
  requireOwnKeys(before, keys);
  // Whoever asks for the end may have lost count of its messages, too
  if (message.nextCommitmentNumber === 0n) {
    throw new LnError("state-peer-asks-fail", "next_commitment_number is 0: the peer asks to fail the channel and broadcast", {
      next_commitment_number: 0,
    });
  }
  const repeated = isHeld(before.messages, received);
  // Once something has come after it, or it has ended the channel, there is nothing to send again
  if (repeated && (received.seq !== before.messages.lastReceived || before.flags.behind))
    return { state: before, repeated, retransmitted: [], behind: before.flags.behind };
  if (!repeated && !before.messages.reestablishing) throw unannounced();
  const state: FundedChannel = repeated ? before : { ...forgetting(before), messages: countingFrom(before.messages, received) };

  const released = lowestUnreleased(state);
  const revocationsHeld = Number(message.nextRevocationNumber);
  if (revocationsHeld > released) return provedBehind(state, keys, message);
  checkSecret(keys, message);
  if (revocationsHeld < released - 1) {
    throw new LnError("state-peer-behind", `the peer holds ${revocationsHeld} of our ${released} revocations: it has lost state`, {
      next_revocation_number: revocationsHeld,
      revocations_sent: released,
    });
  }

  const signed = highestSigned(state);
  const expected = Number(message.nextCommitmentNumber);
  const pending = state.fundings[0].remote.next !== null;
  if (expected !== signed + 1 && !(pending && expected === signed)) {
    throw new LnError("state-reestablish-number", `the peer expects commitment ${expected}, the last that we signed is ${signed}`, {
      next_commitment_number: expected,
      last_signed: signed,
    });
  }
  const needs = { revocation: revocationsHeld === released - 1, signature: expected === signed, ready: expected === 1 && nothingMoved(state) };
  const outbox = outboxFor(state.messages, needs);
  return repeated ? { ...sentAgain(state, keys, outbox.again), repeated } : renumbering(state, keys, outbox);
}

function isHeld(log: MessageLog, received: Received): boolean {
  return received.seq !== undefined && received.seq <= log.lastReceived && classifyReceived(log, received) === "repeat";
}

/** Whatever was lost before it, the peer counts on from this message. */
function countingFrom(log: MessageLog, received: Received): MessageLog {
  const { seq = log.lastReceived + 1 } = received;
  return recordReceived({ ...log, lastReceived: seq - 1, recentlyReceived: [], reestablishing: false }, received);
}

/** Each side sends its own on a new connection, so what we hold is settled before the peer's says what we lack. */
function unannounced(): LnError {
  return new LnError("state-reestablish-first", "this party has not sent its own channel_reestablish: chankit reestablish without a message", {});
}

/** BOLT 2 §Message Retransmission: channel_ready is sent again as long as both sides are at their first commitment. */
function nothingMoved(state: FundedChannel): boolean {
  return state.fundings[0].local.current?.number === 0;
}

/** Throws: state-reestablish-secret. */
function checkSecret(keys: PartyKeys, { nextRevocationNumber, yourLastPerCommitmentSecret }: MessageOf<"channel_reestablish">): void {
  const count = Number(nextRevocationNumber);
  const expected = count === 0 ? NO_SECRET : ownSecret(keys, count - 1).reveal();
  if (equalBytes(expected, yourLastPerCommitmentSecret.reveal())) return;
  throw new LnError("state-reestablish-secret", `your_last_per_commitment_secret is not that of our commitment ${count - 1}`, {
    next_revocation_number: count,
  });
}

/** Throws: state-reestablish-secret. */
function provedBehind(state: FundedChannel, keys: PartyKeys, message: MessageOf<"channel_reestablish">): Resumption {
  checkSecret(keys, message);
  return { state: { ...state, flags: { ...state.flags, behind: true } }, repeated: false, retransmitted: [], behind: true };
}

interface Needs {
  readonly revocation: boolean;
  readonly signature: boolean;
  readonly ready: boolean;
}

/** The log without what the peer has, and of its outbox what the peer lacks, in the first order: so a revocation and a signature keep theirs. */
interface OutboxFor {
  readonly known: MessageLog;
  readonly again: readonly OutboxEntry[];
}

function outboxFor(messages: MessageLog, needs: Needs): OutboxFor {
  const known = acknowledge(messages, ({ type }) => (type === "revoke_and_ack" && !needs.revocation) || (type === "channel_ready" && !needs.ready));
  const signature = known.outbox.find(({ type, acked }) => type === "commitment_signed" && !acked);
  const isNeeded = ({ seq, type, acked }: OutboxEntry): boolean =>
    type === "shutdown" ||
    (!acked && (needs.signature || signature === undefined || seq > signature.seq || type === "revoke_and_ack" || type === "channel_ready"));
  return { known, again: known.outbox.filter(isNeeded) };
}

/** Sends it again under new numbers, which follow on our channel_reestablish. */
function renumbering(state: FundedChannel, keys: PartyKeys, { known, again }: OutboxFor): Resumption {
  let { lastSent } = known;
  const renumbered = new Map(again.map(({ seq }) => [seq, ++lastSent]));
  const numbered = <T extends { readonly seq: number }>(entry: T): T => ({ ...entry, seq: renumbered.get(entry.seq) ?? entry.seq });
  const kept = known.outbox.filter((entry) => !renumbered.has(entry.seq));
  const moved = again.map(numbered);
  const messages = { ...known, lastSent, outbox: [...kept, ...moved], requests: known.requests.map(numbered) };
  return sentAgain({ ...state, messages }, keys, moved);
}

/** Secret out: a revocation is made again. */
function sentAgain(state: FundedChannel, keys: PartyKeys, again: readonly OutboxEntry[]): Resumption {
  const retransmitted = again.map(({ seq, wire }): Sent => ({ seq, message: wire === null ? lastRevocation(state, keys) : decodeMessage(wire) }));
  return { state, repeated: false, retransmitted, behind: false };
}
