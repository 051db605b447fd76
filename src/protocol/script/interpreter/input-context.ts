import type { Transaction } from "bitcoinjs-lib/src/transaction";

/** An output as the chain holds it. */
export interface SpentOutput {
  readonly script: Uint8Array;
  /** In satoshi. */
  readonly amount: bigint;
}

/** The hashes (single SHA256) that all inputs of a transaction share: each is made once, when the first signature asks for it (BIP 143, BIP 341). */
export interface Midstates {
  readonly prevouts: () => Uint8Array;
  readonly sequences: () => Uint8Array;
  readonly outputs: () => Uint8Array;
  readonly amounts: () => Uint8Array;
  readonly scripts: () => Uint8Array;
}

/** The input that a script runs for. */
export interface InputContext {
  readonly tx: Transaction;
  readonly index: number;
  readonly spent: readonly SpentOutput[];
  readonly midstates: Midstates;
}
