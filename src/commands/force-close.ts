import { displayTxid } from "../protocol/bytes.js";
import { forceClose } from "../protocol/channel/transitions/leave.js";
import { done } from "../protocol/channel/transitions/outcome.js";
import { defineCommand } from "./shared/command.js";
import { flag, integer } from "./shared/options.js";
import { changeFlags, loadKeys, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { outputOf } from "./shared/transactions.js";
import { amount, htlcOf } from "./shared/summary.js";

export const command = defineCommand({
  name: "force-close",
  summary: "sign our newest commitment for broadcast",
  description:
    "Signs our newest verified commitment and its HTLC transactions for broadcast. From then on its secret never leaves and the channel moves no more. Only the newest: an older one is revoked.",
  args: [partyArgument],
  flags: { ...changeFlags, number: flag("--number <n>", "refuse unless this is the newest", integer(0, 2 ** 48 - 1)) },
  examples: ["chankit force-close alice", "chankit force-close alice --json | jq -r .tx"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const party = loadParty(ctx, paths, o);
    const { state, commitment, tx, htlcs } = forceClose(party.state, await loadKeys(ctx, party.paths, o), o.number);
    const again = "flags" in party.state && party.state.flags.forceClosed === commitment.number;
    const shown = {
      format: "chankit-force-close",
      version: 1,
      owner: "local",
      commitment_number: commitment.number,
      ...(state.purpose === "vector" ? { not_for_broadcast: "a test case" } : {}),
      txid: displayTxid(commitment.txid),
      outputs: commitment.outputs.map(outputOf),
      fee_sat: amount(commitment.actualFee),
      to_self_delay: commitment.terms.toSelfDelay,
    };
    const report = settle(ctx, party, done(state, { repeated: again }), { ...o }, () => shown);
    if (o.dryRun === true) return report;
    return {
      document: {
        ...shown,
        tx: tx.toHex(),
        htlc_txs: htlcs.map(({ htlcTx, tx: signed }) => ({
          kind: htlcTx.kind,
          output_index: htlcTx.outputIndex,
          htlc: htlcOf(htlcTx.output.htlc),
          txid: displayTxid(htlcTx.txid),
          amount_sat: amount(htlcTx.amount),
          fee_sat: amount(htlcTx.fee),
          tx: signed?.toHex() ?? null,
          ...(signed === null ? { unsigned_tx: htlcTx.unsigned.toHex(), needs: "the preimage" } : {}),
        })),
      },
      fileName: `force-close-${state.party}-${commitment.number}.json`,
      undelivered: "the same command prints it again",
    };
  },
});
