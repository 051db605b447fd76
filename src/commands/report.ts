import { requireFunded } from "../protocol/channel/state.js";
import { equalBytes } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { VERSION } from "../version.js";
import { mermaid } from "./report/diagram.js";
import { exploreTables } from "./report/explored.js";
import { type PartyView, type ReportModel, channelModel } from "./report/model.js";
import { drawings, page } from "./report/page.js";
import { type Letter, turnsOf } from "./report/sequence.js";
import { defineCommand } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { flag, oneOf, text } from "./shared/options.js";
import { loadParty, locateParty, readDocument, readMessageFile } from "./shared/party.js";

const FORMATS = ["html", "svg", "mermaid"] as const;

export const command = defineCommand({
  name: "report",
  summary: "one page of a channel or a run: pictures of its commitments, its messages, the numbers",
  description:
    "Writes one HTML page that needs nothing but itself: what was agreed on, each commitment that could be published as a picture (outputs to scale, by who can take them and when), balances, HTLCs, changes, " +
    "the messages as a sequence diagram, and what explore found. From one party's folder or both, and the message files of the run. It holds no secret, and needs no keys.",
  args: [{ syntax: "<paths...>", help: "one or two party folders, and message files (whatever ends in .json)" }],
  flags: {
    explore: flag("--explore <file>", "what `chankit explore --json` wrote: its table goes in", text),
    format: flag("--format <format>", "html (default); svg, the pictures alone; mermaid, the messages alone", oneOf(FORMATS)),
  },
  examples: [
    "chankit report alice bob wire/*.json -o report.html",
    "chankit report alice --format svg > alice.svg",
    "chankit report alice wire/*.json --format mermaid",
  ],
  curve: true,
  exits: [4, 5],
  run: (ctx, paths, o) => {
    const folders = paths.filter((path) => !path.endsWith(".json"));
    const files = paths.filter((path) => path.endsWith(".json"));
    const model = modelOf(ctx, folders, files, o.explore);
    const { format = "html" } = o;
    const plain = { html: () => page(model, VERSION), svg: () => drawings(model), mermaid: () => mermaid(model.turns, model.parties) }[format]();
    return {
      document: { format: "chankit-report", version: 1, ...documentOf(model) },
      plain,
      fileName: `report.${format === "mermaid" ? "mmd" : format}`,
    };
  },
});

function modelOf(ctx: Context, folders: readonly string[], files: readonly string[], explore: string | undefined): ReportModel {
  const [first, second, ...more] = folders.map((folder) =>
    requireFunded(loadParty(ctx, locateParty([folder], { channel: undefined, keys: undefined }).paths, { dryRun: true }).state),
  );
  if (first === undefined || more.length > 0) throw new LnError("usage-argument", `one or two party folders, not ${folders.length}`, {});
  if (second !== undefined && (!equalBytes(first.channelId, second.channelId) || first.party === second.party)) {
    throw new LnError("usage-argument", `${folders.join(" and ")} are not the two parties of one channel`, {});
  }
  const senders = [...new Set(files.map(senderOf))];
  const peer = second?.party ?? senders.find((name) => name !== first.party) ?? "the peer";
  const stranger = senders.find((name) => name !== first.party && name !== peer);
  if (stranger !== undefined)
    throw new LnError("usage-argument", `there are messages of ${stranger}, beside those of ${first.party} and ${peer}`, {});
  const views: readonly [PartyView, ...PartyView[]] = [
    { state: first, names: { local: first.party, remote: peer } },
    ...(second === undefined ? [] : [{ state: second, names: { local: second.party, remote: first.party } }]),
  ];
  const channel = channelModel(views);
  return {
    ...channel,
    turns: turnsOf(letters(ctx, files), channel.parties),
    explore: explore === undefined ? [] : exploreTables(readDocument(ctx, explore), explore),
  };
}

/** The name in a message file's name, which says who sent it. Throws: usage-argument. */
function senderOf(file: string): string {
  const [, name] = /(?:^|[/\\])\d+-([^/\\]+)-[a-z_]+\.json$/.exec(file) ?? [];
  if (name === undefined)
    throw new LnError("usage-argument", `${file} does not say who sent it: a message file is called like 0002-alice-commitment_signed.json`, {});
  return name;
}

/** Each message once. Throws: usage-argument, json-…, wire-…. */
function letters(ctx: Context, files: readonly string[]): readonly Letter[] {
  const all = new Map<string, Letter>();
  for (const file of files) {
    const from = senderOf(file);
    const { message, seq = Number(/(\d+)-[^/\\]+$/.exec(file)?.[1]) } = readMessageFile(ctx, file);
    all.set(`${from} ${seq}`, { from, seq, message });
  }
  return [...all.values()];
}

function documentOf({ title, parties, pictures, turns, channel, balances, htlcs, changes, explore }: ReportModel): Record<string, unknown> {
  return {
    title,
    parties,
    commitments: pictures.map(({ title: name, txid, outputs, facts }) => ({
      title: name,
      txid,
      outputs: outputs.map((output) => ({ ...output, sat: Number(output.sat) })),
      ...Object.fromEntries(facts.map(([key, value]) => [key.replaceAll(" ", "_"), value])),
    })),
    messages: turns,
    tables: [channel, balances, htlcs, changes, ...explore].map(({ caption, head, rows }) => ({
      caption,
      head,
      rows: rows.map(({ cells }) => cells),
    })),
  };
}
