import { reestablish, resume } from "../protocol/channel/transitions/reestablish.js";
import { done } from "../protocol/channel/transitions/outcome.js";
import { defineCommand } from "./shared/command.js";
import { changeFlags, loadKeys, loadParty, locateParty, messageReport, partyArgument, readMessageFile, receiving, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "reestablish",
  summary: "after a disconnect: channel_reestablish, and what to send again",
  description:
    "Without a message, which comes first: forgets what the peer proposed and never signed, and prints our channel_reestablish; until the peer's has come nothing else is sent or taken in. With the peer's: says what it lacks and prints that again, byte for byte, " +
    "in the order of the first time and under new numbers. A peer that proves that we have lost state makes this party refuse to broadcast, for ever.",
  args: [partyArgument, { syntax: "[message]", help: "the peer's channel_reestablish, or -" }],
  flags: changeFlags,
  examples: ["chankit reestablish alice -o wire/", "chankit reestablish alice wire/0009-bob-channel_reestablish.json -o wire/"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const [file] = rest;
    const received = file === undefined ? undefined : readMessageFile(ctx, file);
    const party = loadParty(ctx, paths, o);
    if (received === undefined) {
      const outcome = reestablish(party.state);
      return settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
    }
    const keys = await loadKeys(ctx, paths, o);
    const { state, repeated, retransmitted, behind } = receiving(() => resume(party.state, keys, received));
    const parts = o.dryRun === true ? [] : retransmitted.map((sent) => messageReport(state, sent));
    const summary = () => ({
      behind,
      retransmits: retransmitted.map(({ message }) => message.type),
      messages: parts.map(({ document }) => document),
      ...channelSummary(state),
    });
    const report = settle(ctx, party, done(state, { repeated }), o, summary, { received, sent: retransmitted });
    return { ...report, parts, undelivered: "chankit resend prints the messages again" };
  },
});
