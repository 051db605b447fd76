import {
  bytes32 as toBytes32,
  concat,
  point as toPoint,
  scriptPubkey as toScriptPubkey,
  signature as toSignature,
  txid as toTxid,
  type Bytes32,
  type KeyRole,
  type Point,
  type ScriptPubkey,
  type Signature,
  type Txid,
} from "../bytes.js";
import { camelCase, type CamelKeys } from "../camel-case.js";
import { LnError } from "../errors.js";
import { Secret32, type SecretRole } from "../secret.js";
import { msat, perKw, sat, type FeeratePerKw, type MilliSatoshi, type Satoshi } from "../units.js";
import type { Cursor } from "./cursor.js";
import { readUint, writeUint } from "./integers.js";

/** What a field holds, as plain data: from this the JSON floor makes the field's JSON form. */
export type Form =
  | { readonly kind: "u8" | "u16" | "u32" | "u64" | "satoshi" | "millisatoshi" | "feerate_per_kw" }
  | { readonly kind: "bytes32" | "txid" | "signature" | "script" | "flag" }
  | { readonly kind: "bytes"; readonly size?: number }
  | { readonly kind: "point"; readonly role: KeyRole }
  | { readonly kind: "secret"; readonly role: SecretRole }
  | { readonly kind: "list"; readonly of: Form }
  | { readonly kind: "struct"; readonly parts: Readonly<Record<string, Form>> };

/** A kind of field: how it stands on the wire and which type its value has. */
export interface Field<T> {
  readonly form: Form;
  /** Bytes on the wire; absent where it depends on the value. */
  readonly size?: number;
  /** Throws: wire-truncated, key-shape. */
  read(from: Cursor): T;
  /** Throws: wire-range, input-length. */
  write(value: T): Uint8Array;
}

export type ValueOf<F> = F extends Field<infer T> ? T : never;

function integer<T extends bigint>(kind: "u64" | "satoshi" | "millisatoshi" | "feerate_per_kw", size: number, brand: (value: bigint) => T): Field<T> {
  return { form: { kind }, size, read: (from) => brand(readUint(from, size)), write: (value) => writeUint(value, size) };
}

function smallInteger(kind: "u8" | "u16" | "u32", size: number): Field<number> {
  return { form: { kind }, size, read: (from) => Number(readUint(from, size)), write: (value) => writeUint(BigInt(value), size) };
}

export const u8 = smallInteger("u8", 1);
export const u16 = smallInteger("u16", 2);
export const u32 = smallInteger("u32", 4);
export const u64 = integer("u64", 8, (value) => value);
export const satoshi: Field<Satoshi> = integer("satoshi", 8, sat);
export const millisatoshi: Field<MilliSatoshi> = integer("millisatoshi", 8, msat);
export const feeratePerKw: Field<FeeratePerKw> = integer("feerate_per_kw", 4, perKw);

/** A field of `size` bytes; `brand` checks whatever its type demands, in both directions. */
function fixed<T extends Uint8Array>(form: Form, size: number, brand: (bytes: Uint8Array) => T): Field<T> {
  return { form, size, read: (from) => brand(from.take(size)), write: brand };
}

export const bytes32: Field<Bytes32> = fixed({ kind: "bytes32" }, 32, (bytes) => toBytes32(bytes));
export const signature: Field<Signature> = fixed({ kind: "signature" }, 64, toSignature);
/** In internal order, as transactions refer to one another; only JSON turns it around. */
export const txid: Field<Txid> = fixed({ kind: "txid" }, 32, toTxid);

export function point<Role extends KeyRole>(role: Role): Field<Point<Role>> {
  return fixed({ kind: "point", role }, 33, (bytes) => toPoint<Role>(bytes));
}

/** Secret: 32 bytes that the message gives away, but nothing else does. */
export function secret<Role extends SecretRole>(role: Role): Field<Secret32<Role>> {
  return { form: { kind: "secret", role }, size: 32, read: (from) => new Secret32<Role>(from.take(32)), write: (value) => value.reveal() };
}

/** `size` bytes that we only carry. */
export function opaque(size: number): Field<Uint8Array> {
  return fixed({ kind: "bytes", size }, size, (bytes) => {
    if (bytes.length !== size) throw new LnError("wire-range", `${bytes.length} bytes, not ${size}`, { bytes: bytes.length, size });
    return bytes;
  });
}

/** Bytes after a u16 that counts them. */
function counted<T extends Uint8Array>(form: Form, brand: (bytes: Uint8Array) => T): Field<T> {
  return {
    form,
    read: (from) => brand(from.take(u16.read(from))),
    write: (value) => concat(u16.write(value.length), value),
  };
}

export const countedBytes = counted({ kind: "bytes" }, (bytes) => bytes);
export const countedScript: Field<ScriptPubkey> = counted({ kind: "script" }, toScriptPubkey);

/** Whatever is left of a TLV's value, also nothing. */
function rest<T extends Uint8Array>(form: Form, brand: (bytes: Uint8Array) => T): Field<T> {
  return { form, read: (from) => brand(from.take(from.left())), write: (value) => value };
}

export const restBytes = rest({ kind: "bytes" }, (bytes) => bytes);
export const restScript: Field<ScriptPubkey> = rest({ kind: "script" }, toScriptPubkey);

/** Items after a u16 that counts them. */
export function countedList<T>(item: Field<T>): Field<readonly T[]> {
  return {
    form: { kind: "list", of: item.form },
    read: (from) => Array.from({ length: u16.read(from) }, () => item.read(from)),
    write: (values) => concat(u16.write(values.length), ...values.map((value) => item.write(value))),
  };
}

/** A TLV that says all by being there: its value is empty, ours is true. */
export const flag: Field<true> = { form: { kind: "flag" }, size: 0, read: () => true, write: () => new Uint8Array() };

export type Parts = Readonly<Record<string, Field<unknown>>>;

/** Several fields of fixed size in a row, under their BOLT names. */
export function struct<const P extends Parts>(parts: P): Field<CamelKeys<{ [Key in keyof P]: ValueOf<P[Key]> }>> {
  type Value = CamelKeys<{ [Key in keyof P]: ValueOf<P[Key]> }>;
  const fields = Object.entries(parts);
  return {
    form: { kind: "struct", parts: Object.fromEntries(fields.map(([name, { form }]) => [name, form])) },
    size: fields.reduce((sum, [, { size = 0 }]) => sum + size, 0),
    read: (from) => Object.fromEntries(fields.map(([name, field]) => [camelCase(name), field.read(from)])) as Value,
    write: (value) => concat(...fields.map(([name, field]) => field.write((value as Record<string, unknown>)[camelCase(name)]))),
  };
}
