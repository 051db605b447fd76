import { sha256 } from "@noble/hashes/sha2.js";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { concat } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { parseTransaction } from "../protocol/tx/parse.js";

/** A block's header has 80 bytes; one more counts its transactions, as long as they are few. */
const HEADER = 80;
const FIRST_TRANSACTION = HEADER + 1;
/** Where the header names the block before and, behind that, what its transactions hash to: 32 bytes each. */
const PREVIOUS = 4;
const AFTER_HASHES = 68;

/** The one transaction of a block. Throws: tx-not-parsed. */
export function firstTransaction(block: Uint8Array, path: string): Transaction {
  try {
    return parseTransaction(block.subarray(FIRST_TRANSACTION));
  } catch {
    throw new LnError("tx-not-parsed", `${path}: no block with one transaction`, { path });
  }
}

/** The block with the two hashes in its header made again: that of the block before, null for the first of a chain, and that of its one transaction. */
export function withOwnHashes(block: Uint8Array, previous: Uint8Array | null, only: Transaction): Uint8Array {
  const before = previous === null ? new Uint8Array(32) : sha256(sha256(previous.subarray(0, HEADER)));
  return concat(block.subarray(0, PREVIOUS), before, only.getHash(), block.subarray(AFTER_HASHES));
}
