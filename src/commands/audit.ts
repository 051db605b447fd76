import { ecc, useEcc } from "../protocol/ecc.js";
import { LnError } from "../protocol/errors.js";
import type { Limits } from "../protocol/channel/params.js";
import { isFunded } from "../protocol/channel/state.js";
import { toHex } from "../protocol/bytes.js";
import type { Finding } from "../audit/finding.js";
import { type Beginning, type PartyRecord, messagesOf } from "../audit/record.js";
import { Replay, type Replayed, type Stand } from "../audit/replay.js";
import { StandIns } from "../audit/stand-ins.js";
import { type Folder, beginningOf, journalFindings, momentsOf, pathIn, readFolder, sightsIn } from "./audit/read.js";
import type { DocumentsChecked } from "./audit/documents.js";
import type { Context } from "./shared/context.js";
import { type Document, defineCommand } from "./shared/command.js";
import { longWork } from "./shared/long-work.js";
import { fundingOutpoint } from "./shared/summary.js";

export const command = defineCommand({
  name: "audit",
  summary: "replay a run's files from public data, find the first divergence",
  description:
    "Reads what a run has left in a folder and below it: messages as `-o wire/` writes them, channel files, revoked files and journals; keys files are never opened. Both parties' steps are taken again " +
    "with what the messages show in the place of secrets, and every signature, secret, number and amount is checked; what the steps lead to is compared with each message byte for byte, with every channel file field by field, " +
    "and with every journal line. What commands printed into the folder (commitments, transactions, steps, status) is compared with what they print at that moment. Prints the first divergence with both values. Exit 1 unless the record is whole and all of it agrees.",
  args: [{ syntax: "<dir>", help: "the folder of a run" }],
  flags: {},
  examples: ["chankit audit demo --text", "chankit audit demo --json | jq '.findings[0]'"],
  curve: true,
  exits: [1, 5],
  run: async (ctx, [dir]) => {
    if (dir === undefined) throw new LnError("usage-argument", "name the folder of a run", {});
    const folder = readFolder(ctx, dir);
    const record = recordOf(folder);
    if (record.findings.some(({ at }) => at.kind === "message" || at.kind === "journal") || record.parties === null) {
      return reportOf(dir, folder, record, null);
    }
    const before = ecc();
    const standIns = new StandIns(before);
    useEcc(standIns.ecc());
    try {
      const stands: Stand[] = [];
      const replay = new Replay(record.parties, standIns, folder.printed.length === 0 ? undefined : (stand) => stands.push(stand));
      const soFar = (): void => {
        ctx.writeStdout(`interrupted: ${replay.done} of ${replay.total} messages, no divergence among them\n`);
      };
      await longWork(ctx, soFar, async (work) => {
        while (replay.step()) {
          work.progress(`${replay.done} of ${replay.total} messages`);
          await work.breathe();
        }
      });
      const replayed = replay.result();
      const signatures = standIns.verified;
      const documents = replayed.findings.every(({ kind }) => kind === "missing")
        ? await checkDocuments(ctx, dir, folder, record, replayed, { stands, standIns })
        : null;
      return reportOf(dir, folder, record, { replayed, signatures, documents });
    } finally {
      useEcc(before);
    }
  },
});

interface Run {
  /** The opener first; null where there are not two. */
  readonly parties: readonly [PartyRecord, PartyRecord] | null;
  readonly findings: readonly Finding[];
  /** What can't be judged, in words. */
  readonly missing: readonly string[];
}

