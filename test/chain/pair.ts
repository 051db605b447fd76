import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, type Txid, bytes32 } from "../../src/protocol/bytes.js";
import type { Received, Sent } from "../../src/protocol/channel/message-log.js";
import { FEATURES, type Feature } from "../../src/protocol/channel/params.js";
import { type ChannelState, type FundedChannel, isFunded, requireFunded } from "../../src/protocol/channel/state.js";
import { type Proposal, propose, receiveChange } from "../../src/protocol/channel/transitions/changes.js";
import { close } from "../../src/protocol/channel/transitions/close.js";
import type { CloseWish } from "../../src/protocol/channel/transitions/close-wish.js";
import { receiveOfClose } from "../../src/protocol/channel/transitions/receive-close.js";
import { receiveCommitmentSigned, sign } from "../../src/protocol/channel/transitions/commit.js";
import { type OwnTerms, acceptChannel, openChannel, receiveAcceptChannel } from "../../src/protocol/channel/transitions/opening.js";
import {
  channelReady,
  createFunding,
  receiveChannelReady,
  receiveFundingSigned,
  releaseFunding,
  signFunding,
} from "../../src/protocol/channel/transitions/funding.js";
import type { Outcome, RevokedHtlcs } from "../../src/protocol/channel/transitions/outcome.js";
import { makeRevocation, receiveRevocation } from "../../src/protocol/channel/transitions/revoke.js";
import type { PartyKeys } from "../../src/protocol/keys/party-keys.js";
import type { ChannelType } from "../../src/protocol/tx/channel-type.js";
import { FORMATS } from "../../src/protocol/tx/format.js";
import { msat, perKw, sat, toMsat } from "../../src/protocol/units.js";
import { encodeMessage } from "../../src/protocol/wire/messages.js";
import { partyOf } from "../protocol/channels.js";

export type Who = "alice" | "bob";
export const BOTH: readonly Who[] = ["alice", "bob"];
export const other = (who: Who): Who => (who === "alice" ? "bob" : "alice");

export const KEYS: Readonly<Record<Who, PartyKeys>> = { alice: partyOf("alice"), bob: partyOf("bob") };

/** One party, in memory: its state, and what it keeps of the peer's revoked commitments. */
export interface Party {
  readonly state: FundedChannel;
  readonly revoked: readonly RevokedHtlcs[];
}

/** Both, and the message under way between them. Nothing is ever changed: every step gives a new pair, and old ones can still cheat. */
export interface Pair {
  readonly alice: Party;
  readonly bob: Party;
  readonly mail: Sent | null;
}

export interface ChannelPlan {
  /** All that there are, unless given. */
  readonly features?: readonly Feature[];
  readonly type: ChannelType;
  readonly feerate: bigint;
  readonly fundingSat: bigint;
  readonly pushSat: bigint;
  /** What each imposes on the other, in blocks. */
  readonly delays: Readonly<Record<Who, number>>;
}

function received({ message, seq }: Sent): Received {
  return { message, wire: encodeMessage(message), seq };
}

function sent({ sent: message }: Outcome): Received {
  if (message === null) throw new Error("no message was sent");
  return received(message);
}

function unfunded(state: ChannelState) {
  if (isFunded(state)) throw new Error("funded already");
  return state;
}

/** Alice opens a channel to Bob on a funding output that is there already, or will be. */
export function open(plan: ChannelPlan, outpoint: { readonly txid: Txid; readonly outputIndex: number }): Pair {
  const fundingSatoshis = sat(plan.fundingSat);
  const feeratePerKw = perKw(plan.feerate);
  const termsOf = (who: Who): OwnTerms => ({
    dustLimitSatoshis: sat(354n),
    maxHtlcValueInFlightMsat: toMsat(fundingSatoshis),
    channelReserveSatoshis: sat(fundingSatoshis / 100n),
    htlcMinimumMsat: msat(1n),
    toSelfDelay: plan.delays[who],
    maxAcceptedHtlcs: FORMATS[plan.type].maxAcceptedHtlcs,
    upfrontShutdownScript: null,
  });
  const limits = {
    minFeeratePerKw: feeratePerKw,
    maxFeeratePerKw: perKw(100_000n),
    maxToSelfDelay: 2016,
    maxDustLimitSatoshis: sat(10_000n),
    maxDustHtlcExposureMsat: msat(50_000_000n),
  };
  const common = { chain: "regtest", limits } as const;
  const proposed = openChannel(KEYS.alice, {
    ...common,
    party: "alice",
    channelType: plan.type,
    fundingSatoshis,
    pushMsat: toMsat(sat(plan.pushSat)),
    feeratePerKw,
    terms: termsOf("alice"),
    payExtension: true,
    features: plan.features ?? FEATURES,
  });
  const accepted = acceptChannel(KEYS.bob, sent(proposed), {
    ...common,
    party: "bob",
    terms: termsOf("bob"),
    minimumDepth: 1,
    allowPay: true,
    features: FEATURES,
  });
  const taken = receiveAcceptChannel(proposed.state, sent(accepted));
  const created = createFunding(unfunded(taken.state), KEYS.alice, outpoint, null);
  const signed = signFunding(accepted.state, KEYS.bob, sent(created));
  const verified = receiveFundingSigned(created.state, sent(signed));
  releaseFunding(requireFunded(verified.state));
  const readyAlice = channelReady(requireFunded(verified.state));
  const readyBob = channelReady(requireFunded(signed.state));
  return {
    alice: { state: requireFunded(receiveChannelReady(readyAlice.state, sent(readyBob)).state), revoked: [] },
    bob: { state: requireFunded(receiveChannelReady(readyBob.state, sent(readyAlice)).state), revoked: [] },
    mail: null,
  };
}

