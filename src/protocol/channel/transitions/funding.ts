import { equalBytes } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { assertOnCurve } from "../../keys/derivation.js";
import { type PartyKeys, requireSecret } from "../../keys/party-keys.js";
import { EMPTY_SHACHAIN } from "../../keys/shachain.js";
import { fundingNeedsVerifiedCommitment } from "../../policy/interlocks.js";
import { type Side } from "../../side.js";
import { type Commitment, type FundingOutput, buildCommitment } from "../../tx/commitment-tx.js";
import { signCommitment } from "../../tx/sign.js";
import type { CommitmentSpec } from "../../tx/spec.js";
import { msat, toMsat } from "../../units.js";
import type { MessageOf } from "../../wire/messages.js";
import { type Received, acknowledge, newestSent } from "../message-log.js";
import { requireOwnKeys } from "../own-keys.js";
import { channelIdOf } from "../params.js";
import { type ChannelState, type FundedChannel, type LocalCommit, NO_CLOSING, type UnfundedChannel, isFunded, ownPoint } from "../state.js";
import { commitmentTerms } from "../terms.js";
import { verifySignatures } from "./commit.js";
import { type Outcome, done, expectChannel, expectType, sending, taking, notDue } from "./outcome.js";

/** What commitment 0 says, the same on both sides. */
function firstSpec(state: UnfundedChannel): CommitmentSpec {
  const opener = msat(toMsat(state.fundingSatoshis) - state.pushMsat);
  const balances = state.opener === "local" ? { local: opener, remote: state.pushMsat } : { local: state.pushMsat, remote: opener };
  return { feeratePerKw: state.feeratePerKw, balances, htlcs: [] };
}

/** The channel on its funding output, no signature held yet. Throws: state-message-unexpected. */
export function fundedBy(
  state: UnfundedChannel,
  outpoint: Pick<FundingOutput, "txid" | "outputIndex">,
  phase: FundedChannel["phase"],
  fundingPsbt: string | null,
): FundedChannel {
  const { params, minimumDepth, remoteFirstPoint, ...base } = state;
  if (params.remote === null || minimumDepth === null || remoteFirstPoint === null) throw notDue("funding", state);
  return {
    ...base,
    phase,
    params: { local: params.local, remote: params.remote },
    minimumDepth,
    channelId: channelIdOf(outpoint.txid, outpoint.outputIndex),
    channelReady: { local: false, remote: false },
    fundings: [
      {
        ...outpoint,
        amount: state.fundingSatoshis,
        local: { current: null, previous: null },
        remote: { current: { ...remoteFirstPoint, spec: firstSpec(state) }, next: null },
      },
    ],
    fundingPsbt,
    remoteNextPoint: null,
    changes: { local: [], remote: [] },
    staged: { local: { number: 0, spec: firstSpec(state) }, remote: null },
    nextIds: { local: { htlc: 0n, pay: 0n }, remote: { htlc: 0n, pay: 0n } },
    knownPreimages: [],
    remoteSecrets: EMPTY_SHACHAIN,
    flags: { behind: false, forceClosed: null, shutdownSent: false, shutdownReceived: false, closingSigned: false },
    shutdownScripts: { local: params.local.upfrontShutdownScript, remote: params.remote.upfrontShutdownScript },
    closing: NO_CLOSING,
  };
}

/** Commitment 0 of either side. */
export function firstCommitment(state: FundedChannel, owner: Side): Commitment {
  const { remote } = state.fundings[0];
  const point = owner === "local" ? ownPoint(state, 0).point : remote.current?.point;
  if (point === undefined || remote.current === null) throw new LnError("state-no-commitment", "no first commitment", { owner });
  return buildCommitment(commitmentTerms(state, owner), 0, point, remote.current.spec);
}

/** The opener names the funding output and signs the accepter's commitment 0. BOLT 2 §The `funding_created` Message. */
export function createFunding(
  state: UnfundedChannel,
  keys: PartyKeys,
  outpoint: Pick<FundingOutput, "txid" | "outputIndex">,
  fundingPsbt: string | null,
): Outcome<FundedChannel> {
  if (state.phase !== "awaiting_funding") throw notDue("funding_created", state);
  requireOwnKeys(state, keys);
  const funded = fundedBy(state, outpoint, "awaiting_funding_signed", fundingPsbt);
  return sending(funded, {
    type: "funding_created",
    temporaryChannelId: state.temporaryChannelId,
    fundingTxid: outpoint.txid,
    fundingOutputIndex: outpoint.outputIndex,
    signature: signCommitment(firstCommitment(funded, "remote"), requireSecret(keys, "fundingPrivkey")),
  });
}

/**
 * The accepter verifies and stores the signature of its commitment 0, then signs the opener's.
 * BOLT 2 §The `funding_signed` Message. Throws: state-signature-invalid, state-….
 */
