import { boolean, list, nullable, oneOf, record, text } from "../codec.js";
import { fields, optional } from "../fields.js";
import { bytes32, commitmentNumber, u53 } from "../primitives.js";
import { format, outpoint } from "./parts.js";

/** What `audit` prints. */
export const audit = fields({
  ...format("chankit-audit"),
  verdict: oneOf(["consistent", "incomplete", "diverges"]),
  parties: optional(
    list(
      fields({
        party: text,
        messages: u53,
        begins_at: optional(fields({ file: text, sent: u53, received: u53 })),
        funding: optional(outpoint),
        local_commitment: optional(nullable(commitmentNumber)),
        remote_commitment: optional(nullable(commitmentNumber)),
      }),
    ),
  ),
  replayed: boolean,
  checked: optional(
    fields({
      messages_sent: u53,
      messages_received: u53,
      signatures: u53,
      secrets: u53,
      moments: u53,
      state_hashes: u53,
      documents: record(u53),
      inputs: u53,
    }),
  ),
  regenerated: optional(list(text)),
  journals: list(fields({ file: text, lines: u53, head: nullable(bytes32) })),
  findings: list(
    fields({
      kind: oneOf([
        "unreadable",
        "conflict",
        "differs",
        "signature",
        "secret",
        "refused",
        "not-due",
        "missing",
        "unreached",
        "state",
        "chain",
        "document",
      ]),
      message: optional(fields({ party: text, seq: u53, type: optional(text) })),
      files: optional(list(text)),
      journal: optional(fields({ file: text, line: u53 })),
      file: optional(text),
      path: optional(text),
      fact: text,
      expected: optional(text),
      found: optional(text),
      code: optional(text),
    }),
  ),
  missing: optional(list(text)),
  not_told: optional(list(text)),
  ignored_files: u53,
});
