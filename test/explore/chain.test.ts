import { Transaction } from "bitcoinjs-lib/src/transaction";
import { expect, test } from "vitest";
import { chainWith, confirm, judge, spenderOf, waitUntil } from "../../src/explore/chain.js";

const COIN = { txid: "11".repeat(32), index: 0, amount: 1000n, script: new Uint8Array(22) };
const ALL_GOOD = (): null => null;

function spending({ sequence = 0xffffffff, locktime = 0, version = 2, amount = 1000n } = {}): Transaction {
  const tx = new Transaction();
  tx.version = version;
  tx.locktime = locktime;
  tx.addInput(new Uint8Array(32).fill(0x11), 0, sequence);
  tx.addOutput(new Uint8Array(22), amount);
  return tx;
}

// Each line: a spend of a coin confirmed at 100, the block that it is tried in, what the model says.
test.each([
  ["nothing to wait for", {}, 100, null],
  ["a delay of 6, one block early", { sequence: 6 }, 105, "too-early"],
  ["a delay of 6, in time", { sequence: 6 }, 106, null],
  ["a delay that version 1 does not know", { sequence: 6, version: 1 }, 100, null],
  ["a delay that its own bit turns off", { sequence: 0x80000006 }, 100, null],
  ["a delay in time", { sequence: 0x400001 }, 1000, "too-early"],
  ["locktime 105 in block 105", { sequence: 0xfffffffe, locktime: 105 }, 105, "too-early"],
  ["locktime 105 in block 106", { sequence: 0xfffffffe, locktime: 105 }, 106, null],
  ["locktime 105, all inputs final", { locktime: 105 }, 100, null],
  ["a commitment's locktime, which is a time long past", { sequence: 0x80123456, locktime: 0x20123456 }, 100, null],
  ["more than there is", { amount: 1001n }, 100, "more-out-than-in"],
] as const)("%s", (_, options, height, expected) => {
  expect(judge(waitUntil(chainWith(100, [COIN]), height), spending(options), ALL_GOOD)).toBe(expected);
});

test("of two that spend the same coin the first stays, and its outputs are new coins", () => {
  const [first, second] = [spending(), spending({ amount: 900n })];
  const chain = confirm(chainWith(100, [COIN]), first);

  expect(judge(chain, second, ALL_GOOD)).toBe("inputs-missing");
  expect(spenderOf(chain, `${COIN.txid}:0`)?.txid).toBe(first.getId());
  expect([...chain.coins.keys()]).toEqual([`${first.getId()}:0`]);
  expect(chain.coins.get(`${first.getId()}:0`)?.height).toBe(100);
});

test("what the interpreter refuses is not confirmed", () => {
  expect(judge(chainWith(100, [COIN]), spending(), () => "input 0: EVAL_FALSE")).toBe("script: input 0: EVAL_FALSE");
});
