import type { Received, Sent } from "../protocol/channel/message-log.js";
import { type ChannelState, isFunded } from "../protocol/channel/state.js";
import type { RevokedHtlcs } from "../protocol/channel/transitions/outcome.js";
import { LnError } from "../protocol/errors.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import { encodeMessage, type Message } from "../protocol/wire/messages.js";
import { momentFinding, type AfterMoment } from "./compare.js";
import { Divergence, type Finding, type FindingKind } from "./finding.js";
import type { Moment, PartyRecord, Recorded } from "./record.js";
import type { StandIns } from "./stand-ins.js";
import { Actor, type View, requireSame } from "./view.js";

/*
 * Each party's messages are numbered, but no message says what its sender had heard before it. In which order a party told and heard follows from the
 * protocol: a step that is not due waits until the peer's next message has been heard. Telling goes first, so that no message is heard before it must be;
 * where a file shows a moment (so many sent, so many received), the party is led through it.
 */

/** What was replayed, and where it ended. */
export interface Replayed {
  readonly findings: readonly Finding[];
  readonly told: number;
  readonly heard: number;
  readonly secrets: number;
  /** Messages that a party's own step gives again and no file has. */
  readonly regenerated: readonly string[];
  /** Moments whose files were compared. */
  readonly compared: number;
  readonly hashed: number;
  readonly views: readonly { readonly name: string; readonly state: ChannelState | null }[];
}

/** Where a party stood after a step of the replay. */
export interface Stand {
  readonly party: string;
  readonly state: ChannelState;
  /** What its revoked file held. */
  readonly revoked: readonly RevokedHtlcs[];
  /** What the step sent, and what it took in. */
  readonly told: readonly Sent[];
  readonly heard: Message | null;
  /** Stand-ins for its secrets. */
  readonly keys: () => PartyKeys;
}

/** Refusals that say that a step comes before its time. */
const WAITING: readonly string[] = [
  "policy-sign-unrevoked",
  "policy-sign-point-unknown",
  "policy-sign-no-changes",
  "policy-revoke-unverified",
  "policy-commitment-unanswered",
  "policy-commitment-no-changes",
  "policy-revocation-unexpected",
  "policy-channel-not-open",
  "policy-htlc-not-committed",
  "policy-closing-early",
  "policy-closing-first",
  "policy-closing-unanswered",
  "policy-shutdown-pending",
  "policy-funding-unverified",
  "state-message-unexpected",
  "state-message-gap",
  "state-message-type",
  "state-reestablishing",
  "state-reestablish-first",
  "state-no-commitment",
  "state-not-funded",
  "state-point-unknown",
  "state-closing-choice",
];

/** Of a channel_reestablish of a party that has lost state. */
const ASKS_TO_CLOSE = "state-peer-asks-fail";

/** How much a failure tells: the lowest is the cause, the others follow from it. */
const RANK: Readonly<Record<FindingKind, number>> = {
  unreadable: 0,
  conflict: 0,
  chain: 0,
  secret: 1,
  signature: 1,
  differs: 1,
  refused: 2,
  state: 2,
  document: 2,
  missing: 3,
  "not-due": 4,
  unreached: 5,
};

/** A channel_reestablish tells how much its sender has heard: where it is another count, something before it was not taken in. */
function rankOf({ kind, at }: Finding): number {
  return kind === "differs" && at.kind === "message" && at.type === "channel_reestablish" ? RANK["not-due"] - 0.5 : RANK[kind];
}

interface Side {
  readonly actor: Actor;
  readonly messages: Map<number, Recorded>;
  view: View;
  moments: readonly Moment[];
  /** Why the next step of each kind could not be taken, when it was last tried. */
  failures: Finding[];
}

/** Replays a run from the two parties' messages. */
export class Replay {
  private readonly sides: readonly [Side, Side];
  private told = 0;
  private heard = 0;
  private secrets = 0;
  private compared = 0;
  private hashed = 0;
  private readonly regenerated: string[] = [];
  private readonly findings: Finding[] = [];
  private readonly onStand: (stand: Stand) => void;

  /** `onStand` is told of every moment that a party comes through. */
  constructor(records: readonly [PartyRecord, PartyRecord], standIns: StandIns, onStand: (stand: Stand) => void = () => undefined) {
    this.onStand = onStand;
    const sideOf = (record: PartyRecord): Side => {
      const actor = new Actor(record, standIns);
      return { actor, messages: new Map(record.messages), view: actor.begin(), moments: record.moments, failures: [] };
    };
    this.sides = [sideOf(records[0]), sideOf(records[1])];
    for (const side of this.sides) this.stand(side, [], null);
  }

  /** As many messages as there are. */
  get total(): number {
    return this.sides[0].messages.size + this.sides[1].messages.size;
  }

  get done(): number {
    return this.told;
  }

  /** Takes the next step that can be taken. False where none can: the run is over, or diverges. */
  step(): boolean {
    const [one, other] = this.sides;
    return this.findings.length === 0 && (this.moves(one, other) || this.moves(other, one));
  }

