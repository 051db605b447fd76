import { fundingOutputOf } from "../json/psbt.js";
import { type Txid, equalBytes, parseTxid } from "../protocol/bytes.js";
import { receiveAcceptChannel } from "../protocol/channel/transitions/opening.js";
import { createFunding } from "../protocol/channel/transitions/funding.js";
import { type FundedChannel, type UnfundedChannel, isFunded } from "../protocol/channel/state.js";
import type { Outcome } from "../protocol/channel/transitions/outcome.js";
import { LnError } from "../protocol/errors.js";
import { signSameOnly } from "../protocol/policy/interlocks.js";
import { FORMATS } from "../protocol/tx/format.js";
import { defineCommand } from "./shared/command.js";
import { flag, text } from "./shared/options.js";
import {
  changeFlags,
  loadKeys,
  loadParty,
  locateParty,
  partyArgument,
  readInput,
  readMessageFile,
  receiving,
  repeated,
  settle,
} from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

interface Outpoint {
  readonly txid: Txid;
  readonly outputIndex: number;
}

/** Throws: usage-value. */
function outpoint(value: string): Outpoint {
  const [, id, index] = /^([0-9a-fA-F]{64}):(\d{1,5})$/.exec(value) ?? [];
  const outputIndex = Number(index);
  if (id === undefined || index === undefined || outputIndex > 0xffff) {
    throw new LnError("usage-value", `${JSON.stringify(value)} is not an outpoint TXID:INDEX`, { value, expected: "TXID:INDEX" });
  }
  return { txid: parseTxid(id), outputIndex };
}

export const command = defineCommand({
  name: "create-funding",
  summary: "name the funding output, sign the peer's first commitment: funding_created",
  description:
    "Takes in the accept_channel (unless `receive` did), signs the accepter's commitment 0 and prints funding_created. The funding is an outpoint of yours " +
    "that pays to the channel's funding_address (`chankit status`), or a PSBT that does, with segwit inputs alone: it is kept until `release-funding`.",
  args: [partyArgument, { syntax: "[message]", help: "the accept_channel, unless it was received" }],
  flags: {
    ...changeFlags,
    outpoint: flag("--outpoint <txid:index>", "the funding output", outpoint),
    psbt: flag("--psbt <file>", "an unsigned PSBT with the funding output, base64 or hex", text),
  },
  examples: [
    "chankit create-funding alice wire/0001-bob-accept_channel.json --outpoint 8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be:0 -o wire/",
    "chankit create-funding alice --psbt funding.psbt -o wire/",
  ],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const [file] = rest;
    const received = file === undefined ? undefined : readMessageFile(ctx, file);
    const party = loadParty(ctx, paths, o);
    if (isFunded(party.state)) return settle(ctx, party, createdBefore(party.state, o.outpoint), o, () => channelSummary(party.state));
    const accepted = received === undefined ? party.state : receiving(() => receiveAcceptChannel(party.state, received).state);
    if (isFunded(accepted)) throw new LnError("internal-phase", "funded by an accept_channel", {});
    if ((o.outpoint === undefined) === (o.psbt === undefined)) {
      throw new LnError("usage-funding", "name the funding by --outpoint or by --psbt", {});
    }
    const psbt = o.psbt === undefined ? null : readInput(ctx, o.psbt).trim();
    const funding = psbt === null ? o.outpoint : await fundingOutputOf(psbt, fundingLock(accepted), accepted.fundingSatoshis);
    if (funding === undefined) throw new LnError("usage-funding", "name the funding by --outpoint or by --psbt", {});
    const outcome = createFunding(accepted, await loadKeys(ctx, party.paths, o), funding, psbt);
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state), { received });
  },
});

/** The funding_created again, for the same funding alone: signing for another would leave the peer two first commitments. */
function createdBefore(state: FundedChannel, outpoint: Outpoint | undefined): Outcome {
  const [{ txid, outputIndex }] = state.fundings;
  signSameOnly(0, outpoint === undefined || (equalBytes(outpoint.txid, txid) && outpoint.outputIndex === outputIndex));
  return repeated(state, "funding_created");
}

function fundingLock(state: UnfundedChannel) {
  const { local, remote } = state.params;
  if (remote === null) throw new LnError("state-message-unexpected", "the accept_channel has not come yet", { phase: state.phase });
  return FORMATS[state.channelType].funding(local.fundingPubkey, remote.fundingPubkey);
}
