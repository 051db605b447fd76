import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Signature, bytes32, concat, signature, txid } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { basepointsOf } from "../../../src/protocol/keys/party-keys.js";
import { p2wpkh, witnessSignature } from "../../../src/protocol/script/assemble.js";
import { opposite } from "../../../src/protocol/side.js";
import { type BumpPlan, type Wallet, planAnchorBump, planHtlcBump } from "../../../src/protocol/tx/bump.js";
import { buildCommitment } from "../../../src/protocol/tx/commitment-tx.js";
import { CHANNEL_TYPES } from "../../../src/protocol/tx/channel-type.js";
import { SIGHASH_ALL, SIGHASH_SINGLE_ANYONECANPAY } from "../../../src/protocol/tx/format.js";
import { buildHtlcTxs } from "../../../src/protocol/tx/htlc-tx.js";
import { commitmentWeightAtMost, htlcInput, planCommitment } from "../../../src/protocol/tx/owner-plan.js";
import { penaltyClaims } from "../../../src/protocol/tx/penalty-tx.js";
import { completePlan, isOwn } from "../../../src/protocol/tx/plan.js";
import { txWeight, withWitnesses } from "../../../src/protocol/tx/sign.js";
import { type Claim, planSpend, spendClaims } from "../../../src/protocol/tx/spend.js";
import { anchorClaims, htlcTxClaim, remoteHtlcClaims, toLocalClaims, toRemoteClaims } from "../../../src/protocol/tx/sweep-tx.js";
import { walletInput } from "../../../src/protocol/tx/wallet.js";
import { type FeeratePerKw, msat, perKw, sat } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { type Channel, anyChannel, channelOf, secretOf } from "../channels.js";

const HOME = p2wpkh(publicKey(secretOf("home"))).scriptPubkey;
const RATE = fc.bigInt(253n, 50_000n).map(perKw);

/** A signature as any signer might give it: R with or without its highest bit, both with a few leading zeros. */
const anySignature: fc.Arbitrary<Signature> = fc
  .record({ high: fc.boolean(), zeros: fc.constantFrom(0, 0, 0, 1, 2), zerosOfS: fc.constantFrom(0, 0, 0, 1) })
  .map(({ high, zeros, zerosOfS }) => {
    const half = (leading: number, first: number) => new Uint8Array(32).map((_, at) => (at < leading ? 0 : at === leading ? first : 1));
    return signature(concat(half(zeros, high ? 0xff : 0x7f), half(zerosOfS, 0x7f)));
  });
/** One for each input that there may be. */
const anySignatures = fc.array(anySignature, { minLength: 20, maxLength: 20 });

/** Never below the feerate asked for, nor above it by more than 1 % and what rounding to whole satoshis takes. */
function expectFeerate(fee: bigint, weight: bigint, asked: FeeratePerKw): void {
  expect(1000n * fee).toBeGreaterThanOrEqual(asked * weight);
  expect(100_000n * fee).toBeLessThanOrEqual(101n * asked * weight + 100_000n);
}

/** Everything that one side can take of a commitment. */
function claimsOf({ commitment, keys, terms, perCommitmentSecret }: Channel): readonly (readonly Claim[])[] {
  const [owner, countersigner] = [basepointsOf(keys[terms.owner]), basepointsOf(keys[opposite(terms.owner)])];
  return [
    toLocalClaims(commitment, terms.toSelfDelay, owner),
    toRemoteClaims(commitment, terms.format, countersigner),
    buildHtlcTxs(commitment).map((htlcTx) => htlcTxClaim(htlcTx, owner)),
    remoteHtlcClaims(commitment, terms.format, countersigner, (hash) => hash),
    anchorClaims(commitment, owner, "to_local_anchor"),
    penaltyClaims(commitment, countersigner, perCommitmentSecret),
  ];
}

describe("a transaction's feerate is never below the one asked for, and within 1 % of it", () => {
  test("spends of every kind, alone and together, whatever length their signatures have", () => {
    let planned = 0;
    fc.assert(
      fc.property(anyChannel, RATE, anySignatures, (channel, asked, signatures) => {
        const kinds = claimsOf(channel);
        for (const claims of [...kinds, ...kinds.flat().map((claim) => [claim]), kinds.slice(0, 5).flat()]) {
          const total = claims.reduce((sum, { amount }) => sum + amount, 0n);
          if (claims.length === 0 || claims.length > 20 || total < ((600n * asked) / 1000n) * BigInt(claims.length) + 1000n) continue;
          const plan = planSpend(claims, HOME, asked, 2);
          expect(plan.fee + plan.amount).toBe(total);
          expectFeerate(plan.fee, txWeight(completePlan(plan, signatures)), asked);
          planned++;
        }
      }),
      { numRuns: 60 },
    );
    expect(planned).toBeGreaterThan(100);
  });

  test.each(CHANNEL_TYPES)("483 HTLCs of a %s channel taken at once, really signed", (type) => {
    const { terms, number, keys, commitment: small, perCommitmentSecret } = channelOf(type, "remote");
    const preimages = Array.from({ length: 483 }, (_, at) => bytes32(sha256(Uint8Array.of(at >> 8, at & 0xff))));
    const htlcs = preimages.map((preimage, at) => ({
      id: BigInt(at),
      offeredBy: terms.owner,
      amountMsat: msat(20_000_000n),
      paymentHash: bytes32(sha256(preimage)),
      cltvExpiry: 800_000,
    }));
    const spec = { feeratePerKw: perKw(253n), balances: { local: msat(170_000_000n), remote: msat(170_000_000n) }, htlcs };
    const commitment = buildCommitment(terms, number, small.keys.perCommitmentPoint, spec);
    const victim = keys.local;
    const taken = remoteHtlcClaims(
      commitment,
      terms.format,
      basepointsOf(victim),
      (hash) => preimages[Number(htlcs.find(({ paymentHash }) => paymentHash.every((byte, at) => byte === hash[at]))!.id)]!,
    );
    expect(taken).toHaveLength(483);
    for (const asked of [perKw(253n), perKw(10_000n)]) {
      for (const claims of [taken, penaltyClaims(commitment, basepointsOf(victim), perCommitmentSecret)]) {
        const { tx, fee } = spendClaims(claims, victim, HOME, asked, 2);
        expectFeerate(fee, txWeight(tx), asked);
        // Bitcoin Core relays no more
        expect(tx.weight()).toBeLessThan(400_000);
      }
    }
  });
});

