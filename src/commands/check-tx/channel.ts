import { readChannel } from "../../json/channel-file.js";
import { displayTxid } from "../../protocol/bytes.js";
import { heldCommitments } from "../../protocol/channel/select.js";
import { type FundedChannel, requireFunded } from "../../protocol/channel/state.js";
import { type HtlcsOf, type Relation, viewTransaction } from "../../protocol/channel/view.js";
import { LnError } from "../../protocol/errors.js";
import { SIDES, type Side } from "../../protocol/side.js";
import { FORMATS } from "../../protocol/tx/format.js";
import { buildHtlcTxs } from "../../protocol/tx/htlc-tx.js";
import type { Context } from "../shared/context.js";
import { locateParty } from "../shared/load-party.js";
import { revokedHtlcsOf } from "../shared/revoked.js";
import type { KnownOutputs, Tx } from "./known-outputs.js";

/** A channel that transactions are looked at from. */
export interface Seen {
  readonly state: FundedChannel;
  readonly htlcsOf: HtlcsOf;
}

interface Where {
  readonly party: string | undefined;
  readonly channel: string | undefined;
}

/** Null where none was named. Throws: usage-argument, state-not-funded, file-…, json-…. */
export function openChannel(ctx: Context, { party, channel }: Where): Seen | null {
  if (party === undefined && channel === undefined) return null;
  if (party !== undefined && channel !== undefined) throw new LnError("usage-argument", "name the channel by --party or by --channel, not both", {});
  const { paths } = locateParty(party === undefined ? [] : [party], { channel });
  const { document } = channel === "-" ? ctx.store.loadText(ctx.readStdin(), "-") : ctx.store.load(paths, channel === undefined ? "look" : "pure");
  const state = requireFunded(readChannel(document, channel === "-" ? "-" : paths.channel));
  return { state, htlcsOf: channel === "-" ? () => [] : revokedHtlcsOf(ctx, paths, state) };
}

const whose = ({ party }: FundedChannel, owner: Side): string => (owner === "local" ? `${party}'s` : "the peer's");

/** What the state knows of outputs by itself: the funding output, those of the commitments that it holds, those of their HTLC transactions. */
export function addChannelOutputs(known: KnownOutputs, { state }: Seen): void {
  const source = "the channel's state";
  const [{ txid, outputIndex, amount }] = state.fundings;
  const { local, remote } = state.params;
  const funding = FORMATS[state.channelType].funding(local.fundingPubkey, remote.fundingPubkey);
  known.add(`${displayTxid(txid)}:${outputIndex}`, { script: funding.scriptPubkey, amount, source, name: "funding" });
  for (const owner of SIDES) {
    for (const { commitment } of heldCommitments(state, owner)) {
      const of = `of ${whose(state, owner)} commitment ${commitment.number}`;
      for (const [index, { lock, amount: value, kind }] of commitment.outputs.entries()) {
        known.add(`${displayTxid(commitment.txid)}:${index}`, { script: lock.scriptPubkey, amount: value, source, name: `${kind} ${of}` });
      }
      for (const { txid: htlcTxid, lock, amount: value, kind, outputIndex: from } of buildHtlcTxs(commitment)) {
        known.add(`${displayTxid(htlcTxid)}:0`, {
          script: lock.scriptPubkey,
          amount: value,
          source,
          name: `${kind} output for output ${from} ${of}`,
        });
      }
    }
  }
}

/** What a channel calls the outputs of a transaction that was handed in. */
export function outputNames({ state, htlcsOf }: Seen, tx: Tx): (index: number) => string | null {
  const { relation, outputs } = viewTransaction(state, tx, htlcsOf);
  const of = relationWords(relation, state);
  return (index) => {
    const name = outputs[index]?.name;
    return name === undefined || name === "unknown" ? null : `${name}${of}`;
  };
}

function relationWords(relation: Relation, state: FundedChannel): string {
  switch (relation.kind) {
    case "held":
      return ` of ${whose(state, relation.owner)} commitment ${relation.commitment.number}`;
    case "revoked":
      return ` of ${whose(state, relation.owner)} revoked commitment ${relation.number}`;
    case "htlc":
      return ` of ${whose(state, relation.owner)} commitment ${relation.held.commitment.number}`;
    case "mutual":
      return " of the mutual close";
    case "funding":
    case "spends":
    case "unknown":
    case "unrelated":
      return "";
  }
}
