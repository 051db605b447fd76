import { parseStrict } from "../json/strict.js";
import { LnError } from "../protocol/errors.js";
import { type Document, defineCommand } from "./shared/command.js";
import { linesOf } from "./shared/lines.js";
import { feerate, flag, requiredFlag, text, toggle } from "./shared/options.js";
import { errorDocument } from "./watch/events.js";
import { type WatchState, printWatchState, readWatchState } from "./watch/follow.js";
import { readHappening } from "./watch/input.js";
import { watcherFor } from "./watch/watcher.js";

export const command = defineCommand({
  name: "watch",
  summary: "recognise published commitments of any number of channels, and answer them",
  description:
    "Reads transactions and blocks from standard input, one a line: in hex, our reports with a `tx`, {height, hash, txs}, {disconnected: HEIGHT}. Says of what spends a funding output " +
    "which commitment it is, and writes what it asks for: penalties, also on the cheater's second stage, HTLC transactions, sweeps as they become possible. Prints an event a line. " +
    "Of a party it holds its funding outpoint; its files are read when something spends that. The same input gives the same answers; with --state it goes on where it was.",
  args: [{ syntax: "<folders...>", help: "party folders, or folders of party folders" }],
  flags: {
    to: requiredFlag("--to <address>", "where the money goes", text),
    feerate: requiredFlag("--feerate <sat_per_kw>", "feerate of penalties and sweeps, never below and within 1 %", feerate),
    state: flag("--state <file>", "what was seen and answered: read at the start if it is there, written as it changes", text),
    stopOnError: toggle("--stop-on-error", "end at the first line that can't be read, instead of going on"),
    strict: toggle("--strict", "refuse a keys file that others may read"),
  },
  examples: [
    "bitcoin-cli getblock HASH 0 | chankit watch parties/ --to bcrt1q… --feerate 2500 -o answers/",
    "chankit watch alice bob --to bcrt1q… --feerate 2500 --state watch.json < blocks.ndjson | jq -r 'select(.event == \"answer\").tx'",
  ],
  curve: true,
  exits: [1, 4, 5],
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
    say({ event: "watching", parties: watched, unfunded, failed });

    const end = (interrupted: boolean): Document => ({ event: "end", ...watcher.counts(), failed, interrupted });
    const release = ctx.onInterrupt(() => {
      save();
      say(end(true));
    });
    try {
      for await (const line of linesOf(ctx.readStream())) {
        try {
          await watcher.take(readHappening(line));
        } catch (error) {
          fail(error, { line: line.number });
          if (o.stopOnError === true) break;
        }
        if (watcher.changed()) save();
      }
    } finally {
      release();
    }
    save();
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
