import {
  bytes32 as toBytes32,
  displayTxid,
  fromHex,
  parseTxid,
  point as toPoint,
  signature as toSignature,
  scriptPubkey as toScriptPubkey,
  toHex,
  type Bytes32,
  type KeyRole,
  type Point,
  type ScriptPubkey,
  type Signature,
  type Txid,
} from "../protocol/bytes.js";
import { Secret32, type SecretRole } from "../protocol/secret.js";
import { SIDES } from "../protocol/side.js";
import { msat, perKw, sat, type FeeratePerKw, type MilliSatoshi, type Satoshi } from "../protocol/units.js";
import { codec, oneOf, plain, type Codec, type JsonForm, type JsonSchema } from "./codec.js";
import { secretForm } from "./redact.js";

/**
 * Hex of `size` bytes, or of any number of them. Both cases are read, lower case is written.
 * The group must not capture: with a capture the engine remembers every byte and overflows its stack on a few megabytes.
 */
function hexText(expected: string, size?: number): JsonForm<string> {
  const pattern = `^(?:[0-9a-fA-F]{2})${size === undefined ? "*" : `{${size}}`}$`;
  const regex = new RegExp(pattern);
  return {
    is: (value): value is string => typeof value === "string" && regex.test(value),
    expected,
    jsonSchema: { type: "string", pattern },
  };
}

function bytesOf<T extends Uint8Array>(form: string, size: number | undefined, brand: (bytes: Uint8Array) => T): Codec<T> {
  return codec(hexText(form, size), { decode: (hex) => brand(fromHex(hex)), encode: toHex });
}

/** Any number of bytes, none included. */
export const hexBytes = bytesOf("bytes in hex", undefined, (bytes) => bytes);

export function hexBytesOf(size: number): Codec<Uint8Array> {
  return bytesOf(`${size} bytes in hex`, size, (bytes) => bytes);
}

export const bytes32 = bytesOf<Bytes32>("32 bytes in hex", 32, (bytes) => toBytes32(bytes));
export const signature = bytesOf<Signature>("a signature of 64 bytes in hex", 64, toSignature);
export const scriptPubkey = bytesOf<ScriptPubkey>("a script in hex", undefined, toScriptPubkey);

/** JSON shows a txid in display order; the value is in internal order. */
export const txid: Codec<Txid> = codec(hexText("a txid of 32 bytes in hex", 32), { decode: parseTxid, encode: displayTxid });

/** A compressed point by its shape alone: whether it is on the curve is asked where it enters the channel. */
export function point<Role extends KeyRole>(role: Role): Codec<Point<Role>> {
  const shape = bytesOf(`a point (${role}) of 33 bytes in hex`, 33, (bytes) => toPoint<Role>(bytes));
  return { ...shape, jsonSchema: () => ({ type: "string", pattern: "^0[23][0-9a-fA-F]{64}$" }) };
}

/** Secret: 32 bytes that no error shows; `encode` reveals them, so only a document that may hold secrets uses this. */
export function secret<Role extends SecretRole>(role: Role): Codec<Secret32<Role>> {
  return codec(hexText(secretForm(role), 32), {
    decode: (hex) => new Secret32<Role>(fromHex(hex)),
    encode: (value) => toHex(value.reveal()),
  });
}

function isUnsigned(value: unknown, maximum: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= maximum;
}

function unsigned(maximum: number, written: string): JsonForm<number> {
  return {
    is: (value): value is number => isUnsigned(value, maximum),
    expected: `an integer from 0 to ${written}`,
    jsonSchema: { type: "integer", minimum: 0, maximum },
  };
}

const u32Form = unsigned(0xffffffff, "4294967295");

export const u8 = plain(unsigned(0xff, "255"));
export const u16 = plain(unsigned(0xffff, "65535"));
export const u32 = plain(u32Form);
/** What a JSON number holds exactly. */
export const u53 = plain(unsigned(Number.MAX_SAFE_INTEGER, "2^53−1"));
/** 48 bits, hidden in locktime and sequence, 24 each. BOLT 3 §Commitment Transaction. */
export const commitmentNumber = plain(unsigned(2 ** 48 - 1, "2^48−1"));

const U64_MAX = "18446744073709551615";
const DECIMAL = /^(0|[1-9][0-9]{0,19})$/;

const u64Form: Omit<JsonForm<number | string>, "jsonSchema"> = {
  is: (value): value is number | string =>
    typeof value === "string"
      ? DECIMAL.test(value) && (value.length < U64_MAX.length || value <= U64_MAX)
      : isUnsigned(value, Number.MAX_SAFE_INTEGER),
  expected: "an integer from 0 to 2^64−1 (above 2^53−1 as a decimal string)",
};

/** A pattern can't compare: the string's digits one by one, up to the largest. */
function u64Schema(): JsonSchema {
  const less = Array.from(U64_MAX)
    .map((digit, at) => ({ before: U64_MAX.slice(0, at), digit: Number(digit), left: U64_MAX.length - at - 1 }))
    .filter(({ before, digit }) => before !== "" && digit > 0)
    .map(({ before, digit, left }) => `${before}[0-${digit - 1}][0-9]{${left}}`);
  return {
    anyOf: [
      { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      { type: "string", pattern: `^(?:0|[1-9][0-9]{0,18}|${less.join("|")}|${U64_MAX})$` },
    ],
  };
}

function u64As<T extends bigint>(brand: (value: bigint) => T): Codec<T> {
  const form = { ...u64Form, jsonSchema: {} };
  const made = codec<number | string, T>(form, {
    decode: (value) => brand(BigInt(value)),
    encode: (value) => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)),
  });
  return { ...made, jsonSchema: u64Schema };
}

/** Integer in JSON up to 2^53−1, decimal string above; both are read, a string for any value. */
export const u64 = u64As((value) => value);
export const satoshi = u64As<Satoshi>(sat);
export const millisatoshi = u64As<MilliSatoshi>(msat);

export const feeratePerKw = codec(u32Form, { decode: (value): FeeratePerKw => perKw(BigInt(value)), encode: (rate: FeeratePerKw) => Number(rate) });

export const side = oneOf(SIDES);
