import { sha256 } from "@noble/hashes/sha2.js";
import { printMessage, readMessage } from "../json/messages.js";
import { fromHex, toHex } from "../protocol/bytes.js";
import { closingStage } from "../protocol/channel/clearing.js";
import { type FundedChannel, hasNext, isFunded, newestSpec } from "../protocol/channel/state.js";
import { SIDES, type Side } from "../protocol/side.js";
import type { CommitmentSpec } from "../protocol/tx/spec.js";
import type { Message } from "../protocol/wire/messages.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import { msat } from "../protocol/units.js";
import type { Files } from "../store/memory-files.js";
import { idOf } from "./chain.js";
import { type Knowledge, learning } from "./knowledge.js";
import { type Ledger, havingSent, havingTaken } from "./ledger.js";
import { type Letter, bare, due } from "./lies.js";
import { dueUnfunded } from "./opening-talk.js";
import type { Call } from "./party.js";
import type { Speaker } from "./voice.js";
import { OPENER, openingFlags } from "./script.js";
import type { Duel, Node } from "./search.js";
import { channelIn, closingsIn, commitmentsIn, letterOf, stateIn } from "./world.js";

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
  let { ledger, start, funding } = before;
  if (command === "release-funding") funding = "there";
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
  return { ...before, files, ledger, start, funding, said, knowledge: knowing(before.knowledge, documents, files) };
}

function knowing(before: Knowledge, documents: readonly unknown[], files: Files): Knowledge {
  return learning(before, { documents, commitments: commitmentsIn(files), closings: closingsIn(files) });
}

/** The honest side is handed a message. */
export async function hears(duel: Duel, talk: Talk, letter: Letter): Promise<Heard> {
  const { command, flags } = takingIn(duel, String(letter["type"]));
  const answer = await duel.run(talk.files, { command, args: ["-"], flags, stdin: JSON.stringify(letter) });
  if (answer.kind === "refused") return answer;
  const heard = withOutput(duel, talk, answer.files, command, [answer.document, ...answer.parts]);
  // What was held already, or was printed by the honest side itself, is no news to the ledger
  const news = answer.document["already_done"] !== true;
  const ledger: Ledger = news ? havingTaken(heard.ledger, readMessage(letter, "message").message) : heard.ledger;
  return { kind: "accepted", talk: { ...heard, ledger } };
}

/** The command that takes in a message, as the script has it. */
function takingIn({ script: { opening }, outpoint }: Duel, type: string): { readonly command: string; readonly flags: NonNullable<Call["flags"]> } {
  switch (type) {
    case "open_channel":
      return { command: "accept-channel", flags: openingFlags(opening).accept };
    case "accept_channel":
      return { command: "create-funding", flags: { outpoint } };
    case "funding_created":
      return { command: "sign-funding", flags: {} };
    case "funding_signed":
      return { command: "release-funding", flags: {} };
    case "channel_reestablish":
      return { command: "reestablish", flags: {} };
    default:
      return { command: "receive", flags: {} };
  }
}

export function speakerOf({ keys, honest, adversary, preimages, wallets }: Duel, { knowledge }: Talk): Speaker {
  return { keys: keys[adversary], knowledge, preimages, wallets: { local: wallets[honest], remote: wallets[adversary] } };
}

/** What the adversary has to say now by the rules. */
export function dueNow(duel: Duel, talk: Talk): readonly Message[] {
  const speaker = speakerOf(duel, talk);
  const state = stateIn(talk.files);
  if (state !== null && isFunded(state)) return due({ ...speaker, state });
  const first = duel.scripted.filter(({ type }) => type === (state === null ? "open_channel" : "accept_channel"));
  return state?.phase === "awaiting_funding_created" ? dueUnfunded(speaker, state) : first;
}

/** A payment that the adversary proposes by the rules, where there is a channel. */
export function paymentNow({ files }: Talk): readonly Letter[] {
  const state = channelIn(files);
  return state === null ? [] : [paymentOf(state)];
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
  for (const { call, before } of ownNow(duel, talk)) {
    const done = await does(duel, before, call);
    if (done.kind === "accepted" && done.talk.said.size > talk.said.size) return done.talk;
  }
  for (const message of dueNow(duel, talk)) {
    const heard = await hears(duel, talk, plain(message));
    if (heard.kind === "accepted") return heard.talk;
  }
  return null;
}

