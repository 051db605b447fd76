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

/**
 * Asks the node of `chain`, which sends nothing on. Several are asked of as one package, parents first; a node judges none that it has, and with such a one
 * in the package no other: those are left out, since it knows their outputs.
 * Throws: what nodeOf and Bitcoind.test do.
 */
export async function askNode(ctx: Context, chain: Chain, options: NodeOptions, txs: readonly Tx[]): Promise<readonly NodeVerdict[]> {
  const node = await nodeOf(ctx, chain, options);
  const known = new Map<string, NodeVerdict>();
  for (;;) {
    const open = txs.filter((tx) => !known.has(tx.getId()));
    if (open.length === 0) break;
    const verdicts = await node.test(open.map((tx) => tx.toHex()));
    const before = known.size;
    for (const { txid, reason } of verdicts) if (HAS_IT.includes(reason)) known.set(txid, { accepted: true, reason });
    if (known.size > before) continue;
    for (const { txid, allowed, reason } of verdicts) known.set(txid, { accepted: allowed, reason });
    break;
  }
  return txs.map((tx) => known.get(tx.getId()) ?? { accepted: false, reason: null });
}
