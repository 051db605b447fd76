import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Signature, bytes32, equalBytes, signature } from "../../../src/protocol/bytes.js";
import { LnError } from "../../../src/protocol/errors.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { p2wpkh, readWitnessSignature } from "../../../src/protocol/script/assemble.js";
import { opposite } from "../../../src/protocol/side.js";
import type { Commitment } from "../../../src/protocol/tx/commitment-tx.js";
import { CHANNEL_TYPES } from "../../../src/protocol/tx/channel-type.js";
import { type HtlcTx, buildHtlcTx, buildHtlcTxs } from "../../../src/protocol/tx/htlc-tx.js";
import { parseTransaction } from "../../../src/protocol/tx/parse.js";
import {
  completeCommitment,
  completeHtlcTx,
  signCommitment,
  signHtlcTx,
  txWeight,
  verifyCommitmentSignature,
  verifyHash,
  verifyHtlcSignature,
  htlcSighash,
} from "../../../src/protocol/tx/sign.js";
import { sat } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { type Channel, anyChannel, channelOf, flipBit, secretOf } from "../channels.js";

const fundingSecret = ({ keys, terms }: Channel, who: "owner" | "countersigner") =>
  keys[who === "owner" ? terms.owner : opposite(terms.owner)].fundingPrivkey!;
const htlcSecret = ({ keys, terms }: Channel, who: "owner" | "countersigner") =>
  keys[who === "owner" ? terms.owner : opposite(terms.owner)].htlcBasepointSecret!;

/** A transaction with a bit flipped; null where the bytes are no transaction any more, or one whose meaning is the same. */
function flipped<T extends Commitment | HtlcTx>(built: T, bit: number): T | null {
  try {
    return { ...built, unsigned: parseTransaction(flipBit(built.unsigned.toBuffer(), bit)) };
  } catch (error) {
    if (error instanceof LnError) return null;
    throw error;
  }
}

