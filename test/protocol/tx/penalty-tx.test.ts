import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalBytes, fromHex, scriptPubkey } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { p2wpkh, p2wsh, readWitnessSignature } from "../../../src/protocol/script/assemble.js";
import { opposite } from "../../../src/protocol/side.js";
import { SIGHASH_ALL } from "../../../src/protocol/tx/format.js";
import { buildFundingTx } from "../../../src/protocol/tx/funding-tx.js";
import { isRevocable, penaltyClaims } from "../../../src/protocol/tx/penalty-tx.js";
import { sighash, txWeight, verifyHash } from "../../../src/protocol/tx/sign.js";
import { SEQUENCE_RBF, dustThreshold, spendClaims } from "../../../src/protocol/tx/spend.js";
import { perKw, sat } from "../../../src/protocol/units.js";
import { fundingScript } from "../../../src/protocol/script/funding.js";
import { refusal } from "../../json/refusal.js";
import { type Channel, anyChannel, channelOf, secretOf } from "../channels.js";

const HOME = p2wpkh(publicKey(secretOf("home"))).scriptPubkey;
const RATE = fc.bigInt(253n, 20_000n).map(perKw);

/** The fee in thousandths of what the feerate asks for the transaction as it is, rounded up to whole satoshis. */
function perMille(fee: bigint, feerate: bigint, weight: bigint): bigint {
  const asked = (feerate * weight + 999n) / 1000n;
  return (1000n * fee) / asked;
}

function claimsOf({ keys, terms, perCommitmentSecret, commitment }: Channel) {
  return penaltyClaims(commitment, keys[opposite(terms.owner)].revocationBasepointSecret!, perCommitmentSecret);
}

describe("a penalty", () => {
  test("takes every output that the cheater could, with good signatures, at no less than the feerate asked and at most 1 % more", () => {
    fc.assert(
      fc.property(anyChannel, RATE, (channel, feerate) => {
        const { commitment } = channel;
        const claims = claimsOf(channel);
        const revocable = commitment.outputs.flatMap((output, index) => (isRevocable(output) ? [index] : []));
        expect(claims.map(({ outputIndex }) => outputIndex)).toEqual(revocable);
        const total = claims.reduce((sum, { amount }) => sum + amount, 0n);
        fc.pre(claims.length > 0 && total > 100_000n);

        const spend = spendClaims(claims, HOME, feerate, 2);
        const weight = txWeight(spend.tx);
        expect(spend.fee + spend.amount).toBe(total);
        expect(1000n * spend.fee).toBeGreaterThanOrEqual(feerate * weight);
        expect(perMille(spend.fee, feerate, weight)).toBeLessThanOrEqual(1010n);
        expect(spend.feeWeight).toBeGreaterThanOrEqual(weight);
        for (const [input, claim] of claims.entries()) {
          const { signature, sighashType } = readWitnessSignature(spend.tx.ins[input]!.witness[0]!)!;
          expect(sighashType).toBe(SIGHASH_ALL);
          expect(verifyHash(sighash(spend.tx, input, claim, SIGHASH_ALL), commitment.keys.revocationPubkey, signature)).toBe(true);
          expect(spend.tx.ins[input]).toMatchObject({ index: claim.outputIndex, sequence: SEQUENCE_RBF });
          expect(equalBytes(spend.tx.ins[input]!.hash, commitment.txid)).toBe(true);
        }
      }),
    );
  });

  test("leaves to_remote and anchors alone, and outputs that nobody could name", () => {
    const channel = channelOf("anchors");
    const outputs = channel.commitment.outputs.map((output) => (output.kind === "to_local" ? null : output));
    const claims = penaltyClaims({ ...channel.commitment, outputs }, channel.keys.remote.revocationBasepointSecret!, channel.perCommitmentSecret);
    expect(claims.map(({ outputIndex }) => channel.commitment.outputs[outputIndex]!.kind).sort()).toEqual(["offered_htlc", "received_htlc"]);
  });

  test("key-mismatch: with the cheater's own basepoint secret, or the secret of another number", () => {
    const { commitment, keys, perCommitmentSecret } = channelOf("anchors");
    expect(refusal(() => penaltyClaims(commitment, keys.local.revocationBasepointSecret!, perCommitmentSecret)).code).toBe("key-mismatch");
    expect(refusal(() => penaltyClaims(commitment, keys.remote.revocationBasepointSecret!, secretOf("other"))).code).toBe("key-mismatch");
  });
});

describe("spendClaims", () => {
  const claims = claimsOf(channelOf("anchors"));
  const total = claims.reduce((sum, { amount }) => sum + amount, 0n);

  test("tx-output-dust: where the fee leaves too little", () => {
    const { feeWeight } = spendClaims(claims, HOME, perKw(253n), 2);
    const most = perKw(((total - 294n) * 1000n) / feeWeight);
    expect(spendClaims(claims, HOME, most, 2).amount).toBeGreaterThanOrEqual(294n);
    expect(refusal(() => spendClaims(claims, HOME, perKw(most + 1n), 2))).toMatchObject({
      code: "tx-output-dust",
      details: { dust_threshold_sat: "294", inputs_sat: total.toString() },
    });
  });

  test("pays nothing at feerate 0, in the version asked for", () => {
    const { tx, fee, amount } = spendClaims(claims, HOME, perKw(0n), 3);
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

test("a funding transaction pays the feerate asked and at most 1 % more, and all else is change", () => {
  const script = fundingScript(publicKey(secretOf("a")), publicKey(secretOf("b")));
  const secret = secretOf("input");
  const txid = channelOf("anchors").terms.funding.txid;
  fc.assert(
    fc.property(RATE, fc.constantFrom(0 as const, 1 as const), (feerate, fundingOutputIndex) => {
      const input = { txid, outputIndex: 3, amount: sat(20_000_000n), secret };
      const { tx, fee, change } = buildFundingTx({ input, funding: { lock: p2wsh(script), amount: sat(10_000_000n) }, fundingOutputIndex, feerate });
      expect(tx.outs.map(({ value }) => value)).toEqual(fundingOutputIndex === 0 ? [10_000_000n, change] : [change, 10_000_000n]);
      expect(fee + change).toBe(10_000_000n);
      expect(1000n * fee).toBeGreaterThanOrEqual(feerate * txWeight(tx));
      expect(perMille(fee, feerate, txWeight(tx))).toBeLessThanOrEqual(1010n);
    }),
  );
});
