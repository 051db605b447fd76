import type { Chain } from "../channel/params.js";
import type { FundedChannel } from "../channel/state.js";
import type { CommitmentNumber } from "../keys/shachain.js";
import { demand } from "./rule.js";

/** Real money moves only by explicit wish. */
export function broadcastOnlyAllowedChain(chain: Chain, mainnet: boolean): void {
  demand(chain !== "bitcoin" || mainnet, "policy-broadcast-mainnet", () => [
    "the channel is on bitcoin's main chain: say so with --mainnet",
    { chain },
  ]);
}

/** A report that says of itself that it is for no chain. */
export function broadcastOnlyUnmarked(mark: string | null): void {
  demand(mark === null, "policy-broadcast-marked", () => [`the report is marked as not for broadcast: ${mark ?? ""}`, { not_for_broadcast: mark }]);
}

/** Our commitment leaves only after force-close, from which on its secret stays: published without it, the next revocation would forfeit it. */
export function broadcastOnlyForceClosed(state: FundedChannel, number: CommitmentNumber): void {
  const { forceClosed } = state.flags;
  demand(forceClosed === number, "policy-broadcast-unsigned", () => [
    `own commitment ${number} was not signed for broadcast here: force-close first`,
    { number, force_closed: forceClosed },
  ]);
}
