import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { fromHex, toHex } from "../protocol/bytes.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import type { Files } from "../store/memory-files.js";
import {
  type Chain,
  type Confirmed,
  type ScriptCheck,
  chainKey,
  earliestBlock,
  hexOf,
  idOf,
  inputsOf,
  outpointOf,
  scriptHex,
  spenderOf,
  spentBy,
} from "./chain.js";
import { type Grip, unsignedOf } from "./grip.js";
import type { Answer, Call, Run } from "./party.js";
import { answeringKey, leavingKey } from "./relevance.js";

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
  /** Preimages in hex that this has shown: whoever reads them has them, whether or not a block ever holds it. */
  readonly shown: ReadonlySet<string>;
}

export interface WatchTerms {
  readonly run: Run;
  readonly check: ScriptCheck;
  readonly funding: string;
  /** Blocks from the sight of something to the confirmation of the answer, at worst. */
  readonly reaction: number;
  readonly feeratePerKw: number;
  /** Where its money goes. */
  readonly address: string;
}

type Look = (situation: Situation, grip: Grip | null) => Promise<Situation>;

/** Asks one command; `key` is of the files, as far as they matter to it. */
type Ask = (call: Call) => Promise<Answer>;

/**
 * The honest side's procedure, the same in every situation: at each block it looks at the chain and runs the commands that leave, sweep and punish. It
 * knows nothing of what the other side is up to.
 */
export function watcher(terms: WatchTerms): Look {
  const answers = new Map<string, Answer>();
  /** These commands change nothing but `force-close`, whose second run is like its first: the same question has one answer. */
  const asking =
    (files: () => Files, key: string): Ask =>
    async (call) => {
      const question = `${key} ${JSON.stringify(call)}`;
      const known = answers.get(question);
      if (known !== undefined) return known;
      const answer = await terms.run(files(), call);
      answers.set(question, answer);
      return answer;
    };

  return async (situation, grip) => {
    const { chain, files, own } = situation;
    const spender = spenderOf(chain, terms.funding);
    if (spender === undefined || grip === null)
      return leave(
        asking(() => files, leavingKey(files)),
        terms,
        situation,
      );
    // What a close pays is in the wallet
    if (grip.spending.kind === "closing") return { ...situation, wakes: [] };
    const theirs = inOrder(chain.confirmed.filter(({ txid, spent }) => txid !== spender.txid && spent.some((coin) => coin.txid === spender.txid)));
    const key = answeringKey(files, grip.spending.commitment, own.has(spender.txid));
    const ask = asking(() => withTransactions(files, theirs), key);
    const before: Situation = { ...situation, wakes: [] };
    const answered = own.has(spender.txid) ? await finishHtlcs(ask, terms, before, spender) : await punish(ask, terms, before, spender);
    return sweepAll(ask, terms, answered, spender);
  };
}

/** Sets of transactions have an order of their own, whatever came first. */
const inOrder = (transactions: readonly Confirmed[]): readonly Confirmed[] => [...transactions].sort((a, b) => (a.txid < b.txid ? -1 : 1));

async function leave(ask: Ask, { check, reaction }: WatchTerms, situation: Situation): Promise<Situation> {
  const { chain, leavesAt } = situation;
  if (chain.height < leavesAt) return { ...situation, wakes: [leavesAt] };
  // Where both have signed a close, and nodes take it, there is nothing to wait for
  const closed = await ask({ command: "close", flags: { tx: true } });
  const answer = closed.kind === "done" && isTaken(chain, closed, check) ? closed : await ask({ command: "force-close" });
  if (answer.kind === "refused") return { ...situation, wakes: [] };
  return handingOut({ ...situation, files: answer.files, wakes: [] }, [transactionOf(answer.document)], reaction);
}

function isTaken(chain: Chain, { document }: Extract<Answer, { kind: "done" }>, check: ScriptCheck): boolean {
  const tx = transactionOf(document);
  const spent = spentBy(chain, tx);
  return spent !== null && check(tx, spent) === null;
}

/** The HTLC transactions of our own commitment, each as soon as it can be. */
async function finishHtlcs(ask: Ask, terms: WatchTerms, before: Situation, spender: Confirmed): Promise<Situation> {
  let situation = before;
  const closed = await ask({ command: "force-close" });
  if (closed.kind === "refused") return situation;
  const { height } = situation.chain;
  for (const htlc of listIn(closed.document, "htlc_txs")) {
    const index = Number(htlc["output_index"]);
    if (!isFree(situation, outpointOf(spender.txid, index))) continue;
    const expiry = Number((htlc["htlc"] as Record<string, unknown>)["cltv_expiry"]);
    if (htlc["kind"] === "htlc_timeout" && height < expiry) {
      situation = { ...situation, wakes: [...situation.wakes, expiry] };
      continue;
    }
    const answer = await ask({ command: "htlc-tx", flags: { outputIndex: String(index), height: String(height) } });
    if (answer.kind === "done") situation = handingOut(situation, [transactionOf(answer.document)], terms.reaction);
  }
  return situation;
}

