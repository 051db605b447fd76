import { readChannel } from "../../json/channel-file.js";
import { parseStrict } from "../../json/strict.js";
import type { ChannelState } from "../../protocol/channel/state.js";
import { LnError } from "../../protocol/errors.js";
import type { Loaded, Purpose } from "../../store/channel-store.js";
import { type PartyPaths, partyPaths, singlePaths } from "../../store/paths.js";
import type { Context } from "./context.js";
import { type FlagValues, flag, text, toggle } from "./options.js";

/** Where a party's files are: a folder, or each named. */
export const partyFlags = {
  channel: flag("--channel <file>", "the channel file, instead of a party folder", text),
  keys: flag("--keys <file>", "the keys file, instead of the one beside the channel file", text),
  strict: toggle("--strict", "refuse a keys file that others may read"),
};

/** For commands that change the state. */
export const changeFlags = {
  ...partyFlags,
  dryRun: toggle("--dry-run", "check everything, write nothing, show no secret"),
  channelOut: flag("--channel-out <file>", "write the new state here and leave the old files alone", text),
  revokedOut: flag("--revoked-out <file>", "with --channel-out: where the line for revoked.ndjson goes", text),
  journal: toggle("--journal", "begin the party's journal.ndjson; once it is there, every step adds its line"),
};

export type PartyOptions = FlagValues<typeof partyFlags>;
export type ChangeOptions = FlagValues<typeof changeFlags>;

export const partyArgument = { syntax: "[party]", help: "the party's folder (left out with --channel)" };
export const messageArgument = { syntax: "[message]", help: "the message file, or - for standard input" };

/** A party and what was read of it. */
export interface Party {
  readonly paths: PartyPaths;
  readonly loaded: Loaded;
  readonly state: ChannelState;
}

/** The party's files from the arguments, and the arguments that are left. Throws: usage-party, usage-stdin-twice. */
export function locateParty(
  args: readonly string[],
  { channel, keys }: Partial<PartyOptions>,
): { readonly paths: PartyPaths; readonly rest: readonly string[] } {
  if (channel === "-" && args.includes("-")) throw new LnError("usage-stdin-twice", "the channel is read from -, so nothing else can be", {});
  if (channel !== undefined) return { paths: singlePaths(channel === "-" ? STDIN : channel, keys), rest: args };
  const [folder, ...rest] = args;
  if (folder === undefined) throw new LnError("usage-party", "name the party's folder, or its file with --channel", {});
  const paths = partyPaths(folder);
  return { paths: keys === undefined ? paths : { ...paths, keys }, rest };
}

/**
 * Commands read what is piped in before they load the party: a command further up the pipe may still be writing its files.
 * Throws: file-…, json-…, usage-stdin-twice.
 */
export function loadParty(ctx: Context, paths: PartyPaths, options: Partial<ChangeOptions>): Party {
  // Not by its name in /dev, which cannot be opened where standard input is a socket, as it is for a child process of Node's
  const loaded = paths.channel === STDIN ? ctx.store.loadText(ctx.readStdin(), "-") : loadNamed(ctx, paths, options);
  return { paths, loaded, state: readChannel(loaded.document, paths.channel) };
}

const STDIN = "/dev/stdin";

function loadNamed(ctx: Context, paths: PartyPaths, options: Partial<ChangeOptions>): Loaded {
  const purpose = purposeOf(options);
  try {
    return ctx.store.load(paths, purpose);
  } catch (error) {
    // To look at, a file named by itself needs none to vouch for it: it may be what --channel-out wrote, or a copy that an auditor was sent
    const alone = options.channel !== undefined && purpose === "look" && error instanceof LnError && error.code === "file-highwater-missing";
    if (!alone) throw error;
    return ctx.store.load(paths, "pure");
  }
}

function purposeOf({ channel, dryRun, channelOut }: Partial<ChangeOptions>): Purpose {
  if (channel === "-" || channelOut !== undefined) return "pure";
  return dryRun === true ? "look" : "update";
}

/** A document from a file or, for `-`, from standard input. Throws: file-…, json-…. */
export function readDocument(ctx: Context, path: string): unknown {
  return parseStrict(readInput(ctx, path), path);
}

/** Text from a file or, for `-`, from standard input. Throws: input-unreadable. */
export function readInput(ctx: Context, path: string): string {
  if (path === "-") return ctx.readStdin();
  try {
    return ctx.store.readText(path);
  } catch (error) {
    // A file handed to a command is not a party's: what is wrong with it is no fault of the store
    if (error instanceof LnError && error.code.startsWith("file-")) throw new LnError("input-unreadable", error.message, error.details);
    throw error;
  }
}
