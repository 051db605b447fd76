import { LnError } from "../protocol/errors.js";
import { CHANNEL_TYPES } from "../protocol/tx/channel-type.js";
import { defineCommand } from "./shared/command.js";
import { LAYOUTS } from "../vectors/layouts.js";
import { flag, integer, list, oneOf, text } from "./shared/options.js";
import { shard } from "./vectors/shard.js";

const ACTIONS = ["verify", "generate"] as const;

export const command = defineCommand({
  name: "vectors",
  summary: "make test vectors from a seed, or check some, every value derived again",
  description:
    "`vectors verify FILE`: derives every expected value again and compares. Reads commitment cases (a JSON array, or NDJSON of any length), the published vectors in JSON, BOLT 3's own text (03-transactions.md), lnd's test_vectors_*.json and eclair's bolt3-tx-test-vectors-*.txt. Exit 1 at any difference, each with its place, both values, how they differ and what they follow from. " +
    "`vectors generate --seed TEXT`: prints commitment cases, one a line (docs/vectors.md): commitments at every edge, their HTLC transactions, penalties, sweeps and closes, and what must be refused. The same seed gives the same bytes.",
  args: [
    { syntax: "<action>", help: ACTIONS.join(" or ") },
    { syntax: "[file]", help: "verify: the vectors, or - for standard input" },
  ],
  flags: {
    seed: flag("--seed <text>", "generate: what all follows from; any text", text),
    count: flag("--count <n>", "generate: so many cases (default: 100)", integer(1, 2 ** 32)),
    format: list("--format <type>", "generate: of this channel type; may be given again (default: all)", oneOf(CHANNEL_TYPES)),
    shard: flag("--shard <i/n>", "generate: only the i-th of n parts, which one after the other are the whole", shard),
    layout: flag("--layout <name>", "verify: read the file as this layout, not as what its contents look like", oneOf(LAYOUTS)),
    jobs: flag("--jobs <count>", "on so many threads (default: all cores)", integer(1, 1024)),
  },
  batch: {
    help: "verify: read NDJSON, a commitment case a line; print for each what was compared and what differs",
    file: ([action, file = "-"]) => {
      requireVerify(action);
      return file;
    },
    with: [],
    line: async (line, source) => {
      const { verifyLine } = await import("../vectors/verify.js");
      const report = verifyLine(line, 0, source);
      return { document: { ...report }, verdict: report.differences.length === 0 ? "yes" : "no" };
    },
  },
  examples: [
    "chankit vectors verify fixtures/vectors/commitments-anchors.json",
    "chankit vectors generate --seed 1 --count 1000 > cases.ndjson",
    "chankit vectors generate --seed 1 --count 1000 --format anchors --shard 2/4",
    "chankit vectors verify bolts/03-transactions.md",
    "chankit vectors verify cases.ndjson --batch | jq -c 'select(.differences != [])'",
  ],
  curve: true,
  exits: [1, 5],
  run: async (ctx, [action, file], o) => {
    if (action === "generate") {
      if (file !== undefined) throw new LnError("usage-argument", `generate reads no file: ${file}`, { file });
      return (await import("./vectors/generate.js")).generate(ctx, o);
    }
    requireVerify(action);
    return (await import("./vectors/verify.js")).verify(ctx, file ?? "-", o);
  },
});

/** Throws: usage-value. */
function requireVerify(action: string | undefined): void {
  if (action === "verify") return;
  const expected = ACTIONS.join(" or ");
  throw new LnError("usage-value", `${JSON.stringify(action)} is not ${expected}`, { value: action ?? "", expected });
}
