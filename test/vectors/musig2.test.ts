import { describe, expect, test } from "vitest";
import "../support/musig2.js";
import { formatPath } from "../../src/json/path.js";
import { fromHex } from "../../src/protocol/bytes.js";
import { LnError } from "../../src/protocol/errors.js";
import { aggregateKeys } from "../../src/protocol/keys/musig2.js";
import { compare } from "../../src/vectors/compare.js";
import { readPublished } from "../../src/vectors/published.js";
import { verifyVectors } from "../../src/vectors/verify.js";
import { refusal } from "../json/refusal.js";
import { type Json, type Path, changed, leaves, parse, valueAt, vectorText, withValue } from "./document.js";

const FILE = "newer/musig2_bip327.json";
const DOCUMENT = parse(vectorText(FILE));
const READ = readPublished(DOCUMENT, FILE);

test("every value of BIP 327's vectors comes out, and what must be refused is, for the reason that is stated", () => {
  expect(verifyVectors(vectorText(FILE), FILE)).toEqual({ format: "musig2", cases: 55, values: 76, differences: [], explanations: [] });
  // Of each kind as many as BIP 327 has
  const count = (list: string) => READ.cases.filter(({ id }) => id.startsWith(`${list}[`)).length;
  const lists = ["key_agg.valid", "key_agg.invalid", "nonce_gen", "nonce_agg.valid", "nonce_agg.invalid", "sign.valid", "sign.sign_invalid"];
  const others = ["sign.verify_invalid", "tweak.valid", "tweak.invalid", "signature_agg.valid", "signature_agg.invalid", "deterministic_sign.valid"];
  expect([...lists, ...others, "deterministic_sign.invalid"].map(count)).toEqual([4, 5, 4, 2, 3, 6, 6, 5, 5, 1, 4, 1, 4, 5]);
});

test("every expected value, changed: found where it stands and nowhere else", () => {
  let found = 0;
  for (const { expected, derived, path } of [...READ.common, ...READ.cases]) {
    for (const leaf of leaves(expected)) {
      const wrong = changed(valueAt(expected, leaf));
      const { differences } = compare(withValue(expected, leaf, wrong), derived, path);
      expect(differences).toEqual([{ path: formatPath([...path, ...leaf]), expected: wrong, derived: valueAt(expected, leaf) }]);
      found++;
    }
  }
  expect(found).toBe(76);
});

const LISTS: readonly Path[] = [
  ["key_agg", "valid"],
  ["key_agg", "invalid"],
  ["nonce_gen"],
  ["nonce_agg", "valid"],
  ["nonce_agg", "invalid"],
  ["sign", "valid"],
  ["sign", "sign_invalid"],
  ["sign", "verify_invalid"],
  ["tweak", "valid"],
  ["tweak", "invalid"],
  ["signature_agg", "valid"],
  ["signature_agg", "invalid"],
  ["deterministic_sign", "valid"],
  ["deterministic_sign", "invalid"],
];

/** The document with one case alone. */
function only(list: Path, at: number): Json {
  const emptied = LISTS.reduce<Json>((whole, path) => withValue(whole, path, []), DOCUMENT);
  return withValue(emptied, list, [(valueAt(DOCUMENT, list) as readonly Json[])[at]]);
}

/** Where differences are, or the tag of what is said instead. */
function outcome(document: unknown): readonly string[] | string {
  try {
    return verifyVectors(JSON.stringify(document), "v").differences.map(({ path }) => path);
  } catch (error) {
    if (error instanceof LnError) return error.code;
    throw error;
  }
}

