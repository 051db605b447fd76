import { LnError } from "../errors.js";
import type { Cursor } from "./cursor.js";

/** `value` as `size` bytes, big-endian. Throws: wire-range. BOLT 1 §Fundamental Types. */
export function writeUint(value: bigint, size: number): Uint8Array {
  if (value < 0n || value >= 1n << BigInt(8 * size)) {
    throw new LnError("wire-range", `${value} does not fit into ${size} bytes`, { value: String(value), size });
  }
  const bytes = new Uint8Array(size);
  for (let i = size - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}

/** Throws: wire-truncated. */
export function readUint(from: Cursor, size: number): bigint {
  let value = 0n;
  for (const byte of from.take(size)) value = (value << 8n) | BigInt(byte);
  return value;
}

/** The first byte from which on a BigSize needs 2, 4 or 8 more bytes. */
const BIGSIZE_2 = 0xfd;
const BIGSIZE_4 = 0xfe;
const BIGSIZE_8 = 0xff;

/** An integer below 2^64 in 1, 3, 5 or 9 bytes. Throws: wire-range. BOLT 1 §Appendix A: BigSize Test Vectors. */
export function writeBigSize(value: bigint): Uint8Array {
  if (value < BIGSIZE_2) return writeUint(value, 1);
  if (value < 1n << 16n) return Uint8Array.of(BIGSIZE_2, ...writeUint(value, 2));
  if (value < 1n << 32n) return Uint8Array.of(BIGSIZE_4, ...writeUint(value, 4));
  return Uint8Array.of(BIGSIZE_8, ...writeUint(value, 8));
}

/** Throws: wire-truncated, wire-bigsize where a shorter form would do. */
export function readBigSize(from: Cursor): bigint {
  const first = Number(readUint(from, 1));
  switch (first) {
    case BIGSIZE_2:
      return minimal(readUint(from, 2), BigInt(BIGSIZE_2));
    case BIGSIZE_4:
      return minimal(readUint(from, 4), 1n << 16n);
    case BIGSIZE_8:
      return minimal(readUint(from, 8), 1n << 32n);
    default:
      return BigInt(first);
  }
}

function minimal(value: bigint, least: bigint): bigint {
  if (value < least) throw new LnError("wire-bigsize", `${value} is not written in its shortest form`, { value: String(value) });
  return value;
}
