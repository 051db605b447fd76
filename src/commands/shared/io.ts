import { close, fstatSync, open, read, readSync, realpathSync, statSync, writeSync } from "node:fs";
import { LnError } from "../../protocol/errors.js";

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

/** Standard input, once. Throws: usage-stdin-twice, file-unreadable. */
export function stdinReader(): () => string {
  let read = false;
  return () => {
    if (read) throw new LnError("usage-stdin-twice", "at most one input can be -", {});
    read = true;
    try {
      return readAll(STDIN);
    } catch (error) {
      throw new LnError("file-unreadable", `standard input cannot be read: ${reasonOf(error)}`, { path: "-" });
    }
  };
}

/** A file or, for `-`, standard input as its bytes come, without holding up what else there is to do. Throws: file-missing, file-unreadable. */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const calling = <T>(act: (done: (error: Error | null, value: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      act((error, value) => {
        if (error === null) resolve(value);
        else if (codeOf(error) === "EAGAIN") setTimeout(() => void calling(act).then(resolve, reject), 5);
        else reject(error);
      });
    });
  try {
    const fd =
      path === "-"
        ? STDIN
        : await calling<number>((done) => {
            open(path, done);
          });
    try {
      for (;;) {
        const chunk = new Uint8Array(64 * 1024);
        const size = await calling<number>((done) => {
          read(fd, chunk, 0, chunk.length, null, done);
        });
        if (size === 0) return;
        yield chunk.subarray(0, size);
      }
    } finally {
      if (fd !== STDIN) close(fd);
    }
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    if (codeOf(error) === "ENOENT") throw new LnError("file-missing", `there is no file ${path}`, { path });
    throw new LnError("file-unreadable", `${path} cannot be read: ${reasonOf(error)}`, { path });
  }
}

/** What is still to be done when a user or a system asks the program to end; it ends of that signal, as if nothing had caught it. */
export function onInterrupt(act: () => void): () => void {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const handlers = signals.map((signal) => {
    const handler = (): void => {
      release();
      try {
        act();
      } finally {
        process.kill(process.pid, signal);
      }
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  function release(): void {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  }
  return release;
}

/** The file that this program was started from, whatever links lead to it. */
export function ownProgram(): string {
  return realpathSync(process.argv[1] ?? "");
}

/** Whether an output is named so that it is standard output. */
export function isStdout(path: string): boolean {
  return path === "-" || path === "/dev/stdout";
}

/** Throws: output-closed where the reader went away, output-not-written. */
export function writeStdout(text: string): void {
  try {
    writeAll(STDOUT, text);
  } catch (error) {
    if (codeOf(error) === "EPIPE") throw new LnError("output-closed", "the reader of standard output went away", {});
    throw new LnError("output-not-written", `standard output cannot be written: ${reasonOf(error)}`, { path: "-" });
  }
}

/** A line to standard error. A reader that went away loses it: there is nobody left to tell. */
export function writeStderr(line: string): void {
  try {
    writeAll(STDERR, `${line}\n`);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
  }
}

function readAll(fd: number): string {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = new Uint8Array(64 * 1024);
    const size = patiently(() => readSync(fd, chunk));
    if (size === 0) return Buffer.concat(chunks).toString("utf8");
    chunks.push(chunk.subarray(0, size));
  }
}

function writeAll(fd: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += patiently(() => writeSync(fd, bytes, at));
}

/** What a pipe that another program has set not to block takes or gives, once it does. */
function patiently(act: () => number): number {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  return codeOf(error) ?? "unknown reason";
}

/**
 * A terminal is a character device other than /dev/null, and only of such a one is Node asked: its stream for standard output takes a tenth of a
 * start to make.
 */
export function stdoutIsTerminal(): boolean {
  const stats = fstatSync(STDOUT);
  return stats.isCharacterDevice() && stats.rdev !== statSync("/dev/null", { throwIfNoEntry: false })?.rdev && process.stdout.isTTY;
}

/** A line on the terminal that the next one replaces; nothing where standard error is none. */
export function showProgress(line: string): void {
  if (process.stderr.isTTY) writeAll(STDERR, `\r\x1b[K${line}`);
}
