import { constants } from "node:fs";
import { posix } from "node:path";
import type { FileSystem, Stats } from "../../src/store/file-system.js";

interface File {
  readonly kind: "file";
  readonly mode: number;
  data: Uint8Array;
  /** What survives a power failure. */
  synced: Uint8Array;
}

interface Folder {
  readonly kind: "folder";
  entries: Map<string, File | Folder>;
  synced: Map<string, File | Folder>;
}

/** What one call does to the entries of folders, whole or not at all. Undefined: the name goes. */
type Change = readonly { readonly folder: Folder; readonly name: string; readonly to: File | Folder | undefined }[];

/**
 * A disk that forgets: names and contents that were not fsynced survive a power failure or do not, each for itself. No real
 * file system is as bad, for they keep the order of changes.
 */
export interface Disk {
  readonly root: Folder;
  /** Changes of folders that no fsync of one of them has made durable. */
  pending: Change[];
  /** Names from mkdtemp and file descriptors never come again. */
  serial: number;
}

const folder = (): Folder => ({ kind: "folder", entries: new Map(), synced: new Map() });

export function emptyDisk(): Disk {
  return { root: folder(), pending: [], serial: 0 };
}

export function copyOf(disk: Disk): Disk {
  return structuredClone(disk);
}

/** What is on the disk when the power is back; `survives` is asked for each change that was not durable. */
export function cutPower(disk: Disk, survives: () => boolean): void {
  for (const change of disk.pending) if (survives()) persist(change);
  disk.pending = [];
  const restart = (node: File | Folder): void => {
    if (node.kind === "file") {
      if (!survives()) node.data = node.synced;
      node.synced = node.data;
    } else {
      node.entries = new Map(node.synced);
      for (const entry of node.entries.values()) restart(entry);
    }
  };
  restart(disk.root);
}

/** Every file and folder below `path` with its content. */
export function contentOf(disk: Disk, path: string): Readonly<Record<string, string>> {
  const content: [string, string][] = [];
  const list = (node: Folder, prefix: string): void => {
    for (const [name, entry] of node.entries) {
      content.push([prefix + name, entry.kind === "file" ? new TextDecoder().decode(entry.data) : ""]);
      if (entry.kind === "folder") list(entry, `${prefix}${name}/`);
    }
  };
  const node = find(disk, path);
  if (node?.kind === "folder") list(node, "");
  return Object.fromEntries(content.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function persist(change: Change): void {
  for (const { folder: at, name, to } of change) {
    if (to === undefined) at.synced.delete(name);
    else at.synced.set(name, to);
  }
}

function find(disk: Disk, path: string): File | Folder | undefined {
  let node: File | Folder | undefined = disk.root;
  for (const name of path.split("/").filter((part) => part !== "")) {
    if (node?.kind !== "folder") return undefined;
    node = node.entries.get(name);
  }
  return node;
}

export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, errno: -1, syscall: "test" });
}

/** The part of POSIX that the store uses. */
export function fileSystemOn(disk: Disk): FileSystem {
  const open = new Map<number, { readonly node: File | Folder; position: number }>();

  const at = (path: string): File | Folder => {
    const node = find(disk, path);
    if (node === undefined) throw systemError("ENOENT");
    return node;
  };
  const folderAt = (path: string): Folder => {
    const node = at(path);
    if (node.kind !== "folder") throw systemError("ENOTDIR");
    return node;
  };
  const place = (path: string) => ({ folder: folderAt(posix.dirname(path)), name: posix.basename(path) });
  const apply = (...change: Change): void => {
    for (const { folder: in_, name, to } of change) {
      if (to === undefined) in_.entries.delete(name);
      else in_.entries.set(name, to);
    }
    disk.pending.push(change);
  };
  const fileOf = (fd: number) => {
    const file = open.get(fd);
    if (file === undefined) throw systemError("EBADF");
    return file;
  };
  const dataOf = (fd: number): File => {
    const { node } = fileOf(fd);
    if (node.kind !== "file") throw systemError("EISDIR");
    return node;
  };
  const statsOf = (node: File | Folder): Stats => ({
    size: node.kind === "file" ? node.data.length : 0,
    mode: node.kind === "file" ? node.mode : 0o700,
    isFile: () => node.kind === "file",
    isDirectory: () => node.kind === "folder",
  });

  return {
    openSync(path, flags, mode = 0o666) {
      const creates = flags === "wx" || (typeof flags === "number" && (flags & constants.O_CREAT) !== 0);
      let node = find(disk, path);
      if (node !== undefined && flags === "wx") throw systemError("EEXIST");
      if (node === undefined) {
        if (!creates) throw systemError("ENOENT");
        node = { kind: "file", mode, data: new Uint8Array(), synced: new Uint8Array() };
        apply({ ...place(path), to: node });
      }
      const fd = ++disk.serial;
      open.set(fd, { node, position: 0 });
      return fd;
    },
    closeSync(fd) {
      fileOf(fd);
      open.delete(fd);
    },
    readSync(fd, buffer, offset, length, position) {
      const file = fileOf(fd);
      const from = position ?? file.position;
      const bytes = dataOf(fd).data.subarray(from, from + length);
      buffer.set(bytes, offset);
      if (position === null) file.position += bytes.length;
      return bytes.length;
    },
    writeSync(fd, buffer, offset, length, position) {
      const file = fileOf(fd);
      const node = dataOf(fd);
      const from = position ?? file.position;
      const data = new Uint8Array(Math.max(node.data.length, from + length));
      data.set(node.data);
      data.set(buffer.subarray(offset, offset + length), from);
      node.data = data;
      if (position === null) file.position += length;
      return length;
    },
    fsyncSync(fd) {
      const { node } = fileOf(fd);
      if (node.kind === "file") {
        node.synced = node.data;
        return;
      }
      const concerned = (change: Change) => change.some((part) => part.folder === node);
      disk.pending.filter(concerned).forEach(persist);
      disk.pending = disk.pending.filter((change) => !concerned(change));
    },
    fstatSync: (fd) => statsOf(fileOf(fd).node),
    statSync: (path) => statsOf(at(path)),
    lstatSync: (path) => statsOf(at(path)),
    realpathSync: (path) => path,
    readdirSync: (path) => [...folderAt(path).entries.keys()],
    renameSync(from, to) {
      const node = at(from);
      const there = find(disk, to);
      if (there?.kind === "folder" && there.entries.size > 0) throw systemError("ENOTEMPTY");
      apply({ ...place(from), to: undefined }, { ...place(to), to: node });
    },
    linkSync(existing, path) {
      const node = at(existing);
      if (find(disk, path) !== undefined) throw systemError("EEXIST");
      apply({ ...place(path), to: node });
    },
    unlinkSync(path) {
      if (at(path).kind === "folder") throw systemError("EISDIR");
      apply({ ...place(path), to: undefined });
    },
    mkdirSync(path) {
      if (find(disk, path) !== undefined) throw systemError("EEXIST");
      apply({ ...place(path), to: folder() });
    },
    mkdtempSync(prefix) {
      const path = `${prefix}x${++disk.serial}`;
      apply({ ...place(path), to: folder() });
      return path;
    },
    rmdirSync(path) {
      if (folderAt(path).entries.size > 0) throw systemError("ENOTEMPTY");
      apply({ ...place(path), to: undefined });
    },
  };
}