  result(): Replayed {
    const { told, heard, secrets, compared, hashed, regenerated } = this;
    return {
      findings: this.findings.length > 0 ? this.findings : this.leftOver(),
      told,
      heard,
      secrets,
      compared,
      hashed,
      regenerated,
      views: this.sides.map(({ actor, view }) => ({ name: actor.record.name, state: view.state })),
    };
  }

  private moves(side: Side, peer: Side): boolean {
    const before = side.view;
    if (!this.advance(side, peer)) return false;
    if (side.view === before) return true;
    const [then, now] = [counts(before), counts(side.view)];
    const told: Sent[] = [];
    for (let seq = then.sent + 1; seq <= now.sent; seq++) {
      const message = side.messages.get(seq)?.message ?? null;
      if (message !== null) told.push({ seq, message });
    }
    this.stand(side, told, now.received > then.received ? (peer.messages.get(now.received)?.message ?? null) : null);
    return true;
  }

  private stand({ actor, view }: Side, told: readonly Sent[], heard: Message | null): void {
    const { state, revoked } = view;
    if (state !== null) this.onStand({ party: actor.record.name, state, revoked, told, heard, keys: () => actor.keysAt(view) });
  }

  private advance(side: Side, peer: Side): boolean {
    side.failures = [];
    if (this.passMoment(side)) return true;
    const [target] = side.moments;
    const { sent, received } = counts(side.view);
    const next = side.messages.get(sent + 1);
    const mayTell = next !== undefined && (target === undefined || sent < target.sent);
    const coming = this.comingTo(side, peer);
    const mayHear = coming !== undefined && (target === undefined || coming.seq <= target.received || received < target.received);
    if (mayTell && next.message?.type === "channel_reestablish" && mayHear && this.hearFirst(side, peer, next, coming)) return true;
    if (
      mayTell &&
      this.tries(side, next, () => {
        this.tell(side, peer, next);
      })
    )
      return true;
    return (
      mayHear &&
      this.tries(side, coming, () => {
        this.hear(side, coming);
      })
    );
  }

  /** What a channel_reestablish says does not show every message that came before it: as many as it allows. */
  private hearFirst(side: Side, peer: Side, next: Recorded, coming: Recorded): boolean {
    const before = side.view;
    const tells = (): boolean => {
      try {
        this.afterTelling(side, peer, next);
        return true;
      } catch (error) {
        if (error instanceof LnError || error instanceof Divergence) return false;
        throw error;
      }
    };
    const now = tells();
    if (
      !this.tries(side, coming, () => {
        this.hear(side, coming);
      })
    )
      return false;
    if (!now || tells()) return true;
    side.view = before;
    this.heard -= 1;
    return false;
  }

