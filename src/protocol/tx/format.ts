import { type Bytes32, type Point, equalBytes } from "../bytes.js";
import { featureField } from "../features.js";
import type { CommitmentKeys } from "../keys/commitment-keys.js";
import { type Lock, P2A, p2wpkh, p2wsh } from "../script/assemble.js";
import { anchorScript } from "../script/anchor.js";
import { fundingScript, fundingTaproot } from "../script/funding.js";
import { offeredHtlcScript, receivedHtlcScript } from "../script/htlc.js";
import { p2tr } from "../script/taproot.js";
import {
  anchorTaproot,
  delayedTaproot,
  offeredHtlcTaproot,
  receivedHtlcTaproot,
  toLocalTaproot,
  toRemoteTaproot,
} from "../script/taproot-outputs.js";
import { toLocalScript } from "../script/to-local.js";
import { toRemoteAnchorsScript } from "../script/to-remote.js";
import { type Satoshi, type Weight, sat, smaller, weight } from "../units.js";
import { CHANNEL_TYPES, type ChannelType, type TaprootType } from "./channel-type.js";

/** BIP 143: a signature over everything. */
export const SIGHASH_ALL = 0x01;
/** BIP 143: a signature over its own input and the output beside it, so that others can be added to pay the fee. */
export const SIGHASH_SINGLE_ANYONECANPAY = 0x83;

/** An anchor that a format adds to a commitment. */
export interface AnchorOutput {
  readonly kind: "to_local_anchor" | "to_remote_anchor" | "shared_anchor";
  readonly amount: Satoshi;
  readonly lock: Lock;
}

/** What an anchor's presence depends on. BOLT 3 §Commitment Transaction Construction. */
export interface AnchorConditions {
  readonly toLocal: boolean;
  readonly toRemote: boolean;
  readonly untrimmedHtlcs: boolean;
  /** What the funding output holds beyond the other outputs. */
  readonly left: Satoshi;
}

/** Everything in which one kind of channel differs from another. */
export interface CommitmentFormat {
  readonly channelType: ChannelType | TaprootType;
  /** The bits of the channel_type that the two agree on. BOLT 2 §Defined Channel Types. */
  readonly featureBits: readonly number[];
  readonly txVersion: 2 | 3;
  /** How commitments and HTLC transactions are signed: by ECDSA in witness v0, or in taproot by both as one (BIP 327) and by BIP 340. */
  readonly signing: "ecdsa" | "taproot";
  /** Fee weight of a commitment without HTLCs. BOLT 3 §Expected Weight of the Commitment Transaction. */
  readonly commitmentWeight: Weight;
  /** Fee weight of each untrimmed HTLC. BOLT 3 §Expected Weight of the Commitment Transaction. */
  readonly htlcOutputWeight: Weight;
  /** Weight by which HTLC transactions pay; 0 where they pay nothing. BOLT 3 §Fee Calculation. */
  readonly htlcTimeoutFeeWeight: Weight;
  readonly htlcSuccessFeeWeight: Weight;
  /** Whether a feerate is agreed on, by which the opener pays for commitments. Where not, feerate_per_kw is 0 for ever, and a child pays. */
  readonly hasFeerate: boolean;
  /** What the opener pays for anchors, whether both are made or one. BOLT 3 §Fee Payment. */
  readonly anchorsCost: Satoshi;
  /** nSequence of an HTLC transaction's input, and of the countersigner's spends of HTLC outputs and to_remote. */
  readonly oneBlockDelay: 0 | 1;
  /** How the countersigner signs the owner's HTLC transactions. */
  readonly htlcSighash: typeof SIGHASH_ALL | typeof SIGHASH_SINGLE_ANYONECANPAY;
  /** Whether remotepubkey is derived for each commitment. */
  readonly remotePubkeyRotates: boolean;
  /** Most HTLCs that one side may have accepted. BOLT 2 §The `open_channel` Message. */
  readonly maxAcceptedHtlcs: number;
  funding(a: Point<"funding">, b: Point<"funding">): Lock;
  toLocal(keys: CommitmentKeys, toSelfDelay: number): Lock;
  /** What HTLC transactions pay to. */
  secondStage(keys: CommitmentKeys, toSelfDelay: number): Lock;
  toRemote(keys: CommitmentKeys): Lock;
  offeredHtlc(keys: CommitmentKeys, paymentHash: Bytes32): Lock;
  receivedHtlc(keys: CommitmentKeys, paymentHash: Bytes32, cltvExpiry: number): Lock;
  anchors(keys: CommitmentKeys, conditions: AnchorConditions): readonly AnchorOutput[];
}

/** Each anchor's amount. BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors). */
const ANCHOR_AMOUNT = sat(330n);

