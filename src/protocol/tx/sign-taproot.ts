import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Bytes32, type SchnorrSignature, bytes32, concat, equalBytes, schnorrSignature } from "../bytes.js";
import { LnError } from "../errors.js";
import { deriveSecret, publicKey } from "../keys/derivation.js";
import {
  type PartialSignature,
  type PublicNonce,
  type SecretNonce,
  type SigningSession,
  aggregateNonces,
  aggregateSignatures,
  openSession,
  signPartially,
  sortKeys,
  verifyPartialSignature,
} from "../keys/musig2.js";
import { signSchnorr, verifySchnorr } from "../keys/schnorr.js";
import type { Lock, TapLeaf, TapLock } from "../script/assemble.js";
import type { SpentOutput } from "../script/interpreter/input-context.js";
import { midstates } from "../script/interpreter/sighash/midstates.js";
import { taprootSighash } from "../script/interpreter/sighash/taproot.js";
import { leafOf, leafWitness, tapLeafHash, tweakOf, xOnly } from "../script/taproot.js";
import type { Secret32 } from "../secret.js";
import type { Commitment } from "./commitment-tx.js";
import type { HtlcTx } from "./htlc-tx.js";
import { withWitnesses } from "./sign.js";

/** BIP 341: a signature over everything, with no byte that says so. */
export const SIGHASH_DEFAULT = 0x00;

/** No OP_CODESEPARATOR was run before (BIP 342). */
const NO_CODE_SEPARATOR = 0xffffffff;

/** What a taproot signature covers: the whole output's key signs, or one of its leaves. BIP 341, BIP 342. Throws: internal-lock. */
export function taprootHash(tx: Transaction, index: number, spent: readonly SpentOutput[], type: number, leaf: TapLeaf | null): Bytes32 {
  const extension = leaf === null ? null : { hash: tapLeafHash(leaf), codeSeparator: NO_CODE_SEPARATOR };
  const hash = taprootSighash({ tx, index, spent, midstates: midstates(tx, spent) }, type, null, extension);
  if (hash === null) throw new LnError("internal-lock", `no signature of type ${type} is there for input ${index}`, { input: index });
  return bytes32(hash);
}

/** Whose it is of the two who sign a commitment. */
export type Signatory = "owner" | "countersigner";

/** The signing of one commitment: both nonces are known, either side's share can be made. option_simple_taproot. */
export interface CommitmentSigning {
  readonly commitment: Commitment;
  readonly sighash: Bytes32;
  readonly session: SigningSession;
  /** In the order of the session's keys. */
  readonly nonces: readonly PublicNonce[];
}

/** What both sides' signature of a taproot commitment covers: the funding key's path, everything. BIP 341. Throws: internal-lock. */
export function taprootCommitmentSighash({ unsigned, fundingLock, terms }: Commitment): Bytes32 {
  return taprootHash(unsigned, 0, [spentOutput(fundingLock, terms.funding.amount)], SIGHASH_DEFAULT, null);
}

function spentOutput({ scriptPubkey }: Lock, amount: bigint): SpentOutput {
  return { script: scriptPubkey, amount };
}

/** Throws: internal-lock, key-nonce-invalid, key-degenerate. */
export function commitmentSigning(commitment: Commitment, nonces: Readonly<Record<Signatory, PublicNonce>>): CommitmentSigning {
  const { ownerFundingPubkey, countersignerFundingPubkey } = commitment.keys;
  const pubkeys = sortKeys([ownerFundingPubkey, countersignerFundingPubkey]);
  const inOrder = pubkeys.map((pubkey) => (equalBytes(pubkey, ownerFundingPubkey) ? nonces.owner : nonces.countersigner));
  const sighash = taprootCommitmentSighash(commitment);
  const tweaks = [{ tweak: tweakOf(tapLock(commitment.fundingLock)), xOnly: true }];
  return {
    commitment,
    sighash,
    session: openSession({ aggregateNonce: aggregateNonces(inOrder), pubkeys, message: sighash, tweaks }),
    nonces: inOrder,
  };
}

/** Throws: internal-lock. */
function tapLock(lock: Lock): TapLock {
  if (lock.kind === "p2tr") return lock;
  throw new LnError("internal-lock", "an output that is not P2TR", {});
}

/** Secrets in. One side's share; the nonce is gone afterwards. Throws: key-mismatch, key-not-a-signer, key-nonce-used. */
export function signCommitmentShare({ session }: CommitmentSigning, nonce: SecretNonce, fundingSecret: Secret32<"funding">): PartialSignature {
  return signPartially(session, nonce, fundingSecret);
}

