import { LnError } from "../protocol/errors.js";
import { ecc, useEcc } from "../protocol/ecc.js";
import { rememberingEcc } from "../explore/remembering-ecc.js";
import { BEHAVIOURS, type Behaviour, type Cell, exploreDuel } from "../explore/explore.js";
import { absenceOf, isAsStated } from "../explore/rules.js";
import { scriptCheck } from "../explore/script-check.js";
import { SCRIPTS } from "../explore/scenarios.js";
import { OUTPOINT, PARTIES, type Script, type Who, otherThan, withoutFeeChanges } from "../explore/script.js";
import { CIRCUMSTANCES, type Circumstances, type Counts, duelOf } from "../explore/search.js";
import type { Standing } from "../explore/from-folders.js";
import { type Moment, momentsOf, openWorld } from "../explore/world.js";
import { CHANNEL_TYPES } from "../protocol/tx/channel-type.js";
import { FORMATS } from "../protocol/tx/format.js";
import {
  circumstancesDocument,
  expectedDocument,
  expectedText,
  type Explored,
  lossKindOf,
  lossesIn,
  scriptDocument,
  table,
  transactionsOf,
  unreachedIn,
} from "./explore/report.js";
import { policyCodes } from "./explore/rules.js";
import { standingIn } from "./explore/folders.js";
import { type Load, runner } from "./explore/runner.js";
import { defineCommand } from "./shared/command.js";
import { longWork } from "./shared/long-work.js";
import { flag, integer, oneOf, toggle } from "./shared/options.js";
import { allCores, isInThread, serve, startThread } from "./shared/threads.js";
import type { PolicyCode } from "../protocol/policy/rule.js";

const names = SCRIPTS.map(({ name }) => name).join(", ");

