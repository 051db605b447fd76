import { sha256 } from "@noble/hashes/sha2.js";
import { printMessage, readMessage } from "../json/messages.js";
import { toHex } from "../protocol/bytes.js";
import type { Message } from "../protocol/wire/messages.js";
import type { Files } from "../store/memory-files.js";
import { hexOf } from "./chain.js";
import { ledgerKey } from "./ledger.js";
import { type Letter, bare, lies } from "./lies.js";
import { type Call, FOLDER } from "./party.js";
import type { Who } from "./script.js";
import { CHAIN_BEHAVIOURS, type ChainBehaviour, type Duel, type Node, type Play, leaver, nodeAt, worseFirst } from "./search.js";
import { type Heard, type Talk, does, dueNow, goesOn, hears, mistakes, paymentNow, speakerOf } from "./talk.js";
import { talkingKey } from "./relevance.js";
import type { Result } from "./verdict.js";
import { type Moment, stateIn } from "./world.js";

/** Everything that an adversary can begin with. The same list for every step, every actor and every rule. */
export const TALK_BEHAVIOURS = ["after-close", "replay", "lie", "mistake"] as const;
export type TalkBehaviour = (typeof TALK_BEHAVIOURS)[number];
export const BEHAVIOURS = [...CHAIN_BEHAVIOURS, ...TALK_BEHAVIOURS] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** One line of the table: the worst that comes of one behaviour at one step. */
export interface Cell {
  readonly step: number;
  readonly label: string;
  readonly adversary: Who;
  readonly behaviour: Behaviour;
  /** Deviations that were tried, and refusals by their codes. */
  readonly tried: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Null where the behaviour is not possible here; then `why` says so. */
  readonly worst: Worst | null;
  readonly why: string | null;
}

export interface Worst {
  readonly how: string;
  readonly outcome: Outcome;
}

/** A result as it can be told to another thread. */
export interface Outcome extends Omit<Result, "chain"> {
  readonly confirmed: readonly { readonly height: number; readonly txid: string; readonly tx: string }[];
}

interface Found {
  readonly how: string;
  readonly play: Play;
}

function told(found: Found | null): Worst | null {
  if (found === null) return null;
  const { chain, ...result } = found.play.result;
  return { how: found.how, outcome: { ...result, confirmed: chain.confirmed.map(({ height, txid, tx }) => ({ height, txid, tx: hexOf(tx) })) } };
}

/** Where there is nothing that could be published in this way. */
const NOTHING_SUCH: Readonly<Record<ChainBehaviour, string>> = {
  stop: "",
  "publish-newest": "it holds no signed commitment",
  "publish-older": "it holds no older commitment that is not revoked",
  "publish-revoked": "it has revoked none",
  "publish-theirs": "no signature of the other's own commitment has leaked",
  "publish-close": "it holds no signature of a mutual close",
  race: "it holds no signed commitment",
};

