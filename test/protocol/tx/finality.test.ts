import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { type ChainPlace, passed, timelocksOf } from "../../../src/protocol/tx/finality.js";

function locked(version: number, locktime: number, ...sequences: readonly number[]): Transaction {
  const tx = new Transaction();
  tx.version = version;
  tx.locktime = locktime;
  for (const [index, sequence] of sequences.entries()) tx.addInput(new Uint8Array(32).fill(1), index, sequence);
  return tx;
}

const at = (place: Partial<ChainPlace>): ChainPlace => ({ height: null, medianTime: null, confirmedAt: [], ...place });

describe("the timelocks that a transaction bears", () => {
  test("nLockTime counts unless every input is final; with 500 it may stand in block 501", () => {
    expect(timelocksOf(locked(2, 500, 0xfffffffd))).toEqual([{ kind: "height", block: 501 }]);
    expect(timelocksOf(locked(2, 500, 0xffffffff, 0xfffffffe))).toEqual([{ kind: "height", block: 501 }]);
    expect(timelocksOf(locked(2, 500, 0xffffffff))).toEqual([]);
    expect(timelocksOf(locked(2, 500_000_000, 0xfffffffd))).toEqual([{ kind: "time", after: 500_000_000 }]);
  });

  test("nSequence counts from version 2 on, in blocks or units of 512 seconds", () => {
    expect(timelocksOf(locked(2, 0, 144, 0x80000090, 0x40_0002, 0))).toEqual([
      { kind: "delay", input: 0, blocks: 144 },
      { kind: "delay_time", input: 2, seconds: 1024 },
    ]);
    expect(timelocksOf(locked(1, 0, 144))).toEqual([]);
    expect(timelocksOf(locked(0xffffffff, 0, 144))).toHaveLength(1);
  });
});

describe("whether they have passed", () => {
  test("one block too early, and in time", () => {
    expect(passed({ kind: "height", block: 501 }, at({ height: 500 }))).toEqual({ kind: "early", by: 1 });
    expect(passed({ kind: "height", block: 501 }, at({ height: 501 }))).toEqual({ kind: "passed" });
    const delay = { kind: "delay", input: 1, blocks: 144 } as const;
    expect(passed(delay, at({ height: 1143, confirmedAt: [0, 1000] }))).toEqual({ kind: "early", by: 1 });
    expect(passed(delay, at({ height: 1144, confirmedAt: [0, 1000] }))).toEqual({ kind: "passed" });
    expect(passed({ kind: "time", after: 1_600_000_000 }, at({ medianTime: 1_600_000_000 }))).toEqual({ kind: "early", by: 1 });
    expect(passed({ kind: "time", after: 1_600_000_000 }, at({ medianTime: 1_600_000_001 }))).toEqual({ kind: "passed" });
  });

  test("a commitment's nLockTime is a time long past; what is not known is not guessed", () => {
    expect(passed({ kind: "time", after: 0x20abcdef }, at({}))).toEqual({ kind: "passed" });
    expect(passed({ kind: "time", after: 1_600_000_000 }, at({ height: 9 }))).toEqual({ kind: "unknown" });
    expect(passed({ kind: "height", block: 501 }, at({}))).toEqual({ kind: "unknown" });
    expect(passed({ kind: "delay", input: 0, blocks: 1 }, at({ height: 9, confirmedAt: [null] }))).toEqual({ kind: "unknown" });
    expect(passed({ kind: "delay_time", input: 0, seconds: 512 }, at({ height: 9, confirmedAt: [1] }))).toEqual({ kind: "unknown" });
  });
});
