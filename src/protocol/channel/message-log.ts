import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, bytes32, equalBytes } from "../bytes.js";
import { LnError } from "../errors.js";
import { type Message, encodeMessage } from "../wire/messages.js";
import type { MessageLog, OutboxEntry } from "./state.js";

export const EMPTY_LOG: MessageLog = {
  lastSent: 0,
  lastReceived: 0,
  recentlyReceived: [],
  outbox: [],
  lastReply: null,
  reestablishing: false,
  requests: [],
};

/** How many received messages are remembered by their hash. */
const REMEMBERED = 32;

/** A message on its way out, with its place in the stream. */
export interface Sent {
  readonly message: Message;
  readonly seq: number;
}

/**
 * Puts a message into the outbox until the peer acknowledges it. One that holds a secret is kept by its type alone.
 * Throws: state-reestablishing.
 */
export function recordSent(log: MessageLog, message: Message): { readonly log: MessageLog; readonly sent: Sent } {
  requireConnected(log, message.type);
  const seq = log.lastSent + 1;
  const { type } = message;
  const wire = type === "revoke_and_ack" ? null : encodeMessage(message);
  const lastReply = type === "revoke_and_ack" || type === "commitment_signed" ? type : log.lastReply;
  const outbox = log.outbox.filter((entry) => !entry.acked || entry.type !== type);
  return { log: { ...log, lastSent: seq, lastReply, outbox: [...outbox, { seq, type, wire, acked: false }] }, sent: { message, seq } };
}

/** A message as it came in. */
export interface Received {
  readonly message: Message;
  readonly wire: Uint8Array;
  /** Absent where only the wire bytes came. */
  readonly seq?: number | undefined;
}

/**
 * Whether a message is the next one or one that we hold already.
 * Throws: state-message-gap, state-message-conflict, state-message-old.
 */
export function classifyReceived(log: MessageLog, { message, wire, seq }: Received): "next" | "repeat" {
  const hash = wireHash(wire);
  if (seq === undefined) {
    // Two fee updates may be alike; every other message carries an id, a number's signature or a secret of its own.
    const held = message.type !== "update_fee" && log.recentlyReceived.some((known) => equalBytes(known.hash, hash));
    return held ? "repeat" : "next";
  }
  const expected = log.lastReceived + 1;
  if (seq === expected) return "next";
  const details = { seq, expected_seq: expected };
  if (seq > expected) throw new LnError("state-message-gap", `message ${seq} came where ${expected} was due: one is missing`, details);
  const known = log.recentlyReceived.find((held) => held.seq === seq);
  if (known === undefined) throw new LnError("state-message-old", `message ${seq} is long past: ${expected} is due`, details);
  if (equalBytes(known.hash, hash)) return "repeat";
  throw new LnError("state-message-conflict", `another message ${seq} was received before`, details);
}

/** BOLT 2 §Message Retransmission. Throws: state-reestablishing. */
export function requireConnected({ reestablishing }: MessageLog, type: string): void {
  if (!reestablishing) return;
  throw new LnError("state-reestablishing", `after our channel_reestablish the peer's comes first: no ${type} before it`, { type });
}

export function recordReceived(log: MessageLog, { wire }: Received): MessageLog {
  const seq = log.lastReceived + 1;
  return { ...log, lastReceived: seq, recentlyReceived: [...log.recentlyReceived, { seq, hash: wireHash(wire) }].slice(-REMEMBERED) };
}

/**
 * Marks what the peer has shown to have received; it need not be sent again. The newest commitment_signed and revoke_and_ack stay,
 * so that a command run again prints the same message again.
 */
export function acknowledge(log: MessageLog, received: (entry: OutboxEntry) => boolean): MessageLog {
  const marked = log.outbox.map((entry) => (received(entry) ? { ...entry, acked: true } : entry));
  const newest = new Map(marked.map((entry) => [entry.type, entry.seq]));
  const kept = marked.filter((entry) => !entry.acked || (REPEATABLE.has(entry.type) && newest.get(entry.type) === entry.seq));
  return { ...log, outbox: kept };
}

const REPEATABLE: ReadonlySet<string> = new Set(["commitment_signed", "revoke_and_ack", "shutdown"]);

/** The newest of our messages of a close that the peer has not shown to have, else our shutdown. */
export function newestOfClose(log: MessageLog): OutboxEntry | undefined {
  return log.outbox.findLast(({ type, acked }) => !acked && isOfNegotiation(type)) ?? newestSent(log, "shutdown");
}

/** A negotiation ends with the connection: nothing of it is sent again. BOLT 2 §Message Retransmission. */
export function withoutNegotiation(log: MessageLog): MessageLog {
  return { ...log, outbox: log.outbox.filter(({ type }) => !isOfNegotiation(type)) };
}

function isOfNegotiation(type: string): boolean {
  return type === "closing_signed" || type === "closing_complete" || type === "closing_sig";
}

/** The newest message of a type, acknowledged or not. */
export function newestSent(log: MessageLog, type: Message["type"]): OutboxEntry | undefined {
  return log.outbox.findLast((entry) => entry.type === type);
}

function wireHash(wire: Uint8Array): Bytes32 {
  return bytes32(sha256(wire));
}
