import { describe, expect, test } from "vitest";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytes32 } from "../../src/protocol/bytes.js";
import type { Change, FundedChannel } from "../../src/protocol/channel/state.js";
import {
  deadlineMustAllow,
  dustMustBeBounded,
  expiryMustBeHeight,
  feeMustBeAgreedOn,
  feeMustBeOpeners,
  feerateMustBeSane,
  htlcMustReachMinimum,
  htlcsMustFit,
  malformedMustSayBadOnion,
  preimageMustMatch,
  requireRemovable,
} from "../../src/protocol/policy/htlcs.js";
import { waiving } from "../../src/protocol/policy/rule.js";
import type { Htlc } from "../../src/protocol/tx/spec.js";
import { msat, perKw } from "../../src/protocol/units.js";
import { keeps, LOCAL_0, OPEN, refuses, REMOTE_0, withChanges, withFunding, withSpecs } from "./facts.js";

const ZERO = bytes32(new Uint8Array(32));
const HASH = bytes32(sha256(ZERO));

const offer = (id: number, amount = 1000n, cltvExpiry = 500) =>
  ({ kind: "add_htlc", id: BigInt(id), amountMsat: msat(amount), paymentHash: HASH, cltvExpiry }) as const;
const add = (id: number, stage: Change["stage"] = "proposed", amount = 1000n): Change => ({ content: offer(id, amount), stage });
const fulfill = (id: number, stage: Change["stage"] = "proposed"): Change => ({
  content: { kind: "fulfill_htlc", id: BigInt(id), paymentPreimage: ZERO },
  stage,
});
const fail = (id: number, stage: Change["stage"] = "proposed"): Change => ({ content: { kind: "fail_htlc", id: BigInt(id) }, stage });
const htlc = (id: number, offeredBy: Htlc["offeredBy"] = "remote", amount = 1000n): Htlc => ({
  id: BigInt(id),
  offeredBy,
  amountMsat: msat(amount),
  paymentHash: HASH,
  cltvExpiry: 500,
});
const holding = (...htlcs: readonly Htlc[]): FundedChannel => withSpecs(OPEN, (spec) => ({ ...spec, htlcs }));
const peerAllows = (limits: Partial<FundedChannel["params"]["remote"]>, state = OPEN): FundedChannel => ({
  ...state,
  params: { ...state.params, remote: { ...state.params.remote, ...limits } },
});
const wanting = (minimum: bigint) => peerAllows({ htlcMinimumMsat: msat(minimum) });

describe("one HTLC", () => {
  keeps({
    "the receiver's minimum": () => htlcMustReachMinimum(wanting(1000n), "local", offer(0)),
    "the highest height": () => expiryMustBeHeight(offer(0, 1n, 499_999_999)),
  });
  refuses({
    "1 msat less": [
      () => htlcMustReachMinimum(wanting(1001n), "local", offer(0)),
      `policy-htlc-minimum: 1000 msat is below the receiver's htlc_minimum_msat of 1001 {"amount_msat":"1000","htlc_minimum_msat":"1001"}`,
    ],
    "a time": [
      () => expiryMustBeHeight(offer(0, 1n, 500_000_000)),
      `policy-htlc-expiry: cltv_expiry 500000000 is not below 500000000: it would be a time {"cltv_expiry":500000000,"limit":500000000}`,
    ],
  });
});

describe("HTLCs of one side together", () => {
  const two = (limits: Partial<FundedChannel["params"]["remote"]>) => withChanges(peerAllows(limits), { local: [add(0), add(1)] });
  const three = (limits: Partial<FundedChannel["params"]["remote"]>) =>
    withChanges(peerAllows(limits, holding(htlc(0, "remote"), htlc(0, "local"))), { local: [add(1)], remote: [add(1)] });
  keeps({
    "as many as the receiver takes": () => htlcsMustFit(two({ maxAcceptedHtlcs: 2 }), "local"),
    "as much as the receiver takes": () => htlcsMustFit(two({ maxHtlcValueInFlightMsat: msat(2000n) }), "local"),
    "those of the other side apart": () => htlcsMustFit(three({ maxAcceptedHtlcs: 2, maxHtlcValueInFlightMsat: msat(2000n) }), "local"),
  });
  refuses({
    "one more": [
      () => htlcsMustFit(two({ maxAcceptedHtlcs: 1 }), "local"),
      `policy-htlc-count: 2 HTLCs exceed the receiver's max_accepted_htlcs of 1 {"htlcs":2,"max_accepted_htlcs":1}`,
    ],
    "1 msat more": [
      () => htlcsMustFit(two({ maxHtlcValueInFlightMsat: msat(1999n) }), "local"),
      `policy-htlc-in-flight: 2000 msat in HTLCs exceed the receiver's max_htlc_value_in_flight_msat of 1999 {"in_flight_msat":"2000","max_htlc_value_in_flight_msat":"1999"}`,
    ],
    "one more than those that are held": [
      () => htlcsMustFit(three({ maxAcceptedHtlcs: 1 }), "local"),
      `policy-htlc-count: 2 HTLCs exceed the receiver's max_accepted_htlcs of 1 {"htlcs":2,"max_accepted_htlcs":1}`,
    ],
  });
});

