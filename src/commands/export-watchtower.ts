import { scriptOfAddress } from "../json/address.js";
import { displayTxid } from "../protocol/bytes.js";
import { identify } from "../protocol/channel/identify.js";
import { selectCommitment } from "../protocol/channel/select.js";
import { requireFunded } from "../protocol/channel/state.js";
import { punish, punishSeparately } from "../protocol/channel/transitions/leave.js";
import { receiveRevocation } from "../protocol/channel/transitions/revoke.js";
import { LnError } from "../protocol/errors.js";
import type { Spend } from "../protocol/tx/spend.js";
import type { FeeratePerKw } from "../protocol/units.js";
import { defineCommand } from "./shared/command.js";
import { feerate, requiredFlag, text } from "./shared/options.js";
import { loadKeys, loadParty, locateParty, messageArgument, partyArgument, partyFlags, readMessageFile, receiving } from "./shared/party.js";
import { amount, fundingOutpoint } from "./shared/summary.js";

export const command = defineCommand({
  name: "export-watchtower",
  summary: "what a watchtower needs to punish a commitment, at the moment it is revoked",
  description:
    "Reads the peer's revoke_and_ack before it is taken in, which is when the commitment that it revokes is still known whole, and writes a line for a watchtower: its txid, and the penalties on it, signed, " +
    "at each feerate, all outputs together and each alone. No secret is in it, and it pays to nobody but the address. Changes nothing: run receive-revocation afterwards.",
  args: [partyArgument, messageArgument],
  flags: {
    ...partyFlags,
    to: requiredFlag("--to <address>", "where the money goes", text),
    feerate: requiredFlag("--feerate <sat_per_kw,…>", "feerates of the penalties, separated by commas", feerates),
  },
  examples: [
    "chankit export-watchtower alice wire/0004-bob-revoke_and_ack.json --to bcrt1q… --feerate 1000,10000 >> tower.ndjson",
    "chankit receive-revocation alice wire/0004-bob-revoke_and_ack.json",
  ],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const received = readMessageFile(ctx, rest[0]);
    const before = requireFunded(loadParty(ctx, paths, { ...o, dryRun: true }).state);
    const to = await scriptOfAddress(o.to, before.chain);
    const { state, repeated, revoked } = receiving(() => receiveRevocation(before, received));
    const number = before.fundings[0].remote.current?.number;
    if (repeated || number === undefined)
      throw new LnError("state-revocation-taken", "this revocation was taken in before: the commitment that it revokes is forgotten", {});
    const { commitment } = selectCommitment(before, "remote", number);
    const after = requireFunded(state);
    const identity = identify(after, commitment.unsigned, () => revoked?.htlcs ?? []);
    const keys = await loadKeys(ctx, paths, o);
    const txid = displayTxid(commitment.txid);
    const penalties = o.feerate.flatMap((rate) => {
      const { spends, uneconomical } = punishSeparately(after, keys, identity, to, rate);
      const whole = spends.length > 0 && spends.length + uneconomical.length > 1 ? [punish(after, keys, identity, to, rate)] : [];
      return [...whole, ...spends].map((spend) => penaltyOf(spend, rate));
    });
    const kit = {
      format: "chankit-justice-kit",
      version: 1,
      hint: txid.slice(0, 32),
      commitment_txid: txid,
      commitment_number: number,
      channel_type: before.channelType,
      chain: before.chain,
      funding: fundingOutpoint(before),
      to: o.to,
      outputs: commitment.outputs.map(({ kind, amount: value }, index) => ({ index, kind, amount_sat: amount(value) })),
      penalties,
    };
    return { document: kit, plain: `${JSON.stringify(kit)}\n`, fileName: `justice-${before.party}-${number}.ndjson` };
  },
});

/** Throws: usage-value. */
function feerates(value: string): readonly FeeratePerKw[] {
  return value.split(",").map((one) => feerate(one));
}

function penaltyOf({ tx, fee, amount: kept }: Spend, rate: FeeratePerKw): Record<string, unknown> {
  return {
    feerate_per_kw: amount(rate),
    takes: tx.ins.map(({ index }) => index),
    amount_sat: amount(kept),
    fee_sat: amount(fee),
    txid: tx.getId(),
    tx: tx.toHex(),
  };
}
