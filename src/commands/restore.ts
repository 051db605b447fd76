import { printChannel, revokedHtlcs } from "../json/channel-file.js";
import { decode } from "../json/decode.js";
import { highestSigned, lowestUnreleased } from "../protocol/channel/state.js";
import { restore } from "../protocol/channel/transitions/backup.js";
import { done } from "../protocol/channel/transitions/outcome.js";
import { LnError } from "../protocol/errors.js";
import { readBackup } from "./shared/backup.js";
import { defineCommand } from "./shared/command.js";
import { toggle } from "./shared/options.js";
import { changeFlags, journalEntry, loadKeys, locateParty, partyArgument, partyFlags, requireNew } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

const { keys, strict } = partyFlags;
const { journal } = changeFlags;

export const command = defineCommand({
  name: "restore",
  summary: "make a party from a backup: it counts as having lost state",
  description:
    "Makes PARTY/channel.json and PARTY/revoked.ndjson from what chankit backup wrote, beside the PARTY/keys.json that is there. Whatever the backup's age, the party never publishes an own commitment " +
    "and signs nothing: reestablish asks the peer to close, sweep and penalty-tx take what is ours of what it publishes.",
  args: [partyArgument, { syntax: "[backup]", help: "the backup, or -" }],
  flags: { keys, strict, dryRun: toggle("--dry-run", "check everything, write nothing"), journal },
  examples: ["chankit restore alice backups/backup-alice-17.json", "chankit reestablish alice | ssh peer …"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, { keys: o.keys });
    const [file] = rest;
    if (file === undefined) throw new LnError("usage-argument", "name the backup, or - for standard input", {});
    const { state: held, revoked } = readBackup(ctx, file);
    for (const line of revoked) decode(revokedHtlcs, line, `${file}: revoked`);
    requireNew(ctx, paths);
    const state = restore(held, await loadKeys(ctx, paths, o));
    const summary = { ...channelSummary(state), revoked_lines: revoked.length };
    if (o.dryRun === true) return { document: { dry_run: true, ...summary } };
    const signed = highestSigned(state);
    const marks = { lowestUnreleased: lowestUnreleased(state), highestSigned: signed < 0 ? null : signed };
    ctx.store.createChannel(paths, printChannel(state), { marks, revoked, journal: journalEntry(ctx, o, undefined, done(state)) });
    return { document: summary };
  },
});
