import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import type { Report } from "../../src/commands/shared/command.js";
import { parseStrict } from "../../src/json/strict.js";
import { LnError } from "../../src/protocol/errors.js";
import { openStore } from "../../src/store/channel-store.js";
import type { Host } from "../../src/store/file-system.js";
import { partyPaths } from "../../src/store/paths.js";
import { Killed, type Operation, changesFiles, failing, mortal, watched } from "../store/faulty-host.js";
import { type Disk, contentOf, copyOf, cutPower, emptyDisk } from "../store/memory-disk.js";
import {
  ANCHORS,
  ARTICLE,
  CLOSING_STEPS,
  FAIL_STEPS,
  PSBT_STEPS,
  REESTABLISH_STEPS,
  type Step,
  WIRE,
  closeByPsbtSteps,
  closeSteps,
  filesOf,
  folderOf,
  htlcSteps,
  openingSteps,
  otherThan,
  perform,
  printed,
  processOf,
  putHtlcs,
  returnSteps,
  stateOn,
  updateSteps,
  withJournals,
} from "../support/memory-party.js";
import { LEGACY } from "../support/closing.js";
import { refusal, runCommand } from "../support/party.js";

vi.setConfig({ testTimeout: 240_000 });

const VICTIM = 2002;
const HEIR = 3003;

/** One command, the disk before and after it, what it printed and all that it did to files. */
interface Run {
  readonly name: string;
  readonly step: Step;
  readonly before: Disk;
  readonly after: Disk;
  readonly report: Report;
  readonly operations: readonly Operation[];
}

async function runOf(name: string, before: Disk, step: Step): Promise<Run> {
  const operations: Operation[] = [];
  const after = copyOf(before);
  const host = watched(processOf(after, 1001), (operation) => {
    operations.push(operation);
  });
  const report = await perform(host, step);
  return { name, step, before, after, report, operations };
}

/** The steps one after the other, each on what the one before left. */
async function runsOf(title: string, from: Disk, steps: readonly Step[]): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (const [at, step] of steps.entries()) {
    const before = runs.at(-1)?.after ?? from;
    runs.push(await runOf(`${title} ${at + 1}: ${step.command} ${step.party}`, before, step));
  }
  return runs;
}

const last = (runs: readonly Run[]): Disk => runs.at(-1)!.after;

const article = [...(await runsOf("opening", emptyDisk(), openingSteps(ARTICLE)))];
const update = await runsOf("update", last(article), updateSteps());
const back = await runsOf("back", last(update), returnSteps(6, 5));
const closing = await runsOf("closing", last(back), CLOSING_STEPS);
const reestablished = await runsOf("reestablish", update[1]!.after, REESTABLISH_STEPS);
const byPsbt = await runsOf("closing by PSBT", last(back), PSBT_STEPS);
const byRequest = await runsOf("by request id", last(article), updateSteps({ requestId: "invoice-7" }).slice(0, 2));

const anchors = last(await runsOf("anchors", emptyDisk(), openingSteps(ANCHORS)));
const byHtlc = await runsOf("an HTLC", copyOf(anchors), htlcSteps());
const failed = await runsOf("an HTLC failed", byHtlc[9]!.after, FAIL_STEPS);
const simply = await runsOf("simple close", copyOf(anchors), closeSteps("simple"));
const elsewhere = (await runsOf("close by PSBT", copyOf(anchors), closeByPsbtSteps("simple"))).filter(({ step }) => step.flags["psbt"] === true);
const negotiated = await runsOf(
  "negotiated close",
  last(await runsOf("without simple close", emptyDisk(), openingSteps(LEGACY))),
  closeSteps("negotiated"),
);
putHtlcs(anchors);
const htlcs = await runsOf("with HTLCs", anchors, updateSteps());

const opened = await runsOf("with a journal, opening", emptyDisk(), openingSteps(withJournals(ARTICLE)));
const journalled = [...opened, ...(await runsOf("with a journal", last(opened), updateSteps()))];

/** A test case, and a channel from elsewhere: what import-channel reads. */
const imports = await importRuns();

