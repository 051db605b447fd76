import { sha256 } from "@noble/hashes/sha2.js";
import { type Point, concat, toHex } from "../bytes.js";
import type { CommitmentNumber } from "../keys/shachain.js";

/** The upper byte of a commitment's locktime and of its input's sequence. BOLT 3 §Commitment Transaction. */
const LOCKTIME_MARK = 0x20;
const SEQUENCE_MARK = 0x80;
const LOW_24_BITS = 0xffffffn;

/**
 * What the number is XORed with, the same on both sides' commitments: the low 48 bits of
 * SHA256(opener's payment_basepoint || accepter's payment_basepoint). BOLT 3 §Commitment Transaction.
 */
export function obscuringFactor(openerPayment: Point<"payment_basepoint">, accepterPayment: Point<"payment_basepoint">): bigint {
  return BigInt(`0x${toHex(sha256(concat(openerPayment, accepterPayment)).subarray(26))}`);
}

/** Where a commitment hides its number. BOLT 3 §Commitment Transaction. */
export interface NumberFields {
  readonly locktime: number;
  readonly sequence: number;
}

export function encodeCommitmentNumber(number: CommitmentNumber, factor: bigint): NumberFields {
  const obscured = BigInt(number) ^ factor;
  return {
    locktime: LOCKTIME_MARK * 2 ** 24 + Number(obscured & LOW_24_BITS),
    sequence: SEQUENCE_MARK * 2 ** 24 + Number(obscured >> 24n),
  };
}

/** The number, or null where locktime and sequence do not have the marks of a commitment. */
export function decodeCommitmentNumber({ locktime, sequence }: NumberFields, factor: bigint): CommitmentNumber | null {
  if (locktime >>> 24 !== LOCKTIME_MARK || sequence >>> 24 !== SEQUENCE_MARK) return null;
  const obscured = ((BigInt(sequence) & LOW_24_BITS) << 24n) | (BigInt(locktime) & LOW_24_BITS);
  return Number(obscured ^ factor);
}
