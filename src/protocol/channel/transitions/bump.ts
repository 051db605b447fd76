import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Bytes32, equalBytes } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { bumpOnlyHeld, replacementPaysMore } from "../../policy/bump.js";
import { penaltyNeedsRealChannel } from "../../policy/leave.js";
import { type BumpPlan, INCREMENTAL_FEERATE, type Parent, type Wallet, type WalletCoin, planAnchorBump, planHtlcBump } from "../../tx/bump.js";
import type { Commitment } from "../../tx/commitment-tx.js";
import type { HtlcTx } from "../../tx/htlc-tx.js";
import { commitmentWeightAtMost, htlcInput } from "../../tx/owner-plan.js";
import { txWeight } from "../../tx/sign.js";
import { anchorClaims, sharedAnchorClaim } from "../../tx/sweep-tx.js";
import { type FeeratePerKw, type Satoshi, feeAtLeast, sat } from "../../units.js";
import type { Identity } from "../identify.js";
import { type FundedChannel, requireFunded, type ChannelState } from "../state.js";
import { readyHtlc } from "./leave.js";

/** A commitment with a child that pays for it through an anchor. */
export interface AnchorBump<Coin extends WalletCoin> {
  readonly commitment: Commitment;
  readonly parent: Parent;
  readonly plan: BumpPlan<Coin>;
}

/**
 * A child of a commitment, ours or the peer's, through the anchor that is ours, or anyone's. BOLT 5 §Unilateral Close Handling: Local Commitment Transaction.
 * Throws: policy-vector-channel, policy-bump-not-held, state-no-anchor, state-bump-needless, tx-….
 */
export function bumpCommitment<Coin extends WalletCoin>(
  channel: ChannelState,
  identity: Identity,
  wallet: Wallet<Coin>,
  feerate: FeeratePerKw,
): AnchorBump<Coin> {
  const state = requireFunded(channel);
  penaltyNeedsRealChannel(state);
  bumpOnlyHeld(identity);
  const { commitment, owner } = identity;
  const kind = owner === "local" ? "to_local_anchor" : "to_remote_anchor";
  const own = anchorClaims(commitment, state.params.local, kind).find(({ signer }) => signer !== null);
  const ours = own ?? sharedAnchorClaim(commitment);
  if (ours === null) {
    throw new LnError("state-no-anchor", `the commitment has no anchor of ours: its fee is what it is`, {
      channel_type: state.channelType,
      number: commitment.number,
    });
  }
  const parent = { fee: commitment.actualFee, weight: commitmentWeightAtMost(commitment) };
  return { commitment, parent, plan: planAnchorBump(ours, parent, wallet, feerate, commitment.terms.format.txVersion) };
}

/** HTLC transactions of our closed commitment, as one that a wallet pays for. */
export interface HtlcBump<Coin extends WalletCoin> {
  readonly htlcTxs: readonly HtlcTx[];
  readonly plan: BumpPlan<Coin>;
}

/**
 * HTLC transactions of our commitment that was signed for broadcast, with a wallet's inputs for the fee. `given` is a preimage for one of them.
 * BOLT 5 §HTLC Output Handling: Local Commitment, Local Offers, §HTLC Output Handling: Local Commitment, Remote Offers.
 * Throws: as planOwnHtlcTx, and tx-htlc-fee-fixed, tx-htlc-locktimes-differ, tx-….
 */
export function bumpHtlcs<Coin extends WalletCoin>(
  state: FundedChannel,
  outputIndexes: readonly number[],
  { preimage: given, height }: { readonly preimage: Bytes32 | null; readonly height: number | null },
  wallet: Wallet<Coin>,
  feerate: FeeratePerKw,
): HtlcBump<Coin> {
  penaltyNeedsRealChannel(state);
  const knowing = given === null ? state : { ...state, knownPreimages: [...state.knownPreimages, given] };
  const parts = outputIndexes.map((outputIndex) => {
    const { htlcTx, countersignature, preimage } = readyHtlc(knowing, outputIndex, null, height);
    return { htlcTx, input: htlcInput(htlcTx, state.params.local, countersignature, preimage) };
  });
  return { htlcTxs: parts.map(({ htlcTx }) => htlcTx), plan: planHtlcBump(parts, wallet, feerate) };
}

/** A transaction that is to be replaced, and the amounts of what it spends as far as its PSBT tells. */
export interface Replaced {
  readonly tx: Transaction;
  readonly amounts: readonly (Satoshi | null)[];
}

/**
 * Whether nodes take `plan` in place of an earlier transaction: it spends an output that that one spends, and pays all its fee and that of its own relay.
 * BIP 125 rules 3 and 4. Throws: state-replaces-nothing, input-replaced-unknown, policy-replacement-underpaid.
 */
export function requireReplacing(plan: BumpPlan, { tx, amounts }: Replaced): Satoshi {
  const spends = ({ hash, index }: Transaction["ins"][number]) =>
    plan.unsigned.ins.findIndex((input) => input.index === index && equalBytes(input.hash, hash));
  const places = tx.ins.map(spends);
  const txid = tx.getId();
  if (places.every((at) => at === -1))
    throw new LnError("state-replaces-nothing", `transaction ${txid} spends nothing that this one spends`, { txid });
  const brought = tx.ins.map((_, at) => {
    const amount = plan.inputs[places[at] ?? -1]?.amount ?? amounts[at] ?? null;
    if (amount !== null) return amount;
    throw new LnError("input-replaced-unknown", `what input ${at} of transaction ${txid} spends is not known: name it by its PSBT`, {
      txid,
      input: at,
    });
  });
  const fee = sat(brought.reduce((sum, amount) => sum + amount, 0n) - tx.outs.reduce((sum, { value }) => sum + value, 0n));
  const least = sat(fee + feeAtLeast(INCREMENTAL_FEERATE, plan.feeWeight));
  replacementPaysMore({ fee: plan.fee, weight: plan.feeWeight }, { txid, fee, weight: tx.hasWitnesses() ? txWeight(tx) : null }, least);
  return fee;
}
