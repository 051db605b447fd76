import type { ScriptPubkey } from "../../bytes.js";
import { LnError } from "../../errors.js";
import type { PartyKeys } from "../../keys/party-keys.js";
import type { Signature } from "../../bytes.js";
import {
  scriptMustBeAllowed,
  scriptMustBeUpfront,
  shutdownMustStand,
  shutdownNeedsFunding,
  shutdownOnlySigned,
  shutdownOnlySignedByPeer,
} from "../../policy/closing.js";
import { nothingNewAfterBroadcast, nothingNewBehind } from "../../policy/interlocks.js";
import { penaltyNeedsRealChannel } from "../../policy/leave.js";
import { withSide } from "../../side.js";
import { signInputs } from "../../tx/plan.js";
import { closesSimply, isClear } from "../clearing.js";
import { type Received, newestOfClose } from "../message-log.js";
import { requireOwnKeys } from "../own-keys.js";
import { type ChannelState, type FundedChannel, requireFunded } from "../state.js";
import { planLegacyClose } from "./close-legacy.js";
import { planSimpleClose } from "./close-simple.js";
import { type CloseStep, type SigningStep, saidAgain, taken } from "./close-step.js";
import type { CloseWish } from "./close-wish.js";
import { type Outcome, done, expectChannel, expectType, sending, taking } from "./outcome.js";

/**
 * The next message of a mutual close that is ours to send: shutdown, then what the negotiation asks for. Where none is, the last one again, or
 * nothing once both have signed. What is to be signed is planned only: whoever signs it, the channel moves no more from then on.
 * BOLT 2 §Channel Close. Throws: policy-shutdown-…, policy-closing-…, policy-force-closed, policy-behind, policy-vector-channel, state-closing-choice.
 */
export function planClose(channel: ChannelState, wish: CloseWish): CloseStep {
  const state = requireFunded(channel);
  penaltyNeedsRealChannel(state);
  if (!state.flags.shutdownSent) return taken(shutDown(state, wish.script));
  if (!state.flags.shutdownReceived || !isClear(state)) return againFor(state, wish);
  nothingNewAfterBroadcast(state);
  nothingNewBehind(state);
  return closesSimply(state) ? planSimpleClose(state, wish) : planLegacyClose(state, wish);
}

/** Plans, signs and takes the step. Secrets in: the party's keys. Throws: as planClose, key-mismatch, key-missing. */
export function close(channel: ChannelState, keys: PartyKeys, wish: CloseWish): Outcome {
  const step = planClose(channel, wish);
  return step.kind === "done" ? step.outcome : step.finish(signStep(step, keys));
}

/** Secrets in: the party's keys. Throws: key-mismatch, key-missing. */
function signStep({ state, closings }: SigningStep, keys: PartyKeys): readonly Signature[] {
  requireOwnKeys(state, keys);
  return closings.flatMap(({ plan }) => signInputs(plan, keys));
}

/** BOLT 2 §Closing Initiation: `shutdown`. */
function shutDown(state: FundedChannel, wanted: ScriptPubkey | undefined): Outcome {
  const script = wanted ?? state.shutdownScripts.local;
  if (script === null) throw new LnError("state-closing-choice", "shutdown says where we are paid: name an address or a script", { needs: "script" });
  nothingNewAfterBroadcast(state);
  nothingNewBehind(state);
  shutdownNeedsFunding(state);
  scriptMustBeAllowed(state, "local", script);
  scriptMustBeUpfront(state, "local", script);
  shutdownOnlySigned(state);
  const shut: FundedChannel = {
    ...state,
    flags: { ...state.flags, shutdownSent: true },
    shutdownScripts: withSide(state.shutdownScripts, "local", script),
  };
  return sending(shut, { type: "shutdown", channelId: state.channelId, scriptpubkey: script });
}

/** What was said last, once more. Throws: policy-shutdown-changed. */
function againFor(state: FundedChannel, { script }: CloseWish): CloseStep {
  if (script !== undefined) shutdownMustStand(state, "local", script);
  return saidAgain(state, newestOfClose(state.messages) ?? null);
}

/**
 * Takes in the peer's wish to close. After a reconnection it comes again, in a simple close with the script that the peer named last.
 * BOLT 2 §Closing Initiation: `shutdown`. Throws: policy-shutdown-…, policy-force-closed, policy-behind, state-….
 */
export function receiveShutdown(channel: ChannelState, received: Received): Outcome {
  const { channelId, scriptpubkey } = expectType(received, "shutdown");
  const state = requireFunded(channel);
  expectChannel(state.channelId, channelId);
  const messages = taking(state.messages, received);
  if (messages === null) return done(state, { repeated: true });
  nothingNewAfterBroadcast(state);
  nothingNewBehind(state);
  shutdownNeedsFunding(state);
  scriptMustBeAllowed(state, "remote", scriptpubkey);
  scriptMustBeUpfront(state, "remote", scriptpubkey);
  if (!state.flags.shutdownReceived) shutdownOnlySignedByPeer(state);
  else if (!closesSimply(state)) shutdownMustStand(state, "remote", scriptpubkey);
  return done({
    ...state,
    messages,
    flags: { ...state.flags, shutdownReceived: true },
    shutdownScripts: withSide(state.shutdownScripts, "remote", scriptpubkey),
  });
}
