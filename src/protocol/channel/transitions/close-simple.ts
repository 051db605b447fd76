import { equalBytes, toHex } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { isLowS } from "../../keys/scalar.js";
import {
  answerMustMatch,
  closeeScriptMustBeOurs,
  closingMustBeAgreedKind,
  closingMustBeDue,
  closingMustRelay,
  offerMustBeAnswered,
  omissionMustBeAllowed,
  payerMustAffordClosing,
  scriptMustBeAllowed,
  scriptMustBeUpfront,
  shutdownMustStand,
  variantMustBe,
} from "../../policy/closing.js";
import { nothingNewAfterBroadcast, nothingNewBehind } from "../../policy/interlocks.js";
import { type Side, withSide } from "../../side.js";
import { CLOSING_OUTPUTS, type ClosingOutputs, type ClosingTerms } from "../../tx/closing-terms.js";
import { type ClosingPlan, buildClosing, closingFee, isClosingDust, isLesser, verifyClosing } from "../../tx/closing-tx.js";
import { type Satoshi, sat } from "../../units.js";
import type { MessageOf } from "../../wire/messages.js";
import { closingPlan } from "../closing.js";
import { type Received, acknowledge, newestOfClose } from "../message-log.js";
import { type ChannelState, type ClosingOffer, type FundedChannel, type MessageLog, type SignedClosing, requireFunded } from "../state.js";
import { type CloseStep, type ClosingSignatures as Signatures, type SigningStep, saidAgain, signing } from "./close-step.js";
import type { CloseWish } from "./close-wish.js";
import { type Outcome, done, expectChannel, expectType, notDue, sending, taking } from "./outcome.js";

type ClosingMessage = MessageOf<"closing_complete"> | MessageOf<"closing_sig">;
type ClosingTlv = "closerOutputOnly" | "closeeOutputOnly" | "closerAndCloseeOutputs";

/** Under which name a variant's signature goes, by who is the closer. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
function tlvOf(outputs: ClosingOutputs, closer: Side): ClosingTlv {
  if (outputs === "both") return "closerAndCloseeOutputs";
  return outputs === closer ? "closerOutputOnly" : "closeeOutputOnly";
}

function tlvsFrom(signatures: Signatures, closer: Side): Partial<Pick<ClosingMessage, ClosingTlv>> {
  return Object.fromEntries(CLOSING_OUTPUTS.flatMap((outputs) => (outputs in signatures ? [[tlvOf(outputs, closer), signatures[outputs]]] : [])));
}

function signaturesIn(message: ClosingMessage, closer: Side): Signatures {
  return Object.fromEntries(
    CLOSING_OUTPUTS.flatMap((outputs) => {
      const signature = message[tlvOf(outputs, closer)];
      return signature === undefined ? [] : [[outputs, signature]];
    }),
  );
}

/**
 * Answers the peer's closing_complete, or proposes a close that we pay for.
 * BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`.
 */
export function planSimpleClose(state: FundedChannel, wish: CloseWish): CloseStep {
  const { offers, signed } = state.closing;
  if (offers.remote !== null) return answer(state, offers.remote, wish.omitOutput === true);
  if (wish.fee === undefined) {
    if (wish.script !== undefined) shutdownMustStand(state, "local", wish.script);
    return again(state);
  }
  const { plan, variants } = proposalFor(state, wish);
  if (offers.local !== null) {
    offerMustBeAnswered(areSame(offers.local, plan) && sameVariants(offers.local, variants), "local");
    return again(state);
  }
  const before = signed.local;
  return before !== null && areSame(before, plan) && variants.includes(before.outputs) ? again(state) : propose(state, plan, variants);
}

function again(state: FundedChannel): CloseStep {
  const { offers, signed } = state.closing;
  const newest = newestOfClose(state.messages);
  const settled = offers.local === null && (signed.local !== null || signed.remote !== null);
  // Our shutdown is no news any more where a close is signed
  return saidAgain(state, settled && newest?.type === "shutdown" ? null : (newest ?? null));
}

function areSame(a: ClosingTerms, b: ClosingTerms): boolean {
  return differenceOf(a, b) === undefined;
}

function sameVariants({ signatures }: ClosingOffer, variants: readonly ClosingOutputs[]): boolean {
  return CLOSING_OUTPUTS.every((outputs) => outputs in signatures === variants.includes(outputs));
}

/** The closing_complete's field in which two differ. */
function differenceOf(a: ClosingTerms, b: ClosingTerms): string | undefined {
  const closee = a.payer === "local" ? "remote" : "local";
  if (!equalBytes(a.scripts[a.payer], b.scripts[a.payer])) return "closer_scriptpubkey";
  if (!equalBytes(a.scripts[closee], b.scripts[closee])) return "closee_scriptpubkey";
  if (a.feeSatoshis !== b.feeSatoshis) return "fee_satoshis";
  return a.locktime === b.locktime ? undefined : "locktime";
}