/** Explores every moment of a script against one adversary. */
export async function exploreDuel(
  duel: Duel,
  moments: readonly Moment[],
  chosen: { readonly steps: readonly number[]; readonly behaviours: readonly Behaviour[] },
  report: (cell: Cell) => void,
): Promise<void> {
  const leave = leaver(duel);
  const from = onwards(duel, leave);
  const before = new Map<string, Tried>();
  for (const step of chosen.steps) {
    const moment = moments[step];
    if (moment === undefined) continue;
    const node = nodeAt(moments, step, duel);
    const letters = moment.world.letters;
    const cell = { step, label: moment.label, adversary: duel.adversary };
    const plays = await leave(node);
    for (const behaviour of CHAIN_BEHAVIOURS) {
      if (!chosen.behaviours.includes(behaviour)) continue;
      const worst = worstOf(plays.filter((play) => play.behaviour === behaviour).map((play) => ({ how: `publishes ${play.published}`, play })));
      report({
        ...cell,
        behaviour,
        tried: worst === null ? 0 : 1,
        refused: {},
        worst: told(worst),
        why: worst === null ? NOTHING_SUCH[behaviour] : null,
      });
    }
    const talk: Talk = {
      ...node,
      said: new Set(letters.filter(({ by }) => by === duel.honest).map(({ document }) => String(document["wire"]))),
    };
    const theirs = letters.filter(({ by }) => by === duel.adversary);
    const earlier = theirs.filter(({ state }) => state === "taken").map(({ document }) => document);
    const coming = theirs.filter(({ state }) => state !== "taken").map(({ document }) => document);
    const own = letters.filter(({ by }) => by === duel.honest).map(({ document }) => document);
    const deviations: Readonly<Record<TalkBehaviour, () => Promise<readonly Deviation[]>>> = {
      "after-close": () => closing(duel, talk, coming),
      replay: () => Promise.resolve([...earlier, ...own].flatMap((letter) => [saying(duel, talk, letter), saying(duel, talk, bare(letter))])),
      lie: () =>
        Promise.resolve(
          lies(speakerOf(duel, talk), stateIn(talk.files), wordings(duel, talk, [...earlier, ...coming, ...own])).map((letter) =>
            saying(duel, talk, letter),
          ),
        ),
      mistake: () => Promise.resolve(mistakes(talk, duel).map((calls) => doing(duel, talk, calls))),
    };
    // Steps of the adversary's own change nothing for the honest side: what was tried then, has been tried
    const situation = [
      channelHash(talk.files),
      talk.knowledge.key,
      ledgerKey(talk.ledger),
      letters.map(({ state }) => state).join(),
      talk.funding,
    ].join(" ");
    for (const behaviour of TALK_BEHAVIOURS) {
      if (!chosen.behaviours.includes(behaviour)) continue;
      const key = `${behaviour} ${situation}`;
      const result = before.get(key) ?? (await explored(await deviations[behaviour](), from, talk));
      before.set(key, result);
      report({ ...cell, behaviour, ...result });
    }
  }
}

/** Something other than the script has it. */
interface Deviation {
  readonly how: string;
  readonly make: () => Promise<Heard>;
}

function saying(duel: Duel, talk: Talk, letter: Letter): Deviation {
  return { how: `says ${JSON.stringify(shortened(letter))}`, make: () => hears(duel, talk, letter) };
}

function doing(duel: Duel, talk: Talk, calls: readonly Call[]): Deviation {
  return {
    how: `the other runs ${calls.map(({ command, args = [], flags = {} }) => [command, ...args, ...Object.entries(flags).map(([name, value]) => `${name}=${String(value)}`)].join(" ")).join(" | ")}`,
    make: () => inTurn(duel, talk, calls),
  };
}

/** What one command prints is piped into the next. */
async function inTurn(duel: Duel, start: Talk, calls: readonly Call[]): Promise<Heard> {
  let talk = start;
  let piped: string | undefined;
  for (const [at, call] of calls.entries()) {
    if (at < calls.length - 1) {
      const answer = await duel.run(talk.files, call);
      if (answer.kind === "refused") return answer;
      piped = JSON.stringify(answer.document);
      continue;
    }
    const heard = await does(duel, talk, piped === undefined ? call : { ...call, stdin: piped });
    if (heard.kind === "refused") return heard;
    talk = heard.talk;
  }
  return { kind: "accepted", talk };
}

/** The honest side has decided to leave, and its transaction is under way: what is said to it then? */
async function closing(duel: Duel, talk: Talk, coming: readonly Letter[]): Promise<readonly Deviation[]> {
  const closed = await does(duel, talk, { command: "force-close" });
  if (closed.kind === "refused") return [{ how: "the other cannot leave", make: () => Promise.resolve(closed) }];
  const letters = [...coming, ...dueNow(duel, closed.talk).map((message) => bare(printMessage(message))), ...paymentNow(closed.talk)];
  return [{ how: "the other leaves", make: () => Promise.resolve(closed) }, ...letters.map((letter) => saying(duel, closed.talk, letter))];
}

