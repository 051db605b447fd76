import { LnError } from "../../protocol/errors.js";
import { readChannel } from "../../json/channel-file.js";
import { FOLDER, type Run } from "../../explore/party.js";
import type { Who } from "../../explore/script.js";
import { type Standing, standingOf } from "../../explore/from-folders.js";
import { partyPaths } from "../../store/paths.js";
import { type Files, NO_FILES } from "../../store/memory-files.js";
import type { Context } from "../shared/context.js";

/**
 * The channel as two party folders have it. They are read once and never written: all that comes after happens in memory.
 * Throws: file-…, json-…, input-run, state-not-funded, policy-vector-channel.
 */
export async function standingIn(ctx: Context, folders: readonly [string, string], run: Run): Promise<Standing> {
  const [first, second] = folders;
  if (first === second) throw new LnError("usage-argument", "name the folders of both sides", { value: first });
  const openers = folders.filter((folder) => openerOf(ctx, folder) === "local");
  const alice = openers.length === 1 && openers[0] === second ? second : first;
  const names: Readonly<Record<Who, string>> = { alice, bob: alice === first ? second : first };
  return standingOf({ alice: run, bob: run }, { alice: filesOf(ctx, names.alice), bob: filesOf(ctx, names.bob) }, names);
}

function openerOf(ctx: Context, folder: string) {
  const { channel } = partyPaths(folder);
  return readChannel(ctx.store.load(partyPaths(folder), "look").document, channel).opener;
}

/** Secret: what a party's folder holds. */
function filesOf(ctx: Context, folder: string): Files {
  const files = new Map(NO_FILES).set(FOLDER, { kind: "folder" });
  const there = new Set(ctx.store.filesBelow(folder));
  const { channel, keys, highwater, revoked, journal } = partyPaths(folder);
  const optional = [revoked, journal].filter((path) => there.has(path));
  for (const path of [channel, keys, highwater, ...optional]) {
    const data = new TextEncoder().encode(ctx.store.readText(path));
    files.set(`${FOLDER}/${path.slice(path.lastIndexOf("/") + 1)}`, { kind: "file", data, mode: 0o600 });
  }
  return files;
}
