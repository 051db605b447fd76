import type { JsonPath } from "../json/path.js";
import type { ListRules } from "./compare.js";

/** One part of a document: what it expects and what its inputs give. */
export interface Vector {
  /** The case's name; `common` for what a document says about all its cases. */
  readonly id: string;
  readonly path: JsonPath;
  readonly expected: Readonly<Record<string, unknown>>;
  readonly derived: unknown;
  readonly rules?: ListRules;
}

/** All of a document. `common` parts are compared like cases but are none. */
export interface VectorSet {
  readonly common: readonly Vector[];
  readonly cases: readonly Vector[];
}

/** `document` without the keys that are inputs: what is left is expected. */
export function expectedOf(document: unknown, inputs: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(document as object).filter(([key]) => !inputs.includes(key)));
}
