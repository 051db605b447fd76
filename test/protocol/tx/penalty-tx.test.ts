import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalBytes } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { basepointsOf } from "../../../src/protocol/keys/party-keys.js";
import { p2wpkh, readWitnessSignature } from "../../../src/protocol/script/assemble.js";
import { opposite } from "../../../src/protocol/side.js";
import { SIGHASH_ALL } from "../../../src/protocol/tx/format.js";
import { isRevocable, penaltyClaims } from "../../../src/protocol/tx/penalty-tx.js";
import { sighash, txWeight, verifyHash } from "../../../src/protocol/tx/sign.js";
import { SEQUENCE_RBF, spendClaims } from "../../../src/protocol/tx/spend.js";
import { perKw } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { type Channel, anyChannel, channelOf, secretOf } from "../channels.js";

const HOME = p2wpkh(publicKey(secretOf("home"))).scriptPubkey;
const LOW = perKw(253n);
const RATE = fc.bigInt(253n, 20_000n).map(perKw);

/** The fee in thousandths of what the feerate asks for the transaction as it is, rounded up to whole satoshis. */
function perMille(fee: bigint, feerate: bigint, weight: bigint): bigint {
  const asked = (feerate * weight + 999n) / 1000n;
  return (1000n * fee) / asked;
}

function claimsOf({ keys, terms, perCommitmentSecret, commitment }: Channel) {
  return penaltyClaims(commitment, basepointsOf(keys[opposite(terms.owner)]), perCommitmentSecret);
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

        const spend = spendClaims(claims, channel.keys[opposite(channel.terms.owner)], HOME, feerate, 2);
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
    const claims = penaltyClaims({ ...channel.commitment, outputs }, basepointsOf(channel.keys.remote), channel.perCommitmentSecret);
    expect(claims.map(({ outputIndex }) => channel.commitment.outputs[outputIndex]!.kind).sort()).toEqual(["offered_htlc", "received_htlc"]);
  });

  test("key-mismatch: with the cheater's own basepoint secret, or the secret of another number", () => {
    const { commitment, keys, perCommitmentSecret } = channelOf("anchors");
    expect(refusal(() => spendClaims(penaltyClaims(commitment, basepointsOf(keys.remote), perCommitmentSecret), keys.local, HOME, LOW, 2)).code).toBe(
      "key-mismatch",
    );
    expect(refusal(() => spendClaims(penaltyClaims(commitment, basepointsOf(keys.remote), secretOf("other")), keys.remote, HOME, LOW, 2)).code).toBe(
      "key-mismatch",
    );
  });
});
