import { sha256 } from "@noble/hashes/sha2.js";
import { EMPTY } from "../../assemble.js";
import type { InputContext } from "../input-context.js";
import { instructionAt } from "../instruction.js";
import { OP } from "../opcodes.js";
import { compactSize, u32 } from "../serialise.js";
import { hashAll, outputParts } from "./midstates.js";
import { SIGHASH, anyoneCanPay, outputsCovered } from "./sighash-type.js";

/** What SINGLE signs where no output stands beside its input: the number 1, little-endian, which is good for every transaction. */
const SINGLE_BUG = Uint8Array.of(1, ...new Uint8Array(31));
const NO_VALUE = 2n ** 64n - 1n;

/**
 * What a signature outside of witnesses covers: the transaction with its scripts blanked but for the code, hashed twice.
 * `scriptCode` begins behind the last OP_CODESEPARATOR; those that follow are left out here. `type` is 32 bits.
 */
export function legacySighash({ tx, index }: InputContext, scriptCode: Uint8Array, type: number): Uint8Array {
  const covered = outputsCovered(type);
  if (covered === SIGHASH.SINGLE && index >= tx.outs.length) return SINGLE_BUG;
  const code = withoutCodeSeparators(scriptCode);
  const inputs = tx.ins.flatMap(({ hash, index: output, sequence }, at) => {
    if (at !== index && anyoneCanPay(type)) return [];
    const script = at === index ? code : EMPTY;
    const blankSequence = at !== index && (covered === SIGHASH.NONE || covered === SIGHASH.SINGLE);
    return [hash, u32(output), compactSize(script.length), script, u32(blankSequence ? 0 : sequence)];
  });
  const outputs = coveredOutputs(tx.outs, index, covered);
  return sha256(
    hashAll([
      u32(tx.version),
      compactSize(anyoneCanPay(type) ? 1 : tx.ins.length),
      ...inputs,
      compactSize(outputs.length),
      ...outputs.flatMap(outputParts),
      u32(tx.locktime),
      u32(type),
    ]),
  );
}

type Output = InputContext["tx"]["outs"][number];

function coveredOutputs(outputs: readonly Output[], index: number, covered: number): readonly Output[] {
  if (covered === SIGHASH.NONE) return [];
  if (covered !== SIGHASH.SINGLE) return outputs;
  return outputs.slice(0, index + 1).map((output, at) => (at === index ? output : { value: NO_VALUE, script: EMPTY }));
}

function withoutCodeSeparators(script: Uint8Array): Uint8Array {
  const kept: number[] = [];
  let from = 0;
  for (let at = 0; at < script.length;) {
    const instruction = instructionAt(script, at);
    if (instruction === null) break;
    if (instruction.opcode === OP.OP_CODESEPARATOR) {
      kept.push(...script.subarray(from, at));
      from = instruction.end;
    }
    at = instruction.end;
  }
  return from === 0 ? script : Uint8Array.from([...kept, ...script.subarray(from)]);
}
