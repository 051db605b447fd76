import { availableParallelism } from "node:os";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { ownProgram } from "./io.js";

/** Whether this is one that `startThread` has started. */
export const isInThread = !isMainThread;

/** How many threads have a core each. */
export const allCores = availableParallelism;

/** The same program with the same arguments, in a thread: it comes to the same place there, and serves. */
export interface Thread<Question, Answer, Part = never> {
  /** Answers come in the order of the questions; `onPart` sees what of them is ready before. */
  readonly ask: (question: Question, onPart?: (part: Part) => void) => Promise<Answer>;
  /** Questions that are not answered yet. */
  readonly waiting: () => number;
  /** Once it is through with the question that it is at, for ended in the midst of native code a thread takes the program with it. */
  readonly end: () => Promise<void>;
}

type Told<Answer, Part> = { readonly answer: Answer } | { readonly part: Part };

export function startThread<Question, Answer, Part = never>(): Thread<Question, Answer, Part> {
  const ended = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(ownProgram(), { argv: process.argv.slice(2), stdin: false, workerData: ended });
  const gone = new Promise<void>((resolve) => {
    worker.on("exit", () => {
      resolve();
    });
  });
  const asked: { readonly resolve: (answer: Answer) => void; readonly reject: (error: unknown) => void; readonly onPart?: (part: Part) => void }[] =
    [];
  worker.on("message", (told: Told<Answer, Part>) => {
    if ("part" in told) asked[0]?.onPart?.(told.part);
    else asked.shift()?.resolve(told.answer);
  });
  const fail = (error: unknown): void => {
    for (const { reject } of asked.splice(0)) reject(error);
  };
  worker.on("error", fail);
  worker.on("exit", () => {
    fail(new Error("a thread ended before its work was done"));
  });
  return {
    ask: (question, onPart) =>
      new Promise((resolve, reject) => {
        asked.push({ resolve, reject, ...(onPart === undefined ? {} : { onPart }) });
        worker.postMessage(question);
      }),
    waiting: () => asked.length,
    end: () => {
      Atomics.store(ended, 0, 1);
      // Whoever waits for a question looks up
      worker.postMessage(null);
      return gone;
    },
  };
}

/** Within a thread: answers one question after the other, until the thread is ended. */
export async function serve(answer: (question: never, tell: (part: unknown) => void) => Promise<unknown>): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const post = (told: Told<unknown, unknown>): void => {
    port.postMessage(told);
  };
  const ended = workerData as Int32Array;
  let last: Promise<unknown> = Promise.resolve();
  await new Promise((_, reject) => {
    port.on("message", (question: unknown) => {
      last = last
        .then(() => {
          if (Atomics.load(ended, 0) === 0) return answerTo(question);
          port.close();
          return undefined;
        })
        .catch(reject);
    });
    const answerTo = async (question: unknown): Promise<void> => {
      const result = await answer(question as never, (part) => {
        post({ part });
      });
      post({ answer: result });
    };
  }).catch(
    (error: unknown) =>
      // Not one of ours, so the thread must end with it and nothing else: outside the promise chain
      new Promise(() => {
        setImmediate(() => {
          throw error;
        });
      }),
  );
}