/** The messages that lies are made of: what is due, and the newest of each type that has been said. */
function wordings(duel: Duel, talk: Talk, letters: readonly Letter[]): readonly Message[] {
  const newest = new Map<string, Message>();
  for (const letter of letters) {
    const { message } = letterIn(letter);
    if (duel.script.unopened === true || !OPENING.has(message.type)) newest.set(message.type, message);
  }
  const payments = paymentNow(talk).map((letter) => letterIn(letter).message);
  for (const message of [...payments, ...dueNow(duel, talk)]) newest.set(message.type, message);
  return [...newest.values()];
}

/** These are over when most scripts begin. */
const OPENING: ReadonlySet<string> = new Set(["open_channel", "accept_channel", "funding_created", "funding_signed"]);

function letterIn(letter: Letter) {
  return readMessage(letter, "message");
}

type Tried = Pick<Cell, "tried" | "refused" | "worst" | "why">;

/** The channel file itself, its messages included. */
function channelHash(files: Files): string {
  const entry = files.get(`${FOLDER}/channel.json`);
  return entry?.kind === "file" ? toHex(sha256(entry.data)) : "";
}

async function explored(deviations: readonly Deviation[], from: (talk: Talk) => Promise<readonly Found[]>, before: Talk): Promise<Tried> {
  const refused: Record<string, number> = {};
  const worst: Found[] = [];
  for (const { how, make } of deviations) {
    const heard = await make();
    if (heard.kind === "refused") refused[heard.code] = (refused[heard.code] ?? 0) + 1;
    const ends = await from(heard.kind === "refused" ? before : heard.talk);
    worst.push(...ends.map((end) => ({ ...end, how: end.how === "" ? how : `${how}; ${end.how}` })));
  }
  const found = worstOf(worst);
  return { tried: deviations.length, refused, worst: told(found), why: found === null ? "there is nothing to say" : null };
}

function worstOf(all: readonly Found[]): Found | null {
  return [...all].sort((a, b) => worseFirst(a.play.result, b.play.result))[0] ?? null;
}

/** The worst that can come after a deviation: the adversary leaves at once, or goes on by the rules and leaves then, with a payment more or without. */
function onwards(duel: Duel, leave: (node: Node) => Promise<readonly Play[]>): (talk: Talk) => Promise<readonly Found[]> {
  const known = new Map<string, readonly Found[]>();
  return async (talk) => {
    const key = [
      talkingKey(talk.files),
      talk.said.size,
      talk.knowledge.key,
      ledgerKey(talk.ledger),
      [...talk.start.own].sort().join(),
      talk.funding,
    ].join(" ");
    const before = known.get(key);
    if (before !== undefined) return before;
    const found: Found[] = [];
    const leaves = async (node: Talk, how: string): Promise<void> => {
      const worst = worstOf(
        (await leave(node)).map((play) => ({ how: [how, `publishes ${play.published}`].filter((word) => word !== "").join(", "), play })),
      );
      if (worst !== null) found.push(worst);
    };
    const follow = async (start: Talk, how: string): Promise<void> => {
      for (const [turn, next] of (await goesOn(duel, start)).entries()) await leaves(next, `${how}goes on for ${turn + 1} turns`);
    };
    await leaves(talk, "");
    await follow(talk, "");
    for (const payment of paymentNow(talk)) {
      const paid = await hears(duel, talk, payment);
      if (paid.kind === "accepted") await follow(paid.talk, "pays, ");
    }
    const worst = worstOf(found);
    known.set(key, worst === null ? [] : [worst]);
    return worst === null ? [] : [worst];
  };
}

/** Long values are told by their beginning. */
function shortened(letter: Letter): Letter {
  return Object.fromEntries(
    Object.entries(letter).flatMap(([name, value]) => {
      if (name === "channel_id" || name === "wire" || name === "onion_routing_packet") return [];
      return [[name, typeof value === "string" && value.length > 20 ? `${value.slice(0, 12)}…` : value]];
    }),
  );
}
