import { type Thread, startThread } from "./threads.js";

/** Work that comes in pieces which know nothing of each other. */
export interface Work<Question, Answer> {
  /** As threads answer, too: in this thread for what is not worth one. */
  readonly answer: (question: Question) => Answer | Promise<Answer>;
  /** How much work a question is, in whatever unit `worthThreads` is in. */
  readonly weigh: (question: Question) => number;
  /** Work up to here is done in this thread alone. */
  readonly worthThreads: number;
  readonly mostThreads: number;
}

/**
 * Takes the answers in the order of the questions, however many threads give them. Only a few questions are held at a time. An error of `take` ends it
 * all, threads too.
 */
export async function inOrder<Question, Answer>(
  questions: AsyncIterable<Question> | Iterable<Question>,
  { answer, weigh, worthThreads, mostThreads }: Work<Question, Answer>,
  take: (answer: Answer) => void,
): Promise<void> {
  const threads: Thread<Question, Answer>[] = [];
  const underWay: Promise<Answer>[] = [];
  const takeNext = async (): Promise<void> => {
    const next = underWay.shift();
    if (next !== undefined) take(await next);
  };
  const ask = async (question: Question): Promise<void> => {
    if (underWay.length >= 2 * mostThreads) await takeNext();
    let free = threads.find(({ waiting }) => waiting() === 0);
    if (free === undefined && threads.length < mostThreads) threads.push((free = startThread()));
    free ??= threads.reduce((a, b) => (b.waiting() < a.waiting() ? b : a));
    const result = free.ask(question);
    // Awaited in its turn
    result.catch(() => undefined);
    underWay.push(result);
  };
  try {
    let held: Question[] = [];
    let weight = 0;
    for await (const question of questions) {
      weight += weigh(question);
      if (weight <= worthThreads) {
        held.push(question);
        continue;
      }
      for (const earlier of held) await ask(earlier);
      held = [];
      await ask(question);
    }
    for (const question of held) take(await answer(question));
    while (underWay.length > 0) await takeNext();
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}
