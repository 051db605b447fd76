import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wasm } from "../../../src/ecc/wasm.js";
import { bytes32, signature, toHex } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { anchorScript } from "../../../src/protocol/script/anchor.js";
import { EMPTY, ONE, p2wpkh, p2wsh, readWitnessSignature, witnessSignature } from "../../../src/protocol/script/assemble.js";
import { FUNDING_SCRIPT, fundingScript, fundingWitness } from "../../../src/protocol/script/funding.js";
import { htlcClaimWitness, htlcPenaltyWitness, htlcTxWitness, offeredHtlcScript, receivedHtlcScript } from "../../../src/protocol/script/htlc.js";
import { toLocalPenaltyWitness, toLocalScript, toLocalSweepWitness } from "../../../src/protocol/script/to-local.js";
import { toRemoteAnchorsScript } from "../../../src/protocol/script/to-remote.js";
import { SIGHASH_ALL } from "../../../src/protocol/tx/format.js";
import { refusal } from "../../json/refusal.js";
import { anyHash, anySecret, secretOf } from "../channels.js";

const keys = {
  revocationPubkey: publicKey<"revocationpubkey">(secretOf("revocation")),
  ownerHtlcPubkey: publicKey<"htlcpubkey">(secretOf("owner")),
  countersignerHtlcPubkey: publicKey<"htlcpubkey">(secretOf("countersigner")),
};
const delayed = publicKey<"delayedpubkey">(secretOf("delayed"));
const hash = bytes32(new Uint8Array(32).fill(1));
const made = signature(wasm.sign(hash, secretOf("signer").reveal()));
const shown = witnessSignature(made, SIGHASH_ALL);

describe("to_self_delay", () => {
  test("script-delay-range: 0, more than 16 bits, no integer", () => {
    for (const delay of [0, -1, 65_536, 1.5, NaN]) {
      expect(refusal(() => toLocalScript(keys.revocationPubkey, delayed, delay))).toMatchObject({
        code: "script-delay-range",
        details: { to_self_delay: delay },
      });
    }
  });

  test("from 1 to 65535 blocks, 77 bytes with two of them", () => {
    expect(toLocalScript(keys.revocationPubkey, delayed, 144)).toHaveLength(77);
    expect([1, 65_535].map((delay) => toLocalScript(keys.revocationPubkey, delayed, delay).length)).toEqual([75, 78]);
  });
});

describe("the funding script", () => {
  test("has its keys in lexicographic order, whoever comes first", () => {
    fc.assert(
      fc.property(anySecret, anySecret, (a, b) => {
        const [x, y] = [publicKey<"funding">(a), publicKey<"funding">(b)];
        const script = fundingScript(x, y);
        expect(fundingScript(y, x)).toEqual(script);
        const { pubkey1, pubkey2 } = FUNDING_SCRIPT.parse(script)!;
        expect(toHex(pubkey1) <= toHex(pubkey2)).toBe(true);
      }),
    );
  });

  test("has its signatures in the order of its keys", () => {
    const [a, b] = [secretOf<"funding">("a"), secretOf<"funding">("b")].map((secret) => ({
      pubkey: publicKey<"funding">(secret),
      signature: signature(wasm.sign(hash, secret.reveal())),
    }));
    const script = fundingScript(a!.pubkey, b!.pubkey);
    const witness = fundingWitness(script, a!, b!, SIGHASH_ALL);
    expect(fundingWitness(script, b!, a!, SIGHASH_ALL)).toEqual(witness);
    const { pubkey1, pubkey2 } = FUNDING_SCRIPT.parse(script)!;
    for (const [at, pubkey] of [pubkey1, pubkey2].entries()) {
      expect(wasm.verify(hash, pubkey, readWitnessSignature(witness[at + 1]!)!.signature)).toBe(true);
    }
    expect([witness[0], witness[3]]).toEqual([EMPTY, script]);
  });
});

test("scripts of HTLCs and anchors have the sizes of BOLT 3's appendix A", () => {
  expect([false, true].map((anchors) => offeredHtlcScript(keys, hash, anchors).length)).toEqual([133, 136]);
  expect([false, true].map((anchors) => receivedHtlcScript(keys, hash, 800_000, anchors).length)).toEqual([139, 142]);
  expect(anchorScript(publicKey(secretOf("a")))).toHaveLength(40);
  expect(toRemoteAnchorsScript(publicKey(secretOf("a")))).toHaveLength(37);
});

test("each branch's witness, top of the stack last", () => {
  const script = offeredHtlcScript(keys, hash, true);
  const preimage = bytes32(new Uint8Array(32).fill(5));
  expect(toLocalSweepWitness(script, made, SIGHASH_ALL)).toEqual([shown, EMPTY, script]);
  expect(toLocalPenaltyWitness(script, made, SIGHASH_ALL)).toEqual([shown, ONE, script]);
  expect(htlcTxWitness(script, shown, ONE, null)).toEqual([EMPTY, shown, ONE, EMPTY, script]);
  expect(htlcTxWitness(script, shown, ONE, preimage)).toEqual([EMPTY, shown, ONE, preimage, script]);
  expect(htlcClaimWitness(script, made, SIGHASH_ALL, preimage)).toEqual([shown, preimage, script]);
  expect(htlcClaimWitness(script, made, SIGHASH_ALL, null)).toEqual([shown, EMPTY, script]);
  expect(htlcPenaltyWitness(script, made, SIGHASH_ALL, keys.revocationPubkey)).toEqual([shown, keys.revocationPubkey, script]);
});

test("locks: version 0 and the hash", () => {
  const script = toRemoteAnchorsScript(publicKey(secretOf("a")));
  expect(p2wsh(script).scriptPubkey).toHaveLength(34);
  expect(toHex(p2wpkh(publicKey(secretOf("a"))).scriptPubkey)).toMatch(/^0014[0-9a-f]{40}$/);
});

test("signatures in witnesses: read ∘ write = id, and what is not strict DER is refused", () => {
  fc.assert(
    fc.property(anyHash, anySecret, fc.constantFrom(0x01, 0x83), (digest, secret, type) => {
      const compact = signature(wasm.sign(digest, secret.reveal()));
      const written = witnessSignature(compact, type);
      expect(readWitnessSignature(written)).toEqual({ signature: compact, sighashType: type });
      expect(written.length).toBeLessThanOrEqual(72);
      expect(readWitnessSignature(written.subarray(1))).toBeNull();
      expect(readWitnessSignature(Uint8Array.of(...written, 1))).toBeNull();
    }),
  );
  expect(readWitnessSignature(EMPTY)).toBeNull();
});
