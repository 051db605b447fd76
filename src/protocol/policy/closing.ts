import { equalBytes, toHex, type ScriptPubkey } from "../bytes.js";
import { closesSimply, isClear } from "../channel/clearing.js";
import { type FeeRange, type FundedChannel, changesFor } from "../channel/state.js";
import { isReturn, shutdownForm } from "../script/shutdown.js";
import type { Side } from "../side.js";
import { type ClosingOutputs, sidesOf } from "../tx/closing-terms.js";
import { type ClosingPlan, closingAmount, isClosingDust, isLesser } from "../tx/closing-tx.js";
import { dustThreshold } from "../tx/spend.js";
import { type Satoshi, floorToSat, larger, smaller } from "../units.js";
import { demand } from "./rule.js";

/** Without the first commitments signed there is nothing to close. BOLT 2 §Closing Initiation: `shutdown`. */
export function shutdownNeedsFunding(state: FundedChannel): void {
  demand(state.phase !== "awaiting_funding_signed", "policy-shutdown-unfunded", () => [
    "the peer's funding_signed has not come: there is nothing to close yet",
    { phase: state.phase },
  ]);
}

/** A shutdown finds nothing that waits to be signed for the peer: sign first. BOLT 2 §Closing Initiation: `shutdown`. */
export function shutdownOnlySigned(state: FundedChannel): void {
  const pending = changesFor(state, "remote").length;
  demand(pending === 0, "policy-shutdown-pending", () => [
    `${pending} changes wait for our signature of the peer's commitment: sign first`,
    { pending },
  ]);
}

/** The same of the peer's. BOLT 2 §Closing Initiation: `shutdown`. */
export function shutdownOnlySignedByPeer(state: FundedChannel): void {
  const pending = state.changes.remote.filter(({ stage }) => stage === "proposed").length;
  demand(pending === 0, "policy-shutdown-pending", () => [`the peer has not signed ${pending} of its changes, and sends shutdown`, { pending }]);
}

/**
 * A mutual close pays to what every node relays. We take a P2PKH or P2SH of an older peer's in a legacy close, but name none ourselves.
 * BOLT 2 §Closing Initiation: `shutdown`.
 */
export function scriptMustBeAllowed(state: Pick<FundedChannel, "features">, by: Side, script: ScriptPubkey): void {
  const form = shutdownForm(script);
  demand(allows(state, by, form), "policy-shutdown-script", () => [
    `a mutual close of this channel may not pay to ${toHex(script)}${form === null ? "" : ` (${form})`}`,
    { by, script_pubkey: toHex(script), form: form ?? "none" },
  ]);
}

function allows(state: Pick<FundedChannel, "features">, by: Side, form: ReturnType<typeof shutdownForm>): boolean {
  switch (form) {
    case null:
      return false;
    case "p2wpkh":
    case "p2wsh":
      return true;
    case "later_segwit":
      return state.features.includes("option_shutdown_anysegwit");
    case "op_return":
      return closesSimply(state);
    case "p2pkh":
    case "p2sh":
      return by === "remote" && !closesSimply(state);
  }
}

/** Who has named a script when opening is paid to no other. Stricter than BOLT 2, which asks it of both only with its feature. BOLT 2 §Closing Initiation: `shutdown`. */
export function scriptMustBeUpfront(state: FundedChannel, by: Side, script: ScriptPubkey): void {
  const upfront = state.params[by].upfrontShutdownScript;
  demand(upfront === null || equalBytes(upfront, script), "policy-shutdown-upfront", () => [
    `the ${by} side named another upfront_shutdown_script when opening`,
    { by, script_pubkey: toHex(script), upfront_shutdown_script: toHex(upfront ?? new Uint8Array()) },
  ]);
}

/** A side's shutdown is said once; another script comes with a closing_complete. BOLT 2 §Closing Initiation: `shutdown`. */
export function shutdownMustStand(state: FundedChannel, by: Side, script: ScriptPubkey): void {
  const before = state.shutdownScripts[by];
  demand(before === null || equalBytes(before, script), "policy-shutdown-changed", () => [
    `the ${by} side's shutdown names another script`,
    { by, script_pubkey: toHex(script), before: toHex(before ?? new Uint8Array()) },
  ]);
}

