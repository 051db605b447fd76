import { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Point, type ScriptPubkey, type Signature, type Txid, bytes32, scriptPubkey } from "../bytes.js";
import { LnError } from "../errors.js";
import { publicKey } from "../keys/derivation.js";
import { type Lock, OPS, assemble, hash160, p2wpkh, witnessSignature } from "../script/assemble.js";
import type { Secret32 } from "../secret.js";
import { type FeeratePerKw, type Satoshi, feeAtLeast, sat } from "../units.js";
import { SIGHASH_ALL } from "./format.js";
import { LONGEST_SIGNATURE } from "./plan.js";
import { signHash, txWeight } from "./sign.js";
import { dustThreshold } from "./spend.js";

/** Pay to the hash of one public key, as before segregated witness. */
export function p2pkhScript(pubkey: Point): ScriptPubkey {
  return scriptPubkey(assemble([OPS.OP_DUP, OPS.OP_HASH160, hash160(pubkey), OPS.OP_EQUALVERIFY, OPS.OP_CHECKSIG]));
}

/** What a funding transaction is made of. */
export interface FundingPlan {
  /** A P2PKH output and, secret, the key that it pays to. Change goes to P2WPKH of the same key. */
  readonly input: { readonly txid: Txid; readonly outputIndex: number; readonly amount: Satoshi; readonly secret: Secret32 };
  readonly funding: { readonly lock: Lock; readonly amount: Satoshi };
  /** Where among the two outputs the funding output stands. */
  readonly fundingOutputIndex: 0 | 1;
  readonly feerate: FeeratePerKw;
}

/** A signed funding transaction with one input and change. */
export interface FundingTx {
  readonly tx: Transaction;
  readonly fee: Satoshi;
  readonly change: Satoshi;
}

/**
 * The transaction that opens a channel, paid from one P2PKH output; the fee is reckoned with a signature of the largest size.
 * Its own input is no segregated witness, as in BOLT 3's example: fine for a vector, but its txid can then change until it is confirmed.
 * BOLT 3 §Funding Transaction Output. Throws: key-secret-range, tx-output-dust.
 */
export function buildFundingTx({ input, funding, fundingOutputIndex, feerate }: FundingPlan): FundingTx {
  const pubkey = publicKey(input.secret);
  const changeScript = p2wpkh(pubkey).scriptPubkey;
  const tx = new Transaction();
  tx.version = 2;
  tx.addInput(input.txid, input.outputIndex);
  const outputs = [
    { script: funding.lock.scriptPubkey, amount: funding.amount },
    { script: changeScript, amount: sat(0n) },
  ];
  if (fundingOutputIndex === 1) outputs.reverse();
  for (const { script, amount } of outputs) tx.addOutput(script, amount);

  const scriptSig = (signature: Signature): Uint8Array => assemble([witnessSignature(signature, SIGHASH_ALL), pubkey]);
  tx.setInputScript(0, scriptSig(LONGEST_SIGNATURE));
  const fee = feeAtLeast(feerate, txWeight(tx));
  const change = sat(input.amount - funding.amount - fee);
  if (change < dustThreshold(changeScript)) {
    throw new LnError(
      "tx-output-dust",
      `${input.amount} sat less ${funding.amount} sat of funding and ${fee} sat of fee leave ${change} sat of change`,
      {
        inputs_sat: input.amount.toString(),
        funding_sat: funding.amount.toString(),
        fee_sat: fee.toString(),
      },
    );
  }
  const changeOutput = tx.outs[1 - fundingOutputIndex];
  if (changeOutput !== undefined) changeOutput.value = change;

  const hash = bytes32(tx.hashForSignature(0, p2pkhScript(pubkey), SIGHASH_ALL));
  tx.setInputScript(0, scriptSig(signHash(hash, input.secret)));
  return { tx, fee, change };
}
