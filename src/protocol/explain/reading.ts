import { toHex } from "../bytes.js";
import { LnError } from "../errors.js";

/** What sort of thing bytes are: what a reader tells apart at a glance. */
export type FieldKind = "structure" | "number" | "amount" | "time" | "key" | "hash" | "signature" | "code" | "data" | "secret";

/** What is said of a field. */
export interface Said {
  /** The field's name, the specification's own where it has one. */
  readonly label: string;
  readonly kind: FieldKind;
  /** Left out: the bytes in hex. */
  readonly value?: string;
  readonly meaning: string;
  /** The document that says so. */
  readonly source: string;
}

/** What is said of counts, lengths and marks. */
export function structure(label: string, value: string, meaning: string, source: string): Said {
  return { label, kind: "structure", value, meaning, source };
}

/** A run of bytes that is one field. */
export interface ByteRange extends Required<Said> {
  readonly from: number;
  /** The first byte after it. */
  readonly to: number;
  /** Where it stands, different for every range. */
  readonly path: string;
  /** How deep it stands within the branches of a script. */
  readonly depth: number;
}

/** Stands before the range that begins at `at`. */
export interface Heading {
  readonly at: number;
  readonly level: 1 | 2;
  readonly depth: number;
  readonly title: string;
}

/** Every byte of a string accounted for: the ranges lie side by side from its first byte to its last. */
export interface Explanation {
  readonly bytes: Uint8Array;
  readonly ranges: readonly ByteRange[];
  readonly headings: readonly Heading[];
}

/** What is shown of a secret. */
export const REDACTED = "[secret]";

/** Reads bytes from front to back and says of each field what it is: what has been taken can't be taken again, and nothing is passed over. */
export class Reading {
  private readonly ranges: ByteRange[] = [];
  private readonly headings: Heading[] = [];
  private readonly scopes: string[] = [];
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** The next bytes, not taken yet. */
  peek(size: number): Uint8Array {
    return this.bytes.subarray(this.at, this.at + size);
  }

  /** The next `size` bytes as one field under `name`; none at all are no field. Throws: internal-explain where there are not so many. */
  take(name: string, size: number, say: (bytes: Uint8Array) => Said, depth = 0): Uint8Array {
    if (size < 0 || size > this.left)
      throw new LnError("internal-explain", `${size} bytes of a field, ${this.left} are left`, { size, left: this.left });
    const taken = this.peek(size);
    if (size === 0) return taken;
    const said = say(taken);
    const path = [...this.scopes, name].join(".").replaceAll(".[", "[");
    const value = said.kind === "secret" ? REDACTED : (said.value ?? toHex(taken));
    this.ranges.push({ from: this.at, to: this.at + size, path, depth, ...said, value });
    this.at += size;
    return taken;
  }

  heading(title: string, level: 1 | 2 = 1, depth = 0): void {
    this.headings.push({ at: this.at, level, depth, title });
  }

  /** What is read under a name; `[2]` is an element of the list in which it stands. */
  within(name: string, read: () => void): void {
    this.scopes.push(name);
    read();
    this.scopes.pop();
  }

  /** Throws: internal-explain where bytes are left. */
  end(): Explanation {
    if (this.left > 0) throw new LnError("internal-explain", `${this.left} bytes that nothing is said of`, { left: this.left });
    return { bytes: this.bytes, ranges: this.ranges, headings: this.headings.filter(({ at }) => at < this.bytes.length) };
  }
}

/** Least significant byte first, as Bitcoin counts. */
export function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Most significant byte first, as Lightning's messages count. */
export function bigEndian(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Digits in groups of three. */
export function grouped(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** The sizes that follow the first byte of a Bitcoin CompactSize. */
const COMPACT_SIZES: Readonly<Record<number, number>> = { 0xfd: 2, 0xfe: 4, 0xff: 8 };

/** A CompactSize, which counts what follows. */
export function takeCount(reading: Reading, name: string, say: (count: number) => Said): number {
  const [first = 0] = reading.peek(1);
  const more = COMPACT_SIZES[first] ?? 0;
  const read = (bytes: Uint8Array): number => (more === 0 ? first : Number(littleEndian(bytes.subarray(1))));
  return read(reading.take(name, 1 + more, (bytes) => say(read(bytes))));
}
