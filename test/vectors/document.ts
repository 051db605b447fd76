import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ChannelType } from "../../src/protocol/tx/channel-type.js";
import { FORMATS } from "../../src/protocol/tx/format.js";

/** A file of fixtures/vectors. */
export function vectorText(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../fixtures/vectors/${name}`, import.meta.url)), "utf8");
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Path = readonly (string | number)[];

export function parse(text: string): Json {
  return JSON.parse(text) as Json;
}

/** The cases of an NDJSON file, as they stand there. */
export function caseLines(name: string): readonly string[] {
  return vectorText(name).trim().split("\n");
}

/** Where the single values of a document stand. An empty list is one, too. */
export function leaves(value: unknown, path: Path = []): readonly Path[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((element, index) => leaves(element, [...path, index]));
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
  return [path];
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown>)[step], value);
}

/** A copy with one value changed. */
export function withValue<T>(document: T, path: Path, value: unknown): T {
  const copy = structuredClone(document);
  const last = path.at(-1);
  if (last === undefined) return value as T;
  (valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>)[last] = value;
  return copy;
}

/** A copy without one key. */
export function withoutKey<T>(document: T, path: Path): T {
  const copy = structuredClone(document);
  Reflect.deleteProperty(valueAt(copy, path.slice(0, -1)) as object, path.at(-1) ?? "");
  return copy;
}

/** Another value of the same kind: one hex digit flipped, a thousand more, a letter more. */
export function changed(value: unknown): unknown {
  if (typeof value === "number") return value + 1000;
  if (typeof value === "boolean") return !value;
  if (typeof value !== "string") return "something";
  if (!/^[0-9a-f]+$/.test(value)) return `${value}x`;
  const at = value.length >> 1;
  return value.slice(0, at) + (value[at] === "0" ? "1" : "0") + value.slice(at + 1);
}

/** A case as one of another channel type, at feerate 0 where there is none. */
export function inType(document: Json, type: ChannelType): Json {
  const typed = withValue(document, ["case", "channel_type"], type);
  return FORMATS[type].hasFeerate ? typed : withValue(typed, ["case", "feerate_per_kw"], 0);
}
