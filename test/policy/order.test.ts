import { describe } from "vitest";
import { Secret32 } from "../../src/protocol/secret.js";
import type { Change, FundedChannel } from "../../src/protocol/channel/state.js";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import * as rules from "../../src/protocol/policy/interlocks.js";
import type { Commitment } from "../../src/protocol/tx/commitment-tx.js";
import { msat, sat } from "../../src/protocol/units.js";
import { flagged, keeps, localCommit, OPEN, refuses, REMOTE_0, remoteCommit, withChanges, withFunding } from "./facts.js";

const change = (stage: Change["stage"]): Change => ({ content: { kind: "pay", id: 0n, amountMsat: msat(1n) }, stage });
const staged = (side: "local" | "remote"): FundedChannel => ({
  ...OPEN,
  staged: { ...OPEN.staged, [side]: { number: 1, spec: REMOTE_0.spec } },
});
const held = (current: number | null, previous: number | null): FundedChannel =>
  withFunding(OPEN, {
    local: { current: current === null ? null : localCommit(current), previous: previous === null ? null : localCommit(previous) },
  });
const peers = (current: number | null, next: number | null): FundedChannel =>
  withFunding(OPEN, {
    remote: { current: current === null ? null : remoteCommit(current), next: next === null ? null : remoteCommit(next) },
  });
const paying = (actualFee: bigint): Commitment => ({ number: 7, actualFee: sat(actualFee), baseFee: sat(1000n) }) as Commitment;

describe("signing the peer's commitment", () => {
  keeps({
    "after the one before is revoked": () => rules.signOnlyBeyondRevoked(peers(20, null)),
    "with its point": () => rules.signOnlyWithPoint({ ...OPEN, remoteNextPoint: { number: 1, point: REMOTE_0.point } }),
    "with a change of ours": () => rules.signOnlyChanges(withChanges(OPEN, { local: [change("proposed")] })),
    "with a change of the peer's that we have acked": () => rules.signOnlyChanges(withChanges(OPEN, { remote: [change("acked")] })),
    "of a test case, which states it": () => rules.signOnlyChanges(staged("remote")),
    "again, the same": () => rules.signSameOnly(7, true),
    "and no other": () => rules.neverSignOwnForPeer("remote"),
  });
  refuses({
    "while two are unrevoked": [
      () => rules.signOnlyBeyondRevoked(peers(20, 21)),
      `policy-sign-unrevoked: the peer still holds 20 and 21 unrevoked: no third is signed {"unrevoked":[20,21]}`,
    ],
    "while the one before was never signed": [
      () => rules.signOnlyBeyondRevoked(peers(null, 0)),
      `policy-sign-unrevoked: the peer still holds 0 unrevoked: no third is signed {"unrevoked":[0]}`,
    ],
    "number 1 without its point": [
      () => rules.signOnlyWithPoint({ ...peers(0, null), remoteNextPoint: null }),
      `policy-sign-point-unknown: the peer's point 1 has not come: its channel_ready is due {"number":1}`,
    ],
    "a later number without its point": [
      () => rules.signOnlyWithPoint({ ...peers(20, 21), remoteNextPoint: null }),
      `policy-sign-point-unknown: the peer's point 22 has not come: its revocation is due {"number":22}`,
    ],
    "with nothing new": [
      () => rules.signOnlyChanges(peers(20, null)),
      `policy-sign-no-changes: nothing is new since the peer's commitment 20 was signed {"last_signed":20}`,
    ],
    "with what is signed already": [
      () => rules.signOnlyChanges(withChanges(peers(20, 21), { local: [change("signed")], remote: [change("proposed")] })),
      `policy-sign-no-changes: nothing is new since the peer's commitment 21 was signed {"last_signed":21}`,
    ],
    "again, another": [
      () => rules.signSameOnly(7, false),
      `policy-sign-different: the peer's commitment 7 was signed with other contents: two of one number would both be valid {"number":7}`,
    ],
    "our own": [
      () => rules.neverSignOwnForPeer("local"),
      `policy-sign-own-commitment: this is our own commitment: a signature of it in the peer's hands lets the peer publish it, and punish us once it is revoked {"owner":"local"}`,
    ],
  });
});

