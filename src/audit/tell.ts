import { CHAINS, type Chain, type Limits, chainHash, featuresOf } from "../protocol/channel/params.js";
import type { Received } from "../protocol/channel/message-log.js";
import { type ChannelState, isFunded, requireFunded } from "../protocol/channel/state.js";
import { isChangeMessage, proposalIn, propose } from "../protocol/channel/transitions/changes.js";
import { close } from "../protocol/channel/transitions/close.js";
import type { CloseWish } from "../protocol/channel/transitions/close-wish.js";
import { sign } from "../protocol/channel/transitions/commit.js";
import { channelReady, createFunding, signFunding } from "../protocol/channel/transitions/funding.js";
import { type OwnTerms, acceptChannel, openChannel } from "../protocol/channel/transitions/opening.js";
import type { Outcome } from "../protocol/channel/transitions/outcome.js";
import { reestablish } from "../protocol/channel/transitions/reestablish.js";
import { makeRevocation } from "../protocol/channel/transitions/revoke.js";
import { equalBytes, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import { channelTypeOf } from "../protocol/tx/format.js";
import { type Message, type MessageOf, encodeMessage } from "../protocol/wire/messages.js";
import { Divergence } from "./finding.js";

/** What a party's step needs beside its state and the message that came of it. */
export interface Telling {
  readonly party: string;
  readonly keys: PartyKeys;
  readonly limits: Limits;
  readonly fundingPsbt: string | null;
  readonly requestId: string | undefined;
  /** What an accept_channel or funding_signed answers; undefined where it has not come. */
  readonly answered: Received | undefined;
}

/** The step that a message came of, taken again with what the message says was asked for. What it gives is still to be compared. Throws: LnError, Divergence. */
export function tell(state: ChannelState | null, message: Message, telling: Telling): Outcome {
  const { party, keys, limits, fundingPsbt, requestId, answered } = telling;
  switch (message.type) {
    case "open_channel":
      if (state !== null) throw notDue(message);
      return openChannel(keys, { party, ...proposed(message), ...agreed(message), terms: termsIn(message), limits });
    case "accept_channel": {
      if (state !== null || answered?.message.type !== "open_channel") throw notDue(message);
      const { payExtension: allowPay, features } = agreed(message);
      const chain = chainOf(answered.message);
      return acceptChannel(keys, answered, { party, chain, terms: termsIn(message), limits, minimumDepth: message.minimumDepth, allowPay, features });
    }
    default:
      if (state === null) throw notDue(message);
  }
  if (isChangeMessage(message)) return propose(state, proposalIn(message), requestId);
  switch (message.type) {
    case "funding_created":
      if (isFunded(state)) throw notDue(message);
      return createFunding(state, keys, { txid: message.fundingTxid, outputIndex: message.fundingOutputIndex }, fundingPsbt);
    case "funding_signed":
      if (answered === undefined) throw notDue(message);
      return signFunding(state, keys, answered);
    case "channel_ready":
      return channelReady(requireFunded(state));
    case "commitment_signed":
      return sign(state, keys);
    case "revoke_and_ack":
      return makeRevocation(state, keys);
    case "channel_reestablish":
      return reestablish(state);
    case "shutdown":
    case "closing_signed":
    case "closing_complete":
    case "closing_sig":
      return closing(state, keys, message);
    default:
      throw new Divergence({ kind: "refused", fact: `no step of chankit's sends a ${message.type}`, expected: null, found: message.type });
  }
}

export function notDue({ type }: Pick<Message, "type">): Divergence {
  return new Divergence({ kind: "not-due", fact: `a ${type} was not due`, expected: null, found: null });
}

type Announcement = MessageOf<"open_channel"> | MessageOf<"accept_channel">;

function proposed(message: MessageOf<"open_channel">) {
  const { fundingSatoshis, pushMsat, feeratePerKw } = message;
  const channelType = channelTypeOf(message.channelType ?? Uint8Array.of(0));
  if (channelType === null) {
    const found = toHex(message.channelType ?? new Uint8Array());
    throw new Divergence({ kind: "refused", fact: "channel_type is none that chankit knows", expected: null, found });
  }
  return { chain: chainOf(message), channelType, fundingSatoshis, pushMsat, feeratePerKw };
}

function chainOf(message: MessageOf<"open_channel">): Chain {
  const chain = CHAINS.find((candidate) => equalBytes(chainHash(candidate), message.chainHash));
  if (chain === undefined) {
    throw new Divergence({ kind: "refused", fact: "chain_hash is of no chain that chankit knows", expected: null, found: toHex(message.chainHash) });
  }
  return chain;
}

function agreed(message: Announcement) {
  return { payExtension: message.payExtension === true, features: featuresOf(message.features ?? new Uint8Array()) };
}

function termsIn(message: Announcement): OwnTerms {
  const { dustLimitSatoshis, channelReserveSatoshis, toSelfDelay, htlcMinimumMsat, maxHtlcValueInFlightMsat, maxAcceptedHtlcs } = message;
  const upfrontShutdownScript = message.upfrontShutdownScript?.length ? message.upfrontShutdownScript : null;
  return {
    dustLimitSatoshis,
    channelReserveSatoshis,
    toSelfDelay,
    htlcMinimumMsat,
    maxHtlcValueInFlightMsat,
    maxAcceptedHtlcs,
    upfrontShutdownScript,
  };
}

type ClosingMessage = MessageOf<"shutdown"> | MessageOf<"closing_signed"> | MessageOf<"closing_complete"> | MessageOf<"closing_sig">;

/** Whether a party left out its own output no message says outright: it is what the message could come of. */
function closing(state: ChannelState, keys: PartyKeys, message: ClosingMessage): Outcome {
  const wish = wishIn(message);
  const attempt = (omitOutput: boolean): Outcome | LnError => {
    try {
      return close(state, keys, { ...wish, omitOutput });
    } catch (error) {
      if (error instanceof LnError) return error;
      throw error;
    }
  };
  const gives = (outcome: Outcome | LnError): outcome is Outcome =>
    !(outcome instanceof LnError) && outcome.sent !== null && equalBytes(encodeMessage(outcome.sent.message), encodeMessage(message));
  const whole = attempt(false);
  if (gives(whole)) return whole;
  const without = attempt(true);
  if (gives(without)) return without;
  if (whole instanceof LnError) throw whole;
  return whole;
}

function wishIn(message: ClosingMessage): CloseWish {
  switch (message.type) {
    case "shutdown":
      return { script: message.scriptpubkey };
    case "closing_signed":
      return { fee: { kind: "exactly", feeSatoshis: message.feeSatoshis }, feeRange: message.feeRange };
    case "closing_complete":
      return { script: message.closerScriptpubkey, fee: { kind: "exactly", feeSatoshis: message.feeSatoshis }, locktime: message.locktime };
    case "closing_sig":
      return {};
  }
}
