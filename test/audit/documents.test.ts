import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { drawFrom } from "../model/random.js";
import { changedAt, leaves } from "../support/changed-leaf.js";
import { type Later, type RunFiles, RUNS, audited, continued, filesAfter } from "../support/run-folders.js";
import { ANCHORS, ARTICLE, htlcSteps, openingSteps, updateSteps, withJournals } from "../support/memory-party.js";

vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 120_000 });

/** How many values of each run's documents are changed, one at a time; 0 for all of them. */
const LEAVES = Number(process.env["CHANKIT_AUDIT_LEAVES"] ?? 25);
/** Folders of runs beside those made here, as `chankit demo`'s scripts leave them; colons between. */
const FOLDERS = (process.env["CHANKIT_AUDIT_FOLDERS"] ?? "").split(":").filter((folder) => folder !== "");

const TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

const looks = (at: string): readonly Later[] =>
  ["alice", "bob"].flatMap((party) => [
    { output: `${at}-${party}-status.json`, command: "status", party },
    ...["local", "remote"].map((owner) => ({ output: `${at}-${party}-${owner}.json`, command: "build-commitment", party, flags: { owner } })),
  ]);

/** A party's folder as it was, beside the one of a run that went on. */
function besides(files: RunFiles, party: string, name: string): RunFiles {
  const own = Object.entries(files).filter(([path]) => path.startsWith(`${party}/`));
  return Object.fromEntries(own.map(([path, text]) => [path.replace(party, name), text]));
}

/** The article's update, then Alice publishes what she has revoked, and Bob takes it: in one transaction, in one an output, by a signer elsewhere. */
async function cheated(): Promise<RunFiles> {
  const opening = openingSteps(withJournals(ARTICLE));
  const update = updateSteps();
  const before = await filesAfter([...opening, ...update.slice(0, 7)]);
  const whole = { ...(await filesAfter([...opening, ...update], { printing: true })), ...besides(before, "alice", "alice-backup") };
  const penalty = { command: "penalty-tx", party: "bob" };
  return continued(whole, [
    ...looks("after"),
    { output: "explained.json", command: "build-commitment", party: "alice", flags: { owner: "local", explain: true } },
    { output: "brief.json", command: "status", party: "alice", flags: { brief: true } },
    { output: "cheat.json", command: "force-close", party: "alice-backup" },
    { output: "penalty.json", ...penalty, flags: { tx: "cheat.json", to: TO, feerate: "2500" } },
    { output: "separate.json", ...penalty, flags: { tx: "cheat.json", to: TO, feerate: "1000", separate: true } },
    { output: "penalty-psbt.json", ...penalty, flags: { tx: "cheat.json", to: TO, feerate: "2500", psbt: true } },
  ]);
}

/** An HTLC in both commitments, Alice leaves: her commitment, her HTLC transaction, both sides' sweeps. */
async function left(): Promise<RunFiles> {
  const whole = await filesAfter([...openingSteps(withJournals(ANCHORS)), ...htlcSteps().slice(0, 10)], { printing: true });
  const sweep = (party: string, flags: Later["flags"] = {}) => ({
    command: "sweep",
    party,
    flags: { tx: "close.json", to: TO, feerate: "2500", ...flags },
  });
  const closed = await continued(whole, [...looks("before"), { output: "close.json", command: "force-close", party: "alice" }]);
  const { outputs } = JSON.parse(closed["close.json"]!) as { readonly outputs: readonly { readonly kind: string; readonly index: number }[] };
  const outputIndex = String(outputs.find(({ kind }) => kind === "offered_htlc")!.index);
  return continued(closed, [
    { output: "timeout.json", command: "htlc-tx", party: "alice", flags: { outputIndex, height: "500" } },
    { output: "timeout-psbt.json", command: "htlc-tx", party: "alice", flags: { outputIndex, height: "500", psbt: true } },
    { output: "alice-sweep.json", ...sweep("alice", { confirmed: "600", height: "800" }) },
    { output: "alice-anchor.json", ...sweep("alice", { confirmed: "600", anchors: true, feerate: "253" }) },
    { output: "bob-sweep.json", ...sweep("bob", { height: "900", confirmed: "600" }) },
    ...looks("after"),
  ]);
}

/** A mutual close; what Alice is to sign for her offer, for a signer elsewhere too, in a copy of her folder from before it. */
async function closedTogether(): Promise<RunFiles> {
  const steps = RUNS["simple close"]!;
  const offer = steps.findIndex(({ command, flags }) => command === "close" && "fee" in flags);
  const before = besides(await filesAfter(steps.slice(0, offer)), "alice", "alice-backup");
  const whole = { ...(await filesAfter(steps, { printing: true })), ...before };
  const signing = await continued(whole, [
    { output: "close-psbt.json", command: "close", party: "alice-backup", flags: { fee: "500sat", psbt: true } },
  ]);
  return continued(
    { ...whole, "close-psbt.json": signing["close-psbt.json"]! },
    ["alice", "bob"].map((party) => ({ output: `${party}-close.json`, command: "close", party, flags: { tx: true } })),
  );
}

