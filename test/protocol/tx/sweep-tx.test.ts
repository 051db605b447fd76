import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalBytes, txid } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { p2wpkh, p2wsh, readWitnessSignature } from "../../../src/protocol/script/assemble.js";
import { opposite } from "../../../src/protocol/side.js";
import { SIGHASH_ALL } from "../../../src/protocol/tx/format.js";
import { CHANNEL_TYPES } from "../../../src/protocol/tx/channel-type.js";
import { buildHtlcTxs } from "../../../src/protocol/tx/htlc-tx.js";
import { sighash, verifyHash } from "../../../src/protocol/tx/sign.js";
import { type Claim, SEQUENCE_RBF, spendClaims } from "../../../src/protocol/tx/spend.js";
import { htlcTxClaim, toLocalClaims, toRemoteClaims } from "../../../src/protocol/tx/sweep-tx.js";
import { perKw } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { type Channel, anyChannel, channelOf, secretOf } from "../channels.js";

const HOME = p2wpkh(publicKey(secretOf("home"))).scriptPubkey;

const toLocalOf = ({ keys, terms, commitment }: Channel) =>
  toLocalClaims(commitment, terms.toSelfDelay, keys[terms.owner].delayedPaymentBasepointSecret!);
const toRemoteOf = ({ keys, terms, commitment }: Channel) =>
  toRemoteClaims(commitment, terms.format, keys[opposite(terms.owner)].paymentBasepointSecret!);
const secondLevelOf = ({ keys, terms, commitment }: Channel) =>
  buildHtlcTxs(commitment).map((htlcTx) => htlcTxClaim(htlcTx, keys[terms.owner].delayedPaymentBasepointSecret!));

/** Spends the claims, and says whether the first witness element of every input is a good signature for the key of its claim. */
function isSigned(claims: readonly Claim[]): boolean {
  const { tx } = spendClaims(claims, HOME, perKw(0n), 2);
  return claims.every((claim, input) => {
    const read = readWitnessSignature(tx.ins[input]!.witness[0]!)!;
    const good = verifyHash(sighash(tx, input, claim, SIGHASH_ALL), publicKey(claim.secret), read.signature);
    return good && read.sighashType === SIGHASH_ALL && tx.ins[input]!.sequence === claim.sequence;
  });
}

describe("a sweep", () => {
  test("takes exactly what is the sweeper's, each output with the sequence that its script asks for and a good signature", () => {
    let swept = 0;
    fc.assert(
      fc.property(anyChannel, (channel) => {
        const { commitment, terms } = channel;
        const indexes = (kind: string) => commitment.outputs.flatMap((output, index) => (output.kind === kind ? [index] : []));
        const [toLocal, toRemote, secondLevel] = [toLocalOf(channel), toRemoteOf(channel), secondLevelOf(channel)];
        expect(toLocal.map(({ outputIndex }) => outputIndex)).toEqual(indexes("to_local"));
        expect(toRemote.map(({ outputIndex }) => outputIndex)).toEqual(indexes("to_remote"));
        expect(secondLevel.map(({ amount }) => amount)).toEqual(buildHtlcTxs(commitment).map(({ amount }) => amount));
        expect(new Set([...toLocal, ...secondLevel].map(({ sequence }) => sequence)).size).toBeLessThanOrEqual(1);
        for (const { sequence } of [...toLocal, ...secondLevel]) expect(sequence).toBe(terms.toSelfDelay);
        for (const { sequence } of toRemote) expect(sequence).toBe(terms.format.oneBlockDelay === 1 ? 1 : SEQUENCE_RBF);
        for (const claims of [toLocal, toRemote, secondLevel]) {
          fc.pre(claims.length === 0 || claims.some(({ amount }) => amount >= 354n));
          if (claims.length > 0) expect(isSigned(claims)).toBe(true);
          swept += claims.length;
        }
      }),
      { seed: 1, numRuns: 100 },
    );
    expect(swept).toBeGreaterThan(200);
  });

  test.each(CHANNEL_TYPES)("of a %s channel's to_remote shows what opens its lock", (type) => {
    const channel = channelOf(type);
    const [claim] = toRemoteOf(channel);
    const { tx } = spendClaims([claim!], HOME, perKw(2500n), 2);
    const [signature, opener, ...more] = tx.ins[0]!.witness;
    const lock = channel.terms.format.oneBlockDelay === 1 ? p2wsh(opener as never) : p2wpkh(opener as never);
    expect(equalBytes(lock.scriptPubkey, claim!.lock.scriptPubkey)).toBe(true);
    expect([readWitnessSignature(signature!)?.sighashType, more]).toEqual([SIGHASH_ALL, []]);
  });

  test("of an HTLC transaction with inputs added spends where it stands", () => {
    const channel = channelOf("anchors");
    const [htlcTx] = buildHtlcTxs(channel.commitment);
    const at = { txid: txid(new Uint8Array(32).fill(7)), outputIndex: 3 };
    expect(htlcTxClaim(htlcTx!, channel.keys.local.delayedPaymentBasepointSecret!, at)).toMatchObject(at);
    expect(htlcTxClaim(htlcTx!, channel.keys.local.delayedPaymentBasepointSecret!)).toMatchObject({ txid: htlcTx!.txid, outputIndex: 0 });
  });

  test("passes over outputs that nobody could name", () => {
    const channel = channelOf("anchors");
    const unnamed = { ...channel.commitment, outputs: channel.commitment.outputs.map(() => null) };
    expect(toLocalClaims(unnamed, 144, channel.keys.local.delayedPaymentBasepointSecret!)).toEqual([]);
    expect(toRemoteClaims(unnamed, channel.terms.format, channel.keys.remote.paymentBasepointSecret!)).toEqual([]);
  });

  test.each(CHANNEL_TYPES)("key-mismatch: of a %s channel with the other side's secret, or that of another commitment", (type) => {
    const { commitment, keys, terms } = channelOf(type);
    const [htlcTx] = buildHtlcTxs(commitment);
    const swapped: readonly (() => unknown)[] = [
      () => toLocalClaims(commitment, terms.toSelfDelay, keys.remote.delayedPaymentBasepointSecret!),
      () => toRemoteClaims(commitment, terms.format, keys.local.paymentBasepointSecret!),
      () => htlcTxClaim(htlcTx!, keys.remote.delayedPaymentBasepointSecret!),
    ];
    for (const [at, what] of ["delayed_payment_basepoint_secret", "payment_basepoint_secret", "delayed_payment_basepoint_secret"].entries()) {
      expect(refusal(swapped[at]!)).toMatchObject({ code: "key-mismatch", details: { what } });
    }
    const other = { ...commitment, keys: { ...commitment.keys, perCommitmentPoint: publicKey<"per_commitment">(secretOf("another number")) } };
    expect(refusal(() => toLocalClaims(other, terms.toSelfDelay, keys.local.delayedPaymentBasepointSecret!)).code).toBe("key-mismatch");
  });
});
