import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fromHex } from "../../src/protocol/bytes.js";
import { type BcoinNode, type KnownHeader, startBcoin } from "./bcoin-node.js";
import { bcoin } from "./bcoin.js";
import type { Relayed } from "./regtest-node.js";

/*
 * A program that takes bitcoind's options and answers those of its calls that the suite makes, out of bcoin: so that what talks to bitcoind is
 * tested where there is none. Its answers have the form of Bitcoin Core's.
 */

const option = (name: string): string => process.argv.find((argument) => argument.startsWith(`-${name}=`))!.slice(name.length + 2);

/** Bitcoin Core's RPC_VERIFY_ERROR, RPC_VERIFY_REJECTED, RPC_VERIFY_ALREADY_IN_UTXO_SET, RPC_DESERIALIZATION_ERROR and RPC_METHOD_NOT_FOUND. */
const VERIFY_ERROR = -25;
const VERIFY_REJECTED = -26;
const ALREADY_IN_CHAIN = -27;
const NOT_DECODED = -22;
const NO_METHOD = -32601;
/** RPC_INVALID_ADDRESS_OR_KEY and RPC_INVALID_PARAMETER. */
const NO_SUCH_BLOCK = -5;
const OUT_OF_RANGE = -8;

class Refusal extends Error {
  readonly code: number;
  constructor(message: string, code = VERIFY_ERROR) {
    super(message);
    this.code = code;
  }
}

/** It is started with the first script that rewards shall go to. */
let node: BcoinNode | undefined;

async function nodeFor(descriptor: unknown): Promise<BcoinNode> {
  const [, script] = /^raw\(([0-9a-f]+)\)$/.exec(String(descriptor)) ?? [];
  if (script === undefined) throw new Refusal(`no descriptor: ${String(descriptor)}`);
  return (node ??= await startBcoin(fromHex(script)));
}

/** Every transaction in a block. */
async function isMined(txid: string): Promise<boolean> {
  for (let height = (await node?.height()) ?? 0; height > 0; height--)
    if (bcoin.Block.fromRaw(await node!.blockAt(height), "hex").txs.some((tx) => tx.txid() === txid)) return true;
  return false;
}

async function hashAt(height: number): Promise<string> {
  const hash = await node?.hashAt(height);
  if (hash === undefined || hash === null) throw new Refusal("Block height out of range", OUT_OF_RANGE);
  return hash;
}

async function headerOf(hash: unknown): Promise<KnownHeader> {
  const header = await node?.headerOf(String(hash));
  if (header === undefined || header === null) throw new Refusal("Block not found", NO_SUCH_BLOCK);
  return header;
}

/** As Bitcoin Core does, it takes what it has. */
function isTaken(relayed: Relayed): relayed is Extract<Relayed, { readonly kind: "taken" }> {
  return relayed.kind === "taken" || relayed.reason.includes("already-in-mempool");
}

function decoded(hex: unknown): string {
  try {
    return bcoin.TX.fromRaw(String(hex), "hex").txid();
  } catch {
    throw new Refusal("TX decode failed. Make sure the tx has at least one input.", NOT_DECODED);
  }
}

const CALLS: Readonly<Record<string, (...params: readonly unknown[]) => unknown>> = {
  getblockcount: async () => (await node?.height()) ?? 0,
  getblockchaininfo: async () => {
    const blocks = (await node?.height()) ?? 0;
    return { chain: "regtest", blocks, bestblockhash: await hashAt(blocks), mediantime: await node?.medianTimePast() };
  },
  generateblock: async (descriptor, transactions) => {
    const mined = await (await nodeFor(descriptor)).mine(transactions as string[]);
    if (mined.kind === "refused") throw new Refusal(`TestBlockValidity failed: ${mined.reason}`);
    return { hash: String(mined.height) };
  },
  getblockhash: (height) => hashAt(Number(height)),
  getblockheader: async (hash) => {
    const { height, previous, inChain } = await headerOf(hash);
    const confirmations = inChain ? ((await node?.height()) ?? 0) - height + 1 : -1;
    return { hash, height, confirmations, ...(height === 0 ? {} : { previousblockhash: previous }) };
  },
  getblock: async (hash, verbosity) => {
    const { height } = await headerOf(hash);
    if (verbosity === 0) return node?.blockAt(height);
    const reward = await node?.rewardOf(height);
    if (reward === undefined || verbosity !== 2) throw new Refusal("Block not found", NO_SUCH_BLOCK);
    return { tx: [{ txid: reward.txid, vout: [{ value: Number(reward.amount) / 1e8 }] }] };
  },
  invalidateblock: async (hash) => {
    await headerOf(hash);
    await node?.takeBack(String(hash));
    return null;
  },
  sendrawtransaction: async (hex) => {
    const txid = decoded(hex);
    if (await isMined(txid)) throw new Refusal("Transaction outputs already in utxo set", ALREADY_IN_CHAIN);
    const relayed = await node!.relay(String(hex));
    if (!isTaken(relayed)) throw new Refusal(relayed.reason, VERIFY_REJECTED);
    return txid;
  },
  testmempoolaccept: async (hexes) => {
    // As in Bitcoin Core's, each may spend those before it, and what comes after a refused one is not judged
    const verdicts: object[] = [];
    const taken: string[] = [];
    let over = false;
    for (const hex of hexes as string[]) {
      const txid = decoded(hex);
      const relayed: Relayed | undefined = over ? undefined : await node!.relay(hex);
      over ||= relayed?.kind === "refused";
      if (relayed?.kind === "taken") taken.push(hex);
      const said =
        relayed?.kind === "taken" ? { allowed: true, vsize: Math.ceil(hex.length / 2) } : { allowed: false, "reject-reason": relayed?.reason };
      verdicts.push(relayed === undefined ? { txid } : { txid, ...said });
    }
    for (const hex of taken.reverse()) await node!.forget(hex);
    return verdicts;
  },
  submitpackage: async (hexes) => {
    const results: Record<string, object> = {};
    for (const hex of hexes as string[]) {
      const relayed = await node!.relay(hex);
      results[decoded(hex)] = { txid: decoded(hex), ...(isTaken(relayed) ? {} : { error: relayed.reason }) };
    }
    const failed = Object.values(results).some((result) => "error" in result);
    return { package_msg: failed ? "transaction failed" : "success", "tx-results": results };
  },
  stop: () => {
    // Ends when this call is answered
    server.close();
    return "stopping";
  },
};

const cookie = `__cookie__:${randomBytes(16).toString("hex")}`;

const server = createServer((request, response) => {
  void (async () => {
    if (request.headers.authorization !== `Basic ${Buffer.from(cookie).toString("base64")}`) {
      response.writeHead(401).end();
      return;
    }
    const { id, method, params } = JSON.parse(await text(request)) as { readonly id: unknown; readonly method: string; readonly params: unknown[] };
    const answer = (result: unknown, error: unknown) => {
      response.writeHead(error === null ? 200 : 500, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify({ result, error, id }));
    };
    try {
      const call = CALLS[method];
      if (call === undefined) throw new Refusal("Method not found", NO_METHOD);
      answer(await call(...params), null);
    } catch (error) {
      answer(null, { code: error instanceof Refusal ? error.code : VERIFY_ERROR, message: String(error instanceof Error ? error.message : error) });
    }
  })();
});

server.listen(Number(option("rpcport")), "127.0.0.1", () => {
  const folder = join(option("datadir"), "regtest");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, ".cookie"), cookie, { mode: 0o600 });
});
