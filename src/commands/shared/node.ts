import type { Chain } from "../../protocol/channel/params.js";
import { LnError } from "../../protocol/errors.js";
import type { Bitcoind } from "../../node/bitcoind.js";
import type { Context } from "./context.js";
import { type FlagValues, flag, integer, text } from "./options.js";

/** How a node is reached. No password stands on a command line. */
export const nodeFlags = {
  rpc: flag("--rpc <url>", "the node's JSON-RPC (default: this machine, the port of the channel's chain)", rpcUrl),
  rpcAuth: flag(
    "--rpc-auth <file>",
    "a file with user:password, as a node's cookie is (default: CHANKIT_RPC_AUTH, else the cookie in Bitcoin Core's folder)",
    text,
  ),
  rpcTimeout: flag("--rpc-timeout <seconds>", "how long an answer may take (default: 30)", integer(1, 3600)),
};

export type NodeOptions = FlagValues<typeof nodeFlags>;

const DEFAULT_TIMEOUT = 30;

/** Throws: usage-node-url. What was given is not repeated: it may hold a password. */
function rpcUrl(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : null;
  const fault =
    url?.protocol !== "http:"
      ? "must be http://host:port/"
      : url.username !== "" || url.password !== ""
        ? "must hold no password, which other users of this machine could read: --rpc-auth FILE or CHANKIT_RPC_AUTH"
        : null;
  if (url === null || fault !== null) throw new LnError("usage-node-url", `the node's address ${fault ?? "must be http://host:port/"}`, {});
  return url;
}

/**
 * The node of the channel's chain, asked for its chain before anything else.
 * Throws: usage-node-credentials, state-node-chain, and what Bitcoind's calls do.
 */
export async function nodeOf(ctx: Context, chain: Chain, { rpc, rpcAuth, rpcTimeout }: NodeOptions): Promise<Bitcoind> {
  const { bitcoindAt, defaultUrl } = await import("../../node/bitcoind.js");
  const url = rpc ?? new URL(defaultUrl(chain));
  const credentials = await credentialsFor(ctx, chain, rpcAuth);
  const node = bitcoindAt(await ctx.connect({ url, credentials, timeout: rpcTimeout ?? DEFAULT_TIMEOUT }));
  const itsChain = await node.chain();
  if (itsChain !== chain) {
    throw new LnError("state-node-chain", `the channel is on ${chain}, the node at ${url.host} on ${itsChain ?? "another chain"}`, {
      chain,
      node_chain: itsChain,
      node: url.host,
    });
  }
  return node;
}

/** Secret: user and password. Throws: usage-node-credentials. */
async function credentialsFor(ctx: Context, chain: Chain, file: string | undefined): Promise<string> {
  const given = file === undefined ? ctx.env["CHANKIT_RPC_AUTH"] : undefined;
  if (given !== undefined && given !== "") return checked(given, "CHANKIT_RPC_AUTH");
  const { defaultCookie } = await import("../../node/bitcoind.js");
  const path = file ?? defaultCookie(chain, ctx.env["HOME"] ?? "", process.platform);
  try {
    return checked(ctx.store.readText(path).replace(/\r?\n$/, ""), path);
  } catch (error) {
    if (!(error instanceof LnError) || !error.code.startsWith("file-")) throw error;
    throw new LnError("usage-node-credentials", `no credentials for the node: ${error.message} (--rpc-auth FILE, or CHANKIT_RPC_AUTH)`, { path });
  }
}

function checked(credentials: string, source: string): string {
  if (/^[^:\s][^:\r\n]*:[^\r\n]*$/.test(credentials)) return credentials;
  throw new LnError("usage-node-credentials", `${source} does not hold user:password in one line`, { path: source });
}
