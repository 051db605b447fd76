import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { encode } from "./atomic-file.js";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads one JSON document strictly; `source` is what its refusals call it. */
export type Parse = (text: string, source: string) => unknown;

/** The revision of a channel.json that has just been created. */
export const FIRST_REVISION = 1;

/** A channel.json, and what of it the store understands. */
export interface State {
  readonly document: JsonObject;
  readonly revision: number;
  /** Of the state before it; null for the first. */
  readonly previousHash: string | null;
  /** Of the document, not of the file: laid out anew, by jq say, it is the same. */
  readonly hash: string;
  readonly text: string;
}

/** The state that follows `base` (undefined: the first one) with the content of `document`. */
export function successor(base: Pick<State, "revision" | "hash"> | undefined, document: JsonObject): State {
  const revision = base === undefined ? FIRST_REVISION : base.revision + 1;
  const previousHash = base?.hash ?? null;
  const next = { ...document, revision, previous_state_hash: previousHash };
  return { document: next, revision, previousHash, hash: hashOf(next), text: `${JSON.stringify(next, null, 2)}\n` };
}

export function follows(next: State, current: State | undefined): boolean {
  return next.revision === (current === undefined ? FIRST_REVISION : current.revision + 1) && next.previousHash === (current?.hash ?? null);
}

export type ReadState = (text: string, path: string) => State;

/**
 * Reads states. The last two are remembered with their text: one command looks at the same file several times, and most of the
 * cost is in parsing and hashing it.
 */
export function stateReader(parse: Parse): { readonly read: ReadState; readonly remember: (state: State) => void } {
  let recent: readonly State[] = [];
  const remember = (state: State): void => {
    recent = [state, ...recent.slice(0, 1)];
  };
  const read: ReadState = (text, path) => {
    const known = recent.find((state) => state.text === text);
    if (known !== undefined) return known;
    const document = parseObject(parse, text, path);
    const { revision, previous_state_hash: previousHash } = document;
    if (!isCount(revision) || revision < FIRST_REVISION) {
      throw new LnError("file-damaged", `${path} has no revision`, { path, field: "revision" });
    }
    if (previousHash !== null && typeof previousHash !== "string") {
      throw new LnError("file-damaged", `${path} has no previous_state_hash`, { path, field: "previous_state_hash" });
    }
    const state: State = { document, revision, previousHash, hash: hashOf(document), text };
    remember(state);
    return state;
  };
  return { read, remember };
}

/** Throws: file-damaged, saying what the parser found. */
export function parseObject(parse: Parse, text: string, path: string): JsonObject {
  let document: unknown;
  try {
    document = parse(text, path);
  } catch (error) {
    if (error instanceof LnError) throw new LnError("file-damaged", error.message, { ...error.details, path, cause: error.code });
    throw error;
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new LnError("file-damaged", `${path} is no JSON object`, { path });
  }
  return document as JsonObject;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const hashes = new WeakMap<JsonObject, string>();

/** Documents are never changed: each is hashed once. */
function hashOf(document: JsonObject): string {
  let hash = hashes.get(document);
  if (hash === undefined) hashes.set(document, (hash = toHex(sha256(encode(JSON.stringify(document))))));
  return hash;
}
