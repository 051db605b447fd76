import { toHex } from "../../protocol/bytes.js";
import type { HiddenNumber, Ledger, LedgerLine } from "../../protocol/explain/ledger.js";
import { hex48 } from "../../protocol/explain/ledger.js";
import { type ByteRange, type Explanation, type FieldKind, grouped } from "../../protocol/explain/reading.js";
import { type Ownership, pathWords } from "../../protocol/explain/words.js";
import type { TxDescription } from "../../protocol/tx/describe.js";
import type { Style } from "../shared/render.js";
import type { ExplainedTx } from "./explained.js";

/** The listing's width in characters, and its columns. */
const WIDTH = 100;
const OFFSET = 5;
const HEX_BYTES = 16;
const GAP = 2;
const TEXT_AT = OFFSET + GAP + 2 * HEX_BYTES + GAP;
/** Of longer fields the beginning is shown. */
const MOST_HEX_LINES = 5;
const SHOWN_HEX_LINES = 2;

type Paint = (text: string) => string;

function paintOf(kind: FieldKind, style: Style): Paint {
  switch (kind) {
    case "structure":
      return style.dim;
    case "amount":
      return style.green;
    case "key":
      return style.cyan;
    case "hash":
      return style.blue;
    case "signature":
      return style.magenta;
    case "code":
    case "number":
    case "time":
      return style.yellow;
    case "secret":
      return style.red;
    case "data":
      return (text) => text;
  }
}

const HEX = /^[0-9a-f]+$/;

/** Words broken at spaces; a longer one anywhere, hex as it is beside it. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
    const piece = HEX.test(word) ? 2 * HEX_BYTES : width;
    for (; line.length > width; line = line.slice(piece)) lines.push(line.slice(0, piece));
  }
  return [...lines, line];
}

function rule(title: string, style: Style): string {
  const line = "─".repeat(Math.max(3, WIDTH - title.length - 4));
  return `${style.dim("──")} ${style.bold(title)} ${style.dim(line)}`;
}

/** Every range of bytes: where it is, what it holds, what it says. */
export function byteListing({ bytes, ranges, headings }: Explanation, style: Style): readonly string[] {
  const lines: string[] = [];
  // Once in each section
  let sources = new Set<string>();
  for (const range of ranges) {
    for (const { level, depth, title } of headings.filter(({ at }) => at === range.from)) {
      if (level === 1) {
        lines.push("", rule(title, style));
        sources = new Set();
      } else lines.push(...noteLines(title, depth, style));
    }
    // Of counts and lengths it is in the JSON: here it would hide the others
    const quiet = range.kind === "structure" || sources.has(range.source);
    lines.push(...rangeLines(range, bytes, quiet ? "" : range.source, style));
    if (!quiet) sources.add(range.source);
  }
  return lines;
}

function rangeLines(range: ByteRange, bytes: Uint8Array, source: string, style: Style): readonly string[] {
  const paint = paintOf(range.kind, style);
  const hex = hexLines(range, bytes);
  const text = textLines(range, toHex(bytes.subarray(range.from, range.to)), source, style);
  return Array.from({ length: Math.max(hex.length, text.length) }, (_, at) => {
    const offset = at === 0 ? String(range.from).padStart(OFFSET) : " ".repeat(OFFSET);
    const shown = hex[at] ?? "";
    const words = text[at] ?? "";
    const gap = words === "" ? "" : " ".repeat(2 * HEX_BYTES + GAP - shown.length);
    return `${style.dim(offset)}${" ".repeat(GAP)}${paint(shown)}${gap}${words}`;
  });
}

const withoutTitle = (explanation: Explanation): Explanation => ({
  ...explanation,
  headings: explanation.headings.filter(({ level }) => level === 2),
});

/** What a group of bytes or a branch is. */
function noteLines(title: string, depth: number, style: Style): readonly string[] {
  const indent = " ".repeat(TEXT_AT + 2 * depth);
  return wrapped(title, WIDTH - indent.length - 2).map((line, at) => `${indent}${at === 0 ? style.magenta("▸") : " "} ${style.bold(line)}`);
}

