import { integer, list, literal, nullable, text } from "./codec.js";
import { fields } from "./fields.js";

const seen = { tx: text, confirmed: nullable(integer) };

/** What `watch --state` keeps: how far it has come, and each published commitment with what has become of it. */
export const watchFile = fields({
  format: literal("chankit-watch"),
  version: literal(1),
  tip: nullable(fields({ height: integer, hash: nullable(text) })),
  commitments: list(
    fields({
      party: text,
      ...seen,
      spends: list(fields(seen)),
      answers: list(fields({ kind: text, txid: text, takes: list(text) })),
      left_alone: list(text),
      told: list(text),
      next: nullable(integer),
    }),
  ),
});
