import {
  bytes32,
  countedBytes,
  countedList,
  countedScript,
  feeratePerKw,
  flag,
  millisatoshi,
  opaque,
  point,
  restBytes,
  restScript,
  satoshi,
  secret,
  signature,
  struct,
  txid,
  u16,
  u32,
  u64,
  u8,
  type Field,
  type Parts,
} from "./field.js";

/** A record of a message's TLV stream that we know. */
export interface Tlv<F extends Field<unknown> = Field<unknown>> {
  readonly type: bigint;
  readonly field: F;
}

export type Tlvs = Readonly<Record<string, Tlv>>;

export interface MessageSpec<F extends Parts = Parts, T extends Tlvs = Tlvs> {
  /** The type on the wire. */
  readonly number: number;
  /** In wire order. */
  readonly fields: F;
  /** In the order of their types. */
  readonly tlvs: T;
}

function message<const F extends Parts, const T extends Tlvs>(number: number, fields: F, tlvs: T): MessageSpec<F, T> {
  return { number, fields, tlvs };
}

function tlv<F extends Field<unknown>>(type: number, field: F): Tlv<F> {
  return { type: BigInt(type), field };
}

/**
 * `pay`, chankit's own: shifts balance without an HTLC. Even, so that a node which does not know it closes the connection rather
 * than lose a payment; the number is `sha256("chankit pay")`'s first two bytes with the top bit set and the lowest cleared.
 * BOLT 1 §Lightning Message Format.
 */
const PAY = 0x867c;
/**
 * TLV of open_channel, echoed in accept_channel: both sides may send `pay`. Odd, so that others ignore it; `sha256("chankit pay_extension")`'s
 * first four bytes with the lowest bit set. BOLT 1 §Type-Length-Value Format.
 */
const PAY_EXTENSION = 0x27b0da97;

/**
 * TLV of open_channel, answered in accept_channel with those of them that the accepter has, too: features as a BOLT 9 field. Others have them from
 * `init`, which chankit does not speak, and ignore it as odd; `sha256("chankit features")`'s first four bytes with the lowest bit set.
 * BOLT 1 §Type-Length-Value Format.
 */
const FEATURES = 0x61685937;

/** BOLT 4 (Packet Structure): version 1, public key 33, hops 1300, HMAC 32. */
const ONION_PACKET_SIZE = 1 + 33 + 1300 + 32;
/** 20 hold times of 4 bytes, 210 truncated HMACs of 4 bytes. BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`. */
const ATTRIBUTION_DATA_SIZE = 20 * 4 + 210 * 4;

/** What a TLV of channel_reestablish says of one funding transaction. */
const fundingToResume = struct({ txid, retransmit_flags: u8 });

const openingPoints = {
  funding_pubkey: point("funding"),
  revocation_basepoint: point("revocation_basepoint"),
  payment_basepoint: point("payment_basepoint"),
  delayed_payment_basepoint: point("delayed_payment_basepoint"),
  htlc_basepoint: point("htlc_basepoint"),
  first_per_commitment_point: point("per_commitment"),
};

const openingTlvs = {
  upfront_shutdown_script: tlv(0, restScript),
  channel_type: tlv(1, restBytes),
  pay_extension: tlv(PAY_EXTENSION, flag),
  features: tlv(FEATURES, restBytes),
};

const closing = {
  channel_id: bytes32,
  closer_scriptpubkey: countedScript,
  closee_scriptpubkey: countedScript,
  fee_satoshis: satoshi,
  locktime: u32,
};

const closingTlvs = {
  closer_output_only: tlv(1, signature),
  closee_output_only: tlv(2, signature),
  closer_and_closee_outputs: tlv(3, signature),
};

/**
 * Every message that we speak, under BOLT 2's names (`warning` and `error`: BOLT 1's). The one place that knows a layout: encoding, decoding,
 * the types and the JSON form all follow from it. A length or count before bytes or a list is part of the field.
 */