describe("revoking our own", () => {
  keeps({
    "once the next is verified": () => rules.revokeOnlyReplaced(held(21, 20)),
    "below the one that was signed for broadcast": () => rules.neverRevokeBroadcast(flagged({ forceClosed: 21 }), 20),
    "with none signed for broadcast": () => rules.neverRevokeBroadcast(OPEN, 20),
  });
  refuses({
    "the newest": [
      () => rules.revokeOnlyReplaced(held(21, null)),
      `policy-revoke-unverified: commitment 21 is our newest: without a verified 22 its secret stays here {"number":21,"needs_verified":22}`,
    ],
    "before there is one": [
      () => rules.revokeOnlyReplaced(held(null, null)),
      `policy-revoke-unverified: commitment 0 is our newest: without a verified 1 its secret stays here {"number":0,"needs_verified":1}`,
    ],
    "the one that was signed for broadcast": [
      () => rules.neverRevokeBroadcast(flagged({ forceClosed: 21 }), 21),
      `policy-revoke-broadcast: own commitment 21 was signed for broadcast: secret 21 would let the peer take everything {"number":21,"broadcast":21}`,
    ],
    "one after it": [
      () => rules.neverRevokeBroadcast(flagged({ forceClosed: 21 }), 22),
      `policy-revoke-broadcast: own commitment 21 was signed for broadcast: secret 22 would let the peer take everything {"number":22,"broadcast":21}`,
    ],
  });
});

describe("taking a commitment_signed", () => {
  keeps({
    "after our revocation": () => rules.acceptOnlyAnswered(held(21, null)),
    "with a change of the peer's": () => rules.acceptOnlyChanges(withChanges(OPEN, { remote: [change("proposed")] })),
    "with a change of ours that the peer has acked": () => rules.acceptOnlyChanges(withChanges(OPEN, { local: [change("acked")] })),
    "of a test case, which states it": () => rules.acceptOnlyChanges(staged("local")),
    "whose outputs leave the fee": () => rules.commitmentMustPayItsFee(OPEN, paying(1000n)),
    "of a test case, whatever it leaves": () => rules.commitmentMustPayItsFee({ ...OPEN, purpose: "vector" }, paying(0n)),
  });
  refuses({
    "before our revocation": [
      () => rules.acceptOnlyAnswered(held(21, 20)),
      `policy-commitment-unanswered: our 20 and 21 are unrevoked: no third is taken before our revocation has left {"unrevoked":[20,21]}`,
    ],
    "with nothing new": [
      () => rules.acceptOnlyChanges(held(21, null)),
      `policy-commitment-no-changes: nothing is new since our commitment 21: there is none to verify {"last_verified":21}`,
    ],
    "with what only we have": [
      () => rules.acceptOnlyChanges(withChanges(held(21, null), { local: [change("proposed")] })),
      `policy-commitment-no-changes: nothing is new since our commitment 21: there is none to verify {"last_verified":21}`,
    ],
    "with nothing new, first of all": [
      () => rules.acceptOnlyChanges(held(null, null)),
      `policy-commitment-no-changes: nothing is new since our commitment 0: there is none to verify {"last_verified":0}`,
    ],
    "whose outputs leave 1 sat less": [
      () => rules.commitmentMustPayItsFee(OPEN, paying(999n)),
      `policy-commitment-underpaid: commitment 7 would pay 999 sat where its fee is 1000 sat {"number":7,"actual_fee_sat":"999","base_fee_sat":"1000"}`,
    ],
  });
});

describe("taking a revocation", () => {
  const secret = (byte: number) => new Secret32<"per_commitment">(new Uint8Array(32).fill(byte));
  keeps({
    "of what has a successor": () => rules.revocationMustBeDue(peers(20, 21)),
    "with the secret of its point": () =>
      rules.secretMustMatchPoint({ ...remoteCommit(20), point: publicKey<"per_commitment">(secret(0x11)) }, secret(0x11)),
  });
  refuses({
    "of the newest": [
      () => rules.revocationMustBeDue(peers(20, null)),
      `policy-revocation-unexpected: the peer's commitment 20 has no signed successor: its revocation is not due {"number":20}`,
    ],
    "before there is one": [
      () => rules.revocationMustBeDue(peers(null, null)),
      `policy-revocation-unexpected: the peer's commitment 0 has no signed successor: its revocation is not due {"number":0}`,
    ],
    "with another secret": [
      () => rules.secretMustMatchPoint(remoteCommit(20), secret(0x11)),
      `policy-revocation-wrong-secret: the secret is not that of the peer's point 20 {"number":20}`,
    ],
    "with what is no secret": [
      () => rules.secretMustMatchPoint(remoteCommit(20), secret(0xff)),
      `policy-revocation-wrong-secret: the secret is not that of the peer's point 20 {"number":20}`,
    ],
  });
});

