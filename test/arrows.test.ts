import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cruise, type IConfiguration, type ICruiseOptions } from "dependency-cruiser";
import { ESLint, type Linter } from "eslint";
import tseslint from "typescript-eslint";
import { expect, test } from "vitest";
import { tempDir } from "./support/cli.js";

const root = fileURLToPath(new URL("..", import.meta.url));

// Each line: a file, what it imports, the rule of .dependency-cruiser.cjs that must refuse it.
const IMPORTS = [
  ["src/protocol/bytes.ts", "../json/codec.js", "protocol-is-pure"],
  ["src/protocol/bytes.ts", "jsonc-parser", "protocol-is-pure"],
  ["src/protocol/bytes.ts", "node:path", "protocol-is-pure"],
  ["src/protocol/units.ts", "./keys/scalar.js", "base-imports-no-part"],
  ["src/protocol/keys/scalar.ts", "../script/assemble.js", "keys-left-of-the-rest"],
  ["src/protocol/script/assemble.ts", "../tx/sign.js", "script-left-of-the-rest"],
  ["src/protocol/tx/sign.ts", "../channel/state.js", "tx-left-of-the-rest"],
  ["src/protocol/wire/encode.ts", "../tx/sign.js", "wire-knows-no-transactions"],
  ["src/protocol/policy/checks.ts", "../channel/transitions.js", "policy-before-transitions"],
  ["src/protocol/channel/state.ts", "../diagnose/search.js", "nothing-in-the-core-looks-at-it"],
  ["src/protocol/channel/state.ts", "../explain/reading.js", "nothing-in-the-core-looks-at-it"],
  ["src/protocol/channel/state.ts", "../policy/checks.js", "policy-asked-by-transitions-and-commands"],
  ["src/index.ts", "./store/atomic-file.js", "library-is-the-protocol"],
  ["src/json/codec.ts", "tiny-secp256k1", "curve-behind-ecc"],
  ["src/ecc/wasm.ts", "../json/codec.js", "ecc-serves-the-core"],
  ["src/json/codec.ts", "../store/atomic-file.js", "json-below-store"],
  ["src/json/codec.ts", "commander", "json-below-store"],
  ["src/store/atomic-file.ts", "ecpair", "wif-in-json"],
  ["src/store/atomic-file.ts", "../protocol/tx/sign.js", "store-moves-data"],
  ["src/node/rpc.ts", "../store/atomic-file.js", "node-beside-store"],
  ["src/json/codec.ts", "../node/rpc.js", "node-serves-commands"],
  ["src/commands/shared/context.ts", "node:http", "network-in-node"],
  ["src/vectors/case.ts", "../store/atomic-file.js", "vectors-above-json"],
  ["src/ecc/wasm.ts", "../vectors/case.js", "vectors-serve-commands"],
  ["src/explore/chain.ts", "../commands/sign.js", "explore-below-commands"],
  ["src/audit/chain.ts", "../commands/sign.js", "audit-below-commands"],
  ["src/store/atomic-file.ts", "../explore/chain.js", "explore-serves-commands"],
  ["src/store/atomic-file.ts", "../audit/chain.js", "audit-serves-commands"],
  ["src/commands/sign.ts", "./status.js", "commands-are-strangers"],
  ["src/commands/vectors/verify.ts", "../sign.js", "commands-are-strangers"],
  ["src/commands/shared/io.ts", "../sign.js", "shared-knows-no-command"],
  ["src/commands/sign.ts", "bitcoinjs-lib", "commands-build-nothing"],
  ["src/commands/status.ts", "node:crypto", "commands-ask-their-context"],
  ["src/commands/sign.ts", "node:fs", "files-through-store"],
  ["src/commands/sign.ts", "node:fs", "commands-ask-their-context"],
  ["src/ecc/wasm.ts", "node:fs/promises", "files-through-store"],
  ["src/commands/sign.ts", "chalk", "colour-in-render"],
  ["src/commands/sign.ts", "../cli.js", "nobody-calls-cli"],
  ["src/store/atomic-file.ts", "node:process", "global-process-only"],
  ["src/json/codec.ts", "../../test/setup.js", "src-stands-alone"],
  ["src/store/atomic-file.ts", "vitest", "no-development-packages"],
  ["src/json/codec.ts", "./nowhere.js", "what-is-imported-exists"],
  ["src/json/a.ts", "./b.js", "no-cycle"],
  ["src/protocol/channel/transitions.ts", "../policy/checks.js", "no-cycle"],
] as const;

// These look like the ones above and are fine.
const ALLOWED = [
  ["src/json/b.ts", "./a.js"],
  ["src/commands/registry.ts", "./sign.js"],
  ["src/commands/vectors/verify.ts", "./generate.js"],
  ["src/commands/shared/context.ts", "node:fs"],
  ["src/commands/shared/render.ts", "chalk"],
  ["src/protocol/tx/sign.ts", "bitcoinjs-lib"],
  ["src/store/atomic-file.ts", "node:fs"],
  ["src/node/rpc.ts", "node:http"],
  ["src/json/wif.ts", "ecpair"],
] as const;

// What they import, where no line above makes it.
const ALONE = [
  "src/cli.ts",
  "test/setup.ts",
  "src/commands/vectors/generate.ts",
  "src/protocol/diagnose/search.ts",
  "src/protocol/explain/reading.ts",
];

