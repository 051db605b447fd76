import { basename, dirname, join } from "node:path";
import { LnError } from "../protocol/errors.js";
import { readBytes, readIfThere, removeFile, syncFolder, unfinishedPrefix, writeNew } from "./atomic-file.js";
import { ifThere, refusal, systemCode } from "./failures.js";
import type { Host } from "./file-system.js";
import { highwaterText, readHighwater, type Marks } from "./highwater.js";
import type { PartyPaths } from "./paths.js";
import { writePatch, type Patch } from "./line-file.js";
import { FIRST_REVISION, follows, type Parse, type ReadState, type State } from "./state.js";

/*
 * How channel.json changes: compare-and-swap without a lock, so there is none that a killed process could leave behind.
 *
 * An update is a folder with all that it writes, made durable under a name of its own and then given the name of the
 * revision it makes, `.channel.json.next-8`. The rename fails when a folder of that name has content: of two processes one
 * gets the name, and from then on its update is complete and anyone can carry it out, in this order:
 *
 *   revoked.ndjson and journal.ndjson patched, fsync · state renamed to channel.json · fsync · highwater renamed to highwater.json · fsync · folder removed
 *
 * Whoever loads or saves carries out what it finds (`settle`), and the one that owns an update does the same and no more: an
 * owner that is killed, stopped or slow holds nobody up. This is safe because
 * - each file of an update has a name that never comes again, so a rename that was decided on long ago either is the first
 *   one or finds nothing, and never puts back an old state;
 * - an update of 8 is carried out only if it was seen under its name first and channel.json seen at the 7 that it follows
 *   second. Names of updates go only after their revision is in place or, by their owner's hand, when it is past: what is
 *   seen in this order has had the name all the time, and nobody else has made an 8;
 * - the owner learns its fate from one unlink of its state file: gone means carried out, there means too late.
 */

/** A party's files, and what is needed to work on them. */
export interface Site {
  readonly host: Host;
  readonly paths: PartyPaths;
  readonly parse: Parse;
  readonly read: ReadState;
}

/** What an update writes beside the state. */
export interface Companions {
  readonly marks: Marks;
  readonly revoked: Patch | undefined;
  readonly journal: Patch | undefined;
}

/** The files that only grow, under the names that their patches have in an update. */
const GROWING = ["revoked", "journal"] as const;
type Growing = (typeof GROWING)[number];

/** An update under its revision's name: the files of it that are still there. */
interface Update {
  readonly folder: string;
  readonly state: string | undefined;
  readonly highwater: string | undefined;
  readonly patches: readonly { readonly of: Growing; readonly path: string; readonly offset: number }[];
  /** Who made them. In a folder that was emptied and taken over, more than one. */
  readonly owners: readonly number[];
}

/** The names of an update's files begin with its owner's process number and a part that no other update has. */
const FILE_NAME = /^([0-9]+)-\w+[.](state|highwater|(revoked|journal)-([0-9]+))$/;

/** channel.json as it stands, after everything that is under way or was left behind has been carried out. Undefined: none yet. */
export function settle(site: Site): State | undefined {
  for (;;) {
    const current = readCurrent(site);
    if (current !== undefined) finish(site, current);
    const next = pending(site, current);
    if (next === undefined) return current;
    if (next !== "moved") carryOut(site, next.update);
  }
}

/** What settle would return, without a file being touched. */
export function foresee(site: Site): State | undefined {
  for (;;) {
    const current = readCurrent(site);
    const next = pending(site, current);
    if (next === undefined) return current;
    if (next !== "moved") return next.state;
  }
}

/**
 * Puts `next` in the place of `base` (undefined: of nothing), or leaves everything as it is.
 * Throws: file-revision-conflict, busy-channel, file-not-regular, file-not-written; file-not-durable when `next` is in place nevertheless.
 */
export function commit(site: Site, base: Pick<State, "revision" | "hash"> | undefined, next: State, companions: Companions): void {
  const { host, paths } = site;
  const work = prepare(site, next, companions);
  if (!takeName(site, work.folder, next.revision)) {
    const current = settle(site);
    tidy(site, current);
    const unmoved = current?.revision === base?.revision && current?.hash === base?.hash;
    // What blocked the name may have been the update of a killed process that fits no state, and is tidied away now.
    if (!unmoved || !takeName(site, work.folder, next.revision)) {
      discard(host, work.folder);
      throw unmoved ? busy(paths.channel) : conflict(paths.channel, base, current);
    }
  }

  const named = nameOf(paths, next.revision);
  let failure: unknown;
  try {
    settle(site);
  } catch (error) {
    failure = error;
  }
  const tooLate = takeBack(site, join(named, work.state), next);
  if (tooLate) {
    for (const file of work.companions) removeFile(host, join(named, file));
    removeEmptied(host, named);
  }
  if (failure !== undefined) throw tooLate ? failure : notDurable(paths.channel, next.revision, failure);
  const current = readCurrent(site);
  tidy(site, current);
  if (tooLate) throw conflict(paths.channel, base, current);
}

