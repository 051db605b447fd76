import { Worker } from "node:worker_threads";
import { describe, expect, test, vi } from "vitest";
import { type Helper, onAllCores } from "../../src/ecc/all-cores.js";
import type { HelperData } from "../../src/ecc/helper.js";
import { DONE, type SharedWork, shareToSign, signaturesOf, takePart } from "../../src/ecc/shared-work.js";
import { wasm } from "../../src/ecc/wasm.js";
import { type ManyAtOnce, type SignTask, type VerifyTask, oneByOne } from "../../src/protocol/ecc.js";

/** Enough for threads to be started on WebAssembly. */
const MANY = 200;
const bytes = (seed: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, at) => (seed * 7 + at * 13 + 1) & 0xff);

/** Every third with extra entropy, and secrets of two keys. */
const toSign = (count: number): SignTask[] =>
  Array.from({ length: count }, (_, at) => ({
    hash: bytes(at),
    secret: bytes(at % 2),
    ...(at % 3 === 0 ? { extraEntropy: bytes(1000 + at) } : {}),
  }));

/** Every fifth of another hash. */
const toVerify = (count: number): VerifyTask[] =>
  toSign(count).map(({ hash, secret }, at) => ({
    hash: at % 5 === 0 ? bytes(at + 1) : hash,
    point: wasm.pointFromSecret(secret),
    signature: wasm.sign(hash, secret),
  }));

/** Threads that are none: what they do with the work that they are sent happens before the one that asks begins. */
const helpers = (...acts: ((work: SharedWork) => void)[]) => {
  const sent: SharedWork[] = [];
  let starts = 0;
  const start = (): Helper[] => {
    starts++;
    return acts.map((act) => ({
      postMessage: (work) => {
        sent.push(work);
        act(work);
      },
    }));
  };
  return { start, sent, starts: () => starts };
};
const idle = (): void => undefined;

const alone = oneByOne(wasm);
const results = (many: ManyAtOnce, count: number) => [many.signAll(toSign(count)), many.verifyAll(toVerify(count))];

describe("many signatures on all cores", () => {
  test.each<[string, ((work: SharedWork) => void)[]]>([
    ["a thread that never comes to it", [idle]],
    ["a thread that does it all", [(work) => takePart(wasm, work)]],
    ["two threads, of which one comes too late", [(work) => takePart(wasm, work), idle]],
  ])("%s: the results are those of one by one, and no secret stays", (_, acts) => {
    const { start, sent } = helpers(...acts);
    const many = onAllCores(wasm, start);
    expect(results(many, MANY + 1)).toEqual(results(alone, MANY + 1));
    expect(sent).toHaveLength(2 * acts.length);
    for (const { kind, tasks } of sent) if (kind === "sign") expect(tasks.every((byte) => byte === 0)).toBe(true);
  });

  test("what is too little starts no thread, and wakes those that are there when it is some", () => {
    const { start, sent, starts } = helpers(idle);
    const many = onAllCores(wasm, start);
    expect(results(many, MANY - 1)).toEqual(results(alone, MANY - 1));
    expect(starts()).toBe(0);
    many.signAll(toSign(MANY));
    many.signAll(toSign(31));
    expect([starts(), sent.length]).toEqual([1, 1]);
    expect(results(many, 32)).toEqual(results(alone, 32));
    expect([starts(), sent.length]).toEqual([1, 3]);
  });

  test("where there is one core it is done one by one", () => {
    const { start, starts } = helpers();
    const many = onAllCores(wasm, start);
    expect(results(many, MANY)).toEqual(results(alone, MANY));
    expect(results(many, MANY)).toEqual(results(alone, MANY));
    expect(starts()).toBe(1);
  });

  test("what a thread could not do is done again by the one that asks", () => {
    const broken = {
      ...wasm,
      sign: () => {
        throw new Error("no memory");
      },
      verify: () => {
        throw new Error("no memory");
      },
    };
    const { start } = helpers((work) => takePart(broken, work));
    expect(results(onAllCores(wasm, start), MANY)).toEqual(results(alone, MANY));
  });

  test("a thread that dies with what it took is not waited for", () => {
    const { start } = helpers(({ counters }) => Atomics.add(counters, 0, 4));
    expect(results(onAllCores(wasm, start, 50), MANY)).toEqual(results(alone, MANY));
  });

  test("what cannot be signed throws as it does alone", () => {
    const tasks = [...toSign(MANY), { hash: bytes(1), secret: new Uint8Array(32) }];
    const thrown = (act: () => unknown): string => {
      try {
        act();
      } catch (error) {
        return String(error);
      }
      return "nothing";
    };
    const { start } = helpers(idle);
    const expected = thrown(() => alone.signAll(tasks));
    expect(expected).toMatch(/private/i);
    expect(thrown(() => onAllCores(wasm, start).signAll(tasks))).toBe(expected);
  });

  describe.each(["wasm", "native"] as const)("the program's own threads, %s", (backend) => {
    const workerData: HelperData = { backend, system: `${process.platform}-${process.arch}` };
    const start = (): Worker => new Worker(new URL("../../dist/cli/start.js", import.meta.url), { argv: ["--curve-helper"], workerData });

    test("do what they are sent", async () => {
      const worker = start();
      const work = shareToSign(toSign(50));
      worker.postMessage(work);
      await vi.waitUntil(() => Atomics.load(work.counters, DONE) === 50, { timeout: 20_000 });
      expect(signaturesOf(work)).toEqual(alone.signAll(toSign(50)));
      await worker.terminate();
    });

    test("and who asks, at once", async () => {
      const workers: Worker[] = [];
      const many = onAllCores(wasm, () => (workers.push(start(), start()), workers));
      for (let round = 0; round < 3; round++) expect(results(many, 300)).toEqual(results(alone, 300));
      await Promise.all(workers.map((worker) => worker.terminate()));
    });
  });
});
