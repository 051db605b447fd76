import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { toHex } from "../../src/protocol/bytes.js";
import type { Mined, RegtestNode } from "./regtest-node.js";

/** How long bitcoind may take until it answers. */
const START_MS = 60_000;

const OP_1 = 0x51;

interface Answer {
  readonly result: unknown;
  readonly error: { readonly code: number; readonly message: string } | null;
}

/** What bitcoind answers a call with, when it is an error. */
class RpcError extends Error {}

/** A node that is reached by its JSON-RPC. */
export interface BitcoindNode extends RegtestNode {
  readonly url: string;
  /** The file with user and password. */
  readonly cookie: string;
  /** Takes the block of this height back, and all that came after it. Later ones reward nobody. */
  takeBack(height: number): Promise<void>;
}

/** A bitcoind on regtest in a temporary folder, with no peers; its RPC is on the loopback address alone, with the cookie that it writes. */
export async function startBitcoind(program: string, rewardScript: Uint8Array): Promise<BitcoindNode> {
  const datadir = await mkdtemp(join(tmpdir(), "chankit-bitcoind-"));
  const port = await freePort();
  const options = ["-regtest", "-server", "-listen=0", "-dnsseed=0", "-disablewallet", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1"];
  const child = spawn(program, [...options, `-datadir=${datadir}`, `-rpcport=${port}`], { stdio: "ignore" });
  const ended = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => {
      resolve(message);
    });
    child.once("exit", (code, signal) => {
      resolve(`it ended with ${signal ?? code ?? "nothing"}`);
    });
  });
  let over: string | undefined;
  void ended.then((how) => (over = how));

  const url = `http://127.0.0.1:${port}/`;
  const cookieFile = join(datadir, "regtest", ".cookie");
  const call = async (method: string, ...params: readonly unknown[]): Promise<unknown> => {
    const cookie = await readFile(cookieFile, "utf8");
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(cookie.trim()).toString("base64")}`, "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "1.0", id: method, method, params }),
    });
    const { result, error } = (await response.json()) as Answer;
    if (error !== null) throw new RpcError(error.message);
    return result;
  };

  const deadline = Date.now() + START_MS;
  for (let answered = false; !answered;) {
    // Neither the cookie nor the port is there at once, and at first every call is refused as too early
    answered = await call("getblockcount").then(
      () => true,
      () => false,
    );
    const late = !answered && Date.now() > deadline;
    if (over !== undefined || late) {
      child.kill();
      await rm(datadir, { recursive: true, force: true });
      throw new Error(`${program} does not run: ${over ?? "it does not answer"}`);
    }
    if (!answered) await sleep(50);
  }

  const height = async (): Promise<number> => (await call("getblockcount")) as number;
  let rewards = `raw(${toHex(rewardScript)})`;
  let takenBack = 0;
  return {
    url,
    cookie: cookieFile,
    height,
    medianTimePast: async () => ((await call("getblockchaininfo")) as { readonly mediantime: number }).mediantime,
    mine: async (transactions): Promise<Mined> => {
      try {
        await call("generateblock", rewards, transactions);
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        return { kind: "refused", reason: error.message };
      }
      return { kind: "mined", height: await height() };
    },
    advance: async (blocks) => {
      // Not generatetodescriptor, which would put in what the mempool has
      for (let mined = 0; mined < blocks; mined++) await call("generateblock", rewards, []);
    },
    rewardOf: async (at) => {
      const block = (await call("getblock", await call("getblockhash", at), 2)) as {
        readonly tx: readonly { readonly txid: string; readonly vout: readonly { readonly value: number }[] }[];
      };
      const coinbase = block.tx[0]!;
      // Bitcoin Core gives bitcoins; eight digits survive a double
      return { txid: coinbase.txid, amount: BigInt(Math.round(coinbase.vout[0]!.value * 1e8)) };
    },
    takeBack: async (at) => {
      await call("invalidateblock", await call("getblockhash", at));
      // To the same script it would mine the very blocks again that are invalid now
      rewards = `raw(${toHex(Uint8Array.of(OP_1 + (takenBack++ % 16)))})`;
    },
    blockAt: async (at) => (await call("getblock", await call("getblockhash", at), 0)) as string,
    stop: async () => {
      await call("stop");
      await ended;
      await rm(datadir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
