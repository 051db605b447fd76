import { type Txid } from "../../src/protocol/bytes.js";
import type { Received, Sent } from "../../src/protocol/channel/message-log.js";
import { type FundedChannel, isFunded, requireFunded } from "../../src/protocol/channel/state.js";
import {
  channelReady,
  createFunding,
  receiveChannelReady,
  receiveFundingSigned,
  releaseFunding,
  signFunding,
} from "../../src/protocol/channel/transitions/funding.js";
import { type Proposal, propose, receiveChange } from "../../src/protocol/channel/transitions/changes.js";
import { receiveCommitmentSigned, sign } from "../../src/protocol/channel/transitions/commit.js";
import type { Outcome, RevokedHtlcs } from "../../src/protocol/channel/transitions/outcome.js";
import { makeRevocation, receiveRevocation } from "../../src/protocol/channel/transitions/revoke.js";
import type { Htlc } from "../../src/protocol/tx/spec.js";
import { type OwnTerms, acceptChannel, openChannel, receiveAcceptChannel } from "../../src/protocol/channel/transitions/opening.js";
import type { ChannelType } from "../../src/protocol/tx/channel-type.js";
import { msat, perKw, sat, toMsat } from "../../src/protocol/units.js";
import { decodeMessage, encodeMessage } from "../../src/protocol/wire/messages.js";
import { BOTH, KEYS, type Who, other } from "../chain/pair.js";

const FUNDING = new Uint8Array(32).fill(7) as Txid;

/** What one party demands and accepts. */
export interface PartyPlan {
  readonly dustLimitSat: bigint;
  readonly maxInFlightMsat: bigint;
  readonly reserveSat: bigint;
  readonly htlcMinimumMsat: bigint;
  readonly toSelfDelay: number;
  readonly maxAcceptedHtlcs: number;
  readonly maxDustExposureMsat: bigint;
}

export interface Plan {
  readonly type: ChannelType;
  readonly opener: Who;
  readonly fundingSat: bigint;
  readonly pushSat: bigint;
  readonly feerate: bigint;
  readonly minFeerate: bigint;
  readonly maxFeerate: bigint;
  readonly parties: Readonly<Record<Who, PartyPlan>>;
}

/** A message as it lies in a queue: its bytes, read again as the receiver reads them. */
export function letter({ message, seq }: Sent): Received & { readonly seq: number } {
  const wire = encodeMessage(message);
  return { message: decodeMessage(wire), wire, seq };
}

function only(sent: Sent | null): Received {
  if (sent === null) throw new Error("no message was sent");
  return letter(sent);
}

/** Both states of a channel that is open, on a funding output of a chain or one that nobody looks for. */
export function openBetween(
  plan: Plan,
  outpoint: { readonly txid: Txid; readonly outputIndex: number } = { txid: FUNDING, outputIndex: 1 },
): Readonly<Record<Who, FundedChannel>> {
  const { opener } = plan;
  const accepter = other(opener);
  const termsOf = (who: Who): OwnTerms => {
    const { dustLimitSat, maxInFlightMsat, reserveSat, htlcMinimumMsat, toSelfDelay, maxAcceptedHtlcs } = plan.parties[who];
    return {
      dustLimitSatoshis: sat(dustLimitSat),
      maxHtlcValueInFlightMsat: msat(maxInFlightMsat),
      channelReserveSatoshis: sat(reserveSat),
      htlcMinimumMsat: msat(htlcMinimumMsat),
      toSelfDelay,
      maxAcceptedHtlcs,
      upfrontShutdownScript: null,
    };
  };
  const commonOf = (who: Who) => ({
    party: who,
    chain: "regtest" as const,
    limits: {
      minFeeratePerKw: perKw(plan.minFeerate),
      maxFeeratePerKw: perKw(plan.maxFeerate),
      maxToSelfDelay: 2016,
      maxDustLimitSatoshis: sat(10_000n),
      maxDustHtlcExposureMsat: msat(plan.parties[who].maxDustExposureMsat),
    },
    terms: termsOf(who),
  });
  const proposed = openChannel(KEYS[opener], {
    ...commonOf(opener),
    channelType: plan.type,
    fundingSatoshis: sat(plan.fundingSat),
    pushMsat: toMsat(sat(plan.pushSat)),
    feeratePerKw: perKw(plan.feerate),
    payExtension: true,
    features: [],
  });
  const accepted = acceptChannel(KEYS[accepter], only(proposed.sent), { ...commonOf(accepter), minimumDepth: 1, allowPay: true, features: [] });
  const taken = receiveAcceptChannel(proposed.state, only(accepted.sent));
  if (isFunded(taken.state)) throw new Error("funded already");
  const created = createFunding(taken.state, KEYS[opener], outpoint, null);
  const signed = signFunding(accepted.state, KEYS[accepter], only(created.sent));
  const verified = requireFunded(receiveFundingSigned(created.state, only(signed.sent)).state);
  releaseFunding(verified);
  const ready = { [opener]: channelReady(verified), [accepter]: channelReady(requireFunded(signed.state)) };
  const opened = BOTH.map((who) => [who, requireFunded(receiveChannelReady(ready[who]!.state, only(ready[other(who)]!.sent)).state)] as const);
  return Object.fromEntries(opened) as Record<Who, FundedChannel>;
}

/** Two parties between whom every message arrives at once, and what each keeps of the other's revoked commitments. */
export class DirectChannel {
  readonly states: Record<Who, FundedChannel>;
  readonly revoked: Record<Who, RevokedHtlcs[]> = { alice: [], bob: [] };
  largestMessage = 0;

  constructor(states: Readonly<Record<Who, FundedChannel>>) {
    this.states = { ...states };
  }

  /** One speaks, and the other takes it in. */
  say(who: Who, speak: (state: FundedChannel) => Outcome, hear: (state: FundedChannel, received: Received) => Outcome): void {
    const spoken = speak(this.states[who]);
    const message = only(spoken.sent);
    this.largestMessage = Math.max(this.largestMessage, message.wire.length);
    const heard = hear(this.states[other(who)], message);
    this.states[who] = requireFunded(spoken.state);
    this.states[other(who)] = requireFunded(heard.state);
    if (heard.revoked !== null) this.revoked[other(who)].push(heard.revoked);
  }

  propose(who: Who, proposal: Proposal): void {
    this.say(who, (state) => propose(state, proposal), receiveChange);
  }

  /** One signs the other's next commitment, and the other revokes the one before. */
  commit(signer: Who): void {
    this.say(signer, (state) => sign(state, KEYS[signer]), receiveCommitmentSigned);
    this.say(other(signer), (state) => makeRevocation(state, KEYS[other(signer)]), receiveRevocation);
  }

  /** The HTLCs of a revoked commitment, as the victim has kept them. */
  htlcsOf(victim: Who, number: number): readonly Htlc[] {
    return this.revoked[victim].find((line) => line.number === number)?.htlcs ?? [];
  }
}
