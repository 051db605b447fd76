import fc from "fast-check";

/** The seed and the number of runs for each reader: CHANKIT_FUZZ=100000 CHANKIT_SEED=7 npx vitest run test/fuzz */
export const FUZZ = {
  runs: Number(process.env["CHANKIT_FUZZ"] ?? 150),
  seed: Number(process.env["CHANKIT_SEED"] ?? Math.trunc(Math.random() * 2 ** 31)),
};

/** Any bytes, and bytes that look like the beginning of something. */
const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: "binary", maxLength: 100 }).map((text) => new TextEncoder().encode(text)),
  fc.json().map((text) => new TextEncoder().encode(text)),
  fc
    .constantFrom(
      "",
      "\ufeff{}",
      "null",
      "[]",
      "{",
      '"',
      "[".repeat(100_000),
      '{"a":'.repeat(50_000),
      "9".repeat(100_000),
      `"${"a".repeat(1_000_000)}"`,
      "\n".repeat(100_000),
    )
    .map((text) => new TextEncoder().encode(text)),
);

/** What is done to the bytes of a valid file. */
const ofBytes = (valid: Uint8Array): fc.Arbitrary<Uint8Array> => {
  const at = fc.nat(Math.max(0, valid.length - 1));
  return fc.oneof(
    at.map((end) => valid.subarray(0, end)),
    at.map((start) => valid.subarray(start)),
    fc.array(fc.tuple(at, fc.nat(7)), { minLength: 1, maxLength: 4 }).map((flips) => {
      const copy = Uint8Array.from(valid);
      for (const [place, bit] of flips) copy[place] = (copy[place] ?? 0) ^ (1 << bit);
      return copy;
    }),
    fc.tuple(at, anyBytes).map(([place, bytes]) => joined(valid.subarray(0, place), bytes.subarray(0, 50_000), valid.subarray(place))),
    fc.tuple(at, at, fc.integer({ min: 1, max: 50 })).map(([from, size, times]) => {
      const part = valid.subarray(from, from + Math.min(size, 2000));
      return joined(valid.subarray(0, from), ...Array.from({ length: times }, () => part), valid.subarray(from));
    }),
    fc.tuple(at, at).map(([from, size]) => joined(valid.subarray(0, from), valid.subarray(from + size))),
    // A length or a count that promises more than there is
    fc
      .tuple(at, fc.constantFrom("fd0000", "fdffff", "feffffffff", "ffffffffffffffff7f", "ffffffffffffffffff"))
      .map(([place, hex]) => joined(valid.subarray(0, place), Uint8Array.from(Buffer.from(hex, "hex")), valid.subarray(place + 1))),
  );
};

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Values as text, for some of them no JSON.stringify would write. */
const STRANGE = [
  "null",
  "true",
  "0",
  "-1",
  "-0",
  "1.0",
  "1e3",
  "1e400",
  "9007199254740993",
  "18446744073709551616",
  "281474976710656",
  "1".repeat(5000),
  '""',
  '"0"',
  '"-1"',
  '"18446744073709551615"',
  '"18446744073709551616"',
  `"${"9".repeat(5000)}"`,
  `"${"0".repeat(200_000)}"`,
  `"${"ff".repeat(33)}"`,
  `"${"00".repeat(32)}"`,
  `"${"ff".repeat(32)}"`,
  `"02${"05".padStart(64, "0")}"`,
  '"\\u0000"',
  '"\\ud800"',
  '"__proto__"',
  "[]",
  "{}",
  '{"__proto__":{"a":1}}',
  `${"[".repeat(3000)}${"]".repeat(3000)}`,
  `[${Array.from({ length: 3000 }, () => 0).join(",")}]`,
];

type Path = readonly (string | number)[];

function pathsOf(value: unknown, prefix: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [prefix];
  return [prefix, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...prefix, Array.isArray(value) ? Number(key) : key]))];
}

/** The JSON text of `value` with what is at each of the paths replaced by a text. */
function printedWith(value: unknown, changes: ReadonlyMap<string, string | undefined>, path: Path = []): string | undefined {
  const key = JSON.stringify(path);
  if (changes.has(key)) return changes.get(key);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = Object.entries(value).flatMap(([name, element]) => {
    const text = printedWith(element, changes, [...path, Array.isArray(value) ? Number(name) : name]);
    return text === undefined ? [] : [Array.isArray(value) ? text : `${JSON.stringify(name)}:${text}`];
  });
  return Array.isArray(value) ? `[${inner.join(",")}]` : `{${inner.join(",")}}`;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], value);
}

/** What is done to a valid JSON document: values exchanged, replaced, left out, given twice, moved to where others stand. */
const ofDocument = (valid: unknown): fc.Arbitrary<string> => {
  const paths = pathsOf(valid);
  const place = fc.constantFrom(...paths);
  const change = fc.oneof(
    fc.tuple(place, fc.constantFrom(...STRANGE)).map(([path, text]) => [[path, text]] as const),
    place.map((path) => [[path, undefined]] as const),
    fc.tuple(place, place).map(
      ([a, b]) =>
        [
          [a, JSON.stringify(valueAt(valid, b))],
          [b, JSON.stringify(valueAt(valid, a))],
        ] as const,
    ),
    fc.tuple(place, place).map(([a, b]) => [[a, JSON.stringify(valueAt(valid, b))]] as const),
    fc.tuple(place, fc.string({ maxLength: 6 })).map(([path, name]) => {
      const text = JSON.stringify(valueAt(valid, path));
      return [
        [path, text.startsWith("{") ? `${text.slice(0, -1)}${text === "{}" ? "" : ","}${JSON.stringify(name)}:1}` : `[${text},${text}]`],
      ] as const;
    }),
  );
  return fc
    .array(change, { minLength: 1, maxLength: 2 })
    .map((all) => printedWith(valid, new Map(all.flat().map(([path, text]) => [JSON.stringify(path), text]))) ?? "");
};

/** Inputs for a reader of JSON: any bytes, and valid documents with something done to them. */
export function jsonInputs(valid: readonly string[]): fc.Arbitrary<Uint8Array> {
  const encoded = valid.map((text) => new TextEncoder().encode(text));
  return fc.oneof(
    { weight: 1, arbitrary: anyBytes },
    { weight: 2, arbitrary: fc.oneof(...encoded.map(ofBytes)) },
    { weight: 5, arbitrary: fc.oneof(...valid.map((text) => ofDocument(JSON.parse(text)))).map((text) => new TextEncoder().encode(text)) },
  );
}

/** Inputs for a reader of bytes: any, and valid ones with something done to them. */
export function byteInputs(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof({ weight: 1, arbitrary: anyBytes }, { weight: 5, arbitrary: fc.oneof(...valid.map(ofBytes)) });
}
