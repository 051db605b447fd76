import { constants } from "node:fs";
import { dirname } from "node:path";
import { LnError } from "../protocol/errors.js";
import { decode, encode, syncFolder, withFile, writeAll } from "./atomic-file.js";
import { ifThere, refusing } from "./failures.js";
import type { Host } from "./file-system.js";
import { parseObject, type JsonObject, type Parse } from "./state.js";

// Files of a JSON document a line, which only grow: what stands at their end is found without reading the rest.

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

export interface Line {
  readonly start: number;
  /** Past its newline. */
  readonly end: number;
  readonly text: string;
  readonly document: JsonObject;
}

/** The file's size, where its complete lines end, and the last of them. */
export interface Tail {
  readonly size: number;
  readonly end: number;
  readonly last: Line | undefined;
}

/** All complete lines, in order; none where there is no file. Throws: file-damaged, file-unreadable. */
export function readLines(host: Host, parse: Parse, path: string): readonly Line[] {
  return (
    reading(host, path, (fd, size) => {
      const end = endOfLines(host, fd, size);
      const found: Line[] = [];
      for (let at = 0; at < end;) {
        const line = lineAt(host, parse, path, fd, at, end);
        found.push(line);
        at = line.end;
      }
      return found;
    }) ?? []
  );
}

/** Undefined where there is no file. Throws: file-damaged, file-unreadable. */
export function tailOf(host: Host, parse: Parse, path: string): Tail | undefined {
  return reading(host, path, (fd, size) => {
    const end = endOfLines(host, fd, size);
    return { size, end, last: end === 0 ? undefined : lineAt(host, parse, path, fd, end - 1, end) };
  });
}

/** The patch that adds lines, without the last one's newline. A torn last line is cut: overwritten, with spaces behind the new lines where it was longer. */
export function patchFor({ size, end }: Pick<Tail, "size" | "end">, text: string): Patch {
  const written = encode(text);
  const bytes = new Uint8Array(Math.max(written.length + 1, size - end)).fill(SPACE);
  bytes.set(written);
  bytes[bytes.length - 1] = NEWLINE;
  return { offset: end, bytes };
}

export function writePatch(host: Host, path: string, patch: Patch): void {
  // Not O_APPEND, under which Linux ignores the offset.
  withFile(host, path, constants.O_RDWR | constants.O_CREAT, (fd) => {
    writeAll(host, fd, patch.bytes, patch.offset);
    host.fs.fsyncSync(fd);
  });
  if (patch.offset === 0) syncFolder(host, dirname(path));
}

/** What `act` makes of an open file and its size; undefined where there is none. */
export function reading<T>(host: Host, path: string, act: (fd: number, size: number) => T): T | undefined {
  return refusing("file-unreadable", path, "cannot be read", () =>
    ifThere(() => withFile(host, path, "r", (fd) => act(fd, host.fs.fstatSync(fd).size))),
  );
}

/** Past the last newline: what follows was torn while it was being written. */
export function endOfLines(host: Host, fd: number, size: number): number {
  for (let to = size; to > 0;) {
    const from = Math.max(0, to - CHUNK_BYTES);
    const newline = bytesAt(host, fd, from, to).lastIndexOf(NEWLINE);
    if (newline >= 0) return from + newline + 1;
    to = from;
  }
  return 0;
}

/** The line that the byte at `position` belongs to. */
export function lineAt(host: Host, parse: Parse, path: string, fd: number, position: number, end: number): Line {
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
  return { start, end: past, text, document };
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
