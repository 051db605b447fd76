import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseStrict } from "../../src/json/strict.js";
import { LnError } from "../../src/protocol/errors.js";
import { refusal } from "./refusal.js";

const read = (text: string) => parseStrict(text, "a.json");
const refused = (text: string) => refusal(() => read(text));

/** JSON values whose numbers are safe integers: what parseStrict accepts. */
const { strictJson } = fc.letrec<{ strictJson: unknown }>((tie) => ({
  strictJson: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger().map((value) => value + 0),
    fc.string({ unit: "binary" }),
    fc.array(tie("strictJson"), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ unit: "binary", maxLength: 8 }).filter((key) => key !== "__proto__"),
      tie("strictJson"),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

describe("what is read", () => {
  test("reads what JSON.stringify writes", () => {
    fc.assert(
      fc.property(strictJson, fc.constantFrom(undefined, 2), (value, indent) => {
        expect(read(JSON.stringify(value, null, indent))).toEqual(value);
      }),
    );
  });

  test("accepts nothing that JSON.parse reads otherwise", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"b"',
      "1",
      "-0",
      "2.0",
      "1e3",
      "true",
      "nul",
      " ",
      "\n",
      "//",
      "/*",
      "*/",
      '"',
      "\\",
      "\\u00",
      "-",
      "0",
      "__proto__",
      "\ufeff",
      "\u2028",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (input) => {
        let value: unknown;
        try {
          value = read(input);
        } catch (error) {
          expect(error).toBeInstanceOf(LnError);
          return;
        }
        expect(value).toEqual(JSON.parse(input));
      }),
      { numRuns: 2000 },
    );
  });

  test("keys that objects inherit are keys like others", () => {
    expect(read('{"constructor": 1, "toString": 2}')).toEqual({ constructor: 1, toString: 2 });
  });

  test("the ends of the range of integers", () => {
    expect(read("[9007199254740991, -9007199254740991, 0]")).toEqual([9007199254740991, -9007199254740991, 0]);
  });
});

describe("what is refused", () => {
  test.each([
    ['{"a": 1, "b": {"c": [1, {"d": 1, "d": 2}]}}', "b.c[1].d", 1, 34],
    ['{"a": 1,\n "a": 2}', "a", 2, 2],
    ['{"a b": 1, "a b": 2}', '["a b"]', 1, 12],
  ])("duplicate key in %s", (text, path, line, column) => {
    const error = refused(text);
    expect(error.code).toBe("json-duplicate-key");
    expect(error.details).toEqual({ source: "a.json", path, line, column });
  });

  test.each(["2.0", "1e3", "1E3", "-0", "0.5", "9007199254740992", "-9007199254740992", "1e400", "123456789012345678901234567890"])(
    "number %s",
    (number) => {
      const error = refused(`{"fundings": [{"capacity_sat": ${number}}]}`);
      expect(error.code).toBe("json-number");
      expect(error.details).toMatchObject({ path: "fundings[0].capacity_sat", value: number });
      expect(error.message).toContain(number);
    },
  );

  test.each([
    ["", 1, 1],
    [" \n ", 2, 2],
    ["{", 1, 2],
    ['{"a": [1, 2', 1, 12],
    ['{"a": 1} {}', 1, 10],
    ['{"a": 1,}', 1, 9],
    ["[1,]", 1, 4],
    ["[,1]", 1, 2],
    ["[1 2]", 1, 4],
    ['{"a" 1}', 1, 6],
    ['{"a":\n}', 2, 1],
    ["{a: 1}", 1, 2],
    ["[01]", 1, 3],
    ["[+1]", 1, 2],
    ["[-]", 1, 2],
    ["[1.]", 1, 2],
    ["[NaN]", 1, 2],
    ["nul", 1, 1],
    ['"abc', 1, 1],
    ['"a\nb"', 1, 1],
    ['"a\u0001b"', 1, 1],
    ['"\\x"', 1, 1],
    ['"\\u12g4"', 1, 1],
    ["// hello\n1", 1, 1],
    ["/* hello", 1, 1],
    ["\ufeff1", 1, 1],
  ])("syntax of %j", (text, line, column) => {
    const error = refused(text);
    expect(error.code).toBe("json-syntax");
    expect(error.details).toMatchObject({ source: "a.json", line, column });
  });

  test("depth, at once and without a stack overflow", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(() => read(nested(64))).not.toThrow();
    expect(refused(nested(65)).code).toBe("json-depth");
    expect(refused("[".repeat(2_000_000)).code).toBe("json-depth");
    expect(refused('{"a":'.repeat(500_000)).code).toBe("json-depth");
  });

  test("__proto__", () => {
    expect(refused('{"a": {"__proto__": {"polluted": 1}}}')).toMatchObject({ code: "json-unknown-key", details: { path: "a.__proto__" } });
  });

  test("a number in a secret's place is not shown", () => {
    const error = refused('{"per_commitment_secret": 123456789012345678901234567890}');
    expect(error.code).toBe("json-number");
    expect(JSON.stringify([error.message, error.details])).not.toContain("1234");
  });

  test("text that is not JSON is not shown", () => {
    const error = refused('{"funding_secret": deadbeefdeadbeef}');
    expect(JSON.stringify([error.message, error.details])).not.toContain("deadbeef");
  });
});
