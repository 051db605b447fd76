import { displayTxid } from "../protocol/bytes.js";
import { planForceClose } from "../protocol/channel/transitions/leave.js";
import { done } from "../protocol/channel/transitions/outcome.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import { defineCommand } from "./shared/command.js";
import { flag, integer } from "./shared/options.js";
import { changeFlags, loadKeys, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { carryOut, psbtFlags } from "./shared/psbt.js";
import { outputOf } from "./shared/transactions.js";
import { amount, htlcOf } from "./shared/summary.js";

export const command = defineCommand({
  name: "force-close",
  summary: "sign our newest commitment for broadcast",
  description:
    "Signs our newest verified commitment and its HTLC transactions for broadcast. From then on its secret never leaves and the channel moves no more, also where a PSBT is written for a signer elsewhere. " +
    "Only the newest: an older one is revoked. --finish finishes the commitment; its HTLC transactions are finished by `htlc-tx`.",
  args: [partyArgument],
  flags: { ...changeFlags, ...psbtFlags, number: flag("--number <n>", "refuse unless this is the newest", integer(0, 2 ** 48 - 1)) },
  examples: ["chankit force-close alice", "chankit force-close alice --json | jq -r .tx", "chankit force-close alice --psbt"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const party = loadParty(ctx, paths, o);
    const { state, commitment, plan, htlcs } = planForceClose(party.state, o.number);
    let held: Promise<PartyKeys> | undefined;
    const source = { state, keys: () => (held ??= loadKeys(ctx, party.paths, o)) };
    const [carried] = await carryOut(ctx, [plan], [], o, source);
    const seconds = htlcs.flatMap(({ plan: second }) => (second === null ? [] : [second]));
    const signedSeconds = o.finish === undefined ? await carryOut(ctx, seconds, [commitment.unsigned], o, source) : [];
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
        ...carried?.shown,
        htlc_txs: htlcs.map(({ htlcTx, plan: second }) => ({
          kind: htlcTx.kind,
          output_index: htlcTx.outputIndex,
          htlc: htlcOf(htlcTx.output.htlc),
          txid: displayTxid(htlcTx.txid),
          amount_sat: amount(htlcTx.amount),
          fee_sat: amount(htlcTx.fee),
          ...(second === null ? { tx: null } : (signedSeconds[seconds.indexOf(second)]?.shown ?? { tx: null })),
          ...(second === null ? { unsigned_tx: htlcTx.unsigned.toHex(), needs: "the preimage" } : {}),
        })),
      },
      fileName: `force-close-${state.party}-${commitment.number}.json`,
      undelivered: "the same command prints it again",
    };
  },
});
