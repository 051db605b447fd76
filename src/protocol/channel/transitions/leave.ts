import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, type ScriptPubkey, equalBytes, toHex } from "../../bytes.js";
import { LnError } from "../../errors.js";
import type { PartyKeys } from "../../keys/party-keys.js";
import type { CommitmentNumber } from "../../keys/shachain.js";
import { broadcastOnlyNewest, broadcastOnlyVerified, neverBroadcastBehind } from "../../policy/interlocks.js";
import { preimageMustMatch } from "../../policy/htlcs.js";
import { htlcMustBeExpired, htlcTxOnlyAfterClose, penaltyNeedsRealChannel, punishOnlyRevoked } from "../../policy/leave.js";
import type { Commitment } from "../../tx/commitment-tx.js";
import { type HtlcTx, buildHtlcTx, buildHtlcTxs } from "../../tx/htlc-tx.js";
import { penaltyClaims, secondStagePenaltyClaims } from "../../tx/penalty-tx.js";
import { planCommitment, planHtlcTx } from "../../tx/owner-plan.js";
import { type TxPlan, signPlan } from "../../tx/plan.js";
import { type Claim, type Spend, type SpendPlan, planSpend, signSpend } from "../../tx/spend.js";
import type { FeeratePerKw } from "../../units.js";
import type { Identity } from "../identify.js";
import { requireOwnKeys } from "../own-keys.js";
import { selectCommitment } from "../select.js";
import { type ChannelState, type FundedChannel, type LocalCommit, requireFunded } from "../state.js";
import { commitmentTerms } from "../terms.js";

/** One of our HTLC transactions, planned where all but our signature is known. */
export interface PlannedHtlc {
  readonly htlcTx: HtlcTx;
  /** Null for an HTLC-success whose preimage is not known. */
  readonly plan: TxPlan | null;
}

/** One of the owner's HTLC transactions, signed where all it needs is known. */
export interface ForceClosedHtlc {
  readonly htlcTx: HtlcTx;
  /** Null for an HTLC-success whose preimage is not known. */
  readonly tx: Transaction | null;
}

/** Our newest commitment and its HTLC transactions, as they will be signed. */
export interface ForceClosePlan {
  readonly state: FundedChannel;
  readonly commitment: Commitment;
  readonly plan: TxPlan;
  readonly htlcs: readonly PlannedHtlc[];
}

export interface ForceClose {
  readonly state: FundedChannel;
  readonly commitment: Commitment;
  readonly tx: Transaction;
  readonly htlcs: readonly ForceClosedHtlc[];
}

/**
 * Our newest commitment for broadcast, with its HTLC transactions, in a state from which on its secret never leaves and the channel moves no more:
 * whoever gets the plan needs nothing of us but the signature. BOLT 5 §Failing a Channel. Throws: policy-broadcast-….
 */
export function planForceClose(channel: ChannelState, number?: CommitmentNumber): ForceClosePlan {
  const state = requireFunded(channel);
  neverBroadcastBehind(state);
  broadcastOnlyVerified(state);
  const [{ local }] = state.fundings;
  const { current } = local;
  if (current === null) throw new LnError("internal-no-local-commit", "verified without a commitment", {});
  broadcastOnlyNewest(state, number ?? current.number);

  const { commitment } = selectCommitment(state, "local", current.number);
  const htlcs = buildHtlcTxs(commitment).map((htlcTx, at): PlannedHtlc => {
    const countersignature = current.htlcSignatures[at];
    const preimage = htlcTx.kind === "htlc_success" ? preimageOf(state, htlcTx.output.htlc.paymentHash) : null;
    if (countersignature === undefined || (htlcTx.kind === "htlc_success" && preimage === null)) return { htlcTx, plan: null };
    return { htlcTx, plan: planHtlcTx(htlcTx, state.params.local, countersignature, preimage) };
  });
  return {
    state: { ...state, flags: { ...state.flags, forceClosed: current.number } },
    commitment,
    plan: planCommitment(commitment, current.signature),
    htlcs,
  };
}

