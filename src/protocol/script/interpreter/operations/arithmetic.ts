import { type Machine, type OperationTable, mustHave, peekNumber, pop, pushBoolean, pushNumber } from "../machine.js";
import { OP } from "../opcodes.js";
import { requireTrue } from "../script-error.js";

/** The uppermost elements as numbers, the topmost last. All are looked at before any is taken. */
function takeNumbers(machine: Machine, count: number): readonly number[] {
  mustHave(machine, count);
  const numbers = Array.from({ length: count }, (_, at) => peekNumber(machine, count - 1 - at));
  for (let at = 0; at < count; at++) pop(machine);
  return numbers;
}

function unary(compute: (a: number) => number): (machine: Machine) => void {
  return (machine) => {
    const [a = 0] = takeNumbers(machine, 1);
    pushNumber(machine, compute(a));
  };
}

function binary(compute: (a: number, b: number) => number | boolean): (machine: Machine) => void {
  return (machine) => {
    const [a = 0, b = 0] = takeNumbers(machine, 2);
    pushNumber(machine, Number(compute(a, b)));
  };
}

/** What calculates and compares numbers of at most four bytes; a result may have five. */
export const ARITHMETIC: OperationTable = {
  [OP.OP_1ADD]: unary((a) => a + 1),
  [OP.OP_1SUB]: unary((a) => a - 1),
  [OP.OP_NEGATE]: unary((a) => -a),
  [OP.OP_ABS]: unary((a) => Math.abs(a)),
  [OP.OP_NOT]: unary((a) => (a === 0 ? 1 : 0)),
  [OP.OP_0NOTEQUAL]: unary((a) => (a === 0 ? 0 : 1)),
  [OP.OP_ADD]: binary((a, b) => a + b),
  [OP.OP_SUB]: binary((a, b) => a - b),
  [OP.OP_BOOLAND]: binary((a, b) => a !== 0 && b !== 0),
  [OP.OP_BOOLOR]: binary((a, b) => a !== 0 || b !== 0),
  [OP.OP_NUMEQUAL]: binary((a, b) => a === b),
  [OP.OP_NUMEQUALVERIFY]: (machine) => {
    const [a, b] = takeNumbers(machine, 2);
    requireTrue(a === b, "NUMEQUALVERIFY");
  },
  [OP.OP_NUMNOTEQUAL]: binary((a, b) => a !== b),
  [OP.OP_LESSTHAN]: binary((a, b) => a < b),
  [OP.OP_GREATERTHAN]: binary((a, b) => a > b),
  [OP.OP_LESSTHANOREQUAL]: binary((a, b) => a <= b),
  [OP.OP_GREATERTHANOREQUAL]: binary((a, b) => a >= b),
  [OP.OP_MIN]: binary((a, b) => Math.min(a, b)),
  [OP.OP_MAX]: binary((a, b) => Math.max(a, b)),
  [OP.OP_WITHIN]: (machine) => {
    const [value = 0, min = 0, max = 0] = takeNumbers(machine, 3);
    pushBoolean(machine, min <= value && value < max);
  },
};
