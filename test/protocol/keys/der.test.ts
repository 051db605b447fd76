import { secp256k1 } from "@noble/curves/secp256k1.js";
import { describe, expect, test } from "vitest";
import { concat } from "../../../src/protocol/bytes.js";
import { hasLowS, isCompressedKey, isStrictDer, isUncompressedKey, verifyOnChain } from "../../../src/protocol/keys/ecdsa.js";
import { GROUP_ORDER, fromNumber } from "../../../src/protocol/keys/group.js";

const KEY = new Uint8Array(32).fill(2);
const PUBKEY = secp256k1.getPublicKey(KEY);

/** The first hash for which both numbers need no sign byte: 32 bytes each, the high S one with it. */
function plainHash(): { readonly hash: Uint8Array; readonly r: Uint8Array; readonly s: Uint8Array; readonly highS: Uint8Array } {
  for (let at = 0; ; at++) {
    const hash = new Uint8Array(32).fill(at);
    const { r, s } = secp256k1.Signature.fromBytes(secp256k1.sign(hash, KEY, { prehash: false }));
    const [first, second] = [fromNumber(r), fromNumber(s)];
    if ([first, second].every(([byte = 0]) => byte > 0 && byte < 0x80)) return { hash, r: first, s: second, highS: fromNumber(GROUP_ORDER - s) };
  }
}
const { hash: HASH, r: R, s: S, highS: HIGH_S } = plainHash();

const integer = (body: Uint8Array, length: readonly number[] = [body.length]) => Uint8Array.of(2, ...length, ...body);
const sequence = (body: Uint8Array, length: readonly number[] = [body.length]) => Uint8Array.of(0x30, ...length, ...body);
const signature = (r: Uint8Array, s: Uint8Array) => sequence(concat(integer(r), integer(s)));
const padded = (bytes: Uint8Array, zeros: number) => concat(new Uint8Array(zeros), bytes);
const without = (bytes: Uint8Array, count: number) => bytes.subarray(0, bytes.length - count);
const changed = (bytes: Uint8Array, at: number, to: number) => bytes.map((byte, index) => (index === at ? to : byte));
const good = (der: Uint8Array) => verifyOnChain(HASH, PUBKEY, der);
const PLAIN = signature(R, S);
const number = (first: number, size: number) => Uint8Array.of(first, ...new Uint8Array(size - 1).fill(1));

describe("strict DER, as BIP 66 draws its limits", () => {
  test.each<[string, Uint8Array]>([
    ["the shortest: two numbers of a byte each", signature(Uint8Array.of(1), Uint8Array.of(1))],
    ["numbers that are 0", signature(Uint8Array.of(0), Uint8Array.of(0))],
    ["the longest: two numbers of 32 bytes and a sign byte", signature(padded(number(0x80, 32), 1), padded(number(0xff, 32), 1))],
    ["the greatest first byte without a sign byte", signature(number(0x7f, 32), number(0x7f, 32))],
    ["two bytes, the sign byte needed", signature(Uint8Array.of(0, 0x80), Uint8Array.of(0, 0xff))],
    ["a signature of ours", PLAIN],
  ])("%s", (_, der) => {
    expect(isStrictDer(der)).toBe(true);
  });

  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["a byte more than the longest, all else in order", signature(number(1, 34), padded(number(0x80, 32), 1))],
    ["another tag around it", changed(PLAIN, 0, 0x31)],
    ["a length around it that is too small", changed(PLAIN, 1, PLAIN.length - 3)],
    ["a length around it that is too great", changed(PLAIN, 1, PLAIN.length - 1)],
    ["a byte behind it", concat(PLAIN, Uint8Array.of(0))],
    ["a byte behind it that the length counts", sequence(concat(integer(R), integer(S), Uint8Array.of(0)))],
    ["a byte missing", without(PLAIN, 1)],
    ["another tag of r", changed(PLAIN, 2, 3)],
    ["another tag of s", changed(PLAIN, 36, 3)],
    ["r without bytes", sequence(concat(integer(new Uint8Array()), integer(S)))],
    ["s without bytes", sequence(concat(integer(R), integer(new Uint8Array())))],
    ["a negative r", signature(number(0x80, 32), S)],
    ["a negative s", signature(R, number(0x80, 32))],
    ["r with a sign byte that it does not need", signature(padded(R, 1), S)],
    ["s with a sign byte that it does not need", signature(R, padded(S, 1))],
    ["two bytes, the sign byte not needed", signature(Uint8Array.of(0, 0x7f), Uint8Array.of(1))],
    ["a length around it in long form", sequence(concat(integer(R), integer(S)), [0x81, 68])],
    ["a length of r in long form", sequence(concat(integer(R, [0x81, 32]), integer(S)))],
  ])("not %s", (_, der) => {
    expect(isStrictDer(der)).toBe(false);
  });
});