/** What the honest side's script does when it is its turn. */
function ownNow({ script, honest, wallets }: Duel, talk: Talk): readonly { readonly call: Call; readonly before: Talk }[] {
  const state = channelIn(talk.files);
  if (stateIn(talk.files) === null && honest === OPENER)
    return [{ call: { command: "open-channel", flags: openingFlags(script.opening).open }, before: talk }];
  if (state === null) return [];
  const [{ local, remote }] = state.fundings;
  const calls: readonly Call[] = [
    ...(local.previous === null ? [] : [{ command: "make-revocation" }]),
    ...(remote.next === null && local.current !== null && hasNext(state, "remote") ? [{ command: "sign" }] : []),
    ...closesNext(state, toHex(wallets[honest])),
  ];
  const updates = calls.map((call) => ({ call, before: talk }));
  if (state.channelReady.local || state.phase === "awaiting_funding_signed" || talk.funding === "never") return updates;
  // Whoever has seen the funding confirmed says so, and it stays there
  return [{ call: { command: "channel-ready" }, before: { ...talk, funding: "there" } }, ...updates];
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

/** A tenth of what it has. */
function paymentOf(state: FundedChannel): Letter {
  const tenth = newestSpec(state, "remote").balances.remote / 10n;
  const amountMsat = tenth > 1_000_000n ? tenth : 1_000_000n;
  return plain({ type: "pay", channelId: state.channelId, id: state.nextIds.remote.pay, amountMsat: msat(amountMsat) });
}

/** Every command with which the honest side's script can go wrong, with any input that it holds. The same set for every rule. */
export function mistakes(
  { files, funding }: Talk,
  { preimages, circumstances, wallets, honest }: Pick<Duel, "preimages" | "circumstances" | "wallets" | "honest">,
): readonly (readonly Call[])[] {
  const state = channelIn(files);
  // What a command is told of the chain is true
  const always = ["sign", "make-revocation", "force-close", "reestablish", "release-funding", ...(funding === "there" ? ["channel-ready"] : [])];
  const funder = { command: "create-funding", flags: { outpoint: `${"dd".repeat(32)}:0` } };
  if (state === null) return [...always.map((command) => [{ command }]), [funder]];
  const [{ local, remote }] = state.fundings;
  const own = [local.previous, local.current].flatMap((commit) => (commit === null ? [] : [commit.number]));
  const theirs = [remote.current, remote.next].flatMap((commit) => (commit === null ? [] : [commit.number]));
  const newest = local.current?.number ?? 0;
  const htlcs = [
    ...new Set(SIDES.flatMap((owner) => newestOf(state, owner)?.htlcs ?? []).map(({ offeredBy, id }) => (offeredBy === "remote" ? id : -1n))),
  ];
  const received = [...htlcs.filter((id) => id >= 0n), ...pendingIds(state).filter((id) => !htlcs.includes(id))];
  const balance = newestOf(state, "local")?.balances.local ?? 0n;
  const one = (command: string, args: readonly string[] = [], more: Partial<Call> = {}): readonly Call[] => [{ command, args, ...more }];
  const signing = (owner: "local" | "remote", number?: number): readonly Call[] => [
    { command: "build-commitment", flags: { owner, ...(number === undefined ? {} : { number: String(number) }) } },
    { command: "sign", args: ["-"] },
  ];
  return [
    ...always.map((command) => one(command)),
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
    [funder],
  ];
}

/** Null before it is signed. */
function newestOf(state: FundedChannel, owner: Side): CommitmentSpec | null {
  return owner === "local" && state.fundings[0].local.current === null ? null : newestSpec(state, owner);
}

function pendingIds(state: FundedChannel): readonly bigint[] {
  return state.changes.remote.flatMap(({ content }) => (content.kind === "add_htlc" ? [content.id] : []));
}

const hashOf = (preimage: Uint8Array): string => toHex(sha256(preimage));
