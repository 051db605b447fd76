import { boolean, list, literal, nullable, oneOf, text, union } from "../codec.js";
import { fields, optional } from "../fields.js";
import { commitmentNumber, side, txid } from "../primitives.js";
import { STANDINGS, format } from "./parts.js";

const apart = list(fields({ field: text, a: nullable(text), b: nullable(text) }));
const held = { commitment_number: commitmentNumber, standing: oneOf(STANDINGS), txid };
const heldSide = fields({ name: text, party: text, owner: side, ...held });

/** What `diff` prints. */
export const diff = union(
  fields({
    ...format("chankit-diff"),
    kind: oneOf(["states", "views"]),
    equal: boolean,
    a: fields({ name: text, party: text }),
    b: fields({ name: text, party: text }),
    commitments: list(
      fields({
        owner: side,
        a: fields(held),
        b: fields(held),
        verdict: oneOf(["same", "covers", "differs"]),
        differences: list(fields({ field: text, a: text, b: text, words: optional(text), alone: oneOf(["explains", "changes", "nothing"]) })),
        explanations: list(list(text)),
        transaction: apart,
      }),
    ),
    unpaired: list(fields({ owner: side, commitment_number: commitmentNumber, only: oneOf(["a", "b"]) })),
    fields: list(fields({ path: text, a: text, b: text })),
  }),
  fields({
    ...format("chankit-diff"),
    kind: literal("transactions"),
    equal: boolean,
    a: fields({ name: text, txid, what: text }),
    b: fields({ name: text, txid, what: text }),
    transaction: apart,
    not_told: list(text),
  }),
  fields({
    ...format("chankit-diff"),
    kind: literal("state-and-transaction"),
    equal: boolean,
    a: union(heldSide, fields({ name: text, txid })),
    b: union(heldSide, fields({ name: text, txid })),
    transaction: apart,
    not_told: list(text),
  }),
);
