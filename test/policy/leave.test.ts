import { describe, expect, test } from "vitest";
import { bytes32, txid } from "../../src/protocol/bytes.js";
import type { Identity } from "../../src/protocol/channel/identify.js";
import type { Standing } from "../../src/protocol/channel/select.js";
import { LnError } from "../../src/protocol/errors.js";
import { broadcastOnlyAllowedChain, broadcastOnlyForceClosed, broadcastOnlyUnmarked } from "../../src/protocol/policy/broadcast.js";
import { bumpOnlyHeld, replacementPaysMore } from "../../src/protocol/policy/bump.js";
import {
  htlcMustBeExpired,
  htlcTxOnlyAfterClose,
  penaltyNeedsRealChannel,
  punishOnlyRevoked,
  sweepOnlyMature,
} from "../../src/protocol/policy/leave.js";
import { demand, waiving, waivingUntil } from "../../src/protocol/policy/rule.js";
import type { Htlc } from "../../src/protocol/tx/spec.js";
import { msat, sat, weight } from "../../src/protocol/units.js";
import { flagged, keeps, OPEN, refuses, verdict } from "./facts.js";

const HTLC: Htlc = { id: 3n, offeredBy: "local", amountMsat: msat(1000n), paymentHash: bytes32(new Uint8Array(32)), cltvExpiry: 500 };

const unknown = (owner: "local" | "remote" | null, number: number | null): Identity => ({ kind: "unknown", owner, number, plain: null });
const held = (owner: "local" | "remote", standing: Standing): Identity => ({ kind: "held", owner, standing, commitment: { number: 7 } }) as Identity;
const revoked = { kind: "revoked", owner: "remote", number: 7, txid: txid(new Uint8Array(32)) } as Identity;
const mutual: Identity = { kind: "mutual", closing: null };

describe("HTLC transactions and sweeps", () => {
  keeps({
    "after force-close": () => htlcTxOnlyAfterClose(flagged({ forceClosed: 0 })),
    "at the height of the expiry": () => htlcMustBeExpired(HTLC, 500),
    "one output that is ripe": () => sweepOnlyMature(1, 100, [90, 110]),
  });
  refuses({
    "before force-close": [
      () => htlcTxOnlyAfterClose(OPEN),
      "policy-htlc-tx-before-close: no commitment of ours was signed for broadcast: force-close first {}",
    ],
    "one block before the expiry": [
      () => htlcMustBeExpired(HTLC, 499),
      `policy-htlc-not-expired: HTLC 3 may be taken back from height 500 on, the chain is at 499 {"id":"3","cltv_expiry":500,"height":499}`,
    ],
    "the expiry of a chain that is nowhere": [
      () => htlcMustBeExpired(HTLC, null),
      `policy-htlc-not-expired: HTLC 3 may be taken back from height 500 on: say with --height where the chain is {"id":"3","cltv_expiry":500,"height":null}`,
    ],
    "the expiry at the first block of a chain that is nowhere": [
      () => htlcMustBeExpired({ ...HTLC, cltvExpiry: 0 }, null),
      `policy-htlc-not-expired: HTLC 3 may be taken back from height 0 on: say with --height where the chain is {"id":"3","cltv_expiry":0,"height":null}`,
    ],
    "outputs that are not ripe": [
      () => sweepOnlyMature(0, 100, [null, 120, 110]),
      `policy-sweep-immature: the first output is spendable from height 110 on: the chain is at 100 {"height":100,"earliest":110}`,
    ],
    "outputs that are not ripe, on a chain that is nowhere": [
      () => sweepOnlyMature(0, null, [120]),
      `policy-sweep-immature: the first output is spendable from height 120 on: say with --height where the chain is {"height":null,"earliest":120}`,
    ],
    "outputs without a confirmation": [
      () => sweepOnlyMature(0, 100, [null, null]),
      `policy-sweep-immature: nothing is spendable without a confirmation: say with --confirmed in which block the commitment is {"height":100,"earliest":null}`,
    ],
    "no outputs": [
      () => sweepOnlyMature(0, null, []),
      `policy-sweep-immature: nothing is spendable without a confirmation: say with --confirmed in which block the commitment is {"height":null,"earliest":null}`,
    ],
  });
});

