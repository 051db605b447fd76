import type { Transaction } from "bitcoinjs-lib/src/transaction";

/** Below it nLockTime is a height, from it on a time (BIP 65). */
const LOCKTIME_THRESHOLD = 500_000_000;
const SEQUENCE_FINAL = 0xffffffff;
/** The bits of nSequence: no delay at all, a delay in units of 512 seconds, the delay (BIP 68). */
const SEQUENCE_DISABLED = 0x80000000;
const SEQUENCE_IN_TIME = 0x400000;
const SEQUENCE_VALUE = 0xffff;
const SEQUENCE_SECONDS = 512;

/** What a transaction waits for before a block may hold it. */
export type Timelock =
  /** nLockTime: the first block that may hold it. */
  | { readonly kind: "height"; readonly block: number }
  /** nLockTime: the median time of the eleven blocks before must be later. */
  | { readonly kind: "time"; readonly after: number }
  /** nSequence of one input: so many blocks after the block that holds what it spends. BIP 68. */
  | { readonly kind: "delay"; readonly input: number; readonly blocks: number }
  /** The same in seconds of median time. */
  | { readonly kind: "delay_time"; readonly input: number; readonly seconds: number };

/** The timelocks that a transaction bears, those aside that have always passed. With nLockTime 500 it may stand in block 501. */
export function timelocksOf({ version, locktime, ins }: Transaction): readonly Timelock[] {
  const delays = version >>> 0 < 2 ? [] : ins.flatMap(({ sequence }, input) => delayOf(sequence, input));
  if (locktime === 0 || ins.every(({ sequence }) => sequence === SEQUENCE_FINAL)) return delays;
  const absolute: Timelock = locktime < LOCKTIME_THRESHOLD ? { kind: "height", block: locktime + 1 } : { kind: "time", after: locktime };
  return [absolute, ...delays];
}

function delayOf(sequence: number, input: number): readonly Timelock[] {
  const value = sequence & SEQUENCE_VALUE;
  if ((sequence & SEQUENCE_DISABLED) !== 0 || value === 0) return [];
  if ((sequence & SEQUENCE_IN_TIME) !== 0) return [{ kind: "delay_time", input, seconds: value * SEQUENCE_SECONDS }];
  return [{ kind: "delay", input, blocks: value }];
}

/** What is known of the block that would hold a transaction, and of those that hold what it spends; null where it is not known. */
export interface ChainPlace {
  readonly height: number | null;
  /** The median time of the eleven blocks before it. */
  readonly medianTime: number | null;
  /** Of each input's spent output: the block that holds it. */
  readonly confirmedAt: readonly (number | null)[];
}

/** Whether a timelock has passed: `early` by how many blocks or seconds, `unknown` where that depends on what is not known. */
export type Passed = { readonly kind: "passed" } | { readonly kind: "early"; readonly by: number } | { readonly kind: "unknown" };

export function passed(timelock: Timelock, { height, medianTime, confirmedAt }: ChainPlace): Passed {
  switch (timelock.kind) {
    case "height":
      return reached(height, timelock.block);
    case "time":
      // A time before the first block of any chain has passed for all of them, as a commitment's has
      return timelock.after < FIRST_BLOCK_TIME ? { kind: "passed" } : reached(medianTime, timelock.after + 1);
    case "delay": {
      const from = confirmedAt[timelock.input] ?? null;
      return from === null ? { kind: "unknown" } : reached(height, from + timelock.blocks);
    }
    case "delay_time":
      return { kind: "unknown" };
  }
}

/** The time of Bitcoin's first block. */
const FIRST_BLOCK_TIME = 1_231_006_505;

function reached(now: number | null, needed: number): Passed {
  if (now === null) return { kind: "unknown" };
  return now >= needed ? { kind: "passed" } : { kind: "early", by: needed - now };
}
