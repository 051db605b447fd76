import { type Bytes32, equalBytes } from "../../bytes.js";
import { LnError } from "../../errors.js";
import {
  amountMustBePositive,
  channelMustBeOpen,
  feeSpikeWarning,
  idMustBeNext,
  openerMustAffordFee,
  payMustBeAgreed,
  payerMustHave,
  payerMustKeepReserve,
  pendingMustBeFew,
} from "../../policy/changes.js";
import {
  dustExposure,
  dustMustBeBounded,
  expiryMustBeHeight,
  feeMustBeAgreedOn,
  feeMustBeOpeners,
  feerateMustBeSane,
  htlcMustReachMinimum,
  htlcsMustFit,
  malformedMustSayBadOnion,
  preimageMustMatch,
  requireRemovable,
} from "../../policy/htlcs.js";
import {
  noPayAfterShutdown,
  nothingNewAfterBroadcast,
  nothingNewAfterClearing,
  nothingNewAfterClosing,
  nothingNewBehind,
} from "../../policy/interlocks.js";
import { SIDES, type Side, withSide } from "../../side.js";
import type { ChangeContent } from "../../tx/spec.js";
import { type Message, decodeMessage, encodeMessage } from "../../wire/messages.js";
import type { Received } from "../message-log.js";
import { type Change, type ChangeStage, type ChannelState, type FundedChannel, type Funding, type RequestRecord, requireFunded } from "../state.js";
import { type Outcome, done, expectChannel, sending, taking } from "./outcome.js";

/** What a party asks for: a change, and what its message carries beside it. An id that counts up is not the party's to choose. */
export type Proposal =
  | Omit<Extract<ChangeContent, { readonly kind: "pay" }>, "id">
  | (Omit<Extract<ChangeContent, { readonly kind: "add_htlc" }>, "id"> & { readonly onionRoutingPacket: Uint8Array })
  | Extract<ChangeContent, { readonly kind: "fulfill_htlc" | "update_fee" }>
  | (Extract<ChangeContent, { readonly kind: "fail_htlc" }> & { readonly failure: Failure });

/** Why an HTLC failed: a reason for the sender's eyes, or that its onion could not be read. */
export type Failure =
  | { readonly kind: "reason"; readonly reason: Uint8Array }
  | { readonly kind: "malformed"; readonly sha256OfOnion: Bytes32; readonly failureCode: number };

/** Messages that carry a change. */
const CHANGE_MESSAGES = ["pay", "update_add_htlc", "update_fulfill_htlc", "update_fail_htlc", "update_fail_malformed_htlc", "update_fee"] as const;
type ChangeMessage = Extract<Message, { readonly type: (typeof CHANGE_MESSAGES)[number] }>;

export function isChangeMessage(message: Message): message is ChangeMessage {
  return (CHANGE_MESSAGES as readonly string[]).includes(message.type);
}

/** The change with the id that it gets, and its message. */
function worded(
  state: FundedChannel,
  proposal: Proposal,
  next: { readonly htlc: bigint; readonly pay: bigint },
): { content: ChangeContent; message: ChangeMessage } {
  const { channelId } = state;
  switch (proposal.kind) {
    case "pay": {
      const content = { ...proposal, id: next.pay };
      return { content, message: { type: "pay", channelId, id: content.id, amountMsat: content.amountMsat } };
    }
    case "add_htlc": {
      const { onionRoutingPacket, ...terms } = proposal;
      const content = { ...terms, id: next.htlc };
      const { id, amountMsat, paymentHash, cltvExpiry } = content;
      return { content, message: { type: "update_add_htlc", channelId, id, amountMsat, paymentHash, cltvExpiry, onionRoutingPacket } };
    }
    case "fulfill_htlc":
      return { content: proposal, message: { type: "update_fulfill_htlc", channelId, id: proposal.id, paymentPreimage: proposal.paymentPreimage } };
    case "fail_htlc": {
      const { failure, ...content } = proposal;
      const { id } = content;
      if (failure.kind === "reason") return { content, message: { type: "update_fail_htlc", channelId, id, reason: failure.reason } };
      const { sha256OfOnion, failureCode } = failure;
      return { content, message: { type: "update_fail_malformed_htlc", channelId, id, sha256OfOnion, failureCode } };
    }
    case "update_fee":
      return { content: proposal, message: { type: "update_fee", channelId, feeratePerKw: proposal.feeratePerKw } };
  }
}

