import { LnError } from "../../protocol/errors.js";
import type { Bitcoind } from "../../node/bitcoind.js";
import type { Document } from "../shared/command.js";
import type { Context } from "../shared/context.js";
import { linesOf } from "../shared/lines.js";
import { errorDocument } from "./events.js";
import type { Tip } from "./follow.js";
import { type Happening, blockAt, readHappening } from "./input.js";

/** Something that may have happened: reading it may fail, and then `where` tells which it was. */
export interface Source {
  readonly where: Document;
  /** Throws: what cannot be read. */
  readonly read: () => Happening;
}

/** What stands on lines. */
export async function* onLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Source> {
  for await (const line of linesOf(chunks)) yield { where: { line: line.number }, read: () => readHappening(line) };
}

export interface NodeSource {
  readonly node: Bitcoind;
  /** The last block that was seen; null for the node's newest. */
  readonly after: Tip | null;
  /** Whether it ends where the node has no more. */
  readonly once: boolean;
  /** How many seconds go by before the node is asked again. */
  readonly poll: number;
}

/**
 * What happens in a node's chain, without end unless `once`. A node that does not answer is told by an event, once, and asked again.
 * Throws: state-node-refused; with `once` also busy-….
 */
export async function* inNodesChain(
  ctx: Pick<Context, "sleep">,
  { node, after, once, poll }: NodeSource,
  say: (event: Document) => void,
): AsyncGenerator<Source> {
  const { stepOn } = await import("../../node/follow-chain.js");
  let place = after ?? (await node.tip());
  for (let lost = false; ;) {
    try {
      const step = await stepOn(node, place);
      if (lost) say({ event: "node", reached: true, error: null });
      lost = false;
      place = step.place;
      const { height } = place;
      if (step.kind === "block") yield { where: { height }, read: () => blockAt(step.place, step.bytes) };
      else if (step.kind === "disconnected") yield { where: { height: height + 1 }, read: () => ({ kind: "disconnected", height: height + 1 }) };
      else if (once) return;
      else await ctx.sleep(poll);
    } catch (error) {
      if (once || !(error instanceof LnError) || !error.code.startsWith("busy-")) throw error;
      if (!lost) say({ event: "node", reached: false, error: errorDocument(error) });
      lost = true;
      await ctx.sleep(poll);
    }
  }
}
