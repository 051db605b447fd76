import { toHex } from "../../protocol/bytes.js";
import type { FundedChannel } from "../../protocol/channel/state.js";
import type { ChannelView, Relation } from "../../protocol/channel/view.js";
import { type HiddenNumber, type Ledger, hex48, hiddenNumber, ledgersOf } from "../../protocol/explain/ledger.js";
import { type ByteRange, type Explanation, REDACTED } from "../../protocol/explain/reading.js";
import { explainScript } from "../../protocol/explain/script.js";
import { explainTransaction } from "../../protocol/explain/transaction.js";
import type { Names, Ownership } from "../../protocol/explain/words.js";
import type { TxDescription } from "../../protocol/tx/describe.js";
import { amount } from "../shared/summary.js";

/** A byte string that stands beside the transaction: a script of which it holds only the hash. */
export interface BesideScript {
  /** Where its hash is. */
  readonly of: string;
  readonly title: string;
  readonly explanation: Explanation;
}

/** A transaction, explained whole. */
export interface ExplainedTx {
  readonly explanation: Explanation;
  readonly scripts: readonly BesideScript[];
  readonly ledgers: readonly Ledger[];
  readonly number: HiddenNumber | null;
}

/** What of a channel an explanation is told. */
export interface Seen {
  readonly state: FundedChannel;
  readonly view: ChannelView;
  readonly names: Names;
}

export function explainTx(
  tx: Parameters<typeof explainTransaction>[0],
  description: TxDescription,
  seen: Seen | null,
  ownership: Ownership,
): ExplainedTx {
  const relation = seen?.view.relation ?? null;
  const ledgers = ledgersOf(description, relation, seen?.names ?? null);
  const number = hiddenNumber(description.obscuredNumber, ofChannel(relation) ? (seen?.state ?? null) : null);
  return {
    explanation: explainTransaction(tx, tx.toBuffer(), description, {
      ownership,
      amounts: description.outputs.map((_, at) => sumWords(ledgers.find(({ output }) => output === at))),
      number: numberWords(number),
    }),
    scripts: scriptsBeside(description, ownership),
    ledgers,
    number,
  };
}

/** Whether the channel's factor is the one that hides this number. */
function ofChannel(relation: Relation | null): boolean {
  return relation?.kind === "held" || relation?.kind === "revoked" || relation?.kind === "unknown";
}

function numberWords(number: HiddenNumber | null): string {
  if (number === null) return "";
  return number.number === null ? "the number is not told: both payment_basepoints hide it" : `it hides commitment number ${number.number}`;
}

/** A sum in one line: the names of its terms. */
function sumWords(ledger: Ledger | undefined): string | undefined {
  if (ledger === undefined) return undefined;
  const terms = ledger.lines.filter(({ kind }) => kind === "term");
  return terms.map(({ what, msat }, at) => `${at === 0 ? "" : (msat ?? 0n) < 0n ? "− " : "+ "}${what.split(":", 1).join("")}`).join(" ");
}

/** The scripts that outputs and inputs hold the hash of, where they are known and do not stand in the bytes themselves. */
function scriptsBeside({ inputs, outputs }: TxDescription, ownership: Ownership): readonly BesideScript[] {
  const ofInputs = inputs.flatMap(({ spent, elements }, at): BesideScript[] => {
    if (spent?.lock?.kind !== "p2wsh" || elements.length > 0) return [];
    return [
      { of: `inputs[${at}]`, title: `the script that input ${at} is to open`, explanation: explainScript(spent.lock.witnessScript, { ownership }) },
    ];
  });
  const ofOutputs = outputs.flatMap(({ witnessScript, name, paths }, at): BesideScript[] => {
    if (witnessScript === null) return [];
    const of = `outputs[${at}].script_pubkey`;
    return [{ of, title: `the script behind output ${at}, ${name}`, explanation: explainScript(witnessScript, { ownership, paths }) }];
  });
  return [...ofInputs, ...ofOutputs];
}

export function explanationDocument({ bytes, ranges, headings }: Explanation): Record<string, unknown> {
  return {
    bytes: bytes.length,
    headings: headings.map(({ at, title }) => ({ at, title })),
    ranges: ranges.map((range) => rangeDocument(range, bytes)),
  };
}

function rangeDocument({ from, to, path, label, kind, value, meaning, source }: ByteRange, bytes: Uint8Array): Record<string, unknown> {
  const hex = kind === "secret" ? REDACTED : toHex(bytes.subarray(from, to));
  return { from, to, path, label, kind, hex, value, meaning, source };
}

export function explainedTxDocument({ explanation, scripts, ledgers, number }: ExplainedTx): Record<string, unknown> {
  return {
    ...explanationDocument(explanation),
    scripts: scripts.map(({ of, title, explanation: script }) => ({ of, title, script: toHex(script.bytes), ...explanationDocument(script) })),
    sums: ledgers.map(({ title, output, lines, source }) => ({
      title,
      ...(output === null ? {} : { output }),
      lines: lines.map(({ kind, what, msat }) => ({ kind, what, ...(msat === null ? {} : { msat: amount(msat) }) })),
      source,
    })),
    ...(number === null ? {} : { commitment_number: numberDocument(number) }),
  };
}

function numberDocument({ obscured, factor, number }: HiddenNumber): Record<string, unknown> {
  return {
    obscured: hex48(obscured),
    obscuring_factor: factor === null ? null : hex48(factor),
    number: number === null ? null : amount(number),
    formula: "number = obscured XOR factor; factor = low 48 bits of SHA256(opener's payment_basepoint || accepter's payment_basepoint)",
    source: "BOLT 3 §Commitment Transaction",
  };
}