/** The change that a message carries. */
export function contentOf(message: ChangeMessage): ChangeContent {
  switch (message.type) {
    case "pay":
      return { kind: "pay", id: message.id, amountMsat: message.amountMsat };
    case "update_add_htlc": {
      const { id, amountMsat, paymentHash, cltvExpiry } = message;
      return { kind: "add_htlc", id, amountMsat, paymentHash, cltvExpiry };
    }
    case "update_fulfill_htlc":
      return { kind: "fulfill_htlc", id: message.id, paymentPreimage: message.paymentPreimage };
    case "update_fail_htlc":
    case "update_fail_malformed_htlc":
      return { kind: "fail_htlc", id: message.id };
    case "update_fee":
      return { kind: "update_fee", feeratePerKw: message.feeratePerKw };
  }
}

/** What its sender asked for. */
export function proposalIn(message: ChangeMessage): Proposal {
  switch (message.type) {
    case "pay":
      return { kind: "pay", amountMsat: message.amountMsat };
    case "update_add_htlc": {
      const { amountMsat, paymentHash, cltvExpiry, onionRoutingPacket } = message;
      return { kind: "add_htlc", amountMsat, paymentHash, cltvExpiry, onionRoutingPacket };
    }
    case "update_fulfill_htlc":
      return { kind: "fulfill_htlc", id: message.id, paymentPreimage: message.paymentPreimage };
    case "update_fail_htlc":
      return { kind: "fail_htlc", id: message.id, failure: { kind: "reason", reason: message.reason } };
    case "update_fail_malformed_htlc": {
      const { id, sha256OfOnion, failureCode } = message;
      return { kind: "fail_htlc", id, failure: { kind: "malformed", sha256OfOnion, failureCode } };
    }
    case "update_fee":
      return { kind: "update_fee", feeratePerKw: message.feeratePerKw };
  }
}

/**
 * What the receiver of a proposal judges it by: our own changes that the proposer can't have known of are left out, so that proposals which cross
 * are not taken for faults. Those that we have signed stand in the proposer's next commitment, which it may not have either: it is judged by the one
 * before. Whether the commitments can bear both is asked when they are signed.
 */
const UNKNOWN_TO_PEER: readonly ChangeStage[] = ["proposed", "signed"];

function asPeerSawIt(state: FundedChannel): FundedChannel {
  const [funding] = state.fundings;
  const signedTo: readonly [Funding] = [{ ...funding, remote: { ...funding.remote, next: null } }];
  const unsigned = ({ content, stage }: Change): Change => ({ content, stage: stage === "countersigned" ? "acked" : stage });
  return {
    ...state,
    fundings: signedTo,
    changes: { local: state.changes.local.filter(({ stage }) => !UNKNOWN_TO_PEER.includes(stage)), remote: state.changes.remote.map(unsigned) },
  };
}

/** The state with `by`'s change added, if every rule for it holds. */
function withChange(state: FundedChannel, by: Side, content: ChangeContent): FundedChannel {
  channelMustBeOpen(state);
  nothingNewAfterBroadcast(state);
  nothingNewAfterClosing(state);
  nothingNewBehind(state);
  if (content.kind === "pay" || content.kind === "add_htlc") noPayAfterShutdown(state, by);
  // What crosses with our last revocation the peer sent before it knew
  if (by === "local") nothingNewAfterClearing(state);
  const changed = added(state, by, content);
  const judged = by === "local" ? changed : asPeerSawIt(changed);
  const before = by === "local" ? state : asPeerSawIt(state);
  switch (content.kind) {
    case "pay":
      payMustBeAgreed(state);
      pendingMustBeFew(state, by);
      idMustBeNext(content.id, state.nextIds[by].pay);
      amountMustBePositive(content.amountMsat);
      payerMustHave(before, by, content.amountMsat);
      // The accepter's payment makes the opener no poorer, so nothing is asked of the opener then
      if (by === state.opener) openerMustAffordFee(judged);
      payerMustKeepReserve(judged, by);
      return { ...changed, nextIds: withSide(state.nextIds, by, { ...state.nextIds[by], pay: content.id + 1n }) };
    case "add_htlc":
      idMustBeNext(content.id, state.nextIds[by].htlc);
      amountMustBePositive(content.amountMsat);
      htlcMustReachMinimum(state, by, content);
      expiryMustBeHeight(content);
      payerMustHave(before, by, content.amountMsat);
      htlcsMustFit(judged, by);
      // A receiver asks it only of the opener's own proposals
      if (by === "local" || by === state.opener) openerMustAffordFee(judged);
      payerMustKeepReserve(judged, by);
      if (by === "local") dustMustBeBounded(changed);
      return { ...changed, nextIds: withSide(state.nextIds, by, { ...state.nextIds[by], htlc: content.id + 1n }) };
    case "fulfill_htlc": {
      preimageMustMatch(requireRemovable(state, by, content.id), content.paymentPreimage);
      const known = state.knownPreimages.some((preimage) => equalBytes(preimage, content.paymentPreimage));
      return known ? changed : { ...changed, knownPreimages: [...state.knownPreimages, content.paymentPreimage] };
    }
    case "fail_htlc":
      requireRemovable(state, by, content.id);
      return changed;
    case "update_fee":
      feeMustBeAgreedOn(state);
      feeMustBeOpeners(state, by);
      feerateMustBeSane(state, content.feeratePerKw);
      pendingMustBeFew(state, by);
      openerMustAffordFee(judged);
      return changed;
  }
}

