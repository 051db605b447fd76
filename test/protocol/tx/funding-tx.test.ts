import fc from "fast-check";
import { expect, test } from "vitest";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { p2wsh } from "../../../src/protocol/script/assemble.js";
import { fundingScript } from "../../../src/protocol/script/funding.js";
import { type FundingPlan, buildFundingTx } from "../../../src/protocol/tx/funding-tx.js";
import { txWeight } from "../../../src/protocol/tx/sign.js";
import { perKw, sat } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { channelOf, secretOf } from "../channels.js";

const plan = (inputAmount: bigint, feerate: bigint, fundingOutputIndex: 0 | 1): FundingPlan => ({
  input: { txid: channelOf("anchors").terms.funding.txid, outputIndex: 3, amount: sat(inputAmount), secret: secretOf("input") },
  funding: { lock: p2wsh(fundingScript(publicKey(secretOf("a")), publicKey(secretOf("b")))), amount: sat(10_000_000n) },
  fundingOutputIndex,
  feerate: perKw(feerate),
});

test("pays the feerate asked and at most 1 % more, and all else is change", () => {
  fc.assert(
    fc.property(fc.bigInt(253n, 20_000n), fc.constantFrom(0 as const, 1 as const), (feerate, fundingOutputIndex) => {
      const { tx, fee, change } = buildFundingTx(plan(20_000_000n, feerate, fundingOutputIndex));
      expect(tx.outs.map(({ value }) => value)).toEqual(fundingOutputIndex === 0 ? [10_000_000n, change] : [change, 10_000_000n]);
      expect(fee + change).toBe(10_000_000n);
      const asked = (feerate * txWeight(tx) + 999n) / 1000n;
      expect(fee).toBeGreaterThanOrEqual(asked);
      expect(100n * fee).toBeLessThanOrEqual(101n * asked);
    }),
  );
});

test("tx-output-dust: change of less than 294 sat, or none at all", () => {
  expect(buildFundingTx(plan(10_000_000n + 928n + 294n, 1000n, 0)).change).toBe(294n);
  for (const amount of [10_000_000n + 928n + 293n, 10_000_000n, 1n]) {
    expect(refusal(() => buildFundingTx(plan(amount, 1000n, 0)))).toMatchObject({ code: "tx-output-dust", details: { fee_sat: "928" } });
  }
});