describe("publishing, and moving on", () => {
  keeps({
    "the newest": () => rules.broadcastOnlyNewest(held(21, 20), 21),
    "one that is verified": () => rules.broadcastOnlyVerified(OPEN),
    "a state that nobody disputes": () => rules.neverBroadcastBehind(OPEN),
    "nor any move": () => rules.nothingNewBehind(OPEN),
    "a move before a broadcast": () => rules.nothingNewAfterBroadcast(OPEN),
    "a move before a close": () => rules.nothingNewAfterClosing(OPEN),
    "a move while HTLCs are left": () => rules.nothingNewAfterClearing(withChanges(flagged({ shutdownSent: true }), { local: [change("signed")] })),
    "a move where no shutdown was sent": () => rules.nothingNewAfterClearing(OPEN),
    "a payment after the other's shutdown, from us": () => rules.noPayAfterShutdown(flagged({ shutdownReceived: true }), "local"),
    "a payment after our shutdown, from the other": () => rules.noPayAfterShutdown(flagged({ shutdownSent: true }), "remote"),
    "funding what is verified": () => rules.fundingNeedsVerifiedCommitment(OPEN),
  });
  refuses({
    "one that is revoked": [
      () => rules.broadcastOnlyNewest(held(21, 20), 20),
      `policy-broadcast-revoked: own commitment 20 is revoked or about to be, 21 is the newest: publishing 20 would forfeit everything {"number":20,"newest":21}`,
    ],
    "one that is to come": [
      () => rules.broadcastOnlyNewest(held(21, 20), 22),
      `policy-broadcast-revoked: own commitment 22 does not exist yet, 21 is the newest {"number":22,"newest":21}`,
    ],
    "one where none is": [
      () => rules.broadcastOnlyNewest(held(null, null), 1),
      `policy-broadcast-revoked: own commitment 1 does not exist yet, 0 is the newest {"number":1,"newest":0}`,
    ],
    "one that is not verified": [
      () => rules.broadcastOnlyVerified(held(null, null)),
      `policy-broadcast-unverified: no commitment of ours holds the peer's signature yet {}`,
    ],
    "a state that is behind": [
      () => rules.neverBroadcastBehind(flagged({ behind: true })),
      "policy-broadcast-behind: the peer has proved that we lost state: our newest commitment may be revoked {}",
    ],
    "any move of such a state": [
      () => rules.nothingNewBehind(flagged({ behind: true })),
      "policy-behind: the peer has proved that we lost state: nothing new is signed, revoked or taken until the channel is closed {}",
    ],
    "a move after a broadcast": [
      () => rules.nothingNewAfterBroadcast(flagged({ forceClosed: 21 })),
      `policy-force-closed: own commitment 21 was signed for broadcast: the channel moves no more {"broadcast":21}`,
    ],
    "a move after commitment 0 was signed for broadcast": [
      () => rules.nothingNewAfterBroadcast(flagged({ forceClosed: 0 })),
      `policy-force-closed: own commitment 0 was signed for broadcast: the channel moves no more {"broadcast":0}`,
    ],
    "a move after a close": [
      () => rules.nothingNewAfterClosing(flagged({ closingSigned: true })),
      "policy-closing-signed: a mutual close was signed: the channel moves no more {}",
    ],
    "a move where nothing is left to clear": [
      () => rules.nothingNewAfterClearing(flagged({ shutdownSent: true })),
      "policy-shutdown-cleared: our shutdown was sent and no HTLC is left: the commitments stand as they are until the channel is closed {}",
    ],
    "a payment after one's own shutdown": [
      () => rules.noPayAfterShutdown(flagged({ shutdownSent: true }), "local"),
      `policy-shutdown: the local side has sent shutdown: it proposes nothing new {"by":"local"}`,
    ],
    "a payment after the payer's shutdown": [
      () => rules.noPayAfterShutdown(flagged({ shutdownReceived: true }), "remote"),
      `policy-shutdown: the remote side has sent shutdown: it proposes nothing new {"by":"remote"}`,
    ],
    "funding what is not verified": [
      () => rules.fundingNeedsVerifiedCommitment(held(null, null)),
      `policy-funding-unverified: the peer's signature of our commitment 0 is not held: whoever funds the channel now could lose everything {}`,
    ],
  });
});
