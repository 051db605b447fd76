import { Transaction } from "bitcoinjs-lib/src/transaction";
import { expect, test } from "vitest";
import { concat, toHex } from "../../../src/protocol/bytes.js";
import { parseTransaction } from "../../../src/protocol/tx/parse.js";
import { refusal } from "../../json/refusal.js";

const tx = new Transaction();
tx.version = 2;
tx.addInput(new Uint8Array(32).fill(1), 0, 0xfffffffd);
tx.addOutput(Uint8Array.of(0x51), 5n);
const bytes = tx.toBuffer();

test("a transaction is read as it stands", () => {
  expect(parseTransaction(bytes).toHex()).toBe(toHex(bytes));
});

test("tx-not-parsed: no transaction, too little or too much, with how many bytes there are", () => {
  for (const bad of [new Uint8Array(0), bytes.subarray(0, -1), concat(bytes, Uint8Array.of(0))]) {
    expect(refusal(() => parseTransaction(bad))).toMatchObject({ code: "tx-not-parsed", details: { bytes: bad.length } });
  }
});

test("tx-not-parsed: a count in more bytes than it needs, which would be another transaction's bytes under the same txid", () => {
  const long = concat(bytes.subarray(0, 4), Uint8Array.of(0xfd, 1, 0), bytes.subarray(5));
  expect(refusal(() => parseTransaction(long))).toMatchObject({ code: "tx-not-parsed", details: { bytes: long.length } });
});
