import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fromHex } from "../../src/protocol/bytes.js";
import { startBcoin } from "./bcoin-node.js";
import type { RegtestNode } from "./regtest-node.js";

/*
 * A program that takes bitcoind's options and answers those of its calls that the suite makes, out of bcoin: so that what talks to bitcoind is
 * tested where there is none. Its answers have the form of Bitcoin Core's.
 */

const option = (name: string): string => process.argv.find((argument) => argument.startsWith(`-${name}=`))!.slice(name.length + 2);

/** Bitcoin Core's RPC_VERIFY_ERROR. */
const VERIFY_ERROR = -25;

class Refusal extends Error {}

/** It is started with the first script that rewards shall go to. */
let node: RegtestNode | undefined;

async function nodeFor(descriptor: unknown): Promise<RegtestNode> {
  const [, script] = /^raw\(([0-9a-f]+)\)$/.exec(String(descriptor)) ?? [];
  if (script === undefined) throw new Refusal(`no descriptor: ${String(descriptor)}`);
  return (node ??= await startBcoin(fromHex(script)));
}

const CALLS: Readonly<Record<string, (...params: readonly unknown[]) => unknown>> = {
  getblockcount: async () => (await node?.height()) ?? 0,
  getblockchaininfo: async () => ({ chain: "regtest", mediantime: await node?.medianTimePast() }),
  generatetodescriptor: async (blocks, descriptor) => {
    await (await nodeFor(descriptor)).advance(blocks as number);
    return [];
  },
  generateblock: async (descriptor, transactions) => {
    const mined = await (await nodeFor(descriptor)).mine(transactions as string[]);
    if (mined.kind === "refused") throw new Refusal(`TestBlockValidity failed: ${mined.reason}`);
    return { hash: String(mined.height) };
  },
  // The hash of a block is its height, here
  getblockhash: (height) => String(height),
  getblock: async (hash, verbosity) => {
    const reward = await node?.rewardOf(Number(hash));
    if (reward === undefined || verbosity !== 2) throw new Refusal("Block not found");
    return { tx: [{ txid: reward.txid, vout: [{ value: Number(reward.amount) / 1e8 }] }] };
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
      const result = await CALLS[method]!(...params);
      answer(result, null);
    } catch (error) {
      answer(null, { code: VERIFY_ERROR, message: String(error instanceof Error ? error.message : error) });
    }
  })();
});

server.listen(Number(option("rpcport")), "127.0.0.1", () => {
  const folder = join(option("datadir"), "regtest");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, ".cookie"), cookie, { mode: 0o600 });
});