/** Secret in: plans and signs. Throws: policy-broadcast-…, key-mismatch, key-missing. */
export function forceClose(channel: ChannelState, keys: PartyKeys, number?: CommitmentNumber): ForceClose {
  const { plan, htlcs, ...closed } = planForceClose(channel, number);
  requireOwnKeys(closed.state, keys);
  return {
    ...closed,
    tx: signPlan(plan, keys),
    htlcs: htlcs.map(({ htlcTx, plan: planned }) => ({ htlcTx, tx: planned === null ? null : signPlan(planned, keys) })),
  };
}

/**
 * One HTLC transaction of our commitment that was signed for broadcast.
 * BOLT 5 §HTLC Output Handling: Local Commitment, Local Offers, §HTLC Output Handling: Local Commitment, Remote Offers.
 * Throws: policy-htlc-tx-before-close, policy-htlc-not-expired, policy-preimage-mismatch, state-preimage-unknown, tx-not-htlc-output.
 */
export function planOwnHtlcTx(
  state: FundedChannel,
  outputIndex: number,
  given: Bytes32 | null,
  height: number | null,
): { readonly htlcTx: HtlcTx; readonly plan: TxPlan } {
  const { htlcTx, countersignature, preimage } = readyHtlc(state, outputIndex, given, height);
  return { htlcTx, plan: planHtlcTx(htlcTx, state.params.local, countersignature, preimage) };
}

/** Secret in: plans and signs. Throws: as planOwnHtlcTx, key-mismatch, key-missing. */
export function finishHtlcTx(
  state: FundedChannel,
  keys: PartyKeys,
  outputIndex: number,
  given: Bytes32 | null,
  height: number | null,
): { readonly htlcTx: HtlcTx; readonly tx: Transaction } {
  const { htlcTx, plan } = planOwnHtlcTx(state, outputIndex, given, height);
  requireOwnKeys(state, keys);
  return { htlcTx, tx: signPlan(plan, keys) };
}

/** An HTLC transaction of our closed commitment with all that it needs but our signature. Throws: as planOwnHtlcTx. */
export function readyHtlc(state: FundedChannel, outputIndex: number, given: Bytes32 | null, height: number | null) {
  const current = closedCommit(state);
  const { commitment } = selectCommitment(state, "local", current.number);
  const htlcTx = buildHtlcTx(commitment, outputIndex);
  const at = buildHtlcTxs(commitment).findIndex((candidate) => candidate.outputIndex === outputIndex);
  const countersignature = current.htlcSignatures[at];
  if (countersignature === undefined)
    throw new LnError("internal-no-local-commit", "an HTLC without the peer's signature", { output_index: outputIndex });
  const { htlc } = htlcTx.output;
  if (htlcTx.kind === "htlc_timeout") htlcMustBeExpired(htlc, height);
  else if (given !== null) preimageMustMatch(htlc, given);
  const preimage = htlcTx.kind === "htlc_timeout" ? null : (given ?? preimageOf(state, htlc.paymentHash));
  if (htlcTx.kind === "htlc_success" && preimage === null) {
    throw new LnError("state-preimage-unknown", `HTLC ${htlc.id} needs its preimage: --preimage`, {
      id: htlc.id.toString(),
      payment_hash: toHex(htlc.paymentHash),
    });
  }
  return { htlcTx, countersignature, preimage };
}

/** The commitment that force-close signed. */
function closedCommit(state: FundedChannel): LocalCommit {
  htlcTxOnlyAfterClose(state);
  const { current } = state.fundings[0].local;
  if (current === null) throw new LnError("internal-no-local-commit", "closed without a commitment", {});
  return current;
}

/** The preimage of a payment hash, where the channel has learned it. */
export function preimageOf(state: FundedChannel, paymentHash: Bytes32): Bytes32 | null {
  return state.knownPreimages.find((preimage) => equalBytes(sha256(preimage), paymentHash)) ?? null;
}

/** Outputs that can be taken from a cheater, and the transaction version to do it with. */
export interface Penalty {
  readonly claims: readonly Claim[];
  readonly version: 2 | 3;
}

/**
 * Everything revocable: the commitment's outputs, and instead of those that the cheater's HTLC transactions have spent, what these pay to.
 * BOLT 5 §Revoked Transaction Close Handling. Throws: policy-penalty-…, state-nothing-to-punish, state-second-stage-unrelated, key-mismatch.
 */
