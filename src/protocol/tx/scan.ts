import { sha256 } from "@noble/hashes/sha2.js";
import { reversed, toHex } from "../bytes.js";
import { LnError } from "../errors.js";

/*
 * What a watcher needs of a transaction that is most likely nobody's: which outputs it spends, and where it ends. Nothing is copied and nothing made.
 */

/** Told where in the bytes an outpoint stands: 32 bytes of txid in internal order, then 4 of the output index. */
export type OnOutpoint = (at: number) => void;

const OUTPOINT_BYTES = 36;
const TXID_BYTES = 32;

/**
 * Walks over the serialised transaction that begins at `from`, and returns where it ends. BIP 144.
 * Throws: tx-not-parsed where the bytes end before it does, or are written longer than they must be.
 */
export function scanTransaction(bytes: Uint8Array, from: number, onOutpoint: OnOutpoint): number {
  let at = from + 4;
  const segwit = bytes[at] === 0 && bytes[at + 1] === 1;
  if (segwit) at += 2;
  const inputs = readCount(bytes, at);
  at = afterCount(inputs, at);
  for (let input = 0; input < inputs; input++) {
    const end = afterScript(bytes, at + OUTPOINT_BYTES) + 4;
    onOutpoint(at);
    at = end;
  }
  const outputs = readCount(bytes, at);
  at = afterCount(outputs, at);
  for (let output = 0; output < outputs; output++) at = afterScript(bytes, at + 8);
  for (let input = 0; segwit && input < inputs; input++) {
    const elements = readCount(bytes, at);
    at = afterCount(elements, at);
    for (let element = 0; element < elements; element++) at = afterScript(bytes, at);
  }
  at += 4;
  if (at > bytes.length) throw tooShort(bytes);
  return at;
}

/** A block's transactions. */
export interface ScannedBlock {
  /** The height as the coinbase tells it (BIP 34). Throws: tx-not-parsed where it does not. */
  readonly height: () => number;
  /** Where each transaction begins, and last where the block ends. */
  readonly bounds: readonly number[];
}

const HEADER_BYTES = 80;

/** Finds the transactions of a serialised block. Throws: tx-not-parsed. */
export function scanBlock(bytes: Uint8Array): ScannedBlock {
  const count = readCount(bytes, HEADER_BYTES);
  const bounds = [afterCount(count, HEADER_BYTES)];
  let script = 0;
  for (let tx = 0; tx < count; tx++) {
    const end = scanTransaction(bytes, bounds[tx] ?? 0, (at) => {
      if (tx === 0) script = at + OUTPOINT_BYTES;
    });
    bounds.push(end);
  }
  if (count === 0 || bounds[count] !== bytes.length)
    throw new LnError("tx-not-parsed", `${bytes.length} bytes are no block`, { bytes: bytes.length });
  return { height: () => pushedNumber(bytes, afterCount(readCount(bytes, script), script)), bounds };
}

/** A block's hash as people print it. */
export function blockHash(bytes: Uint8Array): string {
  return toHex(reversed(sha256(sha256(bytes.subarray(0, HEADER_BYTES)))));
}

/** OP_1 to OP_16, or a push of up to four bytes, little-endian. */
function pushedNumber(bytes: Uint8Array, at: number): number {
  const size = bytes[at] ?? 0;
  if (size > 0x50 && size <= 0x60) return size - 0x50;
  if (size > 4) throw new LnError("tx-not-parsed", "the block's coinbase does not begin with its height (BIP 34)", {});
  let value = 0;
  for (let digit = size; digit > 0; digit--) value = value * 256 + (bytes[at + digit] ?? 0);
  return value;
}

/** Begins a CompactSize of more than 32 bits: nothing that is counted in a transaction is so many. */
const EIGHT_BYTES_FOLLOW = 0xff;

/** A CompactSize, which must be in its shortest form. */
function readCount(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? EIGHT_BYTES_FOLLOW;
  if (first === EIGHT_BYTES_FOLLOW) throw tooShort(bytes);
  if (first < 0xfd) return first;
  const size = first === 0xfd ? 2 : 4;
  if (at + 1 + size > bytes.length) throw tooShort(bytes);
  let value = 0;
  for (let digit = size; digit > 0; digit--) value = value * 256 + (bytes[at + digit] ?? 0);
  const least = size === 2 ? 0xfd : 0x10000;
  if (value < least) throw new LnError("tx-not-parsed", "the transaction is not in its own serialisation", { bytes: bytes.length });
  return value;
}

function afterCount(value: number, at: number): number {
  return at + (value < 0xfd ? 1 : value < 0x10000 ? 3 : 5);
}

function afterScript(bytes: Uint8Array, at: number): number {
  const length = readCount(bytes, at);
  return afterCount(length, at) + length;
}

function tooShort(bytes: Uint8Array): LnError {
  return new LnError("tx-not-parsed", `${bytes.length} bytes are no transaction`, { bytes: bytes.length });
}

/** Values under the transactions that they are about. Looking one up takes the same time however many there are. */
export interface TxidIndex<T> {
  add(txid: Uint8Array, value: T): void;
  remove(txid: Uint8Array, value: T): void;
  /** Those under the txid that stands at a place in `bytes`. */
  at(bytes: Uint8Array, place: number): readonly T[];
}

interface Entry<T> {
  readonly txid: Uint8Array;
  readonly value: T;
}

export function txidIndex<T>(): TxidIndex<T> {
  const entries = new Map<number, Entry<T>[]>();
  const none: readonly T[] = [];
  return {
    add(txid, value) {
      const key = prefix(txid, 0);
      const held = entries.get(key);
      if (held === undefined) entries.set(key, [{ txid, value }]);
      else held.push({ txid, value });
    },
    remove(txid, value) {
      const key = prefix(txid, 0);
      const left = (entries.get(key) ?? []).filter((entry) => entry.value !== value || !isAt(txid, 0, entry.txid));
      if (left.length === 0) entries.delete(key);
      else entries.set(key, left);
    },
    at(bytes, place) {
      const held = entries.get(prefix(bytes, place));
      return held === undefined ? none : held.filter(({ txid }) => isAt(bytes, place, txid)).map(({ value }) => value);
    },
  };
}

/** Six bytes: more than a small integer, exact in a double, and seldom shared. */
function prefix(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  const high = (bytes[at + 3] ?? 0) | ((bytes[at + 4] ?? 0) << 8) | ((bytes[at + 5] ?? 0) << 16);
  return high * 0x1000000 + low;
}

function isAt(bytes: Uint8Array, place: number, txid: Uint8Array): boolean {
  for (let at = 0; at < TXID_BYTES; at++) if (bytes[place + at] !== txid[at]) return false;
  return true;
}
