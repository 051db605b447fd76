import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalBytes, txid } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { type PartyKeys, basepointsOf } from "../../../src/protocol/keys/party-keys.js";
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

const toLocalOf = ({ keys, terms, commitment }: Channel) => toLocalClaims(commitment, terms.toSelfDelay, basepointsOf(keys[terms.owner]));
const toRemoteOf = ({ keys, terms, commitment }: Channel) => toRemoteClaims(commitment, terms.format, basepointsOf(keys[opposite(terms.owner)]));
const secondLevelOf = ({ keys, terms, commitment }: Channel) =>
  buildHtlcTxs(commitment).map((htlcTx) => htlcTxClaim(htlcTx, basepointsOf(keys[terms.owner])));

/** Spends the claims, and says whether the first witness element of every input is a good signature for the key of its claim. */
function isSigned(claims: readonly Claim[], keys: PartyKeys): boolean {
  const { tx } = spendClaims(claims, keys, HOME, perKw(0n), 2);
  return claims.every((claim, input) => {
    const read = readWitnessSignature(tx.ins[input]!.witness[0]!)!;
    const good = verifyHash(sighash(tx, input, claim, SIGHASH_ALL), claim.signer!.pubkey, read.signature);
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
        const [owner, countersigner] = [channel.keys[terms.owner], channel.keys[opposite(terms.owner)]];
        for (const [claims, keys] of [
          [toLocal, owner],
          [toRemote, countersigner],
          [secondLevel, owner],
        ] as const) {
          fc.pre(claims.length === 0 || claims.some(({ amount }) => amount >= 354n));
          if (claims.length > 0) expect(isSigned(claims, keys)).toBe(true);
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
    const { tx } = spendClaims([claim!], channel.keys.remote, HOME, perKw(2500n), 2);
    const [signature, opener, ...more] = tx.ins[0]!.witness;
    const lock = channel.terms.format.oneBlockDelay === 1 ? p2wsh(opener as never) : p2wpkh(opener as never);
    expect(equalBytes(lock.scriptPubkey, claim!.lock.scriptPubkey)).toBe(true);
    expect([readWitnessSignature(signature!)?.sighashType, more]).toEqual([SIGHASH_ALL, []]);
  });

  test("of an HTLC transaction with inputs added spends where it stands", () => {
    const channel = channelOf("anchors");
    const [htlcTx] = buildHtlcTxs(channel.commitment);
    const at = { txid: txid(new Uint8Array(32).fill(7)), outputIndex: 3 };
    expect(htlcTxClaim(htlcTx!, basepointsOf(channel.keys.local), at)).toMatchObject(at);
    expect(htlcTxClaim(htlcTx!, basepointsOf(channel.keys.local))).toMatchObject({ txid: htlcTx!.txid, outputIndex: 0 });
  });

  test("passes over outputs that nobody could name", () => {
    const channel = channelOf("anchors");
    const unnamed = { ...channel.commitment, outputs: channel.commitment.outputs.map(() => null) };
    expect(toLocalClaims(unnamed, 144, basepointsOf(channel.keys.local))).toEqual([]);
    expect(toRemoteClaims(unnamed, channel.terms.format, basepointsOf(channel.keys.remote))).toEqual([]);
  });

  test.each(CHANNEL_TYPES)("key-mismatch: of a %s channel with the other side's secret, or that of another commitment", (type) => {
    const { commitment, keys, terms } = channelOf(type);
    const [htlcTx] = buildHtlcTxs(commitment);
    const taken = (claims: readonly Claim[], by: PartyKeys) => () => spendClaims(claims, by, HOME, perKw(253n), 2);
    const swapped: readonly (() => unknown)[] = [
      taken(toLocalClaims(commitment, terms.toSelfDelay, basepointsOf(keys.local)), keys.remote),
      taken(toRemoteClaims(commitment, terms.format, basepointsOf(keys.remote)), keys.local),
      taken([htlcTxClaim(htlcTx!, basepointsOf(keys.local))], keys.remote),
    ];
    for (const [at, what] of ["delayed_payment_basepoint_secret", "payment_basepoint_secret", "delayed_payment_basepoint_secret"].entries()) {
      expect(refusal(swapped[at]!)).toMatchObject({ code: "key-mismatch", details: { what } });
    }
    const other = { ...commitment, keys: { ...commitment.keys, perCommitmentPoint: publicKey<"per_commitment">(secretOf("another number")) } };
    expect(refusal(taken(toLocalClaims(other, terms.toSelfDelay, basepointsOf(keys.local)), keys.local)).code).toBe("key-mismatch");
  });
});
