import { Transaction } from "bitcoinjs-lib/src/transaction";
import { equalBytes } from "../bytes.js";
import { LnError } from "../errors.js";

/** A serialised transaction, with witnesses or without. Throws: tx-not-parsed where the bytes are not exactly one. */
export function parseTransaction(bytes: Uint8Array): Transaction {
  let tx: Transaction;
  try {
    tx = Transaction.fromBuffer(bytes);
  } catch {
    throw new LnError("tx-not-parsed", `${bytes.length} bytes are no transaction`, { bytes: bytes.length });
  }
  if (!equalBytes(tx.toBuffer(), bytes)) {
    throw new LnError("tx-not-parsed", "the transaction is not in its own serialisation", { bytes: bytes.length });
  }
  return tx;
}