function hexLines({ kind, from, to }: ByteRange, bytes: Uint8Array): readonly string[] {
  const hex = kind === "secret" ? "·".repeat(2 * (to - from)) : toHex(bytes.subarray(from, to));
  const lines = hex.match(new RegExp(`.{1,${2 * HEX_BYTES}}`, "g")) ?? [];
  if (lines.length <= MOST_HEX_LINES) return lines;
  return [...lines.slice(0, SHOWN_HEX_LINES), `… ${grouped(to - from - SHOWN_HEX_LINES * HEX_BYTES)} bytes more`];
}

/** Name and value, then what they mean and where that is written; the value is left out where the bytes beside it are the value. */
function textLines({ label, kind, value, meaning, depth }: ByteRange, hex: string, source: string, style: Style): readonly string[] {
  const indent = "  ".repeat(depth);
  const width = WIDTH - TEXT_AT - indent.length;
  const paint = paintOf(kind, style);
  const quiet = kind === "structure";
  const shown = value === hex || value === label || value === meaning ? "" : `  ${value}`;
  const [head = "", ...more] = wrapped(label + shown, width);
  const name = { text: head, painted: `${quiet ? style.dim(label) : style.bold(head.slice(0, label.length))}${paint(head.slice(label.length))}` };
  const lines = [name, ...more.map((text) => ({ text, painted: paint(text) }))];
  const add = (words: string, gap: string, dim: boolean): void => {
    const last = lines.at(-1);
    const painted = (text: string): string => (dim ? style.dim(text) : text);
    if (last !== undefined && last.text.length + gap.length + words.length <= width) {
      lines[lines.length - 1] = { text: last.text + gap + words, painted: last.painted + painted(gap + words) };
    } else lines.push(...wrapped(words, width).map((text) => ({ text, painted: painted(text) })));
  };
  if (meaning !== value || shown !== "") add(meaning, "  ", quiet);
  if (source !== "") add(source, " · ", true);
  return lines.map(({ painted }) => indent + painted);
}

/** A state file's values: the text itself is their bytes. */
export function valueListing({ ranges, headings }: Explanation, style: Style): readonly string[] {
  const lines: string[] = [];
  const values = ranges.filter(({ label }) => label !== "punctuation");
  let source = "";
  for (const range of values) {
    const { from, label, kind, value, meaning } = range;
    // A heading stands before the names that lead to its first value
    const before = headings.filter(({ at }) => at <= from && at > (values[values.indexOf(range) - 1]?.from ?? -1));
    for (const { title } of before) lines.push("", rule(title, style));
    const at = style.dim(String(from).padStart(OFFSET));
    const width = WIDTH - OFFSET - GAP;
    const [first = "", ...more] = wrapped(`${label}  ${value}`, width);
    const paint = paintOf(kind === "structure" ? "data" : kind, style);
    const indent = " ".repeat(OFFSET + GAP);
    const words = range.source === source ? meaning : `${meaning} (${range.source})`;
    source = range.source;
    lines.push(`${at}${" ".repeat(GAP)}${style.bold(first.slice(0, label.length))}${paint(first.slice(label.length))}`);
    lines.push(...more.map((line) => `${indent}${paint(line)}`), ...wrapped(words, width - GAP).map((line) => `${indent}  ${style.dim(line)}`));
  }
  const rest = ranges.filter((range) => !values.includes(range));
  const size = rest.reduce((sum, { from, to }) => sum + to - from, 0);
  return [...lines, "", style.dim(`The other ${grouped(size)} bytes are the values' names, and what JSON puts around them.`)];
}

