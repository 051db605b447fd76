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

/** The files that the steps leave. */
export async function filesAfter(steps: readonly Step[]): Promise<RunFiles> {
  const disk = emptyDisk();
  const host = processOf(disk, 1);
  for (const step of steps) {
    const report = await perform(host, step);
    const store = openStore(parseStrict, host);
    for (const part of report.parts ?? []) store.writeOutput(`${WIRE}${part.fileName ?? ""}`, printed(part), "keep");
  }
  return Object.fromEntries(Object.entries(contentOf(disk, "/")).filter(([path]) => /[.](json|ndjson)$/.test(path)));
}

function hostOf(files: RunFiles): Host {
  const entries = new Map<string, FileEntry>([["/", { kind: "folder" }]]);
  for (const [path, text] of Object.entries(files)) {
    const parts = `/run/${path}`.split("/").slice(1, -1);
    for (const at of parts.keys()) entries.set(`/${parts.slice(0, at + 1).join("/")}`, { kind: "folder" });
    entries.set(`/run/${path}`, { kind: "file", data: new TextEncoder().encode(text), mode: 0o600 });
  }
  return { fs: memoryFiles(entries).fs, pid: 1, isAlive: () => false, posix: true };
}

export interface Audited {
  readonly verdict: "consistent" | "incomplete" | "diverges";
  readonly checked: Readonly<Record<string, number>>;
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
}

/** What `chankit audit` says of these files. */
export async function audited(files: RunFiles): Promise<Audited> {
  const report: Report = await runCommand("audit", ["/run"], {}, { host: hostOf(files) });
  const document = report.document as unknown as Audited;
  if (report.verdict !== (document.verdict === "consistent" ? "yes" : "no")) throw new Error("the report's verdict is not its document's");
  return document;
}
