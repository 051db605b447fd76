import { openChannel } from "../protocol/channel/transitions/opening.js";
import { CHANNEL_TYPES } from "../protocol/tx/channel-type.js";
import { FORMATS } from "../protocol/tx/format.js";
import { msat, perKw } from "../protocol/units.js";
import { defineCommand } from "./shared/command.js";
import { partyName } from "./shared/identity.js";
import { openingFlags, ownFeatures, ownLimits, ownTerms } from "./shared/opening.js";
import { amountMsat, amountSat, feerate, flag, oneOf, requiredFlag } from "./shared/options.js";
import { changeFlags, loadKeys, locateParty, partyArgument, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "open-channel",
  summary: "propose a channel: open_channel",
  description:
    "Creates PARTY/channel.json and prints the open_channel message. The opener funds the channel and pays the commitments' fees, where they pay any.",
  args: [partyArgument],
  flags: {
    ...changeFlags,
    funding: requiredFlag("--funding <amount>", "what the funding output will hold", amountSat),
    push: flag("--push <amount>", "what the accepter gets of it at the start (default: nothing)", amountMsat),
    channelType: flag("--channel-type <type>", `${CHANNEL_TYPES.join(", ")} (default: anchors)`, oneOf(CHANNEL_TYPES)),
    feerate: flag("--feerate <sat_per_kw>", "feerate of the commitments (default: 253; 0 for zero_fee_commitments, which pay none)", feerate),
    ...openingFlags,
  },
  examples: [
    "chankit open-channel alice --funding 0.1btc -o wire/",
    "chankit open-channel alice --funding 0.1btc --push 0.04btc --channel-type anchors --feerate 2500",
  ],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const channelType = o.channelType ?? "anchors";
    const outcome = openChannel(await loadKeys(ctx, paths, o), {
      party: partyName(paths),
      chain: o.chain ?? "regtest",
      channelType,
      fundingSatoshis: o.funding,
      pushMsat: o.push ?? msat(0n),
      feeratePerKw: o.feerate ?? perKw(FORMATS[channelType].hasFeerate ? 253n : 0n),
      terms: ownTerms(o, channelType, o.funding),
      limits: ownLimits(o),
      payExtension: o.withoutPay !== true,
      features: ownFeatures(o),
    });
    return settle(ctx, { paths, loaded: undefined }, outcome, o, () => channelSummary(outcome.state));
  },
});
