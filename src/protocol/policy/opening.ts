import { FORMATS } from "../tx/format.js";
import { CHANNEL_TYPES, type ChannelType } from "../tx/channel-type.js";
import type { Limits, PartyParams } from "../channel/params.js";
import type { Side } from "../side.js";
import { baseFee } from "../tx/fees.js";
import { type FeeratePerKw, type MilliSatoshi, type Satoshi, MSAT_PER_SAT } from "../units.js";
import { demand } from "./rule.js";

/** The smallest dust limit by which every standard output is relayed. BOLT 2 §The `open_channel` Message. */
const MIN_DUST_LIMIT = 354n;

/** Funding from here on needs `option_support_large_channel`, which is not ours to offer. BOLT 2 §The `open_channel` Message. */
const LARGE_CHANNEL = 1n << 24n;

/** What both sides must find true of a channel before it exists. */
export interface Proposal {
  readonly channelType: ChannelType;
  readonly opener: Side;
  readonly fundingSatoshis: Satoshi;
  readonly pushMsat: MilliSatoshi;
  readonly feeratePerKw: FeeratePerKw;
}

/** Rules about the channel itself, checked by whoever proposes and by whoever accepts. BOLT 2 §The `open_channel` Message. */
export function checkProposal(proposal: Proposal, limits: Limits): void {
  const { fundingSatoshis, pushMsat } = proposal;
  demand(fundingSatoshis < LARGE_CHANNEL, "policy-funding-too-large", () => [
    `funding of ${fundingSatoshis} sat is not below 2^24 sat`,
    { funding_satoshis: fundingSatoshis.toString() },
  ]);
  demand(pushMsat <= fundingSatoshis * MSAT_PER_SAT, "policy-push-exceeds-funding", () => [
    `push_msat ${pushMsat} exceeds the funding of ${fundingSatoshis} sat`,
    { push_msat: pushMsat.toString(), funding_satoshis: fundingSatoshis.toString() },
  ]);
  checkFeerate(proposal, limits);
  const costs = firstCosts(proposal);
  const openerSat = fundingSatoshis - (pushMsat + MSAT_PER_SAT - 1n) / MSAT_PER_SAT;
  demand(openerSat >= costs, "policy-initial-fee-unaffordable", () => [
    `the first commitment costs ${costs} sat, the opener has ${openerSat} sat`,
    { costs_sat: costs.toString(), balance_sat: openerSat.toString() },
  ]);
}

/** Within what this party agrees to; 0 where commitments pay no fee, whatever that is. */
function checkFeerate({ channelType, feeratePerKw }: Proposal, limits: Limits): void {
  if (!FORMATS[channelType].hasFeerate) {
    demand(feeratePerKw === 0n, "policy-feerate-not-zero", () => [
      `feerate_per_kw is ${feeratePerKw}: the commitments of a ${channelType} channel pay no fee`,
      { feerate_per_kw: feeratePerKw.toString(), channel_type: channelType },
    ]);
    return;
  }
  demand(feeratePerKw >= limits.minFeeratePerKw && feeratePerKw <= limits.maxFeeratePerKw, "policy-feerate-range", () => [
    `feerate_per_kw ${feeratePerKw} is not within ${limits.minFeeratePerKw}..${limits.maxFeeratePerKw}`,
    { feerate_per_kw: feeratePerKw.toString(), min: limits.minFeeratePerKw.toString(), max: limits.maxFeeratePerKw.toString() },
  ]);
}

/** What commitment 0 takes of the opener's balance. BOLT 3 §Fee Payment. */
function firstCosts({ channelType, feeratePerKw }: Proposal): bigint {
  const format = FORMATS[channelType];
  return baseFee(format, feeratePerKw, 0) + format.anchorsCost;
}

