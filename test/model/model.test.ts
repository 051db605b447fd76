import { describe, expect, test, vi } from "vitest";
import { type Counts, World, noCounts } from "./world.js";

vi.setConfig({ testTimeout: 3_600_000 });

const RUNS = Number(process.env["CHANKIT_MODEL_RUNS"] ?? 12);
const FIRST_SEED = Number(process.env["CHANKIT_MODEL_SEED"] ?? 1);
const STEPS = 150;
/** Seeds that found something, and one in which the opener can't pay the fee of what has crossed. */
const REMEMBERED: readonly number[] = [2, 1002, 2016, 5103];

function run(seed: number, counts: Counts): void {
  const world = new World({ seed, interpreted: 0.02 }, counts);
  try {
    for (let at = 0; at < STEPS && !world.over; at++) world.step();
    world.settle();
    world.punishOne();
  } catch (error) {
    throw new Error(
      `seed ${seed}, ${JSON.stringify(world.plan, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))}\n${world.trace.slice(-60).join("\n")}`,
      { cause: error },
    );
  }
  counts.runs += 1;
  if (world.over) console.log(`seed ${seed}: the opener can't pay the fee of what has crossed`);
}

describe("two parties in every interleaving that a seed draws", () => {
  test(`seeds ${FIRST_SEED} to ${FIRST_SEED + RUNS - 1}`, () => {
    const counts = noCounts();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) run(seed, counts);
    for (const seed of REMEMBERED) run(seed, counts);
    console.log(`model: seeds ${FIRST_SEED}..${FIRST_SEED + RUNS - 1}, ${JSON.stringify(counts)}`);
    expect(counts.runs).toBe(RUNS + REMEMBERED.length);
    expect(counts.exhausted).toBeGreaterThan(0);
  });
});
