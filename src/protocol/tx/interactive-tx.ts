import { Transaction } from "bitcoinjs-lib/src/transaction";
import type { ScriptPubkey, Txid } from "../bytes.js";
import { EMPTY, type Witness } from "../script/assemble.js";
import { compactSize, compactSizeLength } from "../script/interpreter/serialise.js";
import { concat } from "../bytes.js";
import { type Satoshi, type Weight, weight } from "../units.js";

/** What one side adds with `tx_add_input`. BOLT 2 §The `tx_add_input` Message. */
export interface AddedInput {
  readonly serialId: bigint;
  readonly txid: Txid;
  readonly outputIndex: number;
  readonly sequence: number;
}

/** What one side adds with `tx_add_output`. BOLT 2 §The `tx_add_output` Message. */
export interface AddedOutput {
  readonly serialId: bigint;
  readonly amount: Satoshi;
  readonly script: ScriptPubkey;
}

/** The transaction that two sides have put together: inputs and outputs in the order of their serial ids. BOLT 2 §Interactive Transaction Construction. */
export function buildInteractiveTx(locktime: number, inputs: readonly AddedInput[], outputs: readonly AddedOutput[]): Transaction {
  const tx = new Transaction();
  tx.version = 2;
  tx.locktime = locktime;
  for (const { txid, outputIndex, sequence } of bySerialId(inputs)) tx.addInput(txid, outputIndex, sequence, EMPTY);
  for (const { amount, script } of bySerialId(outputs)) tx.addOutput(script, amount);
  return tx;
}

export function bySerialId<T extends { readonly serialId: bigint }>(added: readonly T[]): readonly T[] {
  return added.toSorted((a, b) => (a.serialId < b.serialId ? -1 : Number(a.serialId > b.serialId)));
}

/** Version, both counts and locktime; then marker and flag. BOLT 3 §Expected Weight of the Funding Transaction (v2 Channel Establishment). */
const COMMON_WEIGHT = 4 * 10 + 2;
/** Outpoint, the length of an empty script, nSequence. BOLT 3 §Expected Weight of the Funding Transaction (v2 Channel Establishment). */
const INPUT_WEIGHT = 4 * 41;
/** The least that a witness is reckoned with: P2WPKH's. BOLT 3 §Appendix G: Dual Funded Transaction Test Vectors. */
const MINIMUM_WITNESS_WEIGHT = 107;

/** What one side adds, and pays for. */
export interface Contribution {
  /** Whether it pays for what belongs to neither, too. */
  readonly initiator: boolean;
  readonly witnesses: readonly Witness[];
  /** The scripts of its outputs; the initiator's include the funding output's. */
  readonly outputs: readonly ScriptPubkey[];
}

/** The weight that one side pays for. BOLT 3 §Appendix G: Dual Funded Transaction Test Vectors. */
export function contributionWeight({ initiator, witnesses, outputs }: Contribution): Weight {
  const outputBytes = outputs.reduce((sum, { length }) => sum + 8 + compactSizeLength(length) + length, 0);
  const witnessBytes = witnesses.reduce((sum, witness) => sum + serialiseWitness(witness).length, 0);
  const parts = [
    initiator ? COMMON_WEIGHT : 0,
    INPUT_WEIGHT * witnesses.length,
    4 * outputBytes,
    Math.max(MINIMUM_WITNESS_WEIGHT * witnesses.length, witnessBytes),
  ];
  return weight(BigInt(parts.reduce((sum, part) => sum + part, 0)));
}

/** A witness as a transaction holds it, and as `tx_signatures` sends it. BOLT 2 §The `tx_signatures` Message. */
export function serialiseWitness(witness: Witness): Uint8Array {
  return concat(compactSize(witness.length), ...witness.flatMap((element) => [compactSize(element.length), element]));
}