/** The two parties' records. Throws: input-run. */
function recordOf(folder: Folder): Run {
  const { states, journals } = folder;
  const names = [
    ...new Set([
      ...folder.sights.map(({ party }) => party),
      ...journals.flatMap(({ lines }) => lines.slice(0, 1).map(({ line }) => line.party)),
      ...states.filter(({ sound }) => sound).map(({ state }) => state.party),
    ]),
  ];
  const findings = [...folder.findings, ...journalFindings(folder)];
  const missing: string[] = [];
  const [one, other] = names;
  if (one === undefined || other === undefined || names.length > 2) {
    if (findings.length > 0) return { parties: null, findings, missing };
    throw new LnError("input-run", `a run is of two parties, and these files are of ${names.length}: ${names.join(", ") || "none"}`, {
      parties: names,
    });
  }
  const sights = [...folder.sights, ...sightsIn(folder, (party) => (party === one ? other : one))];
  const partyOf = (name: string): PartyRecord => {
    const beginning = beginningOf(name, folder, sights);
    const before = beginning === null ? 0 : beginning.state.messages.lastSent;
    const unjudged = folder.sights.filter(({ party, seq }) => party === name && seq <= before).length;
    if (beginning !== null && unjudged > 0)
      missing.push(`${name} is taken up at ${beginning.file}, after its message ${before}: ${unjudged} files from before are not judged`);
    const { messages, findings: conflicts } = messagesOf(
      name,
      sights.filter(({ party, seq }) => party === name && seq > before),
    );
    findings.push(...conflicts);
    const own = states.filter(({ state, sound }) => state.party === name && sound).sort((a, b) => b.revision - a.revision);
    const newest = own[0]?.state;
    const limits: Limits | null = newest?.limits ?? null;
    const lines = journals.filter(({ lines: [first] }) => first?.line.party === name).flatMap(({ lines: all }) => all);
    const bySeq = new Map(
      lines.flatMap(({ line }) => line.sent.flatMap(({ seq }) => (line.requestId === undefined ? [] : [[seq, line.requestId] as const]))),
    );
    const byWire = (newest?.messages.requests ?? []).map(({ id, wire }) => ({ id, wire: toHex(wire) }));
    const fundingPsbt = own.map(({ state }) => (isFunded(state) ? state.fundingPsbt : null)).find((psbt) => psbt !== null) ?? null;
    return { name, beginning, messages, moments: momentsOf(name, folder, beginning), limits, fundingPsbt, requests: { bySeq, byWire } };
  };
  const records = [partyOf(one), partyOf(other)] as const;
  const opensFirst = (record: PartyRecord): boolean => record.messages.get(1)?.message?.type === "open_channel";
  return { parties: opensFirst(records[1]) && !opensFirst(records[0]) ? [records[1], records[0]] : records, findings, missing };
}

/** What a replay came to, and the documents beside it; null where those were not compared. */
interface Judged {
  readonly replayed: Replayed;
  readonly signatures: number;
  readonly documents: DocumentsChecked | null;
}

/** The documents of a run that was replayed to its end. What compares them is loaded where there are any. */
async function checkDocuments(
  ctx: Context,
  dir: string,
  folder: Folder,
  { parties, missing }: Run,
  replayed: Replayed,
  { stands, standIns }: { readonly stands: readonly Stand[]; readonly standIns: StandIns },
): Promise<DocumentsChecked> {
  if (folder.printed.length === 0) return NO_DOCUMENTS;
  const { Documents } = await import("./audit/documents.js");
  const opened = parties?.every(({ beginning }) => beginning === null) === true;
  const documents = new Documents(
    {
      stands,
      standIns,
      files: folder.files.map((file) => pathIn(dir, file)),
      channels: folder.states.map(({ file }) => pathIn(dir, file)),
      journaled: new Set(folder.journals.flatMap(({ lines }) => lines.slice(0, 1).map(({ line }) => line.party))),
      whole: opened && missing.length === 0 && folder.unplaced.length === 0 && replayed.findings.length === 0,
    },
    folder.printed,
  );
  let checked: DocumentsChecked = NO_DOCUMENTS;
  const soFar = (): void => {
    ctx.writeStdout(`interrupted: all messages agree; documents were being compared\n`);
  };
  await longWork(ctx, soFar, async (work) => {
    checked = await documents.check(() => work.breathe());
  });
  return checked;
}

const NO_DOCUMENTS: DocumentsChecked = { findings: [], counts: {}, inputs: 0, untold: [] };

