// `npm run bench`: what a start costs, against bare Node's, and what a warm commitment costs, against C. Prints a table for README.md.
//
// Every process runs in an otherwise empty environment, with pipes as in a script. A run of each case and one of `node -e 0` take turns, so that a
// machine's bad moments meet all of them; a ratio is of the medians, then of the fastest runs.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { atCommitment } from "./mid-life.mjs";

const RUNS = Number(process.argv[2] ?? 21);
const here = fileURLToPath(new URL(".", import.meta.url));
const bin = fileURLToPath(new URL("../../bin/chankit.js", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "chankit-bench-"));

/**
 * Milliseconds of a process; it must succeed.
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {Record<string, string>} env
 */
function timed(args, cwd = scratch, env = {}) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
  const took = performance.now() - start;
  if (status !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  return took;
}

const bare = () => timed(["-e", "0"]);

/** @param {string} folder @param {string} line @param {Record<string, string>} env */
const chankit = (folder, line, env = {}) => timed([bin, ...line.split(" ")], folder, env);

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** @param {readonly number[]} values @param {readonly number[]} of */
const ratios = (values, of) => `${(median(values) / median(of)).toFixed(2)} (${(Math.min(...values) / Math.min(...of)).toFixed(2)})`;

const OPENING = [
  "keygen alice",
  "open-channel alice --funding 0.1btc -o wire/",
  "keygen bob",
  "accept-channel bob wire/0001-alice-open_channel.json -o wire/",
  `create-funding alice wire/0001-bob-accept_channel.json --outpoint ${"01".repeat(32)}:0 -o wire/`,
  "sign-funding bob wire/0002-alice-funding_created.json -o wire/",
  "release-funding alice wire/0002-bob-funding_signed.json",
  "channel-ready alice -o wire/",
  "channel-ready bob -o wire/",
  "receive bob wire/0003-alice-channel_ready.json",
  "receive alice wire/0003-bob-channel_ready.json",
];

/** The article's twenty steps, those that are more than the copy of a file. */
const UPDATE = [
  "pay alice 0.02btc -o wire/",
  "build-commitment alice --owner remote",
  "sign alice -o wire/",
  "receive bob wire/0004-alice-pay.json",
  "build-commitment bob --owner local",
  "verify-sig bob wire/0005-alice-commitment_signed.json",
  "make-revocation bob -o wire/",
  "receive-revocation alice wire/0004-bob-revoke_and_ack.json",
  "build-commitment bob --owner remote",
  "sign bob -o wire/",
  "build-commitment alice --owner local",
  "verify-sig alice wire/0005-bob-commitment_signed.json",
  "make-revocation alice -o wire/",
  "receive-revocation bob wire/0006-alice-revoke_and_ack.json",
];

/** The folder as it is before that step of the update. */
const before = (/** @type {number} */ step) => join(scratch, `before-${step}`);

/** Each command in the folder that it changes, which is new every time. */
function atStep(/** @type {number} */ step, /** @type {Record<string, string>} */ env) {
  return () => {
    const folder = join(scratch, "work");
    rmSync(folder, { recursive: true, force: true });
    cpSync(before(step), folder, { recursive: true });
    return chankit(folder, UPDATE[step] ?? "", env);
  };
}

/** How often the cases of a file stand in a batch. */
const BATCH_REPEATS = 160;

const BACKENDS = [
  ["WebAssembly", "wasm"],
  ["native", "native"],
];

