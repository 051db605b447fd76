import { LnError } from "../protocol/errors.js";
import { ecc, useEcc } from "../protocol/ecc.js";
import { rememberingEcc } from "../explore/remembering-ecc.js";
import { BEHAVIOURS, type Behaviour, type Cell, exploreDuel } from "../explore/explore.js";
import { scriptCheck } from "../explore/script-check.js";
import { PARTIES, SCRIPTS, type Script, otherThan } from "../explore/script.js";
import { CIRCUMSTANCES, type Circumstances, type Counts, duelOf } from "../explore/search.js";
import { momentsOf, openWorld } from "../explore/world.js";
import { CHANNEL_TYPES } from "../protocol/tx/channel-type.js";
import { circumstancesDocument, type Explored, lossesIn, scriptDocument, table, transactionsOf, unreachedIn } from "./explore/report.js";
import { policyCodes } from "./explore/rules.js";
import { runner } from "./explore/runner.js";
import { defineCommand } from "./shared/command.js";
import { type LongWork, longWork } from "./shared/long-work.js";
import { flag, integer, oneOf, toggle } from "./shared/options.js";
import type { PolicyCode } from "../protocol/policy/rule.js";

/** Where the funding of every scenario comes from: a coin that was always there. */
const FUNDING = "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be:0";

const names = SCRIPTS.map(({ name }) => name).join(", ");

export const command = defineCommand({
  name: "explore",
  summary: "stop an update at every step, let either side do its worst, see who loses",
  description:
    `Plays scenarios (${names}; default: article) with the commands themselves, stops after every step, and lets each side in turn be the adversary: it publishes whatever it can complete, ` +
    "races, withholds, replays and lies; the other runs the commands that leave, sweep and punish, and its script may go wrong in every way. All transactions are checked by the script interpreter on a model of the chain. " +
    "What the honest side can spend in the end is compared with what it is owed by what was said; a loss is exit code 1.",
  args: [{ syntax: "[scenario...]", help: names }],
  flags: {
    step: flag("--step <n>", "only after this step, or from the first to the last of N-M; 0 is before the first", span),
    actor: flag("--actor <name>", "only with this side as the adversary", oneOf(PARTIES)),
    behaviour: flag("--behaviour <name>", BEHAVIOURS.join(", "), oneOf(BEHAVIOURS)),
    without: flag("--without <rule>", "with this policy tag not asked for by the honest side; may be given again", rules),
    channelType: flag("--channel-type <type>", "another format than the scenario's", oneOf(CHANNEL_TYPES)),
    feerate: flag("--feerate <sat_per_kw>", "another feerate of the commitments than the scenario's", integer(0, 100_000)),
    sweepFeerate: flag("--sweep-feerate <sat_per_kw>", "of the honest side's sweeps and penalties (default: 0)", integer(0, 100_000)),
    reaction: flag(
      "--reaction <blocks>",
      "from the sight of something to the answer's confirmation (default: 6); at to_self_delay or above it is too slow",
      integer(1, 0xffff),
    ),
    unwatched: toggle("--unwatched", "nobody looks at the chain: this must lose"),
    maxStates: flag("--max-states <n>", "end after so many situations on the chain; what was cut is said", integer(1, 1_000_000_000)),
  },
  examples: [
    "chankit explore --text",
    "chankit explore article --step 18 --actor alice --text",
    "chankit explore --without policy-revocation-wrong-secret --text",
  ],
  curve: true,
  exits: [1],
  run: async (ctx, args, o) => {
    const scripts = (args.length === 0 ? ["article"] : args).map(scriptNamed);
    const circumstances: Circumstances = {
      ...CIRCUMSTANCES,
      feeratePerKw: o.sweepFeerate ?? CIRCUMSTANCES.feeratePerKw,
      reaction: o.unwatched === true ? Infinity : (o.reaction ?? CIRCUMSTANCES.reaction),
    };
    const waived = o.without ?? [];
    const before = ecc();
    useEcc(rememberingEcc(before));
    try {
      const explored: Explored[] = [];
      const soFar = (): void => {
        ctx.writeStdout(explored.map((each) => table({ ...each, cut: each.cut ?? "interrupted" })).join("\n"));
      };
      await longWork(ctx, soFar, async (work) => {
        for (const script of scripts) {
          const { channelType = script.opening.channelType, feerate = script.opening.feeratePerKw } = o;
          const changed = { ...script, opening: { ...script.opening, channelType, feeratePerKw: feerate } };
          const cells: Cell[] = [];
          const counts = { situations: 0, transactions: 0, commands: 0, states: 0 };
          const at = explored.push({ script: changed, cells, counts, interpreted: 0, cut: null }) - 1;
          explored[at] = await explore(changed, cells, counts, { ...o, waived, circumstances, work });
        }
      });
      const cells = explored.flatMap((each) => each.cells);
      const lost = lossesIn(cells).length > 0 || unreachedIn(cells).length > 0;
      return {
        document: {
          format: "chankit-explore",
          version: 1,
          without: waived,
          circumstances: circumstancesDocument(circumstances),
          losses: lossesIn(cells).length,
          scenarios: explored.map(scriptDocument),
          transactions: transactionsOf(cells),
        },
        rendered: explored.map(table).join("\n"),
        fileName: "explore.json",
        verdict: lost ? "no" : "yes",
      };
    } finally {
      useEcc(before);
    }
  },
});

