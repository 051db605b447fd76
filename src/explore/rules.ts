import type { ErrorCode } from "../protocol/errors.js";
import type { Behaviour } from "./explore.js";
import type { Who } from "./script.js";
import type { LossKind } from "./verdict.js";

/** The tag of a rule. */
export type PolicyCode = Extract<ErrorCode, `policy-${string}`>;

/**
 * What the absence of rules must lead to:
 * losses · `structural`: none, for something else makes the violation unbuildable · `none`: none, for nobody's money hangs on it.
 */
export type Consequence = readonly LossKind[] | "structural" | "none";

/** Rules whose absence explore shows, and a place where it does. */
export interface Absence {
  readonly without: readonly PolicyCode[];
  readonly leadsTo: Consequence;
  readonly because: string;
  /** Refusals that stand behind the rule: met in its place. */
  readonly behind?: readonly ErrorCode[];
  readonly script: string;
  readonly step: number;
  readonly adversary: Who;
  readonly behaviour: Behaviour;
  /** The chain's height, where it matters. */
  readonly height?: number;
}

export const ABSENCES: readonly Absence[] = [
  {
    without: ["policy-revocation-wrong-secret"],
    leadsTo: ["theft"],
    because: "the payer gives a secret that opens nothing, and publishes the state from before the payment, which cannot be punished",
    script: "article",
    step: 19,
    adversary: "alice",
    behaviour: "lie",
  },
  {
    without: ["policy-revoke-unverified"],
    leadsTo: ["hostage", "theft"],
    because:
      "the only commitment is revoked before there is another: nobody can leave alone with what is in the channel, or whoever does is punished",
    script: "article",
    step: 0,
    adversary: "bob",
    behaviour: "mistake",
  },
  {
    without: ["policy-force-closed", "policy-revoke-broadcast"],
    leadsTo: ["theft"],
    because: "a payment is completed after the old commitment has been handed out, and the secret of that very commitment given away with it",
    script: "article",
    step: 20,
    adversary: "alice",
    behaviour: "after-close",
  },
  {
    without: ["policy-force-closed"],
    leadsTo: "structural",
    because: "what is agreed on after a commitment was handed out never ends: its secret stays, policy-revoke-broadcast",
    script: "article",
    step: 20,
    adversary: "alice",
    behaviour: "after-close",
  },
  {
    without: ["policy-revoke-broadcast"],
    leadsTo: "structural",
    because: "nothing new is verified after a commitment was handed out, so there is nothing to revoke it for: policy-force-closed",
    behind: ["policy-force-closed"],
    script: "article",
    step: 20,
    adversary: "alice",
    behaviour: "after-close",
  },
  {
    without: ["policy-sign-no-changes"],
    leadsTo: ["theft"],
    because:
      "the newest commitment is signed once more as if it were the next: its secret is given away, and it still counts as the newest, which is not punished",
    script: "article",
    step: 3,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-sign-different"],
    leadsTo: "structural",
    because:
      "sign gives the signature that it gave before, and makes no other for the same number: state-message-not-held where there is none any more",
    behind: ["state-message-not-held"],
    script: "article",
    step: 7,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-sign-unrevoked"],
    leadsTo: "structural",
    because: "the point of a third commitment comes with the revocation of the first: policy-sign-point-unknown",
    behind: ["policy-sign-point-unknown"],
    script: "crossing",
    step: 20,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-sign-unrevoked", "policy-sign-point-unknown"],
    leadsTo: "structural",
    because: "without the point there is no commitment to sign: state-point-unknown",
    behind: ["state-point-unknown"],
    script: "crossing",
    step: 20,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-htlc-tx-before-close"],
    leadsTo: "structural",
    because: "an HTLC transaction waits for its expiry or its preimage: policy-htlc-not-expired, state-preimage-unknown",
    behind: ["policy-htlc-not-expired"],
    script: "htlcs",
    step: 16,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-sign-own-commitment"],
    leadsTo: "structural",
    because: "sign compares what it is given with the peer's commitment, and signs no other: state-commitment-mismatch, policy-sign-different",
    behind: ["policy-sign-different"],
    script: "article",
    step: 7,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-broadcast-revoked"],
    leadsTo: "structural",
    because: "force-close signs the newest commitment, whatever number is named: no other is kept with the peer's signature",
    script: "article",
    step: 7,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-broadcast-behind"],
    leadsTo: ["theft"],
    because: "the newest commitment of an old copy is revoked: whoever publishes it is punished",
    script: "rolled-back",
    step: 22,
    adversary: "bob",
    behaviour: "mistake",
  },
  {
    without: ["policy-behind"],
    leadsTo: ["theft"],
    because: "numbers are signed and revoked again of which the other holds others: what it publishes then is not known to be revoked",
    script: "restored",
    step: 17,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-commitment-no-changes"],
    leadsTo: "structural",
    because: "the commitment is the one that is held, under no new number: a signature of another does not verify, state-signature-invalid",
    behind: ["state-signature-invalid"],
    script: "article",
    step: 3,
    adversary: "alice",
    behaviour: "lie",
  },
  {
    without: ["policy-commitment-unanswered"],
    leadsTo: "structural",
    because: "before our revocation nothing that we took in can be new: policy-commitment-no-changes",
    behind: ["policy-commitment-no-changes"],
    script: "article",
    step: 7,
    adversary: "alice",
    behaviour: "lie",
  },
  {
    without: ["policy-revocation-unexpected"],
    leadsTo: "structural",
    because: "there is no signed commitment to go on to: internal-no-remote-commit",
    behind: ["internal-no-remote-commit"],
    script: "article",
    step: 20,
    adversary: "alice",
    behaviour: "lie",
  },
  {
    without: ["policy-balance"],
    leadsTo: "structural",
    because: "the payer must keep its reserve, and the opener afford the fee, out of what is left: policy-reserve, policy-fee-unaffordable",
    behind: ["policy-fee-unaffordable"],
    script: "article",
    step: 1,
    adversary: "bob",
    behaviour: "mistake",
  },
  {
    without: ["policy-fee-unaffordable"],
    leadsTo: "structural",
    because: "who pays the fee must keep its reserve after it: policy-reserve",
    behind: ["policy-reserve"],
    script: "htlcs",
    step: 0,
    adversary: "bob",
    behaviour: "mistake",
  },
  {
    without: ["policy-feerate-range"],
    leadsTo: "structural",
    because: "a feerate that takes more than the opener has is no commitment: policy-fee-unaffordable",
    behind: ["policy-fee-unaffordable"],
    script: "article",
    step: 1,
    adversary: "bob",
    behaviour: "mistake",
  },
  {
    without: ["policy-fee-not-opener"],
    leadsTo: "structural",
    because: "whoever asks, the fee is the opener's, and must be in the limits: policy-feerate-range",
    behind: ["policy-feerate-range"],
    script: "article",
    step: 1,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-htlc-not-committed"],
    leadsTo: ["theft"],
    because: "the preimage is out before both commitments hold the HTLC: it is never paid",
    script: "htlcs",
    step: 3,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-preimage-mismatch"],
    leadsTo: ["theft"],
    because: "an HTLC of ours is paid for any 32 bytes: what it was to prove or to pass on is not there",
    script: "htlcs",
    step: 17,
    adversary: "bob",
    behaviour: "lie",
  },
  {
    without: ["policy-htlc-removed-twice"],
    leadsTo: ["theft"],
    because: "an HTLC whose preimage is out is failed as well: it is given back",
    script: "htlcs",
    step: 17,
    adversary: "alice",
    behaviour: "mistake",
  },
  {
    without: ["policy-htlc-deadline"],
    leadsTo: ["theft"],
    because: "the preimage is out so late that the other takes the HTLC back by its expiry before ours is confirmed",
    script: "htlcs",
    step: 16,
    adversary: "alice",
    behaviour: "mistake",
    height: 430,
  },
  {
    without: ["policy-reserve"],
    leadsTo: "none",
    because: "the reserve is what a cheater has to lose: without it cheating costs nothing, and still takes nothing",
    script: "article",
    step: 20,
    adversary: "bob",
    behaviour: "mistake",
  },
  {
    without: ["policy-amount-zero"],
    leadsTo: "none",
    because: "nothing is moved",
    script: "article",
    step: 20,
    adversary: "alice",
    behaviour: "lie",
  },
  {
    without: ["policy-change-id"],
    leadsTo: "none",
    because: "an id is a name: no output depends on it, and both sides apply the changes in their order",
    script: "article",
    step: 20,
    adversary: "bob",
    behaviour: "lie",
  },
  {
    without: ["policy-htlc-expiry"],
    leadsTo: "none",
    because: "an expiry that is a time keeps the money of whoever offers it, and of nobody else, from coming back by itself",
    script: "htlcs",
    step: 3,
    adversary: "bob",
    behaviour: "lie",
  },
];

