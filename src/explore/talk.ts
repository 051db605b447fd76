import { sha256 } from "@noble/hashes/sha2.js";
import { printMessage, readMessage } from "../json/messages.js";
import { fromHex, toHex } from "../protocol/bytes.js";
import { closingStage } from "../protocol/channel/clearing.js";
import { type FundedChannel, hasNext, newestSpec } from "../protocol/channel/state.js";
import { SIDES } from "../protocol/side.js";
import type { Message } from "../protocol/wire/messages.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import { msat } from "../protocol/units.js";
import type { Files } from "../store/memory-files.js";
import { idOf } from "./chain.js";
import { type Knowledge, learning } from "./knowledge.js";
import { type Ledger, havingSent, havingTaken } from "./ledger.js";
import { type Letter, type Voice, bare, due } from "./lies.js";
import type { Call } from "./party.js";
import type { Duel, Node } from "./search.js";
import { channelIn, closingsIn, commitmentsIn, letterOf } from "./world.js";

/** The two in the midst of an update that no longer goes by the script. */
export interface Talk extends Node {
  /** The wire bytes of the honest side's messages, in hex: one that is printed again is no new one. */
  readonly said: ReadonlySet<string>;
}

export type Heard = { readonly kind: "accepted"; readonly talk: Talk } | { readonly kind: "refused"; readonly code: string };

/** The honest side's script runs a command of its own, and hands over whatever it prints. */
export async function does(duel: Duel, talk: Talk, call: Call): Promise<Heard> {
  const answer = await duel.run(talk.files, call);
  if (answer.kind === "refused") return answer;
  return { kind: "accepted", talk: withOutput(duel, talk, answer.files, call.command, [answer.document, ...answer.parts]) };
}

function withOutput(duel: Duel, before: Talk, files: Files, command: string, documents: readonly unknown[]): Talk {
  let { ledger, start } = before;
  const said = new Set(before.said);
  for (const document of documents) {
    const letter = letterOf(duel.honest, document as Record<string, unknown>);
    if (letter === null || said.has(String(letter.document["wire"]))) continue;
    said.add(String(letter.document["wire"]));
    ledger = havingSent(ledger, letter.message);
  }
  const { tx: printed } = documents[0] as { readonly tx?: unknown };
  if ((command === "force-close" || command === "close") && typeof printed === "string") {
    const tx = parseTransaction(fromHex(printed));
    const { startHeight, reaction } = duel.circumstances;
    if (!start.own.has(idOf(tx)))
      start = { ...start, pending: [...start.pending, { tx, due: startHeight + reaction }], own: new Set([...start.own, idOf(tx)]) };
  }
  return { ...before, files, ledger, start, said, knowledge: knowing(before.knowledge, documents, files) };
}

function knowing(before: Knowledge, documents: readonly unknown[], files: Files): Knowledge {
  return learning(before, { documents, commitments: commitmentsIn(files), closings: closingsIn(files) });
}

/** The honest side is handed a message. */
export async function hears(duel: Duel, talk: Talk, letter: Letter): Promise<Heard> {
  const command = letter["type"] === "channel_reestablish" ? "reestablish" : "receive";
  const answer = await duel.run(talk.files, { command, args: ["-"], stdin: JSON.stringify(letter) });
  if (answer.kind === "refused") return answer;
  const heard = withOutput(duel, talk, answer.files, command, [answer.document, ...answer.parts]);
  // What was held already, or was printed by the honest side itself, is no news to the ledger
  const news = answer.document["already_done"] !== true;
  const ledger: Ledger = news ? havingTaken(heard.ledger, readMessage(letter, "message").message) : heard.ledger;
  return { kind: "accepted", talk: { ...heard, ledger } };
}

export function voiceOf({ keys, honest, adversary, preimages, wallets }: Duel, { files, knowledge }: Talk): Voice {
  return { state: stateOf(files), keys: keys[adversary], knowledge, preimages, wallets: { local: wallets[honest], remote: wallets[adversary] } };
}

export function stateOf(files: Files): FundedChannel {
  const state = channelIn(files);
  if (state === null) throw new Error("the channel has no funding output");
  return state;
}

/** As many half rounds as any set of changes needs. */
const LONGEST = 10;

/** The update goes on as the rules have it, both sides doing what is due, from whatever was said before. Every state on the way. */
export async function goesOn(duel: Duel, start: Talk): Promise<readonly Talk[]> {
  const way: Talk[] = [];
  let talk = start;
  for (let turn = 0; turn < LONGEST; turn++) {
    const next = await oneTurn(duel, talk);
    if (next === null) break;
    way.push(next);
    talk = next;
  }
  return way;
}

