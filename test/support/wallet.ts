import { schnorr } from "@noble/curves/secp256k1.js";
import { Psbt } from "bitcoinjs-lib/src/psbt";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { bytes32, concat, equalBytes, scriptPubkey } from "../../src/protocol/bytes.js";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import { p2wpkh } from "../../src/protocol/script/assemble.js";
import { signHash } from "../../src/protocol/tx/sign.js";
import { secretOf } from "../protocol/channels.js";

/** Somebody's wallet, with one key. */
export const WALLET = secretOf("wallet");
export const WALLET_LOCK = p2wpkh(publicKey(WALLET));
export const TAPROOT = scriptPubkey(concat(Uint8Array.of(0x51, 32), schnorr.getPublicKey(WALLET.reveal())));

/** Signs what is locked to its key, and leaves the rest. */
export function walletSigns(text: string): string {
  const psbt = Psbt.fromBase64(text);
  const spent = psbt.data.inputs.map(({ witnessUtxo }) => witnessUtxo!);
  const tx = Transaction.fromBuffer(psbt.data.getTransaction());
  for (const [at, { script }] of spent.entries()) {
    if (equalBytes(script, WALLET_LOCK.scriptPubkey))
      psbt.signInput(at, { publicKey: publicKey(WALLET), sign: (hash) => signHash(bytes32(hash), WALLET) });
    if (!equalBytes(script, TAPROOT)) continue;
    const hash = tx.hashForWitnessV1(
      at,
      spent.map((one) => one.script),
      spent.map((one) => one.value),
      0,
    );
    psbt.data.inputs[at]!.tapKeySig = schnorr.sign(hash, WALLET.reveal(), new Uint8Array(32));
  }
  return psbt.toBase64();
}
