import { type SchnorrSignature, concat, equalBytes, schnorrSignature } from "../bytes.js";
import { ecc } from "../ecc.js";
import { musig2 } from "../musig2.js";
import type { Secret32 } from "../secret.js";
import { assertSecretRange } from "./derivation.js";
import { GROUP_ORDER, fromNumber, toNumber } from "./group.js";
import { taggedHash } from "./tagged-hash.js";

/** Even y. */
const EVEN = 2;

/** Secret in. A signature (64 bytes) of a hash; `auxiliary` (32 bytes) goes into its nonce. BIP 340. Throws: key-secret-range. */
export function signSchnorr(hash: Uint8Array, secret: Secret32, auxiliary: Uint8Array): SchnorrSignature {
  assertSecretRange(secret);
  return schnorrSignature(musig2().signSchnorr(hash, secret.reveal(), auxiliary));
}

/** Whether a signature (64 bytes) of a hash (32 bytes) is good for the key whose x is `xOnly` (32 bytes). BIP 340. */
export function verifySchnorr(hash: Uint8Array, xOnly: Uint8Array, signature: Uint8Array): boolean {
  const r = signature.subarray(0, 32);
  const s = signature.subarray(32);
  const key = Uint8Array.of(EVEN, ...xOnly);
  if (signature.length !== 64 || xOnly.length !== 32 || !ecc().isPoint(key) || toNumber(s) >= GROUP_ORDER) return false;
  const challenge = toNumber(taggedHash("BIP0340/challenge", r, xOnly, hash)) % GROUP_ORDER;
  const minusChallenge = fromNumber((GROUP_ORDER - challenge) % GROUP_ORDER);
  const product = ecc().pointMultiply(key, minusChallenge);
  // R = s·G − e·P
  const nonce = product === null ? ecc().pointFromSecret(s) : ecc().pointAddScalar(product, s);
  return nonce !== null && equalBytes(nonce, concat(Uint8Array.of(EVEN), r));
}

/** Whether `outputKey` with this parity of its y is `internalKey` + tweak·G; keys by x alone. BIP 341. */
export function isTweakedKey(outputKey: Uint8Array, odd: boolean, internalKey: Uint8Array, tweak: Uint8Array): boolean {
  const internal = Uint8Array.of(EVEN, ...internalKey);
  if (!ecc().isPoint(internal) || toNumber(tweak) >= GROUP_ORDER) return false;
  const sum = ecc().pointAddScalar(internal, tweak);
  return sum !== null && equalBytes(sum, Uint8Array.of(odd ? EVEN + 1 : EVEN, ...outputKey));
}