export const command = defineCommand({
  name: "explore",
  summary: "stop an update at every step, let either side do its worst, see who loses",
  description:
    `Goes on from two party folders as they are, or plays scenarios (${names}; default: article, or with --without the one in which that shows) with the commands themselves, stops (of a scenario, after every step), and lets each side in turn be the adversary: it publishes whatever it can complete, ` +
    "races, withholds, replays and lies; the other runs the commands that leave, sweep and punish, and its script may go wrong in every way. All transactions are checked by the script interpreter on a model of the chain. " +
    "What the honest side can spend in the end is compared with what it is owed by what was said; a loss is exit code 1. " +
    "With --without, exit code 0 says that what was found is exactly what the rule's absence must lead to, where that is known.",
  args: [{ syntax: "[scenario...]", help: `${names}; or the folders of both sides` }],
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
    height: flag("--height <height>", "of the block at which the update stops (default: 400)", integer(1, 499_999_999)),
    unwatched: toggle("--unwatched", "nobody looks at the chain: this must lose"),
    exhaustive: toggle("--exhaustive", "play situations again that cannot differ in what comes of them: the same table, later"),
    jobs: flag("--jobs <count>", "on so many threads (default: all cores)", integer(1, 1024)),
    maxStates: flag("--max-states <n>", "end after so many situations on the chain; what was cut is said", integer(1, 1_000_000_000)),
  },
  examples: [
    "chankit explore --text",
    "chankit explore article --step 18 --actor alice --text",
    "chankit explore alice bob --text",
    "chankit explore --without policy-revocation-wrong-secret --text",
  ],
  curve: true,
  exits: [1],
  run: async (ctx, args, o) => {
    const folders = foldersIn(args);
    const waived = o.without ?? [];
    const absence = waived.length === 0 ? undefined : absenceOf(waived);
    const circumstances: Circumstances = {
      ...CIRCUMSTANCES,
      feeratePerKw: o.sweepFeerate ?? CIRCUMSTANCES.feeratePerKw,
      startHeight: o.height ?? absence?.height ?? CIRCUMSTANCES.startHeight,
      merging: o.exhaustive !== true,
      reaction: o.unwatched === true ? Infinity : (o.reaction ?? CIRCUMSTANCES.reaction),
    };
    const before = ecc();
    useEcc(rememberingEcc(before));
    try {
      const standing = folders === null ? null : await standingIn(ctx, folders, runner(await loading(), []));
      const scripts = standing === null ? (args.length === 0 ? [absence?.script ?? "article"] : args).map(scriptNamed) : [standing.script];
      const work: Work = { ...o, waived, circumstances, standing, used: 0 };
      if (ctx.mayStartThreads && isInThread) {
        await serve((share: Share, tell: (told: Told) => void) => exploreShare(share, work, tell, () => Promise.resolve()));
      }
      const changed = scripts.map((script): Script => {
        if (standing !== null) return script;
        const { channelType = script.opening.channelType } = o;
        const hasFeerate = o.channelType === undefined || FORMATS[o.channelType].hasFeerate;
        const { feerate = hasFeerate ? script.opening.feeratePerKw : 0 } = o;
        const steps = hasFeerate ? script.steps : withoutFeeChanges(script.steps);
        return { ...script, steps, opening: { ...script.opening, channelType, feeratePerKw: feerate } };
      });
      const actors = PARTIES.filter((party) => o.actor === undefined || o.actor === party);
      const shares = changed.flatMap((script) => actors.map((adversary): Share => ({ script, adversary })));
      const found = new Map<Share, Told[]>(shares.map((share) => [share, []]));
      const soFar = (): void => {
        ctx.writeStdout(
          gathered(
            changed,
            [...found].map(([share, told]) => soFarOf(share, told)),
          )
            .map(table)
            .join("\n"),
        );
      };
      // A bound counts all that is explored, in one order
      const jobs = ctx.mayStartThreads && o.maxStates === undefined ? Math.min(o.jobs ?? allCores(), shares.length) : 1;
      const done = await longWork(ctx, soFar, (long) => {
        const tell = (share: Share) => (told: Told) => {
          found.get(share)?.push(told);
          long.progress(
            `${share.script.name}: ${share.adversary} cheats after step ${told.cell.step}, ${told.cell.behaviour}; ${told.situations} situations`,
          );
        };
        if (jobs > 1) return onThreads(jobs, shares, tell);
        let used = 0;
        return inTurn(shares, async (share) => {
          const explored = await exploreShare(share, { ...work, used }, tell(share), long.breathe);
          used += explored.counts.situations;
          return explored;
        });
      });
      const explored = gathered(changed, done);
      const cells = explored.flatMap((each) => each.cells);
      const losses = lossesIn(cells);
      // What was cut has shown nothing
      const whole = unreachedIn(cells).length === 0 && explored.every(({ cut }) => cut === null);
      const asStated = absence !== undefined && isAsStated(absence, losses.flatMap(lossKindOf));
      const expected = absence === undefined ? null : { ...absence, asStated };
      return {
        document: {
          format: "chankit-explore",
          version: 1,
          without: waived,
          ...(expected === null ? {} : { expected: expectedDocument(expected) }),
          circumstances: circumstancesDocument(circumstances),
          losses: losses.length,
          scenarios: explored.map(scriptDocument),
          transactions: transactionsOf(cells),
        },
        rendered: [...explored.map(table), ...(expected === null ? [] : [expectedText(expected)])].join("\n"),
        fileName: "explore.json",
        verdict: whole && (absence === undefined ? losses.length === 0 : asStated) ? "yes" : "no",
      };
    } finally {
      useEcc(before);
    }
  },
});

/** What is explored at once: nothing that is remembered of one is of use to another. */
interface Share {
  readonly script: Script;
  readonly adversary: Who;
}

/** A cell as soon as it is known. */
interface Told {
  readonly cell: Cell;
  readonly situations: number;
}

interface Work {
  readonly step?: readonly [number, number] | undefined;
  readonly behaviour?: Behaviour | undefined;
  readonly maxStates?: number | undefined;
  /** Where the search goes on from two folders. */
  readonly standing: Standing | null;
  /** Of these, by shares before. */
  readonly used: number;
  readonly waived: readonly PolicyCode[];
  readonly circumstances: Circumstances;
}

const NO_COUNTS: Counts = { situations: 0, transactions: 0, commands: 0, states: 0 };

const soFarOf = ({ script }: Share, told: readonly Told[]): Explored => ({
  script,
  cells: told.map(({ cell }) => cell),
  counts: { ...NO_COUNTS, situations: told.at(-1)?.situations ?? 0 },
  interpreted: [],
  cut: "interrupted",
});

