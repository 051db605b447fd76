import type { ErrorCode } from "../protocol/errors.js";
import type { Behaviour } from "./explore.js";
import type { Who } from "./script.js";
import type { LossKind } from "./verdict.js";

/** What the absence of rules must lead to, and where a search must find it. `structural`: nothing, for something else makes the violation unbuildable. */
export interface Absence {
  readonly without: readonly ErrorCode[];
  readonly leadsTo: LossKind | "structural";
  readonly because: string;
  readonly script: string;
  readonly step: number;
  readonly adversary: Who;
  readonly behaviour: Behaviour;
}

export const ABSENCES: readonly Absence[] = [
  {
    without: ["policy-revocation-wrong-secret"],
    leadsTo: "theft",
    because: "the payer gives a secret that opens nothing, and publishes the state from before the payment, which cannot be punished",
    script: "article",
    step: 19,
    adversary: "alice",
    behaviour: "lie",
  },
  {
    without: ["policy-revoke-unverified"],
    leadsTo: "hostage",
    because: "the only commitment is revoked before there is another: nobody can leave alone with what is in the channel",
    script: "article",
    step: 0,
    adversary: "bob",
    behaviour: "mistake",
  },
  {
    without: ["policy-force-closed", "policy-revoke-broadcast"],
    leadsTo: "theft",
    because: "a payment is completed after the old commitment has been handed out, and the secret of that very commitment given away with it",
    script: "article",
    step: 20,
    adversary: "alice",
    behaviour: "after-close",
  },
  {
    without: ["policy-sign-own-commitment"],
    leadsTo: "structural",
    because: "sign compares what it is given with the peer's commitment, and signs no other: state-commitment-mismatch, policy-sign-different",
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
    without: ["policy-balance"],
    leadsTo: "structural",
    because: "the opener must afford the fee out of what is left: policy-fee-unaffordable",
    script: "article",
    step: 1,
    adversary: "bob",
    behaviour: "mistake",
  },
];
