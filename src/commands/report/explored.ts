import { type ValueOf, list, nullable, text, union } from "../../json/codec.js";
import { decode } from "../../json/decode.js";
import { optional, someFields } from "../../json/fields.js";
import { u53 } from "../../json/primitives.js";
import type { Row, Table } from "./model.js";

const amount = union(u53, text);
const cell = someFields({
  step: u53,
  label: text,
  adversary: text,
  honest: text,
  behaviour: text,
  verdict: nullable(text),
  honest_sat: optional(amount),
  adversary_sat: optional(amount),
});
const document = someFields({ scenarios: list(someFields({ scenario: text, cells: list(cell) })) });
type Cell = ValueOf<typeof cell>;

/** The tables of what `explore` wrote, one for each scenario and adversary. Throws: json-…. */
export function exploreTables(written: unknown, source: string): readonly Table[] {
  const { scenarios } = decode(document, written, source);
  return scenarios.flatMap(({ scenario, cells }) =>
    [...new Set(cells.map(({ adversary }) => adversary))].map((adversary): Table => {
      const own = cells.filter((one) => one.adversary === adversary);
      const behaviours = [...new Set(own.map(({ behaviour }) => behaviour))];
      const honest = own[0]?.honest ?? "the other";
      const steps = [...new Map(own.map(({ step, label }) => [step, label]))];
      return {
        caption: `${scenario}: ${adversary} cheats; what ${honest} has / what ${adversary} has, in satoshis`,
        head: ["after step", ...behaviours],
        rows: steps.map(([step, label]): Row => {
          const here = behaviours.map((behaviour) => own.find((one) => one.step === step && one.behaviour === behaviour));
          return { cells: [`${step} ${label}`, ...here.map(inCell)] };
        }),
      };
    }),
  );
}

function inCell(one: Cell | undefined): string {
  if (one?.verdict === undefined || one.verdict === null) return "–";
  const paid = `${one.honestSat ?? "?"} / ${one.adversarySat ?? "?"}`;
  return one.verdict === "safe" ? paid : `LOSS (${one.verdict}) ${paid}`;
}
