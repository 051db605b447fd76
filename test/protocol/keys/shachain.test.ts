import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalBytes } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import {
  EMPTY_SHACHAIN,
  MAX_COMMITMENT_NUMBER,
  type Shachain,
  generateFromSeed,
  insertSecret,
  lookupSecret,
  perCommitmentSecret,
  secretIndex,
  slotIndexes,
} from "../../../src/protocol/keys/shachain.js";
import { Secret32 } from "../../../src/protocol/secret.js";
import { refusal } from "../../json/refusal.js";
import { anyHash, flipBit } from "../channels.js";

const anySeed = anyHash.map((bytes) => new Secret32<"per_commitment_seed">(bytes));

/** The store after the first `count` secrets of a seed. */
function received(seed: Secret32<"per_commitment_seed">, count: number): Shachain {
  let chain = EMPTY_SHACHAIN;
  for (let number = 0; number < count; number++) chain = insertSecret(chain, secretIndex(number), perCommitmentSecret(seed, number));
  return chain;
}

describe("what was received is looked up, what was not is not there", () => {
  test("lookup = generation", () => {
    fc.assert(
      fc.property(anySeed, fc.integer({ min: 1, max: 200 }), (seed, count) => {
        const chain = received(seed, count);
        for (let number = 0; number < count; number++) {
          expect(lookupSecret(chain, secretIndex(number))?.reveal()).toEqual(perCommitmentSecret(seed, number).reveal());
        }
        expect(lookupSecret(chain, secretIndex(count))).toBeNull();
        expect(chain.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count + 1)));
      }),
      { numRuns: 30 },
    );
  });

  test("the last index needs the 49th slot and derives every other", () => {
    fc.assert(
      fc.property(anySeed, fc.bigInt(0n, BigInt(MAX_COMMITMENT_NUMBER)), (seed, index) => {
        const last = new Secret32<"per_commitment">(generateFromSeed(seed.reveal(), 0n));
        const chain = insertSecret(EMPTY_SHACHAIN, 0n, last);
        expect(chain).toHaveLength(49);
        expect(lookupSecret(chain, index)?.reveal()).toEqual(generateFromSeed(seed.reveal(), index));
      }),
    );
  });

  test("the slots that are full after so many secrets", () => {
    const seed = new Secret32<"per_commitment_seed">(new Uint8Array(32).fill(3));
    let chain = EMPTY_SHACHAIN;
    for (let count = 0; count <= 300; count++) {
      expect(slotIndexes(count)).toEqual(chain.map((slot) => slot?.index ?? null));
      chain = insertSecret(chain, secretIndex(count), perCommitmentSecret(seed, count));
    }
    const all = slotIndexes(MAX_COMMITMENT_NUMBER + 1);
    expect(all).toEqual([...Array.from({ length: 48 }, (_, bucket) => 1n << BigInt(bucket)), 0n]);
  });

  test("index 2^48−1 comes first", () => {
    expect(secretIndex(0)).toBe(2n ** 48n - 1n);
    expect(secretIndex(MAX_COMMITMENT_NUMBER)).toBe(0n);
  });

  test("a slot that is empty is none that a later secret must derive", () => {
    const seed = new Uint8Array(32).fill(4);
    const secretOf = (index: bigint) => new Secret32<"per_commitment">(generateFromSeed(seed, index));
    const chain = insertSecret(insertSecret(EMPTY_SHACHAIN, 24n, secretOf(24n)), 16n, secretOf(16n));
    expect(chain.map((slot) => slot?.index ?? null)).toEqual([null, null, null, 24n, 16n]);
  });

  test("a store is never changed", () => {
    const seed = new Secret32<"per_commitment_seed">(new Uint8Array(32).fill(9));
    const before = received(seed, 5);
    const copy = [...before];
    insertSecret(before, secretIndex(5), perCommitmentSecret(seed, 5));
    expect(before).toEqual(copy);
  });
});

describe("a wrong secret", () => {
  test("is always refused by the check against its point", () => {
    fc.assert(
      fc.property(anySeed, fc.nat(2 ** 30), fc.nat(255), (seed, number, bit) => {
        const right = perCommitmentSecret(seed, number);
        const wrong = new Secret32(flipBit(right.reveal(), bit));
        expect(equalBytes(publicKey(wrong), publicKey(right))).toBe(false);
      }),
    );
  });

  test("is refused by the store at once where it must derive others, else as soon as one must derive it", () => {
    fc.assert(
      fc.property(anySeed, fc.nat(60), fc.nat(255), (seed, wrongNumber, bit) => {
        let chain = received(seed, wrongNumber);
        const wrong = new Secret32<"per_commitment">(flipBit(perCommitmentSecret(seed, wrongNumber).reveal(), bit));
        const coversOthers = secretIndex(wrongNumber) % 2n === 0n;
        const error = (number: number, secret: Secret32<"per_commitment">): string | null => {
          try {
            chain = insertSecret(chain, secretIndex(number), secret);
            return null;
          } catch {
            return refusal(() => insertSecret(chain, secretIndex(number), secret)).code;
          }
        };
        // An index that ends in a one stands for itself only
        expect(error(wrongNumber, wrong)).toBe(coversOthers ? "state-shachain-mismatch" : null);
        if (!coversOthers) expect(error(wrongNumber + 1, perCommitmentSecret(seed, wrongNumber + 1))).toBe("state-shachain-mismatch");
      }),
    );
  });

  test("shows in no message", () => {
    const seed = new Secret32<"per_commitment_seed">(new Uint8Array(32).fill(9));
    const error = refusal(() => insertSecret(received(seed, 1), secretIndex(1), new Secret32(new Uint8Array(32).fill(0x42))));
    expect(error).toMatchObject({ code: "state-shachain-mismatch", details: { index: "281474976710654", known_index: "281474976710655" } });
    expect(JSON.stringify([error.message, error.details])).not.toContain("4242");
  });
});
