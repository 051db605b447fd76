import { toHex } from "../protocol/bytes.js";
import { type ChannelState, type FundedChannel, type UnfundedChannel, isFunded } from "../protocol/channel/state.js";
import { closesSimply, closingStage } from "../protocol/channel/clearing.js";
import type { Dual } from "../protocol/side.js";
import type { CommitmentSpec } from "../protocol/tx/spec.js";
import { defineCommand } from "./shared/command.js";
import { toggle } from "./shared/options.js";
import { loadParty, locateParty, partyArgument, partyFlags } from "./shared/load-party.js";
import { amount, balancesOf, changesOf, fundingOutpoint, htlcOf, nextSteps } from "./shared/summary.js";

export const command = defineCommand({
  name: "status",
  summary: "balances, commitments, changes and what is due",
  description:
    "Shows a channel file in words: every commitment held, every change with its stage, messages not acknowledged, what can happen next. Needs no keys.",
  args: [partyArgument],
  flags: { channel: partyFlags.channel, keys: partyFlags.keys, brief: toggle("--brief", "one line: what the party could leave with now") },
  examples: ["chankit status alice", "chankit status alice --json | jq .changes"],
  curve: false,
  exits: [5],
  run: async (ctx, args, o) => {
    const { state, loaded } = loadParty(ctx, locateParty(args, o).paths, { ...o, dryRun: true });
    if (o.brief === true) return { document: briefly(state), plain: `${briefLine(state)}\n` };
    return {
      document: {
        party: state.party,
        purpose: state.purpose,
        phase: state.phase,
        revision: loaded.revision,
        chain: state.chain,
        channel_type: state.channelType,
        opener: state.opener,
        pay_extension: state.payExtension,
        features: state.features,
        ...(isFunded(state) ? { channel_id: toHex(state.channelId), funding: fundingOutpoint(state) } : {}),
        ...(isFunded(state) ? {} : { funding_address: await addressToFund(state) }),
        funding_satoshis: amount(state.fundingSatoshis),
        ...(isFunded(state) ? funded(state) : {}),
        messages: {
          sent: state.messages.lastSent,
          received: state.messages.lastReceived,
          unacknowledged: state.messages.outbox.filter(({ acked }) => !acked).map(({ seq, type }) => `${seq} ${type}`),
        },
        next: nextSteps(state),
      },
    };
  },
});

/** Where the funding must pay to, once both funding keys are known. Scripts are loaded only for this. */
async function addressToFund({ params, channelType, chain }: UnfundedChannel): Promise<string | null> {
  if (params.remote === null) return null;
  const [{ addressOfScript }, { FORMATS }] = await Promise.all([import("../json/address.js"), import("../protocol/tx/format.js")]);
  return addressOfScript(FORMATS[channelType].funding(params.local.fundingPubkey, params.remote.fundingPubkey).scriptPubkey, chain);
}

/** The newest commitment that the party can publish. */
function briefly(state: ChannelState) {
  const current = isFunded(state) ? state.fundings[0].local.current : null;
  return { party: state.party, holds: current === null ? null : { commitment_number: current.number, ...balancesOf(current.spec) } };
}

function briefLine(state: ChannelState): string {
  const current = isFunded(state) ? state.fundings[0].local.current : null;
  if (current === null) return `${state.party} holds no commitment yet`;
  const { local, remote } = current.spec.balances;
  return `${state.party} could publish commitment ${current.number}: own ${btc(local)}, peer ${btc(remote)} BTC${current.spec.feeratePerKw > 0n ? ", less fee and anchors" : ""}`;
}

function btc(amountMsat: bigint): string {
  const MSAT_PER_BTC = 100_000_000_000n;
  const fraction = (amountMsat % MSAT_PER_BTC).toString().padStart(11, "0").replace(/000$/, "");
  return `${amountMsat / MSAT_PER_BTC}.${fraction}`;
}

/** One commitment: both balances and what is in flight, which together are the whole funding. */
function commitmentOf(commit: { readonly number: number; readonly spec: CommitmentSpec } | null): Record<string, unknown> | null {
  if (commit === null) return null;
  const { number, spec } = commit;
  return { number, ...balancesOf(spec), htlcs: spec.htlcs.map(htlcOf), feerate_per_kw: amount(spec.feeratePerKw) };
}

/** How far a mutual close is. */
function closingOf(state: FundedChannel): Record<string, unknown> {
  const { closing, shutdownScripts } = state;
  const hex = (script: Uint8Array | null) => (script === null ? null : toHex(script));
  return {
    kind: closesSimply(state) ? "simple" : "legacy",
    stage: closingStage(state),
    local_script: hex(shutdownScripts.local),
    remote_script: hex(shutdownScripts.remote),
    offered_fee_sat: dualOf(closing.offers),
    signed_fee_sat: dualOf(closing.signed),
  };
}

function dualOf(pair: Dual<{ readonly feeSatoshis: bigint } | null>): Record<string, unknown> {
  const fee = (one: { readonly feeSatoshis: bigint } | null) => (one === null ? null : amount(one.feeSatoshis));
  return { local: fee(pair.local), remote: fee(pair.remote) };
}

function funded(state: FundedChannel): Record<string, unknown> {
  const [{ local, remote }] = state.fundings;
  return {
    local_commitment: commitmentOf(local.current),
    local_unrevoked: commitmentOf(local.previous),
    remote_commitment: commitmentOf(remote.current),
    remote_signed: commitmentOf(remote.next),
    revoked_by_peer: remote.current === null ? 0 : remote.current.number,
    changes: changesOf(state),
    flags: {
      behind: state.flags.behind,
      force_closed: state.flags.forceClosed,
      shutdown_sent: state.flags.shutdownSent,
      shutdown_received: state.flags.shutdownReceived,
      closing_signed: state.flags.closingSigned,
    },
    ...(closingStage(state) === "none" ? {} : { closing: closingOf(state) }),
  };
}
