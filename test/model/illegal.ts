import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, type Signature, bytes32, fromHex } from "../../src/protocol/bytes.js";
import { heldCommitments } from "../../src/protocol/channel/select.js";
import type { Change, FundedChannel } from "../../src/protocol/channel/state.js";
import { type Proposal, propose } from "../../src/protocol/channel/transitions/changes.js";
import { sign } from "../../src/protocol/channel/transitions/commit.js";
import { releaseFunding } from "../../src/protocol/channel/transitions/funding.js";
import { finishHtlcTx, forceClose, punish } from "../../src/protocol/channel/transitions/leave.js";
import { resume } from "../../src/protocol/channel/transitions/reestablish.js";
import { makeRevocation } from "../../src/protocol/channel/transitions/revoke.js";
import type { ErrorCode } from "../../src/protocol/errors.js";
import { ownSecret } from "../../src/protocol/keys/party-keys.js";
import { isHtlcOutput } from "../../src/protocol/tx/outputs.js";
import { Secret32 } from "../../src/protocol/secret.js";
import { msat, perKw } from "../../src/protocol/units.js";
import { type Message, encodeMessage } from "../../src/protocol/wire/messages.js";
import { KEYS, type Who, other } from "../chain/pair.js";
import { HOME } from "../chain/spendings.js";
import { costs, exposure, isTrimmed } from "./fees.js";
import { type By, type Reference, flip } from "./reference.js";
import type { World } from "./world.js";
import { taking } from "./world.js";

/** Something that a rule or the state forbids at this moment, and under which code. */
export interface Illegal {
  readonly what: string;
  readonly code: ErrorCode;
  readonly act: () => unknown;
}

const ONION = new Uint8Array(1366);
const HASH = bytes32(sha256(new Uint8Array(1)));
const UNKNOWN = 1_000_000n;
const add = (amount: bigint, cltvExpiry = 500): Proposal => ({
  kind: "add_htlc",
  amountMsat: msat(amount),
  paymentHash: HASH,
  cltvExpiry,
  onionRoutingPacket: ONION,
});
const pay = (amount: bigint): Proposal => ({ kind: "pay", amountMsat: msat(amount) });
const fee = (rate: bigint): Proposal => ({ kind: "update_fee", feeratePerKw: perKw(rate) });
const fail = (id: bigint): Proposal => ({ kind: "fail_htlc", id, failure: { kind: "reason", reason: new Uint8Array(0) } });
const malformed = (id: bigint, failureCode: number): Proposal => ({
  kind: "fail_htlc",
  id,
  failure: { kind: "malformed", failureCode, sha256OfOnion: HASH },
});
const fulfill = (id: bigint, paymentPreimage: Bytes32): Proposal => ({ kind: "fulfill_htlc", id, paymentPreimage });
/** Low in S, and good for nothing. */
const LOW = fromHex("11".repeat(64)) as Signature;
const WRONG = bytes32(new Uint8Array(32).fill(0xee));

/** The codes of `leaving`, which takes its time. */
const LEAVING = [
  "policy-broadcast-revoked",
  "policy-htlc-tx-before-close",
  "policy-penalty-not-revoked",
  "policy-vector-channel",
  "policy-force-closed",
  "policy-htlc-not-expired",
  "policy-preimage-mismatch",
  "tx-not-htlc-output",
  "state-preimage-unknown",
] as const satisfies readonly ErrorCode[];

/** Everything that `who` must not do, and must not let the other side do, as things are; where `wanted` does not want what takes long, without that. */
export function illegalFor(world: World, who: Who, wanted: (code: ErrorCode) => boolean): readonly Illegal[] {
  const { state, reference, link } = world.players[who];
  const scene: Scene = { world, who, state, reference };
  const always = [
    ...proposing(scene, "mine"),
    ...signing(scene),
    ...(LEAVING.some(wanted) ? leaving(scene) : []),
    ...elsewhere(scene),
    ...(state.messages.reestablishing ? [...reestablishing(scene), ...tooEarly(scene)] : [unannounced(scene)]),
  ];
  return link === "live" ? [...always, ...proposing(scene, "theirs"), ...receiving(scene)] : always;
}

interface Scene {
  readonly world: World;
  readonly who: Who;
  readonly state: FundedChannel;
  readonly reference: Reference;
}

