import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPath } from "../../src/json/path.js";
import { CHANNEL_TYPES } from "../../src/protocol/tx/channel-type.js";
import { followsFrom, whyDifferent } from "../../src/vectors/explain.js";
import { generateCase } from "../../src/vectors/generate/generate.js";
import { diagnoseLine, verifyLine, verifyVectors } from "../../src/vectors/verify.js";
import { type Json, type Path, changed, leaves, valueAt, withValue } from "./document.js";

const SET = { seed: "explained", channelTypes: CHANNEL_TYPES };
const made = (index: number): Json => JSON.parse(JSON.stringify(generateCase(SET, index))) as Json;

describe("one value changed in a generated case", () => {
  test("anywhere in what it expects: found there and nowhere else, with both values", () => {
    const cases = Array.from({ length: 54 }, (_, index) => made(index));
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.nat(), (document, which) => {
        const all = leaves(valueAt(document, ["expected"])).map((leaf): Path => ["expected", ...leaf]);
        const path = all[which % all.length]!;
        const before = valueAt(document, path);
        const wrong = changed(before);
        const { differences } = verifyLine(JSON.stringify(withValue(document, path, wrong)), 0, "v");
        // An empty list that was filled, or an HTLC's output that is another's, is told otherwise
        if (path.at(-1) === "output_index" && path.includes("htlc_txs")) expect(differences.length).toBeGreaterThan(0);
        else expect(differences).toMatchObject([{ path: formatPath([0, ...path]), expected: wrong, derived: before }]);
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  test("a fee or a weight among its inputs: found there", () => {
    const document = made(1);
    const spends = valueAt(document, ["case", "spends"]) as readonly object[];
    expect(spends.length).toBeGreaterThan(2);
    for (const [at] of spends.entries()) {
      for (const key of ["fee_sat", "fee_weight"]) {
        const path: Path = ["case", "spends", at, key];
        const { differences } = verifyLine(JSON.stringify(withValue(document, path, (valueAt(document, path) as number) + 1)), 0, "v");
        expect(differences.map((one) => one.path)).toEqual([formatPath([0, ...path])]);
        expect(differences[0]?.why).toBe("expected is 1 more");
      }
    }
  });

  test("an input of the commitment: it is named, with both its values", () => {
    const document = made(1);
    const changes: readonly (readonly [key: string, by: number, words: RegExp])[] = [
      ["feerate_per_kw", 1, /with feerate_per_kw (\d+), not/],
      ["to_self_delay", 1, /with to_self_delay (\d+), not/],
    ];
    for (const [key, by, words] of changes) {
      const before = valueAt(document, ["case", key]) as number;
      const line = JSON.stringify(withValue(document, ["case", key], before + by));
      expect(verifyLine(line, 0, "v").explanation).toMatch(/^the commitment is another/);
      const found = diagnoseLine(line, "v") ?? "";
      expect([key, words.exec(found)?.[1]]).toEqual([key, String(before)]);
    }
  });

  test("by itself, among others that agree: that is said", () => {
    const line = JSON.stringify(withValue(made(1), ["expected", "obscure_factor"], "00".repeat(6)));
    expect(verifyLine(line, 0, "v").explanation).toMatch(/^commitment_txid is as expected, .*: 1 of \d+ values are others by themselves$/);
    expect(diagnoseLine(line, "v")).toBeNull();
  });
});

test("only the first of many cases are searched for their cause", () => {
  const document = made(0);
  const delay = valueAt(document, ["case", "to_self_delay"]) as number;
  const line = JSON.stringify(withValue(document, ["case", "to_self_delay"], delay + 1));
  const { explanations } = verifyVectors(Array.from({ length: 5 }, () => line).join("\n"), "v");
  expect(explanations.map(({ words }) => words.includes("comes about"))).toEqual([true, true, true, false, false]);
});

describe("what two values tell", () => {
  const why = (expected: unknown, derived: unknown) => whyDifferent({ path: "x", expected, derived });
  const LOW =
    "3044022016022925d2399c662629a0ad2c4d2f7d47b646a378c06c5380bb4540f738cc470220375e96529f8bdc0dd664d61ce1bdeafd05e7ad71cfae0608c4600c7c7c2839dd";
  const HIGH =
    "3045022016022925d2399c662629a0ad2c4d2f7d47b646a378c06c5380bb4540f738cc47022100c8a169ad607423f2299b29e31e421501b4c72f74df9a9a32fb725210540e0764";
  const SAME_R =
    "3044022016022925d2399c662629a0ad2c4d2f7d47b646a378c06c5380bb4540f738cc470220375e96529f8bdc0dd664d61ce1bdeafd05e7ad71cfae0608c4600c7c7c2839de";
  const OTHER =
    "304402202984abb651956e73b2fd63945a08974df495ab6ab1acdcfdbeb153a251342db0022027fa4c3dea7b5f0f7050e63fca757220de3970a51640584f23d7cd6b41235f84";
  const TX =
    "02000000016c338cc7406df3465971219b77cf388f028cba36a07e6820d8822dcd6dfdb172ffff000000caa0d98002a1dfde1e0000000022002028ec53b6c746641004c24d1fefcf6f88caaf0612c4bea961a9747ab9e5c8cebc88fccf310000000016001448d7d71a8e2348742b2704c73e54210851b5d8b6895ccd20";

  test.each([
    [7, 5, "expected is 2 more"],
    ["9007199254740993", "9007199254740994", "expected is 1 less"],
    [undefined, 5, "the vectors lack it"],
    [5, undefined, "nothing of that name follows from the inputs"],
    ["some text", "other text", undefined],
    [null, "00", undefined],
    ["aabbcc", "ccbbaa", "the same bytes in the other order"],
    ["aabbcc", "aabb", "3 bytes, not 2"],
    ["aabbccdd", "aabbffdd", "one byte differs, at 2 of 4"],
    ["aabbccdd", "ffbbffdd", "2 of 4 bytes differ, from 0 on"],
    [HIGH, LOW, "the same signature with a high S"],
    [LOW, HIGH, "the same signature with a low S"],
    [SAME_R, LOW, "a signature with the same nonce: by that key, of another hash"],
    [OTHER, LOW, "another signature"],
    [TX.replace("a1dfde1e", "a2dfde1e"), TX, "expected has output 0 holds 517922722, not 517922721"],
    [TX.replace("895ccd20", "8a5ccd20"), TX, "expected has locktime 550329482, not 550329481"],
    [TX.replace(/^02/, "01"), TX, "expected has version 1, not 2"],
  ])("%s for %s: %s", (expected, derived, words) => {
    expect(why(expected, derived)).toBe(words);
  });

  test("more differences of a transaction than are told", () => {
    const other = TX.replace(/^02/, "03")
      .replace("a1dfde1e", "a2dfde1e")
      .replace("88fccf31", "89fccf31")
      .replace("895ccd20", "8a5ccd20")
      .replace("caa0d980", "cba0d980");
    expect(why(other, TX)).toMatch(/^expected has version 3, not 2; .*; and 1 more differences$/);
  });

  test("every value of a case says what it follows from", () => {
    const { expected } = generateCase(SET, 0);
    for (const key of [...Object.keys(expected), "refused"]) expect(followsFrom(key), key).toEqual(expect.any(String));
    expect(followsFrom("surprise")).toBeUndefined();
  });
});
