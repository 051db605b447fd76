import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BIN, runCli, tempDir } from "../support/cli.js";
import { expectAsInSchema } from "../support/schemas.js";

const generate = (...args: readonly string[]) => runCli(["vectors", "generate", "--seed", "cli", ...args]);

/** More than what one thread does alone. */
const COUNT = 320;

test("vectors generate: on one thread, on three, and in parts one after the other, the same bytes", async () => {
  const one = await generate("--count", String(COUNT), "--jobs", "1");
  expect([one.status, one.stderr, one.stdout.trimEnd().split("\n").length]).toEqual([0, "", COUNT]);
  const three = await generate("--count", String(COUNT), "--jobs", "3");
  expect(three).toEqual(one);
  const parts = [];
  for (let part = 1; part <= 7; part++) parts.push(await generate("--count", String(COUNT), "--shard", `${part}/7`));
  expect(parts.map(({ stdout }) => stdout).join("")).toBe(one.stdout);
  expect(new Set(parts.map(({ stdout }) => stdout.trimEnd().split("\n").length))).toEqual(new Set([45, 46]));
});

test("vectors generate | vectors verify, and on the other backend the same bytes", async () => {
  const made = await generate("--count", "60", "--format", "anchors", "--format", "legacy");
  const types = made.stdout
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { case: { channel_type: string } }).case.channel_type);
  expect(new Set(types)).toEqual(new Set(["anchors", "legacy"]));
  const verified = await runCli(["vectors", "verify", "-"], { stdin: made.stdout });
  expect([verified.status, JSON.parse(verified.stdout)]).toEqual([0, expect.objectContaining({ format: "cases", cases: 60, differences: [] })]);
  const wasm = await runCli(["vectors", "generate", "--seed", "cli", "--count", "60", "--format", "anchors", "--format", "legacy"], {
    env: { CHANKIT_ECC: "wasm" },
  });
  expect(wasm).toEqual(made);
});

test("vectors verify: more than one thread does alone, on one and on three, wrong values in their places", async () => {
  const made = await generate("--count", String(COUNT), "--format", "anchors");
  const lines = made.stdout.trimEnd().split("\n");
  const wrong = lines.map((line, at) =>
    at % 100 === 7 ? line.replace(/"base_fee_sat":(\d+)/, (_, fee) => `"base_fee_sat":${Number(fee) + 1}`) : line,
  );
  const [one, three] = await Promise.all(
    ["1", "3"].map((jobs) => runCli(["vectors", "verify", "-", "--jobs", jobs], { stdin: `\n${wrong.join("\n\n")}` })),
  );
  expect(three).toEqual(one);
  expect([one!.status, one!.stderr]).toEqual([1, ""]);
  const report = JSON.parse(one!.stdout) as {
    cases: number;
    differences: readonly { path: string; why: string }[];
    explanations: readonly unknown[];
  };
  expect(report.cases).toBe(COUNT);
  const changed = [...lines.keys()].filter((at) => wrong[at] !== lines[at]);
  expect(changed.length).toBeGreaterThan(1);
  expect(report.differences.map(({ path, why }) => [path, why])).toEqual(
    changed.map((at) => [`[${at}].expected.base_fee_sat`, "expected is 1 more"]),
  );
  expect(report.explanations).toHaveLength(changed.length);
  expectAsInSchema("vectors-output", report);
});

test.each([
  ["musig2_bip327", "musig2"],
  ["simple_taproot", "simple_taproot"],
  ["taproot_zero_fee_commitments", "taproot_zero_fee_commitments"],
])("vectors verify: %s, for which the program loads what does MuSig2", async (name, format) => {
  const file = join("fixtures", "vectors", "newer", `${name}.json`);
  const good = await runCli(["vectors", "verify", file], { cwd: process.cwd() });
  expect([good.status, good.stderr, JSON.parse(good.stdout)]).toEqual([0, "", expect.objectContaining({ format, differences: [] })]);
  const text = readFileSync(file, "utf8");
  const [whole = "", value = ""] = /"(?:aggregate_xonly|aggregate_signature|signature)": "([0-9a-f]+)"/.exec(text) ?? [];
  const stdin = text.replace(whole, whole.replace(value, value.replace(/^../, "ff")));
  const wrong = await runCli(["vectors", "verify", "-"], { stdin });
  const report = JSON.parse(wrong.stdout) as { readonly differences: readonly object[] };
  expectAsInSchema("vectors-output", report);
  const { differences } = report;
  expect([wrong.status, differences]).toEqual([
    1,
    [expect.objectContaining({ why: expect.any(String) as string, follows_from: expect.any(String) as string })],
  ]);
});

