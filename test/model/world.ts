import { sha256 } from "@noble/hashes/sha2.js";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { printChannel, readChannel } from "../../src/json/channel-file.js";
import { type Bytes32, bytes32, equalBytes, toHex } from "../../src/protocol/bytes.js";
import { identify } from "../../src/protocol/channel/identify.js";
import type { Received, Sent } from "../../src/protocol/channel/message-log.js";
import { type FundedChannel, requireFunded } from "../../src/protocol/channel/state.js";
import { commitmentTerms } from "../../src/protocol/channel/terms.js";
import { type Proposal, isChangeMessage, propose, receiveChange } from "../../src/protocol/channel/transitions/changes.js";
import { receiveCommitmentSigned, sign } from "../../src/protocol/channel/transitions/commit.js";
import { punish } from "../../src/protocol/channel/transitions/leave.js";
import { receiveChannelReady } from "../../src/protocol/channel/transitions/funding.js";
import type { Outcome, RevokedHtlcs } from "../../src/protocol/channel/transitions/outcome.js";
import { reestablish, resume } from "../../src/protocol/channel/transitions/reestablish.js";
import { makeRevocation, receiveRevocation } from "../../src/protocol/channel/transitions/revoke.js";
import { type ErrorCode, LnError } from "../../src/protocol/errors.js";
import { ownPerCommitmentPoint, requireSecret } from "../../src/protocol/keys/party-keys.js";
import type { Side } from "../../src/protocol/side.js";
import { type Commitment, buildCommitment } from "../../src/protocol/tx/commitment-tx.js";
import { buildHtlcTxs } from "../../src/protocol/tx/htlc-tx.js";
import { isHtlcOutput } from "../../src/protocol/tx/outputs.js";
import { commitmentSighash, completeCommitment, completeHtlcTx, signCommitment, signHtlcTx } from "../../src/protocol/tx/sign.js";
import { msat, perKw } from "../../src/protocol/units.js";
import { decodeMessage, encodeMessage } from "../../src/protocol/wire/messages.js";
import { type Coin, interpret } from "../chain/interpreter.js";
import { BOTH, KEYS, type Who, other } from "../chain/pair.js";
import { HOME } from "../chain/spendings.js";
import { type Plan, letter, openBetween } from "./channel.js";
import { costs, exposure, threshold } from "./fees.js";
import { type Illegal, illegalFor } from "./illegal.js";
import { type Draw, drawFrom } from "./random.js";
import { planFrom } from "./plans.js";
import { Reference, type Sum, wordsOfSpec, wordsOfSum } from "./reference.js";
import { Watch } from "./watch.js";

type Letter = ReturnType<typeof letter>;

/** What happened, for the counts at the end. */
export interface Counts {
  runs: number;
  steps: number;
  messages: number;
  commitments: number;
  reconnections: number;
  crashes: number;
  restarts: number;
  illegal: number;
  interpreted: number;
  punished: number;
  /** Runs that end because the opener can't pay the fee. */
  exhausted: number;
}

export function noCounts(): Counts {
  return {
    runs: 0,
    steps: 0,
    messages: 0,
    commitments: 0,
    reconnections: 0,
    crashes: 0,
    restarts: 0,
    illegal: 0,
    interpreted: 0,
    punished: 0,
    exhausted: 0,
  };
}

/** How far a party is on the present connection: not begun · its channel_reestablish sent · the peer's taken in. */
type Link = "down" | "told" | "live";

export interface Options {
  readonly seed: number;
  /** The share of commitments that the foreign interpreter runs. */
  readonly interpreted: number;
  /** How often what is forbidden is tried, beside the weights of other steps. */
  readonly illegal?: number;
  /** What is forbidden under such a code is tried after every step instead. */
  readonly tries?: (code: ErrorCode) => boolean;
  /** Is told every code that a refusal is about to be expected with. */
  readonly reached?: (code: ErrorCode) => void;
}

