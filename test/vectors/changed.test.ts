import { describe, expect, test } from "vitest";
import { formatPath } from "../../src/json/path.js";
import { compare } from "../../src/vectors/compare.js";
import { readPublished } from "../../src/vectors/published.js";
import { verifyLine, verifyVectors } from "../../src/vectors/verify.js";
import { type Path, caseLines, changed, leaves, parse, valueAt, vectorText, withValue, withoutKey } from "./document.js";

const DOCUMENTS = [
  "funding.json",
  "key-derivation.json",
  "per-commitment-secrets.json",
  "commitments-static-remotekey.json",
  "commitments-anchors.json",
  "historic/commitments-legacy.json",
  "historic/commitments-anchor-outputs-nonzero-htlc-fee.json",
  "newer/zero_fee_commitments.json",
];
const CASES = [...caseLines("cases/static_remotekey.ndjson"), ...caseLines("cases/anchors.ndjson")];

/** Deriving everything anew for each change takes long: of many paths one in so many is changed, not the same ones in every case. */
const STRIDE = 29;

function sample<T>(all: readonly T[], offset: number): readonly T[] {
  return all.filter((_, index) => index % STRIDE === offset % STRIDE);
}

/** The document with one of its cases only, where it has a list of them. */
function singleCases(document: unknown): readonly unknown[] {
  const { common, cases } = document as { readonly common?: unknown; readonly cases?: readonly unknown[] };
  return common === undefined || cases === undefined ? [document] : cases.map((one) => withValue(document, ["cases"], [one]));
}

describe("a changed value is found where it stands and nowhere else", () => {
  test.each(DOCUMENTS)("every value of %s, against what was derived", (file) => {
    const { common, cases } = readPublished(parse(vectorText(file)), file);
    let found = 0;
    for (const { expected, derived, path, rules } of [...common, ...cases]) {
      for (const leaf of leaves(expected)) {
        const wrong = changed(valueAt(expected, leaf));
        const { differences } = compare(withValue(expected, leaf, wrong), derived, path, rules);
        expect(differences).toEqual([{ path: formatPath([...path, ...leaf]), expected: wrong, derived: valueAt(expected, leaf) }]);
        found++;
      }
    }
    expect(found).toBe(verifyVectors(vectorText(file), file).values);
  });

  test.each(DOCUMENTS)("values of %s, through the whole document", (file) => {
    for (const [offset, document] of singleCases(parse(vectorText(file))).entries()) {
      const { common, cases } = readPublished(document, file);
      const all = [...common, ...cases].flatMap(({ expected, path }) => leaves(expected).map((leaf): Path => [...(path as Path), ...leaf]));
      for (const path of sample(all, offset)) {
        const wrong = changed(valueAt(document, path));
        const { differences } = verifyVectors(JSON.stringify(withValue(document, path, wrong)), file);
        expect(differences).toMatchObject([{ path: formatPath(path), expected: wrong, derived: valueAt(document, path) }]);
      }
    }
  });

  test("values of the worked cases", () => {
    for (const [offset, line] of CASES.entries()) {
      const document = parse(line);
      const { id } = document as { readonly id: string };
      const all = leaves(valueAt(document, ["expected"])).map((leaf): Path => ["expected", ...leaf]);
      for (const path of sample(all, offset)) {
        const wrong = changed(valueAt(document, path));
        const { differences } = verifyLine(JSON.stringify(withValue(document, path, wrong)), 3, "v");
        expect(differences).toMatchObject([{ case: id, path: formatPath([3, ...path]), expected: wrong, derived: valueAt(document, path) }]);
      }
    }
  });
});

