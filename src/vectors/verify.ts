import { list } from "../json/codec.js";
import { decode } from "../json/decode.js";
import type { JsonPath } from "../json/path.js";
import { parseStrict } from "../json/strict.js";
import { LnError } from "../protocol/errors.js";
import { type CaseDocument, caseDocument } from "./case-document.js";
import { deriveCase, matchTwins } from "./derive.js";
import { type Comparison, type Difference, type ListRules, compare, isObject } from "./compare.js";
import { type PublishedFormat, readPublished } from "./published.js";
import type { Vector } from "./vector.js";

/** A value that an implementation and its vectors do not agree on. */
export interface CaseDifference extends Difference {
  /** The case's id or name; `common` for what a document says about all its cases. */
  readonly case: string;
}

export interface CaseReport {
  readonly id: string;
  /** How many single values were compared. */
  readonly values: number;
  readonly differences: readonly CaseDifference[];
}

export interface VectorReport {
  readonly format: "cases" | PublishedFormat;
  readonly cases: number;
  readonly values: number;
  readonly differences: readonly CaseDifference[];
}

/**
 * Derives anew every value that the vectors expect, and compares it. `text` is one JSON document (a case, a list of cases, a published
 * layout) or NDJSON, a case a line.
 * Throws: input-vectors-empty, input-vectors-layout, input-channel-type, and what reading JSON throws.
 */
export function verifyVectors(text: string, source: string): VectorReport {
  const lines = text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [{ line, index }]));
  if (lines.length === 0) throw new LnError("input-vectors-empty", `${source}: empty`, { source });
  const [first] = lines;
  if (lines.length > 1 && first !== undefined && isDocument(first.line)) {
    return summary(
      "cases",
      lines.map(({ line, index }, at) => verifyLine(line, at, `${source}: line ${index + 1}`)),
    );
  }
  return verifyDocument(parseStrict(text, source), source);
}

function verifyDocument(document: unknown, source: string): VectorReport {
  if (Array.isArray(document)) {
    if (document.length === 0) throw new LnError("input-vectors-empty", `${source}: no cases`, { source });
    const cases = decode(list(caseDocument), document, source);
    return summary(
      "cases",
      cases.map((one, at) => verifyCase(one, [at], source)),
    );
  }
  if (isObject(document) && Object.hasOwn(document, "case")) {
    return summary("cases", [verifyCase(decode(caseDocument, document, source), [], source)]);
  }
  const { format, common, cases } = readPublished(document, source);
  if (cases.length === 0) throw new LnError("input-vectors-empty", `${source}: no cases`, { source });
  const shared = common.map((vector) => report(vector.id, compareVector(vector)));
  const own = cases.map((vector) => report(vector.id, compareCase(vector, source)));
  return { ...summary(format, [...shared, ...own]), cases: own.length };
}

/** One line of NDJSON: the case that stands `at`-th, from 0. For inputs that are read as they come. */
export function verifyLine(line: string, at: number, source: string): CaseReport {
  return verifyCase(decode(caseDocument, parseStrict(line, source), source), [at], source);
}

function verifyCase({ id, case: inputs, expected }: CaseDocument, at: JsonPath, source: string): CaseReport {
  const derived = matchTwins(deriveCase(inputs), inputs, expected["htlc_txs"]);
  const vector: Vector = { id, path: [...at, "expected"], expected, derived, rules: CASE_RULES };
  return report(id, compareCase(vector, source));
}

const CASE_RULES: ListRules = { htlc_txs: { key: (tx) => String(tx["output_index"]), partial: false } };

/** Throws: input-vectors-empty where nothing would be compared. */
function compareCase(vector: Vector, source: string): Comparison {
  const compared = compareVector(vector);
  const own = vector.expected["expected"] ?? vector.expected;
  if (compared.values > 0 && isObject(own) && Object.keys(own).length > 0) return compared;
  throw new LnError("input-vectors-empty", `${source}: ${vector.id}: nothing is expected`, { source, case: vector.id });
}

function compareVector({ expected, derived, path, rules }: Vector): Comparison {
  return compare(expected, derived, path, rules);
}

function report(id: string, { values, differences }: Comparison): CaseReport {
  return { id, values, differences: differences.map((difference) => ({ case: id, ...difference })) };
}

function summary(format: VectorReport["format"], reports: readonly CaseReport[]): VectorReport {
  return {
    format,
    cases: reports.length,
    values: reports.reduce((sum, { values }) => sum + values, 0),
    differences: reports.flatMap(({ differences }) => differences),
  };
}

/** Whether the text alone is a JSON object: then more lines after it make NDJSON. */
function isDocument(text: string): boolean {
  try {
    return isObject(parseStrict(text, ""));
  } catch {
    return false;
  }
}
