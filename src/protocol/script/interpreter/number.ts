import { EMPTY } from "../assemble.js";
import { fail } from "./script-error.js";

/** How many bytes a number that is calculated with may have. */
export const NUMBER_SIZE = 4;
/** The same for a timelock (BIP 65, BIP 112). */
export const TIMELOCK_SIZE = 5;

/** A number on the stack: little-endian, the highest bit its sign. Throws: ScriptFailure SCRIPTNUM. */
export function readNumber(bytes: Uint8Array, maxSize: number, minimal: boolean): number {
  if (bytes.length > maxSize) fail("SCRIPTNUM");
  const last = bytes.at(-1);
  if (last === undefined) return 0;
  if (minimal && (last & 0x7f) === 0 && ((bytes.at(-2) ?? 0) & 0x80) === 0) fail("SCRIPTNUM");
  let value = last & 0x7f;
  for (let at = bytes.length - 2; at >= 0; at--) value = value * 256 + (bytes[at] ?? 0);
  return (last & 0x80) === 0 ? value : -value;
}

/** The shortest form of a number; 0 is the empty string. */
export function numberBytes(value: number): Uint8Array {
  if (value === 0) return EMPTY;
  const bytes: number[] = [];
  for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  const sign = value < 0 ? 0x80 : 0;
  const last = bytes.at(-1) ?? 0;
  if ((last & 0x80) === 0) bytes[bytes.length - 1] = last | sign;
  else bytes.push(sign);
  return Uint8Array.from(bytes);
}

/** False for zero of any length, also for a negative one. */
export function isTrue(bytes: Uint8Array): boolean {
  const last = bytes.length - 1;
  return bytes.some((byte, at) => byte !== 0 && !(at === last && byte === 0x80));
}
