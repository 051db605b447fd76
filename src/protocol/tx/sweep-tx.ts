import type { Bytes32, Signature, Txid } from "../bytes.js";
import { LnError } from "../errors.js";
import type { Basepoints, CommitmentKeys } from "../keys/commitment-keys.js";
import { EMPTY, type Lock, type Witness, witnessSignature } from "../script/assemble.js";
import { anchorWitness } from "../script/anchor.js";
import { htlcClaimWitness } from "../script/htlc.js";
import { toLocalSweepWitness } from "../script/to-local.js";
import type { Satoshi } from "../units.js";
import { type CommitmentFormat, SIGHASH_ALL } from "./format.js";
import type { HtlcTx } from "./htlc-tx.js";
import { isHtlcOutput } from "./outputs.js";
import type { RecognisedOutput } from "./recognise.js";
import type { Signer } from "./signer.js";
import { type Claim, SEQUENCE_RBF } from "./spend.js";

/** A commitment that the chain holds: rebuilt whole, or its outputs named by their scripts. */
export interface ConfirmedCommitment {
  readonly txid: Txid;
  readonly outputs: readonly RecognisedOutput[];
  readonly keys: CommitmentKeys;
}

/** Where an output stands in the chain. */
export interface Outpoint {
  readonly txid: Txid;
  readonly outputIndex: number;
}

/**
 * Our own commitment's to_local: ours once `toSelfDelay` blocks have confirmed it, the delay that the peer imposed on us. At most one claim.
 * BOLT 5 §Unilateral Close Handling: Local Commitment Transaction. BOLT 3 §`to_local` Output.
 */
export function toLocalClaims(
  commitment: ConfirmedCommitment,
  toSelfDelay: number,
  own: Pick<Basepoints, "delayedPaymentBasepoint">,
): readonly Claim[] {
  const signer = delayedSigner(commitment.keys, own);
  return commitment.outputs.flatMap((output, outputIndex) => {
    if (output?.kind !== "to_local") return [];
    return [delayedClaim({ txid: commitment.txid, outputIndex }, output, toSelfDelay, signer)];
  });
}

/**
 * The peer's commitment's to_remote: ours at once, in channels with anchors one block after its confirmation. At most one claim. It is the same
 * whether the peer has revoked the commitment or not. A `legacy` channel derives its key anew for each commitment.
 * BOLT 5 §Unilateral Close Handling: Remote Commitment Transaction. BOLT 3 §`to_remote` Output.
 */
export function toRemoteClaims(
  commitment: ConfirmedCommitment,
  format: Pick<CommitmentFormat, "oneBlockDelay" | "remotePubkeyRotates">,
  own: Pick<Basepoints, "paymentBasepoint">,
): readonly Claim[] {
  const { perCommitmentPoint, remotePubkey: pubkey } = commitment.keys;
  const from = "paymentBasepointSecret";
  const signer: Signer = format.remotePubkeyRotates
    ? { kind: "derived", pubkey, from, basepoint: own.paymentBasepoint, perCommitmentPoint }
    : { kind: "plain", pubkey, from };
  return commitment.outputs.flatMap((output, outputIndex) => {
    if (output?.kind !== "to_remote") return [];
    const { amount, lock } = output;
    const witness: Claim["witness"] = (signature) => toRemoteWitness(lock, signature);
    return [{ txid: commitment.txid, outputIndex, amount, lock, sequence: countersignerSequence(format), signer, witness }];
  });
}

/**
 * The output of our own HTLC-timeout or HTLC-success: ours once `toSelfDelay` blocks have confirmed that transaction. `at` is where it stands
 * if inputs for the fee were added, which changes the txid.
 * BOLT 5 §HTLC Output Handling: Local Commitment, Local Offers, §HTLC Output Handling: Local Commitment, Remote Offers.
 */
export function htlcTxClaim(
  htlcTx: HtlcTx,
  own: Pick<Basepoints, "delayedPaymentBasepoint">,
  at: Outpoint = { txid: htlcTx.txid, outputIndex: 0 },
): Claim {
  const { keys, terms } = htlcTx.commitment;
  return delayedClaim(at, htlcTx, terms.toSelfDelay, delayedSigner(keys, own));
}

/**
 * HTLC outputs of the peer's commitment that are ours: those it offered, with their preimage, and those we offered, from their expiry on.
 * BOLT 5 §HTLC Output Handling: Remote Commitment, Local Offers, §HTLC Output Handling: Remote Commitment, Remote Offers.
 */
