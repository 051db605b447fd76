// Builds dist/: `node test/tools/build.mjs` everything, with `--bundle` only what bin/chankit.js runs.
import { copyFile, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(root, "dist");

/** dist/chankit.cjs, the WASM that tiny-secp256k1 reads from beside it, and the licences of what is bundled. */
async function buildBundle() {
  // Renamed into place, so that a chankit started meanwhile runs the old bundle or the new one.
  const outfile = `dist/chankit.${process.pid}.tmp`;
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/cli.ts"],
    outfile,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    conditions: ["node"],
    mainFields: ["module", "main"],
    // Libraries written as ES modules look for their files beside `import.meta.url`: here, beside the bundle.
    define: { "import.meta.url": "bundleUrl" },
    banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  await rename(join(root, outfile), join(dist, "chankit.cjs"));
  await copyFile(new URL("secp256k1.wasm", import.meta.resolve("tiny-secp256k1")), join(dist, "secp256k1.wasm"));
  await writeFile(join(dist, "LICENSES.txt"), await licences(Object.keys(metafile.inputs)));
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
  const entries = ["src/index.ts", "src/ecc/wasm.ts"].map((file) => join(root, file));
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

await Promise.all(process.argv.includes("--bundle") ? [buildBundle()] : [buildBundle(), buildLibrary()]);