/** Both shutdowns, and nothing left to clear, come before any fee. BOLT 2 §Legacy Closing Negotiation: `closing_signed`. */
export function closingMustBeDue(state: FundedChannel): void {
  const { shutdownSent, shutdownReceived } = state.flags;
  const clear = isClear(state);
  demand(shutdownSent && shutdownReceived && clear, "policy-closing-early", () => [
    clear ? "both sides' shutdown come before a close" : "HTLCs, changes or revocations are left: the channel can't close yet",
    { shutdown_sent: shutdownSent, shutdown_received: shutdownReceived, clear },
  ]);
}

/** Whoever agreed to option_simple_close sends no closing_signed, and nobody else a closing_complete. BOLT 2 §Channel Close. */
export function closingMustBeAgreedKind(state: FundedChannel, kind: "simple" | "legacy"): void {
  const agreed = closesSimply(state) ? "simple" : "legacy";
  demand(agreed === kind, "policy-closing-kind", () => [`this channel closes by ${agreed} negotiation`, { agreed, came: kind }]);
}

/** Who pays the fee has it. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
export function payerMustAffordClosing({ balances, payer, feeSatoshis }: ClosingPlan): void {
  const balance = floorToSat(balances[payer]);
  demand(feeSatoshis <= balance, "policy-closing-fee-unaffordable", () => [
    `a closing fee of ${feeSatoshis} sat exceeds the ${payer} side's balance of ${balance} sat`,
    { payer, fee_satoshis: feeSatoshis.toString(), balance_sat: balance.toString() },
  ]);
}

/** No output that the network does not relay. BOLT 2 §Legacy Closing Negotiation: `closing_signed`. */
export function closingMustRelay(plan: ClosingPlan, outputs: ClosingOutputs): void {
  const dust = sidesOf(outputs).find((side) => isClosingDust(plan, side));
  demand(dust === undefined, "policy-closing-dust", () => {
    const side = dust ?? "local";
    const [amount, threshold] = [closingAmount(plan, side), dustThreshold(plan.scripts[side])];
    return [
      `the ${side} side's output of ${amount} sat would be dust, below ${threshold} sat`,
      { side, amount_sat: amount.toString(), dust_threshold_sat: threshold.toString() },
    ];
  });
}

/** A close without any output is none. BOLT 3 §Legacy Closing Transaction. */
export function closingMustPaySomebody(plan: ClosingPlan, outputs: ClosingOutputs | null): asserts outputs is ClosingOutputs {
  demand(outputs !== null, "policy-closing-dust", () => [
    "neither side's output is above the dust limit",
    { local_sat: closingAmount(plan, "local").toString(), remote_sat: closingAmount(plan, "remote").toString() },
  ]);
}

/** Who has less may leave its own output out, but not one that is worth nothing anyway. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
export function omissionMustBeAllowed(plan: ClosingPlan, by: "closer" | "closee"): void {
  demand((by === "closee" || isLesser(plan, "local")) && !isReturn(plan.scripts.local), "policy-closing-omission", () => [
    isReturn(plan.scripts.local) ? "an OP_RETURN output is not left out" : "only who has less may leave its own output out",
    { by },
  ]);
}

/** The opener names the first fee. BOLT 2 §Legacy Closing Negotiation: `closing_signed`. */
export function openerMustOfferFirst(state: FundedChannel, by: Side): void {
  demand(state.closing.lastOffer !== null || by === state.opener, "policy-closing-first", () => [
    "the opener, who pays the fee, sends the first closing_signed",
    { by },
  ]);
}

