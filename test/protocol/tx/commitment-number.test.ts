import { describe, expect, test } from "vitest";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { MAX_COMMITMENT_NUMBER } from "../../../src/protocol/keys/shachain.js";
import { decodeCommitmentNumber, encodeCommitmentNumber, obscuringFactor } from "../../../src/protocol/tx/commitment-number.js";
import { secretOf } from "../channels.js";

const [a, b] = ["opener", "accepter"].map((name) => publicKey<"payment_basepoint">(secretOf(name)));
const FACTOR = obscuringFactor(a!, b!);

describe("a commitment's number", () => {
  test("stands in 24 bits of sequence and 24 of locktime, below their marks", () => {
    expect(encodeCommitmentNumber(0x123456_abcdef, 0n)).toEqual({ sequence: 0x80123456, locktime: 0x20abcdef });
    expect(encodeCommitmentNumber(0, 0xabcdef_123456n)).toEqual({ sequence: 0x80abcdef, locktime: 0x20123456 });
  });

  test("comes out as it went in, from 0 to 2^48 − 1, and only with the factor of both sides in their order", () => {
    for (const number of [0, 1, 42, 2 ** 24 - 1, 2 ** 24, MAX_COMMITMENT_NUMBER]) {
      expect(decodeCommitmentNumber(encodeCommitmentNumber(number, FACTOR), FACTOR)).toBe(number);
    }
    const swapped = obscuringFactor(b!, a!);
    expect(FACTOR < 2n ** 48n && swapped !== FACTOR).toBe(true);
    expect(decodeCommitmentNumber(encodeCommitmentNumber(42, FACTOR), swapped)).not.toBe(42);
  });

  test("is none where either mark is missing", () => {
    const fields = encodeCommitmentNumber(42, FACTOR);
    expect(decodeCommitmentNumber({ ...fields, locktime: 800_000 }, FACTOR)).toBeNull();
    expect(decodeCommitmentNumber({ ...fields, sequence: 0xfffffffd }, FACTOR)).toBeNull();
    expect(decodeCommitmentNumber({ ...fields, sequence: fields.sequence - 0x80000000 }, FACTOR)).toBeNull();
    expect(decodeCommitmentNumber({ ...fields, locktime: fields.locktime + 0x01000000 }, FACTOR)).toBeNull();
  });
});