async function oneTurn(duel: Duel, talk: Talk): Promise<Talk | null> {
  const state = stateOf(talk.files);
  const [{ local, remote }] = state.fundings;
  const own: readonly Call[] = [
    ...(local.previous === null ? [] : [{ command: "make-revocation" }]),
    ...(remote.next === null && hasNext(state, "remote") ? [{ command: "sign" }] : []),
    ...closesNext(state, toHex(duel.wallets[duel.honest])),
  ];
  for (const call of own) {
    const done = await does(duel, talk, call);
    if (done.kind === "accepted" && done.talk.said.size > talk.said.size) return done.talk;
  }
  for (const message of due(voiceOf(duel, talk))) {
    const heard = await hears(duel, talk, plain(message));
    if (heard.kind === "accepted") return heard.talk;
  }
  return null;
}

/** What of a close the honest side's script does when it is its turn: it answers, and pays a usual fee where it is to name one. */
function closesNext(state: FundedChannel, script: string): readonly Call[] {
  switch (closingStage(state)) {
    case "reply":
      return [{ command: "close", flags: { script } }];
    case "offer":
      return [{ command: "close", flags: { fee: CLOSING_FEE } }];
    case "answer":
      return [{ command: "close" }];
    default:
      return [];
  }
}

const CLOSING_FEE = "1000sat";

const plain = (message: Message): Letter => bare(printMessage(message));

/** A payment that the adversary proposes by the rules: a tenth of what it has. */
export function paymentOf({ state }: Voice): Letter {
  const tenth = newestSpec(state, "remote").balances.remote / 10n;
  const amountMsat = tenth > 1_000_000n ? tenth : 1_000_000n;
  return plain({ type: "pay", channelId: state.channelId, id: state.nextIds.remote.pay, amountMsat: msat(amountMsat) });
}

/** Every command with which the honest side's script can go wrong, with any input that it holds. The same set for every rule. */
export function mistakes(
  state: FundedChannel,
  { preimages, circumstances, wallets, honest }: Pick<Duel, "preimages" | "circumstances" | "wallets" | "honest">,
): readonly (readonly Call[])[] {
  const [{ local, remote }] = state.fundings;
  const own = [local.previous, local.current].flatMap((commit) => (commit === null ? [] : [commit.number]));
  const theirs = [remote.current, remote.next].flatMap((commit) => (commit === null ? [] : [commit.number]));
  const newest = local.current?.number ?? 0;
  const htlcs = [
    ...new Set(SIDES.flatMap((owner) => newestSpec(state, owner).htlcs).map(({ offeredBy, id }) => (offeredBy === "remote" ? id : -1n))),
  ];
  const received = [...htlcs.filter((id) => id >= 0n), ...pendingIds(state).filter((id) => !htlcs.includes(id))];
  const balance = newestSpec(state, "local").balances.local;
  const one = (command: string, args: readonly string[] = [], more: Partial<Call> = {}): readonly Call[] => [{ command, args, ...more }];
  const signing = (owner: "local" | "remote", number?: number): readonly Call[] => [
    { command: "build-commitment", flags: { owner, ...(number === undefined ? {} : { number: String(number) }) } },
    { command: "sign", args: ["-"] },
  ];
  return [
    ...["sign", "make-revocation", "force-close", "channel-ready", "reestablish", "release-funding"].map((command) => one(command)),
    ...[newest - 1, newest + 1].filter((n) => n >= 0).map((n) => one("force-close", [], { flags: { number: String(n) } })),
    signing("local"),
    ...own.map((n) => signing("local", n)),
    signing("remote"),
    ...theirs.map((n) => signing("remote", n)),
    ...[1_000_000n, balance, state.fundingSatoshis * 1000n, 0n].map((amount) => one("pay", [`${amount}msat`])),
    ...preimages
      .slice(0, 1)
      .flatMap((preimage) =>
        [5_000_000n, 100_000n, balance].map((amount) =>
          one("add-htlc", [`${amount}msat`], { flags: { paymentHash: hashOf(preimage), cltvExpiry: "600" } }),
        ),
      ),
    ...received.flatMap((id) => [
      one("fail-htlc", [String(id)]),
      ...preimages.map((preimage) =>
        one("fulfill-htlc", [String(id)], { flags: { preimage: "-", height: String(circumstances.startHeight) }, stdin: toHex(preimage) }),
      ),
    ]),
    ...["0", "253", "100000", "4000000000"].map((feerate) => one("update-fee", [feerate])),
    ...[0, 1, 2].map((index) => one("htlc-tx", [], { flags: { outputIndex: String(index), height: "0" } })),
    one("close", [], { flags: { script: toHex(wallets[honest]) } }),
    one("close"),
    ...[CLOSING_FEE, "0sat", `${balance / 1000n}sat`].map((fee) => one("close", [], { flags: { fee } })),
    one("create-funding", [], { flags: { outpoint: `${"dd".repeat(32)}:0` } }),
  ];
}

function pendingIds(state: FundedChannel): readonly bigint[] {
  return state.changes.remote.flatMap(({ content }) => (content.kind === "add_htlc" ? [content.id] : []));
}

const hashOf = (preimage: Uint8Array): string => toHex(sha256(preimage));
