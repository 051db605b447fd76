import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, type ScriptPubkey, equalBytes, toHex } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { type PartyKeys, requireSecret } from "../../keys/party-keys.js";
import type { CommitmentNumber } from "../../keys/shachain.js";
import { broadcastOnlyNewest, broadcastOnlyVerified, neverBroadcastBehind } from "../../policy/interlocks.js";
import { preimageMustMatch } from "../../policy/htlcs.js";
import { htlcMustBeExpired, htlcTxOnlyAfterClose, penaltyNeedsRealChannel, punishOnlyRevoked } from "../../policy/leave.js";
import type { Commitment } from "../../tx/commitment-tx.js";
import { type HtlcTx, buildHtlcTx, buildHtlcTxs } from "../../tx/htlc-tx.js";
import { penaltyClaims, secondStagePenaltyClaims } from "../../tx/penalty-tx.js";
import { completeCommitment, completeHtlcTx, signCommitment, signHtlcTx } from "../../tx/sign.js";
import { type Claim, type Spend, spendClaims } from "../../tx/spend.js";
import type { FeeratePerKw } from "../../units.js";
import type { Identity } from "../identify.js";
import { requireOwnKeys } from "../own-keys.js";
import { selectCommitment } from "../select.js";
import { type ChannelState, type FundedChannel, type LocalCommit, requireFunded } from "../state.js";
import { commitmentTerms } from "../terms.js";

/** One of the owner's HTLC transactions, signed where all it needs is known. */
export interface ForceClosedHtlc {
  readonly htlcTx: HtlcTx;
  /** Null for an HTLC-success whose preimage is not known. */
  readonly tx: Transaction | null;
}

export interface ForceClose {
  readonly state: FundedChannel;
  readonly commitment: Commitment;
  readonly tx: Transaction;
  readonly htlcs: readonly ForceClosedHtlc[];
}

/**
 * Signs our newest commitment for broadcast, with its HTLC transactions. From then on its secret never leaves and the channel moves no more.
 * BOLT 5 §Failing a Channel. Throws: policy-broadcast-…, key-mismatch.
 */
export function forceClose(channel: ChannelState, keys: PartyKeys, number?: CommitmentNumber): ForceClose {
  const state = requireFunded(channel);
  neverBroadcastBehind(state);
  broadcastOnlyVerified(state);
  const [{ local }] = state.fundings;
  const { current } = local;
  if (current === null) throw new LnError("internal-no-local-commit", "verified without a commitment", {});
  broadcastOnlyNewest(state, number ?? current.number);
  requireOwnKeys(state, keys);

  const { commitment } = selectCommitment(state, "local", current.number);
  const ownerSignature = signCommitment(commitment, requireSecret(keys, "fundingPrivkey"));
  const htlcs = buildHtlcTxs(commitment).map((htlcTx, at): ForceClosedHtlc => {
    const countersignature = current.htlcSignatures[at];
    const preimage = htlcTx.kind === "htlc_success" ? preimageOf(state, htlcTx.output.htlc.paymentHash) : null;
    if (countersignature === undefined || (htlcTx.kind === "htlc_success" && preimage === null)) return { htlcTx, tx: null };
    const signature = signHtlcTx(htlcTx, "owner", requireSecret(keys, "htlcBasepointSecret"));
    return { htlcTx, tx: completeHtlcTx(htlcTx, signature, countersignature, preimage) };
  });
  return {
    state: { ...state, flags: { ...state.flags, forceClosed: current.number } },
    commitment,
    tx: completeCommitment(commitment, ownerSignature, current.signature),
    htlcs,
  };
}

/**
 * One HTLC transaction of our commitment that was signed for broadcast.
 * BOLT 5 §HTLC Output Handling: Local Commitment, Local Offers, §HTLC Output Handling: Local Commitment, Remote Offers.
 * Throws: policy-htlc-tx-before-close, policy-htlc-not-expired, policy-preimage-mismatch, state-preimage-unknown, tx-not-htlc-output, key-….
 */
