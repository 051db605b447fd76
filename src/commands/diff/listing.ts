import type { Document } from "../shared/command.js";
import type { Style } from "../shared/render.js";

interface Commitment {
  readonly owner: string;
  readonly a: { readonly commitment_number: number; readonly standing: string; readonly txid: string };
  readonly b: { readonly commitment_number: number; readonly standing: string; readonly txid: string };
  readonly verdict: "same" | "covers" | "differs";
  readonly differences: readonly Difference[];
  readonly explanations: readonly (readonly string[])[];
  readonly transaction: readonly Field[];
}

interface Field {
  readonly field: string;
  readonly a: string | null;
  readonly b: string | null;
}

interface Difference extends Field {
  readonly words?: string;
  readonly alone: "explains" | "changes" | "nothing";
}

/** What diff says, for people. */
interface Diff {
  readonly kind: "states" | "views" | "transactions" | "state-and-transaction";
  readonly equal: boolean;
  readonly a: Named;
  readonly b: Named;
  readonly commitments?: readonly Commitment[];
  readonly unpaired?: readonly { readonly owner: string; readonly commitment_number: number; readonly only: "a" | "b" }[];
  readonly fields?: readonly { readonly path: string; readonly a: string; readonly b: string }[];
  readonly transaction?: readonly Field[];
  readonly not_told?: readonly string[];
}

interface Named {
  readonly name: string;
  readonly party?: string;
}

const TITLES: Readonly<Record<Diff["kind"], string>> = {
  states: "two states",
  views: "two parties' views of one channel",
  transactions: "two transactions",
  "state-and-transaction": "a state and a transaction",
};

export function listing(document: Document, style: Style): string {
  const diff = document as unknown as Diff;
  const { commitments = [], unpaired = [], fields = [], transaction = [], not_told: untold = [] } = diff;
  const lines = [
    `${style.bold(`A ${diff.a.name}, B ${diff.b.name}`)}: ${TITLES[diff.kind]}, which ${diff.equal ? style.green("say the same") : style.red("differ")}`,
    ...commitments.flatMap((one) => commitmentLines(one, diff, style)),
    ...unpaired.map(
      ({ owner, commitment_number: number, only }) =>
        `\n${style.yellow(`only ${only.toUpperCase()} holds`)} the ${owner} side's commitment ${number}`,
    ),
    ...section("In the transaction", transaction.map(rowOf), style),
    ...section(
      "In the files",
      fields.map(({ path, a, b }) => rowOf({ field: path, a, b })),
      style,
    ),
    ...(untold.length === 0 ? [] : ["", ...untold.map((one) => style.dim(`Not told: ${one}.`))]),
  ];
  return `${lines.join("\n")}\n`;
}

function commitmentLines(
  { owner, a, b, verdict, differences, explanations, transaction }: Commitment,
  { kind }: Diff,
  style: Style,
): readonly string[] {
  const numbers =
    a.commitment_number === b.commitment_number ? String(a.commitment_number) : `${a.commitment_number} of A's and ${b.commitment_number} of B's`;
  const whose = kind === "views" ? `commitment ${numbers} of A's ${owner} side` : `the ${owner} side's commitment ${numbers}`;
  const said = {
    same: style.green("the same to the byte"),
    covers: style.red("the same bytes, but a signature covers something else"),
    differs: style.red("not the same"),
  };
  const rows = differences.map((one): Row => ({ ...rowOf(one), note: noteOf(one, style) }));
  return [
    "",
    `${style.bold(whose)} (${a.standing === b.standing ? a.standing : `${a.standing}, ${b.standing}`}): ${said[verdict]}`,
    ...table(rows, style),
    ...transaction.map(({ field, a: ours, b: theirs }) => style.dim(`  transaction: ${field} ${shown(ours)} → ${shown(theirs)}`)),
    ...explanationLines(verdict, differences, explanations),
  ];
}

function noteOf({ alone, words }: Difference, style: Style): string {
  const effect = { explains: style.green("explains it"), changes: style.yellow("changes it, too"), nothing: style.dim("changes nothing here") };
  return words === undefined ? effect[alone] : `${effect[alone]} (${words})`;
}

function explanationLines(verdict: Commitment["verdict"], differences: readonly Difference[], sets: Commitment["explanations"]): readonly string[] {
  if (verdict === "same") return [];
  const change = (field: string): string => {
    const found = differences.find((one) => one.field === field);
    return found === undefined ? field : `${field} ${brief(found.a)} → ${brief(found.b)}`;
  };
  return sets.map(
    (set) => `  ${set.map(change).join(" and ")} ${set.length === 1 ? "alone makes" : "together make"} A's transaction B's, byte for byte`,
  );
}

interface Row {
  readonly name: string;
  readonly change: string;
  readonly note?: string;
}

function rowOf({ field, a, b }: Field): Row {
  return { name: field, change: `${shown(a)} → ${shown(b)}` };
}

function section(title: string, rows: readonly Row[], style: Style): readonly string[] {
  return rows.length === 0 ? [] : ["", style.bold(title), ...table(rows, style)];
}

function table(rows: readonly Row[], style: Style): readonly string[] {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  return rows.map(({ name, change, note }) => `  ${style.cyan(name.padEnd(width))}  ${change}${note === undefined ? "" : `  ${note}`}`);
}

const shown = (value: string | null): string => value ?? "none";

/** Hashes and keys by their ends. */
function brief(value: string | null): string {
  return shown(value).replace(/\b[0-9a-f]{20,}\b/g, (hex) => `${hex.slice(0, 8)}…${hex.slice(-4)}`);
}
