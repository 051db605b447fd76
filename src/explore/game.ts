import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Chain, type ScriptCheck, confirm, earliestBlock, idOf, inputsOf, judge, scriptHex, spenderOf, spentBy, waitUntil } from "./chain.js";
import type { Publishable } from "./closure.js";
import { type Grip, unsignedOf } from "./grip.js";
import { isAnchor, waysToSpend } from "./keyring.js";
import { take } from "./take.js";
import { type Pending, type Situation, endKey, situationKey } from "./watch.js";

/** How the adversary spends the funding output: never, in the next block, or in the block in which the honest side's commitment would stand. */
export type FundingMove = { readonly kind: "none" } | { readonly kind: "publish" | "race"; readonly with: Publishable };

/** What all games of a duel share. */
export interface Table {
  readonly funding: string;
  readonly check: ScriptCheck;
  readonly look: (situation: Situation, grip: Grip | null) => Promise<Situation>;
  readonly adversaryWallet: Uint8Array;
  /** Asked before every new situation: false ends the search. */
  readonly goesOn: () => Promise<boolean>;
  readonly count: (what: "situations" | "transactions") => void;
  /** Whether situations that cannot differ in what comes of them are one. Without it every one is played by itself. */
  readonly merging: boolean;
}

/** Where nobody has anything left to do. `grip` is on what spent the funding output, or null where none did. */
export interface End {
  readonly situation: Situation;
  readonly grip: Grip | null;
}

/** Every end that the adversary can bring about from here, by its own choices of what stands in which block and in which order. */
export type Game = (start: Situation, move: FundingMove, gripOn: (spender: string) => Grip) => Promise<readonly End[]>;

/**
 * Games of one duel. While the funding output is unspent, a game is its node's own. Once a commitment or a close is confirmed, it depends on the situation and on
 * the grips of both alone: so what comes of it is remembered, whatever had been said before.
 */
export function gamesOn(table: Table): Game {
  type Ends = ReadonlyMap<string, End>;
  const remembered = new Map<string, Ends>();

  return async (start, move, gripOn) => {
    // Without merging nothing is kept from one game to the next
    const known = table.merging ? remembered : new Map<string, Ends>();

    const from = async (situation: Situation, moved: boolean): Promise<Ends> => {
      const spender = spenderOf(situation.chain, table.funding);
      const grip = spender === undefined ? null : gripOn(spender.txid);
      const key = `${situationKey(situation, grip, table.merging)} ${grip === null ? moved : grip.key}`;
      const store = grip === null ? unspent : known;
      const before = store.get(key);
      if (before !== undefined) return before;
      const found = new Map<string, End>();
      // Time goes forward: no situation comes again below itself
      store.set(key, found);
      if (!(await table.goesOn())) return found;
      table.count("situations");
      const looked = await table.look(situation, grip);
      const next = nextBlock(table, looked, grip, move, moved);
      if (next === null) {
        found.set(`${table.merging ? endKey(looked) : situationKey(looked, grip, false)} ${grip === null ? "" : grip.key}`, {
          situation: looked,
          grip,
        });
        return found;
      }
      for (const after of blocks(table, looked, grip, next, move, moved, gripOn)) {
        for (const [name, end] of await from(after.situation, after.moved)) found.set(name, end);
      }
      return found;
    };
    const unspent = new Map<string, Ends>();
    return [...(await from(start, move.kind === "none")).values()];
  };
}

/** The next height at which anything can differ, or null where nothing more will happen. */
function nextBlock(table: Table, situation: Situation, grip: Grip | null, move: FundingMove, moved: boolean): number | null {
  const { chain, pending, wakes } = situation;
  if (!moved && move.kind === "publish") return chain.height + 1;
  const dues = pending.flatMap(({ tx, due }) => (spentBy(chain, tx) === null ? [] : [Math.max(due, chain.height + 1)]));
  // What it could have taken already, it can still take whenever something else happens
  const own = contested(table, grip, chain).flatMap(({ from }) => (from > chain.height ? [from] : []));
  const later = wakes.filter((height) => height > chain.height);
  const all = [...dues, ...own, ...later];
  return all.length === 0 ? null : Math.min(...all);
}

interface Choice {
  readonly tx: Transaction;
  readonly from: number;
}

const takings = new WeakMap<Grip, Map<string, readonly Transaction[]>>();

