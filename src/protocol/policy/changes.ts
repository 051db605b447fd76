import { type FundedChannel, eventualSpec } from "../channel/state.js";
import { SIDES, type Side, opposite } from "../side.js";
import { baseFee, isTrimmed } from "../tx/fees.js";
import { FORMATS } from "../tx/format.js";
import type { CommitmentSpec } from "../tx/spec.js";
import { type MilliSatoshi, floorToSat, perKw } from "../units.js";
import { demand } from "./rule.js";

/** `pay` is no BOLT message: only channels that agreed to it at opening use it. */
export function payMustBeAgreed(state: FundedChannel): void {
  demand(state.payExtension, "policy-pay-not-agreed", () => ["the two did not agree to `pay` when the channel was opened", {}]);
}

/** A channel moves once both sides have sent channel_ready. BOLT 2 §The `channel_ready` Message. */
export function channelMustBeOpen(state: FundedChannel): void {
  demand(state.phase === "open", "policy-channel-not-open", () => [
    `the channel is ${state.phase}: both sides' channel_ready come first`,
    { phase: state.phase },
  ]);
}

export function amountMustBePositive(amount: MilliSatoshi): void {
  demand(amount > 0n, "policy-amount-zero", () => ["an amount of 0 msat changes nothing", { amount_msat: "0" }]);
}

/** Ids count up from 0 in each direction. BOLT 2 §Adding an HTLC: `update_add_htlc`. */
export function idMustBeNext(id: bigint, next: bigint): void {
  demand(id === next, "policy-change-id", () => [`id ${id} came where ${next} was due`, { id: id.toString(), expected: next.toString() }]);
}

/** As many payments may be under way from one side as BOLT 2 allows HTLCs, so that no peer can swell our files. */
const MAX_PENDING = 483;

/** HTLCs have their own limit; what has none in BOLT 2 has this one. Throws: policy-pending-limit. */
export function pendingMustBeFew(state: FundedChannel, by: Side): void {
  const unlimited = state.changes[by].filter(({ content }) => content.kind === "pay" || content.kind === "update_fee");
  const pending = unlimited.filter(({ stage }) => stage !== "irrevocable").length;
  demand(pending < MAX_PENDING, "policy-pending-limit", () => [
    `${pending} payments and fee changes of the ${by} side are under way already`,
    { by, pending, limit: MAX_PENDING },
  ]);
}

/**
 * A feerate twice as high would leave the opener unable to add anything. BOLT 2 §Adding an HTLC: `update_add_htlc`: a warning, not a refusal.
 * Null where the opener keeps enough.
 */
export function feeSpikeWarning(proposed: FundedChannel): string | null {
  for (const owner of SIDES) {
    const spec = eventualSpec(atWorstFor(proposed, proposed.opener), owner);
    const costs = commitmentCosts(proposed, { ...spec, feeratePerKw: perKw(2n * spec.feeratePerKw) }, owner);
    const balance = floorToSat(spec.balances[proposed.opener]);
    if (balance < costs)
      return `at twice the feerate the ${owner} commitment would cost ${costs} sat, the opener keeps ${balance} sat: no fee-spike buffer is left`;
  }
  return null;
}

/** What each side can spend after the commitment's costs, in msat; below 0 where it can't bear them. */
function spendable(state: FundedChannel, spec: CommitmentSpec, owner: Side, side: Side): bigint {
  return spec.balances[side] - (side === state.opener ? commitmentCosts(state, spec, owner) * 1000n : 0n);
}

function commitmentCosts(state: FundedChannel, spec: CommitmentSpec, owner: Side): bigint {
  const format = FORMATS[state.channelType];
  const { dustLimitSatoshis } = state.params[owner];
  const untrimmed = spec.htlcs.filter((htlc) => !isTrimmed(format, spec, dustLimitSatoshis, owner, htlc)).length;
  return baseFee(format, spec.feeratePerKw, untrimmed) + format.anchorsCost;
}

/** The payer has what it pays, on both commitments, counting only what is its own already. BOLT 2 §Adding an HTLC: `update_add_htlc`. */
export function payerMustHave(state: FundedChannel, payer: Side, amount: MilliSatoshi): void {
  for (const owner of SIDES) {
    const balance = eventualSpec(atWorstFor(state, payer), owner).balances[payer];
    demand(balance >= amount, "policy-balance", () => [
      `${amount} msat exceed the payer's balance of ${balance} msat`,
      { payer, owner, amount_msat: amount.toString(), balance_msat: balance.toString() },
    ]);
  }
}

/**
 * The channel as it is at worst for `side`: of what the other side has proposed, whatever would be a gain may still be forgotten, or may reach a
 * commitment later than our own proposals do.
 */
export function atWorstFor(state: FundedChannel, side: Side): FundedChannel {
  const other = opposite(side);
  const uncertain = state.changes[other].filter(({ content }) => content.kind === "add_htlc" || content.kind === "update_fee");
  return { ...state, changes: { ...state.changes, [other]: uncertain } };
}

/** With the proposal the opener can still pay the fee and the anchors of both commitments. BOLT 2 §Adding an HTLC: `update_add_htlc`. */
export function openerMustAffordFee(proposed: FundedChannel): void {
  for (const owner of SIDES) {
    const spec = eventualSpec(atWorstFor(proposed, proposed.opener), owner);
    const costs = commitmentCosts(proposed, spec, owner);
    const balance = floorToSat(spec.balances[proposed.opener]);
    demand(balance >= costs, "policy-fee-unaffordable", () => [
      `fee and anchors of ${costs} sat exceed the opener's balance of ${balance} sat on the ${owner} commitment`,
      { owner, costs_sat: costs.toString(), balance_sat: balance.toString(), feerate_per_kw: spec.feeratePerKw.toString() },
    ]);
  }
}

/** With the proposal the payer keeps the reserve that the other side demands of it. BOLT 2 §Adding an HTLC: `update_add_htlc`. */
export function payerMustKeepReserve(proposed: FundedChannel, payer: Side): void {
  const reserve = proposed.params[opposite(payer)].channelReserveSatoshis;
  for (const owner of SIDES) {
    const left = spendable(proposed, eventualSpec(atWorstFor(proposed, payer), owner), owner, payer);
    demand(left >= reserve * 1000n, "policy-reserve", () => [
      `the payer would keep ${left} msat, less than its reserve of ${reserve} sat, on the ${owner} commitment`,
      { payer, owner, left_msat: left.toString(), channel_reserve_satoshis: reserve.toString() },
    ]);
  }
}
