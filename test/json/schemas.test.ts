import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { REGISTRY } from "../../src/commands/registry.js";
import { readChannel, revokedHtlcs } from "../../src/json/channel-file.js";
import { type Codec, type JsonSchema, isObject } from "../../src/json/codec.js";
import { decode } from "../../src/json/decode.js";
import { highwaterFile } from "../../src/json/highwater-file.js";
import { journalLine } from "../../src/json/journal.js";
import { readKeysDocument } from "../../src/json/keys-file.js";
import { readMessage } from "../../src/json/messages.js";
import { type SchemaName, SCHEMA_NAMES, commandOf, isSchemaName } from "../../src/json/schema-names.js";
import { schemaOf } from "../../src/json/schemas.js";
import { parseStrict } from "../../src/json/strict.js";
import { watchFile } from "../../src/json/watch-file.js";
import { LnError } from "../../src/protocol/errors.js";
import { caseDocument } from "../../src/vectors/case-document.js";
import { runCommand, without } from "../support/party.js";
import { RUNS, filesAfter } from "../support/run-folders.js";
import { expectAsInSchema, validatorOf } from "../support/schemas.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

type Reader = (document: unknown) => unknown;
const reads =
  (codec: Codec<unknown>): Reader =>
  (document) =>
    decode(codec, document, "document");

/** Who reads a document in earnest. */
function readerOf(name: SchemaName): Reader {
  switch (name) {
    case "channel":
      return (document) => readChannel(document, "document");
    case "keys":
      return (document) => readKeysDocument(document, "document");
    case "revoked":
      return reads(revokedHtlcs);
    case "highwater":
      return reads(highwaterFile);
    case "journal":
      return reads(journalLine);
    case "watch-state":
      return reads(watchFile);
    case "case":
      return reads(caseDocument);
    default:
      return (document) => readMessage(document, "document");
  }
}

/** Documents of no reader of their own. */
const WRITTEN_ONLY: readonly SchemaName[] = ["backup", "answer", "refusal"];
/** Documents that nobody writes by hand. */
const OTHERS: readonly SchemaName[] = [...WRITTEN_ONLY, "watch-state"];

function accepted(read: Reader, document: unknown): boolean {
  try {
    read(document);
    return true;
  } catch (error) {
    if (error instanceof LnError) return false;
    throw error;
  }
}

/** A document of a run, under the name of its schema. */
interface Sample {
  readonly name: SchemaName;
  readonly document: Readonly<Record<string, unknown>>;
}

function samplesOf(path: string, content: string): readonly Sample[] {
  const documents = path.endsWith(".ndjson")
    ? content
        .trim()
        .split("\n")
        .filter((line) => line !== "")
    : [content];
  return documents.map((text) => {
    const document = parseStrict(text, path) as Record<string, unknown>;
    const [, file = ""] = /([a-z]+)[.](?:nd)?json$/.exec(path) ?? [];
    const printed = String(document["format"]).replace("chankit-", "");
    const name = [document["type"], file, `${printed}-output`].find((each) => typeof each === "string" && isSchemaName(each));
    if (name === undefined) throw new Error(`${path} is of no schema`);
    return { name: name, document };
  });
}

const samples: Sample[] = [];

beforeAll(async () => {
  for (const steps of Object.values(RUNS)) {
    for (const [path, content] of Object.entries(await filesAfter(steps))) samples.push(...samplesOf(path, content));
  }
  const cases = readFileSync(new URL("../../fixtures/vectors/cases/anchors.ndjson", import.meta.url), "utf8")
    .trim()
    .split("\n");
  samples.push(...cases.map((line): Sample => ({ name: "case", document: JSON.parse(line) as Record<string, unknown> })));
});

describe("every schema", () => {
  test.each(SCHEMA_NAMES)("%s is one that a strict validator takes, with words and an example that it allows", async (name) => {
    const validate = validatorOf(name);
    const { document } = await runCommand("schema", [name]);
    expect(document).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: `urn:chankit:schema:${name}` });
    expect(String(document["description"]).length).toBeGreaterThan(20);
    const [example] = document["examples"] as readonly unknown[];
    expect(validate(example), JSON.stringify({ example, errors: validate.errors })).toBe(true);
  });

  test.each(SCHEMA_NAMES.filter((name) => commandOf(name) === null && !WRITTEN_ONLY.includes(name)))("its example of %s is read", (name) => {
    const [example] = schemaOf(name, () => caseDocument.jsonSchema())["examples"] as readonly unknown[];
    expect(() => readerOf(name)(example)).not.toThrow();
  });

  test("there is one for the output of each command", () => {
    for (const { name } of REGISTRY) expect(isSchemaName(`${name}-output`), name).toBe(true);
    expect(SCHEMA_NAMES.flatMap((name) => commandOf(name) ?? []).filter((name) => REGISTRY.every((entry) => entry.name !== name))).toEqual([]);
  });

  test("of a party's files and of messages, every single value has words", () => {
    for (const name of SCHEMA_NAMES.filter((each) => commandOf(each) === null && !OTHERS.includes(each))) {
      expect(
        wordless(
          schemaOf(name, () => caseDocument.jsonSchema()),
          name,
        ),
        name,
      ).toEqual([]);
    }
  });

  test("another name is refused", async () => {
    await expect(runCommand("schema", ["chanel"])).rejects.toMatchObject({ code: "usage-value" });
  });
});