/** What the adversary could take that the honest side could take too, now or later. */
function contested(table: Table, grip: Grip | null, chain: Chain): readonly Choice[] {
  if (grip === null) return [];
  const known = takings.get(grip) ?? new Map<string, readonly Transaction[]>();
  takings.set(grip, known);
  const choices = [...grip.htlcTxs];
  for (const [outpoint, coin] of chain.coins) {
    let made = known.get(outpoint);
    if (made === undefined) {
      made = isContested(grip, coin.txid, coin.script)
        ? waysToSpend(grip.adversary, coin.script).map((way) => take(coin, way, table.adversaryWallet))
        : [];
      known.set(outpoint, made);
    }
    choices.push(...made);
  }
  return choices.flatMap((tx): Choice[] => {
    const spent = spentBy(chain, tx);
    return spent === null ? [] : [{ tx, from: earliestBlock(tx, spent) }];
  });
}

/** What only the adversary can take, needs no haste. Anchors are a term of their own, whoever takes them. */
function isContested(grip: Grip, parent: string, script: Uint8Array): boolean {
  if (isAnchor(grip.adversary, script)) return false;
  // The HTLC outputs of the honest side's commitment are spent by what both have signed beforehand: no ring shows it
  const onCommitment = parent === idOf(unsignedOf(grip.spending)) && grip.adversary.scripts.has(scriptHex(script));
  return onCommitment || waysToSpend(grip.honest, script).length > 0;
}

interface After {
  readonly situation: Situation;
  readonly moved: boolean;
}

/** Every block of that height that the adversary can have: its own first, then what is due, then what it can do with that. */
function blocks(
  table: Table,
  situation: Situation,
  grip: Grip | null,
  height: number,
  move: FundingMove,
  moved: boolean,
  gripOn: (spender: string) => Grip,
): readonly After[] {
  const gripIn = (chain: Chain): Grip | null => {
    const spender = grip === null ? spenderOf(chain, table.funding) : undefined;
    return spender === undefined ? grip : gripOn(spender.txid);
  };
  const chain = waitUntil(situation.chain, height);
  const spendsFunding = ({ tx }: Pending) => inputsOf(tx).includes(table.funding);
  const dueNow = situation.pending.filter(({ due }) => due <= height);
  let start = chain;
  let nowMoved = moved;
  if (!moved && move.kind !== "none" && (move.kind === "publish" || dueNow.some(spendsFunding))) {
    start = included(table, chain, [move.with.tx]);
    nowMoved = true;
  }
  const results = new Map<string, After>();
  for (const first of subsets(table, gripIn(start), start)) {
    const withOwn = included(table, start, first);
    const withDue = included(
      table,
      withOwn,
      dueNow.map(({ tx }) => tx),
    );
    for (const second of withDue.confirmed.length > withOwn.confirmed.length ? subsets(table, gripIn(withDue), withDue) : [[]]) {
      const done = included(table, withDue, second);
      const after = { ...situation, chain: done, pending: waiting(table, situation, done) };
      results.set(situationKey(after, gripIn(done), table.merging), { situation: after, moved: nowMoved });
    }
  }
  return [...results.values()];
}

/** What of the honest side's is still to come: not what is spent, nor what no block may hold. */
function waiting(table: Table, { pending }: Situation, chain: Chain): readonly Pending[] {
  return pending.flatMap(({ tx, due }): Pending[] => {
    const spent = spentBy(chain, tx);
    if (spent === null) return [];
    if (due > chain.height) return [{ tx, due }];
    return judge(chain, tx, table.check) === "too-early" ? [{ tx, due: earliestBlock(tx, spent) }] : [];
  });
}

/** Nothing, everything that is possible, and each alone. */
function subsets(table: Table, grip: Grip | null, chain: Chain): readonly (readonly Transaction[])[] {
  const possible = contested(table, grip, chain).flatMap(({ tx, from }) => (from <= chain.height ? [tx] : []));
  return possible.length < 2 ? [[], ...possible.map((tx) => [tx])] : [[], possible, ...possible.map((tx) => [tx])];
}

/** The chain with those of the transactions that the newest block may hold, in this order. */
function included(table: Table, chain: Chain, transactions: readonly Transaction[]): Chain {
  return transactions.reduce((before, tx) => {
    if (judge(before, tx, table.check) !== null) return before;
    table.count("transactions");
    return confirm(before, tx);
  }, chain);
}
