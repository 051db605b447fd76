import { toHex } from "../protocol/bytes.js";
import type { Ecc } from "../protocol/ecc.js";

/** The same curve, but every question is worked out once: thousands of states share their keys, points and signatures. Secrets in; they stay in memory. */
export function rememberingEcc(ecc: Ecc): Ecc {
  const remembered = <A extends readonly (Uint8Array | undefined)[], T>(act: (...args: A) => T): ((...args: A) => T) => {
    const known = new Map<string, T>();
    return (...args) => {
      const key = args.map((arg) => (arg === undefined ? "" : toHex(arg))).join();
      const before = known.get(key);
      if (before !== undefined) return before;
      const result = act(...args);
      known.set(key, result);
      return result;
    };
  };
  return {
    name: ecc.name,
    isPoint: remembered((point: Uint8Array) => ecc.isPoint(point)),
    isSecret: (secret) => ecc.isSecret(secret),
    pointFromSecret: remembered((secret: Uint8Array) => ecc.pointFromSecret(secret)),
    pointAdd: remembered((a: Uint8Array, b: Uint8Array) => ecc.pointAdd(a, b)),
    pointMultiply: remembered((point: Uint8Array, scalar: Uint8Array) => ecc.pointMultiply(point, scalar)),
    pointAddScalar: remembered((point: Uint8Array, scalar: Uint8Array) => ecc.pointAddScalar(point, scalar)),
    secretAdd: remembered((a: Uint8Array, b: Uint8Array) => ecc.secretAdd(a, b)),
    sign: remembered((hash: Uint8Array, secret: Uint8Array, extra?: Uint8Array) => ecc.sign(hash, secret, extra)),
    verify: remembered((hash: Uint8Array, point: Uint8Array, signature: Uint8Array) => ecc.verify(hash, point, signature)),
  };
}
