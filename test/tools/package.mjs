// The package as users get it: packed, installed in an empty folder and for all users, the demo run, the library imported. `npm run test:package`; with
// `--node 20 22 24` the demo and the selftest on each of these versions of Node too (`npm run test:nodes`; npm's package `node` brings them).
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "chankit-package-"));

/**
 * @param {string} cwd
 * @param {string} program
 * @param {readonly string[]} args
 */
const run = (cwd, program, args) => execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();

/**
 * A folder with nothing in it but these packages.
 * @param {string} name
 * @param {readonly string[]} packages
 */
function installed(name, packages) {
  const folder = join(scratch, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  run(folder, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", ...packages]);
  return folder;
}

/** What the library is for, in a few lines: a commitment built and signed without any file. */
const LIBRARY = `
import { useEcc, ecc, deriveKey, publicKey, Secret32, LnError, ERROR_CODES, FORMATS, toHex } from "chankit";
import { wasm } from "chankit/ecc";
useEcc(wasm);
const secret = new Secret32(Uint8Array.from({ length: 32 }, (_, at) => at));
const point = publicKey(secret);
if (toHex(point) !== "036d6caac248af96f6afa7f904f550253a0f3ef3f5aa2fe6838a95b216691468e2") throw new Error(toHex(point));
if (!ecc().isPoint(deriveKey(point, point)) || String(secret) !== "[secret]" || !("key-shape" in ERROR_CODES) || !("anchors" in FORMATS)) throw new Error("not the library");
console.log(typeof LnError);
`;

/** The types, seen by a strict compiler that resolves packages as Node does. */
const TYPES = `
import { useEcc, publicKey, Secret32, type Point } from "chankit";
import { wasm } from "chankit/ecc";
useEcc(wasm);
export const point: Point = publicKey(new Secret32(new Uint8Array(32)));
`;

/**
 * @param {string} folder
 * @param {string} node
 */
function smoke(folder, node) {
  const bin = join(folder, "node_modules/chankit/bin/chankit.js");
  const demo = mkdtempSync(join(folder, "demo-"));
  run(folder, node, [bin, "demo", demo]);
  for (const script of readdirSync(demo).filter((name) => name.endsWith(".sh"))) run(demo, "bash", [script]);
  for (const ecc of ["wasm", "native"]) {
    const output = execFileSync(node, [bin, "selftest"], {
      cwd: folder,
      encoding: "utf8",
      env: { CHANKIT_ECC: ecc },
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (output === "") throw new Error(`selftest says nothing on ${ecc}`);
  }
  return run(folder, node, ["--version"]);
}

try {
  /** @type {readonly [{ filename: string, entryCount: number, size: number }]} */
  const [packed] = JSON.parse(run(root, "npm", ["pack", "--json", "--loglevel=error", "--pack-destination", scratch]).replace(/^[^[]*/, ""));
  const tarball = join(scratch, packed.filename);
  const folder = installed("installed", [tarball]);
  run(folder, "npx", ["chankit", "demo", "x"]);
  for (const script of readdirSync(join(folder, "x")).filter((name) => name.endsWith(".sh"))) run(join(folder, "x"), "bash", [script]);
  const everywhere = join(scratch, "everywhere");
  run(folder, "npm", ["install", "--global", "--prefix", everywhere, "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", tarball]);
  const manifest = /** @type {{ man: readonly string[] }} */ (JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  for (const page of manifest.man) if (!existsSync(join(everywhere, "share/man/man1", basename(page)))) throw new Error(`no ${page} in the manual`);
  writeFileSync(join(folder, "library.mjs"), LIBRARY);
  run(folder, process.execPath, ["library.mjs"]);
  writeFileSync(join(folder, "types.mts"), TYPES);
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  run(folder, process.execPath, [tsc, "--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "types.mts"]);
  console.log(
    `package: ${packed.filename}, ${packed.entryCount} files, ${packed.size} bytes: installed, npx chankit demo, the library and its types`,
  );

  const at = process.argv.indexOf("--node");
  for (const version of at < 0 ? [] : process.argv.slice(at + 1)) {
    const node = join(installed(`node-${version}`, [`node@${version}`]), "node_modules/node/bin/node");
    console.log(`node ${smoke(folder, node)}: the demos and the selftest on both backends`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