/** Everything revocable, an output a transaction, the cheater's HTLC transactions included. */
async function punish(ask: Ask, terms: WatchTerms, situation: Situation, spender: Confirmed): Promise<Situation> {
  const call = (secondStage: readonly Confirmed[]): Call => ({
    command: "penalty-tx",
    flags: {
      ...paying(terms),
      separate: true,
      ...(secondStage.length === 0 ? {} : { secondStage: secondStage.map(({ txid }) => fileOf(txid)).join(",") }),
    },
    stdin: hexOf(spender.tx),
  });
  const theirs = inOrder(
    situation.chain.confirmed.filter(({ txid, spent }) => !situation.own.has(txid) && spent.some((coin) => coin.txid === spender.txid)),
  );
  let answer = await ask(call([]));
  const secondStage: Confirmed[] = [];
  for (const each of theirs) {
    const more = await ask(call([...secondStage, each]));
    if (more.kind === "refused") continue;
    secondStage.push(each);
    answer = more;
  }
  if (answer.kind === "refused") return situation;
  const taken = listIn(answer.document, "transactions").map(transactionOf);
  return handingOut(
    situation,
    taken.filter((tx) => inputsOf(tx).every((outpoint) => isFree(situation, outpoint))),
    terms.reaction,
  );
}

/** What is ours without dispute: of the commitment, and of each HTLC transaction of our own. */
async function sweepAll(ask: Ask, terms: WatchTerms, before: Situation, spender: Confirmed): Promise<Situation> {
  let situation = before;
  const second = inOrder(
    before.chain.confirmed.filter(({ txid, spent }) => before.own.has(txid) && spent.some((coin) => coin.txid === spender.txid)),
  );
  const flags = { ...paying(terms), ...(second.length === 0 ? {} : { htlcTxs: second.map(({ txid }) => fileOf(txid)).join(",") }) };
  const call = (height: number, more: Readonly<Record<string, string>>): Call => ({
    command: "sweep",
    flags: { ...flags, confirmed: String(height), ...more },
    stdin: hexOf(spender.tx),
  });
  for (const origin of [spender, ...second]) {
    const all = await ask(call(origin.height, {}));
    if (all.kind === "refused") break;
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
    const answer = await ask(call(origin.height, { height: String(next - 1), ...(others.length === 0 ? {} : { except: others.join(",") }) }));
    if (answer.kind === "done") situation = handingOut(situation, [transactionOf(answer.document)], terms.reaction);
  }
  return situation;
}

const paying = ({ address, feeratePerKw }: WatchTerms) => ({ tx: "-", to: address, feerate: String(feeratePerKw) });

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
    shown: fresh.some((tx) => preimagesIn(tx).length > 0) ? new Set([...situation.shown, ...fresh.flatMap(preimagesIn)]) : situation.shown,
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
  for (const { txid, tx } of transactions) more.set(fileOf(txid), { kind: "file", data: new TextEncoder().encode(hexOf(tx)), mode: 0o600 });
  return more;
}

/** What of a transaction's witnesses may be a preimage, in hex. */
export function preimagesIn({ ins }: Pick<Transaction, "ins">): readonly string[] {
  return ins.flatMap(({ witness }) => witness.filter(({ length }) => length === PREIMAGE_BYTES).map(toHex));
}

const PREIMAGE_BYTES = 32;

/**
 * What tells two situations apart. With `merging` only what can make a difference later:
 * - a confirmed transaction counts by what it is, not by its block or its place in it, unless an output of it is still to be had: delays run from there;
 * - a transaction of the honest side that can never be confirmed any more counts by the preimages that it has shown;
 * - when it looks again and when it wants to leave, it says anew at each look;
 * - its files count by what its commands can come by (relevance.ts).
 */
export function situationKey({ chain, files, pending, wakes, leavesAt, own, shown }: Situation, grip: Grip | null, merging: boolean): string {
  const waiting = pending.map(({ tx, due }) => `${idOf(tx)}<${due}`).join();
  const { height } = chain;
  if (!merging) return [chainKey(chain), [...own].sort().join(), leavingKey(files), waiting, wakes.join(), leavesAt - height].join("/");
  if (grip === null) return [height, leavesAt - height, waiting, [...own].sort().join(), leavingKey(files)].join("/");
  const { spending } = grip;
  const closed = own.has(idOf(unsignedOf(spending)));
  const answers = spending.kind === "closing" ? "" : answeringKey(files, spending.commitment, closed);
  return [height, confirmedKey(chain, grip, own), waiting, [...shown].sort().join(), answers].join("/");
}

/** What tells two ends apart for the judge: what was confirmed, by whom, and what was shown. When it was, does not matter. */
export function endKey({ chain, own, shown }: Situation): string {
  return [...chain.confirmed.map(({ txid }) => `${txid}${own.has(txid) ? "!" : ""}`).sort(), ...[...shown].sort()].join();
}

function confirmedKey({ coins, confirmed }: Chain, { adversary }: Grip, own: ReadonlySet<string>): string {
  const open = new Set([...coins.values()].flatMap(({ txid, script }) => (adversary.scripts.has(scriptHex(script)) ? [txid] : [])));
  return confirmed
    .map(({ txid, height }) => `${txid}${own.has(txid) ? "!" : ""}${open.has(txid) ? `@${height}` : ""}`)
    .sort()
    .join();
}
