import { concat } from "../bytes.js";
import { ecc } from "../ecc.js";
import { FIELD_ORDER, GROUP_ORDER, fromNumber, toNumber } from "./group.js";

/**
 * Whether an ECDSA signature is good as the chain takes it: DER of whatever looseness, S low or high, the key compressed, uncompressed or hybrid.
 * `signature` is without a sighash byte.
 */
export function verifyOnChain(hash: Uint8Array, pubkey: Uint8Array, signature: Uint8Array): boolean {
  const key = compressed(pubkey);
  const compact = compactSignature(signature);
  return key !== null && compact !== null && ecc().verify(hash, key, compact);
}

/** A key in its 33 bytes, or null where a longer one is not on the curve. Of one that is short already, the curve is not asked. */
function compressed(pubkey: Uint8Array): Uint8Array | null {
  const [prefix = 0] = pubkey;
  if (pubkey.length === 33) return prefix === 2 || prefix === 3 ? pubkey : null;
  if (pubkey.length !== 65 || (prefix !== 4 && prefix !== 6 && prefix !== 7)) return null;
  const x = toNumber(pubkey.subarray(1, 33));
  const y = toNumber(pubkey.subarray(33));
  if (x >= FIELD_ORDER || y >= FIELD_ORDER || (y * y - x * x * x - 7n) % FIELD_ORDER !== 0n) return null;
  const parity = Number(y & 1n);
  if (prefix !== 4 && (prefix & 1) !== parity) return null;
  return Uint8Array.of(2 + parity, ...pubkey.subarray(1, 33));
}

/** r and the low S of a loose DER signature, 64 bytes, or null where it cannot be read or holds a number that no signature has. */
function compactSignature(der: Uint8Array): Uint8Array | null {
  const numbers = looseNumbers(der);
  if (numbers === null) return null;
  const [r, s] = numbers;
  if (r >= GROUP_ORDER || s >= GROUP_ORDER) return null;
  return concat(fromNumber(r), fromNumber(s > GROUP_ORDER / 2n ? GROUP_ORDER - s : s));
}

/** DER as OpenSSL once read it, and old blocks hold it: long lengths, padding, a wrong length around it all, bytes behind it. */
function looseNumbers(der: Uint8Array): readonly [bigint, bigint] | null {
  if (der[0] !== 0x30) return null;
  const sequence = looseLength(der, 1, false);
  if (sequence === null) return null;
  const r = looseInteger(der, sequence.next);
  if (r === null) return null;
  const s = looseInteger(der, r.next);
  return s === null ? null : [r.value, s.value];
}

function looseInteger(der: Uint8Array, at: number): { readonly value: bigint; readonly next: number } | null {
  if (der[at] !== 0x02) return null;
  const size = looseLength(der, at + 1, true);
  if (size === null || size.length > der.length - size.next) return null;
  const next = size.next + size.length;
  return { value: toNumber(der.subarray(size.next, next)), next };
}

/** The greatest number of bytes of a length that is read. */
const MAX_LENGTH_BYTES = 3;

/** A length in short or long form. Of the one around both numbers only the size is looked at, never the value (`read` false). */
function looseLength(der: Uint8Array, at: number, read: boolean): { readonly length: number; readonly next: number } | null {
  const first = der[at];
  if (first === undefined) return null;
  if (first < 0x80) return { length: first, next: at + 1 };
  const next = at + 1 + (first & 0x7f);
  if (next > der.length) return null;
  if (!read) return { length: 0, next };
  const length = toNumber(der.subarray(at + 1, next));
  return length >= 256n ** BigInt(MAX_LENGTH_BYTES) ? null : { length: Number(length), next };
}

/** Whether bytes are a strict DER signature without its sighash byte (BIP 66). */
export function isStrictDer(der: Uint8Array): boolean {
  const rSize = der[3] ?? 0;
  const sSize = der[5 + rSize] ?? 0;
  return (
    der.length >= 8 &&
    der.length <= 72 &&
    der[0] === 0x30 &&
    der[1] === der.length - 2 &&
    rSize + sSize + 6 === der.length &&
    isStrictInteger(der.subarray(2, 4 + rSize)) &&
    isStrictInteger(der.subarray(4 + rSize))
  );
}

/** Of a byte at least, positive, and without a leading zero byte that its sign does not need. */
function isStrictInteger(der: Uint8Array): boolean {
  // Without a byte it counts as negative
  const [tag, size, first = 0x80, second = 0] = der;
  return tag === 0x02 && first < 0x80 && (first !== 0 || size === 1 || second >= 0x80);
}

/** Whether a DER signature's S is at most half the group's order (BIP 146). One with a number that no signature has counts as low: it is refused for not being good. */
export function hasLowS(der: Uint8Array): boolean {
  const numbers = looseNumbers(der);
  if (numbers === null) return false;
  const [r, s] = numbers;
  return r >= GROUP_ORDER || s >= GROUP_ORDER || s <= GROUP_ORDER / 2n;
}

export function isCompressedKey(pubkey: Uint8Array): boolean {
  return pubkey.length === 33 && (pubkey[0] === 2 || pubkey[0] === 3);
}

export function isUncompressedKey(pubkey: Uint8Array): boolean {
  return pubkey.length === 65 && pubkey[0] === 4;
}
