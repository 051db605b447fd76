import { toHex } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { isLowS } from "../../keys/scalar.js";
import {
  closingMustBeAgreedKind,
  closingMustBeDue,
  closingMustPaySomebody,
  closingMustRelay,
  feeMustBeInRange,
  feeMustComeNearer,
  feeMustStay,
  isWithin,
  offerMustBeAnswered,
  openerMustOfferFirst,
  overlapOf,
  payerMustAffordClosing,
  shutdownMustStand,
} from "../../policy/closing.js";
import { nothingNewAfterBroadcast, nothingNewBehind } from "../../policy/interlocks.js";
import { withSide } from "../../side.js";
import { CLOSING_OUTPUTS, type ClosingOutputs, sidesOf } from "../../tx/closing-terms.js";
import { type ClosingPlan, buildClosing, closingAmount, closingFee, outputsAbove, verifyClosing, withoutSide } from "../../tx/closing-tx.js";
import { type Satoshi, sat } from "../../units.js";
import type { MessageOf } from "../../wire/messages.js";
import { isAgreed } from "../clearing.js";
import { closingPlan } from "../closing.js";
import { type Received, acknowledge, newestOfClose } from "../message-log.js";
import { type ChannelState, type ClosingOffer, type FeeRange, type FundedChannel, type SignedClosing, requireFunded } from "../state.js";
import { type CloseStep, type ClosingSignatures, type SigningStep, saidAgain, signing } from "./close-step.js";
import type { CloseWish } from "./close-wish.js";
import { type Outcome, done, expectChannel, expectType, notDue, sending, taking } from "./outcome.js";

/**
 * Our closing_signed: the opener's first, or the answer to the peer's. Without a fee an answer agrees.
 * BOLT 2 §Legacy Closing Negotiation: `closing_signed`.
 */
export function planLegacyClose(state: FundedChannel, wish: CloseWish): CloseStep {
  if (wish.script !== undefined) shutdownMustStand(state, "local", wish.script);
  const { offers, lastOffer } = state.closing;
  if (isAgreed(state)) return again(state);
  if (lastOffer === "remote" && offers.remote !== null) return answer(state, offers.remote, wish);
  if (wish.fee === undefined) return again(state);
  openerMustOfferFirst(state, "local");
  const draft = draftOf(state, wish);
  if (lastOffer === "local" && offers.local !== null) {
    offerMustBeAnswered(offers.local.feeSatoshis === draft.plan.feeSatoshis && sameRange(offers.local.feeRange, draft.range), "local");
    return again(state);
  }
  return offer(state, draft, null);
}

function again(state: FundedChannel): CloseStep {
  const newest = newestOfClose(state.messages);
  const settled = state.closing.signed[state.opener] !== null && newest?.type === "shutdown";
  return saidAgain(state, settled ? null : (newest ?? null));
}

function sameRange(a: FeeRange | null, b: FeeRange | null): boolean {
  return a?.minFeeSatoshis === b?.minFeeSatoshis && a?.maxFeeSatoshis === b?.maxFeeSatoshis;
}

/** A closing_signed of ours, not signed yet. */
interface Draft {
  readonly plan: ClosingPlan;
  readonly variant: ClosingOutputs;
  readonly range: FeeRange | null;
}

/** The opener pays. Throws: state-message-unexpected. */
function planFor(state: FundedChannel, feeSatoshis: Satoshi): ClosingPlan {
  const { local, remote } = state.shutdownScripts;
  if (local === null || remote === null) throw notDue("closing_signed", state);
  return closingPlan(state, { payer: state.opener, scripts: { local, remote }, feeSatoshis, locktime: 0 });
}

/** The transaction that we would sign: without outputs below our dust limit, and without ours where we leave it out. BOLT 3 §Legacy Closing Transaction. */
function ownVariant(state: FundedChannel, plan: ClosingPlan, { omitOutput }: CloseWish): ClosingOutputs | null {
  const above = outputsAbove(plan, state.params.local.dustLimitSatoshis);
  return omitOutput === true && above !== null ? withoutSide(above, "local") : above;
}

/** Throws: policy-closing-…. */
function draftOf(state: FundedChannel, wish: CloseWish): Draft {
  const plan = planFor(state, feeOf(state, wish));
  payerMustAffordClosing(plan);
  const variant = ownVariant(state, plan, wish);
  closingMustPaySomebody(plan, variant);
  closingMustRelay(plan, variant);
  const range = wish.feeRange ?? state.closing.offers.local?.feeRange ?? null;
  feeMustBeInRange(plan.feeSatoshis, range, "local");
  return { plan, variant, range };
}

