import type { FundedChannel, UnfundedChannel } from "../protocol/channel/state.js";
import { firstCommitment, fundedBy } from "../protocol/channel/transitions/funding.js";
import { ownPerCommitmentPoint, requireSecret } from "../protocol/keys/party-keys.js";
import type { CommitmentSpec } from "../protocol/tx/spec.js";
import { buildCommitment } from "../protocol/tx/commitment-tx.js";
import { commitmentTerms } from "../protocol/channel/terms.js";
import { signCommitment } from "../protocol/tx/sign.js";
import { msat } from "../protocol/units.js";
import { parseTxid } from "../protocol/bytes.js";
import type { Message, MessageOf } from "../protocol/wire/messages.js";
import type { Speaker } from "./voice.js";
import { OUTPOINT } from "./script.js";

/*
 * What the adversary says before there is a channel, from the honest side's view: `local` is the honest side.
 */

const [FUNDING_TXID = "", FUNDING_INDEX = ""] = OUTPOINT.split(":");
const FUNDING = { txid: parseTxid(FUNDING_TXID), outputIndex: Number(FUNDING_INDEX) };

/** The opener's funding_created for the accepter's first commitment with these contents. BOLT 2 §The `funding_created` Message. */
function fundingCreated(
  { keys }: Speaker,
  state: UnfundedChannel,
  contents: (spec: CommitmentSpec) => CommitmentSpec,
): readonly MessageOf<"funding_created">[] {
  try {
    const funded = fundedBy(state, FUNDING, "funded", null);
    const { number, spec, keys: derived } = firstCommitment(funded, "local");
    const commitment = buildCommitment(commitmentTerms(funded, "local"), number, derived.perCommitmentPoint, contents(spec));
    const signature = signCommitment(commitment, requireSecret(keys, "fundingPrivkey"));
    const { txid: fundingTxid, outputIndex: fundingOutputIndex } = FUNDING;
    return [{ type: "funding_created", temporaryChannelId: state.temporaryChannelId, fundingTxid, fundingOutputIndex, signature }];
  } catch {
    // Whoever has lied about its own keys cannot sign with them
    return [];
  }
}

/** The opener's next message to an accepter that waits for the funding. */
export function dueUnfunded(speaker: Speaker, state: UnfundedChannel): readonly Message[] {
  return state.phase === "awaiting_funding_created" ? fundingCreated(speaker, state, (spec) => spec) : [];
}

/** The same with everything on the adversary's side. */
export function fundingOtherwise(speaker: Speaker, state: UnfundedChannel): readonly Message[] {
  if (state.phase !== "awaiting_funding_created") return [];
  return fundingCreated(speaker, state, ({ balances, ...rest }) => ({
    ...rest,
    balances: { local: msat(0n), remote: msat(balances.local + balances.remote) },
  }));
}

/** What is due between the funding and the first update, where something is. BOLT 2 §The `channel_ready` Message. */
export function dueUnopened({ keys }: Speaker, state: FundedChannel): readonly Message[] {
  if (state.phase === "awaiting_funding_signed" || state.channelReady.remote) return [];
  return [{ type: "channel_ready", channelId: state.channelId, secondPerCommitmentPoint: ownPerCommitmentPoint(keys, 1) }];
}

/** A commitment_signed of number 0 travels as funding_signed. BOLT 2 §The `funding_signed` Message. */
export function asFundingSigned({ channelId, signature }: MessageOf<"commitment_signed">): MessageOf<"funding_signed"> {
  return { type: "funding_signed", channelId, signature };
}
