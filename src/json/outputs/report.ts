import { MESSAGES } from "../../protocol/wire/table.js";
import { boolean, list, literal, oneOf, text, union } from "../codec.js";
import { fields, someFields } from "../fields.js";
import { satoshi, txid, u53 } from "../primitives.js";
import { format } from "./parts.js";

/** What `report` prints. */
export const report = fields({
  ...format("chankit-report"),
  title: text,
  parties: list(text),
  commitments: list(
    someFields({
      title: text,
      txid,
      outputs: list(fields({ name: text, sat: satoshi, taker: oneOf(["opener", "accepter", "either", "fee"]), delayed: boolean, ways: list(text) })),
    }),
  ),
  messages: list(
    union(
      fields({ kind: literal("message"), from: text, to: text, seq: u53, type: oneOf(Object.keys(MESSAGES)), detail: text }),
      fields({ kind: literal("gap"), from: text, first: u53, last: u53 }),
    ),
  ),
  tables: list(fields({ caption: text, head: list(text), rows: list(list(text)) })),
});
