import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { tempDir } from "../support/cli.js";

const named = process.env["CHANKIT_BITCOIND"] ?? "";

export function isRealBitcoind(): boolean {
  return named !== "";
}

/** The bitcoind that CHANKIT_BITCOIND names or, where it names none, the stand-in. */
export async function bitcoindProgram(): Promise<string> {
  return isRealBitcoind() ? named : buildStandIn();
}

/** The stand-in for bitcoind as one executable file, which finds bcoin where the tests do. */
export async function buildStandIn(): Promise<string> {
  const source = new URL("stand-in-bitcoind.ts", import.meta.url);
  const program = join(tempDir(), "bitcoind.mjs");
  await build({
    entryPoints: [fileURLToPath(source)],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    banner: { js: `#!${process.execPath}` },
    define: { "import.meta.url": JSON.stringify(source.href) },
    logLevel: "error",
  });
  await chmod(program, 0o755);
  return program;
}
