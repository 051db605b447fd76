/** Bits as a feature field: the shortest that holds them, bit 0 the last byte's lowest. BOLT 9 §BOLT #9: Assigned Feature Flags. */
export function featureField(bits: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, ...bits.map((bit) => (bit >> 3) + 1)));
  for (const bit of bits) {
    const at = bytes.length - 1 - (bit >> 3);
    bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7));
  }
  return bytes;
}

export function hasFeatureBit(field: Uint8Array, bit: number): boolean {
  return ((field[field.length - 1 - (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0;
}
