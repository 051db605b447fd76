import { list } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { type JsonPath, formatPath } from "../json/path.js";
import { parseStrict } from "../json/strict.js";
import { LnError } from "../protocol/errors.js";
import { type CaseDocument, caseDocument } from "./case-document.js";
import { integer } from "./case.js";
import { type Comparison, type Difference, type ListRules, compare, isObject } from "./compare.js";
import { deriveCase, deriveRefusal, matchTwins } from "./derive.js";
import { type ExpectedSigning, diagnoseCase } from "./diagnose-case.js";
import { followsFrom, whyDifferent } from "./explain.js";
import { isLnd } from "./lnd.js";
import { placeOf } from "./placed.js";
import type { Layout, PublishedFormat } from "./layouts.js";
import { type Published, readAs, readLabelled, readPublished, textLayout } from "./published.js";
import type { Vector } from "./vector.js";

/** A value that an implementation and its vectors do not agree on. */
export interface CaseDifference extends Difference {
  /** The case's id or name; `common` for what a document says about all its cases. */
  readonly case: string;
  /** What the two values tell of how they came apart. */
  readonly why?: string;
  /** The inputs that the value comes of. */
  readonly follows_from?: string;
}

export interface CaseReport {
  readonly id: string;
  /** How many single values were compared. */
  readonly values: number;
  readonly differences: readonly CaseDifference[];
  /** Whether it is the value that is wrong, or an input. */
  readonly explanation?: string;
}

/** Why a case differs. */
export interface Explanation {
  readonly case: string;
  readonly words: string;
}

export interface VectorReport {
  readonly format: "cases" | PublishedFormat;
  readonly cases: number;
  readonly values: number;
  readonly differences: readonly CaseDifference[];
  readonly explanations: readonly Explanation[];
}

/** Of so many cases whose commitments differ the input is searched for that makes them so: each search takes a moment. */
export const MOST_DIAGNOSED = 3;

/**
 * Derives anew every value that the vectors expect, and compares it. `text` is one JSON document (a case, a list of cases, a published
 * layout), NDJSON, a case a line, or labelled lines as in BOLT 3's appendices; `layout` says which, where it is not to be told from the text.
 * Throws: input-vectors-empty, input-vectors-layout, input-channel-type, and what reading JSON throws.
 */
export function verifyVectors(text: string, source: string, layout?: Layout): VectorReport {
  if (layout !== undefined && layout !== "cases") return verifyPublished(readAs(text, layout, source), source);
  const labelled = layout === undefined && !/^\s*[{[]/.test(text) ? textLayout(text) : null;
  if (labelled !== null) return verifyPublished(readLabelled(text, labelled, source), source);
  const lines = text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [{ line, index }]));
  if (lines.length === 0) throw new LnError("input-vectors-empty", `${source}: empty`, { source });
  const [first] = lines;
  if (lines.length > 1 && first !== undefined && isDocument(first.line)) {
    const checked = lines.map(({ line, index }, at) => checkLine(line, at, `${source}: line ${index + 1}`));
    return summary("cases", checked, checked.length);
  }
  return verifyDocument(parseStrict(text, source), source);
}

function verifyDocument(document: unknown, source: string): VectorReport {
  if (Array.isArray(document) && !isLnd(document)) {
    if (document.length === 0) throw new LnError("input-vectors-empty", `${source}: no cases`, { source });
    const cases = decode(list(caseDocument), document, source);
    return summary(
      "cases",
      cases.map((one, at) => check(vectorOf(one, [at]), source)),
      cases.length,
    );
  }
  if (isObject(document) && Object.hasOwn(document, "case")) {
    return summary("cases", [check(vectorOf(decode(caseDocument, document, source), []), source)], 1);
  }
  return verifyPublished(readPublished(document, source), source);
}

function verifyPublished({ format, common, cases }: Published, source: string): VectorReport {
  if (cases.length === 0) throw new LnError("input-vectors-empty", `${source}: no cases`, { source });
  return summary(format, [...common.map(checkCommon), ...cases.map((vector) => check(vector, source))], cases.length);
}

/** One line of NDJSON: the case that stands `at`-th, from 0. For inputs that are read as they come. */
export function verifyLine(line: string, at: number, source: string): CaseReport {
  return checkLine(line, at, source).report;
}

/** What the input is under which the case of a line comes out as it expects; null where nothing tells. */
export function diagnoseLine(line: string, source: string): string | null {
  return checkLine(line, 0, source).diagnose?.() ?? null;
}

/** A case with what is left to do about it. */
export interface Checked {
  readonly report: CaseReport;
  /** Searches for the input that is another; absent where the commitment is as expected. */
  readonly diagnose?: () => string | null;
}

export function checkLine(line: string, at: number, source: string): Checked {
  return check(vectorOf(decode(caseDocument, parseStrict(line, source), source), [at]), source);
}

function vectorOf({ id, case: inputs, expected }: CaseDocument, at: JsonPath): Vector {
  const onlyRefused = Object.keys(expected).every((key) => key === "refused") && inputs.spends === undefined && inputs.close === undefined;
  const derived = onlyRefused ? deriveRefusal(inputs) : matchTwins(deriveCase(inputs), inputs, expected["htlc_txs"]);
  const path = [...at, "expected"];
  return {
    id,
    path,
    expected,
    derived,
    rules: CASE_RULES,
    stated: "spends" in derived || "close" in derived ? statedFees(inputs, derived, at) : [],
    ...(onlyRefused ? {} : { commitment: { inputs, expected: signingOf(expected), keys: COMMITMENT_KEYS } }),
  };
}

