import { EMPTY, ONE } from "../assemble.js";
import { FLAG, type Flags, has } from "./flags.js";
import type { InputContext } from "./input-context.js";
import { NUMBER_SIZE, numberBytes, readNumber } from "./number.js";
import { fail } from "./script-error.js";

/** The most operations besides pushes that a script outside of taproot may have. */
export const MAX_OPERATIONS = 201;

/** The rules of signing and the limits that a script runs under. */
export type ScriptVersion = "legacy" | "witness_v0" | "tapscript";

/** What a script of a taproot leaf has besides the others. */
export interface Leaf {
  readonly hash: Uint8Array;
  readonly annex: Uint8Array | null;
  /** How much weight signatures may still take (BIP 342). */
  budget: number;
}

/** A signature that was looked at: what it had to cover, and whether it was good. */
export interface SignatureCheck {
  readonly signature: Uint8Array;
  readonly pubkey: Uint8Array;
  readonly sighash: Uint8Array;
  readonly good: boolean;
}

/** A script as it runs. Operations change it in place. */
export interface Machine {
  readonly script: Uint8Array;
  readonly version: ScriptVersion;
  readonly flags: Flags;
  readonly context: InputContext;
  readonly leaf: Leaf | null;
  readonly stack: Uint8Array[];
  readonly altStack: Uint8Array[];
  /** The conditions of the OP_IFs around the current opcode; while one of them is false, nothing is executed. */
  readonly conditions: boolean[];
  falseConditions: number;
  operations: number;
  /** How many opcodes stand before the current one. */
  position: number;
  /** Behind the last OP_CODESEPARATOR that was executed, in bytes. */
  codeStart: number;
  /** That OP_CODESEPARATOR's position; 0xffffffff where there was none. */
  codeSeparator: number;
  /** Filled for a trace alone. */
  readonly checks: SignatureCheck[] | null;
}

/** One opcode at work. `end` is where the next one begins. */
export type Operation = (machine: Machine, opcode: number, end: number) => void;
export type OperationTable = Readonly<Record<number, Operation>>;

export function mustHave({ stack }: Machine, elements: number): void {
  if (stack.length < elements) fail("INVALID_STACK_OPERATION");
}

/** The element `depth` below the top, which is 0. */
export function peek({ stack }: Machine, depth = 0): Uint8Array {
  return stack[stack.length - 1 - depth] ?? fail("INVALID_STACK_OPERATION");
}

export function pop({ stack }: Machine): Uint8Array {
  return stack.pop() ?? fail("INVALID_STACK_OPERATION");
}

export function push({ stack }: Machine, ...elements: readonly Uint8Array[]): void {
  stack.push(...elements);
}

export function pushBoolean(machine: Machine, value: boolean): void {
  push(machine, value ? ONE : EMPTY);
}

export function pushNumber(machine: Machine, value: number): void {
  push(machine, numberBytes(value));
}

export function peekNumber(machine: Machine, depth = 0, size = NUMBER_SIZE): number {
  return readNumber(peek(machine, depth), size, has(machine.flags, FLAG.MINIMALDATA));
}
