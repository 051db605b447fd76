import { basename, dirname, join } from "node:path";
import { LnError } from "../protocol/errors.js";
import { appendTo, encode, makeFolder, putFile, readIfThere, readText, writeOutput, type Existing } from "./atomic-file.js";
import { ifThere, refusing } from "./failures.js";
import { nodeHost, type Host } from "./file-system.js";
import { fault, readHighwater, type Marks } from "./highwater.js";
import { createKeys, readKeys, type Keys } from "./keys-file.js";
import type { PartyPaths } from "./paths.js";
import { planJournal, type JournalEntry } from "./journal-file.js";
import { readLines, writePatch } from "./line-file.js";
import { findRevoked, planRevoked, readRevoked } from "./revoked-file.js";
import { stateReader, successor, type JsonObject, type Parse, type State } from "./state.js";
import { commit, foresee, settle, type Companions, type Site } from "./update.js";

/** A state as it was read or written. Saving compares with it. */
export type Loaded = Pick<State, "document" | "revision" | "hash">;

/**
 * What a state is read for.
 * `update`: to change it, or to print again what it holds; what a killed process left is carried out first.
 * `look`: status reports and dry runs; the same state and the same checks, and no file is touched.
 * `pure`: a function from one file to another (`--channel-out`); the channel file alone counts, and may be a pipe.
 */
export type Purpose = "update" | "look" | "pure";

export interface Change {
  readonly marks: Marks;
  /** Lines for revoked.ndjson, each with its `number`. */
  readonly revoked?: readonly JsonObject[];
  /** What happened, for the journal where there is one. */
  readonly journal?: JournalEntry;
}

/** The files of parties: documents in, documents out, whole or not at all. */
export interface Store {
  /**
   * Throws: file-folder-missing, file-not-folder, file-missing, file-unreadable, file-damaged, file-too-large, file-revision-stale, file-edited,
   * file-highwater-missing, file-highwater-stale, file-version-newer; file-not-written when what a killed process left cannot be carried out.
   */
  load(paths: PartyPaths, purpose: Purpose): Loaded;
  /** A state that was read from elsewhere; `source` is what refusals call it. Throws: file-damaged. */
  loadText(text: string, source: string): Loaded;
  /**
   * Replaces `loaded` by `document`, whose revision and previous_state_hash it sets. All is durable when it returns.
   * Throws: file-revision-conflict, busy-channel, file-not-regular, file-not-written, file-revoked-order; file-not-durable.
   */
  save(paths: PartyPaths, loaded: Loaded, document: JsonObject, change: Change): Loaded;
  /** The first state of a party, in a folder that is made if need be. Throws: file-exists, and what save does. */
  createChannel(paths: PartyPaths, document: JsonObject, change: Change): Loaded;
  /** Every line of the revoked file, in order. Throws: file-damaged, file-unreadable. */
  revokedLines(paths: PartyPaths): readonly JsonObject[];
  /** What save would make of `document`, and its text: for an output that is not a party's file. */
  next(loaded: Loaded | undefined, document: JsonObject): Loaded & { readonly text: string };
  /** Writes that text to `file`, or into a pipe or device. Throws: file-not-written. */
  writeState(file: string, text: string): void;
  /** Adds lines to a revoked file that belongs to no folder, or writes them into a pipe. Throws: file-not-written, file-revoked-order. */
  appendRevoked(file: string, documents: readonly JsonObject[]): void;
  /** Every line of that commitment number. Throws: file-damaged, file-unreadable. */
  findRevoked(paths: PartyPaths, number: number): readonly JsonObject[];
  /** What a highwater file says of how far its party has committed itself; undefined where there is none. Throws: file-damaged, file-version-newer. */
  readMarks(path: string): (Marks & { readonly revision: number }) | undefined;
  /** Every complete line of a file of documents, its bytes' text and what they say. Throws: file-damaged, file-unreadable. */
  lines(path: string): readonly { readonly text: string; readonly document: JsonObject }[];
  /** Every regular file below a folder, by name; nothing hidden. Throws: file-folder-missing, file-not-folder, file-unreadable. */
  filesBelow(folder: string): readonly string[];
  /** Writes secrets, in a folder that is made if need be. Throws: file-exists, file-not-written. */
  createKeys(paths: PartyPaths, document: JsonObject): void;
  /** Reads secrets. Throws: file-mode if strict, file-missing, file-unreadable, file-damaged. */
  readKeys(paths: PartyPaths, options: { readonly strict: boolean }): Keys;
  /** The party folders that a folder stands for: itself, or those in it, by their names. Throws: file-folder-missing, file-not-folder. */
  partyFolders(folder: string): readonly string[];
  /** Any text file, pipe or device. Throws: file-missing, file-unreadable, file-damaged, file-too-large. */
  readText(path: string): string;
  /** Throws: output-not-written, output-closed; output-exists if it is to keep what differs. */
  writeOutput(path: string, text: string, existing: Existing): void;
  /** Before anything moves: that an output named by the user can be written, and is no party's file. Throws: output-not-written, output-over-party-file. */
  requireWritable(path: string): void;
  /** A folder for outputs. Throws: output-not-written. */
  makeFolder(path: string): void;
}

