import { ecc } from "../ecc.js";
import { equalBytes } from "../bytes.js";
import type { Secret32 } from "../secret.js";
import type { CommitmentNumber } from "../keys/shachain.js";
import { isClear } from "../channel/clearing.js";
import { type FundedChannel, type RemoteCommit, changesFor, highestSigned } from "../channel/state.js";
import type { Commitment } from "../tx/commitment-tx.js";
import { demand } from "./rule.js";

/*
 * The order in which signatures and secrets may leave, and what may be accepted, so that at every moment each side can leave with its
 * money. n is a commitment number; each side counts its own from 0.
 */

/** The funding transaction waits for the peer's signature of our commitment 0: without it nobody could get the money back. BOLT 2 §The `funding_signed` Message. */
export function fundingNeedsVerifiedCommitment(state: FundedChannel): void {
  demand(state.fundings[0].local.current !== null, "policy-funding-unverified", () => [
    "the peer's signature of our commitment 0 is not held: whoever funds the channel now could lose everything",
    {},
  ]);
}

/** The peer never holds more than two unrevoked commitments. Signed 21, revoked ≤ 19: 20 must be revoked before 22 is signed. */
export function signOnlyBeyondRevoked(state: FundedChannel): void {
  const { current, next } = state.fundings[0].remote;
  demand(next === null, "policy-sign-unrevoked", () => {
    const unrevoked = numbersOf(current, next);
    return [`the peer still holds ${unrevoked.join(" and ")} unrevoked: no third is signed`, { unrevoked }];
  });
}

/** The peer's number n needs the peer's point n: point 1 comes with channel_ready, n + 1 with the revocation of n − 1. */
export function signOnlyWithPoint(state: FundedChannel): void {
  demand(state.remoteNextPoint !== null, "policy-sign-point-unknown", () => {
    const number = highestSigned(state) + 1;
    return [`the peer's point ${number} has not come: ${number === 1 ? "its channel_ready is due" : "its revocation is due"}`, { number }];
  });
}

/** A new commitment carries at least one change. BOLT 2 §Committing Updates So Far: `commitment_signed`. */
export function signOnlyChanges(state: FundedChannel): void {
  demand(state.staged.remote !== null || changesFor(state, "remote").length > 0, "policy-sign-no-changes", () => {
    const signed = highestSigned(state);
    return [`nothing is new since the peer's commitment ${signed} was signed`, { last_signed: signed }];
  });
}

/** A number that was signed is signed again only for the very same transaction. Stricter than BOLT 2, whose resent one may differ. */
export function signSameOnly(number: CommitmentNumber, identical: boolean): void {
  demand(identical, "policy-sign-different", () => [
    `the peer's commitment ${number} was signed with other contents: two of one number would both be valid`,
    { number },
  ]);
}

/** A signature of our own commitment never leaves in a message: the peer could publish it, and punish us for it later. */
export function neverSignOwnForPeer(owner: "local" | "remote"): void {
  demand(owner === "remote", "policy-sign-own-commitment", () => [
    "this is our own commitment: a signature of it in the peer's hands lets the peer publish it, and punish us once it is revoked",
    { owner },
  ]);
}

/** Secret n leaves only when the peer's signatures of our n + 1 are verified and stored. Verified 21: 20 may be revoked, 21 not. */
export function revokeOnlyReplaced(state: FundedChannel): void {
  const { current, previous } = state.fundings[0].local;
  demand(previous !== null, "policy-revoke-unverified", () => {
    const number = current?.number ?? 0;
    return [`commitment ${number} is our newest: without a verified ${number + 1} its secret stays here`, { number, needs_verified: number + 1 }];
  });
}

/** A commitment_signed waits until our revoke_and_ack has answered the one before. BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`. */
export function acceptOnlyAnswered(state: FundedChannel): void {
  const { current, previous } = state.fundings[0].local;
  demand(previous === null, "policy-commitment-unanswered", () => {
    const unrevoked = numbersOf(previous, current);
    return [`our ${unrevoked.join(" and ")} are unrevoked: no third is taken before our revocation has left`, { unrevoked }];
  });
}

/** A commitment_signed with nothing new in it. BOLT 2 §Committing Updates So Far: `commitment_signed`. */
export function acceptOnlyChanges(state: FundedChannel): void {
  demand(state.staged.local !== null || changesFor(state, "local").length > 0, "policy-commitment-no-changes", () => {
    const number = state.fundings[0].local.current?.number ?? 0;
    return [`nothing is new since our commitment ${number}: there is none to verify`, { last_verified: number }];
  });
}

/** A revocation answers a signature. BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`. */
export function revocationMustBeDue(state: FundedChannel): void {
  const { current, next } = state.fundings[0].remote;
  demand(next !== null, "policy-revocation-unexpected", () => {
    const number = current?.number ?? 0;
    return [`the peer's commitment ${number} has no signed successor: its revocation is not due`, { number }];
  });
}

