import type { Received } from "../message-log.js";
import type { ChannelState } from "../state.js";
import { isChangeMessage, receiveChange } from "./changes.js";
import { receiveCommitmentSigned } from "./commit.js";
import { receiveChannelReady, receiveFundingSigned } from "./funding.js";
import { receiveAcceptChannel } from "./opening.js";
import type { Outcome } from "./outcome.js";
import { receiveRevocation } from "./revoke.js";

/**
 * Takes in any message that is neither answered at once nor of a close, by its type; null for one of another type.
 * BOLT 2 §Channel Establishment v1, §Normal Operation. Throws: policy-…, state-….
 */
export function receiveByType(state: ChannelState, received: Received): Outcome | null {
  if (isChangeMessage(received.message)) return receiveChange(state, received);
  switch (received.message.type) {
    case "accept_channel":
      return receiveAcceptChannel(state, received);
    case "funding_signed":
      return receiveFundingSigned(state, received);
    case "channel_ready":
      return receiveChannelReady(state, received);
    case "commitment_signed":
      return receiveCommitmentSigned(state, received);
    case "revoke_and_ack":
      return receiveRevocation(state, received);
    default:
      return null;
  }
}
