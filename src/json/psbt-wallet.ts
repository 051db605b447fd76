import { type ScriptPubkey, type Txid, fromHex, scriptPubkey, txid } from "../protocol/bytes.js";
import type { Chain } from "../protocol/channel/params.js";
import { LnError } from "../protocol/errors.js";
import type { WalletCoin } from "../protocol/tx/bump.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import { walletInput } from "../protocol/tx/wallet.js";
import { type Satoshi, sat } from "../protocol/units.js";
import { scriptOfAddress } from "./address.js";
import { parsePsbt } from "./psbt.js";
import type { DescribedWalletInput } from "./psbt-plan.js";

/** A wallet's output with what its PSBT says of it. */
export type DescribedCoin = WalletCoin & DescribedWalletInput;

/** A wallet's output as named on a command line. */
export interface NamedCoin {
  readonly txid: Txid;
  readonly outputIndex: number;
  readonly amount: Satoshi;
  /** An address, or the script in hex. */
  readonly lock: string;
}

/** Throws: input-address, tx-wallet-script. */
export async function namedCoin({ lock, amount, ...at }: NamedCoin, chain: Chain): Promise<DescribedCoin> {
  const script = /^(?:[0-9a-f]{2})+$/i.test(lock) ? scriptPubkey(fromHex(lock)) : await scriptOfAddress(lock, chain);
  return { ...at, ...walletInput(amount, script), fields: { witnessUtxo: { script, value: amount } } };
}

/**
 * The inputs of a wallet's PSBT, with all that it says of them but signatures, which would be of another transaction. Its outputs are passed over.
 * Throws: input-psbt, input-psbt-legacy-input, tx-wallet-script.
 */
export async function coinsOfPsbt(text: string): Promise<readonly DescribedCoin[]> {
  const psbt = await parsePsbt(text);
  return psbt.txInputs.map(({ hash, index }, at) => {
    const fields = withoutSignatures(psbt.data.inputs[at] ?? {});
    const { value, script } = spentOutput(fields.witnessUtxo, fields.nonWitnessUtxo, index, at);
    return { txid: txid(hash), outputIndex: index, ...walletInput(sat(value), script), fields };
  });
}

/** What a signer adds, and only it. */
const SIGNATURES: readonly string[] = ["partialSig", "finalScriptSig", "finalScriptWitness", "tapKeySig", "tapScriptSig"];

function withoutSignatures(fields: DescribedWalletInput["fields"]): DescribedWalletInput["fields"] {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !SIGNATURES.includes(name)));
}

interface Utxo {
  readonly value: bigint;
  readonly script: ScriptPubkey;
}

/** Throws: input-psbt-legacy-input. */
function spentOutput(
  witnessUtxo: { value: bigint; script: Uint8Array } | undefined,
  parent: Uint8Array | undefined,
  index: number,
  input: number,
): Utxo {
  const found = witnessUtxo ?? (parent === undefined ? undefined : parseTransaction(parent).outs[index]);
  if (found !== undefined) return { value: found.value, script: scriptPubkey(found.script) };
  throw new LnError("input-psbt-legacy-input", `input ${input} of the PSBT does not say what it spends`, { input });
}

/** A transaction that a PSBT is of, with the amounts that it tells. Throws: input-psbt. */
export async function transactionOfPsbt(text: string) {
  const psbt = await parsePsbt(text);
  const tx = parseTransaction(psbt.data.getTransaction());
  const amounts = psbt.data.inputs.map(({ witnessUtxo }) => (witnessUtxo === undefined ? null : sat(witnessUtxo.value)));
  return { tx, amounts };
}
