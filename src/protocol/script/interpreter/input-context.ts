import type { Transaction } from "bitcoinjs-lib/src/transaction";
import type { Midstates } from "./sighash/midstates.js";

/** An output as the chain holds it. */
export interface SpentOutput {
  readonly script: Uint8Array;
  /** In satoshi. */
  readonly amount: bigint;
}

/** The input that a script runs for. */
export interface InputContext {
  readonly tx: Transaction;
  readonly index: number;
  readonly spent: readonly SpentOutput[];
  readonly midstates: Midstates;
}
