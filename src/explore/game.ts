import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { toHex } from "../protocol/bytes.js";
import { type Chain, type ScriptCheck, confirm, earliestBlock, idOf, inputsOf, judge, outpointOf, spenderOf, spentBy, waitUntil } from "./chain.js";
import type { Closure, Publishable } from "./closure.js";
import { type Keyring, isAnchor, waysToSpend } from "./keyring.js";
import { take } from "./take.js";
import { type Pending, type Situation, situationKey } from "./watch.js";

/** How the adversary spends the funding output: never, in the next block, or in the block in which the honest side's commitment would stand. */
export type FundingMove = { readonly kind: "none" } | { readonly kind: "publish" | "race"; readonly with: Publishable };

export interface Board {
  readonly funding: string;
  readonly check: ScriptCheck;
  readonly look: (situation: Situation) => Promise<Situation>;
  readonly closure: Closure;
  /** All that the honest side could ever spend: what only the adversary can, needs no haste. */
  readonly honestRing: Keyring;
  readonly adversaryWallet: Uint8Array;
  /** Asked before every new situation: false ends the search. */
  readonly goesOn: () => Promise<boolean>;
  readonly count: (what: "situations" | "transactions") => void;
}

/** Every end that the adversary can bring about from here, by its own choices of what stands in which block and in which order. */
export async function ends(board: Board, start: Situation, move: FundingMove): Promise<readonly Situation[]> {
  const found = new Map<string, Situation>();
  const seen = new Set<string>();
  const visit = async (situation: Situation, moved: boolean): Promise<void> => {
    const key = `${situationKey(situation)} ${moved}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (!(await board.goesOn())) return;
    board.count("situations");
    const looked = await board.look(situation);
    const next = nextBlock(board, looked, move, moved);
    if (next === null) {
      found.set(situationKey(looked), looked);
      return;
    }
    for (const after of blocks(board, looked, next, move, moved)) await visit(after.situation, after.moved);
  };
  await visit(start, move.kind === "none");
  return [...found.values()];
}

/** The next height at which anything can differ, or null where nothing more will happen. */
function nextBlock(board: Board, situation: Situation, move: FundingMove, moved: boolean): number | null {
  const { chain, pending, wakes } = situation;
  if (!moved && move.kind === "publish") return chain.height + 1;
  const dues = pending.flatMap(({ tx, due }) => (spentBy(chain, tx) === null ? [] : [Math.max(due, chain.height + 1)]));
  // What it could have taken already, it can still take whenever something else happens
  const own = contested(board, chain).flatMap(({ from }) => (from > chain.height ? [from] : []));
  const later = wakes.filter((height) => height > chain.height);
  const all = [...dues, ...own, ...later];
  return all.length === 0 ? null : Math.min(...all);
}

interface Choice {
  readonly tx: Transaction;
  readonly from: number;
}

const takings = new WeakMap<Closure, Map<string, readonly Transaction[]>>();

/** What the adversary could take that the honest side could take too, now or later. */
function contested(board: Board, chain: Chain): readonly Choice[] {
  const spender = spenderOf(chain, board.funding);
  if (spender === undefined) return [];
  const { closure } = board;
  const presigned = closure.publishable.find(({ tx }) => idOf(tx) === spender.txid)?.htlcTxs ?? [];
  const choices = [...presigned];
  const known = takings.get(closure) ?? new Map<string, readonly Transaction[]>();
  takings.set(closure, known);
  for (const coin of chain.coins.values()) {
    // Anchors are a term of their own, whoever takes them
    if (isAnchor(closure.ring, coin.script)) continue;
    if (waysToSpend(board.honestRing, coin.script).length === 0 && !isOwnHtlc(board, spender.txid, coin.txid, coin.script)) continue;
    const key = outpointOf(coin.txid, coin.index);
    let made = known.get(key);
    if (made === undefined) {
      made = waysToSpend(closure.ring, coin.script).map((way) => take(coin, way, board.adversaryWallet));
      known.set(key, made);
    }
    choices.push(...made);
  }
  return choices.flatMap((tx): Choice[] => {
    const spent = spentBy(chain, tx);
    return spent === null ? [] : [{ tx, from: earliestBlock(tx, spent) }];
  });
}

/** The HTLC outputs of the honest side's commitment are spent by what both have signed beforehand: no ring shows it. */
function isOwnHtlc({ closure }: Board, commitment: string, parent: string, script: Uint8Array): boolean {
  return parent === commitment && closure.ring.scripts.has(toHex(script));
}

interface After {
  readonly situation: Situation;
  readonly moved: boolean;
}

/** Every block of that height that the adversary can have: its own first, then what is due, then what it can do with that. */
function blocks(board: Board, situation: Situation, height: number, move: FundingMove, moved: boolean): readonly After[] {
  const chain = waitUntil(situation.chain, height);
  const spendsFunding = ({ tx }: Pending) => inputsOf(tx).includes(board.funding);
  const dueNow = situation.pending.filter(({ due }) => due <= height);
  let start = chain;
  let nowMoved = moved;
  if (!moved && move.kind !== "none" && (move.kind === "publish" || dueNow.some(spendsFunding))) {
    start = included(board, chain, [move.with.tx]);
    nowMoved = true;
  }
  const results = new Map<string, After>();
  for (const first of subsets(board, start)) {
    const withOwn = included(board, start, first);
    const withDue = included(
      board,
      withOwn,
      dueNow.map(({ tx }) => tx),
    );
    for (const second of withDue.confirmed.length > withOwn.confirmed.length ? subsets(board, withDue) : [[]]) {
      const done = included(board, withDue, second);
      const after = { ...situation, chain: done, ...waiting(board, situation, done) };
      results.set(situationKey(after), { situation: after, moved: nowMoved });
    }
  }
  return [...results.values()];
}

/** What of the honest side's is still to come. A transaction of its own that no block may hold is said among its refusals. */
function waiting(board: Board, { pending, refusals }: Situation, chain: Chain): Pick<Situation, "pending" | "refusals"> {
  const left: Pending[] = [];
  const wrong: string[] = [];
  for (const { tx, due } of pending) {
    const spent = spentBy(chain, tx);
    if (spent === null) continue;
    if (due > chain.height) left.push({ tx, due });
    else {
      const reason = judge(chain, tx, board.check);
      if (reason === "too-early") left.push({ tx, due: earliestBlock(tx, spent) });
      else if (reason !== null) wrong.push(`chain: ${reason}`);
    }
  }
  return { pending: left, refusals: [...refusals, ...wrong] };
}

/** Nothing, everything that is possible, and each alone. */
function subsets(board: Board, chain: Chain): readonly (readonly Transaction[])[] {
  const possible = contested(board, chain).flatMap(({ tx, from }) => (from <= chain.height ? [tx] : []));
  return possible.length < 2 ? [[], ...possible.map((tx) => [tx])] : [[], possible, ...possible.map((tx) => [tx])];
}

/** The chain with those of the transactions that the newest block may hold, in this order. */
function included(board: Board, chain: Chain, transactions: readonly Transaction[]): Chain {
  return transactions.reduce((before, tx) => {
    if (judge(before, tx, board.check) !== null) return before;
    board.count("transactions");
    return confirm(before, tx);
  }, chain);
}
