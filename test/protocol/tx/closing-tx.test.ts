import { describe, expect, test } from "vitest";
import { fromHex, scriptPubkey, toHex, txid } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { p2wsh } from "../../../src/protocol/script/assemble.js";
import { fundingScript } from "../../../src/protocol/script/funding.js";
import { STANDARD_FLAGS } from "../../../src/protocol/script/interpreter/flags.js";
import { verifyInput } from "../../../src/protocol/script/interpreter/verify.js";
import { CLOSING_OUTPUTS, outputsOf, sidesOf } from "../../../src/protocol/tx/closing-terms.js";
import {
  CLOSING_SEQUENCES,
  type ClosingPlan,
  buildClosing,
  closingAmount,
  closingFee,
  closingWeight,
  completeClosing,
  isClosingDust,
  isLesser,
  outputsAbove,
  planClosing,
  signClosing,
  verifyClosing,
  withoutSide,
} from "../../../src/protocol/tx/closing-tx.js";
import { signInputs, signPlan } from "../../../src/protocol/tx/plan.js";
import { txWeight } from "../../../src/protocol/tx/sign.js";
import { msat, perKw, sat } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { partyOf, secretOf } from "../channels.js";

const [ALICE, BOB] = [partyOf("alice"), partyOf("bob")];
const KEYS = { local: ALICE.fundingPrivkey!, remote: BOB.fundingPrivkey! };
const FUNDING_KEYS = { local: publicKey<"funding">(KEYS.local), remote: publicKey<"funding">(KEYS.remote) };
const P2WPKH = scriptPubkey(fromHex(`0014${"22".repeat(20)}`));
const P2WSH = scriptPubkey(fromHex(`0020${"11".repeat(32)}`));
const RETURN = scriptPubkey(fromHex("6a0461626364"));

/** Alice, who pays, 0.06 BTC and a remainder; Bob 0.04 BTC and the rest of it. */
const PLAN: ClosingPlan = {
  kind: "simple",
  payer: "local",
  scripts: { local: P2WPKH, remote: P2WSH },
  feeSatoshis: sat(1000n),
  locktime: 7,
  funding: { txid: txid(new Uint8Array(32).fill(9)), outputIndex: 3, amount: sat(10_000_000n) },
  fundingKeys: FUNDING_KEYS,
  fundingLock: p2wsh(fundingScript(FUNDING_KEYS.local, FUNDING_KEYS.remote)),
  balances: { local: msat(6_000_000_400n), remote: msat(3_999_999_600n) },
};

const outputsIn = (plan: ClosingPlan, variant: (typeof CLOSING_OUTPUTS)[number]) =>
  buildClosing(plan, variant).outputs.map(({ side, amount }) => [side, amount]);

