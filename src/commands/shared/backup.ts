import * as z from "zod/mini";
import { readChannel } from "../../json/channel-file.js";
import { decode } from "../../json/decode.js";
import { parseStrict } from "../../json/strict.js";
import type { ChannelState } from "../../protocol/channel/state.js";
import type { Document } from "./command.js";
import type { Context } from "./context.js";
import { readInput } from "./load-party.js";

export const BACKUP_FORMAT = "chankit-backup";

const backupFile = z.strictObject({
  format: z.literal(BACKUP_FORMAT),
  version: z.literal(1),
  party: z.string(),
  funding: z.string(),
  of_revision: z.int(),
  channel: z.looseObject({}),
  revoked: z.array(z.looseObject({ number: z.int() })),
});

/** A backup: the channel, and the lines of its revoked file. Throws: json-…, file-version-newer, input-unreadable. */
export function readBackup(ctx: Context, path: string): { readonly state: ChannelState; readonly revoked: readonly Document[] } {
  const { channel, revoked } = decode(backupFile, parseStrict(readInput(ctx, path), path), path);
  return { state: readChannel(channel, `${path}: channel`), revoked };
}
