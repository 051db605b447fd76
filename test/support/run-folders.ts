import { type FlagTexts, type Terms, runCommand } from "./party.js";
import {
  ANCHORS,
  ARTICLE,
  CLOSING_STEPS,
  closeByPsbtSteps,
  type Name,
  type Step,
  WIRE,
  closeSteps,
  htlcSteps,
  openingSteps,
  perform,
  printed,
  processOf,
  returnSteps,
  updateSteps,
  withJournals,
} from "./memory-party.js";
import { LEGACY } from "./closing.js";
import type { Report } from "../../src/commands/shared/command.js";
import { parseStrict } from "../../src/json/strict.js";
import { openStore } from "../../src/store/channel-store.js";
import type { Host } from "../../src/store/file-system.js";
import { type FileEntry, memoryFiles } from "../../src/store/memory-files.js";
import { contentOf, emptyDisk } from "../store/memory-disk.js";

/** What a run has left, by its path below the run's folder. */
export type RunFiles = Readonly<Record<string, string>>;

const then = (party: Name, command: string, args: readonly string[] = [], flags: FlagTexts = {}): Step => ({
  party,
  command,
  args,
  flags,
  again: "same",
});
const wire = (seq: number, by: Name, type: string): string => `${WIRE}${String(seq).padStart(4, "0")}-${by}-${type}.json`;

/** After htlcSteps: Bob's signature is lost, both reconnect, and go on with what is sent again. */
const RECONNECTION: readonly Step[] = [
  then("bob", "sign"),
  then("alice", "reestablish"),
  then("bob", "reestablish"),
  then("alice", "reestablish", [wire(9, "bob", "channel_reestablish")]),
  then("bob", "reestablish", [wire(9, "alice", "channel_reestablish")]),
  then("alice", "receive", [wire(10, "bob", "update_fulfill_htlc")]),
  then("alice", "receive", [wire(11, "bob", "commitment_signed")]),
  then("alice", "make-revocation"),
  then("bob", "receive", [wire(10, "alice", "revoke_and_ack")]),
];

/** Terms of a format other than the scenarios' own. */
const ofType = (channelType: string): Terms => ({ ...ANCHORS, open: { ...ANCHORS.open, channelType } });

/** Whole runs: every kind of message, every format. */
export const RUNS: Readonly<Record<string, readonly Step[]>> = {
  article: [...openingSteps(withJournals(ARTICLE)), ...updateSteps({ requestId: "first" })],
  "payments both ways": [...openingSteps(withJournals(ANCHORS)), ...updateSteps(), ...returnSteps(6, 5)],
  "htlcs and a reconnection": [...openingSteps(withJournals(ANCHORS)), ...htlcSteps(), ...RECONNECTION],
  "legacy htlcs": [...openingSteps(withJournals(ofType("legacy"))), ...htlcSteps()],
  "anchor_outputs htlcs": [...openingSteps(withJournals(ofType("anchor_outputs"))), ...htlcSteps(), ...CLOSING_STEPS],
  "simple close": [...openingSteps(withJournals(ANCHORS)), ...closeSteps("simple")],
  "negotiated close": [...openingSteps(withJournals(LEGACY)), ...closeSteps("negotiated")],
  "a close for signers elsewhere": [...openingSteps(withJournals(ANCHORS)), ...closeByPsbtSteps("simple")],
};

/** What each run leaves. One after the other, and before any audit: while that runs, the curve is its own. */
export async function allRuns(): Promise<readonly (readonly [name: string, files: RunFiles])[]> {
  const made: (readonly [string, RunFiles])[] = [];
  for (const [name, steps] of Object.entries(RUNS)) made.push([name, await filesAfter(steps)]);
  return made;
}

/** The files that the steps leave; where it is asked for, also what each of them printed that has no name of its own. */
export async function filesAfter(steps: readonly Step[], { printing = false } = {}): Promise<RunFiles> {
  const disk = emptyDisk();
  const host = processOf(disk, 1);
  for (const [at, step] of steps.entries()) {
    const report = await perform(host, step);
    const store = openStore(parseStrict, host);
    for (const part of report.parts ?? []) store.writeOutput(`${WIRE}${part.fileName ?? ""}`, printed(part), "keep");
    if (!printing || report.fileName !== undefined) continue;
    store.makeFolder("/steps/");
    store.writeOutput(`/steps/${String(at).padStart(2, "0")}-${step.command}.json`, printed(report), "keep");
  }
  return Object.fromEntries(Object.entries(contentOf(disk, "/")).filter(([path]) => /[.](json|ndjson)$/.test(path)));
}

/** One command more in a run's folder; what it prints is in `output`. */
export interface Later {
  readonly output: string;
  readonly command: string;
  readonly party: string;
  readonly flags?: FlagTexts;
}

/** A run with what these commands leave, each after the one before. */
export async function continued(files: RunFiles, commands: readonly Later[]): Promise<RunFiles> {
  let after = files;
  for (const { output, command, party, flags = {} } of commands) {
    const { fs, files: now } = memoryFiles(entriesOf(after));
    const named = Object.fromEntries(
      Object.entries(flags).map(([name, text]) => [name, name === "tx" && text !== true ? `/run/${String(text)}` : text]),
    );
    const report = await runCommand(command, [`/run/${party}`], named, { host: { ...MEMORY, fs } });
    const left = [...now()].flatMap(([path, entry]) =>
      entry.kind === "file" ? [[path.slice("/run/".length), new TextDecoder().decode(entry.data)]] : [],
    );
    after = { ...(Object.fromEntries(left) as RunFiles), [output]: printed(report) };
  }
  return after;
}

const MEMORY = { pid: 1, isAlive: () => false, posix: true } as const;

function hostOf(files: RunFiles): Host {
  return { fs: memoryFiles(entriesOf(files)).fs, ...MEMORY };
}

function entriesOf(files: RunFiles): ReadonlyMap<string, FileEntry> {
  const entries = new Map<string, FileEntry>([["/", { kind: "folder" }]]);
  for (const [path, text] of Object.entries(files)) {
    const parts = `/run/${path}`.split("/").slice(1, -1);
    for (const at of parts.keys()) entries.set(`/${parts.slice(0, at + 1).join("/")}`, { kind: "folder" });
    entries.set(`/run/${path}`, { kind: "file", data: new TextEncoder().encode(text), mode: 0o600 });
  }
  return entries;
}

export interface Audited {
  readonly verdict: "consistent" | "incomplete" | "diverges";
  readonly checked: Readonly<Record<string, number>> & { readonly documents: Readonly<Record<string, number>> };
  readonly findings: readonly {
    readonly kind: string;
    readonly message?: { readonly party: string; readonly seq: number };
    readonly files?: readonly string[];
    readonly file?: string;
    readonly path?: string;
    readonly journal?: { readonly file: string; readonly line: number };
    readonly fact: string;
    readonly expected?: string;
    readonly found?: string;
  }[];
  readonly missing?: readonly string[];
  readonly not_told?: readonly string[];
  readonly ignored_files: number;
}

/** What `chankit audit` says of these files. */
export async function audited(files: RunFiles): Promise<Audited> {
  const report: Report = await runCommand("audit", ["/run"], {}, { host: hostOf(files) });
  const document = report.document as unknown as Audited;
  if (report.verdict !== (document.verdict === "consistent" ? "yes" : "no")) throw new Error("the report's verdict is not its document's");
  return document;
}
