import { sha256 } from "@noble/hashes/sha2.js";
import { equalBytes } from "../bytes.js";
import { LnError } from "../errors.js";
import { Secret32 } from "../secret.js";

/** A commitment's number, from 0 up. */
export type CommitmentNumber = number;

/** Numbers have 48 bits. BOLT 3 §Commitment Transaction. */
export const MAX_COMMITMENT_NUMBER = 2 ** 48 - 1;

const INDEX_BITS = 48;

/** Secrets are handed out from the highest index down: `secret_index` = 2^48 − 1 − number. BOLT 3 §Per-commitment Secret Requirements. */
export function secretIndex(number: CommitmentNumber): bigint {
  return BigInt(MAX_COMMITMENT_NUMBER - number);
}

/** Secret: the per-commitment secret of one number. BOLT 3 §Per-commitment Secret Requirements. */
export function perCommitmentSecret(seed: Secret32<"per_commitment_seed">, number: CommitmentNumber): Secret32<"per_commitment"> {
  return new Secret32(generateFromSeed(seed.reveal(), secretIndex(number)));
}

/** Secret: `generate_from_seed(seed, I)`. BOLT 3 §Per-commitment Secret Requirements. */
export function generateFromSeed(seed: Uint8Array, index: bigint): Uint8Array {
  return deriveBelow(seed, index, INDEX_BITS);
}

function deriveBelow(value: Uint8Array, index: bigint, bits: number): Uint8Array {
  let secret = value;
  for (let bit = bits - 1; bit >= 0; bit--) {
    if (((index >> BigInt(bit)) & 1n) === 0n) continue;
    const flipped = Uint8Array.from(secret);
    const at = bit >> 3;
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7));
    secret = sha256(flipped);
  }
  return secret;
}

/** One of the at most 49 secrets that stand for all that were received. */
export interface ShachainSlot {
  readonly index: bigint;
  readonly secret: Secret32<"per_commitment">;
}

/**
 * The peer's secrets, compact: slot b holds the newest one whose index has b trailing zeros, from which all between it and the next follow.
 * BOLT 3 §Efficient Per-commitment Secret Storage.
 */
export type Shachain = readonly (ShachainSlot | null)[];

export const EMPTY_SHACHAIN: Shachain = [];

function trailingZeros(index: bigint): number {
  let zeros = 0;
  while (zeros < INDEX_BITS && ((index >> BigInt(zeros)) & 1n) === 0n) zeros++;
  return zeros;
}

/**
 * The store with one more secret, which must derive every one that its slot stands for.
 * BOLT 3 §Efficient Per-commitment Secret Storage. Throws: state-shachain-mismatch.
 */
export function insertSecret(chain: Shachain, index: bigint, secret: Secret32<"per_commitment">): Shachain {
  const bucket = trailingZeros(index);
  for (let lower = 0; lower < bucket; lower++) {
    const known = chain[lower];
    if (known === undefined || known === null) continue;
    if (!equalBytes(deriveBelow(secret.reveal(), known.index, bucket), known.secret.reveal())) {
      throw new LnError("state-shachain-mismatch", `the secret of index ${index} does not derive the known one of index ${known.index}`, {
        index: index.toString(),
        known_index: known.index.toString(),
      });
    }
  }
  const slots: (ShachainSlot | null)[] = [...chain];
  while (slots.length <= bucket) slots.push(null);
  slots[bucket] = { index, secret };
  return slots;
}

/** Secret: the received secret of one index, or null where it never came. BOLT 3 §Efficient Per-commitment Secret Storage. */
export function lookupSecret(chain: Shachain, index: bigint): Secret32<"per_commitment"> | null {
  for (const [bucket, slot] of chain.entries()) {
    if (slot === null) continue;
    const mask = ~((1n << BigInt(bucket)) - 1n);
    if ((index & mask) === slot.index) return new Secret32(deriveBelow(slot.secret.reveal(), index, bucket));
  }
  return null;
}

/** The indexes that a store holds after the secrets of numbers 0 to count − 1, slot by slot. BOLT 3 §Efficient Per-commitment Secret Storage. */
export function slotIndexes(count: number): readonly (bigint | null)[] {
  const lowest = secretIndex(count - 1);
  const highest = secretIndex(0);
  const slots: (bigint | null)[] = [];
  for (let bucket = 0; bucket <= INDEX_BITS; bucket++) {
    const step = 1n << BigInt(bucket);
    // The smallest index not below the lowest received whose trailing zeros are exactly `bucket`
    const rounded = ((lowest + step - 1n) / step) * step;
    const index = (rounded / step) % 2n === 1n || bucket === INDEX_BITS ? rounded : rounded + step;
    slots.push(index <= highest ? index : null);
  }
  while (slots.at(-1) === null) slots.pop();
  return slots;
}
