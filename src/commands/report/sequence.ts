import { grouped } from "../../protocol/explain/reading.js";
import type { Message, MessageName } from "../../protocol/wire/messages.js";

/** A message of a run, with who sent it. */
export interface Letter {
  readonly from: string;
  readonly seq: number;
  readonly message: Message;
}

/** A line of the sequence: a message, or messages that are not at hand. */
export type Turn =
  | {
      readonly kind: "message";
      readonly from: string;
      readonly to: string;
      readonly seq: number;
      readonly type: MessageName;
      readonly detail: string;
    }
  | { readonly kind: "gap"; readonly from: string; readonly first: number; readonly last: number };

/** What must have come from the other side before a message can be sent; `nth` counts messages of that type. */
const AFTER: Partial<Record<MessageName, { readonly type: MessageName; readonly nth: (own: number) => number }>> = {
  accept_channel: { type: "open_channel", nth: (own) => own },
  funding_created: { type: "accept_channel", nth: (own) => own },
  funding_signed: { type: "funding_created", nth: (own) => own },
  revoke_and_ack: { type: "commitment_signed", nth: (own) => own },
  closing_sig: { type: "closing_complete", nth: (own) => own },
  // The first one needs none revoked, each later one the one before it
  commitment_signed: { type: "revoke_and_ack", nth: (own) => own - 1 },
};

/** What must have come before of the channel's beginning, whoever it is from. */
const OPENED: readonly MessageName[] = ["channel_ready", "shutdown"];

/**
 * One order of two streams that are each in order already: each message as soon as what it answers has come, the same side going on as long as it can.
 * Where a message that it would answer is not among them, nothing holds it back.
 */
export function turnsOf(letters: readonly Letter[], parties: readonly [string, string]): readonly Turn[] {
  const streams = parties.map((from) => letters.filter((letter) => letter.from === from).sort((a, b) => a.seq - b.seq));
  const known = new Map<string, number>();
  for (const { from, message } of letters) count(known, from, message.type);
  const begun = letters.some(({ message }) => message.type === "open_channel");
  const sent = new Map<string, number>();
  const turns: Turn[] = [];
  let side = 0;
  for (let left = letters.length; left > 0; left--) {
    const ready = [side, 1 - side].find((at) => {
      const next = streams[at]?.[0];
      return next !== undefined && mayCome(next, parties[1 - at] ?? "", { sent, known, begun });
    });
    // A run with pieces missing may hold back both: the streams' own order goes on
    side = ready ?? ((streams[side]?.length ?? 0) > 0 ? side : 1 - side);
    const letter = streams[side]?.shift();
    if (letter === undefined) break;
    const { from, seq, message } = letter;
    const before = lastSeq(turns, from);
    if (seq > before + 1 && (before > 0 || begun)) turns.push({ kind: "gap", from, first: before + 1, last: seq - 1 });
    const to = parties[1 - side] ?? "";
    turns.push({ kind: "message", from, to, seq, type: message.type, detail: detailOf(message, sent, letter, begun) });
    count(sent, from, message.type);
  }
  return turns;
}

function count(counts: Map<string, number>, from: string, type: MessageName): void {
  counts.set(`${from} ${type}`, (counts.get(`${from} ${type}`) ?? 0) + 1);
}

function lastSeq(turns: readonly Turn[], from: string): number {
  const last = turns.findLast((turn) => turn.from === from);
  return last === undefined ? 0 : last.kind === "gap" ? last.last : last.seq;
}

interface Progress {
  readonly sent: ReadonlyMap<string, number>;
  readonly known: ReadonlyMap<string, number>;
  readonly begun: boolean;
}

function mayCome({ from, message }: Letter, peer: string, { sent, known, begun }: Progress): boolean {
  const { type } = message;
  const countOf = (counts: ReadonlyMap<string, number>, who: string, what: MessageName): number => counts.get(`${who} ${what}`) ?? 0;
  if (OPENED.includes(type) && begun) return [from, peer].some((who) => countOf(sent, who, "funding_signed") > 0);
  if (type === "update_fulfill_htlc" || type === "update_fail_htlc" || type === "update_fail_malformed_htlc") {
    return countOf(known, peer, "update_add_htlc") === 0 || countOf(sent, peer, "update_add_htlc") > 0;
  }
  const rule = AFTER[type];
  if (rule === undefined) return true;
  const needed = rule.nth(countOf(sent, from, type) + 1);
  return countOf(sent, peer, rule.type) >= Math.min(needed, countOf(known, peer, rule.type));
}

/** What a message does, in a few words: none of its secrets. */
function detailOf(message: Message, sent: ReadonlyMap<string, number>, { from }: Letter, begun: boolean): string {
  const sats = (amount: bigint): string => `${grouped(amount)} sat`;
  const msats = (amount: bigint): string => (amount % 1000n === 0n ? sats(amount / 1000n) : `${grouped(amount)} msat`);
  const number = sent.get(`${from} ${message.type}`) ?? 0;
  switch (message.type) {
    case "open_channel":
      return `${sats(message.fundingSatoshis)}, of which ${msats(message.pushMsat)} pushed`;
    case "pay":
      return msats(message.amountMsat);
    case "update_add_htlc":
      return `HTLC ${message.id}: ${msats(message.amountMsat)}, expires at block ${grouped(message.cltvExpiry)}`;
    case "update_fulfill_htlc":
    case "update_fail_htlc":
    case "update_fail_malformed_htlc":
      return `HTLC ${message.id}`;
    case "update_fee":
      return `${grouped(message.feeratePerKw)} sat/kw`;
    case "commitment_signed": {
      const htlcs = message.htlcSignatures.length;
      const extra = htlcs === 0 ? "" : `${htlcs} HTLC ${htlcs === 1 ? "signature" : "signatures"}`;
      return [...(begun ? [`commitment ${number + 1}`] : []), ...(extra === "" ? [] : [extra])].join(", ");
    }
    case "revoke_and_ack":
      return begun ? `revokes commitment ${number}` : "";
    case "closing_signed":
    case "closing_complete":
    case "closing_sig":
      return `fee ${sats(message.feeSatoshis)}`;
    case "channel_reestablish":
      return `next commitment ${message.nextCommitmentNumber}, next revocation ${message.nextRevocationNumber}`;
    case "warning":
    case "error":
    case "accept_channel":
    case "funding_created":
    case "funding_signed":
    case "channel_ready":
    case "shutdown":
      return "";
  }
}
