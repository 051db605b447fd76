import { propose } from "../protocol/channel/transitions/changes.js";
import { LnError } from "../protocol/errors.js";
import { defineCommand } from "./shared/command.js";
import { amountMsat, flag, requestId } from "./shared/options.js";
import { changeFlags, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "pay",
  summary: "propose to shift balance to the peer",
  description:
    "Proposes to shift balance to the peer and prints the pay message: chankit's own, for BOLT has no direct shift. It takes effect step by step, first on the peer's commitment. " +
    "Run twice, it pays twice; with --request-id the same request gives the same message again.",
  args: [partyArgument, { syntax: "[amount]", help: "with its unit: 0.02btc, 2000000sat, 5000msat" }],
  flags: {
    ...changeFlags,
    requestId: flag("--request-id <id>", "makes a second run print the first one's message (the last 64 ids are remembered)", requestId),
  },
  examples: ["chankit pay alice 0.02btc -o wire/", "chankit pay alice 2000000sat --request-id invoice-7 | chankit receive bob -"],
  curve: false,
  exits: [4, 5],
  run: (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const party = loadParty(ctx, paths, o);
    const [amount] = rest;
    if (amount === undefined) throw new LnError("usage-argument", "name the amount, with its unit: 0.02btc", {});
    const outcome = propose(party.state, { kind: "pay", amountMsat: amountMsat(amount) }, o.requestId);
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
  },
});
