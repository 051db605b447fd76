// Builds dist/: `node test/tools/build.mjs` everything, with `--bundle` only what bin/chankit.js runs, and that only where it is not of today's sources.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build, transform } from "esbuild";
import { WITHOUT_TABLES, productTables, splitWasm } from "./split-wasm.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(root, "dist");
/** What start.js loads. */
const ENTRY = "cli.js";
const run = promisify(execFile);

/**
 * What libraries load at once and our commands never or seldom need, loaded when it is called for: commander's child_process, for subcommands
 * that are programs of their own, and tiny-secp256k1's crypto, which it asks for the four bytes at a time with which it blinds its arithmetic: the
 * system's own source gives them, and Node's where there is none. Each is a tenth of a start. And what an ES module needs node:module for, a
 * CommonJS file just has.
 * @type {Readonly<Record<string, string>>}
 */
const LAZY = {
  "node:module": "exports.createRequire = () => require;",
  "node:child_process": "exports.spawn = (...args) => require('child_process').spawn(...args);",
  crypto: `
    const fs = require("node:fs");
    exports.randomBytes = (size) => {
      try {
        const bytes = Buffer.alloc(size);
        const source = fs.openSync("/dev/urandom", "r");
        try {
          if (fs.readSync(source, bytes) === size) return bytes;
        } finally {
          fs.closeSync(source);
        }
      } catch {}
      return require("node:crypto").randomBytes(size);
    };`,
};

/** @type {import("esbuild").Plugin} */
const lazyBuiltIns = {
  name: "lazy-built-ins",
  setup(building) {
    building.onResolve({ filter: /^(node:child_process|node:module|crypto)$/ }, ({ path }) => ({ path, namespace: "lazy" }));
    building.onLoad({ filter: /.*/, namespace: "lazy" }, ({ path }) => ({ contents: LAZY[path] ?? "" }));
  },
};

const { code, data, offset } = splitWasm(await readFile(new URL("secp256k1.wasm", import.meta.resolve("tiny-secp256k1"))));
const tables = productTables(data);

/**
 * tiny-secp256k1's module from two files, code and data.
 * @type {import("esbuild").Plugin}
 */
const splitLoader = {
  name: "split-loader",
  setup(building) {
    building.onLoad({ filter: /tiny-secp256k1[\\/]lib[\\/]wasm_loader[.]js$/ }, () => ({
      contents: `
        import { closeSync, openSync, readFileSync, readSync } from "node:fs";
        import { sep } from "node:path";
        import * as rand from "./rand.js";
        import * as validate from "./validate_error.js";
        const imports = { "./rand.js": rand, "./validate_error.js": validate };
        const module = new WebAssembly.Module(readFileSync(__dirname + sep + "secp256k1.wasm"));
        const { exports } = new WebAssembly.Instance(module, imports);
        const data = new Uint8Array(exports.memory.buffer, ${offset}, ${data.length});
        const fill = (from, to) => {
          const file = openSync(__dirname + sep + "secp256k1.data", "r");
          for (let at = from; at < to; ) {
            const read = readSync(file, data, at, to - at, at);
            if (read === 0) throw new Error("secp256k1.data ends early");
            at += read;
          }
          closeSync(file);
        };
        fill(0, ${tables.at});
        fill(${tables.at + tables.length}, data.length);
        let complete = false;
        const whole = (act) => (...args) => {
          if (!complete) fill(${tables.at}, ${tables.at + tables.length});
          complete = true;
          return act(...args);
        };
        const without = ${JSON.stringify(WITHOUT_TABLES)};
        const wants = ([name, it]) => typeof it === "function" && !without.includes(name);
        const all = Object.entries(exports).map((entry) => (wants(entry) ? [entry[0], whole(entry[1])] : entry));
        export default Object.fromEntries(all);`,
    }));
  },
};

