import { equalBytes, toHex, type Bytes32 } from "../../bytes.js";
import { LnError } from "../../errors.js";
import type { Htlc } from "../../tx/spec.js";
import type { CommitmentNumber } from "../../keys/shachain.js";
import type { Message, MessageName } from "../../wire/messages.js";
import { type Received, type Sent, classifyReceived, recordReceived, recordSent, requireConnected } from "../message-log.js";
import type { ChannelState, MessageLog, OutboxEntry } from "../state.js";

/** A revoked commitment of the peer's, as long as it may be published: what a penalty needs beyond the secret. */
export interface RevokedHtlcs {
  readonly number: CommitmentNumber;
  readonly htlcs: readonly Htlc[];
}

/** What a step gives: the state after it and the message to send. `repeated`: the step was done before and changed nothing. */
export interface Outcome<State extends ChannelState = ChannelState> {
  readonly state: State;
  readonly sent: Sent | null;
  readonly repeated: boolean;
  readonly revoked: RevokedHtlcs | null;
  /** The message of the first time, where a step is repeated that gave one. */
  readonly resend: OutboxEntry | null;
  /** What is allowed but not wise. */
  readonly warnings: readonly string[];
}

export function done<State extends ChannelState>(state: State, more: Partial<Omit<Outcome, "state">> = {}): Outcome<State> {
  return { state, sent: null, repeated: false, revoked: null, resend: null, warnings: [], ...more };
}

/** The state with one message more in its outbox, and the message with its place in the stream. */
export function sending<State extends ChannelState>(state: State, message: Message): Outcome<State> {
  const { log, sent } = recordSent(state.messages, message);
  return done({ ...state, messages: log }, { sent });
}

/** The message, if it is of the type that is due. Throws: state-message-type. */
export function expectType<Name extends MessageName>({ message }: Received, type: Name): Extract<Message, { readonly type: Name }> {
  if (message.type !== type) {
    throw new LnError("state-message-type", `a ${message.type} came where a ${type} is due`, { type: message.type, expected: type });
  }
  return message as Extract<Message, { readonly type: Name }>;
}

/** Throws: state-wrong-channel. */
export function expectChannel(expected: Bytes32, actual: Bytes32): void {
  if (equalBytes(expected, actual)) return;
  throw new LnError("state-wrong-channel", `the message is for channel ${toHex(actual)}, this is ${toHex(expected)}`, {
    channel_id: toHex(actual),
    expected: toHex(expected),
  });
}

/** Messages whose bytes no peer of ours can send: they hold our points or our signatures. Equal proposals both sides may make. */
const OURS_ALONE: readonly MessageName[] = [
  "open_channel",
  "accept_channel",
  "funding_created",
  "funding_signed",
  "channel_ready",
  "commitment_signed",
  "shutdown",
  "closing_complete",
  "closing_sig",
];

/** A party's own message, handed to itself: its point or signature would be taken for the peer's. Throws: state-message-own. */
function refuseOwn(log: MessageLog, { message, wire }: Received): void {
  const own = OURS_ALONE.includes(message.type) ? log.outbox.find((entry) => entry.wire !== null && equalBytes(entry.wire, wire)) : undefined;
  if (own === undefined) return;
  throw new LnError("state-message-own", `this is our own ${own.type}, message ${own.seq}: it is for the peer`, { type: own.type, seq: own.seq });
}

/**
 * The log with a received message taken in, or null where it was held already.
 * Throws: state-message-own, state-message-gap, state-message-conflict, state-message-old, state-reestablishing.
 */
export function taking(log: MessageLog, received: Received): MessageLog | null {
  refuseOwn(log, received);
  if (classifyReceived(log, received) === "repeat") return null;
  requireConnected(log, received.message.type);
  return recordReceived(log, received);
}

/** A message that the channel is not waiting for. */
export function notDue(type: string, state: ChannelState): LnError {
  return new LnError("state-message-unexpected", `a ${type} is not due: the channel is ${state.phase}`, { type, phase: state.phase });
}