describe("an input changed, in whichever case", () => {
  const valid = LISTS.filter((path) => !path.some((step) => String(step).endsWith("invalid")));

  test.each(valid.map((path) => [path.join("."), path] as const))("%s: its values differ, or it is refused", (_, list) => {
    const all = valueAt(DOCUMENT, list) as readonly object[];
    for (const at of all.keys()) {
      const document = only(list, at);
      expect(outcome(document)).toEqual([]);
      for (const leaf of leaves(valueAt(document, [...list, 0]))) {
        const path = [...list, 0, ...leaf];
        const before = valueAt(document, path);
        // An empty list of tweaks, what may be absent, and x alone, which is another key only where its y is odd
        if (Array.isArray(before) || before === null || leaf.at(-1) === "xonly") continue;
        const found = outcome(withValue(document, path, before === "" ? "00" : changed(before)));
        if (typeof found === "string") expect(found).toMatch(/^(key-|json-value|input-length)/);
        else expect(found.length, path.join()).toBeGreaterThan(0);
      }
    }
  });

  test("a tweak on the key itself for one on its x: found where its y is odd", () => {
    for (const at of [0, 1, 2, 3, 4]) {
      const document = only(["tweak", "valid"], at);
      const { pubkeys, tweaks } = valueAt(document, ["tweak", "valid", 0]) as {
        readonly pubkeys: readonly string[];
        readonly tweaks: readonly { readonly tweak: string; readonly xonly: boolean }[];
      };
      for (const [index, { xonly }] of tweaks.entries()) {
        const before = tweaks.slice(0, index).map((one) => ({ tweak: fromHex(one.tweak), xOnly: one.xonly }));
        const [parity] = aggregateKeys(pubkeys.map(fromHex), before);
        const found = outcome(withValue(document, ["tweak", "valid", 0, "tweaks", index, "xonly"], !xonly));
        expect(found).toEqual(parity === 3 ? ["tweak.valid[0].partial_signature"] : []);
      }
    }
  });

  test("of what must be refused: refused for another reason, or not at all", () => {
    const other = (list: Path, leaf: Path, value: unknown) => outcome(withValue(only(list, 0), [...list, 0, ...leaf], value));
    const good = valueAt(DOCUMENT, ["key_agg", "valid", 0, "pubkeys", 0]);
    const nonce = valueAt(DOCUMENT, ["nonce_agg", "valid", 0, "pubnonces", 0]);
    expect(other(["key_agg", "invalid"], ["pubkeys", 1], good)).toEqual(["key_agg.invalid[0].why"]);
    expect(other(["nonce_agg", "invalid"], ["pubnonces", 1], nonce)).toEqual(["nonce_agg.invalid[0].why"]);
    expect(other(["nonce_agg", "invalid"], ["pubnonces", 0], "00".repeat(66))).toEqual(["nonce_agg.invalid[0].why"]);
    expect(other(["sign", "sign_invalid"], ["pubkeys", 0], "04".repeat(33))).toEqual(["sign.sign_invalid[0].why"]);
    expect(other(["sign", "verify_invalid"], ["signer_index"], 1)).toEqual(["sign.verify_invalid[0].why"]);
    expect(other(["sign", "verify_invalid"], ["partial_signature"], "01".repeat(32))).toEqual(["sign.verify_invalid[0].why"]);
    expect(other(["tweak", "invalid"], ["tweaks", 0, "tweak"], "01".repeat(32))).toEqual(["tweak.invalid[0].why"]);
    expect(other(["signature_agg", "invalid"], ["partial_signatures", 1], "01".repeat(32))).toEqual(["signature_agg.invalid[0].why"]);
    expect(other(["deterministic_sign", "invalid"], ["pubkeys", 2], good)).toEqual(["deterministic_sign.invalid[0].why"]);
  });
});

test("what is expected is never passed over, what is not known is refused", () => {
  expect(outcome(withValue(only(["nonce_gen"], 0), ["nonce_gen", 0, "surprise"], 1))).toBe("json-unknown-key");
  expect(outcome(withValue(only(["nonce_gen"], 0), ["key_sort", "surprise"], 1))).toBe("json-unknown-key");
  expect(outcome(withValue(only(["nonce_gen"], 0), ["surprise"], 1))).toBe("json-unknown-key");
  expect(
    refusal(() =>
      verifyVectors(JSON.stringify(withValue(only(["key_agg", "valid"], 1), ["key_agg", "valid", 0, "pubkeys", 1], "04".repeat(33))), "v"),
    ),
  ).toMatchObject({
    code: "key-not-on-curve",
    details: { path: "key_agg.valid[0]", signer: 1 },
  });
});

test("a difference says how its values differ and what they follow from", () => {
  const document = only(["sign", "valid"], 0);
  const path: Path = ["sign", "valid", 0, "partial_signature"];
  const [difference] = verifyVectors(JSON.stringify(withValue(document, path, changed(valueAt(document, path)))), "v").differences;
  expect(difference).toMatchObject({
    case: "sign.valid[0]",
    why: "one byte differs, at 16 of 32",
    follows_from: "the signer's secret and secret nonce; the keys in their order, all nonces, the message, the tweaks",
  });
});
