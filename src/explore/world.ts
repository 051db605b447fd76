import { readChannel } from "../json/channel-file.js";
import { readMessage } from "../json/messages.js";
import { type ChannelState, type FundedChannel, isFunded } from "../protocol/channel/state.js";
import { knownClosings } from "../protocol/channel/closing.js";
import { heldCommitments, selectCommitment } from "../protocol/channel/select.js";
import { type ErrorCode, LnError } from "../protocol/errors.js";
import { SIDES, type Side } from "../protocol/side.js";
import type { ClosingTx } from "../protocol/tx/closing-tx.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";
import type { Message } from "../protocol/wire/messages.js";
import { type Files, NO_FILES } from "../store/memory-files.js";
import { type Ledger, havingSent, havingTaken, ledgerFrom } from "./ledger.js";
import { type Answer, type Call, FOLDER, type Run } from "./party.js";
import { type Act, type Script, type Who, openingSteps, otherThan } from "./script.js";

/** A message on its way: made, then sent, then taken in. */
export interface Letter {
  readonly by: Who;
  readonly document: Readonly<Record<string, unknown>>;
  readonly message: Message;
  readonly state: "ready" | "sent" | "taken";
}

/** Both parties at one moment, as nobody but the reader sees them together. */
export interface World {
  readonly files: Readonly<Record<Who, Files>>;
  readonly ledgers: Readonly<Record<Who, Ledger>>;
  readonly letters: readonly Letter[];
  /** Whether Alice, who opens, has handed out the funding transaction, and whether it is confirmed. */
  readonly funding: "none" | "released" | "confirmed";
  /** What each side's own files say, where they were there before the first step: nothing else tells what it has seen by then. */
  readonly held: Readonly<Partial<Record<Who, readonly unknown[]>>>;
  /** What `backup` wrote for each, kept elsewhere. */
  readonly backups: Readonly<Partial<Record<Who, string>>>;
  /** Folders as they were. */
  readonly copies: Readonly<Partial<Record<Who, Files>>>;
  /** Who has lost state, and begun again with a backup or a copy. */
  readonly restored: readonly Who[];
}

export interface Moment {
  readonly step: number;
  readonly label: string;
  readonly world: World;
}

export type Runs = Readonly<Record<Who, Run>>;

/** Both with their keys alone, or with an open channel: then every command of the opening has run. */
export async function openWorld(runs: Runs, { opening, unopened }: Pick<Script, "opening" | "unopened">): Promise<World> {
  const keygen = (who: Who, seed: string): Act => ({ kind: "run", who, call: { command: "keygen", flags: { seed: "-" }, stdin: seed.repeat(32) } });
  const steps = unopened === true ? [] : openingSteps(opening).flatMap(({ acts }) => acts);
  let world: World = {
    files: { alice: folder(), bob: folder() },
    ledgers: { alice: ledgerFrom(0n), bob: ledgerFrom(0n) },
    funding: "none",
    letters: [],
    held: {},
    backups: {},
    copies: {},
    restored: [],
  };
  for (const act of [keygen("alice", "01"), keygen("bob", "02"), ...steps]) world = must(await performed(runs, world, act), act);
  return world;
}

function folder(): Files {
  return new Map(NO_FILES).set(FOLDER, { kind: "folder" });
}

/** The channel after each step of a script, the state before the first one first. */
export async function momentsOf(runs: Runs, start: World, { steps, unopened }: Pick<Script, "steps" | "unopened">): Promise<readonly Moment[]> {
  const moments: Moment[] = [{ step: 0, label: unopened === true ? "both have keys" : "the channel is open", world: start }];
  let world = start;
  for (const [at, { label, acts }] of steps.entries()) {
    for (const act of acts) world = must(await performed(runs, world, act), act);
    moments.push({ step: at + 1, label, world });
  }
  return moments;
}

/** What came of an act: another world, or a refusal that left it as it was. */
export interface Performed {
  readonly world: World;
  readonly refused: Extract<Answer, { readonly kind: "refused" }> | null;
  /** What the party's command printed. */
  readonly printed: readonly unknown[];
}

export async function performed(runs: Runs, world: World, act: Act): Promise<Performed> {
  const { who } = act;
  const letters = world.letters;
  switch (act.kind) {
    case "send":
      return unprinted({
        ...world,
        letters: letters.map((letter) => (letter.by === who && letter.state === "ready" ? { ...letter, state: "sent" } : letter)),
      });
    case "run":
      return commanded(runs, world, who, act.call);
    case "back-up": {
      const answer = await runs[who](world.files[who], { command: "backup" });
      if (answer.kind === "refused") return { world, refused: answer, printed: [] };
      return unprinted({ ...world, backups: { ...world.backups, [who]: JSON.stringify(answer.document) } });
    }
    case "confirm":
      return unprinted({ ...world, funding: "confirmed" });
    case "copy":
      return unprinted({ ...world, copies: { ...world.copies, [who]: world.files[who] } });
    case "roll-back":
      return unprinted({
        ...world,
        files: { ...world.files, [who]: world.copies[who] ?? folder() },
        restored: [...world.restored, who],
      });
    case "restore": {
      const kept = world.files[who].get(`${FOLDER}/keys.json`);
      const files = new Map(folder());
      if (kept !== undefined) files.set(`${FOLDER}/keys.json`, kept);
      return commanded(runs, { ...world, files: { ...world.files, [who]: files }, restored: [...world.restored, who] }, who, {
        command: "restore",
        args: ["-"],
        stdin: world.backups[who] ?? "",
      });
    }
    case "check":
    case "take": {
      const next = letters.find(({ by, state }) => by === otherThan(who) && state === "sent");
      if (next === undefined)
        return { world, refused: { kind: "refused", code: "nothing-came", message: "no message is under way", details: {} }, printed: [] };
      const dry = act.kind === "check" ? { dryRun: true as const } : (act.flags ?? {});
      const call: Call = { command: act.command, args: ["-"], flags: dry, stdin: JSON.stringify(next.document) };
      const done = await commanded(runs, world, who, call);
      if (done.refused !== null || act.kind === "check") return { ...done, world };
      return {
        ...done,
        world: {
          ...done.world,
          letters: done.world.letters.map((letter) => (letter === next ? { ...letter, state: "taken" } : letter)),
          ledgers: { ...done.world.ledgers, [who]: reordered(world.ledgers[who], done.world.ledgers[who], next.message) },
        },
      };
    }
  }
}

