import { Transaction } from "bitcoinjs-lib/src/transaction";
import fc from "fast-check";
import { expect, test } from "vitest";
import { witnessHash } from "../../../src/protocol/tx/sighash.js";

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const amount = fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n });
const transaction = fc.record({
  version: fc.constantFrom(1, 2, 3),
  locktime: u32,
  inputs: fc.array(fc.record({ hash: bytes(32), index: u32, sequence: u32 }), { minLength: 1, maxLength: 4 }),
  outputs: fc.array(fc.record({ script: fc.uint8Array({ maxLength: 300 }), value: amount }), { maxLength: 4 }),
});
/** Every kind of signature that BIP 143 knows. */
const type = fc.constantFrom(0x01, 0x02, 0x03, 0x81, 0x82, 0x83);

test("what a witness signature covers is what bitcoinjs-lib says, for every type, number of parts and length of script", () => {
  fc.assert(
    fc.property(
      transaction,
      fc.nat(3),
      fc.uint8Array({ maxLength: 300 }),
      amount,
      type,
      ({ version, locktime, inputs, outputs }, at, code, spent, kind) => {
        const tx = new Transaction();
        tx.version = version;
        tx.locktime = locktime;
        for (const { hash, index, sequence } of inputs) tx.addInput(hash, index, sequence);
        for (const { script, value } of outputs) tx.addOutput(script, value);
        const input = at % inputs.length;
        expect(witnessHash(tx, input, code, spent, kind)).toEqual(tx.hashForWitnessV0(input, code, spent, kind));
      },
    ),
  );
});

test("a script longer than any before it, and longer than 65535 bytes", () => {
  const tx = new Transaction();
  tx.addInput(new Uint8Array(32).fill(7), 1, 2);
  tx.addOutput(new Uint8Array(70_000).fill(5), 3n);
  for (const size of [10, 252, 253, 5_000, 65_535, 65_536, 10]) {
    const code = new Uint8Array(size).fill(size);
    expect(witnessHash(tx, 0, code, 9n, 1)).toEqual(tx.hashForWitnessV0(0, code, 9n, 1));
  }
});
