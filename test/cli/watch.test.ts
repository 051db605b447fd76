import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { BIN, runCli, tempDir } from "../support/cli.js";
import { afterStep, backupOf, runCommand } from "../support/party.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const PAYOUT = ["--to", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "--feerate", "2500"] as const;

interface Event {
  readonly event: string;
  readonly [key: string]: unknown;
}

const eventsOf = (text: string): readonly Event[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Event);

let bob: string;
let cheat: string;
beforeAll(async () => {
  ({ bob } = await afterStep(20));
  cheat = JSON.stringify((await runCommand("force-close", [backupOf((await afterStep(13)).alice, "old")])).document);
});

describe("a process that watches", () => {
  test("reads lines from its standard input, writes answers into a folder, and ends with its input", async () => {
    const cwd = tempDir();
    const { status, stdout, stderr } = await runCli(["watch", bob, ...PAYOUT, "-o", "answers/"], {
      cwd,
      stdin: `${cheat}\n{"height": 500, "txs": []}`,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const events = eventsOf(stdout);
    expect(events.map(({ event }) => event)).toEqual(["watching", "commitment", "answer", "end"]);
    expect(readdirSync(join(cwd, "answers"))).toHaveLength(1);
    expect(events[2]!["file"]).toBe(`answers/${readdirSync(join(cwd, "answers"))[0]}`);
  });

  test("ends with 1 where a line could not be read, and with --stop-on-error at once", async () => {
    const going = await runCli(["watch", bob, ...PAYOUT], { stdin: `{\n${cheat}\n` });
    expect(going.status).toBe(1);
    expect(eventsOf(going.stdout).map(({ event }) => event)).toEqual(["watching", "failed", "commitment", "answer", "end"]);
    const stopped = await runCli(["watch", bob, ...PAYOUT, "--stop-on-error"], { stdin: `{\n${cheat}\n` });
    expect(stopped.status).toBe(1);
    expect(eventsOf(stopped.stdout).map(({ event }) => event)).toEqual(["watching", "failed", "end"]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("says what it has and keeps its state when it is ended by %s", async (signal) => {
    const cwd = tempDir();
    const child = spawn(process.execPath, [BIN, "watch", bob, ...PAYOUT, "--state", "watch.json"], { cwd, env: {} });
    let stdout = "";
    child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
    const ended = new Promise<NodeJS.Signals | null>((resolve) => {
      child.on("close", (_, by) => {
        resolve(by);
      });
    });
    child.stdin.write(`${cheat}\n`);
    while (!stdout.includes('"answer"')) await sleep(20);
    child.kill(signal);
    expect(await ended).toBe(signal);
    expect(eventsOf(stdout).at(-1)).toMatchObject({ event: "end", answers: 1, interrupted: true });
    expect(JSON.parse(readFileSync(join(cwd, "watch.json"), "utf8"))).toMatchObject({ commitments: [{ answers: [{ kind: "penalty" }] }] });
    const again = await runCli(["watch", bob, ...PAYOUT, "--state", "watch.json"], { cwd, stdin: cheat });
    expect(eventsOf(again.stdout).map(({ event }) => event)).toEqual(["watching", "end"]);
  });

  test("ends quietly when its reader goes away", async () => {
    const cwd = tempDir();
    const child = spawn(process.execPath, [BIN, "watch", bob, ...PAYOUT, "-o", "answers/"], { cwd, env: {} });
    let stderr = "";
    child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
    const ended = new Promise<number | null>((resolve) => {
      child.on("close", resolve);
    });
    child.stdin.on("error", () => undefined);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.stdout.destroy();
    child.stdin.end(`${cheat}\n`);
    expect(await ended).toBe(141);
    expect(stderr).toBe("");
    expect(existsSync(join(cwd, "watch.json"))).toBe(false);
  });
});
