import { displayTxid } from "../protocol/bytes.js";
import { requireFunded } from "../protocol/channel/state.js";
import { receiveFundingSigned, releaseFunding } from "../protocol/channel/transitions/funding.js";
import { done } from "../protocol/channel/transitions/outcome.js";
import { defineCommand } from "./shared/command.js";
import { changeFlags, loadParty, locateParty, partyArgument, readMessageFile, receiving, settle } from "./shared/party.js";

export const command = defineCommand({
  name: "release-funding",
  summary: "verify that: only now may the funding go out",
  description:
    "Takes in the funding_signed (unless `receive` did): verifies and stores the peer's signature of our commitment 0. Only then does it print what to sign and broadcast.",
  args: [partyArgument, { syntax: "[message]", help: "the funding_signed, unless it was received" }],
  flags: changeFlags,
  examples: ["chankit release-funding alice wire/0002-bob-funding_signed.json", "chankit release-funding alice"],
  curve: true,
  exits: [4, 5],
  run: (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const [file] = rest;
    const received = file === undefined ? undefined : readMessageFile(ctx, file);
    const party = loadParty(ctx, paths, o);
    const outcome = received === undefined ? done(party.state, { repeated: true }) : receiving(() => receiveFundingSigned(party.state, received));
    const released = releaseFunding(requireFunded(outcome.state));
    const [{ txid, outputIndex, amount }] = released.fundings;
    // What is only checked is not stored, and what is not stored does not protect
    const stored = o.dryRun !== true;
    const summary = () => ({
      funding_txid: displayTxid(txid),
      funding_output_index: outputIndex,
      funding_satoshis: Number(amount),
      may_be_broadcast: stored,
      ...(released.fundingPsbt === null || !stored ? {} : { psbt: released.fundingPsbt }),
    });
    return settle(ctx, party, outcome, o, summary, { received });
  },
});
