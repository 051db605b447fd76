import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { runner } from "../../src/commands/explore/runner.js";
import { REGISTRY } from "../../src/commands/registry.js";
import { FOLDER } from "../../src/explore/party.js";
import { ARTICLE, CLOSE_SIMPLE } from "../../src/explore/scenarios.js";
import { PARTIES, type Script } from "../../src/explore/script.js";
import { type Moment, momentsOf, openWorld } from "../../src/explore/world.js";
import { tempDir } from "../support/cli.js";
import { runCommand } from "../support/party.js";

// A search takes its time on a busy machine
vi.setConfig({ testTimeout: 600_000 });

const run = runner((name) => REGISTRY.find((entry) => entry.name === name)!.load(), []);
const known = new Map<Script, Promise<readonly Moment[]>>();

function momentsIn(script: Script): Promise<readonly Moment[]> {
  const moments =
    known.get(script) ?? openWorld({ alice: run, bob: run }, script).then((world) => momentsOf({ alice: run, bob: run }, world, script));
  known.set(script, moments);
  return moments;
}

/** The folders of both as they are after a step. */
async function foldersAt(script: Script, step: number): Promise<{ readonly alice: string; readonly bob: string }> {
  const { world } = (await momentsIn(script))[step]!;
  const root = tempDir();
  for (const who of PARTIES) {
    mkdirSync(join(root, who));
    for (const [path, entry] of world.files[who]) {
      if (entry.kind === "file") writeFileSync(join(root, who, path.slice(FOLDER.length + 1)), entry.data, { mode: entry.mode });
    }
  }
  return { alice: join(root, "alice"), bob: join(root, "bob") };
}

interface Cell {
  readonly behaviour: string;
  readonly adversary: string;
  readonly verdict: string | null;
  readonly honest_sat?: number;
  readonly adversary_sat?: number;
}

async function cellsOf(args: readonly string[], flags: Readonly<Record<string, string>>) {
  const { document, verdict } = await runCommand("explore", args, flags);
  const { scenarios } = document as unknown as { readonly scenarios: readonly { readonly cells: readonly Cell[]; readonly summary: string }[] };
  const [{ cells, summary }] = scenarios as [(typeof scenarios)[number]];
  const shown = cells.map(({ behaviour, adversary, verdict: each, honest_sat, adversary_sat }) => [
    adversary,
    behaviour,
    each,
    honest_sat,
    adversary_sat,
  ]);
  return { shown, summary, verdict };
}

const contentsOf = (folder: string) => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]);

// After steps 2, 8, 12 and 18 a message is made and not sent: the folders do not tell, and it counts as sent
const TOLD = Array.from({ length: 21 }, (_, step) => step).filter((step) => ![2, 8, 12, 18].includes(step));

describe("from the folders after a step of the article the same is found as in the article", () => {
  test.each(TOLD.map((step) => [step]))("step %i", async (step) => {
    const { alice, bob } = await foldersAt(ARTICLE, step);
    for (const behaviour of ["stop", "publish-newest", "race"]) {
      const here = await cellsOf([bob, alice], { behaviour });
      expect(here.verdict).toBe("yes");
      expect(here.shown).toEqual((await cellsOf(["article"], { behaviour, step: String(step) })).shown);
    }
  });
});

test("what is made counts as sent: with the signature of step 2 Bob can publish his next commitment", async () => {
  const { alice, bob } = await foldersAt(ARTICLE, 2);
  const { shown, summary } = await cellsOf([alice, bob], { behaviour: "publish-newest", actor: "bob" });
  expect(shown).toEqual([["bob", "publish-newest", "safe", 8_000_000, 2_000_000]]);
  expect(summary).toContain("2 messages under way");
});

test("HTLCs and a close in the midst of it: nobody loses, and the files stay as they are", async () => {
  for (const step of [14, 23, 33]) {
    const folders = await foldersAt(CLOSE_SIMPLE, step);
    const before = [contentsOf(folders.alice), contentsOf(folders.bob)];
    for (const behaviour of ["publish-newest", "race", "after-close"]) {
      const { verdict } = await cellsOf([folders.alice, folders.bob], { behaviour });
      expect(verdict, `${step} ${behaviour}`).toBe("yes");
    }
    expect([contentsOf(folders.alice), contentsOf(folders.bob)]).toEqual(before);
  }
});

test("folders that are not the two sides of one channel, at one moment, are refused", async () => {
  const now = await foldersAt(ARTICLE, 20);
  const other = await foldersAt(CLOSE_SIMPLE, 20);
  const early = await foldersAt(ARTICLE, 0);
  await expect(runCommand("explore", [now.alice, other.bob])).rejects.toMatchObject({ code: "input-run" });
  await expect(runCommand("explore", [now.alice, early.bob])).rejects.toMatchObject({ code: "input-run", details: { field: "fundings" } });
  await expect(runCommand("explore", [now.alice, early.alice])).rejects.toMatchObject({ code: "input-run", details: { field: "opener" } });
  await expect(runCommand("explore", [now.alice, now.alice])).rejects.toMatchObject({ code: "usage-argument" });
  await expect(runCommand("explore", [now.alice, join(now.bob, "nothing")])).rejects.toMatchObject({ code: "file-folder-missing" });
});