interface Options {
  readonly step?: readonly [number, number] | undefined;
  readonly actor?: string | undefined;
  readonly behaviour?: Behaviour | undefined;
  readonly maxStates?: number | undefined;
  readonly waived: readonly PolicyCode[];
  readonly circumstances: Circumstances;
  readonly work: LongWork;
}

/** The cells and counts grow while it works. */
async function explore(script: Script, cells: Cell[], counts: Counts, o: Options): Promise<Explored> {
  // The registry names this command, too: it is asked once this one runs
  const { REGISTRY } = await import("./registry.js");
  const load = async (name: string) => {
    const entry = REGISTRY.find((candidate) => candidate.name === name);
    if (entry === undefined) throw new LnError("usage-command", `there is no command ${name}`, { command: name });
    return entry.load();
  };
  const plain = runner(load, []);
  const world = await openWorld({ alice: plain, bob: plain }, script.opening, FUNDING);
  const moments = await momentsOf({ alice: plain, bob: plain }, world, script.steps);
  const { check, interpreted } = scriptCheck();
  const weak = runner(load, o.waived);
  let cut: string | null = null;
  const goesOn = async (): Promise<boolean> => {
    if (o.maxStates !== undefined && counts.situations >= o.maxStates) cut = `after ${o.maxStates} situations`;
    await o.work.breathe();
    return cut === null;
  };
  const [first, last] = o.step ?? [0, moments.length - 1];
  const [start] = moments;
  if (start === undefined || first >= moments.length) {
    throw new LnError("usage-value", `${script.name} has the steps 0 to ${moments.length - 1}`, { step: first, last: moments.length - 1 });
  }
  for (const adversary of PARTIES) {
    if (o.actor !== undefined && o.actor !== adversary) continue;
    const duel = await duelOf(start, otherThan(adversary), {
      run: (files, call) => {
        counts.commands += 1;
        return weak(files, call);
      },
      check,
      circumstances: o.circumstances,
      counts,
      goesOn,
      preimages: script.preimages,
    });
    const steps = moments.map(({ step }) => step).filter((step) => step >= first && step <= last);
    await exploreDuel(duel, moments, { steps, behaviours: o.behaviour === undefined ? BEHAVIOURS : [o.behaviour] }, (cell) => {
      cells.push(cell);
      o.work.progress(
        `${script.name}: ${adversary} cheats after step ${cell.step} of ${moments.length - 1}, ${cell.behaviour}; ${counts.situations} situations`,
      );
    });
  }
  return { script, cells, counts, interpreted: interpreted(), cut };
}

/** Throws: usage-value. */
function scriptNamed(name: string): Script {
  const found = SCRIPTS.find((script) => script.name === name);
  if (found === undefined) throw new LnError("usage-value", `there is no scenario ${JSON.stringify(name)}: ${names}`, { value: name });
  return found;
}

/** Throws: usage-value. */
function span(value: string): readonly [number, number] {
  const [, from, to = from] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(value) ?? [];
  if (from === undefined || Number(from) > Number(to)) {
    throw new LnError("usage-value", `${JSON.stringify(value)} is not a step N or a span of steps N-M`, { value, expected: "N or N-M" });
  }
  return [Number(from), Number(to)];
}

/** Throws: usage-value. */
function rules(value: string, before: readonly PolicyCode[] = []): readonly PolicyCode[] {
  const all = value.split(",");
  const unknown = all.find((tag) => !policyCodes().includes(tag as PolicyCode));
  if (unknown !== undefined)
    throw new LnError("usage-value", `there is no rule ${JSON.stringify(unknown)}: chankit help policies`, { value: unknown });
  return [...before, ...(all as PolicyCode[])];
}
