import { describe, expect, test } from "vitest";
import { bytes32 } from "../../src/protocol/bytes.js";
import type { Change, FundedChannel } from "../../src/protocol/channel/state.js";
import {
  amountMustBePositive,
  atWorstFor,
  channelMustBeOpen,
  feeSpikeWarning,
  idMustBeNext,
  openerMustAffordFee,
  payMustBeAgreed,
  payerMustHave,
  payerMustKeepReserve,
  pendingMustBeFew,
} from "../../src/protocol/policy/changes.js";
import type { Htlc } from "../../src/protocol/tx/spec.js";
import { msat, perKw } from "../../src/protocol/units.js";
import { keeps, OPEN, refuses, withChanges, withSpecs } from "./facts.js";

const pay = (id: number, stage: Change["stage"] = "proposed", sat = 1n): Change => ({
  content: { kind: "pay", id: BigInt(id), amountMsat: msat(sat * 1000n) },
  stage,
});
const add = (sat: bigint, id = 0n): Change => ({
  content: { kind: "add_htlc", id, amountMsat: msat(sat * 1000n), paymentHash: bytes32(new Uint8Array(32)), cltvExpiry: 500 },
  stage: "proposed",
});
const fee = (feerate: bigint, stage: Change["stage"] = "proposed"): Change => ({
  content: { kind: "update_fee", feeratePerKw: perKw(feerate) },
  stage,
});
const many = (count: number, make: (index: number) => Change): readonly Change[] => Array.from({ length: count }, (_, index) => make(index));

/** Balances in sat, HTLCs on every commitment. */
const holding = (local: bigint, remote: bigint, htlcs: readonly Htlc[] = [], feerate = 2500n): FundedChannel =>
  withSpecs(OPEN, () => ({ feeratePerKw: perKw(feerate), balances: { local: msat(local * 1000n), remote: msat(remote * 1000n) }, htlcs }));
const htlc = (id: bigint, sat: bigint, offeredBy: Htlc["offeredBy"] = "local"): Htlc => ({
  id,
  offeredBy,
  amountMsat: msat(sat * 1000n),
  paymentHash: bytes32(new Uint8Array(32)),
  cltvExpiry: 500,
});
const RESERVE = OPEN.params.remote.channelReserveSatoshis;
/** 2500 × 1124 / 1000 and both anchors. */
const COSTS = 2810n + 660n;
/** 2500 × 172 / 1000 for each HTLC output. */
const PER_HTLC = 430n;

describe("pay, and an open channel", () => {
  keeps({
    "a channel that agreed": () => payMustBeAgreed({ ...OPEN, payExtension: true }),
    "an open one": () => channelMustBeOpen(OPEN),
    "1 msat": () => amountMustBePositive(msat(1n)),
    "the id that is due": () => idMustBeNext(3n, 3n),
  });
  refuses({
    "one that did not": [
      () => payMustBeAgreed({ ...OPEN, payExtension: false }),
      "policy-pay-not-agreed: the two did not agree to `pay` when the channel was opened {}",
    ],
    "one that waits": [
      () => channelMustBeOpen({ ...OPEN, phase: "funded" }),
      `policy-channel-not-open: the channel is funded: both sides' channel_ready come first {"phase":"funded"}`,
    ],
    nothing: [() => amountMustBePositive(msat(0n)), `policy-amount-zero: an amount of 0 msat changes nothing {"amount_msat":"0"}`],
    "an id too high": [() => idMustBeNext(4n, 3n), `policy-change-id: id 4 came where 3 was due {"id":"4","expected":"3"}`],
    "an id again": [() => idMustBeNext(2n, 3n), `policy-change-id: id 2 came where 3 was due {"id":"2","expected":"3"}`],
  });
});

describe("how much may be under way", () => {
  keeps({
    "482 payments": () => pendingMustBeFew(withChanges(OPEN, { local: many(482, pay) }), "local"),
    "HTLCs, which have their own limit": () => pendingMustBeFew(withChanges(OPEN, { local: many(483, (id) => add(1n, BigInt(id))) }), "local"),
    "what is irrevocable": () => pendingMustBeFew(withChanges(OPEN, { local: many(483, (id) => pay(id, "irrevocable")) }), "local"),
    "the other side's": () => pendingMustBeFew(withChanges(OPEN, { remote: many(483, pay) }), "local"),
  });
  refuses({
    "483 payments": [
      () => pendingMustBeFew(withChanges(OPEN, { local: many(483, pay) }), "local"),
      `policy-pending-limit: 483 payments and fee changes of the local side are under way already {"by":"local","pending":483,"limit":483}`,
    ],
    "payments and fees together": [
      () => pendingMustBeFew(withChanges(OPEN, { remote: many(484, (id) => (id % 2 === 0 ? pay(id, "countersigned") : fee(2500n))) }), "remote"),
      `policy-pending-limit: 484 payments and fee changes of the remote side are under way already {"by":"remote","pending":484,"limit":483}`,
    ],
  });
});

