/** Numbers and byte strings as transactions hold them: little-endian, lengths as compact sizes. */

export function u32(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

export function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return bytes;
}

export function compactSize(size: number): Uint8Array {
  if (size < 0xfd) return Uint8Array.of(size);
  if (size <= 0xffff) return Uint8Array.of(0xfd, size, size >>> 8);
  return Uint8Array.of(0xfe, ...u32(size));
}

/** The length of `compactSize(size)`. */
export function compactSizeLength(size: number): number {
  if (size < 0xfd) return 1;
  return size <= 0xffff ? 3 : 5;
}
