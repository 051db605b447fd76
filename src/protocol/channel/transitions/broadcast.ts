import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { broadcastOnlyAllowedChain, broadcastOnlyForceClosed } from "../../policy/broadcast.js";
import { broadcastOnlyNewest, fundingNeedsVerifiedCommitment, neverBroadcastBehind } from "../../policy/interlocks.js";
import { htlcTxOnlyAfterClose, penaltyNeedsRealChannel } from "../../policy/leave.js";
import { type ChannelState, requireFunded } from "../state.js";
import { type HtlcsOf, type Relation, viewTransaction } from "../view.js";

/**
 * What a transaction is to the channel, where it may be broadcast: what would cost this party its money may not. `mainnet`: whether real money may
 * move. BOLT 5 §Failing a Channel.
 * Throws: policy-broadcast-…, policy-funding-unverified, policy-htlc-tx-before-close, policy-vector-channel, state-not-funded.
 */
export function permitBroadcast(channel: ChannelState, tx: Transaction, htlcsOf: HtlcsOf, mainnet: boolean): Relation {
  const state = requireFunded(channel);
  penaltyNeedsRealChannel(state);
  broadcastOnlyAllowedChain(state.chain, mainnet);
  const { relation } = viewTransaction(state, tx, htlcsOf);
  switch (relation.kind) {
    case "funding":
      fundingNeedsVerifiedCommitment(state);
      break;
    case "held":
      if (relation.owner === "remote") break;
      neverBroadcastBehind(state);
      broadcastOnlyForceClosed(state, relation.commitment.number);
      break;
    case "htlc":
      if (relation.owner === "local") htlcTxOnlyAfterClose(state);
      break;
    case "unknown":
      if (relation.owner === "remote") break;
      neverBroadcastBehind(state);
      if (relation.number === null) break;
      broadcastOnlyNewest(state, relation.number);
      broadcastOnlyForceClosed(state, relation.number);
      break;
    case "mutual":
    case "revoked":
    case "spends":
    case "unrelated":
      break;
  }
  return relation;
}
