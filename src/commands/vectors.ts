import { LnError } from "../protocol/errors.js";
import { verifyLine, verifyVectors } from "../vectors/verify.js";
import { defineCommand } from "./shared/command.js";
import { readInput } from "./shared/party.js";

export const command = defineCommand({
  name: "vectors",
  summary: "check test vectors, every value derived again",
  description:
    "`vectors verify FILE`: derives every expected value again and compares. Reads commitment cases (a JSON array or NDJSON) and the layouts of the published vectors. Exit 1 at any difference, each with its path and both values.",
  args: [
    { syntax: "<action>", help: "verify" },
    { syntax: "<file>", help: "the vectors, or - for standard input" },
  ],
  flags: {},
  batch: {
    help: "read NDJSON, a commitment case a line; print for each what was compared and what differs",
    file: ([action, file = "-"]) => {
      requireVerify(action);
      return file;
    },
    with: [],
    line: (line, source) => {
      const report = verifyLine(line, 0, source);
      return { document: { ...report }, verdict: report.differences.length === 0 ? "yes" : "no" };
    },
  },
  examples: [
    "chankit vectors verify fixtures/vectors/commitments-anchors.json",
    "chankit vectors verify cases.ndjson",
    "chankit vectors verify cases.ndjson --batch | jq -c 'select(.differences != [])'",
  ],
  curve: true,
  exits: [1, 5],
  run: (ctx, [action, file = "-"]) => {
    requireVerify(action);
    const report = verifyVectors(readInput(ctx, file), file);
    return { document: { ...report }, verdict: report.differences.length === 0 ? "yes" : "no" };
  },
});

/** Throws: usage-value. */
function requireVerify(action: string | undefined): void {
  if (action !== "verify") throw new LnError("usage-value", `${JSON.stringify(action)} is not verify`, { value: action ?? "", expected: "verify" });
}