/** The peer's own figures. BOLT 2 §The `open_channel` Message. */
export function checkPeerParams(peer: PartyParams, limits: Limits): void {
  demand(peer.toSelfDelay <= limits.maxToSelfDelay, "policy-delay-too-long", () => [
    `to_self_delay ${peer.toSelfDelay} blocks exceeds ${limits.maxToSelfDelay}`,
    { to_self_delay: peer.toSelfDelay, limit: limits.maxToSelfDelay },
  ]);
  demand(peer.toSelfDelay >= 1, "policy-delay-zero", () => [
    "to_self_delay is 0: a revoked commitment could not be punished in time",
    { to_self_delay: 0 },
  ]);
  demand(peer.dustLimitSatoshis >= MIN_DUST_LIMIT, "policy-dust-limit-too-small", () => [
    `dust_limit_satoshis ${peer.dustLimitSatoshis} is below ${MIN_DUST_LIMIT}`,
    { dust_limit_satoshis: peer.dustLimitSatoshis.toString() },
  ]);
  demand(peer.dustLimitSatoshis <= limits.maxDustLimitSatoshis, "policy-dust-limit-too-large", () => [
    `dust_limit_satoshis ${peer.dustLimitSatoshis} exceeds ${limits.maxDustLimitSatoshis}`,
    { dust_limit_satoshis: peer.dustLimitSatoshis.toString(), limit: limits.maxDustLimitSatoshis.toString() },
  ]);
  demand(peer.dustLimitSatoshis <= peer.channelReserveSatoshis, "policy-dust-limit-above-reserve", () => [
    `dust_limit_satoshis ${peer.dustLimitSatoshis} exceeds channel_reserve_satoshis ${peer.channelReserveSatoshis}`,
    { dust_limit_satoshis: peer.dustLimitSatoshis.toString(), channel_reserve_satoshis: peer.channelReserveSatoshis.toString() },
  ]);
}

/** At most as many HTLCs as the format allows. BOLT 2 §The `open_channel` Message. */
export function checkMaxAcceptedHtlcs(peer: PartyParams, channelType: ChannelType): void {
  const { maxAcceptedHtlcs } = FORMATS[channelType];
  demand(peer.maxAcceptedHtlcs <= maxAcceptedHtlcs, "policy-max-accepted-htlcs", () => [
    `max_accepted_htlcs ${peer.maxAcceptedHtlcs} exceeds ${maxAcceptedHtlcs}`,
    { max_accepted_htlcs: peer.maxAcceptedHtlcs, limit: maxAcceptedHtlcs },
  ]);
}

/** Each side's reserve is above the other's dust limit, so that a cheater always has an output to lose. BOLT 2 §The `accept_channel` Message. */
export function checkReserves(a: PartyParams, b: PartyParams): void {
  for (const [mine, other] of [
    [a, b],
    [b, a],
  ] as const) {
    demand(mine.channelReserveSatoshis >= other.dustLimitSatoshis, "policy-reserve-below-dust", () => [
      `channel_reserve_satoshis ${mine.channelReserveSatoshis} is below the other side's dust_limit_satoshis ${other.dustLimitSatoshis}`,
      { channel_reserve_satoshis: mine.channelReserveSatoshis.toString(), dust_limit_satoshis: other.dustLimitSatoshis.toString() },
    ]);
  }
}

/** At least one side starts above the reserve demanded of it, the opener after fee and anchors. BOLT 2 §The `open_channel` Message. */
export function checkInitialBalances(proposal: Proposal, reserve: Satoshi): void {
  const { fundingSatoshis, pushMsat } = proposal;
  const opener = fundingSatoshis * MSAT_PER_SAT - pushMsat - firstCosts(proposal) * MSAT_PER_SAT;
  const above = opener > reserve * MSAT_PER_SAT || pushMsat > reserve * MSAT_PER_SAT;
  demand(above, "policy-initial-balances", () => [
    `neither ${opener} msat nor ${pushMsat} msat is above the reserve of ${reserve} sat`,
    { opener_msat: opener.toString(), accepter_msat: pushMsat.toString(), channel_reserve_satoshis: reserve.toString() },
  ]);
}

/** The answer repeats what was proposed. BOLT 2 §The `accept_channel` Message. */
export function checkSameChannelType(proposed: ChannelType, answered: ChannelType | null): void {
  demand(proposed === answered, "policy-channel-type", () => [
    `channel_type ${answered ?? "unknown"} is not the proposed ${proposed}`,
    { proposed, answered: answered ?? "unknown" },
  ]);
}

/** Throws: policy-channel-type. BOLT 2 §Defined Channel Types. */
export function requireKnownChannelType(type: ChannelType | null): ChannelType {
  demand(type !== null, "policy-channel-type", () => [`channel_type is none of ${CHANNEL_TYPES.join(", ")}`, { answered: "unknown" }]);
  return type as ChannelType;
}
