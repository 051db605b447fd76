import { receiveRevocation } from "../protocol/channel/transitions/revoke.js";
import { defineCommand } from "./shared/command.js";
import { changeFlags, loadParty, locateParty, messageArgument, partyArgument, readMessageFile, receiving, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "receive-revocation",
  summary: "verify and store the peer's secret",
  description:
    "Takes in a revoke_and_ack: the secret must be that of the peer's last point and fit all earlier ones. From then on its old commitment can be punished.",
  args: [partyArgument, messageArgument],
  flags: changeFlags,
  examples: [
    "chankit receive-revocation alice wire/0004-bob-revoke_and_ack.json",
    "chankit make-revocation bob | chankit receive-revocation alice -",
  ],
  curve: true,
  exits: [4, 5],
  run: (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const received = readMessageFile(ctx, rest[0]);
    const party = loadParty(ctx, paths, o);
    const outcome = receiving(() => receiveRevocation(party.state, received));
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state), { received });
  },
});
