import { describe } from "vitest";
import {
  checkInitialBalances,
  checkMaxAcceptedHtlcs,
  checkPeerParams,
  checkProposal,
  checkReserves,
  checkSameChannelType,
  requireKnownChannelType,
  type Proposal,
} from "../../src/protocol/policy/opening.js";
import type { Limits, PartyParams } from "../../src/protocol/channel/params.js";
import { msat, perKw, sat } from "../../src/protocol/units.js";
import { type Act, keeps, OPEN, refuses } from "./facts.js";

const LIMITS: Limits = OPEN.limits;
const PROPOSAL: Proposal = {
  channelType: "anchors",
  opener: "local",
  fundingSatoshis: sat(100_000n),
  pushMsat: msat(0n),
  feeratePerKw: perKw(2500n),
};
/** 2500 × 1124 / 1000 and both anchors. */
const COSTS = 2810n + 660n;
const propose =
  (change: Partial<Proposal>): Act =>
  () =>
    checkProposal({ ...PROPOSAL, ...change }, LIMITS);
const peer =
  (change: Partial<PartyParams>): Act =>
  () =>
    checkPeerParams({ ...OPEN.params.remote, ...change }, LIMITS);
const reserves =
  (a: Partial<PartyParams>, b: Partial<PartyParams>): Act =>
  () =>
    checkReserves({ ...OPEN.params.local, ...a }, { ...OPEN.params.remote, ...b });
const balances =
  (fundingSatoshis: bigint, pushMsat: bigint, reserve: bigint): Act =>
  () =>
    checkInitialBalances({ ...PROPOSAL, fundingSatoshis: sat(fundingSatoshis), pushMsat: msat(pushMsat) }, sat(reserve));

describe("what is proposed", () => {
  keeps({
    "as much as a channel may hold": propose({ fundingSatoshis: sat(2n ** 24n - 1n) }),
    "what the opener has left, to the satoshi": propose({ pushMsat: msat((100_000n - COSTS) * 1000n) }),
    "the lowest feerate": propose({ feeratePerKw: LIMITS.minFeeratePerKw }),
    "feerate 0 where commitments pay none, all of it pushed": propose({
      channelType: "zero_fee_commitments",
      feeratePerKw: perKw(0n),
      pushMsat: msat(100_000_000n),
    }),
    "the highest feerate": propose({ feeratePerKw: LIMITS.maxFeeratePerKw, fundingSatoshis: sat(2n ** 24n - 1n) }),
  });
  refuses({
    "1 sat more": [
      propose({ fundingSatoshis: sat(2n ** 24n) }),
      `policy-funding-too-large: funding of 16777216 sat is not below 2^24 sat {"funding_satoshis":"16777216"}`,
    ],
    "1 msat more than all": [
      propose({ pushMsat: msat(100_000_001n) }),
      `policy-push-exceeds-funding: push_msat 100000001 exceeds the funding of 100000 sat {"push_msat":"100000001","funding_satoshis":"100000"}`,
    ],
    "all of it, with nothing left for the fee": [
      propose({ pushMsat: msat(100_000_000n) }),
      `policy-initial-fee-unaffordable: the first commitment costs 3470 sat, the opener has 0 sat {"costs_sat":"3470","balance_sat":"0"}`,
    ],
    "1 msat of the fee, which takes a whole satoshi": [
      propose({ pushMsat: msat((100_000n - COSTS) * 1000n + 1n) }),
      `policy-initial-fee-unaffordable: the first commitment costs 3470 sat, the opener has 3469 sat {"costs_sat":"3470","balance_sat":"3469"}`,
    ],
    "a feerate below the lowest": [
      propose({ feeratePerKw: perKw(LIMITS.minFeeratePerKw - 1n) }),
      `policy-feerate-range: feerate_per_kw 252 is not within 253..100000 {"feerate_per_kw":"252","min":"253","max":"100000"}`,
    ],
    "a feerate above the highest": [
      propose({ feeratePerKw: perKw(LIMITS.maxFeeratePerKw + 1n) }),
      `policy-feerate-range: feerate_per_kw 100001 is not within 253..100000 {"feerate_per_kw":"100001","min":"253","max":"100000"}`,
    ],
    "a feerate where commitments pay none": [
      propose({ channelType: "zero_fee_commitments", feeratePerKw: perKw(253n) }),
      `policy-feerate-not-zero: feerate_per_kw is 253: the commitments of a zero_fee_commitments channel pay no fee {"feerate_per_kw":"253","channel_type":"zero_fee_commitments"}`,
    ],
  });
});

