import { LnError } from "../../protocol/errors.js";
import type { Batch, Report } from "./command.js";
import { inOrder } from "./in-order.js";
import { readChunks, writeStdout } from "./io.js";
import { type Line, linesOf, textOf } from "./lines.js";
import { allCores, isInThread, serve } from "./threads.js";

/** What is handed to a thread at once: enough to make the way there cheap, little enough that all have work. */
const BLOCK_LINES = 16;
const BLOCK_BYTES = 512 * 1024;

interface Answer {
  /** The lines of the output. */
  readonly text: string;
  readonly failed: boolean;
}

/**
 * Reads NDJSON and prints a result or an error a line, in order, on `jobs` threads (all cores unless given). However long the input is, only a
 * few blocks of it are held. Returns whether every line went well. Within a thread that it has started itself it serves that instead.
 * Throws: file-…, output-….
 */
export async function runBatch(batch: Batch, file: string, options: Readonly<Record<string, unknown>>, jobs: number | undefined): Promise<boolean> {
  const source = file === "-" ? "line" : `${file}: line`;
  const answer = (lines: readonly Line[]): Promise<Answer> => answerAll(batch, lines, source, options);
  if (isInThread) {
    await serve(answer);
    return true;
  }
  let failed = false;
  // A single block is not worth a thread
  const work = { answer, weigh: () => 1, worthThreads: 1, mostThreads: jobs ?? allCores() };
  await inOrder(blocksOf(linesOf(readChunks(file))), work, (given) => {
    failed ||= given.failed;
    writeStdout(given.text);
  });
  return !failed;
}

/** The lines, a few at a time. */
export async function* blocksOf(lines: AsyncIterable<Line>): AsyncGenerator<readonly Line[]> {
  let block: Line[] = [];
  let size = 0;
  for await (const line of lines) {
    block.push(line);
    size += line.bytes?.length ?? 0;
    if (block.length < BLOCK_LINES && size < BLOCK_BYTES) continue;
    yield block;
    block = [];
    size = 0;
  }
  if (block.length > 0) yield block;
}

async function answerAll(batch: Batch, lines: readonly Line[], source: string, options: Readonly<Record<string, unknown>>): Promise<Answer> {
  let [text, failed] = ["", false];
  for (const line of lines) {
    const name = `${source} ${line.number}`;
    const { report, error } = await attempt(() => batch.line(textOf(line, name), name, options));
    failed ||= report?.verdict === "no" || error !== undefined;
    text += `${JSON.stringify(report?.document ?? { error })}\n`;
  }
  return { text, failed };
}

async function attempt(act: () => Report | Promise<Report>): Promise<{ readonly report?: Report; readonly error?: object }> {
  try {
    return { report: await act() };
  } catch (error) {
    if (!(error instanceof LnError)) throw error;
    const { code, message, details } = error;
    return { error: { code, message, details } };
  }
}