/** What we propose, and the variants that we sign. Throws: policy-closing-…, policy-shutdown-…. */
function proposalFor(state: FundedChannel, wish: CloseWish): { readonly plan: ClosingPlan; readonly variants: readonly ClosingOutputs[] } {
  const { local, remote } = state.shutdownScripts;
  const script = wish.script ?? local;
  if (script === null || remote === null) throw notDue("closing_complete", state);
  scriptMustBeAllowed(state, "local", script);
  scriptMustBeUpfront(state, "local", script);
  const free = closingPlan(state, { payer: "local", scripts: { local: script, remote }, feeSatoshis: sat(0n), locktime: wish.locktime ?? 0 });
  const omit = wish.omitOutput === true;
  if (omit) omissionMustBeAllowed(free, "closer");
  const priced = (variant: ClosingOutputs): ClosingPlan => ({ ...free, feeSatoshis: feeOf(wish, free, variant) });
  const plan = affordable(isLesser(free, "local") ? lesserPlan(priced, omit) : isClosingDust(free, "remote") ? priced("local") : priced("both"));
  const variants = variantsOf(plan, omit);
  for (const variant of variants) closingMustRelay(plan, variant);
  return { plan, variants };
}

function affordable(plan: ClosingPlan): ClosingPlan {
  payerMustAffordClosing(plan);
  return plan;
}

function feeOf({ fee }: CloseWish, plan: ClosingPlan, variant: ClosingOutputs): Satoshi {
  if (fee === undefined) throw new LnError("state-closing-choice", "closing_complete names a fee: a feerate or an amount", { needs: "fee" });
  return fee.kind === "exactly" ? fee.feeSatoshis : closingFee(plan, variant, fee.feerate);
}

/** Without our output the transaction is smaller, but it is left out only where with the fee it is dust. */
function lesserPlan(priced: (variant: ClosingOutputs) => ClosingPlan, omit: boolean): ClosingPlan {
  const [whole, small] = [priced("both"), priced("remote")];
  if (omit) return small;
  return isClosingDust(whole, "local") && isClosingDust(small, "local") ? small : whole;
}

/** BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
function variantsOf(plan: ClosingPlan, omit: boolean): readonly ClosingOutputs[] {
  if (isLesser(plan, "local")) return [omit || isClosingDust(plan, "local") ? "remote" : "both"];
  return isClosingDust(plan, "remote") ? ["local"] : ["local", "both"];
}

function propose(before: FundedChannel, plan: ClosingPlan, variants: readonly ClosingOutputs[]): SigningStep {
  return signing(before, "closing_complete", plan, variants, {}, (state, signatures) => {
    const { payer, scripts, feeSatoshis, locktime } = plan;
    const offer: ClosingOffer = { payer, scripts, feeSatoshis, locktime, feeRange: null, signatures };
    const offered: FundedChannel = {
      ...state,
      shutdownScripts: scripts,
      closing: { ...state.closing, offers: withSide(state.closing.offers, "local", offer) },
    };
    return sending(offered, { type: "closing_complete", ...worded(state, offer), ...tlvsFrom(signatures, "local") });
  });
}

function worded({ channelId }: FundedChannel, { payer, scripts, feeSatoshis, locktime }: ClosingTerms) {
  const [closer, closee] = payer === "local" ? (["local", "remote"] as const) : (["remote", "local"] as const);
  return { channelId, closerScriptpubkey: scripts[closer], closeeScriptpubkey: scripts[closee], feeSatoshis, locktime };
}

function termsIn(message: ClosingMessage, closer: Side): ClosingTerms {
  const { closerScriptpubkey, closeeScriptpubkey, feeSatoshis, locktime } = message;
  const scripts =
    closer === "local" ? { local: closerScriptpubkey, remote: closeeScriptpubkey } : { local: closeeScriptpubkey, remote: closerScriptpubkey };
  return { payer: closer, scripts, feeSatoshis, locktime };
}

/**
 * Takes in what the peer proposes to pay for; `close` answers it. Only the signature that the rules select is looked at.
 * BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. Throws: policy-closing-…, policy-shutdown-…, state-signature-….
 */
export function receiveClosingComplete(channel: ChannelState, received: Received): Outcome {
  const message = expectType(received, "closing_complete");
  const { state, messages } = opened(channel, message, received);
  if (messages === null) return done(state, { repeated: true });
  offerMustBeAnswered(state.closing.offers.remote === null, "remote");
  const terms = termsIn(message, "remote");
  const plan = closingPlan(state, terms);
  payerMustAffordClosing(plan);
  closeeScriptMustBeOurs(state, message.closeeScriptpubkey);
  scriptMustBeAllowed(state, "remote", message.closerScriptpubkey);
  scriptMustBeUpfront(state, "remote", message.closerScriptpubkey);
  const signatures = signaturesIn(message, "remote");
  requireSelected(plan, signatures, false);
  return done({
    ...state,
    // It shows that the peer has our answer to the one before
    messages: acknowledge(messages, ({ type }) => type === "closing_sig" || type === "shutdown"),
    shutdownScripts: withSide(state.shutdownScripts, "remote", message.closerScriptpubkey),
    closing: { ...state.closing, offers: withSide(state.closing.offers, "remote", { ...terms, feeRange: null, signatures }) },
  });
}

