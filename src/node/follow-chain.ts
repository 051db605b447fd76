import { fromHex, reversed, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { Bitcoind } from "./bitcoind.js";

/** A place in the chain; without a hash where only its height is known. */
export interface Place {
  readonly height: number;
  readonly hash: string | null;
}

/** What happens next in a node's chain, and the place that it leads to. */
export type ChainStep =
  | { readonly kind: "block"; readonly place: Place; readonly bytes: Uint8Array }
  /** The blocks after this place are in the chain no more. */
  | { readonly kind: "disconnected"; readonly place: Place }
  /** The node has no more. */
  | { readonly kind: "idle"; readonly place: Place };

/** How many blocks are read again where the node does not know the last one that was seen: more than have ever been undone. */
const UNKNOWN_BLOCKS = 100;

/** Where a block's header names the one before it, after the version. */
const PREVIOUS_START = 4;
const PREVIOUS_END = 36;

/** Bitcoin Core's RPC_INVALID_ADDRESS_OR_KEY, where it has no such block, and RPC_INVALID_PARAMETER, where its chain is not so high. */
const NO_SUCH_BLOCK = -5;
const OUT_OF_RANGE = -8;

/**
 * One step on from a place in the node's chain. Nothing is held but the place: where the next block does not build on it, the node's own headers lead
 * back to what both have. Throws: what Bitcoind's calls do.
 */
export async function stepOn(node: Bitcoind, from: Place): Promise<ChainStep> {
  const tip = await node.tip();
  if (tip.hash === from.hash) return { kind: "idle", place: from };
  if (tip.height > from.height) {
    const hash = await unless(OUT_OF_RANGE, node.blockHash(from.height + 1));
    // Blocks were taken back since we asked for the tip
    if (hash === null) return { kind: "idle", place: from };
    const bytes = fromHex(await node.block(hash));
    const previous = toHex(reversed(bytes.subarray(PREVIOUS_START, PREVIOUS_END)));
    if (from.hash === null || previous === from.hash) return { kind: "block", place: { height: from.height + 1, hash }, bytes };
  }
  const place = await lastInChain(node, from, tip.height);
  return { kind: place.height === from.height ? "idle" : "disconnected", place };
}

/** The newest block, not above a place, that is in the node's chain. */
async function lastInChain(node: Bitcoind, { height, hash }: Place, tip: number): Promise<Place> {
  if (hash === null) return { height: Math.min(height, tip), hash: null };
  for (let at = { height, hash }; ;) {
    const header = await unless(NO_SUCH_BLOCK, node.header(at.hash));
    if (header === null) return { height: Math.max(-1, Math.min(at.height - UNKNOWN_BLOCKS, tip)), hash: null };
    if (header.inChain || header.previous === null) return at;
    at = { height: at.height - 1, hash: header.previous };
  }
}

/** What a call gives, or null where the node refuses it with this code. */
async function unless<T>(code: number, answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof LnError && error.details["rpc_code"] === code) return null;
    throw error;
  }
}
