import { bytes32 } from "../protocol/bytes.js";
import { propose } from "../protocol/channel/transitions/changes.js";
import { LnError } from "../protocol/errors.js";
import { defineCommand } from "./shared/command.js";
import { onionOf } from "./shared/onion.js";
import { amountMsat, flag, hexOf, integer, requestId, requiredFlag, text } from "./shared/options.js";
import { changeFlags, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "add-htlc",
  summary: "offer an HTLC: update_add_htlc",
  description:
    "Offers a payment on condition of a preimage and prints update_add_htlc. The id is the next of our direction. Run twice, it offers two; --request-id names one.",
  args: [partyArgument, { syntax: "[amount]", help: "with its unit: 0.001btc, 100000sat, 5000msat" }],
  flags: {
    ...changeFlags,
    paymentHash: requiredFlag("--payment-hash <hex>", "SHA256 of the preimage", (value) => bytes32(hexOf(32)(value))),
    cltvExpiry: requiredFlag("--cltv-expiry <height>", "the block from which we may take it back", integer(0, 0xffffffff)),
    onion: flag("--onion <file>", "the onion packet: 1366 bytes in hex (default: zeros)", text),
    requestId: flag("--request-id <id>", "makes a second run print the first one's message (the last 64 ids are remembered)", requestId),
  },
  examples: [
    "chankit add-htlc alice 0.001btc --payment-hash 66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925 --cltv-expiry 500 -o wire/",
    "chankit add-htlc bob 5000sat --payment-hash $HASH --cltv-expiry 520 | chankit receive alice -",
  ],
  curve: false,
  exits: [4, 5],
  run: (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const [amount] = rest;
    if (amount === undefined) throw new LnError("usage-argument", "name the amount, with its unit: 0.001btc", {});
    const onionRoutingPacket = onionOf(ctx, o.onion);
    const party = loadParty(ctx, paths, o);
    const { paymentHash, cltvExpiry } = o;
    const outcome = propose(
      party.state,
      { kind: "add_htlc", amountMsat: amountMsat(amount), paymentHash, cltvExpiry, onionRoutingPacket },
      o.requestId,
    );
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
  },
});