/** A whole transaction. */
export function txListing(
  { explanation, scripts, ledgers, number }: ExplainedTx,
  { description, ownership, title, facts, untold }: TxWords,
  style: Style,
): string {
  const lines = [
    ...wrapped(title, WIDTH).map((line) => style.bold(line)),
    ...facts.flatMap((fact) => wrapped(fact, WIDTH)).map((line) => style.dim(line)),
    ...byteListing(explanation, style),
    ...scripts.flatMap((script) => ["", rule(script.title, style), ...byteListing(withoutTitle(script.explanation), style)]),
    ...(number === null ? [] : ["", rule("the commitment number", style), ...numberLines(number, style)]),
    "",
    rule("the amounts", style),
    ...ledgers.flatMap((ledger, at) => [...(at === 0 ? [] : [""]), ...ledgerLines(ledger, style)]),
    "",
    rule("who can spend what", style),
    ...spenderLines(description, ownership, style),
    ...(untold.length === 0 ? [] : ["", rule("what these bytes do not tell", style), ...untold.flatMap((one) => listed(one, "-", style))]),
  ];
  return `${lines.join("\n")}\n`;
}

export interface TxWords {
  readonly description: TxDescription;
  readonly ownership: Ownership;
  readonly title: string;
  readonly facts: readonly string[];
  readonly untold: readonly string[];
}

function listed(text: string, mark: string, style: Style): readonly string[] {
  return wrapped(text, WIDTH - 4).map((line, at) => (at === 0 ? `  ${style.dim(mark)} ${line}` : `    ${line}`));
}

function spenderLines({ outputs }: TxDescription, ownership: Ownership, style: Style): readonly string[] {
  return outputs.flatMap(({ name, amount, type, paths }, at) => [
    `${style.bold(`output ${at}, ${name}`)}  ${style.green(`${grouped(amount)} sat`)}`,
    ...(paths.length === 0
      ? listed(
          type === "op_return"
            ? "nobody: OP_RETURN can't be spent"
            : `whoever meets its script, of which these bytes have ${type === "other" ? "no known form" : "only the hash or the key"}`,
          "-",
          style,
        )
      : paths.flatMap((path) => {
          const [first = "", ...more] = listed(pathWords(path, ownership, type === "bare" || type === "p2wpkh" || type === "p2a"), "-", style);
          return [first.replace(path.name, style.cyan(path.name)), ...more];
        })),
  ]);
}

function numberLines({ obscured, factor, number }: HiddenNumber, style: Style): readonly string[] {
  const halves = (value: bigint): string => `${hex48(value).slice(0, 6)} ${hex48(value).slice(6)}`;
  const line = (name: string, value: string, words: string): string => `  ${style.bold(name.padEnd(10))}${style.yellow(value)}  ${words}`;
  return [
    line("obscured", halves(obscured), "from sequence and locktime, 24 bits each"),
    ...(factor === null || number === null
      ? [line("factor", "?????? ??????", "of both sides' payment_basepoints, which are not in these bytes")]
      : [
          line("factor", halves(factor), "low 48 bits of SHA256(opener's payment_basepoint ‖ accepter's)"),
          line("XOR", halves(number), `= ${grouped(number)}, the commitment number`),
        ]),
    style.dim("  BOLT 3 §Commitment Transaction"),
  ];
}

const MSAT_DIGITS = 3;

function ledgerLines({ title, lines, source }: Ledger, style: Style): readonly string[] {
  const whole = lines.every(({ msat }) => (msat ?? 0n) % 1000n === 0n);
  const shown = lines.map((line) => ({ line, value: sumValue(line, whole) }));
  const width = Math.max(...shown.map(({ value }) => value.length));
  const indent = " ".repeat(width + 5);
  return [
    `${style.bold(title)}  ${style.dim(source)}`,
    ...shown.flatMap(({ line, value }) => {
      const [first = "", ...more] = wrapped(line.what, WIDTH - indent.length);
      const amount = value.padStart(width);
      const painted = line.kind === "result" ? `${style.dim("=")} ${style.bold(style.green(amount))}` : `  ${style.green(amount)}`;
      return [` ${painted}  ${first}`, ...more.map((words) => indent + words)];
    }),
  ];
}

/** In satoshis, with three more digits where a line of the sum has millisatoshis. */
function sumValue({ msat }: LedgerLine, whole: boolean): string {
  if (msat === null) return "";
  const size = msat < 0n ? -msat : msat;
  const rest = whole ? "" : `.${(size % 1000n).toString().padStart(MSAT_DIGITS, "0")}`;
  return `${msat < 0n ? "−" : ""}${grouped(size / 1000n)}${rest}`;
}
