import type { Message } from "../wire/messages.js";
import { type FundedChannel, unrevokedSpecs } from "./state.js";

/** Which of the two negotiations the two have agreed to. BOLT 2 §Channel Close. */
export function closesSimply({ features }: Pick<FundedChannel, "features">): boolean {
  return features.includes("option_simple_close");
}

/**
 * No HTLC on any commitment, no revocation owed, every change in both commitments: the final balances stand, and closing may begin.
 * BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`.
 */
export function isClear(state: FundedChannel): boolean {
  const [{ local, remote }] = state.fundings;
  const settled = local.current !== null && local.previous === null && remote.next === null;
  const changes = [...state.changes.local, ...state.changes.remote];
  return settled && changes.every(({ stage }) => stage === "irrevocable") && unrevokedSpecs(state).every(({ htlcs }) => htlcs.length === 0);
}

/**
 * Where a mutual close is, seen from us. `reply` the peer wants to close · `clearing` HTLCs or revocations are left · `offer` we name a fee ·
 * `answer` the peer has named one · `signed` by both.
 */
export type ClosingStage = "none" | "reply" | "await_shutdown" | "clearing" | "offer" | "answer" | "await_offer" | "await_answer" | "signed";

export function closingStage(state: FundedChannel): ClosingStage {
  const { shutdownSent, shutdownReceived } = state.flags;
  if (!shutdownSent) return shutdownReceived ? "reply" : "none";
  if (!shutdownReceived) return "await_shutdown";
  if (!isClear(state)) return "clearing";
  const { offers, signed, lastOffer } = state.closing;
  const done = signed.local !== null || signed.remote !== null;
  if (closesSimply(state)) {
    if (offers.remote !== null) return "answer";
    if (offers.local !== null) return "await_answer";
    return done ? "signed" : "offer";
  }
  if (isAgreed(state) || (lastOffer === null && done)) return "signed";
  if (lastOffer === null) return state.opener === "local" ? "offer" : "await_offer";
  return lastOffer === "remote" ? "answer" : "await_answer";
}

/** Both sides' last closing_signed name the same fee. BOLT 2 §Legacy Closing Negotiation: `closing_signed`. */
export function isAgreed({ closing: { offers } }: FundedChannel): boolean {
  return offers.local !== null && offers.remote !== null && offers.local.feeSatoshis === offers.remote.feeSatoshis;
}

/** Messages of a mutual close. BOLT 2 §Channel Close. */
const CLOSE_MESSAGES = ["shutdown", "closing_signed", "closing_complete", "closing_sig"] as const;
export type CloseMessage = Extract<Message, { readonly type: (typeof CLOSE_MESSAGES)[number] }>;

export function isOfClose(message: Message): message is CloseMessage {
  return (CLOSE_MESSAGES as readonly string[]).includes(message.type);
}