describe("what dust HTLCs may add up to", () => {
  const limited = (limit: bigint, state: FundedChannel): FundedChannel => ({
    ...state,
    limits: { ...state.limits, maxDustHtlcExposureMsat: msat(limit) },
  });
  keeps({
    "exactly the limit, without those that get an output": () =>
      dustMustBeBounded(limited(3000n, holding(htlc(0), htlc(1, "local", 2000n), htlc(2, "remote", 9_000_000n)))),
  });
  refuses({
    "1 msat more": [
      () => dustMustBeBounded(limited(2999n, holding(htlc(0), htlc(1, "local", 2000n), htlc(2, "remote", 9_000_000n)))),
      `policy-dust-exposure: 3000 msat would stand in trimmed HTLCs of the local commitment, more than 2999 msat {"owner":"local","exposure_msat":"3000","limit_msat":"2999"}`,
    ],
  });
});

describe("which HTLC may be removed", () => {
  const held = holding(htlc(0), htlc(1), htlc(0, "local"));
  keeps({
    "one on both commitments": () => requireRemovable(held, "local", 0n),
    "while another is being removed": () => requireRemovable(withChanges(held, { local: [fulfill(1)] }), "local", 0n),
    "while the peer removes its own of the same id": () => requireRemovable(withChanges(held, { remote: [fulfill(0)] }), "local", 0n),
    "while another is offered": () => requireRemovable(withChanges(held, { remote: [add(2)] }), "local", 0n),
    "while we change something else": () =>
      requireRemovable(withChanges(held, { local: [{ content: { kind: "pay", id: 0n, amountMsat: msat(1n) }, stage: "proposed" }] }), "local", 0n),
    "one on a commitment beside a removal that is over": () =>
      requireRemovable(withChanges(held, { local: [fulfill(0, "irrevocable")] }), "local", 0n),
    "one whose offer is irrevocable": () => requireRemovable(withChanges(held, { remote: [add(0, "irrevocable")] }), "local", 0n),
  });
  refuses({
    "an unknown one": [
      () => requireRemovable(held, "local", 2n),
      `state-htlc-unknown: no HTLC 2 was offered by the remote side {"id":"2","offered_by":"remote"}`,
    ],
    "one of our own": [
      () => requireRemovable(holding(htlc(0, "local")), "local", 0n),
      `state-htlc-unknown: no HTLC 0 was offered by the remote side {"id":"0","offered_by":"remote"}`,
    ],
    "one that is being fulfilled": [
      () => requireRemovable(withChanges(held, { local: [fulfill(0)] }), "local", 0n),
      `policy-htlc-removed-twice: HTLC 0 is being removed already {"id":"0","offered_by":"remote"}`,
    ],
    "one that is being failed": [
      () => requireRemovable(withChanges(held, { local: [fail(0, "countersigned")] }), "local", 0n),
      `policy-htlc-removed-twice: HTLC 0 is being removed already {"id":"0","offered_by":"remote"}`,
    ],
    "one that the peer is removing": [
      () => requireRemovable(withChanges(held, { remote: [fail(0)] }), "remote", 0n),
      `policy-htlc-removed-twice: HTLC 0 is being removed already {"id":"0","offered_by":"local"}`,
    ],
    "one that was only offered": [
      () => requireRemovable(withChanges(holding(), { remote: [add(0)] }), "local", 0n),
      `policy-htlc-not-committed: HTLC 0 is not irrevocably committed on both sides yet {"id":"0","offered_by":"remote"}`,
    ],
    "one whose offer may still be forgotten": [
      () => requireRemovable(withChanges(held, { remote: [add(0, "countersigned")] }), "local", 0n),
      `policy-htlc-not-committed: HTLC 0 is not irrevocably committed on both sides yet {"id":"0","offered_by":"remote"}`,
    ],
    "one that was only offered, by another of its id": [
      () => requireRemovable(withChanges(holding(), { remote: [add(1), add(0)], local: [add(0)] }), "local", 0n),
      `policy-htlc-not-committed: HTLC 0 is not irrevocably committed on both sides yet {"id":"0","offered_by":"remote"}`,
    ],
    "one on our commitment alone": [
      () => requireRemovable(withFunding(OPEN, { local: { current: { ...LOCAL_0, spec: { ...LOCAL_0.spec, htlcs: [htlc(0)] } } } }), "local", 0n),
      `policy-htlc-not-committed: HTLC 0 is not irrevocably committed on both sides yet {"id":"0","offered_by":"remote"}`,
    ],
    "one on the peer's commitment alone": [
      () => requireRemovable(withFunding(OPEN, { remote: { current: { ...REMOTE_0, spec: { ...REMOTE_0.spec, htlcs: [htlc(0)] } } } }), "local", 0n),
      `policy-htlc-not-committed: HTLC 0 is not irrevocably committed on both sides yet {"id":"0","offered_by":"remote"}`,
    ],
  });

  test("with the rule waived, one that was only offered is what its offer says", () => {
    const state = withChanges(holding(), { remote: [add(1, "proposed", 7n), add(0, "proposed", 5n)] });
    expect(waiving(["policy-htlc-not-committed"], () => requireRemovable(state, "local", 0n))).toEqual(htlc(0, "remote", 5n));
  });
});

