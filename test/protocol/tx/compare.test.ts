import { Transaction } from "bitcoinjs-lib/src/transaction";
import { expect, test } from "vitest";
import { fromHex } from "../../../src/protocol/bytes.js";
import { firstDifference } from "../../../src/protocol/tx/compare.js";

function transaction(): Transaction {
  const tx = new Transaction();
  tx.version = 2;
  tx.locktime = 5;
  for (const index of [0, 1]) tx.addInput(new Uint8Array(32).fill(index + 1), index, 0xfffffffd);
  for (const value of [10n, 20n]) tx.addOutput(fromHex("0014".padEnd(44, "1")), value);
  return tx;
}

const changes: readonly (readonly [field: string, change: (tx: Transaction) => void, expected: string, given: string])[] = [
  ["version", (tx) => (tx.version = 3), "2", "3"],
  ["number of inputs", (tx) => tx.ins.pop(), "2", "1"],
  ["input 0: outpoint", (tx) => (tx.ins[0]!.index = 9), `${"01".repeat(32)}:0`, `${"01".repeat(32)}:9`],
  ["input 1: outpoint", (tx) => (tx.ins[1]!.hash = new Uint8Array(32).fill(8)), `${"02".repeat(32)}:1`, `${"08".repeat(32)}:1`],
  ["input 0: script", (tx) => (tx.ins[0]!.script = Uint8Array.of(0x51)), "", "51"],
  ["input 1: sequence", (tx) => (tx.ins[1]!.sequence = 1), "4294967293", "1"],
  ["number of outputs", (tx) => tx.addOutput(Uint8Array.of(0x51), 1n), "2", "3"],
  ["output 0: amount", (tx) => (tx.outs[0]!.value = 11n), "10 sat", "11 sat"],
  ["output 1: script", (tx) => (tx.outs[1]!.script = Uint8Array.of(0x52)), "0014".padEnd(44, "1"), "52"],
  ["locktime", (tx) => (tx.locktime = 6), "5", "6"],
];

test.each(changes)("%s is the first difference, with both values", (field, change, expected, given) => {
  const changed = transaction();
  change(changed);
  expect(firstDifference(transaction(), changed)).toEqual({ field, expected, given });
});

test("the first of several, in a transaction's own order", () => {
  const changed = transaction();
  for (const [, change] of changes.slice(-3)) change(changed);
  expect(firstDifference(transaction(), changed)?.field).toBe("output 0: amount");
});

test("witnesses do not count", () => {
  const signed = transaction();
  signed.setWitness(0, [Uint8Array.of(1)]);
  expect(firstDifference(transaction(), signed)).toBeNull();
});
