import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { REGISTRY } from "../../src/commands/registry.js";
import { outlineOf } from "../../src/commands/completion/outline.js";
import { SCHEMA_NAMES } from "../../src/json/schema-names.js";
import { ERROR_CODES } from "../../src/protocol/errors.js";
import { tempDir } from "../support/cli.js";
import { runCommand } from "../support/party.js";

const scriptOf = async (shell: string): Promise<string> => (await runCommand("completion", [shell])).plain!;

/** What bash offers where the cursor stands behind the last word. */
async function offered(cwd: string, ...words: readonly string[]): Promise<readonly string[]> {
  const script = `${await scriptOf("bash")}
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _chankit; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["--norc", "-c", script, "bash", ...words], { cwd, encoding: "utf8" });
  return out.split("\n").filter((line) => line !== "");
}

/** Two parties, a folder that is none, a folder with a party in it, a file. */
function folders(): string {
  const dir = tempDir();
  for (const folder of ["alice", "bob", "wire", "runs/carol"]) mkdirSync(join(dir, folder), { recursive: true });
  for (const file of ["alice/channel.json", "bob/keys.json", "runs/carol/channel.json", "tx.hex"]) writeFileSync(join(dir, file), "");
  return dir;
}

describe("bash", () => {
  test("commands, options, and the values of those that have few", async () => {
    const dir = folders();
    expect(await offered(dir, "chankit", "")).toEqual(REGISTRY.map(({ name }) => name));
    expect(await offered(dir, "chankit", "make")).toEqual(["make-revocation"]);
    expect(await offered(dir, "chankit", "build-commitment", "alice", "--o")).toEqual(["--owner", "--output"]);
    expect(await offered(dir, "chankit", "build-commitment", "alice", "--owner", "")).toEqual(["local", "remote"]);
    expect(await offered(dir, "chankit", "schema", "commitment_s")).toEqual(["commitment_signed"]);
    expect(await offered(dir, "chankit", "help", "exit")).toEqual(["exit-codes"]);
  });

  test("schema names, and tags where a rule is named", async () => {
    const dir = folders();
    expect(await offered(dir, "chankit", "schema", "high")).toEqual(["highwater"]);
    expect(await offered(dir, "chankit", "schema", "status")).toEqual(["status-output"]);
    expect(await offered(dir, "chankit", "schema", "")).toEqual([...SCHEMA_NAMES]);
    const tags = Object.keys(ERROR_CODES).filter((code) => code.startsWith("policy-"));
    expect(await offered(dir, "chankit", "explore", "article", "--without", "")).toEqual(tags);
    expect(await offered(dir, "chankit", "explore", "--without", "policy-revoke-un")).toEqual(["policy-revoke-unverified"]);
  });

  test("party folders, a way to others, and files where a file is due", async () => {
    const dir = folders();
    expect(await offered(dir, "chankit", "status", "")).toEqual(expect.arrayContaining(["alice", "bob", "runs/"]));
    expect(await offered(dir, "chankit", "status", "wi")).toEqual([]);
    expect(await offered(dir, "chankit", "status", "runs/")).toEqual(["runs/carol"]);
    expect(await offered(dir, "chankit", "penalty-tx", "bob", "--tx", "t")).toEqual(["tx.hex"]);
    expect(await offered(dir, "chankit", "verify-sig", "bob", "")).toContain("tx.hex");
    expect(await offered(dir, "chankit", "pay", "alice", "")).toEqual([]);
    expect(await offered(dir, "chankit", "inspect", "tx.hex", "--party", "")).toEqual(expect.arrayContaining(["alice", "bob", "runs/"]));
    expect(await offered(dir, "chankit", "diff", "alice", "bo")).toEqual(["bob"]);
  });
});

describe("every shell", () => {
  test("is told every command and every option, and bash finds no fault in its script", async () => {
    const outlines = await outlineOf(REGISTRY);
    expect(outlines.find(({ name }) => name === "sweep")?.options.map(({ name }) => name)).toContain("--feerate");
    for (const shell of ["bash", "zsh", "fish"]) {
      const script = await scriptOf(shell);
      for (const { name, options } of outlines) {
        expect(script).toContain(name);
        for (const option of options) expect(script).toContain(shell === "fish" ? `-l ${option.name.slice(2)}` : option.name);
      }
    }
    execFileSync("bash", ["-n", "-c", await scriptOf("bash")]);
  });

  test("another shell is refused", async () => {
    await expect(runCommand("completion", ["tcsh"])).rejects.toMatchObject({ code: "usage-value", details: { value: "tcsh" } });
  });
});
