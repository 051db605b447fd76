import { sha256 } from "@noble/hashes/sha2.js";
import { addressOfScript } from "../json/address.js";
import { readKeysDocument } from "../json/keys-file.js";
import { type Bytes32, bytes32, displayTxid, fromHex } from "../protocol/bytes.js";
import { publicKey } from "../protocol/keys/derivation.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import { lookupSecret, secretIndex as shachainIndex } from "../protocol/keys/shachain.js";
import { p2wpkh } from "../protocol/script/assemble.js";
import { FORMATS } from "../protocol/tx/format.js";
import type { Message } from "../protocol/wire/messages.js";
import { Secret32 } from "../protocol/secret.js";
import type { Files } from "../store/memory-files.js";
import { type ScriptCheck, type Coin, chainWith, idOf } from "./chain.js";
import { type Adversary, type Closure, type Publishable, closer } from "./closure.js";
import { type FundingMove, type Game, gamesOn } from "./game.js";
import { type Grip, gripKey, gripOn, gripOnClosing } from "./grip.js";
import { type Knowledge, NOTHING_KNOWN, learning } from "./knowledge.js";
import { type Ledger, ledgerKey } from "./ledger.js";
import { FOLDER, type Run } from "./party.js";
import { OPENER, type Script, type Who, otherThan } from "./script.js";
import { type Result, judgeEnd } from "./verdict.js";
import { leavingKey } from "./relevance.js";
import { type Situation, watcher } from "./watch.js";
import { type Moment, type World, channelIn, closingsIn, commitmentsIn, stateIn } from "./world.js";

/** What the adversary does first; whatever follows is its own choice. */
export const CHAIN_BEHAVIOURS = ["stop", "publish-newest", "publish-older", "publish-revoked", "publish-theirs", "publish-close", "race"] as const;
export type ChainBehaviour = (typeof CHAIN_BEHAVIOURS)[number];

/** How the honest side and the chain behave, the same for every script and every rule. */
export interface Circumstances {
  /** Blocks without a message after which the honest side leaves by itself. */
  readonly patience: number;
  /** Blocks from the sight of something to the confirmation of the answer; Infinity where nobody watches. */
  readonly reaction: number;
  /** Of the honest side's sweeps and penalties. */
  readonly feeratePerKw: number;
  readonly startHeight: number;
  /** Whether situations that cannot differ in what comes of them are explored once (`situationKey`). Without it the same is found, and takes longer. */
  readonly merging: boolean;
}

export const CIRCUMSTANCES: Circumstances = { patience: 3, reaction: 6, feeratePerKw: 0, startHeight: 400, merging: true };

export interface Counts {
  situations: number;
  transactions: number;
  commands: number;
  states: number;
}

/** One honest side against one adversary. */
export interface Duel {
  readonly honest: Who;
  readonly adversary: Who;
  readonly run: Run;
  readonly script: Script;
  /** The funding output. */
  readonly outpoint: string;
  /** What the adversary says in the script. */
  readonly scripted: readonly Message[];
  readonly keys: Readonly<Record<Who, PartyKeys>>;
  readonly preimages: readonly Bytes32[];
  readonly wallets: Readonly<Record<Who, Uint8Array>>;
  readonly address: string;
  readonly close: (knowledge: Knowledge) => Closure;
  readonly circumstances: Circumstances;
  /** Grips by their keys. */
  readonly grips: Map<string, Grip>;
  readonly play: Game;
  readonly counts: Counts;
  readonly goesOn: () => Promise<boolean>;
}

/** The honest side's own state of things, and what the adversary knows. */
export interface Node {
  readonly files: Files;
  readonly ledger: Ledger;
  readonly knowledge: Knowledge;
  /** Transactions that it has handed out already. */
  readonly start: Pick<Situation, "pending" | "own" | "shown">;
  /** Whether the honest side has lost state. */
  readonly restored: boolean;
  /** Whether the funding output is there for certain, or never will be, or is the adversary's to bring about. */
  readonly funding: "there" | "never" | "theirs";
}

/** Secret: where a party's money goes in the end. */
export function walletOf(who: Who) {
  const secret = new Secret32(sha256(new TextEncoder().encode(`chankit explore: ${who}'s wallet`)));
  return { secret, script: p2wpkh(publicKey(secret)).scriptPubkey };
}

/** Secret: the keys of a party. */
export function keysIn(files: Files): PartyKeys {
  const entry = files.get(`${FOLDER}/keys.json`);
  if (entry?.kind !== "file") throw new Error("a party without keys");
  return readKeysDocument(JSON.parse(new TextDecoder().decode(entry.data)), `${FOLDER}/keys.json`);
}

