import { type ValueOf, type JsonForm, anyObject, codec, list, oneOf, text } from "../json/codec.js";
import { fields, optional, variants } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { LnError } from "../protocol/errors.js";
import { CHANNEL_TYPES, type ChannelType } from "../protocol/tx/channel-type.js";
import { CLOSING_OUTPUTS } from "../protocol/tx/closing-terms.js";

/** Names that this layout gives to channel types; which of them are supported, the table of formats says. */
const TYPE_NAMES = ["legacy", "static_remotekey", "anchor_outputs", "anchors", "zero_fee_commitments", "simple_taproot"] as const;

const typeName: JsonForm<(typeof TYPE_NAMES)[number]> = {
  is: (value): value is (typeof TYPE_NAMES)[number] => (TYPE_NAMES as readonly unknown[]).includes(value),
  expected: TYPE_NAMES.map((name) => JSON.stringify(name)).join(" or "),
  jsonSchema: { type: "string", enum: TYPE_NAMES },
};

const channelType = codec<(typeof TYPE_NAMES)[number], ChannelType>(typeName, { decode: supportedType, encode: (type: ChannelType) => type });

function supportedType(name: (typeof TYPE_NAMES)[number]): ChannelType {
  const known = CHANNEL_TYPES.find((type) => type === name);
  if (known !== undefined) return known;
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

/**
 * What becomes of the commitment once it is in the chain. By the other side, where it is revoked: `penalty` takes all its revocable outputs,
 * `penalty_second_stage` the output of one HTLC transaction. By its owner: `sweep_to_local`, `sweep_second_stage`. By the other side:
 * `sweep_to_remote`, and `claim_htlc`, one HTLC output by its preimage or after its expiry. BOLT 5 §Revoked Transaction Close Handling.
 */
export const SPEND_KINDS = ["penalty", "penalty_second_stage", "sweep_to_local", "sweep_second_stage", "sweep_to_remote", "claim_htlc"] as const;
export type SpendKind = (typeof SPEND_KINDS)[number];

const caseSpend = fields({
  kind: oneOf(SPEND_KINDS),
  /** The commitment's HTLC output that it is about. */
  output_index: optional(json.u32),
  to_scriptpubkey: json.scriptPubkey,
  feerate_per_kw: json.feeratePerKw,
  /** The weight that the fee was reckoned with, and the fee: what others reckon otherwise, so that the transaction is determined all the same. */
  fee_weight: json.u32,
  fee_sat: json.satoshi,
});

/** A mutual close at these balances. */
const caseClose = fields({
  kind: oneOf(["legacy", "simple"]),
  payer: json.side,
  outputs: oneOf(CLOSING_OUTPUTS),
  local_scriptpubkey: json.scriptPubkey,
  remote_scriptpubkey: json.scriptPubkey,
  locktime: json.u32,
  feerate_per_kw: json.feeratePerKw,
  fee_weight: json.u32,
  fee_sat: json.satoshi,
});

/** What one side demands of the other. BOLT 2 §The `open_channel` Message. */
const sideLimits = fields({
  channel_reserve_satoshis: json.satoshi,
  htlc_minimum_msat: json.millisatoshi,
  max_htlc_value_in_flight_msat: json.millisatoshi,
  max_accepted_htlcs: json.u16,
});

const caseLimits = fields({
  local: sideLimits,
  remote: sideLimits,
  min_feerate_per_kw: json.feeratePerKw,
  max_feerate_per_kw: json.feeratePerKw,
  max_dust_htlc_exposure_msat: json.millisatoshi,
});

/** What a side does next, which the owner (of `revoke_and_ack` the other side) must refuse. */
const caseAttempt = variants("act", {
  add_htlc: fields({
    act: oneOf(["add_htlc"]),
    by: json.side,
    amount_msat: json.millisatoshi,
    cltv_expiry: json.u32,
    payment_hash: json.bytes32,
  }),
  update_fee: fields({ act: oneOf(["update_fee"]), by: json.side, feerate_per_kw: json.feeratePerKw }),
  fulfill_htlc: fields({ act: oneOf(["fulfill_htlc"]), by: json.side, htlc_index: json.u32, payment_preimage: json.bytes32 }),
  commitment_signed: fields({ act: oneOf(["commitment_signed"]), signature_der: json.hexBytes, htlc_signatures_der: list(json.hexBytes) }),
  revoke_and_ack: fields({ act: oneOf(["revoke_and_ack"]), per_commitment_secret: json.secret("per_commitment") }),
  shutdown: fields({ act: oneOf(["shutdown"]), by: json.side, scriptpubkey: json.scriptPubkey }),
  close: fields({
    act: oneOf(["close"]),
    kind: oneOf(["legacy", "simple"]),
    local_scriptpubkey: json.scriptPubkey,
    remote_scriptpubkey: json.scriptPubkey,
    fee_sat: json.satoshi,
  }),
});

/** All that determines one commitment. `local` is its owner, whoever's file this is. docs/vectors.md says what each key means. */
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
  spends: optional(list(caseSpend)),
  close: optional(caseClose),
  limits: optional(caseLimits),
  attempt: optional(caseAttempt),
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
export type CaseSpend = ValueOf<typeof caseSpend>;
export type CaseClose = ValueOf<typeof caseClose>;
export type CaseLimits = ValueOf<typeof caseLimits>;
export type CaseAttempt = ValueOf<typeof caseAttempt>;
