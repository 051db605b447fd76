import * as z from "zod/mini";
import { codec } from "./codec.js";

/** `funding_txid` → `fundingTxid`: JSON keeps the BOLTs' spelling, TypeScript its own. */
export type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : Key;

/** The same object with camelCase keys, read-only; an optional key stays optional. */
export type CamelKeys<T> = { readonly [Key in keyof T as Key extends string ? CamelCase<Key> : never]: T[Key] };

type Shape = Readonly<Record<string, z.core.SomeType>>;
type JsonObject<S extends Shape> = ReturnType<typeof z.strictObject<S>>;
/** What `fields` gives: JSON object with exactly these keys ↔ read-only camelCase object. */
export type Fields<S extends Shape> = z.ZodMiniCodec<
  JsonObject<S>,
  z.ZodMiniType<CamelKeys<z.output<JsonObject<S>>>, CamelKeys<z.output<JsonObject<S>>>>
>;

export function camelCase<Key extends string>(key: Key): CamelCase<Key> {
  return key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<Key>;
}

/**
 * Codec of an object with exactly the keys of `shape`, which is written in JSON's spelling; an unknown key is refused.
 * Keys are written in the order of `shape`. A key that may be absent is `optional(…)`.
 */
export function fields<const S extends Shape>(shape: S): Fields<S> {
  const keys = Object.keys(shape).map((key) => [key, camelCase(key)] as const);
  const back = keys.map(([snake, camel]) => [camel, snake] as const);
  return codec<JsonObject<S>, CamelKeys<z.output<JsonObject<S>>>>(z.strictObject<S>(shape), {
    decode: (json) => renamed(json, keys) as CamelKeys<z.output<JsonObject<S>>>,
    encode: (value) => renamed(value, back) as z.output<JsonObject<S>>,
  });
}

/** A key that may be absent: never present with the value undefined. */
export const optional = z.exactOptional;

function renamed(from: object, keys: readonly (readonly [string, string])[]): object {
  const to: Record<string, unknown> = {};
  for (const [before, after] of keys) {
    const value = (from as Record<string, unknown>)[before];
    if (value !== undefined) to[after] = value;
  }
  return to;
}
