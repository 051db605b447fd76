import { ERROR_CODES, LnError, type ErrorDetails } from "../protocol/errors.js";
import { type Codec, Walk } from "./codec.js";
import { formatPath, locate, showValue, type JsonPath } from "./path.js";
import { isSecretForm, namesSecret } from "./redact.js";

/**
 * The typed value of a JSON value that was read from `source`.
 * Throws: json-unknown-key, json-missing, json-value, or what a codec itself refuses (`key-shape` …), each with `source`
 * and `path` in its details. The value of a secret is in none of them.
 */
export function decode<T>(codec: Codec<T>, value: unknown, source: string): T {
  const walk = new Walk();
  const read = codec.read(value, walk);
  if (walk.problems.length > 0) throw toRefusal(walk, value, source);
  return read as T;
}

/** The JSON value of a typed value. Throws: internal-json-encode. */
export function encode<T>(codec: Codec<T>, value: T): Record<string, unknown> {
  const walk = new Walk();
  const written = codec.write(value, walk);
  const [first] = walk.problems;
  if (first === undefined) return written as Record<string, unknown>;
  const path = formatPath(first.path);
  throw new LnError("internal-json-encode", `${path}: its own document cannot hold this value`, { path });
}

/** The same refusal, with where in which document it arose. */
export function refusalAt(refusal: LnError, source: string, path: JsonPath): LnError {
  const details = { ...refusal.details, source, path: formatPath(path) };
  return new LnError(refusal.code, `${locate(source, path)}: ${refusal.message}`, details);
}

/** One refusal for the first problem; an unknown key goes first, since a mistyped key also leaves the right one missing. */
function toRefusal({ problems }: Walk, document: unknown, source: string): LnError {
  const problem = problems.find(({ kind }) => kind === "unknown-key") ?? problems[0];
  if (problem === undefined) return new LnError("json-value", `${source}: unreadable`, { source, path: "" });

  const { path } = problem;
  const at: ErrorDetails = { source, path: formatPath(path) };
  if (problem.kind === "unknown-key") return new LnError("json-unknown-key", `${locate(source, path)}: no such key`, at);

  if (problem.kind === "refused") {
    const { refusal } = problem;
    if (!namesSecret(path)) return refusalAt(refusal, source, path);
    return new LnError(refusal.code, `${locate(source, path)}: ${ERROR_CODES[refusal.code].what}`, at);
  }

  const { expected } = problem;
  const value = valueAt(document, path);
  if (value === undefined) {
    return new LnError("json-missing", `${locate(source, path)}: missing, expected ${expected}`, { ...at, expected });
  }
  const secret = namesSecret(path) || isSecretForm(expected);
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
