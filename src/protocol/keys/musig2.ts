import { compareBytes, concat, equalBytes, toHex } from "../bytes.js";
import { ecc } from "../ecc.js";
import { LnError } from "../errors.js";
import { type Musig2Session, type NonceParts, type SessionParts, type Tweak, musig2 } from "../musig2.js";
import type { Secret32 } from "../secret.js";
import { publicKey } from "./derivation.js";
import { GROUP_ORDER, toNumber } from "./group.js";

/*
 * MuSig2 (BIP 327), with everything that others contribute checked before it is used: a refusal names the signer, by its place among the keys.
 */

declare const brand: unique symbol;
/** Two points, 66 bytes: what a signer shows of its nonce. */
export type PublicNonce = Uint8Array & { readonly [brand]: "public_nonce" };
/** What all public nonces add up to, 66 bytes; a half of zeros is the point at infinity. */
export type AggregateNonce = Uint8Array & { readonly [brand]: "aggregate_nonce" };
/** One signer's share of a signature, 32 bytes. */
export type PartialSignature = Uint8Array & { readonly [brand]: "partial_signature" };

const NONCE_BYTES = 66;
const HALF = 33;
const SECRET_NONCE_BYTES = 97;
/** Two scalars, and behind them the signer's key. */
const SCALARS = 64;

/** Throws: key-nonce-invalid. */
export function publicNonce(bytes: Uint8Array, signer?: number): PublicNonce {
  if (bytes.length === NONCE_BYTES && halvesOf(bytes).every((half) => ecc().isPoint(half))) return bytes as PublicNonce;
  throw invalidNonce(bytes, signer === undefined ? "a public nonce" : `the public nonce of signer ${signer}`, signer);
}

/** Throws: key-nonce-invalid. */
export function aggregateNonce(bytes: Uint8Array): AggregateNonce {
  if (bytes.length === NONCE_BYTES && halvesOf(bytes).every((half) => ecc().isPoint(half) || half.every((byte) => byte === 0)))
    return bytes as AggregateNonce;
  throw invalidNonce(bytes, "the aggregate nonce");
}

function halvesOf(nonce: Uint8Array): readonly Uint8Array[] {
  return [nonce.subarray(0, HALF), nonce.subarray(HALF)];
}

function invalidNonce(bytes: Uint8Array, what: string, signer?: number): LnError {
  return new LnError("key-nonce-invalid", `${what} is not two points of the curve`, {
    value: toHex(bytes),
    ...(signer === undefined ? {} : { signer }),
  });
}

/** Throws: key-partial-signature-range. */
export function partialSignature(bytes: Uint8Array, signer: number): PartialSignature {
  if (bytes.length === 32 && toNumber(bytes) < GROUP_ORDER) return bytes as PartialSignature;
  throw new LnError("key-partial-signature-range", `the partial signature of signer ${signer} is not below the curve's order`, {
    value: toHex(bytes),
    signer,
  });
}

/**
 * Secret: a nonce that signs once. Two signatures with the same one give the key away, so whoever signs takes it, and it is gone.
 * Shown, interpolated or serialised it is `[secret]`.
 */
export class SecretNonce {
  #bytes: Uint8Array | null;

  /** Secret in: 97 bytes. Throws: input-length, key-nonce-used where they are those of one that is gone. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== SECRET_NONCE_BYTES) {
      throw new LnError("input-length", `a secret nonce has ${bytes.length} bytes, not ${SECRET_NONCE_BYTES}`, { bytes: bytes.length });
    }
    if ([bytes.subarray(0, 32), bytes.subarray(32, SCALARS)].some((scalar) => !ecc().isSecret(scalar))) throw nonceUsed();
    this.#bytes = Uint8Array.from(bytes);
  }

  /** The key that it was made for. Throws: key-nonce-used. */
  get pubkey(): Uint8Array {
    return this.reveal().subarray(SCALARS);
  }

