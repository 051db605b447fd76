import type { Identity } from "../channel/identify.js";
import type { FundedChannel } from "../channel/state.js";
import type { ErrorDetails } from "../errors.js";
import type { Htlc } from "../tx/spec.js";
import { demand } from "./rule.js";

/** A test case's transactions are not for any chain. */
export function penaltyNeedsRealChannel(state: Pick<FundedChannel, "purpose">): void {
  demand(state.purpose === "channel", "policy-vector-channel", () => [
    "this channel is a test case: it is neither published nor punished",
    { purpose: state.purpose },
  ]);
}

/** An HTLC transaction spends a commitment that is to be published, not one that the next update replaces. */
export function htlcTxOnlyAfterClose(state: FundedChannel): void {
  demand(state.flags.forceClosed !== null, "policy-htlc-tx-before-close", () => [
    "no commitment of ours was signed for broadcast: force-close first",
    {},
  ]);
}

/** BOLT 5 §HTLC Output Handling: Local Commitment, Local Offers. */
export function htlcMustBeExpired({ id, cltvExpiry }: Htlc, height: number | null): void {
  demand(height !== null && height >= cltvExpiry, "policy-htlc-not-expired", () => [
    height === null
      ? `HTLC ${id} may be taken back from height ${cltvExpiry} on: say with --height where the chain is`
      : `HTLC ${id} may be taken back from height ${cltvExpiry} on, the chain is at ${height}`,
    { id: id.toString(), cltv_expiry: cltvExpiry, height },
  ]);
}

/** A sweep before its time is refused by every node. BOLT 5 §Unilateral Close Handling: Local Commitment Transaction. */
export function sweepOnlyMature(mature: number, height: number | null, from: readonly (number | null)[]): void {
  demand(mature > 0, "policy-sweep-immature", () => {
    const known = from.filter((at) => at !== null);
    const earliest = known.length === 0 ? null : Math.min(...known);
    return [
      earliest === null
        ? "nothing is spendable without a confirmation: say with --confirmed in which block the commitment is"
        : `the first output is spendable from height ${earliest} on: ${height === null ? "say with --height where the chain is" : `the chain is at ${height}`}`,
      { height, earliest },
    ];
  });
}

type Revoked = Extract<Identity, { readonly kind: "revoked" }>;

/** Only a revoked commitment is punished: the revocation key of any other is out of reach. BOLT 5 §Revoked Transaction Close Handling. */
export function punishOnlyRevoked(identity: Identity): asserts identity is Revoked {
  demand(identity.kind === "revoked", "policy-penalty-not-revoked", () => whyNotRevoked(identity as Exclude<Identity, Revoked>));
}

function whyNotRevoked(identity: Exclude<Identity, Revoked>): readonly [string, ErrorDetails] {
  switch (identity.kind) {
    case "unrelated":
      return ["the transaction does not spend this channel's funding output", { identity: "unrelated" }];
    case "mutual":
      return ["the transaction is a mutual close, which both sides have signed: there is nothing to punish", { identity: "mutual" }];
    case "unknown":
      return identity.owner === "local"
        ? [
            `this is an old commitment of our own${identity.number === null ? "" : `, ${identity.number}`}: the peer may punish it, not we`,
            { identity: "own", number: identity.number },
          ]
        : ["the transaction spends the funding output but is no revoked commitment of the peer's", { identity: "unknown", number: identity.number }];
    case "held": {
      const whose = identity.owner === "local" ? "our own" : "the peer's";
      const { number } = identity.commitment;
      return [
        `this is ${whose} commitment ${number} (${identity.standing}), which is not revoked`,
        { owner: identity.owner, number, standing: identity.standing },
      ];
    }
  }
}
