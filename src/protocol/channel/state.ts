import type { Bytes32, ScriptPubkey, Signature, Txid } from "../bytes.js";
import type { CommitmentNumber, Shachain } from "../keys/shachain.js";
import { LnError } from "../errors.js";
import { type Dual, type Side, opposite } from "../side.js";
import type { ChannelType } from "../tx/channel-type.js";
import type { ClosingOutputs, ClosingTerms } from "../tx/closing-terms.js";
import { type ChangeContent, type CommitmentSpec, reckon, reduce } from "../tx/spec.js";
import type { FeeratePerKw, MilliSatoshi, Satoshi } from "../units.js";
import type { Chain, Feature, Limits, NumberedPoint, PartyParams } from "./params.js";

/**
 * How far a change is, S being who proposed it and R the other. BOLT 2 §Normal Operation.
 * `proposed` pending on R · `signed` in R's commitment · `acked` R revoked the one before, pending on S ·
 * `countersigned` in S's commitment · `irrevocable` S revoked the one before.
 */
export const CHANGE_STAGES = ["proposed", "signed", "acked", "countersigned", "irrevocable"] as const;
export type ChangeStage = (typeof CHANGE_STAGES)[number];

export interface Change {
  readonly content: ChangeContent;
  readonly stage: ChangeStage;
}

/** Our own commitment with what makes it ours to broadcast. */
export interface LocalCommit {
  readonly number: CommitmentNumber;
  readonly spec: CommitmentSpec;
  readonly signature: Signature;
  /** One for each untrimmed HTLC, in output order. */
  readonly htlcSignatures: readonly Signature[];
}

/** A commitment of the peer's that we signed. */
export interface RemoteCommit extends NumberedPoint {
  readonly spec: CommitmentSpec;
}

/** One funding output and the commitments on it. A splice would add another beside it. */
export interface Funding {
  readonly txid: Txid;
  readonly outputIndex: number;
  readonly amount: Satoshi;
  /** `current` is the newest verified; `previous` the one before it until its secret is released. */
  readonly local: { readonly current: LocalCommit | null; readonly previous: LocalCommit | null };
  /** `current` is the newest unrevoked; `next` the one signed beyond it until the peer revokes. */
  readonly remote: { readonly current: RemoteCommit | null; readonly next: RemoteCommit | null };
}

/** A message that we sent; `wire` is null where it holds a secret and is made again from the keys. */
export interface OutboxEntry {
  readonly seq: number;
  readonly type: string;
  readonly wire: Uint8Array | null;
  readonly acked: boolean;
}

/** A change command's `--request-id` and the message that it got. */
export interface RequestRecord {
  readonly id: string;
  readonly seq: number;
  readonly wire: Uint8Array;
}

/** The two streams of messages, each numbered from 1. */
export interface MessageLog {
  readonly lastSent: number;
  readonly lastReceived: number;
  /** SHA256 of the newest received messages' wire bytes: what tells a repeat from a conflict. */
  readonly recentlyReceived: readonly { readonly seq: number; readonly hash: Bytes32 }[];
  readonly outbox: readonly OutboxEntry[];
  /** Which of the two we sent last, for the order of retransmission. BOLT 2 §Message Retransmission. */
  readonly lastReply: "commitment_signed" | "revoke_and_ack" | null;
  /** Our channel_reestablish is out and the peer's has not come: until then nothing else goes either way. BOLT 2 §Message Retransmission. */
  readonly reestablishing: boolean;
  readonly requests: readonly RequestRecord[];
}

export interface Flags {
  /** The peer proved that we have lost state: never broadcast. */
  readonly behind: boolean;
  /** The number of the own commitment that was signed for broadcast. */
  readonly forceClosed: CommitmentNumber | null;
  readonly shutdownSent: boolean;
  readonly shutdownReceived: boolean;
  readonly closingSigned: boolean;
}

export interface FeeRange {
  readonly minFeeSatoshis: Satoshi;
  readonly maxFeeSatoshis: Satoshi;
}

