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

/** Where the package has the addon already built: its own search for that takes longer than loading it. */
const PREBUILT: Readonly<Record<string, string>> = {
  "linux-x64": "linux-x64/secp256k1.glibc.node",
  "darwin-arm64": "darwin-arm64/secp256k1.node",
  "win32-x64": "win32-x64/secp256k1.node",
};

/** Throws where there is none. The package's root would fall back to JavaScript in silence. */
function loadAddon(system: string): Addon {
  const require = createRequire(import.meta.url);
  const prebuilt = PREBUILT[system];
  if (prebuilt !== undefined) {
    try {
      const { Secp256k1 } = require(`secp256k1/prebuilds/${prebuilt}`) as { readonly Secp256k1: new () => unknown };
      return (require("secp256k1/lib/index.js") as (raw: unknown) => Addon)(new Secp256k1());
    } catch {
      // Built for another C library, or by hand: the package finds it
    }
  }
  return require("secp256k1/bindings.js") as Addon;
}

/** The native backend, or null where the addon is not installed or not built for `system`, which is Node's name of platform and architecture. */
export function loadNative(system: string): Ecc | null {
  let addon: Addon;
  try {
    addon = loadAddon(system);
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