export const MESSAGES = {
  warning: message(1, { channel_id: bytes32, data: countedBytes }, {}),
  error: message(17, { channel_id: bytes32, data: countedBytes }, {}),
  open_channel: message(
    32,
    {
      chain_hash: bytes32,
      temporary_channel_id: bytes32,
      funding_satoshis: satoshi,
      push_msat: millisatoshi,
      dust_limit_satoshis: satoshi,
      max_htlc_value_in_flight_msat: millisatoshi,
      channel_reserve_satoshis: satoshi,
      htlc_minimum_msat: millisatoshi,
      feerate_per_kw: feeratePerKw,
      to_self_delay: u16,
      max_accepted_htlcs: u16,
      ...openingPoints,
      channel_flags: u8,
    },
    openingTlvs,
  ),
  accept_channel: message(
    33,
    {
      temporary_channel_id: bytes32,
      dust_limit_satoshis: satoshi,
      max_htlc_value_in_flight_msat: millisatoshi,
      channel_reserve_satoshis: satoshi,
      htlc_minimum_msat: millisatoshi,
      minimum_depth: u32,
      to_self_delay: u16,
      max_accepted_htlcs: u16,
      ...openingPoints,
    },
    openingTlvs,
  ),
  funding_created: message(34, { temporary_channel_id: bytes32, funding_txid: txid, funding_output_index: u16, signature }, {}),
  funding_signed: message(35, { channel_id: bytes32, signature }, {}),
  channel_ready: message(36, { channel_id: bytes32, second_per_commitment_point: point("per_commitment") }, { short_channel_id: tlv(1, u64) }),
  shutdown: message(38, { channel_id: bytes32, scriptpubkey: countedScript }, {}),
  closing_signed: message(
    39,
    { channel_id: bytes32, fee_satoshis: satoshi, signature },
    { fee_range: tlv(1, struct({ min_fee_satoshis: satoshi, max_fee_satoshis: satoshi })) },
  ),
  closing_complete: message(40, closing, closingTlvs),
  closing_sig: message(41, closing, closingTlvs),
  update_add_htlc: message(
    128,
    {
      channel_id: bytes32,
      id: u64,
      amount_msat: millisatoshi,
      payment_hash: bytes32,
      cltv_expiry: u32,
      onion_routing_packet: opaque(ONION_PACKET_SIZE),
    },
    // A point, but of a route: it is carried like the onion, not judged.
    { blinded_path: tlv(0, opaque(33)) },
  ),
  update_fulfill_htlc: message(
    130,
    { channel_id: bytes32, id: u64, payment_preimage: bytes32 },
    { attribution_data: tlv(1, opaque(ATTRIBUTION_DATA_SIZE)) },
  ),
  update_fail_htlc: message(131, { channel_id: bytes32, id: u64, reason: countedBytes }, { attribution_data: tlv(1, opaque(ATTRIBUTION_DATA_SIZE)) }),
  commitment_signed: message(132, { channel_id: bytes32, signature, htlc_signatures: countedList(signature) }, { funding_txid: tlv(1, txid) }),
  revoke_and_ack: message(
    133,
    {
      channel_id: bytes32,
      per_commitment_secret: secret("per_commitment"),
      next_per_commitment_point: point("per_commitment"),
    },
    {},
  ),
  update_fee: message(134, { channel_id: bytes32, feerate_per_kw: feeratePerKw }, {}),
  update_fail_malformed_htlc: message(135, { channel_id: bytes32, id: u64, sha256_of_onion: bytes32, failure_code: u16 }, {}),
  channel_reestablish: message(
    136,
    {
      channel_id: bytes32,
      next_commitment_number: u64,
      next_revocation_number: u64,
      your_last_per_commitment_secret: secret("per_commitment"),
      my_current_per_commitment_point: point("per_commitment"),
    },
    { next_funding: tlv(1, fundingToResume), my_current_funding_locked: tlv(5, fundingToResume) },
  ),
  pay: message(PAY, { channel_id: bytes32, id: u64, amount_msat: millisatoshi }, {}),
} as const satisfies Readonly<Record<string, MessageSpec>>;
