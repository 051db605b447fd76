import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { concat } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { ifThere, refusal, refusing, systemCode } from "./failures.js";
import type { Host } from "./file-system.js";

/** Far above any file of ours, and an end for those that have none (`/dev/zero`). */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** The text of a file, pipe or device, or undefined where there is none. Throws: file-unreadable, file-too-large, file-damaged. */
export function readIfThere(host: Host, path: string): string | undefined {
  const bytes = refusing("file-unreadable", path, "cannot be read", () => ifThere(() => readBytes(host, path)));
  return bytes === undefined ? undefined : decode(bytes, path);
}

/** Throws: file-missing, and what readIfThere does. */
export function readText(host: Host, path: string): string {
  const text = readIfThere(host, path);
  if (text === undefined) throw new LnError("file-missing", `there is no file ${path}`, { path });
  return text;
}

export function readBytes(host: Host, path: string): Uint8Array {
  return withFile(host, path, "r", (fd) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const read = host.fs.readSync(fd, chunk, 0, CHUNK_BYTES, null);
      if (read === 0) return concat(...chunks);
      size += read;
      if (size > MAX_TEXT_BYTES)
        throw new LnError("file-too-large", `${path} has more than ${MAX_TEXT_BYTES} bytes`, { path, limit: MAX_TEXT_BYTES });
      chunks.push(chunk.subarray(0, read));
    }
  });
}

export function withFile<T>(host: Host, path: string, flags: string | number, act: (fd: number) => T, mode?: number): T {
  const fd = host.fs.openSync(path, flags, mode);
  try {
    return act(fd);
  } finally {
    host.fs.closeSync(fd);
  }
}

/** All of `bytes`, however little a single write takes; at `position`, or where the file stands when it is null. */
export function writeAll(host: Host, fd: number, bytes: Uint8Array, position: number | null): void {
  let done = 0;
  while (done < bytes.length) {
    done += host.fs.writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Throws: file-damaged. */
export function decode(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new LnError("file-damaged", `${source} is not UTF-8 text`, { path: source });
  }
}

/** A new file with this content, durable but for its name, which the folder holds. */
export function writeNew(host: Host, path: string, content: string | Uint8Array, mode: number): void {
  withFile(
    host,
    path,
    "wx",
    (fd) => {
      writeAll(host, fd, typeof content === "string" ? encode(content) : content, null);
      host.fs.fsyncSync(fd);
    },
    mode,
  );
}

/** Makes durable which names a folder holds. */
export function syncFolder(host: Host, folder: string): void {
  if (!host.posix) return;
  withFile(host, folder, "r", (fd) => {
    host.fs.fsyncSync(fd);
  });
}

/** Makes a folder and those it stands in, where they are missing. */
export function makeFolder(host: Host, folder: string): void {
  if (ifThere(() => host.fs.statSync(folder))?.isDirectory() === true) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(host, parent);
  try {
    host.fs.mkdirSync(folder);
  } catch (error) {
    // Somebody else made it just now. A file in its place shows when the folder is used.
    if (systemCode(error) !== "EEXIST") throw error;
  }
  syncFolder(host, parent);
}

/** True when it was there. */
export function removeFile(host: Host, path: string): boolean {
  return (
    ifThere(() => {
      host.fs.unlinkSync(path);
      return true;
    }) ?? false
  );
}

/** How the unfinished file of a process is called: hidden, and never taken for what it will become. */
export function unfinishedPrefix(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp-`);
}

/** A durable unfinished file beside `path`; the caller gives it its name. */
function writeUnfinished(host: Host, path: string, text: string, mode: number): string {
  for (let attempt = 0; ; attempt++) {
    const unfinished = `${unfinishedPrefix(path)}${host.pid}-${attempt}`;
    try {
      writeNew(host, unfinished, text, mode);
      return unfinished;
    } catch (error) {
      // Left by an earlier process of the same number, or being written by another part of this one.
      if (systemCode(error) === "EEXIST") continue;
      removeFile(host, unfinished);
      throw error;
    }
  }
}

/** Makes `path` with this content, whole or not at all. False, and nothing changed, when there is such a file. */
export function createFile(host: Host, path: string, text: string, mode: number): boolean {
  const unfinished = writeUnfinished(host, path, text, mode);
  try {
    host.fs.linkSync(unfinished, path);
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    removeFile(host, unfinished);
  }
  syncFolder(host, dirname(path));
  return true;
}

/** The names of files that a process has open; other files below /dev, those of /dev/shm, are files like any. */
const OPEN_FILE = /^[/](dev[/](stdin|stdout|stderr|fd[/]\d+)|proc[/](self|thread-self|\d+)[/]fd[/]\d+)$/;

/** Where an output goes: a file to be replaced or made, or something that takes bytes as they come. */
type Destination = { readonly kind: "file"; readonly path: string; readonly mode: number } | { readonly kind: "stream" };

function destination(host: Host, path: string): Destination {
  // What /dev/stdout stands for may be a regular file, but one that others have open: it is added to, never replaced.
  if (OPEN_FILE.test(path)) return { kind: "stream" };
  const stats = ifThere(() => host.fs.statSync(path));
  if (stats === undefined) return { kind: "file", path, mode: 0o666 };
  // Through a symbolic link, as `>` does. A folder is opened like a stream, which says that it is one.
  return stats.isFile() ? { kind: "file", path: host.fs.realpathSync(path), mode: stats.mode & 0o777 } : { kind: "stream" };
}

/** New content for a file, whole or not at all, in its old mode; for pipes and devices, written directly. */
export function putFile(host: Host, path: string, text: string): void {
  const to = destination(host, path);
  if (to.kind === "stream") {
    appendTo(host, path, encode(text));
    return;
  }
  const unfinished = writeUnfinished(host, to.path, text, to.mode);
  try {
    host.fs.renameSync(unfinished, to.path);
  } catch (error) {
    removeFile(host, unfinished);
    throw error;
  }
  syncFolder(host, dirname(to.path));
}

export function appendTo(host: Host, path: string, bytes: Uint8Array): void {
  withFile(host, path, constants.O_WRONLY | constants.O_APPEND, (fd) => {
    writeAll(host, fd, bytes, null);
  });
}

/** `replace` is for a file that the user named; `keep` for one that we named, whose content is settled once written. */
export type Existing = "replace" | "keep";

/**
 * A message, report or transaction, for people and programs to read.
 * Throws: output-not-written, output-closed, output-exists.
 */
export function writeOutput(host: Host, path: string, text: string, existing: Existing): void {
  try {
    if (existing === "replace" || destination(host, path).kind === "stream") {
      putFile(host, path, text);
    } else if (readIfThere(host, path) !== text && !createFile(host, path, text, 0o666)) {
      if (readIfThere(host, path) !== text) {
        throw new LnError("output-exists", `${path} is there already with other content`, { path });
      }
    }
  } catch (error) {
    if (systemCode(error) === "EPIPE") throw refusal(error, "output-closed", path, "is read by nobody any more");
    throw refusal(error, "output-not-written", path, "was not written");
  }
}
