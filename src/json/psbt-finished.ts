import { toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import type { SpentOutput } from "../protocol/script/interpreter/verify.js";
import { parsePsbt } from "./psbt.js";

/** The transaction of a PSBT whose inputs are all finalised, and what it says that each input spends. Throws: input-psbt, input-psbt-unsigned. */
export async function finishedPsbt(text: string): Promise<{ readonly hex: string; readonly spent: readonly (SpentOutput | null)[] }> {
  const psbt = await parsePsbt(text);
  const open = psbt.data.inputs.findIndex((input) => input.finalScriptSig === undefined && input.finalScriptWitness === undefined);
  if (open >= 0) throw new LnError("input-psbt-unsigned", `input ${open} of the PSBT is not finalised`, { input: open });
  const spent = psbt.data.inputs.map((input, at): SpentOutput | null => {
    if (input.witnessUtxo !== undefined) return { script: input.witnessUtxo.script, amount: input.witnessUtxo.value };
    const output = input.nonWitnessUtxo === undefined ? undefined : parseTransaction(input.nonWitnessUtxo).outs[psbt.txInputs[at]?.index ?? 0];
    return output === undefined ? null : { script: output.script, amount: output.value };
  });
  // The fee is judged by what is known of the outputs spent, not by the PSBT's word
  return { hex: toHex(psbt.extractTransaction(true).toBuffer()), spent };
}