interface Player {
  state: FundedChannel;
  link: Link;
  readonly revoked: RevokedHtlcs[];
  readonly reference: Reference;
  readonly watch: Watch;
  /** Own commitments that could be published at some time, complete, by number. */
  readonly published: Map<number, Transaction>;
  /** What signatures of the newest own commitments cover. */
  ownHashes: Bytes32[];
  /** By owner and number, the words of the spec that was compared last. */
  readonly compared: Map<string, string>;
  checked: FundedChannel | null;
  requests: number;
}

/** Two parties, what lies between them, and what is known of both that neither knows. */
export class World {
  readonly plan: Plan & { readonly buffered: boolean };
  readonly draw: Draw;
  readonly players: Readonly<Record<Who, Player>>;
  readonly queues: Record<Who, Letter[]> = { alice: [], bob: [] };
  readonly counts: Counts;
  readonly preimages = new Map<string, Bytes32>();
  readonly trace: string[] = [];
  /** Every commitment that either side has held, by owner and number, in hex with its HTLC transactions. */
  private readonly views = new Map<string, string>();
  private readonly interpreted: number;
  private readonly illegalWeight: number;
  private readonly tries: ((code: ErrorCode) => boolean) | null;
  private readonly reached: (code: ErrorCode) => void;
  over = false;

  constructor({ seed, interpreted, illegal = 10, reached = () => undefined, tries }: Options, counts: Counts) {
    this.illegalWeight = tries === undefined ? illegal : 0;
    this.tries = tries ?? null;
    this.reached = reached;
    this.draw = drawFrom(seed);
    this.plan = planFrom(seed, this.draw);
    this.interpreted = interpreted;
    this.counts = counts;
    const states = openBetween(this.plan);
    this.players = { alice: this.player("alice", states.alice), bob: this.player("bob", states.bob) };
    this.check();
  }

  private player(who: Who, state: FundedChannel): Player {
    const { opener, fundingSat, pushSat, feerate } = this.plan;
    const [given, kept] = [pushSat * 1000n, (fundingSat - pushSat) * 1000n];
    const balances = who === opener ? { mine: kept, theirs: given } : { mine: given, theirs: kept };
    return {
      state,
      link: "live",
      revoked: [],
      reference: new Reference({ rate: feerate, balances, htlcs: [] }),
      watch: new Watch(who),
      published: new Map(),
      ownHashes: [],
      compared: new Map(),
      checked: null,
      requests: 0,
    };
  }

  /** One random step. */
  step(): void {
    this.counts.steps += 1;
    const actions: (readonly [weight: number, name: string, act: () => void])[] = [
      [
        2,
        "disconnect",
        () => {
          this.disconnect();
        },
      ],
    ];
    for (const who of BOTH) {
      const { link, reference } = this.players[who];
      actions.push([
        2,
        `${who} restarts`,
        () => {
          this.restart(who);
        },
      ]);
      // What is proposed, signed or revoked without a connection is lost, and sent again
      if (link === "live" || (link === "down" && this.draw.chance(0.3))) {
        const [proposed, signed, revoked] = link === "live" ? [16, 22, 26] : [3, 3, 3];
        actions.push([
          proposed,
          `${who} proposes`,
          () => {
            this.proposeSomething(who);
          },
        ]);
        if (reference.maySign)
          actions.push([
            signed,
            `${who} signs`,
            () => {
              this.sign(who);
            },
          ]);
        if (reference.mayRevoke)
          actions.push([
            revoked,
            `${who} revokes`,
            () => {
              this.revoke(who);
            },
          ]);
      }
      actions.push([
        this.illegalWeight,
        `${who} tries what is forbidden`,
        () => {
          this.tryIllegal(who);
        },
      ]);
      if (link === "down")
        actions.push([
          30,
          `${who} reestablishes`,
          () => {
            this.reestablish(who);
          },
        ]);
      if (link !== "down" && this.queues[who].length > 0)
        actions.push([
          45,
          `${who} receives`,
          () => {
            this.receive(who);
          },
        ]);
    }
    let at = this.draw.below(actions.reduce((sum, [weight]) => sum + weight, 0));
    const chosen = actions.find(([weight]) => (at -= weight) < 0)!;
    this.trace.push(chosen[1]);
    chosen[2]();
    this.check();
    if (this.tries !== null && !this.over) this.tryWanted(this.tries);
  }

