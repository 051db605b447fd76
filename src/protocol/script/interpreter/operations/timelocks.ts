import { FLAG, has } from "../flags.js";
import type { InputContext } from "../input-context.js";
import { type Machine, type OperationTable, mustHave, peekNumber } from "../machine.js";
import { TIMELOCK_SIZE } from "../number.js";
import { OP } from "../opcodes.js";
import { fail, requireTrue } from "../script-error.js";

/** Below it a lock time is a height, from it on a time (BIP 65). */
const LOCKTIME_THRESHOLD = 500_000_000;
const SEQUENCE_FINAL = 0xffffffff;
/** The bits of nSequence: no delay at all, a delay in units of 512 seconds, the delay (BIP 68). */
const SEQUENCE_DISABLED = 0x80000000;
const SEQUENCE_IN_TIME = 0x400000;
const SEQUENCE_VALUE = 0xffff;

function takenTimelock(machine: Machine): number {
  mustHave(machine, 1);
  const value = peekNumber(machine, 0, TIMELOCK_SIZE);
  if (value < 0) fail("NEGATIVE_LOCKTIME");
  return value;
}

/** BIP 65. */
function locktimeReached(demanded: number, { tx, index }: InputContext): boolean {
  const sameKind = demanded < LOCKTIME_THRESHOLD === tx.locktime < LOCKTIME_THRESHOLD;
  return sameKind && demanded <= tx.locktime && tx.ins[index]?.sequence !== SEQUENCE_FINAL;
}

/** BIP 112. */
function delayReached(demanded: number, { tx, index }: InputContext): boolean {
  const sequence = tx.ins[index]?.sequence ?? SEQUENCE_FINAL;
  if (tx.version >>> 0 < 2 || (sequence & SEQUENCE_DISABLED) !== 0) return false;
  const sameKind = (demanded & SEQUENCE_IN_TIME) === (sequence & SEQUENCE_IN_TIME);
  return sameKind && (demanded & SEQUENCE_VALUE) <= (sequence & SEQUENCE_VALUE);
}

/** Timelocks: where their flag is not set, they do nothing. */
export const TIMELOCKS: OperationTable = {
  [OP.OP_CHECKLOCKTIMEVERIFY]: (machine) => {
    if (!has(machine.flags, FLAG.CHECKLOCKTIMEVERIFY)) return;
    requireTrue(locktimeReached(takenTimelock(machine), machine.context), "UNSATISFIED_LOCKTIME");
  },
  [OP.OP_CHECKSEQUENCEVERIFY]: (machine) => {
    if (!has(machine.flags, FLAG.CHECKSEQUENCEVERIFY)) return;
    const demanded = takenTimelock(machine);
    if ((demanded & SEQUENCE_DISABLED) !== 0) return;
    requireTrue(delayReached(demanded, machine.context), "UNSATISFIED_LOCKTIME");
  },
};
