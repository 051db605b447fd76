import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Report } from "../../src/commands/shared/command.js";
import { parseStrict } from "../../src/json/strict.js";
import { openStore } from "../../src/store/channel-store.js";
import { partyPaths } from "../../src/store/paths.js";
import { type Disk, contentOf, copyOf, emptyDisk } from "../store/memory-disk.js";
import { runCli, tempDir } from "../support/cli.js";
import { LEGACY } from "../support/closing.js";
import {
  ANCHORS,
  ARTICLE,
  type Name,
  type Step,
  closeSteps,
  filesOf,
  folderOf,
  openingSteps,
  perform,
  printed,
  processOf,
  putHtlcs,
  returnSteps,
  updateSteps,
} from "../support/memory-party.js";
import { type FlagTexts, afterStep, fingerprint, parties, refusal, runCommand } from "../support/party.js";

/** The text of a party's newest state; none before its channel is proposed. */
type States = Partial<Record<Name, string>>;

/** How a pure command is given the old state and gives the new one. */
type Way = "files" | "stdin" | "stdout";

/** Runs a step as a function from one file to another: the result and the text of the new state. */
async function transform(disk: Disk, { party, command, args, flags, stdin }: Step, states: States, way: Way, at: number): Promise<[Report, string]> {
  const host = processOf(disk, 1001);
  const store = openStore(parseStrict, host);
  const folder = folderOf(party);
  const state = states[party];
  const [old, next] = [`/pure/${at}-old.json`, `/pure/${at}-new.json`];
  store.makeFolder("/pure");
  if (state !== undefined) store.writeOutput(old, state, "replace");
  // What opens a channel has no state yet: its party's folder tells the keys and the name
  const named: FlagTexts = state === undefined ? {} : { channel: way === "stdin" ? "-" : old, keys: partyPaths(folder).keys };
  const taken: string[] = [];
  const report = await runCommand(
    command,
    [...(state === undefined ? [folder] : []), ...args],
    { ...flags, ...named, channelOut: way === "stdout" ? "-" : next },
    {
      host,
      outputIsStdout: false,
      writeStdout: (text) => taken.push(text),
      ...(way === "stdin" && state !== undefined ? { stdin: state } : stdin === undefined ? {} : { stdin }),
    },
  );
  return [report, way === "stdout" ? taken.join("") : contentOf(disk, "/pure")[next.slice("/pure/".length)]!];
}

async function inPlace(disk: Disk, steps: readonly Step[]): Promise<readonly (readonly [Report, string])[]> {
  const results: (readonly [Report, string])[] = [];
  for (const step of steps) results.push([await perform(processOf(disk, 1001), step), filesOf(disk, step.party)["channel.json"]!]);
  return results;
}

const KEYGEN = 2;

describe.each([
  ["the article's channel, opened, updated and paid back", ARTICLE, [...updateSteps(), ...returnSteps(6, 5)]],
  ["a channel with anchors, opened, updated and paid back", ANCHORS, [...updateSteps(), ...returnSteps(6, 5)]],
  ["a simple close", ANCHORS, closeSteps("simple")],
  ["a negotiated close", LEGACY, closeSteps("negotiated")],
])("%s as pure functions", (_, terms, life) => {
  test.each(["files", "stdin", "stdout"] as const)("states by way of %s: byte for byte those of use in place", async (way) => {
    const steps = [...openingSteps(terms), ...life];
    const place = emptyDisk();
    const wanted = await inPlace(place, steps);
    // The messages are those of the run in place: were one different, it would show below
    const disk = copyOf(place);
    const [alice, bob] = [filesOf(place, "alice"), filesOf(place, "bob")];
    const untouched = emptyDisk();
    for (const step of steps.slice(0, KEYGEN)) await perform(processOf(untouched, 1), step);
    copyFolder(disk, untouched);

    const states: States = {};
    for (const [at, step] of steps.slice(KEYGEN).entries()) {
      // A keys folder has no channel in it, so nothing but the file named is read
      const [report, text] = await transform(untouched, step, states, way, at);
      const [inPlaceReport, inPlaceText] = wanted[at + KEYGEN]!;
      expect(printed(report), step.command).toBe(printed(inPlaceReport));
      expect(text, step.command).toBe(inPlaceText);
      states[step.party] = text;
    }
    expect([states.alice, states.bob]).toEqual([alice["channel.json"], bob["channel.json"]]);
    for (const name of ["alice", "bob"] as const) expect(Object.keys(filesOf(untouched, name))).toEqual(["keys.json"]);
  });
});

/** Gives a disk the messages of another. */
function copyFolder(from: Disk, to: Disk): void {
  const store = openStore(parseStrict, processOf(to, 1));
  store.makeFolder("/wire");
  for (const [name, text] of Object.entries(contentOf(from, "/wire"))) store.writeOutput(`/wire/${name}`, text, "replace");
}

