import { LnError } from "../../protocol/errors.js";
import { isObject } from "../../json/codec.js";
import { concat } from "../../protocol/bytes.js";
import {
  type CaseDifference,
  type Explanation,
  MOST_DIAGNOSED,
  type VectorReport,
  checkLine,
  diagnoseLine,
  verifyVectors,
} from "../../vectors/verify.js";
import { type Layout, mayNeedMusig2 } from "../../vectors/layouts.js";
import { blocksOf } from "../shared/batch.js";
import type { Report } from "../shared/command.js";
import type { Context } from "../shared/context.js";
import { useMusig2Library } from "../shared/curve.js";
import { inOrder } from "../shared/in-order.js";
import { readChunks } from "../shared/io.js";
import { type Line, MAX_LINE_BYTES, linesOf, textOf } from "../shared/lines.js";
import { allCores, isInThread, serve } from "../shared/threads.js";

export interface VerifyOptions {
  readonly layout: Layout | undefined;
  readonly jobs: number | undefined;
}

/** So many differences are listed, and so many explanations; the others are counted. */
const MOST_LISTED = 1000;

/** About how many bytes of a case take a signature to check. */
const BYTES_PER_SIGNATURE = 1300;
/** What starting a thread is worth, in signatures. */
const WORTH_THREADS = 2000;

/** Lines of NDJSON; `first` is which case the first one is, from 0. */
interface Question {
  readonly first: number;
  readonly lines: readonly Line[];
}

interface Answer {
  readonly cases: readonly {
    readonly id: string;
    readonly values: number;
    readonly explanation: string | undefined;
    readonly line: string | undefined;
  }[];
  readonly differences: readonly CaseDifference[];
  /** What ended it. */
  readonly refusal: Pick<LnError, "code" | "message" | "details"> | undefined;
}

/** Derives every value of a file again. Cases a line each are read as they come, on all cores; everything else whole. Throws: input-…, json-…, file-…. */
export async function verify(ctx: Context, file: string, { layout, jobs }: VerifyOptions): Promise<Report> {
  const answer = (question: Question): Answer => answerAll(question, file);
  if (ctx.mayStartThreads && isInThread) await serve((question: Question) => Promise.resolve(answer(question)));
  const input = await opened(chunksOf(ctx, file), file, layout);
  // What derives is synchronous: whatever it may ask for is there before
  if (input.kind === "text" && mayNeedMusig2(input.text)) await useMusig2Library();
  const report = input.kind === "text" ? verifyVectors(input.text, file, layout) : await verifyCases(ctx, input.lines, { answer, jobs, file });
  return { document: documentOf(report), verdict: report.differences.length === 0 ? "yes" : "no" };
}

async function verifyCases(
  ctx: Context,
  lines: AsyncIterable<Line>,
  { answer, jobs, file }: { readonly answer: (question: Question) => Answer; readonly jobs: number | undefined; readonly file: string },
): Promise<Counted> {
  const mostThreads = jobs ?? allCores();
  const worthThreads = ctx.mayStartThreads && mostThreads > 1 ? WORTH_THREADS : Infinity;
  const weigh = (question: Question): number => question.lines.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0) / BYTES_PER_SIGNATURE;
  const counted = { format: "cases" as const, cases: 0, values: 0, moreDifferences: 0, moreExplanations: 0 };
  const differences: CaseDifference[] = [];
  const explanations: Explanation[] = [];
  let left = MOST_DIAGNOSED;
  await inOrder(questionsOf(lines), { answer, weigh, worthThreads, mostThreads }, (given) => {
    for (const { id, values, explanation, line } of given.cases) {
      counted.cases += 1;
      counted.values += values;
      if (explanation === undefined) continue;
      if (explanations.length === MOST_LISTED) {
        counted.moreExplanations += 1;
        continue;
      }
      const found = line !== undefined && left-- > 0 ? diagnoseLine(line, file) : null;
      explanations.push({ case: id, words: found === null ? explanation : `${explanation}; ${found}` });
    }
    const room = MOST_LISTED - differences.length;
    differences.push(...given.differences.slice(0, room));
    counted.moreDifferences += Math.max(0, given.differences.length - room);
    if (given.refusal !== undefined) throw new LnError(given.refusal.code, given.refusal.message, given.refusal.details);
  });
  return { ...counted, differences, explanations };
}

