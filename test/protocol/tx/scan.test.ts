import fc from "fast-check";
import { Block } from "bitcoinjs-lib/src/block";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { concat, toHex } from "../../../src/protocol/bytes.js";
import { LnError } from "../../../src/protocol/errors.js";
import { parseTransaction } from "../../../src/protocol/tx/parse.js";
import { blockHash, scanBlock, scanTransaction, txidIndex } from "../../../src/protocol/tx/scan.js";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const txid = fc.uint8Array({ minLength: 32, maxLength: 32 });
const u32 = fc.nat({ max: 0xffffffff });

/** Any transaction with an input, with witnesses or without; some scripts and counts need three bytes for their length. */
const transactions = fc
  .record({
    version: fc.constantFrom(1, 2, 3),
    locktime: u32,
    ins: fc.array(fc.record({ hash: txid, index: u32, script: bytes(300), sequence: u32, witness: fc.array(bytes(300), { maxLength: 4 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
    outs: fc.array(fc.record({ value: fc.bigInt({ min: 0n, max: 21_000_000n * 100_000_000n }), script: bytes(300) }), { maxLength: 5 }),
    many: fc.constantFrom(0, 300),
  })
  .map(({ version, locktime, ins, outs, many }) => {
    const tx = new Transaction();
    tx.version = version;
    tx.locktime = locktime;
    for (const { hash, index, script, sequence, witness } of ins) {
      tx.addInput(hash, index, sequence, script);
      tx.setWitness(tx.ins.length - 1, witness);
    }
    for (const { value, script } of outs) tx.addOutput(script, value);
    for (let at = 0; at < many; at++) tx.addOutput(Uint8Array.of(at), BigInt(at));
    return tx;
  });

function scanned(serialised: Uint8Array, from = 0): { readonly end: number; readonly outpoints: readonly string[] } {
  const outpoints: string[] = [];
  const end = scanTransaction(serialised, from, (at) => outpoints.push(toHex(serialised.subarray(at, at + 36))));
  return { end, outpoints };
}

function outpointsOf(tx: Transaction): readonly string[] {
  return tx.ins.map(({ hash, index }) => {
    const tail = new Uint8Array(4);
    new DataView(tail.buffer).setUint32(0, index, true);
    return toHex(concat(hash, tail));
  });
}

/** A refusal with its words and details. */
function refused(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    return [error.code, error.message, error.details];
  }
}

const refusal = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    return error.code;
  }
};

describe("the scanner sees of a transaction what bitcoinjs-lib sees", () => {
  test("its inputs and its end, wherever it stands", () => {
    fc.assert(
      fc.property(transactions, bytes(50), bytes(50), (tx, before, after) => {
        const serialised = tx.toBuffer();
        const found = scanned(concat(before, serialised, after), before.length);
        expect(found).toEqual({ end: before.length + serialised.length, outpoints: outpointsOf(tx) });
      }),
      { numRuns: 300 },
    );
  });

  test("nothing of one that is cut off", () => {
    fc.assert(
      fc.property(transactions, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (tx, part) => {
        const serialised = tx.toBuffer();
        expect(refusal(() => scanned(serialised.subarray(0, Math.floor(serialised.length * part))))).toBe("tx-not-parsed");
      }),
      { numRuns: 300 },
    );
  });

  test("of changed bytes never less, where bitcoinjs-lib takes them", () => {
    fc.assert(
      fc.property(transactions, fc.nat(), fc.nat({ max: 255 }), (tx, place, value) => {
        const changed = Uint8Array.from(tx.toBuffer());
        changed[place % changed.length] = value;
        const parsed = refusal(() => parseTransaction(changed));
        if (parsed instanceof Transaction && parsed.ins.length > 0)
          expect(scanned(changed)).toEqual({ end: changed.length, outpoints: outpointsOf(parsed) });
      }),
      { numRuns: 1000 },
    );
  });

  test("of a block its transactions, its hash and its height", () => {
    fc.assert(
      fc.property(fc.array(transactions, { maxLength: 5 }), fc.nat({ max: 2 ** 24 - 1 }), (others, height) => {
        const coinbase = new Transaction();
        const digits = height <= 16 ? [] : [...new Uint8Array(new Uint32Array([height]).buffer)];
        while (digits.length > 0 && digits.at(-1) === 0) digits.pop();
        if ((digits.at(-1) ?? 0) >= 0x80) digits.push(0);
        const script = height === 0 ? [0] : height <= 16 ? [0x50 + height] : [digits.length, ...digits];
        coinbase.addInput(new Uint8Array(32), 0xffffffff, 0xffffffff, Uint8Array.from([...script, 1, 2]));
        coinbase.addOutput(Uint8Array.of(0x51), 50n);
        const block = new Block();
        [block.prevHash, block.merkleRoot, block.timestamp, block.bits, block.nonce] = [new Uint8Array(32), new Uint8Array(32), 1, 2, 3];
        block.transactions = [coinbase, ...others];
        const serialised = block.toBuffer();
        const { height: told, bounds } = scanBlock(serialised);
        const found = told();
        const parts = bounds.slice(1).map((end, at) => toHex(serialised.subarray(bounds[at], end)));
        expect({ found, parts }).toEqual({ found: height, parts: block.transactions.map((tx) => tx.toHex()) });
        expect(blockHash(serialised)).toBe(block.getId());
        expect(refusal(() => scanBlock(serialised.subarray(0, -1)))).toBe("tx-not-parsed");
        expect(refusal(() => scanBlock(concat(serialised, Uint8Array.of(0))))).toBe("tx-not-parsed");
      }),
      { numRuns: 100 },
    );
  });
});

describe("where one reading of the bytes could be taken for another", () => {
  const plain = (inputs: number, scriptLength = 0, txidBytes = 7): Transaction => {
    const tx = new Transaction();
    for (let at = 0; at < inputs; at++) tx.addInput(new Uint8Array(32).fill(txidBytes), at);
    tx.addOutput(new Uint8Array(scriptLength), 1n);
    return tx;
  };
  const tooShort = (length: number) => ["tx-not-parsed", `${length} bytes are no transaction`, { bytes: length }];
  const notItsOwn = (length: number) => ["tx-not-parsed", "the transaction is not in its own serialisation", { bytes: length }];

  test("a txid that begins with 01 is no witness flag", () => {
    const tx = plain(1, 0, 1);
    expect(scanned(tx.toBuffer())).toEqual({ end: tx.byteLength(), outpoints: outpointsOf(tx) });
  });

  test("a transaction without inputs has no witness marker in their count", () => {
    const empty = new Uint8Array(10);
    expect(scanned(empty)).toEqual({ end: 10, outpoints: [] });
    expect(parseTransaction(empty).ins).toEqual([]);
  });

  test("lengths at the borders of their own length", () => {
    for (const length of [0xfc, 0xfd, 0xffff, 0x10000, 0x10001]) {
      const tx = plain(1, length);
      expect(scanned(tx.toBuffer()).end).toBe(tx.byteLength());
    }
  });

  test("lengths that are longer than they must be are refused, and those that no transaction has", () => {
    const scan = (...length: readonly number[]) =>
      refused(() => scanned(concat(Uint8Array.of(2, 0, 0, 0), Uint8Array.from(length), new Uint8Array(100))));
    expect(scan(0xfd, 0xfc, 0)).toEqual(notItsOwn(107));
    expect(scan(0xfe, 0xff, 0xff, 0, 0)).toEqual(notItsOwn(109));
    expect(scan(0xff, 0, 0, 0, 0, 1, 0, 0, 0)).toEqual(tooShort(113));
  });

  test("an outpoint is told only where it is whole", () => {
    const serialised = plain(1).toBuffer();
    for (const length of [6, 40, 41]) {
      const told: number[] = [];
      expect(refused(() => scanTransaction(serialised.subarray(0, length), 0, (at) => told.push(at)))).toEqual(tooShort(length));
      expect(told).toEqual([]);
    }
  });

  test("bytes that end within a length are no transaction, however it would go on", () => {
    for (const [length, cut] of [
      [0xfd, 1],
      [0xfd, 2],
      [0x10000, 3],
      [0x10000, 4],
    ] as const) {
      const serialised = plain(1, length).toBuffer();
      const short = serialised.subarray(0, serialised.length - 4 - length - cut);
      expect(refused(() => scanned(short))).toEqual(tooShort(short.length));
    }
  });
});

describe("blocks", () => {
  const blockWith = (script: readonly number[]): Uint8Array => {
    const coinbase = new Transaction();
    coinbase.addInput(new Uint8Array(32), 0xffffffff, 0xffffffff, Uint8Array.from(script));
    coinbase.addOutput(Uint8Array.of(0x51), 50n);
    return concat(new Uint8Array(80), Uint8Array.of(1), coinbase.toBuffer());
  };
  const heightIn = (...script: readonly number[]) => refusal(() => scanBlock(blockWith(script)).height());

  test("the coinbase tells the height by an opcode up to 16, by a push of up to four bytes above", () => {
    expect([heightIn(0x51, 0), heightIn(0x60, 0), heightIn(1, 17), heightIn(4, 0, 0, 0, 1)]).toEqual([1, 16, 17, 2 ** 24]);
    expect([heightIn(0x50, 0), heightIn(0x61, 0), heightIn(5, 1, 0, 0, 0, 0)]).toEqual(["tx-not-parsed", "tx-not-parsed", "tx-not-parsed"]);
  });

  test("one without transactions is none", () => {
    expect(refused(() => scanBlock(new Uint8Array(81)))).toEqual(["tx-not-parsed", "81 bytes are no block", { bytes: 81 }]);
  });
});

test("taking out of an index what is not in it changes nothing", () => {
  const index = txidIndex<string>();
  const one = new Uint8Array(32).fill(7);
  index.remove(one, "a");
  expect(index.at(one, 0)).toEqual([]);
  index.add(one, "a");
  index.remove(one, "b");
  expect(index.at(one, 0)).toEqual(["a"]);
});

test("an index finds what is under a txid, and only that, also where six bytes are alike", () => {
  const index = txidIndex<string>();
  const like = Uint8Array.from({ length: 32 }, (_, at) => (at < 6 ? 7 : 1));
  const alike = Uint8Array.from({ length: 32 }, (_, at) => (at < 6 ? 7 : 2));
  index.add(like, "a");
  index.add(alike, "b");
  index.add(alike, "c");
  const where = concat(Uint8Array.of(9, 9), like, alike);
  expect([index.at(where, 2), index.at(where, 34), index.at(where, 0)]).toEqual([["a"], ["b", "c"], []]);
  index.remove(alike, "b");
  expect(index.at(where, 34)).toEqual(["c"]);
  index.remove(alike, "c");
  index.remove(like, "a");
  expect([index.at(where, 2), index.at(where, 34)]).toEqual([[], []]);
});
