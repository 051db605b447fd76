import { sha256 } from "@noble/hashes/sha2.js";
import { bytes32 } from "../protocol/bytes.js";
import { type Failure, propose } from "../protocol/channel/transitions/changes.js";
import { defineCommand } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { onionOf } from "./shared/onion.js";
import { flag, hex, htlcId, integer, requestId, text } from "./shared/options.js";
import { changeFlags, loadParty, locateParty, partyArgument, settle } from "./shared/party.js";
import { channelSummary } from "./shared/summary.js";

export const command = defineCommand({
  name: "fail-htlc",
  summary: "give a received HTLC back: update_fail_htlc",
  description:
    "Gives back an HTLC that the peer offered, once it is irrevocably committed on both sides, and prints update_fail_htlc; with --malformed update_fail_malformed_htlc, which says that its onion could not be read.",
  args: [partyArgument, { syntax: "[id]", help: "the HTLC's id in the peer's direction" }],
  flags: {
    ...changeFlags,
    reason: flag("--reason <hex>", "the encrypted reason, opaque (default: empty)", hex),
    malformed: flag("--malformed <failure_code>", "the onion was bad: a code with the BADONION bit, like 49156 (0xc004)", integer(0, 0xffff)),
    onion: flag("--onion <file>", "with --malformed: the onion that came, 1366 bytes in hex (default: zeros)", text),
    requestId: flag("--request-id <id>", "makes a second run print the first one's message (the last 64 ids are remembered)", requestId),
  },
  examples: ["chankit fail-htlc bob 1 -o wire/", "chankit fail-htlc bob 1 --malformed 49156 --onion onion.hex -o wire/"],
  curve: false,
  exits: [4, 5],
  run: (ctx, args, o) => {
    const { paths, rest } = locateParty(args, o);
    const id = htlcId(rest[0]);
    const failure = failureOf(ctx, o);
    const party = loadParty(ctx, paths, o);
    const outcome = propose(party.state, { kind: "fail_htlc", id, failure }, o.requestId);
    return settle(ctx, party, outcome, o, () => channelSummary(outcome.state));
  },
});

function failureOf(
  ctx: Context,
  o: { readonly reason?: Uint8Array | undefined; readonly malformed?: number | undefined; readonly onion?: string | undefined },
): Failure {
  if (o.malformed === undefined) return { kind: "reason", reason: o.reason ?? new Uint8Array(0) };
  return { kind: "malformed", failureCode: o.malformed, sha256OfOnion: bytes32(sha256(onionOf(ctx, o.onion))) };
}