export function remoteHtlcClaims(
  commitment: ConfirmedCommitment,
  format: Pick<CommitmentFormat, "oneBlockDelay">,
  own: Pick<Basepoints, "htlcBasepoint">,
  preimageOf: (paymentHash: Bytes32) => Bytes32 | null,
): readonly Claim[] {
  const { keys, txid } = commitment;
  const signer: Signer = {
    kind: "derived",
    pubkey: keys.countersignerHtlcPubkey,
    from: "htlcBasepointSecret",
    basepoint: own.htlcBasepoint,
    perCommitmentPoint: keys.perCommitmentPoint,
  };
  return commitment.outputs.flatMap((output, outputIndex): Claim[] => {
    if (output === null || !isHtlcOutput(output) || output.lock.kind !== "p2wsh") return [];
    const { amount, lock, htlc } = output;
    const script = output.lock.witnessScript;
    const preimage = output.kind === "offered_htlc" ? preimageOf(htlc.paymentHash) : null;
    if (output.kind === "offered_htlc" && preimage === null) return [];
    const witness: Claim["witness"] = (signature) => htlcClaimWitness(script, signature, SIGHASH_ALL, preimage);
    const claim = { txid, outputIndex, amount, lock, sequence: countersignerSequence(format), signer, witness };
    return [preimage === null ? { ...claim, locktime: htlc.cltvExpiry } : { ...claim, preimage }];
  });
}

/** nSequence after which an anchor is anyone's. BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors). */
export const ANCHOR_ANYONE_BLOCKS = 16;

/**
 * A commitment's anchors: ours (of `own`'s funding key) at any time, the other side's like anybody's 16 blocks after the commitment.
 * BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors).
 */
export function anchorClaims(
  commitment: Pick<ConfirmedCommitment, "txid" | "outputs">,
  own: Pick<Basepoints, "fundingPubkey">,
  ourKind: "to_local_anchor" | "to_remote_anchor",
): readonly Claim[] {
  const signer: Signer = { kind: "plain", pubkey: own.fundingPubkey, from: "fundingPrivkey" };
  return commitment.outputs.flatMap((output, outputIndex): Claim[] => {
    if (output?.kind !== "to_local_anchor" && output?.kind !== "to_remote_anchor") return [];
    const { amount, lock } = output;
    if (lock.kind !== "p2wsh") throw new LnError("internal-lock", "an anchor that is not P2WSH", {});
    const script = lock.witnessScript;
    const at = { txid: commitment.txid, outputIndex, amount, lock };
    if (output.kind !== ourKind) return [{ ...at, sequence: ANCHOR_ANYONE_BLOCKS, signer: null, witness: () => [EMPTY, script] }];
    return [{ ...at, sequence: SEQUENCE_RBF, signer, witness: (signature) => anchorWitness(script, signature, SIGHASH_ALL) }];
  });
}

/** The anchor that anyone may spend, where the commitment has it: a child that pays for the commitment needs no signature for it. BIP 433. */
export function sharedAnchorClaim(commitment: Pick<ConfirmedCommitment, "txid" | "outputs">): Claim | null {
  const outputIndex = commitment.outputs.findIndex((output) => output?.kind === "shared_anchor");
  const output = commitment.outputs[outputIndex];
  if (output === undefined || output === null) return null;
  const { amount, lock } = output;
  return { txid: commitment.txid, outputIndex, amount, lock, sequence: SEQUENCE_RBF, signer: null, witness: () => [] };
}

/** nSequence of what the countersigner takes. */
function countersignerSequence({ oneBlockDelay }: Pick<CommitmentFormat, "oneBlockDelay">): number {
  return oneBlockDelay === 0 ? SEQUENCE_RBF : oneBlockDelay;
}

/** The owner's key for one commitment's delayed outputs. */
function delayedSigner(keys: CommitmentKeys, own: Pick<Basepoints, "delayedPaymentBasepoint">): Signer {
  return {
    kind: "derived",
    pubkey: keys.ownerDelayedPubkey,
    from: "delayedPaymentBasepointSecret",
    basepoint: own.delayedPaymentBasepoint,
    perCommitmentPoint: keys.perCommitmentPoint,
  };
}

/** What a to_local script locks, taken by its owner: nSequence is the delay (BIP 68). BOLT 3 §`to_local` Output. */
function delayedClaim(at: Outpoint, output: { readonly amount: Satoshi; readonly lock: Lock }, delay: number, signer: Signer): Claim {
  const { amount, lock } = output;
  if (lock.kind !== "p2wsh") throw new LnError("internal-lock", "a delayed output that is not P2WSH", {});
  const { witnessScript } = lock;
  return { ...at, amount, lock, sequence: delay, signer, witness: (signature) => toLocalSweepWitness(witnessScript, signature, SIGHASH_ALL) };
}

/** Witness: P2WPKH <remote_sig> <remotepubkey>  ·  with anchors <remote_sig>   (nSequence = 1). BOLT 3 §`to_remote` Output. */
function toRemoteWitness(lock: Lock, signature: Signature): Witness {
  const remoteSig = witnessSignature(signature, SIGHASH_ALL);
  switch (lock.kind) {
    case "p2wpkh":
      return [remoteSig, lock.pubkey];
    case "p2wsh":
      return [remoteSig, lock.witnessScript];
    case "p2tr":
    case "p2a":
      throw new LnError("internal-lock", "a to_remote output of another channel type", {});
  }
}