export function signFunding(state: ChannelState, keys: PartyKeys, received: Received): Outcome {
  const message = expectType(received, "funding_created");
  expectChannel(state.temporaryChannelId, message.temporaryChannelId);
  const messages = taking(state.messages, received);
  if (messages === null) return repeatOf(state, "funding_signed");
  if (isFunded(state) || state.phase !== "awaiting_funding_created") throw notDue("funding_created", state);
  requireOwnKeys(state, keys);

  const outpoint = { txid: message.fundingTxid, outputIndex: message.fundingOutputIndex };
  const funded = fundedBy({ ...state, messages: acknowledge(messages, () => true) }, outpoint, "funded", null);
  const verified = withFirstSignature(funded, message.signature);
  return sending(verified, {
    type: "funding_signed",
    channelId: verified.channelId,
    signature: signCommitment(firstCommitment(verified, "remote"), requireSecret(keys, "fundingPrivkey")),
  });
}

/** The outcome of a command run again: its message once more. */
function repeatOf(state: ChannelState, type: MessageOf<"funding_signed">["type"]): Outcome {
  return done(state, { repeated: true, resend: newestSent(state.messages, type) ?? null });
}

/** The opener verifies and stores the signature of its commitment 0: now the funding may go out. BOLT 2 §The `funding_signed` Message. */
export function receiveFundingSigned(state: ChannelState, received: Received): Outcome {
  const message = expectType(received, "funding_signed");
  if (!isFunded(state)) throw notDue("funding_signed", state);
  expectChannel(state.channelId, message.channelId);
  const messages = taking(state.messages, received);
  if (messages === null) return done(state, { repeated: true });
  if (state.phase !== "awaiting_funding_signed") throw notDue("funding_signed", state);
  const verified = withFirstSignature({ ...state, messages: acknowledge(messages, () => true) }, message.signature);
  return done({ ...verified, phase: "funded" });
}

/** Throws: state-signature-high-s, state-signature-invalid. */
function withFirstSignature(state: FundedChannel, signature: LocalCommit["signature"]): FundedChannel {
  const commitment = firstCommitment(state, "local");
  verifySignatures(commitment, { signature, htlcSignatures: [] });
  const [funding] = state.fundings;
  const current: LocalCommit = { number: 0, spec: commitment.spec, signature, htlcSignatures: [] };
  return { ...state, staged: { ...state.staged, local: null }, fundings: [{ ...funding, local: { current, previous: null } }] };
}

/** What may be broadcast once the peer's signature is stored. Throws: policy-funding-unverified. */
export function releaseFunding(state: FundedChannel): Pick<FundedChannel, "fundings" | "fundingPsbt"> {
  fundingNeedsVerifiedCommitment(state);
  return state;
}

/** The funding is deep enough: tells the peer our point 1. BOLT 2 §The `channel_ready` Message. */
export function channelReady(state: FundedChannel): Outcome<FundedChannel> {
  if (state.channelReady.local) {
    const resend = newestSent(state.messages, "channel_ready");
    if (resend === undefined) throw notDue("channel_ready", state);
    return done(state, { repeated: true, resend });
  }
  fundingNeedsVerifiedCommitment(state);
  const ready = openOnceReady({ ...state, channelReady: { ...state.channelReady, local: true } });
  return sending(ready, { type: "channel_ready", channelId: state.channelId, secondPerCommitmentPoint: ownPoint(state, 1).point });
}

/** Takes in the peer's point 1. BOLT 2 §The `channel_ready` Message. Throws: key-not-on-curve, state-…. */
export function receiveChannelReady(state: ChannelState, received: Received): Outcome {
  const message = expectType(received, "channel_ready");
  if (!isFunded(state)) throw notDue("channel_ready", state);
  expectChannel(state.channelId, message.channelId);
  const messages = taking(state.messages, received);
  if (messages === null) return done(state, { repeated: true });
  if (state.phase === "awaiting_funding_signed") throw notDue("channel_ready", state);
  // Before anything has moved it comes again after every reconnection, and says nothing new. BOLT 2 §Message Retransmission
  if (state.channelReady.remote && isPointOne(state, message.secondPerCommitmentPoint)) return done({ ...state, messages });
  if (state.channelReady.remote) throw notDue("channel_ready", state);
  assertOnCurve(message.secondPerCommitmentPoint, "second_per_commitment_point");
  const log = acknowledge(messages, ({ type }) => type === "funding_signed");
  return done(
    openOnceReady({
      ...state,
      messages: log,
      channelReady: { ...state.channelReady, remote: true },
      remoteNextPoint: { number: 1, point: message.secondPerCommitmentPoint },
    }),
  );
}

/** Whether it is the peer's point 1, as it waits to be signed or has been. */
function isPointOne(
  { remoteNextPoint, fundings: [{ remote }] }: FundedChannel,
  candidate: MessageOf<"channel_ready">["secondPerCommitmentPoint"],
): boolean {
  return [remoteNextPoint, remote.next].some((held) => held?.number === 1 && equalBytes(held.point, candidate));
}

function openOnceReady(state: FundedChannel): FundedChannel {
  return state.channelReady.local && state.channelReady.remote ? { ...state, phase: "open" } : state;
}
