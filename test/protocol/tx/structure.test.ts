import { Transaction } from "bitcoinjs-lib/src/transaction";
import { expect, test } from "vitest";
import { structureFault } from "../../../src/protocol/tx/structure.js";

const MAX_MONEY = 2_100_000_000_000_000n;
const NOTHING = new Uint8Array(32);
const SOME_TXID = new Uint8Array(32).fill(7);
const NULL_INDEX = 0xffffffff;

type Outpoint = readonly [hash: Uint8Array, index: number, script?: Uint8Array];

function faultOf(ins: readonly Outpoint[], amounts: readonly bigint[]): string | null {
  const tx = new Transaction();
  for (const [hash, index, script] of ins) tx.addInput(hash, index, 0, script);
  // Below 0, bitcoinjs-lib adds none
  for (const value of amounts) tx.outs.push({ value, script: new Uint8Array(0) });
  return structureFault(tx);
}

const ONE: readonly Outpoint[] = [[SOME_TXID, 0]];

test("a transaction has an input and an output", () => {
  expect(faultOf([], [1n])).toBe("bad-txns-vin-empty");
  expect(faultOf(ONE, [])).toBe("bad-txns-vout-empty");
  expect(faultOf(ONE, [1n])).toBeNull();
});

test("without witnesses it takes a quarter of a block's weight at most, whatever they weigh", () => {
  const tx = new Transaction();
  tx.addInput(SOME_TXID, 0);
  tx.addOutput(new Uint8Array(999_000), 0n);
  tx.outs[0]!.script = new Uint8Array(999_000 + 1_000_000 - tx.byteLength(false));
  tx.setWitness(0, [new Uint8Array(100)]);
  expect(tx.byteLength(false)).toBe(1_000_000);
  expect(structureFault(tx)).toBeNull();
  tx.outs[0]!.script = new Uint8Array(tx.outs[0]!.script.length + 1);
  expect(structureFault(tx)).toBe("bad-txns-oversize");
});

test("outputs hold 0 sat to 21 million bitcoins, each and all together", () => {
  expect(faultOf(ONE, [0n, MAX_MONEY])).toBeNull();
  expect(faultOf(ONE, [-1n])).toBe("bad-txns-vout-negative");
  expect(faultOf(ONE, [MAX_MONEY + 1n])).toBe("bad-txns-vout-toolarge");
  expect(faultOf(ONE, [MAX_MONEY, 1n])).toBe("bad-txns-txouttotal-toolarge");
});

test("no outpoint is spent twice; another index or another transaction is another one", () => {
  expect(faultOf([...ONE, ...ONE], [1n])).toBe("bad-txns-inputs-duplicate");
  expect(faultOf([...ONE, [SOME_TXID, 1], [NOTHING, 0]], [1n])).toBeNull();
});

test("an output's fault is told before an input's", () => {
  expect(faultOf([...ONE, ...ONE], [-1n])).toBe("bad-txns-vout-negative");
});

test("a coinbase's script has 2 to 100 bytes, any other's as many as it likes", () => {
  const coinbase = (length: number) => faultOf([[NOTHING, NULL_INDEX, new Uint8Array(length)]], [1n]);
  expect([1, 2, 100, 101].map(coinbase)).toEqual(["bad-cb-length", null, null, "bad-cb-length"]);
  expect(faultOf([[SOME_TXID, NULL_INDEX]], [1n])).toBeNull();
  expect(faultOf([[NOTHING, 0]], [1n])).toBeNull();
});

test("among several inputs none spends nothing", () => {
  expect(faultOf([...ONE, [NOTHING, NULL_INDEX, new Uint8Array(2)]], [1n])).toBe("bad-txns-prevout-null");
  expect(faultOf([[NOTHING, NULL_INDEX, new Uint8Array(2)], ...ONE], [1n])).toBe("bad-txns-prevout-null");
  expect(faultOf([...ONE, [SOME_TXID, NULL_INDEX], [NOTHING, 1]], [1n])).toBeNull();
});