/**
 * jsonc-parser does not say that its modules can be left out where nothing is imported from them, as its formatter can with its 1200 strings.
 * @type {import("esbuild").Plugin}
 */
const pureModules = {
  name: "pure-modules",
  setup(building) {
    building.onResolve({ filter: /^\.\/(impl\/)?(format|edit|string-intern)$/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === pureModules || !importer.includes("jsonc-parser")) return undefined;
      return { ...(await building.resolve(path, { importer, resolveDir, kind, pluginData: pureModules })), sideEffects: false };
    });
  },
};

/**
 * dist/cli/: the program as CommonJS files, one for what every command needs and one for each part that only some load; tiny-secp256k1's
 * WASM beside the file that loads it; and in dist/ the licences of what is bundled.
 *
 * esbuild splits ES modules only, and an ES module in front would cost a third of bare Node's start: so it splits those, and each file is
 * then turned into CommonJS by itself.
 */
async function buildProgram() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: "src/cli.ts", out: "cli" },
      { in: "src/ecc/helper.ts", out: "helper" },
    ],
    outdir: "dist/cli",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["node"],
    mainFields: ["module", "main"],
    // Found at run time where it is installed
    external: ["secp256k1"],
    plugins: [lazyBuiltIns, pureModules, splitLoader],
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  // Renamed into place, so that a chankit started meanwhile runs the old program or the new one.
  const fresh = join(dist, `cli.${process.pid}.tmp`);
  await mkdir(fresh, { recursive: true });
  const parts = new Map(
    await Promise.all(outputFiles.map(async ({ path, text }) => /** @type {const} */ ([basename(path), await toCommonJs(text)]))),
  );
  await writeFile(join(fresh, "package.json"), '{ "type": "commonjs" }\n');
  await writeFile(join(fresh, "secp256k1.wasm"), code);
  await writeFile(join(fresh, "secp256k1.data"), data);
  await writeFile(join(fresh, "start.js"), await startFile());
  await writeFiles(fresh, parts, new Map());
  await writeFiles(fresh, parts, filesOf(await rehearse(fresh)));
  await keepBytecode(fresh);
  await writeFile(join(fresh, BUILT_FROM), await sources());
  await replace(fresh, join(dist, "cli"));
  await writeFile(join(dist, "LICENSES.txt"), await licences(Object.keys(metafile.inputs)));
}

/** In dist/cli, what it was built from. */
const BUILT_FROM = "built-from";