function opened(channel: ChannelState, { channelId }: ClosingMessage, received: Received): { state: FundedChannel; messages: MessageLog | null } {
  const state = requireFunded(channel);
  expectChannel(state.channelId, channelId);
  const messages = taking(state.messages, received);
  if (messages !== null) {
    nothingNewAfterBroadcast(state);
    nothingNewBehind(state);
    closingMustBeAgreedKind(state, "simple");
    closingMustBeDue(state);
  }
  return { state, messages };
}

/** The variant that the closee takes, its signature found good. Throws: policy-closing-variant, policy-closing-omission, state-signature-…. */
function requireSelected(plan: ClosingPlan, signatures: Signatures, omit: boolean): ClosingOutputs {
  if (omit) omissionMustBeAllowed(plan, "closee");
  const selected: ClosingOutputs = omit || isClosingDust(plan, "local") ? "remote" : "both" in signatures ? "both" : "local";
  const names = Object.keys(signatures).map((outputs) => snake(tlvOf(outputs as ClosingOutputs, "remote")));
  variantMustBe(selected in signatures, snake(tlvOf(selected, "remote")), names);
  requireGood(plan, selected, signatures, "remote");
  return selected;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Throws: state-signature-high-s, state-signature-invalid. */
function requireGood(plan: ClosingPlan, outputs: ClosingOutputs, signatures: Signatures, closer: Side): void {
  const [signature, path] = [signatures[outputs], snake(tlvOf(outputs, closer))];
  if (signature === undefined) throw new LnError("internal-closing", "a selected signature that is not there", { path });
  const shown = { path, signature: toHex(signature) };
  if (!isLowS(signature)) throw new LnError("state-signature-high-s", `${path} has a high S: the network does not relay it`, shown);
  if (verifyClosing(buildClosing(plan, outputs), "remote", signature)) return;
  throw new LnError("state-signature-invalid", `${path} is not good for the closing transaction with a fee of ${plan.feeSatoshis} sat`, shown);
}

/** From here on the peer's close may be broadcast. */
function answer(before: FundedChannel, offer: ClosingOffer, omit: boolean): SigningStep {
  const plan = closingPlan(before, offer);
  const outputs = requireSelected(plan, offer.signatures, omit);
  return signing(before, "closing_sig", plan, [outputs], offer.signatures, (state, ours) =>
    sending(completed(state, offer, outputs, ours, offer.signatures), {
      type: "closing_sig",
      ...worded(state, offer),
      ...tlvsFrom(ours, "remote"),
    }),
  );
}

/** The state with a close that both have signed, and its offer done with. */
function completed(state: FundedChannel, offer: ClosingOffer, outputs: ClosingOutputs, ours: Signatures, theirs: Signatures): FundedChannel {
  const [local, remote] = [ours[outputs], theirs[outputs]];
  if (local === undefined || remote === undefined) throw new LnError("internal-closing", "a close without a signature", { outputs });
  const { payer, scripts, feeSatoshis, locktime } = offer;
  const signed: SignedClosing = { payer, scripts, feeSatoshis, locktime, outputs, signatures: { local, remote } };
  const { closing } = state;
  return { ...state, closing: { ...closing, offers: withSide(closing.offers, payer, null), signed: withSide(closing.signed, payer, signed) } };
}

/**
 * Takes in the answer to our closing_complete: the close is signed by both.
 * BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. Throws: policy-closing-…, state-signature-…, state-message-unexpected.
 */
export function receiveClosingSig(channel: ChannelState, received: Received): Outcome {
  const message = expectType(received, "closing_sig");
  const { state, messages } = opened(channel, message, received);
  if (messages === null) return done(state, { repeated: true });
  const offer = state.closing.offers.local;
  if (offer === null) throw notDue("closing_sig", state);
  answerMustMatch(differenceOf(offer, termsIn(message, "local")));
  const signatures = signaturesIn(message, "local");
  const names = (of: Signatures) => Object.keys(of).map((outputs) => snake(tlvOf(outputs as ClosingOutputs, "local")));
  const [outputs, ...more] = CLOSING_OUTPUTS.filter((candidate) => candidate in signatures);
  const fits = outputs !== undefined && more.length === 0 && outputs in offer.signatures;
  variantMustBe(fits, `one of ${names(offer.signatures).join(", ")}`, names(signatures));
  if (outputs === undefined) throw notDue("closing_sig", state);
  requireGood(closingPlan(state, offer), outputs, signatures, "local");
  const log = acknowledge(messages, ({ type }) => type === "closing_complete" || type === "shutdown");
  return done({ ...completed(state, offer, outputs, offer.signatures, signatures), messages: log });
}
