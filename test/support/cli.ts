import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** The program as a user starts it. */
export const BIN = fileURLToPath(new URL("../../bin/chankit.js", import.meta.url));

export interface CliResult {
  /** The exit code, or 128 + the signal's number as a shell counts. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  /** What the command reads; nothing unless given. */
  readonly stdin?: string | Uint8Array;
  /** The whole environment; empty unless given. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `chankit args…` in a process of its own, in an otherwise empty environment. */
export async function runCli(args: readonly string[], { cwd = tempDir(), stdin = "", env = {} }: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env: { ...env } });
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
  // A command may end before it has read everything: its status tells, not our broken pipe.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const [status, stdout, stderr] = await Promise.all([ended, buffer(child.stdout), buffer(child.stderr)]);
  return { status, stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") };
}

const made: string[] = [];

/** A new empty folder, removed after the test file's last test. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), "chankit-"));
  made.push(path);
  return path;
}

afterAll(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});
