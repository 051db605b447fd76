import * as z from "zod/mini";
import { ERROR_CODES, LnError, type ErrorDetails } from "../protocol/errors.js";
import { refusalOf } from "./codec.js";
import { formatPath, locate, showValue, type JsonPath } from "./path.js";
import { isSecretForm, namesSecret } from "./redact.js";

/**
 * The typed value of a JSON value that was read from `source`.
 * Throws: json-unknown-key, json-missing, json-value, or what a codec itself refuses (`key-shape` …), each with `source`
 * and `path` in its details. The value of a secret is in none of them.
 */
export function decode<S extends z.core.$ZodType>(schema: S, value: unknown, source: string): z.output<S> {
  const result = z.safeDecode(schema, value as z.input<S>);
  if (result.success) return result.data;
  throw toRefusal(result.error, value, source);
}

/** The JSON value of a typed value. Throws: internal-json-encode. */
export function encode<S extends z.core.$ZodType>(schema: S, value: z.output<S>): z.input<S> {
  const result = z.safeEncode(schema, value);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  const path = formatPath(first?.path ?? []);
  throw new LnError("internal-json-encode", `${path}: its own document cannot hold this value`, { path });
}

/** The same refusal, with where in which document it arose. */
export function refusalAt(refusal: LnError, source: string, path: JsonPath): LnError {
  const details = { ...refusal.details, source, path: formatPath(path) };
  return new LnError(refusal.code, `${locate(source, path)}: ${refusal.message}`, details);
}

/** One refusal for the first issue; an unknown key goes first, since a mistyped key also leaves the right one missing. */
function toRefusal(error: z.core.$ZodError, document: unknown, source: string): LnError {
  const issue = error.issues.find(({ code }) => code === "unrecognized_keys") ?? error.issues[0];
  if (issue === undefined) return new LnError("json-value", `${source}: unreadable`, { source, path: "" });

  if (issue.code === "unrecognized_keys") {
    const path = [...issue.path, ...issue.keys.slice(0, 1)];
    return new LnError("json-unknown-key", `${locate(source, path)}: no such key`, { source, path: formatPath(path) });
  }

  const { path } = issue;
  const at: ErrorDetails = { source, path: formatPath(path) };
  const value = valueAt(document, path);
  const secret = namesSecret(path) || isSecretForm(issue.message);
  const refusal = refusalOf(issue);
  if (refusal !== undefined) {
    if (!secret) return refusalAt(refusal, source, path);
    return new LnError(refusal.code, `${locate(source, path)}: ${ERROR_CODES[refusal.code].what}`, at);
  }

  const expected = expectation(issue);
  if (value === undefined) {
    return new LnError("json-missing", `${locate(source, path)}: missing, expected ${expected}`, { ...at, expected });
  }
  const shown = secret ? "[secret]" : showValue(value);
  const details = { ...at, expected, ...(secret ? {} : { value: shown }) };
  return new LnError("json-value", `${locate(source, path)}: ${shown} is not ${expected}`, details);
}

function valueAt(document: unknown, path: JsonPath): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** What would have been right. Our primitives say it themselves; the rest follows from the kind of the issue. */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.message !== "Invalid input") return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return oneOf(issue.values);
    case "invalid_union":
      return "options" in issue ? oneOf(issue.options) : "any form allowed here";
    case "too_small":
      return `at least ${issue.minimum}${countOf(issue.origin)}`;
    case "too_big":
      return `at most ${issue.maximum}${countOf(issue.origin)}`;
    case "custom":
    case "invalid_element":
    case "invalid_format":
    case "invalid_key":
    case "not_multiple_of":
    case "unrecognized_keys":
      return "of the form demanded here";
  }
}

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "an integer",
  nonoptional: "a value",
  null: "null",
  number: "an integer",
  object: "an object",
  record: "an object",
  string: "a string",
  tuple: "a list",
};

function oneOf(values: readonly z.core.util.Primitive[]): string {
  return values.map((value) => (typeof value === "string" ? JSON.stringify(value) : String(value))).join(" or ");
}

function countOf(origin: string): string {
  if (origin === "array") return " in the list";
  return origin === "string" ? " characters" : "";
}
