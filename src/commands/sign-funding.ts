import { signFunding } from "../protocol/channel/transitions/funding.js";
import { defineCommand } from "./shared/command.js";
import { changeFlags, loadKeys, loadParty, locateParty, messageArgument, partyArgument, readMessageFile, receiving, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "sign-funding",
  summary: "verify that, sign the opener's first commitment: funding_signed",
  description: "Verifies and stores the opener's signature of our commitment 0, then signs the opener's commitment 0 and prints funding_signed.",
  args: [partyArgument, messageArgument],
  flags: changeFlags,
  examples: ["chankit sign-funding bob wire/0002-alice-funding_created.json -o wire/", "chankit create-funding alice … | chankit sign-funding bob -"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const received = readMessageFile(ctx, rest[0]);
    const party = loadParty(ctx, paths, o);
    const keys = await loadKeys(ctx, party.paths, o);
    const outcome = receiving(() => signFunding(party.state, keys, received));
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state), { received });
  },
});
