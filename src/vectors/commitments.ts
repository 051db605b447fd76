import { sha256 } from "@noble/hashes/sha2.js";
import { type ValueOf, anyObject, anything, list, literal, text } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { type Bytes32, bytes32, displayTxid, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { deriveCommitmentKeys } from "../protocol/keys/commitment-keys.js";
import { deriveKey, deriveSecret, publicKey } from "../protocol/keys/derivation.js";
import { basepointsOf } from "../protocol/keys/party-keys.js";
import { fundingScript } from "../protocol/script/funding.js";
import { Secret32, type SecretRole } from "../protocol/secret.js";
import { type Dual, dual, opposite } from "../protocol/side.js";
import { obscuringFactor } from "../protocol/tx/commitment-number.js";
import { FORMATS, SIGHASH_ALL } from "../protocol/tx/format.js";
import { CHANNEL_TYPES, type ChannelType } from "../protocol/tx/channel-type.js";
import { type CommitmentOutput, isHtlcOutput } from "../protocol/tx/outputs.js";
import { completeHtlcTx } from "../protocol/tx/sign.js";
import { type SignedHtlcTx, der, hex48, integer, partyKeys, scriptOf, shown, signCase } from "./case.js";
import type { CaseInputs, PartySecrets } from "./case-document.js";
import type { ListRules } from "./compare.js";
import { type VectorSet, expectedOf } from "./vector.js";

const derivedValue = optional(anything);

const secrets = fields({
  local_funding_privkey: json.secret("funding"),
  remote_funding_privkey: json.secret("funding"),
  local_payment_basepoint_secret: json.secret("payment_basepoint"),
  remote_payment_basepoint_secret: json.secret("payment_basepoint"),
  remote_revocation_basepoint_secret: json.secret("revocation_basepoint"),
  local_delayed_payment_basepoint_secret: json.secret("delayed_payment_basepoint"),
  local_per_commitment_secret: json.secret("per_commitment"),
  local_privkey: derivedValue,
  remote_privkey: derivedValue,
  local_delayed_privkey: derivedValue,
});
const SECRET_INPUTS = [
  "local_funding_privkey",
  "remote_funding_privkey",
  "local_payment_basepoint_secret",
  "remote_payment_basepoint_secret",
  "remote_revocation_basepoint_secret",
  "local_delayed_payment_basepoint_secret",
  "local_per_commitment_secret",
];

const htlc = fields({
  id: json.u32,
  direction: derivedValue,
  offered_by: json.side,
  amount_msat: json.millisatoshi,
  cltv_expiry: json.u32,
  payment_preimage: json.bytes32,
  payment_hash: derivedValue,
});
const HTLC_INPUTS = ["id", "offered_by", "amount_msat", "cltv_expiry", "payment_preimage"];

const common = fields({
  funding_txid: json.txid,
  funding_output_index: json.u16,
  funding_amount_sat: json.satoshi,
  funding_witness_script: derivedValue,
  commitment_number: json.commitmentNumber,
  obscuring_factor: derivedValue,
  obscured_commitment_number: derivedValue,
  commitment_owner: literal("local"),
  opener: json.side,
  to_self_delay: json.u16,
  default_dust_limit_sat: json.satoshi,
  pubkeys: optional(anyObject),
  secrets,
  printed_secret_suffix: optional(literal("01")),
  htlcs: list(htlc),
});
const COMMON_DERIVED = ["funding_witness_script", "obscuring_factor", "obscured_commitment_number", "pubkeys"] as const;

/** Appendices C and F: one channel, one commitment number, many specs. `local` is the owner. */
const document = fields({
  source: optional(anyObject),
  status: optional(text),
  channel_type: optional(text),
  channel_type_bits: list(json.u16),
  to_remote_key: optional(text),
  common,
  cases: list(
    fields({
      name: text,
      to_local_msat: json.millisatoshi,
      to_remote_msat: json.millisatoshi,
      feerate_per_kw: json.feeratePerKw,
      dust_limit_sat: optional(json.satoshi),
      htlc_ids: list(json.u32),
      expected: anyObject,
    }),
  ),
});

type Document = ValueOf<typeof document>;
type Case = Document["cases"][number];

/** The specification annotates some outputs, in an order of its own. */
const RULES: ListRules = { annotated_outputs: { key: ({ kind, htlc_id }) => `${String(kind)} ${String(htlc_id)}`, partial: true } };

/** What shows, where it is as expected, that the commitment is. */
const COMMITMENT_KEYS = ["commit_tx", "commit_txid", "remote_signature_der", "local_signature_der"];

/** What the specification did not print for a case, the layout has as null. */
const MAYBE_UNPRINTED = ["base_fee_sat", "actual_fee_sat"];

/**
 * The specification's commitments with their HTLC transactions.
 * BOLT 3 §Appendix C: Commitment and HTLC Transaction Test Vectors. BOLT 3 §Appendix F: Commitment and HTLC Transaction Test Vectors (anchors).
 */
export function readCommitments(value: unknown, source: string): VectorSet {
  const read = decode(document, value, source);
  const channelType = typeOfBits(read.channelTypeBits);
  const raw = value as { readonly common: Record<string, unknown>; readonly cases: readonly object[] };
  return {
    common: [{ id: "common", path: ["common"], expected: expectedCommon(raw.common), derived: deriveCommon(read.common) }],
    cases: read.cases.map((specified, index) => {
      const { inputs, derived } = deriveSpecified(read.common, specified, channelType, `cases[${index}].htlc_ids`);
      const { expected } = specified;
      return {
        id: specified.name,
        path: ["cases", index, "expected"],
        expected: printed(expected),
        derived,
        rules: RULES,
        commitment: { inputs, expected: { tx: expected["commit_tx"], signature: expected["remote_signature_der"] }, keys: COMMITMENT_KEYS },
      };
    }),
  };
}

function typeOfBits(bits: readonly number[]): ChannelType {
  const type = CHANNEL_TYPES.find((known) => {
    const { featureBits } = FORMATS[known];
    return featureBits.length === bits.length && featureBits.every((bit) => bits.includes(bit));
  });
  if (type !== undefined) return type;
  throw new LnError("input-channel-type", `the channel type with feature bits ${bits.join(", ")} is not supported`, { channel_type_bits: bits });
}

function printed(expected: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(expected).filter(([key, value]) => value !== null || !MAYBE_UNPRINTED.includes(key)));
}

