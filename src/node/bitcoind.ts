import { type Codec, boolean, integer, list, record, text } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { optional, someFields } from "../json/fields.js";
import { CHAINS, type Chain } from "../protocol/channel/params.js";
import { LnError } from "../protocol/errors.js";
import type { Rpc } from "./rpc.js";

/** Bitcoin Core's names of the chains. */
const NAMES: Readonly<Record<Chain, string>> = { bitcoin: "main", testnet4: "testnet4", signet: "signet", regtest: "regtest" };

/** Its JSON-RPC ports. */
const PORTS: Readonly<Record<Chain, number>> = { bitcoin: 8332, testnet4: 48332, signet: 38332, regtest: 18443 };

/** Where its cookie lies in its data folder. */
const COOKIES: Readonly<Record<Chain, string>> = {
  bitcoin: ".cookie",
  testnet4: "testnet4/.cookie",
  signet: "signet/.cookie",
  regtest: "regtest/.cookie",
};

/** Where Bitcoin Core listens unless it was told otherwise. */
export function defaultUrl(chain: Chain): string {
  return `http://127.0.0.1:${PORTS[chain]}/`;
}

/** The cookie that Bitcoin Core writes, in the home folder of who started it. */
export function defaultCookie(chain: Chain, home: string, platform: string): string {
  const folder = platform === "darwin" ? "Library/Application Support/Bitcoin" : ".bitcoin";
  return `${home}/${folder}/${COOKIES[chain]}`;
}

/** Bitcoin Core's RPC_VERIFY_ALREADY_IN_UTXO_SET: the chain holds the transaction. */
const ALREADY_IN_CHAIN = -27;

/** What became of a transaction that was handed to a node: it is in its mempool now, or the chain holds it. */
export type Accepted = "mempool" | "chain";

/** What a node would say of a transaction, by `testmempoolaccept`. */
export interface Verdict {
  readonly txid: string;
  readonly allowed: boolean;
  /** Bitcoin Core's reject-reason. */
  readonly reason: string | null;
  readonly vsize: number | null;
}

/** A block that a node knows. */
export interface Header {
  /** Whether it is in the chain that the node takes for the best one. */
  readonly inChain: boolean;
  /** The block that it builds on; null for the first of all. */
  readonly previous: string | null;
}

/** A Bitcoin Core node. Every call throws what `Rpc.call` does, and json-… where an answer has another form. */
export interface Bitcoind {
  /** Its chain in our words; null for one that we do not know. */
  chain(): Promise<Chain | null>;
  send(tx: string): Promise<Accepted>;
  /** One package: parents first, the child last. Throws: state-node-refused. */
  sendPackage(txs: readonly string[]): Promise<void>;
  test(txs: readonly string[]): Promise<readonly Verdict[]>;
  /** The newest block of its chain. */
  tip(): Promise<{ readonly height: number; readonly hash: string }>;
  blockHash(height: number): Promise<string>;
  header(hash: string): Promise<Header>;
  /** A block's bytes in hex. */
  block(hash: string): Promise<string>;
}

export function bitcoindAt(rpc: Rpc): Bitcoind {
  const ask = async <T>(codec: Codec<T>, method: string, ...params: readonly unknown[]): Promise<T> =>
    decode(codec, await rpc.call(method, ...params), `the node's ${method}`);
  return {
    async chain() {
      const { chain } = await ask(someFields({ chain: text }), "getblockchaininfo");
      return CHAINS.find((name) => NAMES[name] === chain) ?? null;
    },
    async send(tx) {
      try {
        await ask(text, "sendrawtransaction", tx);
        return "mempool";
      } catch (error) {
        if (error instanceof LnError && error.code === "state-node-refused" && error.details["rpc_code"] === ALREADY_IN_CHAIN) return "chain";
        throw error;
      }
    },
    async sendPackage(txs) {
      const result = await ask(submitted, "submitpackage", txs);
      if (result.packageMsg === "success") return;
      const refused = Object.values(result["tx-results"]).find(({ error }) => error !== undefined);
      const reason = refused?.error ?? result.packageMsg;
      throw new LnError("state-node-refused", `the node refuses the package: ${reason}`, {
        method: "submitpackage",
        reason,
        txid: refused?.txid ?? null,
      });
    },
    async test(txs) {
      const verdicts = await ask(list(tested), "testmempoolaccept", txs);
      return verdicts.map((verdict) => ({
        txid: verdict.txid,
        allowed: verdict.allowed ?? false,
        reason: verdict["reject-reason"] ?? verdict["package-error"] ?? null,
        vsize: verdict.vsize ?? null,
      }));
    },
    async tip() {
      const { blocks, bestblockhash } = await ask(someFields({ blocks: integer, bestblockhash: text }), "getblockchaininfo");
      return { height: blocks, hash: bestblockhash };
    },
    blockHash: (height) => ask(text, "getblockhash", height),
    async header(hash) {
      const { confirmations, previousblockhash } = await ask(header, "getblockheader", hash);
      return { inChain: confirmations >= 0, previous: previousblockhash ?? null };
    },
    block: (hash) => ask(text, "getblock", hash, 0),
  };
}

const submitted = someFields({
  package_msg: text,
  "tx-results": record(someFields({ txid: optional(text), error: optional(text) })),
});

const header = someFields({ confirmations: integer, previousblockhash: optional(text) });

const tested = someFields({
  txid: text,
  allowed: optional(boolean),
  vsize: optional(integer),
  "reject-reason": optional(text),
  "package-error": optional(text),
});
