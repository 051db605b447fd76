import fc from "fast-check";
import { expect, test } from "vitest";
import { wasm } from "../../../src/ecc/wasm.js";
import { signature } from "../../../src/protocol/bytes.js";
import { isLowS, multiplySecrets } from "../../../src/protocol/keys/scalar.js";
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
      const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
      const s = BigInt(`0x${Buffer.from(made.subarray(32)).toString("hex")}`);
      const mirrored = Buffer.from((order - s).toString(16).padStart(64, "0"), "hex");
      expect(isLowS(signature(Uint8Array.of(...made.subarray(0, 32), ...mirrored)))).toBe(false);
    }),
  );
});
