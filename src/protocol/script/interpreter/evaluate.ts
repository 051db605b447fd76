import { FLAG, type Flags, has } from "./flags.js";
import type { InputContext } from "./input-context.js";
import { type Instruction, instructionAt, isMinimalPush } from "./instruction.js";
import { type Leaf, MAX_OPERATIONS, type Machine, type OperationTable, type ScriptVersion, type SignatureCheck, push } from "./machine.js";
import { OP, opcodeName } from "./opcodes.js";
import { ARITHMETIC } from "./operations/arithmetic.js";
import { FLOW } from "./operations/flow.js";
import { HASHES } from "./operations/hashes.js";
import { SIGNATURES } from "./operations/signatures.js";
import { STACK } from "./operations/stack.js";
import { TIMELOCKS } from "./operations/timelocks.js";
import { type ScriptError, ScriptFailure, type ScriptPlace, type ScriptRole, fail } from "./script-error.js";

const MAX_SCRIPT_SIZE = 10_000;
const MAX_ELEMENT_SIZE = 520;
const MAX_STACK_SIZE = 1000;
const NO_CODE_SEPARATOR = 0xffffffff;

/** What is the same for all the scripts of one input. */
export interface Environment {
  readonly context: InputContext;
  readonly flags: Flags;
  readonly trace: ((step: TraceStep) => void) | null;
}

/** One opcode of a script, and what it did. */
export interface TraceStep extends ScriptPlace {
  readonly input: number;
  /** The whole script that it stands in. */
  readonly code: Uint8Array;
  readonly data: Uint8Array | null;
  /** False in a branch that is not taken. */
  readonly executed: boolean;
  /** The stack's elements, the topmost last. */
  readonly before: readonly Uint8Array[];
  /** The same behind it; what was there when it failed, where it failed. */
  readonly after: readonly Uint8Array[];
  readonly altStack: readonly Uint8Array[];
  /** The signatures that it looked at. */
  readonly checks: readonly SignatureCheck[];
  readonly error: ScriptError | null;
}

/** A script and what it begins with. `stack` is changed in place. */
export interface Program {
  readonly script: Uint8Array;
  readonly role: ScriptRole;
  readonly version: ScriptVersion;
  readonly stack: Uint8Array[];
  readonly leaf?: Leaf;
}

const OPERATIONS: OperationTable = { ...FLOW, ...STACK, ...ARITHMETIC, ...HASHES, ...TIMELOCKS, ...SIGNATURES };

const DISABLED: ReadonlySet<number> = new Set([
  OP.OP_CAT,
  OP.OP_SUBSTR,
  OP.OP_LEFT,
  OP.OP_RIGHT,
  OP.OP_INVERT,
  OP.OP_AND,
  OP.OP_OR,
  OP.OP_XOR,
  OP.OP_2MUL,
  OP.OP_2DIV,
  OP.OP_MUL,
  OP.OP_DIV,
  OP.OP_MOD,
  OP.OP_LSHIFT,
  OP.OP_RSHIFT,
]);

/** Runs a script on its stack. Throws: ScriptFailure. */
export function evaluate(program: Program, environment: Environment): void {
  const { script, version } = program;
  if (version !== "tapscript" && script.length > MAX_SCRIPT_SIZE) fail("SCRIPT_SIZE");
  const machine = machineOf(program, environment);
  for (let at = 0; at < script.length; machine.position++) {
    const place: ScriptPlace = { script: program.role, position: machine.position, offset: at, opcode: opcodeName(script[at] ?? 0) };
    const instruction = instructionAt(script, at);
    if (instruction === null) throw new ScriptFailure("BAD_OPCODE", place);
    runTraced(machine, instruction, place, environment.trace);
    at = instruction.end;
  }
  if (machine.conditions.length > 0) fail("UNBALANCED_CONDITIONAL");
}

function machineOf({ script, version, stack, leaf }: Program, { context, flags, trace }: Environment): Machine {
  return {
    script,
    version,
    flags,
    context,
    leaf: leaf ?? null,
    stack,
    altStack: [],
    conditions: [],
    falseConditions: 0,
    operations: 0,
    position: 0,
    codeStart: 0,
    codeSeparator: NO_CODE_SEPARATOR,
    checks: trace === null ? null : [],
  };
}

function runTraced(machine: Machine, instruction: Instruction, place: ScriptPlace, trace: Environment["trace"]): void {
  const before = trace === null ? [] : [...machine.stack];
  const executed = isExecuted(machine, instruction.opcode);
  let error: ScriptError | null = null;
  try {
    run(machine, instruction);
  } catch (failure) {
    if (!(failure instanceof ScriptFailure)) throw failure;
    error = failure.error;
    throw new ScriptFailure(error, place);
  } finally {
    trace?.({
      ...place,
      input: machine.context.index,
      code: machine.script,
      data: instruction.data,
      executed,
      before,
      after: [...machine.stack],
      altStack: [...machine.altStack],
      checks: machine.checks?.splice(0) ?? [],
      error,
    });
  }
}

/** In a branch that is not taken, only the opcodes that end it are. */
function isExecuted({ falseConditions }: Machine, opcode: number): boolean {
  return falseConditions === 0 || (opcode >= OP.OP_IF && opcode <= OP.OP_ENDIF);
}

function run(machine: Machine, instruction: Instruction): void {
  const { opcode, data, end } = instruction;
  requireAllowed(machine, instruction);
  if (!isExecuted(machine, opcode)) return;
  if (data === null) {
    const operation = OPERATIONS[opcode] ?? fail("BAD_OPCODE");
    operation(machine, opcode, end);
  } else {
    if (has(machine.flags, FLAG.MINIMALDATA) && !isMinimalPush(opcode, data)) fail("MINIMALDATA");
    push(machine, data);
  }
  if (machine.stack.length + machine.altStack.length > MAX_STACK_SIZE) fail("STACK_SIZE");
}

/** What no branch may hold, taken or not. */
function requireAllowed(machine: Machine, { opcode, data }: Instruction): void {
  if (data !== null && data.length > MAX_ELEMENT_SIZE) fail("PUSH_SIZE");
  if (machine.version !== "tapscript" && opcode > OP.OP_16) {
    machine.operations += 1;
    if (machine.operations > MAX_OPERATIONS) fail("OP_COUNT");
  }
  if (DISABLED.has(opcode)) fail("DISABLED_OPCODE");
  if (opcode === OP.OP_CODESEPARATOR && machine.version === "legacy" && has(machine.flags, FLAG.CONST_SCRIPTCODE)) fail("OP_CODESEPARATOR");
}

/** What a witness brings is held to the limits that elements get on the way. Throws: ScriptFailure. */
export function requireElementSizes(stack: readonly Uint8Array[], version: ScriptVersion): void {
  if (version === "tapscript" && stack.length > MAX_STACK_SIZE) fail("STACK_SIZE");
  if (stack.some(({ length }) => length > MAX_ELEMENT_SIZE)) fail("PUSH_SIZE");
}
