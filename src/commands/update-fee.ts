import { propose } from "../protocol/channel/transitions/changes.js";
import { LnError } from "../protocol/errors.js";
import { defineCommand } from "./shared/command.js";
import { feerate, flag, requestId } from "./shared/options.js";
import { changeFlags, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "update-fee",
  summary: "change the commitments' feerate: update_fee",
  description: "Proposes another feerate, which the opener alone may do, and prints update_fee.",
  args: [partyArgument, { syntax: "[feerate]", help: "satoshis per 1000 weight units" }],
  flags: {
    ...changeFlags,
    requestId: flag("--request-id <id>", "makes a second run print the first one's message (the last 64 ids are remembered)", requestId),
  },
  examples: ["chankit update-fee alice 2500 -o wire/", "chankit update-fee alice 2500 | chankit receive bob -"],
  curve: false,
  exits: [4, 5],
  run: (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const [rate] = rest;
    if (rate === undefined) throw new LnError("usage-argument", "name the feerate, in satoshis per 1000 weight units", {});
    const party = loadParty(ctx, paths, o);
    const outcome = propose(party.state, { kind: "update_fee", feeratePerKw: feerate(rate) }, o.requestId);
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
  },
});