  /** Brings everything under way to its end, and ends the HTLCs that may be. */
  settle(): void {
    for (let round = 0; !this.over; round++) {
      if (round > 2000) throw new Error("the channel never comes to rest");
      const moves = BOTH.flatMap((who): (() => void)[] => {
        const { link, reference } = this.players[who];
        if (link === "down")
          return [
            () => {
              this.reestablish(who);
            },
          ];
        if (this.queues[who].length > 0)
          return [
            () => {
              this.receive(who);
            },
          ];
        if (link !== "live") return [];
        if (reference.mayRevoke)
          return [
            () => {
              this.revoke(who);
            },
          ];
        if (reference.maySign)
          return [
            () => {
              this.sign(who);
            },
          ];
        return reference.removable("mine").length > 0
          ? [
              () => {
                this.endSomething(who);
              },
            ]
          : [];
      });
      if (moves.length === 0) break;
      this.trace.push("settling");
      this.counts.steps += 1;
      this.draw.oneOf(moves)();
      this.check();
    }
    for (const who of BOTH) {
      const { reference, state } = this.players[who];
      if (this.over) break;
      if (reference.sum("mine").htlcs.length + reference.sum("theirs").htlcs.length > 0) throw new Error(`${who} still holds HTLCs`);
      if (state.knownPreimages.length > 0) throw new Error(`${who} keeps preimages that nothing needs`);
    }
  }

  /** The victim of a revoked commitment takes what is its own, by what it has kept. */
  punishOne(): void {
    const cheater = this.draw.oneOf(BOTH);
    const victim = this.players[other(cheater)];
    const old = [...this.players[cheater].published].filter(([number]) => number < this.players[other(cheater)].reference.count.revocationsTaken);
    if (old.length === 0) return;
    const [number, tx] = this.draw.oneOf(old);
    const identity = identify(victim.state, tx, (at) => victim.revoked.find((line) => line.number === at)?.htlcs ?? []);
    if (identity.kind !== "revoked") throw new Error(`commitment ${number} of ${cheater}'s is ${identity.kind}, not revoked`);
    const revocable = identity.outputs.filter((output) => output !== null && (output.kind === "to_local" || isHtlcOutput(output)));
    if (identity.outputs.includes(null)) throw new Error(`commitment ${number} of ${cheater}'s has an output that is not recognised`);
    if (revocable.length === 0) return;
    const { tx: penalty } = punish(victim.state, KEYS[other(cheater)], identity, HOME, perKw(0n));
    if (penalty.ins.length !== revocable.length) throw new Error(`${penalty.ins.length} of ${revocable.length} outputs are punished`);
    this.accept(
      penalty,
      penalty.ins.map(({ index }) => ({ amount: tx.outs[index]!.value, scriptPubkey: tx.outs[index]!.script })),
      "penalty",
    );
    this.counts.punished += 1;
  }

  // Steps

  private disconnect(): void {
    for (const who of BOTH) {
      this.queues[who] = [];
      this.players[who].link = "down";
    }
    this.counts.reconnections += 1;
  }

  private restart(who: Who): void {
    this.players[who].state = throughFile(this.players[who].state);
    this.counts.restarts += 1;
  }

  private proposeSomething(who: Who): void {
    const proposal = this.proposalFor(who);
    if (proposal === null) return;
    this.proposes(who, proposal);
  }

  private endSomething(who: Who): void {
    const proposal = this.ending(who);
    if (proposal !== null) this.proposes(who, proposal);
  }

  private proposes(who: Who, proposal: Proposal): void {
    const player = this.players[who];
    this.trace.push(`  ${describe(proposal)}`);
    const requestId = this.draw.chance(0.3) ? `request ${++player.requests}` : undefined;
    try {
      this.run(who, (state) => propose(state, proposal, requestId), requestId !== undefined);
    } catch (error) {
      // Without a buffer it can't be told beforehand what crosses
      if (this.plan.buffered || !(error instanceof LnError) || !["policy-fee-unaffordable", "policy-reserve"].includes(error.code)) throw error;
    }
  }