/** A hash of everything that the program follows from: its sources, this script, the packages and the engine whose bytecode is kept. */
async function sources() {
  const files = (await readdir(join(root, "src"), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  const hash = createHash("sha256").update(process.version);
  for (const path of [...paths, join(root, "package.json"), join(root, "package-lock.json"), fileURLToPath(import.meta.url)]) {
    hash.update(`\n${path}\n`).update(await readFile(path));
  }
  return hash.digest("hex");
}

async function isCurrent() {
  const built = await readFile(join(dist, "cli", BUILT_FROM), "utf8").catch(() => "");
  return built === (await sources());
}

/** @param {string} module */
async function toCommonJs(module) {
  const { code } = await transform(module, {
    format: "cjs",
    platform: "node",
    target: "node20",
    supported: { "dynamic-import": false },
    // Libraries written as ES modules look for their files beside `import.meta.url`.
    define: { "import.meta.url": "moduleUrl" },
    minifySyntax: true,
    minifyWhitespace: true,
  });
  // The start reads its files byte by byte. What a tagged template holds can't be escaped: there such a character stands in an expression
  const strange = /[\u0080-\uffff]/.exec(code);
  if (strange !== null) throw new Error(`not ASCII: ${code.slice(Math.max(0, strange.index - 60), strange.index + 60)}`);
  return module.includes("import.meta.url") ? `const moduleUrl=require("node:url").pathToFileURL(__filename).href;${code}` : code;
}

async function startFile() {
  const { code } = await transform(await readFile(join(root, "src/start.cts"), "utf8"), {
    loader: "ts",
    format: "cjs",
    platform: "node",
    target: "node20",
  });
  return code;
}

/** What the commands of an update are, each of which shows the build which functions a start runs. */
const REHEARSAL = [
  ["keygen", "alice"],
  ["open-channel", "alice", "--funding", "0.1btc", "-o", "wire/"],
  ["keygen", "bob"],
  ["accept-channel", "bob", "wire/0001-alice-open_channel.json", "-o", "wire/"],
  ["create-funding", "alice", "wire/0001-bob-accept_channel.json", "--outpoint", `${"01".repeat(32)}:0`, "-o", "wire/"],
  ["sign-funding", "bob", "wire/0002-alice-funding_created.json", "-o", "wire/"],
  ["release-funding", "alice", "wire/0002-bob-funding_signed.json"],
  ["channel-ready", "alice", "-o", "wire/"],
  ["channel-ready", "bob", "-o", "wire/"],
  ["receive", "bob", "wire/0003-alice-channel_ready.json"],
  ["receive", "alice", "wire/0003-bob-channel_ready.json"],
  ["pay", "alice", "0.02btc", "-o", "wire/"],
  ["build-commitment", "alice", "--owner", "remote"],
  ["sign", "alice", "-o", "wire/"],
  ["receive", "bob", "wire/0004-alice-pay.json"],
  ["verify-sig", "bob", "wire/0005-alice-commitment_signed.json"],
  ["make-revocation", "bob", "-o", "wire/"],
  ["receive-revocation", "alice", "wire/0004-bob-revoke_and_ack.json"],
  ["force-close", "bob"],
  ["status", "bob"],
  ["help"],
  ["schema"],
];

/**
 * The files of the program, each an object of the modules that stand in it, of which every one but those of `fileOf` has a file of its own.
 * @param {string} folder
 * @param {ReadonlyMap<string, string>} parts
 * @param {ReadonlyMap<string, string>} fileOf
 */
async function writeFiles(folder, parts, fileOf) {
  const idOf = (/** @type {string} */ name) => `./${fileOf.get(name) ?? name}#${name}`;
  /** @type {Map<string, string[]>} */
  const files = new Map();
  for (const [name, code] of parts) {
    const linked = code.replace(/\brequire\("[.][/]([\w-]+[.]js)"\)/g, (_, /** @type {string} */ other) => `require(${JSON.stringify(idOf(other))})`);
    const file = fileOf.get(name) ?? name;
    files.set(file, [...(files.get(file) ?? []), `${JSON.stringify(name)}:(function(exports,require,module,__filename,__dirname){${linked}\n})`]);
  }
  for (const name of parts.keys()) await rm(join(folder, name), { force: true });
  for (const [file, wrapped] of files) await writeFile(join(folder, file), `({${wrapped.join(",\n")}})`);
}

/**
 * Which modules share a file: those that the same steps of the rehearsal load, since each file takes a fifth of a millisecond to open.
 * @param {readonly Recording[]} recordings
 */
function filesOf(recordings) {
  /** @type {Map<string, string>} */
  const steps = new Map();
  for (const [step, { files }] of recordings.entries()) for (const name of files.keys()) steps.set(name, `${steps.get(name) ?? ""} ${step}`);
  /** @type {Map<string, string>} */
  const first = new Map();
  for (const [name, set] of steps) if (!first.has(set) || name === ENTRY) first.set(set, name);
  return new Map([...steps].map(([name, set]) => [name, first.get(set) ?? name]));
}

/** @typedef {{ readonly files: ReadonlyMap<string, Buffer> }} Recording What one step loaded, and its bytecode. */

/**
 * An update with the new program, on each backend.
 * @param {string} folder
 */
async function rehearse(folder) {
  const scratch = await mkdtemp(join(tmpdir(), "chankit-build-"));
  const rehearsals = [{}, { CHANKIT_ECC: "wasm" }].map(async (env, at) => {
    /** @type {Recording[]} */
    const recordings = [];
    const cwd = join(scratch, `rehearsal-${at}`);
    await mkdir(cwd);
    for (const [step, args] of REHEARSAL.entries()) {
      const recorded = join(scratch, `bytecode-${at}-${step}`);
      await mkdir(recorded);
      await run(process.execPath, [join(folder, "start.js"), ...args], { cwd, env: { ...env, CHANKIT_RECORD_BYTECODE: recorded } });
      const names = await readdir(recorded);
      recordings.push({
        files: new Map(await Promise.all(names.map(async (name) => /** @type {const} */ ([name, await readFile(join(recorded, name))])))),
      });
    }
    return recordings;
  });
  const recordings = (await Promise.all(rehearsals)).flat();
  await rm(scratch, { recursive: true, force: true });
  return recordings;
}

/**
 * Rehearses an update with the new program and keeps, of every file, the bytecode of the run that compiled most of it.
 * @param {string} folder
 */
async function keepBytecode(folder) {
  /** @type {Map<string, Buffer>} */
  const best = new Map();
  for (const { files } of await rehearse(folder)) {
    for (const [name, bytecode] of files) if (bytecode.length > (best.get(name)?.length ?? 0)) best.set(name, bytecode);
  }
  /** @type {Record<string, readonly [number, number]>} */
  const slots = {};
  let offset = 0;
  for (const [name, { length }] of best) {
    slots[name] = [offset, length];
    offset += length;
  }
  const index = Buffer.from(JSON.stringify(slots));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(index.length);
  await writeFile(join(folder, "bytecode.bin"), Buffer.concat([size, index, ...best.values()]));
}

/**
 * @param {string} fresh
 * @param {string} path
 */
async function replace(fresh, path) {
  const old = `${fresh}.old`;
  await rename(path, old).catch(() => undefined);
  await rename(fresh, path);
  await rm(old, { recursive: true, force: true });
}

/**
 * The licence texts of the packages that the bundled files come from.
 * @param {readonly string[]} files
 */
async function licences(files) {
  const packages = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const texts = [];
  for (const folder of [...packages].sort()) {
    const manifest = /** @type {Record<"name" | "version" | "license", string>} */ (
      JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"))
    );
    const file = (await readdir(join(root, folder))).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "(the package has no licence file)\n" : await readFile(join(root, folder, file), "utf8");
    texts.push(`${manifest.name} ${manifest.version} (${manifest.license})\n\n${text}`);
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

/** dist/lib: the protocol core as ES modules with their types, its dependencies left as imports. */
async function buildLibrary() {
  const { default: ts } = await import("typescript");
  const config = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const entries = ["src/index.ts", "src/ecc/wasm.ts", "src/ecc/native.ts", "src/ecc/musig2.ts", "src/ecc/all-cores.ts", "src/ecc/helper.ts"].map(
    (file) => join(root, file),
  );
  await rm(join(dist, "lib"), { recursive: true, force: true });
  const emitted = ts
    .createProgram(entries, { ...options, noEmit: false, declaration: true, rootDir: join(root, "src"), outDir: join(dist, "lib") })
    .emit();
  if (emitted.diagnostics.length > 0) {
    throw new Error(
      ts.formatDiagnostics(emitted.diagnostics, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => "\n" }),
    );
  }
}

/** dist/man: chankit(1) and a page for each command, as the program just built writes them. */
async function buildManual() {
  const folder = join(dist, "man");
  await rm(folder, { recursive: true, force: true });
  await run(process.execPath, [join(dist, "cli/start.js"), "help", "--man", "-o", `${folder}/`], { env: {} });
}

if (!process.argv.includes("--bundle")) await Promise.all([buildProgram().then(buildManual), buildLibrary()]);
else if (!(await isCurrent())) await buildProgram();