/** A commitment's fee weight: 500 + 224 of witness. BOLT 3 §Expected Weight of the Commitment Transaction. */
const COMMITMENT_WEIGHT = weight(724n);
/** The same with two anchors: 900 + 224. BOLT 3 §Expected Weight of the Commitment Transaction. */
const COMMITMENT_WEIGHT_ANCHORS = weight(1124n);
const HTLC_OUTPUT_WEIGHT = weight(172n);

/** The most that a shared anchor holds, which is P2A's dust threshold: option_zero_fee_commitments, lightning/bolts pull request 1228. */
const SHARED_ANCHOR_AMOUNT = sat(240n);
/** The same with both main outputs and a shared anchor: 552 + 221 of witness, its signatures of 72 and 71 bytes. lightning/bolts pull request 1228. */
const COMMITMENT_WEIGHT_SHARED_ANCHOR = weight(773n);

const toLocalP2wsh = (keys: CommitmentKeys, toSelfDelay: number): Lock =>
  p2wsh(toLocalScript(keys.revocationPubkey, keys.ownerDelayedPubkey, toSelfDelay));

/** One anchor beside each main output, and both beside an HTLC. BOLT 3 §Commitment Transaction Construction. */
function anchorsOf({ toLocal, toRemote, untrimmedHtlcs }: AnchorConditions, local: Lock, remote: Lock): readonly AnchorOutput[] {
  const made: AnchorOutput[] = [];
  if (toLocal || untrimmedHtlcs) made.push({ kind: "to_local_anchor", amount: ANCHOR_AMOUNT, lock: local });
  if (toRemote || untrimmedHtlcs) made.push({ kind: "to_remote_anchor", amount: ANCHOR_AMOUNT, lock: remote });
  return made;
}

const P2WSH_SCRIPTS = {
  signing: "ecdsa",
  funding: (a, b) => p2wsh(fundingScript(a, b)),
  toLocal: toLocalP2wsh,
  secondStage: toLocalP2wsh,
} satisfies Partial<CommitmentFormat>;

const WITHOUT_ANCHORS = {
  ...P2WSH_SCRIPTS,
  txVersion: 2,
  commitmentWeight: COMMITMENT_WEIGHT,
  htlcOutputWeight: HTLC_OUTPUT_WEIGHT,
  hasFeerate: true,
  htlcTimeoutFeeWeight: weight(663n),
  htlcSuccessFeeWeight: weight(703n),
  anchorsCost: sat(0n),
  oneBlockDelay: 0,
  htlcSighash: SIGHASH_ALL,
  maxAcceptedHtlcs: 483,
  toRemote: (keys) => p2wpkh(keys.remotePubkey),
  offeredHtlc: (keys, paymentHash) => p2wsh(offeredHtlcScript(keys, paymentHash, false)),
  receivedHtlc: (keys, paymentHash, cltvExpiry) => p2wsh(receivedHtlcScript(keys, paymentHash, cltvExpiry, false)),
  anchors: () => [],
} satisfies Partial<CommitmentFormat>;

const WITH_ANCHORS = {
  ...P2WSH_SCRIPTS,
  txVersion: 2,
  commitmentWeight: COMMITMENT_WEIGHT_ANCHORS,
  htlcOutputWeight: HTLC_OUTPUT_WEIGHT,
  hasFeerate: true,
  anchorsCost: sat(2n * ANCHOR_AMOUNT),
  oneBlockDelay: 1,
  htlcSighash: SIGHASH_SINGLE_ANYONECANPAY,
  maxAcceptedHtlcs: 483,
  remotePubkeyRotates: false,
  toRemote: (keys) => p2wsh(toRemoteAnchorsScript(keys.remotePubkey)),
  offeredHtlc: (keys, paymentHash) => p2wsh(offeredHtlcScript(keys, paymentHash, true)),
  receivedHtlc: (keys, paymentHash, cltvExpiry) => p2wsh(receivedHtlcScript(keys, paymentHash, cltvExpiry, true)),
  anchors: (keys, conditions) =>
    anchorsOf(conditions, p2wsh(anchorScript(keys.ownerFundingPubkey)), p2wsh(anchorScript(keys.countersignerFundingPubkey))),
} satisfies Partial<CommitmentFormat>;

/**
 * option_zero_fee_commitments: every transaction is of version 3 and pays nothing by itself; one output that anyone may spend lets a child pay.
 * lightning/bolts pull request 1228.
 */
const ZERO_FEE = {
  ...WITHOUT_ANCHORS,
  txVersion: 3,
  commitmentWeight: COMMITMENT_WEIGHT_SHARED_ANCHOR,
  htlcTimeoutFeeWeight: weight(0n),
  htlcSuccessFeeWeight: weight(0n),
  hasFeerate: false,
  htlcSighash: SIGHASH_SINGLE_ANYONECANPAY,
  maxAcceptedHtlcs: 114,
  remotePubkeyRotates: false,
  // Always there: a child has nothing else to spend, and dust that is spent at once is relayed
  anchors: (_, { left }) => [{ kind: "shared_anchor", amount: smaller(left, SHARED_ANCHOR_AMOUNT), lock: P2A }],
} satisfies Partial<CommitmentFormat>;