describe("a penalty", () => {
  keeps({
    "in a real channel": () => penaltyNeedsRealChannel({ purpose: "channel" }),
    "on what is revoked": () => punishOnlyRevoked(revoked),
  });
  refuses({
    "in a test case": [
      () => penaltyNeedsRealChannel({ purpose: "vector" }),
      `policy-vector-channel: this channel is a test case: it is neither published nor punished {"purpose":"vector"}`,
    ],
    "on a stranger's transaction": [
      () => punishOnlyRevoked({ kind: "unrelated" }),
      `policy-penalty-not-revoked: the transaction does not spend this channel's funding output {"identity":"unrelated"}`,
    ],
    "on a mutual close": [
      () => punishOnlyRevoked(mutual),
      `policy-penalty-not-revoked: the transaction is a mutual close, which both sides have signed: there is nothing to punish {"identity":"mutual"}`,
    ],
    "on an old one of our own": [
      () => punishOnlyRevoked(unknown("local", 5)),
      `policy-penalty-not-revoked: this is an old commitment of our own, 5: the peer may punish it, not we {"identity":"own","number":5}`,
    ],
    "on one of our own without a number": [
      () => punishOnlyRevoked(unknown("local", null)),
      `policy-penalty-not-revoked: this is an old commitment of our own: the peer may punish it, not we {"identity":"own","number":null}`,
    ],
    "on what is unknown": [
      () => punishOnlyRevoked(unknown("remote", 9)),
      `policy-penalty-not-revoked: the transaction spends the funding output but is no revoked commitment of the peer's {"identity":"unknown","number":9}`,
    ],
    "on our newest": [
      () => punishOnlyRevoked(held("local", "current")),
      `policy-penalty-not-revoked: this is our own commitment 7 (current), which is not revoked {"owner":"local","number":7,"standing":"current"}`,
    ],
    "on the peer's newest": [
      () => punishOnlyRevoked(held("remote", "current")),
      `policy-penalty-not-revoked: this is the peer's commitment 7 (current), which is not revoked {"owner":"remote","number":7,"standing":"current"}`,
    ],
  });
});

describe("a bump", () => {
  const replaced = (fee: bigint, size: bigint | null) => ({ txid: "ab".repeat(32), fee: sat(fee), weight: size === null ? null : weight(size) });
  const by = (fee: bigint, size: bigint) => ({ fee: sat(fee), weight: weight(size) });
  keeps({
    "of a commitment that is held": () => bumpOnlyHeld(held("remote", "next")),
    "with exactly the least, at a higher feerate": () => replacementPaysMore(by(1200n, 1000n), replaced(1000n, 1000n), sat(1200n)),
    "of what has no weight yet": () => replacementPaysMore(by(1200n, 5000n), replaced(1000n, null), sat(1200n)),
  });
  refuses({
    "of what is revoked": [
      () => bumpOnlyHeld(revoked),
      `policy-bump-not-held: this is the peer's revoked commitment 7: penalty-tx takes all of it {"identity":"revoked"}`,
    ],
    "of what is unknown": [
      () => bumpOnlyHeld(unknown("remote", 9)),
      `policy-bump-not-held: the transaction is no commitment that the state holds {"identity":"unknown"}`,
    ],
    "with 1 sat less than the least": [
      () => replacementPaysMore(by(1199n, 1000n), replaced(1000n, 1000n), sat(1200n)),
      `policy-replacement-underpaid: to replace abababababababababababababababababababababababababababababababab, which pays 1000 sat, takes at least 1200 sat and a higher feerate: this one pays 1199 sat {"replaces":"abababababababababababababababababababababababababababababababab","replaced_fee_sat":"1000","fee_sat":"1199","least_sat":"1200"}`,
    ],
    "at the same feerate": [
      () => replacementPaysMore(by(2000n, 2000n), replaced(1000n, 1000n), sat(1200n)),
      `policy-replacement-underpaid: to replace abababababababababababababababababababababababababababababababab, which pays 1000 sat, takes at least 1200 sat and a higher feerate: this one pays 2000 sat {"replaces":"abababababababababababababababababababababababababababababababab","replaced_fee_sat":"1000","fee_sat":"2000","least_sat":"1200"}`,
    ],
    "at a lower feerate": [
      () => replacementPaysMore(by(2000n, 2001n), replaced(1000n, 1000n), sat(1200n)),
      `policy-replacement-underpaid: to replace abababababababababababababababababababababababababababababababab, which pays 1000 sat, takes at least 1200 sat and a higher feerate: this one pays 2000 sat {"replaces":"abababababababababababababababababababababababababababababababab","replaced_fee_sat":"1000","fee_sat":"2000","least_sat":"1200"}`,
    ],
  });
});