/** A message of the peer's that it would be mad to send. */
function forged({ state }: Scene, message: Message, skip = 0): () => unknown {
  return () => taking(state, { message, wire: encodeMessage(message), seq: state.messages.lastReceived + 1 + skip });
}

/** The peer's words for a proposal. */
function worded({ state }: Scene, proposal: Proposal, id: bigint | null): Message {
  const { channelId, nextIds } = state;
  switch (proposal.kind) {
    case "pay":
      return { type: "pay", channelId, id: id ?? nextIds.remote.pay, amountMsat: proposal.amountMsat };
    case "add_htlc": {
      const { amountMsat, paymentHash, cltvExpiry, onionRoutingPacket } = proposal;
      return { type: "update_add_htlc", channelId, id: id ?? nextIds.remote.htlc, amountMsat, paymentHash, cltvExpiry, onionRoutingPacket };
    }
    case "fulfill_htlc":
      return { type: "update_fulfill_htlc", channelId, id: proposal.id, paymentPreimage: proposal.paymentPreimage };
    case "fail_htlc":
      return proposal.failure.kind === "reason"
        ? { type: "update_fail_htlc", channelId, id: proposal.id, reason: proposal.failure.reason }
        : {
            type: "update_fail_malformed_htlc",
            channelId,
            id: proposal.id,
            sha256OfOnion: proposal.failure.sha256OfOnion,
            failureCode: proposal.failure.failureCode,
          };
    case "update_fee":
      return { type: "update_fee", channelId, feeratePerKw: proposal.feeratePerKw };
  }
}

