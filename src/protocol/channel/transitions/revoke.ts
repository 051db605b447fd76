import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, equalBytes } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { assertOnCurve } from "../../keys/derivation.js";
import { type PartyKeys, ownSecret } from "../../keys/party-keys.js";
import { insertSecret, secretIndex } from "../../keys/shachain.js";
import { neverRevokeBroadcast, nothingNewBehind, revocationMustBeDue, revokeOnlyReplaced, secretMustMatchPoint } from "../../policy/interlocks.js";
import { isTrimmed } from "../../tx/fees.js";
import { FORMATS } from "../../tx/format.js";
import { type Received, acknowledge, newestSent } from "../message-log.js";
import { requireOwnKeys } from "../own-keys.js";
import { type ChannelState, type FundedChannel, type RemoteCommit, lowestUnreleased, ownPoint, requireFunded, unrevokedSpecs } from "../state.js";
import type { MessageOf } from "../../wire/messages.js";
import { advance } from "./commit.js";
import { ownPointsFrom } from "../own-keys.js";
import { type Outcome, type RevokedHtlcs, done, expectChannel, expectType, sending, taking } from "./outcome.js";

/**
 * Gives away the secret of our replaced commitment, after which publishing it would cost us everything. Run again, gives the same message.
 * Secret out: the per-commitment secret, in the message.
 * BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`. Throws: policy-revoke-…, key-mismatch.
 */
export function makeRevocation(channel: ChannelState, keys: PartyKeys): Outcome {
  const state = requireFunded(channel);
  const [funding] = state.fundings;
  const { previous } = funding.local;
  const again = newestSent(state.messages, "revoke_and_ack");
  if (previous === null && again !== undefined) {
    return done(state, { repeated: true, sent: { seq: again.seq, message: lastRevocation(state, keys) } });
  }
  revokeOnlyReplaced(state);
  const number = lowestUnreleased(state);
  neverRevokeBroadcast(state, number);
  nothingNewBehind(state);
  requireOwnKeys(state, keys);
  const revoked: FundedChannel = {
    ...advance(advance(state, "remote", "signed", "acked"), "local", "countersigned", "irrevocable"),
    fundings: [{ ...funding, local: { ...funding.local, previous: null } }],
    ownPoints: ownPointsFrom(keys, number + 1),
  };
  return sending(withoutOldPreimages(revoked), lastRevocation(revoked, keys));
}

/** A preimage is kept as long as a commitment that could be published needs it. */
function withoutOldPreimages(state: FundedChannel): FundedChannel {
  const hashes = unrevokedSpecs(state).flatMap(({ htlcs }) => htlcs.map(({ paymentHash }) => paymentHash));
  const needed = (preimage: Bytes32) => hashes.some((hash) => equalBytes(hash, sha256(preimage)));
  return { ...state, knownPreimages: state.knownPreimages.filter(needed) };
}

/** Secret out: the revoke_and_ack of the last number that was revoked, made again. Throws: policy-revoke-unverified, key-mismatch. */
export function lastRevocation(state: FundedChannel, keys: PartyKeys): MessageOf<"revoke_and_ack"> {
  requireOwnKeys(state, keys);
  const lowest = lowestUnreleased(state);
  if (lowest === 0) revokeOnlyReplaced(state);
  return {
    type: "revoke_and_ack",
    channelId: state.channelId,
    perCommitmentSecret: ownSecret(keys, lowest - 1),
    nextPerCommitmentPoint: ownPoint(state, lowest + 1).point,
  };
}

/**
 * Takes in the secret of the peer's replaced commitment: from now on its publication can be punished.
 * BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`. Throws: policy-revocation-…, state-shachain-mismatch, key-not-on-curve, state-….
 */
export function receiveRevocation(channel: ChannelState, received: Received): Outcome {
  const message = expectType(received, "revoke_and_ack");
  const state = requireFunded(channel);
  expectChannel(state.channelId, message.channelId);
  const messages = taking(state.messages, received);
  if (messages === null) return done(state, { repeated: true });
  revocationMustBeDue(state);
  const [funding] = state.fundings;
  const { current, next } = funding.remote;
  if (current === null || next === null) throw new LnError("internal-no-remote-commit", "a revocation is due without commitments", {});
  secretMustMatchPoint(current, message.perCommitmentSecret);
  assertOnCurve(message.nextPerCommitmentPoint, "next_per_commitment_point");

  const answered = newestSent(messages, "commitment_signed")?.seq ?? 0;
  return done(
    withoutOldPreimages({
      ...advance(advance(state, "local", "signed", "acked"), "remote", "countersigned", "irrevocable"),
      messages: acknowledge(messages, ({ seq }) => seq <= answered),
      fundings: [{ ...funding, remote: { current: next, next: null } }],
      remoteNextPoint: { number: next.number + 1, point: message.nextPerCommitmentPoint },
      remoteSecrets: insertSecret(state.remoteSecrets, secretIndex(current.number), message.perCommitmentSecret),
    }),
    { revoked: withHtlcs(state, current) },
  );
}

/** What a penalty will need to know of the revoked commitment: the HTLCs that had outputs. Null where there were none. */
function withHtlcs(state: FundedChannel, { number, spec }: RemoteCommit): RevokedHtlcs | null {
  const { dustLimitSatoshis } = state.params.remote;
  const htlcs = spec.htlcs.filter((htlc) => !isTrimmed(FORMATS[state.channelType], spec, dustLimitSatoshis, "remote", htlc));
  return htlcs.length === 0 ? null : { number, htlcs };
}
