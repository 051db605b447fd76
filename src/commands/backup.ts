import { printChannel } from "../json/channel-file.js";
import { backUp } from "../protocol/channel/transitions/backup.js";
import { BACKUP_FORMAT } from "./shared/backup.js";
import { defineCommand } from "./shared/command.js";
import { loadParty, locateParty, partyArgument, partyFlags } from "./shared/load-party.js";
import { fundingOutpoint } from "./shared/summary.js";

const { channel } = partyFlags;

export const command = defineCommand({
  name: "backup",
  summary: "write a copy of the channel that is safe to restore, however old",
  description:
    "Writes what of the channel may be restored at any later time: it lets its owner ask the peer to close, take what the peer's commitment pays, and punish revoked ones; it holds no signature " +
    "of an own commitment, so that none can be published from it. Keys are not in it: keep keys.json, which never changes, elsewhere. chankit restore reads it.",
  args: [partyArgument],
  flags: { channel },
  examples: ["chankit backup alice -o backups/", "chankit backup alice | age -r age1… > alice.backup.age"],
  curve: false,
  exits: [4, 5],
  run: (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const state = backUp(loadParty(ctx, paths, { ...o, dryRun: true }).state);
    const { revision } = ctx.store.load(paths, o.channel === undefined ? "look" : "pure");
    return {
      document: {
        format: BACKUP_FORMAT,
        version: 1,
        party: state.party,
        funding: fundingOutpoint(state),
        of_revision: revision,
        channel: printChannel(state),
        revoked: ctx.store.revokedLines(paths),
      },
      fileName: `backup-${state.party}-${revision}.json`,
    };
  },
});
