import { toHex } from "../../src/protocol/bytes.js";
import { type BcoinEntry, bcoin } from "./bcoin.js";
import type { Mined, RegtestNode, Relayed } from "./regtest-node.js";

/** A node with a mempool that takes part. */
export interface BcoinNode extends RegtestNode {
  /** Puts a transaction into the mempool. */
  relay(tx: string): Promise<Relayed>;
  /** Takes one out of the mempool. */
  forget(tx: string): Promise<void>;
  hashAt(height: number): Promise<string | null>;
  /** Also of a block that was taken back. */
  headerOf(hash: string): Promise<KnownHeader | null>;
  /** Takes a block back, and all that came after it. */
  takeBack(hash: string): Promise<void>;
}

export interface KnownHeader {
  readonly height: number;
  readonly previous: string;
  readonly inChain: boolean;
}

/** As people print it, or the other way round. */
function turned(hash: string): string {
  return toHex(Buffer.from(hash, "hex").reverse());
}

function headerFrom(entry: BcoinEntry, inChain: boolean): KnownHeader {
  return { height: entry.height, previous: turned(entry.prevBlock), inChain };
}

/** A full node of bcoin's in this process, in memory, with no peers and no port. */
export async function startBcoin(rewardScript: Uint8Array): Promise<BcoinNode> {
  const { chain, mempool, miner } = new bcoin.FullNode({ network: "regtest", memory: true, listen: false, workers: false, logLevel: "none" });
  for (const part of [chain, mempool, miner]) await part.open();
  // A block holds what it is told to, whatever the mempool has
  miner.mempool = null;
  const takenBack = new Map<string, KnownHeader>();
  const rewards = bcoin.Address.fromScript(bcoin.Script.fromRaw(toHex(rewardScript), "hex"));

  const mine = async (transactions: readonly string[]): Promise<Mined> => {
    const job = await miner.createJob(null, rewards);
    for (const hex of transactions) job.pushTX(bcoin.TX.fromRaw(hex, "hex"));
    job.refresh();
    try {
      const added = await chain.add(job.mine());
      if (added === null) throw new Error("the block's parent is not known");
    } catch (error) {
      if (!isVerifyError(error)) throw error;
      return { kind: "refused", reason: error.reason };
    }
    return { kind: "mined", height: chain.height };
  };

  return {
    height: () => Promise.resolve(chain.height),
    medianTimePast: () => chain.getMedianTime(chain.tip),
    mine,
    advance: async (blocks) => {
      for (let mined = 0; mined < blocks; mined++) {
        const { kind } = await mine([]);
        if (kind !== "mined") throw new Error("an empty block was refused");
      }
    },
    rewardOf: async (height) => {
      const coinbase = (await chain.getBlock(height))?.txs[0];
      const output = coinbase?.outputs[0];
      if (coinbase === undefined || output === undefined) throw new Error(`there is no block ${height}`);
      return { txid: coinbase.txid(), amount: BigInt(output.value) };
    },
    blockAt: async (height) => {
      const block = await chain.getBlock(height);
      if (block === null) throw new Error("Block not found");
      return toHex(block.toRaw());
    },
    hashAt: async (height) => (await chain.getEntry(height))?.rhash() ?? null,
    headerOf: async (hash) => {
      const entry = await chain.getEntry(turned(hash));
      return entry === null ? (takenBack.get(hash) ?? null) : headerFrom(entry, true);
    },
    takeBack: async (hash) => {
      const first = await chain.getEntry(turned(hash));
      for (let height = first?.height ?? Infinity; height <= chain.height; height++) {
        const entry = await chain.getEntry(height);
        if (entry !== null) takenBack.set(entry.rhash(), headerFrom(entry, false));
      }
      await chain.invalidate(turned(hash));
    },
    relay: async (hex) => {
      const tx = bcoin.TX.fromRaw(hex, "hex");
      try {
        const missing = await mempool.addTX(tx);
        mempool.removeOrphan(tx.hash("hex"));
        if (missing !== null) return { kind: "refused", reason: "bad-txns-inputs-missingorspent" };
      } catch (error) {
        if (!isVerifyError(error)) throw error;
        return { kind: "refused", reason: error.reason };
      }
      return { kind: "taken" };
    },
    forget: async (hex) => {
      const entry = mempool.getEntry(bcoin.TX.fromRaw(hex, "hex").hash("hex"));
      if (entry !== null) await mempool.evictEntry(entry);
    },
    stop: async () => {
      for (const part of [miner, mempool, chain]) await part.close();
    },
  };
}

function isVerifyError(error: unknown): error is { readonly reason: string } {
  return error instanceof Error && "type" in error && error.type === "VerifyError";
}