try {
  const opened = join(scratch, "opened");
  mkdirSync(opened);
  for (const line of OPENING) chankit(opened, line);
  cpSync(opened, before(0), { recursive: true });
  for (const [step, line] of UPDATE.entries()) {
    cpSync(before(step), before(step + 1), { recursive: true });
    chankit(before(step + 1), line);
  }
  const hasNative = spawnSync(process.execPath, [join(here, "warm.mjs"), "native"], { env: {} }).status === 0;

  process.stdout.write(
    `Node ${process.versions.node}, ${process.platform}-${process.arch}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, ${RUNS} runs each\n\n`,
  );
  process.stdout.write("| a process, cold | × `node -e 0`, medians (fastest) |\n| --- | --- |\n");

  /** @type {[string, () => number][]} */
  const cases = [
    ["`help`", () => chankit(before(1), "help")],
    ["`status`", () => chankit(before(1), "status alice")],
    ["`schema`", () => chankit(before(1), "schema")],
  ];
  for (const [title, name] of BACKENDS) {
    if (name === "native" && !hasNative) continue;
    const env = { CHANKIT_ECC: name ?? "" };
    for (const step of [1, 2, 5, 6]) cases.push([`\`${(UPDATE[step] ?? "").split(" ")[0]}\`, ${title}`, atStep(step, env)]);
  }
  const bares = /** @type {number[]} */ ([]);
  const times = cases.map(() => /** @type {number[]} */ ([]));
  for (let run = 0; run < RUNS; run++) {
    bares.push(bare());
    for (const [at, [, measure]] of cases.entries()) times[at]?.push(measure());
  }
  for (const [at, [name]] of cases.entries()) process.stdout.write(`| ${name} | ${ratios(times[at] ?? [], bares)} |\n`);

  for (const [title, name] of BACKENDS) {
    if (name === "native" && !hasNative) continue;
    const scripts = [];
    const nodes = [];
    for (let run = 0; run < Math.ceil(RUNS / 3); run++) {
      const folder = join(scratch, "script");
      rmSync(folder, { recursive: true, force: true });
      cpSync(opened, folder, { recursive: true });
      let script = 0;
      let node = 0;
      for (const line of UPDATE) {
        script += chankit(folder, line, { CHANKIT_ECC: name ?? "" });
        node += bare();
      }
      scripts.push(script);
      nodes.push(node);
    }
    process.stdout.write(`| the twenty steps (${UPDATE.length} processes), ${title} | ${ratios(scripts, nodes)} |\n`);
  }
  if (!hasNative) process.stdout.write("| the native backend | not installed |\n");

  process.stdout.write("\n| warm, in one process | × C floor |\n| --- | --- |\n");
  const floor = buildFloor();
  if (floor === null) process.stdout.write("| 483 HTLCs | no C compiler, or no libsecp256k1 to link to (Debian: libsecp256k1-dev) |\n");
  else {
    const [floors, ...warm] = /** @type {number[][]} */ ([[], [], []]);
    for (let run = 0; run < 5; run++) {
      floors?.push(Number(execFileSync(floor, { encoding: "utf8" })));
      for (const [at, [, name]] of BACKENDS.entries()) {
        if (name === "native" && !hasNative) continue;
        warm[at]?.push(Number(execFileSync(process.execPath, [join(here, "warm.mjs"), name ?? ""], { encoding: "utf8", env: {} })));
      }
    }
    const fastest = Math.min(...(floors ?? []));
    process.stdout.write(`| the floor: 484 signatures by libsecp256k1, ${fastest.toFixed(1)} ms | 1 |\n`);
    for (const [at, [title]] of BACKENDS.entries()) {
      if ((warm[at] ?? []).length > 0)
        process.stdout.write(`| 483 HTLCs built and signed, ${title} | ${(Math.min(...(warm[at] ?? [])) / fastest).toFixed(1)} |\n`);
    }
  }

  process.stdout.write("\n| one update, the ten processes of the five pipes | at commitment 1 | at 1,000,000 |\n| --- | --- | --- |\n");
  const [young, old] = [1, 1_000_000].map((number) => midLife(number));
  /** @type {[number[], number[]]} */
  const updates = [[], []];
  for (let run = 0; run < Math.ceil(RUNS / 3); run++) {
    updates[0].push(oneUpdate(young ?? ""));
    updates[1].push(oneUpdate(old ?? ""));
  }
  process.stdout.write(`| time, of the first | 1 | ${ratios(updates[1], updates[0])} |\n`);
  const size = (/** @type {string} */ folder) => statSync(join(folder, "updated/alice/channel.json")).size;
  process.stdout.write(`| channel.json afterwards, bytes | ${size(young ?? "")} | ${size(old ?? "")} |\n`);

  const vectors = readFileSync(new URL("../../fixtures/vectors/cases/anchors.ndjson", import.meta.url), "utf8");
  writeFileSync(join(scratch, "cases.ndjson"), vectors.repeat(BATCH_REPEATS));
  const lines = BATCH_REPEATS * vectors.trimEnd().split("\n").length;
  /** @type {[number[], number[]]} */
  const batches = [[], []];
  for (let run = 0; run < Math.ceil(RUNS / 3); run++)
    for (const [at, times] of batches.entries()) times.push(chankit(scratch, `vectors verify --batch cases.ndjson --jobs ${at + 1}`));
  process.stdout.write(`\n| \`vectors verify --batch\`, ${lines} cases | on one thread | on two |\n| --- | --- | --- |\n`);
  process.stdout.write(`| time, of the first | 1 | ${ratios(batches[1], batches[0])} |\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The C program, or null where it can't be made. */
function buildFloor() {
  const program = join(scratch, "floor");
  const made = spawnSync("cc", ["-O2", "-o", program, join(here, "floor.c"), "-lsecp256k1"], { stdio: "ignore" });
  return made.status === 0 ? program : null;
}

/** A folder with both parties at rest at that commitment. */
function midLife(/** @type {number} */ number) {
  const folder = join(scratch, `at-${number}`);
  cpSync(before(UPDATE.length), folder, { recursive: true });
  // Each document is made of both folders as they were
  const documents = [
    ["alice", "bob"],
    ["bob", "alice"],
  ].map(([own, peer]) => atCommitment(join(folder, own ?? ""), join(folder, peer ?? ""), number));
  for (const path of documents) chankit(folder, `import-channel ${path.split("/").at(-2) ?? ""} ${path}`);
  return folder;
}

/** The shortest run of an update: five messages, each made and received. */
function oneUpdate(/** @type {string} */ folder) {
  const work = join(folder, "updated");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  for (const party of ["alice", "bob"]) cpSync(join(folder, party), join(work, party), { recursive: true });
  const steps = ["pay alice 1000sat", "sign alice", "make-revocation bob", "sign bob", "make-revocation alice"];
  return steps.reduce((sum, step, at) => {
    const receiver = step.split(" ")[1] === "alice" ? "bob" : "alice";
    return sum + chankit(work, `${step} -o message-${at}`) + chankit(work, `receive ${receiver} message-${at}`);
  }, 0);
}