/** A step in which one party acts, and may send or take in a message. */
export interface Step {
  readonly name: string;
  readonly act: (pair: Pair) => Pair;
}

function acting(pair: Pair, who: Who, outcome: Outcome): Pair {
  const { revoked } = pair[who];
  const party = { state: requireFunded(outcome.state), revoked: outcome.revoked === null ? revoked : [...revoked, outcome.revoked] };
  return { ...pair, [who]: party, mail: outcome.sent };
}

function sending(name: string, who: Who, transition: (state: FundedChannel, keys: PartyKeys) => Outcome): Step {
  return { name: `${who} ${name}`, act: (pair) => acting(pair, who, transition(pair[who].state, KEYS[who])) };
}

function taking(name: string, who: Who, transition: (state: FundedChannel, received: Received) => Outcome): Step {
  return {
    name: `${who} ${name}`,
    act: (pair) => {
      if (pair.mail === null) throw new Error("no message is under way");
      return acting(pair, who, transition(pair[who].state, received(pair.mail)));
    },
  };
}

/** What makes proposals irrevocable, when `first` signs first. BOLT 2 §Normal Operation. */
export function round(first: Who): readonly Step[] {
  return [first, other(first)].flatMap((signer) => {
    const verifier = other(signer);
    return [
      sending("signs", signer, sign),
      taking("verifies", verifier, receiveCommitmentSigned),
      sending("revokes", verifier, makeRevocation),
      taking("takes the revocation", signer, receiveRevocation),
    ];
  });
}

export function pay(payer: Who, amountSat: bigint): readonly Step[] {
  return [
    sending("proposes to pay", payer, (state) => propose(state, { kind: "pay", amountMsat: toMsat(sat(amountSat)) })),
    taking("hears of it", other(payer), receiveChange),
  ];
}

/** A message of a mutual close, and its way. */
export function closing(who: Who, wish: CloseWish = {}): readonly Step[] {
  return [
    sending("closes", who, (state, keys) => close(state, keys, wish)),
    taking("hears of it", other(who), (state, message) => receiveOfClose(state, message)),
  ];
}

/** A payment that depends on a preimage. */
export interface Conditional {
  readonly by: Who;
  readonly amountSat: bigint;
  readonly preimage: Bytes32;
  readonly cltvExpiry: number;
}

/** An HTLC with an onion of zeros, which nobody here reads. */
export function offer({ by, amountSat, preimage, cltvExpiry }: Conditional): readonly Step[] {
  const proposal: Proposal = {
    kind: "add_htlc",
    amountMsat: toMsat(sat(amountSat)),
    paymentHash: bytes32(sha256(preimage)),
    cltvExpiry,
    onionRoutingPacket: new Uint8Array(ONION_BYTES),
  };
  return [sending("offers an HTLC", by, (state) => propose(state, proposal)), taking("hears of it", other(by), receiveChange)];
}

/** BOLT 2 §Adding an HTLC: `update_add_htlc`. */
const ONION_BYTES = 1366;

/** The pair after each of the steps, the one before them first. */
export function stages(start: Pair, steps: readonly Step[]): readonly { readonly name: string; readonly pair: Pair }[] {
  const reached = [{ name: "at the start", pair: start }];
  for (const { name, act } of steps) reached.push({ name, pair: act(reached.at(-1)!.pair) });
  return reached;
}

export function after(start: Pair, steps: readonly Step[]): Pair {
  return stages(start, steps).at(-1)!.pair;
}
