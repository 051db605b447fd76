import { LnError } from "../protocol/errors.js";
import { APPENDIX_C } from "./appendix-c.js";
import { htlcIds } from "./lnd.js";
import { type Placed, placing } from "./placed.js";

/*
 * Vectors as BOLT 3's appendices print them, one labelled value a line, and as eclair keeps copies of them (bolt3-tx-test-vectors-*.txt).
 */

/** A line with what stands on it: `label: value`, `label = value`, either behind a `#`. */
export interface Labelled {
  /** From 1. */
  readonly line: number;
  readonly label: string;
  readonly value: string;
}

/** The labelled values of a text, its first line being number `from`. */
export function labelledLines(text: string, from = 1): readonly Labelled[] {
  return text.split("\n").flatMap((whole, at): Labelled[] => {
    const [, label, value] = /^\s*(?:#\s*|INTERNAL:\s*)?([A-Za-z][^:=]*?)\s*[:=]\s*(\S.*?)\s*$/.exec(whole) ?? [];
    return label === undefined || value === undefined ? [] : [{ line: from + at, label, value }];
  });
}

/** Whether a text is one of labelled commitments. */
export function isLabelled(text: string): boolean {
  return /^\s*output commit_tx:/m.test(text);
}

type Case = Record<string, unknown> & { readonly expected: Record<string, unknown> & { htlc_txs: Record<string, unknown>[] } };

/** eclair's copies: the cases alone, of the channel of Appendix C. Throws: json-value. */
export function readEclair(text: string, source: string): Placed {
  const { note, places } = placing();
  const cases = commitmentCases(labelledLines(text), note, source);
  return { document: { common: APPENDIX_C, cases }, places };
}

type Note = ReturnType<typeof placing>["note"];

/** Throws: json-value where a case lacks what it is made of. */
export function commitmentCases(lines: readonly Labelled[], note: Note, source: string): readonly Case[] {
  const cases: Case[] = [];
  for (const { line, label, value } of lines) {
    if (label === "name") {
      cases.push({ name: value, expected: { annotated_outputs: [], htlc_txs: [] } });
      continue;
    }
    const current = cases.at(-1);
    if (current === undefined) continue;
    take(current, cases.length - 1, { line, label, value }, note);
  }
  return cases.map((one, at) => completed(one, at, source));
}

/** Inputs of a case, by their labels. */
const INPUTS: Readonly<Record<string, string>> = {
  to_local_msat: "to_local_msat",
  to_remote_msat: "to_remote_msat",
  local_feerate_per_kw: "feerate_per_kw",
};

/** What is expected of it. */
const EXPECTED: Readonly<Record<string, string>> = {
  "base commitment transaction fee": "base_fee_sat",
  "actual commitment transaction fee": "actual_fee_sat",
  remote_signature: "remote_signature_der",
  local_signature: "local_signature_der",
  "output commit_tx": "commit_tx",
  num_htlcs: "num_htlcs",
};

const HTLC_SIGNATURES: Readonly<Record<string, string>> = {
  remote_htlc_signature: "remote_signature_der",
  local_htlc_signature: "local_signature_der",
};

function take(one: Case, at: number, { line, label, value }: Labelled, note: Note): void {
  const path = ["cases", at, "expected"];
  const input = INPUTS[label];
  if (input !== undefined) {
    one[input] = Number(value);
    return;
  }
  const expected = EXPECTED[label];
  if (expected !== undefined) {
    one.expected[expected] = /^\d{1,15}$/.test(value) ? Number(value) : value;
    note([...path, expected], `line ${line} (${label})`);
    return;
  }
  const { htlc_txs: txs } = one.expected;
  const signature = HTLC_SIGNATURES[label];
  if (signature !== undefined) {
    // The remote one is the first of an HTLC's lines
    if (signature === "remote_signature_der") txs.push({});
    const last = txs.at(-1);
    if (last === undefined) return;
    last[signature] = value;
    note([...path, "htlc_txs", txs.length - 1], `line ${line}`);
    note([...path, "htlc_txs", txs.length - 1, signature], `line ${line} (${label})`);
    return;
  }
  const [, kind, id] = /^htlc_(success|timeout)_tx \(htlc #(\d+)\)$/.exec(label) ?? [];
  const last = txs.at(-1);
  if (kind !== undefined && last !== undefined) {
    Object.assign(last, { kind, htlc_id: Number(id), tx: value });
    for (const key of ["kind", "htlc_id", "tx"]) note([...path, "htlc_txs", txs.length - 1, key], `line ${line} (${label})`);
  }
}

/** The case with its HTLCs, and without lists that its text has nothing for. */
function completed({ expected, ...one }: Case, at: number, source: string): Case {
  const missing = Object.values(INPUTS).find((key) => typeof one[key] !== "number");
  if (missing !== undefined) {
    throw new LnError("json-value", `${source}: ${String(one["name"])}: ${missing} is missing`, { source, path: `cases[${at}].${missing}` });
  }
  const { annotated_outputs: outputs, htlc_txs: txs, ...values } = expected;
  return {
    ...one,
    htlc_ids: htlcIds(one["to_local_msat"] as number, one["to_remote_msat"] as number, `${source}: ${String(one["name"])}: to_local_msat`),
    expected: { ...values, ...((outputs as unknown[]).length === 0 ? {} : { annotated_outputs: outputs }), htlc_txs: txs },
  };
}

/** The annotations of Appendix C: `# HTLC #2 offered amount 2000 wscript 76a9…`, `# to_local amount …`, `# to_remote amount … P2WPKH(…)`. */
export function annotations(text: string, from: number, cases: readonly Case[], note: Note, nameLines: readonly number[]): void {
  for (const [at, whole] of text.split("\n").entries()) {
    const line = from + at;
    const index = nameLines.filter((start) => start < line).length - 1;
    const one = cases[index];
    if (one === undefined) continue;
    const annotated = annotationOf(whole);
    if (annotated === null) continue;
    const list = (one.expected["annotated_outputs"] ??= []) as unknown[];
    note(["cases", index, "expected", "annotated_outputs", list.length], `line ${line} (${String(annotated["kind"])})`);
    list.push(annotated);
  }
}

function annotationOf(line: string): Record<string, unknown> | null {
  const [, id, direction, amount, script] = /^\s*# HTLC #(\d+) (offered|received) amount (\d+) wscript ([0-9a-f]+)\s*$/.exec(line) ?? [];
  if (script !== undefined) return { kind: `${direction ?? ""}_htlc`, htlc_id: Number(id), amount_sat: Number(amount), witness_script: script };
  const [, kind, sat, wscript, pubkey] =
    /^\s*# (to_local|to_remote) amount (\d+) (?:wscript ([0-9a-f]+)|P2WPKH\(([0-9a-f]{66})\))\s*$/.exec(line) ?? [];
  if (kind === undefined) return null;
  return { kind, amount_sat: Number(sat), ...(wscript === undefined ? { p2wpkh_pubkey: pubkey } : { witness_script: wscript }) };
}
