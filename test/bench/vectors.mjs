// `npm run -s build && node test/bench/vectors.mjs [CASES]`: what it costs to generate test vectors and to verify them, on one thread and on two, against a bare
// `node -e 0` and against libsecp256k1 making as many signatures. Prints a table for docs/vectors.md.
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CASES = Number(process.argv[2] ?? 10_000);
const bin = fileURLToPath(new URL("../../bin/chankit.js", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "chankit-bench-"));
const BARE_RUNS = 11;
/** How many signatures floor.c makes. */
const FLOOR_SIGNATURES = 484;

/** Milliseconds of a process, which must succeed. @param {readonly string[]} args @param {string | undefined} output */
function timed(args, output) {
  const out = output === undefined ? /** @type {const} */ ("ignore") : openSync(output, "w");
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: scratch, env: {}, stdio: ["ignore", out, "pipe"], encoding: "utf8" });
  const took = performance.now() - start;
  if (typeof out === "number") closeSync(out);
  if (status !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  return took;
}

/** How many signatures a file of cases holds. @param {string} path */
function signaturesIn(path) {
  const fd = openSync(path, "r");
  const chunk = Buffer.alloc(1 << 22);
  let [count, left] = [0, ""];
  for (let size = readSync(fd, chunk); size > 0; size = readSync(fd, chunk)) {
    const text = left + chunk.toString("latin1", 0, size);
    const end = text.lastIndexOf("\n") + 1;
    count += text.slice(0, end).match(/signature[a-z_]*":"30/g)?.length ?? 0;
    left = text.slice(end);
  }
  closeSync(fd);
  return count;
}

/** Milliseconds that libsecp256k1 takes for a signature, or null where the program can't be made. */
function floorOfSignature() {
  const program = join(scratch, "floor");
  const made = spawnSync("cc", ["-O2", "-o", program, fileURLToPath(new URL("floor.c", import.meta.url)), "-lsecp256k1"], { stdio: "ignore" });
  return made.status === 0 ? Number(execFileSync(program, { encoding: "utf8" })) / FLOOR_SIGNATURES : null;
}

try {
  const bare = Array.from({ length: BARE_RUNS }, () => timed(["-e", "0"], undefined)).sort((a, b) => a - b)[BARE_RUNS >> 1] ?? NaN;
  const floor = floorOfSignature();
  const file = join(scratch, "cases.ndjson");
  /** @type {[string, number][]} */
  const rows = [];
  for (const jobs of ["1", "2"])
    rows.push([
      `generated, ${jobs} thread${jobs === "1" ? "" : "s"}`,
      timed([bin, "vectors", "generate", "--seed", "bench", "--count", String(CASES), "--jobs", jobs], file),
    ]);
  for (const jobs of ["1", "2"])
    rows.push([`verified, ${jobs} thread${jobs === "1" ? "" : "s"}`, timed([bin, "vectors", "verify", file, "--jobs", jobs], undefined)]);
  const signatures = signaturesIn(file);
  const load = loadavg()[0]?.toFixed(1) ?? "?";
  process.stdout.write(
    `Node ${process.versions.node}, ${process.platform}-${process.arch}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, load ${load}; ` +
      `${CASES} cases, ${signatures} signatures, ${(statSync(file).size / 1e6).toFixed(0)} MB; \`node -e 0\` ${bare.toFixed(0)} ms, ` +
      `${floor === null ? "no C floor" : `C floor ${(1000 * floor).toFixed(0)} µs a signature`}\n\n`,
  );
  process.stdout.write("| | s | cases a second | × `node -e 0` | × as many signatures in C |\n| --- | --- | --- | --- | --- |\n");
  for (const [name, took] of rows) {
    const inC = floor === null ? "–" : (took / (signatures * floor)).toFixed(1);
    process.stdout.write(
      `| ${name} | ${(took / 1000).toFixed(1)} | ${((1000 * CASES) / took).toFixed(0)} | ${(took / bare).toFixed(0)} | ${inC} |\n`,
    );
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
