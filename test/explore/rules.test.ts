import { sha256 } from "@noble/hashes/sha2.js";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { expect, test, vi } from "vitest";
import { concat, toHex } from "../../src/protocol/bytes.js";
import { ABSENCES, NOT_EXPLORED, isAsStated } from "../../src/explore/rules.js";
import { ERROR_CODES } from "../../src/protocol/errors.js";
import { type Coin, interpret } from "../chain/interpreter.js";
import { runCommand } from "../support/party.js";

// A search takes its time on a busy machine
vi.setConfig({ testTimeout: 600_000 });

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
  const { document, rendered, verdict } = await runCommand("explore", [script], flags);
  const { scenarios, transactions, expected } = document as unknown as {
    readonly scenarios: readonly { readonly cells: readonly Cell[] }[];
    readonly transactions: Readonly<Record<string, string>>;
    readonly expected?: { readonly as_stated: boolean };
  };
  const [cell] = scenarios.flatMap(({ cells }) => cells);
  return { cell: cell!, transactions, rendered, verdict, expected };
}

/** What a transaction spends: outputs of those before it, or the funding output, which its first witness script names. */
function coinsOf(tx: string, known: Map<string, Coin>): readonly Coin[] {
  const parsed = Transaction.fromHex(tx);
  const id = parsed.getId();
  for (const [index, { script, value }] of parsed.outs.entries()) known.set(`${id}:${index}`, { scriptPubkey: script, amount: value });
  return parsed.ins.map(({ hash, index, witness }) => {
    const before = known.get(`${toHex(Uint8Array.from(hash).reverse())}:${index}`);
    return before ?? { scriptPubkey: concat(Uint8Array.of(0, 32), sha256(witness.at(-1)!)), amount: 10_000_000n };
  });
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
  for (const rule of without) expect(weak.cell.refused[rule] ?? 0).toBe(0);
  if (typeof leadsTo === "string") {
    expect(["safe", "waits"]).toContain(weak.cell.verdict);
    const met = [...without, ...behind].some((rule) => (strict.cell.refused[rule] ?? 0) > 0);
    expect(met, "the rule, or what stands behind it, is met there").toBe(true);
    if (strict.cell.refused[without[0]!] !== undefined) {
      for (const code of behind) expect(weak.cell.refused[code], code).toBeGreaterThan(strict.cell.refused[code] ?? 0);
    }
  } else {
    expect(weak.cell.verdict).toBe(leadsTo[0]);
    expect(weak.cell.confirmed.length).toBeGreaterThan(leadsTo[0] === "hostage" ? -1 : 0);
    const chain = weak.cell.confirmed.map(({ txid }) => weak.transactions[txid]!);
    const known = new Map<string, Coin>();
    for (const tx of chain) {
      expect(weak.rendered).toContain(`: ${tx}`);
      expect(interpret(tx, coinsOf(tx, known))).toEqual({ kind: "accepted" });
    }
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

test.each(["policy-closing-closee-script", "policy-htlc-deadline"] as const)(
  "without %s alone, the scenario in which that shows is played, at its height",
  async (rule) => {
    const { script, step, adversary, behaviour, leadsTo } = ABSENCES.find(({ without }) => without.join() === rule)!;
    const { document, verdict } = await runCommand("explore", [], { without: rule, step: String(step), actor: adversary, behaviour });
    expect(document).toMatchObject({ expected: { leads_to: leadsTo, shown_in: script, as_stated: true }, scenarios: [{ scenario: script }] });
    expect(verdict).toBe("yes");
  },
);

test("an absence that leads to something else than stated is told apart", () => {
  expect(isAsStated({ leadsTo: ["theft"] }, ["theft", "hostage"])).toBe(false);
  expect(isAsStated({ leadsTo: ["theft"] }, [])).toBe(false);
  expect(isAsStated({ leadsTo: "structural" }, ["grief"])).toBe(false);
});
