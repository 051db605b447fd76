import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type ScriptPubkey, type Txid, displayTxid, equalBytes, txid } from "../../bytes.js";
import { LnError } from "../../errors.js";
import type { PartyKeys } from "../../keys/party-keys.js";
import { penaltyNeedsRealChannel } from "../../policy/leave.js";
import type { Commitment } from "../../tx/commitment-tx.js";
import { type HtlcTx, buildHtlcTxs } from "../../tx/htlc-tx.js";
import { type Claim, type Fee, spendClaims } from "../../tx/spend.js";
import type { FeeratePerKw, Satoshi } from "../../units.js";
import type { Identity } from "../identify.js";
import { requireOwnKeys } from "../own-keys.js";
import { type FundedChannel } from "../state.js";
import { finishHtlcTx, penaltyOf, preimageOf } from "./leave.js";
import { type Sweepable, claimsOf, spendableFrom, sweepVersion } from "./sweep.js";

/** A transaction that was seen, and in which block; null for one that waits in a mempool. */
export interface Seen {
  readonly tx: Transaction;
  readonly confirmed: number | null;
}

/** A commitment that was published, with what has become of it so far. */
export interface Published extends Seen {
  readonly identity: Identity;
  /** Transactions that spend its outputs, or those of the HTLC transactions among them. */
  readonly spends: readonly Seen[];
}

/** One of our outputs on it. */
export interface Due {
  readonly txid: Txid;
  readonly outputIndex: number;
  readonly amount: Satoshi;
  readonly kind: "penalty" | "htlc_timeout" | "htlc_success" | Sweepable["kind"];
  /** The first block that may hold what takes it; null where that depends on a confirmation, or on a height, that is not known. */
  readonly from: number | null;
}

/** A signed transaction that takes what is ours; `fee` is null for an HTLC transaction, whose fee its channel has fixed. */
export interface Answer {
  readonly kind: "penalty" | "sweep" | "htlc_timeout" | "htlc_success";
  readonly takes: readonly Due[];
  readonly tx: Transaction;
  readonly fee: Fee | null;
}

export interface Answers {
  readonly answers: readonly Answer[];
  /** What waits for a later block. */
  readonly waiting: readonly Due[];
  /** What would cost more than it holds. */
  readonly uneconomical: readonly Due[];
  /** What a rule keeps back. */
  readonly refused: readonly { readonly due: Due; readonly error: LnError }[];
}

/** Where answers pay to, and how much for that. */
export interface Payout {
  readonly to: ScriptPubkey;
  readonly feerate: FeeratePerKw;
}

/** An output under one name. */
export function outpointName({ txid: id, outputIndex }: Pick<Due, "txid" | "outputIndex">): string {
  return `${displayTxid(id)}:${outputIndex}`;
}

/**
 * The transactions that a published commitment asks for now: a penalty on what is revoked, and on what the cheater's HTLC transactions have moved;
 * our HTLC transactions; sweeps of what the next block may give us. `height` is that of the chain, null where it is not known. What stands in
 * `answered` is taken already, and what a confirmed transaction has spent is gone.
 * Secrets in: the party's keys.
 * BOLT 5 §Revoked Transaction Close Handling, §Unilateral Close Handling: Local Commitment Transaction, §Unilateral Close Handling: Remote Commitment Transaction.
 * Throws: policy-vector-channel, key-mismatch, key-missing.
 */
export function answersTo(
  state: FundedChannel,
  keys: PartyKeys,
  published: Published,
  { height, answered }: { readonly height: number | null; readonly answered: ReadonlySet<string> },
  payout: Payout,
): Answers {
  penaltyNeedsRealChannel(state);
  requireOwnKeys(state, keys);
  const gone = confirmedSpends(published);
  const open = ({ txid: id, outputIndex }: Pick<Due, "txid" | "outputIndex">): boolean => {
    const name = outpointName({ txid: id, outputIndex });
    return !gone.has(name) && !answered.has(name);
  };
  const now = (from: number | null): boolean => from === 0 || (from !== null && height !== null && from <= height + 1);

  const answers: Answer[] = [];
  const waiting: Due[] = [];
  const uneconomical: Due[] = [];
  const refused: { readonly due: Due; readonly error: LnError }[] = [];
  const take = (kind: "penalty" | "sweep", claims: readonly Claim[], takes: readonly Due[], version: 2 | 3): void => {
    if (claims.length === 0) return;
    try {
      const { tx, ...fee } = spendClaims(claims, keys, payout.to, payout.feerate, version);
      answers.push({ kind, takes, tx, fee });
    } catch (error) {
      if (!(error instanceof LnError) || error.code !== "tx-output-dust") throw error;
      uneconomical.push(...takes);
    }
  };

  const penalty = revocable(state, published);
  const claims = penalty.claims.filter(open);
  take(
    "penalty",
    claims,
    claims.map((claim) => ({ ...outputOf(claim), kind: "penalty", from: 0 })),
    penalty.version,
  );

  for (const { htlcTx, from } of ownHtlcTxs(state, published)) {
    const { txid: id } = htlcTx.commitment;
    const due: Due = { txid: id, outputIndex: htlcTx.outputIndex, amount: htlcTx.output.amount, kind: htlcTx.kind, from };
    if (!open(due)) continue;
    if (!now(from)) {
      waiting.push(due);
      continue;
    }
    try {
      answers.push({ kind: htlcTx.kind, takes: [due], tx: finishHtlcTx(state, keys, htlcTx.outputIndex, null, height).tx, fee: null });
    } catch (error) {
      if (!(error instanceof LnError)) throw error;
      refused.push({ due, error });
    }
  }

  const heights = new Map([published, ...published.spends].map(({ tx, confirmed }) => [tx.getId(), confirmed]));
  // Anchors are for whoever must pay for a confirmation, and worth less than a watcher's care
  const ours = claimsOf(state, published.identity, htlcTxsAmong(published)).filter(({ claim, kind }) => !kind.startsWith("anchor") && open(claim));
  const timed = ours.map((one) => ({ one, from: spendableFrom(one, { height, confirmed: heights.get(displayTxid(one.claim.txid)) ?? null }) }));
  const dueOf = ({ one, from }: (typeof timed)[number]): Due => ({ ...outputOf(one.claim), kind: one.kind, from });
  const ripe = timed.filter(({ from }) => now(from));
  waiting.push(...timed.filter(({ from }) => !now(from)).map(dueOf));
  take(
    "sweep",
    ripe.map(({ one }) => one.claim),
    ripe.map(dueOf),
    sweepVersion(state),
  );
  return { answers, waiting, uneconomical, refused };
}

