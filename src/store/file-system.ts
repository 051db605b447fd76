import * as fs from "node:fs";

export interface Stats {
  readonly size: number;
  readonly mode: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

/** Every file operation of the store, as node:fs has them. A test puts one between that fails, or dies, at a chosen operation. */
export interface FileSystem {
  openSync(path: string, flags: string | number, mode?: number): number;
  closeSync(fd: number): void;
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  fsyncSync(fd: number): void;
  fstatSync(fd: number): Stats;
  statSync(path: string): Stats;
  lstatSync(path: string): Stats;
  realpathSync(path: string): string;
  readdirSync(path: string): string[];
  renameSync(from: string, to: string): void;
  linkSync(existing: string, path: string): void;
  unlinkSync(path: string): void;
  mkdirSync(path: string): void;
  mkdtempSync(prefix: string): string;
  rmdirSync(path: string): void;
}

/** What the store knows of the machine that it runs on. */
export interface Host {
  readonly fs: FileSystem;
  readonly pid: number;
  /** Whether that process still runs. Only tidying up asks: a wrong answer costs a retry or leaves a file behind, never a state. */
  readonly isAlive: (pid: number) => boolean;
  /** False on Windows, which has neither file modes nor an fsync for folders. */
  readonly posix: boolean;
}

export function nodeHost(): Host {
  return { fs, pid: process.pid, isAlive, posix: process.platform !== "win32" };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
