import { toHex } from "../../src/protocol/bytes.js";
import type { CommitmentSpec } from "../../src/protocol/tx/spec.js";
import type { Message } from "../../src/protocol/wire/messages.js";

/*
 * The update machine of BOLT 2 once more, from the history of one party's messages alone and without the program's own: each commitment is added up from the
 * first one on, not from the one before. BOLT 2 §Normal Operation.
 */

export type By = "mine" | "theirs";
export const flip = (by: By): By => (by === "mine" ? "theirs" : "mine");

export type Update =
  | { readonly kind: "pay"; readonly amount: bigint }
  | { readonly kind: "add"; readonly id: bigint; readonly amount: bigint; readonly hash: string; readonly expiry: number }
  | { readonly kind: "fulfill" | "fail"; readonly id: bigint }
  | { readonly kind: "fee"; readonly rate: bigint };

/** How far an update is: 0 sent · 1 in the receiver's commitment · 2 acknowledged · 3 in the sender's commitment · 4 irrevocable. */
interface Entry {
  readonly update: Update;
  stage: number;
}

export interface Offered {
  readonly by: By;
  readonly id: bigint;
  readonly amount: bigint;
  readonly hash: string;
  readonly expiry: number;
}

/** What one commitment says, added up from the beginning. */
export interface Sum {
  readonly rate: bigint;
  readonly balances: Readonly<Record<By, bigint>>;
  readonly htlcs: readonly Offered[];
}

/** The update that a message carries, or null. */
export function updateOf(message: Message): Update | null {
  switch (message.type) {
    case "pay":
      return { kind: "pay", amount: message.amountMsat };
    case "update_add_htlc":
      return { kind: "add", id: message.id, amount: message.amountMsat, hash: toHex(message.paymentHash), expiry: message.cltvExpiry };
    case "update_fulfill_htlc":
      return { kind: "fulfill", id: message.id };
    case "update_fail_htlc":
    case "update_fail_malformed_htlc":
      return { kind: "fail", id: message.id };
    case "update_fee":
      return { kind: "fee", rate: message.feeratePerKw };
    default:
      return null;
  }
}

export class Reference {
  readonly entries: Record<By, Entry[]> = { mine: [], theirs: [] };
  readonly start: Sum;
  /** Commitments signed and secrets given, by each side, as this party has seen it. */
  readonly count = { signed: 0, revocationsTaken: 0, verified: 0, revoked: 0 };

  constructor(start: Sum) {
    this.start = start;
  }

  /** Takes note of a message that this party sent for the first time (`mine`) or took in for the first time (`theirs`). */
  note(by: By, message: Message): void {
    const from = this.entries[by];
    const to = this.entries[flip(by)];
    const update = updateOf(message);
    if (update !== null) from.push({ update, stage: 0 });
    if (message.type === "commitment_signed") {
      move(from, 0, 1);
      move(to, 2, 3);
      this.count[by === "mine" ? "signed" : "verified"] += 1;
    }
    if (message.type === "revoke_and_ack") {
      move(to, 1, 2);
      move(from, 3, 4);
      this.count[by === "mine" ? "revoked" : "revocationsTaken"] += 1;
    }
  }

  /** After a disconnect: what the other side proposed and never signed. */
  forget(): void {
    this.entries.theirs = this.entries.theirs.filter(({ stage }) => stage > 0);
  }

