import { sha256 } from "@noble/hashes/sha2.js";
import type { InputContext } from "../input-context.js";
import { compactSize, u32, u64 } from "../serialise.js";
import { hashAll, outpoint, outputParts } from "./midstates.js";
import { SIGHASH, anyoneCanPay, outputsCovered } from "./sighash-type.js";

const ZERO = new Uint8Array(32);

/** What a signature in a version 0 witness covers. `type` is 32 bits. BIP 143. */
export function witnessV0Sighash(context: InputContext, scriptCode: Uint8Array, type: number): Uint8Array {
  const { tx, index, spent, midstates } = context;
  const covered = outputsCovered(type);
  const all = covered !== SIGHASH.NONE && covered !== SIGHASH.SINGLE;
  const message = [
    u32(tx.version),
    anyoneCanPay(type) ? ZERO : sha256(midstates.prevouts()),
    anyoneCanPay(type) || !all ? ZERO : sha256(midstates.sequences()),
    ...outpoint(context),
    compactSize(scriptCode.length),
    scriptCode,
    u64(spent[index]?.amount ?? 0n),
    u32(tx.ins[index]?.sequence ?? 0),
    all ? sha256(midstates.outputs()) : covered === SIGHASH.SINGLE ? singleOutput(context) : ZERO,
    u32(tx.locktime),
    u32(type),
  ];
  return sha256(hashAll(message));
}

/** Zero where no output stands beside the input. */
function singleOutput({ tx, index }: InputContext): Uint8Array {
  const output = tx.outs[index];
  return output === undefined ? ZERO : sha256(hashAll(outputParts(output)));
}