// Each line: code, a file where lint must refuse it, the rule that does, a file where it may stand (none: nowhere).
const CODE = [
  ["new Transaction();", "src/json/codec.ts", "new-transaction", "src/protocol/tx/sign.ts"],
  ["new bitcoin.Transaction();", "src/protocol/script/funding.ts", "new-transaction", "src/protocol/tx/sign.ts"],
  ["script.compile([]);", "src/protocol/script/funding.ts", "script-compile", "src/protocol/script/assemble.ts"],
  ['import { compile } from "bitcoinjs-lib/src/script";', "src/protocol/tx/sign.ts", "script-compile", "src/protocol/script/assemble.ts"],
  ["process.stdout.write('');", "src/cli.ts", "standard-streams", "src/commands/shared/io.ts"],
  ["const { stdin } = process;", "src/commands/shared/context.ts", "standard-streams", "src/commands/shared/io.ts"],
  ["console.log();", "src/store/atomic-file.ts", "standard-streams", "src/commands/shared/io.ts"],
  ["process.exitCode = 1;", "src/commands/shared/io.ts", "exit-code", "src/cli.ts"],
  ["process.exit();", "src/cli.ts", "no-exit"],
  ["Date.now();", "src/protocol/units.ts", "clock-and-chance", "src/commands/shared/context.ts"],
  ["new Date();", "src/store/atomic-file.ts", "clock-and-chance", "src/commands/shared/context.ts"],
  ["Math.random();", "src/commands/sign.ts", "clock-and-chance", "src/commands/shared/context.ts"],
  ["crypto.getRandomValues(x);", "src/protocol/secret.ts", "clock-and-chance", "src/commands/shared/context.ts"],
  ["process.env;", "src/protocol/units.ts", "outside-world", "src/cli.ts"],
  ["process.env;", "src/commands/sign.ts", "outside-world", "src/commands/shared/context.ts"],
  ["const { env } = process;", "src/json/codec.ts", "outside-world", "src/store/atomic-file.ts"],
  ["Buffer.from([]);", "src/protocol/bytes.ts", "outside-world", "src/store/atomic-file.ts"],
  ["fs.writeFileSync(x, y);", "src/commands/shared/context.ts", "write-files", "src/store/atomic-file.ts"],
  ['import { rename } from "node:fs/promises";', "src/commands/shared/io.ts", "write-files", "src/store/atomic-file.ts"],
  ['test.concurrent.skip("x", f);', "test/a.test.ts", "no-skipped-tests"],
  ['describe.concurrent.only("x", f);', "test/a.test.ts", "no-skipped-tests"],
  ["f();", "src/json/helpers.ts", "telling-names"],
  ["f();", "src/protocol/tx/utils.ts", "telling-names", "src/protocol/tx/fees.ts"],
  ["f();", "test/support/types.ts", "telling-names", "test/support/cli.ts"],
] as const;

// Names that only look forbidden.
const INNOCENT = ["a.process;", "({ process: 1 });", "a.rm;", "const link = 1;", "Math.floor(1);", "a.global;"].join("\n");

test("every import arrow bites, and nothing else does", async () => {
  const { forbidden = [], options } = createRequire(import.meta.url)("../.dependency-cruiser.cjs") as IConfiguration;
  const baseDir = tempDir();
  symlinkSync(join(root, "node_modules"), join(baseDir, "node_modules"));
  copyFileSync(join(root, "package.json"), join(baseDir, "package.json"));
  const sources = new Map([...ALONE].map((file) => [file, ""]));
  for (const [file, imported] of [...IMPORTS, ...ALLOWED]) sources.set(file, `${sources.get(file) ?? ""}import ${JSON.stringify(imported)};\n`);
  for (const [file, text] of sources) {
    mkdirSync(dirname(join(baseDir, file)), { recursive: true });
    writeFileSync(join(baseDir, file), text);
  }

  const { output } = await cruise(["src"], { ...(options as ICruiseOptions), baseDir, ruleSet: { forbidden }, validate: true });

  if (typeof output === "string") throw new Error(output);
  const found = new Set(output.summary.violations.map(({ rule, from }) => `${from}: ${rule.name}`));
  expect([...found].sort()).toEqual([...new Set(IMPORTS.map(([file, , rule]) => `${file}: ${rule}`))].sort());
  expect(new Set(IMPORTS.map(([, , rule]) => rule))).toEqual(new Set(forbidden.map(({ name }) => name)));
});

test("every rule on what may be touched where bites there, and only there", async () => {
  const eslint = new ESLint({ cwd: root, overrideConfig: tseslint.configs.disableTypeChecked as Linter.Config });
  const refusals = async (code: string, filePath: string): Promise<string[]> => {
    const [result] = await eslint.lintText(code, { filePath });
    return (result?.messages ?? []).flatMap(({ ruleId }) => (ruleId?.startsWith("arrows/") === true ? [ruleId.slice("arrows/".length)] : []));
  };

  for (const [code, refused, rule, allowed] of CODE) {
    expect(await refusals(code, refused), `${code} in ${refused}`).toContain(rule);
    if (allowed !== undefined) expect(await refusals(code, allowed), `${code} in ${allowed}`).not.toContain(rule);
  }
  expect(await refusals(INNOCENT, "src/protocol/units.ts")).toEqual([]);
  const config = (await Promise.all(["src/json/helpers.ts", "test/a.test.ts"].map((file) => eslint.calculateConfigForFile(file)))) as Linter.Config[];
  const all = config.flatMap(({ rules = {} }) => Object.keys(rules).filter((name) => name.startsWith("arrows/")));
  expect(new Set(CODE.map(([, , rule]) => `arrows/${rule}`))).toEqual(new Set(all));
});
