import { previewCommitment, selectCommitment } from "../protocol/channel/select.js";
import { requireFunded } from "../protocol/channel/state.js";
import { SIDES } from "../protocol/side.js";
import { defineCommand } from "./shared/command.js";
import { flag, integer, oneOf, requiredFlag, toggle } from "./shared/options.js";
import { loadParty, locateParty, partyArgument, partyFlags } from "./shared/load-party.js";
import { commitmentDocument } from "./shared/transactions.js";

export const command = defineCommand({
  name: "build-commitment",
  summary: "build a commitment transaction, ours or the peer's",
  description:
    "Builds the commitment that the state determines, without any key. --owner remote is the peer's, which we sign (the article's PayMeFirst); " +
    "--owner local is ours, which the peer signs (PayOtherFirst). The next one where there is something new for it, else the newest signed.",
  args: [partyArgument],
  batch: {
    help: "instead of a party a file of NDJSON, a commitment case a line: build the commitment of each",
    file: ([file = "-"]) => file,
    with: ["explain"],
    // Loaded for this alone: a single commitment starts without it
    line: async (line, source, { explain }) => {
      const { commitmentOfCase } = await import("./build-commitment/of-case.js");
      return { document: commitmentOfCase(line, source, explain === true) };
    },
  },
  flags: {
    channel: partyFlags.channel,
    keys: partyFlags.keys,
    owner: requiredFlag("--owner <side>", "whose commitment: local (ours) or remote (the peer's)", oneOf(SIDES)),
    number: flag("--number <n>", "one of the commitments held, by its number", integer(0, 2 ** 48 - 1)),
    preview: toggle("--preview", "what it will be once everything proposed has reached it: never signable"),
    explain: toggle("--explain", "every intermediate value under the spec's labels"),
  },
  examples: [
    "chankit build-commitment alice --owner remote",
    "chankit build-commitment alice --owner remote | chankit sign alice -",
    "chankit build-commitment --batch cases.ndjson | jq -r .txid",
  ],
  curve: true,
  exits: [1, 4, 5],
  run: (ctx, args, o) => {
    const state = requireFunded(loadParty(ctx, locateParty(args, o).paths, { ...o, dryRun: true }).state);
    const held = o.preview === true ? previewCommitment(state, o.owner) : selectCommitment(state, o.owner, o.number);
    return {
      document: commitmentDocument(held, o.explain === true),
      fileName: `commitment-${state.party}-${o.owner}-${held.commitment.number}.json`,
    };
  },
});
