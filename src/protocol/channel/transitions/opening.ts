import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, type Point, bytes32, concat, equalBytes, fromHex, reversed, toHex } from "../../bytes.js";
import { LnError } from "../../errors.js";
import type { Basepoints } from "../../keys/commitment-keys.js";
import { assertOnCurve } from "../../keys/derivation.js";
import { type PartyKeys, basepointsOf, ownPerCommitmentPoint, requireSecret } from "../../keys/party-keys.js";
import { EMPTY_SHACHAIN } from "../../keys/shachain.js";
import {
  checkInitialBalances,
  checkMaxAcceptedHtlcs,
  checkPeerParams,
  checkProposal,
  checkReserves,
  checkSameChannelType,
  requireKnownChannelType,
} from "../../policy/opening.js";
import { fundingNeedsVerifiedCommitment } from "../../policy/interlocks.js";
import { demand } from "../../policy/rule.js";
import { type Side } from "../../side.js";
import { type Commitment, type FundingOutput, buildCommitment } from "../../tx/commitment-tx.js";
import { channelTypeFeatures, channelTypeOf } from "../../tx/format.js";
import { type ChannelType } from "../../tx/channel-type.js";
import { signCommitment } from "../../tx/sign.js";
import type { CommitmentSpec } from "../../tx/spec.js";
import { type FeeratePerKw, type MilliSatoshi, type Satoshi, msat, toMsat } from "../../units.js";
import type { MessageOf } from "../../wire/messages.js";
import { EMPTY_LOG, type Received, acknowledge, newestSent } from "../message-log.js";
import { requireOwnKeys } from "../own-keys.js";
import { type Chain, type Limits, type NumberedPoint, type PartyParams, channelIdOf } from "../params.js";
import { type ChannelState, type FundedChannel, type LocalCommit, type UnfundedChannel, isFunded, ownPoint } from "../state.js";
import { commitmentTerms } from "../terms.js";
import { verifySignatures } from "./commit.js";
import { type Outcome, done, expectChannel, expectType, sending, taking } from "./outcome.js";

/** The figures that a side sets for itself and imposes on the peer. */
export type OwnTerms = Omit<PartyParams, keyof Basepoints>;

export interface OpenOptions {
  readonly party: string;
  readonly chain: Chain;
  readonly channelType: ChannelType;
  readonly fundingSatoshis: Satoshi;
  readonly pushMsat: MilliSatoshi;
  readonly feeratePerKw: FeeratePerKw;
  readonly terms: OwnTerms;
  readonly limits: Limits;
  /** Whether to propose chankit's `pay`. */
  readonly payExtension: boolean;
}

/** The first block of each chain, by which messages name it, in display order. BOLT 0 §Glossary and Terminology Guide. */
const GENESIS: Readonly<Record<Chain, string>> = {
  bitcoin: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
  testnet4: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
  signet: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
  regtest: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
};

export function chainHash(chain: Chain): Bytes32 {
  return bytes32(reversed(fromHex(GENESIS[chain])));
}

/** Own points that the state holds, so that building and verifying need no keys: of the lowest unreleased number and the two after it. */
export function ownPointsFrom(keys: PartyKeys, first: number): readonly NumberedPoint[] {
  return [first, first + 1, first + 2].map((number) => ({ number, point: ownPerCommitmentPoint(keys, number) }));
}

/**
 * The opener's first message. The temporary id is a hash of the revocation basepoint: no randomness leaves this command.
 * BOLT 2 §The `open_channel` Message. Throws: policy-…, key-missing.
 */
export function openChannel(keys: PartyKeys, options: OpenOptions): Outcome<UnfundedChannel> {
  const { terms, limits, ...channel } = options;
  const local: PartyParams = { ...basepointsOf(keys), ...terms };
  checkProposal({ ...channel, opener: "local" }, limits);
  checkPeerParams(local, { ...limits, maxToSelfDelay: 0xffff });
  checkMaxAcceptedHtlcs(local, channel.channelType);
  const state: UnfundedChannel = {
    ...channel,
    purpose: "channel",
    phase: "awaiting_accept_channel",
    opener: "local",
    temporaryChannelId: bytes32(sha256(concat(new TextEncoder().encode("chankit temporary_channel_id"), local.revocationBasepoint))),
    limits,
    ownPoints: ownPointsFrom(keys, 0),
    messages: EMPTY_LOG,
    params: { local, remote: null },
    minimumDepth: null,
    remoteFirstPoint: null,
  };
  return sending(state, {
    type: "open_channel",
    chainHash: chainHash(channel.chain),
    temporaryChannelId: state.temporaryChannelId,
    fundingSatoshis: channel.fundingSatoshis,
    pushMsat: channel.pushMsat,
    feeratePerKw: channel.feeratePerKw,
    ...announcement(state),
    channelFlags: 0,
  });
}

/** What open_channel and accept_channel have in common. */
function announcement(state: UnfundedChannel) {
  const { upfrontShutdownScript, ...figures } = state.params.local;
  return {
    ...figures,
    firstPerCommitmentPoint: ownPoint(state, 0).point,
    ...(upfrontShutdownScript === null ? {} : { upfrontShutdownScript }),
    channelType: channelTypeFeatures(state.channelType),
    ...(state.payExtension ? { payExtension: true as const } : {}),
  };
}

