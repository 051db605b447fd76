import { decode, encode } from "../../json/decode.js";
import { watchFile } from "../../json/watch-file.js";
import { type Txid, txid } from "../../protocol/bytes.js";
import { transactionFromHex } from "../../protocol/channel/identify.js";
import { outpointName } from "../../protocol/channel/transitions/answer.js";

export type Tx = ReturnType<typeof transactionFromHex>;

/** A transaction and in which block it is. */
export interface Seen {
  readonly tx: Tx;
  confirmed: number | null;
}

/** An answer that was given: what it takes, as `txid:index`. */
export interface Given {
  readonly kind: string;
  readonly txid: string;
  readonly takes: readonly string[];
}

/** A published commitment of one party's channel, and what has become of it. */
export interface Follow extends Seen {
  /** The party's folder. */
  readonly party: string;
  readonly spends: Seen[];
  readonly answers: Given[];
  /** Outputs that are left alone: they cost more than they hold, or another answer to them stands in a file. */
  readonly leftAlone: Set<string>;
  /** What was said of it and need not be said again. */
  readonly told: Set<string>;
  /** The height at which there may be more to do. */
  next: number | null;
}

export function followed(party: string, tx: Tx, confirmed: number | null): Follow {
  return { party, tx, confirmed, spends: [], answers: [], leftAlone: new Set(), told: new Set(), next: null };
}

export function idOf(tx: Tx): Txid {
  return txid(tx.getHash());
}

/** The outputs that answers take which can still be mined: no other confirmed transaction has spent anything of theirs. */
export function answeredBy({ answers, spends, leftAlone }: Follow): ReadonlySet<string> {
  const gone = new Map<string, string>();
  for (const { tx, confirmed } of spends) if (confirmed !== null) for (const name of outpointsOf(tx)) gone.set(name, tx.getId());
  const live = answers.filter((answer) => answer.takes.every((name) => (gone.get(name) ?? answer.txid) === answer.txid));
  return new Set([...leftAlone, ...live.flatMap(({ takes }) => takes)]);
}

/** What a transaction spends, as `txid:index`. */
export function outpointsOf(tx: Tx): readonly string[] {
  return tx.ins.map(({ hash, index }) => outpointName({ txid: txid(hash), outputIndex: index }));
}

/** Where the chain is. */
export interface Tip {
  readonly height: number;
  readonly hash: string | null;
}

export interface WatchState {
  readonly tip: Tip | null;
  readonly follows: readonly Follow[];
}

/** Throws: json-…, tx-not-parsed. */
export function readWatchState(document: unknown, source: string): WatchState {
  const { tip, commitments } = decode(watchFile, document, source);
  return {
    tip,
    follows: commitments.map(({ party, tx, confirmed, spends, answers, leftAlone, told, next }) => ({
      ...followed(party, transactionFromHex(tx), confirmed),
      spends: spends.map((one) => ({ tx: transactionFromHex(one.tx), confirmed: one.confirmed })),
      answers: [...answers],
      leftAlone: new Set(leftAlone),
      told: new Set(told),
      next,
    })),
  };
}

export function printWatchState({ tip, follows }: WatchState): string {
  const document = encode(watchFile, {
    format: "chankit-watch",
    version: 1,
    tip,
    commitments: follows.map(({ party, tx, confirmed, spends, answers, leftAlone, told, next }) => ({
      party,
      tx: tx.toHex(),
      confirmed,
      spends: spends.map((one) => ({ tx: one.tx.toHex(), confirmed: one.confirmed })),
      answers: [...answers],
      leftAlone: [...leftAlone],
      told: [...told],
      next,
    })),
  });
  return `${JSON.stringify(document, null, 2)}\n`;
}
