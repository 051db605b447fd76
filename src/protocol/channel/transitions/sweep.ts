import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, type ScriptPubkey, equalBytes } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { penaltyNeedsRealChannel, sweepOnlyMature } from "../../policy/leave.js";
import { FORMATS } from "../../tx/format.js";
import { buildHtlcTxs } from "../../tx/htlc-tx.js";
import { isHtlcOutput } from "../../tx/outputs.js";
import { isRevocable } from "../../tx/penalty-tx.js";
import type { RecognisedOutput } from "../../tx/recognise.js";
import { type Claim, type SpendPlan, claimWeight, planSpend } from "../../tx/spend.js";
import { type ConfirmedCommitment, anchorClaims, htlcTxClaim, remoteHtlcClaims, toLocalClaims, toRemoteClaims } from "../../tx/sweep-tx.js";
import { type FeeratePerKw, type Satoshi, feeAtLeast } from "../../units.js";
import type { Identity } from "../identify.js";
import { type ChannelState, type FundedChannel, requireFunded } from "../state.js";
import { commitmentTerms } from "../terms.js";

/** An output that is ours, and what it waits for. */
export interface Sweepable {
  readonly claim: Claim;
  readonly kind: "to_local" | "to_remote" | "htlc" | "htlc_tx_output" | "anchor" | "anchor_of_peer";
  /** Blocks on top of its own transaction's confirmation (BIP 68). */
  readonly afterBlocks: number;
  /** The first block after the expiry, for HTLCs that timed out: nLockTime 500 allows block 501. */
  readonly fromHeight: number;
}

/** Where the chain is, as far as the user says. */
export interface ChainView {
  readonly height: number | null;
  /** The block that confirmed the commitment, and in which our HTLC transactions are taken to be no earlier. */
  readonly confirmed: number | null;
}

/**
 * Everything that is ours on a confirmed commitment, ours or the peer's, and on our own HTLC transactions (`htlcTxs`).
 * BOLT 5 §Unilateral Close Handling: Local Commitment Transaction, §Unilateral Close Handling: Remote Commitment Transaction.
 * Throws: state-nothing-to-sweep, policy-vector-channel.
 */
export function sweepables(channel: ChannelState, identity: Identity, htlcTxs: readonly Transaction[]): readonly Sweepable[] {
  const state = requireFunded(channel);
  penaltyNeedsRealChannel(state);
  const found = claimsOf(state, identity, htlcTxs);
  if (found.length > 0) return found;
  throw new LnError("state-nothing-to-sweep", "the transaction has no output that is ours to sweep", { identity: identity.kind });
}

/** The version in which what a channel's transactions pay is spent. */
export function sweepVersion({ channelType }: FundedChannel): 2 | 3 {
  return FORMATS[channelType].txVersion;
}

/** The same without the questions, and maybe nothing. */
export function claimsOf(state: FundedChannel, identity: Identity, htlcTxs: readonly Transaction[]): readonly Sweepable[] {
  const own = state.params.local;
  const anchors = (commitment: ConfirmedCommitment, ours: "to_local_anchor" | "to_remote_anchor"): readonly Sweepable[] =>
    anchorClaims(commitment, own, ours).map((claim) => sweepable(claim, claim.signer === null ? "anchor_of_peer" : "anchor"));
  const ofPeer = (commitment: ConfirmedCommitment, withHtlcs: boolean): readonly Sweepable[] => {
    const { format } = commitmentTerms(state, "remote");
    const plain = toRemoteClaims(commitment, format, own);
    const htlcs = withHtlcs ? remoteHtlcClaims(commitment, format, own, (hash) => preimageOf(state, hash)) : [];
    return [
      ...plain.map((claim) => sweepable(claim, "to_remote")),
      ...htlcs.map((claim) => sweepable(claim, "htlc")),
      ...anchors(commitment, "to_remote_anchor"),
    ];
  };
  switch (identity.kind) {
    case "revoked":
      // Its HTLC outputs are the penalty's
      return ofPeer(identity, false);
    case "held": {
      const { commitment, owner } = identity;
      if (owner === "remote") return ofPeer(commitment, true);
      const direct = toLocalClaims(commitment, commitment.terms.toSelfDelay, own).map((claim) => sweepable(claim, "to_local"));
      const second = buildHtlcTxs(commitment).flatMap((htlcTx) =>
        htlcTxs.flatMap((tx) => {
          const at = tx.ins.findIndex(({ hash, index }) => equalBytes(hash, commitment.txid) && index === htlcTx.outputIndex);
          return at === -1 ? [] : [sweepable(htlcTxClaim(htlcTx, own, { txid: tx.getHash() as Claim["txid"], outputIndex: at }), "htlc_tx_output")];
        }),
      );
      return [...direct, ...second, ...anchors(commitment, "to_local_anchor")];
    }
    case "unknown":
      // The peer's, of which we know no more: it may be newer than our state
      return identity.plain === null ? [] : ofPeer(identity.plain, false);
    case "mutual":
    case "unrelated":
      return [];
  }
}