describe("what is expected is never passed over", () => {
  const document = parse(CASES.at(-1)!);
  const outputs = valueAt(document, ["expected", "outputs"]) as readonly unknown[];
  const htlcTxs = valueAt(document, ["expected", "htlc_txs"]) as readonly unknown[];
  const differences = (changedDocument: unknown) => verifyLine(JSON.stringify(changedDocument), 0, "v").differences;

  test.each([[["surprise"]], [["keys", "surprise"]], [["htlc_txs", 1, "surprise"]], [["outputs", 0, "surprise"]]])(
    "an unknown value at %j",
    (path) => {
      const at: Path = ["expected", ...path];
      expect(differences(withValue(document, at, 7))).toMatchObject([{ case: "anchors-07", path: formatPath([0, ...at]), expected: 7 }]);
    },
  );

  test("an unknown value of a published case", () => {
    const [one] = singleCases(parse(vectorText("commitments-anchors.json")));
    const { differences: found } = verifyVectors(JSON.stringify(withValue(one, ["cases", 0, "expected", "surprise"], "00")), "v");
    expect(found).toMatchObject([{ case: "simple commitment tx with no HTLCs", path: "cases[0].expected.surprise", expected: "00" }]);
  });

  test("a list with an element more, or one less", () => {
    const longer = withValue(document, ["expected", "outputs"], [...outputs, outputs[0]]);
    expect(differences(longer)).toMatchObject([{ case: "anchors-07", path: `[0].expected.outputs[${outputs.length}]`, expected: outputs[0] }]);
    const shorter = withValue(document, ["expected", "outputs"], outputs.slice(0, -1));
    expect(differences(shorter)).toMatchObject([
      { case: "anchors-07", path: `[0].expected.outputs[${outputs.length - 1}]`, derived: outputs.at(-1) },
    ]);
    const fewerTxs = withValue(document, ["expected", "htlc_txs"], htlcTxs.slice(1));
    expect(differences(fewerTxs)).toMatchObject([{ path: `[0].expected.htlc_txs[${htlcTxs.length - 1}]`, derived: htlcTxs[0] }]);
  });

  test.each([[null], [[]], [""], [0]])("%j for an object", (wrong) => {
    expect(differences(withValue(document, ["expected", "keys"], wrong))).toMatchObject([{ path: "[0].expected.keys", expected: wrong }]);
  });

  test("any part of what is expected may be missing", () => {
    for (const key of Object.keys(valueAt(document, ["expected"]) as object)) {
      expect(differences(withoutKey(document, ["expected", key])), key).toEqual([]);
    }
  });
});

describe("identical HTLCs are interchangeable", () => {
  // HTLCs 1 and 3 differ by one millisatoshi, which no transaction shows.
  const document = parse(CASES[5]!);
  const label = (tx: number, key: "htlc_index" | "amount_msat"): Path => ["expected", "htlc_txs", tx, key];
  const relabelled = (first: readonly [number, number], second: readonly [number, number]) =>
    [first, second].reduce(
      (whole, [index, amount], at) => withValue(withValue(whole, label(2 + at, "htlc_index"), index), label(2 + at, "amount_msat"), amount),
      document,
    );
  const differences = (changedDocument: unknown) => verifyLine(JSON.stringify(changedDocument), 0, "v").differences;

  test("twins may change places", () => {
    expect(relabelled([1, 71_930_000], [3, 71_930_001])).toEqual(document);
    expect(differences(relabelled([3, 71_930_001], [1, 71_930_000]))).toEqual([]);
  });

  test("one of them does not stand for both", () => {
    expect(differences(relabelled([1, 71_930_000], [1, 71_930_001]))).toMatchObject([
      { case: "static_remotekey-05", path: "[0].expected.htlc_txs[3].htlc_index", expected: 1, derived: 3 },
    ]);
  });

  test("another HTLC of the same amount is no twin", () => {
    expect(differences(relabelled([0, 71_930_000], [3, 71_930_001]))).toMatchObject([
      { case: "static_remotekey-05", path: "[0].expected.htlc_txs[2].htlc_index", expected: 0, derived: 1 },
    ]);
  });

  test("HTLC transactions are found by their output, in whatever order they stand", () => {
    const txs = valueAt(document, ["expected", "htlc_txs"]) as readonly unknown[];
    expect(differences(withValue(document, ["expected", "htlc_txs"], txs.toReversed()))).toEqual([]);
  });
});

test("hex in upper case and amounts as decimal strings are the same values", () => {
  const document = parse(CASES[0]!) as { readonly expected: Readonly<Record<string, unknown>> };
  const written = withValue(
    withValue(document, ["expected", "base_fee_sat"], String(document.expected["base_fee_sat"])),
    ["expected", "sighash"],
    String(document.expected["sighash"]).toUpperCase(),
  );
  expect(written).not.toEqual(document);
  expect(verifyLine(JSON.stringify(written), 0, "v").differences).toEqual([]);
});
