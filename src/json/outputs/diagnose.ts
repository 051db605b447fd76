import { boolean, integer, list, literal, nullable, oneOf, text, union } from "../codec.js";
import { type Shape, fields, optional } from "../fields.js";
import { bytes32, commitmentNumber, side, txid, u16, u53 } from "../primitives.js";
import { STANDINGS, format, hex } from "./parts.js";

/** A value of a channel: a count, an amount, hex. */
const shown = union(text, integer);

const found = {
  verdict: oneOf(["valid", "high_s", "explained", "unexplained"]),
  explanations: optional(
    list(
      fields({
        differences: list(fields({ cause: text, words: text, expected: optional(text), actual: optional(text) })),
        txid,
        unsigned_tx: hex,
      }),
    ),
  ),
  tried: fields({ suspects: u53, variants: u53, signatures: u53, feerates: u53, pairs: u53, complete: boolean }),
} satisfies Shape;

/** What `diagnose` prints. */
export const diagnosis = fields({
  ...format("chankit-diagnosis"),
  owner: side,
  commitment_number: commitmentNumber,
  standing: oneOf(STANDINGS),
  txid,
  log_of: optional(oneOf(["lnd", "ldk", "core-lightning", "eclair"])),
  log_number: optional(nullable(u53)),
  log_feerate_per_kw: optional(nullable(u53)),
  of: optional(literal("htlc")),
  at: optional(u16),
  sighash: optional(bytes32),
  peers_sighash: optional(bytes32),
  signature_good_for_it: optional(boolean),
  ...found,
  differences: optional(list(fields({ field: text, ours: shown, theirs: shown }))),
  commitment_signature: optional(literal("valid")),
  htlc_signatures: optional(
    list(
      union(
        fields({ at: u16, htlc_id: u53, offered_by: side, output_index: u16, verdict: literal("explained"), words: text }),
        fields({ at: u16, htlc_id: u53, offered_by: side, output_index: u16, ...found }),
      ),
    ),
  ),
});