describe("a mutual close", () => {
  test("pays both in satoshis, the fee off the payer's alone, by amount and then by script", () => {
    const both = buildClosing(PLAN, "both");
    expect(both.outputs.map(({ side, amount, scriptPubkey: script }) => [side, amount, toHex(script)])).toEqual([
      ["remote", 3_999_999n, toHex(P2WSH)],
      ["local", 5_999_000n, toHex(P2WPKH)],
    ]);
    expect(both.unsigned.outs.map(({ value }) => value)).toEqual([3_999_999n, 5_999_000n]);
    expect(both.actualFee).toBe(1001n);
    expect(outputsIn({ ...PLAN, payer: "remote" }, "both")).toEqual([
      ["remote", 3_998_999n],
      ["local", 6_000_000n],
    ]);
    const equal = { ...PLAN, balances: { local: msat(5_000_500_000n), remote: msat(4_999_500_000n) } };
    expect(outputsIn(equal, "both")).toEqual([
      ["local", 4_999_500n],
      ["remote", 4_999_500n],
    ]);
    expect(outputsIn({ ...equal, scripts: { local: P2WSH, remote: P2WPKH } }, "both").map(([side]) => side)).toEqual(["remote", "local"]);
  });

  test("spends the funding output, replaceable or not as its negotiation says", () => {
    const { unsigned } = buildClosing(PLAN, "both");
    expect([unsigned.version, unsigned.locktime]).toEqual([2, 7]);
    expect(unsigned.ins).toMatchObject([{ index: 3, sequence: 0xfffffffd }]);
    expect(toHex(unsigned.ins[0]!.hash)).toBe("09".repeat(32));
    expect(buildClosing({ ...PLAN, kind: "legacy" }, "both").unsigned.ins[0]!.sequence).toBe(0xffffffff);
    expect([...CLOSING_SEQUENCES].sort()).toEqual([0xfffffffd, 0xffffffff]);
  });

  test("an output that is left out goes to the fee, and so does what OP_RETURN burns", () => {
    expect(outputsIn(PLAN, "local")).toEqual([["local", 5_999_000n]]);
    expect(outputsIn(PLAN, "remote")).toEqual([["remote", 3_999_999n]]);
    expect(buildClosing(PLAN, "local").actualFee).toBe(4_001_000n);
    const burnt = { ...PLAN, scripts: { ...PLAN.scripts, remote: RETURN } };
    expect(outputsIn(burnt, "both")).toEqual([
      ["remote", 0n],
      ["local", 5_999_000n],
    ]);
    expect([closingAmount(burnt, "remote"), isClosingDust(burnt, "remote")]).toEqual([0n, false]);
    expect(closingAmount({ ...PLAN, feeSatoshis: sat(6_000_001n) }, "local")).toBe(-1n);
  });

  test("dust by the script's own threshold; what is above a limit; who has less", () => {
    const left = (satoshis: bigint): ClosingPlan => ({ ...PLAN, feeSatoshis: sat(6_000_000n - satoshis) });
    expect([293n, 294n].map((amount) => isClosingDust(left(amount), "local"))).toEqual([true, false]);
    expect(isClosingDust(left(0n), "remote")).toBe(false);
    expect([999n, 1000n].map((amount) => outputsAbove(left(amount), sat(1000n)))).toEqual(["remote", "both"]);
    expect(outputsAbove(PLAN, sat(5_000_000n))).toBe("local");
    expect(outputsAbove(PLAN, sat(6_000_000n))).toBeNull();
    expect([isLesser(PLAN, "local"), isLesser(PLAN, "remote")]).toEqual([false, true]);
    const same = { ...PLAN, balances: { local: msat(5n), remote: msat(5n) } };
    expect([isLesser(same, "local"), isLesser(same, "remote")]).toEqual([false, false]);
  });

  test("variants by their sides", () => {
    for (const variant of CLOSING_OUTPUTS) expect(outputsOf(sidesOf(variant))).toBe(variant);
    expect(outputsOf([])).toBeNull();
    expect([withoutSide("both", "local"), withoutSide("both", "remote"), withoutSide("local", "remote")]).toEqual(["remote", "local", "local"]);
    expect(withoutSide("local", "local")).toBeNull();
  });

  test("is good with both signatures, each of which either side can check", () => {
    for (const variant of CLOSING_OUTPUTS) {
      const closing = buildClosing(PLAN, variant);
      const [local, remote] = [signClosing(closing, KEYS.local), signClosing(closing, KEYS.remote)];
      expect([verifyClosing(closing, "local", local), verifyClosing(closing, "remote", remote)]).toEqual([true, true]);
      expect([verifyClosing(closing, "remote", local), verifyClosing(closing, "local", remote)]).toEqual([false, false]);
      const tx = completeClosing(closing, { local, remote });
      const spent = [{ script: PLAN.fundingLock.scriptPubkey, amount: 10_000_000n }];
      expect(verifyInput(tx, 0, spent, STANDARD_FLAGS)).toEqual({ ok: true });
      expect(signPlan(planClosing(closing, remote) as Parameters<typeof signPlan>[0], ALICE).toHex()).toBe(tx.toHex());
      expect(signInputs(planClosing(closing, null), ALICE).map(toHex)).toEqual([toHex(local)]);
      expect(closingWeight(PLAN, variant)).toBeGreaterThanOrEqual(txWeight(tx));
      expect(closingWeight(PLAN, variant) - txWeight(tx)).toBeLessThanOrEqual(2n);
    }
    expect(refusal(() => signClosing(buildClosing(PLAN, "both"), secretOf("somebody")))).toMatchObject({
      code: "key-mismatch",
      details: { what: "funding_privkey" },
    });
  });

  test("its fee is the smallest that is not below the feerate, whatever the fee was before", () => {
    const weight = closingWeight(PLAN, "both");
    expect(closingFee(PLAN, "both", perKw(1000n))).toBe(weight);
    expect(closingFee(PLAN, "both", perKw(1001n))).toBe((weight * 1001n + 999n) / 1000n);
    expect(closingWeight({ ...PLAN, feeSatoshis: sat(9_999_999n) }, "both")).toBe(weight);
    expect(weight - closingWeight(PLAN, "remote")).toBe(4n * 31n);
  });
});