/** The secret must be the one behind the point of the peer's last unrevoked number. BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`. */
export function secretMustMatchPoint(revoked: RemoteCommit, secret: Secret32<"per_commitment">): void {
  const bytes = secret.reveal();
  const fits = ecc().isSecret(bytes) && equalBytes(ecc().pointFromSecret(bytes), revoked.point);
  demand(fits, "policy-revocation-wrong-secret", () => [`the secret is not that of the peer's point ${revoked.number}`, { number: revoked.number }]);
}

/** Only the newest verified commitment is signed for broadcast. Verified 21: 21 may go, 20 is all but lost, 19 would cost everything. */
export function broadcastOnlyNewest(state: FundedChannel, number: CommitmentNumber): void {
  const newest = state.fundings[0].local.current?.number ?? 0;
  demand(number >= newest, "policy-broadcast-revoked", () => [
    `own commitment ${number} is revoked or about to be, ${newest} is the newest: publishing ${number} would forfeit everything`,
    { number, newest },
  ]);
  demand(number <= newest, "policy-broadcast-revoked", () => [
    `own commitment ${number} does not exist yet, ${newest} is the newest`,
    { number, newest },
  ]);
}

/** A commitment without the peer's signature can't be broadcast. */
export function broadcastOnlyVerified(state: FundedChannel): void {
  demand(state.fundings[0].local.current !== null, "policy-broadcast-unverified", () => ["no commitment of ours holds the peer's signature yet", {}]);
}

/** Who may have lost state may hold a revoked commitment for its newest. BOLT 2 §Message Retransmission. */
export function neverBroadcastBehind(state: FundedChannel): void {
  demand(!state.flags.behind, "policy-broadcast-behind", () => ["the peer has proved that we lost state: our newest commitment may be revoked", {}]);
}

/** The secret of a commitment that was signed for broadcast stays here for ever. */
export function neverRevokeBroadcast(state: FundedChannel, number: CommitmentNumber): void {
  const { forceClosed } = state.flags;
  demand(forceClosed === null || number < forceClosed, "policy-revoke-broadcast", () => [
    `own commitment ${forceClosed ?? 0} was signed for broadcast: secret ${number} would let the peer take everything`,
    { number, broadcast: forceClosed ?? 0 },
  ]);
}

/** After a commitment was signed for broadcast nothing new is signed, proposed or accepted. */
export function nothingNewAfterBroadcast(state: FundedChannel): void {
  const { forceClosed } = state.flags;
  demand(forceClosed === null, "policy-force-closed", () => [
    `own commitment ${forceClosed ?? 0} was signed for broadcast: the channel moves no more`,
    { broadcast: forceClosed ?? 0 },
  ]);
}

/** After a mutual close was signed there is no new commitment on either side. BOLT 2 §Legacy Closing Negotiation: `closing_signed`. */
export function nothingNewAfterClosing(state: FundedChannel): void {
  demand(!state.flags.closingSigned, "policy-closing-signed", () => ["a mutual close was signed: the channel moves no more", {}]);
}

/** Once nothing is left to clear, the commitments stand as they are. BOLT 2 §Closing Initiation: `shutdown`. */
export function nothingNewAfterClearing(state: FundedChannel): void {
  demand(!state.flags.shutdownSent || !isClear(state), "policy-shutdown-cleared", () => [
    "our shutdown was sent and no HTLC is left: the commitments stand as they are until the channel is closed",
    {},
  ]);
}

/** Who has lost state would sign numbers again that the peer holds with other contents. BOLT 2 §Message Retransmission. */
export function nothingNewBehind(state: FundedChannel): void {
  demand(!state.flags.behind, "policy-behind", () => [
    "the peer has proved that we lost state: nothing new is signed, revoked or taken until the channel is closed",
    {},
  ]);
}

/** A commitment whose outputs leave less than the fee agreed on would not be relayed, or not be valid at all. BOLT 3 §Fee Payment. */
export function commitmentMustPayItsFee(state: FundedChannel, { number, actualFee, baseFee }: Commitment): void {
  demand(state.purpose === "vector" || actualFee >= baseFee, "policy-commitment-underpaid", () => [
    `commitment ${number} would pay ${actualFee} sat where its fee is ${baseFee} sat`,
    { number, actual_fee_sat: actualFee.toString(), base_fee_sat: baseFee.toString() },
  ]);
}

/** After its shutdown a side proposes no pay and no HTLC. BOLT 2 §Closing Initiation: `shutdown`. */
export function noPayAfterShutdown(state: FundedChannel, by: "local" | "remote"): void {
  const shut = by === "local" ? state.flags.shutdownSent : state.flags.shutdownReceived;
  demand(!shut, "policy-shutdown", () => [`the ${by} side has sent shutdown: it proposes nothing new`, { by }]);
}

/** The numbers of those commitments that are there. */
function numbersOf(...commits: readonly ({ readonly number: CommitmentNumber } | null)[]): readonly CommitmentNumber[] {
  return commits.flatMap((commit) => (commit === null ? [] : [commit.number]));
}
