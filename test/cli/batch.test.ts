import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { BIN, runCli, tempDir } from "../support/cli.js";

const CASES = ["anchors", "static_remotekey"].flatMap((name) => readFileSync(`fixtures/vectors/cases/${name}.ndjson`, "utf8").trim().split("\n"));

interface Case {
  readonly id: string;
  readonly expected: { readonly commitment_tx_unsigned_hex: string; readonly commitment_txid: string };
}

const parsed = CASES.map((line) => JSON.parse(line) as Case);

function linesOf(text: string): readonly Record<string, unknown>[] {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function fileOf(lines: readonly (string | Uint8Array)[]): string {
  const path = join(tempDir(), "lines.ndjson");
  writeFileSync(path, Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from("\n")])));
  return path;
}

const times = <T>(count: number, list: readonly T[]): readonly T[] => Array.from({ length: count }, () => list).flat();

test.each([[], ["--jobs", "1"], ["--jobs", "3"]])(
  "build-commitment --batch: every case's commitment, in order, whatever the threads (%s %s)",
  async (...jobs: string[]) => {
    const file = fileOf(times(5, CASES));
    const { status, stdout, stderr } = await runCli(["build-commitment", "--batch", file, ...jobs]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(linesOf(stdout).map(({ id, unsigned_tx, txid }) => [id, unsigned_tx, txid])).toEqual(
      times(5, parsed).map(({ id, expected }) => [id, expected.commitment_tx_unsigned_hex, expected.commitment_txid]),
    );
    // The cases hold both sides' secrets: none of them is repeated
    expect(stdout).not.toMatch(/secret|privkey|seed/);
  },
);

test("one prints what another reads: build-commitment, then inspect, then by hand", async () => {
  const built = await runCli(["build-commitment", "--batch", "-", "--explain"], { stdin: CASES.join("\n") });
  expect(linesOf(built.stdout)[0]).toHaveProperty("explain");
  const inspected = await runCli(["inspect", "--batch"], { stdin: built.stdout });
  expect([built.status, inspected.status]).toEqual([0, 0]);
  expect(linesOf(inspected.stdout).map(({ txid }) => txid)).toEqual(parsed.map(({ expected }) => expected.commitment_txid));
  const [first] = parsed;
  const one = await runCli(["inspect", "-"], { stdin: first!.expected.commitment_tx_unsigned_hex });
  expect(linesOf(inspected.stdout)[0]).toEqual(JSON.parse(one.stdout));
});

test("vectors verify --batch: a line that differs, lines that are none, in their places; exit 1", async () => {
  const [one = "", two = ""] = CASES;
  const wrong = one.replace(/"commitment_txid": "../, '"commitment_txid": "zz');
  const long = new Uint8Array(17 * 1024 * 1024).fill(0x20);
  const lines = [one, wrong, "", "  \t\r", "{", "[]", '{"id":"x"}', Uint8Array.of(0x7b, 0xff, 0x7d), long, "null", two, ...times(20, [one])];
  const { status, stdout, stderr } = await runCli(["vectors", "verify", "-", "--batch"], {
    stdin: Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from("\n")])),
  });
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  const answers = linesOf(stdout);
  expect(answers).toHaveLength(lines.length - 2);
  const [good, bad, ...others] = answers;
  expect(good).toMatchObject({ id: parsed[0]!.id, differences: [] });
  expect((bad as { differences: readonly { path: string }[] }).differences.map(({ path }) => path)).toEqual(["[0].expected.commitment_txid"]);
  expect(others.slice(0, 6).map(({ error }) => (error as { code: string }).code)).toEqual([
    "json-syntax",
    "json-value",
    "json-missing",
    "file-damaged",
    "file-too-large",
    "json-value",
  ]);
  expect((others[0]!["error"] as { message: string }).message).toContain("line 5");
  expect(others[6]).toMatchObject({ id: parsed[1]!.id, differences: [] });
  expect(others.slice(7)).toEqual(times(20, [good]));
});

test("what does not go together, and what is not there", async () => {
  const run = async (...args: string[]) => {
    const { status, stdout, stderr } = await runCli(args, { stdin: CASES.join("\n") });
    expect(stdout).toBe("");
    return [status, /^chankit: ([a-z-]+)/.exec(stderr)?.[1]];
  };
  expect(await run("build-commitment", "--batch", "-", "--owner", "local")).toEqual([2, "usage-syntax"]);
  expect(await run("inspect", "--batch", "-", "--party", "alice")).toEqual([2, "usage-syntax"]);
  expect(await run("inspect", "--batch", "-", "-o", "out.json")).toEqual([2, "usage-syntax"]);
  expect(await run("vectors", "generate", "--batch")).toEqual([2, expect.stringMatching(/^usage-/)]);
  expect(await run("inspect", "-", "--jobs", "2")).toEqual([2, "usage-syntax"]);
  expect(await run("build-commitment", "alice")).toEqual([2, "usage-syntax"]);
  expect(await run("inspect", "--batch", "missing.ndjson")).toEqual([5, "file-missing"]);
  expect(await run("inspect", "--batch", "/")).toEqual([5, "file-unreadable"]);
  expect(await runCli(["inspect", "--batch", "/dev/null"])).toEqual({ status: 0, stdout: "", stderr: "" });
});

/** Feeds `count` transactions to `inspect --batch`, and gives the most memory that it had. */
async function peakOf(count: number): Promise<number> {
  const child = spawn(process.execPath, [BIN, "inspect", "--batch"], { env: {}, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const line = `${parsed[0]!.expected.commitment_tx_unsigned_hex}\n`;
  void (async () => {
    for (let sent = 0; sent < count; sent++) if (!child.stdin.write(line)) await new Promise((resolve) => child.stdin.once("drain", resolve));
    child.stdin.end();
  })();
  let [answers, peak] = [0, 0];
  for await (const answer of createInterface({ input: child.stdout })) {
    expect(answer.startsWith('{"format":"chankit-inspection"')).toBe(true);
    if (++answers % 500 !== 0) continue;
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid!}/status`, "utf8")) ?? [];
    peak = Math.max(peak, Number(kilobytes));
  }
  expect([await ended, answers]).toEqual([0, count]);
  return peak / 1024;
}

test.runIf(process.platform === "linux")(
  "memory does not grow with the input, and answers come while lines do",
  async () => {
    const few = await peakOf(1000);
    const many = await peakOf(12_000);
    // 12,000 answers are 40 MB
    expect(many - few).toBeLessThan(120);
  },
  240_000,
);

test("a reader that went away ends it: exit 141", async () => {
  const file = fileOf(times(40, CASES));
  const child = spawn("bash", ["-c", `"$NODE" "$BIN" build-commitment --batch ${file} | head -n 2 | wc -l; echo "\${PIPESTATUS[0]}"`], {
    env: { PATH: "/usr/bin:/bin", NODE: process.execPath, BIN },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => (await stream.setEncoding("utf8").toArray()).join("")),
  );
  expect([stdout, stderr]).toEqual(["2\n141\n", ""]);
});
