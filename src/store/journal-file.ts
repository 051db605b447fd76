import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { encode } from "./atomic-file.js";
import type { Host } from "./file-system.js";
import { type Patch, patchFor, tailOf } from "./line-file.js";
import { isCount, type JsonObject, type Parse, type State } from "./state.js";

// journal.ndjson: a line per step that moved the state, each with the hash of the line before it. It is written with the state,
// by the same update: a step is in both or in neither.

export const JOURNAL_FORMAT = "chankit-journal";
export const JOURNAL_VERSION = 1;

/** What a step adds to the journal. */
export interface JournalEntry {
  /** Whether to begin a journal where there is none. */
  readonly begin: boolean;
  /** What happened; the chain's own fields come around it. */
  readonly event: JsonObject;
}

/** The hash of a journal line: of its JSON without the hash itself, in the order in which it was written. */
export function journalHash(line: JsonObject): string {
  const content = Object.entries(line).filter(([key]) => key !== "hash");
  return toHex(sha256(encode(JSON.stringify(Object.fromEntries(content)))));
}

/**
 * The patch that adds one line; undefined where there is no journal and none is to begin. A torn last line is cut.
 * Throws: file-damaged, file-unreadable, file-version-newer, file-exists.
 */
export function planJournal(
  host: Host,
  parse: Parse,
  path: string,
  { begin, event }: JournalEntry,
  { before, next }: { readonly before: string | null; readonly next: State },
): Patch | undefined {
  const tail = tailOf(host, parse, path);
  if (tail === undefined && !begin) return undefined;
  const last = tail?.last === undefined ? undefined : chained(tail.last.document, path);
  // A line of an update that a power failure undid, from the state that still stands: its place is taken
  const undone = last?.before === before && last.after !== before;
  if (before === null && last !== undefined && !undone) {
    throw new LnError("file-exists", `${path} exists: a channel is never created over what is left of another`, { path });
  }
  const seq = undone ? last.seq : (last?.seq ?? 0) + 1;
  const previous = undone ? last.previous : (last?.hash ?? null);
  const end = undone ? (tail?.last?.start ?? 0) : (tail?.end ?? 0);
  const content = {
    format: JOURNAL_FORMAT,
    version: JOURNAL_VERSION,
    seq,
    previous,
    ...event,
    revision: next.revision,
    state_before: before,
    state_after: next.hash,
  };
  return patchFor({ size: tail?.size ?? 0, end }, JSON.stringify({ ...content, hash: journalHash(content) }));
}

/** As much of the last line as the next one goes on from. */
interface Chained {
  readonly seq: number;
  readonly hash: string;
  readonly previous: unknown;
  readonly before: unknown;
  readonly after: unknown;
}

/** Throws: file-version-newer, file-damaged. */
function chained({ format, version, seq, previous, state_before: before, state_after: after, hash }: JsonObject, path: string): Chained {
  if (format === JOURNAL_FORMAT && isCount(version) && version > JOURNAL_VERSION) {
    throw new LnError("file-version-newer", `${path} is of version ${version}, and this chankit knows ${JOURNAL_VERSION}`, {
      path,
      version,
      known: JOURNAL_VERSION,
    });
  }
  if (format !== JOURNAL_FORMAT || !isCount(seq) || typeof hash !== "string") {
    throw new LnError("file-damaged", `the last line of ${path} is none of a ${JOURNAL_FORMAT} of version ${JOURNAL_VERSION}`, {
      path,
      format: JOURNAL_FORMAT,
    });
  }
  return { seq, hash, previous, before, after };
}
