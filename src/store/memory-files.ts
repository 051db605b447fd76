import { constants } from "node:fs";
import { posix } from "node:path";
import type { FileSystem, Stats } from "./file-system.js";

/** Every file and folder by its path, as they are at one moment: whoever keeps it can come back to it. */
export type Files = ReadonlyMap<string, FileEntry>;

export type FileEntry = { readonly kind: "file"; readonly data: Uint8Array; readonly mode: number } | { readonly kind: "folder" };

export const NO_FILES: Files = new Map([["/", { kind: "folder" }]]);

/** A file system in memory, and what it holds now. */
export interface MemoryFiles {
  readonly fs: FileSystem;
  readonly files: () => Files;
}

/**
 * A disk that begins with `start` and loses nothing: what a command leaves on it is a value like any other. Neither links nor other processes: for
 * commands that run one after the other.
 */
export function memoryFiles(start: Files): MemoryFiles {
  const files = new Map(start);
  const open = new Map<number, { readonly path: string; position: number }>();
  let serial = 2;

  const at = (path: string): FileEntry => files.get(named(path)) ?? fail("ENOENT");
  const dataAt = (path: string) => {
    const entry = at(path);
    return entry.kind === "file" ? entry : fail("EISDIR");
  };
  const opened = (fd: number) => open.get(fd) ?? fail("EBADF");
  const below = (path: string): readonly string[] => {
    const prefix = path === "/" ? path : `${path}/`;
    return [...files.keys()].filter((other) => other !== path && other.startsWith(prefix));
  };
  const inFolder = (path: string): void => {
    if (at(posix.dirname(named(path))).kind !== "folder") fail("ENOTDIR");
  };
  const makeFolder = (path: string): void => {
    inFolder(path);
    if (files.has(named(path))) fail("EEXIST");
    files.set(named(path), { kind: "folder" });
  };
  const stats = (entry: FileEntry): Stats => ({
    size: entry.kind === "file" ? entry.data.length : 0,
    mode: entry.kind === "file" ? entry.mode : 0o700,
    isFile: () => entry.kind === "file",
    isDirectory: () => entry.kind === "folder",
  });

  const fs: FileSystem = {
    openSync(path, flags, mode = 0o666) {
      const creates = flags === "wx" || (typeof flags === "number" && (flags & constants.O_CREAT) !== 0);
      const there = files.has(named(path));
      if (there && flags === "wx") fail("EEXIST");
      if (!there) {
        if (!creates) fail("ENOENT");
        inFolder(path);
        files.set(named(path), { kind: "file", data: new Uint8Array(), mode });
      }
      open.set(++serial, { path: named(path), position: 0 });
      return serial;
    },
    closeSync(fd) {
      opened(fd);
      open.delete(fd);
    },
    readSync(fd, buffer, offset, length, position) {
      const file = opened(fd);
      const from = position ?? file.position;
      const bytes = dataAt(file.path).data.subarray(from, from + length);
      buffer.set(bytes, offset);
      if (position === null) file.position += bytes.length;
      return bytes.length;
    },
    writeSync(fd, buffer, offset, length, position) {
      const file = opened(fd);
      const { data, mode } = dataAt(file.path);
      const from = position ?? file.position;
      const next = new Uint8Array(Math.max(data.length, from + length));
      next.set(data);
      next.set(buffer.subarray(offset, offset + length), from);
      files.set(file.path, { kind: "file", data: next, mode });
      if (position === null) file.position += length;
      return length;
    },
    fsyncSync(fd) {
      opened(fd);
    },
    fstatSync: (fd) => stats(at(opened(fd).path)),
    statSync: (path) => stats(at(path)),
    lstatSync: (path) => stats(at(path)),
    realpathSync: named,
    readdirSync(path) {
      if (at(path).kind !== "folder") fail("ENOTDIR");
      return below(named(path)).flatMap((other) => (posix.dirname(other) === named(path) ? [posix.basename(other)] : []));
    },
    renameSync(from, to) {
      const entry = at(from);
      inFolder(to);
      const there = files.get(named(to));
      if (there?.kind === "folder" && below(named(to)).length > 0) fail("ENOTEMPTY");
      for (const path of below(named(from))) {
        const moved = files.get(path);
        if (moved !== undefined) files.set(named(to) + path.slice(named(from).length), moved);
        files.delete(path);
      }
      files.delete(named(from));
      files.set(named(to), entry);
    },
    linkSync(existing, path) {
      if (files.has(named(path))) fail("EEXIST");
      files.set(named(path), dataAt(existing));
    },
    unlinkSync(path) {
      dataAt(path);
      files.delete(named(path));
    },
    mkdirSync: makeFolder,
    mkdtempSync(prefix) {
      const path = `${prefix}${++serial}`;
      makeFolder(path);
      return path;
    },
    rmdirSync(path) {
      if (at(path).kind !== "folder") fail("ENOTDIR");
      if (below(named(path)).length > 0) fail("ENOTEMPTY");
      files.delete(named(path));
    },
  };
  return { fs, files: () => files };
}

function named(path: string): string {
  // Most paths are in order already
  return /^(?:[/][^/.][^/]*)+$/.test(path) ? path : posix.resolve("/", path);
}

/** As the system says it, but without a stack: many a file is only looked for. */
function fail(code: string): never {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new Error(code);
  Error.stackTraceLimit = limit;
  throw Object.assign(error, { code, errno: -1, syscall: "memory" });
}
