import { compareBytes } from "../bytes.js";
import type { Lock } from "../script/assemble.js";
import type { Satoshi } from "../units.js";
import type { AnchorOutput } from "./format.js";
import type { Htlc } from "./spec.js";

/** One output of a commitment, named from its owner's view. BOLT 3 §Commitment Transaction Outputs. */
export type CommitmentOutput = AnchorOutput | MainOutput | HtlcOutput;

export interface MainOutput {
  readonly kind: "to_local" | "to_remote";
  readonly amount: Satoshi;
  readonly lock: Lock;
}

export interface HtlcOutput {
  readonly kind: "offered_htlc" | "received_htlc";
  readonly amount: Satoshi;
  readonly lock: Lock;
  readonly htlc: Htlc;
}

export function isAnchorOutput(output: CommitmentOutput): output is AnchorOutput {
  return output.kind === "to_local_anchor" || output.kind === "to_remote_anchor" || output.kind === "shared_anchor";
}

export function isHtlcOutput(output: CommitmentOutput): output is HtlcOutput {
  return output.kind === "offered_htlc" || output.kind === "received_htlc";
}

/** BIP 69 (amount, then script), HTLCs alike in both by their expiry. BOLT 3 §Transaction Output Ordering. */
export function compareOutputs(a: CommitmentOutput, b: CommitmentOutput): number {
  if (a.amount !== b.amount) return a.amount < b.amount ? -1 : 1;
  const byScript = compareBytes(a.lock.scriptPubkey, b.lock.scriptPubkey);
  if (byScript !== 0) return byScript;
  return isHtlcOutput(a) && isHtlcOutput(b) ? a.htlc.cltvExpiry - b.htlc.cltvExpiry : 0;
}
