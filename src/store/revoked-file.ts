import { constants } from "node:fs";
import { dirname } from "node:path";
import { LnError } from "../protocol/errors.js";
import { decode, encode, syncFolder, withFile, writeAll } from "./atomic-file.js";
import { ifThere, refusing } from "./failures.js";
import type { Host } from "./file-system.js";
import { isCount, parseObject, type JsonObject, type Parse } from "./state.js";

// revoked.ndjson: a line per revoked remote commitment, numbers ascending, so that one number is found by bisection and its
// presence is seen from the end: both cost the same after a million updates as after one.

const NEWLINE = 10;
const SPACE = 32;
const CHUNK_BYTES = 4096;
/** 966 HTLCs at 200 bytes, eighty times over. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/**
 * Bytes that belong at a place in the file. Whoever writes them there, and however often, the file comes out the same: so an
 * interrupted writer and the one that finishes its work can never do harm to each other, as two appending ones would.
 */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface Line {
  readonly start: number;
  /** Past its newline. */
  readonly end: number;
  readonly text: string;
  readonly number: number;
  readonly document: JsonObject;
}

/** All lines of one number (one for every funding that was active), read without reading the whole file. Throws: file-damaged. */
export function findRevoked(host: Host, parse: Parse, path: string, number: number): readonly JsonObject[] {
  return linesOf(host, parse, path, number).map((line) => line.document);
}

/** All lines, in order. Throws: file-damaged. */
export function readRevoked(host: Host, parse: Parse, path: string): readonly JsonObject[] {
  return (
    reading(host, path, (fd, size) => {
      const end = endOfLines(host, fd, size);
      const found: JsonObject[] = [];
      for (let at = 0; at < end;) {
        const line = lineAt(host, parse, path, fd, at, end);
        found.push(line.document);
        at = line.end;
      }
      return found;
    }) ?? []
  );
}

/**
 * The patch that adds `documents`, undefined when all of them are there. A torn last line is cut: overwritten, with spaces
 * behind the new lines where it was longer than they are.
 * Throws: file-damaged, file-revoked-order.
 */
export function planRevoked(host: Host, parse: Parse, path: string, documents: readonly JsonObject[]): Patch | undefined {
  const { size, end, last } = tail(host, parse, path);
  let latest = last?.number ?? 0;
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
  if (text === "") return undefined;
  const written = encode(text);
  const bytes = new Uint8Array(Math.max(written.length + 1, size - end)).fill(SPACE);
  bytes.set(written);
  bytes[bytes.length - 1] = NEWLINE;
  return { offset: end, bytes };
}

export function writeRevoked(host: Host, path: string, patch: Patch): void {
  // Not O_APPEND, under which Linux ignores the offset.
  withFile(host, path, constants.O_RDWR | constants.O_CREAT, (fd) => {
    writeAll(host, fd, patch.bytes, patch.offset);
    host.fs.fsyncSync(fd);
  });
  if (patch.offset === 0) syncFolder(host, dirname(path));
}

function linesOf(host: Host, parse: Parse, path: string, number: number): readonly Line[] {
  return (
    reading(host, path, (fd, size) => {
      const end = endOfLines(host, fd, size);
      // Lines that start before `low` have lower numbers, those that start at `high` or later have not.
      let low = 0;
      let high = end;
      while (low < high) {
        const line = lineAt(host, parse, path, fd, Math.floor((low + high) / 2), end);
        if (line.number < number) low = line.end;
        else high = line.start;
      }
      const found: Line[] = [];
      for (let at = low; at < end;) {
        const line = lineAt(host, parse, path, fd, at, end);
        if (line.number !== number) break;
        found.push(line);
        at = line.end;
      }
      return found;
    }) ?? []
  );
}

function tail(host: Host, parse: Parse, path: string): { readonly size: number; readonly end: number; readonly last: Line | undefined } {
  const found = reading(host, path, (fd, size) => {
    const end = endOfLines(host, fd, size);
    return { size, end, last: end === 0 ? undefined : lineAt(host, parse, path, fd, end - 1, end) };
  });
  return found ?? { size: 0, end: 0, last: undefined };
}

function reading<T>(host: Host, path: string, act: (fd: number, size: number) => T): T | undefined {
  return refusing("file-unreadable", path, "cannot be read", () =>
    ifThere(() => withFile(host, path, "r", (fd) => act(fd, host.fs.fstatSync(fd).size))),
  );
}

/** Past the last newline: what follows was torn while it was being written. */
function endOfLines(host: Host, fd: number, size: number): number {
  for (let to = size; to > 0;) {
    const from = Math.max(0, to - CHUNK_BYTES);
    const newline = bytesAt(host, fd, from, to).lastIndexOf(NEWLINE);
    if (newline >= 0) return from + newline + 1;
    to = from;
  }
  return 0;
}

/** The line that the byte at `position` belongs to. */
function lineAt(host: Host, parse: Parse, path: string, fd: number, position: number, end: number): Line {
  const start = endOfLines(host, fd, position);
  let past = position;
  for (;;) {
    const to = Math.min(end, past + CHUNK_BYTES);
    const newline = bytesAt(host, fd, past, to).indexOf(NEWLINE);
    past = newline < 0 ? to : past + newline + 1;
    if (newline >= 0 || past === end) break;
  }
  const source = `${path} at byte ${start}`;
  if (past - start > MAX_LINE_BYTES) throw new LnError("file-damaged", `${source}: a line of ${past - start} bytes`, { path, offset: start });
  const text = decode(bytesAt(host, fd, start, past), source);
  const document = parseObject(parse, text, source);
  return { start, end: past, text, number: numberOf(document, source), document };
}

function numberOf(document: JsonObject, source: string): number {
  const { number } = document;
  if (!isCount(number)) throw new LnError("file-damaged", `${source}: a line without a commitment number`, { path: source });
  return number;
}

function bytesAt(host: Host, fd: number, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(to - from);
  let done = 0;
  while (done < bytes.length) {
    const read = host.fs.readSync(fd, bytes, done, bytes.length - done, from + done);
    // Cut while it was being read.
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}