test("vectors verify: a line that is none ends it, with its number; nothing is printed", async () => {
  const made = await generate("--count", "40");
  const lines = made.stdout.trimEnd().split("\n");
  const run = async (stdin: string) => {
    const { status, stdout, stderr } = await runCli(["vectors", "verify", "-"], { stdin });
    return [status, stdout, /^chankit: ([a-z-]+): .*?(line \d+)/.exec(stderr)?.slice(1)];
  };
  expect(await run([...lines.slice(0, 20), "{", ...lines.slice(20)].join("\n"))).toEqual([3, "", ["json-syntax", "line 21"]]);
  expect((await runCli(["vectors", "verify", "missing.ndjson"])).stderr).toMatch(/^chankit: input-unreadable: /);
  expect((await runCli(["vectors", "verify", "-", "--layout", "lnd"], { stdin: lines[0]! })).stderr).toMatch(/^chankit: json-/);
});

test("a part of few cases may be empty", async () => {
  const parts = [];
  for (let part = 1; part <= 3; part++) parts.push(await generate("--count", "2", "--shard", `${part}/3`));
  expect(parts.map(({ status, stdout }) => [status, stdout.split("\n").length - 1])).toEqual([
    [0, 0],
    [0, 1],
    [0, 1],
  ]);
});

test.each([
  [["generate"], "usage-argument"],
  [["generate", "--seed", ""], "usage-argument"],
  [["generate", "cases.ndjson", "--seed", "1"], "usage-argument"],
  [["generate", "--seed", "1", "-o", "cases.ndjson"], "usage-syntax"],
  [["generate", "--seed", "1", "--count", "0"], "usage-value"],
  [["generate", "--seed", "1", "--format", "taproot"], "usage-value"],
  ...["0/4", "5/4", "1", "1/0", "a/b", "-1/4"].map((shard) => [["generate", "--seed", "1", "--shard", shard], "usage-value"] as const),
  [["invent", "--seed", "1"], "usage-value"],
] as const)("chankit vectors %j is refused with %s, and nothing printed", async (args, code) => {
  const { status, stdout, stderr } = await runCli(["vectors", ...args]);
  expect([status, stdout, /^chankit: ([a-z-]+)/.exec(stderr)?.[1]]).toEqual([2, "", code]);
});

/** The most memory that a run had while its reader took `lines` lines, and how it ended once the reader went away. */
async function readSome(count: number, lines: number): Promise<{ readonly status: number | null; readonly megabytes: number }> {
  const child = spawn(process.execPath, [BIN, "vectors", "generate", "--seed", "cli", "--count", String(count), "--jobs", "2"], {
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  let [read, megabytes] = [0, 0];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    read += chunk.reduce((sum, byte) => sum + Number(byte === 10), 0);
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid!}/status`, "utf8")) ?? [];
    megabytes = Math.max(megabytes, Number(kilobytes) / 1024);
    if (read >= lines) break;
  }
  child.stdout.destroy();
  return { status: await ended, megabytes };
}

test("a reader that goes away ends it, threads too, however many cases were to come", async () => {
  const { status } = await readSome(2 ** 31, 400);
  expect(status).toBe(141);
});

test("what was made from a seed is read as cases by what reads cases", async () => {
  const cwd = tempDir();
  const made = await generate("--count", "3", "--format", "static_remotekey");
  writeFileSync(join(cwd, "cases.ndjson"), made.stdout);
  const { id, expected } = JSON.parse(made.stdout.split("\n")[2]!) as { id: string; expected: { commitment_txid: string } };
  const imported = await runCli(["import-channel", "owner", "--case", "cases.ndjson", "--id", id, "--as", "local"], { cwd });
  expect([imported.status, imported.stderr]).toEqual([0, ""]);
  const built = await runCli(["build-commitment", "owner", "--owner", "local"], { cwd });
  expect(JSON.parse(built.stdout)).toMatchObject({ txid: expected.commitment_txid });
});