export function openStore(parse: Parse, host: Host = nodeHost()): Store {
  const states = stateReader(parse);
  const siteOf = (paths: PartyPaths): Site => ({ host, paths, parse, read: states.read });
  const companionsOf = (paths: PartyPaths, base: Loaded | undefined, next: State, { marks, revoked = [], journal }: Change): Companions => ({
    marks,
    revoked: revoked.length === 0 ? undefined : planRevoked(host, parse, paths.revoked, revoked),
    journal: journal === undefined ? undefined : planJournal(host, parse, paths.journal, journal, { before: base?.hash ?? null, next }),
  });

  return {
    load(paths, purpose) {
      if (purpose === "pure" || isStream(host, paths.channel)) return states.read(readText(host, paths.channel), paths.channel);
      for (;;) {
        const site = siteOf(paths);
        const state = writing(paths.channel, () => (purpose === "look" ? foresee(site) : settle(site)));
        if (state === undefined) throw absence(host, paths);
        const text = readIfThere(host, paths.highwater);
        const found = fault(state, text === undefined ? undefined : readHighwater(parse, text, paths.highwater), paths);
        if (found === undefined) return state;
        // The two files were read one after the other: another process may have saved in between.
        if (readIfThere(host, paths.channel) === state.text) throw found;
      }
    },

    loadText: (text, source) => states.read(text, source),

    save(paths, loaded, document, change) {
      const next = successor(loaded, document);
      states.remember(next);
      writing(paths.channel, () => {
        commit(siteOf(paths), loaded, next, companionsOf(paths, loaded, next, change));
      });
      return next;
    },

    createChannel(paths, document, change) {
      const next = successor(undefined, document);
      writing(paths.channel, () => {
        makeFolder(host, dirname(paths.channel));
        const site = siteOf(paths);
        // Its own lines are what it left when it could write no further: it goes on from there
        const others = beginsWith(host, paths.revoked, change.revoked ?? []) ? [] : [paths.revoked];
        const held = settle(site) === undefined ? [paths.highwater, ...others] : [paths.channel];
        for (const path of held) {
          if (ifThere(() => host.fs.lstatSync(path)) !== undefined) {
            throw new LnError("file-exists", `${path} exists: a channel is never created over another, or over what is left of one`, { path });
          }
        }
        commit(site, undefined, next, companionsOf(paths, undefined, next, change));
      });
      return next;
    },

    next: successor,

    requireWritable(path) {
      if (path.endsWith("/")) return;
      const stats = ifThere(() => host.fs.statSync(path));
      if (stats?.isDirectory() === true) throw new LnError("output-not-written", `${path} is a folder: -o ${path}/ writes into it`, { path });
      if (stats === undefined && ifThere(() => host.fs.statSync(dirname(path))) === undefined) {
        throw new LnError("output-not-written", `${path} cannot be written: there is no folder ${dirname(path)}`, { path });
      }
      if (stats?.isFile() === true && isPartyFile(path)) {
        throw new LnError("output-over-party-file", `${path} is a party's file: no output is written over it`, { path });
      }
    },

    writeState(file, text) {
      if (isPartyFile(file) && ifThere(() => host.fs.statSync(besideChannel(file))) !== undefined) {
        throw new LnError("output-over-party-file", `${file} is in use by a party: without --channel-out it is rewritten in place`, { path: file });
      }
      writing(file, () => {
        putFile(host, file, text);
      });
    },

    appendRevoked(file, documents) {
      writing(file, () => {
        const stats = ifThere(() => host.fs.statSync(file));
        if (stats?.isFile() === false) {
          appendTo(host, file, encode(documents.map((document) => `${JSON.stringify(document)}\n`).join("")));
          return;
        }
        const patch = planRevoked(host, parse, file, documents);
        if (patch !== undefined) writePatch(host, file, patch);
      });
    },

    revokedLines: (paths) => readRevoked(host, parse, paths.revoked),
    findRevoked: (paths, number) => findRevoked(host, parse, paths.revoked, number),

    readMarks(path) {
      const text = readIfThere(host, path);
      if (text === undefined) return undefined;
      const { revision, marks } = readHighwater(parse, text, path);
      return { revision, ...marks };
    },

    lines: (path) => readLines(host, parse, path),

    filesBelow(folder) {
      requireFolder(host, folder);
      const below = (inside: string): readonly string[] =>
        refusing("file-unreadable", inside, "cannot be read", () => host.fs.readdirSync(inside))
          .filter((name) => !name.startsWith("."))
          .sort()
          .flatMap((name) => {
            const path = join(inside, name);
            const stats = ifThere(() => host.fs.lstatSync(path));
            if (stats?.isDirectory() === true) return below(path);
            return stats?.isFile() === true ? [path] : [];
          });
      return below(folder);
    },

    createKeys(paths, document) {
      writing(paths.keys, () => {
        createKeys(host, paths.keys, document);
      });
    },

    readKeys: (paths, { strict }) => readKeys(host, parse, paths.keys, strict),
    readText: (path) => readText(host, path),

    partyFolders(folder) {
      const isParty = (path: string): boolean => ifThere(() => host.fs.statSync(join(path, "channel.json"))) !== undefined;
      if (isParty(folder)) return [folder];
      requireFolder(host, folder);
      const inside = refusing("file-unreadable", folder, "cannot be read", () => host.fs.readdirSync(folder));
      return inside.sort().flatMap((name) => (isParty(join(folder, name)) ? [join(folder, name)] : []));
    },

    writeOutput(path, text, existing) {
      writeOutput(host, path, text, existing);
    },

    makeFolder(path) {
      refusing("output-not-written", path, "was not made", () => {
        makeFolder(host, path);
      });
    },
  };
}

