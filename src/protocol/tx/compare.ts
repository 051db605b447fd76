import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { displayTxid, toHex, txid } from "../bytes.js";

/** Where two transactions part: a field under a reader's name, and what each has there. */
export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly given: string;
}

/** The first field in which `given` is not `expected`, in the order in which a transaction has them; null where it is the same but for witnesses. */
export function firstDifference(expected: Transaction, given: Transaction): Difference | null {
  const [ours, theirs] = [fieldsOf(expected), fieldsOf(given)];
  for (const [field, value] of ours) {
    const found = theirs.get(field) ?? "nothing";
    if (found !== value) return { field, expected: value, given: found };
  }
  return null;
}

/** The counts stand first, so that of two transactions of one shape every field has its fellow. */
function fieldsOf({ version, locktime, ins, outs }: Transaction): ReadonlyMap<string, string> {
  return new Map([
    ["version", String(version)],
    ["number of inputs", String(ins.length)],
    ...ins.flatMap(({ hash, index, script, sequence }, at): [string, string][] => [
      [`input ${at}: outpoint`, `${displayTxid(txid(hash))}:${index}`],
      [`input ${at}: script`, toHex(script)],
      [`input ${at}: sequence`, String(sequence)],
    ]),
    ["number of outputs", String(outs.length)],
    ...outs.flatMap(({ value, script }, at): [string, string][] => [
      [`output ${at}: amount`, `${value} sat`],
      [`output ${at}: script`, toHex(script)],
    ]),
    ["locktime", String(locktime)],
  ]);
}