function expectedCommon(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    ...Object.fromEntries(COMMON_DERIVED.filter((key) => Object.hasOwn(raw, key)).map((key) => [key, raw[key]])),
    secrets: expectedOf(raw["secrets"], SECRET_INPUTS),
    htlcs: (raw["htlcs"] as readonly object[]).map((one) => expectedOf(one, HTLC_INPUTS)),
  };
}

/** Secrets in, and out: this layout publishes them. */
function deriveCommon(shared: Document["common"]) {
  const parties = partySecrets(shared);
  const { local, remote } = dual((side) => basepointsOf(partyKeys(parties[side], shared.commitmentNumber)));
  const [opener, accepter] = shared.opener === "local" ? [local, remote] : [remote, local];
  const factor = obscuringFactor(opener.paymentBasepoint, accepter.paymentBasepoint);
  const perCommitmentPoint = publicKey<"per_commitment">(shared.secrets.localPerCommitmentSecret);
  const keys = deriveCommitmentKeys(local, remote, perCommitmentPoint, true);
  return {
    funding_witness_script: toHex(fundingScript(local.fundingPubkey, remote.fundingPubkey)),
    obscuring_factor: `0x${hex48(factor)}`,
    obscured_commitment_number: `0x${hex48(factor ^ BigInt(shared.commitmentNumber))}`,
    pubkeys: {
      local_payment_basepoint: toHex(local.paymentBasepoint),
      remote_payment_basepoint: toHex(remote.paymentBasepoint),
      local_htlc_basepoint: toHex(local.htlcBasepoint),
      remote_htlc_basepoint: toHex(remote.htlcBasepoint),
      local_funding_pubkey: toHex(local.fundingPubkey),
      remote_funding_pubkey: toHex(remote.fundingPubkey),
      localpubkey: toHex(deriveKey(local.paymentBasepoint, perCommitmentPoint)),
      remotepubkey: toHex(keys.remotePubkey),
      local_htlcpubkey: toHex(keys.ownerHtlcPubkey),
      remote_htlcpubkey: toHex(keys.countersignerHtlcPubkey),
      local_delayedpubkey: toHex(keys.ownerDelayedPubkey),
      local_revocation_pubkey: toHex(keys.revocationPubkey),
      remote_revocation_basepoint: toHex(remote.revocationBasepoint),
      local_delayed_payment_basepoint: toHex(local.delayedPaymentBasepoint),
      local_per_commitment_point: toHex(perCommitmentPoint),
    },
    secrets: {
      local_privkey: shown(deriveSecret<"htlc">(parties.local.htlcBasepointSecret, perCommitmentPoint)),
      remote_privkey: shown(deriveSecret<"htlc">(parties.remote.htlcBasepointSecret, perCommitmentPoint)),
      local_delayed_privkey: shown(deriveSecret<"delayed">(parties.local.delayedPaymentBasepointSecret, perCommitmentPoint)),
    },
    htlcs: shared.htlcs.map(({ offeredBy, paymentPreimage }) => ({
      direction: `${offeredBy}->${opposite(offeredBy)}`,
      payment_hash: toHex(sha256(paymentPreimage)),
    })),
  };
}

