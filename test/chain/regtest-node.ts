import { startBcoin } from "./bcoin-node.js";
import { startBitcoind } from "./bitcoind.js";

/** What became of a block: it is the new tip, or the node refused it for what was in it. */
export type Mined = { readonly kind: "mined"; readonly height: number } | { readonly kind: "refused"; readonly reason: string };

/** Whether a transaction would be relayed, and what the node says where it would not. */
export type Relayed = { readonly kind: "taken" } | { readonly kind: "refused"; readonly reason: string };

/** A coinbase's first output. */
export interface Reward {
  readonly txid: string;
  readonly amount: bigint;
}

/** A full node with a chain of its own, on which every rule of the network holds. Its coinbases pay to the script that it was started with. */
export interface RegtestNode {
  height(): Promise<number>;
  /** The median time of the eleven newest blocks. */
  medianTimePast(): Promise<number>;
  /** Puts transactions, in their order, into one block, whether they would be relayed or not. */
  mine(transactions: readonly string[]): Promise<Mined>;
  /** Mines empty blocks. */
  advance(blocks: number): Promise<void>;
  rewardOf(height: number): Promise<Reward>;
  /** A block's bytes in hex. */
  blockAt(height: number): Promise<string>;
  stop(): Promise<void>;
}

export type StartNode = (rewardScript: Uint8Array) => Promise<RegtestNode>;

/** The nodes that the suite runs on: bcoin always, and Bitcoin Core where CHANKIT_BITCOIND names a bitcoind. */
export const NODES: readonly (readonly [name: string, start: StartNode])[] = [["bcoin", startBcoin], ...bitcoindOf(process.env["CHANKIT_BITCOIND"])];

function bitcoindOf(program: string | undefined): readonly (readonly [string, StartNode])[] {
  return program === undefined || program === "" ? [] : [[program, (rewardScript) => startBitcoind(program, rewardScript)]];
}