  private sign(who: Who): void {
    this.exhaustible(() => {
      this.run(who, (state) => sign(state, KEYS[who]));
    });
  }

  private revoke(who: Who): void {
    this.run(who, (state) => makeRevocation(state, KEYS[who]));
  }

  private reestablish(who: Who): void {
    const player = this.players[who];
    const { state, sent } = this.twice(who, (before) => reestablish(before));
    player.state = requireFunded(state);
    player.reference.forget();
    player.link = "told";
    this.emit(who, sent!, true);
  }

  private receive(who: Who): void {
    const [message, ...rest] = this.queues[who];
    if (message === undefined) return;
    const player = this.players[who];
    const { type } = message.message;
    if (type === "channel_reestablish") {
      const { state, retransmitted, behind } = resume(player.state, KEYS[who], message);
      if (behind) throw new Error(`${who} is told that it is behind`);
      player.state = state;
      player.link = "live";
      this.queues[who] = rest;
      for (const sent of retransmitted) this.emit(who, sent, true);
      if (this.draw.chance(0.2)) {
        const again = resume(player.state, KEYS[who], message);
        if (!again.repeated || !sameState(again.state, state)) throw new Error("the same channel_reestablish again changes something");
        const letters = (all: readonly Sent[]) => all.map((sent) => `${sent.seq} ${toHex(encodeMessage(sent.message))}`).join();
        if (letters(again.retransmitted) !== letters(retransmitted)) throw new Error("the same channel_reestablish again gives other messages");
      }
      return;
    }
    this.exhaustible(() => {
      const outcome = this.twice(who, (state) => taking(state, message));
      this.queues[who] = rest;
      player.state = requireFunded(outcome.state);
      if (outcome.repeated) throw new Error(`${type} ${message.seq} is taken for a repeat`);
      if (outcome.revoked !== null) player.revoked.push(outcome.revoked);
      player.reference.note("theirs", message.message);
      player.watch.tookIn(message.message);
      if (this.draw.chance(0.1)) {
        const again = taking(player.state, message);
        if (!again.repeated || !sameState(again.state, player.state)) throw new Error(`${type} ${message.seq} handed over again changes something`);
      }
    });
  }

  /** Runs a transition that gives a message, with the crashes that a seed draws. `repeatable`: run again, it gives the same message. */
  private run(who: Who, transition: (state: FundedChannel) => Outcome, repeatable = true): void {
    const player = this.players[who];
    const { state, sent, repeated } = this.twice(who, transition);
    if (sent === null || repeated) throw new Error("no message was sent");
    player.state = requireFunded(state);
    let out = sent;
    if (repeatable && this.draw.chance(0.15)) {
      // Saved, and the message lost: the command is run again, maybe by a new process
      if (this.draw.chance(0.5)) this.restart(who);
      const again = transition(player.state);
      const copy = again.sent ?? (again.resend === null ? null : letterOf(again.resend.seq, again.resend.wire));
      if (!again.repeated || !sameState(again.state, player.state) || copy === null) throw new Error("run again, a step is done again");
      if (copy.seq !== sent.seq || toHex(encodeMessage(copy.message)) !== toHex(encodeMessage(sent.message))) {
        throw new Error("run again, a step gives another message");
      }
      out = copy;
      this.counts.crashes += 1;
    }
    player.reference.note("mine", sent.message);
    this.emit(who, out, player.link === "live");
  }

  /** The outcome of a step; where it crashes before it is saved, the step is done anew and must give the same. */
  private twice(who: Who, transition: (state: FundedChannel) => Outcome): Outcome {
    const { state } = this.players[who];
    if (!this.draw.chance(0.05)) return transition(state);
    const before = printed(state);
    const lost = transition(state);
    this.counts.crashes += 1;
    if (printed(state) !== before) throw new Error("a transition has changed the state that it was given");
    const { state: after, sent, ...rest } = transition(throughFile(state));
    if (printed(after) !== printed(lost.state)) throw new Error("the same step from the same state ends elsewhere");
    if ((sent === null) !== (lost.sent === null)) throw new Error("the same step from the same state gives another message");
    return { state: after, sent, ...rest };
  }

