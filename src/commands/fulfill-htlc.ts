import { propose } from "../protocol/channel/transitions/changes.js";
import { deadlineMustAllow, requireRemovable } from "../protocol/policy/htlcs.js";
import { requireFunded } from "../protocol/channel/state.js";
import { defineCommand } from "./shared/command.js";
import { flag, htlcId, integer, requestId, requiredFlag, text } from "./shared/options.js";
import { readPreimage } from "./shared/preimage.js";
import { changeFlags, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "fulfill-htlc",
  summary: "claim a received HTLC with its preimage: update_fulfill_htlc",
  description:
    "Reveals the preimage of an HTLC that the peer offered, once it is irrevocably committed on both sides, and prints update_fulfill_htlc. " +
    "With --height it refuses where too few blocks are left to enforce the HTLC on chain.",
  args: [partyArgument, { syntax: "[id]", help: "the HTLC's id in the peer's direction" }],
  flags: {
    ...changeFlags,
    preimage: requiredFlag("--preimage <file>", "32 bytes in hex, read from a file or -", text),
    height: flag("--height <blocks>", "the chain's height, to judge the deadline by", integer(0, 499_999_999)),
    requestId: flag("--request-id <id>", "makes a second run print the first one's message (the last 64 ids are remembered)", requestId),
  },
  examples: [
    "chankit fulfill-htlc bob 0 --preimage preimage.hex -o wire/",
    "echo $PREIMAGE | chankit fulfill-htlc bob 0 --preimage - --height 450 -o wire/",
  ],
  curve: false,
  exits: [4, 5],
  run: (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const id = htlcId(rest[0]);
    const paymentPreimage = readPreimage(ctx, o.preimage);
    const party = loadParty(ctx, paths, o);
    if (o.height !== undefined) deadlineMustAllow(requireRemovable(requireFunded(party.state), "local", id), o.height);
    const outcome = propose(party.state, { kind: "fulfill_htlc", id, paymentPreimage }, o.requestId);
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
  },
});
