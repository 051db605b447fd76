import { visit, type ParseErrorCode } from "jsonc-parser";
import { LnError, type ErrorCode, type ErrorDetails } from "../protocol/errors.js";
import { formatPath, locate, shorten, type JsonPath } from "./path.js";
import { namesSecret } from "./redact.js";

/** Objects and lists within one another: far above what any file of ours needs, far below what the recursive scanner can take. */
const MAX_DEPTH = 64;

/** No fraction, no exponent, no minus zero: one integer is written in one way. */
const INTEGER = /^(0|-?[1-9][0-9]*)$/;

/** None of these repeats the text, which may be a secret without its quotes. */
const SYNTAX: Record<ParseErrorCode, string> = {
  1: "not a JSON value",
  2: "not a JSON number",
  3: "a key in double quotes is missing",
  4: "a value is missing",
  5: "a colon is missing",
  6: "a comma is missing",
  7: "ends before the object is closed",
  8: "ends before the list is closed",
  9: "something follows the end of the document",
  10: "comments are not JSON",
  11: "comments are not JSON",
  12: "a string is not closed on its line",
  13: "a number is not complete",
  14: "a \\u escape is not four hex digits",
  15: "an unknown escape in a string",
  16: "a control character in a string",
};

type JsonObject = Record<string, unknown>;
/** An object or list that is still open; `key` is that of the property being read, once there is one. */
type Open = { readonly list: unknown[] } | { readonly object: JsonObject; key?: string };

/**
 * Reads one JSON document more strictly than JSON.parse: no duplicate key, every number an integer within ±(2^53−1) and
 * written in one way, no deep nesting. Whatever is accepted, JSON.parse reads alike.
 * Throws: json-syntax, json-duplicate-key, json-number, json-depth, json-unknown-key (`__proto__`).
 */
export function parseStrict(text: string, source: string): unknown {
  const own = parseOwn(text);
  return own === undefined ? parseAny(text, source) : own;
}

/**
 * What JSON.stringify would write again byte for byte but for space at the end, as it does with every file of ours: no key stands twice in it. Where the numbers, keys and
 * depth of the value are right, too, there is nothing to refuse, and the engine's own parser has done the work. Undefined for any other text.
 */
function parseOwn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const written = text.trimEnd();
    const own = JSON.stringify(value, null, 2) === written || JSON.stringify(value) === written;
    return own && isPlain(value, 0) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth === MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((element) => isPlain(element, depth + 1));
  return !Object.hasOwn(value, "__proto__") && Object.values(value).every((element) => isPlain(element, depth + 1));
}

/** The same of any text, saying what is wrong and where. */
function parseAny(text: string, source: string): unknown {
  let root: unknown;
  const open: Open[] = [];

  function path(): JsonPath {
    return open.flatMap<PropertyKey>((level) => ("list" in level ? level.list.length : (level.key ?? [])));
  }

  function refuse(code: ErrorCode, fact: string, line: number, column: number, at: JsonPath, more: ErrorDetails = {}): never {
    const place = `line ${line + 1}, column ${column + 1}`;
    const details = { source, path: formatPath(at), line: line + 1, column: column + 1, ...more };
    throw new LnError(code, `${locate(source, at)}: ${fact} (${place})`, details);
  }

  function put(value: unknown): void {
    const level = open.at(-1);
    if (level === undefined) root = value;
    else if ("list" in level) level.list.push(value);
    else if (level.key !== undefined) level.object[level.key] = value;
  }

  function enter(level: Open, line: number, column: number): void {
    if (open.length === MAX_DEPTH) {
      refuse("json-depth", `nested more than ${MAX_DEPTH} deep`, line, column, path(), { limit: MAX_DEPTH });
    }
    open.push(level);
  }

  function leave(): void {
    const level = open.pop();
    if (level !== undefined) put("list" in level ? level.list : level.object);
  }

  visit(
    text,
    {
      onObjectBegin: (_offset, _length, line, column) => {
        enter({ object: {} }, line, column);
      },
      onArrayBegin: (_offset, _length, line, column) => {
        enter({ list: [] }, line, column);
      },
      onObjectEnd: leave,
      onArrayEnd: leave,
      onObjectProperty: (key, _offset, _length, line, column) => {
        const level = open.at(-1);
        if (level === undefined || "list" in level) return;
        level.key = key;
        if (key === "__proto__") refuse("json-unknown-key", "no such key", line, column, path());
        if (Object.hasOwn(level.object, key)) refuse("json-duplicate-key", "the key stands twice", line, column, path());
      },
      onLiteralValue: (value: unknown, offset, length, line, column) => {
        if (typeof value === "number") checkNumber(value, text.slice(offset, offset + length), line, column);
        put(value);
      },
      onError: (error, _offset, _length, line, column) => {
        refuse("json-syntax", text.trim() === "" ? "empty" : SYNTAX[error], line, column, path());
      },
    },
    { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false },
  );
  return root;

  function checkNumber(value: number, written: string, line: number, column: number): void {
    const at = path();
    const shown = namesSecret(at) ? "a number" : shorten(written);
    const more: ErrorDetails = namesSecret(at) ? {} : { value: shorten(written) };
    if (!INTEGER.test(written)) {
      refuse("json-number", `${shown} is not an integer in its plain form`, line, column, at, more);
    }
    if (!Number.isSafeInteger(value)) {
      refuse("json-number", `${shown} is beyond 2^53−1: write it as a decimal string`, line, column, at, more);
    }
  }
}
