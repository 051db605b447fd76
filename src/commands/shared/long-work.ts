import type { Context } from "./context.js";
import { showProgress } from "./io.js";

/** How a command works that takes its time: it tells how far it is, and when it is interrupted, `soFar` prints what it has. */
export interface LongWork {
  /** Lets the world in for a moment, now and then. */
  readonly breathe: () => Promise<void>;
  /** Seen on a terminal alone, one line in the place of the last. */
  readonly progress: (line: string) => void;
}

/** As often as a person could notice. */
const BREATH_EVERY = 64;

export async function longWork<T>(ctx: Pick<Context, "onInterrupt">, soFar: () => void, act: (work: LongWork) => Promise<T>): Promise<T> {
  let asked = 0;
  const release = ctx.onInterrupt(() => {
    showProgress("");
    soFar();
  });
  try {
    return await act({
      breathe: async () => {
        if (++asked % BREATH_EVERY === 0) {
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
        }
      },
      progress: showProgress,
    });
  } finally {
    release();
    showProgress("");
  }
}
