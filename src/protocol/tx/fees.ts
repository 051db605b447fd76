import type { Side } from "../side.js";
import { type FeeratePerKw, type Satoshi, feeFor, floorToSat, sat, weight } from "../units.js";
import type { CommitmentFormat } from "./format.js";
import type { CommitmentSpec, Htlc } from "./spec.js";

/** An HTLC as one commitment's owner sees it. BOLT 3 §Commitment Transaction Outputs. */
export type HtlcDirection = "offered" | "received";

export function directionFor(owner: Side, htlc: Htlc): HtlcDirection {
  return htlc.offeredBy === owner ? "offered" : "received";
}

/** What the owner's HTLC transaction pays: HTLC-timeout for an offered one, HTLC-success for a received one. BOLT 3 §Fee Calculation. */
export function htlcTxFee(format: CommitmentFormat, feerate: FeeratePerKw, direction: HtlcDirection): Satoshi {
  return feeFor(feerate, direction === "offered" ? format.htlcTimeoutFeeWeight : format.htlcSuccessFeeWeight);
}

/** The smallest HTLC that gets an output: what is left after its transaction's fee must not be dust. BOLT 3 §Trimmed Outputs. */
export function trimThreshold(format: CommitmentFormat, feerate: FeeratePerKw, dustLimit: Satoshi, direction: HtlcDirection): Satoshi {
  return sat(dustLimit + htlcTxFee(format, feerate, direction));
}

export function isTrimmed(format: CommitmentFormat, spec: CommitmentSpec, dustLimit: Satoshi, owner: Side, htlc: Htlc): boolean {
  return floorToSat(htlc.amountMsat) < trimThreshold(format, spec.feeratePerKw, dustLimit, directionFor(owner, htlc));
}

/** The fee that the opener pays for a commitment, without what trimming adds to it; none where there is no feerate. BOLT 3 §Fee Calculation. */
export function baseFee(format: CommitmentFormat, feerate: FeeratePerKw, untrimmedHtlcs: number): Satoshi {
  if (!format.hasFeerate) return sat(0n);
  return feeFor(feerate, weight(format.commitmentWeight + format.htlcOutputWeight * BigInt(untrimmedHtlcs)));
}
