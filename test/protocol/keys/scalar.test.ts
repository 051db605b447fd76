import fc from "fast-check";
import { expect, test } from "vitest";
import { wasm } from "../../../src/ecc/wasm.js";
import { signature } from "../../../src/protocol/bytes.js";
import { GROUP_ORDER, fromNumber } from "../../../src/protocol/keys/group.js";
import { isLowS, multiplySecrets, negateS } from "../../../src/protocol/keys/scalar.js";
import { anyHash, anySecret } from "../channels.js";

test("(a·b)·G = a·(b·G)", () => {
  fc.assert(
    fc.property(anySecret, anySecret, (a, b) => {
      const product = multiplySecrets(a.reveal(), b.reveal());
      expect(product).toHaveLength(32);
      expect(wasm.pointFromSecret(product)).toEqual(wasm.pointMultiply(wasm.pointFromSecret(b.reveal()), a.reveal()));
    }),
  );
});

test("a factor above the order counts modulo the order", () => {
  const two = new Uint8Array(32).fill(2, 31);
  const all = multiplySecrets(new Uint8Array(32).fill(0xff), two);
  expect(wasm.isSecret(all)).toBe(true);
});

test("every signature that we make has a low S, and its mirror image has none", () => {
  fc.assert(
    fc.property(anyHash, anySecret, (hash, secret) => {
      const made = signature(wasm.sign(hash, secret.reveal()));
      expect(isLowS(made)).toBe(true);
      const mirrored = negateS(made);
      expect(mirrored.subarray(0, 32)).toEqual(made.subarray(0, 32));
      expect(BigInt(`0x${Buffer.from(made.subarray(32)).toString("hex")}`) + BigInt(`0x${Buffer.from(mirrored.subarray(32)).toString("hex")}`)).toBe(
        GROUP_ORDER,
      );
      expect(isLowS(mirrored)).toBe(false);
      expect(negateS(mirrored)).toEqual(made);
    }),
  );
});

test("half the order is the last low S", () => {
  const withS = (s: bigint) => signature(Uint8Array.of(...new Uint8Array(32).fill(1), ...fromNumber(s)));
  expect(isLowS(withS(GROUP_ORDER / 2n))).toBe(true);
  expect(isLowS(withS(GROUP_ORDER / 2n + 1n))).toBe(false);
});
