import { type Codec, boolean, list, nullable, oneOf, plain, record, text, union } from "../codec.js";
import { type Shape, fields, optional } from "../fields.js";
import { satoshi, txid, u32, u53 } from "../primitives.js";
import { channelType, format, hex, signedAmount } from "./parts.js";

const party = oneOf(["alice", "bob"]);

const cell = {
  step: u32,
  label: text,
  adversary: party,
  honest: party,
  behaviour: text,
} satisfies Shape;

/** What `explore` prints. */
export const explore = fields({
  ...format("chankit-explore"),
  without: list(text),
  expected: optional(fields({ leads_to: union(text, list(text)), because: text, shown_in: text, as_stated: boolean })),
  circumstances: fields({ patience_blocks: u53, reaction_blocks: nullable(u53), sweep_feerate_per_kw: u53, start_height: u53 }),
  losses: u53,
  scenarios: list(
    fields({
      scenario: text,
      summary: text,
      channel_type: channelType,
      feerate_per_kw: u53,
      losses: u53,
      unreached: u53,
      cut: nullable(text),
      counts: fields({ cells: u53, situations: u53, transactions: u53, commands: u53, states: u53, interpreted: u53 }),
      cells: list(
        union(
          fields({ ...cell, verdict: literalNull(), why: nullable(text) }),
          fields({
            ...cell,
            verdict: text,
            honest_sat: satoshi,
            adversary_sat: satoshi,
            locked_sat: satoshi,
            entitled_msat: satoshi,
            terms: fields({
              commitment_msat: signedAmount,
              closing_msat: signedAmount,
              dust_msat: signedAmount,
              rounding_msat: signedAmount,
              spending_msat: signedAmount,
            }),
            missing_msat: signedAmount,
            how: text,
            tried: u53,
            refused: record(u53),
            confirmed: list(fields({ height: nullable(u32), txid })),
          }),
        ),
      ),
    }),
  ),
  transactions: record(hex),
});

function literalNull(): Codec<null> {
  return plain<null>({ is: (value): value is null => value === null, expected: "null", jsonSchema: { type: "null" } });
}
