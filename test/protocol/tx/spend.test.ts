import { describe, expect, test } from "vitest";
import { fromHex, scriptPubkey } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { basepointsOf } from "../../../src/protocol/keys/party-keys.js";
import { p2wpkh } from "../../../src/protocol/script/assemble.js";
import { penaltyClaims } from "../../../src/protocol/tx/penalty-tx.js";
import { dustThreshold, planSpend, spendClaims } from "../../../src/protocol/tx/spend.js";
import { feeAtLeast, perKw, sat } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { channelOf, secretOf } from "../channels.js";

const HOME = p2wpkh(publicKey(secretOf("home"))).scriptPubkey;

describe("spendClaims", () => {
  const { commitment, keys, perCommitmentSecret } = channelOf("anchors");
  const claims = penaltyClaims(commitment, basepointsOf(keys.remote), perCommitmentSecret);
  const total = claims.reduce((sum, { amount }) => sum + amount, 0n);

  test("tx-output-dust: where the fee leaves too little", () => {
    const { feeWeight } = spendClaims(claims, keys.remote, HOME, perKw(253n), 2);
    const most = perKw(((total - 294n) * 1000n) / feeWeight);
    expect(spendClaims(claims, keys.remote, HOME, most, 2).amount).toBeGreaterThanOrEqual(294n);
    expect(refusal(() => spendClaims(claims, keys.remote, HOME, perKw(most + 1n), 2))).toMatchObject({
      code: "tx-output-dust",
      details: { dust_threshold_sat: "294", inputs_sat: total.toString() },
    });
  });

  test("an output of exactly the threshold is made", () => {
    const { feeWeight } = spendClaims(claims, keys.remote, HOME, perKw(253n), 2);
    const some = [{ ...claims[0]!, amount: sat(10_294n) }];
    const { feeWeight: alone } = planSpend(some, HOME, perKw(0n), 2);
    expect(alone).toBeLessThan(feeWeight);
    const rate = perKw((10_000n * 1000n) / alone);
    const { amount, fee } = planSpend([{ ...claims[0]!, amount: sat(294n + feeAtLeast(rate, alone)) }], HOME, rate, 2);
    expect([amount, fee]).toEqual([294n, feeAtLeast(rate, alone)]);
    expect(refusal(() => planSpend([{ ...claims[0]!, amount: sat(293n + feeAtLeast(rate, alone)) }], HOME, rate, 2)).code).toBe("tx-output-dust");
  });

  test("pays nothing at feerate 0, in the version asked for", () => {
    const { tx, fee, amount } = spendClaims(claims, keys.remote, HOME, perKw(0n), 3);
    expect([tx.version, fee, amount]).toEqual([3, 0n, total]);
  });
});

test("dust thresholds by kind of script", () => {
  const threshold = (hex: string): bigint => dustThreshold(scriptPubkey(fromHex(hex)));
  expect(threshold(`76a914${"00".repeat(20)}88ac`)).toBe(546n);
  expect(threshold(`a914${"00".repeat(20)}87`)).toBe(540n);
  expect(threshold(`0014${"00".repeat(20)}`)).toBe(294n);
  expect(threshold(`0020${"00".repeat(32)}`)).toBe(330n);
  expect(threshold(`5120${"00".repeat(32)}`)).toBe(354n);
  expect(threshold("51024e73")).toBe(240n);
  expect(threshold("6a0101")).toBe(0n);
});

test("what only looks like one of those forms has the threshold of an unknown one", () => {
  const nearly = [
    `76a914${"00".repeat(20)}88`,
    `77a914${"00".repeat(20)}88ac`,
    `a914${"00".repeat(20)}`,
    `aa14${"00".repeat(20)}87`,
    `5114${"00".repeat(20)}`,
    `0013${"00".repeat(19)}`,
    `5220${"00".repeat(32)}`,
    `0021${"00".repeat(33)}`,
    "52024e73",
    "51034e73",
    "51024e7300",
    "0002",
  ];
  expect(nearly.map((hex) => [hex, dustThreshold(scriptPubkey(fromHex(hex)))])).toEqual(nearly.map((hex) => [hex, 354n]));
});