describe("who pays has it", () => {
  keeps({
    "all of a balance": () => payerMustHave(OPEN, "remote", msat(4_000_000_000n)),
    "what the other side offers us is no money of ours yet, nor less of it": () =>
      payerMustHave(withChanges(OPEN, { remote: [add(1000n)] }), "local", msat(6_000_000_000n)),
  });
  refuses({
    "1 msat more": [
      () => payerMustHave(OPEN, "remote", msat(4_000_000_001n)),
      `policy-balance: 4000000001 msat exceed the payer's balance of 4000000000 msat {"payer":"remote","owner":"local","amount_msat":"4000000001","balance_msat":"4000000000"}`,
    ],
    "what the other side has only proposed to pay": [
      () => payerMustHave(withChanges(OPEN, { remote: [pay(0, "proposed", 5000n)] }), "local", msat(6_000_000_001n)),
      `policy-balance: 6000000001 msat exceed the payer's balance of 6000000000 msat {"payer":"local","owner":"local","amount_msat":"6000000001","balance_msat":"6000000000"}`,
    ],
    "what was proposed already": [
      () => payerMustHave(withChanges(OPEN, { local: [pay(0)] }), "local", msat(6_000_000_000n)),
      `policy-balance: 6000000000 msat exceed the payer's balance of 5999999000 msat {"payer":"local","owner":"local","amount_msat":"6000000000","balance_msat":"5999999000"}`,
    ],
  });
});

describe("a channel at worst for one side", () => {
  test("keeps of the other's changes those that cost us, and all of our own", () => {
    const ours = [pay(0), add(1n), fee(2500n)];
    const theirs = [pay(0), add(2n), fee(3000n)];
    expect(atWorstFor(withChanges(OPEN, { local: ours, remote: theirs }), "local").changes).toEqual({ local: ours, remote: theirs.slice(1) });
    expect(atWorstFor(withChanges(OPEN, { local: ours, remote: theirs }), "remote").changes).toEqual({ local: ours.slice(1), remote: theirs });
  });
});

describe("the opener can pay fee and anchors", () => {
  keeps({
    "exactly the costs": () => openerMustAffordFee(holding(COSTS, 1n)),
    "the costs of two HTLCs, the third trimmed": () =>
      openerMustAffordFee(holding(COSTS + 2n * PER_HTLC, 1n, [htlc(0n, 9000n), htlc(1n, 9000n), htlc(2n, 300n)])),
  });
  refuses({
    "1 sat less": [
      () => openerMustAffordFee(holding(COSTS - 1n, 1n)),
      `policy-fee-unaffordable: fee and anchors of 3470 sat exceed the opener's balance of 3469 sat on the local commitment {"owner":"local","costs_sat":"3470","balance_sat":"3469","feerate_per_kw":"2500"}`,
    ],
    "1 sat less, two HTLCs": [
      () => openerMustAffordFee(holding(COSTS + 2n * PER_HTLC - 1n, 1n, [htlc(0n, 9000n), htlc(1n, 9000n), htlc(2n, 300n)])),
      `policy-fee-unaffordable: fee and anchors of 4330 sat exceed the opener's balance of 4329 sat on the local commitment {"owner":"local","costs_sat":"4330","balance_sat":"4329","feerate_per_kw":"2500"}`,
    ],
  });
});

describe("the payer keeps its reserve", () => {
  keeps({
    "the opener: reserve and costs": () => payerMustKeepReserve(holding(RESERVE + COSTS, 0n), "local"),
    "the other: the reserve alone": () => payerMustKeepReserve(holding(9_000_000n, OPEN.params.local.channelReserveSatoshis), "remote"),
  });
  refuses({
    "the opener, 1 sat less": [
      () => payerMustKeepReserve(holding(RESERVE + COSTS - 1n, 0n), "local"),
      `policy-reserve: the payer would keep 99999000 msat, less than its reserve of 100000 sat, on the local commitment {"payer":"local","owner":"local","left_msat":"99999000","channel_reserve_satoshis":"100000"}`,
    ],
    "the other, 1 sat less": [
      () => payerMustKeepReserve(holding(9_000_000n, OPEN.params.local.channelReserveSatoshis - 1n), "remote"),
      `policy-reserve: the payer would keep 99999000 msat, less than its reserve of 100000 sat, on the local commitment {"payer":"remote","owner":"local","left_msat":"99999000","channel_reserve_satoshis":"100000"}`,
    ],
  });
});

describe("the fee-spike buffer", () => {
  /** 2 × 2500 × 1124 / 1000 and both anchors. */
  const TWICE = 5620n + 660n;
  test("is there up to the very satoshi", () => {
    expect(feeSpikeWarning(holding(TWICE, 0n))).toBeNull();
    expect(feeSpikeWarning(holding(TWICE - 1n, 0n))).toBe(
      "at twice the feerate the local commitment would cost 6280 sat, the opener keeps 6279 sat: no fee-spike buffer is left",
    );
  });
});