  private tries(side: Side, recorded: Recorded, act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (!(error instanceof LnError) && !(error instanceof Divergence)) throw error;
      side.failures.push(findingOf(recorded, error, recorded.party === side.actor.record.name ? null : side.actor.record.name));
      return false;
    }
  }

  private afterTelling(side: Side, peer: Side, recorded: Recorded): View {
    const { message } = recorded;
    if (side.view.state?.messages.reestablishing === true) {
      throw new Divergence({ kind: "not-due", fact: "it was sent between the two sides' channel_reestablish", expected: null, found: null });
    }
    if (message === null)
      throw new Divergence({ kind: "missing", fact: "no file has its bytes, only their hash", expected: recorded.hash, found: null });
    return side.actor.tells(side.view, recorded, message, this.answeredBy(side, peer, message));
  }

  private tell(side: Side, peer: Side, recorded: Recorded): void {
    side.view = this.afterTelling(side, peer, recorded);
    this.told += 1;
  }

  /** open_channel and funding_created are taken in by the step that answers them. */
  private answeredBy(side: Side, peer: Side, { type }: Message): Received | undefined {
    if (type !== "accept_channel" && type !== "funding_signed") return undefined;
    const coming = this.comingTo(side, peer);
    return coming === undefined ? undefined : receivedOf(coming);
  }

  private hear(side: Side, recorded: Recorded): void {
    const received = receivedOf(recorded);
    if (received === undefined || received.message.type === "open_channel" || received.message.type === "funding_created") {
      throw new Divergence({ kind: "not-due", fact: "it waits for its answer", expected: null, found: null });
    }
    const { view, resent } = side.actor.hears(side.view, received);
    for (const sent of resent) {
      const known = side.messages.get(sent.seq);
      const message = known?.message ?? null;
      if (message === null) {
        const wire = encodeMessage(sent.message);
        const { name } = side.actor.record;
        side.messages.set(sent.seq, { party: name, seq: sent.seq, hash: known?.hash ?? "", wire, message: sent.message, files: known?.files ?? [] });
        if (known === undefined) this.regenerated.push(`${name} ${sent.seq}, ${sent.message.type}`);
      } else if (known !== undefined) {
        try {
          requireSame(sent, { ...known, message });
        } catch (error) {
          if (!(error instanceof Divergence)) throw error;
          this.findings.push(findingOf(known, error, null));
        }
      }
    }
    side.view = view;
    this.told += resent.length;
    this.heard += 1;
    if (received.message.type === "revoke_and_ack") this.secrets += 1;
  }

  /** The next of the peer's messages that this party has not heard; after a reconnection it goes on from the channel_reestablish. */
  private comingTo(side: Side, peer: Side): Recorded | undefined {
    const { received } = counts(side.view);
    const { sent } = counts(peer.view);
    if (received >= sent) return undefined;
    if (side.view.state?.messages.reestablishing === true) {
      for (let seq = received + 1; seq <= sent; seq++) {
        const candidate = peer.messages.get(seq);
        if (candidate?.message?.type === "channel_reestablish") return candidate;
      }
    }
    return peer.messages.get(received + 1);
  }

  /** Compares what a file shows of the moment that the party is in. */
  private passMoment(side: Side): boolean {
    const [target, ...rest] = side.moments;
    const { sent, received } = counts(side.view);
    if (target?.sent !== sent || target.received !== received || side.view.state === null) return false;
    const result: AfterMoment = momentFinding(side.actor, side.view, target.shown);
    side.moments = rest;
    side.view = result.view;
    if (result.finding !== null) this.findings.push(result.finding);
    this.compared += 1;
    if (result.hashed) this.hashed += 1;
    return true;
  }

  /** Where nothing moves any more: nothing, if all has been told, heard and compared. */
  private leftOver(): readonly Finding[] {
    const all = this.sides.flatMap((side, at) => this.stuckAt(side, this.sides[at === 0 ? 1 : 0]));
    const best = Math.min(...all.map(rankOf));
    return all.filter((finding) => rankOf(finding) === best);
  }

  private stuckAt(side: Side, peer: Side): readonly Finding[] {
    const { sent, received } = counts(side.view);
    const { name } = side.actor.record;
    const [target] = side.moments;
    const last = Math.max(0, ...side.messages.keys());
    const untold = last > sent;
    const unheard = target === undefined ? this.comingTo(side, peer) !== undefined && !hasLeft(side.view) : target.received > received;
    if (!untold && !unheard && target === undefined) return [];
    // Whoever is asked to close takes no more in: that is where such a run ends
    if (!untold && target === undefined && side.failures.some(({ code }) => code === ASKS_TO_CLOSE)) return [];
    const missing: Finding[] =
      untold && !side.messages.has(sent + 1)
        ? [
            {
              kind: "missing",
              at: { kind: "message", party: name, seq: sent + 1, type: null, files: [] },
              fact: `${name}'s message ${sent + 1} is in no file, and message ${Math.min(...[...side.messages.keys()].filter((seq) => seq > sent))} is`,
              expected: null,
              found: null,
              code: null,
            },
          ]
        : [];
    const unreached: Finding[] =
      target === undefined
        ? []
        : [
            {
              kind: "unreached",
              at: placeOf(side, target),
              fact: `the messages lead ${name} to no moment with ${target.sent} sent and ${target.received} received: it stands at ${sent} and ${received}`,
              expected: `${target.sent} sent, ${target.received} received`,
              found: `${sent} sent, ${received} received`,
              code: null,
            },
          ];
    return [...side.failures, ...missing, ...unreached];
  }
}

function placeOf({ actor }: Side, { shown }: Moment): Finding["at"] {
  return shown.kind === "journal"
    ? { kind: "journal", file: shown.file, line: shown.line }
    : { kind: "state", party: actor.record.name, file: shown.file, path: "messages" };
}

/** Whoever has left the channel takes in secrets alone. */
function hasLeft({ state }: View): boolean {
  return state !== null && isFunded(state) && (state.flags.forceClosed !== null || state.flags.behind);
}

function counts({ state }: View): { readonly sent: number; readonly received: number } {
  return { sent: state?.messages.lastSent ?? 0, received: state?.messages.lastReceived ?? 0 };
}

function receivedOf({ message, wire, seq }: Recorded): Received | undefined {
  return message === null || wire === null ? undefined : { message, wire, seq };
}

function findingOf({ party, seq, message, files }: Recorded, error: LnError | Divergence, hearer: string | null): Finding {
  const at = { kind: "message", party, seq, type: message?.type ?? null, files } as const;
  const by = hearer === null ? `${party} could not have sent it` : `${hearer} refuses it`;
  if (error instanceof Divergence) return { code: null, ...error.what, at, fact: error.what.fact };
  const { code, message: fact, details } = error;
  const text = (value: unknown): string | null => (value === undefined ? null : typeof value === "string" ? value : JSON.stringify(value));
  const kind = WAITING.includes(code) ? "not-due" : code.includes("signature-") ? "signature" : /secret|shachain/.test(code) ? "secret" : "refused";
  return { kind, at, fact: `${by}: ${fact}`, expected: text(details["expected"]), found: text(details["value"] ?? details["signature"]), code };
}
