import { concat, fromHex } from "../../../../src/protocol/bytes.js";
import { lengthPush } from "../../../../src/protocol/script/interpreter/instruction.js";
import { OP } from "../../../../src/protocol/script/interpreter/opcodes.js";

const OPCODES: Readonly<Record<string, number>> = OP;

/** A script as Bitcoin Core's test data writes it: numbers, 'text', 0x and bytes as they are, opcodes with or without OP_. */
export function scriptOf(text: string): Uint8Array {
  return concat(
    ...text
      .split(/\s+/)
      .filter((word) => word !== "")
      .map(bytesOf),
  );
}

function bytesOf(word: string): Uint8Array {
  if (/^-?\d+$/.test(word)) return numberOf(BigInt(word));
  if (word.startsWith("0x")) return fromHex(word.slice(2));
  if (/^'.*'$/.test(word)) return lengthPush(new TextEncoder().encode(word.slice(1, -1)));
  const opcode = OPCODES[word] ?? OPCODES[`OP_${word}`];
  if (opcode === undefined || opcode < OP.OP_NOP) {
    if (opcode !== OP.OP_RESERVED) throw new Error(`no opcode ${word}`);
  }
  return Uint8Array.of(opcode);
}

/** Longer numbers than any script calculates with are pushed, too. */
function numberOf(value: bigint): Uint8Array {
  if (value === 0n) return Uint8Array.of(OP.OP_0);
  if (value === -1n) return Uint8Array.of(OP.OP_1NEGATE);
  if (value >= 1n && value <= 16n) return Uint8Array.of(OP.OP_1 + Number(value) - 1);
  const magnitude = value < 0n ? -value : value;
  const bytes = Array.from(fromHex(magnitude.toString(16).padStart(2 * Math.ceil(magnitude.toString(16).length / 2), "0"))).reverse();
  const last = bytes.at(-1)!;
  const sign = value < 0n ? 0x80 : 0;
  return lengthPush(Uint8Array.from(last < 0x80 ? [...bytes.slice(0, -1), last | sign] : [...bytes, sign]));
}
