import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { sha256 } from "@noble/hashes/sha2.js";
import { fromHex, toHex } from "../protocol/bytes.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import type { Files } from "../store/memory-files.js";
import { type Chain, type Confirmed, chainKey, earliestBlock, idOf, inputsOf, outpointOf, spenderOf, spentBy } from "./chain.js";
import { type Answer, type Call, FOLDER, type Run } from "./party.js";

/** A transaction that the honest side has handed out; it is confirmed in block `due` at the latest, unless something else came first. */
export interface Pending {
  readonly tx: Transaction;
  readonly due: number;
}

/** The honest side and the chain, between two blocks. */
export interface Situation {
  readonly chain: Chain;
  readonly files: Files;
  readonly pending: readonly Pending[];
  /** Heights at which it looks again, whatever happens. */
  readonly wakes: readonly number[];
  /** From this height on it wants to leave. */
  readonly leavesAt: number;
  /** Ids of everything that it has handed out. */
  readonly own: ReadonlySet<string>;
  /** What its commands would not do, and it tried: their codes. */
  readonly refusals: readonly string[];
}

export interface WatchTerms {
  readonly run: Run;
  readonly funding: string;
  /** Blocks from the sight of something to the confirmation of the answer, at worst. */
  readonly reaction: number;
  readonly feeratePerKw: number;
  /** Where its money goes. */
  readonly address: string;
}

type Look = (situation: Situation) => Promise<Situation>;

/**
 * The honest side's procedure, the same in every situation: at each block it looks at the chain and runs the commands that leave, sweep and punish. It
 * knows nothing of what the other side is up to.
 */
