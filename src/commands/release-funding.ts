import { displayTxid } from "../protocol/bytes.js";
import { requireFunded } from "../protocol/channel/state.js";
import { receiveFundingSigned, releaseFunding } from "../protocol/channel/transitions/opening.js";
import { done } from "../protocol/channel/transitions/outcome.js";
import { defineCommand } from "./shared/command.js";
import { changeFlags, loadParty, partyArgument, readMessageFile, receiving, settle } from "./shared/party.js";

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
    const party = loadParty(ctx, args, o);
    const [file] = party.rest;
    const outcome = file === undefined ? done(party.state, { repeated: true }) : receiving(() => receiveFundingSigned(party.state, readMessageFile(ctx, file)));
    const released = releaseFunding(requireFunded(outcome.state));
    const [{ txid, outputIndex, amount }] = released.fundings;
    const report = settle(ctx, party, { ...outcome, repeated: outcome.repeated }, o, () => ({}));
    return {
      ...report,
      document: {
        ...report.document,
        funding_txid: displayTxid(txid),
        funding_output_index: outputIndex,
        funding_satoshis: Number(amount),
        may_be_broadcast: true,
        ...(released.fundingPsbt === null ? {} : { psbt: released.fundingPsbt }),
      },
    };
  },
});
