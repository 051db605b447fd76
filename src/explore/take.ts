import { Transaction } from "bitcoinjs-lib/src/transaction";
import { fromHex, reversed } from "../protocol/bytes.js";
import { publicKey } from "../protocol/keys/derivation.js";
import { EMPTY, ONE, witnessSignature } from "../protocol/script/assemble.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import { sighash, signHash } from "../protocol/tx/sign.js";
import { sat } from "../protocol/units.js";
import type { Coin } from "./chain.js";
import type { Way } from "./keyring.js";

/** nSequence that asks for nothing but leaves nLockTime in force. */
const SEQUENCE_NO_DELAY = 0xfffffffe;

/**
 * A transaction that takes one coin whole to one script, without a fee: its maker is not the honest side, so it is made here and not by what the
 * commands are made of. Secret in: the way's.
 */
export function take(coin: Coin, { path, lock, secret, preimage }: Way, to: Uint8Array): Transaction {
  const tx = new Transaction();
  tx.version = 2;
  tx.locktime = typeof path.cltv === "number" ? path.cltv : 0;
  const delay = path.csv ?? 0;
  tx.addInput(reversed(fromHex(coin.txid)), coin.index, delay > 0 ? delay : SEQUENCE_NO_DELAY);
  tx.addOutput(to, coin.amount);
  const elements = path.witness.map(({ form }): Uint8Array => {
    switch (form) {
      case "signature":
        return secret === null
          ? EMPTY
          : witnessSignature(signHash(sighash(tx, 0, { lock, amount: sat(coin.amount) }, SIGHASH_ALL), secret), SIGHASH_ALL);
      case "empty":
      case "dummy":
        return EMPTY;
      case "one":
        return ONE;
      case "preimage":
        return preimage ?? EMPTY;
      case "pubkey":
        return secret === null ? EMPTY : publicKey(secret);
    }
  });
  tx.setWitness(0, lock.kind === "p2wsh" ? [...elements, lock.witnessScript] : elements);
  return tx;
}
