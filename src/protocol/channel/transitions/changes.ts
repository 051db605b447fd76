import { LnError } from "../../errors.js";
import {
  amountMustBePositive,
  channelMustBeOpen,
  idMustBeNext,
  openerMustAffordFee,
  payMustBeAgreed,
  payerMustHave,
  payerMustKeepReserve,
  pendingMustBeFew,
} from "../../policy/changes.js";
import { noPayAfterShutdown, nothingNewAfterBroadcast, nothingNewAfterClosing, nothingNewBehind } from "../../policy/interlocks.js";
import { type Side, withSide } from "../../side.js";
import type { ChangeContent } from "../../tx/spec.js";
import type { MilliSatoshi } from "../../units.js";
import { decodeMessage, encodeMessage } from "../../wire/messages.js";
import type { Received } from "../message-log.js";
import { type ChannelState, type FundedChannel, type RequestRecord, requireFunded } from "../state.js";
import { type Outcome, done, expectChannel, expectType, sending, taking } from "./outcome.js";

type Pay = Extract<ChangeContent, { readonly kind: "pay" }>;

/** The state with `by`'s proposal added, if every rule for it holds. The same rules bind the proposer and the receiver. */
function withPay(state: FundedChannel, by: Side, content: Pay): FundedChannel {
  channelMustBeOpen(state);
  payMustBeAgreed(state);
  nothingNewAfterBroadcast(state);
  nothingNewAfterClosing(state);
  nothingNewBehind(state);
  noPayAfterShutdown(state, by);
  pendingMustBeFew(state, by);
  idMustBeNext(content.id, state.nextIds[by].pay);
  amountMustBePositive(content.amountMsat);
  payerMustHave(state, by, content.amountMsat);
  const proposed: FundedChannel = {
    ...withoutSettled(state),
    nextIds: withSide(state.nextIds, by, { ...state.nextIds[by], pay: content.id + 1n }),
  };
  const changed = { ...proposed, changes: withSide(proposed.changes, by, [...proposed.changes[by], { content, stage: "proposed" as const }]) };
  openerMustAffordFee(changed);
  payerMustKeepReserve(changed, by);
  return changed;
}

/** Irrevocable changes stay in sight until the next proposal, so that readers see how they ended. */
function withoutSettled(state: FundedChannel): FundedChannel {
  const pending = (by: Side) => state.changes[by].filter(({ stage }) => stage !== "irrevocable");
  return { ...state, changes: { local: pending("local"), remote: pending("remote") } };
}

/** Proposes to shift balance to the peer. With a request id, the same request gives the same message again. Throws: policy-…, state-request-conflict. */
export function proposePay(state: ChannelState, amountMsat: MilliSatoshi, requestId?: string): Outcome {
  const funded = requireFunded(state);
  const earlier = requestId === undefined ? undefined : funded.messages.requests.find((request) => request.id === requestId);
  if (earlier !== undefined) return repeatPay(funded, earlier, amountMsat);

  const id = funded.nextIds.local.pay;
  const proposed = withPay(funded, "local", { kind: "pay", id, amountMsat });
  const outcome = sending(proposed, { type: "pay", channelId: funded.channelId, id, amountMsat });
  return requestId === undefined ? outcome : remembering(outcome, requestId);
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

function repeatPay(state: FundedChannel, earlier: RequestRecord, amountMsat: MilliSatoshi): Outcome {
  const { id, seq, wire } = earlier;
  const before = decodeMessage(wire);
  if (before.type === "pay" && before.amountMsat === amountMsat) {
    return done(state, { repeated: true, resend: { seq, type: "pay", wire, acked: false } });
  }
  throw new LnError("state-request-conflict", `request ${id} was made before with other contents than a pay of ${amountMsat} msat`, {
    request_id: id,
    amount_msat: amountMsat.toString(),
  });
}

/** Takes in the peer's `pay`. Throws: policy-…, state-…. */
export function receivePay(state: ChannelState, received: Received): Outcome {
  const message = expectType(received, "pay");
  const funded = requireFunded(state);
  expectChannel(funded.channelId, message.channelId);
  const messages = taking(funded.messages, received);
  if (messages === null) return done(funded, { repeated: true });
  return done(withPay({ ...funded, messages }, "remote", { kind: "pay", id: message.id, amountMsat: message.amountMsat }));
}
