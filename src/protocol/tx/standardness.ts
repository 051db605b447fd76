import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { scriptTypeOf } from "../script/known-script.js";
import { isPushOnly } from "../script/interpreter/instruction.js";
import { OP } from "../script/interpreter/opcodes.js";
import { ANNEX_TAG } from "../script/interpreter/taproot.js";
import type { SpentOutput } from "../script/interpreter/verify.js";
import { TRUC_VERSION, TRUC_WEIGHT } from "./spend.js";

/** Why a node does not relay what a block could hold, under the name that Bitcoin Core gives it. */
export type StandardnessFault =
  | { readonly reason: "version" | "tx-size" | "tx-size-small" }
  | { readonly reason: "truc-size"; readonly vsize: number }
  | { readonly reason: "scriptsig-size" | "scriptsig-not-pushonly" | "bad-witness-nonstandard"; readonly input: number }
  | { readonly reason: "scriptpubkey"; readonly output: number }
  | { readonly reason: "dust"; readonly output: number; readonly threshold: bigint };

const MAX_VERSION = 3;
const MAX_WEIGHT = 400_000;
/** In bytes without witnesses: a shorter one could be taken for a node of the block's hash tree. */
const MIN_SIZE = 65;
const MAX_SCRIPT_SIG = 1650;
const MAX_WITNESS_SCRIPT = 3600;
const MAX_WITNESS_ELEMENTS = 100;
const MAX_WITNESS_ELEMENT = 80;

/** Everything that is not standard about a transaction. `fee` in satoshi: one that pays none may have one output of dust, for a child to spend with it. */
export function standardnessFaults(tx: Transaction, spent: readonly SpentOutput[], fee: bigint): readonly StandardnessFault[] {
  return [...formFaults(tx), ...tx.ins.flatMap((_, input) => inputFaults(tx, input, spent[input])), ...outputFaults(tx, fee)];
}

function formFaults(tx: Transaction): readonly StandardnessFault[] {
  const version = tx.version >>> 0;
  return [
    ...(version < 1 || version > MAX_VERSION ? [{ reason: "version" as const }] : []),
    ...(tx.weight() > MAX_WEIGHT ? [{ reason: "tx-size" as const }] : []),
    ...(version === TRUC_VERSION && BigInt(tx.weight()) > TRUC_WEIGHT ? [{ reason: "truc-size" as const, vsize: tx.virtualSize() }] : []),
    ...(tx.byteLength(false) < MIN_SIZE ? [{ reason: "tx-size-small" as const }] : []),
  ];
}

function inputFaults({ ins }: Transaction, input: number, spent: SpentOutput | undefined): readonly StandardnessFault[] {
  const { script, witness } = ins[input] ?? { script: new Uint8Array(0), witness: [] };
  return [
    ...(script.length > MAX_SCRIPT_SIG ? [{ reason: "scriptsig-size" as const, input }] : []),
    ...(isPushOnly(script) ? [] : [{ reason: "scriptsig-not-pushonly" as const, input }]),
    ...(spent === undefined || isStandardWitness(witness, spent.script) ? [] : [{ reason: "bad-witness-nonstandard" as const, input }]),
  ];
}

/** Limits on what a script in a witness takes, and no annex. */
function isStandardWitness(witness: readonly Uint8Array[], lockingScript: Uint8Array): boolean {
  const type = scriptTypeOf(lockingScript);
  const small = (elements: readonly Uint8Array[]) => elements.every(({ length }) => length <= MAX_WITNESS_ELEMENT);
  if (type === "p2wsh") {
    const elements = witness.slice(0, -1);
    return (witness.at(-1)?.length ?? 0) <= MAX_WITNESS_SCRIPT && elements.length <= MAX_WITNESS_ELEMENTS && small(elements);
  }
  if (type === "p2tr") return !(witness.length >= 2 && witness.at(-1)?.[0] === ANNEX_TAG) && small(witness.slice(0, -2));
  return type !== "p2a" || witness.length === 0;
}

/** The feerate at which an output's own spending is reckoned, in sat per 1000 bytes. */
const DUST_FEERATE = 3000n;
/** What spending an output takes besides the output itself, in bytes: with a witness, whose bytes count a quarter, and without one. */
const WITNESS_SPEND_SIZE = 67n;
const PLAIN_SPEND_SIZE = 148n;

/** Below it an output costs more to spend than it holds. */
export function dustThreshold(lockingScript: Uint8Array): bigint {
  if (scriptTypeOf(lockingScript) === "op_return") return 0n;
  const { length } = lockingScript;
  const outputSize = 8n + (length < 0xfd ? 1n : 3n) + BigInt(length);
  return ((outputSize + (isWitnessProgram(lockingScript) ? WITNESS_SPEND_SIZE : PLAIN_SPEND_SIZE)) * DUST_FEERATE) / 1000n;
}

function isWitnessProgram(script: Uint8Array): boolean {
  const [version = 0, size = 0] = script;
  return script.length >= 4 && script.length <= 42 && size + 2 === script.length && (version === 0 || (version >= 0x51 && version <= 0x60));
}

function outputFaults({ outs }: Transaction, fee: bigint): readonly StandardnessFault[] {
  const dust = outs.flatMap(({ script, value }, output) => {
    const threshold = dustThreshold(script);
    return value < threshold ? [{ reason: "dust" as const, output, threshold }] : [];
  });
  const strange = outs.flatMap(({ script }, output) => (isStandardOutput(script) ? [] : [{ reason: "scriptpubkey" as const, output }]));
  return [...strange, ...(fee === 0n && dust.length === 1 ? [] : dust)];
}

function isStandardOutput(script: Uint8Array): boolean {
  switch (scriptTypeOf(script)) {
    case "p2wsh":
    case "p2wpkh":
    case "p2tr":
    case "p2a":
    case "p2pkh":
    case "p2sh":
    case "op_return":
      return true;
    case "bare":
    case "other":
      return isWitnessProgram(script) || isPublicKey(script) || isMultisig(script);
  }
}

function isPublicKey(script: Uint8Array): boolean {
  const [size = 0] = script;
  return (size === 33 || size === 65) && script.length === size + 2 && script.at(-1) === OP.OP_CHECKSIG;
}

/** Bare, of at most three keys. */
function isMultisig(script: Uint8Array): boolean {
  const [first = 0] = script;
  const last = script.at(-2) ?? 0;
  if (script.at(-1) !== OP.OP_CHECKMULTISIG || first < OP.OP_1 || first > last || last > OP.OP_3) return false;
  let keys = 0;
  let at = 1;
  for (; at < script.length - 2; keys++) {
    const size = script[at] ?? 0;
    if (size !== 33 && size !== 65) return false;
    at += size + 1;
  }
  return at === script.length - 2 && keys === last - OP.OP_1 + 1;
}
