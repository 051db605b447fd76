import type { Behaviour, Cell } from "../../explore/explore.js";
import { BEHAVIOURS } from "../../explore/explore.js";
import type { Script, Who } from "../../explore/script.js";
import { PARTIES, otherThan } from "../../explore/script.js";
import { type Circumstances, type Counts } from "../../explore/search.js";
import type { Absence } from "../../explore/rules.js";
import { type LossKind, sumOf } from "../../explore/verdict.js";
import { amount } from "../shared/summary.js";

/** One script, explored. */
export interface Explored {
  readonly script: Script;
  readonly cells: readonly Cell[];
  readonly counts: Counts;
  /** Ids of the transactions that went through the interpreter. */
  readonly interpreted: readonly string[];
  /** Why the search ended before all was seen, or null. */
  readonly cut: string | null;
}

/** Cells in which somebody loses. */
export const lossesIn = (cells: readonly Cell[]): readonly Cell[] => cells.filter((cell) => lossKindOf(cell).length > 0);

export function lossKindOf({ worst }: Cell): readonly LossKind[] {
  const verdict = worst?.outcome.verdict;
  return verdict === undefined || verdict === "safe" || verdict === "waits" ? [] : [verdict];
}

/** What dropping rules must lead to, and whether it did. */
export interface Expected extends Pick<Absence, "without" | "leadsTo" | "because" | "script"> {
  readonly asStated: boolean;
}

export function expectedDocument({ leadsTo, because, script, asStated }: Expected): Record<string, unknown> {
  return { leads_to: leadsTo, because, shown_in: script, as_stated: asStated };
}

export function expectedText({ without, leadsTo, because, script, asStated }: Expected): string {
  const words = leadsTo === "structural" ? "no loss, for it cannot be built" : leadsTo === "none" ? "no loss" : leadsTo.join(" or ");
  return `Without ${without.join(" and ")} it must come to ${words} in ${script}: ${because}.\n${asStated ? "So it did." : "IT DID NOT."}\n`;
}

/** Cells that should have been reached and were not: possible there, and nothing was tried. */
export const unreachedIn = (cells: readonly Cell[]): readonly Cell[] =>
  cells.filter(({ worst, tried, why }) => worst === null && (why === "" || (tried > 0 && why !== null)));

export function scriptDocument({ script, cells, counts, interpreted, cut }: Explored): Record<string, unknown> {
  const { name, summary, opening } = script;
  return {
    scenario: name,
    summary,
    channel_type: opening.channelType,
    feerate_per_kw: opening.feeratePerKw,
    losses: lossesIn(cells).length,
    unreached: unreachedIn(cells).length,
    cut,
    counts: { cells: cells.length, ...counts, interpreted: interpreted.length },
    cells: cells.map(cellDocument),
  };
}

function cellDocument({ step, label, adversary, behaviour, tried, refused, worst, why }: Cell): Record<string, unknown> {
  const where = { step, label, adversary, honest: otherThan(adversary), behaviour };
  if (worst === null) return { ...where, verdict: null, why };
  const { outcome: result } = worst;
  const { terms } = result;
  return {
    ...where,
    verdict: result.verdict,
    honest_sat: amount(result.honestSat),
    adversary_sat: amount(result.adversarySat),
    locked_sat: amount(result.lockedSat),
    entitled_msat: amount(result.entitledMsat),
    terms: {
      commitment_msat: amount(terms.commitmentMsat),
      closing_msat: amount(terms.closingMsat),
      dust_msat: amount(terms.dustMsat),
      rounding_msat: amount(terms.roundingMsat),
      spending_msat: amount(terms.spendingMsat),
    },
    missing_msat: amount(result.missingMsat),
    how: worst.how,
    tried,
    refused,
    // What nobody is there to answer comes after every block
    confirmed: result.confirmed.map(({ height, txid }) => ({ height: Number.isFinite(height) ? height : null, txid })),
  };
}

