import { describe, expect, test } from "vitest";
import { LnError } from "../../src/protocol/errors.js";
import { verifyVectors } from "../../src/vectors/verify.js";
import { refusal } from "../json/refusal.js";
import { type Path, changed, leaves, parse, valueAt, vectorText, withValue } from "./document.js";

const FILE = "dual-funding.json";
const DOCUMENT = parse(vectorText(FILE));
const report = (document: unknown) => verifyVectors(JSON.stringify(document), FILE);
const paths = (document: unknown) => report(document).differences.map(({ path }) => path);

/** The report, or the tag of what is said instead. */
function reported(document: unknown) {
  try {
    return report(document);
  } catch (error) {
    if (error instanceof LnError) return error.code;
    throw error;
  }
}

/** BOLT 3 states the contributor's weight as 395 and multiplies 398 in the line below. */
const SLIP = "cases[0].fees.contributor_weight_used_in_fee_line";

test("every value comes out but one, with which BOLT 3 contradicts itself", () => {
  expect(verifyVectors(vectorText(FILE), FILE)).toEqual({
    format: "dual_funding",
    cases: 1,
    values: 25,
    differences: [
      {
        case: "dual funded v2 open",
        path: SLIP,
        expected: 398,
        derived: 395,
        why: "expected is 3 more",
        follows_from: expect.stringContaining("feerate_per_kw; the inputs, outputs and witnesses of each side") as string,
      },
    ],
    explanations: [
      {
        case: "dual funded v2 open",
        words: "the funding transaction is as expected, so all that it is made of is, too: 1 of 25 values are others by themselves",
      },
    ],
  });
});

const NAMES: readonly Path[] = [["source"], ["status"], ["cases", 0, "name"]];
const all = leaves(DOCUMENT).filter((path) => !NAMES.some((name) => name.every((step, at) => path[at] === step)));

/** Values that are derived: a change is found where it stands and nowhere else. */
const isDerived = (path: Path): boolean =>
  /^cases,0,(expected|fees|funding_witness_script|funding_script_pubkey|parent_txid|inputs,\d,(prevtx_len|pubkey)|outputs,\d,amount_sat|outputs,1,script)\b/.test(
    path.join(),
  );

/** What changes something of values that are names, or of which only the order counts. */
const OTHERS: Readonly<Record<string, unknown>> = {
  "inputs.0.owner": "accepter",
  "inputs.1.owner": "opener",
  "inputs.0.serial_id": 2,
  "inputs.0.prevtx_vout": 1,
  "inputs.1.prevtx_vout": 1,
  "outputs.0.owner": "accepter",
  "outputs.1.owner": "accepter",
  "outputs.2.owner": "opener",
  "outputs.1.serial_id": 32,
};

describe("one value changed", () => {
  test.each(all.filter(isDerived).map((path) => [path.join("."), path] as const))("%s is found where it stands, and explained", (_, path) => {
    const { differences } = report(withValue(DOCUMENT, path, changed(valueAt(DOCUMENT, path))));
    const place = path.reduce<string>(
      (whole, step) => (typeof step === "number" ? `${whole}[${step}]` : whole === "" ? step : `${whole}.${step}`),
      "",
    );
    expect(differences.map((one) => one.path).sort()).toEqual([...new Set([place, SLIP])].sort());
    for (const { why, follows_from: follows } of differences) expect([why, follows]).toEqual([expect.any(String), expect.any(String)]);
  });

  test.each(all.filter((path) => !isDerived(path)).map((path) => [path.join("."), path] as const))(
    "%s: others differ, or it is refused",
    (_, path) => {
      const wrong = OTHERS[path.slice(2).join(".")] ?? changed(valueAt(DOCUMENT, path));
      const outcome = reported(withValue(DOCUMENT, path, wrong));
      if (typeof outcome === "string") expect(outcome).toMatch(/^(key-wif|json-value|tx-not-parsed)$/);
      else expect([outcome.differences.length > 1, outcome.explanations.length]).toEqual([true, 1]);
    },
  );

  test("in a header that nothing else says anything of, nothing is found", () => {
    // The second byte of block 1's version
    const block = valueAt(DOCUMENT, ["cases", 0, "block1"]) as string;
    expect(paths(withValue(DOCUMENT, ["cases", 0, "block1"], `${block.slice(0, 2)}ff${block.slice(4)}`))).toEqual([SLIP]);
  });
});

test("an unknown value is a difference where values are expected, and refused among inputs", () => {
  expect(paths(withValue(DOCUMENT, ["cases", 0, "expected", "surprise"], 1))).toEqual([SLIP, "cases[0].expected.surprise"]);
  expect(paths(withValue(DOCUMENT, ["cases", 0, "fees", "surprise"], 1))).toEqual([SLIP, "cases[0].fees.surprise"]);
  for (const path of [["surprise"], ["cases", 0, "surprise"], ["cases", 0, "inputs", 0, "surprise"], ["cases", 0, "outputs", 0, "surprise"]]) {
    expect(refusal(() => report(withValue(DOCUMENT, path, 1))).code, path.join()).toMatch(/^json-(unknown-key|value)$/);
  }
});

test("a secret that is none is refused without its text, an output that is not there by its number", () => {
  const wif = valueAt(DOCUMENT, ["cases", 0, "inputs", 1, "privkey_wif"]) as string;
  for (const wrong of [wif.replace("8", "9"), "0OIl", "", "5Kb8kLf9zgWQnogidDA76MzPL6TsZZY36hWXMssSzNydYXYB9KF"]) {
    const error = refusal(() => report(withValue(DOCUMENT, ["cases", 0, "inputs", 1, "privkey_wif"], wrong)));
    expect(error).toMatchObject({ code: "key-wif", details: { path: "cases[0].inputs[1].privkey_wif" } });
    if (wrong !== "") expect(JSON.stringify([error.message, error.details])).not.toContain(wrong);
  }
  expect(refusal(() => report(withValue(DOCUMENT, ["cases", 0, "inputs", 0, "prevtx_vout"], 5)))).toMatchObject({
    code: "json-value",
    details: { path: "cases[0].inputs[0].prevtx_vout", value: 5 },
  });
});