const OPENING = "the opening: scripts begin with an open channel";
const CLOSING = "a mutual close: scripts end without one";
const LIMIT = "a limit that no message of these scripts can reach";
const TOLD = "what a command is told about the chain, or may do with what is on it: none of it is said to the other side";

/** Rules that no script comes by, and why. */
export const NOT_EXPLORED: Readonly<Partial<Record<PolicyCode, string>>> = {
  "policy-funding-unverified": OPENING,
  "policy-broadcast-unverified": OPENING,
  "policy-channel-not-open": OPENING,
  "policy-pay-not-agreed": OPENING,
  "policy-funding-too-large": OPENING,
  "policy-push-exceeds-funding": OPENING,
  "policy-initial-fee-unaffordable": OPENING,
  "policy-initial-balances": OPENING,
  "policy-delay-too-long": OPENING,
  "policy-delay-zero": OPENING,
  "policy-dust-limit-too-small": OPENING,
  "policy-dust-limit-too-large": OPENING,
  "policy-dust-limit-above-reserve": OPENING,
  "policy-max-accepted-htlcs": OPENING,
  "policy-reserve-below-dust": OPENING,
  "policy-channel-type": OPENING,
  "policy-chain": OPENING,
  "policy-commitment-underpaid": LIMIT,
  "policy-pending-limit": LIMIT,
  "policy-htlc-minimum": LIMIT,
  "policy-htlc-count": LIMIT,
  "policy-htlc-in-flight": LIMIT,
  "policy-dust-exposure": LIMIT,
  "policy-badonion": LIMIT,
  "policy-penalty-not-revoked": TOLD,
  "policy-vector-channel": TOLD,
  "policy-htlc-not-expired": TOLD,
  "policy-sweep-immature": TOLD,
  "policy-bump-not-held": TOLD,
  "policy-replacement-underpaid": TOLD,
  "policy-broadcast-mainnet": TOLD,
  "policy-broadcast-marked": TOLD,
  "policy-broadcast-unsigned": TOLD,
  "policy-closing-signed": CLOSING,
  "policy-shutdown": CLOSING,
  "policy-shutdown-unfunded": CLOSING,
  "policy-shutdown-pending": CLOSING,
  "policy-shutdown-script": CLOSING,
  "policy-shutdown-upfront": CLOSING,
  "policy-shutdown-changed": CLOSING,
  "policy-shutdown-cleared": CLOSING,
  "policy-closing-early": CLOSING,
  "policy-closing-kind": CLOSING,
  "policy-closing-first": CLOSING,
  "policy-closing-unanswered": CLOSING,
  "policy-closing-fee-unaffordable": CLOSING,
  "policy-closing-dust": CLOSING,
  "policy-closing-omission": CLOSING,
  "policy-closing-fee-range": CLOSING,
  "policy-closing-no-overlap": CLOSING,
  "policy-closing-fee-changed": CLOSING,
  "policy-closing-fee-between": CLOSING,
  "policy-closing-closee-script": CLOSING,
  "policy-closing-variant": CLOSING,
  "policy-closing-mismatch": CLOSING,
};

/** The entry for exactly these rules. */
export function absenceOf(without: readonly PolicyCode[]): Absence | undefined {
  const wanted = new Set(without);
  return ABSENCES.find((absence) => absence.without.length === wanted.size && absence.without.every((rule) => wanted.has(rule)));
}

/** Whether losses are what an absence must lead to: of its kinds and no other, and some; or none at all. */
export function isAsStated({ leadsTo }: Pick<Absence, "leadsTo">, losses: readonly LossKind[]): boolean {
  if (typeof leadsTo === "string") return losses.length === 0;
  return losses.length > 0 && losses.every((kind) => leadsTo.includes(kind));
}