export async function duelOf(
  first: Moment,
  honest: Who,
  options: Pick<Duel, "run" | "script" | "outpoint" | "scripted" | "circumstances" | "counts" | "goesOn"> & { readonly check: ScriptCheck },
): Promise<Duel> {
  const adversary = otherThan(honest);
  const { files } = first.world;
  const keys = { [honest]: keysIn(files[honest]), [adversary]: keysIn(files[adversary]) } as Record<Who, PartyKeys>;
  const wallets = { alice: walletOf("alice").script, bob: walletOf("bob").script };
  const preimages = options.script.preimages.map((hex) => bytes32(fromHex(hex)));
  const address = await addressOfScript(wallets[honest], stateIn(files[honest])?.chain ?? "regtest");
  const foe: Adversary = { keys: keys[adversary], preimages };
  const { circumstances, run, check, counts, outpoint } = options;
  return {
    ...options,
    honest,
    adversary,
    keys,
    preimages,
    wallets,
    address,
    close: closer(foe),
    grips: new Map(),
    play: gamesOn({
      funding: outpoint,
      check,
      look: watcher({ run, check, funding: outpoint, reaction: circumstances.reaction, feeratePerKw: circumstances.feeratePerKw, address }),
      adversaryWallet: wallets[adversary],
      goesOn: options.goesOn,
      count: (what) => {
        counts[what] += 1;
      },
      merging: circumstances.merging,
    }),
  };
}

/** What the adversary has seen up to a moment: what the other has sent, and what is agreed. */
export function nodeAt(moments: readonly Moment[], step: number, { honest, adversary }: Duel): Node {
  const seen = moments.slice(0, step + 1);
  const moment = seen.at(-1);
  if (moment === undefined) throw new Error(`no moment ${step}`);
  const sent = moment.world.letters.filter(({ by, state }) => by === honest && state !== "ready");
  const documents = [...sent.map(({ document }) => document), ...(moment.world.held[adversary] ?? [])];
  const commitments = seen.flatMap(({ world }) => commitmentsIn(world.files[honest]));
  const closings = seen.flatMap(({ world }) => closingsIn(world.files[honest]));
  return {
    files: moment.world.files[honest],
    ledger: moment.world.ledgers[honest],
    knowledge: learning(NOTHING_KNOWN, { documents, commitments, closings }),
    start: { pending: [], own: new Set(), shown: new Set() },
    restored: moment.world.restored.includes(honest),
    funding: fundingFor(honest, moment.world),
  };
}

/** Whoever opens knows what it has handed out; the other knows what is confirmed. */
function fundingFor(honest: Who, { funding }: World): Node["funding"] {
  if (funding === "confirmed") return "there";
  if (honest !== OPENER) return "theirs";
  return funding === "released" ? "there" : "never";
}

/** The funding output as the honest side's state has it, or what is the opener's as long as there is none. */
function coinOf({ script, wallets, circumstances }: Duel, { files }: Node, isThere: boolean): Coin {
  const state = channelIn(files);
  const height = circumstances.startHeight;
  if (state === null || !isThere) {
    const amount = state?.fundingSatoshis ?? script.opening.fundingSat;
    return { txid: "00".repeat(32), index: 0, amount, script: wallets[OPENER], height };
  }
  const [funding] = state.fundings;
  const { local, remote } = state.params;
  const { scriptPubkey } = FORMATS[state.channelType].funding(local.fundingPubkey, remote.fundingPubkey);
  return { txid: displayTxid(funding.txid), index: funding.outputIndex, amount: funding.amount, script: scriptPubkey, height };
}

/** What both could do with each commitment and each close that is known, were it confirmed. By its txid. */
function gripsOf({ keys, honest, adversary, preimages, grips }: Duel, { files, knowledge }: Node, closure: Closure): (spender: string) => Grip {
  const state = channelIn(files);
  const wallet = walletOf(honest);
  const made = new Map<string, Grip>();
  return (spender) => {
    const before = made.get(spender);
    if (before !== undefined) return before;
    const closing = knowledge.closings.find(({ unsigned }) => idOf(unsigned) === spender);
    if (closing !== undefined) return gripOnClosing(closing);
    const commitment = knowledge.commitments.find(({ unsigned }) => idOf(unsigned) === spender);
    if (commitment === undefined) throw new Error(`the funding output was spent by ${spender}, which is neither a commitment nor a close`);
    const { number, terms } = commitment;
    const held = terms.owner === "remote" && state !== null ? lookupSecret(state.remoteSecrets, shachainIndex(number)) : null;
    const publishable = closure.publishable.find(({ spending }) => spending.kind === "commitment" && spending.commitment === commitment);
    const htlcTxs = publishable?.htlcTxs ?? [];
    const theirs = { keys: keys[adversary], secret: closure.secretOf(commitment) };
    const ours = { keys: keys[honest], secret: held, wallet: { secret: wallet.secret, lock: p2wpkh(publicKey(wallet.secret)) } };
    const key = gripKey(commitment, htlcTxs, theirs.secret, held);
    let grip = grips.get(key);
    if (grip === undefined) grips.set(key, (grip = gripOn(commitment, htlcTxs, theirs, ours, preimages)));
    made.set(spender, grip);
    return grip;
  };
}

