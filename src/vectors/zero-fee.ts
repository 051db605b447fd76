import { sha256 } from "@noble/hashes/sha2.js";
import { type ValueOf, anyObject, anything, boolean, list, literal, oneOf, record, text } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { type Bytes32, type Point, type Signature, displayTxid, equalBytes, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { Basepoints } from "../protocol/keys/commitment-keys.js";
import { deriveSecret, publicKey } from "../protocol/keys/derivation.js";
import { witnessSignature } from "../protocol/script/assemble.js";
import type { Secret32 } from "../protocol/secret.js";
import type { Dual } from "../protocol/side.js";
import { obscuringFactor } from "../protocol/tx/commitment-number.js";
import { type Commitment, type CommitmentTerms, buildCommitmentOf } from "../protocol/tx/commitment-tx.js";
import { FORMATS, SIGHASH_ALL } from "../protocol/tx/format.js";
import { type HtlcTx, buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { isAnchorOutput, isHtlcOutput } from "../protocol/tx/outputs.js";
import { commitmentKeysOf } from "../protocol/tx/recognise.js";
import { commitmentSighash, completeCommitment, completeHtlcTx, signCommitment, signHtlcTx } from "../protocol/tx/sign.js";
import { type MilliSatoshi, type Satoshi, perKw, sat } from "../protocol/units.js";
import { hex48, integer, scriptOf, shown } from "./case.js";
import { isObject } from "./compare.js";
import { type VectorSet, expectedOf } from "./vector.js";

const derivedValue = optional(anything);

const secretKey = <Role extends Parameters<typeof json.secret>[0]>(role: Role) => fields({ secret: json.secret<Role>(role), pubkey: derivedValue });

/** One channel, one commitment number, many specs. `local` is the owner. */
const worked = fields({
  about: anyObject,
  channel: fields({
    funding_txid: json.txid,
    funding_vout: json.u16,
    funding_amount_sat: json.satoshi,
    commitment_number: json.commitmentNumber,
    to_self_delay: json.u16,
    local_is_opener: boolean,
    feerate_per_kw: literal(0),
    obscured_commitment_number_hex: derivedValue,
  }),
  keys: fields({
    local_funding: secretKey("funding"),
    remote_funding: secretKey("funding"),
    local_payment_basepoint: secretKey("payment_basepoint"),
    remote_payment_basepoint: secretKey("payment_basepoint"),
    local_delayed_payment_basepoint: secretKey("delayed_payment_basepoint"),
    local_htlc_basepoint: secretKey("htlc_basepoint"),
    remote_htlc_basepoint: secretKey("htlc_basepoint"),
    remote_revocation_basepoint: fields({ pubkey: json.point("revocation_basepoint") }),
    per_commitment: fields({ point: json.point("per_commitment") }),
    derived: derivedValue,
  }),
  funding_output: derivedValue,
  cases: list(
    fields({
      name: text,
      dust_limit_sat: json.satoshi,
      to_local_msat: json.millisatoshi,
      to_remote_msat: json.millisatoshi,
      htlcs: list(
        fields({
          id: json.u32,
          direction: oneOf(["offered", "received"]),
          amount_msat: json.millisatoshi,
          cltv_expiry: json.u32,
          payment_hash: json.bytes32,
          preimage: json.bytes32,
          trimmed: derivedValue,
        }),
      ),
      expected: anyObject,
    }),
  ),
});

/** What of a case of the worked layout is an input, and of its HTLCs. */
const CASE_INPUTS = ["name", "dust_limit_sat", "to_local_msat", "to_remote_msat"];
const HTLC_INPUTS = ["id", "direction", "amount_msat", "cltv_expiry", "payment_hash", "preimage"];

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

/** All that the cases of a file share: the owner's channel, without what none of its transactions needs. */
interface Shared {
  readonly terms: Omit<CommitmentTerms, "dustLimit">;
  readonly number: number;
  readonly perCommitmentPoint: Point<"per_commitment">;
  /** Secret: both sides'. */
  readonly funding: Dual<Secret32<"funding">>;
  /** Secret: both sides'. */
  readonly htlc: Dual<Secret32<"htlc_basepoint">>;
}

interface CaseHtlc {
  readonly id: number;
  readonly direction: "offered" | "received";
  readonly amountMsat: MilliSatoshi;
  readonly cltvExpiry: number;
  readonly paymentHash: Bytes32;
  readonly preimage: Bytes32;
}

interface Given {
  readonly dustLimit: Satoshi;
  readonly toLocalMsat: MilliSatoshi;
  readonly toRemoteMsat: MilliSatoshi;
  readonly htlcs: readonly CaseHtlc[];
}

/** A case's transactions, signed by both. */
interface Signed {
  readonly commitment: Commitment;
  readonly signatures: Dual<Signature>;
  readonly signedTx: string;
  readonly htlcTxs: readonly { readonly htlcTx: HtlcTx; readonly id: number; readonly signatures: Dual<Signature>; readonly signedTx: string }[];
}

/** Secrets in: the file's. An HTLC's id in the core is its place in the case's list, since the two sides' ids are alike. */
function signGiven({ terms: shared, number, perCommitmentPoint, funding, htlc }: Shared, { dustLimit, htlcs, ...given }: Given): Signed {
  const terms: CommitmentTerms = { ...shared, dustLimit };
  const commitment = buildCommitmentOf(terms, number, commitmentKeysOf(terms, perCommitmentPoint), {
    feeratePerKw: perKw(0n),
    balances: { local: given.toLocalMsat, remote: given.toRemoteMsat },
    htlcs: htlcs.map(({ direction, amountMsat, paymentHash, cltvExpiry }, at) => ({
      id: BigInt(at),
      offeredBy: direction === "offered" ? "local" : "remote",
      amountMsat,
      paymentHash,
      cltvExpiry,
    })),
  });
  const signatures = { local: signCommitment(commitment, funding.local), remote: signCommitment(commitment, funding.remote) };
  return {
    commitment,
    signatures,
    signedTx: completeCommitment(commitment, signatures.local, signatures.remote).toHex(),
    htlcTxs: buildHtlcTxs(commitment).map((htlcTx) => {
      const own = { local: signHtlcTx(htlcTx, "owner", htlc.local), remote: signHtlcTx(htlcTx, "countersigner", htlc.remote) };
      const { id = 0, preimage = null } = htlcs[Number(htlcTx.output.htlc.id)] ?? {};
      const signed = completeHtlcTx(htlcTx, own.local, own.remote, htlcTx.kind === "htlc_success" ? preimage : null);
      return { htlcTx, id, signatures: own, signedTx: signed.toHex() };
    }),
  };
}

type Worked = ValueOf<typeof worked>;

function readWorked(value: unknown, source: string): VectorSet {
  const { channel, keys, cases } = decode(worked, value, source);
  const shared = sharedOf({
    fundingTxid: channel.fundingTxid,
    fundingIndex: channel.fundingVout,
    fundingAmount: channel.fundingAmountSat,
    number: channel.commitmentNumber,
    toSelfDelay: channel.toSelfDelay,
    localIsOpener: channel.localIsOpener,
    funding: { local: keys.localFunding.secret, remote: keys.remoteFunding.secret },
    payment: { local: keys.localPaymentBasepoint.secret, remote: keys.remotePaymentBasepoint.secret },
    delayed: keys.localDelayedPaymentBasepoint.secret,
    htlc: { local: keys.localHtlcBasepoint.secret, remote: keys.remoteHtlcBasepoint.secret },
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
          channel: expectedOf(raw.channel, CHANNEL_INPUTS),
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

const CHANNEL_INPUTS = [
  "funding_txid",
  "funding_vout",
  "funding_amount_sat",
  "commitment_number",
  "to_self_delay",
  "local_is_opener",
  "feerate_per_kw",
];

function readSpecified(value: unknown, source: string): VectorSet {
  const file = decode(specified, value, source);
  const shared = sharedOf({
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

/** Throws: input-preimage-mismatch. */
function requirePreimages(htlcs: readonly Pick<CaseHtlc, "paymentHash" | "preimage">[], pathOf: (place: number) => string): void {
  for (const [place, { paymentHash, preimage }] of htlcs.entries()) {
    if (equalBytes(sha256(preimage), paymentHash)) continue;
    const path = pathOf(place);
    throw new LnError("input-preimage-mismatch", `${path}: its hash is not ${toHex(paymentHash)}`, { path, payment_hash: toHex(paymentHash) });
  }
}

interface ChannelGiven {
  readonly fundingTxid: CommitmentTerms["funding"]["txid"];
  readonly fundingIndex: number;
  readonly fundingAmount: Satoshi;
  readonly number: number;
  readonly toSelfDelay: number;
  readonly localIsOpener: boolean;
  /** Secrets. */
  readonly funding: Dual<Secret32<"funding">>;
  readonly payment: Dual<Secret32<"payment_basepoint">>;
  readonly delayed: Secret32<"delayed_payment_basepoint">;
  readonly htlc: Dual<Secret32<"htlc_basepoint">>;
  readonly revocationBasepoint: Point<"revocation_basepoint">;
  readonly perCommitmentPoint: Point<"per_commitment">;
}

/**
 * Secrets in: the file's. It gives neither the owner's revocation basepoint nor the other side's delayed one, which are in none of the owner's
 * transactions: another point stands in for them.
 */
function sharedOf(given: ChannelGiven): Shared {
  const { funding, payment, delayed, htlc, revocationBasepoint, perCommitmentPoint, number } = given;
  const points = (side: "local" | "remote"): Basepoints => ({
    fundingPubkey: publicKey(funding[side]),
    revocationBasepoint,
    paymentBasepoint: publicKey(payment[side]),
    delayedPaymentBasepoint: publicKey(delayed),
    htlcBasepoint: publicKey(htlc[side]),
  });
  return {
    terms: {
      format: FORMATS.zero_fee_commitments,
      owner: "local",
      opener: given.localIsOpener ? "local" : "remote",
      basepoints: { local: points("local"), remote: points("remote") },
      funding: { txid: given.fundingTxid, outputIndex: given.fundingIndex, amount: given.fundingAmount },
      toSelfDelay: given.toSelfDelay,
    },
    number,
    perCommitmentPoint,
    funding,
    htlc,
  };
}

/** Secrets in, and out: this layout publishes them. */
function deriveCommon({ terms, number, perCommitmentPoint, htlc }: Shared, given: Worked["keys"]) {
  const { local, remote } = terms.basepoints;
  const [opener, accepter] = terms.opener === "local" ? [local, remote] : [remote, local];
  const keys = commitmentKeysOf({ ...terms, dustLimit: sat(0n) }, perCommitmentPoint);
  const lock = terms.format.funding(local.fundingPubkey, remote.fundingPubkey);
  const script = scriptOf(lock);
  return {
    channel: { obscured_commitment_number_hex: hex48(obscuringFactor(opener.paymentBasepoint, accepter.paymentBasepoint) ^ BigInt(number)) },
    keys: {
      local_funding: { pubkey: toHex(local.fundingPubkey) },
      remote_funding: { pubkey: toHex(remote.fundingPubkey) },
      local_payment_basepoint: { pubkey: toHex(local.paymentBasepoint) },
      remote_payment_basepoint: { pubkey: toHex(remote.paymentBasepoint) },
      local_delayed_payment_basepoint: { pubkey: toHex(local.delayedPaymentBasepoint) },
      local_htlc_basepoint: { pubkey: toHex(local.htlcBasepoint) },
      remote_htlc_basepoint: { pubkey: toHex(remote.htlcBasepoint) },
      derived: {
        local_delayed: toHex(keys.ownerDelayedPubkey),
        local_htlc: toHex(keys.ownerHtlcPubkey),
        remote_htlc: toHex(keys.countersignerHtlcPubkey),
        revocation: toHex(keys.revocationPubkey),
        remote_payment: toHex(keys.remotePubkey),
        local_htlc_secret: shown(deriveSecret<"htlc">(htlc.local, perCommitmentPoint)),
        remote_htlc_secret: shown(deriveSecret<"htlc">(htlc.remote, perCommitmentPoint)),
        local_delayed_secret: shown(deriveSecret<"delayed">(given.localDelayedPaymentBasepoint.secret, perCommitmentPoint)),
      },
    },
    funding_output: {
      sorted_pubkeys: [toHex(local.fundingPubkey), toHex(remote.fundingPubkey)].sort(),
      ...(script === null ? {} : { witness_script: toHex(script) }),
      script_pubkey: toHex(lock.scriptPubkey),
    },
  };
}

function deriveWorked({ commitment, signatures, signedTx, htlcTxs }: Signed, { htlcs }: Given) {
  const { outputs, trimmedHtlcs, actualFee } = commitment;
  const shared = outputs.filter(isAnchorOutput).reduce<bigint>((sum, { amount }) => sum + amount, 0n);
  return {
    htlcs: htlcs.map((_, at) => ({ trimmed: trimmedHtlcs.some(({ id }) => id === BigInt(at)) })),
    expected: {
      trimmed_and_rounded_sat: integer(shared + actualFee),
      shared_anchor_sat: integer(shared),
      fee_sat: integer(actualFee),
      outputs: outputs.map((output, vout) => {
        const script = scriptOf(output.lock);
        return {
          vout,
          role: output.kind,
          ...(script === null ? {} : { witness_script: toHex(script) }),
          script_pubkey: toHex(output.lock.scriptPubkey),
          ...(isHtlcOutput(output) ? { htlc_id: htlcs[Number(output.htlc.id)]?.id } : {}),
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
