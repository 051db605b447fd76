import { LnError } from "../protocol/errors.js";
import type { JsonPath } from "./path.js";

/*
 * What a document may hold, as values that read it, write it and describe it. Why not a library: a step is a process, and a general validator was a
 * fifth of what a start cost.
 */

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What comes of a value with something wrong in it. */
export const FAILED = Symbol("failed");
export type Failed = typeof FAILED;

/** A schema with two sides: the JSON value that is read and written, and the typed value that the rest of the program uses. */
export interface Codec<T> {
  /** The typed value. It, or a part of it, is FAILED where `walk` has been told of a problem. */
  read(value: unknown, walk: Walk): T | Failed;
  /** The JSON value, with the same reservation. */
  write(value: T, walk: Walk): unknown;
  /** JSON Schema 2020-12 of the JSON value. */
  jsonSchema(): JsonSchema;
}

/** The typed value of a codec. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** What is wrong with a value: not what was expected, a key that nobody knows, or refused by what makes the typed value of it. */
export type Problem = { readonly path: JsonPath } & (
  | { readonly kind: "expected"; readonly expected: string }
  | { readonly kind: "unknown-key" }
  | { readonly kind: "refused"; readonly refusal: LnError }
);

/** The way of codecs through a document: where they are, and the problems so far. */
export class Walk {
  readonly problems: Problem[] = [];
  readonly #path: PropertyKey[] = [];

  enter(step: PropertyKey): void {
    this.#path.push(step);
  }

  leave(): void {
    this.#path.pop();
  }

