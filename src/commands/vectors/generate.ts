import { LnError } from "../../protocol/errors.js";
import { CHANNEL_TYPES, type ChannelType } from "../../protocol/tx/channel-type.js";
import { type CaseSet, SIGNATURES_PER_CASE, generateCase } from "../../vectors/generate/generate.js";
import type { Report } from "../shared/command.js";
import type { Context } from "../shared/context.js";
import { inOrder } from "../shared/in-order.js";
import { allCores, isInThread, serve } from "../shared/threads.js";
import type { Shard } from "./shard.js";

export interface GenerateOptions {
  readonly seed: string | undefined;
  readonly count: number | undefined;
  readonly format: readonly ChannelType[] | undefined;
  readonly shard: Shard | undefined;
  readonly jobs: number | undefined;
}

/** Case numbers from `from` up to but without `to`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

const COUNT = 100;
const BLOCK_CASES = 16;
/** What starting a thread is worth. */
const WORTH_THREADS = 2000;

/** Prints the cases of a set, or of a part of it, a line each. Throws: usage-argument, usage-output, output-…. */
export async function generate(
  ctx: Context,
  { seed, count = COUNT, format, shard: share = { part: 1, parts: 1 }, jobs }: GenerateOptions,
): Promise<Report> {
  if (seed === undefined || seed === "") throw new LnError("usage-argument", "name a seed with --seed: any text, from which all follows", {});
  if (ctx.output !== undefined)
    throw new LnError("usage-syntax", "cases go to standard output as they are made: redirect it instead of --output", {});
  const set: CaseSet = { seed, channelTypes: format ?? CHANNEL_TYPES };
  const answer = ({ from, to }: Range): string => {
    let lines = "";
    for (let index = from; index < to; index++) lines += `${JSON.stringify(generateCase(set, index))}\n`;
    return lines;
  };
  if (ctx.mayStartThreads && isInThread) await serve((range: Range) => Promise.resolve(answer(range)));
  const weigh = ({ from, to }: Range): number => (to - from) * SIGNATURES_PER_CASE;
  const mostThreads = jobs ?? allCores();
  // One thread beside this one would only be a second place for the same work
  const worthThreads = ctx.mayStartThreads && mostThreads > 1 ? WORTH_THREADS : Infinity;
  await inOrder(blocksOf(partOf(count, share)), { answer, weigh, worthThreads, mostThreads }, ctx.writeStdout);
  return { document: {}, streamed: true };
}

/** A share of the numbers below `count`: one after the other the shares are all of them. */
function partOf(count: number, { part, parts }: Shard): Range {
  const upTo = (shares: number): number => Number((BigInt(count) * BigInt(shares)) / BigInt(parts));
  return { from: upTo(part - 1), to: upTo(part) };
}

function* blocksOf({ from, to }: Range): Generator<Range> {
  for (let at = from; at < to; at += BLOCK_CASES) yield { from: at, to: Math.min(at + BLOCK_CASES, to) };
}
