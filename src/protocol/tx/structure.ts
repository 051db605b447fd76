import { Transaction } from "bitcoinjs-lib/src/transaction";
import { toHex } from "../bytes.js";

/** What no transaction may be, whatever it spends, under the name that Bitcoin Core refuses it with, and what it means. */
export const STRUCTURE_FAULTS = {
  "bad-txns-vin-empty": "no input",
  "bad-txns-vout-empty": "no output",
  "bad-txns-oversize": "more than a block holds",
  "bad-txns-vout-negative": "an output below 0 sat",
  "bad-txns-vout-toolarge": "an output of more than 21 million bitcoins",
  "bad-txns-txouttotal-toolarge": "outputs of more than 21 million bitcoins together",
  "bad-txns-inputs-duplicate": "one output spent twice",
  "bad-cb-length": "a coinbase whose script is not 2 to 100 bytes",
  "bad-txns-prevout-null": "an input that spends nothing",
} as const satisfies Record<string, string>;

export type StructureFault = keyof typeof STRUCTURE_FAULTS;

const MAX_MONEY = 2_100_000_000_000_000n;
const MAX_BLOCK_WEIGHT = 4_000_000;
/** A byte outside of the witnesses weighs as much. */
const WITNESS_SCALE = 4;
const NULL_INDEX = 0xffffffff;

/** The first thing that is wrong with a transaction by itself, in the order in which a node looks, or null. */
export function structureFault(tx: Transaction): StructureFault | null {
  if (tx.ins.length === 0) return "bad-txns-vin-empty";
  if (tx.outs.length === 0) return "bad-txns-vout-empty";
  if (tx.byteLength(false) * WITNESS_SCALE > MAX_BLOCK_WEIGHT) return "bad-txns-oversize";
  return outputsFault(tx) ?? inputsFault(tx);
}

function outputsFault({ outs }: Transaction): StructureFault | null {
  let total = 0n;
  for (const { value } of outs) {
    if (value < 0n) return "bad-txns-vout-negative";
    if (value > MAX_MONEY) return "bad-txns-vout-toolarge";
    total += value;
    if (total > MAX_MONEY) return "bad-txns-txouttotal-toolarge";
  }
  return null;
}

function inputsFault(tx: Transaction): StructureFault | null {
  const outpoints = new Set(tx.ins.map(({ hash, index }) => `${toHex(hash)}:${index}`));
  if (outpoints.size < tx.ins.length) return "bad-txns-inputs-duplicate";
  const [first] = tx.ins;
  if (first !== undefined && tx.ins.length === 1 && spendsNothing(first)) {
    const { length } = first.script;
    return length < 2 || length > 100 ? "bad-cb-length" : null;
  }
  return tx.ins.some(spendsNothing) ? "bad-txns-prevout-null" : null;
}

function spendsNothing({ hash, index }: Transaction["ins"][number]): boolean {
  return index === NULL_INDEX && Transaction.isCoinbaseHash(hash);
}
