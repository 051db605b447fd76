import fc from "fast-check";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import "../../support/musig2.js";
import { concat, equalBytes, fromHex } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { GROUP_ORDER, fromNumber } from "../../../src/protocol/keys/group.js";
import {
  SecretNonce,
  aggregateKeys,
  aggregateNonces,
  aggregateSignatures,
  generateNonce,
  openSession,
  signDeterministically,
  signPartially,
  sortKeys,
  verifyPartialSignature,
} from "../../../src/protocol/keys/musig2.js";
import { signSchnorr, verifySchnorr } from "../../../src/protocol/keys/schnorr.js";
import { Secret32 } from "../../../src/protocol/secret.js";
import { refusal } from "../../json/refusal.js";

const secretOf = (byte: number) => new Secret32<"funding">(new Uint8Array(32).fill(byte));
const [ALICE, BOB, CAROL] = [secretOf(1), secretOf(2), secretOf(3)];
const KEYS = sortKeys([publicKey(ALICE), publicKey(BOB)]);
const indexOf = (secret: Secret32) => KEYS.findIndex((key) => equalBytes(key, publicKey(secret)));
const MESSAGE = new Uint8Array(32).fill(9);
const TWEAK = { tweak: new Uint8Array(32).fill(5), xOnly: true };
const nonceOf = (secret: Secret32, rand = 7) => generateNonce({ rand: secretOf(rand), pubkey: publicKey(secret) });
const code = (act: () => unknown) => refusal(act).code;
const ORDER = fromNumber(GROUP_ORDER);
/** No point has this x. */
const NO_POINT = fromHex("020000000000000000000000000000000000000000000000000000000000000005");

/** Both sides' nonces and a session of both, in the keys' order. */
function session(message = MESSAGE, rands: readonly [number, number] = [7, 8]) {
  const nonces = { alice: nonceOf(ALICE, rands[0]), bob: nonceOf(BOB, rands[1]) };
  const inOrder = indexOf(ALICE) === 0 ? [nonces.alice.toPublic(), nonces.bob.toPublic()] : [nonces.bob.toPublic(), nonces.alice.toPublic()];
  return { ...nonces, inOrder, opened: openSession({ aggregateNonce: aggregateNonces(inOrder), pubkeys: KEYS, message, tweaks: [TWEAK] }) };
}

test("two shares make a signature of BIP 340 by the tweaked key, whatever is signed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 1, max: 200 }), (message, rand) => {
      const { alice, bob, inOrder, opened } = session(message, [rand, rand + 1]);
      const shares: Uint8Array[] = [];
      shares[indexOf(ALICE)] = signPartially(opened, alice, ALICE);
      shares[indexOf(BOB)] = signPartially(opened, bob, BOB);
      for (const [signer, share] of shares.entries()) {
        expect([0, 1].map((stated) => verifyPartialSignature(opened, share, inOrder, stated))).toEqual([signer === 0, signer === 1]);
      }
      const signature = aggregateSignatures(opened, shares);
      const key = aggregateKeys(KEYS, [TWEAK]).subarray(1);
      expect(verifySchnorr(message, key, signature)).toBe(true);
      expect(verifySchnorr(message, aggregateKeys(KEYS).subarray(1), signature)).toBe(false);
    }),
    { numRuns: 10, seed: 11 },
  );
});

describe("a nonce signs once", () => {
  test("a second time it is gone, also where the first was refused", () => {
    const { alice, opened } = session();
    signPartially(opened, alice, ALICE);
    expect(code(() => signPartially(opened, alice, ALICE))).toBe("key-nonce-used");
    expect(code(() => alice.reveal())).toBe("key-nonce-used");
    expect(code(() => alice.toPublic())).toBe("key-nonce-used");
    const { bob } = session();
    expect(code(() => signPartially(opened, bob, ALICE))).toBe("key-mismatch");
    expect(code(() => signPartially(opened, bob, BOB))).toBe("key-nonce-used");
  });

  test("it does not show itself", () => {
    const nonce = nonceOf(ALICE);
    expect([String(nonce), JSON.stringify({ nonce }), inspect(nonce)]).toEqual(["[secret]", '{"nonce":"[secret]"}', "[secret]"]);
  });

  test("its bytes are a copy", () => {
    const nonce = nonceOf(ALICE);
    const before = nonce.toPublic();
    nonce.reveal().fill(1);
    expect(nonce.toPublic()).toEqual(before);
  });

  test("of zeros, or of another length, there is none", () => {
    const bytes = nonceOf(ALICE).reveal();
    expect(code(() => new SecretNonce(bytes.fill(0, 0, 64)))).toBe("key-nonce-used");
    expect(code(() => new SecretNonce(bytes.subarray(1)))).toBe("input-length");
  });
});