/** The peer's announcement, its points found on the curve. Throws: key-not-on-curve. */
function announcedBy(message: MessageOf<"open_channel"> | MessageOf<"accept_channel">): {
  readonly params: PartyParams;
  readonly firstPoint: NumberedPoint;
} {
  const { fundingPubkey, revocationBasepoint, paymentBasepoint, delayedPaymentBasepoint, htlcBasepoint, firstPerCommitmentPoint } = message;
  const points: Basepoints = { fundingPubkey, revocationBasepoint, paymentBasepoint, delayedPaymentBasepoint, htlcBasepoint };
  for (const [name, point] of Object.entries({ ...points, firstPerCommitmentPoint })) assertOnCurve(point as Point, snake(name));
  const { dustLimitSatoshis, maxHtlcValueInFlightMsat, channelReserveSatoshis, htlcMinimumMsat, toSelfDelay, maxAcceptedHtlcs } = message;
  // An empty script is how BOLT 2 spells that there is none
  const upfrontShutdownScript = message.upfrontShutdownScript?.length ? message.upfrontShutdownScript : null;
  return {
    params: {
      ...points,
      dustLimitSatoshis,
      maxHtlcValueInFlightMsat,
      channelReserveSatoshis,
      htlcMinimumMsat,
      toSelfDelay,
      maxAcceptedHtlcs,
      upfrontShutdownScript,
    },
    firstPoint: { number: 0, point: firstPerCommitmentPoint },
  };
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export interface AcceptOptions {
  readonly party: string;
  readonly chain: Chain;
  readonly terms: OwnTerms;
  readonly limits: Limits;
  readonly minimumDepth: number;
  /** Whether to agree to `pay` where the opener proposes it. */
  readonly allowPay: boolean;
}

/** The accepter's answer. BOLT 2 §The `accept_channel` Message. Throws: policy-…, key-not-on-curve, state-message-type. */
export function acceptChannel(keys: PartyKeys, received: Received, options: AcceptOptions): Outcome<UnfundedChannel> {
  const message = expectType(received, "open_channel");
  const { params: remote, firstPoint } = announcedBy(message);
  demand(equalBytes(message.chainHash, chainHash(options.chain)), "policy-chain", () => [
    `chain_hash ${toHex(message.chainHash)} is not ${options.chain}`,
    { chain_hash: toHex(message.chainHash), chain: options.chain },
  ]);
  const channelType = requireKnownChannelType(channelTypeOf(message.channelType ?? Uint8Array.of(0)));
  const { fundingSatoshis, pushMsat, feeratePerKw } = message;
  const proposal = { channelType, opener: "remote" as const, fundingSatoshis, pushMsat, feeratePerKw };
  checkProposal(proposal, options.limits);
  checkPeerParams(remote, options.limits);
  checkMaxAcceptedHtlcs(remote, channelType);
  checkInitialBalances(proposal, remote.channelReserveSatoshis);

  const local: PartyParams = { ...basepointsOf(keys), ...options.terms };
  checkPeerParams(local, { ...options.limits, maxToSelfDelay: 0xffff });
  checkMaxAcceptedHtlcs(local, channelType);
  checkReserves(local, remote);
  const state: UnfundedChannel = {
    party: options.party,
    chain: options.chain,
    purpose: "channel",
    phase: "awaiting_funding_created",
    ...proposal,
    payExtension: options.allowPay && message.payExtension === true,
    temporaryChannelId: message.temporaryChannelId,
    limits: options.limits,
    ownPoints: ownPointsFrom(keys, 0),
    messages: taking(EMPTY_LOG, received) ?? EMPTY_LOG,
    params: { local, remote },
    minimumDepth: options.minimumDepth,
    remoteFirstPoint: firstPoint,
  };
  return sending(state, {
    type: "accept_channel",
    temporaryChannelId: state.temporaryChannelId,
    minimumDepth: options.minimumDepth,
    ...announcement(state),
  });
}

/** The opener takes in the accepter's figures. BOLT 2 §The `accept_channel` Message. Throws: policy-…, key-not-on-curve, state-…. */
export function receiveAcceptChannel(state: ChannelState, received: Received): Outcome {
  const message = expectType(received, "accept_channel");
  expectChannel(state.temporaryChannelId, message.temporaryChannelId);
  const messages = taking(state.messages, received);
  if (messages === null) return done(state, { repeated: true });
  if (isFunded(state) || state.phase !== "awaiting_accept_channel") throw notDue("accept_channel", state);

  const { params: remote, firstPoint } = announcedBy(message);
  checkSameChannelType(state.channelType, channelTypeOf(message.channelType ?? Uint8Array.of(0)));
  checkPeerParams(remote, state.limits);
  checkMaxAcceptedHtlcs(remote, state.channelType);
  checkReserves(state.params.local, remote);
  checkInitialBalances(state, remote.channelReserveSatoshis);
  return done({
    ...state,
    phase: "awaiting_funding",
    payExtension: state.payExtension && message.payExtension === true,
    messages: acknowledge(messages, () => true),
    params: { ...state.params, remote },
    minimumDepth: message.minimumDepth,
    remoteFirstPoint: firstPoint,
  });
}

function notDue(type: string, state: ChannelState): LnError {
  return new LnError("state-message-unexpected", `a ${type} is not due: the channel is ${state.phase}`, { type, phase: state.phase });
}

/** What commitment 0 says, the same on both sides. */
function firstSpec(state: UnfundedChannel): CommitmentSpec {
  const opener = msat(toMsat(state.fundingSatoshis) - state.pushMsat);
  const balances = state.opener === "local" ? { local: opener, remote: state.pushMsat } : { local: state.pushMsat, remote: opener };
  return { feeratePerKw: state.feeratePerKw, balances, htlcs: [] };
}

/** The channel on its funding output, no signature held yet. */
function fundedBy(
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
  if (state.phase === "awaiting_funding_signed" || state.channelReady.remote) throw notDue("channel_ready", state);
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

function openOnceReady(state: FundedChannel): FundedChannel {
  return state.channelReady.local && state.channelReady.remote ? { ...state, phase: "open" } : state;
}
