import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadNative } from "../../src/ecc/native.js";
import { wasm } from "../../src/ecc/wasm.js";
import type { Ecc } from "../../src/protocol/ecc.js";

const native = loadNative(`${process.platform}-${process.arch}`);
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const FIELD = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn;

const bytesOf = (value: bigint) => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const negated = (secret: Uint8Array) => bytesOf(ORDER - numberOf(secret));

/** Any 32 bytes, and often those around which the rules change. */
const any32 = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ minLength: 32, maxLength: 32 }) },
  fc.constantFrom(0n, 1n, 2n, ORDER / 2n, ORDER / 2n + 1n, ORDER - 1n, ORDER, ORDER + 1n, FIELD, 2n ** 256n - 1n).map(bytesOf),
);
const anySecret = any32.filter((bytes) => wasm.isSecret(bytes));
/** Below the order, as but for one in 2^128 all are: of others RFC 6979 reduces the number that goes into the nonce, which older libraries leave as it is. */
const anyHash = any32.filter((bytes) => numberOf(bytes) < ORDER);
const anyPoint = anySecret.map((secret) => wasm.pointFromSecret(secret));
/** Hardly one in two is on the curve, and most prefixes are none. */
const anyPointLike = fc.tuple(fc.constantFrom(0, 1, 2, 3, 4, 6, 7, 255), any32).map(([prefix, x]) => Uint8Array.of(prefix, ...x));

/** The same by either backend. */
function bothSay(ask: (ecc: Ecc) => unknown): void {
  if (native === null) throw new Error("no native backend");
  expect(ask(native)).toEqual(ask(wasm));
}

const plainly = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString("hex"));

describe.skipIf(native === null)("both backends give the same", () => {
  test("secrets and their points", () => {
    fc.assert(
      fc.property(any32, (bytes) => {
        bothSay((ecc) => ecc.isSecret(bytes));
        if (wasm.isSecret(bytes)) bothSay((ecc) => plainly(ecc.pointFromSecret(bytes)));
      }),
    );
  });

  test("points on the curve and off it", () => {
    fc.assert(
      fc.property(fc.oneof(anyPointLike, anyPoint, fc.uint8Array({ maxLength: 66 })), (bytes) => {
        bothSay((ecc) => ecc.isPoint(bytes));
      }),
      { numRuns: 500 },
    );
    const uncompressed = Uint8Array.of(4, ...wasm.pointFromSecret(bytesOf(1n)).subarray(1), ...bytesOf(1n));
    bothSay((ecc) => ecc.isPoint(uncompressed));
  });

  test("sums of points, also at infinity", () => {
    fc.assert(
      fc.property(anySecret, anySecret, (a, b) => {
        const point = wasm.pointFromSecret(a);
        bothSay((ecc) => plainly(ecc.pointAdd(point, wasm.pointFromSecret(b))));
        bothSay((ecc) => plainly(ecc.pointAdd(point, point)));
        bothSay((ecc) => ecc.pointAdd(point, wasm.pointFromSecret(negated(a))));
        expect(wasm.pointAdd(point, wasm.pointFromSecret(negated(a)))).toBeNull();
      }),
    );
  });

  test("tweaks, also by 0 and to infinity", () => {
    fc.assert(
      fc.property(
        anySecret,
        any32.filter((tweak) => numberOf(tweak) < ORDER),
        (secret, tweak) => {
          const point = wasm.pointFromSecret(secret);
          for (const by of [tweak, negated(secret)]) {
            bothSay((ecc) => plainly(ecc.pointAddScalar(point, by)));
            bothSay((ecc) => plainly(ecc.secretAdd(secret, by)));
          }
          expect(wasm.pointAddScalar(point, negated(secret))).toBeNull();
          expect(wasm.secretAdd(secret, negated(secret))).toBeNull();
          bothSay((ecc) => plainly(ecc.pointMultiply(point, tweak)));
        },
      ),
    );
  });

  test("signatures, plain and with extra entropy; the secret stays as it was", () => {
    fc.assert(
      fc.property(anyHash, anySecret, fc.option(any32, { nil: undefined }), (hash, secret, entropy) => {
        const before = plainly(secret);
        bothSay((ecc) => plainly(ecc.sign(hash, secret, entropy)));
        expect(plainly(secret)).toBe(before);
      }),
    );
  });

  test("verdicts on signatures: good, high S, r or s that is none, one bit off", () => {
    fc.assert(
      fc.property(anyHash, anySecret, any32, fc.nat(511), (hash, secret, other, bit) => {
        const point = wasm.pointFromSecret(secret);
        const good = wasm.sign(hash, secret);
        const [r, s] = [good.subarray(0, 32), good.subarray(32)];
        const flipped = good.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        const candidates = [good, Uint8Array.of(...r, ...negated(s)), Uint8Array.of(...other, ...s), Uint8Array.of(...r, ...other), flipped];
        for (const candidate of candidates) bothSay((ecc) => ecc.verify(hash, point, candidate));
        expect(wasm.verify(hash, point, good)).toBe(true);
        expect(wasm.verify(hash, point, Uint8Array.of(...r, ...negated(s)))).toBe(false);
        expect(wasm.verify(hash, point, Uint8Array.of(...bytesOf(ORDER), ...s))).toBe(false);
      }),
    );
  });
});