describe("what others contribute is refused by name", () => {
  const { inOrder, opened } = session();
  const bad = concat(NO_POINT, NO_POINT);

  test("keys and tweaks", () => {
    expect(refusal(() => aggregateKeys([KEYS[0]!, NO_POINT]))).toMatchObject({ code: "key-not-on-curve", details: { signer: 1 } });
    expect(refusal(() => aggregateKeys(KEYS, [TWEAK, { tweak: ORDER, xOnly: false }]))).toMatchObject({
      code: "key-tweak-range",
      details: { at: 1 },
    });
    expect(code(() => openSession({ aggregateNonce: aggregateNonces(inOrder), pubkeys: [NO_POINT], message: MESSAGE, tweaks: [] }))).toBe(
      "key-not-on-curve",
    );
    expect(code(() => aggregateKeys([]))).toBe("key-degenerate");
    // BIP 327's own example: a key with the negation of what it becomes when it is aggregated alone
    const alone = fromHex("03935f972da013f80ae011890fa89b67a27b7be6ccb24d3274d18b2d4067f261a9");
    const negation = fromHex("252e4bd67410a76cdf933d30eaa1608214037f1b105a013eccd3c5c184a6110b");
    expect(code(() => aggregateKeys([alone], [{ tweak: negation, xOnly: false }]))).toBe("key-degenerate");
  });

  test("nonces", () => {
    expect(refusal(() => aggregateNonces([inOrder[0]!, bad]))).toMatchObject({ code: "key-nonce-invalid", details: { signer: 1 } });
    expect(code(() => aggregateNonces([inOrder[0]!.subarray(1)]))).toBe("key-nonce-invalid");
    expect(code(() => aggregateNonces([]))).toBe("key-degenerate");
    expect(code(() => openSession({ aggregateNonce: bad, pubkeys: KEYS, message: MESSAGE, tweaks: [] }))).toBe("key-nonce-invalid");
    // What nonces add up to may be infinite, what one signer shows may not
    const infinite = new Uint8Array(66);
    expect(openSession({ aggregateNonce: infinite, pubkeys: KEYS, message: MESSAGE, tweaks: [] }).aggregateNonce).toEqual(infinite);
    expect(code(() => aggregateNonces([infinite, inOrder[0]!]))).toBe("key-nonce-invalid");
    expect(code(() => verifyPartialSignature(opened, MESSAGE, [inOrder[0]!, bad], 0))).toBe("key-nonce-invalid");
    expect(code(() => verifyPartialSignature(opened, MESSAGE, [inOrder[0]!], 0))).toBe("input-length");
  });

  test("signers and shares", () => {
    expect(code(() => signPartially(opened, nonceOf(CAROL), CAROL))).toBe("key-not-a-signer");
    expect(code(() => signDeterministically(CAROL, { othersNonce: inOrder[0]!, pubkeys: KEYS, message: MESSAGE, tweaks: [] }))).toBe(
      "key-not-a-signer",
    );
    expect(refusal(() => aggregateSignatures(opened, [MESSAGE, ORDER]))).toMatchObject({
      code: "key-partial-signature-range",
      details: { signer: 1 },
    });
    expect(code(() => aggregateSignatures(opened, [MESSAGE]))).toBe("input-length");
    expect(verifyPartialSignature(opened, ORDER, inOrder, 0)).toBe(false);
    expect(verifyPartialSignature(opened, MESSAGE.subarray(1), inOrder, 0)).toBe(false);
    expect(verifyPartialSignature(opened, MESSAGE, inOrder, 2)).toBe(false);
  });
});

test("signatures of BIP 340 verify, and are the same again", () => {
  const signature = signSchnorr(MESSAGE, ALICE, new Uint8Array(32));
  expect(signSchnorr(MESSAGE, ALICE, new Uint8Array(32))).toEqual(signature);
  expect(signSchnorr(MESSAGE, ALICE, new Uint8Array(32).fill(1))).not.toEqual(signature);
  expect(verifySchnorr(MESSAGE, publicKey(ALICE).subarray(1), signature)).toBe(true);
  expect(verifySchnorr(MESSAGE, publicKey(BOB).subarray(1), signature)).toBe(false);
});