function reportOf(dir: string, folder: Folder, { parties, findings, missing: unjudged }: Run, judged: Judged | null) {
  const { replayed, documents, signatures = 0 } = judged ?? { replayed: null, documents: null };
  const all = [...findings, ...(replayed?.findings ?? []), ...(documents?.findings ?? [])];
  const missing = [...folder.unplaced.map((file) => `${pathIn(dir, file)}: who sent it, no name tells`), ...unjudged];
  const open = (documents?.untold ?? []).map(({ file, why }) => `${pathIn(dir, file)}: ${why}`);
  const uncompared = documents === null && folder.printed.length > 0 ? [`${folder.printed.length} documents: what does not agree comes first`] : [];
  const untold = [...uncompared, ...folder.untold.map(({ file, why }) => `${pathIn(dir, file)}: ${why}`)];
  const verdict = all.some(({ kind }) => kind !== "missing")
    ? "diverges"
    : all.length + missing.length + open.length > 0
      ? "incomplete"
      : "consistent";
  const document = {
    format: "chankit-audit",
    version: 1,
    verdict,
    ...(parties === null ? {} : { parties: parties.map((record) => partyDocument(dir, record, replayed)) }),
    ...(replayed === null
      ? { replayed: false }
      : {
          replayed: true,
          checked: {
            messages_sent: replayed.told,
            messages_received: replayed.heard,
            signatures,
            secrets: replayed.secrets,
            moments: replayed.compared,
            state_hashes: replayed.hashed,
            documents: documents?.counts ?? {},
            inputs: documents?.inputs ?? 0,
          },
          ...(replayed.regenerated.length === 0 ? {} : { regenerated: replayed.regenerated }),
        }),
    journals: folder.journals.map(({ file, lines }) => ({ file: pathIn(dir, file), lines: lines.length, head: headOf(lines) })),
    findings: all.map((finding) => findingDocument(dir, finding)),
    ...(missing.length + open.length === 0 ? {} : { missing: [...missing, ...open] }),
    ...(untold.length === 0 ? {} : { not_told: untold }),
    ignored_files: folder.ignored.length,
  };
  return { document, fileName: "audit.json", verdict: verdict === "consistent" ? ("yes" as const) : ("no" as const) };
}

function headOf(lines: Folder["journals"][number]["lines"]): string | null {
  const last = lines.at(-1);
  return last === undefined ? null : toHex(last.line.hash);
}

function beginningDocument(dir: string, { file, state: { messages } }: Beginning): Document {
  return { file: pathIn(dir, file), sent: messages.lastSent, received: messages.lastReceived };
}

function partyDocument(dir: string, { name, messages, beginning }: PartyRecord, replayed: Replayed | null): Document {
  const state = replayed?.views.find((view) => view.name === name)?.state ?? null;
  const reached =
    state === null || !isFunded(state)
      ? {}
      : {
          funding: fundingOutpoint(state),
          local_commitment: state.fundings[0].local.current?.number ?? null,
          remote_commitment: state.fundings[0].remote.current?.number ?? null,
        };
  const begins = beginning === null ? {} : { begins_at: beginningDocument(dir, beginning) };
  return { party: name, messages: messages.size, ...begins, ...reached };
}

function findingDocument(dir: string, { kind, at, fact, expected, found, code }: Finding): Document {
  const place =
    at.kind === "message"
      ? {
          message: { party: at.party, seq: at.seq, ...(at.type === null ? {} : { type: at.type }) },
          files: at.files.map((file) => pathIn(dir, file)),
        }
      : at.kind === "journal"
        ? { journal: { file: pathIn(dir, at.file), line: at.line } }
        : { file: pathIn(dir, at.file), ...(at.path === null ? {} : { path: at.path }) };
  return {
    kind,
    ...place,
    fact,
    ...(expected === null ? {} : { expected }),
    ...(found === null ? {} : { found }),
    ...(code === null ? {} : { code }),
  };
}
