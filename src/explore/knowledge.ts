import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { sha256 } from "@noble/hashes/sha2.js";
import { fromHex, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { readWitnessSignature } from "../protocol/script/assemble.js";
import type { ClosingTx } from "../protocol/tx/closing-tx.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";
import { parseTransaction } from "../protocol/tx/parse.js";

/** What the adversary has seen, kept outside every channel file. It only grows. */
export interface Knowledge {
  /** Values of 32 bytes in hex: secrets, preimages, hashes, for it does not matter which. */
  readonly values: ReadonlySet<string>;
  /** Compact signatures in hex, the honest side's among them. */
  readonly signatures: ReadonlySet<string>;
  /** Every commitment that the honest side's files determined at some time: the peer knows what is agreed. */
  readonly commitments: readonly Commitment[];
  /** Every mutual close that they offered or signed. */
  readonly closings: readonly ClosingTx[];
  /** What tells it from other knowledge. */
  readonly key: string;
}

export const NOTHING_KNOWN: Knowledge = knowing(new Set(), new Set(), new Map(), new Map());

function knowing(
  values: ReadonlySet<string>,
  signatures: ReadonlySet<string>,
  commitments: ReadonlyMap<string, Commitment>,
  closings: ReadonlyMap<string, ClosingTx>,
): Knowledge {
  const words = [...values, ...signatures, ...commitments.keys(), ...closings.keys()].sort().join();
  return {
    values,
    signatures,
    commitments: [...commitments.values()],
    closings: [...closings.values()],
    key: toHex(sha256(new TextEncoder().encode(words))),
  };
}

export interface Seen {
  /** Anything in JSON that left the honest side: a message, a report. */
  readonly documents?: readonly unknown[];
  readonly transactions?: readonly Transaction[];
  readonly commitments?: readonly Commitment[];
  readonly closings?: readonly ClosingTx[];
}

/** What is known when more has been seen; the same value where nothing is new. */
export function learning(before: Knowledge, { documents = [], transactions = [], commitments = [], closings = [] }: Seen): Knowledge {
  const values = new Set(before.values);
  const signatures = new Set(before.signatures);
  const held = new Map(before.commitments.map((commitment) => [nameOf(commitment), commitment]));
  const learnTransaction = (tx: Transaction): void => {
    for (const element of tx.ins.flatMap(({ witness }) => witness)) {
      if (element.length === 32) values.add(toHex(element));
      const read = readWitnessSignature(element);
      if (read !== null) signatures.add(toHex(read.signature));
    }
  };
  for (const text of documents.flatMap(textsIn)) {
    if (text.length === 64) values.add(text);
    else if (text.length === 128) signatures.add(text);
    else if (text.length > 128) transactionsIn(text).forEach(learnTransaction);
  }
  transactions.forEach(learnTransaction);
  for (const commitment of commitments) held.set(nameOf(commitment), commitment);
  const closes = new Map([...before.closings, ...closings].map((closing) => [`close ${toHex(closing.txid)}`, closing]));
  const known = before.values.size + before.signatures.size + before.commitments.length + before.closings.length;
  const grown = values.size + signatures.size + held.size + closes.size > known;
  return grown ? knowing(values, signatures, held, closes) : before;
}

/** A commitment by the bytes that are signed. */
const nameOf = ({ txid, terms }: Commitment): string => `${terms.owner} ${toHex(txid)}`;

/** Every text in a document that is bytes in hex. */
function textsIn(document: unknown): readonly string[] {
  if (typeof document === "string") return /^(?:[0-9a-f]{2})+$/.test(document) ? [document] : [];
  if (typeof document !== "object" || document === null) return [];
  return Object.entries(document).flatMap(([name, value]) => (name === "wire" ? [] : textsIn(value)));
}

function transactionsIn(hex: string): readonly Transaction[] {
  try {
    return [parseTransaction(fromHex(hex))];
  } catch (error) {
    if (error instanceof LnError) return [];
    throw error;
  }
}
