// What watching costs: `npm run -s build && node test/bench/watch.mjs`. The folders of thousands of parties, 100,000 transactions that are nobody's,
// and among them a revoked commitment. Prints the commands beside the figures.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, cpSync, createReadStream, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/chankit.js", import.meta.url));
const BLOCK = 4000;
const BLOCKS = 25;
const ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

const dir = mkdtempSync(join(tmpdir(), "chankit-bench-"));
process.on("exit", () => {
  rmSync(dir, { recursive: true, force: true });
});

/** Tells the most memory that a process held, in KB. */
const hook = join(dir, "memory.cjs");
writeFileSync(hook, "process.on('exit', () => process.stderr.write(String(process.resourceUsage().maxRSS)));");

/** @param {readonly string[]} args */
const chankit = (...args) => execFileSync(process.execPath, [bin, ...args], { cwd: dir, encoding: "utf8", env: {} });

/**
 * Bytes that look like chance and are the same each time.
 * @param {string} name
 * @param {number} size
 */
function bytes(name, size) {
  const parts = [];
  for (let at = 0; at * 32 < size; at++) parts.push(createHash("sha256").update(`${name} ${at}`).digest());
  return Buffer.concat(parts).subarray(0, size);
}

/** An ordinary payment: two inputs with witnesses, two outputs, 374 bytes. @param {number} number */
function unrelated(number) {
  const filler = bytes(`tx ${number}`, 64 + 40 + 2 * (72 + 33));
  const input = (/** @type {number} */ at) => Buffer.concat([filler.subarray(32 * at, 32 * at + 32), Buffer.from("0100000000fdffffff", "hex")]);
  const output = (/** @type {number} */ at) =>
    Buffer.concat([Buffer.from("e80300000000000016", "hex"), Buffer.from("0014", "hex"), filler.subarray(64 + 20 * at, 84 + 20 * at)]);
  const witness = (/** @type {number} */ at) => {
    const from = 104 + 105 * at;
    return Buffer.concat([
      Buffer.from("0248", "hex"),
      filler.subarray(from, from + 72),
      Buffer.from("21", "hex"),
      filler.subarray(from + 72, from + 105),
    ]);
  };
  return Buffer.concat([
    Buffer.from("02000000000102", "hex"),
    input(0),
    input(1),
    Buffer.from("02", "hex"),
    output(0),
    output(1),
    witness(0),
    witness(1),
    Buffer.alloc(4),
  ]).toString("hex");
}

/** One channel of two parties, whose first commitment of Alice's is revoked; returns that. */
function cheated() {
  const cheap = ["--min-feerate", "0"];
  for (const name of ["alice", "bob"]) chankit("keygen", name);
  chankit("open-channel", "alice", "--funding", "0.1btc", "--push", "0.04btc", "-o", "wire/");
  chankit("accept-channel", "bob", "wire/0001-alice-open_channel.json", ...cheap, "-o", "wire/");
  chankit("create-funding", "alice", "wire/0001-bob-accept_channel.json", "--outpoint", `${"ab".repeat(32)}:0`, "-o", "wire/");
  chankit("sign-funding", "bob", "wire/0002-alice-funding_created.json", "-o", "wire/");
  chankit("release-funding", "alice", "wire/0002-bob-funding_signed.json");
  for (const name of ["alice", "bob"]) chankit("channel-ready", name, "-o", "wire/");
  chankit("receive", "bob", "wire/0003-alice-channel_ready.json");
  chankit("receive", "alice", "wire/0003-bob-channel_ready.json");
  cpSync(join(dir, "alice"), join(dir, "cheater"), { recursive: true });
  const pass = (/** @type {string} */ from, /** @type {string} */ to, /** @type {string[]} */ ...args) => {
    const [name = "", ...more] = args;
    writeFileSync(join(dir, "message.json"), chankit(name, from, ...more));
    chankit("receive", to, "message.json");
  };
  pass("alice", "bob", "pay", "0.01btc");
  for (const [signer, other] of [
    ["alice", "bob"],
    ["bob", "alice"],
  ]) {
    pass(String(signer), String(other), "sign");
    pass(String(other), String(signer), "make-revocation");
  }
  const { tx } = /** @type {{ readonly tx: string }} */ (JSON.parse(chankit("force-close", "cheater")));
  return tx;
}

