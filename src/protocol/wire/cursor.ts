import { LnError } from "../errors.js";

/** Reads a byte string from front to back. What is taken is a copy, so nothing aliases the message. */
export interface Cursor {
  /** Bytes not yet taken. */
  left(): number;
  /** Throws: wire-truncated. */
  take(size: number): Uint8Array;
}

export function cursorOver(bytes: Uint8Array): Cursor {
  let at = 0;
  return {
    left: () => bytes.length - at,
    take: (size) => {
      const left = bytes.length - at;
      if (size > left) throw new LnError("wire-truncated", `needs ${size} more bytes, ${left} are left`, { needed: size, left });
      const taken = bytes.slice(at, at + size);
      at += size;
      return taken;
    },
  };
}
