import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { FLAG, FLAG_NAMES, type Flags, flagSet, has } from "../../../../src/protocol/script/interpreter/flags.js";
import { toHex } from "../../../../src/protocol/bytes.js";
import type { SpentOutput } from "../../../../src/protocol/script/interpreter/verify.js";
import { scriptOf } from "./script-text.js";

/** Bitcoin Core's own test data, which lies beside the project where somebody has put it there. */
const CORE = new URL("../../../../../shared/vectors/core/", import.meta.url);

/** Bitcoin Core's file of that name, or null where it is not there. */
export function coreFile(name: string): unknown {
  const path = fileURLToPath(new URL(name, CORE));
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

/** Test data that the package bitcore-lib brings. */
export function packagedFile(name: string): unknown {
  return createRequire(import.meta.url)(`bitcore-lib/test/data/${name}`);
}

/** The entries of a list that are no comments. */
export function entries(file: unknown): readonly (readonly unknown[])[] {
  return (file as readonly (readonly unknown[])[]).filter(({ length }) => length > 1);
}

/** A test of transactions: what each outpoint holds, the transaction, flags. */
export type TransactionTest = readonly [readonly (readonly [string, number, string, number?])[], string, string];

/** The spent outputs of a transaction in the order of its inputs. */
export function spentOutputs(
  [prevouts]: TransactionTest,
  inputs: readonly { readonly hash: Uint8Array; readonly index: number }[],
): readonly SpentOutput[] {
  const known = new Map(
    prevouts.map(([txid, index, script, amount = 0]) => [`${txid}:${index >>> 0}`, { script: scriptOf(script), amount: BigInt(amount) }]),
  );
  return inputs.map(({ hash, index }) => {
    const key = `${toHex(Uint8Array.from(hash).reverse())}:${index}`;
    return known.get(key) ?? missing(key);
  });
}

function missing(what: string): never {
  throw new Error(`nothing is said of ${what}`);
}

export const ALL_FLAGS = flagSet(...FLAG_NAMES);

const without = (flags: Flags, rule: Flags): Flags => (flags & ~rule) as Flags;

/** CLEANSTACK means nothing without WITNESS, WITNESS nothing without P2SH: taken away with what they need. */
export function trimmed(flags: Flags): Flags {
  const witness = has(flags, FLAG.P2SH) ? flags : without(flags, FLAG.WITNESS);
  return has(witness, FLAG.WITNESS) ? witness : without(witness, FLAG.CLEANSTACK);
}

/** The same, what they need added. */
export function filled(flags: Flags): Flags {
  const clean = (has(flags, FLAG.CLEANSTACK) ? flags | FLAG.WITNESS : flags) as Flags;
  return (has(clean, FLAG.WITNESS) ? clean | FLAG.P2SH : clean) as Flags;
}

export const complement = (flags: Flags): Flags => without(ALL_FLAGS, flags);

/** Each set that lacks one rule of `flags`. */
export function eachLessOne(flags: Flags): readonly Flags[] {
  return FLAG_NAMES.filter((name) => has(flags, FLAG[name]))
    .map((name) => trimmed(without(flags, FLAG[name])))
    .filter((less) => less !== flags);
}
