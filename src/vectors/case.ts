import { sha256 } from "@noble/hashes/sha2.js";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Bytes32, type Point, type Signature, type WitnessScript, equalBytes, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { deriveSecret, publicKey } from "../protocol/keys/derivation.js";
import { type PartyKeys, basepointsOf, ownSecret } from "../protocol/keys/party-keys.js";
import type { CommitmentNumber } from "../protocol/keys/shachain.js";
import { type Lock, witnessSignature } from "../protocol/script/assemble.js";
import type { Secret32 } from "../protocol/secret.js";
import { type Dual, dual } from "../protocol/side.js";
import { type Commitment, type CommitmentTerms, buildCommitment } from "../protocol/tx/commitment-tx.js";
import { FORMATS, SIGHASH_ALL } from "../protocol/tx/format.js";
import { type HtlcTx, buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { commitmentSighash, completeCommitment, htlcSighash, signHash } from "../protocol/tx/sign.js";
import type { CommitmentSpec, Htlc } from "../protocol/tx/spec.js";
import type { CaseInputs, PartySecrets } from "./case-document.js";

/** A case in the core's own terms. An HTLC's id is its place in the case's list. */
export interface CaseTerms {
  /** Secret: both sides'. */
  readonly keys: Dual<PartyKeys>;
  readonly terms: CommitmentTerms;
  readonly number: CommitmentNumber;
  readonly spec: CommitmentSpec;
  /** Secret. */
  readonly perCommitmentSecret: Secret32<"per_commitment">;
  readonly perCommitmentPoint: Point<"per_commitment">;
}

/** Secrets in: the case's. Throws: json-missing, json-value, input-preimage-mismatch, key-secret-range. */
export function caseTerms(inputs: CaseInputs): CaseTerms {
  const number = inputs.commitmentNumber;
  const { channelType, feeratePerKw } = inputs;
  if (!FORMATS[channelType].hasFeerate && feeratePerKw !== 0n) {
    const path = "case.feerate_per_kw";
    throw new LnError("json-value", `${path}: is ${feeratePerKw}, but ${channelType} commitments pay no fee: 0`, {
      path,
      value: Number(feeratePerKw),
    });
  }
  if (inputs.local.perCommitmentSecret === undefined && inputs.local.perCommitmentSeed === undefined) {
    const path = "case.local.per_commitment_seed";
    throw new LnError("json-missing", `${path}: missing, and so is per_commitment_secret`, { path });
  }
  const keys = dual((side) => partyKeys(inputs[side], number));
  const perCommitmentSecret = ownSecret(keys.local, number);
  return {
    keys,
    terms: {
      format: FORMATS[inputs.channelType],
      owner: "local",
      opener: inputs.opener,
      basepoints: dual((side) => basepointsOf(keys[side])),
      funding: { txid: inputs.fundingTxid, outputIndex: inputs.fundingOutputIndex, amount: inputs.fundingSatoshi },
      dustLimit: inputs.dustLimitSatoshis,
      toSelfDelay: inputs.toSelfDelay,
    },
    number,
    spec: {
      feeratePerKw: inputs.feeratePerKw,
      balances: { local: inputs.toLocalMsat, remote: inputs.toRemoteMsat },
      htlcs: inputs.htlcs.map(specHtlc),
    },
    perCommitmentSecret,
    perCommitmentPoint: publicKey(perCommitmentSecret),
  };
}

function specHtlc(htlc: CaseInputs["htlcs"][number], index: number): Htlc {
  const { direction, amountMsat, cltvExpiry, paymentHash, paymentPreimage } = htlc;
  if (paymentPreimage !== undefined && !equalBytes(sha256(paymentPreimage), paymentHash)) {
    const path = `case.htlcs[${index}].payment_preimage`;
    throw new LnError("input-preimage-mismatch", `${path}: its hash is not ${toHex(paymentHash)}`, { path, payment_hash: toHex(paymentHash) });
  }
  return { id: BigInt(index), offeredBy: direction === "offered" ? "local" : "remote", amountMsat, paymentHash, cltvExpiry };
}

/** Secrets in, and out: one side's of a case, as a party holds them. */
export function partyKeys(secrets: PartySecrets, number: CommitmentNumber): PartyKeys {
  const { perCommitmentSeed = null, perCommitmentSecret, ...others } = secrets;
  return { ...others, perCommitmentSeed, perCommitmentSecrets: perCommitmentSecret === undefined ? [] : [{ number, secret: perCommitmentSecret }] };
}

/** A case's commitment and HTLC transactions with both sides' plain signatures. */
export interface SignedCase extends CaseTerms {
  readonly commitment: Commitment;
  readonly sighash: Bytes32;
  readonly ownerSignature: Signature;
  readonly countersignerSignature: Signature;
  readonly signed: Transaction;
  /** Secret: both sides' for this commitment. */
  readonly htlcSecrets: Dual<Secret32<"htlc">>;
  readonly htlcTxs: readonly SignedHtlcTx[];
}

export interface SignedHtlcTx {
  readonly htlcTx: HtlcTx;
  /** The HTLC's place in the case's list. */
  readonly htlcIndex: number;
  readonly ownerSighash: Bytes32;
  readonly countersignerSighash: Bytes32;
  readonly ownerSignature: Signature;
  readonly countersignerSignature: Signature;
}

/** Secrets in: the case's. Throws: what `caseTerms` and `buildCommitment` throw. */
export function signCase(inputs: CaseInputs): SignedCase {
  const inTerms = caseTerms(inputs);
  const commitment = buildCommitment(inTerms.terms, inTerms.number, inTerms.perCommitmentPoint, inTerms.spec);
  const sighash = commitmentSighash(commitment);
  const ownerSignature = signHash(sighash, inputs.local.fundingPrivkey);
  const countersignerSignature = signHash(sighash, inputs.remote.fundingPrivkey);
  // Both keys are derived once, however many HTLCs there are
  const htlcSecrets = dual((side) => deriveSecret<"htlc">(inputs[side].htlcBasepointSecret, inTerms.perCommitmentPoint));
  const htlcTxs = buildHtlcTxs(commitment).map((htlcTx): SignedHtlcTx => {
    const ownerSighash = htlcSighash(htlcTx, "owner");
    const countersignerSighash = htlcSighash(htlcTx, "countersigner");
    return {
      htlcTx,
      htlcIndex: Number(htlcTx.output.htlc.id),
      ownerSighash,
      countersignerSighash,
      ownerSignature: signHash(ownerSighash, htlcSecrets.local),
      countersignerSignature: signHash(countersignerSighash, htlcSecrets.remote),
    };
  });
  const signed = completeCommitment(commitment, ownerSignature, countersignerSignature);
  return { ...inTerms, commitment, sighash, ownerSignature, countersignerSignature, signed, htlcSecrets, htlcTxs };
}

/** DER without the sighash byte, as vectors print signatures. */
export function der(compact: Signature): string {
  return toHex(witnessSignature(compact, SIGHASH_ALL).subarray(0, -1));
}

/** An amount as our JSON writes it: a decimal string where a number would not be exact. */
export function integer(value: bigint): number | string {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
}

/** 48 bits as 12 hex digits. */
export function hex48(value: bigint): string {
  return value.toString(16).padStart(12, "0");
}

/** Secret: its hex, which vectors print because it is nobody's. */
export function shown(secret: Secret32): string {
  return toHex(secret.reveal());
}

/** What a P2WSH output hashes; null for P2WPKH. */
export function scriptOf(lock: Lock): WitnessScript | null {
  return lock.kind === "p2wsh" ? lock.witnessScript : null;
}

export function hexOrNull(script: WitnessScript | null): string | null {
  return script === null ? null : toHex(script);
}