describe("with HTLCs", () => {
  async function opened(): Promise<Disk> {
    const disk = emptyDisk();
    await inPlace(disk, openingSteps(ANCHORS));
    putHtlcs(disk);
    return disk;
  }

  test("--revoked-out gets the line that revoked.ndjson gets, in a file of its own", async () => {
    const place = await opened();
    const before = copyOf(place);
    const steps = updateSteps();
    const wanted = await inPlace(place, steps);
    for (const [at, step] of steps.entries()) {
      if (step.command !== "receive-revocation") continue;
      const disk = copyOf(before);
      await inPlace(disk, steps.slice(0, at));
      const old = filesOf(disk, step.party);
      const error = await refusal(() => transform(disk, step, { [step.party]: old["channel.json"]! }, "files", at));
      expect(error.code).toBe("usage-revoked-out");
      expect(filesOf(disk, step.party)).toEqual(old);
      expect(contentOf(disk, "/pure")[`${at}-new.json`]).toBeUndefined();

      const withLine: Step = { ...step, flags: { ...step.flags, revokedOut: "/pure/revoked.ndjson" } };
      const [, text] = await transform(disk, withLine, { [step.party]: old["channel.json"]! }, "files", at);
      expect(text).toBe(wanted[at]![1]);
      const line = contentOf(disk, "/pure")["revoked.ndjson"];
      expect(line).toBe(filesOf(place, step.party)["revoked.ndjson"]);
      expect(line!.split("\n")).toHaveLength(2);
      // Once more, after a crash say: still one line
      await transform(disk, withLine, { [step.party]: old["channel.json"]! }, "files", at);
      expect(contentOf(disk, "/pure")["revoked.ndjson"]).toBe(line);
      expect(filesOf(disk, step.party)).toEqual(old);
    }
  });
});

describe("as processes", () => {
  test("the twenty steps with --channel FILE --keys FILE --channel-out FILE, and - for one of them: no file changed, the same bytes", async () => {
    const wanted = await afterStep(20);
    const p = await parties();
    const before = fingerprint(p.dir);
    const out = tempDir();
    const file = (name: string) => join(out, name);
    mkdirSync(file("wire"));
    for (const name of ["alice", "bob"] as const) copyFileSync(join(p[name], "channel.json"), file(`${name}-0.json`));
    const version = { alice: 0, bob: 0 };

    /** `chankit COMMAND --channel OLD --keys KEYS --channel-out NEW [-o MESSAGE]`, each time in another of the ways. */
    const run = async (name: Name, way: "files" | "stdin" | "stdout" | "pipe", args: readonly string[], message?: string): Promise<void> => {
      const [old, next] = [file(`${name}-${version[name]++}.json`), file(`${name}-${version[name]}.json`)];
      const [command = "", ...rest] = args;
      const { status, stdout, stderr } = await runCli(
        [
          command,
          ...rest,
          "--channel",
          way === "stdin" || way === "pipe" ? "-" : old,
          "--keys",
          join(p[name], "keys.json"),
          "--channel-out",
          way === "stdout" || way === "pipe" ? "-" : next,
          "-o",
          message === undefined ? file("report.json") : file(message),
        ],
        { cwd: out, ...(way === "stdin" || way === "pipe" ? { stdin: readFileSync(old) } : {}) },
      );
      expect({ status, stderr }, args.join(" ")).toEqual({ status: 0, stderr: "" });
      if (way === "stdout" || way === "pipe") writeFileSync(next, stdout);
    };
    await run("alice", "files", ["pay", "0.02btc"], "wire/pay.json");
    await run("alice", "stdin", ["sign"], "wire/alice-signed.json");
    await run("bob", "stdout", ["receive", file("wire/pay.json")]);
    await run("bob", "pipe", ["verify-sig", file("wire/alice-signed.json")]);
    await run("bob", "files", ["make-revocation"], "wire/bob-revoked.json");
    await run("alice", "stdin", ["receive-revocation", file("wire/bob-revoked.json")]);
    await run("bob", "stdout", ["sign"], "wire/bob-signed.json");
    await run("alice", "pipe", ["verify-sig", file("wire/bob-signed.json")]);
    await run("alice", "files", ["make-revocation"], "wire/alice-revoked.json");
    await run("bob", "stdin", ["receive-revocation", file("wire/alice-revoked.json")]);

    expect(version).toEqual({ alice: 5, bob: 5 });
    for (const name of ["alice", "bob"] as const) {
      expect(readFileSync(file(`${name}-5.json`), "utf8")).toBe(readFileSync(join(wanted[name], "channel.json"), "utf8"));
    }
    expect(fingerprint(p.dir)).toEqual(before);
    // Looking at such a file needs nothing beside it; changing it in place does
    const built = await runCli(["build-commitment", "--channel", file("alice-1.json"), "--owner", "remote"]);
    const inPlace = await runCommand("build-commitment", [(await afterStep(1)).alice], { owner: "remote" });
    expect(built.stdout).toBe(printed(inPlace));
    const status = await runCli(["status", "--channel", file("alice-5.json"), "--brief"]);
    expect(status.stdout).toBe("alice could publish commitment 1: own 0.08000000, peer 0.02000000 BTC\n");
    const changing = await runCli(["pay", "1sat", "--channel", file("alice-5.json"), "--keys", join(p.alice, "keys.json")]);
    expect([changing.status, changing.stdout]).toEqual([5, ""]);
    expect(changing.stderr).toContain("file-highwater-missing");
  }, 120_000);
});
