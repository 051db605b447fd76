import { fromHex } from "../../protocol/bytes.js";
import { LnError } from "../../protocol/errors.js";
import { type FeeratePerKw, type MilliSatoshi, MSAT_PER_SAT, type Satoshi, msat, perKw, sat } from "../../protocol/units.js";

/** An option of a command: how it is written, what it is for, how its text becomes a value. */
export interface Flag<T> {
  /** As commander reads it: `--feerate <sat_per_kw>` or, without a value, `--dry-run`. */
  readonly syntax: string;
  readonly help: string;
  /** `previous` is the value so far, where the option may be given again. */
  readonly parse: (text: string, previous?: unknown) => T;
  readonly required: boolean;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** The values of a command's options; those not given are undefined. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never;
};

export function flag<T>(syntax: string, help: string, parse: (text: string) => T): Flag<T | undefined> {
  return { syntax, help, parse, required: false };
}

export function requiredFlag<T>(syntax: string, help: string, parse: (text: string) => T): Flag<T> {
  return { syntax, help, parse, required: true };
}

/** A flag without a value: true where it stands. */
export function toggle(syntax: string, help: string): Flag<boolean | undefined> {
  return { syntax, help, parse: () => true, required: false };
}

/** An option that may be given again: its values in their order. */
export function list<T>(syntax: string, help: string, parse: (text: string) => T): Flag<readonly T[] | undefined> {
  return { syntax, help, parse: (text, previous) => [...((previous as readonly T[] | undefined) ?? []), parse(text)], required: false };
}

function bad(what: string, text: string): LnError {
  return new LnError("usage-value", `${JSON.stringify(text)} is not ${what}`, { value: text, expected: what });
}

const AMOUNT = /^(\d+)(?:\.(\d+))?(btc|sat|msat)$/i;
const MSAT_DIGITS: Readonly<Record<string, number>> = { btc: 11, sat: 3, msat: 0 };

/** `0.02btc`, `2000000sat`, `5000msat`: always with its unit. Throws: usage-value. */
export function amountMsat(text: string): MilliSatoshi {
  const form = "an amount with its unit, like 0.02btc, 2000000sat or 5000msat";
  const [, whole, fraction = "", unit] = AMOUNT.exec(text) ?? [];
  if (whole === undefined || unit === undefined) throw bad(form, text);
  const digits = MSAT_DIGITS[unit.toLowerCase()] ?? 0;
  if (fraction.length > digits) throw bad(`${form}, in whole msat`, text);
  return msat(BigInt(whole + fraction.padEnd(digits, "0")));
}

/** An amount that is whole satoshis. Throws: usage-value. */
export function amountSat(text: string): Satoshi {
  const amount = amountMsat(text);
  if (amount % MSAT_PER_SAT !== 0n) throw bad("an amount in whole satoshis", text);
  return sat(amount / MSAT_PER_SAT);
}

/** A decimal integer within bounds. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) throw bad(`an integer from ${min} to ${max}`, text);
    return value;
  };
}

/** Satoshis per 1000 weight units. Throws: usage-value. */
export function feerate(text: string): FeeratePerKw {
  return perKw(BigInt(integer(0, 0xffffffff)(text)));
}

/** One of some words, which the parser names, for shells to complete. Throws: usage-value. */
export function oneOf<const T extends readonly string[]>(values: T): ((text: string) => T[number]) & { readonly values: T } {
  const parse = (text: string): T[number] => {
    if (!values.includes(text)) throw bad(values.join(" or "), text);
    return text;
  };
  return Object.assign(parse, { values });
}

/** Bytes in hex. Throws: usage-value. */
export function hex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw bad("bytes in hex", text);
  return fromHex(text);
}

/** That many bytes in hex. Throws: usage-value. */
export function hexOf(size: number): (text: string) => Uint8Array {
  return (text) => {
    if (!new RegExp(`^(?:[0-9a-fA-F]{2}){${size}}$`).test(text)) throw bad(`${size} bytes in hex`, text);
    return fromHex(text);
  };
}

/** An HTLC's id among the arguments. Throws: usage-argument, usage-value. */
export function htlcId(text: string | undefined): bigint {
  if (text === undefined) throw new LnError("usage-argument", "name the HTLC by its id", {});
  return BigInt(integer(0, Number.MAX_SAFE_INTEGER)(text));
}

/** A request's name: printable, so that an unset variable is no name. Throws: usage-value. */
export function requestId(text: string): string {
  if (!/^[\x21-\x7e]{1,100}$/.test(text)) throw bad("a request id of 1 to 100 printable characters without blanks", text);
  return text;
}

export const text = (value: string): string => value;
