import { FLAG, has } from "../flags.js";
import { type Machine, type OperationTable, mustHave, peek, pop, push } from "../machine.js";
import { isTrue } from "../number.js";
import { OP } from "../opcodes.js";
import { fail, requireTrue } from "../script-error.js";

function openBranch(machine: Machine, wanted: boolean): void {
  let taken = false;
  if (machine.falseConditions === 0) {
    mustHave(machine, 1);
    requireMinimalCondition(machine, peek(machine));
    taken = isTrue(pop(machine)) === wanted;
  }
  machine.conditions.push(taken);
  if (!taken) machine.falseConditions += 1;
}

function requireMinimalCondition({ version, flags }: Machine, condition: Uint8Array): void {
  if (condition.length === 0 || (condition.length === 1 && condition[0] === 1)) return;
  if (version === "tapscript") fail("TAPSCRIPT_MINIMALIF");
  if (version === "witness_v0" && has(flags, FLAG.MINIMALIF)) fail("MINIMALIF");
}

function closeBranch(machine: Machine): boolean {
  const condition = machine.conditions.pop() ?? fail("UNBALANCED_CONDITIONAL");
  if (!condition) machine.falseConditions -= 1;
  return condition;
}

function otherBranch(machine: Machine): void {
  const condition = !closeBranch(machine);
  machine.conditions.push(condition);
  if (!condition) machine.falseConditions += 1;
}

const nothing = (): void => undefined;

function discouraged({ flags }: Machine): void {
  if (has(flags, FLAG.DISCOURAGE_UPGRADABLE_NOPS)) fail("DISCOURAGE_UPGRADABLE_NOPS");
}

/** Branches, ends, and what does nothing. */
export const FLOW: OperationTable = {
  [OP.OP_IF]: (machine) => {
    openBranch(machine, true);
  },
  [OP.OP_NOTIF]: (machine) => {
    openBranch(machine, false);
  },
  [OP.OP_ELSE]: otherBranch,
  [OP.OP_ENDIF]: closeBranch,
  [OP.OP_VERIFY]: (machine) => {
    mustHave(machine, 1);
    requireTrue(isTrue(peek(machine)), "VERIFY");
    pop(machine);
  },
  [OP.OP_RETURN]: () => fail("OP_RETURN"),
  [OP.OP_TOALTSTACK]: (machine) => {
    machine.altStack.push(pop(machine));
  },
  [OP.OP_FROMALTSTACK]: (machine) => {
    push(machine, machine.altStack.pop() ?? fail("INVALID_ALTSTACK_OPERATION"));
  },
  [OP.OP_CODESEPARATOR]: (machine, _opcode, end) => {
    machine.codeStart = end;
    machine.codeSeparator = machine.position;
  },
  [OP.OP_NOP]: nothing,
  ...Object.fromEntries(
    [OP.OP_NOP1, OP.OP_NOP4, OP.OP_NOP5, OP.OP_NOP6, OP.OP_NOP7, OP.OP_NOP8, OP.OP_NOP9, OP.OP_NOP10].map((opcode) => [opcode, discouraged]),
  ),
};
