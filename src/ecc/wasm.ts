import * as tiny from "tiny-secp256k1";
import type { Ecc } from "../protocol/ecc.js";

/** The portable backend: libsecp256k1 compiled to WebAssembly. */
export const wasm: Ecc = {
  name: "wasm",
  isPoint: (point) => tiny.isPointCompressed(point),
  isSecret: (secret) => tiny.isPrivate(secret),
  pointFromSecret: (secret) => tiny.pointFromScalar(secret, true) as Uint8Array,
  pointAdd: (a, b) => tiny.pointAdd(a, b, true),
  pointMultiply: (point, scalar) => tiny.pointMultiply(point, scalar, true),
  // libsecp256k1 has a faster way to multiply G than for any sum of two products; it takes no 0
  pointAddScalar: (point, scalar) =>
    tiny.isPrivate(scalar) ? tiny.pointAdd(point, tiny.pointFromScalar(scalar, true) as Uint8Array, true) : tiny.pointAddScalar(point, scalar, true),
  secretAdd: (a, b) => tiny.privateAdd(a, b),
  sign: (hash, secret, extraEntropy) => tiny.sign(hash, secret, extraEntropy),
  verify: (hash, point, signature) => {
    try {
      return tiny.verify(hash, point, signature, true);
    } catch {
      // It throws where r or s is not below the order: no signature of anybody
      return false;
    }
  },
};

/** The library itself, for ecpair, which wants all of it. */
export { tiny };
