import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat } from "../../../src/protocol/bytes.js";
import { hasLowS, isStrictDer, verifyOnChain } from "../../../src/protocol/keys/ecdsa.js";
import { FIELD_ORDER, GROUP_ORDER, fromNumber } from "../../../src/protocol/keys/group.js";
import { isTweakedKey, verifySchnorr } from "../../../src/protocol/keys/schnorr.js";

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const secret = bytes32.filter((bytes) => secp256k1.utils.isValidSecretKey(bytes));
const bit = fc.nat({ max: 511 });

/** A number in as few bytes as its sign allows. */
function integer(value: bigint): Uint8Array {
  const bytes = fromNumber(value);
  const from = bytes.findIndex((byte) => byte !== 0);
  const short = from === -1 ? Uint8Array.of(0) : bytes.slice(from);
  const body = (short[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...short) : short;
  return Uint8Array.of(2, body.length, ...body);
}

function der(r: bigint, s: bigint): Uint8Array {
  const body = concat(integer(r), integer(s));
  return Uint8Array.of(0x30, body.length, ...body);
}

function signed(hash: Uint8Array, key: Uint8Array): { readonly r: bigint; readonly s: bigint } {
  return secp256k1.Signature.fromBytes(secp256k1.sign(hash, key, { prehash: false }));
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at >> 3 ? byte ^ (1 << (at & 7)) : byte));
}

