import { concat } from "../bytes.js";
import { LnError } from "../errors.js";
import { cursorOver, type Cursor } from "./cursor.js";
import type { Field } from "./field.js";
import { readBigSize, writeBigSize } from "./integers.js";

/** One record of a TLV stream. BOLT 1 §Type-Length-Value Format. */
export interface TlvRecord {
  readonly type: bigint;
  readonly value: Uint8Array;
}

/** Throws: wire-tlv-order, wire-range. */
export function writeRecords(records: readonly TlvRecord[]): Uint8Array {
  checkOrder(records);
  return concat(...records.flatMap(({ type, value }) => [writeBigSize(type), writeBigSize(BigInt(value.length)), value]));
}

/** All records up to the end, whatever their types. Throws: wire-truncated, wire-bigsize, wire-tlv-order. */
export function readRecords(from: Cursor): readonly TlvRecord[] {
  const records: TlvRecord[] = [];
  while (from.left() > 0) {
    const type = readBigSize(from);
    const length = readBigSize(from);
    const left = from.left();
    if (length > left) {
      const details = { tlv: String(type), needed: String(length), left };
      throw new LnError("wire-truncated", `TLV ${type} needs ${length} more bytes, ${left} are left`, details);
    }
    records.push({ type, value: from.take(Number(length)) });
  }
  checkOrder(records);
  return records;
}

/** The value of a record that we know, of exactly its length. Throws: wire-tlv-length, wire-truncated, key-shape. */
export function readValue<T>({ type, value }: TlvRecord, field: Field<T>): T {
  if (field.size !== undefined && value.length !== field.size) {
    const details = { tlv: String(type), bytes: value.length, expected: field.size };
    throw new LnError("wire-tlv-length", `TLV ${type} has ${value.length} bytes, not ${field.size}`, details);
  }
  return field.read(cursorOver(value));
}

/** "It's ok to be odd": an unknown record of odd type may be ignored, one of even type may not. Throws: wire-tlv-even. */
export function checkOdd(type: bigint): void {
  if (type % 2n === 0n) throw new LnError("wire-tlv-even", `TLV ${type} is unknown, and even: it must not be ignored`, { tlv: String(type) });
}

function checkOrder(records: readonly TlvRecord[]): void {
  let before = -1n;
  for (const { type } of records) {
    if (type <= before) throw new LnError("wire-tlv-order", `TLV ${type} comes after TLV ${before}`, { tlv: String(type), after: String(before) });
    before = type;
  }
}