/** One side's closing_signed, or its closing_complete until that is answered. */
export interface ClosingOffer extends ClosingTerms {
  /** Of a closing_signed. */
  readonly feeRange: FeeRange | null;
  /** Its maker's, for each variant that the other may take up. */
  readonly signatures: Readonly<Partial<Record<ClosingOutputs, Signature>>>;
}

/** A closing transaction that both have signed: it may be in the chain at any time. */
export interface SignedClosing extends ClosingTerms {
  readonly outputs: ClosingOutputs;
  readonly signatures: Dual<Signature>;
}

/** A mutual close. BOLT 2 §Channel Close. */
export interface Closing {
  /** By who made them, of the present connection. */
  readonly offers: Dual<ClosingOffer | null>;
  /** Who made the newest closing_signed. */
  readonly lastOffer: Side | null;
  /** By who pays, the newest. */
  readonly signed: Dual<SignedClosing | null>;
}

export const NO_CLOSING: Closing = { offers: { local: null, remote: null }, lastOffer: null, signed: { local: null, remote: null } };

interface ChannelBase {
  /** The party's name, for file names and readers. */
  readonly party: string;
  /** A `vector` channel is a test case: its transactions are not for broadcast. */
  readonly purpose: "channel" | "vector";
  readonly chain: Chain;
  readonly channelType: ChannelType;
  readonly opener: Side;
  /** Whether both agreed to chankit's `pay`. */
  readonly payExtension: boolean;
  /** What both can do; before the accepter has answered, what was proposed. */
  readonly features: readonly Feature[];
  readonly temporaryChannelId: Bytes32;
  readonly fundingSatoshis: Satoshi;
  readonly pushMsat: MilliSatoshi;
  /** The feerate of the first commitments. */
  readonly feeratePerKw: FeeratePerKw;
  readonly limits: Limits;
  readonly ownPoints: readonly NumberedPoint[];
  readonly messages: MessageLog;
}

/** Before the funding output is known. */
export interface UnfundedChannel extends ChannelBase {
  readonly phase: "awaiting_accept_channel" | "awaiting_funding" | "awaiting_funding_created";
  readonly params: { readonly local: PartyParams; readonly remote: PartyParams | null };
  readonly minimumDepth: number | null;
  /** The peer's point 0. */
  readonly remoteFirstPoint: NumberedPoint | null;
}

/** From the funding output on. */
export interface FundedChannel extends ChannelBase {
  readonly phase: "awaiting_funding_signed" | "funded" | "open";
  readonly params: Dual<PartyParams>;
  readonly minimumDepth: number;
  readonly channelId: Bytes32;
  /** Whether each side's channel_ready was sent. */
  readonly channelReady: Dual<boolean>;
  readonly fundings: readonly [Funding];
  /** A transaction or PSBT that funds the channel, held until the peer's signature is stored. */
  readonly fundingPsbt: string | null;
  /** The peer's point for the number after its last signed one, where it has come. */
  readonly remoteNextPoint: NumberedPoint | null;
  readonly changes: Dual<readonly Change[]>;
  /** The commitments that a test case states outright, where no changes lead to them. */
  readonly staged: { readonly local: StagedCommit | null; readonly remote: StagedCommit | null };
  readonly nextIds: Dual<{ readonly htlc: bigint; readonly pay: bigint }>;
  readonly knownPreimages: readonly Bytes32[];
  readonly remoteSecrets: Shachain;
  readonly flags: Flags;
  /** What each side is to be paid to: what it named when opening, in its shutdown, or in its last closing_complete. */
  readonly shutdownScripts: Dual<ScriptPubkey | null>;
  readonly closing: Closing;
}

export interface StagedCommit {
  readonly number: CommitmentNumber;
  readonly spec: CommitmentSpec;
}

export type ChannelState = UnfundedChannel | FundedChannel;

export function isFunded(state: ChannelState): state is FundedChannel {
  return "fundings" in state;
}

/** Throws: state-not-funded. */
export function requireFunded(state: ChannelState): FundedChannel {
  if (!isFunded(state)) throw new LnError("state-not-funded", `the channel is ${state.phase}: it has no commitments yet`, { phase: state.phase });
  return state;
}