describe("loose DER, as old blocks hold it", () => {
  test.each<[string, Uint8Array]>([
    ["plain", PLAIN],
    ["a high S", signature(R, padded(HIGH_S, 1))],
    ["bytes behind it", concat(PLAIN, Uint8Array.of(1, 2, 3))],
    ["a length around it that is wrong", changed(PLAIN, 1, 1)],
    ["a length around it of 0", changed(PLAIN, 1, 0)],
    ["the greatest short length around it", changed(PLAIN, 1, 0x7f)],
    ["a length around it that names no byte of a length", changed(PLAIN, 1, 0x80)],
    ["a length around it in one byte more", sequence(PLAIN.subarray(2), [0x81, 0xff])],
    ["a length around it in five bytes more, however great", sequence(PLAIN.subarray(2), [0x85, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ["padded numbers", signature(padded(R, 3), padded(S, 7))],
    ["lengths of the numbers in one byte more", sequence(concat(integer(R, [0x81, 32]), integer(S, [0x81, 32])))],
    ["lengths of the numbers with zeros in front", sequence(concat(integer(R, [0x84, 0, 0, 0, 32]), integer(S, [0x86, 0, 0, 0, 0, 0, 32])))],
    ["numbers whose first bit is set, which are not negative then", signature(R, HIGH_S)],
  ])("%s", (_, der) => {
    expect(good(der)).toBe(true);
  });

  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["another tag around it", changed(PLAIN, 0, 0x31)],
    ["a length around it that has more bytes than there are", changed(PLAIN, 1, 0xff)],
    ["another tag of r", changed(PLAIN, 2, 3)],
    ["another tag of s", changed(PLAIN, 36, 3)],
    ["s cut short", without(PLAIN, 1)],
    ["nothing behind r", PLAIN.subarray(0, 36)],
    ["no length of s", PLAIN.subarray(0, 37)],
    ["nothing behind the first length", PLAIN.subarray(0, 2)],
    ["a length of r beyond the end", sequence(concat(integer(R, [0x82, 1, 0]), integer(S)))],
    ["a length of r that has more bytes than there are", sequence(concat(integer(R, [0xfe]), integer(S)))],
    ["a length of r of 2^24, which no reader takes", sequence(concat(integer(R, [0x84, 1, 0, 0, 0]), integer(S)))],
    ["r without bytes, which is 0", sequence(concat(integer(new Uint8Array()), integer(S)))],
    ["r without bytes by a length in long form", sequence(concat(integer(new Uint8Array(), [0x80]), integer(S)))],
  ])("not %s", (_, der) => {
    expect(good(der)).toBe(false);
  });

  test("every shorter beginning is none", () => {
    for (let size = 0; size < PLAIN.length; size++) expect(good(PLAIN.subarray(0, size))).toBe(false);
  });

  test("a length of 2^24 is not read, even where there are so many bytes", () => {
    const behind = concat(Uint8Array.of(2, 0x84, 1, 0, 0, 0), new Uint8Array(2 ** 24 - 32), S);
    expect(good(concat(Uint8Array.of(0x30, 0), integer(R), behind))).toBe(false);
    expect(good(concat(Uint8Array.of(0x30, 0), integer(R), Uint8Array.of(2, 0x83, 0, 0x10, 0), new Uint8Array(2 ** 12 - 32), S))).toBe(true);
  });

  test("half the order is the last low S; what cannot be read has none, what no signature has is not high", () => {
    const half = GROUP_ORDER / 2n;
    const withS = (s: bigint) => signature(R, padded(fromNumber(s), 1));
    expect([half, half + 1n, GROUP_ORDER - 1n, GROUP_ORDER, GROUP_ORDER + 1n].map((s) => hasLowS(withS(s)))).toEqual([
      true,
      false,
      false,
      true,
      true,
    ]);
    expect(hasLowS(signature(padded(fromNumber(GROUP_ORDER), 1), padded(fromNumber(GROUP_ORDER - 1n), 1)))).toBe(true);
    expect(hasLowS(signature(padded(fromNumber(GROUP_ORDER - 1n), 1), padded(fromNumber(GROUP_ORDER - 1n), 1)))).toBe(false);
    expect(hasLowS(without(PLAIN, 1))).toBe(false);
    for (const none of [integer(new Uint8Array()), integer(new Uint8Array(), [0x80])]) {
      expect(hasLowS(sequence(concat(integer(R), none)))).toBe(true);
      expect(hasLowS(sequence(concat(none, integer(S))))).toBe(true);
    }
  });
});

test("an S of exactly half the order is low, and good as it is", () => {
  const { Point } = secp256k1;
  const R_POINT = Point.BASE.multiply(5n);
  const [r, s] = [R_POINT.x % GROUP_ORDER, GROUP_ORDER / 2n];
  const inverse = Point.Fn.inv(r);
  // Of which key it is a signature: Q = r⁻¹·(s·R − z·G)
  const z = BigInt(`0x${Buffer.from(HASH).toString("hex")}`) % GROUP_ORDER;
  const key = R_POINT.multiply(s)
    .add(Point.BASE.multiply(GROUP_ORDER - z))
    .multiply(inverse);
  expect(verifyOnChain(HASH, key.toBytes(), signature(padded(fromNumber(r), 1), fromNumber(s)))).toBe(true);
});

test("what kind of key bytes are, by size and prefix alone", () => {
  const key = (prefix: number, size: number) => Uint8Array.of(prefix, ...new Uint8Array(size - 1));
  const kinds = (bytes: Uint8Array) => [isCompressedKey(bytes), isUncompressedKey(bytes)];
  expect([2, 3].map((prefix) => kinds(key(prefix, 33)))).toEqual([
    [true, false],
    [true, false],
  ]);
  expect(kinds(key(4, 65))).toEqual([false, true]);
  for (const neither of [key(4, 33), key(1, 33), key(0, 33), key(2, 65), key(6, 65), key(7, 65), key(2, 32), key(2, 34), key(4, 64), key(4, 66)]) {
    expect(kinds(neither)).toEqual([false, false]);
  }
});
