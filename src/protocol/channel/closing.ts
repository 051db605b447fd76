import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { SIDES } from "../side.js";
import { CLOSING_OUTPUTS, type ClosingTerms } from "../tx/closing-terms.js";
import { type ClosingPlan, type ClosingTx, buildClosing, completeClosing } from "../tx/closing-tx.js";
import { FORMATS } from "../tx/format.js";
import { closesSimply } from "./clearing.js";
import { type FundedChannel, type SignedClosing, newestSpec } from "./state.js";

/** The terms with what the state adds to them. Throws: state-no-commitment. */
export function closingPlan(state: FundedChannel, { payer, scripts, feeSatoshis, locktime }: ClosingTerms): ClosingPlan {
  const [funding] = state.fundings;
  const { local, remote } = state.params;
  return {
    payer,
    scripts,
    feeSatoshis,
    locktime,
    kind: closesSimply(state) ? "simple" : "legacy",
    funding,
    fundingKeys: { local: local.fundingPubkey, remote: remote.fundingPubkey },
    fundingLock: FORMATS[state.channelType].funding(local.fundingPubkey, remote.fundingPubkey),
    balances: newestSpec(state, "local").balances,
  };
}

/** A mutual close as it can be broadcast. */
export interface CompleteClosing {
  readonly signed: SignedClosing;
  readonly closing: ClosingTx;
  readonly tx: Transaction;
}

/** Every mutual close that both have signed, built again; of two the one with the higher fee first. */
export function completeClosings(state: FundedChannel): readonly CompleteClosing[] {
  return SIDES.flatMap((payer): readonly CompleteClosing[] => {
    const signed = state.closing.signed[payer];
    if (signed === null) return [];
    const closing = buildClosing(closingPlan(state, signed), signed.outputs);
    return [{ signed, closing, tx: completeClosing(closing, signed.signatures) }];
  }).sort((a, b) => Number(b.closing.actualFee - a.closing.actualFee));
}

/** Every mutual close that may be in the chain as far as the state tells: signed by both, or offered, which the other side can complete alone. */
export function knownClosings(state: FundedChannel): readonly ClosingTx[] {
  const { offers } = state.closing;
  const offered = SIDES.flatMap((side) => {
    const offer = offers[side];
    if (offer === null) return [];
    return CLOSING_OUTPUTS.filter((outputs) => outputs in offer.signatures).map((outputs) => buildClosing(closingPlan(state, offer), outputs));
  });
  return [...completeClosings(state).map(({ closing }) => closing), ...offered];
}
