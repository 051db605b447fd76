import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Bytes32, type Point, type Signature, equalBytes, signature } from "../bytes.js";
import { ecc } from "../ecc.js";
import { LnError } from "../errors.js";
import { deriveSecret, publicKey } from "../keys/derivation.js";
import { type Lock, type Witness, p2wpkh, witnessSignature } from "../script/assemble.js";
import { fundingWitness } from "../script/funding.js";
import { htlcTxWitness } from "../script/htlc.js";
import type { Secret32 } from "../secret.js";
import { type Satoshi, type Weight, weight } from "../units.js";
import type { Commitment } from "./commitment-tx.js";
import { SIGHASH_ALL } from "./format.js";
import type { HtlcTx } from "./htlc-tx.js";
import { witnessHash } from "./sighash.js";

/** What a witness v0 signature covers (BIP 143). */
export function sighash(tx: Transaction, inputIndex: number, spent: { readonly lock: Lock; readonly amount: Satoshi }, type: number): Bytes32 {
  return witnessHash(tx, inputIndex, scriptCode(spent.lock), spent.amount, type);
}

/** BIP 143: the witness script, or for P2WPKH the script of a payment to the key's hash. */
function scriptCode(lock: Lock): Uint8Array {
  switch (lock.kind) {
    case "p2wsh":
      return lock.witnessScript;
    case "p2wpkh": {
      const keyHash = p2wpkh(lock.pubkey).scriptPubkey.subarray(2);
      return Uint8Array.of(0x76, 0xa9, 0x14, ...keyHash, 0x88, 0xac);
    }
    case "p2tr":
      throw new LnError("internal-lock", "a taproot output in witness v0", {});
    case "p2a":
      throw new LnError("internal-lock", "what anyone may spend is signed by nobody", {});
  }
}

/** Secret: a hash, and what signs it. */
export interface ToSign {
  readonly hash: Bytes32;
  readonly secret: Secret32;
}

/** Secrets in. How hashes become signatures. */
export interface HashSigner {
  one(hash: Bytes32, secret: Secret32): Signature;
  /** Each in its hash's place. */
  all(tasks: readonly ToSign[]): readonly Signature[];
}

/** Plain RFC 6979. */
export const PLAIN: HashSigner = { one: signHash, all: (tasks) => signAll(tasks) };

/**
 * Signatures whose R needs no leading zero byte in DER, found as Bitcoin Core finds them: plain RFC 6979 first, then with the numbers 1, 2 … as
 * extra entropy, each in 32 little-endian bytes. One byte shorter than half of the plain ones.
 */
export const LOW_R: HashSigner = { one: signHashLowR, all: (tasks) => signAllLowR(tasks, 0) };

/** Secret in. Plain RFC 6979. */
export function signHash(hash: Bytes32, secret: Secret32): Signature {
  return signature(ecc().sign(hash, secret.reveal()));
}

/** Secret in. See LOW_R. */
export function signHashLowR(hash: Bytes32, secret: Secret32): Signature {
  return groundToLowR(signHash(hash, secret), hash, secret);
}

/** Secret in. The same where the plain signature is there already. */
export function groundToLowR(plain: Signature, hash: Bytes32, secret: Secret32): Signature {
  let candidate: Uint8Array = plain;
  for (let counter = 1; !hasLowR(candidate); counter++) candidate = ecc().sign(hash, secret.reveal(), counterBytes(counter));
  return signature(candidate);
}

function signAll(tasks: readonly ToSign[], extra: { readonly extraEntropy?: Uint8Array } = {}): readonly Signature[] {
  return ecc()
    .signAll(tasks.map(({ hash, secret }) => ({ hash, secret: secret.reveal(), ...extra })))
    .map((made) => signature(made));
}

function signAllLowR(tasks: readonly ToSign[], counter: number): readonly Signature[] {
  if (tasks.length === 0) return [];
  const candidates = signAll(tasks, counter === 0 ? {} : { extraEntropy: counterBytes(counter) });
  const open = tasks.filter((_, at) => !hasLowR(candidates[at]));
  const later = signAllLowR(open, counter + 1).values();
  return candidates.map((candidate) => (hasLowR(candidate) ? candidate : (later.next().value ?? candidate)));
}

function counterBytes(counter: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, counter, true);
  return bytes;
}

function hasLowR(compact: Uint8Array | undefined): boolean {
  return (compact?.[0] ?? 0) < 0x80;
}

export function verifyHash(hash: Bytes32, pubkey: Point, candidate: Signature): boolean {
  return ecc().verify(hash, pubkey, candidate);
}

/** `tx` with its witnesses, one an input; `tx` itself stays as it was. */
export function withWitnesses(tx: Transaction, witnesses: readonly Witness[]): Transaction {
  const signed = tx.clone();
  for (const [input, witness] of witnesses.entries()) signed.setWitness(input, [...witness]);
  return signed;
}

export function txWeight(tx: Transaction): Weight {
  return weight(BigInt(tx.weight()));
}

/** What both sides' signatures of a commitment cover. BOLT 3 §Commitment Transaction. */
export function commitmentSighash(commitment: Commitment): Bytes32 {
  return sighash(commitment.unsigned, 0, { lock: commitment.fundingLock, amount: commitment.terms.funding.amount }, SIGHASH_ALL);
}

