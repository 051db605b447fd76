import { receiveCommitmentSigned } from "../protocol/channel/transitions/commit.js";
import { LnError } from "../protocol/errors.js";
import { defineCommand } from "./shared/command.js";
import { changeFlags, loadParty, locateParty, messageArgument, partyArgument, readMessageFile, receiving, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "verify-sig",
  summary: "verify and store the peer's signature of ours",
  description:
    "Builds our next commitment from our own state, verifies the peer's commitment_signed against it, HTLC signatures too, and stores it: from then on the commitment is ours to broadcast. " +
    "With --dry-run the signature is only judged: exit 0 or 1.",
  args: [partyArgument, messageArgument],
  flags: changeFlags,
  examples: ["chankit verify-sig bob wire/0005-alice-commitment_signed.json", "chankit sign alice | chankit verify-sig bob - --dry-run"],
  curve: true,
  exits: [1, 4, 5],
  run: (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const received = readMessageFile(ctx, rest[0]);
    const party = loadParty(ctx, paths, o);
    try {
      const outcome = receiving(() => receiveCommitmentSigned(party.state, received));
      const report = settle(ctx, party, outcome, o, () => ({ valid: true, ...channelSummary(outcome.state) }), { received });
      return { ...report, verdict: "yes" };
    } catch (error) {
      if (o.dryRun !== true || !(error instanceof LnError) || !/^state-(htlc-)?signature-/.test(error.code)) throw error;
      return { document: { dry_run: true, valid: false, code: error.code, reason: error.message, details: error.details }, verdict: "no" };
    }
  },
});
