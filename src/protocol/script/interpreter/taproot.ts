import { isTweakedKey } from "../../keys/schnorr.js";
import { instructionAt } from "./instruction.js";
import { OP } from "./opcodes.js";
import { fail } from "./script-error.js";
import { branchHash, leafHash, tapTweak } from "../tap-tree.js";

/** The first byte of an annex (BIP 341). */
export const ANNEX_TAG = 0x50;

const CONTROL_BASE = 33;
const CONTROL_NODE = 32;
const MAX_DEPTH = 128;

/** The leaf's version and hash that a control block leads from the script to the output's key. Throws: ScriptFailure. BIP 341. */
export function committedLeaf(
  control: Uint8Array,
  script: Uint8Array,
  outputKey: Uint8Array,
): { readonly version: number; readonly hash: Uint8Array } {
  const nodes = (control.length - CONTROL_BASE) / CONTROL_NODE;
  if (!Number.isInteger(nodes) || nodes < 0 || nodes > MAX_DEPTH) fail("TAPROOT_WRONG_CONTROL_SIZE");
  const [first = 0] = control;
  const version = first & 0xfe;
  const hash = leafHash(version, script);
  let root = hash;
  for (let at = CONTROL_BASE; at < control.length; at += CONTROL_NODE) root = branchHash(root, control.subarray(at, at + CONTROL_NODE));
  const internalKey = control.subarray(1, CONTROL_BASE);
  if (!isTweakedKey(outputKey, (first & 1) === 1, internalKey, tapTweak(internalKey, root))) fail("WITNESS_PROGRAM_MISMATCH");
  return { version, hash };
}

/** Whether a tapscript holds an opcode that makes everything good, whatever stands around it. Throws: ScriptFailure where it is cut short before one. BIP 342. */
export function holdsOpSuccess(script: Uint8Array): boolean {
  for (let at = 0; at < script.length;) {
    const instruction = instructionAt(script, at) ?? fail("BAD_OPCODE");
    if (isOpSuccess(instruction.opcode)) return true;
    at = instruction.end;
  }
  return false;
}

function isOpSuccess(opcode: number): boolean {
  const within = (first: number, last: number) => opcode >= first && opcode <= last;
  return (
    opcode === OP.OP_RESERVED ||
    opcode === OP.OP_VER ||
    within(OP.OP_CAT, OP.OP_RIGHT) ||
    within(OP.OP_INVERT, OP.OP_XOR) ||
    within(OP.OP_RESERVED1, OP.OP_RESERVED2) ||
    within(OP.OP_2MUL, OP.OP_2DIV) ||
    within(OP.OP_MUL, OP.OP_RSHIFT) ||
    within(OP.OP_CHECKSIGADD + 1, 254)
  );
}
