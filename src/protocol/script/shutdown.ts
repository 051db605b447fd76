import { scriptTypeOf } from "./known-script.js";

/** What a mutual close may pay to. BOLT 2 §Closing Initiation: `shutdown`. */
export type ShutdownForm = "p2wpkh" | "p2wsh" | "later_segwit" | "op_return" | "p2pkh" | "p2sh";

const OP_RETURN = 0x6a;
const OP_PUSHDATA1 = 76;

/** The form of a script; null where it has none that a mutual close may pay to. BOLT 2 §Closing Initiation: `shutdown`. */
export function shutdownForm(script: Uint8Array): ShutdownForm | null {
  const type = scriptTypeOf(script);
  if (type === "p2wpkh" || type === "p2wsh" || type === "p2pkh" || type === "p2sh") return type;
  if (isLaterSegwit(script)) return "later_segwit";
  return isPlainReturn(script) ? "op_return" : null;
}

/** Witness program of version 1 to 16, 2 to 40 bytes in a single push. */
function isLaterSegwit(script: Uint8Array): boolean {
  const [version = 0, length = 0] = script;
  return version >= 0x51 && version <= 0x60 && length >= 2 && length <= 40 && script.length === 2 + length;
}

/** OP_RETURN and one push of 6 to 75 bytes, or of 76 to 80 by OP_PUSHDATA1. */
function isPlainReturn(script: Uint8Array): boolean {
  const [opcode, push = 0, length = 0] = script;
  if (opcode !== OP_RETURN) return false;
  if (push === OP_PUSHDATA1) return length >= 76 && length <= 80 && script.length === 3 + length;
  return push >= 6 && push <= 75 && script.length === 2 + push;
}

/** Such an output holds nothing, and is never dust. BOLT 3 §Closing Transaction. */
export function isReturn(script: Uint8Array): boolean {
  return script[0] === OP_RETURN;
}
