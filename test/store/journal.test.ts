import { describe, expect, test } from "vitest";
import { journalHash } from "../../src/store/journal-file.js";
import type { JsonObject } from "../../src/store/state.js";
import { refusal } from "../json/refusal.js";
import { contentOf, copyOf, emptyDisk, type Disk } from "./memory-disk.js";
import { change, FOLDER, PATHS, processOn } from "./party.js";

/** A party with a journal of its first step. */
function begun(): Disk {
  const disk = emptyDisk();
  processOn(disk, 1).createChannel(PATHS, { step: 1 }, { ...change(0), journal: { begin: true, event: { command: "first" } } });
  return disk;
}

function step(disk: Disk, command: string, begin = false): void {
  const store = processOn(disk, 1);
  const loaded = store.load(PATHS, "update");
  store.save(PATHS, loaded, { ...loaded.document, command }, { ...change(1), journal: { begin, event: { command } } });
}

const textOf = (disk: Disk): string | undefined => contentOf(disk, FOLDER)["journal.ndjson"];
const linesOf = (disk: Disk): readonly JsonObject[] =>
  processOn(disk, 1)
    .lines(PATHS.journal)
    .map(({ document }) => document);

describe("a journal", () => {
  test("is begun only when it is asked for, and then goes on by itself", () => {
    const without = emptyDisk();
    processOn(without, 1).createChannel(PATHS, {}, { ...change(0), journal: { begin: false, event: {} } });
    step(without, "second");
    expect(textOf(without)).toBeUndefined();
    step(without, "third", true);
    step(without, "fourth");
    expect(linesOf(without).map(({ command }) => command)).toEqual(["third", "fourth"]);
  });

  test("chains its lines by their hashes, and each to the states before and after it", () => {
    const disk = begun();
    step(disk, "second");
    step(disk, "third");
    const lines = linesOf(disk);
    expect(lines.map(({ seq, revision }) => [seq, revision])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(lines.map(({ previous }) => previous)).toEqual([null, lines[0]!["hash"], lines[1]!["hash"]]);
    for (const line of lines) expect(line["hash"]).toBe(journalHash(line));
    expect(lines.map(({ state_before: before }) => before)).toEqual([null, lines[0]!["state_after"], lines[1]!["state_after"]]);
    expect(lines.at(-1)!["state_after"]).toBe(processOn(disk, 1).load(PATHS, "look").hash);
  });

  test("loses a last line that was torn, and goes on", () => {
    const disk = begun();
    step(disk, "second");
    const whole = textOf(disk)!;
    for (const torn of ['{"format":"chankit-jou', `{"format":"${"x".repeat(2000)}`]) {
      const cut = copyOf(disk);
      processOn(cut, 1).writeOutput(PATHS.journal, whole + torn, "replace");
      expect(linesOf(cut)).toHaveLength(2);
      step(cut, "third");
      expect(linesOf(cut).map(({ command }) => command)).toEqual(["first", "second", "third"]);
      expect(textOf(cut)!.startsWith(whole)).toBe(true);
    }
  });

  test("of a newer version, or that is none, is left as it is, and so is the state", () => {
    for (const [text, code] of [
      ['{"format":"chankit-journal","version":2,"seq":1,"hash":"00"}\n', "file-version-newer"],
      ['{"format":"chankit-channel","version":1}\n', "file-damaged"],
      ["nothing\n", "file-damaged"],
    ] as const) {
      const disk = begun();
      processOn(disk, 1).writeOutput(PATHS.journal, text, "replace");
      const before = contentOf(disk, FOLDER);
      expect(
        refusal(() => {
          step(disk, "second");
        }).code,
      ).toBe(code);
      expect(contentOf(disk, FOLDER)).toEqual(before);
    }
  });

  test("that is left of another channel is not gone on with", () => {
    const disk = begun();
    step(disk, "second");
    const text = textOf(disk)!;
    const other = emptyDisk();
    const store = processOn(other, 1);
    store.makeFolder(FOLDER);
    store.writeOutput(PATHS.journal, text, "replace");
    expect(refusal(() => store.createChannel(PATHS, {}, { ...change(0), journal: { begin: true, event: {} } })).code).toBe("file-exists");
  });

  test("whose last line's step a power failure has undone gives its place to the next", () => {
    const disk = begun();
    const undone = copyOf(disk);
    step(undone, "undone");
    processOn(disk, 1).writeOutput(PATHS.journal, textOf(undone)!, "replace");
    step(disk, "second");
    const lines = linesOf(disk);
    expect(lines.map(({ command, seq }) => [command, seq])).toEqual([
      ["first", 1],
      ["second", 2],
    ]);
    expect(lines[1]!["previous"]).toBe(lines[0]!["hash"]);
  });
});