/** Proposals by either side: `mine` are made, `theirs` come in. BOLT 2 §Normal Operation. */
function proposing(scene: Scene, by: By): readonly Illegal[] {
  const { world, who, state, reference } = scene;
  const { plan } = world;
  const proposer = by === "mine" ? who : other(who);
  const accepter = other(proposer);
  const isOpener = proposer === plan.opener;
  const { htlcMinimumMsat: minimum, maxAcceptedHtlcs, maxInFlightMsat } = plan.parties[accepter];
  const illegal: Illegal[] = [];
  const refuse = (code: ErrorCode, proposal: Proposal, id: bigint | null = null): void => {
    const act = by === "mine" ? () => propose(state, proposal) : forged(scene, worded(scene, proposal, id));
    illegal.push({ what: `${by === "mine" ? "" : "a peer's "}${proposal.kind}${"id" in proposal ? ` ${proposal.id}` : ""}`, code, act });
  };

  const worst = (owner: By) =>
    // What the receiver has proposed and the proposer has not acknowledged, the proposer can't have known of
    by === "mine"
      ? reference.worst(owner, "mine")
      : reference.sum(
          owner,
          (side, stage, { kind }) => side === "theirs" || (stage >= 2 && (kind === "add" || kind === "fee")),
          (side, stage) => side === "mine" && stage < 2,
        );
  const [onOwn, onOther] = [worst(by), worst(flip(by))];
  const left = onOwn.balances[by] < onOther.balances[by] ? onOwn.balances[by] : onOther.balances[by];
  const reserve = plan.parties[accepter].reserveSat;

  refuse("policy-amount-zero", pay(0n));
  refuse("policy-amount-zero", add(0n));
  if (minimum > 1n) refuse("policy-htlc-minimum", add(minimum - 1n));
  refuse("policy-htlc-expiry", add(minimum, 500_000_000));
  refuse("policy-balance", pay(left + 1n));
  refuse("policy-balance", add(left + 1n > minimum ? left + 1n : minimum));
  if (left > 0n && reserve > 0n) {
    if (!isOpener) refuse("policy-reserve", pay(left));
    else if (costs(plan.type, 253n, 0) > 0n) refuse("policy-fee-unaffordable", pay(left));
    const free = (["mine", "theirs"] as const).map((owner) => {
      const { rate, htlcs, balances } = owner === by ? onOwn : onOther;
      const { dustLimitSat } = plan.parties[owner === "mine" ? who : other(who)];
      const untrimmed = htlcs.filter((htlc) => !isTrimmed(plan.type, rate, dustLimitSat, owner, htlc)).length;
      return balances[by] - costs(plan.type, rate, untrimmed) * 1000n;
    });
    const keeps = free.reduce((a, b) => (a < b ? a : b));
    if (isOpener && keeps > 0n) refuse("policy-reserve", pay(keeps));
  }

  const offered = worst(flip(by)).htlcs.filter((htlc) => htlc.by === by);
  const inFlight = offered.reduce((sum, { amount }) => sum + amount, 0n);
  if (offered.length === maxAcceptedHtlcs && left >= minimum && inFlight + minimum <= maxInFlightMsat) refuse("policy-htlc-count", add(minimum));
  const room = maxInFlightMsat - inFlight + 1n;
  if (offered.length < maxAcceptedHtlcs && left >= room && room >= minimum) refuse("policy-htlc-in-flight", add(room));

  refuse("state-htlc-unknown", fulfill(UNKNOWN, WRONG));
  refuse("state-htlc-unknown", fail(UNKNOWN));
  for (const id of reference.tooEarly(flip(by)).slice(0, 2)) {
    refuse("policy-htlc-not-committed", fail(id));
    refuse("policy-htlc-not-committed", malformed(id, 0xc005));
  }
  for (const id of reference.ending(by).slice(0, 2)) refuse("policy-htlc-removed-twice", fail(id));
  for (const { id } of reference.removable(by).slice(0, 2)) {
    refuse("policy-preimage-mismatch", fulfill(id, WRONG));
    refuse("policy-badonion", malformed(id, 0x4004));
  }
  if (isOpener) {
    refuse("policy-feerate-range", fee(plan.maxFeerate + 1n));
    refuse("policy-feerate-range", fee(plan.minFeerate - 1n));
    if (left / 1000n < costs(plan.type, plan.maxFeerate, 0)) refuse("policy-fee-unaffordable", fee(plan.maxFeerate));
  } else {
    refuse("policy-fee-not-opener", fee(1000n));
  }

  if (by === "mine") {
    const amount = minimum > 1n ? minimum : 1n;
    const limit = plan.parties[who].maxDustExposureMsat;
    const added = { by, id: 0n, amount, hash: "", expiry: 0 };
    const exposed = (["mine", "theirs"] as const).some((owner) => {
      const sum = reference.eventual(owner);
      return (
        exposure(plan.type, { ...sum, htlcs: [...sum.htlcs, added] }, plan.parties[owner === "mine" ? who : other(who)].dustLimitSat, owner) > limit
      );
    });
    if (plan.buffered && exposed && offered.length < maxAcceptedHtlcs && world.payable(who) >= amount && room > amount)
      refuse("policy-dust-exposure", add(amount));
  } else {
    refuse("policy-change-id", pay(1n), state.nextIds.remote.pay + 1n);
    refuse("policy-change-id", add(minimum), state.nextIds.remote.htlc + 1n);
  }
  return illegal;
}

/** Signing and revoking at the wrong time. */
function signing({ who, state, reference }: Scene): readonly Illegal[] {
  const { signed, revocationsTaken, revoked } = reference.count;
  const illegal: Illegal[] = [];
  if (signed > revocationsTaken && reference.hasNews("theirs"))
    illegal.push({ what: "a third unrevoked one is signed", code: "policy-sign-unrevoked", act: () => sign(state, KEYS[who]) });
  if (signed === 0 && !reference.hasNews("theirs"))
    illegal.push({ what: "nothing new is signed", code: "policy-sign-no-changes", act: () => sign(state, KEYS[who]) });
  if (revoked === 0 && !reference.mayRevoke)
    illegal.push({ what: "the newest is revoked", code: "policy-revoke-unverified", act: () => makeRevocation(state, KEYS[who]) });
  return illegal;
}

