import { expect, test } from "vitest";
import { ABSENCES } from "../../src/explore/rules.js";
import { runCommand } from "../support/party.js";

interface Cell {
  readonly verdict: string | null;
  readonly refused: Readonly<Record<string, number>>;
}

async function cellsOf({ script, step, adversary, behaviour }: (typeof ABSENCES)[number], without: string | undefined): Promise<readonly Cell[]> {
  const flags = { step: String(step), actor: adversary, behaviour, ...(without === undefined ? {} : { without }) };
  const { document } = await runCommand("explore", [script], flags);
  return (document as unknown as { readonly scenarios: readonly { readonly cells: readonly Cell[] }[] }).scenarios.flatMap(({ cells }) => cells);
}

test.each(ABSENCES.map((absence) => [absence.without.join(" and "), absence] as const))("without %s", async (_, absence) => {
  const [strict] = await cellsOf(absence, undefined);
  const [weak] = await cellsOf(absence, absence.without.join());

  expect(strict?.verdict).toBe("safe");
  expect(
    absence.without.some((rule) => (strict?.refused[rule] ?? 0) > 0),
    "the rule is met there",
  ).toBe(true);
  expect(weak?.verdict).toBe(absence.leadsTo === "structural" ? "safe" : absence.leadsTo);
});
