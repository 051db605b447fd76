import { displayTxid, toHex } from "../../protocol/bytes.js";
import { closesSimply, closingStage } from "../../protocol/channel/clearing.js";
import { hasNext, type Change, type ChannelState, type FundedChannel, isFunded } from "../../protocol/channel/state.js";
import { SIDES, type Side, opposite } from "../../protocol/side.js";
import type { ChangeContent, CommitmentSpec, Htlc } from "../../protocol/tx/spec.js";

/** An amount for JSON: an integer where it can be one. */
export function amount(value: bigint): number | string {
  return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : value.toString();
}

export function balancesOf({ balances }: CommitmentSpec) {
  return { local_msat: amount(balances.local), remote_msat: amount(balances.remote) };
}

/** An HTLC in full. */
export function htlcOf(htlc: Htlc): Record<string, unknown> {
  return {
    id: amount(htlc.id),
    offered_by: htlc.offeredBy,
    amount_msat: amount(htlc.amountMsat),
    payment_hash: toHex(htlc.paymentHash),
    cltv_expiry: htlc.cltvExpiry,
  };
}

/** The channel in a few lines: what every command that moves it shows. */
export function channelSummary(state: ChannelState): Record<string, unknown> {
  if (!isFunded(state)) return { party: state.party, phase: state.phase, next: nextSteps(state) };
  const [{ local, remote }] = state.fundings;
  return {
    party: state.party,
    phase: state.phase,
    local_commitment: local.current === null ? null : { number: local.current.number, ...balancesOf(local.current.spec) },
    remote_commitment: standing(remote.next ?? remote.current),
    next: nextSteps(state),
  };
}

function standing(commit: { readonly number: number; readonly spec: CommitmentSpec } | null) {
  return commit === null ? null : { number: commit.number, ...balancesOf(commit.spec) };
}

/** What can or must happen next, as a reader of the file would do it. */
export function nextSteps(state: ChannelState): readonly string[] {
  if (!isFunded(state)) {
    switch (state.phase) {
      case "awaiting_accept_channel":
        return ["wait for the peer's accept_channel"];
      case "awaiting_funding":
        return ["create-funding"];
      case "awaiting_funding_created":
        return ["wait for the peer's funding_created"];
    }
  }
  if (state.flags.behind) return ["broadcast nothing: the peer has proved that we lost state; wait for it to close"];
  if (state.flags.forceClosed !== null) return ["broadcast the force-close; accept the peer's secrets"];
  const closing = closingSteps(state);
  if (closing.over) return closing.steps;
  if (state.phase === "awaiting_funding_signed") return ["wait for the peer's funding_signed"];
  const steps = [...closing.steps];
  if (!state.channelReady.local) steps.push("channel-ready, once the funding is confirmed");
  if (!state.channelReady.remote) steps.push("wait for the peer's channel_ready");
  const [{ local, remote }] = state.fundings;
  if (local.previous !== null) steps.push("make-revocation");
  if (remote.next !== null) steps.push("wait for the peer's revoke_and_ack");
  else if (hasNext(state, "remote")) steps.push("sign");
  if (hasNext(state, "local") && local.previous === null) steps.push("wait for the peer's commitment_signed");
  return steps.length === 0 ? ["nothing is owed"] : steps;
}

/** What a mutual close waits for; `over`: there is nothing else to do in this channel. */
function closingSteps(state: FundedChannel): { readonly steps: readonly string[]; readonly over: boolean } {
  const going = (...steps: readonly string[]) => ({ steps, over: false });
  const ending = (...steps: readonly string[]) => ({ steps, over: true });
  switch (closingStage(state)) {
    case "none":
      return going();
    case "reply":
      return going("close --address or --script: the peer wants to close");
    case "await_shutdown":
      return going("wait for the peer's shutdown");
    case "clearing":
      return going("clear the channel: no HTLC may be left, no signature or revocation owed");
    case "offer":
      return ending("close --feerate or --fee");
    case "answer":
      return ending("close, which answers the peer's offer");
    case "await_offer":
      return ending("wait for the opener's closing_signed");
    case "await_answer":
      return ending(`wait for the peer's ${closesSimply(state) ? "closing_sig" : "closing_signed"}`);
    case "signed":
      return ending("broadcast the mutual close: close --tx");
  }
}

const STAGES: Readonly<Record<Change["stage"], (proposer: string, receiver: string) => string>> = {
  proposed: (_, receiver) => `proposed, in no commitment yet; ${receiver}'s is next`,
  signed: (_, receiver) => `in ${receiver}'s newest commitment, whose old one is not revoked`,
  acked: (proposer, receiver) => `in ${receiver}'s commitment, the old one revoked; ${proposer}'s is next`,
  countersigned: (proposer) => `in both commitments; ${proposer}'s old one is not revoked`,
  irrevocable: () => "irrevocable on both sides",
};

/** Every change with how far it is. */
export function changesOf(state: FundedChannel): readonly Record<string, unknown>[] {
  const name = (side: Side) => (side === "local" ? "local" : "remote");
  return SIDES.flatMap((by) =>
    state.changes[by].map(({ content, stage }) => ({
      by,
      ...contentOf(content),
      stage,
      irrevocable: stage === "irrevocable",
      meaning: STAGES[stage](name(by), name(opposite(by))),
    })),
  );
}

function contentOf(content: ChangeContent): Record<string, unknown> {
  switch (content.kind) {
    case "pay":
      return { kind: content.kind, id: amount(content.id), amount_msat: amount(content.amountMsat) };
    case "add_htlc":
      return {
        kind: content.kind,
        id: amount(content.id),
        amount_msat: amount(content.amountMsat),
        payment_hash: toHex(content.paymentHash),
        cltv_expiry: content.cltvExpiry,
      };
    case "fulfill_htlc":
    case "fail_htlc":
      return { kind: content.kind, id: amount(content.id) };
    case "update_fee":
      return { kind: content.kind, feerate_per_kw: amount(content.feeratePerKw) };
  }
}

export function fundingOutpoint(state: FundedChannel): string {
  const [{ txid, outputIndex }] = state.fundings;
  return `${displayTxid(txid)}:${outputIndex}`;
}
