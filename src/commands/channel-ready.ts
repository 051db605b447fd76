import { requireFunded } from "../protocol/channel/state.js";
import { channelReady } from "../protocol/channel/transitions/funding.js";
import { defineCommand } from "./shared/command.js";
import { changeFlags, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "channel-ready",
  summary: "the funding is confirmed: channel_ready",
  description: "Prints channel_ready, which gives the peer our point 1. When the funding is deep enough is yours to say: chankit sees no chain.",
  args: [partyArgument],
  flags: changeFlags,
  examples: ["chankit channel-ready alice -o wire/", "chankit channel-ready alice | chankit receive bob -"],
  curve: false,
  exits: [4, 5],
  run: (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const party = loadParty(ctx, paths, o);
    const outcome = channelReady(requireFunded(party.state));
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
  },
});
