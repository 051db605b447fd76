import { expect } from "vitest";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { displayTxid, txid } from "../../src/protocol/bytes.js";
import { earliestBlock, timelocksAllow } from "./interpreter.js";
import type { RegtestNode } from "./regtest-node.js";

/** A transaction that is to be mined in the very first block that may hold it, and tried in the block before that. */
export interface Planned {
  readonly kind: string;
  readonly tx: Transaction;
  /** Whose outputs it spends; null where these are in the chain already. */
  readonly parent: Planned | null;
  /** Blocks that its inputs must wait (BIP 68), as the protocol has it. */
  readonly delay: number;
  /** nLockTime, where it is a height. */
  readonly locktime?: number;
  /** The same with its delay or its locktime one lower and good signatures: in a block early it is final, and must fail in its script. */
  readonly impatient?: Transaction;
}

export interface Tally {
  mined: number;
  refusedEarly: number;
  refusedByScript: number;
}

/** What is in the chain, and how it came there. */
export interface Ledger {
  readonly node: RegtestNode;
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Mines transactions at once, in one block. */
  mineNow(kind: string, transactions: readonly Transaction[]): Promise<number>;
  /** Plays a plan to its end. */
  playOut(plan: readonly Planned[]): Promise<void>;
  /** Expects that the next block with these transactions is refused, for this reason. */
  expectRefused(kind: string, transactions: readonly Transaction[], reason: RegExp): Promise<void>;
}

/** What nodes say of a transaction before its time (nLockTime and BIP 68 alike), and of one whose script fails. */
export const TOO_EARLY = /bad-txns-nonfinal/;
export const SCRIPT_FAILS = /script-verify-flag/;

export function ledgerOn(node: RegtestNode): Ledger {
  const tallies = new Map<string, Tally>();
  const heights = new Map<string, number>();
  const tallyOf = (kind: string): Tally => {
    const tally = tallies.get(kind) ?? { mined: 0, refusedEarly: 0, refusedByScript: 0 };
    tallies.set(kind, tally);
    return tally;
  };

  const mine = async (transactions: readonly Transaction[], what: string): Promise<number> => {
    const mined = await node.mine(transactions.map((tx) => tx.toHex()));
    if (mined.kind === "refused") throw new Error(`${what} refused: ${mined.reason}`);
    for (const tx of transactions) heights.set(tx.getId(), mined.height);
    return mined.height;
  };

  const expectRefused = async (kind: string, transactions: readonly Transaction[], reason: RegExp): Promise<void> => {
    const before = await node.height();
    const mined = await node.mine(transactions.map((tx) => tx.toHex()));
    if (mined.kind === "mined") throw new Error(`${kind} mined in block ${mined.height}`);
    expect(mined.reason, kind).toMatch(reason);
    expect(await node.height()).toBe(before);
    if (reason === TOO_EARLY) tallyOf(kind).refusedEarly += 1;
    else tallyOf(kind).refusedByScript += 1;
  };

  /** The heights of what a transaction spends; what is in the next block has that block's. */
  const confirmedAt = (tx: Transaction, next: number): readonly number[] => tx.ins.map(({ hash }) => heights.get(displayTxid(txid(hash))) ?? next);

  const playOut = async (plan: readonly Planned[]): Promise<void> => {
    const start = (await node.height()) + 1;
    const dueAt = (planned: Planned): number =>
      Math.max((planned.parent === null ? start : dueAt(planned.parent)) + planned.delay, (planned.locktime ?? 0) + 1);
    const last = Math.max(...plan.map(dueAt));
    for (let height = start; height <= last; height++) {
      const place = { height, medianTimePast: await node.medianTimePast() };
      const due = plan.filter((planned) => dueAt(planned) === height);
      const block = due.map(({ tx }) => tx);
      for (const { kind, tx, impatient } of plan.filter((planned) => dueAt(planned) === height + 1)) {
        expect(timelocksAllow(tx.toHex(), confirmedAt(tx, height), place), `${kind} in block ${height}`).toBe(false);
        await expectRefused(kind, [...block, tx], TOO_EARLY);
        if (impatient !== undefined) {
          expect(timelocksAllow(impatient.toHex(), confirmedAt(tx, height), place), `impatient ${kind} in block ${height}`).toBe(true);
          await expectRefused(kind, [...block, impatient], SCRIPT_FAILS);
        }
      }
      for (const { kind, tx } of due) {
        const parents = confirmedAt(tx, height);
        expect(earliestBlock(tx.toHex(), parents), kind).toBeLessThanOrEqual(height);
        expect(timelocksAllow(tx.toHex(), parents, place), `${kind} in block ${height}`).toBe(true);
        tallyOf(kind).mined += 1;
      }
      expect(await mine(block, due.map(({ kind }) => kind).join())).toBe(height);
    }
  };

  return {
    node,
    tallies,
    mineNow: async (kind, transactions) => {
      tallyOf(kind).mined += transactions.length;
      return mine(transactions, kind);
    },
    playOut,
    expectRefused,
  };
}
