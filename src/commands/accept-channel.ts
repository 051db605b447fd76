import { type AcceptOptions, acceptChannel } from "../protocol/channel/transitions/opening.js";
import { channelTypeOf } from "../protocol/tx/format.js";
import { sat } from "../protocol/units.js";
import { defineCommand } from "./shared/command.js";
import { partyName } from "./shared/identity.js";
import { openingFlags, ownFeatures, ownLimits, ownTerms } from "./shared/opening.js";
import { flag, integer } from "./shared/options.js";
import { changeFlags, loadKeys, locateParty, messageArgument, partyArgument, readMessageFile, receiving, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "accept-channel",
  summary: "accept it: accept_channel",
  description: "Checks an open_channel, creates PARTY/channel.json and prints the accept_channel message.",
  args: [partyArgument, messageArgument],
  flags: {
    ...changeFlags,
    minimumDepth: flag("--minimum-depth <blocks>", "confirmations of the funding before channel_ready (default: 3)", integer(0, 0xffffffff)),
    ...openingFlags,
  },
  examples: [
    "chankit accept-channel bob wire/0001-alice-open_channel.json -o wire/",
    "chankit open-channel alice --funding 0.1btc | chankit accept-channel bob -",
  ],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const received = readMessageFile(ctx, rest[0]);
    const { message } = received;
    const proposed = message.type === "open_channel" ? message : undefined;
    const funding = proposed?.fundingSatoshis ?? sat(0n);
    const channelType = channelTypeOf(proposed?.channelType ?? Uint8Array.of(0)) ?? "anchors";
    const options: AcceptOptions = {
      party: partyName(paths),
      chain: o.chain ?? "regtest",
      terms: ownTerms(o, channelType, funding),
      limits: ownLimits(o),
      minimumDepth: o.minimumDepth ?? 3,
      allowPay: o.withoutPay !== true,
      features: ownFeatures(o),
    };
    const keys = await loadKeys(ctx, paths, o);
    const outcome = receiving(() => acceptChannel(keys, received, options));
    return settle(ctx, { paths, loaded: undefined }, outcome, o, () => channelSummary(outcome.state), { received });
  },
});
