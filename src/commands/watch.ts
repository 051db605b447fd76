import { parseStrict } from "../json/strict.js";
import { LnError } from "../protocol/errors.js";
import { type Document, defineCommand } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { nodeFlags, nodeOf } from "./shared/node.js";
import { type FlagValues, feerate, flag, integer, requiredFlag, text, toggle } from "./shared/options.js";
import { errorDocument } from "./watch/events.js";
import { type WatchState, printWatchState, readWatchState } from "./watch/follow.js";
import { type Source, inNodesChain, onLines } from "./watch/sources.js";
import { type Watcher, watcherFor } from "./watch/watcher.js";

const DEFAULT_POLL_SECONDS = 5;

const flags = {
  to: requiredFlag("--to <address>", "where the money goes", text),
  feerate: requiredFlag("--feerate <sat_per_kw>", "feerate of penalties and sweeps, never below and within 1 %", feerate),
  state: flag("--state <file>", "what was seen and answered: read at the start if it is there, written as it changes", text),
  node: toggle("--node", "follow a Bitcoin Core node's chain instead of reading lines; so does --rpc"),
  ...nodeFlags,
  from: flag("--from <height>", "the first block to look at (default: after the last one in --state, else the node's next)", integer(0, 499_999_999)),
  once: toggle("--once", "end at the node's newest block, instead of waiting for more"),
  poll: flag("--poll <seconds>", `how often the node is asked for more (default: ${DEFAULT_POLL_SECONDS})`, integer(1, 3600)),
  stopOnError: toggle("--stop-on-error", "end at the first line that can't be read, instead of going on"),
  strict: toggle("--strict", "refuse a keys file that others may read"),
};

export const command = defineCommand({
  name: "watch",
  summary: "recognise published commitments of any number of channels, and answer them",
  description:
    "Follows a Bitcoin Core node's chain (--node), or reads transactions and blocks from standard input, one a line: in hex, our reports with a `tx`, {height, hash, txs}, {disconnected: HEIGHT}. Says of what spends a funding output " +
    "which commitment it is, and writes what it asks for: penalties, also on the cheater's second stage, HTLC transactions, sweeps as they become possible. Prints an event a line. " +
    "Of a party it holds its funding outpoint; its files are read when something spends that. The same input gives the same answers; with --state it goes on where it was.",
  args: [{ syntax: "<folders...>", help: "party folders, or folders of party folders" }],
  flags,
  examples: [
    "chankit watch parties/ --to bcrt1q… --feerate 2500 --node --state watch.json -o answers/",
    "bitcoin-cli getblock HASH 0 | chankit watch parties/ --to bcrt1q… --feerate 2500 -o answers/",
    "chankit watch alice bob --to bcrt1q… --feerate 2500 --state watch.json < blocks.ndjson | jq -r 'select(.event == \"answer\").tx'",
  ],
  curve: true,
  exits: [1, 4, 5, 75],
  run: async (ctx, folders, o) => {
    if (folders.length === 0) throw new LnError("usage-party", "name party folders, or folders of them", {});
    if (ctx.output?.endsWith("/") === false)
      throw new LnError("usage-argument", "watch prints its events, and writes a file an answer: -o DIR/", { output: ctx.output });
    const say = (event: Document): void => {
      ctx.writeStdout(`${JSON.stringify(event)}\n`);
    };
    let failed = 0;
    const fail = (error: unknown, more: Document): void => {
      if (!(error instanceof LnError) || error.code.startsWith("output-")) throw error;
      failed += 1;
      say({ event: "failed", ...more, error: errorDocument(error) });
    };

    requireNodeFor(o);
    const watcher = watcherFor(ctx, { to: o.to, feerate: o.feerate, strict: o.strict, folder: ctx.output }, stateBefore(), say);
    let [watched, unfunded] = [0, 0];
    for (const party of folders.flatMap((folder) => ctx.store.partyFolders(folder.replace(/(?<=.)\/+$/, "")))) {
      try {
        if (watcher.add(party)) watched += 1;
        else unfunded += 1;
      } catch (error) {
        fail(error, { party });
      }
    }
    const sources = await sourcesFor(ctx, watcher, o, say);
    say({ event: "watching", parties: watched, unfunded, failed });

    const end = (interrupted: boolean): Document => ({ event: "end", ...watcher.counts(), failed, interrupted });
    const release = ctx.onInterrupt(() => {
      save();
      say(end(true));
    });
    try {
      for await (const { where, read } of sources) {
        try {
          await watcher.take(read());
        } catch (error) {
          fail(error, where);
          if (o.stopOnError === true) break;
        }
        if (watcher.changed()) save();
      }
    } finally {
      release();
      save();
    }
    const last = end(false);
    say(last);
    return { document: last, streamed: true, verdict: failed > 0 || last["refused"] !== 0 ? "no" : "yes" };

    function stateBefore(): WatchState {
      const none: WatchState = { tip: null, follows: [] };
      if (o.state === undefined) return none;
      ctx.store.requireWritable(o.state);
      try {
        return readWatchState(parseStrict(ctx.store.readText(o.state), o.state), o.state);
      } catch (error) {
        if (error instanceof LnError && error.code === "file-missing") return none;
        throw error;
      }
    }

    function save(): void {
      if (o.state !== undefined) ctx.store.writeOutput(o.state, printWatchState(watcher.state()), "replace");
    }
  },
});

function asksNode({ node, rpc }: FlagValues<typeof flags>): boolean {
  return node === true || rpc !== undefined;
}

/** Throws: usage-argument. */
function requireNodeFor(o: FlagValues<typeof flags>): void {
  if (asksNode(o)) return;
  const [option] = [o.from === undefined ? [] : ["--from"], o.once === undefined ? [] : ["--once"], o.poll === undefined ? [] : ["--poll"]].flat();
  if (option !== undefined) throw new LnError("usage-argument", `${option} is for a node: --node, or --rpc URL`, { option });
}

/** Throws: usage-party where the parties tell no chain, or more than one, and what `nodeOf` does. */
async function sourcesFor(
  ctx: Context,
  watcher: Watcher,
  o: FlagValues<typeof flags>,
  say: (event: Document) => void,
): Promise<AsyncIterable<Source>> {
  if (!asksNode(o)) return onLines(ctx.readStream());
  const [chain, ...others] = watcher.chains();
  if (chain === undefined || others.length > 0) {
    const found = chain === undefined ? "none has a funding output yet" : `these are on ${[chain, ...others].join(" and ")}`;
    throw new LnError("usage-party", `a node follows one chain, which the parties tell: ${found}`, { chains: watcher.chains() });
  }
  const node = await nodeOf(ctx, chain, o);
  const after = o.from === undefined ? watcher.state().tip : { height: o.from - 1, hash: null };
  return inNodesChain(ctx, { node, after, once: o.once === true, poll: o.poll ?? DEFAULT_POLL_SECONDS }, say);
}
