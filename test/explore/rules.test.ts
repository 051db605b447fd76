import { expect, test } from "vitest";
import { ABSENCES, NOT_EXPLORED, isAsStated } from "../../src/explore/rules.js";
import { ERROR_CODES } from "../../src/protocol/errors.js";
import { runCommand } from "../support/party.js";

interface Cell {
  readonly verdict: string;
  readonly tried: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly confirmed: readonly { readonly txid: string }[];
}

type Absence = (typeof ABSENCES)[number];

async function exploring({ script, step, adversary, behaviour, height }: Absence, without: string | undefined) {
  const flags = {
    step: String(step),
    actor: adversary,
    behaviour,
    ...(height === undefined ? {} : { height: String(height) }),
    ...(without === undefined ? {} : { without }),
  };
  const { document, verdict } = await runCommand("explore", [script], flags);
  const { scenarios, transactions, expected } = document as unknown as {
    readonly scenarios: readonly { readonly cells: readonly Cell[] }[];
    readonly transactions: Readonly<Record<string, string>>;
    readonly expected?: { readonly as_stated: boolean };
  };
  const [cell] = scenarios.flatMap(({ cells }) => cells);
  return { cell: cell!, transactions, verdict, expected };
}

/** Every loss; of those that lead to none, with CHANKIT_EXPLORE=all, the ones whose search is long, too. */
const CHOSEN = ABSENCES.filter(
  ({ leadsTo, script, behaviour }) => process.env["CHANKIT_EXPLORE"] === "all" || typeof leadsTo === "object" || isShort(script, behaviour),
);

function isShort(script: string, behaviour: string): boolean {
  return script === "article" && (behaviour === "mistake" || behaviour === "after-close");
}

test.each(CHOSEN.map((absence) => [absence.without.join(" and "), absence] as const))("without %s", async (_, absence) => {
  const { without, behind = [], leadsTo } = absence;
  const strict = await exploring(absence, undefined);
  const weak = await exploring(absence, without.join());

  expect(["safe", "waits"]).toContain(strict.cell.verdict);
  expect(
    [...without, ...behind].some((rule) => (strict.cell.refused[rule] ?? 0) > 0),
    "the rule, or what stands behind it, is met there",
  ).toBe(true);
  for (const rule of without) expect(weak.cell.refused[rule] ?? 0).toBe(0);
  if (typeof leadsTo === "string") {
    expect(["safe", "waits"]).toContain(weak.cell.verdict);
    if (strict.cell.refused[without[0]!] !== undefined) {
      for (const code of behind) expect(weak.cell.refused[code], code).toBeGreaterThan(strict.cell.refused[code] ?? 0);
    }
  } else {
    expect(weak.cell.verdict).toBe(leadsTo[0]);
    expect(weak.cell.confirmed.length).toBeGreaterThan(leadsTo[0] === "hostage" ? -1 : 0);
    for (const { txid } of weak.cell.confirmed) expect(weak.transactions[txid]).toMatch(/^0[23]000000/);
  }
  expect(weak.expected?.as_stated).toBe(true);
  expect(weak.verdict).toBe("yes");
});

test("every rule has its absence shown, or a reason why no script comes by it, and not both", () => {
  const shown = new Set<string>(ABSENCES.flatMap(({ without }) => without));
  const left = new Set(Object.keys(NOT_EXPLORED));
  for (const code of Object.keys(ERROR_CODES).filter((each) => each.startsWith("policy-"))) {
    expect(Number(shown.has(code)) + Number(left.has(code)), code).toBe(1);
  }
});

test("an absence that leads to something else than stated is told apart", () => {
  expect(isAsStated({ leadsTo: ["theft"] }, ["theft", "hostage"])).toBe(false);
  expect(isAsStated({ leadsTo: ["theft"] }, [])).toBe(false);
  expect(isAsStated({ leadsTo: "structural" }, ["grief"])).toBe(false);
});
