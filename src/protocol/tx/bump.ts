import { Transaction } from "bitcoinjs-lib/src/transaction";
import { type ScriptPubkey, type Txid, displayTxid, equalBytes } from "../bytes.js";
import { LnError } from "../errors.js";
import { type FeeratePerKw, type Satoshi, type Weight, feeAtLeast, perKw, sat, weight } from "../units.js";
import { SIGHASH_SINGLE_ANYONECANPAY } from "./format.js";
import type { HtlcTx } from "./htlc-tx.js";
import { type OwnInput, type TxPlan, type WalletInput, withLargestWitnesses } from "./plan.js";
import { txWeight } from "./sign.js";
import { type Claim, SEQUENCE_RBF, TRUC_CHILD_WEIGHT, TRUC_VERSION, TRUC_WEIGHT, demandAboveDust } from "./spend.js";

/** A wallet's output that is to pay fees. */
export interface WalletCoin extends WalletInput {
  readonly txid: Txid;
  readonly outputIndex: number;
}

/** What pays, and where the rest goes. */
export interface Wallet<Coin extends WalletCoin = WalletCoin> {
  readonly coins: readonly Coin[];
  readonly change: ScriptPubkey;
}

/** A transaction that a wallet pays for, not signed yet: our inputs first, the wallet's behind them, its change last. */
export interface BumpPlan<Coin extends WalletCoin = WalletCoin> extends TxPlan<OwnInput | Coin> {
  readonly fee: Satoshi;
  readonly feeWeight: Weight;
  readonly change: Satoshi;
}

/** What a commitment pays by itself: a child pays the rest. */
export interface Parent {
  readonly fee: Satoshi;
  /** With signatures as large as they can be. */
  readonly weight: Weight;
}

/** An HTLC transaction with what opens its input. */
export interface HtlcPart {
  readonly htlcTx: HtlcTx;
  readonly input: OwnInput;
}

/** What a node asks for a replacement on top of the fees that it replaces: 1 sat a vbyte, Bitcoin Core's -incrementalrelayfee. BIP 125 rule 4. */
export const INCREMENTAL_FEERATE: FeeratePerKw = perKw(250n);

/**
 * Spends an anchor so that commitment and child together reach `feerate`: the smallest fee with which they do.
 * BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors).
 * Throws: state-bump-needless, tx-output-dust, tx-input-twice, tx-truc-too-large.
 */
export function planAnchorBump<Coin extends WalletCoin>(
  anchor: Claim,
  parent: Parent,
  wallet: Wallet<Coin>,
  feerate: FeeratePerKw,
  version: 2 | 3,
): BumpPlan<Coin> {
  if (parent.fee * 1000n >= feerate * parent.weight) {
    throw new LnError("state-bump-needless", `the commitment itself pays ${parent.fee} sat for ${parent.weight} weight: as much as is asked for`, {
      fee_sat: parent.fee.toString(),
      weight: parent.weight.toString(),
      feerate_per_kw: feerate.toString(),
    });
  }
  const feeOf = (size: Weight) => sat(feeAtLeast(feerate, weight(size + parent.weight)) - parent.fee);
  const plan = planWithWallet([{ ...anchor, input: anchor, paired: null }], wallet, { version, locktime: 0 }, feeOf);
  if (version === TRUC_VERSION) demandTrucSize(plan.feeWeight, TRUC_CHILD_WEIGHT, "the child of a version 3 transaction");
  return plan;
}

/**
 * HTLC transactions as one, with inputs for its fee and change: each HTLC's input stands beside its output, which is all that the countersigner has signed.
 * BOLT 3 §HTLC-Timeout and HTLC-Success Transactions.
 * Throws: tx-htlc-fee-fixed, tx-htlc-locktimes-differ, tx-output-dust, tx-input-twice, tx-truc-too-large.
 */
