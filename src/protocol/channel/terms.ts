import { type Side, opposite } from "../side.js";
import type { CommitmentTerms } from "../tx/commitment-tx.js";
import { FORMATS } from "../tx/format.js";
import type { FundedChannel } from "./state.js";

/** What commitments of `owner` have in common. BOLT 2: each side's delay binds the other, its dust limit itself. */
export function commitmentTerms(state: FundedChannel, owner: Side): CommitmentTerms {
  const [funding] = state.fundings;
  return {
    format: FORMATS[state.channelType],
    owner,
    opener: state.opener,
    basepoints: state.params,
    funding,
    dustLimit: state.params[owner].dustLimitSatoshis,
    toSelfDelay: state.params[opposite(owner)].toSelfDelay,
  };
}
