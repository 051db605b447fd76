import { taggedHash } from "../../../keys/tagged-hash.js";
import { EMPTY } from "../../assemble.js";
import type { InputContext } from "../input-context.js";
import { compactSize, u32, u64 } from "../serialise.js";
import { hashAll, outpoint, outputParts } from "./midstates.js";
import { SIGHASH, anyoneCanPay } from "./sighash-type.js";

/** The types that exist: DEFAULT, and ALL, NONE and SINGLE with ANYONECANPAY or without. */
const TYPES: readonly number[] = [0, 1, 2, 3, 0x81, 0x82, 0x83];
const KEY_VERSION = 0;

/** The leaf that signs, for a signature in a script. BIP 342 §Common Signature Message Extension. */
export interface LeafExtension {
  readonly hash: Uint8Array;
  readonly codeSeparator: number;
}

/** What a Schnorr signature covers, or null where the type does not exist or SINGLE has no output. BIP 341. */
export function taprootSighash(context: InputContext, type: number, annex: Uint8Array | null, leaf: LeafExtension | null): Uint8Array | null {
  const { tx, index } = context;
  if (!TYPES.includes(type)) return null;
  const output = (type & 3) === SIGHASH.SINGLE ? tx.outs[index] : null;
  if (output === undefined) return null;
  const message = [
    Uint8Array.of(0, type),
    u32(tx.version),
    u32(tx.locktime),
    ...sharedHashes(context, type),
    Uint8Array.of((leaf === null ? 0 : 2) + (annex === null ? 0 : 1)),
    ...ownInput(context, type),
    annex === null ? EMPTY : hashAll([compactSize(annex.length), annex]),
    output === null ? EMPTY : hashAll(outputParts(output)),
    ...(leaf === null ? [] : [leaf.hash, Uint8Array.of(KEY_VERSION), u32(leaf.codeSeparator)]),
  ];
  return taggedHash("TapSighash", ...message);
}

function sharedHashes({ midstates }: InputContext, type: number): readonly Uint8Array[] {
  const inputs = anyoneCanPay(type) ? [] : [midstates.prevouts(), midstates.amounts(), midstates.scripts(), midstates.sequences()];
  const allOutputs = (type & 3) === SIGHASH.ALL || type === SIGHASH.DEFAULT;
  return allOutputs ? [...inputs, midstates.outputs()] : inputs;
}

function ownInput(context: InputContext, type: number): readonly Uint8Array[] {
  const { tx, index, spent } = context;
  if (!anyoneCanPay(type)) return [u32(index)];
  const { amount, script } = spent[index] ?? { amount: 0n, script: EMPTY };
  return [...outpoint(context), u64(amount), compactSize(script.length), script, u32(tx.ins[index]?.sequence ?? 0)];
}
