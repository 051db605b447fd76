import { Transaction } from "bitcoinjs-lib/src/transaction";
import type { Txid } from "../bytes.js";
import { EMPTY } from "../script/assemble.js";
import type { Lock } from "../script/assemble.js";
import type { Satoshi } from "../units.js";

interface Parts {
  readonly version: number;
  readonly locktime: number;
  readonly input: { readonly txid: Txid; readonly outputIndex: number; readonly sequence: number };
  readonly outputs: readonly { readonly lock: Lock; readonly amount: Satoshi }[];
}

/** A transaction with one input, of parts that are of the right kind already: bitcoinjs-lib would check each again, which takes longer than signing. */
export function unsignedTx({ version, locktime, input: { txid, outputIndex, sequence }, outputs }: Parts): Transaction {
  const tx = new Transaction();
  tx.version = version;
  tx.locktime = locktime;
  tx.ins.push({ hash: txid, index: outputIndex, script: EMPTY, sequence, witness: [] });
  for (const { lock, amount } of outputs) tx.outs.push({ script: lock.scriptPubkey, value: amount });
  return tx;
}