/**
 * Secrets: both sides'. HTLC basepoints are the payment basepoints in this appendix. It gives neither the owner's revocation basepoint nor
 * the other side's delayed one, which are in none of the owner's transactions: another secret stands in for them.
 */
function partySecrets({ secrets: given }: Document["common"]): Dual<PartySecrets> {
  const localPayment = given.localPaymentBasepointSecret;
  const remotePayment = given.remotePaymentBasepointSecret;
  return {
    local: {
      fundingPrivkey: given.localFundingPrivkey,
      revocationBasepointSecret: inRole(localPayment),
      paymentBasepointSecret: localPayment,
      delayedPaymentBasepointSecret: given.localDelayedPaymentBasepointSecret,
      htlcBasepointSecret: inRole(localPayment),
      perCommitmentSecret: given.localPerCommitmentSecret,
    },
    remote: {
      fundingPrivkey: given.remoteFundingPrivkey,
      revocationBasepointSecret: given.remoteRevocationBasepointSecret,
      paymentBasepointSecret: remotePayment,
      delayedPaymentBasepointSecret: inRole(remotePayment),
      htlcBasepointSecret: inRole(remotePayment),
    },
  };
}

/** Secret: the same one in another role. */
function inRole<Role extends SecretRole>(secret: Secret32): Secret32<Role> {
  return new Secret32<Role>(secret.reveal());
}

/** The case's HTLCs, in its order. Throws: json-value where there is none with such an id. */
function htlcsOf(shared: Document["common"], { htlcIds }: Case, where: string): readonly Document["common"]["htlcs"][number][] {
  return htlcIds.map((id, index) => {
    const found = shared.htlcs.find((candidate) => candidate.id === id);
    if (found !== undefined) return found;
    const path = `${where}[${index}]`;
    throw new LnError("json-value", `${path}: there is no HTLC ${id} in common.htlcs`, { path, value: id });
  });
}

