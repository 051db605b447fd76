import { OP } from "./opcodes.js";

/** One element of a script: an opcode, and the data where it pushes any. OP_0 pushes the empty string, OP_1 to OP_16 and OP_1NEGATE are operations. */
export interface Instruction {
  readonly opcode: number;
  readonly data: Uint8Array | null;
  /** Where the next one begins. */
  readonly end: number;
}

/** The element that begins at `offset`, or null where the script ends within it. */
export function instructionAt(script: Uint8Array, offset: number): Instruction | null {
  const opcode = script[offset];
  if (opcode === undefined) return null;
  if (opcode > OP.OP_PUSHDATA4) return { opcode, data: null, end: offset + 1 };
  const lengthBytes = opcode < OP.OP_PUSHDATA1 ? 0 : 1 << (opcode - OP.OP_PUSHDATA1);
  const start = offset + 1 + lengthBytes;
  if (start > script.length) return null;
  const size = lengthBytes === 0 ? opcode : littleEndian(script, offset + 1, lengthBytes);
  const end = start + size;
  return end > script.length ? null : { opcode, data: script.subarray(start, end), end };
}

function littleEndian(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let at = length - 1; at >= 0; at--) value = value * 256 + (bytes[offset + at] ?? 0);
  return value;
}

/** Whether a push could not have been written shorter. */
export function isMinimalPush(opcode: number, data: Uint8Array): boolean {
  const [first] = data;
  if (first === undefined) return opcode === OP.OP_0;
  if (data.length === 1 && ((first >= 1 && first <= 16) || first === 0x81)) return false;
  if (data.length < OP.OP_PUSHDATA1) return opcode === data.length;
  if (data.length <= 0xff) return opcode === OP.OP_PUSHDATA1;
  return data.length > 0xffff || opcode === OP.OP_PUSHDATA2;
}

/** Whether a script holds pushes alone; OP_RESERVED counts as one. */
export function isPushOnly(script: Uint8Array): boolean {
  for (let at = 0; at < script.length;) {
    const instruction = instructionAt(script, at);
    if (instruction === null || instruction.opcode > OP.OP_16) return false;
    at = instruction.end;
  }
  return true;
}

/** A push of `data` by its length, never as OP_1 to OP_16. */
export function lengthPush(data: Uint8Array): Uint8Array {
  const size = data.length;
  if (size < OP.OP_PUSHDATA1) return Uint8Array.of(size, ...data);
  if (size <= 0xff) return Uint8Array.of(OP.OP_PUSHDATA1, size, ...data);
  return Uint8Array.of(OP.OP_PUSHDATA2, size, size >>> 8, ...data);
}
