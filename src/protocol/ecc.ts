import { LnError } from "./errors.js";

/** The curve operations that the core needs of a backend. Every byte string is plain; points are compressed. */
export interface Ecc {
  readonly name: "wasm" | "native";
  isPoint(point: Uint8Array): boolean;
  /** True for 1 ≤ value < the group's order. */
  isSecret(secret: Uint8Array): boolean;
  pointFromSecret(secret: Uint8Array): Uint8Array;
  /** Null where the sum is the point at infinity. */
  pointAdd(a: Uint8Array, b: Uint8Array): Uint8Array | null;
  pointMultiply(point: Uint8Array, scalar: Uint8Array): Uint8Array | null;
  /** point + scalar·G. */
  pointAddScalar(point: Uint8Array, scalar: Uint8Array): Uint8Array | null;
  /** The sum modulo the group's order; null where it is 0. */
  secretAdd(a: Uint8Array, b: Uint8Array): Uint8Array | null;
  /** RFC 6979, low S, 64 bytes; `extraEntropy` (32 bytes) goes into the nonce as RFC 6979 section 3.6 allows. */
  sign(hash: Uint8Array, secret: Uint8Array, extraEntropy?: Uint8Array): Uint8Array;
  /** False for a high S, too. */
  verify(hash: Uint8Array, point: Uint8Array, signature: Uint8Array): boolean;
}

/** Secret: what `sign` takes. */
export interface SignTask {
  readonly hash: Uint8Array;
  readonly secret: Uint8Array;
  readonly extraEntropy?: Uint8Array;
}

/** What `verify` takes. */
export interface VerifyTask {
  readonly hash: Uint8Array;
  readonly point: Uint8Array;
  readonly signature: Uint8Array;
}

/** `sign` and `verify` for as many tasks as there are, each result in its task's place: a commitment asks for up to 967 signatures at once. */
export interface ManyAtOnce {
  signAll(tasks: readonly SignTask[]): readonly Uint8Array[];
  verifyAll(tasks: readonly VerifyTask[]): readonly boolean[];
}

export function oneByOne(ecc: Ecc): ManyAtOnce {
  return {
    signAll: (tasks) => tasks.map(({ hash, secret, extraEntropy }) => ecc.sign(hash, secret, extraEntropy)),
    verifyAll: (tasks) => tasks.map(({ hash, point, signature }) => ecc.verify(hash, point, signature)),
  };
}

let backend: (Ecc & ManyAtOnce) | undefined;

/** Hands the core its curve backend, once, before any function that touches keys. One that does not do many at once does them one by one. */
export function useEcc(ecc: Ecc & Partial<ManyAtOnce>): void {
  backend = doesMany(ecc) ? ecc : { ...ecc, ...oneByOne(ecc) };
}

function doesMany(ecc: Ecc & Partial<ManyAtOnce>): ecc is Ecc & ManyAtOnce {
  return ecc.signAll !== undefined && ecc.verifyAll !== undefined;
}

/** Throws: internal-ecc-missing. */
export function ecc(): Ecc & ManyAtOnce {
  if (backend === undefined) throw new LnError("internal-ecc-missing", "no curve backend was given to the core", {});
  return backend;
}
