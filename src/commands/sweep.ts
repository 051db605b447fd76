import { scriptOfAddress } from "../json/address.js";
import { type Txid, displayTxid } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { identify } from "../protocol/channel/identify.js";
import { requireFunded } from "../protocol/channel/state.js";
import { planSweep, spendableFrom, sweepVersion, sweepables, waitingOutputs } from "../protocol/channel/transitions/sweep.js";
import { defineCommand } from "./shared/command.js";
import { feerate, flag, integer, requiredFlag, text, toggle } from "./shared/options.js";
import { loadKeys, loadParty, locateParty, partyArgument, partyFlags } from "./shared/party.js";
import { readPreimage } from "./shared/preimage.js";
import { carryOut, psbtFlags } from "./shared/psbt.js";
import { warnOfFee } from "./shared/fee-warning.js";
import { readTransaction } from "./shared/read-transaction.js";
import { revokedHtlcsOf } from "./shared/revoked.js";
import { amount } from "./shared/summary.js";

const height = integer(0, 499_999_999);

const outpointOf = ({ txid, outputIndex }: { readonly txid: Txid; readonly outputIndex: number }): string => `${displayTxid(txid)}:${outputIndex}`;

/** Throws: usage-value. */
function outpoints(value: string): ReadonlySet<string> {
  const all = value.split(",");
  const wrong = all.find((one) => !/^[0-9a-f]{64}:\d{1,5}$/.test(one));
  if (wrong === undefined) return new Set(all);
  throw new LnError("usage-value", `${JSON.stringify(wrong)} is not an outpoint TXID:INDEX`, { value: wrong, expected: "TXID:INDEX" });
}

export const command = defineCommand({
  name: "sweep",
  summary: "take what is ours of a confirmed commitment",
  description:
    "Takes everything that is ours on a confirmed commitment to one address: on our own to_local after the delay and our HTLC transactions' outputs, on the peer's to_remote and HTLCs (by preimage or expiry). " +
    "Says of each output from which height it can be spent, and of those that are not to be swept yet what they wait for: a preimage, our HTLC transaction (`htlc-tx`), the penalty (`penalty-tx`). " +
    "With --height only what the next block may hold is taken; what costs more than it holds is left.",
  args: [partyArgument],
  flags: {
    ...partyFlags,
    tx: requiredFlag("--tx <file>", "the commitment: hex, or JSON with a `tx`; - for standard input", text),
    to: requiredFlag("--to <address>", "where the money goes", text),
    feerate: requiredFlag("--feerate <sat_per_kw>", "feerate of the sweep, never below and within 1 %", feerate),
    confirmed: flag("--confirmed <height>", "the block that confirmed the commitment", height),
    height: flag("--height <height>", "the chain's height", height),
    ...psbtFlags,
    anchors: toggle("--anchors", "anchors as well, where they pay: ours, unless a child has spent it; with --height the peer's, after 16 blocks"),
    preimage: flag("--preimage <file>", "for an HTLC that the peer offered, unless the channel knows it: 32 bytes in hex, from a file or -", text),
    htlcTxs: flag("--htlc-txs <files>", "our confirmed HTLC transactions, separated by commas", text),
    except: flag("--except <outputs>", "outputs to leave alone, TXID:INDEX separated by commas: spent already, or for another time", outpoints),
  },
  examples: [
    "chankit sweep alice --tx close.json --to bcrt1q… --feerate 2500 --confirmed 400 --height 544",
    "chankit sweep bob --tx close.json --to bcrt1q… --feerate 2500",
  ],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const published = readTransaction(ctx, o.tx);
    const htlcTxs = (o.htlcTxs?.split(",") ?? []).map((file) => readTransaction(ctx, file));
    const state = requireFunded(loadParty(ctx, paths, { ...o, dryRun: true }).state);
    const to = await scriptOfAddress(o.to, state.chain);
    const identity = identify(state, published, revokedHtlcsOf(ctx, paths, state));
    const preimage = o.preimage === undefined ? [] : [readPreimage(ctx, o.preimage)];
    const knowing = { ...state, knownPreimages: [...state.knownPreimages, ...preimage] };
    const found = sweepables(knowing, identity, htlcTxs);
    const chain = { height: o.height ?? null, confirmed: o.confirmed ?? null };
    const wanted = found.filter(({ claim }) => o.except?.has(outpointOf(claim)) !== true);
    const { taken, plan } = planSweep(wanted, chain, to, o.feerate, { version: sweepVersion(state), anchors: o.anchors === true });
    warnOfFee(ctx, plan);
    const [carried] = await carryOut(ctx, [plan], [published, ...htlcTxs], o, { state, keys: () => loadKeys(ctx, paths, o) });
    return {
      document: {
        format: "chankit-sweep",
        version: 1,
        outputs: found.map((one) => ({
          txid: displayTxid(one.claim.txid),
          output_index: one.claim.outputIndex,
          kind: one.kind,
          amount_sat: amount(one.claim.amount),
          after_blocks: one.afterBlocks,
          spendable_from: spendableFrom(one, chain),
          taken: taken.includes(one),
        })),
        waiting: waitingOutputs(identity, found, htlcTxs).map(({ outputIndex, kind, amount: held, waitsFor }) => ({
          output_index: outputIndex,
          kind,
          amount_sat: amount(held),
          waits_for: waitsFor,
        })),
        ...carried?.shown,
        locktime: plan.unsigned.locktime,
        to: o.to,
        amount_sat: amount(plan.amount),
        fee_sat: amount(plan.fee),
        feerate_per_kw: amount(o.feerate),
        fee_weight: Number(plan.feeWeight),
      },
      fileName: `sweep-${state.party}.json`,
    };
  },
});