/** What was taken in came before what was made of it. */
function reordered(before: Ledger, after: Ledger, message: Message): Ledger {
  return after === before ? havingTaken(before, message) : havingTaken(after, message);
}

const unprinted = (world: World): Performed => ({ world, refused: null, printed: [] });

async function commanded(runs: Runs, world: World, who: Who, call: Call): Promise<Performed> {
  const answer = await runs[who](world.files[who], call);
  if (answer.kind === "refused") return { world, refused: answer, printed: [] };
  const letter = letterOf(who, answer.document);
  // A command run again prints the same message again
  const fresh = letter !== null && !world.letters.some((held) => held.by === who && held.document["wire"] === letter.document["wire"]);
  return {
    refused: null,
    printed: [answer.document, ...answer.parts],
    world: {
      ...world,
      files: { ...world.files, [who]: answer.files },
      funding: call.command === "release-funding" && world.funding === "none" ? "released" : world.funding,
      letters: fresh ? [...world.letters, letter] : world.letters,
      ledgers: fresh ? { ...world.ledgers, [who]: havingSent(world.ledgers[who], letter.message) } : world.ledgers,
    },
  };
}

/** A report that is a message. */
export function letterOf(by: Who, document: Readonly<Record<string, unknown>>): Letter | null {
  if (typeof document["type"] !== "string" || typeof document["wire"] !== "string") return null;
  return { by, document, message: readMessage(document, "message").message, state: "ready" };
}

function must({ world, refused }: Performed, act: Act): World {
  if (refused === null) return world;
  throw new Error(`${act.who}: ${JSON.stringify(act)} was refused: ${refused.code}: ${refused.message}`);
}

const states = new WeakMap<Uint8Array, ChannelState>();

/** The channel that a party's files hold, or null before it has a funding output. */
export function channelIn(files: Files): FundedChannel | null {
  const state = stateIn(files);
  return state !== null && isFunded(state) ? state : null;
}

/** The same, or null before there is one at all. */
export function stateIn(files: Files): ChannelState | null {
  const entry = files.get(`${FOLDER}/channel.json`);
  if (entry?.kind !== "file") return null;
  const known = states.get(entry.data);
  if (known !== undefined) return known;
  const state = readChannel(JSON.parse(new TextDecoder().decode(entry.data)) as Record<string, unknown>, FOLDER);
  states.set(entry.data, state);
  return state;
}

const commitments = new WeakMap<FundedChannel, readonly Commitment[]>();

/** Every commitment that the files determine, of both sides. */
export function commitmentsIn(files: Files): readonly Commitment[] {
  const state = channelIn(files);
  if (state === null) return [];
  const known = commitments.get(state);
  if (known !== undefined) return known;
  const all = SIDES.flatMap((owner) => {
    const held = heldBy(state, owner);
    return typeof held === "string" ? oneByOne(state, owner) : held;
  });
  commitments.set(state, all);
  return all;
}

/** Every mutual close that the files tell of. */
export function closingsIn(files: Files): readonly ClosingTx[] {
  const state = channelIn(files);
  if (state === null) return [];
  const known = attempt(() => knownClosings(state));
  return typeof known === "string" ? [] : known;
}

const holdings = new WeakMap<FundedChannel, Map<Side, readonly Commitment[] | ErrorCode>>();

/** A side's commitments that a state determines. Where a rule was waived, a state may be left of which one cannot be built: then why not. */
export function heldBy(state: FundedChannel, owner: Side): readonly Commitment[] | ErrorCode {
  const both = holdings.get(state) ?? new Map<Side, readonly Commitment[] | ErrorCode>();
  holdings.set(state, both);
  let held = both.get(owner);
  if (held === undefined) both.set(owner, (held = attempt(() => heldCommitments(state, owner).map(({ commitment }) => commitment))));
  return held;
}

/** Those that can be built where another cannot: force-close, too, builds one alone. */
function oneByOne(state: FundedChannel, owner: Side): readonly Commitment[] {
  const [{ local, remote }] = state.fundings;
  const commits = owner === "local" ? [local.current, local.previous] : [remote.next, remote.current];
  return commits.flatMap((commit) => {
    const held = commit === null ? "state-no-commitment" : attempt(() => selectCommitment(state, owner, commit.number).commitment);
    return typeof held === "string" ? [] : [held];
  });
}

function attempt<T>(make: () => T): T | ErrorCode {
  try {
    return make();
  } catch (error) {
    if (error instanceof LnError) return error.code;
    throw error;
  }
}
