import { scriptOfAddress } from "../json/address.js";
import { displayTxid, txid } from "../protocol/bytes.js";
import { identify } from "../protocol/channel/identify.js";
import { requireFunded } from "../protocol/channel/state.js";
import { planPunishment, planSeparatePunishment } from "../protocol/channel/transitions/leave.js";
import type { RecognisedOutput } from "../protocol/tx/recognise.js";
import type { SpendPlan } from "../protocol/tx/spend.js";
import { defineCommand } from "./shared/command.js";
import { feerate, flag, requiredFlag, text, toggle } from "./shared/options.js";
import { loadKeys, loadParty, locateParty, partyArgument, partyFlags } from "./shared/party.js";
import { carryOut, psbtFlags } from "./shared/psbt.js";
import { warnOfFee } from "./shared/fee-warning.js";
import { readTransaction } from "./shared/read-transaction.js";
import { revokedHtlcsOf } from "./shared/revoked.js";
import { amount } from "./shared/summary.js";

type Published = ReturnType<typeof readTransaction>;

export const command = defineCommand({
  name: "penalty-tx",
  summary: "take everything of a revoked commitment",
  description:
    "Recognises a commitment of the peer's that was revoked, by its number and scripts, and takes every output that is the peer's with the secret that it gave away. " +
    "What the commitment pays to us plainly (to_remote) is ours to sweep at leisure.",
  args: [partyArgument],
  flags: {
    ...partyFlags,
    ...psbtFlags,
    tx: requiredFlag("--tx <file>", "the published commitment: hex, or JSON with a `tx`; - for standard input", text),
    to: requiredFlag("--to <address>", "where the money goes", text),
    separate: toggle("--separate", "a transaction an output, so that none can be spoiled by the cheater's HTLC transactions"),
    secondStage: flag("--second-stage <files>", "the cheater's HTLC transactions that confirmed first, separated by commas", text),
    feerate: requiredFlag("--feerate <sat_per_kw>", "feerate of the penalty, never below and within 1 %", feerate),
  },
  examples: [
    "chankit penalty-tx bob --tx cheat.json --to bcrt1q… --feerate 2500",
    "bitcoin-cli getrawtransaction TXID | chankit penalty-tx bob --tx - --to bcrt1q… --feerate 2500",
  ],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const published = readTransaction(ctx, o.tx);
    const party = loadParty(ctx, paths, { ...o, dryRun: true });
    const state = requireFunded(party.state);
    const to = await scriptOfAddress(o.to, state.chain);
    const identity = identify(state, published, revokedHtlcsOf(ctx, paths, state));
    const secondStage = (o.secondStage?.split(",") ?? []).map((file) => readTransaction(ctx, file));
    const carry = (plans: readonly SpendPlan[]) =>
      carryOut(ctx, plans, [published, ...secondStage], o, { state, keys: () => loadKeys(ctx, party.paths, o) });
    const punishes = {
      format: "chankit-penalty",
      version: 1,
      punishes: { txid: published.getId(), owner: "remote", commitment_number: identity.kind === "revoked" ? identity.number : null },
      to: o.to,
      feerate_per_kw: amount(o.feerate),
    };
    const outputs = identity.kind === "revoked" ? identity.outputs : [];
    const name = `penalty-${state.party}-${identity.kind === "revoked" ? identity.number : 0}`;
    if (o.separate === true) {
      const { spends, uneconomical } = planSeparatePunishment(state, identity, to, o.feerate, secondStage);
      const carried = await carry(spends);
      const documents = spends.map((plan, at) => ({ ...punishes, ...carried[at]?.shown, ...spendDocument(plan, published, outputs) }));
      return {
        document: {
          ...punishes,
          transactions: documents,
          uneconomical: uneconomical.map((claim) => ({
            txid: displayTxid(claim.txid),
            output_index: claim.outputIndex,
            amount_sat: amount(claim.amount),
          })),
        },
        parts: documents.map((document, at) => ({ document, fileName: `${name}-${at}.json` })),
        fileName: `${name}.json`,
      };
    }
    const plan = planPunishment(state, identity, to, o.feerate, secondStage);
    warnOfFee(ctx, plan);
    const [carried] = await carry([plan]);
    return {
      document: { ...punishes, ...carried?.shown, ...spendDocument(plan, published, outputs), leaves: leftBy(plan, published, outputs, secondStage) },
      fileName: `${name}.json`,
    };
  },
});

/** One penalty transaction: what it takes and what it pays. */
function spendDocument(
  { unsigned, amount: kept, fee, feeWeight }: SpendPlan,
  published: Published,
  outputs: readonly RecognisedOutput[],
): Record<string, unknown> {
  const from = published.getId();
  return {
    takes: unsigned.ins.map(({ hash, index }) => {
      const spent = displayTxid(txid(hash));
      const output = spent === from ? outputs[index] : undefined;
      return {
        txid: spent,
        output_index: index,
        kind: output?.kind ?? "second_stage",
        ...(output === undefined || output === null ? {} : { amount_sat: amount(output.amount) }),
      };
    }),
    amount_sat: amount(kept),
    fee_sat: amount(fee),
    fee_weight: Number(feeWeight),
  };
}

/** What the penalty does not touch: ours to sweep, anchors, or spent by the cheater already. */
function leftBy(
  { unsigned }: SpendPlan,
  published: Published,
  outputs: readonly RecognisedOutput[],
  secondStage: readonly Published[],
): readonly Record<string, unknown>[] {
  const takes = (spender: Published, index: number): boolean =>
    spender.ins.some((input) => input.index === index && displayTxid(txid(input.hash)) === published.getId());
  return outputs.flatMap((output, index) =>
    takes(unsigned, index) || secondStage.some((spender) => takes(spender, index))
      ? []
      : [{ output_index: index, kind: output?.kind ?? "unknown", amount_sat: amount(output?.amount ?? 0n) }],
  );
}