describe("how an HTLC ends", () => {
  keeps({
    "the preimage": () => preimageMustMatch(htlc(0), ZERO),
    "18 blocks before the end": () => deadlineMustAllow(htlc(0), 482),
    "BADONION among others": () => malformedMustSayBadOnion(0xc005),
  });
  refuses({
    "another preimage": [
      () => preimageMustMatch(htlc(0), HASH),
      `policy-preimage-mismatch: the preimage's hash is not HTLC 0's payment_hash 66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925 {"id":"0","payment_hash":"66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"}`,
    ],
    "17 blocks before the end": [
      () => deadlineMustAllow(htlc(0), 483),
      `policy-htlc-deadline: at height 483 HTLC 0, which expires at 500, has less than 18 blocks left {"id":"0","height":483,"cltv_expiry":500,"margin":18}`,
    ],
    "any other failure": [
      () => malformedMustSayBadOnion(0x4005),
      `policy-badonion: failure_code 0x4005 lacks the BADONION bit {"failure_code":16389}`,
    ],
  });
});

describe("a new feerate", () => {
  const { minFeeratePerKw, maxFeeratePerKw } = OPEN.limits;
  keeps({
    "from the opener": () => feeMustBeOpeners(OPEN, "local"),
    "where the opener pays by one": () => feeMustBeAgreedOn(OPEN),
    "the lowest": () => feerateMustBeSane(OPEN, minFeeratePerKw),
    "the highest": () => feerateMustBeSane(OPEN, maxFeeratePerKw),
  });
  refuses({
    "where nobody pays": [
      () => feeMustBeAgreedOn({ ...OPEN, channelType: "zero_fee_commitments" }),
      `policy-update-fee: the commitments of a zero_fee_commitments channel pay no fee: there is no update_fee {"channel_type":"zero_fee_commitments"}`,
    ],
    "from the other": [
      () => feeMustBeOpeners(OPEN, "remote"),
      `policy-fee-not-opener: only the opener, who pays it, changes the fee {"by":"remote"}`,
    ],
    "below the lowest": [
      () => feerateMustBeSane(OPEN, perKw(minFeeratePerKw - 1n)),
      `policy-feerate-range: feerate_per_kw 252 is not within 253..100000 {"feerate_per_kw":"252","min":"253","max":"100000"}`,
    ],
    "above the highest": [
      () => feerateMustBeSane(OPEN, perKw(maxFeeratePerKw + 1n)),
      `policy-feerate-range: feerate_per_kw 100001 is not within 253..100000 {"feerate_per_kw":"100001","min":"253","max":"100000"}`,
    ],
  });
});
