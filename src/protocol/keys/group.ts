import { fromHex, toHex } from "../bytes.js";

/** The order of secp256k1's group (SEC 2, section 2.4.1). */
export const GROUP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
/** The order of the field under it. */
export const FIELD_ORDER = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn;

/** Big-endian bytes as a number. */
export function toNumber(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

/** A number below 2^256 as 32 big-endian bytes. */
export function fromNumber(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, "0"));
}
