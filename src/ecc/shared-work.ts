import type { Ecc, SignTask, VerifyTask } from "../protocol/ecc.js";

/**
 * Many signatures, or many verdicts on signatures, in memory that threads share. Each thread takes the next few that nobody has taken until none
 * is left: one that is late finds less to do, or nothing, and nobody waits for it.
 */
export interface SharedWork {
  readonly kind: "sign" | "verify";
  readonly count: number;
  /** Of every task its hash and, to sign, whether extra entropy follows, the secret (which whoever made this wipes) and that entropy; to verify, point and signature. */
  readonly tasks: Uint8Array;
  /** Of every task the signature, or 1 for one that is good. */
  readonly results: Uint8Array;
  /** Counters, by NEXT, DONE and FAILED. */
  readonly counters: Int32Array;
}

/** The first task that nobody has taken. */
const NEXT = 0;
/** How many have their result. */
export const DONE = 1;
/** Not 0 when a thread could not do what it took. */
export const FAILED = 2;
const COUNTERS = 3;

/** What a thread takes at once: asking for more costs nothing beside a signature, and at the end nobody is left with much. */
const TAKEN_AT_ONCE = 4;

const TASK_SIZE = { sign: 97, verify: 129 } as const;
const RESULT_SIZE = { sign: 64, verify: 1 } as const;

function share(kind: SharedWork["kind"], count: number): SharedWork {
  return {
    kind,
    count,
    tasks: new Uint8Array(new SharedArrayBuffer(count * TASK_SIZE[kind])),
    results: new Uint8Array(new SharedArrayBuffer(count * RESULT_SIZE[kind])),
    counters: new Int32Array(new SharedArrayBuffer(COUNTERS * Int32Array.BYTES_PER_ELEMENT)),
  };
}

/** Secrets in: the result holds them. */
export function shareToSign(tasks: readonly SignTask[]): SharedWork {
  const work = share("sign", tasks.length);
  for (const [at, { hash, secret, extraEntropy }] of tasks.entries()) {
    const task = taskAt(work, at);
    task.set(hash, 0);
    task[32] = extraEntropy === undefined ? 0 : 1;
    task.set(secret, 33);
    if (extraEntropy !== undefined) task.set(extraEntropy, 65);
  }
  return work;
}

export function shareToVerify(tasks: readonly VerifyTask[]): SharedWork {
  const work = share("verify", tasks.length);
  for (const [at, { hash, point, signature }] of tasks.entries()) {
    const task = taskAt(work, at);
    task.set(hash, 0);
    task.set(point, 32);
    task.set(signature, 65);
  }
  return work;
}

export function signaturesOf({ results, count }: SharedWork): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => results.slice(64 * at, 64 * (at + 1)));
}

export function verdictsOf({ results }: SharedWork): boolean[] {
  return Array.from(results, (result) => result === 1);
}

/** Does tasks until none is left that nobody has taken. Never throws: what fails is counted as done, and marked. */
export function takePart(ecc: Ecc, work: SharedWork): void {
  const { kind, count, results, counters } = work;
  for (;;) {
    const from = Atomics.add(counters, NEXT, TAKEN_AT_ONCE);
    if (from >= count) return;
    const to = Math.min(from + TAKEN_AT_ONCE, count);
    try {
      for (let at = from; at < to; at++) {
        // The backends want memory of their own
        const task = Uint8Array.from(taskAt(work, at));
        results.set(kind === "sign" ? signed(ecc, task) : Uint8Array.of(isGood(ecc, task) ? 1 : 0), at * RESULT_SIZE[kind]);
        task.fill(0);
      }
    } catch {
      Atomics.store(counters, FAILED, 1);
    }
    Atomics.add(counters, DONE, to - from);
    Atomics.notify(counters, DONE);
  }
}

function signed(ecc: Ecc, task: Uint8Array): Uint8Array {
  return ecc.sign(task.subarray(0, 32), task.subarray(33, 65), task[32] === 0 ? undefined : task.subarray(65));
}

function isGood(ecc: Ecc, task: Uint8Array): boolean {
  return ecc.verify(task.subarray(0, 32), task.subarray(32, 65), task.subarray(65));
}

function taskAt({ kind, tasks }: SharedWork, at: number): Uint8Array {
  return tasks.subarray(at * TASK_SIZE[kind], (at + 1) * TASK_SIZE[kind]);
}
