import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, toHex } from "../protocol/bytes.js";
import type { Message } from "../protocol/wire/messages.js";

/*
 * What the honest side is owed, from what it said and what it took in: no state of the program's, no transaction. So a state that was led astray
 * cannot lower it.
 */

/** How far a payment of the peer's is, from the payee's own view: each needs the one before. */
type Stage = "proposed" | "signed" | "acknowledged" | "countersigned" | "final";

interface Incoming {
  readonly amountMsat: bigint;
  readonly stage: Stage;
}

interface Conditional {
  readonly id: bigint;
  readonly amountMsat: bigint;
  readonly paymentHash: string;
}

export interface Ledger {
  readonly startMsat: bigint;
  /** Paid from the moment on at which it was proposed. */
  readonly paidMsat: bigint;
  /** The peer's payments: ours only once its revocation is held. */
  readonly incoming: readonly Incoming[];
  readonly offered: readonly Conditional[];
  readonly received: readonly Conditional[];
  /** Payment hashes whose preimages we have learned: these offers are paid. */
  readonly learned: ReadonlySet<string>;
  /** Payment hashes whose preimages we have given away: these must be paid to us. */
  readonly revealed: ReadonlySet<string>;
  /** How many of the peer's commitments are revoked. */
  readonly revocationsHeld: number;
  /** The most that our own messages have agreed to pay for a mutual close; never above the range that they named. */
  readonly closingFeeSat: bigint;
  /** The end of that range. */
  readonly closingMostSat: bigint | null;
}

export function ledgerFrom(startMsat: bigint, revocationsHeld = 0): Ledger {
  return {
    startMsat,
    paidMsat: 0n,
    incoming: [],
    offered: [],
    received: [],
    learned: new Set(),
    revealed: new Set(),
    revocationsHeld,
    closingFeeSat: 0n,
    closingMostSat: null,
  };
}

const hashOf = (preimage: Uint8Array): string => toHex(sha256(preimage));

/** With a message that we made. */
export function havingSent(ledger: Ledger, message: Message): Ledger {
  switch (message.type) {
    case "pay":
      return { ...ledger, paidMsat: ledger.paidMsat + message.amountMsat };
    case "update_add_htlc":
      return { ...ledger, offered: [...ledger.offered, conditional(message)] };
    case "update_fulfill_htlc":
      return knowing(ledger, [], [message.paymentPreimage]);
    case "revoke_and_ack":
      return moved(ledger, "signed", "acknowledged");
    case "commitment_signed":
      return moved(ledger, "acknowledged", "countersigned");
    case "channel_reestablish":
      return forgetting(ledger);
    case "open_channel":
      return { ...ledger, startMsat: message.fundingSatoshis * 1000n - message.pushMsat };
    case "closing_complete":
      return agreeing(ledger, message.feeSatoshis, null);
    case "closing_signed":
      return agreeing(ledger, message.feeSatoshis, message.feeRange?.maxFeeSatoshis ?? null);
    default:
      return ledger;
  }
}

/** Who names a range does not agree to more, whatever is named later. */
function agreeing(ledger: Ledger, feeSat: bigint, mostSat: bigint | null): Ledger {
  const closingMostSat = ledger.closingMostSat ?? mostSat;
  const named = closingMostSat !== null && feeSat > closingMostSat ? closingMostSat : feeSat;
  return { ...ledger, closingMostSat, closingFeeSat: named > ledger.closingFeeSat ? named : ledger.closingFeeSat };
}

/** With a message of the peer's that our command took in. */
export function havingTaken(ledger: Ledger, message: Message): Ledger {
  switch (message.type) {
    case "pay":
      return { ...ledger, incoming: [...ledger.incoming, { amountMsat: message.amountMsat, stage: "proposed" }] };
    case "update_add_htlc":
      return { ...ledger, received: [...ledger.received, conditional(message)] };
    case "update_fulfill_htlc":
      return knowing(ledger, [message.paymentPreimage], []);
    case "open_channel":
      return { ...ledger, startMsat: message.pushMsat };
    case "commitment_signed":
      return moved(ledger, "proposed", "signed");
    case "revoke_and_ack":
      return { ...moved(ledger, "countersigned", "final"), revocationsHeld: ledger.revocationsHeld + 1 };
    case "channel_reestablish":
      return forgetting(ledger);
    default:
      return ledger;
  }
}

function conditional({ id, amountMsat, paymentHash }: { id: bigint; amountMsat: bigint; paymentHash: Bytes32 }): Conditional {
  return { id, amountMsat, paymentHash: toHex(paymentHash) };
}

function moved(ledger: Ledger, from: Stage, to: Stage): Ledger {
  return { ...ledger, incoming: ledger.incoming.map((payment) => (payment.stage === from ? { ...payment, stage: to } : payment)) };
}

/** A reconnection forgets what was proposed and never signed: it is sent again. */
function forgetting(ledger: Ledger): Ledger {
  return { ...ledger, incoming: ledger.incoming.filter(({ stage }) => stage !== "proposed") };
}

/** With preimages that we have learned, and others that we have shown, in messages or on the chain. */
export function knowing(ledger: Ledger, learned: readonly Uint8Array[], revealed: readonly Uint8Array[]): Ledger {
  return {
    ...ledger,
    learned: new Set([...ledger.learned, ...learned.map(hashOf)]),
    revealed: new Set([...ledger.revealed, ...revealed.map(hashOf)]),
  };
}

/** What must be ours in the end, in msat, before fees, dust and anchors. */
export function entitlement({ startMsat, paidMsat, incoming, offered, received, learned, revealed }: Ledger): bigint {
  const sum = (amounts: readonly { readonly amountMsat: bigint }[]) => amounts.reduce((total, { amountMsat }) => total + amountMsat, 0n);
  const settled = sum(incoming.filter(({ stage }) => stage === "final"));
  const spent = sum(offered.filter(({ paymentHash }) => learned.has(paymentHash)));
  const earned = sum(received.filter(({ paymentHash }) => revealed.has(paymentHash)));
  return startMsat - paidMsat + settled - spent + earned;
}

export function ledgerKey(ledger: Ledger): string {
  const { startMsat, paidMsat, incoming, offered, received, learned, revealed, revocationsHeld, closingFeeSat, closingMostSat } = ledger;
  const list = (each: readonly Conditional[]) => each.map(({ id, amountMsat, paymentHash }) => `${id}:${amountMsat}:${paymentHash}`).join();
  return [
    startMsat - paidMsat,
    incoming.map(({ amountMsat, stage }) => `${amountMsat}:${stage}`).join(),
    list(offered),
    list(received),
    [...learned].sort().join(),
    [...revealed].sort().join(),
    revocationsHeld,
    closingFeeSat,
    closingMostSat,
  ].join("|");
}