/** How a publication is called, from what the two hold and have given up. */
function behaviourOf({ spending }: Publishable, all: readonly Publishable[], { ledger }: Node): ChainBehaviour {
  if (spending.kind === "closing") return "publish-close";
  const { terms, number } = spending.commitment;
  if (terms.owner === "local") return "publish-theirs";
  const own = all.flatMap(({ spending: each }) => (each.kind === "commitment" && each.commitment.terms.owner === "remote" ? [each.commitment] : []));
  const newest = Math.max(...own.map((commitment) => commitment.number));
  if (number < ledger.revocationsHeld) return "publish-revoked";
  return number === newest ? "publish-newest" : "publish-older";
}

/** What happened, and what was published for it. */
export interface Play {
  readonly behaviour: ChainBehaviour;
  readonly published: string;
  readonly result: Result;
}

/** The worst for the honest side first. */
export function worseFirst(a: Result, b: Result): number {
  if (a.missingMsat !== b.missingMsat) return a.missingMsat > b.missingMsat ? -1 : 1;
  if (a.honestSat !== b.honestSat) return a.honestSat < b.honestSat ? -1 : 1;
  return a.adversarySat === b.adversarySat ? 0 : a.adversarySat > b.adversarySat ? -1 : 1;
}

/** Leaves from here in every way that the adversary has: the worst end of each. */
export function leaver(duel: Duel): (node: Node) => Promise<readonly Play[]> {
  const known = new Map<string, readonly Play[]>();
  return async (node) => {
    const own = [...node.start.own].sort().join();
    const key = `${leavingKey(node.files)} ${node.knowledge.key} ${ledgerKey(node.ledger)} ${own} ${node.funding}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    duel.counts.states += 1;
    const closure = duel.close(node.knowledge);
    const grips = gripsOf(duel, node, closure);
    const { publishable } = closure;
    const moves: readonly (readonly [ChainBehaviour, string, FundingMove])[] = [
      ["stop", "nothing", { kind: "none" }],
      ...publishable.map((one) => [behaviourOf(one, publishable, node), nameOf(one), { kind: "publish", with: one }] as const),
      ...publishable.map((one) => ["race", nameOf(one), { kind: "race", with: one }] as const),
    ];
    const plays: Play[] = [];
    const play = async (behaviour: ChainBehaviour, published: string, move: FundingMove, isThere: boolean): Promise<void> => {
      const result = await worstEnd(duel, node, grips, move, isThere);
      if (result !== null) plays.push({ behaviour, published, result });
    };
    const mayCome = node.funding !== "never" && channelIn(node.files) !== null;
    for (const [behaviour, published, move] of mayCome ? moves : []) await play(behaviour, published, move, true);
    // Another output in its place is none of what both have signed for
    if (!mayCome || node.funding === "theirs") await play("stop", "no funding transaction, or another one", { kind: "none" }, false);
    known.set(key, plays);
    return plays;
  };
}

function nameOf({ spending }: Publishable): string {
  if (spending.kind === "closing") return `the close for ${spending.closing.plan.feeSatoshis} sat`;
  const { terms, number } = spending.commitment;
  return `${terms.owner === "remote" ? "own" : "the other's"} #${number}`;
}

/** Below which the outputs of a mutual close may be left out. BOLT 3 §Legacy Closing Transaction. */
function dustLimitIn(files: Files): bigint {
  const state = channelIn(files);
  if (state === null) return 0n;
  const [local, remote] = [state.params.local.dustLimitSatoshis, state.params.remote.dustLimitSatoshis];
  return local > remote ? local : remote;
}

async function worstEnd(duel: Duel, node: Node, grips: (spender: string) => Grip, move: FundingMove, isThere: boolean): Promise<Result | null> {
  const { circumstances, honest, adversary, wallets } = duel;
  const funding = coinOf(duel, node, isThere);
  // What the accepter begins with is in the funding output: it is owed nothing of what never was
  const ledger = isThere || honest === OPENER ? node.ledger : { ...node.ledger, startMsat: 0n };
  const start: Situation = {
    chain: chainWith(circumstances.startHeight, [funding]),
    files: node.files,
    wakes: [],
    leavesAt: circumstances.startHeight + circumstances.patience,
    ...node.start,
  };
  let worst: Result | null = null;
  for (const { situation, grip } of await duel.play(start, move, grips)) {
    const result = judgeEnd({
      chain: situation.chain,
      funding,
      ledger,
      restored: node.restored,
      dustLimit: dustLimitIn(node.files),
      maxDustExposureMsat: stateIn(node.files)?.limits.maxDustHtlcExposureMsat ?? 0n,
      grip,
      wallets: { honest: wallets[honest], adversary: wallets[adversary] },
      handedOut: situation,
    });
    if (worst === null || worseFirst(result, worst) < 0) worst = result;
  }
  return worst;
}