const coin = (at: number) => ({ txid: txid(new Uint8Array(32).fill(5)), outputIndex: at, ...walletInput(sat(100_000_000n), HOME) });
const WALLET: Wallet = { coins: [coin(0), coin(1)], change: HOME };

/** Ours with these signatures, the wallet's likewise. */
function signed({ unsigned, inputs }: BumpPlan, signatures: readonly Signature[]) {
  return withWitnesses(
    unsigned,
    inputs.map((input, at) => (isOwn(input) ? input.witness(signatures[at]!) : [witnessSignature(signatures[at]!, SIGHASH_ALL), new Uint8Array(33)])),
  );
}

describe("what a wallet pays for", () => {
  test("a commitment and its child together", () => {
    fc.assert(
      fc.property(anyChannel, RATE, anySignatures, (channel, asked, signatures) => {
        const { commitment, keys, terms } = channel;
        const [anchor] = anchorClaims(commitment, basepointsOf(keys[terms.owner]), "to_local_anchor").filter(({ signer }) => signer !== null);
        const parent = { fee: commitment.actualFee, weight: commitmentWeightAtMost(commitment) };
        fc.pre(anchor !== undefined && parent.fee * 1000n < asked * parent.weight);
        const plan = planAnchorBump(anchor, parent, WALLET, asked, 2);
        const first = completePlan(planCommitment(commitment, signatures[10]!), [signatures[11]!]);
        expectFeerate(parent.fee + plan.fee, txWeight(first) + txWeight(signed(plan, signatures)), asked);
      }),
      { numRuns: 100 },
    );
  });

  test("HTLC transactions as one, of which each output stands beside its input", () => {
    let several = 0;
    fc.assert(
      fc.property(anyChannel, RATE, anySignatures, (channel, asked, signatures) => {
        const { commitment, keys, terms } = channel;
        fc.pre(terms.format.htlcSighash === SIGHASH_SINGLE_ANYONECANPAY);
        const all = buildHtlcTxs(commitment);
        const htlcTxs = all.filter(({ unsigned }) => unsigned.locktime === all[0]!.unsigned.locktime);
        fc.pre(htlcTxs.length > 0);
        const own = basepointsOf(keys[terms.owner]);
        const parts = htlcTxs.map((htlcTx) => ({
          htlcTx,
          input: htlcInput(htlcTx, own, signatures[0]!, htlcTx.kind === "htlc_success" ? bytes32(new Uint8Array(32)) : null),
        }));
        const plan = planHtlcBump(parts, WALLET, asked);
        expectFeerate(plan.fee, txWeight(signed(plan, signatures)), asked);
        for (const [at, { unsigned }] of htlcTxs.entries()) {
          expect(plan.unsigned.outs[at]).toEqual(unsigned.outs[0]);
          expect(plan.unsigned.ins[at]).toMatchObject({ index: unsigned.ins[0]!.index, sequence: unsigned.ins[0]!.sequence });
        }
        expect([plan.unsigned.locktime, plan.unsigned.version]).toEqual([htlcTxs[0]!.unsigned.locktime, htlcTxs[0]!.unsigned.version]);
        if (htlcTxs.length > 1) several++;
      }),
      { numRuns: 100 },
    );
    expect(several).toBeGreaterThan(5);
  });

  test("tx-truc-too-large: the child of a version 3 commitment stays below 1000 vbytes", () => {
    const { commitment, keys } = channelOf("anchors");
    const [anchor] = anchorClaims(commitment, basepointsOf(keys.local), "to_local_anchor").filter(({ signer }) => signer !== null);
    const parent = { fee: sat(0n), weight: commitmentWeightAtMost(commitment) };
    const withCoins = (count: number): Wallet => ({ coins: Array.from({ length: count }, (_, at) => coin(at)), change: HOME });
    const plan = (count: number, version: 2 | 3) => planAnchorBump(anchor!, parent, withCoins(count), perKw(253n), version);
    expect(plan(13, 3).feeWeight).toBeLessThanOrEqual(4000n);
    expect(refusal(() => plan(14, 3)).code).toBe("tx-truc-too-large");
    expect(plan(14, 2).unsigned.ins).toHaveLength(15);
  });
});
