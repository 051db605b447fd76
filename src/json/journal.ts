import { type ValueOf, list, literal, nullable, text } from "./codec.js";
import { fields, optional } from "./fields.js";
import { bytes32, commitmentNumber, hexBytes, u32, u53 } from "./primitives.js";

/** A message in a journal: `hash` is SHA256 of its bytes, `wire` null where they hold a secret that was not sent yet. */
const passed = fields({ seq: u32, type: text, hash: bytes32, wire: nullable(hexBytes) });

/** A line of `journal.ndjson`. `hash` is SHA256 of the line's JSON without it, `previous` that of the line before. */
export const journalLine = fields({
  format: literal("chankit-journal"),
  version: literal(1),
  seq: u53,
  previous: nullable(bytes32),
  command: text,
  party: text,
  received: optional(passed),
  sent: list(passed),
  request_id: optional(text),
  force_closed: optional(commitmentNumber),
  closing_signed: optional(literal(true)),
  behind: optional(literal(true)),
  revision: u53,
  state_before: nullable(bytes32),
  state_after: bytes32,
  hash: bytes32,
});
export type JournalLine = ValueOf<typeof journalLine>;