/** Whether one side's share, as it comes with commitment_signed, is good. */
export function verifyCommitmentShare({ session, nonces, commitment }: CommitmentSigning, by: Signatory, candidate: Uint8Array): boolean {
  const { ownerFundingPubkey, countersignerFundingPubkey } = commitment.keys;
  const key = by === "owner" ? ownerFundingPubkey : countersignerFundingPubkey;
  const signer = session.pubkeys.findIndex((pubkey) => equalBytes(pubkey, key));
  return verifyPartialSignature(session, candidate, nonces, signer);
}

/** Both shares as one signature. BIP 327. Throws: key-partial-signature-range. */
export function aggregateShares({ session, commitment }: CommitmentSigning, shares: Readonly<Record<Signatory, Uint8Array>>): SchnorrSignature {
  const { ownerFundingPubkey } = commitment.keys;
  const inOrder = session.pubkeys.map((pubkey) => (equalBytes(pubkey, ownerFundingPubkey) ? shares.owner : shares.countersigner));
  return schnorrSignature(aggregateSignatures(session, inOrder));
}

/** The commitment as its owner can broadcast it. Witness: <signature> */
export function completeTaprootCommitment({ unsigned }: Commitment, signature: SchnorrSignature): Transaction {
  return withWitnesses(unsigned, [[signature]]);
}

/** The leaf by which the owner's HTLC transaction opens the HTLC. Throws: internal-lock. */
function htlcLeaf({ kind, output }: HtlcTx): TapLeaf {
  return leafOf(tapLock(output.lock), kind === "htlc_timeout" ? "timeout" : "success");
}

/** What a signature of a taproot HTLC transaction covers: the countersigner's by the format's type, the owner's everything. Throws: internal-lock. */
export function taprootHtlcSighash(htlcTx: HtlcTx, signer: Signatory): Bytes32 {
  const { unsigned, output, commitment } = htlcTx;
  const type = signer === "owner" ? SIGHASH_DEFAULT : commitment.terms.format.htlcSighash;
  return taprootHash(unsigned, 0, [spentOutput(output.lock, output.amount)], type, htlcLeaf(htlcTx));
}

/** Secret in: the signer's HTLC basepoint secret, from which its key for this commitment follows; `auxiliary` goes into the nonce (BIP 340). */
export function signTaprootHtlcTx(
  htlcTx: HtlcTx,
  signer: Signatory,
  htlcBasepointSecret: Secret32<"htlc_basepoint">,
  auxiliary: Uint8Array,
): SchnorrSignature {
  const secret = deriveSecret<"htlc">(htlcBasepointSecret, htlcTx.commitment.keys.perCommitmentPoint);
  const { ownerHtlcPubkey, countersignerHtlcPubkey } = htlcTx.commitment.keys;
  if (!equalBytes(publicKey(secret), signer === "owner" ? ownerHtlcPubkey : countersignerHtlcPubkey)) {
    throw new LnError("key-mismatch", `the HTLC key is not the ${signer}'s`, { what: "htlc_basepoint_secret" });
  }
  return signSchnorr(taprootHtlcSighash(htlcTx, signer), secret, auxiliary);
}

/** Whether the countersigner's signature of the owner's HTLC transaction, as it comes with commitment_signed, is good. */
export function verifyTaprootHtlcSignature(htlcTx: HtlcTx, candidate: SchnorrSignature): boolean {
  return verifySchnorr(taprootHtlcSighash(htlcTx, "countersigner"), xOnly(htlcTx.commitment.keys.countersignerHtlcPubkey), candidate);
}

/**
 * The HTLC transaction as its owner can broadcast it; HTLC-success needs the preimage.
 * Witness: <remotehtlcsig with its type> <localhtlcsig> [<payment_preimage>] <leaf> <control block>. Throws: internal-lock.
 */
export function completeTaprootHtlcTx(
  htlcTx: HtlcTx,
  ownerSignature: SchnorrSignature,
  countersignerSignature: SchnorrSignature,
  preimage: Bytes32 | null,
): Transaction {
  const { unsigned, output, commitment } = htlcTx;
  const signatures = [withSighashType(countersignerSignature, commitment.terms.format.htlcSighash), ownerSignature];
  return withWitnesses(unsigned, [leafWitness(tapLock(output.lock), htlcLeaf(htlcTx), preimage === null ? signatures : [...signatures, preimage])]);
}

/** A signature as a witness holds it: the type behind it, but for the default. BIP 341. */
export function withSighashType(signature: SchnorrSignature, type: number): Uint8Array {
  return type === SIGHASH_DEFAULT ? signature : concat(signature, Uint8Array.of(type));
}