/** Values without parts that no description stands at. */
function wordless(schema: JsonSchema, path: string): readonly string[] {
  const { properties, items, anyOf } = schema;
  const own = isObject(properties)
    ? Object.entries(properties as Readonly<Record<string, JsonSchema>>).flatMap(([key, part]) => {
        const inside = wordless(part, `${path}.${key}`);
        return part["description"] === undefined && !hasParts(part) ? [`${path}.${key}`, ...inside] : inside;
      })
    : [];
  return [
    ...own,
    ...(isObject(items) ? wordless(items, `${path}[]`) : []),
    ...(Array.isArray(anyOf) ? (anyOf as readonly JsonSchema[]).flatMap((part) => wordless(part, path)) : []),
  ];
}

function hasParts({ properties, items, prefixItems, anyOf, type }: JsonSchema): boolean {
  if (properties !== undefined || prefixItems !== undefined || (type === "object" && anyOf === undefined)) return true;
  if (isObject(items)) return hasParts(items);
  return Array.isArray(anyOf) && (anyOf as readonly JsonSchema[]).some(hasParts);
}

describe("a run's files", () => {
  test("are all as their schemas say", () => {
    const seen = new Set<string>();
    for (const { name, document } of samples) {
      seen.add(name);
      expectAsInSchema(name, document);
      if (document["wire"] !== undefined) expectAsInSchema("message", document);
    }
    expect([...seen]).toEqual(
      expect.arrayContaining(["channel", "keys", "highwater", "revoked", "journal", "case", "open_channel", "revoke_and_ack", "closing_sig"]),
    );
  });

  test("changed in one place, are refused by the schema where the reader refuses them, and by no other", () => {
    const verdicts = { both: 0, neither: 0 };
    const files = samples.filter(({ name }) => commandOf(name) === null);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (which, where, how) => {
        const { name, document } = files[which % files.length]!;
        // Whether the bytes agree with the fields, no schema can say
        const fields = without(document, "wire");
        const changed = mutated(fields, where, how);
        // Whether an older version lacks what the next one has is its reader's to know
        if (changed === null || (name === "channel" && isObject(changed) && changed["version"] !== 3)) return;
        const bySchema = validatorOf(name)(changed);
        const byReader = accepted(readerOf(name), structuredClone(changed));
        expect(bySchema, `${name}: the schema takes it: ${String(bySchema)}, the reader: ${String(byReader)}: ${JSON.stringify(changed)}`).toBe(
          byReader,
        );
        verdicts[byReader ? "both" : "neither"]++;
      }),
      { numRuns: 6000, seed: 20_250_706 },
    );
    // Neither side of the question is left unasked
    expect(verdicts.neither).toBeGreaterThan(1000);
    expect(verdicts.both).toBeGreaterThan(300);
  });
});

/** What may stand in the place of another value. */
const STRANGERS: readonly unknown[] = [
  null,
  true,
  false,
  "",
  "x",
  "00",
  "0".repeat(64),
  "5",
  "-5",
  0,
  7,
  -1,
  1.5,
  65_536,
  2 ** 32,
  2 ** 48,
  2 ** 53,
  [],
  {},
  "18446744073709551615",
  "18446744073709551616",
  "99999999999999999999",
  "02".padEnd(66, "0"),
  "04".padEnd(66, "0"),
  "AB".repeat(32),
];

/** A copy with one place changed: gone, another value, a stranger beside it, a character of its text, its list longer or shorter; null where that changes nothing. */
function mutated(document: unknown, where: number, how: number): unknown {
  const copy = structuredClone(document) as Record<string, unknown>;
  const places = placesIn(copy);
  const place = places[where % places.length];
  if (place === undefined) return null;
  const { holder, key } = place;
  const value: unknown = Reflect.get(holder, key);
  const kind = how % 6;
  const pick = Math.floor(how / 6);
  if (kind === 0) {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else Reflect.deleteProperty(holder, key);
  } else if (kind === 1) {
    if (Array.isArray(holder)) holder.push(structuredClone(STRANGERS[pick % STRANGERS.length]));
    else Reflect.set(holder, "extra", 1);
  } else if (kind === 2 && typeof value === "string" && value !== "") {
    const at = pick % value.length;
    Reflect.set(holder, key, value.slice(0, at) + "gA0"[pick % 3]! + value.slice(at + 1));
  } else if (kind === 3 && typeof value === "number") {
    Reflect.set(holder, key, [value + 1, -value - 1, String(value), value + 0.5][pick % 4]);
  } else if (kind === 4 && Array.isArray(value) && value.length > 0) {
    value.push(structuredClone(value[0]));
  } else {
    Reflect.set(holder, key, structuredClone(STRANGERS[pick % STRANGERS.length]));
  }
  return copy;
}

function placesIn(value: unknown): readonly { readonly holder: object; readonly key: string }[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [{ holder: value, key }, ...placesIn(part)]);
}