async function importRuns(): Promise<readonly Run[]> {
  const [line = ""] = readFileSync("fixtures/vectors/cases/anchors.ndjson", "utf8").split("\n");
  const party = "alice";
  const step: Step = { party, command: "import-channel", args: [], flags: { case: "-", as: "local" }, stdin: line, again: "once" };
  const ofCase = await runOf("import-channel --case", emptyDisk(), step);
  // Alice's keys on a new machine, and her channel as a document
  const disk = emptyDisk();
  await perform(processOf(disk, 1), openingSteps(ARTICLE)[0]!);
  const document = filesOf(last(update), "alice")["channel.json"]!;
  return [ofCase, await runOf("import-channel", disk, { party, command: "import-channel", args: ["-"], flags: {}, stdin: document, again: "once" })];
}

/** Bob's keys on a new machine, and a backup of his channel, in which a commitment with HTLCs was revoked. */
async function restoreRun(): Promise<Run> {
  const { document } = await runCommand("backup", ["/bob"], {}, { host: processOf(copyOf(last(htlcs)), 1) });
  const disk = emptyDisk();
  await perform(processOf(disk, 1), openingSteps(ANCHORS)[1]!);
  const step: Step = { party: "bob", command: "restore", args: ["-"], flags: {}, stdin: JSON.stringify(document), again: "once" };
  return await runOf("restore", disk, step);
}
const restored = await restoreRun();

const RUNS = [
  ...article,
  ...update,
  ...back,
  ...reestablished,
  ...closing,
  ...byPsbt,
  ...byRequest,
  ...htlcs,
  ...byHtlc,
  ...failed,
  ...simply,
  ...elsewhere,
  ...negotiated,
  ...journalled,
  ...imports,
  restored,
];

/** Whether the process lived to the end. */
async function survives(host: Host, step: Step): Promise<boolean> {
  try {
    await perform(host, step);
    return true;
  } catch (error) {
    if (error instanceof Killed) return false;
    throw error;
  }
}

/** The party's state as `status` sees it; undefined where there is none. */
function seenState(disk: Disk, { party }: Step): string | undefined {
  const store = openStore(parseStrict, processOf(disk, HEIR));
  try {
    return JSON.stringify(store.load(partyPaths(folderOf(party)), "look").document);
  } catch (error) {
    if (error instanceof LnError && ["file-missing", "file-folder-missing"].includes(error.code)) return undefined;
    throw error;
  }
}

/** Which of the two states a disk has: never another. */
function standing(disk: Disk, { step, before, after }: Run): "old" | "new" {
  const seen = seenState(disk, step);
  const [old, changed] = [seenState(before, step), seenState(after, step)];
  expect([old, changed]).toContain(seen);
  // keygen makes no state: there it is the keys that are or are not
  if (old === changed) return filesOf(disk, step.party)["keys.json"] === filesOf(after, step.party)["keys.json"] ? "new" : "old";
  return seen === changed ? "new" : "old";
}

/** The message under this number, as `resend` gives it. */
async function resent(disk: Disk, { step, report }: Run): Promise<string> {
  const seq = String(report.document["seq"]);
  return printed(await runCommand("resend", [folderOf(step.party)], { seq }, { host: processOf(disk, HEIR) }));
}

/**
 * After whatever happened to a process: the old state or the new one, nothing of the other party touched, and the same command again ends
 * where it would have ended, with the same bytes.
 */
async function expectSame(run: Run, disk: Disk): Promise<"old" | "new"> {
  const { step, before, after, report } = run;
  expect(filesOf(disk, otherThan(step.party))).toEqual(filesOf(before, otherThan(step.party)));
  const found = standing(disk, run);
  const heir = processOf(disk, HEIR);
  const isMessage = report.fileName !== undefined && "seq" in report.document;

  if (found === "new" && step.again !== "same") {
    // A channel_reestablish is not kept: it says where the party is now, and is made anew
    if (isMessage && report.document["type"] !== "channel_reestablish")
      expect(await resent(disk, run), "what was not printed is in the outbox").toBe(printed(report));
    if (step.again === "once") expect((await refusal(() => perform(heir, step))).code).toBe("file-exists");
    // A second change has a number of its own
    else expect((await perform(processOf(copyOf(disk), HEIR), step)).document["seq"]).toBe(Number(report.document["seq"]) + 1);
  } else {
    const again = await perform(heir, step);
    const repeats = found === "new" && "already_done" in again.document;
    if (!repeats) expect(printed(again)).toBe(printed(report));
    if (report.fileName !== undefined) expect(contentOf(disk, WIRE)[report.fileName]).toBe(printed(report));
  }
  expect(settledFiles(disk, run)).toEqual(filesOf(after, step.party));
  return found;
}

