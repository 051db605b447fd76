import { equalBytes } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { Form } from "../protocol/wire/field.js";
import { decodeMessage, encodeMessage, type Message, type MessageName } from "../protocol/wire/messages.js";
import { MESSAGES, type MessageSpec } from "../protocol/wire/table.js";
import { list, literal, oneOf, union, type Codec, type JsonSchema } from "./codec.js";
import { decode, encode, refusalAt } from "./decode.js";
import { fields, optional, someFields } from "./fields.js";
import { formatPath, inFull, locate, shorten, type JsonPath } from "./path.js";
import {
  bytes32,
  feeratePerKw,
  hexBytes,
  hexBytesOf,
  millisatoshi,
  point,
  satoshi,
  scriptPubkey,
  secret,
  signature,
  txid,
  u16,
  u32,
  u53,
  u64,
  u8,
} from "./primitives.js";
import { namesSecret } from "./redact.js";

/** What a message file holds beside the message: its bytes, and its place among those of its direction, which is not on the wire. */
const ENVELOPE = { wire: optional(hexBytes), seq: optional(u53) };

const NAMES = Object.keys(MESSAGES) as MessageName[];
const names = oneOf(NAMES);

/** As much as must be known of a document before the rest can be read. */
const typed = someFields({ type: names });

/** A message file that leaves it at the bytes. */
const WIRE_ONLY = { type: optional(names), wire: hexBytes, seq: optional(u53) };
const wireOnly = fields(WIRE_ONLY);

const unknownTlvs = list(fields({ type: u64, value: hexBytes }));

/** A message as read from a file. */
export interface ReadMessage {
  readonly message: Message;
  /** The bytes of the message, which are the same whichever form it was read from. */
  readonly wire: Uint8Array;
  readonly seq?: number;
}

/**
 * The message of a JSON document: its fields under BOLT 2's names, or `wire` alone, or both, which then must agree.
 * Throws: json-…, wire-…, key-shape, each with source and path; wire-json-mismatch with both values where they are no secret.
 */
export function readMessage(document: unknown, source: string): ReadMessage {
  if (isWireOnly(document)) return readWire(document, source);

  const { type } = decode(typed, document, source);
  const { wire: given, seq, ...message } = decode(codecOf(type), document, source);
  const wire = located(source, [], () => encodeMessage(message));
  if (given !== undefined && !equalBytes(wire, given)) {
    const other = located(source, ["wire"], () => decodeMessage(given));
    throw mismatchOf(message, other, source);
  }
  return { message, wire, ...(seq === undefined ? {} : { seq }) };
}

/** The JSON of a message: type, fields in BOLT 2's order, TLV records, `unknown_tlvs`, `wire`, `seq`. */
export function printMessage(message: Message, seq?: number): object {
  return encode(codecOf(message.type), { ...message, wire: encodeMessage(message), ...(seq === undefined ? {} : { seq }) });
}

/** Schema of a message file; of one type, or of them all. */
export function messageSchema(type?: MessageName): JsonSchema {
  return type === undefined ? union(wireOnly, ...NAMES.map(codecOf)).jsonSchema() : codecOf(type).jsonSchema();
}

/** A message file of one type, as a part of another document. */
export const messageFile = (type: MessageName): Codec<unknown> => codecOf(type);

type MessageFile = Message & { readonly wire?: Uint8Array; readonly seq?: number };

const codecs = new Map<MessageName, Codec<MessageFile>>();

/** Made when first asked for: a command speaks one or two of the twenty. */
function codecOf(type: MessageName): Codec<MessageFile> {
  const known = codecs.get(type);
  if (known !== undefined) return known;

  const { fields: parts, tlvs }: MessageSpec = MESSAGES[type];
  const shape = {
    type: literal(type),
    ...Object.fromEntries(Object.entries(parts).map(([name, { form }]) => [name, codecOfForm(form)])),
    ...Object.fromEntries(Object.entries(tlvs).map(([name, { field }]) => [name, optional(codecOfForm(field.form))])),
    unknown_tlvs: optional(unknownTlvs),
    ...ENVELOPE,
  };
  const made = fields(shape) as unknown as Codec<MessageFile>;
  codecs.set(type, made);
  return made;
}

function codecOfForm(form: Form): Codec<unknown> {
  switch (form.kind) {
    case "u8":
      return u8;
    case "u16":
      return u16;
    case "u32":
      return u32;
    case "u64":
      return u64;
    case "satoshi":
      return satoshi;
    case "millisatoshi":
      return millisatoshi;
    case "feerate_per_kw":
      return feeratePerKw;
    case "bytes32":
      return bytes32;
    case "txid":
      return txid;
    case "signature":
      return signature;
    case "script":
      return scriptPubkey;
    case "flag":
      return literal(true);
    case "bytes":
      return form.size === undefined ? hexBytes : hexBytesOf(form.size);
    case "point":
      return point(form.role);
    case "secret":
      return secret(form.role);
    case "list":
      return list(codecOfForm(form.of));
    case "struct":
      return fields(Object.fromEntries(Object.entries(form.parts).map(([name, part]) => [name, codecOfForm(part)])));
  }
}

function isWireOnly(document: unknown): boolean {
  if (typeof document !== "object" || document === null || !("wire" in document)) return false;
  return Object.keys(document).every((key) => key in WIRE_ONLY);
}

function readWire(document: unknown, source: string): ReadMessage {
  const { type, wire, seq } = decode(wireOnly, document, source);
  const message = located(source, ["wire"], () => decodeMessage(wire));
  if (type !== undefined && type !== message.type) throw mismatch(type, message.type, ["type"], source);
  return { message, wire, ...(seq === undefined ? {} : { seq }) };
}

function located<T>(source: string, path: JsonPath, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof LnError ? refusalAt(error, source, path) : error;
  }
}

/** Both forms as JSON, and the first place at which they part. */
function mismatchOf(json: Message, wire: Message, source: string): LnError {
  const [left, right] = [json, wire].map((message) => encode(codecOf(message.type), message));
  return firstDifference(left, right, [], source);
}

function firstDifference(json: unknown, wire: unknown, path: JsonPath, source: string): LnError {
  if (typeof json === "object" && json !== null && typeof wire === "object" && wire !== null) {
    const left = new Map(Object.entries(json));
    const right = new Map(Object.entries(wire));
    for (const key of new Set([...left.keys(), ...right.keys()])) {
      const step = Array.isArray(json) ? Number(key) : key;
      const a: unknown = left.get(key);
      const b: unknown = right.get(key);
      if (JSON.stringify(a) !== JSON.stringify(b)) return firstDifference(a, b, [...path, step], source);
    }
  }
  return mismatch(json, wire, path, source);
}

function mismatch(json: unknown, wire: unknown, path: JsonPath, source: string): LnError {
  const at = { source, path: formatPath(path) };
  const fact = `${locate(source, path)}: JSON and wire differ`;
  if (namesSecret(path)) return new LnError("wire-json-mismatch", fact, at);
  const [left, right] = whereTheyPart(inFull(json), inFull(wire));
  return new LnError("wire-json-mismatch", `${fact}: ${left} against ${right}`, { ...at, json: left, wire: right });
}

/** Long values begin shortly before the first character in which they differ, so that they still do when shortened. */
function whereTheyPart(a: string, b: string): [string, string] {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const start = same - 24;
  return start <= 0 ? [shorten(a), shorten(b)] : [shorten(`…${a.slice(start)}`), shorten(`…${b.slice(start)}`)];
}