/** Shares of the same script are one. */
function gathered(scripts: readonly Script[], shares: readonly Explored[]): readonly Explored[] {
  return scripts.map((script) => {
    const own = shares.filter((each) => each.script.name === script.name);
    const sum = (name: keyof Counts): number => own.reduce((total, { counts }) => total + counts[name], 0);
    return {
      script,
      cells: own.flatMap(({ cells }) => cells),
      counts: { situations: sum("situations"), transactions: sum("transactions"), commands: sum("commands"), states: sum("states") },
      interpreted: [...new Set(own.flatMap(({ interpreted }) => interpreted))],
      cut: own.find(({ cut }) => cut !== null)?.cut ?? null,
    };
  });
}

async function inTurn<T, R>(all: readonly T[], act: (each: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const each of all) results.push(await act(each));
  return results;
}

/** Every thread takes the next share when it has done one. */
async function onThreads(jobs: number, shares: readonly Share[], tell: (share: Share) => (told: Told) => void): Promise<readonly Explored[]> {
  const threads = Array.from({ length: jobs }, () => startThread<Share, Explored, Told>());
  const results = new Map<Share, Explored>();
  const left = [...shares];
  try {
    await Promise.all(
      threads.map(async (thread) => {
        for (let share = left.shift(); share !== undefined; share = left.shift()) results.set(share, await thread.ask(share, tell(share)));
      }),
    );
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
  return shares.flatMap((share) => results.get(share) ?? []);
}

async function exploreShare({ script, adversary }: Share, o: Work, tell: (told: Told) => void, breathe: () => Promise<void>): Promise<Explored> {
  const load = await loading();
  const plain = runner(load, []);
  const runs = { alice: plain, bob: plain };
  const moments: readonly Moment[] =
    o.standing === null
      ? await momentsOf(runs, await openWorld(runs, script), script)
      : [{ step: 0, label: "as the folders have it", world: o.standing.world }];
  const { check, interpreted } = scriptCheck();
  const weak = runner(load, o.waived);
  const counts = { ...NO_COUNTS };
  let cut: string | null = null;
  const goesOn = async (): Promise<boolean> => {
    if (o.maxStates !== undefined && o.used + counts.situations >= o.maxStates) cut = `after ${o.maxStates} situations`;
    await breathe();
    return cut === null;
  };
  const [first, last] = o.step ?? [0, moments.length - 1];
  const [start] = moments;
  if (start === undefined || first >= moments.length) {
    throw new LnError("usage-value", `${script.name} has the steps 0 to ${moments.length - 1}`, { step: first, last: moments.length - 1 });
  }
  const duel = await duelOf(start, otherThan(adversary), {
    run: (files, call) => {
      counts.commands += 1;
      return weak(files, call);
    },
    check,
    circumstances: o.circumstances,
    counts,
    goesOn,
    script,
    outpoint: o.standing?.outpoint ?? OUTPOINT,
    scripted: (moments.at(-1)?.world.letters ?? []).filter(({ by }) => by === adversary).map(({ message }) => message),
  });
  const steps = moments.map(({ step }) => step).filter((step) => step >= first && step <= last);
  const cells: Cell[] = [];
  await exploreDuel(duel, moments, { steps, behaviours: o.behaviour === undefined ? BEHAVIOURS : [o.behaviour] }, (cell) => {
    cells.push(cell);
    tell({ cell, situations: counts.situations });
  });
  return { script, cells, counts, interpreted: interpreted(), cut };
}

/** Commands by their names. The registry names this command, too: it is asked once this one runs. */
async function loading(): Promise<Load> {
  const { REGISTRY } = await import("./registry.js");
  return async (name) => {
    const entry = REGISTRY.find((candidate) => candidate.name === name);
    if (entry === undefined) throw new LnError("usage-command", `there is no command ${name}`, { command: name });
    return entry.load();
  };
}

/** Two arguments that no scenario is called by are folders. */
function foldersIn([first, second, ...more]: readonly string[]): readonly [string, string] | null {
  const isScript = (name: string) => SCRIPTS.some((script) => script.name === name);
  if (first === undefined || second === undefined || more.length > 0 || isScript(first) || isScript(second)) return null;
  return [first, second];
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