/** The party's files when everything that was left half done has been carried out. */
function settledFiles(disk: Disk, { step }: Run): Readonly<Record<string, string>> {
  if (seenState(disk, step) !== undefined) openStore(parseStrict, processOf(disk, HEIR)).load(partyPaths(folderOf(step.party)), "update");
  return filesOf(disk, step.party);
}

const total = RUNS.reduce((sum, { operations }) => sum + operations.length, 0);

describe(`a crash at each of ${total} file operations of ${RUNS.length} commands`, () => {
  test.each(RUNS.map((run) => [run.name, run.operations.length, run] as const))("%s: %i crash points", async (_, count, run) => {
    const outcomes = new Set<string>();
    const seen = new Set<string>();
    const recover = async (disk: Disk): Promise<void> => {
      // What one disk recovers to another with the same content does
      const content = JSON.stringify(contentOf(disk, "/"));
      if (!seen.has(content)) outcomes.add(await expectSame(run, disk));
      seen.add(content);
    };
    for (let at = 0; at < count; at++) {
      const disk = copyOf(run.before);
      expect(await survives(mortal(processOf(disk, VICTIM), at), run.step)).toBe(false);
      // The power may fail too, which takes with it all that was not made durable
      const dark = copyOf(disk);
      cutPower(dark, () => false);
      await recover(dark);
      // Or the next one is killed, at another place
      if (at % 7 === 0 && (standing(disk, run) === "old" || run.step.again === "same")) {
        const twice = copyOf(disk);
        await survives(mortal(processOf(twice, VICTIM + 1), (at * 31) % count), run.step);
        await recover(twice);
      }
      await recover(disk);
    }
    expect(outcomes).toContain("old");
    // A step that was done before changes nothing; all others can be found done
    expect(outcomes).toContain("new");
  });
});

describe("a disk that takes no more", () => {
  test.each(RUNS.map((run) => [run.name, run] as const))("%s", async (_, run) => {
    const codes = new Set<string>();
    const seen = new Set<string>();
    for (const { index } of run.operations.filter(changesFiles)) {
      for (const code of ["ENOSPC", "EROFS"]) {
        const disk = copyOf(run.before);
        const host = failing(processOf(disk, VICTIM), code, (operation) => {
          const letsGo = code === "ENOSPC" && (operation.name === "unlinkSync" || operation.name === "rmdirSync");
          return operation.index >= index && changesFiles(operation) && !letsGo;
        });
        const error = await refused(host, run.step);
        if (error !== undefined) {
          codes.add(error.code);
          expect(error.details).toMatchObject({ system: code });
          // What it says is how it is
          if (error.code === "file-not-written") expect(standing(disk, run)).toBe("old");
          else if (error.details["path"] === partyPaths(folderOf(run.step.party)).keys)
            expect(filesOf(disk, run.step.party)["keys.json"]).toBe(filesOf(run.after, run.step.party)["keys.json"]);
          else expect(standing(disk, run)).toBe("new");
        }
        const content = JSON.stringify(contentOf(disk, "/"));
        if (!seen.has(content)) await expectSame(run, disk);
        seen.add(content);
      }
    }
    for (const code of codes) expect(["file-not-written", "file-not-durable", "output-not-written"]).toContain(code);
    expect(codes).toContain("file-not-written");
  });
});

async function refused(host: Host, step: Step): Promise<LnError | undefined> {
  try {
    await perform(host, step);
    return undefined;
  } catch (error) {
    if (error instanceof LnError) return error;
    throw error;
  }
}

/** A command that changes no state: what it prints, and the files that it writes beside the parties. */
interface Reading {
  readonly name: string;
  readonly disk: Disk;
  readonly act: (host: Host) => Promise<string>;
}

const PAYOUT = { to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "1000" } as const;
const COIN = `${"22".repeat(32)}:1:0.01btc:${PAYOUT.to}`;
const published = (await runCommand("force-close", ["/alice"], {}, { host: processOf(copyOf(anchors), 1) })).document;
const cheat = `${JSON.stringify((await runCommand("force-close", ["/alice"], {}, { host: processOf(copyOf(htlcs[1]!.before), 1) })).document)}\n`;

