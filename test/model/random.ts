/** A stream of draws that a seed determines (mulberry32), so that a failing run can be run again. */
export interface Draw {
  /** An integer from 0 to `bound` − 1. */
  below(bound: number): number;
  /** Whether something of this probability happens. */
  chance(probability: number): boolean;
  oneOf<T>(values: readonly T[]): T;
  bigBelow(bound: bigint): bigint;
}

export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    below,
    chance: (probability) => next() < probability,
    oneOf: (values) => {
      const drawn = values[below(values.length)];
      if (drawn === undefined) throw new Error("nothing to draw from");
      return drawn;
    },
    bigBelow: (bound) => (bound <= 0n ? 0n : BigInt(Math.floor(next() * 2 ** 48)) % bound),
  };
}