describe("ECDSA as another library signs", () => {
  test("is good with S low or high, and for no other hash or number", () => {
    fc.assert(
      fc.property(bytes32, secret, bit, (hash, key, at) => {
        const { r, s } = signed(hash, key);
        const pubkey = secp256k1.getPublicKey(key);
        const [low, high] = [der(r, s), der(r, GROUP_ORDER - s)];
        expect([low, high].map((one) => verifyOnChain(hash, pubkey, one))).toEqual([true, true]);
        expect([low, high].map((one) => [isStrictDer(one), hasLowS(one)])).toEqual([
          [true, true],
          [true, false],
        ]);
        expect(verifyOnChain(flipped(hash, at & 255), pubkey, low)).toBe(false);
        expect(verifyOnChain(hash, pubkey, der((r % (GROUP_ORDER - 1n)) + 1n, s))).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test("a number that is 0 or at least the group's order is never good, and is no high S", () => {
    const hash = new Uint8Array(32).fill(1);
    const key = new Uint8Array(32).fill(2);
    const { r, s } = signed(hash, key);
    const pubkey = secp256k1.getPublicKey(key);
    expect(verifyOnChain(hash, pubkey, der(r, s))).toBe(true);
    for (const [badR, badS] of [
      [0n, s],
      [r, 0n],
      [0n, 0n],
      [GROUP_ORDER, s],
      [r, GROUP_ORDER],
      [2n ** 256n - 1n, s],
      [r, 2n ** 256n - 1n],
    ] as const) {
      expect(verifyOnChain(hash, pubkey, der(badR, badS))).toBe(false);
      expect(hasLowS(der(badR, badS))).toBe(true);
    }
  });

  test("keys of 65 bytes: plain, hybrid with the right parity alone, on the curve alone", () => {
    fc.assert(
      fc.property(bytes32, secret, bit, (hash, key, at) => {
        const { r, s } = signed(hash, key);
        const long = secp256k1.getPublicKey(key, false);
        const good = (pubkey: Uint8Array) => verifyOnChain(hash, pubkey, der(r, s));
        const odd = (long[64] ?? 0) & 1;
        const withPrefix = (prefix: number) => Uint8Array.of(prefix, ...long.subarray(1));
        expect([4, 6 + odd, 7 - odd, 5, 2].map((prefix) => good(withPrefix(prefix)))).toEqual([true, true, false, false, false]);
        expect(good(flipped(long, 8 + at))).toBe(false);
        expect(good(long.subarray(0, 64))).toBe(false);
        expect(good(concat(Uint8Array.of(4), fromNumber(FIELD_ORDER), long.subarray(33)))).toBe(false);
      }),
      { numRuns: 40 },
    );
  });
});

describe("Schnorr as another library signs", () => {
  test("is good, and with any bit of it, of the hash or of the key changed is not, as that library says too", () => {
    fc.assert(
      fc.property(bytes32, secret, bit, (hash, key, at) => {
        const xOnly = schnorr.getPublicKey(key);
        const signature = schnorr.sign(hash, key);
        expect(verifySchnorr(hash, xOnly, signature)).toBe(true);
        const changed = flipped(signature, at);
        expect(schnorr.verify(changed, hash, xOnly)).toBe(false);
        expect(verifySchnorr(hash, xOnly, changed)).toBe(false);
        expect(verifySchnorr(flipped(hash, at & 255), xOnly, signature)).toBe(false);
        expect(verifySchnorr(hash, flipped(xOnly, at & 255), signature)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test("numbers that no signature or key has: s of 0 or too great, r or the key not on the curve, other sizes", () => {
    const hash = new Uint8Array(32).fill(1);
    const key = new Uint8Array(32).fill(2);
    const xOnly = schnorr.getPublicKey(key);
    const signature = schnorr.sign(hash, key);
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
    // x³ + 7 is no square
    const offCurve = fromNumber(5n);
    expect(() => secp256k1.Point.fromBytes(Uint8Array.of(2, ...offCurve))).toThrow();
    for (const bad of [fromNumber(0n), fromNumber(GROUP_ORDER), fromNumber(2n ** 256n - 1n)]) {
      expect(verifySchnorr(hash, xOnly, concat(r, bad))).toBe(false);
    }
    for (const bad of [fromNumber(0n), offCurve, fromNumber(FIELD_ORDER)]) {
      expect(verifySchnorr(hash, xOnly, concat(bad, s))).toBe(false);
      expect(verifySchnorr(hash, bad, signature)).toBe(false);
    }
    expect(verifySchnorr(hash, xOnly, signature.subarray(0, 63))).toBe(false);
    expect(verifySchnorr(hash, xOnly.subarray(1), signature)).toBe(false);
  });

  test("a sum that is the point at infinity is no nonce and no key", () => {
    const hash = new Uint8Array(32).fill(1);
    const key = new Uint8Array(32).fill(2);
    const xOnly = schnorr.getPublicKey(key);
    const { Point } = secp256k1;
    const plain = BigInt(`0x${Buffer.from(key).toString("hex")}`);
    // The secret of the point with that x and an even y
    const even = (Point.BASE.multiply(plain).toBytes()[0] === 2 ? plain : GROUP_ORDER - plain) % GROUP_ORDER;
    const r = fromNumber(5n);
    const challenge = BigInt(`0x${Buffer.from(schnorr.utils.taggedHash("BIP0340/challenge", r, xOnly, hash)).toString("hex")}`) % GROUP_ORDER;
    // s·G − e·P = 0
    expect(verifySchnorr(hash, xOnly, concat(r, fromNumber((challenge * even) % GROUP_ORDER)))).toBe(false);
    for (const odd of [false, true]) expect(isTweakedKey(xOnly, odd, xOnly, fromNumber(GROUP_ORDER - even))).toBe(false);
  });

  test("a tweaked key with the parity of its y, and not with the other or another tweak", () => {
    fc.assert(
      fc.property(secret, secret, bit, (key, tweak, at) => {
        const internal = schnorr.getPublicKey(key);
        const { Point } = secp256k1;
        const sum = Point.fromBytes(Uint8Array.of(2, ...internal)).add(Point.fromBytes(secp256k1.getPublicKey(tweak)));
        const [prefix = 0, ...x] = sum.toBytes();
        const output = Uint8Array.from(x);
        expect(isTweakedKey(output, prefix === 3, internal, tweak)).toBe(true);
        expect(isTweakedKey(output, prefix === 2, internal, tweak)).toBe(false);
        expect(isTweakedKey(output, prefix === 3, internal, flipped(tweak, at & 255))).toBe(false);
        expect(isTweakedKey(output, prefix === 3, internal, fromNumber(GROUP_ORDER))).toBe(false);
      }),
      { numRuns: 40 },
    );
  });
});
