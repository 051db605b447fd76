import { type ValueOf, anyObject, anything, list, plain, text } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { EMPTY_SHACHAIN, MAX_COMMITMENT_NUMBER, type Shachain, generateFromSeed, insertSecret } from "../protocol/keys/shachain.js";
import { type VectorSet, expectedOf } from "./vector.js";

const derivedValue = optional(anything);

const PRINTED_INDEX = /^(0x[0-9a-f]{1,12}|[0-9]{1,15})$/;
const printedIndex = plain<string>({
  is: (value): value is string => typeof value === "string" && PRINTED_INDEX.test(value),
  expected: "an integer of 48 bits in decimal or, with 0x, in hex",
  jsonSchema: { type: "string", pattern: PRINTED_INDEX.source },
});

/** Appendix D. An index is printed in decimal or, with 0x, in hex: both stand there, and the printed one counts. */
const document = fields({
  source: optional(anyObject),
  status: optional(text),
  first_index: derivedValue,
  generation: list(
    fields({
      name: text,
      seed: json.bytes32,
      index: derivedValue,
      index_printed: printedIndex,
      secret: derivedValue,
    }),
  ),
  storage: list(
    fields({
      name: text,
      valid: derivedValue,
      steps: list(fields({ index: json.commitmentNumber, secret: json.secret("per_commitment"), result: derivedValue })),
    }),
  ),
});

type Document = ValueOf<typeof document>;
type Step = Document["storage"][number]["steps"][number];

/** BOLT 3 §Appendix D: Per-commitment Secret Generation Test Vectors. */
export function readPerCommitmentSecrets(value: unknown, source: string): VectorSet {
  const { generation, storage } = decode(document, value, source);
  const raw = value as { readonly generation: readonly object[]; readonly storage: readonly { readonly steps: readonly object[] }[] };
  return {
    common: [
      {
        id: "common",
        path: [],
        expected: expectedOf(value, ["source", "status", "generation", "storage"]),
        derived: { first_index: MAX_COMMITMENT_NUMBER },
      },
    ],
    cases: [
      ...generation.map(({ name, seed, indexPrinted }, at) => ({
        id: name,
        path: ["generation", at],
        expected: expectedOf(raw.generation[at], ["name", "seed", "index_printed"]),
        derived: { index: Number(indexPrinted), secret: toHex(generateFromSeed(seed, BigInt(indexPrinted))) },
      })),
      ...storage.map(({ name, steps }, at) => {
        const results = insertAll(steps);
        return {
          id: name,
          path: ["storage", at],
          expected: {
            ...expectedOf(raw.storage[at], ["name", "steps"]),
            steps: raw.storage[at]?.steps.map((step) => expectedOf(step, ["index", "secret"])),
          },
          derived: { valid: results.every((result) => result === "OK"), steps: results.map((result) => ({ result })) },
        };
      }),
    ],
  };
}

/** Secrets in: the steps'. What each insertion says; a refused one leaves the store as it was. */
function insertAll(steps: readonly Step[]): readonly ("OK" | "ERROR")[] {
  let chain: Shachain = EMPTY_SHACHAIN;
  return steps.map(({ index, secret }) => {
    try {
      chain = insertSecret(chain, BigInt(index), secret);
      return "OK";
    } catch (error) {
      if (error instanceof LnError && error.code === "state-shachain-mismatch") return "ERROR";
      throw error;
    }
  });
}
