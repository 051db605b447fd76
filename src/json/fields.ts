import { camelCase, type CamelKeys } from "../protocol/camel-case.js";
import { type Codec, type JsonSchema, type ValueOf, type Walk, FAILED, isObject } from "./codec.js";

/** A key that may be absent: never present with the value undefined. */
export interface Optional<T> {
  readonly optional: Codec<T>;
}

export function optional<T>(inner: Codec<T>): Optional<T> {
  return { optional: inner };
}

/** What each key holds. */
export type Shape = Readonly<Record<string, Codec<unknown> | Optional<unknown>>>;

type OptionalKeys<S extends Shape> = { [Key in keyof S]: S[Key] extends Optional<unknown> ? Key : never }[keyof S];
type Held<F> = F extends Optional<infer T> ? T : F extends Codec<infer T> ? T : never;
type Plain<S extends Shape> = { [Key in Exclude<keyof S, OptionalKeys<S>>]: Held<S[Key]> } & { [Key in OptionalKeys<S>]?: Held<S[Key]> };

/** What `fields` gives: JSON object with these keys ↔ read-only camelCase object. */
export type FieldsOf<S extends Shape> = CamelKeys<{ [Key in keyof Plain<S>]: Plain<S>[Key] }>;

/**
 * Codec of an object with exactly the keys of `shape`, which is written in JSON's spelling; an unknown key is refused.
 * Keys are written in the order of `shape`. A key that may be absent is `optional(…)`.
 */
export function fields<const S extends Shape>(shape: S): Codec<FieldsOf<S>> {
  return objectOf(shape, true);
}

/** The same of an object in which other keys may stand, too: they are not read. */
export function someFields<const S extends Shape>(shape: S): Codec<FieldsOf<S>> {
  return objectOf(shape, false);
}

/** An object of one of several forms, which it names itself under `key`: in JSON and in ours alike. */
export function variants<const Forms extends Readonly<Record<string, Codec<unknown>>>>(
  key: string,
  forms: Forms,
): Codec<ValueOf<Forms[keyof Forms]>> {
  const formOf = (value: unknown, walk: Walk): Codec<unknown> | null => {
    const name = isObject(value) ? value[key] : undefined;
    if (typeof name === "string" && Object.hasOwn(forms, name)) return forms[name] ?? null;
    if (!isObject(value)) walk.expected("an object");
    else {
      walk.enter(key);
      walk.expected(
        Object.keys(forms)
          .map((form) => JSON.stringify(form))
          .join(" or "),
      );
      walk.leave();
    }
    return null;
  };
  return {
    read: (value, walk) => (formOf(value, walk)?.read(value, walk) ?? FAILED) as ValueOf<Forms[keyof Forms]>,
    write: (value, walk) => formOf(value, walk)?.write(value, walk) ?? FAILED,
    jsonSchema: () => ({ anyOf: Object.values(forms).map((form) => form.jsonSchema()) }),
  };
}

/** One key: in JSON's spelling, in ours, what it holds. */
interface Field {
  readonly key: string;
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly required: boolean;
}

function objectOf<S extends Shape>(shape: S, exact: boolean): Codec<FieldsOf<S>> {
  let known: readonly Field[] | undefined;
  const all = (): readonly Field[] => (known ??= Object.entries(shape).map(([key, held]) => fieldOf(key, held)));
  return {
    read: (value, walk) => {
      if (!isObject(value)) return walk.expected("an object");
      const read = pass(all(), "key", "name", value, walk, (codec, part) => codec.read(part, walk));
      if (exact) for (const key of Object.keys(value)) if (!Object.hasOwn(shape, key)) walk.unknownKey(key);
      return read as FieldsOf<S>;
    },
    write: (value, walk) => {
      if (!isObject(value)) return walk.expected("an object");
      return pass(all(), "name", "key", value, walk, (codec, part) => codec.write(part, walk));
    },
    jsonSchema: () => schemaOf(all(), exact),
  };
}

function fieldOf(key: string, held: Shape[string]): Field {
  const name = camelCase(key);
  return "optional" in held ? { key, name, codec: held.optional, required: false } : { key, name, codec: held, required: true };
}

/** From one spelling to the other. */
function pass(
  all: readonly Field[],
  from: "key" | "name",
  to: "key" | "name",
  value: Readonly<Record<string, unknown>>,
  walk: Walk,
  act: (codec: Codec<unknown>, part: unknown) => unknown,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const field of all) {
    const part = value[field[from]];
    if (part === undefined && !field.required) continue;
    walk.enter(field.key);
    result[field[to]] = act(field.codec, part);
    walk.leave();
  }
  return result;
}

function schemaOf(all: readonly Field[], exact: boolean): JsonSchema {
  const required = all.filter((field) => field.required).map(({ key }) => key);
  return {
    type: "object",
    properties: Object.fromEntries(all.map(({ key, codec }) => [key, codec.jsonSchema()])),
    ...(required.length > 0 ? { required } : {}),
    ...(exact ? { additionalProperties: false } : {}),
  };
}
