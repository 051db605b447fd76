import { createRequire } from "node:module";

/*
 * The part of bcoin 1.0.2 that the tests use, typed by hand: bcoin itself has no types.
 * Its flags of standardness, and every rule that Bitcoin Core's script tests have for witness version 0.
 */

export interface BcoinTx {
  hash(encoding: "hex"): string;
  txid(): string;
  readonly inputs: readonly { readonly script: BcoinScript; readonly witness: object }[];
  isFinal(height: number, time: number): boolean;
}

interface BcoinScript {
  readonly raw: Uint8Array;
}

interface BcoinBlock {
  toRaw(): Uint8Array;
  readonly txs: readonly { txid(): string; readonly outputs: readonly { readonly value: number }[] }[];
}

interface BcoinJob {
  pushTX(tx: BcoinTx): boolean;
  refresh(): void;
  mine(): BcoinBlock;
}

export interface BcoinEntry {
  readonly height: number;
  /** In internal order, as hex. */
  readonly prevBlock: string;
  rhash(): string;
}

interface BcoinNode {
  readonly chain: {
    readonly height: number;
    readonly tip: object;
    readonly state: { hasWitness(): boolean; hasCSV(): boolean };
    open(): Promise<void>;
    close(): Promise<void>;
    add(block: BcoinBlock): Promise<object | null>;
    getMedianTime(tip: object): Promise<number>;
    getBlock(height: number): Promise<BcoinBlock | null>;
    /** By its height, or by its hash in internal order; only what is in the chain is kept. */
    getEntry(block: number | string): Promise<BcoinEntry | null>;
    invalidate(hash: string): Promise<void>;
  };
  readonly mempool: {
    open(): Promise<void>;
    close(): Promise<void>;
    /** What of its inputs is not known, where that is so. */
    addTX(tx: BcoinTx): Promise<readonly string[] | null>;
    getEntry(hash: string): object | null;
    evictEntry(entry: object): Promise<void>;
    removeOrphan(hash: string): boolean;
  };
  readonly miner: { mempool: null; open(): Promise<void>; close(): Promise<void>; createJob(tip: null, address: object): Promise<BcoinJob> };
}

interface Bcoin {
  readonly TX: { fromRaw(raw: string, encoding: "hex"): BcoinTx };
  readonly Script: {
    fromRaw(raw: string, encoding: "hex"): BcoinScript;
    verify(input: BcoinScript, witness: object, output: BcoinScript, tx: BcoinTx, index: number, value: number, flags: number): void;
  };
  readonly Block: { fromRaw(raw: string, encoding: "hex"): BcoinBlock };
  readonly Address: { fromScript(script: BcoinScript): object };
  readonly FullNode: new (options: Readonly<Record<string, unknown>>) => BcoinNode;
}

export const bcoin = createRequire(import.meta.url)("bcoin") as Bcoin;