describe("the peer's figures", () => {
  const { maxToSelfDelay, maxDustLimitSatoshis } = LIMITS;
  keeps({
    "the longest delay": peer({ toSelfDelay: maxToSelfDelay }),
    "the shortest delay": peer({ toSelfDelay: 1 }),
    "the smallest dust limit": peer({ dustLimitSatoshis: sat(354n) }),
    "the largest dust limit": peer({ dustLimitSatoshis: maxDustLimitSatoshis }),
    "a dust limit that equals the reserve": peer({ dustLimitSatoshis: sat(400n), channelReserveSatoshis: sat(400n) }),
    "114 HTLCs, as many as a version 3 transaction has room for": () =>
      checkMaxAcceptedHtlcs({ ...OPEN.params.remote, maxAcceptedHtlcs: 114 }, "zero_fee_commitments"),
    "483 HTLCs": () => checkMaxAcceptedHtlcs({ ...OPEN.params.remote, maxAcceptedHtlcs: 483 }, "anchors"),
    "reserves that equal the dust limits": reserves(
      { channelReserveSatoshis: sat(400n), dustLimitSatoshis: sat(500n) },
      { channelReserveSatoshis: sat(500n), dustLimitSatoshis: sat(400n) },
    ),
    "the type that was proposed": () => checkSameChannelType("anchors", "anchors"),
    "a type that we know": () => requireKnownChannelType("legacy"),
  });
  refuses({
    "a longer delay": [
      peer({ toSelfDelay: maxToSelfDelay + 1 }),
      `policy-delay-too-long: to_self_delay 2017 blocks exceeds 2016 {"to_self_delay":2017,"limit":2016}`,
    ],
    "no delay": [
      peer({ toSelfDelay: 0 }),
      `policy-delay-zero: to_self_delay is 0: a revoked commitment could not be punished in time {"to_self_delay":0}`,
    ],
    "a smaller dust limit": [
      peer({ dustLimitSatoshis: sat(353n) }),
      `policy-dust-limit-too-small: dust_limit_satoshis 353 is below 354 {"dust_limit_satoshis":"353"}`,
    ],
    "a larger dust limit": [
      peer({ dustLimitSatoshis: sat(maxDustLimitSatoshis + 1n) }),
      `policy-dust-limit-too-large: dust_limit_satoshis 10001 exceeds 10000 {"dust_limit_satoshis":"10001","limit":"10000"}`,
    ],
    "a dust limit above the reserve": [
      peer({ dustLimitSatoshis: sat(401n), channelReserveSatoshis: sat(400n) }),
      `policy-dust-limit-above-reserve: dust_limit_satoshis 401 exceeds channel_reserve_satoshis 400 {"dust_limit_satoshis":"401","channel_reserve_satoshis":"400"}`,
    ],
    "115 HTLCs in version 3 transactions": [
      () => checkMaxAcceptedHtlcs({ ...OPEN.params.remote, maxAcceptedHtlcs: 115 }, "zero_fee_commitments"),
      `policy-max-accepted-htlcs: max_accepted_htlcs 115 exceeds 114 {"max_accepted_htlcs":115,"limit":114}`,
    ],
    "484 HTLCs": [
      () => checkMaxAcceptedHtlcs({ ...OPEN.params.remote, maxAcceptedHtlcs: 484 }, "anchors"),
      `policy-max-accepted-htlcs: max_accepted_htlcs 484 exceeds 483 {"max_accepted_htlcs":484,"limit":483}`,
    ],
    "the first's reserve below the other's dust limit": [
      reserves({ channelReserveSatoshis: sat(399n) }, { dustLimitSatoshis: sat(400n) }),
      `policy-reserve-below-dust: channel_reserve_satoshis 399 is below the other side's dust_limit_satoshis 400 {"channel_reserve_satoshis":"399","dust_limit_satoshis":"400"}`,
    ],
    "the second's reserve below the other's dust limit": [
      reserves({ dustLimitSatoshis: sat(500n) }, { channelReserveSatoshis: sat(499n) }),
      `policy-reserve-below-dust: channel_reserve_satoshis 499 is below the other side's dust_limit_satoshis 500 {"channel_reserve_satoshis":"499","dust_limit_satoshis":"500"}`,
    ],
    "another type": [
      () => checkSameChannelType("anchors", "legacy"),
      `policy-channel-type: channel_type legacy is not the proposed anchors {"proposed":"anchors","answered":"legacy"}`,
    ],
    "an unknown type in answer": [
      () => checkSameChannelType("anchors", null),
      `policy-channel-type: channel_type unknown is not the proposed anchors {"proposed":"anchors","answered":"unknown"}`,
    ],
    "an unknown type": [
      () => requireKnownChannelType(null),
      `policy-channel-type: channel_type is none of legacy, static_remotekey, anchor_outputs, anchors, zero_fee_commitments {"answered":"unknown"}`,
    ],
  });
});

describe("the balances to begin with", () => {
  keeps({
    "the opener 1 msat above its reserve": balances(10_000n + COSTS + 1n, 999n, 10_000n),
    "the accepter 1 msat above its reserve": balances(20_000n, 10_000_001n, 10_000n),
  });
  refuses({
    "the opener at its reserve": [
      balances(10_000n + COSTS, 0n, 10_000n),
      `policy-initial-balances: neither 10000000 msat nor 0 msat is above the reserve of 10000 sat {"opener_msat":"10000000","accepter_msat":"0","channel_reserve_satoshis":"10000"}`,
    ],
    "the accepter at its reserve": [
      balances(20_000n, 10_000_000n, 10_000n),
      `policy-initial-balances: neither 6530000 msat nor 10000000 msat is above the reserve of 10000 sat {"opener_msat":"6530000","accepter_msat":"10000000","channel_reserve_satoshis":"10000"}`,
    ],
    "the opener above it but for what is pushed": [
      balances(10_000n + COSTS + 1n, 1000n, 10_000n),
      `policy-initial-balances: neither 10000000 msat nor 1000 msat is above the reserve of 10000 sat {"opener_msat":"10000000","accepter_msat":"1000","channel_reserve_satoshis":"10000"}`,
    ],
  });
});
