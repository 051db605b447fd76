import { LnError } from "./errors.js";

/** What is added to an aggregated key, in the order in which it is. BIP 327. */
export interface Tweak {
  /** 32 bytes. */
  readonly tweak: Uint8Array;
  /** Whether it is added to the key with this x and an even y, as BIP 341 does it. */
  readonly xOnly: boolean;
}

/** What a nonce is made of. BIP 327. */
export interface NonceParts {
  /** Secret: 32 bytes. */
  readonly rand: Uint8Array;
  readonly pubkey: Uint8Array;
  /** Secret. */
  readonly secret?: Uint8Array;
  /** By its x alone. */
  readonly aggregateKey?: Uint8Array;
  readonly message?: Uint8Array;
  readonly extraInput?: Uint8Array;
}

/** What one signing is about. BIP 327. */
export interface SessionParts {
  readonly aggregateNonce: Uint8Array;
  readonly pubkeys: readonly Uint8Array[];
  readonly message: Uint8Array;
  readonly tweaks: readonly Tweak[];
}

/** One signing. BIP 327. */
export interface Musig2Session {
  /** Secrets in. 32 bytes. Overwrites the nonce. */
  sign(secretNonce: Uint8Array, secret: Uint8Array): Uint8Array;
  verify(partialSignature: Uint8Array, publicNonces: readonly Uint8Array[], signer: number): boolean;
  /** 64 bytes: a BIP 340 signature. */
  aggregate(partialSignatures: readonly Uint8Array[]): Uint8Array;
}

/**
 * What taproot channels need besides the curve: MuSig2 (BIP 327), and signatures of BIP 340, which not every backend of the curve makes.
 * A signer is named by its place among the keys. What comes here was checked: where it throws all the same, a sum is the point at infinity.
 */
export interface Musig2 {
  /** Secret in. 64 bytes. */
  signSchnorr(hash: Uint8Array, secret: Uint8Array, auxiliary: Uint8Array): Uint8Array;
  /** KeyAgg and ApplyTweak: 33 bytes. */
  aggregateKeys(pubkeys: readonly Uint8Array[], tweaks: readonly Tweak[]): Uint8Array;
  /** Secret: 97 bytes; public: 66. */
  generateNonce(parts: NonceParts): { readonly secretNonce: Uint8Array; readonly publicNonce: Uint8Array };
  aggregateNonces(publicNonces: readonly Uint8Array[]): Uint8Array;
  openSession(parts: SessionParts): Musig2Session;
  /** Secret in: for a signer who comes last and knows what the others' nonces add up to. */
  signDeterministically(
    secret: Uint8Array,
    parts: Omit<SessionParts, "aggregateNonce"> & { readonly othersNonce: Uint8Array; readonly rand?: Uint8Array },
  ): { readonly publicNonce: Uint8Array; readonly partialSignature: Uint8Array };
}

let library: Musig2 | undefined;

/** Hands the core what it needs for taproot channels. Only who meets one has to load it. */
export function useMusig2(given: Musig2): void {
  library = given;
}

/** Throws: internal-musig2-missing. */
export function musig2(): Musig2 {
  if (library === undefined) throw new LnError("internal-musig2-missing", "the core was given nothing that does MuSig2", {});
  return library;
}
