import { scriptPubkey } from "../../protocol/bytes.js";
import { CHAINS, FEATURES, type Feature, type Limits } from "../../protocol/channel/params.js";
import type { OwnTerms } from "../../protocol/channel/transitions/opening.js";
import { FORMATS } from "../../protocol/tx/format.js";
import { type ChannelType } from "../../protocol/tx/channel-type.js";
import { type MilliSatoshi, type Satoshi, msat, perKw, sat, toMsat } from "../../protocol/units.js";
import { type FlagValues, amountMsat, amountSat, feerate, flag, hex, integer, oneOf, toggle } from "./options.js";

/** What a party sets for itself and imposes on the peer, and what it takes from a peer. */
export const openingFlags = {
  chain: flag("--chain <name>", `${CHAINS.join(", ")} (default: regtest)`, oneOf(CHAINS)),
  dustLimit: flag("--dust-limit <amount>", "smallest output on our commitment (default: 354sat)", amountSat),
  reserve: flag("--reserve <amount>", "what the peer must keep (default: 1 % of the funding, at least 354sat)", amountSat),
  toSelfDelay: flag("--to-self-delay <blocks>", "how long the peer waits for its own money (default: 144)", integer(1, 0xffff)),
  htlcMinimum: flag("--htlc-minimum <amount>", "smallest HTLC from the peer (default: 1msat)", amountMsat),
  maxInFlight: flag("--max-in-flight <amount>", "most value in the peer's HTLCs (default: the funding)", amountMsat),
  maxAcceptedHtlcs: flag("--max-accepted-htlcs <count>", "most HTLCs from the peer (default: what the format allows)", integer(0, 0xffff)),
  upfrontShutdownScript: flag("--upfront-shutdown-script <hex>", "the only script that a mutual close may pay us to", (value) =>
    scriptPubkey(hex(value)),
  ),
  minFeerate: flag("--min-feerate <sat_per_kw>", "lowest feerate agreed to (default: 253)", feerate),
  maxFeerate: flag("--max-feerate <sat_per_kw>", "highest feerate agreed to (default: 100000)", feerate),
  maxToSelfDelay: flag("--max-to-self-delay <blocks>", "longest delay taken from the peer (default: 2016)", integer(1, 0xffff)),
  maxDustLimit: flag("--max-dust-limit <amount>", "highest dust limit taken from the peer (default: 10000sat)", amountSat),
  maxDustExposure: flag("--max-dust-exposure <amount>", "most value in trimmed HTLCs (default: 50000sat)", amountMsat),
  withoutSimpleClose: toggle("--without-simple-close", "do not agree to option_simple_close: a mutual close is negotiated by closing_signed"),
  withoutAnysegwit: toggle(
    "--without-anysegwit",
    "do not agree to option_shutdown_anysegwit: a mutual close pays to witness version 0 alone, and is no simple one",
  ),
  withoutPay: toggle("--without-pay", "do not agree to chankit's direct balance shift"),
};

type OpeningOptions = FlagValues<typeof openingFlags>;

/** The dust limit below which outputs of every kind may not be relayed. BOLT 2 §The `open_channel` Message. */
const DEFAULT_DUST_LIMIT = sat(354n);

export function ownTerms(o: OpeningOptions, channelType: ChannelType, funding: Satoshi): OwnTerms {
  const onePercent = funding / 100n;
  return {
    dustLimitSatoshis: o.dustLimit ?? DEFAULT_DUST_LIMIT,
    channelReserveSatoshis: o.reserve ?? sat(onePercent > DEFAULT_DUST_LIMIT ? onePercent : DEFAULT_DUST_LIMIT),
    toSelfDelay: o.toSelfDelay ?? 144,
    htlcMinimumMsat: o.htlcMinimum ?? msat(1n),
    maxHtlcValueInFlightMsat: o.maxInFlight ?? toMsat(funding),
    maxAcceptedHtlcs: o.maxAcceptedHtlcs ?? FORMATS[channelType].maxAcceptedHtlcs,
    upfrontShutdownScript: o.upfrontShutdownScript ?? null,
  };
}

export function ownFeatures(o: OpeningOptions): readonly Feature[] {
  if (o.withoutAnysegwit === true) return [];
  return FEATURES.filter((feature) => feature !== "option_simple_close" || o.withoutSimpleClose !== true);
}

export function ownLimits(o: OpeningOptions): Limits {
  return {
    minFeeratePerKw: o.minFeerate ?? perKw(253n),
    maxFeeratePerKw: o.maxFeerate ?? perKw(100_000n),
    maxToSelfDelay: o.maxToSelfDelay ?? 2016,
    maxDustLimitSatoshis: o.maxDustLimit ?? sat(10_000n),
    maxDustHtlcExposureMsat: o.maxDustExposure ?? (50_000_000n as MilliSatoshi),
  };
}