export function planHtlcBump<Coin extends WalletCoin>(parts: readonly HtlcPart[], wallet: Wallet<Coin>, feerate: FeeratePerKw): BumpPlan<Coin> {
  for (const { htlcTx } of parts) {
    const { channelType, htlcSighash } = htlcTx.commitment.terms.format;
    if (htlcSighash === SIGHASH_SINGLE_ANYONECANPAY) continue;
    throw new LnError("tx-htlc-fee-fixed", `in a ${channelType} channel the peer has signed the whole HTLC transaction: nothing can be added`, {
      channel_type: channelType,
    });
  }
  const locktimes = [...new Set(parts.map(({ htlcTx }) => htlcTx.unsigned.locktime))];
  const [locktime = 0] = locktimes;
  if (locktimes.length > 1) {
    throw new LnError("tx-htlc-locktimes-differ", `the peer has signed each HTLC transaction for its own locktime: ${locktimes.join(" and ")}`, {
      locktimes,
    });
  }
  const version = parts[0]?.htlcTx.commitment.terms.format.txVersion ?? 2;
  const own = parts.map(({ htlcTx, input }) => ({
    txid: htlcTx.commitment.txid,
    outputIndex: htlcTx.outputIndex,
    sequence: htlcTx.commitment.terms.format.oneBlockDelay,
    input,
    paired: { scriptPubkey: htlcTx.lock.scriptPubkey, amount: htlcTx.amount },
  }));
  const plan = planWithWallet(own, wallet, { version, locktime }, (size) => feeAtLeast(feerate, size));
  if (version === TRUC_VERSION) demandTrucSize(plan.feeWeight, TRUC_WEIGHT, "a version 3 transaction");
  return plan;
}

/** BIP 431. Throws: tx-truc-too-large. */
function demandTrucSize(size: Weight, maximum: Weight, what: string): void {
  if (size <= maximum) return;
  throw new LnError("tx-truc-too-large", `${what} has ${size} weight, above ${maximum}`, { weight: size.toString(), maximum: maximum.toString() });
}

/** An input of ours, and the output that must stand beside it. */
interface Place {
  readonly txid: Txid;
  readonly outputIndex: number;
  readonly sequence: number;
  readonly input: OwnInput;
  readonly paired: { readonly scriptPubkey: ScriptPubkey; readonly amount: Satoshi } | null;
}

function planWithWallet<Coin extends WalletCoin>(
  own: readonly Place[],
  { coins, change: to }: Wallet<Coin>,
  { version, locktime }: { readonly version: number; readonly locktime: number },
  feeOf: (size: Weight) => Satoshi,
): BumpPlan<Coin> {
  requireDistinct([...own, ...coins]);
  const draft = new Transaction();
  draft.version = version;
  draft.locktime = locktime;
  for (const { txid, outputIndex, sequence } of own) draft.addInput(txid, outputIndex, sequence);
  for (const { txid, outputIndex } of coins) draft.addInput(txid, outputIndex, SEQUENCE_RBF);
  const paired = own.flatMap((place) => place.paired ?? []);
  for (const { scriptPubkey, amount } of paired) draft.addOutput(scriptPubkey, amount);
  draft.addOutput(to, 0n);

  const inputs = [...own.map(({ input }) => input), ...coins];
  const feeWeight = txWeight(withLargestWitnesses({ unsigned: draft, inputs }));
  const fee = feeOf(feeWeight);
  const brought = inputs.reduce((sum, { amount }) => sum + amount, 0n);
  const kept = paired.reduce((sum, { amount }) => sum + amount, 0n);
  const change = sat(brought - kept - fee);
  demandAboveDust(to, change, { total: sat(brought - kept), fee });
  const unsigned = draft.clone();
  const last = unsigned.outs.at(-1);
  if (last !== undefined) last.value = change;
  return { unsigned, inputs, fee, feeWeight, change };
}

/** Throws: tx-input-twice. */
function requireDistinct(places: readonly { readonly txid: Txid; readonly outputIndex: number }[]): void {
  for (const [at, { txid, outputIndex }] of places.entries()) {
    if (!places.slice(0, at).some((before) => before.outputIndex === outputIndex && equalBytes(before.txid, txid))) continue;
    const outpoint = `${displayTxid(txid)}:${outputIndex}`;
    throw new LnError("tx-input-twice", `${outpoint} is named twice`, { outpoint });
  }
}