  /** The commitment of one side. `waiting` counts what is on its way to it, too; `leftOut` leaves out what is in it. */
  sum(
    owner: By,
    waiting: (by: By, stage: number, update: Update) => boolean = () => false,
    leftOut: (by: By, stage: number) => boolean = () => false,
  ): Sum {
    const inside = (by: By) =>
      this.entries[by].filter(({ stage, update }) => !leftOut(by, stage) && (stage >= (by === owner ? 3 : 1) || waiting(by, stage, update)));
    const balances = { ...this.start.balances };
    let { rate } = this.start;
    const htlcs: Offered[] = [...this.start.htlcs];
    const chosen = { mine: inside("mine"), theirs: inside("theirs") };
    for (const by of ["mine", "theirs"] as const) {
      for (const { update } of chosen[by]) {
        if (update.kind === "pay") {
          balances[by] -= update.amount;
          balances[flip(by)] += update.amount;
        } else if (update.kind === "add") {
          balances[by] -= update.amount;
          htlcs.push({ by, id: update.id, amount: update.amount, hash: update.hash, expiry: update.expiry });
        } else if (update.kind === "fee") {
          rate = update.rate;
        }
      }
    }
    for (const by of ["mine", "theirs"] as const) {
      for (const { update } of chosen[by]) {
        if (update.kind !== "fulfill" && update.kind !== "fail") continue;
        const at = htlcs.findIndex((htlc) => htlc.by === flip(by) && htlc.id === update.id);
        const [ended] = htlcs.splice(at, 1);
        if (at === -1 || ended === undefined) throw new Error(`reference: ${by} ends HTLC ${update.id}, which is not there`);
        balances[update.kind === "fulfill" ? by : flip(by)] += ended.amount;
      }
    }
    return { rate, balances, htlcs };
  }

  /** The commitment with everything on its way in it. */
  eventual(owner: By): Sum {
    return this.sum(owner, () => true);
  }

  /** The same at its worst for one side: what the other side's changes bring it counts only where it has arrived. */
  worst(owner: By, side: By): Sum {
    return this.sum(owner, (by, _, { kind }) => by === side || kind === "add" || kind === "fee");
  }

  /** HTLCs that `remover` may end: offered to it, irrevocable, and not being ended. */
  removable(remover: By): readonly Offered[] {
    const by = flip(remover);
    return this.entries[by].flatMap(({ update, stage }) =>
      update.kind === "add" && stage === 4 && !this.isEnding(remover, update.id) ? [{ by, ...update }] : [],
    );
  }

  /** HTLCs that one side offered and that may not be ended yet. */
  tooEarly(by: By): readonly bigint[] {
    return this.entries[by].flatMap(({ update, stage }) => (update.kind === "add" && stage < 4 ? [update.id] : []));
  }

  /** HTLCs that one side is ending, and that stand in a commitment still. */
  ending(by: By): readonly bigint[] {
    return this.entries[by].flatMap(({ update, stage }) => ((update.kind === "fulfill" || update.kind === "fail") && stage < 4 ? [update.id] : []));
  }

  private isEnding(by: By, id: bigint): boolean {
    return this.entries[by].some(({ update }) => (update.kind === "fulfill" || update.kind === "fail") && update.id === id);
  }

  /** Whether something is new for one side's next commitment. */
  hasNews(owner: By): boolean {
    return this.entries[owner].some(({ stage }) => stage === 2) || this.entries[flip(owner)].some(({ stage }) => stage === 0);
  }

  /** Whether a signature is due: something is new for the other side's commitment, and that has no unrevoked one beyond its last. */
  get maySign(): boolean {
    return this.hasNews("theirs") && this.count.signed === this.count.revocationsTaken;
  }

  get mayRevoke(): boolean {
    return this.count.verified > this.count.revoked;
  }
}

function move(entries: readonly Entry[], from: number, to: number): void {
  for (const entry of entries) if (entry.stage === from) entry.stage = to;
}

/** A spec of the program's and a sum of this one's in the same words. */
export function wordsOfSpec({ feeratePerKw, balances, htlcs }: CommitmentSpec): string {
  const lines = htlcs.map(
    ({ offeredBy, id, amountMsat, paymentHash, cltvExpiry }) => `${offeredBy} ${id} ${amountMsat} ${toHex(paymentHash)} ${cltvExpiry}`,
  );
  return [`rate ${feeratePerKw} local ${balances.local} remote ${balances.remote}`, ...lines.sort()].join("\n");
}

export function wordsOfSum({ rate, balances, htlcs }: Sum): string {
  const lines = htlcs.map(({ by, id, amount, hash, expiry }) => `${by === "mine" ? "local" : "remote"} ${id} ${amount} ${hash} ${expiry}`);
  return [`rate ${rate} local ${balances.mine} remote ${balances.theirs}`, ...lines.sort()].join("\n");
}
