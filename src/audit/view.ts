import type { Received, Sent } from "../protocol/channel/message-log.js";
import { isOfClose } from "../protocol/channel/clearing.js";
import type { Limits } from "../protocol/channel/params.js";
import { type Change, type ChannelState, lowestUnreleased, isFunded, ownPoint, requireFunded } from "../protocol/channel/state.js";
import type { RevokedHtlcs } from "../protocol/channel/transitions/outcome.js";
import { contentOf, isChangeMessage } from "../protocol/channel/transitions/changes.js";
import { receiveByType } from "../protocol/channel/transitions/receive.js";
import { receiveOfClose } from "../protocol/channel/transitions/receive-close.js";
import { resume } from "../protocol/channel/transitions/reestablish.js";
import { type Point, equalBytes, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { Basepoints } from "../protocol/keys/commitment-keys.js";
import { publicKey } from "../protocol/keys/derivation.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import type { CommitmentNumber } from "../protocol/keys/shachain.js";
import type { Secret32 } from "../protocol/secret.js";
import { CLOSING_OUTPUTS } from "../protocol/tx/closing-terms.js";
import { SIDES, type Side } from "../protocol/side.js";
import type { ChangeContent } from "../protocol/tx/spec.js";
import { type Bytes32, type Signature } from "../protocol/bytes.js";
import { msat, perKw, sat } from "../protocol/units.js";
import { type Message, encodeMessage } from "../protocol/wire/messages.js";
import { printMessage } from "../json/messages.js";
import { Divergence, firstDifference } from "./finding.js";
import type { PartyRecord, Recorded } from "./record.js";
import type { StandIns } from "./stand-ins.js";
import { pointName } from "./stand-ins.js";
import { notDue, tell } from "./tell.js";

/** What a party that has told its limits nowhere is taken to accept. */
const ANY_LIMITS: Limits = {
  minFeeratePerKw: perKw(0n),
  maxFeeratePerKw: perKw(0xffff_ffffn),
  maxToSelfDelay: 0xffff,
  maxDustLimitSatoshis: sat(21_000_000n * 100_000_000n),
  maxDustHtlcExposureMsat: msat(21_000_000n * 100_000_000_000n),
};

/** What the record shows of a party's secrets: never one that it has not given away. */
interface Shown {
  readonly basepoints: Basepoints | null;
  readonly points: ReadonlyMap<CommitmentNumber, Point<"per_commitment">>;
  /** Signatures that stand in its files and in no message: those of a close that the peer was to choose from. */
  readonly signatures: readonly Signature[];
}

/** A party as the replay sees it, at one moment. A value: what comes of it is another one. */
export interface View {
  readonly state: ChannelState | null;
  /** Its secrets that it has given away. */
  readonly released: ReadonlyMap<CommitmentNumber, Secret32<"per_commitment">>;
  /** What its revoked file holds. */
  readonly revoked: readonly RevokedHtlcs[];
  /** Which request ids without a message's number are still to come. */
  readonly requests: PartyRecord["requests"]["byWire"];
}

/** One of the two whose run is replayed: takes its steps again, with what the record shows in the place of its secrets. */
export class Actor {
  readonly record: PartyRecord;
  private readonly standIns: StandIns;
  private readonly shown: Shown;
  private readonly made = { local: new Set<string>(), remote: new Set<string>() };

  constructor(record: PartyRecord, standIns: StandIns) {
    this.record = record;
    this.standIns = standIns;
    this.shown = shownBy(record);
  }

  begin(): View {
    const { beginning, requests } = this.record;
    return {
      state: beginning?.state ?? null,
      released: beginning?.released ?? new Map(),
      revoked: beginning?.revoked ?? [],
      requests: requests.byWire,
    };
  }

  /** The party after it has sent a message, which its step must lead to byte for byte. Throws: LnError, Divergence. */
  tells(view: View, recorded: Recorded, message: Message, answered: Received | undefined): View {
    const { state } = view;
    const released = message.type === "revoke_and_ack" ? this.releases(view, message.perCommitmentSecret) : view.released;
    const request = this.requestOf(view, recorded);
    const { result: outcome, unfound } = this.standIns.signing([...signaturesIn(message), ...this.shown.signatures], () =>
      tell(state, message, {
        party: this.record.name,
        keys: this.keys(state, released),
        limits: this.record.limits ?? ANY_LIMITS,
        fundingPsbt: this.record.fundingPsbt,
        requestId: request,
        answered,
      }),
    );
    if (outcome.sent === null || outcome.repeated) throw notDue(message);
    requireSigned(message, unfound);
    requireSame(outcome.sent, { ...recorded, message });
    this.remember("local", message);
    return {
      ...view,
      state: outcome.state,
      released,
      requests: request === undefined ? view.requests : view.requests.filter(({ id }) => id !== request),
      revoked: view.revoked,
    };
  }

  /** The party after it has taken in a message, and what it sends again. Throws: LnError, Divergence. */
  hears(view: View, received: Received): { readonly view: View; readonly resent: readonly Sent[] } {
    const { state } = view;
    if (state === null) throw notDue(received.message);
    if (received.message.type === "channel_reestablish") {
      const { state: resumed, retransmitted } = resume(state, this.keys(state, view.released), received);
      return { view: { ...view, state: resumed }, resent: retransmitted };
    }
    const outcome = isOfClose(received.message)
      ? this.standIns.signing(this.shown.signatures, () => receiveOfClose(state, received)).result
      : receiveByType(state, received);
    if (outcome === null) throw notDue(received.message);
    this.remember("remote", received.message);
    return {
      view: { ...view, state: outcome.state, revoked: outcome.revoked === null ? view.revoked : [...view.revoked, outcome.revoked] },
      resent: [],
    };
  }

  /** The point of the party's number, where the record shows it. */
  pointOf(number: CommitmentNumber): Point<"per_commitment"> | undefined {
    return this.shown.points.get(number);
  }

  /** Stand-ins for the party's secrets in a moment. */
  keysAt({ state, released }: View): PartyKeys {
    return this.keys(state, released);
  }

  /** Whether a change was proposed in this run. */
  wasMade(by: Side, { content }: Change): boolean {
    return this.made[by].has(wordsOf(content));
  }

  private remember(by: Side, message: Message): void {
    if (isChangeMessage(message)) this.made[by].add(wordsOf(contentOf(message)));
  }

  private requestOf({ requests }: View, { seq, wire }: Recorded): string | undefined {
    const hex = wire === null ? null : toHex(wire);
    return this.record.requests.bySeq.get(seq) ?? requests.find((request) => request.wire === hex)?.id;
  }

  /** The secret that is given away must be that of the point that stands for its number. Throws: LnError, Divergence. */
  private releases({ state, released }: View, secret: Secret32<"per_commitment">): View["released"] {
    if (state === null || !isFunded(state)) throw notDue({ type: "revoke_and_ack" });
    const number = lowestUnreleased(state);
    const { point } = ownPoint(state, number);
    const given = pointOf(secret);
    if (given === null || !equalBytes(given, point)) {
      const fact = `per_commitment_secret is not that of commitment ${number}: its point is another than the one that was announced`;
      throw new Divergence({ kind: "secret", fact, expected: toHex(point), found: given === null ? "no secret of the curve" : toHex(given) });
    }
    return new Map([...released].filter(([known]) => known >= number - 2)).set(number, secret);
  }

  private keys(state: ChannelState | null, released: View["released"]): PartyKeys {
    const { name } = this.record;
    const { basepoints: known } = this.shown;
    const lowest = state !== null && isFunded(state) ? lowestUnreleased(state) : 0;
    return {
      fundingPrivkey: this.standIns.secretOf(`${name} funding`, known?.fundingPubkey),
      revocationBasepointSecret: this.standIns.secretOf(`${name} revocation_basepoint`, known?.revocationBasepoint),
      paymentBasepointSecret: this.standIns.secretOf(`${name} payment_basepoint`, known?.paymentBasepoint),
      delayedPaymentBasepointSecret: this.standIns.secretOf(`${name} delayed_payment_basepoint`, known?.delayedPaymentBasepoint),
      htlcBasepointSecret: this.standIns.secretOf(`${name} htlc_basepoint`, known?.htlcBasepoint),
      perCommitmentSeed: null,
      perCommitmentSecrets: [-2, -1, 0, 1, 2, 3]
        .map((by) => lowest + by)
        .filter((number) => number >= 0)
        .map((number) => ({
          number,
          secret: released.get(number) ?? this.standIns.secretOf<"per_commitment">(pointName(name, number), this.shown.points.get(number)),
        })),
    };
  }
}

function wordsOf(content: ChangeContent): string {
  return JSON.stringify(content, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value instanceof Uint8Array ? toHex(value) : value,
  );
}

function pointOf(secret: Secret32): Point | null {
  try {
    return publicKey(secret);
  } catch (error) {
    if (error instanceof LnError) return null;
    throw error;
  }
}

/** What a party has announced over the whole run: a step may need what only a later message shows. */
function shownBy({ messages, moments, beginning }: PartyRecord): Shown {
  let basepoints: Basepoints | null = beginning?.state.params.local ?? null;
  // The first revocation of the record is of this number
  const lowest = beginning === null ? 0 : lowestUnreleased(beginning.state);
  const points = new Map<CommitmentNumber, Point<"per_commitment">>();
  const revocations = new Set<string>();
  for (const { message, hash } of messages.values()) {
    // Sent again after a reconnection it is the same, and its bytes may have been kept only then
    if (message?.type === "revoke_and_ack" || (message === null && !revocations.has(hash))) {
      if (message !== null && !revocations.has(hash)) points.set(lowest + revocations.size + 2, message.nextPerCommitmentPoint);
      if (message !== null) revocations.add(hash);
    }
    switch (message?.type) {
      case "open_channel":
      case "accept_channel":
        basepoints ??= message;
        points.set(0, message.firstPerCommitmentPoint);
        break;
      case "channel_ready":
        points.set(1, message.secondPerCommitmentPoint);
        break;
      default:
    }
  }
  for (const { number, point } of beginning?.state.ownPoints ?? []) points.set(number, point);
  const files = moments.flatMap(({ shown }) => (shown.kind === "state" && shown.sound ? [shown.state] : []));
  for (const { number, point } of files.flatMap(({ ownPoints }) => ownPoints)) if (!points.has(number)) points.set(number, point);
  return { basepoints, points, signatures: files.flatMap(closingSignatures) };
}

function closingSignatures(state: ChannelState): readonly Signature[] {
  if (!isFunded(state)) return [];
  const { offers, signed } = requireFunded(state).closing;
  return SIDES.flatMap((side) => [
    ...(signed[side] === null ? [] : [signed[side].signatures.local]),
    ...CLOSING_OUTPUTS.flatMap((outputs) => offers.local?.signatures[outputs] ?? []),
  ]);
}

/** Those that its sender makes, in the order in which it makes them. */
function signaturesIn(message: Message): readonly Signature[] {
  switch (message.type) {
    case "commitment_signed":
      return [...message.htlcSignatures, message.signature];
    case "funding_created":
    case "funding_signed":
    case "closing_signed":
      return [message.signature];
    case "closing_complete":
    case "closing_sig":
      return [message.closerOutputOnly, message.closeeOutputOnly, message.closerAndCloseeOutputs].filter((one) => one !== undefined);
    default:
      return [];
  }
}

/** Throws: Divergence. */
function requireSigned(message: Message, unfound: readonly { readonly hash: Bytes32; readonly key: Point }[]): void {
  const [first] = unfound;
  // For variants of a close that the peer may yet choose no message shows the signature
  if (first === undefined || message.type === "closing_signed") return;
  const count = signaturesIn(message).length;
  const fact = `${unfound.length} of the signatures that are due is not among the ${count} that came: none is good for this hash with key ${toHex(first.key)}`;
  throw new Divergence({
    kind: "signature",
    fact,
    expected: `a signature of ${toHex(first.hash)}`,
    found: signaturesIn(message)
      .map((one) => toHex(one))
      .join(", "),
  });
}

/** What a step gives must be what was sent. Throws: Divergence. */
export function requireSame(sent: Sent, recorded: Recorded & { readonly message: Message }): void {
  if (sent.seq !== recorded.seq) {
    throw new Divergence({ kind: "differs", fact: "seq is another", expected: String(sent.seq), found: String(recorded.seq) });
  }
  if (equalBytes(encodeMessage(sent.message), encodeMessage(recorded.message))) return;
  const difference = firstDifference(printMessage(sent.message), printMessage(recorded.message));
  throw new Divergence({
    kind: "differs",
    fact: `${difference?.path ?? "wire"} is not what the messages before it lead to`,
    expected: difference?.expected ?? null,
    found: difference?.found ?? null,
  });
}
