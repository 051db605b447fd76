import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { displayTxid, toHex, txid } from "../protocol/bytes.js";

/** An output as the chain holds it. */
export interface Coin {
  readonly txid: string;
  readonly index: number;
  readonly amount: bigint;
  readonly script: Uint8Array;
  /** The block that confirmed it. */
  readonly height: number;
}

export interface Confirmed {
  readonly tx: Transaction;
  readonly txid: string;
  readonly height: number;
  readonly spent: readonly Coin[];
}

/** What is confirmed. `height` is the newest block, to which transactions may still be added. Never changed: every block is another value. */
export interface Chain {
  readonly height: number;
  readonly coins: ReadonlyMap<string, Coin>;
  readonly confirmed: readonly Confirmed[];
}

/** Runs the scripts of all inputs: null where they hold, else what the interpreter says. */
export type ScriptCheck = (tx: Transaction, spent: readonly Coin[]) => string | null;

export const outpointOf = (id: string, index: number): string => `${id}:${index}`;

/** A chain with a few coins that were always there. */
export function chainWith(height: number, coins: readonly Omit<Coin, "height">[]): Chain {
  return { height, coins: new Map(coins.map((coin) => [outpointOf(coin.txid, coin.index), { ...coin, height }])), confirmed: [] };
}

/** From here on nLockTime is a time (BIP 65): those of commitments are decades past, so a time is taken to have come. */
const LOCKTIME_THRESHOLD = 500_000_000;
const SEQUENCE_FINAL = 0xffffffff;
/** BIP 68: the bits that say that nSequence is no delay, or one in time. */
const SEQUENCE_DISABLED = 2 ** 31;
const SEQUENCE_IN_TIME = 2 ** 22;
const SEQUENCE_BLOCKS = 0xffff;

/** Neither transactions nor scripts are ever changed here: what is worked out of one is worked out once. */
function onceEach<K extends object, T>(work: (of: K) => T): (of: K) => T {
  const known = new WeakMap<K, T>();
  return (of) => {
    let made = known.get(of);
    if (made === undefined) known.set(of, (made = work(of)));
    return made;
  };
}

export const idOf = onceEach((tx: Transaction): string => tx.getId());
export const hexOf = onceEach((tx: Transaction): string => tx.toHex());
export const scriptHex = onceEach((script: Uint8Array): string => toHex(script));

/** The outputs that a transaction spends, as `outpointOf` writes them. */
export const inputsOf = onceEach((tx: Transaction): readonly string[] => tx.ins.map(({ hash, index }) => outpointOf(displayTxid(txid(hash)), index)));

/** What it spends, or null where something of it is not there. */
export function spentBy(chain: Chain, tx: Transaction): readonly Coin[] | null {
  const coins = inputsOf(tx).map((outpoint) => chain.coins.get(outpoint));
  return coins.every((coin) => coin !== undefined) && new Set(coins).size === coins.length ? coins : null;
}

/** The first block that may hold it by nLockTime and BIP 68, given the coins that it spends. */
export function earliestBlock({ version, locktime, ins }: Transaction, spent: readonly Coin[]): number {
  const asksForLocktime = ins.some(({ sequence }) => sequence !== SEQUENCE_FINAL);
  const afterLocktime = asksForLocktime && locktime < LOCKTIME_THRESHOLD ? locktime + 1 : 0;
  const afterDelays = ins.map(({ sequence }, at) => {
    const confirmed = spent[at]?.height ?? 0;
    if (version < 2 || sequence >= SEQUENCE_DISABLED) return confirmed;
    // Delays in time are in none of a channel's transactions: whoever makes one waits for ever
    return (sequence & SEQUENCE_IN_TIME) === 0 ? confirmed + (sequence & SEQUENCE_BLOCKS) : Infinity;
  });
  return Math.max(afterLocktime, ...afterDelays);
}

export type Refusal = "inputs-missing" | "too-early" | "more-out-than-in" | `script: ${string}`;

/** Why a transaction may not stand in the newest block, or null. Block subsidies, sizes and fees are not this model's subject. */
export function judge(chain: Chain, tx: Transaction, check: ScriptCheck): Refusal | null {
  const spent = spentBy(chain, tx);
  if (spent === null) return "inputs-missing";
  if (earliestBlock(tx, spent) > chain.height) return "too-early";
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
  if (sum(tx.outs.map(({ value }) => value)) > sum(spent.map(({ amount }) => amount))) return "more-out-than-in";
  const wrong = check(tx, spent);
  return wrong === null ? null : `script: ${wrong}`;
}

/** The chain with blocks up to `height`, empty ones. */
export function waitUntil(chain: Chain, height: number): Chain {
  return height > chain.height ? { ...chain, height } : chain;
}

/** The chain with one transaction more in its newest block, which `judge` has allowed. */
export function confirm(chain: Chain, tx: Transaction): Chain {
  const spent = spentBy(chain, tx) ?? [];
  const id = idOf(tx);
  const coins = new Map(chain.coins);
  for (const coin of spent) coins.delete(outpointOf(coin.txid, coin.index));
  for (const [index, { value, script }] of tx.outs.entries()) {
    coins.set(outpointOf(id, index), { txid: id, index, amount: value, script, height: chain.height });
  }
  return { ...chain, coins, confirmed: [...chain.confirmed, { tx, txid: id, height: chain.height, spent }] };
}

/** The confirmed transaction that spends an output, if there is one. */
export function spenderOf(chain: Chain, outpoint: string): Confirmed | undefined {
  return chain.confirmed.find(({ spent }) => spent.some((coin) => outpointOf(coin.txid, coin.index) === outpoint));
}

/** What tells two chains apart. */
export function chainKey({ height, confirmed }: Chain): string {
  return `${height}|${confirmed.map((each) => `${each.txid}@${each.height}`).join()}`;
}
