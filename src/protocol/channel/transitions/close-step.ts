import type { Signature } from "../../bytes.js";
import { CLOSING_OUTPUTS, type ClosingOutputs } from "../../tx/closing-terms.js";
import { type ClosingPlan, type ClosingTx, buildClosing, planClosing } from "../../tx/closing-tx.js";
import type { SignableInput, TxPlan } from "../../tx/plan.js";
import type { ClosingOffer, FundedChannel } from "../state.js";
import { type Outcome, done } from "./outcome.js";

/** The next step of a mutual close: one that is taken without a signature, or what we sign for it. */
export type CloseStep = { readonly kind: "done"; readonly outcome: Outcome } | SigningStep;

export interface SigningStep {
  readonly kind: "sign";
  /** What carries the signatures to the peer. */
  readonly message: "closing_signed" | "closing_complete" | "closing_sig";
  /** The channel from the moment on in which one of them may exist: it moves no more. */
  readonly state: FundedChannel;
  /** What they agree on. */
  readonly terms: ClosingPlan;
  readonly closings: readonly PlannedClosing[];
  /** The step with our signatures, which are good, each in its closing's place. */
  finish(signatures: readonly Signature[]): Outcome;
}

/** A closing transaction that we sign, with the peer's signature where that has come. */
export interface PlannedClosing {
  readonly closing: ClosingTx;
  readonly plan: TxPlan<SignableInput>;
}

export type ClosingSignatures = ClosingOffer["signatures"];

export function taken(outcome: Outcome): CloseStep {
  return { kind: "done", outcome };
}

/** Said before: the same message again, or nothing. */
export function saidAgain(state: FundedChannel, resend: Outcome["resend"]): CloseStep {
  return taken(done(state, { repeated: true, resend }));
}

/** Signing these variants of one plan; `theirs` are the peer's signatures. */
export function signing(
  before: FundedChannel,
  message: SigningStep["message"],
  terms: ClosingPlan,
  wanted: readonly ClosingOutputs[],
  theirs: ClosingSignatures,
  finish: (state: FundedChannel, ours: ClosingSignatures) => Outcome,
): SigningStep {
  const variants = CLOSING_OUTPUTS.filter((outputs) => wanted.includes(outputs));
  const state: FundedChannel = { ...before, flags: { ...before.flags, closingSigned: true } };
  return {
    kind: "sign",
    message,
    state,
    terms,
    closings: variants.map((outputs) => {
      const closing = buildClosing(terms, outputs);
      return { closing, plan: planClosing(closing, theirs[outputs] ?? null) };
    }),
    finish: (signatures) => finish(state, Object.fromEntries(variants.map((outputs, at) => [outputs, signatures[at]]))),
  };
}
