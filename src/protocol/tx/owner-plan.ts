import type { Bytes32, Signature } from "../bytes.js";
import { LnError } from "../errors.js";
import type { Basepoints } from "../keys/commitment-keys.js";
import { witnessSignature } from "../script/assemble.js";
import { fundingWitness } from "../script/funding.js";
import { htlcTxWitness } from "../script/htlc.js";
import type { Weight } from "../units.js";
import type { Commitment } from "./commitment-tx.js";
import { SIGHASH_ALL } from "./format.js";
import type { HtlcTx } from "./htlc-tx.js";
import { LONGEST_SIGNATURE, type OwnInput, type TxPlan, withLargestWitnesses } from "./plan.js";
import { txWeight } from "./sign.js";

/** The owner's commitment with the countersigner's signature: the owner's is all that it lacks. BOLT 3 §Commitment Transaction. */
export function planCommitment(commitment: Commitment, countersignature: Signature): TxPlan {
  const { keys, fundingLock: lock, unsigned, terms } = commitment;
  if (lock.kind !== "p2wsh") throw new LnError("internal-lock", "a funding output that is not P2WSH", {});
  const cosigner = { pubkey: keys.countersignerFundingPubkey, signature: countersignature, sighashType: SIGHASH_ALL };
  const input: OwnInput = {
    amount: terms.funding.amount,
    lock,
    signer: { kind: "plain", pubkey: keys.ownerFundingPubkey, from: "fundingPrivkey" },
    cosigner,
    witness: (signature) => fundingWitness(lock.witnessScript, { pubkey: keys.ownerFundingPubkey, signature }, cosigner, SIGHASH_ALL),
  };
  return { unsigned, inputs: [input] };
}

/** A commitment's weight with both signatures as large as they can be. */
export function commitmentWeightAtMost(commitment: Commitment): Weight {
  return txWeight(withLargestWitnesses(planCommitment(commitment, LONGEST_SIGNATURE)));
}

/** What the owner's HTLC transaction spends, with the countersigner's signature. BOLT 3 §HTLC-Timeout and HTLC-Success Transactions. */
export function htlcInput(htlcTx: HtlcTx, own: Pick<Basepoints, "htlcBasepoint">, countersignature: Signature, preimage: Bytes32 | null): OwnInput {
  const { output, commitment } = htlcTx;
  const { amount, lock } = output;
  if (lock.kind !== "p2wsh") throw new LnError("internal-lock", "an HTLC output that is not P2WSH", {});
  const { keys, terms } = commitment;
  const cosigner = { pubkey: keys.countersignerHtlcPubkey, signature: countersignature, sighashType: terms.format.htlcSighash };
  const theirs = witnessSignature(cosigner.signature, cosigner.sighashType);
  return {
    amount,
    lock,
    signer: {
      kind: "derived",
      pubkey: keys.ownerHtlcPubkey,
      from: "htlcBasepointSecret",
      basepoint: own.htlcBasepoint,
      perCommitmentPoint: keys.perCommitmentPoint,
    },
    cosigner,
    ...(preimage === null ? {} : { preimage }),
    witness: (signature) => htlcTxWitness(lock.witnessScript, theirs, witnessSignature(signature, SIGHASH_ALL), preimage),
  };
}

/** The owner's HTLC transaction as it is, paying the fee that the format gives it; HTLC-success needs the preimage. */
export function planHtlcTx(htlcTx: HtlcTx, own: Pick<Basepoints, "htlcBasepoint">, countersignature: Signature, preimage: Bytes32 | null): TxPlan {
  return { unsigned: htlcTx.unsigned, inputs: [htlcInput(htlcTx, own, countersignature, preimage)] };
}
