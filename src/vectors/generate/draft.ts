import { sha256 } from "@noble/hashes/sha2.js";
import { displayTxid, toHex, txid } from "../../protocol/bytes.js";
import { MAX_COMMITMENT_NUMBER } from "../../protocol/keys/shachain.js";
import { type Side, SIDES, opposite } from "../../protocol/side.js";
import type { ChannelType } from "../../protocol/tx/channel-type.js";
import { type HtlcDirection, baseFee, trimThreshold } from "../../protocol/tx/fees.js";
import { FORMATS } from "../../protocol/tx/format.js";
import { perKw, sat } from "../../protocol/units.js";
import { integer } from "../case.js";
import type { NumberStream } from "./number-stream.js";

/** A case while recipes work at it. Amounts of HTLCs are theirs; those of the two main outputs are what is left there after the commitment's costs. */
export interface Draft {
  readonly channelType: ChannelType;
  opener: Side;
  number: number;
  feerate: bigint;
  dustLimit: bigint;
  toSelfDelay: number;
  htlcs: DraftHtlc[];
  /** In satoshis, after the fee and the anchors where the side is the opener. */
  main: Record<Side, bigint>;
  /** In satoshis: the opener's balance where it does not bear the costs, which `main` can't say. */
  openerShort: bigint | null;
  /** The millisatoshis that the owner's balance has above whole satoshis; the other side's follow, since all must add up to whole satoshis. */
  remainder: bigint;
}

export interface DraftHtlc {
  direction: HtlcDirection;
  amountMsat: bigint;
  cltvExpiry: number;
  preimage: Uint8Array;
  /** Whether the case says the preimage. */
  told: boolean;
}

const DUST_LIMITS = [354n, 354n, 546n, 573n, 294n, 330n, 1000n, 5000n];
const FEERATES = [253n, 1000n, 2500n, 5000n, 7500n, 15_000n];
const DELAYS = [1, 6, 16, 17, 127, 128, 144, 720, 1008, 2016, 32_767, 32_768, 65_535];
/** Where a script's number gets a byte more, and the last block height. BOLT 2 §Adding an HTLC: `update_add_htlc`. */
const EXPIRIES = [1, 16, 17, 127, 128, 32_767, 32_768, 8_388_607, 8_388_608, 499_999_999];

/** None where commitments pay no fee. */
export function feerateOf(channelType: ChannelType, wanted: bigint): bigint {
  return FORMATS[channelType].hasFeerate ? wanted : 0n;
}

/** Something ordinary for the recipe to change. */
export function anyDraft(stream: NumberStream, channelType: ChannelType): Draft {
  const draft: Draft = {
    channelType,
    opener: stream.pick(SIDES),
    number: stream.integer(0, MAX_COMMITMENT_NUMBER),
    feerate: feerateOf(channelType, stream.pick(FEERATES)),
    dustLimit: stream.pick(DUST_LIMITS),
    toSelfDelay: stream.pick(DELAYS),
    htlcs: [],
    main: { local: stream.between(10_000n, 1_000_000_000n), remote: stream.between(10_000n, 1_000_000_000n) },
    openerShort: null,
    remainder: stream.between(0n, 999n),
  };
  return draft;
}

export function addHtlcs(draft: Draft, stream: NumberStream, count: number): void {
  for (let at = 0; at < count; at++) draft.htlcs.push(anyHtlc(draft, stream));
}

/** Of some amount around what is trimmed, or well above it. */
export function anyHtlc(draft: Draft, stream: NumberStream, direction: HtlcDirection = stream.pick(["offered", "received"])): DraftHtlc {
  const threshold = thresholdOf(draft, direction);
  const satoshis = stream.rarely(4) ? stream.between(1n, 2n * threshold) : stream.between(threshold, threshold + 5_000_000n);
  return {
    direction,
    amountMsat: satoshis * 1000n + stream.between(0n, 999n),
    cltvExpiry: stream.rarely(3) ? stream.pick(EXPIRIES) : stream.integer(500, 900_000),
    preimage: stream.bytes(32),
    told: !stream.rarely(4),
  };
}

/** The smallest amount, in satoshis, that gets an output. */
export function thresholdOf({ channelType, feerate, dustLimit }: Draft, direction: HtlcDirection): bigint {
  return trimThreshold(FORMATS[channelType], perKw(feerate), sat(dustLimit), direction);
}

/** The fee and the anchors, in satoshis. */
export function costsOf(draft: Draft): bigint {
  const format = FORMATS[draft.channelType];
  const untrimmed = draft.htlcs.filter(({ direction, amountMsat }) => amountMsat / 1000n >= thresholdOf(draft, direction)).length;
  return baseFee(format, perKw(draft.feerate), untrimmed) + format.anchorsCost;
}

/** Secret out: both sides' secrets. The draft as the layout's `case`. */
export function inputsOf(draft: Draft, stream: NumberStream) {
  const costs = costsOf(draft);
  const balanceOf = (side: Side): bigint => {
    if (side !== draft.opener) return draft.main[side];
    return draft.openerShort ?? draft.main[side] + costs;
  };
  const local = balanceOf("local") * 1000n + draft.remainder;
  const others = local + draft.htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, 0n);
  const remote = balanceOf("remote") * 1000n + ((1000n - (others % 1000n)) % 1000n);
  return {
    channel_type: draft.channelType,
    funding_txid: displayTxid(txid(stream.bytes(32))),
    funding_output_index: stream.rarely(8) ? 65_535 : stream.integer(0, 3),
    funding_satoshi: integer((others + remote) / 1000n),
    commitment_number: draft.number,
    opener: draft.opener,
    to_self_delay: draft.toSelfDelay,
    dust_limit_satoshis: integer(draft.dustLimit),
    feerate_per_kw: Number(draft.feerate),
    to_local_msat: integer(local),
    to_remote_msat: integer(remote),
    htlcs: draft.htlcs.map(({ direction, amountMsat, cltvExpiry, preimage, told }) => ({
      direction,
      amount_msat: integer(amountMsat),
      cltv_expiry: cltvExpiry,
      payment_hash: toHex(sha256(preimage)),
      ...(told ? { payment_preimage: toHex(preimage) } : {}),
    })),
    local: secretsFrom(stream),
    remote: secretsFrom(stream),
  };
}

/** Secret out. 32 bytes are outside of the group's range less often than once in 2^127 draws. */
function secretsFrom(stream: NumberStream) {
  const secret = (): string => toHex(stream.bytes(32));
  return {
    funding_privkey: secret(),
    revocation_basepoint_secret: secret(),
    payment_basepoint_secret: secret(),
    delayed_payment_basepoint_secret: secret(),
    htlc_basepoint_secret: secret(),
    per_commitment_seed: secret(),
  };
}

/** The side that does not pay. */
export function accepterOf({ opener }: Draft): Side {
  return opposite(opener);
}