/** The stages of a change that put it into R's next commitment (first), and into S's (second). */
const NEW_TO_RECEIVER: ChangeStage = "proposed";
const NEW_TO_SENDER: ChangeStage = "acked";

/** The changes that `owner`'s next commitment takes up: the other side's new ones and its own that the other has acknowledged. BOLT 2 §Normal Operation. */
export function changesFor(state: FundedChannel, owner: Side): readonly { readonly by: Side; readonly content: ChangeContent }[] {
  const select = (by: Side) => {
    const stage = by === owner ? NEW_TO_SENDER : NEW_TO_RECEIVER;
    return state.changes[by].filter((change) => change.stage === stage).map(({ content }) => ({ by, content }));
  };
  return [...select(owner), ...select(opposite(owner))];
}

/** The newest spec of `owner`'s: of its newest commitment that the other side signed. Throws: state-no-commitment. */
export function newestSpec(state: FundedChannel, owner: Side): CommitmentSpec {
  const [{ local, remote }] = state.fundings;
  const commit = owner === "local" ? local.current : (remote.next ?? remote.current);
  if (commit === null) throw new LnError("state-no-commitment", `no commitment of the ${owner} side was signed yet`, { owner });
  return commit.spec;
}

/** What `owner`'s next commitment would say. Throws: state-balance-overdrawn, state-htlc-unknown. */
export function nextSpec(state: FundedChannel, owner: Side): CommitmentSpec {
  const staged = state.staged[owner];
  return staged === null ? reduce(newestSpec(state, owner), changesFor(state, owner)) : staged.spec;
}

/**
 * What `owner`'s commitment will say once every proposed change has reached it. Where some changes are left out, as not certain, a balance that others
 * were to be paid from may be below 0. Throws: state-htlc-unknown.
 */
export function eventualSpec(state: FundedChannel, owner: Side): CommitmentSpec {
  const missing = (by: Side): readonly ChangeStage[] => (by === owner ? ["proposed", "signed", "acked"] : ["proposed"]);
  const select = (by: Side) => state.changes[by].filter(({ stage }) => missing(by).includes(stage)).map(({ content }) => ({ by, content }));
  return reckon(newestSpec(state, owner), [...select(owner), ...select(opposite(owner))]);
}

/** Own commitments whose secrets are still ours alone: the lowest is the next to be revoked. */
export function lowestUnreleased(state: FundedChannel): CommitmentNumber {
  const { current, previous } = state.fundings[0].local;
  return (previous ?? current)?.number ?? state.staged.local?.number ?? 0;
}

/** The highest of the peer's numbers that we signed, or −1. */
export function highestSigned(state: FundedChannel): number {
  const { current, next } = state.fundings[0].remote;
  return (next ?? current)?.number ?? -1;
}

/** Our own point for one number, where the state holds it. Throws: state-point-unknown. */
export function ownPoint(state: ChannelState, number: CommitmentNumber): NumberedPoint {
  const found = state.ownPoints.find((held) => held.number === number);
  if (found === undefined) throw new LnError("state-point-unknown", `the state holds no own point for number ${number}`, { number });
  return found;
}

/** Whether `owner`'s next commitment would say anything new. */
export function hasNext(state: FundedChannel, owner: Side): boolean {
  return state.staged[owner] !== null || changesFor(state, owner).length > 0;
}

/** The number that `owner`'s next commitment has. */
export function nextNumber(state: FundedChannel, owner: Side): CommitmentNumber {
  const staged = state.staged[owner];
  if (staged !== null) return staged.number;
  return owner === "remote" ? highestSigned(state) + 1 : (state.fundings[0].local.current?.number ?? -1) + 1;
}

/** What every commitment says that could be published now, of either side. */
export function unrevokedSpecs(state: FundedChannel): readonly CommitmentSpec[] {
  const [{ local, remote }] = state.fundings;
  return [local.previous, local.current, remote.current, remote.next].flatMap((commit) => (commit === null ? [] : [commit.spec]));
}
