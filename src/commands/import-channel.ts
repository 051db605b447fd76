import { decode } from "../json/decode.js";
import { readChannel } from "../json/channel-file.js";
import { printKeysDocument } from "../json/keys-file.js";
import { parseStrict } from "../json/strict.js";
import { requireFunded } from "../protocol/channel/state.js";
import { checkImported } from "../protocol/channel/transitions/import.js";
import { done } from "../protocol/channel/transitions/outcome.js";
import { LnError } from "../protocol/errors.js";
import { SIDES } from "../protocol/side.js";
import { type CaseDocument, caseDocument } from "../vectors/case-document.js";
import { caseTerms } from "../vectors/case.js";
import { caseChannel } from "../vectors/case-channel.js";
import type { PartyPaths } from "../store/paths.js";
import { type Document, defineCommand } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { partyName } from "./shared/identity.js";
import { flag, oneOf, text } from "./shared/options.js";
import { changeFlags, loadKeys, locateParty, partyArgument, readDocument, readInput, requireNew, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "import-channel",
  summary: "take over a channel in mid-life, or a test case",
  description:
    "Creates PARTY/channel.json from a channel document (chankit schema channel) after checking all that can be checked against PARTY/keys.json: keys, points, signatures, secrets, sums. " +
    "With --case it makes a party of a test case, keys and all: its commitment is staged for its countersigner (--as remote) or unverified for its owner (--as local); it is never published.",
  args: [partyArgument, { syntax: "[channel]", help: "the channel document, or -" }],
  flags: {
    ...changeFlags,
    case: flag("--case <file>", "a commitment case: JSON, or NDJSON with --id", text),
    id: flag("--id <id>", "which case of the file", text),
    as: flag("--as <side>", "with --case: local (the commitment's owner) or remote (its countersigner)", oneOf(SIDES)),
  },
  examples: [
    "chankit import-channel alice channel-from-elsewhere.json",
    "chankit import-channel owner --case fixtures/vectors/cases/anchors.ndjson --id anchors-00 --as local",
  ],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    if (o.case === undefined) {
      const [file] = rest;
      if (file === undefined) throw new LnError("usage-argument", "name the channel document, or a case with --case", {});
      const state = requireFunded(readChannel(readDocument(ctx, file), file));
      checkImported(state, await loadKeys(ctx, paths, o));
      return settle(ctx, { paths, loaded: undefined }, done(state), o, () => channelSummary(state));
    }
    if (o.as === undefined) throw new LnError("usage-argument", "say with --as whose file this is: local (the commitment's owner) or remote", {});
    const { case: inputs, id } = chooseCase(ctx, o.case, o.id);
    const state = caseChannel(inputs, o.as, partyName(paths));
    if (o.channelOut === undefined) requireNew(ctx, paths);
    if (o.dryRun !== true) createKeysOnce(ctx, paths, printKeysDocument(caseTerms(inputs).keys[o.as]));
    return settle(ctx, { paths, loaded: undefined }, done(state), o, () => ({ case: id, as: o.as, ...channelSummary(state) }));
  },
});

/** Secrets in. The same keys may be there, from a run that ended before it had made the channel. Throws: file-exists. */
function createKeysOnce(ctx: Context, paths: PartyPaths, keys: Document): void {
  try {
    ctx.store.createKeys(paths, keys);
  } catch (error) {
    if (!(error instanceof LnError) || error.code !== "file-exists") throw error;
    const { document: held } = ctx.store.readKeys(paths, { strict: false });
    if (JSON.stringify(held) !== JSON.stringify(keys)) throw error;
  }
}

/** Throws: usage-case, json-…. */
function chooseCase(ctx: Context, path: string, id: string | undefined): CaseDocument {
  const content = readInput(ctx, path);
  const documents = readCases(content, path);
  const chosen =
    id === undefined
      ? documents
      : documents.filter((document) => typeof document === "object" && document !== null && "id" in document && document.id === id);
  const [only] = chosen;
  if (only === undefined || chosen.length > 1) {
    throw new LnError("usage-case", `${path} has ${chosen.length} cases${id === undefined ? "" : ` of the id ${id}`}: name one with --id`, {
      source: path,
      cases: chosen.length,
    });
  }
  return decode(caseDocument, only, path);
}

/** One case, an array of them, or one a line. */
function readCases(content: string, path: string): readonly unknown[] {
  const lines = content.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > 1 && lines.every((line) => line.startsWith("{") && line.trimEnd().endsWith("}"))) {
    return lines.map((line, at) => parseStrict(line, `${path}:${at + 1}`));
  }
  const document = parseStrict(content, path);
  return Array.isArray(document) ? (document as readonly unknown[]) : [document];
}
