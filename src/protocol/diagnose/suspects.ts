import type { FundedChannel } from "../channel/state.js";
import type { Variant } from "./variant.js";
import type { Suspect } from "./suspect.js";
import { stages, htlcs } from "./contents.js";
import { feerates, values, numbers, amounts } from "./values.js";
import { builders, keys } from "./builders.js";

/** Everything that is suspected of a signer, the likelier before the less likely. `state`: whose changes, points and earlier commitments give some more. */
export function suspectsOf(base: Variant, state: FundedChannel): readonly Suspect[] {
  return [
    ...stages(base, state),
    ...feerates(base, state),
    ...htlcs(base),
    ...values(base, state),
    ...numbers(base, state),
    ...amounts(base),
    ...builders(base),
    ...keys(base),
  ];
}
