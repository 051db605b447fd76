import { sha256 } from "@noble/hashes/sha2.js";
import { concat } from "../../protocol/bytes.js";

const U64_BYTES = 8;

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(U64_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** What a seed's text stands for: its hash, so that it may be of any length. */
export function seedOf(text: string): Uint8Array {
  return sha256(new TextEncoder().encode(text));
}

/**
 * A case's own numbers: SHA256(SHA256(seed || index) || 0), SHA256(… || 1) …, index and counter in 8 bytes, big-endian. Nothing but seed and index
 * decides what comes, so any case can be made without those before it.
 */
export class NumberStream {
  readonly #key: Uint8Array;
  #counter = 0n;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(seed: Uint8Array, index: number) {
    this.#key = sha256(concat(seed, u64(BigInt(index))));
  }

  bytes(count: number): Uint8Array {
    const taken = new Uint8Array(count);
    for (let at = 0; at < count; at++) {
      if (this.#at === this.#block.length) {
        this.#block = sha256(concat(this.#key, u64(this.#counter)));
        this.#counter += 1n;
        this.#at = 0;
      }
      taken[at] = this.#block[this.#at] ?? 0;
      this.#at += 1;
    }
    return taken;
  }

  /** An integer from `least` to `most`, both included. Eight bytes modulo their number: as even as makes no difference here. */
  between(least: bigint, most: bigint): bigint {
    const drawn = new DataView(this.bytes(U64_BYTES).buffer).getBigUint64(0);
    return least + (drawn % (most - least + 1n));
  }

  integer(least: number, most: number): number {
    return Number(this.between(BigInt(least), BigInt(most)));
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)] as T;
  }

  /** True once in `every` draws. */
  rarely(every: number): boolean {
    return this.integer(1, every) === 1;
  }
}
