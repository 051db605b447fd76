import { scriptOfAddress } from "../json/address.js";
import type { DescribedCoin } from "../json/psbt-wallet.js";
import { displayTxid, parseTxid } from "../protocol/bytes.js";
import { identify } from "../protocol/channel/identify.js";
import { type FundedChannel, requireFunded } from "../protocol/channel/state.js";
import { bumpCommitment, bumpHtlcs, requireReplacing } from "../protocol/channel/transitions/bump.js";
import { LnError } from "../protocol/errors.js";
import type { BumpPlan, Wallet } from "../protocol/tx/bump.js";
import type { Context } from "./shared/context.js";
import { defineCommand } from "./shared/command.js";
import { amountSat, feerate, flag, integer, requiredFlag, text } from "./shared/options.js";
import { loadKeys, loadParty, locateParty, partyArgument, partyFlags, readInput } from "./shared/party.js";
import { readPreimage } from "./shared/preimage.js";
import { carryOutWithWallet, psbtFlags, psbtWithin, readPsbts } from "./shared/psbt.js";
import { warnOfFee } from "./shared/fee-warning.js";
import { readTransaction, transactionIn } from "./shared/read-transaction.js";
import { revokedHtlcsOf } from "./shared/revoked.js";
import { amount, htlcOf } from "./shared/summary.js";

type Transaction = ReturnType<typeof readTransaction>;

const index = integer(0, 0xffff);

/** `TXID:N:AMOUNT:LOCK`, the amount with its unit, the lock an address or a script in hex. Throws: usage-value. */
function namedCoins(list: string) {
  return list.split(",").map((value) => {
    const [, id, at, sum, lock] = /^([0-9a-fA-F]{64}):(\d{1,5}):([^:]+):(\w+)$/.exec(value) ?? [];
    if (id === undefined || at === undefined || sum === undefined || lock === undefined) {
      throw new LnError("usage-value", `${JSON.stringify(value)} is not an input TXID:N:AMOUNT:ADDRESS`, {
        value,
        expected: "TXID:N:AMOUNT:ADDRESS",
      });
    }
    return { txid: parseTxid(id), outputIndex: index(at), amount: amountSat(sum), lock };
  });
}

export const command = defineCommand({
  name: "bump",
  summary: "pay more fee for our way out: a child of a commitment, or fee inputs for HTLC transactions",
  description:
    "With --tx: spends our anchor on a commitment, ours or the peer's, or the anchor that anyone may spend, together with a wallet's inputs, so that both transactions together reach --feerate (the commitment's own fee counts). " +
    "With --htlcs: makes one of our HTLC transactions (after force-close, in channels with anchors), the wallet's inputs and change added; several become one where their locktimes agree. " +
    "The result is a PSBT with our signatures (without them by --psbt), for the wallet to sign; --finish, all other options as before, checks every signature and prints the transaction. " +
    "A node relays the child of a commitment below its minimum feerate only together with it (submitpackage), nothing below 253 sat per 1000 weight, and of a version 3 commitment only a child of at most 1000 vbytes.",
  args: [partyArgument],
  flags: {
    ...partyFlags,
    tx: flag("--tx <file>", "the commitment that is to confirm: hex, or JSON with a `tx`; - for standard input", text),
    htlcs: flag("--htlcs <indexes>", "outputs of our commitment whose HTLC transactions are to confirm, separated by commas", (list) =>
      list.split(",").map(index),
    ),
    feerate: requiredFlag("--feerate <sat_per_kw>", "feerate of the package or of the HTLC transaction, never below and within 1 %", feerate),
    inputs: flag(
      "--inputs <list>",
      "the wallet's inputs, P2WPKH or P2TR: TXID:N:AMOUNT:ADDRESS (or the script in hex), separated by commas",
      namedCoins,
    ),
    wallet: flag("--wallet <file>", "the same as a PSBT, whose outputs are passed over", text),
    change: requiredFlag("--change <address>", "where the rest of the wallet's money goes", text),
    preimage: flag("--preimage <file>", "for a received HTLC, unless the channel knows it: 32 bytes in hex, from a file or -", text),
    height: flag("--height <blocks>", "for offered HTLCs: the chain's height, which must have reached the expiry", integer(0, 499_999_999)),
    replaces: flag("--replaces <file>", "an earlier bump that this one replaces (BIP 125): its transaction or PSBT, or our report of it", text),
    ...psbtFlags,
  },
  examples: [
    "chankit bump alice --tx close.json --feerate 5000 --inputs TXID:0:50000sat:bcrt1q… --change bcrt1q… -o bump.json",
    "chankit bump alice --htlcs 2,3 --height 500 --feerate 5000 --wallet inputs.psbt --change bcrt1q… -o bump.json",
    "chankit bump alice --tx close.json --feerate 5000 --inputs TXID:0:50000sat:bcrt1q… --change bcrt1q… --finish signed.psbt",
  ],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    if ((o.tx === undefined) === (o.htlcs === undefined)) throw new LnError("usage-bump", "name what is to confirm: --tx or --htlcs", {});
    const published = o.tx === undefined ? null : readTransaction(ctx, o.tx);
    const state = requireFunded(loadParty(ctx, paths, { ...o, dryRun: true }).state);
    const wallet = await walletOf(ctx, state, o);
    const { plan, parents, shown } =
      published === null
        ? forHtlcs(ctx, state, { ...o, htlcs: o.htlcs ?? [] }, wallet)
        : forCommitment(state, published, identify(state, published, revokedHtlcsOf(ctx, paths, state)), wallet, o.feerate);
    const replaced = o.replaces === undefined ? null : await readReplaced(ctx, o.replaces);
    const replacedFee = replaced === null ? null : requireReplacing(plan, replaced);
    warnOfFee(ctx, { fee: plan.fee, amount: plan.change });
    const carried = await carryOutWithWallet(ctx, plan, parents, o, { state, keys: () => loadKeys(ctx, paths, o) });
    return {
      document: {
        format: "chankit-bump",
        version: 1,
        ...shown,
        ...carried.shown,
        feerate_per_kw: amount(o.feerate),
        fee_sat: amount(plan.fee),
        fee_weight: Number(plan.feeWeight),
        change_sat: amount(plan.change),
        change: o.change,
        ...(replaced === null ? {} : { replaces: { txid: replaced.tx.getId(), fee_sat: amount(replacedFee ?? 0n) } }),
      },
      fileName: `bump-${state.party}-${plan.unsigned.getId().slice(0, 8)}.json`,
    };
  },
});

