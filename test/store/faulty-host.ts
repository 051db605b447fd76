import type { FileSystem, Host } from "../../src/store/file-system.js";
import { systemError } from "./memory-disk.js";

/** The end of a process: everything it tries afterwards, cleaning up included, fails too. */
export class Killed extends Error {
  override readonly name = "Killed";
}

export interface Operation {
  /** From 0. */
  readonly index: number;
  readonly name: keyof FileSystem;
  readonly args: readonly unknown[];
}

const CHANGES: readonly (keyof FileSystem)[] = [
  "writeSync",
  "fsyncSync",
  "renameSync",
  "linkSync",
  "unlinkSync",
  "mkdirSync",
  "mkdtempSync",
  "rmdirSync",
];

/** Whether it changes files: all others find or read something. Opening may create. */
export function changesFiles({ name, args }: Operation): boolean {
  return CHANGES.includes(name) || (name === "openSync" && args[1] !== "r");
}

/** A process with a number of its own on a file system. For it, all others are dead unless said otherwise. */
export function hostOn(fs: FileSystem, pid: number, isAlive = (other: number) => other === pid): Host {
  return { fs, pid, isAlive, posix: true };
}

/** The same, but `before` sees every operation first, and may throw in its place or do something else meanwhile. */
export function watched(host: Host, before: (operation: Operation) => void): Host {
  let index = 0;
  const { fs } = host;
  const watching = <Name extends keyof FileSystem>(name: Name): FileSystem[Name] =>
    ((...args: unknown[]) => {
      before({ index: index++, name, args });
      return (fs[name] as (...args: unknown[]) => unknown)(...args);
    }) as FileSystem[Name];
  return {
    ...host,
    fs: {
      openSync: watching("openSync"),
      closeSync: watching("closeSync"),
      readSync: watching("readSync"),
      writeSync: watching("writeSync"),
      fsyncSync: watching("fsyncSync"),
      fstatSync: watching("fstatSync"),
      statSync: watching("statSync"),
      lstatSync: watching("lstatSync"),
      realpathSync: watching("realpathSync"),
      readdirSync: watching("readdirSync"),
      renameSync: watching("renameSync"),
      linkSync: watching("linkSync"),
      unlinkSync: watching("unlinkSync"),
      mkdirSync: watching("mkdirSync"),
      mkdtempSync: watching("mkdtempSync"),
      rmdirSync: watching("rmdirSync"),
    },
  };
}

/** A process that is killed at one operation: before it, or in the middle when it is a write. */
export function mortal(host: Host, at: number): Host {
  let dead = false;
  return watched(host, ({ index, name, args }) => {
    if (!dead && index === at) {
      dead = true;
      if (name === "writeSync") {
        const [fd, bytes, offset, length, position] = args as [number, Uint8Array, number, number, number | null];
        host.fs.writeSync(fd, bytes, offset, Math.floor(length / 2), position);
      }
    }
    if (dead) throw new Killed();
  });
}

/** A machine on which some operations fail, as on a full disk. */
export function failing(host: Host, code: string, fails: (operation: Operation) => boolean): Host {
  return watched(host, (operation) => {
    if (operation.name !== "closeSync" && fails(operation)) throw systemError(code);
  });
}
