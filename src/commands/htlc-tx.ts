import { displayTxid } from "../protocol/bytes.js";
import { requireFunded } from "../protocol/channel/state.js";
import { planOwnHtlcTx } from "../protocol/channel/transitions/leave.js";
import { defineCommand } from "./shared/command.js";
import { flag, integer, requiredFlag, text } from "./shared/options.js";
import { readPreimage } from "./shared/preimage.js";
import { loadKeys, loadParty, locateParty, partyArgument, partyFlags } from "./shared/party.js";
import { carryOut, psbtFlags } from "./shared/psbt.js";
import { amount, htlcOf } from "./shared/summary.js";

export const command = defineCommand({
  name: "htlc-tx",
  summary: "finish an HTLC transaction of our published commitment",
  description:
    "Signs the HTLC transaction of one output of our commitment after force-close: HTLC-success with the preimage, HTLC-timeout once the chain has reached the expiry. " +
    "It pays to an output that is ours after to_self_delay.",
  args: [partyArgument],
  flags: {
    ...partyFlags,
    ...psbtFlags,
    outputIndex: requiredFlag("--output-index <index>", "which output of the commitment", integer(0, 0xffff)),
    preimage: flag("--preimage <file>", "for a received HTLC, unless the channel knows it: 32 bytes in hex, from a file or -", text),
    height: flag("--height <blocks>", "for an offered HTLC: the chain's height, which must have reached the expiry", integer(0, 499_999_999)),
  },
  examples: ["chankit htlc-tx alice --output-index 2 --height 500", "chankit htlc-tx bob --output-index 0 --preimage preimage.hex"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const state = requireFunded(loadParty(ctx, paths, { ...o, dryRun: true }).state);
    const { htlcTx, plan } = planOwnHtlcTx(state, o.outputIndex, o.preimage === undefined ? null : readPreimage(ctx, o.preimage), o.height ?? null);
    const { unsigned: parent } = htlcTx.commitment;
    const [carried] = await carryOut(ctx, [plan], [parent], o, { state, keys: () => loadKeys(ctx, paths, o) });
    return {
      document: {
        format: "chankit-htlc-tx",
        version: 1,
        kind: htlcTx.kind,
        commitment_txid: displayTxid(htlcTx.commitment.txid),
        output_index: htlcTx.outputIndex,
        htlc: htlcOf(htlcTx.output.htlc),
        ...carried?.shown,
        amount_sat: amount(htlcTx.amount),
        fee_sat: amount(htlcTx.fee),
        locktime: htlcTx.unsigned.locktime,
        to_self_delay: htlcTx.commitment.terms.toSelfDelay,
      },
      fileName: `htlc-tx-${state.party}-${htlcTx.outputIndex}.json`,
    };
  },
});
