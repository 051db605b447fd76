import { expect } from "vitest";
import { concat, equalBytes } from "../../src/protocol/bytes.js";
import type { Ledger } from "../../src/protocol/explain/ledger.js";
import { type Explanation, REDACTED } from "../../src/protocol/explain/reading.js";

/** Every byte under exactly one range, every range with a name, a value, a meaning and a source of its own. */
export function expectWhole({ bytes, ranges, headings }: Explanation, about: string): void {
  let at = 0;
  for (const { from, to, path, label, kind, value, meaning, source } of ranges) {
    if (from !== at || to <= from) expect.fail(`${about}: ${path} is ${from} to ${to}, after ${at}`);
    for (const [what, text] of Object.entries({ path, label, meaning, source }))
      if (text === "") expect.fail(`${about}: byte ${from} has no ${what}`);
    if (value === "" && label !== "punctuation" && to - from !== 2) expect.fail(`${about}: byte ${from} has no value`);
    if ((kind === "secret") !== (value === REDACTED)) expect.fail(`${about}: ${path} shows a secret`);
    at = to;
  }
  expect(at, `${about}: the last byte`).toBe(bytes.length);
  expect(new Set(ranges.map(({ path }) => path)).size, `${about}: paths`).toBe(ranges.length);
  expect(equalBytes(concat(...ranges.map(({ from, to }) => bytes.subarray(from, to))), bytes), about).toBe(true);
  for (const { at: place, title } of headings)
    expect([ranges.some(({ from }) => from === place), title !== ""], `${about}: ${title}`).toEqual([true, true]);
}

/** The lines before every result add up to it. */
export function expectSums(ledgers: readonly Ledger[], about: string): void {
  for (const { title, lines } of ledgers) {
    const terms = lines.filter(({ kind }) => kind === "term").reduce((sum, { msat }) => sum + (msat ?? 0n), 0n);
    for (const { kind, msat } of lines) if (kind === "result") expect(msat, `${about}: ${title}`).toBe(terms);
  }
}
