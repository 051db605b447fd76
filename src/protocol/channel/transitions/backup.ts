import { type Signature } from "../../bytes.js";
import type { PartyKeys } from "../../keys/party-keys.js";
import { penaltyNeedsRealChannel } from "../../policy/leave.js";
import { requireOwnKeys } from "../own-keys.js";
import { type ChannelState, type FundedChannel, type LocalCommit, requireFunded } from "../state.js";

/** r = s = 1: in the form of a signature, and nobody's. */
const NO_SIGNATURE = Uint8Array.from({ length: 64 }, (_, at) => (at % 32 === 31 ? 1 : 0)) as Signature;

/**
 * What of a channel is safe to restore however old it is: enough to ask the peer to close, to take what is ours of its commitment and to punish those it
 * had revoked. It counts as having lost state, and the peer's signatures of our own commitments are not in it: whoever restores it can publish none, nor sign
 * anything new. BOLT 2 §Message Retransmission. Throws: state-not-funded, policy-vector-channel.
 */
export function backUp(channel: ChannelState): FundedChannel {
  const state = requireFunded(channel);
  penaltyNeedsRealChannel(state);
  const [funding] = state.fundings;
  const { current, previous } = funding.local;
  return {
    ...state,
    fundings: [{ ...funding, local: { current: unsigned(current), previous: unsigned(previous) } }],
    fundingPsbt: null,
    changes: { local: [], remote: [] },
    messages: { ...state.messages, recentlyReceived: [], outbox: [], requests: [] },
    flags: { ...state.flags, behind: true },
  };
}

function unsigned(commit: LocalCommit | null): LocalCommit | null {
  return commit === null ? null : { ...commit, signature: NO_SIGNATURE, htlcSignatures: commit.htlcSignatures.map(() => NO_SIGNATURE) };
}

/** The state of a restored party: whatever the document says, it is behind. Secrets in: the party's keys. Throws: state-not-funded, key-mismatch. */
export function restore(channel: ChannelState, keys: PartyKeys): FundedChannel {
  const state = backUp(channel);
  requireOwnKeys(state, keys);
  return state;
}
