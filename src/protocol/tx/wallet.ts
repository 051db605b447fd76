import { schnorr } from "@noble/curves/secp256k1.js";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type ScriptPubkey, equalBytes, bytes32, point, toHex } from "../bytes.js";
import { LnError } from "../errors.js";
import { type Witness, p2wpkh, readWitnessSignature, witnessSignature } from "../script/assemble.js";
import type { Satoshi } from "../units.js";
import { SIGHASH_ALL } from "./format.js";
import { LONGEST_SIGNATURE, type OwnInput, type WalletInput, scriptOf } from "./plan.js";
import { sighash, verifyHash } from "./sign.js";

/** BIP 341: a signature over everything that says so by having no sighash byte. */
const SIGHASH_DEFAULT = 0x00;
const SCHNORR_BYTES = 64;

type WalletLock = "p2wpkh" | "p2tr";

/**
 * A wallet's input: pay-to-witness-public-key-hash (BIP 141), or pay-to-taproot spent by its key (BIP 341). Of others neither the size nor the
 * signature is ours to know. Throws: tx-wallet-script.
 */
export function walletInput(amount: Satoshi, scriptPubkey: ScriptPubkey): WalletInput {
  switch (requireLock(scriptPubkey)) {
    case "p2wpkh":
      return { amount, scriptPubkey, largestWitness: [witnessSignature(LONGEST_SIGNATURE, SIGHASH_ALL), new Uint8Array(33)] };
    case "p2tr":
      return { amount, scriptPubkey, largestWitness: [new Uint8Array(SCHNORR_BYTES + 1)] };
  }
}

function requireLock(script: ScriptPubkey): WalletLock {
  if (script.length === 22 && script[0] === 0x00 && script[1] === 20) return "p2wpkh";
  if (script.length === 34 && script[0] === 0x51 && script[1] === 32) return "p2tr";
  throw new LnError("tx-wallet-script", `a wallet's input is locked by P2WPKH or by P2TR, not by ${toHex(script)}`, { script_pubkey: toHex(script) });
}

/** Whether a wallet's witness is good: the right shape, and a signature over the whole transaction. `inputs` are all of the transaction's. */
export function isGoodWalletWitness(
  unsigned: Transaction,
  index: number,
  inputs: readonly (OwnInput | WalletInput)[],
  { amount, scriptPubkey }: WalletInput,
  witness: Witness,
): boolean {
  const [first, second] = witness;
  switch (requireLock(scriptPubkey)) {
    case "p2wpkh": {
      if (first === undefined || second?.length !== 33 || witness.length !== 2 || (second[0] !== 2 && second[0] !== 3)) return false;
      const lock = p2wpkh(point(second));
      const read = readWitnessSignature(first);
      if (read?.sighashType !== SIGHASH_ALL || !equalBytes(lock.scriptPubkey, scriptPubkey)) return false;
      return verifyHash(sighash(unsigned, index, { lock, amount }, SIGHASH_ALL), point(second), read.signature);
    }
    case "p2tr": {
      if (first === undefined || witness.length !== 1) return false;
      const type = first[SCHNORR_BYTES] ?? SIGHASH_DEFAULT;
      if (first.length !== (type === SIGHASH_ALL ? SCHNORR_BYTES + 1 : SCHNORR_BYTES)) return false;
      const scripts = inputs.map(scriptOf);
      const amounts = inputs.map((input) => input.amount);
      const hash = bytes32(unsigned.hashForWitnessV1(index, scripts, amounts, type));
      return schnorr.verify(first.subarray(0, SCHNORR_BYTES), hash, scriptPubkey.subarray(2));
    }
  }
}
