import { describe, expect, test } from "vitest";
import { refusal } from "../support/party.js";
import { type RunFiles, allRuns, audited } from "../support/run-folders.js";

const only = (files: RunFiles, keep: (path: string) => boolean): RunFiles => Object.fromEntries(Object.entries(files).filter(([path]) => keep(path)));
const isMessage = (path: string): boolean => path.startsWith("wire/");
const isJournal = (path: string): boolean => path.endsWith("journal.ndjson");
const isKeys = (path: string): boolean => path.endsWith("keys.json");

const runs = await allRuns();

describe.each(runs)("%s", (_, whole) => {
  test("agrees with itself, with all its files", async () => {
    const { verdict, findings, checked } = await audited(whole);
    expect({ verdict, findings }).toEqual({ verdict: "consistent", findings: [] });
    // Every step that a journal tells of was taken again, to the same state by its hash
    const lines = Object.entries(whole).filter(([path]) => isJournal(path));
    expect(checked["state_hashes"]).toBe(lines.reduce((sum, [, text]) => sum + text.trimEnd().split("\n").length, 0));
  });

  test.each([
    ["without keys", (path: string) => !isKeys(path)],
    ["by messages and channel files", (path: string) => !isKeys(path) && !isJournal(path)],
    ["by messages alone", isMessage],
    ["by journals and channel files", (path: string) => !isKeys(path) && !isMessage(path)],
  ])("%s", async (_name, keep) => {
    const { verdict, findings } = await audited(only(whole, keep));
    expect({ verdict, findings }).toEqual({ verdict: "consistent", findings: [] });
  });

  test("a message that is missing is missed", async () => {
    const messages = only(whole, isMessage);
    const [gone] = Object.keys(messages).filter((path) => path.includes("0003-alice"));
    const { verdict, findings } = await audited(only(messages, (path) => path !== gone));
    expect({ verdict, place: findings.map(({ kind, message }) => [kind, message]) }).toEqual({
      verdict: "incomplete",
      place: [["missing", { party: "alice", seq: 3 }]],
    });
  });
});

test.each([
  ["keys alone", isKeys, []],
  ["one party's messages", (path: string): boolean => path.startsWith("wire/") && path.includes("-alice-"), ["alice"]],
])("input-run: %s", async (_, keep, names) => {
  const files = only(runs[0]![1], keep);
  expect(await refusal(() => audited(files))).toMatchObject({ code: "input-run", details: { parties: names } });
});
