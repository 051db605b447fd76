import { LnError } from "../../errors.js";
import { isOfClose } from "../clearing.js";
import type { Received } from "../message-log.js";
import type { ChannelState } from "../state.js";
import { receiveShutdown } from "./close.js";
import { receiveClosingSigned } from "./close-legacy.js";
import { receiveClosingComplete, receiveClosingSig } from "./close-simple.js";
import type { Outcome } from "./outcome.js";

/** Takes in any message of a mutual close. BOLT 2 §Channel Close. Throws: policy-shutdown-…, policy-closing-…, state-…. */
export function receiveOfClose(state: ChannelState, received: Received): Outcome {
  const { message } = received;
  if (!isOfClose(message))
    throw new LnError("state-message-type", `a ${message.type} is of no close`, { type: message.type, expected: "a message of a close" });
  switch (message.type) {
    case "shutdown":
      return receiveShutdown(state, received);
    case "closing_signed":
      return receiveClosingSigned(state, received);
    case "closing_complete":
      return receiveClosingComplete(state, received);
    case "closing_sig":
      return receiveClosingSig(state, received);
  }
}