/** Secrets in, and out: this layout publishes them. */
function deriveSpecified(shared: Document["common"], specified: Case, channelType: ChannelType, where: string) {
  const htlcs = htlcsOf(shared, specified, where);
  const inputs: CaseInputs = {
    channelType,
    fundingTxid: shared.fundingTxid,
    fundingOutputIndex: shared.fundingOutputIndex,
    fundingSatoshi: shared.fundingAmountSat,
    commitmentNumber: shared.commitmentNumber,
    opener: shared.opener,
    toSelfDelay: shared.toSelfDelay,
    dustLimitSatoshis: specified.dustLimitSat ?? shared.defaultDustLimitSat,
    feeratePerKw: specified.feeratePerKw,
    toLocalMsat: specified.toLocalMsat,
    toRemoteMsat: specified.toRemoteMsat,
    htlcs: htlcs.map(({ offeredBy, amountMsat, cltvExpiry, paymentPreimage }) => ({
      direction: offeredBy === "local" ? "offered" : "received",
      amountMsat,
      cltvExpiry,
      paymentHash: bytes32(sha256(paymentPreimage)),
    })),
    ...partySecrets(shared),
  };
  const { commitment, signed, ownerSignature, countersignerSignature, htlcTxs } = signCase(inputs);
  const { outputs } = commitment;
  const { htlcIds } = specified;
  const fee = integer(commitment.actualFee);
  const derived = {
    base_fee_sat: integer(commitment.baseFee),
    actual_fee_sat: fee,
    onchain_fee_sat: fee,
    annotated_outputs: outputs.map((output) => ({ ...describe(output, htlcIds), ...pubkeyOf(output) })),
    outputs: outputs.map((output, index) => ({ index, script_pubkey: toHex(output.lock.scriptPubkey), ...describe(output, htlcIds) })),
    remote_signature_der: der(countersignerSignature),
    local_signature_der: der(ownerSignature),
    commit_tx: signed.toHex(),
    commit_txid: displayTxid(commitment.txid),
    commit_version: signed.version,
    commit_locktime: signed.locktime,
    commit_sequence: signed.ins[0]?.sequence,
    num_htlcs: htlcTxs.length,
    htlc_txs: htlcTxs.map((signedTx, index) => ({
      htlc_signature_index: index,
      htlc_id: htlcIds[signedTx.htlcIndex],
      ...describeHtlcTx(signedTx, htlcs[signedTx.htlcIndex]?.paymentPreimage ?? null),
    })),
  };
  return { inputs, derived };
}

function describe(output: CommitmentOutput, htlcIds: readonly number[]) {
  const script = scriptOf(output.lock);
  return {
    kind: output.kind,
    amount_sat: integer(output.amount),
    ...(isHtlcOutput(output) ? { htlc_id: htlcIds[Number(output.htlc.id)] } : {}),
    ...(script === null ? {} : { witness_script: toHex(script) }),
  };
}

function pubkeyOf({ lock }: CommitmentOutput) {
  return lock.kind === "p2wpkh" ? { p2wpkh_pubkey: toHex(lock.pubkey) } : {};
}

function describeHtlcTx({ htlcTx, ownerSignature, countersignerSignature }: SignedHtlcTx, preimage: Bytes32 | null) {
  const success = htlcTx.kind === "htlc_success";
  const signed = completeHtlcTx(htlcTx, ownerSignature, countersignerSignature, success ? preimage : null);
  const script = scriptOf(htlcTx.output.lock);
  return {
    kind: success ? "success" : "timeout",
    remote_signature_der: der(countersignerSignature),
    local_signature_der: der(ownerSignature),
    tx: signed.toHex(),
    txid: displayTxid(htlcTx.txid),
    commit_output_index: htlcTx.outputIndex,
    amount_sat: integer(htlcTx.amount),
    locktime: signed.locktime,
    sequence: signed.ins[0]?.sequence,
    ...(script === null ? {} : { witness_script: toHex(script) }),
    remote_sighash_byte: toHex(Uint8Array.of(htlcTx.commitment.terms.format.htlcSighash)),
    local_sighash_byte: toHex(Uint8Array.of(SIGHASH_ALL)),
  };
}
