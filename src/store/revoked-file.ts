import { LnError } from "../protocol/errors.js";
import type { Host } from "./file-system.js";
import { type Line, type Patch, endOfLines, lineAt, patchFor, readLines, reading, tailOf } from "./line-file.js";
import { isCount, type JsonObject, type Parse } from "./state.js";

// revoked.ndjson: a line per revoked remote commitment, numbers ascending, so that one number is found by bisection and its
// presence is seen from the end: both cost the same after a million updates as after one.

/** All lines of one number (one for every funding that was active), read without reading the whole file. Throws: file-damaged. */
export function findRevoked(host: Host, parse: Parse, path: string, number: number): readonly JsonObject[] {
  return linesOf(host, parse, path, number).map((line) => line.document);
}

/** All lines, in order. Throws: file-damaged. */
export function readRevoked(host: Host, parse: Parse, path: string): readonly JsonObject[] {
  return readLines(host, parse, path).map((line) => {
    numberOf(line.document, sourceOf(path, line));
    return line.document;
  });
}

/**
 * The patch that adds `documents`, undefined when all of them are there. A torn last line is cut.
 * Throws: file-damaged, file-revoked-order.
 */
export function planRevoked(host: Host, parse: Parse, path: string, documents: readonly JsonObject[]): Patch | undefined {
  const tail = tailOf(host, parse, path) ?? { size: 0, end: 0, last: undefined };
  let latest = tail.last === undefined ? 0 : numberOf(tail.last.document, sourceOf(path, tail.last));
  let text = "";
  for (const document of documents) {
    const number = numberOf(document, path);
    const line = JSON.stringify(document);
    if (number <= latest && linesOf(host, parse, path, number).some((known) => known.text.trimEnd() === line)) continue;
    if (number < latest) {
      const message = `${path} ends with commitment ${latest} and lacks ${number}, which was revoked before it`;
      throw new LnError("file-revoked-order", message, { path, number, last: latest });
    }
    latest = number;
    text += text === "" ? line : `\n${line}`;
  }
  return text === "" ? undefined : patchFor(tail, text);
}

function linesOf(host: Host, parse: Parse, path: string, number: number): readonly Line[] {
  return (
    reading(host, path, (fd, size) => {
      const end = endOfLines(host, fd, size);
      const numbered = (at: number) => {
        const line = lineAt(host, parse, path, fd, at, end);
        return { ...line, number: numberOf(line.document, sourceOf(path, line)) };
      };
      // Lines that start before `low` have lower numbers, those that start at `high` or later have not.
      let low = 0;
      let high = end;
      while (low < high) {
        const line = numbered(Math.floor((low + high) / 2));
        if (line.number < number) low = line.end;
        else high = line.start;
      }
      const found: Line[] = [];
      for (let at = low; at < end;) {
        const line = numbered(at);
        if (line.number !== number) break;
        found.push(line);
        at = line.end;
      }
      return found;
    }) ?? []
  );
}

function sourceOf(path: string, { start }: Line): string {
  return `${path} at byte ${start}`;
}

function numberOf(document: JsonObject, source: string): number {
  const { number } = document;
  if (!isCount(number)) throw new LnError("file-damaged", `${source}: a line without a commitment number`, { path: source });
  return number;
}
