import type { JsonPath } from "../json/path.js";
import type { CaseInputs } from "./case-document.js";
import type { ListRules } from "./compare.js";
import type { ExpectedSigning } from "./diagnose-case.js";
import type { Places } from "./placed.js";

/** One part of a document: what it expects and what its inputs give. */
export interface Vector {
  /** The case's name; `common` for what a document says about all its cases. */
  readonly id: string;
  readonly path: JsonPath;
  readonly expected: Readonly<Record<string, unknown>>;
  readonly derived: unknown;
  readonly rules?: ListRules;
  /** Inputs that follow from others: they are compared, too. */
  readonly stated?: readonly { readonly path: JsonPath; readonly expected: unknown; readonly derived: unknown }[];
  /** Of a commitment: all that it is made of, and what tells whether it is the one that is expected. */
  readonly commitment?: {
    /** Secrets: the case's. */
    readonly inputs: CaseInputs;
    readonly expected: ExpectedSigning;
    /** Keys of `expected` that are as expected only if the whole commitment is. */
    readonly keys: readonly string[];
  };
  /** Of another transaction: what it is called, and where in `expected` stands what is as expected only if all of it is. */
  readonly decisive?: { readonly what: string; readonly path: JsonPath };
  /** What a value under a key follows from, where it is not what the key says in other layouts. */
  readonly followsFrom?: Readonly<Record<string, string>>;
  /** Where its values stand in the file, where that has another layout than the document. */
  readonly places?: Places;
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