interface Bumped {
  readonly plan: BumpPlan<DescribedCoin>;
  readonly parents: readonly Transaction[];
  readonly shown: Readonly<Record<string, unknown>>;
}

function forCommitment(
  state: FundedChannel,
  published: Transaction,
  identity: ReturnType<typeof identify>,
  wallet: Wallet<DescribedCoin>,
  rate: ReturnType<typeof feerate>,
): Bumped {
  const { commitment, parent, plan } = bumpCommitment(state, identity, wallet, rate);
  return {
    plan,
    parents: [published],
    shown: {
      kind: "commitment",
      parent: {
        txid: displayTxid(commitment.txid),
        owner: commitment.terms.owner,
        commitment_number: commitment.number,
        fee_sat: amount(parent.fee),
        weight: Number(parent.weight),
      },
      package_fee_sat: amount(parent.fee + plan.fee),
      package_weight: Number(parent.weight + plan.feeWeight),
    },
  };
}

interface HtlcOptions {
  readonly htlcs: readonly number[];
  readonly feerate: ReturnType<typeof feerate>;
  readonly preimage: string | undefined;
  readonly height: number | undefined;
}

function forHtlcs(ctx: Context, state: FundedChannel, o: HtlcOptions, wallet: Wallet<DescribedCoin>): Bumped {
  const preimage = o.preimage === undefined ? null : readPreimage(ctx, o.preimage);
  const { htlcTxs, plan } = bumpHtlcs(state, o.htlcs, { preimage, height: o.height ?? null }, wallet, o.feerate);
  return {
    plan,
    parents: htlcTxs.slice(0, 1).map(({ commitment }) => commitment.unsigned),
    shown: {
      kind: "htlcs",
      htlcs: htlcTxs.map(({ kind, outputIndex, output, amount: kept }, at) => ({
        kind,
        output_index: outputIndex,
        htlc: htlcOf(output.htlc),
        amount_sat: amount(kept),
        pays_to_output: at,
      })),
      locktime: plan.unsigned.locktime,
    },
  };
}

interface WalletOptions {
  readonly inputs: ReturnType<typeof namedCoins> | undefined;
  readonly wallet: string | undefined;
  readonly change: string;
}

async function walletOf(ctx: Context, state: FundedChannel, { inputs = [], wallet, change }: WalletOptions): Promise<Wallet<DescribedCoin>> {
  const { coinsOfPsbt, namedCoin } = await import("../json/psbt-wallet.js");
  const named = await Promise.all(inputs.map((coin) => namedCoin(coin, state.chain)));
  const listed = wallet === undefined ? [] : await Promise.all(readPsbts(ctx, wallet).map(({ text: psbt }) => coinsOfPsbt(psbt)));
  return { coins: [...named, ...listed.flat()], change: await scriptOfAddress(change, state.chain) };
}

/** A transaction, or a PSBT, which also tells what it spends. */
async function readReplaced(ctx: Context, file: string) {
  const content = readInput(ctx, file).trim();
  const psbt = psbtWithin(content, file);
  if (psbt !== null) {
    const { transactionOfPsbt } = await import("../json/psbt-wallet.js");
    return transactionOfPsbt(psbt);
  }
  const tx = transactionIn(content, file);
  return { tx, amounts: tx.ins.map(() => null) };
}
