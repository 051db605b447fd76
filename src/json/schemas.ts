import { meaningOf, sourceOf } from "../protocol/explain/message.js";
import type { MessageName } from "../protocol/wire/messages.js";
import { MESSAGES } from "../protocol/wire/table.js";
import { fundedChannelFile, revokedHtlcs, unfundedChannelFile } from "./channel-file.js";
import { type Codec, type JsonSchema, isObject, union } from "./codec.js";
import { meaningIn } from "./explain-file.js";
import { fields } from "./fields.js";
import { highwaterFile } from "./highwater-file.js";
import { journalLine } from "./journal.js";
import { keysFile } from "./keys-file.js";
import { messageSchema } from "./messages.js";
import { answerFile } from "./outputs/leave.js";
import { OUTPUTS } from "./outputs/outputs.js";
import { refusal } from "./outputs/parts.js";
import { backupFile } from "./outputs/update.js";
import type { JsonPath } from "./path.js";
import { exampleOf } from "./schema-example.js";
import { commandOf, type FileSchema, isFileSchema, type SchemaName } from "./schema-names.js";
import { wordsOf } from "./schema-words.js";
import { watchFile } from "./watch-file.js";
import { WIF } from "./wif.js";

/** A file or a document: its codec, what it is, and what its fields are for. */
interface Described {
  readonly schema: () => JsonSchema;
  readonly description: string;
  readonly words?: (path: JsonPath) => string | undefined;
  /** The schema of its example, where that is one of several forms. */
  readonly exampleOf?: () => JsonSchema;
}

const of =
  (codec: () => Codec<unknown>): (() => JsonSchema) =>
  () =>
    codec().jsonSchema();
const party = (file: "channel" | "highwater" | "revoked") => (path: JsonPath) => said(meaningIn(file, path));

function said(found: { readonly meaning: string; readonly source: string } | null): string | undefined {
  return found === null ? undefined : `${found.meaning} (${found.source})`;
}

/** Of the secrets that a test case states one by one. */
const KEYS_WORDS: Readonly<Record<string, string>> = {
  number: "of the commitment that the secret is of",
  secret: "Secret: per_commitment_secret (BOLT 3 §Per-commitment Secret Requirements)",
};

const JOURNAL_WORDS: Readonly<Record<string, string>> = {
  command: "which command made the step",
  type: "of the message",
  wire: "its bytes; null where they hold a secret that was not sent yet",
  request_id: "its --request-id",
  force_closed: "the own commitment that the step signed for broadcast",
  closing_signed: "a PSBT of a mutual close was written: it counts as signed",
  behind: "the step has learned that the party lost state",
  revision: "of the state after the step",
};

/** Of a commitment case. */
const CASE_WORDS: Readonly<Record<string, string>> = {
  id: "names the case",
  tags: "what the case is about",
  expected: "any of the values that follow from the case, each derived again when it is verified",
  agreed_by: "implementations that give the same",
  funding_txid: "the funding transaction, in the order that explorers print",
  funding_output_index: "which of its outputs is the channel",
  funding_satoshi: "what that holds",
  opener: "which side pays the commitment's fee (BOLT 3 §Fee Payment)",
  dust_limit_satoshis: "smaller outputs are left out (BOLT 3 §Trimmed Outputs)",
  to_local_msat: "the owner's balance before fee and anchors",
  to_remote_msat: "the other side's",
  direction: "seen from the owner",
  payment_preimage: "Secret: for which the HTLC pays",
  per_commitment_secret: "Secret: of this commitment (BOLT 3 §Per-commitment Secret Requirements)",
  spends: "transactions that take outputs of the commitment, or of its HTLC transactions",
  close: "a mutual close at these balances, or an attempt at one",
  limits: "what the sides demand (BOLT 2 §The `open_channel` Message)",
  attempt: "what a side does next, which is to be refused",
  kind: "which outputs a spend takes, or how a close is negotiated",
  output_index: "the commitment's HTLC output that it is about",
  to_scriptpubkey: "what it pays to",
  local_scriptpubkey: "what the owner is paid to",
  remote_scriptpubkey: "what the other side is paid to",
  fee_weight: "the weight that the fee was reckoned with",
  fee_sat: "what it pays",
  payer: "whose output the fee comes off",
  outputs: "whose outputs a close has",
  locktime: "its nLockTime",
  act: "what is attempted",
  by: "which side attempts it",
  htlc_index: "the HTLC's place in the case's list",
  signature_der: "of the commitment, DER without the sighash byte",
  htlc_signatures_der: "of the HTLC transactions in output order",
  scriptpubkey: "what the side wants to be paid to",
  channel_reserve_satoshis: "what the other side must keep",
  htlc_minimum_msat: "the smallest HTLC that it takes",
  max_htlc_value_in_flight_msat: "the most in HTLCs that it takes",
  max_accepted_htlcs: "the most HTLCs that it takes",
  min_feerate_per_kw: "the lowest feerate that the owner agrees to",
  max_feerate_per_kw: "the highest feerate that the owner agrees to",
  max_dust_htlc_exposure_msat: "the most that the owner lets stand in trimmed HTLCs",
};

const messageWords = (path: JsonPath): string | undefined => {
  const key = String(path.at(-1));
  if (path.length === 1) return key === "type" ? "BOLT's name of the message" : meaningOf(key);
  return key === "type" ? "TLV type (BOLT 1 §Type-Length-Value Format)" : key === "value" ? "TLV value, in hex" : meaningOf(key);
};

