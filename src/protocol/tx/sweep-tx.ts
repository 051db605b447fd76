import { type Bytes32, type Point, type Signature, type Txid, equalBytes } from "../bytes.js";
import { LnError } from "../errors.js";
import type { CommitmentKeys } from "../keys/commitment-keys.js";
import { deriveSecret, publicKey } from "../keys/derivation.js";
import { type Lock, type Witness, witnessSignature } from "../script/assemble.js";
import { htlcClaimWitness } from "../script/htlc.js";
import { toLocalSweepWitness } from "../script/to-local.js";
import type { Secret32 } from "../secret.js";
import type { Satoshi } from "../units.js";
import { type CommitmentFormat, SIGHASH_ALL } from "./format.js";
import type { HtlcTx } from "./htlc-tx.js";
import { isHtlcOutput } from "./outputs.js";
import type { RecognisedOutput } from "./recognise.js";
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
 * Secret in: our delayed payment basepoint secret.
 * BOLT 5 §Unilateral Close Handling: Local Commitment Transaction. BOLT 3 §`to_local` Output. Throws: key-mismatch.
 */
export function toLocalClaims(
  commitment: ConfirmedCommitment,
  toSelfDelay: number,
  delayedPaymentBasepointSecret: Secret32<"delayed_payment_basepoint">,
): readonly Claim[] {
  const secret = delayedSecret(commitment.keys, delayedPaymentBasepointSecret);
  return commitment.outputs.flatMap((output, outputIndex) => {
    if (output?.kind !== "to_local") return [];
    return [delayedClaim({ txid: commitment.txid, outputIndex }, output, toSelfDelay, secret)];
  });
}

/**
 * The peer's commitment's to_remote: ours at once, in channels with anchors one block after its confirmation. At most one claim. It is the same
 * whether the peer has revoked the commitment or not.
 * Secret in: our payment basepoint secret, whose key a `legacy` channel derives anew for each commitment.
 * BOLT 5 §Unilateral Close Handling: Remote Commitment Transaction. BOLT 3 §`to_remote` Output. Throws: key-mismatch.
 */
export function toRemoteClaims(
  commitment: ConfirmedCommitment,
  format: Pick<CommitmentFormat, "oneBlockDelay" | "remotePubkeyRotates">,
  paymentBasepointSecret: Secret32<"payment_basepoint">,
): readonly Claim[] {
  const { perCommitmentPoint, remotePubkey } = commitment.keys;
  const secret: Secret32 = format.remotePubkeyRotates ? deriveSecret<"payment">(paymentBasepointSecret, perCommitmentPoint) : paymentBasepointSecret;
  demandKey(secret, remotePubkey, "remotepubkey", "payment_basepoint_secret");
  const sequence = format.oneBlockDelay === 0 ? SEQUENCE_RBF : format.oneBlockDelay;
  return commitment.outputs.flatMap((output, outputIndex) => {
    if (output?.kind !== "to_remote") return [];
    const { amount, lock } = output;
    return [{ txid: commitment.txid, outputIndex, amount, lock, sequence, secret, witness: (signature) => toRemoteWitness(lock, signature) }];
  });
}

/**
 * The output of our own HTLC-timeout or HTLC-success: ours once `toSelfDelay` blocks have confirmed that transaction. `at` is where it stands
 * if inputs for the fee were added, which changes the txid.
 * Secret in: our delayed payment basepoint secret.
 * BOLT 5 §HTLC Output Handling: Local Commitment, Local Offers, §HTLC Output Handling: Local Commitment, Remote Offers. Throws: key-mismatch.
 */
export function htlcTxClaim(
  htlcTx: HtlcTx,
  delayedPaymentBasepointSecret: Secret32<"delayed_payment_basepoint">,
  at: Outpoint = { txid: htlcTx.txid, outputIndex: 0 },
): Claim {
  const { keys, terms } = htlcTx.commitment;
  return delayedClaim(at, htlcTx, terms.toSelfDelay, delayedSecret(keys, delayedPaymentBasepointSecret));
}

/**
 * HTLC outputs of the peer's commitment that are ours: those it offered, with their preimage, and those we offered, from their expiry on.
 * Secret in: our HTLC basepoint secret.
 * BOLT 5 §HTLC Output Handling: Remote Commitment, Local Offers, §HTLC Output Handling: Remote Commitment, Remote Offers. Throws: key-mismatch.
 */
export function remoteHtlcClaims(
  commitment: ConfirmedCommitment,
  format: Pick<CommitmentFormat, "oneBlockDelay">,
  htlcBasepointSecret: Secret32<"htlc_basepoint">,
  preimageOf: (paymentHash: Bytes32) => Bytes32 | null,
): readonly Claim[] {
  const { keys, txid } = commitment;
  const secret = deriveSecret<"htlc">(htlcBasepointSecret, keys.perCommitmentPoint);
  demandKey(secret, keys.countersignerHtlcPubkey, "remote_htlcpubkey", "htlc_basepoint_secret");
  const sequence = format.oneBlockDelay === 0 ? SEQUENCE_RBF : format.oneBlockDelay;
  return commitment.outputs.flatMap((output, outputIndex): Claim[] => {
    if (output === null || !isHtlcOutput(output) || output.lock.kind !== "p2wsh") return [];
    const { amount, lock, htlc } = output;
    const script = output.lock.witnessScript;
    const preimage = output.kind === "offered_htlc" ? preimageOf(htlc.paymentHash) : null;
    if (output.kind === "offered_htlc" && preimage === null) return [];
    const witness: Claim["witness"] = (signature) => htlcClaimWitness(script, signature, SIGHASH_ALL, preimage);
    const claim = { txid, outputIndex, amount, lock, sequence, secret, witness };
    return [output.kind === "offered_htlc" ? claim : { ...claim, locktime: htlc.cltvExpiry }];
  });
}

/** Secret: the owner's key for one commitment's delayed outputs. */
function delayedSecret(keys: CommitmentKeys, basepointSecret: Secret32<"delayed_payment_basepoint">): Secret32<"delayed"> {
  const secret = deriveSecret<"delayed">(basepointSecret, keys.perCommitmentPoint);
  demandKey(secret, keys.ownerDelayedPubkey, "local_delayedpubkey", "delayed_payment_basepoint_secret");
  return secret;
}

function demandKey(secret: Secret32, expected: Point, keyName: string, what: string): void {
  if (equalBytes(publicKey(secret), expected)) return;
  throw new LnError("key-mismatch", `the secret derived from ${what} is not that of the commitment's ${keyName}`, { what });
}

/** What a to_local script locks, taken by its owner: nSequence is the delay (BIP 68). BOLT 3 §`to_local` Output. */
function delayedClaim(at: Outpoint, output: { readonly amount: Satoshi; readonly lock: Lock }, delay: number, secret: Secret32<"delayed">): Claim {
  const { amount, lock } = output;
  if (lock.kind !== "p2wsh") throw new LnError("internal-lock", "a delayed output that is not P2WSH", {});
  const { witnessScript } = lock;
  return { ...at, amount, lock, sequence: delay, secret, witness: (signature) => toLocalSweepWitness(witnessScript, signature, SIGHASH_ALL) };
}

/** Witness: P2WPKH <remote_sig> <remotepubkey>  ·  with anchors <remote_sig>   (nSequence = 1). BOLT 3 §`to_remote` Output. */
function toRemoteWitness(lock: Lock, signature: Signature): Witness {
  const remoteSig = witnessSignature(signature, SIGHASH_ALL);
  return lock.kind === "p2wpkh" ? [remoteSig, lock.pubkey] : [remoteSig, lock.witnessScript];
}