/** Every transaction that a cell names, once. */
export function transactionsOf(cells: readonly Cell[]): Record<string, string> {
  const all = cells.flatMap(({ worst }) => worst?.outcome.confirmed ?? []);
  return Object.fromEntries(all.map(({ txid, tx }) => [txid, tx]));
}

const COLUMNS: Readonly<Record<Behaviour, string>> = {
  stop: "falls silent",
  "publish-newest": "publishes newest",
  "publish-older": "an older one",
  "publish-revoked": "a revoked one",
  "publish-theirs": "the other's own",
  "publish-close": "a close",
  race: "races",
  "after-close": "after close",
  replay: "replays",
  lie: "lies",
  mistake: "mistakes",
};

/** A table for each adversary: what both have in the end, at each step and for each behaviour, at worst. */
export function table({ script, cells, counts, interpreted, cut }: Explored): string {
  const lines = [`${script.name}: ${script.summary}`, ""];
  for (const adversary of PARTIES) {
    const own = cells.filter((cell) => cell.adversary === adversary);
    if (own.length === 0) continue;
    lines.push(`${named(adversary)} cheats: what ${named(otherThan(adversary))} has in the end / what ${named(adversary)} has, in BTC, at worst`, "");
    lines.push(...grid(own), "");
  }
  const losses = lossesIn(cells);
  for (const { step, label, adversary, behaviour, worst } of losses) {
    if (worst === null) continue;
    const { outcome: result } = worst;
    lines.push(
      `LOSS (${result.verdict}) after step ${step}, ${label}: ${adversary} ${behaviour}`,
      `  ${worst.how}`,
      `  owed ${btc(result.entitledMsat / 1000n)}, explained ${btc(sumOf(result.terms) / 1000n)}, has ${btc(result.honestSat)}, missing ${btc(result.missingMsat / 1000n)}; locked ${btc(result.lockedSat)}`,
      ...result.confirmed.map(({ height, tx }) => `  ${Number.isFinite(height) ? `block ${height}` : "at last"}: ${tx}`),
    );
  }
  const unreached = unreachedIn(cells);
  lines.push(
    `${losses.length} losses, ${unreached.length} of ${cells.length} cells unreached; ${counts.states} states, ${counts.situations} situations on the chain, ` +
      `${counts.commands} commands, ${interpreted.length} different transactions interpreted${cut === null ? "" : `; CUT: ${cut}`}`,
  );
  return `${lines.join("\n")}\n`;
}

function grid(cells: readonly Cell[]): readonly string[] {
  const columns = BEHAVIOURS.filter((behaviour) => cells.some((cell) => cell.behaviour === behaviour));
  const steps = [...new Set(cells.map(({ step }) => step))];
  const rows = steps.map((step) => {
    const here = cells.filter((cell) => cell.step === step);
    return [String(step), ...columns.map((behaviour) => inCell(here.find((cell) => cell.behaviour === behaviour)))];
  });
  const all = [["step", ...columns.map((behaviour) => COLUMNS[behaviour])], ...rows];
  const widths = (all[0] ?? []).map((_, at) => Math.max(...all.map((row) => (row[at] ?? "").length)));
  return all.map((row) =>
    row
      .map((text, at) => (at === 0 ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

function inCell(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  if (cell.worst === null) return "-";
  const { verdict, honestSat, adversarySat } = cell.worst.outcome;
  return `${btc(honestSat)}/${btc(adversarySat)}${verdict === "safe" ? "" : ` ${verdict.toUpperCase()}`}`;
}

/** Satoshis as BTC, as short as they can be. */
function btc(sat: bigint): string {
  const digits = sat.toString().padStart(9, "0");
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`.replace(/[.]?0+$/, "") || "0";
}

const named = (who: Who): string => (who === "alice" ? "Alice" : "Bob");

export function circumstancesDocument({ patience, reaction, feeratePerKw, startHeight }: Circumstances): Record<string, unknown> {
  return {
    patience_blocks: patience,
    reaction_blocks: Number.isFinite(reaction) ? reaction : null,
    sweep_feerate_per_kw: feeratePerKw,
    start_height: startHeight,
  };
}
