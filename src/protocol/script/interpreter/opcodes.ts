import { OPS } from "../assemble.js";

/** Every opcode's number by its name, to be compared with the bytes of a script. */
export const OP: Readonly<Record<keyof typeof OPS, number>> = OPS;

/** Names that stand for an opcode which has a better one. */
const ALIASES: ReadonlySet<string> = new Set(["OP_FALSE", "OP_TRUE", "OP_NOP2", "OP_NOP3", "OP_PUBKEYHASH", "OP_PUBKEY"]);
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(OPS).flatMap(([name, opcode]) => (typeof opcode === "number" && !ALIASES.has(name) ? [[opcode, name]] : [])),
);

/** An opcode's name; `OP_PUSHBYTES_33` for the plain push of 33 bytes; `OP_UNKNOWN_187` where there is none. */
export function opcodeName(opcode: number): string {
  return opcode > OP.OP_0 && opcode < OP.OP_PUSHDATA1 ? `OP_PUSHBYTES_${opcode}` : (NAMES.get(opcode) ?? `OP_UNKNOWN_${opcode}`);
}