  /** What should stand here does not. */
  expected(expected: string): Failed {
    this.problems.push({ kind: "expected", path: [...this.#path], expected });
    return FAILED;
  }

  unknownKey(key: string): void {
    this.problems.push({ kind: "unknown-key", path: [...this.#path, key] });
  }

  refused(refusal: LnError): Failed {
    this.problems.push({ kind: "refused", path: [...this.#path], refusal });
    return FAILED;
  }

  /** The problems of a way that began here. */
  adopt({ problems }: Walk): Failed {
    for (const problem of problems) this.problems.push({ ...problem, path: [...this.#path, ...problem.path] });
    return FAILED;
  }
}

/** The JSON side of a value that has no parts. */
export interface JsonForm<Json> {
  readonly is: (value: unknown) => value is Json;
  /** What errors call it: "32 bytes in hex". */
  readonly expected: string;
  readonly jsonSchema: JsonSchema;
}

interface Conversion<Json, T> {
  readonly decode: (value: Json) => T;
  readonly encode: (value: T) => Json;
}

/** Codec from two functions. A refusal thrown by either is a problem; `decode()` and `encode()` throw it again with the path added. */
export function codec<Json, T>({ is, expected, jsonSchema }: JsonForm<Json>, convert: Conversion<Json, T>): Codec<T> {
  return {
    read: (value, walk) => (is(value) ? attempt(walk, () => convert.decode(value)) : walk.expected(expected)),
    write: (value, walk) => {
      const written = value === undefined ? undefined : attempt(walk, () => convert.encode(value));
      return is(written) ? written : walk.expected(expected);
    },
    jsonSchema: () => jsonSchema,
  };
}

function attempt<T>(walk: Walk, convert: () => T): T | Failed {
  try {
    return convert();
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    return walk.refused(error);
  }
}

/** A value that is the same on both sides. */
export function plain<Json>(form: JsonForm<Json>): Codec<Json> {
  return codec(form, { decode: (value) => value, encode: (value) => value });
}

export const text = plain<string>({
  is: (value): value is string => typeof value === "string",
  expected: "a string",
  jsonSchema: { type: "string" },
});

export const nonEmptyText: Codec<string> = {
  read: (value, walk) => (value === "" ? walk.expected("at least 1 characters") : text.read(value, walk)),
  write: (value, walk) => nonEmptyText.read(value, walk),
  jsonSchema: () => ({ type: "string", minLength: 1 }),
};

export const boolean = plain<boolean>({
  is: (value): value is boolean => typeof value === "boolean",
  expected: "true or false",
  jsonSchema: { type: "boolean" },
});

export const integer = plain<number>({
  is: (value): value is number => Number.isSafeInteger(value),
  expected: "an integer",
  jsonSchema: { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
});

/** Any value that is there. */
export const anything = plain<unknown>({ is: (value): value is unknown => value !== undefined, expected: "a value", jsonSchema: {} });

/** Any object, with what it holds. */
export const anyObject = plain<Readonly<Record<string, unknown>>>({ is: isObject, expected: "an object", jsonSchema: { type: "object" } });

type Constant = string | number | boolean;

export function literal<const V extends Constant>(value: V): Codec<V> {
  return plain({
    is: (given): given is V => given === value,
    expected: JSON.stringify(value),
    jsonSchema: { type: typeof value, const: value },
  });
}

export function oneOf<const V extends string>(values: readonly V[]): Codec<V> {
  return plain({
    is: (given): given is V => (values as readonly unknown[]).includes(given),
    expected: values.map((value) => JSON.stringify(value)).join(" or "),
    jsonSchema: { type: "string", enum: values },
  });
}

export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    read: (value, walk) => (value === null ? null : inner.read(value, walk)),
    write: (value, walk) => (value === null ? null : inner.write(value, walk)),
    jsonSchema: () => ({ anyOf: [inner.jsonSchema(), { type: "null" }] }),
  };
}

/** A list, read-only as everything of the protocol's is. */
export function list<T>(element: Codec<T>): Codec<readonly T[]> {
  return {
    read: (value, walk) => (Array.isArray(value) ? each<unknown, T>(value, walk, (one) => element.read(one, walk)) : walk.expected(A_LIST)),
    write: (value, walk) => (Array.isArray(value) ? each<T, unknown>(value, walk, (one) => element.write(one, walk)) : walk.expected(A_LIST)),
    jsonSchema: () => ({ type: "array", items: element.jsonSchema() }),
  };
}

const A_LIST = "a list";

function each<A, B>(values: readonly A[], walk: Walk, act: (value: A) => B | Failed): B[] {
  return values.map((value, at) => {
    walk.enter(at);
    const result = act(value);
    walk.leave();
    return result as B;
  });
}

/** An object with any keys, and under each the same. */
export function record<T>(element: Codec<T>): Codec<Readonly<Record<string, T>>> {
  const passed = (value: unknown, walk: Walk, act: (part: unknown) => unknown): Record<string, unknown> | Failed => {
    if (!isObject(value)) return walk.expected("an object");
    const part = ([key, held]: [string, unknown]): [string, unknown] => {
      walk.enter(key);
      const result = act(held);
      walk.leave();
      return [key, result];
    };
    return Object.fromEntries(Object.entries(value).map(part));
  };
  return {
    read: (value, walk) => passed(value, walk, (part) => element.read(part, walk)) as Readonly<Record<string, T>> | Failed,
    write: (value, walk) => passed(value, walk, (part) => element.write(part as T, walk)),
    jsonSchema: () => ({ type: "object", additionalProperties: element.jsonSchema() }),
  };
}

/** A list of exactly one, which may some day be more. */
export function single<T>(element: Codec<T>): Codec<readonly [T]> {
  const all = list(element);
  return {
    read: (value, walk) => {
      if (!Array.isArray(value) || value.length === 1) return all.read(value, walk) as readonly [T] | Failed;
      return walk.expected(value.length === 0 ? "at least 1 in the list" : "at most 1 in the list");
    },
    write: (value, walk) => all.write(value, walk),
    jsonSchema: () => ({ type: "array", prefixItems: [element.jsonSchema()], items: false, minItems: 1, maxItems: 1 }),
  };
}

/** The first of several that fits. Where one would but for a key that nobody knows, that is what is said. */
export function union<const C extends readonly Codec<unknown>[]>(...options: C): Codec<ValueOf<C[number]>> {
  const first = <V>(walk: Walk, act: (option: Codec<unknown>, own: Walk) => V): V | Failed => {
    const tried: Walk[] = [];
    for (const option of options) {
      const own = new Walk();
      const result = act(option, own);
      if (own.problems.length === 0) return result;
      tried.push(own);
    }
    const [almost, ...others] = tried.filter(({ problems }) => problems.every(({ kind }) => kind === "unknown-key"));
    return almost === undefined || others.length > 0 ? walk.expected("any form allowed here") : walk.adopt(almost);
  };
  return {
    read: (value, walk) => first(walk, (option, own) => option.read(value, own)) as ValueOf<C[number]> | Failed,
    write: (value, walk) => first(walk, (option, own) => option.write(value, own)),
    jsonSchema: () => ({ anyOf: options.map((option) => option.jsonSchema()) }),
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