function outputOf({ txid: id, outputIndex, amount }: Claim): Pick<Due, "txid" | "outputIndex" | "amount"> {
  return { txid: id, outputIndex, amount };
}

/** The outputs that confirmed transactions have spent. */
function confirmedSpends({ spends }: Published): ReadonlySet<string> {
  const confirmed = spends.filter((seen) => seen.confirmed !== null);
  return new Set(confirmed.flatMap(({ tx }) => tx.ins.map(({ hash, index }) => outpointName({ txid: txid(hash), outputIndex: index }))));
}

/** What the revocation key takes: outputs of the commitment, and what the cheater's HTLC transactions have made of them, confirmed or not. */
function revocable(state: FundedChannel, { identity, spends }: Published): { readonly claims: readonly Claim[]; readonly version: 2 | 3 } {
  if (identity.kind !== "revoked") return { claims: [], version: 2 };
  const penalty = (secondStage: readonly Transaction[]) => {
    try {
      return penaltyOf(state, identity, secondStage);
    } catch (error) {
      if (error instanceof LnError && error.code === "state-nothing-to-punish") return { claims: [], version: 2 as const };
      throw error;
    }
  };
  const secondStage = spends.map(({ tx }) => tx).filter((tx) => paysTo(tx, identity.txid, identity.secondStageLock.scriptPubkey));
  const direct = penalty([]);
  const moved = secondStage.length === 0 ? [] : penalty(secondStage).claims.filter((claim) => !equalBytes(claim.txid, identity.txid));
  return { claims: [...direct.claims, ...moved], version: direct.version };
}

/** Whether a transaction moves an output of the commitment to the delayed script beside it, as HTLC transactions do. */
function paysTo(tx: Transaction, commitmentTxid: Txid, script: ScriptPubkey): boolean {
  return tx.ins.some(({ hash }, at) => {
    const output = tx.outs[at];
    return equalBytes(hash, commitmentTxid) && output !== undefined && equalBytes(output.script, script);
  });
}

/** The commitment of ours that was published, where it is that. */
function ownCommitment({ identity }: Published): Commitment | null {
  return identity.kind === "held" && identity.owner === "local" ? identity.commitment : null;
}

/** Our HTLC transactions among what spends our commitment. */
function htlcTxsAmong(published: Published): readonly Transaction[] {
  const commitment = ownCommitment(published);
  const [first] = commitment === null ? [] : buildHtlcTxs(commitment);
  if (commitment === null || first === undefined) return [];
  return published.spends.map(({ tx }) => tx).filter((tx) => paysTo(tx, commitment.txid, first.lock.scriptPubkey));
}

/** Those of our HTLC transactions that can be finished: every timeout, and the successes whose preimage is known. */
function ownHtlcTxs(state: FundedChannel, published: Published): readonly { readonly htlcTx: HtlcTx; readonly from: number | null }[] {
  const commitment = ownCommitment(published);
  if (commitment === null || commitment.number !== state.fundings[0].local.current?.number) return [];
  const { oneBlockDelay } = commitment.terms.format;
  return buildHtlcTxs(commitment).flatMap((htlcTx) => {
    const { htlc } = htlcTx.output;
    const timeout = htlcTx.kind === "htlc_timeout";
    if (!timeout && preimageOf(state, htlc.paymentHash) === null) return [];
    const fromHeight = timeout ? htlc.cltvExpiry + 1 : 0;
    if (oneBlockDelay === 0) return [{ htlcTx, from: fromHeight }];
    return [{ htlcTx, from: published.confirmed === null ? null : Math.max(fromHeight, published.confirmed + oneBlockDelay) }];
  });
}

/** Whether it is one of the commitment's HTLC transactions, ours or the peer's: only what these pay to is followed further. */
export function isHtlcTxOf(identity: Identity, tx: Transaction): boolean {
  switch (identity.kind) {
    case "revoked":
      return paysTo(tx, identity.txid, identity.secondStageLock.scriptPubkey);
    case "held": {
      const [first] = buildHtlcTxs(identity.commitment);
      return first !== undefined && paysTo(tx, identity.commitment.txid, first.lock.scriptPubkey);
    }
    default:
      return false;
  }
}
