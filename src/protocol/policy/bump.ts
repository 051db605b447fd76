import type { Identity } from "../channel/identify.js";
import type { Satoshi, Weight } from "../units.js";
import { demand } from "./rule.js";

type Held = Extract<Identity, { readonly kind: "held" }>;

/** What is revoked is punished, not helped into the chain; of what is unknown the fee is unknown, too. */
export function bumpOnlyHeld(identity: Identity): asserts identity is Held {
  demand(identity.kind === "held", "policy-bump-not-held", () => [
    identity.kind === "revoked"
      ? `this is the peer's revoked commitment ${identity.number}: penalty-tx takes all of it`
      : "the transaction is no commitment that the state holds",
    { identity: identity.kind },
  ]);
}

interface Paying {
  readonly fee: Satoshi;
  readonly weight: Weight;
}

/** Of what is not signed yet the weight is not known. */
interface Replaced {
  readonly txid: string;
  readonly fee: Satoshi;
  readonly weight: Weight | null;
}

/** A replacement pays what it replaces, its own relay on top (`least`), and more for its weight. BIP 125 rules 3 and 4. */
export function replacementPaysMore(replacement: Paying, replaced: Replaced, least: Satoshi): void {
  const dearer = replaced.weight === null || replacement.fee * replaced.weight > replaced.fee * replacement.weight;
  demand(replacement.fee >= least && dearer, "policy-replacement-underpaid", () => [
    `to replace ${replaced.txid}, which pays ${replaced.fee} sat, takes at least ${least} sat and a higher feerate: this one pays ${replacement.fee} sat`,
    { replaces: replaced.txid, replaced_fee_sat: replaced.fee.toString(), fee_sat: replacement.fee.toString(), least_sat: least.toString() },
  ]);
}