/** Folders of parties, Bob's last; the others' funding outputs are of their own. @param {number} count @param {string} name */
function folders(count, name) {
  const channel = readFileSync(join(dir, "bob", "channel.json"), "utf8");
  mkdirSync(join(dir, name));
  for (let at = 0; at < count - 1; at++) {
    const folder = join(dir, name, `party-${at}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "channel.json"), channel.replaceAll("ab".repeat(32), createHash("sha256").update(`funding ${at}`).digest("hex")));
  }
  cpSync(join(dir, "bob"), join(dir, name, "victim"), { recursive: true });
}

/**
 * @param {string} line
 * @returns {{ readonly event: string, readonly parties?: number, readonly transactions?: number }}
 */
function eventIn(line) {
  /** @type {unknown} */
  const event = JSON.parse(line);
  return /** @type {{ readonly event: string }} */ (event);
}

/**
 * @param {string} input
 * @param {string} name
 */
async function watch(input, name) {
  const args = ["watch", name, "--to", ADDRESS, "--feerate", "2500", "-o", `answers-${name}/`];
  const started = performance.now();
  const child = spawn(process.execPath, ["--require", hook, bin, ...args], { cwd: dir });
  createReadStream(join(dir, input)).pipe(child.stdin);
  let [out, errors, ready] = ["", "", 0];
  child.stdout.on("data", (/** @type {Buffer} */ part) => {
    if (ready === 0) ready = performance.now();
    out += part.toString();
  });
  child.stderr.on("data", (/** @type {Buffer} */ part) => (errors += part.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  const ended = performance.now();
  const events = out
    .split("\n")
    .slice(0, -1)
    .map((line) => eventIn(line));
  const answered = events.filter(({ event }) => event === "answer").length;
  const parties = events[0]?.parties ?? 0;
  const seen = events.filter(({ event }) => event === "commitment").length;
  if (events.at(-1)?.transactions !== BLOCK * BLOCKS + 1 || answered === 0 || seen !== 1) throw new Error(`not watched: ${out} ${errors}`);
  return { start: (ready - started) / 1000, blocks: ended - ready, answered, memory: Number(errors) / 1024, parties };
}

const cheat = cheated();
const input = "blocks.ndjson";
const file = openSync(join(dir, input), "w");
for (let block = 0; block < BLOCKS; block++) {
  const txs = Array.from({ length: BLOCK }, (_, at) => unrelated(block * BLOCK + at));
  if (block === 12) txs.splice(BLOCK / 2, 0, cheat);
  writeSync(file, `${JSON.stringify({ height: 800_000 + block, hash: createHash("sha256").update(String(block)).digest("hex"), txs })}\n`);
}
closeSync(file);

const rows = [];
for (const count of [1, 1000, 10_000]) {
  folders(count, `parties-${count}`);
  await watch(input, `parties-${count}`);
  rmSync(join(dir, `answers-parties-${count}`), { recursive: true, force: true });
  const runs = [];
  for (let run = 0; run < 3; run++) runs.push(await watch(input, `parties-${count}`));
  runs.sort((a, b) => a.blocks - b.blocks);
  rows.push(runs[1]);
}
console.log(`Node ${process.versions.node}, ${process.platform}-${process.arch}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, median of 3 runs`);
console.log(`\n    chankit watch parties/ --to ${ADDRESS} --feerate 2500 -o answers/ < ${input}`);
console.log(`\n${BLOCKS} blocks of ${BLOCK} transactions, one revoked commitment among them, answered\n`);
console.log("| party folders | read in, s | a block, ms | peak memory, MB |\n| ------------- | ---------- | ----------- | --------------- |");
for (const row of rows) {
  if (row === undefined) continue;
  console.log(`| ${row.parties} | ${row.start.toFixed(2)} | ${(row.blocks / BLOCKS).toFixed(1)} | ${row.memory.toFixed(0)} |`);
}
