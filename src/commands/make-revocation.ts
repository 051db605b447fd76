import { makeRevocation } from "../protocol/channel/transitions/revoke.js";
import { defineCommand } from "./shared/command.js";
import { changeFlags, loadKeys, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "make-revocation",
  summary: "give away the secret of our replaced commitment: revoke_and_ack",
  description:
    "Prints revoke_and_ack: the secret of our commitment n, once the peer's signature of n + 1 is stored, and our point n + 2. " +
    "After that publishing n would cost us everything. Run again, it prints the same message.",
  args: [partyArgument],
  flags: changeFlags,
  examples: ["chankit make-revocation bob -o wire/", "chankit make-revocation bob | chankit receive alice -"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const party = loadParty(ctx, paths, o);
    const outcome = makeRevocation(party.state, await loadKeys(ctx, party.paths, o));
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
  },
});
