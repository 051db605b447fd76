import type { Sent } from "../protocol/channel/message-log.js";
import type { OutboxEntry } from "../protocol/channel/state.js";
import { requireFunded } from "../protocol/channel/state.js";
import { lastRevocation } from "../protocol/channel/transitions/revoke.js";
import { LnError } from "../protocol/errors.js";
import { defineCommand } from "./shared/command.js";
import { flag, integer } from "./shared/options.js";
import { loadKeys, loadParty, locateParty, messageReport, partyArgument, partyFlags, reopened } from "./shared/party.js";

export const command = defineCommand({
  name: "resend",
  summary: "print again what the peer has not acknowledged",
  description:
    "Prints the messages in the outbox again, byte for byte and in their order, in one JSON document; with --seq one of them by itself. With -o DIR/ a file each.",
  args: [partyArgument],
  flags: { ...partyFlags, seq: flag("--seq <number>", "one message by its number", integer(1, Number.MAX_SAFE_INTEGER)) },
  examples: ["chankit resend alice -o wire/", "chankit resend alice --seq 4 | chankit receive bob -"],
  curve: true,
  exits: [4, 5],
  run: async (ctx, args, o) => {
    const { paths } = locateParty(args, o);
    const { state } = loadParty(ctx, paths, o);
    const { outbox } = state.messages;
    const revocation = outbox.some(({ type }) => type === "revoke_and_ack")
      ? lastRevocation(requireFunded(state), await loadKeys(ctx, paths, o))
      : undefined;
    const again = (entry: OutboxEntry): Sent =>
      entry.type === "revoke_and_ack" && revocation !== undefined ? { seq: entry.seq, message: revocation } : reopened(entry);
    if (o.seq === undefined) {
      const reports = outbox.filter(({ acked }) => !acked).map((entry) => messageReport(state, again(entry)));
      return { document: { messages: reports.map(({ document }) => document) }, parts: reports };
    }
    const entry = outbox.find(({ seq }) => seq === o.seq);
    if (entry === undefined) {
      const held = outbox.map(({ seq }) => seq);
      throw new LnError("state-message-not-held", `message ${o.seq} is not in the outbox, only ${held.join(", ") || "none"}`, { seq: o.seq, held });
    }
    return messageReport(state, again(entry));
  },
});
