import type { ChannelType } from "../../src/protocol/tx/channel-type.js";
import { type By, type Offered, type Sum } from "./reference.js";

/*
 * BOLT 3's weights once more: §Fee Calculation, §Trimmed Outputs. `mine` and `theirs` say whose commitment it is.
 */

const WEIGHTS: Readonly<Record<ChannelType, { base: bigint; timeout: bigint; success: bigint; anchors: bigint }>> = {
  legacy: { base: 724n, timeout: 663n, success: 703n, anchors: 0n },
  static_remotekey: { base: 724n, timeout: 663n, success: 703n, anchors: 0n },
  anchor_outputs: { base: 1124n, timeout: 666n, success: 706n, anchors: 660n },
  anchors: { base: 1124n, timeout: 0n, success: 0n, anchors: 660n },
  // At feerate 0, whatever it weighs
  zero_fee_commitments: { base: 0n, timeout: 0n, success: 0n, anchors: 0n },
};
const HTLC_WEIGHT = 172n;

/** The smallest HTLC with an output, in satoshis. */
export function threshold(type: ChannelType, rate: bigint, dustLimitSat: bigint, direction: "offered" | "received"): bigint {
  const { timeout, success } = WEIGHTS[type];
  return dustLimitSat + (rate * (direction === "offered" ? timeout : success)) / 1000n;
}

export function isTrimmed(type: ChannelType, rate: bigint, dustLimitSat: bigint, owner: By, htlc: Pick<Offered, "by" | "amount">): boolean {
  return htlc.amount / 1000n < threshold(type, rate, dustLimitSat, htlc.by === owner ? "offered" : "received");
}

/** Fee and anchors of a commitment with so many HTLC outputs, in satoshis. */
export function costs(type: ChannelType, rate: bigint, untrimmed: number): bigint {
  const { base, anchors } = WEIGHTS[type];
  return (rate * (base + HTLC_WEIGHT * BigInt(untrimmed))) / 1000n + anchors;
}

/** What stands in trimmed HTLCs, in msat. */
export function exposure(type: ChannelType, { rate, htlcs }: Sum, dustLimitSat: bigint, owner: By): bigint {
  return htlcs.filter((htlc) => isTrimmed(type, rate, dustLimitSat, owner, htlc)).reduce((sum, { amount }) => sum + amount, 0n);
}
