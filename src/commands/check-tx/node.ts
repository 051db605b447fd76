import type { Chain } from "../../protocol/channel/params.js";
import type { Context } from "../shared/context.js";
import { type NodeOptions, nodeOf } from "../shared/node.js";
import type { Tx } from "./known-outputs.js";

/** What a node says of one transaction. */
export interface NodeVerdict {
  readonly accepted: boolean;
  /** In Bitcoin Core's words. */
  readonly reason: string | null;
}

/** Bitcoin Core's reasons not to take a transaction that it has taken, in its mempool or in a block. */
const HAS_IT: readonly (string | null)[] = ["txn-already-in-mempool", "txn-already-known"];

/** Asks the node of `chain`, which sends nothing on. Several are asked of as one package, parents first. Throws: what nodeOf and Bitcoind.test do. */
export async function askNode(ctx: Context, chain: Chain, options: NodeOptions, txs: readonly Tx[]): Promise<readonly NodeVerdict[]> {
  const node = await nodeOf(ctx, chain, options);
  const verdicts = await node.test(txs.map((tx) => tx.toHex()));
  return txs.map((_, at) => {
    const { allowed = false, reason = null } = verdicts[at] ?? {};
    return { accepted: allowed || HAS_IT.includes(reason), reason };
  });
}