/** One offer waits for its answer. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
export function offerMustBeAnswered(answered: boolean, by: Side): void {
  demand(answered, "policy-closing-unanswered", () => [`the ${by} side's offer before this one has not been answered`, { by }]);
}

/** Who names a range takes what lies within. BOLT 2 §Legacy Closing Negotiation: `closing_signed`. */
export function feeMustBeInRange(fee: Satoshi, range: FeeRange | null, whose: Side | "both"): void {
  if (range === null) return;
  demand(isWithin(fee, range), "policy-closing-fee-range", () => [
    `a closing fee of ${fee} sat is not within ${rangeWords(range)}`,
    { fee_satoshis: fee.toString(), whose, ...rangeDetails(range) },
  ]);
}

export function isWithin(fee: Satoshi, { minFeeSatoshis, maxFeeSatoshis }: FeeRange): boolean {
  return fee >= minFeeSatoshis && fee <= maxFeeSatoshis;
}

/** What both ranges allow. BOLT 2 §Legacy Closing Negotiation: `closing_signed`. */
export function overlapOf(ours: FeeRange | null, theirs: FeeRange): FeeRange {
  if (ours === null) return theirs;
  const overlap = {
    minFeeSatoshis: larger(ours.minFeeSatoshis, theirs.minFeeSatoshis),
    maxFeeSatoshis: smaller(ours.maxFeeSatoshis, theirs.maxFeeSatoshis),
  };
  demand(overlap.minFeeSatoshis <= overlap.maxFeeSatoshis, "policy-closing-no-overlap", () => [
    `our fees of ${rangeWords(ours)} and the peer's of ${rangeWords(theirs)} have none in common`,
    { ...rangeDetails(ours), peer_min_fee_satoshis: theirs.minFeeSatoshis.toString(), peer_max_fee_satoshis: theirs.maxFeeSatoshis.toString() },
  ]);
  return overlap;
}

/** With ranges there is one answer, not a haggle. BOLT 2 §Legacy Closing Negotiation: `closing_signed`. */
export function feeMustStay(fee: Satoshi, settled: Satoshi, by: Side): void {
  demand(fee === settled, "policy-closing-fee-changed", () => [
    `the ${by} side names ${fee} sat where only ${settled} sat is left to agree to`,
    { by, fee_satoshis: fee.toString(), settled_satoshis: settled.toString() },
  ]);
}

/** Without ranges each offer comes nearer. BOLT 2 §Legacy Closing Negotiation: `closing_signed`. */
export function feeMustComeNearer(fee: Satoshi, one: Satoshi, other: Satoshi, by: Side): void {
  const [low, high] = [smaller(one, other), larger(one, other)];
  demand(fee > low && fee < high, "policy-closing-fee-between", () => [
    `the ${by} side's ${fee} sat is not strictly between ${low} and ${high} sat`,
    { by, fee_satoshis: fee.toString(), above: low.toString(), below: high.toString() },
  ]);
}

/** What the closer pays us is to go to the script that we named last. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
export function closeeScriptMustBeOurs(state: FundedChannel, script: ScriptPubkey): void {
  const named = state.shutdownScripts.local;
  demand(named !== null && equalBytes(named, script), "policy-closing-closee-script", () => [
    "closee_scriptpubkey is not the script that we named last",
    { closee_scriptpubkey: toHex(script), named: toHex(named ?? new Uint8Array()) },
  ]);
}

/** The signature that the rules select is there; an answer has one, of those that were offered. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
export function variantMustBe(holds: boolean, wanted: string, came: readonly string[]): void {
  demand(holds, "policy-closing-variant", () => [`${came.join(" and ") || "no signature"} came where ${wanted} is due`, { wanted, came }]);
}

/** An answer repeats what it answers. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
export function answerMustMatch(different: string | undefined): void {
  demand(different === undefined, "policy-closing-mismatch", () => [
    `${different ?? ""} is not what our closing_complete said`,
    { field: different ?? "" },
  ]);
}

function rangeWords({ minFeeSatoshis, maxFeeSatoshis }: FeeRange): string {
  return `${minFeeSatoshis} to ${maxFeeSatoshis} sat`;
}

function rangeDetails({ minFeeSatoshis, maxFeeSatoshis }: FeeRange): Record<string, string> {
  return { min_fee_satoshis: minFeeSatoshis.toString(), max_fee_satoshis: maxFeeSatoshis.toString() };
}
