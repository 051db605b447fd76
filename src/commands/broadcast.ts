import type { Relation } from "../protocol/channel/view.js";
import { permitBroadcast } from "../protocol/channel/transitions/broadcast.js";
import { requireFunded } from "../protocol/channel/state.js";
import { LnError } from "../protocol/errors.js";
import { broadcastOnlyUnmarked } from "../protocol/policy/broadcast.js";
import { defineCommand } from "./shared/command.js";
import { loadParty, locateParty, partyArgument, partyFlags } from "./shared/load-party.js";
import { nodeFlags, nodeOf } from "./shared/node.js";
import { toggle } from "./shared/options.js";
import { readTransactions } from "./shared/read-transaction.js";
import { revokedHtlcsOf } from "./shared/revoked.js";

const { channel, strict } = partyFlags;

export const command = defineCommand({
  name: "broadcast",
  summary: "hand transactions to a Bitcoin Core node",
  description:
    "Hands signed transactions of the channel to a node, in the order given, after the same questions that made them: an own commitment only after force-close, " +
    "nothing of a party that has lost state, nothing of a test case. The node must be on the channel's chain. Run again it says the same.",
  args: [partyArgument, { syntax: "<files...>", help: "transactions: hex, or our reports with a `tx` or with `transactions`; - for standard input" }],
  flags: {
    channel,
    strict,
    ...nodeFlags,
    package: toggle("--package", "as one package: parents first, the child that pays for them last"),
    mainnet: toggle("--mainnet", "yes, on bitcoin's main chain"),
    dryRun: toggle("--dry-run", "ask everything here, hand over nothing"),
  },
  examples: ["chankit broadcast alice close.json", "chankit broadcast bob penalty.json --rpc http://127.0.0.1:18443/ --rpc-auth rpc.auth"],
  curve: true,
  exits: [4, 5, 75],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    if (rest.length === 0) throw new LnError("usage-argument", "name the files with the transactions, or - for standard input", {});
    const reports = rest.map((file) => readTransactions(ctx, file));
    const state = requireFunded(loadParty(ctx, paths, { ...o, dryRun: true }).state);
    for (const { mark } of reports) broadcastOnlyUnmarked(mark);
    const htlcsOf = revokedHtlcsOf(ctx, paths, state);
    const all = reports.flatMap(({ txs }) => txs.map((tx) => ({ tx, relation: permitBroadcast(state, tx, htlcsOf, o.mainnet === true) })));
    const report = (fates: readonly string[]) => ({
      document: {
        format: "chankit-broadcast",
        version: 1,
        chain: state.chain,
        transactions: all.map(({ tx, relation }, at) => ({ txid: tx.getId(), ...wordsOf(relation), in: fates[at] ?? null })),
      },
      fileName: `broadcast-${state.party}.json`,
    });
    if (o.dryRun === true) return report([]);
    const node = await nodeOf(ctx, state.chain, o);
    const hexes = all.map(({ tx }) => tx.toHex());
    if (o.package === true) {
      await node.sendPackage(hexes);
      return report(hexes.map(() => "mempool"));
    }
    const fates: string[] = [];
    for (const { tx } of all) {
      try {
        fates.push(await node.send(tx.toHex()));
      } catch (error) {
        if (!(error instanceof LnError)) throw error;
        const sent = all.slice(0, fates.length).map((one) => one.tx.getId());
        throw new LnError(error.code, `${tx.getId()}: ${error.message}`, { ...error.details, txid: tx.getId(), sent });
      }
    }
    return report(fates);
  },
});

/** What is sent, in fields. */
function wordsOf(relation: Relation): Record<string, unknown> {
  switch (relation.kind) {
    case "held":
      return { what: "commitment", owner: relation.owner, commitment_number: relation.commitment.number };
    case "revoked":
      return { what: "revoked_commitment", owner: "remote", commitment_number: relation.number };
    case "htlc":
      return { what: relation.htlcTx.kind, owner: relation.owner, commitment_number: relation.held.commitment.number };
    case "spends":
      return { what: "spends_commitment", owner: relation.owner, commitment_number: relation.held.commitment.number };
    case "funding":
      return { what: "funding" };
    case "mutual":
      return { what: "mutual_close" };
    case "unknown":
      return { what: "funding_spend", owner: relation.owner, commitment_number: relation.number };
    case "unrelated":
      return { what: "other" };
  }
}