function filesIn(folder: string): RunFiles {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /[.](json|ndjson)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

const runs: readonly (readonly [name: string, files: RunFiles, kinds: readonly string[] | null])[] = [
  ["the article's update, and a cheat", await cheated(), ["brief", "commitment", "force_close", "funding", "keys", "penalty", "status", "step"]],
  ["an HTLC, and a force-close", await left(), ["commitment", "force_close", "funding", "htlc_tx", "keys", "status", "step", "sweep"]],
  ["a mutual close", await closedTogether(), ["close", "funding", "keys", "step"]],
  ...FOLDERS.map((folder) => [folder, filesIn(folder), null] as const),
];

/** Messages, and what parties' folders hold, are the other tests'. */
const OF_OTHERS = /(^|[/])(\d{4}-[a-z]+-[a-z_]+[.]json|(channel|highwater|keys)[.]json|(revoked|journal)[.]ndjson)$/;

/**
 * What carries no meaning that a run's files could tell otherwise: `revision` is the party's own count of its states, which nothing but its journal shows.
 */
const PRIVATE = /^revision$/;

/**
 * When the commitment was confirmed only the user of `sweep` knows. Where two outputs that wait for it say two heights, either may be the wrong one, and a
 * single one is as good as another.
 */
const CONFIRMED = /^outputs\[\d+\][.]spendable_from$/;

function waiting(text: string): number {
  const { outputs } = JSON.parse(text) as { readonly outputs: readonly { readonly after_blocks: number }[] };
  return outputs.filter(({ after_blocks: after }) => after > 0).length;
}

/** As the audit writes it. */
function named(leaf: readonly string[]): string {
  return leaf.reduce((path, key) => (/^\d+$/.test(key) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`), "");
}

/** A value in a document; null for the whole of what is none, the name of a file that `-o` has printed. */
interface Placed {
  readonly path: string;
  readonly leaf: readonly string[] | null;
}

function placesIn(files: RunFiles): readonly Placed[] {
  return Object.entries(files)
    .filter(([path]) => !OF_OTHERS.test(path))
    .flatMap(([path, text]): readonly Placed[] => {
      if (!text.trimStart().startsWith("{")) return [{ path, leaf: null }];
      return leaves(JSON.parse(text)).map((leaf) => ({ path, leaf }));
    })
    .filter(({ leaf }) => leaf === null || !PRIVATE.test(named(leaf)));
}

describe.each(runs)("%s", (name, whole, kinds) => {
  test("what commands printed agrees with the run, every kind of it", async () => {
    const { verdict, findings, missing, checked, ignored_files: ignored } = await audited(whole);
    expect({ verdict, findings, missing, ignored }).toEqual({ verdict: "consistent", findings: [], missing: undefined, ignored: 0 });
    if (kinds !== null) expect(Object.keys(checked.documents).sort()).toEqual(kinds);
  });

  test("a value that is another is found in its file, at its path", async () => {
    const places = placesIn(whole);
    const draw = drawFrom(name.length * 15485863 + 3);
    const chosen = LEAVES === 0 ? places : Array.from({ length: LEAVES }, () => places[draw.below(places.length)]!);
    let changed = 0;
    for (const { path, leaf } of chosen) {
      const text = whole[path]!;
      const document: unknown = leaf === null ? null : JSON.parse(text);
      const other = leaf === null ? text.replace(/.(?=[.]json)/, "~") : JSON.stringify(changedAt(document, leaf));
      // An empty list has no value to change
      if (other === text || other === JSON.stringify(document)) continue;
      const confirmed = leaf !== null && CONFIRMED.test(named(leaf));
      if (confirmed && waiting(text) < 2) continue;
      changed++;
      const { verdict, findings } = await audited({ ...whole, [path]: other });
      const about = `${path}: ${leaf === null ? other : named(leaf)}`;
      expect({
        about,
        verdict,
        findings: findings.map(({ file, path: at = "" }) => [file, confirmed && CONFIRMED.test(at) ? named(leaf) : at]),
      }).toEqual({
        about,
        verdict: leaf === null ? "incomplete" : "diverges",
        findings: [[path, leaf === null ? "" : named(leaf)]],
      });
    }
    expect(changed).toBeGreaterThan(0);
  });
});
