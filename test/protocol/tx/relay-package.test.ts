import { Transaction } from "bitcoinjs-lib/src/transaction";
import { expect, test } from "vitest";
import { fromHex } from "../../../src/protocol/bytes.js";
import { packageFaults } from "../../../src/protocol/tx/relay-package.js";

const P2WPKH = fromHex(`0014${"11".repeat(20)}`);
const P2A = fromHex("51024e73");

function parent(version: number, anchor: bigint): Transaction {
  const tx = new Transaction();
  tx.version = version;
  tx.addInput(new Uint8Array(32).fill(version), 0);
  tx.addOutput(P2A, anchor);
  tx.addOutput(P2WPKH, 100_000n);
  return tx;
}

function child(version: number, spends: readonly (readonly [tx: Transaction, output: number])[], outputs = 1): Transaction {
  const tx = new Transaction();
  tx.version = version;
  for (const [of, output] of spends) tx.addInput(of.getHash(), output);
  for (let at = 0; at < outputs; at++) tx.addOutput(P2WPKH, 1000n);
  return tx;
}

test("a child of version 3 that spends the anchor is taken, whatever the anchor holds", () => {
  for (const anchor of [0n, 239n, 240n]) {
    const commitment = parent(3, anchor);
    expect(
      packageFaults(
        child(3, [
          [commitment, 0],
          [commitment, 1],
        ]),
        [commitment],
      ),
    ).toEqual([]);
  }
});

test("dust must be spent by the child, more than dust need not", () => {
  const dust = parent(3, 239n);
  expect(packageFaults(child(3, [[dust, 1]]), [dust])).toEqual([{ reason: "dust-left", parent: dust.getId(), output: 0 }]);
  const kept = parent(3, 240n);
  expect(packageFaults(child(3, [[kept, 1]]), [kept])).toEqual([]);
});

test("version 3 goes with version 3 alone", () => {
  const [two, three] = [parent(2, 240n), parent(3, 240n)];
  expect(packageFaults(child(2, [[three, 0]]), [three])).toEqual([{ reason: "truc-versions", parent: three.getId() }]);
  expect(packageFaults(child(3, [[two, 0]]), [two])).toEqual([{ reason: "truc-versions", parent: two.getId() }]);
  expect(packageFaults(child(2, [[two, 0]]), [two])).toEqual([]);
});

test("one unconfirmed parent, and a child of at most 1000 vbytes", () => {
  const one = parent(3, 240n);
  const other = parent(3, 241n);
  const spends = [
    [one, 0],
    [other, 0],
  ] as const;
  expect(packageFaults(child(3, spends), [one, other])).toEqual([{ reason: "truc-parents", parents: 2 }]);
  // 51 bytes for one input, 31 for each output, 10 around them: 981 and 1012
  expect(packageFaults(child(3, [[one, 0]], 30), [one])).toEqual([]);
  expect(packageFaults(child(3, [[one, 0]], 31), [one])).toEqual([{ reason: "truc-child-size", vsize: 1012 }]);
  // A transaction that it does not spend is none of its parents
  expect(packageFaults(child(3, [[one, 0]], 31), [other])).toEqual([]);
});