describe("a commitment's signature", () => {
  test("of the countersigner verifies; the owner's, or one for another number, does not", () => {
    fc.assert(
      fc.property(anyChannel, (channel) => {
        const { commitment } = channel;
        const made = signCommitment(commitment, fundingSecret(channel, "countersigner"));
        expect(verifyCommitmentSignature(commitment, made)).toBe(true);
        expect(verifyCommitmentSignature(commitment, signCommitment(commitment, fundingSecret(channel, "owner")))).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test("is bad for a transaction, an amount or a signature with one bit flipped", () => {
    fc.assert(
      fc.property(anyChannel, fc.nat(8 * 600), fc.nat(511), fc.nat(40), (channel, txBit, signatureBit, amountBit) => {
        const { commitment } = channel;
        const made = signCommitment(commitment, fundingSecret(channel, "countersigner"));
        const near = flipped(commitment, txBit);
        if (near !== null) expect(verifyCommitmentSignature(near, made)).toBe(false);
        expect(verifyCommitmentSignature(commitment, flipBit(made, signatureBit) as Signature)).toBe(false);
        const amount = sat(commitment.terms.funding.amount ^ (1n << BigInt(amountBit)));
        const otherAmount = { ...commitment, terms: { ...commitment.terms, funding: { ...commitment.terms.funding, amount } } };
        expect(verifyCommitmentSignature(otherAmount, made)).toBe(false);
      }),
    );
  });

  test("with a high S is bad", () => {
    const channel = channelOf("anchors");
    const made = signCommitment(channel.commitment, fundingSecret(channel, "countersigner"));
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = BigInt(`0x${Buffer.from(made.subarray(32)).toString("hex")}`);
    const mirrored = Buffer.from((order - s).toString(16).padStart(64, "0"), "hex");
    expect(verifyCommitmentSignature(channel.commitment, signature(Uint8Array.of(...made.subarray(0, 32), ...mirrored)))).toBe(false);
  });

  test("key-mismatch: by neither side's funding key", () => {
    expect(refusal(() => signCommitment(channelOf("anchors").commitment, secretOf("stranger")))).toMatchObject({ code: "key-mismatch" });
  });

  test("completes the transaction, which itself stays unsigned", () => {
    const channel = channelOf("static_remotekey");
    const { commitment } = channel;
    const before = commitment.unsigned.toHex();
    const owner = signCommitment(commitment, fundingSecret(channel, "owner"));
    const countersigner = signCommitment(commitment, fundingSecret(channel, "countersigner"));
    const tx = completeCommitment(commitment, owner, countersigner);
    expect(tx.ins[0]!.witness).toHaveLength(4);
    expect(commitment.unsigned.toHex()).toBe(before);
    expect(equalBytes(tx.getHash(), commitment.txid)).toBe(true);
  });

  test("internal-lock: on a funding output that is no script's hash", () => {
    const channel = channelOf("anchors");
    const made = signCommitment(channel.commitment, fundingSecret(channel, "owner"));
    const wrong = { ...channel.commitment, fundingLock: p2wpkh(channel.commitment.keys.ownerFundingPubkey) };
    expect(refusal(() => completeCommitment(wrong, made, made)).code).toBe("internal-lock");
  });
});

describe("HTLC transactions", () => {
  test("one for each HTLC output, in output order; what it pays goes through the owner's delay", () => {
    fc.assert(
      fc.property(anyChannel, ({ terms, commitment }) => {
        const txs = buildHtlcTxs(commitment);
        expect(txs.map(({ outputIndex }) => outputIndex)).toEqual(
          commitment.outputs.flatMap(({ kind }, index) => (kind.endsWith("_htlc") ? [index] : [])),
        );
        for (const { kind, output, amount, fee, unsigned, lock } of txs) {
          expect(amount + fee).toBe(output.amount);
          expect(amount).toBeGreaterThanOrEqual(terms.dustLimit);
          expect(unsigned.locktime).toBe(kind === "htlc_timeout" ? output.htlc.cltvExpiry : 0);
          expect(unsigned.ins[0]!.sequence).toBe(terms.format.oneBlockDelay);
          expect(lock).toEqual(terms.format.toLocal(commitment.keys, terms.toSelfDelay));
        }
      }),
    );
  });

  test("tx-not-htlc-output: of any other output, or of none", () => {
    const { commitment } = channelOf("anchors");
    for (const [index, { kind }] of commitment.outputs.entries()) {
      if (!kind.endsWith("_htlc")) expect(refusal(() => buildHtlcTx(commitment, index)).code).toBe("tx-not-htlc-output");
    }
    for (const index of [-1, commitment.outputs.length, 0.5]) {
      expect(refusal(() => buildHtlcTx(commitment, index))).toMatchObject({ code: "tx-not-htlc-output", details: { output_index: index } });
    }
  });

  describe.each(CHANNEL_TYPES)("in %s", (type) => {
    const channel = channelOf(type);
    const txs = buildHtlcTxs(channel.commitment);

    test("the countersigner's signature verifies, one flipped bit makes it bad", () => {
      expect(txs.map(({ kind }) => kind).sort()).toEqual(["htlc_success", "htlc_timeout"]);
      for (const htlcTx of txs) {
        const made = signHtlcTx(htlcTx, "countersigner", htlcSecret(channel, "countersigner"));
        expect(verifyHtlcSignature(htlcTx, made)).toBe(true);
        expect(verifyHtlcSignature(htlcTx, signHtlcTx(htlcTx, "owner", htlcSecret(channel, "owner")))).toBe(false);
        for (let bit = 0; bit < 8 * htlcTx.unsigned.toBuffer().length; bit++) {
          const near = flipped(htlcTx, bit);
          if (near !== null) expect(verifyHtlcSignature(near, made), `bit ${bit}`).toBe(false);
        }
        for (let bit = 0; bit < 512; bit += 7) expect(verifyHtlcSignature(htlcTx, flipBit(made, bit) as Signature)).toBe(false);
        const output = { ...htlcTx.output, amount: sat(htlcTx.output.amount + 1n) };
        expect(verifyHtlcSignature({ ...htlcTx, output }, made)).toBe(false);
      }
    });

    test("the owner signs everything, the countersigner as the format has it", () => {
      for (const htlcTx of txs) {
        const preimage = htlcTx.kind === "htlc_success" ? bytes32(new Uint8Array(32).fill(3)) : null;
        const owner = signHtlcTx(htlcTx, "owner", htlcSecret(channel, "owner"));
        const countersigner = signHtlcTx(htlcTx, "countersigner", htlcSecret(channel, "countersigner"));
        const [, first, second, third] = completeHtlcTx(htlcTx, owner, countersigner, preimage).ins[0]!.witness;
        expect(readWitnessSignature(first!)).toEqual({ signature: countersigner, sighashType: channel.terms.format.htlcSighash });
        expect(readWitnessSignature(second!)).toEqual({ signature: owner, sighashType: 1 });
        expect(third).toHaveLength(preimage === null ? 0 : 32);
        expect(verifyHash(htlcSighash(htlcTx, "owner"), channel.commitment.keys.ownerHtlcPubkey, owner)).toBe(true);
      }
    });

    test("internal-lock: on an output that is no script's hash", () => {
      const [htlcTx] = txs;
      const made = signHtlcTx(htlcTx!, "owner", htlcSecret(channel, "owner"));
      const output = { ...htlcTx!.output, lock: p2wpkh(publicKey(secretOf("a"))) };
      expect(refusal(() => completeHtlcTx({ ...htlcTx!, output }, made, made, null)).code).toBe("internal-lock");
    });
  });

  test("weigh no more than the fee is reckoned with", () => {
    for (const type of ["static_remotekey", "anchor_outputs"] as const) {
      const channel = channelOf(type);
      for (const htlcTx of buildHtlcTxs(channel.commitment)) {
        const preimage = htlcTx.kind === "htlc_success" ? bytes32(new Uint8Array(32)) : null;
        const signatures = (["owner", "countersigner"] as const).map((who) => signHtlcTx(htlcTx, who, htlcSecret(channel, who)));
        const tx = completeHtlcTx(htlcTx, signatures[0]!, signatures[1]!, preimage);
        const { format } = channel.terms;
        const reckoned = htlcTx.kind === "htlc_success" ? format.htlcSuccessFeeWeight : format.htlcTimeoutFeeWeight;
        expect(txWeight(tx)).toBeLessThanOrEqual(reckoned + 2n);
      }
    }
  });
});

describe("parseTransaction", () => {
  test("parse ∘ print = id", () => {
    fc.assert(
      fc.property(anyChannel, ({ commitment }) => {
        fc.pre(commitment.outputs.length > 0);
        expect(parseTransaction(commitment.unsigned.toBuffer()).getHash()).toEqual(commitment.unsigned.getHash());
      }),
      { numRuns: 30 },
    );
  });

  test("tx-not-parsed: cut, lengthened, empty", () => {
    const bytes = channelOf("anchors").commitment.unsigned.toBuffer();
    for (const wrong of [bytes.subarray(0, -1), Uint8Array.of(...bytes, 0), new Uint8Array()]) {
      expect(refusal(() => parseTransaction(wrong)).code).toBe("tx-not-parsed");
    }
  });
});
