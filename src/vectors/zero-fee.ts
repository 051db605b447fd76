import { type ValueOf, anyObject, list, literal, record, text } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { type Signature, displayTxid, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { witnessSignature } from "../protocol/script/assemble.js";
import type { Dual } from "../protocol/side.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import { type HtlcTx, buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { isHtlcOutput } from "../protocol/tx/outputs.js";
import { commitmentSighash, completeCommitment, completeHtlcTx, signCommitment, signHtlcTx } from "../protocol/tx/sign.js";
import { perKw } from "../protocol/units.js";
import { scriptOf, integer } from "./case.js";
import { isObject } from "./compare.js";
import { type VectorSet, expectedOf } from "./vector.js";
import {
  CASE_INPUTS,
  CHANNEL_INPUTS,
  type CaseGiven,
  type CaseHtlc,
  HTLC_INPUTS,
  POINTS_ONLY,
  WORKED_CHANNEL,
  WORKED_KEYS,
  type WorkedChannel,
  buildCase,
  caseHtlcOf,
  channelGiven,
  deriveCommitmentSecrets,
  deriveObscured,
  derivePubkeys,
  deriveRemainder,
  deriveTrimmed,
  derivedValue,
  requirePreimages,
  workedCases,
  workedChannel,
} from "./worked-channel.js";

const worked = fields({
  about: anyObject,
  channel: fields({ ...WORKED_CHANNEL, feerate_per_kw: literal(0) }),
  keys: fields({ ...WORKED_KEYS, ...POINTS_ONLY }),
  funding_output: derivedValue,
  cases: workedCases({ dust_limit_sat: json.satoshi }),
});

const listedHtlc = fields({ id: json.u32, amount_msat: json.millisatoshi, payment_hash: json.bytes32, cltv_expiry: json.u32 });

/** The same channel as the specification and eclair publish it. */
const specified = fields({
  local_funding_priv: json.secret("funding"),
  remote_funding_priv: json.secret("funding"),
  funding_txid: json.txid,
  funding_index: json.u16,
  funding_amount_satoshis: json.satoshi,
  commitment_number: json.commitmentNumber,
  to_self_delay: json.u16,
  local_payment_basepoint_secret: json.secret("payment_basepoint"),
  local_delayed_payment_basepoint_secret: json.secret("delayed_payment_basepoint"),
  local_htlc_basepoint_secret: json.secret("htlc_basepoint"),
  per_commitment_point: json.point("per_commitment"),
  remote_payment_basepoint_secret: json.secret("payment_basepoint"),
  remote_htlc_basepoint_secret: json.secret("htlc_basepoint"),
  revocation_basepoint: json.point("revocation_basepoint"),
  payment_hash_to_preimage: record(json.bytes32),
  tests: list(
    fields({
      name: text,
      dust_limit_satoshis: json.satoshi,
      to_local_msat: json.millisatoshi,
      to_remote_msat: json.millisatoshi,
      incoming_htlcs: optional(list(listedHtlc)),
      outgoing_htlcs: optional(list(listedHtlc)),
      signed_commit_tx: derivedValue,
      signed_htlc_success_txs: derivedValue,
      signed_htlc_timeout_txs: derivedValue,
    }),
  ),
});
const TEST_INPUTS = ["name", "dust_limit_satoshis", "to_local_msat", "to_remote_msat", "incoming_htlcs", "outgoing_htlcs"];

/** Whether a document is of one of the two layouts. */
export function isZeroFee(document: Readonly<Record<string, unknown>>): boolean {
  const { about } = document;
  if (isObject(about)) return typeof about["format"] === "string" && about["format"].startsWith("zero_fee_commitments");
  return Object.hasOwn(document, "tests") && Object.hasOwn(document, "revocation_basepoint");
}

/**
 * The commitments of zero_fee_commitments channels with their HTLC transactions, in the layout of fixtures/vectors/newer or in that of the
 * specification's own file. lightning/bolts pull request 1228.
 */
export function readZeroFee(value: unknown, source: string): VectorSet {
  return isObject(value) && Object.hasOwn(value, "tests") ? readSpecified(value, source) : readWorked(value, source);
}

/** A case's transactions, signed by both. */
interface Signed {
  readonly commitment: Commitment;
  readonly signatures: Dual<Signature>;
  readonly signedTx: string;
  readonly htlcTxs: readonly { readonly htlcTx: HtlcTx; readonly id: number; readonly signatures: Dual<Signature>; readonly signedTx: string }[];
}

/** Secrets in: the file's. */
function signGiven(channel: WorkedChannel, given: Omit<CaseGiven, "feeratePerKw">): Signed {
  const { funding, htlc } = channel;
  const commitment = buildCase(channel, { ...given, feeratePerKw: perKw(0n) });
  const signatures = { local: signCommitment(commitment, funding.local), remote: signCommitment(commitment, funding.remote) };
  return {
    commitment,
    signatures,
    signedTx: completeCommitment(commitment, signatures.local, signatures.remote).toHex(),
    htlcTxs: buildHtlcTxs(commitment).map((htlcTx) => {
      const own = { local: signHtlcTx(htlcTx, "owner", htlc.local), remote: signHtlcTx(htlcTx, "countersigner", htlc.remote) };
      const { id = 0, preimage = null } = caseHtlcOf(given.htlcs, htlcTx.output) ?? {};
      const signed = completeHtlcTx(htlcTx, own.local, own.remote, htlcTx.kind === "htlc_success" ? preimage : null);
      return { htlcTx, id, signatures: own, signedTx: signed.toHex() };
    }),
  };
}

function readWorked(value: unknown, source: string): VectorSet {
  const { channel, keys, cases } = decode(worked, value, source);
  const shared = workedChannel("zero_fee_commitments", channel, keys, {
    revocationBasepoint: keys.remoteRevocationBasepoint.pubkey,
    perCommitmentPoint: keys.perCommitment.point,
  });
  const raw = value as {
    readonly channel: object;
    readonly keys: Readonly<Record<string, object>>;
    readonly funding_output?: unknown;
    readonly cases: readonly { readonly htlcs: readonly object[] }[];
  };
  const named = Object.entries(raw.keys).filter(([name]) => !["remote_revocation_basepoint", "per_commitment"].includes(name));
  return {
    common: [
      {
        id: "common",
        path: [],
        expected: {
          channel: expectedOf(raw.channel, [...CHANNEL_INPUTS, "funding_txid", "feerate_per_kw"]),
          keys: Object.fromEntries(named.map(([name, key]) => [name, name === "derived" ? key : expectedOf(key, ["secret"])])),
          ...("funding_output" in raw ? { funding_output: raw.funding_output } : {}),
        },
        derived: deriveCommon(shared, keys),
      },
    ],
    cases: cases.map((one, at) => {
      const given = { ...one, dustLimit: one.dustLimitSat };
      requirePreimages(one.htlcs, (place) => `cases[${at}].htlcs[${place}].preimage`);
      const rawCase = raw.cases[at];
      return {
        id: one.name,
        path: ["cases", at],
        expected: { ...expectedOf(rawCase, CASE_INPUTS), htlcs: rawCase?.htlcs.map((htlc) => expectedOf(htlc, HTLC_INPUTS)) },
        derived: deriveWorked(signGiven(shared, given), given),
      };
    }),
  };
}

function readSpecified(value: unknown, source: string): VectorSet {
  const file = decode(specified, value, source);
  const shared = channelGiven("zero_fee_commitments", {
    fundingTxid: file.fundingTxid,
    fundingIndex: file.fundingIndex,
    fundingAmount: file.fundingAmountSatoshis,
    number: file.commitmentNumber,
    toSelfDelay: file.toSelfDelay,
    localIsOpener: true,
    funding: { local: file.localFundingPriv, remote: file.remoteFundingPriv },
    payment: { local: file.localPaymentBasepointSecret, remote: file.remotePaymentBasepointSecret },
    delayed: file.localDelayedPaymentBasepointSecret,
    htlc: { local: file.localHtlcBasepointSecret, remote: file.remoteHtlcBasepointSecret },
    revocationBasepoint: file.revocationBasepoint,
    perCommitmentPoint: file.perCommitmentPoint,
  });
  const raw = value as { readonly tests: readonly object[] };
  return {
    common: [],
    cases: file.tests.map((one, at) => {
      const { dustLimitSatoshis: dustLimit, toLocalMsat, toRemoteMsat, incomingHtlcs = [], outgoingHtlcs = [] } = one;
      const known = (direction: CaseHtlc["direction"], name: string, htlcs: typeof incomingHtlcs): readonly CaseHtlc[] =>
        htlcs.map((htlc, place) => {
          const path = `tests[${at}].${name}[${place}].payment_hash`;
          const preimage = file.paymentHashToPreimage[toHex(htlc.paymentHash)];
          if (preimage === undefined) throw new LnError("json-value", `${path}: no such hash in payment_hash_to_preimage`, { path });
          return { ...htlc, direction, preimage };
        });
      const htlcs = [...known("received", "incoming_htlcs", incomingHtlcs), ...known("offered", "outgoing_htlcs", outgoingHtlcs)];
      requirePreimages(htlcs, (place) => `payment_hash_to_preimage.${toHex(htlcs[place]?.paymentHash ?? new Uint8Array(0))}`);
      const { signedTx, htlcTxs } = signGiven(shared, { dustLimit, toLocalMsat, toRemoteMsat, htlcs });
      const signedOf = (kind: HtlcTx["kind"]): readonly string[] =>
        htlcTxs.filter(({ htlcTx }) => htlcTx.kind === kind).map((htlcTx) => htlcTx.signedTx);
      return {
        id: one.name,
        path: ["tests", at],
        expected: expectedOf(raw.tests[at], TEST_INPUTS),
        derived: {
          signed_commit_tx: signedTx,
          signed_htlc_success_txs: signedOf("htlc_success"),
          signed_htlc_timeout_txs: signedOf("htlc_timeout"),
        },
      };
    }),
  };
}

/** Secrets in, and out: this layout publishes them. */
function deriveCommon(channel: WorkedChannel, given: ValueOf<typeof worked>["keys"]) {
  const { format, basepoints } = channel.terms;
  const { local, remote } = basepoints;
  const lock = format.funding(local.fundingPubkey, remote.fundingPubkey);
  const script = scriptOf(lock);
  return {
    channel: deriveObscured(channel),
    keys: { ...derivePubkeys(channel), derived: deriveCommitmentSecrets(channel, given.localDelayedPaymentBasepoint.secret) },
    funding_output: {
      sorted_pubkeys: [toHex(local.fundingPubkey), toHex(remote.fundingPubkey)].sort(),
      ...(script === null ? {} : { witness_script: toHex(script) }),
      script_pubkey: toHex(lock.scriptPubkey),
    },
  };
}

function deriveWorked({ commitment, signatures, signedTx, htlcTxs }: Signed, given: Pick<CaseGiven, "htlcs">) {
  return {
    htlcs: deriveTrimmed(commitment, given),
    expected: {
      ...deriveRemainder(commitment),
      outputs: commitment.outputs.map((output, vout) => {
        const script = scriptOf(output.lock);
        return {
          vout,
          role: output.kind,
          ...(script === null ? {} : { witness_script: toHex(script) }),
          script_pubkey: toHex(output.lock.scriptPubkey),
          ...(isHtlcOutput(output) ? { htlc_id: caseHtlcOf(given.htlcs, output)?.id } : {}),
          amount_sat: integer(output.amount),
        };
      }),
      unsigned_tx: commitment.unsigned.toHex(),
      txid: displayTxid(commitment.txid),
      sighash: toHex(commitmentSighash(commitment)),
      local_signature: toHex(witnessSignature(signatures.local, SIGHASH_ALL)),
      remote_signature: toHex(witnessSignature(signatures.remote, SIGHASH_ALL)),
      signed_tx: signedTx,
      htlc_txs: htlcTxs.map((one) => ({
        htlc_id: one.id,
        kind: one.htlcTx.kind,
        vout_spent: one.htlcTx.outputIndex,
        remote_signature: toHex(witnessSignature(one.signatures.remote, commitment.terms.format.htlcSighash)),
        local_signature: toHex(witnessSignature(one.signatures.local, SIGHASH_ALL)),
        tx: one.signedTx,
      })),
    },
  };
}