  private emit(who: Who, sent: Sent, connected: boolean): void {
    this.players[who].watch.emitted(sent.message, this.players[who].ownHashes);
    if (!connected) return;
    this.queues[other(who)].push(letter(sent));
    this.counts.messages += 1;
  }

  private exhaustible(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (this.plan.buffered || !(error instanceof LnError) || error.code !== "policy-commitment-underpaid") throw error;
      this.over = true;
      this.reached(error.code);
      this.counts.exhausted += 1;
      for (const who of BOTH) this.publish(who, true);
    }
  }

  isPreimageOf(preimage: Bytes32, hash: Bytes32): boolean {
    return equalBytes(sha256(preimage), hash);
  }

  /** Tries one thing that is forbidden. */
  private tryIllegal(who: Who): void {
    const all = illegalFor(this, who, () => true);
    const code = this.draw.oneOf([...new Set(all.map((one) => one.code))]);
    this.refuses(who, this.draw.oneOf(all.filter((one) => one.code === code)));
  }

  private tryWanted(wanted: (code: ErrorCode) => boolean): void {
    for (const who of BOTH) {
      for (const one of illegalFor(this, who, wanted)) if (wanted(one.code)) this.refuses(who, one);
    }
  }

  /** What is forbidden is refused, for its own reason. */
  private refuses(who: Who, { what, code, act }: Illegal): void {
    const { state } = this.players[who];
    // Without a draw: what is tried must not change what comes after it
    const before = this.counts.illegal % 5 === 0 ? printed(state) : null;
    this.trace.push(`  ${who}, ${what}: ${code}`);
    this.reached(code);
    let refused: unknown = null;
    try {
      act();
    } catch (error) {
      refused = error;
    }
    if (!(refused instanceof LnError)) throw new Error(`${what} is not refused`, { cause: refused });
    if (refused.code !== code) throw new Error(`${what} is refused as ${refused.code}, not ${code}: ${refused.message}`);
    if (before !== null && printed(state) !== before) throw new Error(`${what} is refused and yet changes the state`);
    this.counts.illegal += 1;
  }

  // What an honest party proposes

  private preimage(): Bytes32 {
    const known = [...this.preimages.values()];
    if (known.length > 0 && this.draw.chance(0.3)) return this.draw.oneOf(known);
    const preimage = bytes32(sha256(Uint8Array.of(this.preimages.size & 0xff, this.preimages.size >> 8)));
    this.preimages.set(toHex(sha256(preimage)), preimage);
    return preimage;
  }

  /** What a party can pay beside its reserve and, the opener, the costs that it keeps in hand; in msat, maybe below 0. */
  payable(who: Who): bigint {
    const { reference } = this.players[who];
    const reserve = this.plan.parties[other(who)].reserveSat * 1000n;
    const left = (["mine", "theirs"] as const).map((owner) => {
      const worst = reference.worst(owner, "mine");
      return worst.balances.mine - reserve - (who === this.plan.opener ? this.kept(worst) * 1000n : 0n);
    });
    return left.reduce((a, b) => (a < b ? a : b));
  }

  /** What the opener keeps for the fee: with a buffer, as much as all HTLCs that there can be would cost at twice the feerate. */
  private kept({ rate, htlcs }: Sum): bigint {
    const { type, parties, buffered } = this.plan;
    if (!buffered) return costs(type, rate, htlcs.length + 1);
    return costs(type, 2n * rate, parties.alice.maxAcceptedHtlcs + parties.bob.maxAcceptedHtlcs);
  }

  private proposalFor(who: Who): Proposal | null {
    // Where no buffer is kept: the opener pays out what it has while the other side's HTLCs make the commitment dearer
    if (!this.plan.buffered && this.draw.chance(0.6)) return who === this.plan.opener ? this.paying(who) : this.adding(who);
    const kind = this.draw.below(10);
    if (kind < 2) return this.paying(who);
    if (kind < 6) return this.adding(who);
    if (kind < 9) return this.ending(who);
    return this.changingFee(who);
  }

  private paying(who: Who): Proposal | null {
    const payable = this.payable(who);
    if (payable <= 0n) return null;
    const amount = this.draw.chance(!this.plan.buffered && who === this.plan.opener ? 0.7 : 0.1)
      ? payable
      : 1n + this.draw.bigBelow(payable / 4n + 1n);
    return { kind: "pay", amountMsat: msat(amount) };
  }

  private adding(who: Who): Proposal | null {
    const { reference } = this.players[who];
    const { type, parties } = this.plan;
    const theirs = parties[other(who)];
    const offered = reference.worst("theirs", "mine").htlcs.filter(({ by }) => by === "mine");
    const room = theirs.maxInFlightMsat - offered.reduce((sum, { amount }) => sum + amount, 0n);
    const payable = this.payable(who);
    const most = payable < room ? payable : room;
    if (offered.length >= theirs.maxAcceptedHtlcs || most < theirs.htlcMinimumMsat) return null;
    const amount = this.draw.chance(0.5) ? this.boundary(who) : theirs.htlcMinimumMsat + this.draw.bigBelow(most / 3n + 1n);
    if (amount > most || amount < theirs.htlcMinimumMsat) return null;
    const added = { by: "mine" as const, id: 0n, amount, hash: "", expiry: 0 };
    const exposed = (["mine", "theirs"] as const).some((owner) => {
      const sum = reference.eventual(owner);
      const { dustLimitSat } = owner === "mine" ? parties[who] : theirs;
      return exposure(type, { ...sum, htlcs: [...sum.htlcs, added] }, dustLimitSat, owner) > parties[who].maxDustExposureMsat;
    });
    if (exposed) return null;
    const paymentHash = bytes32(sha256(this.preimage()));
    const cltvExpiry = this.draw.oneOf([500, 501, 600, 499_999_999]);
    return { kind: "add_htlc", amountMsat: msat(amount), paymentHash, cltvExpiry, onionRoutingPacket: ONION };
  }

  /** An amount at the border between trimmed and not, on one of the commitments. */
  private boundary(who: Who): bigint {
    const { type, parties } = this.plan;
    const { rate } = this.players[who].reference.eventual("mine");
    const dustLimit = this.draw.oneOf([parties.alice.dustLimitSat, parties.bob.dustLimitSat]);
    const border = threshold(type, rate, dustLimit, this.draw.oneOf(["offered", "received"] as const));
    return (border + this.draw.oneOf([-1n, 0n, 1n, 300n])) * 1000n + this.draw.oneOf([0n, 1n, 999n]);
  }

  private ending(who: Who): Proposal | null {
    const removable = this.players[who].reference.removable("mine");
    if (removable.length === 0) return null;
    const { id, hash } = this.draw.oneOf(removable);
    const way = this.draw.below(4);
    if (way < 2) return { kind: "fulfill_htlc", id, paymentPreimage: this.preimages.get(hash)! };
    if (way === 2) return { kind: "fail_htlc", id, failure: { kind: "reason", reason: new Uint8Array(this.draw.below(40)).fill(1) } };
    return { kind: "fail_htlc", id, failure: { kind: "malformed", sha256OfOnion: bytes32(sha256(ONION)), failureCode: 0xc004 } };
  }

  private changingFee(who: Who): Proposal | null {
    if (who !== this.plan.opener) return null;
    const { reference } = this.players[who];
    const rate = this.draw.oneOf([253n, 500n, 1000n, 2500n, 5000n, 10_000n]);
    const reserve = this.plan.parties[other(who)].reserveSat * 1000n;
    const affordable = (["mine", "theirs"] as const).every((owner) => {
      const worst = reference.worst(owner, "mine");
      return worst.balances.mine - reserve >= this.kept({ ...worst, rate }) * 1000n;
    });
    return affordable ? { kind: "update_fee", feeratePerKw: perKw(rate) } : null;
  }

  // What must always hold

  private check(): void {
    for (const who of BOTH) {
      const player = this.players[who];
      const { state, reference, watch } = player;
      if (state === player.checked) continue;
      player.checked = state;
      const [{ local, remote }] = state.fundings;
      if (local.current === null) throw new Error(`${who} has no commitment of its own`);
      // An unrevoked, fully signed commitment
      if (local.current.number !== reference.count.verified)
        throw new Error(`${who} holds ${local.current.number}, signed to it ${reference.count.verified}`);
      if (local.current.number < watch.released) throw new Error(`${who}'s newest commitment ${local.current.number} is revoked`);
      this.agree(who, "local", wordsOfSpec(local.current.spec), wordsOfSum(reference.sum("mine")));
      const newest = remote.next ?? remote.current;
      if (newest !== null) this.agree(who, "remote", wordsOfSpec(newest.spec), wordsOfSum(reference.sum("theirs")));
      for (const held of [local.previous, local.current])
        if (held !== null) this.compare(who, "local", held, ownPerCommitmentPoint(KEYS[who], held.number));
      for (const held of [remote.current, remote.next]) if (held !== null) this.compare(who, "remote", held, held.point);
      this.bounded(who);
    }
  }

  private agree(who: Who, owner: Side, program: string, history: string): void {
    if (program !== history)
      throw new Error(`${who}'s view of the ${owner} commitment is not what its messages add up to:\n${program}\n--\n${history}`);
  }

  /** A commitment as one side builds it: value conserved, its fee paid, and the same bytes that the other side has built or will. */
  private compare(
    who: Who,
    side: Side,
    held: { readonly number: number; readonly spec: Commitment["spec"] },
    point: Parameters<typeof buildCommitment>[2],
  ): void {
    const player = this.players[who];
    const owner = side === "local" ? who : other(who);
    const key = `${owner} ${held.number}`;
    const words = wordsOfSpec(held.spec);
    const before = player.compared.get(key);
    if (before === words) return;
    if (before !== undefined) throw new Error(`${who} has changed its mind of ${key}`);
    player.compared.set(key, words);

    const commitment = buildCommitment(commitmentTerms(player.state, side), held.number, point, held.spec);
    const inHtlcs = held.spec.htlcs.reduce<bigint>((sum, { amountMsat }) => sum + amountMsat, 0n);
    const { fundingSat } = this.plan;
    if (held.spec.balances.local + held.spec.balances.remote + inHtlcs !== fundingSat * 1000n) throw new Error(`${key}: the spec loses value`);
    const paid = commitment.unsigned.outs.reduce((sum, { value }) => sum + value, 0n);
    const fee = fundingSat - paid;
    if (fee < 0n || fee !== commitment.actualFee || fee < commitment.baseFee) throw new Error(`${key}: pays ${fee} of ${commitment.baseFee} sat`);

    const view = [commitment.unsigned.toHex(), ...buildHtlcTxs(commitment).map(({ unsigned }) => unsigned.toHex())].join();
    const seen = this.views.get(key);
    if (seen !== undefined && seen !== view) throw new Error(`the two sides build ${key} differently`);
    this.views.set(key, view);
    if (seen === undefined) this.counts.commitments += 1;

    if (side === "local") {
      player.ownHashes = [...player.ownHashes.slice(-2), commitmentSighash(commitment)];
      this.publish(who, this.draw.chance(this.interpreted));
    }
  }

  /** Completes the newest own commitment and its HTLC transactions, as its owner could at any time; has the foreign interpreter run them. */
  private publish(who: Who, interpreted: boolean): void {
    const { state, published } = this.players[who];
    const { current } = state.fundings[0].local;
    if (current === null) throw new Error(`${who} has nothing to publish`);
    const terms = commitmentTerms(state, "local");
    const commitment = buildCommitment(terms, current.number, ownPerCommitmentPoint(KEYS[who], current.number), current.spec);
    const tx = completeCommitment(commitment, signCommitment(commitment, requireSecret(KEYS[who], "fundingPrivkey")), current.signature);
    published.set(current.number, tx);
    const htlcTxs = buildHtlcTxs(commitment);
    if (htlcTxs.length !== current.htlcSignatures.length)
      throw new Error(`${who} holds ${current.htlcSignatures.length} of ${htlcTxs.length} HTLC signatures`);
    if (!interpreted) return;
    this.accept(tx, [{ amount: terms.funding.amount, scriptPubkey: commitment.fundingLock.scriptPubkey }], "commitment");
    for (const [at, htlcTx] of htlcTxs.entries()) {
      const preimage = htlcTx.kind === "htlc_success" ? this.preimages.get(toHex(htlcTx.output.htlc.paymentHash))! : null;
      const own = signHtlcTx(htlcTx, "owner", requireSecret(KEYS[who], "htlcBasepointSecret"));
      const { amount, lock } = htlcTx.output;
      this.accept(completeHtlcTx(htlcTx, own, current.htlcSignatures[at]!, preimage), [{ amount, scriptPubkey: lock.scriptPubkey }], htlcTx.kind);
    }
  }

  private accept(tx: Transaction, coins: readonly Coin[], what: string): void {
    const verdict = interpret(tx.toHex(), coins);
    if (verdict.kind !== "accepted") throw new Error(`the interpreter refuses a ${what}: input ${verdict.input}, ${verdict.reason}`);
    this.counts.interpreted += 1;
  }

  /** What a state may hold, whatever has happened before. */
  private bounded(who: Who): void {
    const { state } = this.players[who];
    const { outbox, recentlyReceived, requests } = state.messages;
    const under = [...state.changes.local, ...state.changes.remote];
    const htlcs = this.plan.parties.alice.maxAcceptedHtlcs + this.plan.parties.bob.maxAcceptedHtlcs;
    const sizes = {
      outbox: outbox.length - under.length,
      recent: recentlyReceived.length,
      requests: requests.length,
      secrets: state.remoteSecrets.length,
    };
    const limits = { outbox: 4, recent: 32, requests: 64, secrets: 49 };
    for (const [name, limit] of Object.entries(limits)) {
      const size = sizes[name as keyof typeof limits];
      if (size > limit) throw new Error(`${who} holds ${size} ${name}, more than ${limit}`);
    }
    if (state.knownPreimages.length > 2 * htlcs) throw new Error(`${who} holds ${state.knownPreimages.length} preimages`);
  }
}