/** The fee of the transaction that it leads to: one output less weighs less, as long as it is left out with that fee, too. */
function feeOf(state: FundedChannel, wish: CloseWish): Satoshi {
  const { fee } = wish;
  if (fee === undefined) throw new LnError("state-closing-choice", "closing_signed names a fee: a feerate or an amount", { needs: "fee" });
  if (fee.kind === "exactly") return fee.feeSatoshis;
  const free = planFor(state, sat(0n));
  const whole = closingFee(free, "both", fee.feerate);
  const variant = ownVariant(state, { ...free, feeSatoshis: whole }, wish);
  if (variant === null || variant === "both") return whole;
  const small = closingFee(free, variant, fee.feerate);
  return ownVariant(state, { ...free, feeSatoshis: small }, wish) === variant ? small : whole;
}

/**
 * The variants for which the peer's signature may come with the same fee: by its dust limit, with or without its own output, or the one that we sign.
 * BOLT 3 §Legacy Closing Transaction.
 */
function peersVariants(state: FundedChannel, plan: ClosingPlan, ours: ClosingOutputs | null): readonly ClosingOutputs[] {
  const above = outputsAbove(plan, state.params.remote.dustLimitSatoshis);
  const candidates = [ours, above, above === null ? null : withoutSide(above, "remote")];
  return CLOSING_OUTPUTS.filter((outputs) => candidates.includes(outputs));
}

/** Signs an offer of ours; `agreesTo` is the peer's, where it names the same fee: with it the close is signed by both. */
function offer(before: FundedChannel, { plan, variant, range }: Draft, agreesTo: ClosingOffer | null): SigningStep {
  const theirs = agreesTo?.signatures ?? {};
  // Those that the peer may answer with are signed, too, so that its answer can be completed when it comes
  const variants = [...peersVariants(before, plan, variant), ...variantsIn(theirs)];
  return signing(before, "closing_signed", plan, variants, theirs, (state, signatures) => {
    const { [variant]: signature } = signatures;
    if (signature === undefined) throw new LnError("internal-closing", "a close without a signature", { variant });
    const { payer, scripts, feeSatoshis, locktime } = plan;
    const made: ClosingOffer = { payer, scripts, feeSatoshis, locktime, feeRange: range, signatures };
    const offered: FundedChannel = {
      ...state,
      closing: { ...state.closing, offers: withSide(state.closing.offers, "local", made), lastOffer: "local" },
    };
    const { channelId } = state;
    return sending(agreesTo === null ? offered : completed(offered, agreesTo, signatures), {
      type: "closing_signed",
      channelId,
      feeSatoshis,
      signature,
      ...(range === null ? {} : { feeRange: range }),
    });
  });
}

function variantsIn(signatures: ClosingSignatures): readonly ClosingOutputs[] {
  return CLOSING_OUTPUTS.filter((outputs) => outputs in signatures);
}

/** Agrees, or names another fee. */
function answer(state: FundedChannel, theirs: ClosingOffer, wish: CloseWish): SigningStep {
  const draft = wish.fee === undefined ? agreement(state, theirs, wish) : draftOf(state, wish);
  const fee = draft.plan.feeSatoshis;
  if (theirs.feeRange !== null) feeMustBeInRange(fee, overlapOf(draft.range, theirs.feeRange), "both");
  if (fee === theirs.feeSatoshis) return offer(state, asThePeer(state, draft, theirs, wish), theirs);
  mayDiffer(state, fee, theirs);
  return offer(state, draft, null);
}

function agreement(state: FundedChannel, theirs: ClosingOffer, wish: CloseWish): Draft {
  return draftOf(state, { ...wish, fee: { kind: "exactly", feeSatoshis: theirs.feeSatoshis } });
}

/** An agreement signs what the peer has signed, unless an output in it is below our own dust limit. BOLT 3 §Legacy Closing Transaction. */
function asThePeer(state: FundedChannel, draft: Draft, theirs: ClosingOffer, { omitOutput }: CloseWish): Draft {
  const [outputs] = variantsIn(theirs.signatures);
  if (outputs === undefined || omitOutput === true) return draft;
  const limit = state.params.local.dustLimitSatoshis;
  return sidesOf(outputs).every((side) => closingAmount(draft.plan, side) >= limit) ? { ...draft, variant: outputs } : draft;
}

/** Whether another fee than the peer's may be answered. Throws: policy-closing-…. */
function mayDiffer({ opener, closing: { offers } }: FundedChannel, fee: Satoshi, theirs: ClosingOffer): void {
  const ours = offers.local;
  const range = ours?.feeRange ?? null;
  if (range !== null && isWithin(theirs.feeSatoshis, range)) feeMustStay(fee, theirs.feeSatoshis, "local");
  if (theirs.feeRange === null) {
    if (ours !== null) feeMustComeNearer(fee, ours.feeSatoshis, theirs.feeSatoshis, "local");
  } else if (opener === "local") feeMustStay(fee, theirs.feeSatoshis, "local");
  else if (ours !== null) feeMustStay(fee, ours.feeSatoshis, "local");
}

