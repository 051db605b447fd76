import { type ScriptPubkey, type Txid, equalBytes, fromHex, txid } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { Lock } from "../protocol/script/assemble.js";
import type { Satoshi } from "../protocol/units.js";

/**
 * Where a wallet's unsigned PSBT funds the channel. Every input must be segwit, or signing would change the txid that the commitments spend.
 * Throws: input-psbt, input-psbt-output, input-psbt-legacy-input.
 */
export async function fundingOutputOf(text: string, lock: Lock, amount: Satoshi): Promise<{ readonly txid: Txid; readonly outputIndex: number }> {
  const psbt = await parsePsbt(text);
  const matches = psbt.txOutputs.flatMap(({ script, value }, index) => (equalBytes(script, lock.scriptPubkey) && value === amount ? [index] : []));
  const [outputIndex] = matches;
  if (outputIndex === undefined || matches.length > 1) {
    throw new LnError("input-psbt-output", `the PSBT has ${matches.length} outputs of ${amount} sat to the channel's funding script, not one`, {
      matches: matches.length,
      funding_satoshis: amount.toString(),
    });
  }
  for (const [index, input] of psbt.data.inputs.entries()) {
    const script = input.witnessUtxo?.script as ScriptPubkey | undefined;
    if (script === undefined || !isWitnessProgram(script)) {
      throw new LnError("input-psbt-legacy-input", `input ${index} of the PSBT has no segwit witness_utxo: signing it may change the txid`, {
        input: index,
      });
    }
  }
  const { globalMap } = psbt.data;
  const id = (globalMap.unsignedTx as unknown as { readonly tx: { getHash(): Uint8Array } }).tx.getHash();
  return { txid: txid(id), outputIndex };
}

/** A PSBT of version 0 (BIP 174). The library that reads it is large: only what meets one loads it. Throws: input-psbt. */
export async function parsePsbt(text: string) {
  const { Psbt } = await import("bitcoinjs-lib/src/psbt");
  try {
    return /^(?:[0-9a-f]{2})+$/i.test(text) ? Psbt.fromBuffer(fromHex(text)) : Psbt.fromBase64(text);
  } catch {
    throw new LnError("input-psbt", "not a PSBT in base64 or hex", {});
  }
}

/** A witness version and a program of 2 to 40 bytes (BIP 141). */
function isWitnessProgram(script: ScriptPubkey): boolean {
  const [version = 0, length] = script;
  return (version === 0 || (version >= 0x51 && version <= 0x60)) && length === script.length - 2 && length >= 2 && length <= 40;
}