/** Whether an update was still to be carried out, and now never will be. Throws: file-not-durable where it cannot be stopped any more. */
function takeBack(site: Site, state: string, next: State): boolean {
  try {
    return removeFile(site.host, state);
  } catch (error) {
    // A disk that has just become read-only: whoever can write to it again carries the update out, and all see its state until then.
    if (foresee(site)?.hash === next.hash) throw notDurable(site.paths.channel, next.revision, error);
    throw error;
  }
}

function readCurrent({ host, paths, read }: Site): State | undefined {
  const text = readIfThere(host, paths.channel);
  return text === undefined ? undefined : read(text, paths.channel);
}

function nameOf({ channel }: PartyPaths, revision: number): string {
  return `${namePrefix(channel)}${revision}`;
}

function namePrefix(channel: string): string {
  return join(dirname(channel), `.${basename(channel)}.next-`);
}

function look({ host, paths }: Site, revision: number): Update | undefined {
  const folder = nameOf(paths, revision);
  const names = ifThere(() => host.fs.readdirSync(folder));
  if (names === undefined) return undefined;
  const files = names.flatMap((name) => {
    const [, pid, kind = "", of, offset] = FILE_NAME.exec(name) ?? [];
    return pid === undefined ? [] : [{ path: join(folder, name), pid: Number(pid), kind, of, offset }];
  });
  const pathOf = (kind: string) => files.find((file) => file.kind === kind)?.path;
  return {
    folder,
    state: pathOf("state"),
    highwater: pathOf("highwater"),
    patches: GROWING.flatMap((of) => {
      const patch = files.find((file) => file.of === of);
      return patch === undefined ? [] : [{ of, path: patch.path, offset: Number(patch.offset) }];
    }),
    owners: files.map((file) => file.pid),
  };
}

/** The update that follows `current`. "moved": channel.json has changed since, or is just changing. */
function pending(site: Site, current: State | undefined): { readonly update: Update; readonly state: State } | "moved" | undefined {
  const update = look(site, current === undefined ? FIRST_REVISION : current.revision + 1);
  if (update === undefined) return undefined;
  if (readIfThere(site.host, site.paths.channel) !== current?.text) return "moved";
  if (update.state === undefined) return undefined;
  const text = readIfThere(site.host, update.state);
  if (text === undefined) return "moved";
  const state = site.read(text, update.state);
  return follows(state, current) ? { update, state } : undefined;
}

function carryOut({ host, paths }: Site, { state, patches }: Update): void {
  for (const { of, path, offset } of patches) {
    const bytes = ifThere(() => readBytes(host, path));
    if (bytes !== undefined) writePatch(host, paths[of], { offset, bytes });
  }
  if (state !== undefined)
    ifThere(() => {
      host.fs.renameSync(state, paths.channel);
    });
}

/** What is left to do of the update that made `current`: the folder goes only when all of it is durable. */
function finish(site: Site, current: State): void {
  const { host, paths } = site;
  const update = look(site, current.revision);
  if (update === undefined) return;
  syncFolder(host, dirname(paths.channel));
  const { highwater } = update;
  const text = highwater && readIfThere(host, highwater);
  if (highwater !== undefined && text !== undefined) {
    const { revision, stateHash } = readHighwater(site.parse, text, highwater);
    // An update that came too late for its revision has the highwater of another state.
    if (revision === current.revision && stateHash === current.hash) {
      ifThere(() => {
        host.fs.renameSync(highwater, paths.highwater);
      });
      syncFolder(host, dirname(paths.highwater));
    }
  }
  if (update.state !== undefined) return;
  for (const { path } of update.patches) removeFile(host, path);
  removeEmptied(host, update.folder);
}

/** An update with all its files, durable, under a name of its own. */
function prepare(
  { host, paths }: Site,
  next: State,
  { marks, ...growing }: Companions,
): { readonly folder: string; readonly state: string; readonly companions: readonly string[] } {
  const mode = modeToKeep(host, paths.channel);
  const prefix = unfinishedPrefix(paths.channel);
  const folder = host.fs.mkdtempSync(`${prefix}${host.pid}-`);
  try {
    const name = folder.slice(prefix.length);
    const state = `${name}.state`;
    const companions = [`${name}.highwater`];
    writeNew(host, join(folder, state), next.text, mode);
    writeNew(host, join(folder, `${name}.highwater`), highwaterText(next, marks), mode);
    for (const of of GROWING) {
      const patch = growing[of];
      if (patch === undefined) continue;
      const file = `${name}.${of}-${patch.offset}`;
      writeNew(host, join(folder, file), patch.bytes, mode);
      companions.push(file);
    }
    syncFolder(host, folder);
    return { folder, state, companions };
  } catch (error) {
    discard(host, folder);
    throw error;
  }
}