/** Irrevocable changes stay in sight until the next proposal, so that readers see how they ended. */
function added(state: FundedChannel, by: Side, content: ChangeContent): FundedChannel {
  const pending = (side: Side) => state.changes[side].filter(({ stage }) => stage !== "irrevocable");
  const changes = { local: pending("local"), remote: pending("remote") };
  return { ...state, changes: withSide(changes, by, [...changes[by], { content, stage: "proposed" as const }]) };
}

/**
 * Proposes a change and words its message. With a request id, the same request gives the same message again.
 * BOLT 2 §Normal Operation. Throws: policy-…, state-htlc-unknown, state-request-conflict.
 */
export function propose(channel: ChannelState, proposal: Proposal, requestId?: string): Outcome {
  const state = requireFunded(channel);
  if (proposal.kind === "fail_htlc" && proposal.failure.kind === "malformed") malformedMustSayBadOnion(proposal.failure.failureCode);
  const earlier = requestId === undefined ? undefined : state.messages.requests.find((request) => request.id === requestId);
  if (earlier !== undefined) return repeatRequest(state, earlier, proposal);

  const { content, message } = worded(state, proposal, state.nextIds.local);
  const changed = withChange(state, "local", content);
  const outcome = { ...sending(changed, message), warnings: warningsOf(changed, content) };
  return requestId === undefined ? outcome : remembering(outcome, requestId);
}

/** What BOLT 2 only recommends. */
function warningsOf(state: FundedChannel, content: ChangeContent): readonly string[] {
  const spike = content.kind === "add_htlc" && state.opener === "local" ? feeSpikeWarning(state) : null;
  return spike === null ? [] : [spike];
}

/** How many request ids are remembered. */
const REMEMBERED_REQUESTS = 64;

function remembering(outcome: Outcome<FundedChannel>, id: string): Outcome<FundedChannel> {
  const { state, sent } = outcome;
  if (sent === null) return outcome;
  const record = { id, seq: sent.seq, wire: encodeMessage(sent.message) };
  const requests = [...state.messages.requests, record].slice(-REMEMBERED_REQUESTS);
  return { ...outcome, state: { ...state, messages: { ...state.messages, requests } } };
}

function repeatRequest(state: FundedChannel, earlier: RequestRecord, proposal: Proposal): Outcome {
  const { id, seq, wire } = earlier;
  const before = decodeMessage(wire);
  // The id that it got then, for the same words again
  const given = "id" in before ? before.id : 0n;
  const { message } = worded(state, proposal, { htlc: given, pay: given });
  if (before.type === message.type && equalBytes(encodeMessage(message), wire)) {
    return done(state, { repeated: true, resend: { seq, type: message.type, wire, acked: false } });
  }
  throw new LnError("state-request-conflict", `request ${id} was made before with other contents: a ${before.type}, message ${seq}`, {
    request_id: id,
    type: before.type,
    seq,
  });
}

/** Takes in a change of the peer's. BOLT 2 §Normal Operation. Throws: policy-…, state-…. */
export function receiveChange(channel: ChannelState, received: Received): Outcome {
  const { message } = received;
  if (!isChangeMessage(message))
    throw new LnError("state-message-type", `a ${message.type} carries no change`, { type: message.type, expected: "a change" });
  const state = requireFunded(channel);
  expectChannel(state.channelId, message.channelId);
  const messages = taking(state.messages, received);
  if (messages === null) return done(state, { repeated: true });
  if (message.type === "update_fail_malformed_htlc") malformedMustSayBadOnion(message.failureCode);
  const changed = withChange({ ...state, messages }, "remote", contentOf(message));
  return done(changed, { warnings: message.type === "update_add_htlc" ? exposureWarnings(changed) : [] });
}

/** BOLT 2 §Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`: such an HTLC is to be failed once it is committed. */
function exposureWarnings(state: FundedChannel): readonly string[] {
  const limit = state.limits.maxDustHtlcExposureMsat;
  return SIDES.flatMap((owner) => {
    const exposure = dustExposure(state, owner);
    return exposure <= limit
      ? []
      : [`${exposure} msat stand in trimmed HTLCs of the ${owner} commitment, more than ${limit}: fail this one once it is committed`];
  });
}