/** Throws: file-folder-missing, file-not-folder. */
function requireFolder(host: Host, folder: string): void {
  const stats = ifThere(() => host.fs.statSync(folder));
  if (stats === undefined) throw new LnError("file-folder-missing", `there is no folder ${folder}`, { path: folder, folder });
  if (!stats.isDirectory()) throw new LnError("file-not-folder", `${folder} is no folder`, { path: folder, folder });
}

/** A pipe or a device, which is read once, and beside which there is nothing: a FIFO, `<(…)`. Saving refuses it. */
function isStream(host: Host, path: string): boolean {
  return ifThere(() => host.fs.statSync(path))?.isFile() === false;
}

/** The names that a party's files have, in a folder or singly. */
function isPartyFile(path: string): boolean {
  return /(^|[.])(channel[.]json|keys[.]json|highwater[.]json|(revoked|journal)[.]ndjson)$/.test(basename(path));
}

/** What vouches for a channel file that is in use. */
function besideChannel(path: string): string {
  return join(dirname(path), "highwater.json");
}

/** Whether what is in a revoked file is where these lines begin, the last of them perhaps torn. */
function beginsWith(host: Host, path: string, lines: readonly JsonObject[]): boolean {
  const text = readIfThere(host, path);
  return (
    text === undefined ||
    lines
      .map((line) => `${JSON.stringify(line)}\n`)
      .join("")
      .startsWith(text)
  );
}

/** For whatever changes a party's files: reading reports its own failures, so what is left over is about writing. */
function writing<T>(path: string, act: () => T): T {
  return refusing("file-not-written", path, "was not written", act);
}

/** Why there is no channel file. */
function absence(host: Host, paths: PartyPaths): LnError {
  const folder = dirname(paths.channel);
  const name = basename(paths.channel);
  const stats = ifThere(() => host.fs.statSync(folder));
  const details = { path: paths.channel, folder };
  if (stats === undefined) return new LnError("file-folder-missing", `there is no folder ${folder}`, details);
  if (!stats.isDirectory()) return new LnError("file-not-folder", `${folder} is a file, and a party is a folder with ${name} in it`, details);
  const left = ifThere(() => host.fs.lstatSync(paths.highwater)) !== undefined;
  const reason = left ? `it was removed, for ${basename(paths.highwater)} is there` : "no channel has been opened or accepted in it";
  return new LnError("file-missing", `the folder ${folder} has no ${name}: ${reason}`, details);
}
