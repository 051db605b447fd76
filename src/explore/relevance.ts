import { sha256 } from "@noble/hashes/sha2.js";
import { equalBytes, toHex } from "../protocol/bytes.js";
import type { FundedChannel } from "../protocol/channel/state.js";
import { type CommitmentNumber, lookupSecret, secretIndex } from "../protocol/keys/shachain.js";
import { SIDES } from "../protocol/side.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";
import type { Files } from "../store/memory-files.js";
import { FOLDER } from "./party.js";
import { channelIn, heldBy } from "./world.js";

/*
 * What of a party's files can matter to whoever leaves: files with the same key get the same answers from the commands that leave, sweep and punish, so
 * that each question is asked once. A field is left out of a key only where these commands cannot come by it; a field that is new counts.
 */

/** How often a state was written, and what it followed. The store looks at them, and finds them in order: else the key is of every byte. */
const WRITTEN = ["revision", "previous_state_hash"] as const;
/** Messages are looked at by whatever talks, by nothing that leaves. */
const TALKED = [...WRITTEN, "messages", "next_ids"] as const;
/**
 * What a confirmed commitment's identity says whole: `identify` asks these for nothing but whether they hold that very transaction, or the secret of its
 * number. Changes go into commitments that are held as `next`.
 */
const IDENTIFYING = [...TALKED, "changes", "fundings", "remote_secrets", "remote_next_point", "own_points"] as const;

type Document = Readonly<Record<string, unknown>>;

interface Read {
  readonly document: Document;
  /** Null where the highwater file vouches for the state; else a hash of all. */
  readonly unvouched: string | null;
  readonly revoked: readonly string[];
  readonly keys: Map<string, string>;
}

const reads = new WeakMap<Files, Read>();

function readOf(files: Files): Read {
  const known = reads.get(files);
  if (known !== undefined) return known;
  const channel = textIn(files, "channel.json") ?? "{}";
  const highwater = textIn(files, "highwater.json") ?? "";
  const document = JSON.parse(channel) as Document;
  const vouched = highwater.includes(`"revision": ${String(document["revision"])},`);
  const read: Read = {
    document,
    unvouched: vouched ? null : hashOf(channel + highwater),
    revoked: (textIn(files, "revoked.ndjson") ?? "").split("\n").filter((line) => line !== ""),
    keys: new Map(),
  };
  reads.set(files, read);
  return read;
}

function keyed(files: Files, name: string, make: (read: Read) => readonly unknown[]): string {
  const read = readOf(files);
  let key = read.keys.get(name);
  if (key === undefined) read.keys.set(name, (key = read.unvouched ?? hashOf(JSON.stringify(make(read)))));
  return key;
}

const without = (document: Document, names: readonly string[]): Document =>
  Object.fromEntries(Object.entries(document).filter(([name]) => !names.includes(name)));

/** For whoever goes on talking: everything but how often the state was written. */
export function talkingKey(files: Files): string {
  return keyed(files, "talking", ({ document, revoked }) => [without(document, WRITTEN), revoked]);
}

/** For whoever leaves, while nothing has spent the funding output. */
export function leavingKey(files: Files): string {
  return keyed(files, "leaving", ({ document, revoked }) => [without(document, TALKED), revoked]);
}

/**
 * For whoever answers a confirmed commitment: what the files hold of that one, and what all answers look at. `closed`: it is the one that force-close
 * has signed, and htlc-tx and a second force-close look at the newest own commitment, too.
 */
export function answeringKey(files: Files, commitment: Commitment, closed: boolean): string {
  return keyed(files, `answering ${toHex(commitment.txid)} ${closed}`, ({ document, revoked }) => [
    without(document, IDENTIFYING),
    identityOf(files, commitment, revoked),
    closed ? (document["fundings"] as readonly { readonly local: unknown }[])[0]?.local : null,
  ]);
}

/** The outcome of `identify`, in the order in which it asks. */
function identityOf(files: Files, commitment: Commitment, revoked: readonly string[]): unknown {
  const state = channelIn(files);
  if (state === null) return null;
  for (const owner of SIDES) {
    const held = heldBy(state, owner);
    // Nothing can be built from such a state: every answer is this refusal then
    if (typeof held === "string") return { refused: held };
    if (held.some(({ txid }) => equalBytes(txid, commitment.txid))) return { held: owner };
  }
  const { number } = commitment;
  const secret = secretHeld(state, number);
  return { secret, revoked: secret === null ? [] : revoked.filter((line) => (JSON.parse(line) as { readonly number: unknown }).number === number) };
}

/** Secret: the peer's for a commitment of its own, in hex, where the state holds it. */
export function secretHeld({ remoteSecrets }: FundedChannel, number: CommitmentNumber): string | null {
  const secret = lookupSecret(remoteSecrets, secretIndex(number));
  return secret === null ? null : toHex(secret.reveal());
}

function textIn(files: Files, name: string): string | undefined {
  const entry = files.get(`${FOLDER}/${name}`);
  return entry?.kind === "file" ? new TextDecoder().decode(entry.data) : undefined;
}

const hashOf = (text: string): string => toHex(sha256(new TextEncoder().encode(text))).slice(0, 24);