const ONION = new Uint8Array(1366);

function letterOf(seq: number, wire: Uint8Array | null): Sent | null {
  return wire === null ? null : { seq, message: decodeMessage(wire) };
}

/** Takes in a message by its type, as `receive` does. */
export function taking(state: FundedChannel, received: Received): Outcome {
  const { message } = received;
  if (isChangeMessage(message)) return receiveChange(state, received);
  switch (message.type) {
    case "commitment_signed":
      return receiveCommitmentSigned(state, received);
    case "revoke_and_ack":
      return receiveRevocation(state, received);
    case "channel_ready":
      return receiveChannelReady(state, received);
    default:
      throw new Error(`nobody sends a ${message.type} here`);
  }
}

export function printed(state: Outcome["state"]): string {
  return JSON.stringify(printChannel(state));
}

export function sameState(a: Outcome["state"], b: Outcome["state"]): boolean {
  return a === b || printed(a) === printed(b);
}

/** The state as a new process reads it. */
function throughFile(state: FundedChannel): FundedChannel {
  const text = printed(state);
  const read = requireFunded(readChannel(JSON.parse(text) as unknown, "channel.json"));
  if (printed(read) !== text) throw new Error("a state read from its file is another");
  return read;
}

function describe(proposal: Proposal): string {
  switch (proposal.kind) {
    case "pay":
      return `pay ${proposal.amountMsat}`;
    case "add_htlc":
      return `add_htlc ${proposal.amountMsat} ${proposal.cltvExpiry} ${toHex(proposal.paymentHash).slice(0, 8)}`;
    case "fulfill_htlc":
    case "fail_htlc":
      return `${proposal.kind} ${proposal.id}`;
    case "update_fee":
      return `update_fee ${proposal.feeratePerKw}`;
  }
}
