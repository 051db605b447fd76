import { describe, expect, test } from "vitest";
import { verifyLine, verifyVectors } from "../../src/vectors/verify.js";
import { caseLines, parse, vectorText } from "./document.js";

// file, layout, cases, single values that the file expects
const PUBLISHED = [
  ["funding.json", "funding", 1, 16],
  ["key-derivation.json", "key_derivation", 4, 16],
  ["per-commitment-secrets.json", "per_commitment_secrets", 14, 76],
  ["commitments-static-remotekey.json", "commitments", 16, 1222],
  ["commitments-anchors.json", "commitments", 9, 578],
  ["historic/commitments-legacy.json", "commitments", 16, 1222],
  ["historic/commitments-anchor-outputs-nonzero-htlc-fee.json", "commitments", 14, 983],
  ["newer/zero_fee_commitments.json", "zero_fee_commitments", 11, 489],
  ["cases/static_remotekey.ndjson", "cases", 8, 814],
  ["cases/anchors.ndjson", "cases", 8, 955],
] as const;

test.each(PUBLISHED)("every value of %s comes out", (file, format, cases, values) => {
  expect(verifyVectors(vectorText(file), file)).toEqual({ format, cases, values, differences: [], explanations: [] });
});

// All HTLC transactions of the four commitment files, and of the worked cases: none is left out by accident.
test("the files have as many HTLC transactions as the specification prints", () => {
  const count = (document: unknown): number => {
    const { cases } = document as { readonly cases: readonly { readonly expected: { readonly htlc_txs: readonly unknown[] } }[] };
    return cases.reduce((sum, { expected }) => sum + expected.htlc_txs.length, 0);
  };
  const commitments = PUBLISHED.filter(([, format]) => format === "commitments").map(([file]) => count(parse(vectorText(file))));
  expect(commitments).toEqual([33, 15, 33, 28]);
  expect(count(parse(vectorText("newer/zero_fee_commitments.json")))).toBe(16);
  const worked = PUBLISHED.filter(([, format]) => format === "cases").map(([file]) => count({ cases: caseLines(file).map(parse) }));
  expect(worked).toEqual([27, 29]);
});

describe("one document in several forms", () => {
  const lines = caseLines("cases/anchors.ndjson").slice(0, 3);
  const whole = verifyVectors(lines.join("\n"), "v");

  test("a list is read like NDJSON", () => {
    expect(verifyVectors(`[${lines.join(",")}]`, "v")).toEqual(whole);
    expect(verifyVectors(JSON.stringify(lines.map(parse), null, 2), "v")).toEqual(whole);
  });

  test("empty lines and carriage returns between cases do not count", () => {
    expect(verifyVectors(`\n${lines.join("\r\n\r\n")}\n\n`, "v")).toEqual(whole);
  });

  test("line by line it is the same", () => {
    const reports = lines.map((line, at) => verifyLine(line, at, "v"));
    expect(reports.map(({ id }) => id)).toEqual(["anchors-00", "anchors-01", "anchors-02"]);
    expect(reports.reduce((sum, { values }) => sum + values, 0)).toBe(whole.values);
  });

  test("one case alone", () => {
    const { cases, differences } = verifyVectors(JSON.stringify(parse(lines[0]!), null, 1), "v");
    expect({ cases, differences }).toEqual({ cases: 1, differences: [] });
  });
});
