import type { Received } from "../protocol/channel/message-log.js";
import type { ChannelState } from "../protocol/channel/state.js";
import type { Outcome } from "../protocol/channel/transitions/outcome.js";
import { isOfClose } from "../protocol/channel/clearing.js";
import { receiveByType } from "../protocol/channel/transitions/receive.js";
import { LnError } from "../protocol/errors.js";
import { defineCommand } from "./shared/command.js";
import { changeFlags, loadParty, locateParty, messageArgument, partyArgument, readMessageFile, receiving, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "receive",
  summary: "take in any message, by its type",
  description:
    "Checks a message of the peer's and takes it in. One that is held already says so and changes nothing. " +
    "open_channel and funding_created are answered at once: `accept-channel`, `sign-funding`. What a close needs next, `close` gives.",
  args: [partyArgument, messageArgument],
  flags: changeFlags,
  examples: ["chankit receive bob wire/0004-alice-pay.json", "chankit sign alice | chankit receive bob -"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const received = readMessageFile(ctx, rest[0]);
    const party = loadParty(ctx, paths, o);
    const close = isOfClose(received.message) ? await import("../protocol/channel/transitions/receive-close.js") : undefined;
    const outcome = receiving(() => (close === undefined ? receive(party.state, received) : close.receiveOfClose(party.state, received)));
    return settle(ctx, party, outcome, o, () => ({ received: received.message.type, ...channelSummary(outcome.state) }), { received });
  },
});

function receive(state: ChannelState, received: Received): Outcome {
  const outcome = receiveByType(state, received);
  if (outcome !== null) return outcome;
  const { type } = received.message;
  switch (type) {
    case "channel_reestablish":
      throw new LnError("usage-command", "a channel_reestablish is answered: chankit reestablish", { type });
    case "open_channel":
      throw new LnError("usage-command", "an open_channel is answered: chankit accept-channel", { type });
    case "funding_created":
      throw new LnError("usage-command", "a funding_created is answered: chankit sign-funding", { type });
    default:
      throw new LnError("state-message-unsupported", `this chankit does not take in ${type}`, { type });
  }
}
