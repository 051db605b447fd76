import * as z from "zod/mini";
import { camelCase, type CamelKeys } from "../protocol/camel-case.js";
import { codec } from "./codec.js";

type Shape = Readonly<Record<string, z.core.SomeType>>;
type JsonObject<S extends Shape> = ReturnType<typeof z.strictObject<S>>;
/** What `fields` gives: JSON object with exactly these keys ↔ read-only camelCase object. */
export type Fields<S extends Shape> = z.ZodMiniCodec<
  JsonObject<S>,
  z.ZodMiniType<CamelKeys<z.output<JsonObject<S>>>, CamelKeys<z.output<JsonObject<S>>>>
>;

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