  /** Secret: the bytes, which stay. Throws: key-nonce-used. */
  reveal(): Uint8Array {
    if (this.#bytes === null) throw nonceUsed();
    return Uint8Array.from(this.#bytes);
  }

  /** Secret: the bytes, once. Throws: key-nonce-used. */
  take(): Uint8Array {
    const bytes = this.reveal();
    this.#bytes?.fill(0);
    this.#bytes = null;
    return bytes;
  }

  /** What others may see of it. Throws: key-nonce-used. */
  toPublic(): PublicNonce {
    const bytes = this.reveal();
    return concat(ecc().pointFromSecret(bytes.subarray(0, 32)), ecc().pointFromSecret(bytes.subarray(32, SCALARS))) as PublicNonce;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

function nonceUsed(): LnError {
  return new LnError("key-nonce-used", "a secret nonce is zero or gone: it has signed before", {});
}

/** Keys in lexicographic order. BIP 327. */
export function sortKeys<Key extends Uint8Array>(pubkeys: readonly Key[]): readonly Key[] {
  return pubkeys.toSorted(compareBytes);
}

/** What the keys add up to, in the order in which they stand, and the tweaks on it: 33 bytes. BIP 327. Throws: key-not-on-curve, key-tweak-range, key-degenerate. */
export function aggregateKeys(pubkeys: readonly Uint8Array[], tweaks: readonly Tweak[] = []): Uint8Array {
  checkKeys(pubkeys, tweaks);
  return finite(() => musig2().aggregateKeys(pubkeys, tweaks));
}

/** Throws: key-not-on-curve, key-tweak-range. */
function checkKeys(pubkeys: readonly Uint8Array[], tweaks: readonly Tweak[]): void {
  for (const [signer, pubkey] of pubkeys.entries()) {
    if (ecc().isPoint(pubkey)) continue;
    throw new LnError("key-not-on-curve", `the key of signer ${signer}, ${toHex(pubkey)}, is not a point of the curve`, {
      value: toHex(pubkey),
      signer,
    });
  }
  for (const [at, { tweak }] of tweaks.entries()) {
    if (tweak.length === 32 && toNumber(tweak) < GROUP_ORDER) continue;
    throw new LnError("key-tweak-range", `tweak ${at} is not below the curve's order`, { value: toHex(tweak), at });
  }
}

/** All that was checked before can only fail by being infinite. Throws: key-degenerate, and what was refused already. */
function finite<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof LnError) throw error;
    throw new LnError("key-degenerate", "keys and tweaks add up to the point at infinity", {});
  }
}

/** Secrets in, and out. BIP 327. */
export function generateNonce(parts: Omit<NonceParts, "rand" | "secret"> & { readonly rand: Secret32; readonly secret?: Secret32 }): SecretNonce {
  const { rand, secret, ...others } = parts;
  const made = musig2().generateNonce({ ...others, rand: rand.reveal(), ...(secret === undefined ? {} : { secret: secret.reveal() }) });
  return new SecretNonce(made.secretNonce);
}

/** BIP 327. Throws: key-nonce-invalid, key-degenerate where there is none. */
export function aggregateNonces(publicNonces: readonly Uint8Array[]): AggregateNonce {
  const checked = publicNonces.map((nonce, signer) => publicNonce(nonce, signer));
  return finite(() => musig2().aggregateNonces(checked)) as AggregateNonce;
}

/** One signing: who signs, what, with which nonces. */
export interface SigningSession extends SessionParts {
  readonly aggregateNonce: AggregateNonce;
  readonly musig2: Musig2Session;
}

/** BIP 327. Throws: key-not-on-curve, key-tweak-range, key-nonce-invalid, key-degenerate. */
export function openSession(parts: SessionParts): SigningSession {
  checkKeys(parts.pubkeys, parts.tweaks);
  const nonce = aggregateNonce(parts.aggregateNonce);
  return { ...parts, aggregateNonce: nonce, musig2: finite(() => musig2().openSession(parts)) };
}

/** Secrets in; the nonce is gone afterwards, whatever comes of it. BIP 327. Throws: key-not-a-signer, key-mismatch, key-nonce-used. */
export function signPartially(session: SigningSession, nonce: SecretNonce, secret: Secret32): PartialSignature {
  const { pubkey } = nonce;
  const bytes = nonce.take();
  demandSigner(session.pubkeys, pubkey);
  if (!equalBytes(publicKey(secret), pubkey)) {
    throw new LnError("key-mismatch", "the nonce was made for another key than the one that signs", { what: "secret_nonce" });
  }
  return session.musig2.sign(bytes, secret.reveal()) as PartialSignature;
}

/** Throws: key-not-a-signer. */
function demandSigner(pubkeys: readonly Uint8Array[], pubkey: Uint8Array): void {
  if (pubkeys.some((key) => equalBytes(key, pubkey))) return;
  throw new LnError("key-not-a-signer", `${toHex(pubkey)} is none of the keys that sign`, { value: toHex(pubkey) });
}

/** Throws: input-length. */
function demandOneEach({ pubkeys }: SigningSession, given: readonly Uint8Array[], what: string): void {
  if (given.length === pubkeys.length) return;
  throw new LnError("input-length", `${given.length} ${what} for ${pubkeys.length} keys`, { what, given: given.length, expected: pubkeys.length });
}

/** Whether one signer's share is good: false for one of another, and for a scalar that is none. BIP 327. Throws: key-nonce-invalid, input-length. */
export function verifyPartialSignature(
  session: SigningSession,
  candidate: Uint8Array,
  publicNonces: readonly Uint8Array[],
  signer: number,
): candidate is PartialSignature {
  demandOneEach(session, publicNonces, "public nonces");
  const nonces = publicNonces.map((nonce, at) => publicNonce(nonce, at));
  return candidate.length === 32 && signer < nonces.length && session.musig2.verify(candidate, nonces, signer);
}

/** The signature that all shares make, a share a key in the keys' order: 64 bytes, BIP 340. BIP 327. Throws: key-partial-signature-range, input-length. */
export function aggregateSignatures(session: SigningSession, shares: readonly Uint8Array[]): Uint8Array {
  demandOneEach(session, shares, "partial signatures");
  return session.musig2.aggregate(shares.map((share, signer) => partialSignature(share, signer)));
}

/**
 * Secret in. For the last to sign, who knows the others' nonces: its own follows from all that is signed, and needs no randomness.
 * BIP 327. Throws: key-not-on-curve, key-tweak-range, key-nonce-invalid, key-not-a-signer, key-degenerate.
 */
export function signDeterministically(
  secret: Secret32,
  parts: Omit<SessionParts, "aggregateNonce"> & { readonly othersNonce: Uint8Array; readonly rand?: Secret32 },
): { readonly publicNonce: PublicNonce; readonly partialSignature: PartialSignature } {
  const { rand, othersNonce, ...others } = parts;
  checkKeys(parts.pubkeys, parts.tweaks);
  demandSigner(parts.pubkeys, publicKey(secret));
  publicNonce(othersNonce);
  const made = finite(() =>
    musig2().signDeterministically(secret.reveal(), { ...others, othersNonce, ...(rand === undefined ? {} : { rand: rand.reveal() }) }),
  );
  return { publicNonce: made.publicNonce as PublicNonce, partialSignature: made.partialSignature as PartialSignature };
}