export function finishHtlcTx(
  state: FundedChannel,
  keys: PartyKeys,
  outputIndex: number,
  given: Bytes32 | null,
  height: number | null,
): { readonly htlcTx: HtlcTx; readonly tx: Transaction } {
  const current = closedCommit(state);
  requireOwnKeys(state, keys);
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
  const signature = signHtlcTx(htlcTx, "owner", requireSecret(keys, "htlcBasepointSecret"));
  return { htlcTx, tx: completeHtlcTx(htlcTx, signature, countersignature, preimage) };
}

/** The commitment that force-close signed. */
function closedCommit(state: FundedChannel): LocalCommit {
  htlcTxOnlyAfterClose(state);
  const { current } = state.fundings[0].local;
  if (current === null) throw new LnError("internal-no-local-commit", "closed without a commitment", {});
  return current;
}

function preimageOf(state: FundedChannel, paymentHash: Bytes32): Bytes32 | null {
  return state.knownPreimages.find((preimage) => equalBytes(sha256(preimage), paymentHash)) ?? null;
}

/** Outputs that can be taken from a cheater, and the transaction version to do it with. */
interface Penalty {
  readonly claims: readonly Claim[];
  readonly version: 2 | 3;
}

/**
 * Everything revocable: the commitment's outputs, and instead of those that the cheater's HTLC transactions have spent, what these pay to.
 * BOLT 5 §Revoked Transaction Close Handling. Throws: policy-penalty-…, state-nothing-to-punish, state-second-stage-unrelated, key-mismatch.
 */
function penaltyOf(channel: ChannelState, keys: PartyKeys, identity: Identity, secondStage: readonly Transaction[]): Penalty {
  const state = requireFunded(channel);
  penaltyNeedsRealChannel(state);
  punishOnlyRevoked(identity);
  requireOwnKeys(state, keys);
  const { txid, secret, secondStageLock, number, outputs } = identity;
  const basepointSecret = requireSecret(keys, "revocationBasepointSecret");
  const moved = secondStage.flatMap((tx) => {
    const claims = secondStagePenaltyClaims(tx, txid, secondStageLock, basepointSecret, secret);
    if (claims.length > 0) return claims;
    throw new LnError("state-second-stage-unrelated", `transaction ${tx.getId()} is no HTLC transaction of the revoked commitment ${number}`, {
      txid: tx.getId(),
    });
  });
  const spent = secondStage.flatMap(({ ins }) => ins.filter(({ hash }) => equalBytes(hash, txid)).map(({ index }) => index));
  const direct = penaltyClaims(identity, basepointSecret, secret).filter(({ outputIndex }) => !spent.includes(outputIndex));
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
export function punish(
  channel: ChannelState,
  keys: PartyKeys,
  identity: Identity,
  to: ScriptPubkey,
  feerate: FeeratePerKw,
  secondStage: readonly Transaction[] = [],
): Spend {
  const { claims, version } = penaltyOf(channel, keys, identity, secondStage);
  return spendClaims(claims, to, feerate, version);
}

/** An output whose taking would cost more than it holds. */
export type Uneconomical = Pick<Claim, "txid" | "outputIndex" | "amount">;

/**
 * Takes everything in a transaction an output, so that no HTLC transaction of the cheater's can spoil the rest. BOLT 5 §Revoked Transaction Close Handling.
 * Throws: policy-penalty-…, state-nothing-to-punish.
 */
export function punishSeparately(
  channel: ChannelState,
  keys: PartyKeys,
  identity: Identity,
  to: ScriptPubkey,
  feerate: FeeratePerKw,
  secondStage: readonly Transaction[] = [],
): { readonly spends: readonly Spend[]; readonly uneconomical: readonly Uneconomical[] } {
  const { claims, version } = penaltyOf(channel, keys, identity, secondStage);
  const spends: Spend[] = [];
  const uneconomical: Uneconomical[] = [];
  for (const claim of claims) {
    try {
      spends.push(spendClaims([claim], to, feerate, version));
    } catch (error) {
      if (!(error instanceof LnError) || error.code !== "tx-output-dust") throw error;
      uneconomical.push(claim);
    }
  }
  return { spends, uneconomical };
}
