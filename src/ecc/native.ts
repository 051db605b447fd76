import { createRequire } from "node:module";
import type { Ecc } from "../protocol/ecc.js";

/** As much of the N-API package `secp256k1` as is used. It has no declarations of its own. */
interface Addon {
  publicKeyVerify(point: Uint8Array): boolean;
  privateKeyVerify(secret: Uint8Array): boolean;
  publicKeyCreate(secret: Uint8Array): Uint8Array;
  publicKeyCombine(points: readonly Uint8Array[]): Uint8Array;
  publicKeyTweakAdd(point: Uint8Array, tweak: Uint8Array): Uint8Array;
  publicKeyTweakMul(point: Uint8Array, tweak: Uint8Array): Uint8Array;
  /** Writes into `secret`. */
  privateKeyTweakAdd(secret: Uint8Array, tweak: Uint8Array): Uint8Array;
  ecdsaSign(hash: Uint8Array, secret: Uint8Array, options: { readonly data?: Uint8Array }): { readonly signature: Uint8Array };
  ecdsaVerify(signature: Uint8Array, hash: Uint8Array, point: Uint8Array): boolean;
}

/** The native backend, or null where the addon is not installed or not built for this system. */
export function loadNative(): Ecc | null {
  let addon: Addon;
  try {
    // The package's root would fall back to JavaScript in silence.
    addon = createRequire(import.meta.url)("secp256k1/bindings.js") as Addon;
  } catch {
    return null;
  }
  return {
    name: "native",
    isPoint: (point) => point.length === 33 && addon.publicKeyVerify(point),
    isSecret: (secret) => secret.length === 32 && addon.privateKeyVerify(secret),
    pointFromSecret: (secret) => addon.publicKeyCreate(secret),
    pointAdd: (a, b) => orNull(() => addon.publicKeyCombine([a, b])),
    pointMultiply: (point, scalar) => orNull(() => addon.publicKeyTweakMul(point, scalar)),
    pointAddScalar: (point, scalar) => orNull(() => addon.publicKeyTweakAdd(point, scalar)),
    secretAdd: (a, b) => orNull(() => addon.privateKeyTweakAdd(Uint8Array.from(a), b)),
    sign: (hash, secret, extraEntropy) => addon.ecdsaSign(hash, secret, extraEntropy === undefined ? {} : { data: extraEntropy }).signature,
    verify: (hash, point, signature) => orNull(() => addon.ecdsaVerify(signature, hash, point)) ?? false,
  };
}

/** The addon throws where the result is no key, or the input no signature. */
function orNull<T>(compute: () => T): T | null {
  try {
    return compute();
  } catch {
    return null;
  }
}