export function watcher(terms: WatchTerms): Look {
  const answers = new Map<string, Answer>();
  /** These commands change nothing but `force-close`, whose second run is like its first: the same question has one answer. */
  const ask = async (files: Files, call: Call): Promise<Answer> => {
    const key = `${filesKey(files)} ${JSON.stringify(call)}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = await terms.run(files, call);
    answers.set(key, answer);
    return answer;
  };
  const looks = new Map<string, Situation>();

  return async (situation) => {
    const key = situationKey(situation);
    const known = looks.get(key);
    if (known !== undefined) return known;
    const spender = spenderOf(situation.chain, terms.funding);
    const after = spender === undefined ? await leave({ ...terms, run: ask }, situation) : await answerTo({ ...terms, run: ask }, situation, spender);
    looks.set(key, after);
    return after;
  };
}

async function leave({ run, reaction }: WatchTerms, situation: Situation): Promise<Situation> {
  const { chain, leavesAt } = situation;
  if (chain.height < leavesAt) return { ...situation, wakes: [leavesAt] };
  const answer = await run(situation.files, { command: "force-close" });
  if (answer.kind === "refused") return { ...situation, wakes: [], refusals: [...situation.refusals, answer.code] };
  return handingOut({ ...situation, files: answer.files, wakes: [] }, [transactionOf(answer.document)], reaction);
}

async function answerTo(terms: WatchTerms, before: Situation, spender: Confirmed): Promise<Situation> {
  let situation: Situation = { ...before, wakes: [], refusals: before.refusals.filter((code) => code.startsWith("chain:")) };
  const own = before.own.has(spender.txid);
  situation = own ? await finishHtlcs(terms, situation, spender) : await punish(terms, situation, spender);
  return sweepAll(terms, situation, spender);
}

/** The HTLC transactions of our own commitment, each as soon as it can be. */
async function finishHtlcs(terms: WatchTerms, before: Situation, spender: Confirmed): Promise<Situation> {
  let situation = before;
  const closed = await terms.run(situation.files, { command: "force-close" });
  if (closed.kind === "refused") return refusing(situation, closed);
  const { height } = situation.chain;
  for (const htlc of listIn(closed.document, "htlc_txs")) {
    const index = Number(htlc["output_index"]);
    if (!isFree(situation, outpointOf(spender.txid, index))) continue;
    const expiry = Number((htlc["htlc"] as Record<string, unknown>)["cltv_expiry"]);
    if (htlc["kind"] === "htlc_timeout" && height < expiry) {
      situation = { ...situation, wakes: [...situation.wakes, expiry] };
      continue;
    }
    const answer = await terms.run(situation.files, { command: "htlc-tx", flags: { outputIndex: String(index), height: String(height) } });
    situation = answer.kind === "refused" ? refusing(situation, answer) : handingOut(situation, [transactionOf(answer.document)], terms.reaction);
  }
  return situation;
}

/** Everything revocable, an output a transaction, the cheater's HTLC transactions included. */
async function punish(terms: WatchTerms, situation: Situation, spender: Confirmed): Promise<Situation> {
  const call = (secondStage: readonly Confirmed[]): Call => ({
    command: "penalty-tx",
    flags: {
      ...paying(terms),
      separate: true,
      ...(secondStage.length === 0 ? {} : { secondStage: secondStage.map(({ txid }) => fileOf(txid)).join(",") }),
    },
    stdin: spender.tx.toHex(),
  });
  const theirs = situation.chain.confirmed.filter(({ txid, spent }) => !situation.own.has(txid) && spent.some((coin) => coin.txid === spender.txid));
  const files = withTransactions(situation.files, theirs);
  let answer = await terms.run(files, call([]));
  const secondStage: Confirmed[] = [];
  for (const each of theirs) {
    const more = await terms.run(files, call([...secondStage, each]));
    if (more.kind === "refused") continue;
    secondStage.push(each);
    answer = more;
  }
  if (answer.kind === "refused") return refusing(situation, answer);
  const taken = listIn(answer.document, "transactions").map(transactionOf);
  return handingOut(
    situation,
    taken.filter((tx) => inputsOf(tx).every((outpoint) => isFree(situation, outpoint))),
    terms.reaction,
  );
}

/** What is ours without dispute: of the commitment, and of each HTLC transaction of our own. */
async function sweepAll(terms: WatchTerms, before: Situation, spender: Confirmed): Promise<Situation> {
  let situation = before;
  const second = before.chain.confirmed.filter(({ txid, spent }) => before.own.has(txid) && spent.some((coin) => coin.txid === spender.txid));
  const files = withTransactions(situation.files, second);
  const flags = { ...paying(terms), ...(second.length === 0 ? {} : { htlcTxs: second.map(({ txid }) => fileOf(txid)).join(",") }) };
  const ask = (height: number, more: Readonly<Record<string, string>>): Call => ({
    command: "sweep",
    flags: { ...flags, confirmed: String(height), ...more },
    stdin: spender.tx.toHex(),
  });
  for (const origin of [spender, ...second]) {
    const all = await terms.run(files, ask(origin.height, {}));
    if (all.kind === "refused") {
      situation = refusing(situation, all);
      break;
    }
    const claimed = listIn(all.document, "outputs").filter(({ kind }) => !String(kind).includes("anchor"));
    const outputs = claimed.map((output) => ({
      outpoint: outpointOf(String(output["txid"]), Number(output["output_index"])),
      from: Number(output["spendable_from"] ?? 0),
      here: output["txid"] === origin.txid,
    }));
    const free = outputs.filter(({ outpoint, here }) => here && isFree(situation, outpoint));
    const next = situation.chain.height + 1;
    const ripe = free.filter(({ from }) => from <= next);
    situation = { ...situation, wakes: [...situation.wakes, ...free.flatMap(({ from }) => (from > next ? [from - 1] : []))] };
    if (ripe.length === 0) continue;
    const others = outputs.filter(({ outpoint }) => !ripe.some((one) => one.outpoint === outpoint)).map(({ outpoint }) => outpoint);
    const answer = await terms.run(
      files,
      ask(origin.height, { height: String(next - 1), ...(others.length === 0 ? {} : { except: others.join(",") }) }),
    );
    situation = answer.kind === "refused" ? refusing(situation, answer) : handingOut(situation, [transactionOf(answer.document)], terms.reaction);
  }
  return situation;
}

const paying = ({ address, feeratePerKw }: WatchTerms) => ({ tx: "-", to: address, feerate: String(feeratePerKw) });

function refusing(situation: Situation, { code }: Extract<Answer, { readonly kind: "refused" }>): Situation {
  return { ...situation, refusals: [...situation.refusals, code] };
}

/** Neither spent in the chain nor by anything of ours that is under way. */
function isFree({ chain, pending }: Situation, outpoint: string): boolean {
  return chain.coins.has(outpoint) && !pending.some(({ tx }) => spentBy(chain, tx) !== null && inputsOf(tx).includes(outpoint));
}

function handingOut(situation: Situation, transactions: readonly Transaction[], reaction: number): Situation {
  const { chain } = situation;
  const fresh = transactions.filter((tx) => !situation.own.has(idOf(tx)));
  const pending = fresh.map((tx): Pending => {
    const spent = spentBy(chain, tx);
    return { tx, due: Math.max(chain.height + reaction, spent === null ? 0 : earliestBlock(tx, spent)) };
  });
  return {
    ...situation,
    pending: [...situation.pending, ...pending],
    own: new Set([...situation.own, ...fresh.map((tx) => idOf(tx))]),
  };
}

function transactionOf(document: Readonly<Record<string, unknown>>): Transaction {
  return parseTransaction(fromHex(String(document["tx"])));
}

function listIn(document: Readonly<Record<string, unknown>>, name: string): readonly Readonly<Record<string, unknown>>[] {
  const list = document[name];
  return Array.isArray(list) ? (list as Readonly<Record<string, unknown>>[]) : [];
}

const fileOf = (txid: string): string => `/chain/${txid}.hex`;

/** The party's files with transactions beside them, as somebody would save them from the chain. */
function withTransactions(files: Files, transactions: readonly Confirmed[]): Files {
  if (transactions.length === 0) return files;
  const more = new Map(files).set("/chain", { kind: "folder" });
  for (const { txid, tx } of transactions) more.set(fileOf(txid), { kind: "file", data: new TextEncoder().encode(tx.toHex()), mode: 0o600 });
  return more;
}

/** What a party that leaves does not look at: its messages, and how often its state was written. */
const NOT_LOOKED_AT: readonly string[] = ["messages", "next_ids", "revision", "previous_state_hash"];

const keys = new WeakMap<Uint8Array, WeakMap<Uint8Array, string>>();

/**
 * What tells a party's files apart for whoever only leaves, sweeps and punishes: those commands give the same for the same key. A channel file that the
 * highwater file does not vouch for is told apart whole.
 */
export function filesKey(files: Files): string {
  const channel = dataOf(files, "channel.json");
  const highwater = dataOf(files, "highwater.json");
  if (channel === undefined || highwater === undefined) return "none";
  const beside = keys.get(channel) ?? new WeakMap<Uint8Array, string>();
  keys.set(channel, beside);
  let key = beside.get(highwater);
  if (key === undefined) {
    const document = JSON.parse(textOf(channel)) as Record<string, unknown>;
    const vouched = textOf(highwater).includes(`"revision": ${String(document["revision"])},`);
    key = hashOf(
      vouched
        ? JSON.stringify(Object.fromEntries(Object.entries(document).filter(([name]) => !NOT_LOOKED_AT.includes(name))))
        : textOf(channel) + textOf(highwater),
    );
    beside.set(highwater, key);
  }
  return key;
}

function dataOf(files: Files, name: string): Uint8Array | undefined {
  const entry = files.get(`${FOLDER}/${name}`);
  return entry?.kind === "file" ? entry.data : undefined;
}

const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);
const hashOf = (text: string): string => toHex(sha256(new TextEncoder().encode(text))).slice(0, 24);

export function situationKey({ chain, files, pending, wakes, leavesAt, own }: Situation): string {
  return [
    chainKey(chain),
    [...own].sort().join(),
    filesKey(files),
    pending.map(({ tx, due }) => `${idOf(tx)}<${due}`).join(),
    wakes.join(),
    Math.max(0, leavesAt - chain.height),
  ].join("/");
}