export function penaltyOf(channel: ChannelState, identity: Identity, secondStage: readonly Transaction[]): Penalty {
  const state = requireFunded(channel);
  penaltyNeedsRealChannel(state);
  punishOnlyRevoked(identity);
  const { txid, secret, secondStageLock, number, outputs } = identity;
  const own = state.params.local;
  const moved = secondStage.flatMap((tx) => {
    const claims = secondStagePenaltyClaims(tx, identity, secondStageLock, own, secret);
    if (claims.length > 0) return claims;
    throw new LnError("state-second-stage-unrelated", `transaction ${tx.getId()} is no HTLC transaction of the revoked commitment ${number}`, {
      txid: tx.getId(),
    });
  });
  const spent = secondStage.flatMap(({ ins }) => ins.filter(({ hash }) => equalBytes(hash, txid)).map(({ index }) => index));
  const direct = penaltyClaims(identity, own, secret).filter(({ outputIndex }) => !spent.includes(outputIndex));
  const claims = [...direct, ...moved];
  if (claims.length === 0) {
    const plain = outputs.flatMap((output, index) => (output?.kind === "to_remote" ? [index] : []));
    throw new LnError(
      "state-nothing-to-punish",
      `the peer's revoked commitment ${number} has no output of the peer's: nothing to punish; its to_remote is ours to sweep`,
      { number, to_remote_outputs: plain },
    );
  }
  return { claims, version: commitmentTerms(state, "remote").format.txVersion };
}

/** Takes everything in one transaction. BOLT 5 §Revoked Transaction Close Handling. Throws: policy-penalty-…, state-nothing-to-punish, tx-output-dust. */
export function planPunishment(
  channel: ChannelState,
  identity: Identity,
  to: ScriptPubkey,
  feerate: FeeratePerKw,
  secondStage: readonly Transaction[] = [],
): SpendPlan {
  const { claims, version } = penaltyOf(channel, identity, secondStage);
  return planSpend(claims, to, feerate, version);
}

/** Secret in: plans and signs. Throws: as planPunishment, key-mismatch, key-missing. */
export function punish(
  channel: ChannelState,
  keys: PartyKeys,
  identity: Identity,
  to: ScriptPubkey,
  feerate: FeeratePerKw,
  secondStage: readonly Transaction[] = [],
): Spend {
  const plan = planPunishment(channel, identity, to, feerate, secondStage);
  requireOwnKeys(channel, keys);
  return signSpend(plan, keys);
}

/** An output whose taking would cost more than it holds. */
export type Uneconomical = Pick<Claim, "txid" | "outputIndex" | "amount">;

/** A transaction for each output that is worth one. */
export interface SeparatePunishment<One> {
  readonly spends: readonly One[];
  readonly uneconomical: readonly Uneconomical[];
}

/**
 * Takes everything in a transaction an output, so that no HTLC transaction of the cheater's can spoil the rest. BOLT 5 §Revoked Transaction Close Handling.
 * Throws: policy-penalty-…, state-nothing-to-punish.
 */
export function planSeparatePunishment(
  channel: ChannelState,
  identity: Identity,
  to: ScriptPubkey,
  feerate: FeeratePerKw,
  secondStage: readonly Transaction[] = [],
): SeparatePunishment<SpendPlan> {
  const { claims, version } = penaltyOf(channel, identity, secondStage);
  const spends: SpendPlan[] = [];
  const uneconomical: Uneconomical[] = [];
  for (const claim of claims) {
    try {
      spends.push(planSpend([claim], to, feerate, version));
    } catch (error) {
      if (!(error instanceof LnError) || error.code !== "tx-output-dust") throw error;
      uneconomical.push(claim);
    }
  }
  return { spends, uneconomical };
}

/** Secret in: plans and signs. Throws: as planSeparatePunishment, key-mismatch, key-missing. */
export function punishSeparately(
  channel: ChannelState,
  keys: PartyKeys,
  identity: Identity,
  to: ScriptPubkey,
  feerate: FeeratePerKw,
  secondStage: readonly Transaction[] = [],
): SeparatePunishment<Spend> {
  const { spends, uneconomical } = planSeparatePunishment(channel, identity, to, feerate, secondStage);
  requireOwnKeys(channel, keys);
  return { spends: spends.map((plan) => signSpend(plan, keys)), uneconomical };
}