/** The state with the transaction that the peer has signed, signed by us. */
function completed(state: FundedChannel, theirs: ClosingOffer, ours: ClosingSignatures): FundedChannel {
  const [outputs] = variantsIn(theirs.signatures);
  const [local, remote] = outputs === undefined ? [] : [ours[outputs], theirs.signatures[outputs]];
  if (outputs === undefined || local === undefined || remote === undefined) throw new LnError("internal-closing", "a close without a signature", {});
  return withSigned(state, theirs, { outputs, signatures: { local, remote } });
}

function withSigned(state: FundedChannel, offer: ClosingOffer, signed: Pick<SignedClosing, "outputs" | "signatures">): FundedChannel {
  const { payer, scripts, feeSatoshis, locktime } = offer;
  const closing = { payer, scripts, feeSatoshis, locktime, ...signed };
  return { ...state, closing: { ...state.closing, signed: withSide(state.closing.signed, payer, closing) } };
}

/**
 * Takes in the peer's fee and signature; with our own last fee the close is signed by both. `close` answers it.
 * BOLT 2 §Legacy Closing Negotiation: `closing_signed`. Throws: policy-closing-…, state-signature-….
 */
export function receiveClosingSigned(channel: ChannelState, received: Received): Outcome {
  const message = expectType(received, "closing_signed");
  const state = requireFunded(channel);
  expectChannel(state.channelId, message.channelId);
  const messages = taking(state.messages, received);
  if (messages === null) return done(state, { repeated: true });
  nothingNewAfterBroadcast(state);
  nothingNewBehind(state);
  closingMustBeAgreedKind(state, "legacy");
  closingMustBeDue(state);
  openerMustOfferFirst(state, "remote");
  const { offers, lastOffer } = state.closing;
  const ours = offers.local;
  const agreed = isAgreed(state);
  offerMustBeAnswered(agreed || lastOffer !== "remote", "remote");
  const { feeSatoshis: fee, signature, feeRange = null } = message;
  const plan = planFor(state, fee);
  payerMustAffordClosing(plan);
  if (agreed && ours !== null) feeMustStay(fee, ours.feeSatoshis, "remote");
  else judgeFee(state, fee, feeRange);

  const outputs = signedVariant(state, plan, signature);
  closingMustRelay(plan, outputs);
  const { payer, scripts, locktime } = plan;
  const theirs: ClosingOffer = { payer, scripts, feeSatoshis: fee, locktime, feeRange, signatures: { [outputs]: signature } };
  const taken: FundedChannel = {
    ...state,
    messages: acknowledge(messages, ({ type }) => type === "closing_signed" || type === "shutdown"),
    closing: { ...state.closing, offers: withSide(offers, "remote", theirs), lastOffer: "remote" },
  };
  const local = ours?.feeSatoshis === fee ? ours.signatures[outputs] : undefined;
  return done(local === undefined ? taken : withSigned(taken, theirs, { outputs, signatures: { local, remote: signature } }));
}

/** Throws: policy-closing-fee-…, policy-closing-no-overlap. */
function judgeFee({ opener, closing: { offers } }: FundedChannel, fee: Satoshi, range: FeeRange | null): void {
  const ours = offers.local;
  if (ours === null || fee === ours.feeSatoshis) return;
  if (ours.feeRange !== null && isWithin(fee, ours.feeRange)) return;
  if (range !== null) {
    const overlap = overlapOf(ours.feeRange, range);
    if (opener === "local") feeMustBeInRange(fee, overlap, "both");
    else feeMustStay(fee, ours.feeSatoshis, "remote");
  } else if (offers.remote !== null) feeMustComeNearer(fee, ours.feeSatoshis, offers.remote.feeSatoshis, "remote");
}

/** Which of the variants the peer has signed. Throws: state-signature-high-s, state-signature-invalid. */
function signedVariant(state: FundedChannel, plan: ClosingPlan, signature: MessageOf<"closing_signed">["signature"]): ClosingOutputs {
  const ours = state.closing.offers.local;
  const signed = ours?.feeSatoshis === plan.feeSatoshis ? variantsIn(ours.signatures) : [];
  const candidates = [...signed, ...peersVariants(state, plan, null)];
  const shown = { path: "signature", signature: toHex(signature), fee_satoshis: plan.feeSatoshis.toString() };
  if (!isLowS(signature)) throw new LnError("state-signature-high-s", "signature has a high S: the network does not relay it", shown);
  const found = candidates.find((outputs) => verifyClosing(buildClosing(plan, outputs), "remote", signature));
  if (found !== undefined) return found;
  throw new LnError("state-signature-invalid", `signature is not good for a closing transaction with a fee of ${plan.feeSatoshis} sat`, shown);
}