/**
 * The weight that a fee is reckoned with, which is agreed on; the real one is 960. option_simple_taproot.
 */
const COMMITMENT_WEIGHT_TAPROOT = weight(968n);
/** With two main outputs: 4 × (4 version + 1 + 41 input + 1 + 43 to_local + 43 to_remote + 13 shared_anchor + 4 locktime) + 68 of witness. */
const COMMITMENT_WEIGHT_TAPROOT_SHARED_ANCHOR = weight(668n);

/** Funded by both keys as one; every output is opened by a key or by one of its scripts. option_simple_taproot. */
const SIMPLE_TAPROOT = {
  txVersion: 2,
  signing: "taproot",
  commitmentWeight: COMMITMENT_WEIGHT_TAPROOT,
  htlcOutputWeight: HTLC_OUTPUT_WEIGHT,
  hasFeerate: true,
  htlcTimeoutFeeWeight: weight(0n),
  htlcSuccessFeeWeight: weight(0n),
  anchorsCost: sat(2n * ANCHOR_AMOUNT),
  oneBlockDelay: 1,
  htlcSighash: SIGHASH_SINGLE_ANYONECANPAY,
  maxAcceptedHtlcs: 483,
  remotePubkeyRotates: false,
  funding: fundingTaproot,
  toLocal: toLocalTaproot,
  secondStage: delayedTaproot,
  toRemote: toRemoteTaproot,
  offeredHtlc: (keys, paymentHash) => offeredHtlcTaproot(keys, paymentHash, true),
  receivedHtlc: (keys, paymentHash, cltvExpiry) => receivedHtlcTaproot(keys, paymentHash, cltvExpiry, true),
  anchors: (keys, conditions) => anchorsOf(conditions, anchorTaproot(keys.ownerDelayedPubkey), anchorTaproot(keys.remotePubkey)),
} satisfies Partial<CommitmentFormat>;

/** The two together. A proposal: taproot_zero_fee_commitments, lightning/bolts pull request 1330. */
const TAPROOT_ZERO_FEE = {
  ...SIMPLE_TAPROOT,
  txVersion: 3,
  commitmentWeight: COMMITMENT_WEIGHT_TAPROOT_SHARED_ANCHOR,
  hasFeerate: false,
  anchorsCost: sat(0n),
  oneBlockDelay: 0,
  maxAcceptedHtlcs: ZERO_FEE.maxAcceptedHtlcs,
  toLocal: delayedTaproot,
  toRemote: (keys) => p2tr(keys.remotePubkey, []),
  offeredHtlc: (keys, paymentHash) => offeredHtlcTaproot(keys, paymentHash, false),
  receivedHtlc: (keys, paymentHash, cltvExpiry) => receivedHtlcTaproot(keys, paymentHash, cltvExpiry, false),
  anchors: ZERO_FEE.anchors,
} satisfies Partial<CommitmentFormat>;

/** One row a format. `legacy` and `anchor_outputs` have left BOLT 3 but not the chain. */
export const FORMATS: Readonly<Record<ChannelType | TaprootType, CommitmentFormat>> = {
  legacy: { channelType: "legacy", featureBits: [], ...WITHOUT_ANCHORS, remotePubkeyRotates: true },
  static_remotekey: { channelType: "static_remotekey", featureBits: [12], ...WITHOUT_ANCHORS, remotePubkeyRotates: false },
  anchor_outputs: {
    channelType: "anchor_outputs",
    featureBits: [12, 20],
    ...WITH_ANCHORS,
    htlcTimeoutFeeWeight: weight(666n),
    htlcSuccessFeeWeight: weight(706n),
  },
  anchors: { channelType: "anchors", featureBits: [12, 22], ...WITH_ANCHORS, htlcTimeoutFeeWeight: weight(0n), htlcSuccessFeeWeight: weight(0n) },
  zero_fee_commitments: { channelType: "zero_fee_commitments", featureBits: [40], ...ZERO_FEE },
  simple_taproot: { channelType: "simple_taproot", featureBits: [80], ...SIMPLE_TAPROOT },
  taproot_zero_fee_commitments: { channelType: "taproot_zero_fee_commitments", featureBits: [82], ...TAPROOT_ZERO_FEE },
};

/** The channel_type TLV's value: the format's bits as a feature field (BOLT 9), empty for `legacy`. BOLT 2 §Defined Channel Types. */
export function channelTypeFeatures(type: ChannelType): Uint8Array {
  return featureField(FORMATS[type].featureBits);
}

/** The format that a channel_type TLV names, or null where it is none of ours. */
export function channelTypeOf(features: Uint8Array): ChannelType | null {
  return CHANNEL_TYPES.find((type) => equalBytes(channelTypeFeatures(type), features)) ?? null;
}
