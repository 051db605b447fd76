import { scriptOfAddress } from "../json/address.js";
import { decode } from "../json/decode.js";
import { revokedHtlcs } from "../json/channel-file.js";
import { displayTxid, equalBytes, txid } from "../protocol/bytes.js";
import { identify } from "../protocol/channel/identify.js";
import { requireFunded } from "../protocol/channel/state.js";
import { punish } from "../protocol/channel/transitions/leave.js";
import { defineCommand } from "./shared/command.js";
import { feerate, requiredFlag, text } from "./shared/options.js";
import { loadKeys, loadParty, locateParty, partyArgument, partyFlags } from "./shared/party.js";
import { readTransaction } from "./shared/read-transaction.js";
import { amount } from "./shared/summary.js";

export const command = defineCommand({
  name: "penalty-tx",
  summary: "take everything of a revoked commitment",
  description:
    "Recognises a commitment of the peer's that was revoked, by its number and scripts, and takes every output that is the peer's with the secret that it gave away. " +
    "What the commitment pays to us plainly (to_remote) is ours to sweep at leisure.",
  args: [partyArgument],
  flags: {
    ...partyFlags,
    tx: requiredFlag("--tx <file>", "the published commitment: hex, or JSON with a `tx`; - for standard input", text),
    to: requiredFlag("--to <address>", "where the money goes", text),
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
    const [funding] = state.fundings;
    const identity = identify(state, published, (number) =>
      ctx.store
        .findRevoked(party.paths, number)
        .map((line) => decode(revokedHtlcs, line, party.paths.revoked))
        .filter(({ fundingTxid }) => equalBytes(fundingTxid, funding.txid))
        .flatMap(({ htlcs }) => htlcs),
    );
    const spend = punish(state, await loadKeys(ctx, party.paths, o), identity, to, o.feerate);
    const outputs = identity.kind === "revoked" ? identity.outputs : [];
    return {
      document: {
        format: "chankit-penalty",
        version: 1,
        punishes: {
          txid: displayTxid(txid(published.getHash())),
          owner: "remote",
          commitment_number: identity.kind === "revoked" ? identity.number : null,
        },
        txid: spend.tx.getId(),
        tx: spend.tx.toHex(),
        takes: spend.tx.ins.map(({ index }) => ({
          output_index: index,
          kind: outputs[index]?.kind ?? null,
          amount_sat: amount(outputs[index]?.amount ?? 0n),
        })),
        leaves: outputs.flatMap((output, index) =>
          spend.tx.ins.some((input) => input.index === index)
            ? []
            : [{ output_index: index, kind: output?.kind ?? "unknown", amount_sat: amount(output?.amount ?? 0n) }],
        ),
        to: o.to,
        amount_sat: amount(spend.amount),
        fee_sat: amount(spend.fee),
        feerate_per_kw: amount(o.feerate),
        fee_weight: Number(spend.feeWeight),
        weight: spend.tx.weight(),
      },
      fileName: `penalty-${state.party}-${identity.kind === "revoked" ? identity.number : 0}.json`,
    };
  },
});