/** BIP 68: nSequence below 2^16 is a number of blocks; what is above asks for none. */
const MAX_BLOCKS = 0xffff;

function sweepable(claim: Claim, kind: Sweepable["kind"]): Sweepable {
  return {
    claim,
    kind,
    afterBlocks: claim.sequence <= MAX_BLOCKS ? claim.sequence : 0,
    fromHeight: claim.locktime === undefined ? 0 : claim.locktime + 1,
  };
}

function preimageOf(state: FundedChannel, paymentHash: Bytes32): Bytes32 | null {
  return state.knownPreimages.find((preimage) => equalBytes(sha256(preimage), paymentHash)) ?? null;
}

/** From which height on it can be in a block; null where that depends on a confirmation that is not known. */
export function spendableFrom({ afterBlocks, fromHeight }: Sweepable, { confirmed }: ChainView): number | null {
  if (afterBlocks === 0) return fromHeight;
  return confirmed === null ? null : Math.max(fromHeight, confirmed + afterBlocks);
}

/** An output that is to become ours, and what must be done first. */
export interface Waiting {
  readonly outputIndex: number;
  readonly kind: string;
  readonly amount: Satoshi;
  /** The preimage of an HTLC that the peer offered · our HTLC transaction, whose output is then swept · the penalty. */
  readonly waitsFor: "preimage" | "htlc_tx" | "penalty_tx";
}

/** What of a commitment is ours, or may be, but is not to be swept yet. BOLT 5 §Unilateral Close Handling: Local Commitment Transaction. */
export function waitingOutputs(identity: Identity, found: readonly Sweepable[], htlcTxs: readonly Transaction[]): readonly Waiting[] {
  if (identity.kind !== "held" && identity.kind !== "revoked") return [];
  const { txid, outputs } = identity.kind === "held" ? identity.commitment : identity;
  const waitsFor = identity.kind === "revoked" ? "penalty_tx" : identity.owner === "local" ? "htlc_tx" : "preimage";
  const taken = (index: number): boolean =>
    found.some(({ claim }) => claim.outputIndex === index && equalBytes(claim.txid, txid)) ||
    htlcTxs.some(({ ins }) => ins.some((input) => input.index === index && equalBytes(input.hash, txid)));
  return outputs.flatMap((output: RecognisedOutput, outputIndex): Waiting[] => {
    if (output === null || taken(outputIndex)) return [];
    const waits = identity.kind === "revoked" ? isRevocable(output) : isHtlcOutput(output);
    return waits ? [{ outputIndex, kind: output.kind, amount: output.amount, waitsFor }] : [];
  });
}

/**
 * One transaction that takes what can be taken: with a height only what the next block may hold, without one all of it. What costs more than it holds
 * is left. `version`: the channel's, since of an unconfirmed version 3 transaction only another is relayed (BIP 431). Anchors only where `anchors` says so, for a child may have spent them; the peer's only with a height, for all would wait for it.
 * Throws: state-nothing-to-sweep, policy-sweep-immature, tx-output-dust.
 */
export function planSweep(
  found: readonly Sweepable[],
  chain: ChainView,
  to: ScriptPubkey,
  feerate: FeeratePerKw,
  { version, anchors = false }: { readonly version: 2 | 3; readonly anchors?: boolean },
): { readonly taken: readonly Sweepable[]; readonly plan: SpendPlan } {
  const { height } = chain;
  const wanted = found.filter(({ kind }) => (kind === "anchor" ? anchors : kind !== "anchor_of_peer" || (anchors && height !== null)));
  if (wanted.length === 0) throw new LnError("state-nothing-to-sweep", "nothing is ours here but anchors", { anchors: found.length });
  const mature = height === null ? wanted : wanted.filter((one) => (spendableFrom(one, chain) ?? Infinity) <= height + 1);
  sweepOnlyMature(
    mature.length,
    height,
    wanted.map((one) => spendableFrom(one, chain)),
  );
  const paying = mature.filter(({ claim }) => claim.amount > feeAtLeast(feerate, claimWeight(claim)));
  const taken = paying.length === 0 ? mature : paying;
  return {
    taken,
    plan: planSpend(
      taken.map(({ claim }) => claim),
      to,
      feerate,
      version,
    ),
  };
}
