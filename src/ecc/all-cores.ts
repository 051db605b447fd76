import { type Ecc, type ManyAtOnce, oneByOne } from "../protocol/ecc.js";
import { DONE, FAILED, type SharedWork, shareToSign, shareToVerify, signaturesOf, takePart, verdictsOf } from "./shared-work.js";

/** A thread that takes part in the work that it is sent: `helper.ts` runs in it. It must not keep the process alive. */
export interface Helper {
  postMessage(work: SharedWork): void;
}

/**
 * How many tasks are worth starting a thread for: it comes to work when the one that asks has done about a hundred by itself on WebAssembly, five
 * times as many on the native backend. `node test/bench/warm.mjs` measures what a warm one gives.
 */
const WORTH_A_START = { wasm: 200, native: 2000 } as const;
/** How many tasks are worth waking threads that are there. */
const WORTH_A_CALL = 32;
/** Longer than any thread takes for a few tasks, however busy the machine is: then it has died, and the work is done again without it. */
const PATIENCE_MS = 10_000;

/**
 * Signs and verifies on all cores where there is enough to do: the same results in the same order, synchronously. The threads are started when
 * they are first worth it, one for every core but that of who asks, and stay.
 */
export function onAllCores(ecc: Ecc, start: (backend: Ecc["name"]) => readonly Helper[], patienceMs = PATIENCE_MS): ManyAtOnce {
  const alone = oneByOne(ecc);
  let helpers: readonly Helper[] | undefined;

  /** False when the work has to be done again by one. */
  function together(work: SharedWork): boolean {
    helpers ??= start(ecc.name);
    for (const helper of helpers) helper.postMessage(work);
    takePart(ecc, work);
    const { counters, count } = work;
    for (;;) {
      const done = Atomics.load(counters, DONE);
      if (done === count) return Atomics.load(counters, FAILED) === 0;
      if (Atomics.wait(counters, DONE, done, patienceMs) === "timed-out") return false;
    }
  }

  function isWorthIt(count: number): boolean {
    if (helpers === undefined) return count >= WORTH_A_START[ecc.name];
    return helpers.length > 0 && count >= WORTH_A_CALL;
  }

  return {
    signAll: (tasks) => {
      if (!isWorthIt(tasks.length)) return alone.signAll(tasks);
      const work = shareToSign(tasks);
      const well = together(work);
      work.tasks.fill(0);
      return well ? signaturesOf(work) : alone.signAll(tasks);
    },
    verifyAll: (tasks) => {
      if (!isWorthIt(tasks.length)) return alone.verifyAll(tasks);
      const work = shareToVerify(tasks);
      return together(work) ? verdictsOf(work) : alone.verifyAll(tasks);
    },
  };
}
