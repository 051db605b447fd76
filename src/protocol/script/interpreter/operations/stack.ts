import { equalBytes } from "../../../bytes.js";
import { type Machine, type OperationTable, mustHave, peek, peekNumber, pop, push, pushBoolean, pushNumber } from "../machine.js";
import { isTrue, numberBytes } from "../number.js";
import { OP } from "../opcodes.js";
import { fail, requireTrue } from "../script-error.js";

/** Takes the uppermost elements, the topmost last. */
function take(machine: Machine, count: number): readonly Uint8Array[] {
  mustHave(machine, count);
  return machine.stack.splice(machine.stack.length - count, count);
}

/**
 * An operation that takes as many elements as `order` says and puts them back in another order, some twice, some not at all.
 * Numbers count from the lowest of those taken: OP_SWAP is 2 elements in the order 1 0.
 */
function rearrange(count: number, order: readonly number[]): (machine: Machine) => void {
  return (machine) => {
    const taken = take(machine, count);
    for (const at of order) push(machine, taken[at] ?? fail("INVALID_STACK_OPERATION"));
  };
}

/** The place below the top that the uppermost element names. */
function takeDepth(machine: Machine): number {
  mustHave(machine, 2);
  const depth = peekNumber(machine);
  pop(machine);
  if (depth < 0 || depth >= machine.stack.length) fail("INVALID_STACK_OPERATION");
  return depth;
}

function equal(machine: Machine): boolean {
  const [a, b] = take(machine, 2);
  return a !== undefined && b !== undefined && equalBytes(a, b);
}

/** What moves, copies, drops, measures and compares elements. */
export const STACK: OperationTable = {
  [OP.OP_1NEGATE]: (machine) => {
    push(machine, numberBytes(-1));
  },
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, at) => [
      OP.OP_1 + at,
      (machine: Machine) => {
        push(machine, numberBytes(at + 1));
      },
    ]),
  ),
  [OP.OP_DROP]: rearrange(1, []),
  [OP.OP_2DROP]: rearrange(2, []),
  [OP.OP_DUP]: rearrange(1, [0, 0]),
  [OP.OP_2DUP]: rearrange(2, [0, 1, 0, 1]),
  [OP.OP_3DUP]: rearrange(3, [0, 1, 2, 0, 1, 2]),
  [OP.OP_NIP]: rearrange(2, [1]),
  [OP.OP_OVER]: rearrange(2, [0, 1, 0]),
  [OP.OP_2OVER]: rearrange(4, [0, 1, 2, 3, 0, 1]),
  [OP.OP_ROT]: rearrange(3, [1, 2, 0]),
  [OP.OP_2ROT]: rearrange(6, [2, 3, 4, 5, 0, 1]),
  [OP.OP_SWAP]: rearrange(2, [1, 0]),
  [OP.OP_2SWAP]: rearrange(4, [2, 3, 0, 1]),
  [OP.OP_TUCK]: rearrange(2, [1, 0, 1]),
  [OP.OP_IFDUP]: (machine) => {
    const top = peek(machine);
    if (isTrue(top)) push(machine, top);
  },
  [OP.OP_PICK]: (machine) => {
    push(machine, peek(machine, takeDepth(machine)));
  },
  [OP.OP_ROLL]: (machine) => {
    const depth = takeDepth(machine);
    push(machine, ...machine.stack.splice(machine.stack.length - 1 - depth, 1));
  },
  [OP.OP_DEPTH]: (machine) => {
    pushNumber(machine, machine.stack.length);
  },
  [OP.OP_SIZE]: (machine) => {
    pushNumber(machine, peek(machine).length);
  },
  [OP.OP_EQUAL]: (machine) => {
    pushBoolean(machine, equal(machine));
  },
  [OP.OP_EQUALVERIFY]: (machine) => {
    requireTrue(equal(machine), "EQUALVERIFY");
  },
};
