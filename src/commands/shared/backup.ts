import { readChannel } from "../../json/channel-file.js";
import { anyObject, integer, list, literal, text } from "../../json/codec.js";
import { decode } from "../../json/decode.js";
import { fields } from "../../json/fields.js";
import { parseStrict } from "../../json/strict.js";
import type { ChannelState } from "../../protocol/channel/state.js";
import type { Document } from "./command.js";
import type { Context } from "./context.js";
import { readInput } from "./load-party.js";

export const BACKUP_FORMAT = "chankit-backup";

const backupFile = fields({
  format: literal(BACKUP_FORMAT),
  version: literal(1),
  party: text,
  funding: text,
  of_revision: integer,
  channel: anyObject,
  revoked: list(anyObject),
});

/** A backup: the channel, and the lines of its revoked file. Throws: json-…, file-version-newer, input-unreadable. */
export function readBackup(ctx: Context, path: string): { readonly state: ChannelState; readonly revoked: readonly Document[] } {
  const { channel, revoked } = decode(backupFile, parseStrict(readInput(ctx, path), path), path);
  return { state: readChannel(channel, `${path}: channel`), revoked };
}