/** The mode that channel.json has. Throws: file-not-regular. */
function modeToKeep(host: Host, channel: string): number {
  const stats = ifThere(() => host.fs.lstatSync(channel));
  if (stats?.isFile() === false) {
    const message = `${channel} is no regular file (a symbolic link, a pipe, a folder), and cannot be rewritten in place: write the new state elsewhere`;
    throw new LnError("file-not-regular", message, { path: channel });
  }
  return (stats?.mode ?? 0o666) & 0o777;
}

/** False when an update of this revision has the name. Throws: busy-channel. */
function takeName(site: Site, folder: string, revision: number): boolean {
  try {
    site.host.fs.renameSync(folder, nameOf(site.paths, revision));
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    // Windows says EPERM.
    if (code !== undefined && look(site, revision) !== undefined) return false;
    discard(site.host, folder);
    // Tidied away by a process that cannot see this one, in another container say.
    throw code === "ENOENT" ? busy(site.paths.channel) : error;
  }
}

function busy(path: string): LnError {
  return new LnError("busy-channel", `another process is changing ${path}: try again`, { path });
}

function conflict(path: string, base: { readonly revision: number } | undefined, current: State | undefined): LnError {
  const read = base === undefined ? "absent" : `at revision ${base.revision}`;
  const now = current === undefined ? "is gone" : `is at revision ${current.revision}`;
  const message = `another process changed ${path}: it was ${read} when this command read it and ${now} now. Nothing was written`;
  return new LnError("file-revision-conflict", message, { path, revision_read: base?.revision ?? null, revision: current?.revision ?? null });
}

/** The new state is in place, and what failed came after that. */
function notDurable(path: string, revision: number, failure: unknown): unknown {
  const fact = `is at revision ${revision} now, but that may not survive a power failure`;
  if (failure instanceof LnError) {
    return new LnError("file-not-durable", `${path} ${fact}: ${failure.message}`, { ...failure.details, path, revision, cause: failure.code });
  }
  return refusal(failure, "file-not-durable", path, fact, { revision });
}

/**
 * Removes what killed processes have left: folders and files that never got their name, updates that came too late. Nothing
 * depends on it, so nothing fails with it.
 */
function tidy(site: Site, current: State | undefined): void {
  const { host, paths } = site;
  const folder = dirname(paths.channel);
  const names = willing(() => host.fs.readdirSync(folder)) ?? [];
  for (const path of names.map((name) => join(folder, name))) {
    willing(() => {
      const prefix = [paths.channel, paths.keys].map(unfinishedPrefix).find((start) => path.startsWith(start));
      if (prefix !== undefined) {
        if (!host.isAlive(parseInt(path.slice(prefix.length), 10))) takeAway(host, path, prefix);
      } else if (path.startsWith(namePrefix(paths.channel))) {
        tidyUpdate(site, current, Number(path.slice(namePrefix(paths.channel).length)));
      }
    });
  }
}

/** Removes the files of an update that will never be carried out and whose owner is gone. */
function tidyUpdate(site: Site, current: State | undefined, revision: number): void {
  const { host } = site;
  const reached = current?.revision ?? 0;
  // One that is further ahead belongs to a state later than the one read here.
  if (revision > reached + 1 || (revision === reached + 1 && pending(site, current) !== undefined)) return;
  const update = look(site, revision);
  if (update === undefined || update.owners.some((pid) => host.isAlive(pid))) return;
  for (const path of [update.state, update.highwater, ...update.patches.map((patch) => patch.path)]) if (path !== undefined) removeFile(host, path);
  removeEmptied(host, update.folder);
}

/** Removes an unfinished folder of this process. */
function discard(host: Host, folder: string): void {
  willing(() => {
    for (const name of host.fs.readdirSync(folder)) removeFile(host, join(folder, name));
    host.fs.rmdirSync(folder);
  });
}

/**
 * Removes an unfinished folder of another process, or a file. A folder is taken away before it is emptied: should its owner be
 * alive after all, it finds nothing to give the name to, instead of naming half an update.
 */
function takeAway(host: Host, path: string, prefix: string): void {
  if (!host.fs.lstatSync(path).isDirectory()) {
    removeFile(host, path);
    return;
  }
  const own = host.fs.mkdtempSync(`${prefix}${host.pid}-`);
  host.fs.renameSync(path, own);
  discard(host, own);
}

function removeEmptied(host: Host, folder: string): void {
  try {
    host.fs.rmdirSync(folder);
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

/** Does what can be done. */
function willing<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (systemCode(error) === undefined && !(error instanceof LnError)) throw error;
    return undefined;
  }
}