const reading = (name: string, disk: Disk, step: Omit<Step, "command" | "again">): Reading => ({
  name,
  disk,
  act: async (host) => printed(await perform(host, { ...step, command: name, again: "same" })),
});

const READINGS: readonly Reading[] = [
  reading("backup", last(htlcs), { party: "bob", args: [], flags: {} }),
  reading("bump", anchors, {
    party: "bob",
    args: [],
    flags: { tx: "-", feerate: "10000", inputs: COIN, change: PAYOUT.to },
    stdin: JSON.stringify(published),
  }),
  reading("export-watchtower", htlcs[9]!.before, { party: "bob", args: [`${WIRE}0006-alice-revoke_and_ack.json`], flags: PAYOUT }),
  {
    name: "watch -o DIR/ --state FILE",
    disk: last(htlcs),
    act: async (host) => {
      let text = "";
      const writeStdout = (part: string): void => {
        text += part;
      };
      await runCommand("watch", ["/bob"], { ...PAYOUT, state: `${WIRE}watch.json` }, { host, stdin: cheat, output: WIRE, writeStdout });
      return text;
    },
  },
];

describe("a crash of what changes no state: the parties' files stay, an output is there whole or not at all, and comes again the same", () => {
  test.each(READINGS.map((one) => [one.name, one] as const))("%s", async (_, { disk: before, act }) => {
    const operations: Operation[] = [];
    const after = copyOf(before);
    const wanted = await act(
      watched(processOf(after, 1001), (operation) => {
        operations.push(operation);
      }),
    );
    const outputs = wholeOf(after);
    expect(operations.some(changesFiles)).toBe(true);
    expect(Object.keys(outputs).length).toBeGreaterThan(Object.keys(wholeOf(before)).length);
    const parties = (disk: Disk) => (["alice", "bob"] as const).map((name) => filesOf(disk, name));
    for (let at = 0; at < operations.length; at++) {
      const disk = copyOf(before);
      await expect(act(mortal(processOf(disk, VICTIM), at))).rejects.toThrow(Killed);
      const dark = copyOf(disk);
      cutPower(dark, () => false);
      for (const found of [dark, disk]) {
        expect(parties(found)).toEqual(parties(before));
        for (const [name, text] of Object.entries(wholeOf(found))) expect(text, name).toBe(outputs[name]);
        // Where the whole came to be, what is told may be less: that it is done
        const again = await act(processOf(found, HEIR));
        if (wholeOf(found)["watch.json"] === undefined) expect(again).toBe(wanted);
        expect(wholeOf(found)).toEqual(outputs);
        expect(parties(found)).toEqual(parties(before));
      }
    }
  });
});

/** The outputs, without what a killed process left unfinished. */
function wholeOf(disk: Disk): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(contentOf(disk, WIRE)).filter(([path]) => !path.startsWith(".")));
}

test("what is printed is durable: with the power gone right after it the state is the new one", async () => {
  for (const run of RUNS) {
    const disk = copyOf(run.before);
    await perform(processOf(disk, VICTIM), run.step);
    cutPower(disk, () => false);
    expect(await expectSame(run, disk), run.name).toBe("new");
  }
});

test("the line of a revoked commitment with HTLCs is there before its state is", async () => {
  const run = htlcs.find(({ step }) => step.command === "receive-revocation")!;
  expect(filesOf(run.after, run.step.party)["revoked.ndjson"]!.split("\n")).toHaveLength(2);
  for (let at = 0; at < run.operations.length; at++) {
    const disk = copyOf(run.before);
    await survives(mortal(processOf(disk, VICTIM), at), run.step);
    cutPower(disk, () => false);
    if (standing(disk, run) === "new") expect(settledFiles(disk, run)["revoked.ndjson"]).toBe(filesOf(run.after, run.step.party)["revoked.ndjson"]);
  }
});

test("all the while the value is conserved", () => {
  for (const { after, step } of [...update, ...back, ...htlcs]) {
    const [{ local, remote, amount }] = stateOn(after, step.party).fundings;
    for (const commit of [local.current, local.previous, remote.current, remote.next]) {
      if (commit === null) continue;
      const { balances, htlcs: held } = commit.spec;
      expect(balances.local + balances.remote + held.reduce((sum, { amountMsat }) => sum + amountMsat, 0n)).toBe(amount * 1000n);
    }
  }
});
