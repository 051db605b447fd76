import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { FLAG, FLAG_NAMES, type Flags, parseFlags } from "../../../../src/protocol/script/interpreter/flags.js";
import { verifyTransaction } from "../../../../src/protocol/script/interpreter/verify.js";
import { type StructureFault, structureFault } from "../../../../src/protocol/tx/structure.js";
import { type TransactionTest, complement, coreFile, eachLessOne, entries, filled, packagedFile, spentOutputs, trimmed } from "./published.js";

function accepts(entry: TransactionTest, flags: Flags): boolean {
  const tx = Transaction.fromHex(entry[1]);
  return verifyTransaction(tx, spentOutputs(entry, tx.ins), flags).every(({ ok }) => ok);
}

const faultOf = ([, hex]: TransactionTest) => structureFault(Transaction.fromHex(hex));

const CORE_VALID = coreFile("tx_valid.json");
const CORE_INVALID = coreFile("tx_invalid.json");

describe("tx_valid and tx_invalid as the package bitcore-lib brings them, in whose older form the flags are those that are set", () => {
  test("50 are valid", () => {
    const valid = entries(packagedFile("bitcoind/tx_valid.json")) as readonly TransactionTest[];
    expect(valid).toHaveLength(50);
    expect(valid.filter((entry) => faultOf(entry) !== null || !accepts(entry, parseFlags(entry[2])))).toEqual([]);
  });

  test("39 are not", () => {
    const invalid = entries(packagedFile("bitcoind/tx_invalid.json")) as readonly TransactionTest[];
    expect(invalid).toHaveLength(39);
    expect(invalid.filter((entry) => faultOf(entry) === null && accepts(entry, parseFlags(entry[2])))).toEqual([]);
  });
});

describe("Bitcoin Core's current tx_valid", () => {
  if (CORE_VALID === null) {
    test("is not here (../shared/vectors/core)", () => {
      expect(CORE_VALID).toBeNull();
    });
    return;
  }
  const valid = entries(CORE_VALID) as readonly TransactionTest[];

  test("121 are valid under every rule but those they name, and under fewer", () => {
    expect(valid).toHaveLength(121);
    for (const entry of valid) {
      expect(faultOf(entry)).toBeNull();
      const excluded = parseFlags(entry[2]);
      const flags = complement(excluded);
      expect(accepts(entry, flags), entry[1]).toBe(true);
      for (const name of FLAG_NAMES) expect(accepts(entry, trimmed((flags & ~FLAG[name]) as Flags)), `${entry[1]} without ${name}`).toBe(true);
    }
  });

  test("and under no rule more", () => {
    for (const entry of valid) {
      for (const less of eachLessOne(parseFlags(entry[2]))) expect(accepts(entry, complement(less)), entry[1]).toBe(false);
    }
  });
});

describe("Bitcoin Core's current tx_invalid", () => {
  if (CORE_INVALID === null) {
    test("is not here (../shared/vectors/core)", () => {
      expect(CORE_INVALID).toBeNull();
    });
    return;
  }
  const invalid = entries(CORE_INVALID) as readonly TransactionTest[];
  const malformed = invalid.filter(([, , flags]) => flags === "BADTX");
  const others = invalid.filter(([, , flags]) => flags !== "BADTX");

  test("93: those that are no transaction at all", () => {
    expect(invalid).toHaveLength(93);
    expect(malformed.map(faultOf)).toEqual(MALFORMED);
  });

  test("the others are refused under the rules that they name, and under more", () => {
    for (const entry of others) {
      expect(faultOf(entry)).toBeNull();
      const flags = parseFlags(entry[2]);
      expect(accepts(entry, flags), entry[1]).toBe(false);
      for (const name of FLAG_NAMES) expect(accepts(entry, filled((flags | FLAG[name]) as Flags)), `${entry[1]} with ${name}`).toBe(false);
    }
  });

  test("and not under one rule less", () => {
    for (const entry of others) {
      for (const less of eachLessOne(parseFlags(entry[2]))) expect(accepts(entry, less), entry[1]).toBe(true);
    }
  });
});

/** In the order of the file, whose comments say the same. */
const MALFORMED: readonly StructureFault[] = [
  "bad-txns-vout-empty",
  "bad-txns-vout-negative",
  "bad-txns-vout-toolarge",
  "bad-txns-txouttotal-toolarge",
  "bad-txns-inputs-duplicate",
  "bad-cb-length",
  "bad-cb-length",
  "bad-txns-prevout-null",
  "bad-txns-prevout-null",
];