describe("a broadcast", () => {
  keeps({
    "on a test chain": () => broadcastOnlyAllowedChain("signet", false),
    "on the main chain, by wish": () => broadcastOnlyAllowedChain("bitcoin", true),
    "of a report without a mark": () => broadcastOnlyUnmarked(null),
    "of what force-close signed": () => broadcastOnlyForceClosed(flagged({ forceClosed: 7 }), 7),
  });
  refuses({
    "on the main chain": [
      () => broadcastOnlyAllowedChain("bitcoin", false),
      `policy-broadcast-mainnet: the channel is on bitcoin's main chain: say so with --mainnet {"chain":"bitcoin"}`,
    ],
    "of a report with a mark": [
      () => broadcastOnlyUnmarked("a test case"),
      `policy-broadcast-marked: the report is marked as not for broadcast: a test case {"not_for_broadcast":"a test case"}`,
    ],
    "of what force-close did not sign": [
      () => broadcastOnlyForceClosed(flagged({ forceClosed: 7 }), 6),
      `policy-broadcast-unsigned: own commitment 6 was not signed for broadcast here: force-close first {"number":6,"force_closed":7}`,
    ],
    "before force-close": [
      () => broadcastOnlyForceClosed(OPEN, 6),
      `policy-broadcast-unsigned: own commitment 6 was not signed for broadcast here: force-close first {"number":6,"force_closed":null}`,
    ],
  });
});

describe("rules that are waived", () => {
  const broken = () => {
    demand(false, "policy-balance", () => ["broken", {}]);
  };
  const others = () => {
    demand(false, "policy-reserve", () => ["broken", {}]);
  };

  test("do not hold for the action, and do before and after", () => {
    expect(waiving(["policy-balance"], () => [verdict(broken), verdict(others)])).toEqual([null, "policy-reserve: broken {}"]);
    expect(verdict(broken)).toBe("policy-balance: broken {}");
  });

  test("add to those that are waived already", () => {
    const both = waiving(["policy-balance"], () => waiving(["policy-reserve"], () => [verdict(broken), verdict(others)]));
    expect(both).toEqual([null, null]);
    waiving(["policy-balance"], () => {
      waiving(["policy-reserve"], () => undefined);
      expect([verdict(broken), verdict(others)]).toEqual([null, "policy-reserve: broken {}"]);
    });
  });

  test("hold again where the action throws", async () => {
    expect(() => waiving(["policy-balance"], others)).toThrow(LnError);
    expect(verdict(broken)).toBe("policy-balance: broken {}");
    await expect(waivingUntil(["policy-balance"], () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(verdict(broken)).toBe("policy-balance: broken {}");
  });

  test("do not hold until an action has ended that goes on", async () => {
    const later = await waivingUntil(["policy-balance"], () =>
      waivingUntil(["policy-reserve"], async () => {
        await Promise.resolve();
        return [verdict(broken), verdict(others)];
      }),
    );
    expect(later).toEqual([null, null]);
    expect(verdict(broken)).toBe("policy-balance: broken {}");
  });
});
