import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runCli } from "../support/cli.js";
import { expectAsInSchema } from "../support/schemas.js";

test("what a command says with --json when it refuses, and each line of a batch, are as their schemas say", async () => {
  const { status, stderr } = await runCli(["status", "nowhere", "--json"]);
  expect(status).toBe(5);
  expectAsInSchema("refusal", JSON.parse(stderr));
  const [line = ""] = readFileSync(new URL("../../fixtures/vectors/cases/anchors.ndjson", import.meta.url), "utf8").split("\n");
  const built = await runCli(["build-commitment", "--batch", "-"], { stdin: `${line}\n{}\n` });
  const lines = built.stdout.trim().split("\n");
  expect(lines).toHaveLength(2);
  for (const one of lines) expectAsInSchema("build-commitment-output", JSON.parse(one));
});