/** Secret in. Which side signs, the secret says. Throws: key-mismatch where it is neither side's funding key. */
export function signCommitment(commitment: Commitment, fundingSecret: Secret32<"funding">, signer: HashSigner = PLAIN): Signature {
  const pubkey = publicKey<"funding">(fundingSecret);
  const { ownerFundingPubkey, countersignerFundingPubkey } = commitment.keys;
  if (!equalBytes(pubkey, ownerFundingPubkey) && !equalBytes(pubkey, countersignerFundingPubkey)) {
    throw new LnError("key-mismatch", "the funding key is neither of the funding output's two", { what: "funding_privkey" });
  }
  return signer.one(commitmentSighash(commitment), fundingSecret);
}

/** Whether the countersigner's signature, as it comes with commitment_signed, is good. False for a high S, too. */
export function verifyCommitmentSignature(commitment: Commitment, candidate: Signature): boolean {
  return verifyHash(commitmentSighash(commitment), commitment.keys.countersignerFundingPubkey, candidate);
}

/** The commitment as its owner can broadcast it. BOLT 3 §Commitment Transaction. */
export function completeCommitment(commitment: Commitment, ownerSignature: Signature, countersignerSignature: Signature): Transaction {
  const { keys, fundingLock, unsigned } = commitment;
  if (fundingLock.kind !== "p2wsh") throw new LnError("internal-lock", "a funding output that is not P2WSH", {});
  const owner = { pubkey: keys.ownerFundingPubkey, signature: ownerSignature };
  const countersigner = { pubkey: keys.countersignerFundingPubkey, signature: countersignerSignature };
  return withWitnesses(unsigned, [fundingWitness(fundingLock.witnessScript, owner, countersigner, SIGHASH_ALL)]);
}

/** What a signature of an HTLC transaction covers: the countersigner's by the format's type, the owner's everything. BOLT 3 §HTLC-Timeout and HTLC-Success Transactions. */
export function htlcSighash(htlcTx: HtlcTx, signer: "owner" | "countersigner"): Bytes32 {
  const type = signer === "owner" ? SIGHASH_ALL : htlcTx.commitment.terms.format.htlcSighash;
  return sighash(htlcTx.unsigned, 0, htlcTx.output, type);
}

/** Secret in: the signer's HTLC basepoint secret, from which its key for this commitment follows. */
export function signHtlcTx(htlcTx: HtlcTx, signer: "owner" | "countersigner", htlcBasepointSecret: Secret32<"htlc_basepoint">): Signature {
  return signHash(htlcSighash(htlcTx, signer), deriveSecret<"htlc">(htlcBasepointSecret, htlcTx.commitment.keys.perCommitmentPoint));
}

/** Secret in. The countersigner's signatures of all HTLC transactions of one commitment, in their order; its key is derived once. */
export function signHtlcTxs(
  commitment: Commitment,
  htlcTxs: readonly HtlcTx[],
  htlcBasepointSecret: Secret32<"htlc_basepoint">,
  signer: HashSigner = PLAIN,
): readonly Signature[] {
  if (htlcTxs.length === 0) return [];
  const secret = deriveSecret<"htlc">(htlcBasepointSecret, commitment.keys.perCommitmentPoint);
  return signer.all(htlcTxs.map((htlcTx) => ({ hash: htlcSighash(htlcTx, "countersigner"), secret })));
}

/** Whether the countersigner's signature of the owner's HTLC transaction is good. */
export function verifyHtlcSignature(htlcTx: HtlcTx, candidate: Signature): boolean {
  return verifyHash(htlcSighash(htlcTx, "countersigner"), htlcTx.commitment.keys.countersignerHtlcPubkey, candidate);
}

/** The same of all HTLC transactions of one commitment, each with the signature in its place. */
export function verifyHtlcSignatures(htlcTxs: readonly HtlcTx[], candidates: readonly Signature[]): readonly boolean[] {
  const tasks = candidates.flatMap((candidate, at) =>
    htlcTxs.slice(at, at + 1).map((htlcTx) => ({
      hash: htlcSighash(htlcTx, "countersigner"),
      point: htlcTx.commitment.keys.countersignerHtlcPubkey,
      signature: candidate,
    })),
  );
  return ecc().verifyAll(tasks);
}

/** The HTLC transaction as its owner can broadcast it; HTLC-success needs the preimage. BOLT 3 §HTLC-Timeout and HTLC-Success Transactions. */
export function completeHtlcTx(htlcTx: HtlcTx, ownerSignature: Signature, countersignerSignature: Signature, preimage: Bytes32 | null): Transaction {
  const { lock } = htlcTx.output;
  if (lock.kind !== "p2wsh") throw new LnError("internal-lock", "an HTLC output that is not P2WSH", {});
  const witness = htlcTxWitness(
    lock.witnessScript,
    witnessSignature(countersignerSignature, htlcTx.commitment.terms.format.htlcSighash),
    witnessSignature(ownerSignature, SIGHASH_ALL),
    preimage,
  );
  return withWitnesses(htlcTx.unsigned, [witness]);
}
