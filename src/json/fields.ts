import { $constructor, $ZodObject } from "zod/v4/core";
import * as z from "zod/mini";
import { camelCase, type CamelKeys } from "../protocol/camel-case.js";

type Shape = Readonly<Record<string, z.core.SomeType>>;
type JsonObject<S extends Shape> = ReturnType<typeof z.strictObject<S>>;
/** What `fields` gives: JSON object with exactly these keys ↔ read-only camelCase object. */
export type Fields<S extends Shape> = z.core.$ZodType<
  CamelKeys<z.output<JsonObject<S>>>,
  z.input<JsonObject<S>>,
  Internals<CamelKeys<z.output<JsonObject<S>>>, z.input<JsonObject<S>>>
>;
/** By the values of its keys a discriminated union can choose. */
type Internals<T, Json> = z.core.$ZodTypeInternals<T, Json> & Pick<z.core.$ZodTypeDiscriminable["_zod"], "propValues">;

type Names = readonly (readonly [before: string, after: string])[];
type FieldsDef = z.core.$ZodObjectDef & { readonly decoded: Names; readonly encoded: Names };

/** zod's object, whose keys have another spelling on the typed side. */
const RenamedObject = $constructor<$ZodObject, FieldsDef>("RenamedObject", (inst, def) => {
  $ZodObject.init(inst, def);
  const parse = inst._zod.parse.bind(inst._zod) as (payload: z.core.ParsePayload, ctx: z.core.ParseContextInternal) => z.core.ParsePayload;
  inst._zod.parse = (payload, ctx) => {
    if (ctx.direction === "backward") {
      payload.value = renamed(payload.value, def.encoded);
      return parse(payload, ctx);
    }
    const parsed = parse(payload, ctx);
    if (parsed.issues.length === 0) parsed.value = renamed(parsed.value, def.decoded);
    return parsed;
  };
});

const NO_OTHER_KEY = z.never();

/**
 * Codec of an object with exactly the keys of `shape`, which is written in JSON's spelling; an unknown key is refused.
 * Keys are written in the order of `shape`. A key that may be absent is `optional(…)`.
 */
export function fields<const S extends Shape>(shape: S): Fields<S> {
  const decoded: Names = Object.keys(shape).map((key) => [key, camelCase(key)]);
  const encoded: Names = decoded.map(([snake, camel]) => [camel, snake]);
  const def: FieldsDef = { type: "object", shape: shape as unknown as z.core.$ZodShape, catchall: NO_OTHER_KEY, decoded, encoded };
  return new RenamedObject(def) as unknown as Fields<S>;
}

/** A key that may be absent: never present with the value undefined. */
export const optional = z.exactOptional;

function renamed(from: unknown, names: Names): unknown {
  if (typeof from !== "object" || from === null) return from;
  const to: Record<string, unknown> = {};
  for (const [before, after] of names) {
    const value = (from as Record<string, unknown>)[before];
    if (value !== undefined) to[after] = value;
  }
  return to;
}
