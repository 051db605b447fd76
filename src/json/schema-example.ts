import { type JsonSchema, isObject } from "./codec.js";

/** Values by their keys that say more than the least that would do. */
const BY_KEY: Readonly<Record<string, string | number>> = {
  party: "alice",
  amount_msat: 2_000_000_000,
  funding_satoshis: 10_000_000,
  feerate_per_kw: 2500,
  cltv_expiry: 800_000,
  to_self_delay: 144,
  dust_limit_satoshis: 354,
  fact: "what was found",
};

/** The curve's generator, as a point that is one. */
const POINT = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

/** Of a schema whose parts are ours: a document with all that must be in it. */
export function exampleOf(schema: JsonSchema, key = ""): unknown {
  const { const: only, enum: values, type, anyOf, pattern, properties, required = [], items, prefixItems, minimum = 0, minLength = 0 } = schema;
  if (only !== undefined) return only;
  if (Array.isArray(values)) return values[0] as unknown;
  const known = BY_KEY[key];
  if (Array.isArray(anyOf)) return exampleOf((anyOf as JsonSchema[]).find((part) => part["type"] === typeOf(known)) ?? (anyOf[0] as JsonSchema), key);
  if (known !== undefined && typeOf(known) === type) return known;
  switch (type) {
    case "object":
      return exampleObject(isObject(properties) ? (properties as Readonly<Record<string, JsonSchema>>) : {}, required as readonly string[]);
    case "array":
      if (Array.isArray(prefixItems)) return prefixItems.map((part) => exampleOf(part as JsonSchema));
      return isObject(items) && items["type"] === "object" ? [exampleOf(items)] : [];
    case "integer":
      return Math.max(Number(minimum), 0);
    case "boolean":
      return false;
    case "string":
      return typeof pattern === "string" ? matching(pattern) : "x".repeat(Number(minLength));
    default:
      return null;
  }
}

function exampleObject(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]): unknown {
  return Object.fromEntries(required.map((key) => [key, exampleOf(properties[key] ?? {}, key)]));
}

function typeOf(value: unknown): string | undefined {
  return typeof value === "number" ? "integer" : typeof value === "string" ? "string" : undefined;
}

/** Text of one of the patterns that our schemas have: hex, a point, an outpoint, a number. */
function matching(pattern: string): string {
  const candidates = [POINT, ...[0, 4, 6, 8, 16, 32, 33, 64, 1366, 920].map((size) => "00".repeat(size)), `${"00".repeat(32)}:0`, "0"];
  const regex = new RegExp(pattern);
  return candidates.find((candidate) => regex.test(candidate)) ?? "";
}