/** Fees and weights stand among the inputs for others: they must be what chankit reckons, too. */
function statedFees(inputs: CaseDocument["case"], derived: object, at: JsonPath): NonNullable<Vector["stated"]> {
  const { spends = [], close } = derived as Pick<ReturnType<typeof deriveCase>, "spends" | "close">;
  const feesOf = (
    path: JsonPath,
    stated: { readonly feeWeight: number; readonly feeSat: bigint },
    own: { readonly fee_weight: unknown; readonly fee_sat: unknown },
  ) => ({
    path: [...at, "case", ...path],
    expected: { fee_weight: stated.feeWeight, fee_sat: integer(stated.feeSat) },
    derived: own,
  });
  return [
    ...(inputs.spends ?? []).flatMap((spend, index) => {
      const own = spends[index];
      return own === undefined ? [] : [feesOf(["spends", index], spend, own)];
    }),
    ...(inputs.close === undefined || close === undefined ? [] : [feesOf(["close"], inputs.close, close)]),
  ];
}

const CASE_RULES: ListRules = { htlc_txs: { key: (tx) => String(tx["output_index"]), partial: false } };

/** What of `expected` shows, where it agrees, that the commitment is the same. */
const COMMITMENT_KEYS = ["commitment_txid", "commitment_tx_unsigned_hex", "sighash", "remote_signature_der", "local_signature_der"];

function signingOf(expected: Readonly<Record<string, unknown>>): ExpectedSigning {
  return {
    sighash: expected["sighash"],
    tx: expected["commitment_tx_unsigned_hex"] ?? expected["commitment_tx_signed_hex"],
    signature: expected["remote_signature_der"],
  };
}

/** Throws: input-vectors-empty where nothing would be compared. */
function check(vector: Vector, source: string): Checked {
  const compared = compareVector(vector);
  const own = vector.expected["expected"] ?? vector.expected;
  if (compared.values > 0 && isObject(own) && Object.keys(own).length > 0) return checked(vector, compared);
  throw new LnError("input-vectors-empty", `${source}: ${vector.id}: nothing is expected`, { source, case: vector.id });
}

function checkCommon(vector: Vector): Checked {
  return checked(vector, compareVector(vector));
}

function compareVector({ expected, derived, path, rules, stated = [] }: Vector): Comparison {
  const parts = [compare(expected, derived, path, rules), ...stated.map((one) => compare(one.expected, one.derived, one.path))];
  return { values: parts.reduce((sum, { values }) => sum + values, 0), differences: parts.flatMap(({ differences }) => differences) };
}

function checked(vector: Vector, { values, differences }: Comparison): Checked {
  const { id, path, expected, commitment, decisive } = vector;
  const report = { id, values, differences: differences.map((difference) => explained(vector, difference)) };
  if (differences.length === 0) return { report };
  if (decisive !== undefined) {
    const place = formatPath([...path, ...decisive.path]);
    const other = differences.some((difference) => difference.path === place);
    const explanation = other
      ? `${decisive.what} is another: an input is not the one that the vectors were made with, or its builder departs from the specification`
      : `${decisive.what} is as expected, so all that it is made of is, too: ${differences.length} of ${values} values are others by themselves`;
    return { report: { ...report, explanation } };
  }
  if (commitment === undefined) return { report };
  const told = commitment.keys.filter((key) => typeof expected[key] === "string");
  const agreed = told.find((key) => !differences.some((difference) => difference.path.startsWith(formatPath([...path, key]))));
  if (agreed !== undefined) {
    const explanation = `${agreed} is as expected, so all that the commitment is made of is, too: ${differences.length} of ${values} values are others by themselves`;
    return { report: { ...report, explanation } };
  }
  if (told.length === 0) return { report };
  return {
    report: {
      ...report,
      explanation: "the commitment is another: an input is not the one that the vectors were made with, or its builder departs from BOLT 3",
    },
    diagnose: () => diagnoseCase(commitment.inputs, commitment.expected),
  };
}

function explained({ id, path, places, followsFrom: own }: Vector, difference: Difference): CaseDifference {
  const why = whyDifferent(difference);
  const within = difference.path.slice(formatPath(path).length);
  const key = /^(?:\.?expected)?[.]?([A-Za-z_0-9]+)/.exec(within)?.[1];
  const follows = key === undefined ? undefined : (own?.[key] ?? followsFrom(key));
  const at = { ...difference, path: placeOf(difference.path, places) };
  return { case: id, ...at, ...(why === undefined ? {} : { why }), ...(follows === undefined ? {} : { follows_from: follows }) };
}

function summary(format: VectorReport["format"], all: readonly Checked[], cases: number): VectorReport {
  let left = MOST_DIAGNOSED;
  const explanations = all.flatMap(({ report, diagnose }): Explanation[] => {
    if (report.explanation === undefined) return [];
    const found = diagnose !== undefined && left-- > 0 ? diagnose() : null;
    return [{ case: report.id, words: found === null ? report.explanation : `${report.explanation}; ${found}` }];
  });
  return {
    format,
    cases,
    values: all.reduce((sum, { report }) => sum + report.values, 0),
    differences: all.flatMap(({ report }) => report.differences),
    explanations,
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
