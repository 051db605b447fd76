import { sha256 } from "@noble/hashes/sha2.js";
import { type Point, bytes32, concat, equalBytes, scriptPubkey, toHex } from "../../bytes.js";
import type { Basepoints } from "../../keys/commitment-keys.js";
import { assertOnCurve } from "../../keys/derivation.js";
import { type PartyKeys, basepointsOf } from "../../keys/party-keys.js";
import {
  checkInitialBalances,
  checkMaxAcceptedHtlcs,
  checkPeerParams,
  checkProposal,
  checkReserves,
  checkSameChannelType,
  requireKnownChannelType,
} from "../../policy/opening.js";
import { scriptMustBeAllowed } from "../../policy/closing.js";
import { demand } from "../../policy/rule.js";
import type { Side } from "../../side.js";
import { channelTypeFeatures, channelTypeOf } from "../../tx/format.js";
import { type ChannelType } from "../../tx/channel-type.js";
import { type FeeratePerKw, type MilliSatoshi, type Satoshi } from "../../units.js";
import type { MessageOf } from "../../wire/messages.js";
import { EMPTY_LOG, type Received, acknowledge } from "../message-log.js";
import { ownPointsFrom } from "../own-keys.js";
import { type Chain, type Feature, type Limits, type NumberedPoint, type PartyParams, chainHash, featuresField, featuresOf } from "../params.js";
import { type ChannelState, type UnfundedChannel, isFunded, ownPoint } from "../state.js";
import { type Outcome, done, expectChannel, expectType, sending, taking, notDue } from "./outcome.js";

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
  /** What to propose. */
  readonly features: readonly Feature[];
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
  checkUpfront(channel.features, "local", local);
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
    // An empty script is how BOLT 2 spells that there is none
    upfrontShutdownScript: upfrontShutdownScript ?? scriptPubkey(new Uint8Array()),
    channelType: channelTypeFeatures(state.channelType),
    ...(state.payExtension ? { payExtension: true as const } : {}),
    ...(state.features.length > 0 ? { features: featuresField(state.features) } : {}),
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

/** A script that a side names now must be one that it can be paid to later. BOLT 2 §The `open_channel` Message. */
function checkUpfront(features: readonly Feature[], side: Side, { upfrontShutdownScript }: PartyParams): void {
  if (upfrontShutdownScript !== null) scriptMustBeAllowed({ features }, side, upfrontShutdownScript);
}

/** What both sides can do. */
function inCommon(ours: readonly Feature[], { features }: MessageOf<"open_channel"> | MessageOf<"accept_channel">): readonly Feature[] {
  const theirs = featuresOf(features ?? new Uint8Array());
  return ours.filter((feature) => theirs.includes(feature));
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
  /** What to agree to where the opener proposes it. */
  readonly features: readonly Feature[];
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

  const features = inCommon(options.features, message);
  const local: PartyParams = { ...basepointsOf(keys), ...options.terms };
  checkPeerParams(local, { ...options.limits, maxToSelfDelay: 0xffff });
  checkMaxAcceptedHtlcs(local, channelType);
  checkReserves(local, remote);
  checkUpfront(features, "remote", remote);
  checkUpfront(features, "local", local);
  const state: UnfundedChannel = {
    party: options.party,
    chain: options.chain,
    purpose: "channel",
    phase: "awaiting_funding_created",
    ...proposal,
    payExtension: options.allowPay && message.payExtension === true,
    features,
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
  const features = inCommon(state.features, message);
  checkUpfront(features, "remote", remote);
  checkUpfront(features, "local", state.params.local);
  return done({
    ...state,
    phase: "awaiting_funding",
    payExtension: state.payExtension && message.payExtension === true,
    features,
    messages: acknowledge(messages, () => true),
    params: { ...state.params, remote },
    minimumDepth: message.minimumDepth,
    remoteFirstPoint: firstPoint,
  });
}
