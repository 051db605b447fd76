import { concat } from "../bytes.js";
import { camelCase, type CamelKeys } from "../camel-case.js";
import { ERROR_CODES, LnError } from "../errors.js";
import { cursorOver } from "./cursor.js";
import { u16, type Parts, type ValueOf } from "./field.js";
import { MESSAGES, type MessageSpec, type Tlvs } from "./table.js";
import { checkOdd, readRecords, readValue, writeRecords, type TlvRecord } from "./tlv.js";

export type MessageName = keyof typeof MESSAGES;

type FieldValues<F extends Parts> = CamelKeys<{ [Key in keyof F]: ValueOf<F[Key]> }>;
type TlvValues<T extends Tlvs> = CamelKeys<{ [Key in keyof T]?: ValueOf<T[Key]["field"]> }>;
type Flat<T> = { readonly [Key in keyof T]: T[Key] };
type Extension = { readonly unknownTlvs?: readonly TlvRecord[] };

/**
 * The message of that name: its fields, then its TLV records, each present or absent, under BOLT 2's names in camelCase;
 * `unknownTlvs` only where there are some, in the order of their types.
 */
export type MessageOf<Name extends MessageName> = Flat<
  { readonly type: Name } & FieldValues<(typeof MESSAGES)[Name]["fields"]> & TlvValues<(typeof MESSAGES)[Name]["tlvs"]> & Extension
>;

export type Message = { [Name in MessageName]: MessageOf<Name> }[MessageName];

/** Each message's type number on the wire. */
export const MESSAGE_TYPES = Object.fromEntries(Object.entries(MESSAGES).map(([name, { number }]) => [name, number])) as Readonly<
  Record<MessageName, number>
>;

const NAMES = new Map(Object.entries(MESSAGES).map(([name, { number }]) => [number, name as MessageName]));

/** The transport counts a message's bytes in a u16. BOLT 1 §Lightning Message Format. */
const MAX_MESSAGE_SIZE = 65535;

/**
 * The bytes of a message, its type first.
 * Throws: wire-range, wire-tlv-order, wire-tlv-even, wire-tlv-known, wire-too-long, each naming message and field.
 */
export function encodeMessage(message: Message): Uint8Array {
  const { type } = message;
  const { number, fields, tlvs }: MessageSpec = MESSAGES[type];
  const values = message as Readonly<Record<string, unknown>>;

  const payload = Object.entries(fields).map(([name, field]) => inField(type, name, () => field.write(values[camelCase(name)])));
  const known = Object.entries(tlvs).flatMap(([name, tlv]): TlvRecord[] => {
    const value = values[camelCase(name)];
    return value === undefined ? [] : [{ type: tlv.type, value: inField(type, name, () => tlv.field.write(value)) }];
  });
  const extension = inField(type, "unknown_tlvs", () => writeRecords(merged(known, message.unknownTlvs ?? [], tlvs)));

  const bytes = concat(u16.write(number), ...payload, extension);
  checkSize(bytes);
  return bytes;
}

/**
 * The message of these bytes; encoding it gives the same bytes again. Points are checked for their shape only.
 * Throws: wire-too-long, wire-unknown-type, wire-truncated, wire-bigsize, wire-tlv-order, wire-tlv-even, wire-tlv-length, key-shape,
 * each naming message and field. BOLT 1 §Lightning Message Format, §Type-Length-Value Format.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  checkSize(bytes);
  const cursor = cursorOver(bytes);
  const type = nameOf(inField("message", "type", () => u16.read(cursor)));
  const { fields, tlvs }: MessageSpec = MESSAGES[type];
  const values: Record<string, unknown> = { type };

  for (const [name, field] of Object.entries(fields)) {
    values[camelCase(name)] = inField(type, name, () => field.read(cursor));
  }

  const names = new Map(Object.entries(tlvs).map(([name, tlv]) => [tlv.type, name]));
  const unknownTlvs: TlvRecord[] = [];
  for (const record of inField(type, "tlvs", () => readRecords(cursor))) {
    const name = names.get(record.type);
    const tlv = name === undefined ? undefined : tlvs[name];
    if (name === undefined || tlv === undefined) {
      inField(type, "tlvs", () => {
        checkOdd(record.type);
      });
      unknownTlvs.push(record);
    } else {
      values[camelCase(name)] = inField(type, name, () => readValue(record, tlv.field));
    }
  }
  if (unknownTlvs.length > 0) values["unknownTlvs"] = unknownTlvs;
  return values as unknown as Message;
}

/** Both kinds of records as one stream. The unknown ones must be unknown, and in order by themselves. */
function merged(known: readonly TlvRecord[], unknown: readonly TlvRecord[], tlvs: Tlvs): readonly TlvRecord[] {
  const types = new Set(Object.values(tlvs).map(({ type }) => type));
  writeRecords(unknown);
  for (const { type } of unknown) {
    if (types.has(type)) throw new LnError("wire-tlv-known", `TLV ${type} has a name here`, { tlv: String(type) });
    checkOdd(type);
  }
  return [...known, ...unknown].sort((a, b) => (a.type < b.type ? -1 : 1));
}

function nameOf(number: number): MessageName {
  const name = NAMES.get(number);
  if (name !== undefined) return name;
  const odd = number % 2 === 1;
  const fact = `message type ${number} is unknown${odd ? ", and odd: it may be ignored" : ""}`;
  throw new LnError("wire-unknown-type", fact, { type: number, odd });
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= MAX_MESSAGE_SIZE) return;
  const fact = `a message of ${bytes.length} bytes, more than ${MAX_MESSAGE_SIZE}`;
  throw new LnError("wire-too-long", fact, { bytes: bytes.length, limit: MAX_MESSAGE_SIZE });
}

/**
 * Adds to a refusal where in which message it arose. What a brand's own check says is left out, since it repeats the bytes:
 * in a message whose bytes are shifted, those that are read as a point may belong to a secret.
 */
function inField<T>(message: string, field: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    const ours = error.code.startsWith("wire-");
    const fact = ours ? error.message : ERROR_CODES[error.code].what;
    throw new LnError(error.code, `${message}.${field}: ${fact}`, { message, field, ...(ours ? error.details : {}) });
  }
}