/** A report that lists only the first of many differences. */
interface Counted extends VectorReport {
  readonly moreDifferences?: number;
  readonly moreExplanations?: number;
}

function documentOf({ moreDifferences = 0, moreExplanations = 0, ...report }: Counted) {
  return {
    ...report,
    ...(moreDifferences === 0 ? {} : { more_differences: moreDifferences }),
    ...(moreExplanations === 0 ? {} : { more_explanations: moreExplanations }),
  };
}

async function* questionsOf(lines: AsyncIterable<Line>): AsyncGenerator<Question> {
  let first = 0;
  for await (const block of blocksOf(lines)) {
    yield { first, lines: block };
    first += block.length;
  }
}

function answerAll({ first, lines }: Question, file: string): Answer {
  const cases: Answer["cases"][number][] = [];
  const differences: CaseDifference[] = [];
  let diagnosable = 0;
  for (const [at, line] of lines.entries()) {
    const source = `${file}: line ${line.number}`;
    try {
      const text = textOf(line, source);
      const { report, diagnose } = checkLine(text, first + at, source);
      const { id, values, explanation } = report;
      cases.push({ id, values, explanation, line: diagnose !== undefined && diagnosable++ < MOST_DIAGNOSED ? text : undefined });
      differences.push(...report.differences);
    } catch (error) {
      if (!(error instanceof LnError)) throw error;
      const { code, message, details } = error;
      return { cases, differences, refusal: { code, message, details } };
    }
  }
  return { cases, differences, refusal: undefined };
}

async function* chunksOf(ctx: Context, file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file === "-" ? ctx.readStream() : readChunks(file);
  } catch (error) {
    // A file handed to a command is not a party's: what is wrong with it is no fault of the store
    if (error instanceof LnError && error.code.startsWith("file-")) throw new LnError("input-unreadable", error.message, error.details);
    throw error;
  }
}

type Input = { readonly kind: "lines"; readonly lines: AsyncIterable<Line> } | { readonly kind: "text"; readonly text: string };

/** Cases line by line, where the first line is one by itself; else all of the text. Throws: file-damaged. */
async function opened(chunks: AsyncGenerator<Uint8Array>, file: string, layout: Layout | undefined): Promise<Input> {
  const held: Uint8Array[] = [];
  let size = 0;
  let first: string | undefined;
  // An iterator that is left is over: each step is taken by hand
  for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) {
    held.push(step.value);
    size += step.value.length;
    first = firstLineOf(concat(...held));
    if (first !== undefined || size > MAX_LINE_BYTES) break;
  }
  if (first !== undefined && (layout ?? "cases") === "cases" && isCase(first)) return { kind: "lines", lines: linesOf(continued(held, chunks)) };
  for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) held.push(step.value);
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(concat(...held)) };
  } catch {
    throw new LnError("input-unreadable", `${file} is not UTF-8 text`, { path: file });
  }
}

async function* continued(held: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* held;
  yield* rest;
}

const NEWLINE = 10;

/** The first line with something on it; undefined where it has not ended yet. */
function firstLineOf(bytes: Uint8Array): string | undefined {
  let from = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
    const line = new TextDecoder().decode(bytes.subarray(from, end)).trim();
    if (line !== "") return line;
    from = end + 1;
  }
  return undefined;
}

function isCase(line: string): boolean {
  try {
    const document: unknown = JSON.parse(line);
    return isObject(document) && Object.hasOwn(document, "case");
  } catch {
    return false;
  }
}
