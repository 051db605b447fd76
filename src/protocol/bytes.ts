import { LnError } from "./errors.js";

declare const brand: unique symbol;
type Bytes<Name extends string> = Uint8Array & { readonly [brand]: Name };

/** Any 32 bytes that are not a secret: hashes, channel ids, chain hashes. */
export type Bytes32 = Bytes<"bytes32">;
/** A transaction id in internal (hash) order. JSON shows it reversed, in display order. */
export type Txid = Bytes<"txid">;
/** A compact ECDSA signature `r || s`, 64 bytes, no sighash byte. */
export type Signature = Bytes<"signature">;
/** A signature of BIP 340: 64 bytes, no sighash byte. */
export type SchnorrSignature = Bytes<"schnorr_signature">;
/** A witness script: what a P2WSH output hashes. */
export type WitnessScript = Bytes<"witness_script">;
/** What an output is locked with. */
export type ScriptPubkey = Bytes<"script_pubkey">;

/** The roles that a public key can have. Two roles never interchange. */
export type KeyRole =
  | "funding"
  | "revocation_basepoint"
  | "payment_basepoint"
  | "delayed_payment_basepoint"
  | "htlc_basepoint"
  | "per_commitment"
  | "revocationpubkey"
  | "delayedpubkey"
  | "remotepubkey"
  | "htlcpubkey";

/** A compressed curve point, 33 bytes, in one role. Checked for shape here and for being on the curve where it enters. */
export type Point<Role extends KeyRole = KeyRole> = Bytes<"point"> & { readonly role?: Role };

function sized(bytes: Uint8Array, size: number, what: string): Uint8Array {
  if (bytes.length !== size) {
    throw new LnError("input-length", `${what} has ${bytes.length} bytes, not ${size}`, { what, bytes: bytes.length, expected: size });
  }
  return bytes;
}

export const bytes32 = (bytes: Uint8Array, what = "value"): Bytes32 => sized(bytes, 32, what) as Bytes32;
export const txid = (bytes: Uint8Array): Txid => sized(bytes, 32, "txid") as Txid;
export const signature = (bytes: Uint8Array): Signature => sized(bytes, 64, "signature") as Signature;
export const schnorrSignature = (bytes: Uint8Array): SchnorrSignature => sized(bytes, 64, "signature") as SchnorrSignature;
export const witnessScript = (bytes: Uint8Array): WitnessScript => bytes as WitnessScript;
export const scriptPubkey = (bytes: Uint8Array): ScriptPubkey => bytes as ScriptPubkey;

/** 33 bytes that begin like a compressed point. Throws: input-length, key-shape. */
export function point<Role extends KeyRole>(bytes: Uint8Array, what = "point"): Point<Role> {
  sized(bytes, 33, what);
  if (bytes[0] !== 2 && bytes[0] !== 3) {
    throw new LnError("key-shape", `${what} ${toHex(bytes)} does not begin with 02 or 03`, { what, value: toHex(bytes) });
  }
  return bytes as Point<Role>;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += HEX[byte] ?? "";
  return hex;
}

/** Hex digits of both cases by their character codes, −1 for what is none: a table, since a start interprets every byte of a channel file. */
const DIGITS = new Int8Array(128).fill(-1);
for (const [value, digit] of Array.from("0123456789abcdef").entries()) {
  DIGITS[digit.charCodeAt(0)] = value;
  DIGITS[digit.toUpperCase().charCodeAt(0)] = value;
}

/** Throws: input-hex. The message never repeats the value, which may be a secret. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0) throw new LnError("input-hex", `hex of odd length ${hex.length}`, { length: hex.length });
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = DIGITS[hex.charCodeAt(2 * i)] ?? -1;
    const low = DIGITS[hex.charCodeAt(2 * i + 1)] ?? -1;
    if (high < 0 || low < 0) throw new LnError("input-hex", `not hex at character ${2 * i}`, { at: 2 * i });
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const joined = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Byte by byte like C's memcmp, a prefix before what it begins: BIP 69's order, and that of public keys. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, b) === 0;
}

export function reversed(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes).reverse();
}

/** A txid in the order that people and explorers print. */
export function displayTxid(id: Txid): string {
  return toHex(reversed(id));
}

/** Throws: input-hex, input-length. */
export function parseTxid(display: string): Txid {
  return txid(reversed(fromHex(display)));
}
