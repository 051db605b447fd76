/** Where a value stands in a JSON document: its keys and indices from the top. */
export type JsonPath = readonly PropertyKey[];

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const SHOWN = 80;

/** A path as people write it: `fundings[0].local.number`; the top itself is the empty string. */
export function formatPath(path: JsonPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!PLAIN_KEY.test(String(step))) text += `[${shorten(JSON.stringify(String(step)))}]`;
    else text += text === "" ? shorten(String(step)) : `.${shorten(String(step))}`;
  }
  return text;
}

/** `source: path`, the beginning of every message about a document. */
export function locate(source: string, path: JsonPath): string {
  return path.length === 0 ? source : `${source}: ${formatPath(path)}`;
}

/** A JSON value in a few words, for an error. */
export function showValue(value: unknown): string {
  return shorten(inFull(value));
}

/** A JSON value as one line of text of any length; an object or list by its kind alone. */
export function inFull(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return value === undefined ? "nothing" : JSON.stringify(value);
}

/** Cut to what a line of a message can hold. */
export function shorten(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`;
}