/** Signatures and revocations of the peer's. */
function receiving(scene: Scene): readonly Illegal[] {
  const { world, who, state, reference } = scene;
  const { channelId } = state;
  const { signed, revocationsTaken } = reference.count;
  const illegal: Illegal[] = [];
  const refuse = (code: ErrorCode, what: string, message: Message, skip = 0): void => {
    illegal.push({ what, code, act: forged(scene, message, skip) });
  };
  const signature = LOW;
  const signedByThem: Message = { type: "commitment_signed", channelId, signature, htlcSignatures: [] };
  if (reference.mayRevoke) refuse("policy-commitment-unanswered", "a second commitment_signed", signedByThem);
  else if (!reference.hasNews("mine")) refuse("policy-commitment-no-changes", "a commitment_signed of nothing", signedByThem);
  else if (world.plan.buffered) refuse("state-signature-invalid", "a bad signature", signedByThem);

  const revoking = (secret: Uint8Array): Message => ({
    type: "revoke_and_ack",
    channelId,
    perCommitmentSecret: new Secret32(secret),
    nextPerCommitmentPoint: state.params.remote.fundingPubkey as never,
  });
  if (signed === revocationsTaken) refuse("policy-revocation-unexpected", "a revocation of the newest", revoking(new Uint8Array(32).fill(1)));
  else {
    refuse("policy-revocation-wrong-secret", "a secret of nothing", revoking(new Uint8Array(32).fill(1)));
    const later = ownSecret(KEYS[other(who)], revocationsTaken + 1).reveal();
    refuse("policy-revocation-wrong-secret", "the next secret", revoking(later));
  }
  refuse("state-message-gap", "a message too early", signedByThem, 1);
  refuse("state-wrong-channel", "a message for another channel", { ...signedByThem, channelId: WRONG });

  const [head] = world.queues[who];
  if (head?.message.type === "commitment_signed" && world.plan.buffered) {
    const { message } = head;
    const changed = (change: Partial<typeof message>): Message => ({ ...message, ...change });
    const flipped = (bytes: Signature): Signature => Uint8Array.from(bytes, (byte, at) => (at === 40 ? byte ^ 1 : byte)) as Signature;
    refuse("state-signature-invalid", "a signature one bit off", changed({ signature: flipped(message.signature) }));
    refuse("state-signature-high-s", "a high S", changed({ signature: highS(message.signature) }));
    refuse("state-htlc-signature-count", "one too many", changed({ htlcSignatures: [...message.htlcSignatures, signature] }));
    const [first, ...rest] = message.htlcSignatures;
    if (first !== undefined) {
      refuse("state-htlc-signature-count", "one too few", changed({ htlcSignatures: rest }));
      refuse("state-htlc-signature-invalid", "an HTLC signature one bit off", changed({ htlcSignatures: [flipped(first), ...rest] }));
      refuse("state-signature-high-s", "a high S for an HTLC", changed({ htlcSignatures: [highS(first), ...rest] }));
    }
    refuse("state-wrong-funding", "a signature for another funding", changed({ fundingTxid: WRONG as never }));
  }
  return illegal;
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The other signature that is as good to the curve, and not to the network. */
function highS(bytes: Signature): Signature {
  const s = bytes.subarray(32).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return fromHex(
    Array.from(bytes.subarray(0, 32), (byte) => byte.toString(16).padStart(2, "0")).join("") + (ORDER - s).toString(16).padStart(64, "0"),
  ) as Signature;
}

/** Leaving with anything but the newest commitment, and what is forbidden once it is signed for broadcast. */
function leaving(scene: Scene): readonly Illegal[] {
  const { world, who, state, reference } = scene;
  const { current } = state.fundings[0].local;
  if (current === null) return [];
  const keys = KEYS[who];
  const illegal: Illegal[] = [
    { what: "a later one is closed with", code: "policy-broadcast-revoked", act: () => forceClose(state, keys, current.number + 1) },
    { what: "an HTLC transaction before the close", code: "policy-htlc-tx-before-close", act: () => finishHtlcTx(state, keys, 0, null, 1) },
  ];
  if (current.number > 0)
    illegal.push({ what: "the one before is closed with", code: "policy-broadcast-revoked", act: () => forceClose(state, keys, current.number - 1) });
  for (const { standing, commitment } of heldCommitments(state, "remote").slice(-1)) {
    const identity = { kind: "held", owner: "remote", standing, commitment } as const;
    illegal.push({
      what: "the current one is punished",
      code: "policy-penalty-not-revoked",
      act: () => punish(state, keys, identity, HOME, perKw(253n)),
    });
    const example: FundedChannel = { ...state, purpose: "vector" };
    illegal.push({ what: "a test case is punished", code: "policy-vector-channel", act: () => punish(example, keys, identity, HOME, perKw(253n)) });
  }

  const closing = forceClose(state, keys);
  const closed = closing.state;
  illegal.push({ what: "a payment after the close", code: "policy-force-closed", act: () => propose(closed, pay(1n)) });
  if (reference.maySign) illegal.push({ what: "a signature after the close", code: "policy-force-closed", act: () => sign(closed, keys) });
  const { outputs } = closing.commitment;
  for (const [index, output] of outputs.entries()) {
    if (!isHtlcOutput(output)) {
      illegal.push({ what: "no HTLC's transaction", code: "tx-not-htlc-output", act: () => finishHtlcTx(closed, keys, index, null, 1) });
      continue;
    }
    const { cltvExpiry, paymentHash } = output.htlc;
    const expired = () => finishHtlcTx(closed, keys, index, null, cltvExpiry - 1);
    if (output.kind === "offered_htlc") illegal.push({ what: "a timeout too early", code: "policy-htlc-not-expired", act: expired });
    else {
      illegal.push({ what: "another preimage", code: "policy-preimage-mismatch", act: () => finishHtlcTx(closed, keys, index, WRONG, null) });
      const known = state.knownPreimages.some((preimage) => world.isPreimageOf(preimage, paymentHash));
      if (!known) illegal.push({ what: "no preimage", code: "state-preimage-unknown", act: () => finishHtlcTx(closed, keys, index, null, null) });
    }
  }
  return illegal;
}

/** The same state with one thing other than it is: what only other circumstances forbid. */
function elsewhere(scene: Scene): readonly Illegal[] {
  const { world, who, state, reference } = scene;
  const keys = KEYS[who];
  const [funding] = state.fundings;
  const flagged = (flags: Partial<FundedChannel["flags"]>): FundedChannel => ({ ...state, flags: { ...state.flags, ...flags } });
  const behind = flagged({ behind: true });
  const unsigned: FundedChannel = { ...state, fundings: [{ ...funding, local: { current: null, previous: null } }] };
  const crowd = new Array<Change>(483).fill({ content: { kind: "pay", id: 0n, amountMsat: msat(1n) }, stage: "proposed" });
  const refusedPays: readonly (readonly [ErrorCode, FundedChannel])[] = [
    ["policy-behind", behind],
    ["policy-closing-signed", flagged({ closingSigned: true })],
    ["policy-shutdown", flagged({ shutdownSent: true })],
    ["policy-pay-not-agreed", { ...state, payExtension: false }],
    ["policy-channel-not-open", { ...state, phase: "funded" }],
    ["policy-pending-limit", { ...state, changes: { ...state.changes, local: crowd } }],
  ];
  const illegal: Illegal[] = refusedPays.map(([code, other]) => ({ what: "a payment in another state", code, act: () => propose(other, pay(1n)) }));
  illegal.push(
    { what: "closing behind", code: "policy-broadcast-behind", act: () => forceClose(behind, keys) },
    { what: "closing unsigned", code: "policy-broadcast-unverified", act: () => forceClose(unsigned, keys) },
    { what: "funding unsigned", code: "policy-funding-unverified", act: () => releaseFunding(unsigned) },
    { what: "an HTLC after shutdown", code: "policy-shutdown", act: () => propose(flagged({ shutdownSent: true }), add(1_000_000n)) },
  );
  if (reference.maySign)
    illegal.push(
      { what: "signing without a point", code: "policy-sign-point-unknown", act: () => sign({ ...state, remoteNextPoint: null }, keys) },
      { what: "signing behind", code: "policy-behind", act: () => sign(behind, keys) },
      { what: "signing after a close", code: "policy-closing-signed", act: () => sign(flagged({ closingSigned: true }), keys) },
    );
  // As if the opener had got past every check with a payment of all that it has
  const { signed, revocationsTaken } = reference.count;
  const opener = state.opener;
  const owner = opener === "local" ? "theirs" : "mine";
  const { balances, htlcs } = reference.sum(owner);
  const all = balances[opener === "local" ? "mine" : "theirs"];
  // What is trimmed goes to the fee, and may suffice
  const free = htlcs.length === 0;
  const emptied: readonly Change[] = [{ content: { kind: "pay", id: 0n, amountMsat: msat(all) }, stage: "proposed" }];
  const broke: FundedChannel = { ...state, changes: { local: [], remote: [], [opener]: emptied } };
  if (free && opener === "local" && signed === revocationsTaken)
    illegal.push({ what: "signing what pays no fee", code: "policy-commitment-underpaid", act: () => sign(broke, keys) });
  if (free && opener === "remote" && !reference.mayRevoke && world.players[who].link === "live") {
    const message: Message = { type: "commitment_signed", channelId: state.channelId, signature: LOW, htlcSignatures: [] };
    illegal.push({
      what: "a commitment_signed that pays no fee",
      code: "policy-commitment-underpaid",
      act: forged({ ...scene, state: broke }, message),
    });
  }
  if (reference.mayRevoke) {
    const broadcast = flagged({ forceClosed: funding.local.previous?.number ?? 0 });
    illegal.push(
      { what: "revoking what was broadcast", code: "policy-revoke-broadcast", act: () => makeRevocation(broadcast, keys) },
      { what: "revoking behind", code: "policy-behind", act: () => makeRevocation(behind, keys) },
    );
  }
  return illegal;
}

/** The peer's channel_reestablish, handed over. */
function saidBy({ who, state }: Scene): (nextCommitment: number, nextRevocation: number, secret: Uint8Array) => () => unknown {
  return (nextCommitment, nextRevocation, secret) => {
    const message: Message = {
      type: "channel_reestablish",
      channelId: state.channelId,
      nextCommitmentNumber: BigInt(nextCommitment),
      nextRevocationNumber: BigInt(nextRevocation),
      yourLastPerCommitmentSecret: new Secret32(secret),
      myCurrentPerCommitmentPoint: state.params.remote.fundingPubkey as never,
    };
    return () => resume(state, KEYS[who], { message, wire: encodeMessage(message), seq: state.messages.lastReceived + 1 });
  };
}

/** The secret that a peer shows which holds so many of our revocations. */
function secretOf({ who }: Scene, count: number): Uint8Array {
  return count === 0 ? new Uint8Array(32) : ownSecret(KEYS[who], count - 1).reveal();
}

/** The peer's channel_reestablish before our own. BOLT 2 §Message Retransmission. */
function unannounced(scene: Scene): Illegal {
  const { revoked, signed } = scene.reference.count;
  const act = saidBy(scene)(signed + 1, revoked, secretOf(scene, revoked));
  return { what: "a channel_reestablish before ours", code: "state-reestablish-first", act };
}

/** What waits until the peer's channel_reestablish has come. BOLT 2 §Message Retransmission. */
function tooEarly(scene: Scene): readonly Illegal[] {
  const { who, state, reference } = scene;
  const code = "state-reestablishing";
  const illegal: Illegal[] = [{ what: "a peer's message too early", code, act: forged(scene, worded(scene, pay(1n), null)) }];
  if (reference.mayRevoke) illegal.push({ what: "revoking too early", code, act: () => makeRevocation(state, KEYS[who]) });
  if (reference.maySign) illegal.push({ what: "signing too early", code, act: () => sign(state, KEYS[who]) });
  return illegal;
}

/** What a peer can't say after a disconnect. BOLT 2 §Message Retransmission. */
function reestablishing(scene: Scene): readonly Illegal[] {
  const { revoked, signed, revocationsTaken } = scene.reference.count;
  const said = saidBy(scene);
  const illegal: Illegal[] = [
    { what: "next_commitment_number 0", code: "state-peer-asks-fail", act: said(0, revoked, secretOf(scene, revoked)) },
    { what: "a commitment never signed", code: "state-reestablish-number", act: said(signed + 2, revoked, secretOf(scene, revoked)) },
    { what: "a wrong secret", code: "state-reestablish-secret", act: said(signed + 1, revoked, WRONG) },
    { what: "a wrong secret of the future", code: "state-reestablish-secret", act: said(signed + 1, revoked + 1, WRONG) },
  ];
  if (signed === revocationsTaken && signed > 0)
    illegal.push({ what: "a revoked commitment once more", code: "state-reestablish-number", act: said(signed, revoked, secretOf(scene, revoked)) });
  if (revoked >= 2)
    illegal.push({
      what: "a peer that has lost revocations",
      code: "state-peer-behind",
      act: said(signed + 1, revoked - 2, secretOf(scene, revoked - 2)),
    });
  return illegal;
}