const FILES: Readonly<Record<Exclude<FileSchema, "case">, Described>> = {
  channel: {
    schema: of(() => union(fundedChannelFile(), unfundedChannelFile())),
    description:
      "PARTY/channel.json: the state of a channel, as this version writes it. Earlier versions of the file are read too, and upgraded when written.",
    words: party("channel"),
  },
  keys: {
    schema: () => withWif(keysFile.jsonSchema()),
    description:
      "PARTY/keys.json: every secret of a party, each in hex or in wallet import format; null where a test case lacks it. Mode 0600, never overwritten.",
    words: (path) => KEYS_WORDS[String(path.at(-1))],
  },
  revoked: {
    schema: of(() => revokedHtlcs),
    description: "A line of PARTY/revoked.ndjson: the HTLCs of a commitment that the peer has revoked.",
    words: party("revoked"),
  },
  highwater: {
    schema: of(() => highwaterFile),
    description: "PARTY/highwater.json: how far the party has committed itself, by which a restored older state is told.",
    words: party("highwater"),
  },
  journal: {
    schema: of(() => journalLine),
    description: "A line of PARTY/journal.ndjson: a step, chained to the one before it by its hash.",
    words: (path) => JOURNAL_WORDS[String(path.at(-1))],
  },
  message: {
    schema: () => messageSchema(),
    description: "A message file: BOLT 2's fields, or the bytes alone in `wire`, or both, which must agree.",
    words: messageWords,
    exampleOf: () => messageSchema("pay"),
  },
  backup: { schema: of(backupFile), description: "What `chankit backup` writes and `chankit restore` reads." },
  "watch-state": { schema: of(() => watchFile), description: "What `chankit watch --state` keeps." },
  answer: {
    schema: of(() => answerFile),
    description: "A file that `chankit watch -o DIR/` writes: a signed transaction that answers a published commitment.",
  },
  refusal: {
    schema: of(() => fields({ error: refusal })),
    description: "What a command says on standard error with --json when it refuses, and in the place of a result in a batch.",
  },
};

/** Every secret at the top in wallet import format, too, which is read into hex before the document is. */
function withWif(schema: JsonSchema): JsonSchema {
  const properties = Object.entries(schema["properties"] as Readonly<Record<string, JsonSchema>>);
  const orWif = (secret: JsonSchema): JsonSchema => ({
    anyOf: [...(secret["anyOf"] as readonly JsonSchema[]), { type: "string", pattern: WIF.source }],
  });
  return { ...schema, properties: Object.fromEntries(properties.map(([key, value]) => [key, Array.isArray(value["anyOf"]) ? orWif(value) : value])) };
}

/** JSON Schema 2020-12 of what a file may hold, or a command prints. `caseSchema` is that of a test case, which its own reader knows. */
export function schemaOf(name: SchemaName, caseSchema: () => JsonSchema): JsonSchema {
  const { schema, description, words = () => undefined, exampleOf: example = schema } = describedAs(name, caseSchema);
  const whole = worded(schema(), [], (path) => words(path) ?? wordsOf(path));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: `urn:chankit:schema:${name}`,
    title: `chankit ${name}`,
    description,
    examples: [exampleOf(example())],
    ...whole,
  };
}

function describedAs(name: SchemaName, caseSchema: () => JsonSchema): Described {
  if (name === "case") {
    const description = "A commitment case of test vectors: all that determines one commitment, and what must come of it.";
    return { schema: caseSchema, description, words: (path) => CASE_WORDS[String(path.at(-1))] };
  }
  if (isFileSchema(name)) return FILES[name];
  const command = commandOf(name);
  if (command !== null) return { schema: of(OUTPUTS[command]), description: `What \`chankit ${command}\` prints.` };
  const type = name as MessageName;
  return {
    schema: () => messageSchema(type),
    description: `A ${type} message, number ${MESSAGES[type].number}. ${sourceOf(type)}.`,
    words: messageWords,
  };
}

/** The same schema with words at every value that has no parts. */
function worded(schema: JsonSchema, path: JsonPath, words: (path: JsonPath) => string | undefined): JsonSchema {
  const inside = (part: unknown, step?: PropertyKey): unknown =>
    isObject(part) ? worded(part, step === undefined ? path : [...path, step], words) : part;
  const { properties, items, prefixItems, additionalProperties, anyOf, ...rest } = schema;
  return {
    ...rest,
    ...(isObject(properties)
      ? {
          properties: Object.fromEntries(Object.entries(properties).map(([key, part]) => [key, withWords(inside(part, key), [...path, key], words)])),
        }
      : {}),
    ...(items === undefined ? {} : { items: inside(items, 0) }),
    ...(Array.isArray(prefixItems) ? { prefixItems: prefixItems.map((part, at) => inside(part, at)) } : {}),
    ...(additionalProperties === undefined ? {} : { additionalProperties: inside(additionalProperties) }),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map((part) => inside(part)) } : {}),
  };
}

function withWords(schema: unknown, path: JsonPath, words: (path: JsonPath) => string | undefined): unknown {
  const description = isObject(schema) && !holdsParts(schema) ? words(path) : undefined;
  return description === undefined ? schema : { description, ...(schema as JsonSchema) };
}

/** Whether a value may be an object, whose own values are described. */
function holdsParts(schema: JsonSchema): boolean {
  const { properties, items, anyOf } = schema;
  if (properties !== undefined) return true;
  if (isObject(items)) return holdsParts(items);
  return Array.isArray(anyOf) && anyOf.some((part) => isObject(part) && holdsParts(part));
}
