import { sha256 } from "@noble/hashes/sha2.js";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { type ValueOf, type JsonForm, codec, anyObject, list, oneOf, text } from "../json/codec.js";
import { type Point, type Signature, type WitnessScript, displayTxid, equalBytes, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { deriveRevocationSecret, deriveSecret, publicKey } from "../protocol/keys/derivation.js";
import { type PartyKeys, basepointsOf, ownSecret } from "../protocol/keys/party-keys.js";
import type { CommitmentNumber } from "../protocol/keys/shachain.js";
import { type Lock, witnessSignature } from "../protocol/script/assemble.js";
import type { Secret32 } from "../protocol/secret.js";
import { type Dual, dual, opposite } from "../protocol/side.js";
import { obscuringFactor } from "../protocol/tx/commitment-number.js";
import { type Commitment, type CommitmentTerms, buildCommitment } from "../protocol/tx/commitment-tx.js";
import { trimThreshold } from "../protocol/tx/fees.js";
import { FORMATS, SIGHASH_ALL } from "../protocol/tx/format.js";
import { type ChannelType } from "../protocol/tx/channel-type.js";
import { type HtlcTx, buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { type CommitmentOutput, isHtlcOutput } from "../protocol/tx/outputs.js";
import { commitmentSighash, completeCommitment, htlcSighash, signCommitment, signHashLowR, signHtlcTx } from "../protocol/tx/sign.js";
import type { CommitmentSpec, Htlc } from "../protocol/tx/spec.js";
import { floorToSat } from "../protocol/units.js";

/** Names that this layout gives to channel types; which of them are supported, the table of formats says. */
const TYPE_NAMES = ["legacy", "static_remotekey", "anchor_outputs", "anchors", "zero_fee_commitments", "simple_taproot"] as const;

const typeName: JsonForm<(typeof TYPE_NAMES)[number]> = {
  is: (value): value is (typeof TYPE_NAMES)[number] => (TYPE_NAMES as readonly unknown[]).includes(value),
  expected: TYPE_NAMES.map((name) => JSON.stringify(name)).join(" or "),
  jsonSchema: { type: "string", enum: TYPE_NAMES },
};

const channelType = codec<(typeof TYPE_NAMES)[number], ChannelType>(typeName, { decode: supportedType, encode: (type: ChannelType) => type });

function supportedType(name: (typeof TYPE_NAMES)[number]): ChannelType {
  if (name in FORMATS) return name as ChannelType;
  throw new LnError("input-channel-type", `the channel type ${name} is not supported`, { channel_type: name });
}

const partySecrets = fields({
  funding_privkey: json.secret("funding"),
  revocation_basepoint_secret: json.secret("revocation_basepoint"),
  payment_basepoint_secret: json.secret("payment_basepoint"),
  delayed_payment_basepoint_secret: json.secret("delayed_payment_basepoint"),
  htlc_basepoint_secret: json.secret("htlc_basepoint"),
  per_commitment_seed: optional(json.secret("per_commitment_seed")),
  per_commitment_secret: optional(json.secret("per_commitment")),
});

const caseHtlc = fields({
  direction: oneOf(["offered", "received"]),
  amount_msat: json.millisatoshi,
  cltv_expiry: json.u32,
  payment_hash: json.bytes32,
  payment_preimage: optional(json.bytes32),
});

/** All that determines one commitment. `local` is its owner, whoever's file this is. */
export const caseInputs = fields({
  channel_type: channelType,
  funding_txid: json.txid,
  funding_output_index: json.u16,
  funding_satoshi: json.satoshi,
  commitment_number: json.commitmentNumber,
  opener: json.side,
  to_self_delay: json.u16,
  dust_limit_satoshis: json.satoshi,
  feerate_per_kw: json.feeratePerKw,
  to_local_msat: json.millisatoshi,
  to_remote_msat: json.millisatoshi,
  htlcs: list(caseHtlc),
  local: partySecrets,
  remote: partySecrets,
});

/** A case as `vectors generate` writes it. Any part of `expected` may be there. */
export const caseDocument = fields({
  id: text,
  tags: optional(list(text)),
  case: caseInputs,
  expected: anyObject,
  agreed_by: optional(list(text)),
});

export type CaseInputs = ValueOf<typeof caseInputs>;
export type CaseDocument = ValueOf<typeof caseDocument>;
export type PartySecrets = CaseInputs["local"];

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

/** Secrets in: the case's. Throws: json-missing, input-preimage-mismatch, key-secret-range. */
export function caseTerms(inputs: CaseInputs): CaseTerms {
  const number = inputs.commitmentNumber;
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
  readonly ownerSignature: Signature;
  readonly countersignerSignature: Signature;
  readonly signed: Transaction;
  readonly htlcTxs: readonly SignedHtlcTx[];
}

export interface SignedHtlcTx {
  readonly htlcTx: HtlcTx;
  /** The HTLC's place in the case's list. */
  readonly htlcIndex: number;
  readonly ownerSignature: Signature;
  readonly countersignerSignature: Signature;
}

/** Secrets in: the case's. Throws: what `caseTerms` and `buildCommitment` throw. */
export function signCase(inputs: CaseInputs): SignedCase {
  const inTerms = caseTerms(inputs);
  const commitment = buildCommitment(inTerms.terms, inTerms.number, inTerms.perCommitmentPoint, inTerms.spec);
  const ownerSignature = signCommitment(commitment, inputs.local.fundingPrivkey);
  const countersignerSignature = signCommitment(commitment, inputs.remote.fundingPrivkey);
  const htlcTxs = buildHtlcTxs(commitment).map((htlcTx) => ({
    htlcTx,
    htlcIndex: Number(htlcTx.output.htlc.id),
    ownerSignature: signHtlcTx(htlcTx, "owner", inputs.local.htlcBasepointSecret),
    countersignerSignature: signHtlcTx(htlcTx, "countersigner", inputs.remote.htlcBasepointSecret),
  }));
  const signed = completeCommitment(commitment, ownerSignature, countersignerSignature);
  return { ...inTerms, commitment, ownerSignature, countersignerSignature, signed, htlcTxs };
}

/** Secrets in, and out: this layout publishes them. Every value that `expected` can hold, under its name there. */
export function deriveCase(inputs: CaseInputs) {
  const derived = signCase(inputs);
  const { commitment, terms, spec, perCommitmentPoint } = derived;
  const { format, opener, basepoints: points } = terms;
  const sighash = commitmentSighash(commitment);
  const toRemoteScript = scriptOf(format.toRemote(commitment.keys));
  const { local, remote } = inputs;
  return {
    channel_type: format.channelType,
    commitment_txid: displayTxid(commitment.txid),
    commitment_tx_unsigned_hex: commitment.unsigned.toHex(),
    commitment_tx_signed_hex: derived.signed.toHex(),
    sighash: toHex(sighash),
    remote_signature_der: der(derived.countersignerSignature),
    local_signature_der: der(derived.ownerSignature),
    remote_signature_der_lowr: der(signHashLowR(sighash, remote.fundingPrivkey)),
    local_signature_der_lowr: der(signHashLowR(sighash, local.fundingPrivkey)),
    outputs: commitment.outputs.map((output, index) => ({
      index,
      value: integer(output.amount),
      scriptpubkey: toHex(output.lock.scriptPubkey),
      kind: outputKind(output),
    })),
    base_fee_sat: integer(commitment.baseFee),
    actual_fee_sat: integer(commitment.actualFee),
    trimmed_htlc_indexes: commitment.trimmedHtlcs.map((htlc) => Number(htlc.id)),
    offered_trim_threshold_sat: integer(trimThreshold(format, spec.feeratePerKw, terms.dustLimit, "offered")),
    received_trim_threshold_sat: integer(trimThreshold(format, spec.feeratePerKw, terms.dustLimit, "received")),
    obscure_factor: hex48(obscuringFactor(points[opener].paymentBasepoint, points[opposite(opener)].paymentBasepoint)),
    funding_witness_script: hexOrNull(scriptOf(commitment.fundingLock)),
    to_local_witness_script: hexOrNull(scriptOf(format.toLocal(commitment.keys, terms.toSelfDelay))),
    ...(toRemoteScript === null ? {} : { to_remote_witness_script: toHex(toRemoteScript) }),
    per_commitment_point: toHex(perCommitmentPoint),
    per_commitment_secret: shown(derived.perCommitmentSecret),
    keys: {
      local_funding_pubkey: toHex(commitment.keys.ownerFundingPubkey),
      remote_funding_pubkey: toHex(commitment.keys.countersignerFundingPubkey),
      revocation_pubkey: toHex(commitment.keys.revocationPubkey),
      local_delayed_pubkey: toHex(commitment.keys.ownerDelayedPubkey),
      local_htlc_pubkey: toHex(commitment.keys.ownerHtlcPubkey),
      remote_htlc_pubkey: toHex(commitment.keys.countersignerHtlcPubkey),
      remote_payment_pubkey: toHex(commitment.keys.remotePubkey),
      local_htlc_privkey: shown(deriveSecret<"htlc">(local.htlcBasepointSecret, perCommitmentPoint)),
      remote_htlc_privkey: shown(deriveSecret<"htlc">(remote.htlcBasepointSecret, perCommitmentPoint)),
      local_delayed_privkey: shown(deriveSecret<"delayed">(local.delayedPaymentBasepointSecret, perCommitmentPoint)),
      revocation_privkey: shown(deriveRevocationSecret(remote.revocationBasepointSecret, derived.perCommitmentSecret)),
    },
    htlc_txs: derived.htlcTxs.map((signed) => deriveHtlcTx(signed, inputs, perCommitmentPoint)),
  };
}

function deriveHtlcTx(signed: SignedHtlcTx, inputs: CaseInputs, perCommitmentPoint: Point<"per_commitment">) {
  const { htlcTx, htlcIndex } = signed;
  const { htlc, lock } = htlcTx.output;
  const sighash = htlcSighash(htlcTx, "countersigner");
  return {
    output_index: htlcTx.outputIndex,
    htlc_index: htlcIndex,
    direction: htlcTx.kind === "htlc_timeout" ? "offered" : "received",
    kind: htlcTx.kind.replace("_", "-"),
    amount_msat: integer(htlc.amountMsat),
    cltv_expiry: htlc.cltvExpiry,
    payment_hash: toHex(htlc.paymentHash),
    witness_script: hexOrNull(scriptOf(lock)),
    txid: displayTxid(htlcTx.txid),
    unsigned_hex: htlcTx.unsigned.toHex(),
    sighash: toHex(sighash),
    sighash_type: htlcTx.commitment.terms.format.htlcSighash,
    remote_htlc_signature: der(signed.countersignerSignature),
    remote_htlc_signature_lowr: der(signHashLowR(sighash, deriveSecret<"htlc">(inputs.remote.htlcBasepointSecret, perCommitmentPoint))),
    local_sighash_all: toHex(htlcSighash(htlcTx, "owner")),
    local_htlc_signature: der(signed.ownerSignature),
  };
}

export type DerivedCase = ReturnType<typeof deriveCase>;

/**
 * What was derived, with identical HTLCs under the indices that `expected` gives them where it only exchanges them: which of two twins an
 * output stands for is nobody's to say.
 */
export function matchTwins(derived: DerivedCase, inputs: CaseInputs, expected: unknown): DerivedCase {
  const wantedByOutput = new Map(listed(expected).map((tx) => [tx["output_index"], tx["htlc_index"]]));
  const free = new Set(derived.htlc_txs.map((tx) => tx.htlc_index));
  const twins = (a: number, b: number): boolean => looks(inputs, a) === looks(inputs, b);

  const wanted = derived.htlc_txs.map((tx) => {
    const index = wantedByOutput.get(tx.output_index);
    return typeof index === "number" && free.has(index) && twins(index, tx.htlc_index) && free.delete(index) ? index : null;
  });
  const htlcTxs = derived.htlc_txs.map((tx, at) => {
    const index = wanted[at] ?? [...free].find((other) => twins(other, tx.htlc_index)) ?? tx.htlc_index;
    free.delete(index);
    return { ...tx, htlc_index: index, amount_msat: integer(inputs.htlcs[index]?.amountMsat ?? 0n) };
  });
  return { ...derived, htlc_txs: htlcTxs };
}

/** What of an HTLC shows in the transactions: its amount in whole satoshis only. */
function looks(inputs: CaseInputs, index: number): string {
  const htlc = inputs.htlcs[index];
  if (htlc === undefined) return "";
  return `${htlc.direction} ${floorToSat(htlc.amountMsat)} ${htlc.cltvExpiry} ${toHex(htlc.paymentHash)}`;
}

function listed(expected: unknown): readonly Record<string, unknown>[] {
  if (!Array.isArray(expected)) return [];
  return expected.filter((element): element is Record<string, unknown> => typeof element === "object" && element !== null);
}

function outputKind(output: CommitmentOutput): string {
  if (isHtlcOutput(output)) return "htlc";
  switch (output.kind) {
    case "to_local_anchor":
      return "local_anchor";
    case "to_remote_anchor":
      return "remote_anchor";
    case "to_local":
    case "to_remote":
      return output.kind;
  }
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

function hexOrNull(script: WitnessScript | null): string | null {
  return script === null ? null : toHex(script);
}
