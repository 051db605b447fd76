import { sha256 } from "@noble/hashes/sha2.js";
import { type Signature, bytes32, fromHex, toHex } from "../../../src/protocol/bytes.js";
import { selectCommitment } from "../../../src/protocol/channel/select.js";
import type { FundedChannel } from "../../../src/protocol/channel/state.js";
import type { Proposal } from "../../../src/protocol/channel/transitions/changes.js";
import type { Cause } from "../../../src/protocol/diagnose/suspect.js";
import type { Variant } from "../../../src/protocol/diagnose/variant.js";
import { obscuringFactor } from "../../../src/protocol/tx/commitment-number.js";
import { type Commitment, buildCommitment } from "../../../src/protocol/tx/commitment-tx.js";
import { FORMATS } from "../../../src/protocol/tx/format.js";
import { opposite } from "../../../src/protocol/side.js";
import { Secret32 } from "../../../src/protocol/secret.js";
import { CHANNEL_TYPES } from "../../../src/protocol/tx/channel-type.js";
import { sighash, signHash } from "../../../src/protocol/tx/sign.js";
import type { CommitmentSpec, Htlc } from "../../../src/protocol/tx/spec.js";
import { msat, perKw } from "../../../src/protocol/units.js";
import { KEYS, type Who, other } from "../../chain/pair.js";
import { DirectChannel, openBetween } from "../../model/channel.js";
import type { Draw } from "../../model/random.js";

/** A commitment of which a signature is not good, and what the party that is to say why knows of it. */
export interface Scene {
  /** Whose state it is. */
  readonly party: Who;
  /** `local`: the party waits for the peer's signature of its own commitment; `remote`: the peer refuses the party's. */
  readonly owner: "local" | "remote";
  readonly signer: Who;
  readonly state: FundedChannel;
  readonly base: Variant;
  /** What the signer has and the commitment lacks: a proposal of the party's that is not acknowledged yet. */
  readonly tooEarly: Proposal | null;
}

const HASHES = [1, 2, 3].map((fill) => bytes32(sha256(new Uint8Array(32).fill(fill))));

/** A channel with 0 to 20 HTLCs of both sides in all sizes, half-sent changes and two earlier commitments; either side's commitment, seen by either. */
export function randomScene(draw: Draw): Scene {
  const party = draw.oneOf(["alice", "bob"] as const);
  const owner = draw.oneOf(["local", "remote"] as const);
  const type = draw.oneOf(CHANNEL_TYPES);
  const feerate = BigInt(500 + draw.below(4000));
  const { hasFeerate, maxAcceptedHtlcs } = FORMATS[type];
  const terms = {
    dustLimitSat: 354n,
    maxInFlightMsat: 10_000_000_000n,
    reserveSat: 10_000n,
    htlcMinimumMsat: 1n,
    toSelfDelay: 144,
    maxAcceptedHtlcs,
    maxDustExposureMsat: 50_000_000n,
  };
  const states = openBetween({
    type,
    opener: draw.oneOf(["alice", "bob"] as const),
    fundingSat: 10_000_000n,
    pushSat: 4_000_000n,
    feerate: hasFeerate ? feerate : 0n,
    minFeerate: 253n,
    maxFeerate: 25_000n,
    parties: { alice: { ...terms, dustLimitSat: 546n, toSelfDelay: 300 }, bob: terms },
  });
  const channel = new DirectChannel(states);
  const add = (): Proposal => ({
    kind: "add_htlc",
    // Odd ones, so that what rounds them otherwise shows
    amountMsat: msat(BigInt(draw.oneOf([800_501, 2_500_777, 40_000_333, 90_000_999]) + draw.below(500))),
    paymentHash: draw.oneOf(HASHES),
    cltvExpiry: 500 + draw.below(100),
    onionRoutingPacket: new Uint8Array(1366),
  });
  const count = draw.below(MOST_HTLCS + 1);
  for (let at = 1; at < count; at++) channel.propose(draw.oneOf(["alice", "bob"] as const), add());
  for (const signer of ["alice", "bob", "alice"] as const) if (canSign(channel, signer)) channel.commit(signer);
  // In the next commitment of the side that did not propose it
  if (count > 0) channel.propose(owner === "local" ? other(party) : party, add());
  let tooEarly: Proposal | null = null;
  if (owner === "local" && draw.chance(0.5)) {
    tooEarly = add();
    channel.propose(party, tooEarly);
  }
  const state = channel.states[party];
  const { commitment } = selectCommitment(state, owner);
  const base = {
    terms: commitment.terms,
    number: commitment.number,
    spec: commitment.spec,
    point: commitment.keys.perCommitmentPoint,
    departures: {},
  };
  return { party, owner, signer: owner === "local" ? other(party) : party, state, base, tooEarly };
}

/** As many HTLCs as a scene has at most. */
export const MOST_HTLCS = 20;

function canSign(channel: DirectChannel, signer: Who): boolean {
  const { changes } = channel.states[signer];
  return changes.local.some(({ stage }) => stage === "proposed") || changes.remote.some(({ stage }) => stage === "acked");
}

/** How a signer makes its signature; a mistake changes something in it. */
interface Making {
  readonly terms: Variant["terms"];
  readonly number: number;
  readonly point: Variant["point"];
  readonly spec: CommitmentSpec;
  readonly sighashType: number;
  readonly secret: Uint8Array;
  readonly edit: (tx: Commitment["unsigned"], commitment: Commitment) => void;
  readonly highS: boolean;
}

/** Something done wrong; null where it can't be in this scene. */
export interface Mistake {
  readonly cause: Cause;
  readonly make: (making: Making, scene: Scene, draw: Draw) => Making | null;
}

const withSpec = (making: Making, spec: Partial<CommitmentSpec>): Making => ({ ...making, spec: { ...making.spec, ...spec } });
const withTerms = (making: Making, terms: Partial<Making["terms"]>): Making => ({ ...making, terms: { ...making.terms, ...terms } });
const ceil = (amount: bigint) => msat(-(-amount / 1000n - (amount % 1000n === 0n ? 0n : 1n)) * 1000n);
const drawn = ({ spec }: Making, draw: Draw): Htlc | null => (spec.htlcs.length === 0 ? null : draw.oneOf(spec.htlcs));

/** What goes wrong between implementations, each made here without a word of the search that is to find it. */
export const MISTAKES: readonly Mistake[] = [
  {
    cause: "feerate",
    make: (making, _, draw) => {
      const feeratePerKw = perKw(BigInt(253 + draw.below(6000)));
      return making.terms.format.hasFeerate ? withSpec(making, { feeratePerKw }) : null;
    },
  },
  {
    cause: "htlc_missing",
    make: (making, _, draw) => {
      const gone = drawn(making, draw);
      if (gone === null) return null;
      const { balances, htlcs } = making.spec;
      const to = draw.oneOf(["local", "remote"] as const);
      return withSpec(making, {
        htlcs: htlcs.filter((htlc) => htlc !== gone),
        balances: { ...balances, [to]: msat(balances[to] + gone.amountMsat) },
      });
    },
  },
  {
    cause: "change_stage",
    make: (making, { tooEarly, state }) => {
      if (tooEarly?.kind !== "add_htlc") return null;
      const { amountMsat, paymentHash, cltvExpiry } = tooEarly;
      const { balances, htlcs } = making.spec;
      const id = state.nextIds.local.htlc - 1n;
      return withSpec(making, {
        htlcs: [...htlcs, { id, offeredBy: "local", amountMsat, paymentHash, cltvExpiry }],
        balances: { ...balances, local: msat(balances.local - amountMsat) },
      });
    },
  },
  {
    cause: "htlc_extra",
    make: (making, _, draw) => {
      const twice = drawn(making, draw);
      return twice === null ? null : withSpec(making, { htlcs: [...making.spec.htlcs, { ...twice }] });
    },
  },
  { cause: "commitment_number", make: (making, _, draw) => ({ ...making, number: Math.max(0, making.number + draw.oneOf([-1, 1])) }) },
  {
    cause: "rounding",
    make: (making, _, draw) => {
      const { balances, htlcs } = making.spec;
      return draw.chance(0.5)
        ? withSpec(making, { htlcs: htlcs.map((htlc) => ({ ...htlc, amountMsat: ceil(htlc.amountMsat) })) })
        : withSpec(making, { balances: { ...balances, local: ceil(balances.local) } });
    },
  },
  { cause: "dust_limit", make: (making, { state, owner }) => withTerms(making, { dustLimit: state.params[opposite(owner)].dustLimitSatoshis }) },
  {
    cause: "output_order",
    make: (making) => ({
      ...making,
      // The tie of equal amounts broken the other way round, or nothing sorted but the amounts
      edit: (tx) => {
        tx.outs.sort((a, b) => (a.value === b.value ? Buffer.compare(b.script, a.script) : a.value < b.value ? -1 : 1));
      },
    }),
  },
  {
    cause: "channel_type",
    make: (making, _, draw) => {
      const type = draw.oneOf(CHANNEL_TYPES);
      return type === making.terms.format.channelType ? null : withTerms(making, { format: FORMATS[type] });
    },
  },
  { cause: "sighash_type", make: (making, _, draw) => ({ ...making, sighashType: draw.oneOf([0x02, 0x03, 0x81, 0x83]) }) },
  {
    cause: "basepoints",
    make: (making, _, draw) => {
      const { local, remote } = making.terms.basepoints;
      const name = draw.oneOf(["revocationBasepoint", "delayedPaymentBasepoint", "htlcBasepoint"] as const);
      return withTerms(making, { basepoints: { local: { ...local, [name]: remote[name] }, remote: { ...remote, [name]: local[name] } } });
    },
  },
  {
    cause: "signer",
    make: (making, { signer }, draw) => {
      const { htlcBasepointSecret, paymentBasepointSecret } = KEYS[signer];
      const secret = draw.oneOf([htlcBasepointSecret, paymentBasepointSecret]);
      return secret === null ? null : { ...making, secret: secret.reveal() };
    },
  },
  { cause: "high_s", make: (making) => ({ ...making, highS: true }) },
  { cause: "to_self_delay", make: (making, { state, owner }) => withTerms(making, { toSelfDelay: state.params[owner].toSelfDelay }) },
  {
    cause: "balances",
    make: (making) => {
      const { local, remote } = making.spec.balances;
      return withSpec(making, { balances: { local: remote, remote: local } });
    },
  },
  {
    cause: "obscuring",
    make: (making) => ({
      ...making,
      edit: (tx, { terms, number }) => {
        const { local, remote } = terms.basepoints;
        const [first, second] = terms.opener === "local" ? [remote, local] : [local, remote];
        const hidden = BigInt(number) ^ obscuringFactor(first.paymentBasepoint, second.paymentBasepoint);
        tx.locktime = 0x20000000 + Number(hidden & 0xffffffn);
        for (const input of tx.ins) input.sequence = 0x80000000 + Number(hidden >> 24n);
      },
    }),
  },
  {
    cause: "fee",
    make: (making) => {
      const { balances } = making.spec;
      const { opener } = making.terms;
      return withSpec(making, { balances: { ...balances, [opener]: msat(balances[opener] - 1000n) } });
    },
  },
];

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The signature of a signer with these mistakes; null where one can't be made, or all of them come to the right signature. */
export function signedWith(mistakes: readonly Mistake[], scene: Scene, draw: Draw): Signature | null {
  const { base, signer } = scene;
  const { terms, number, point, spec } = base;
  const right: Making = {
    terms,
    number,
    point,
    spec,
    sighashType: 1,
    secret: KEYS[signer].fundingPrivkey!.reveal(),
    edit: () => undefined,
    highS: false,
  };
  let making: Making | null = right;
  for (const { make } of mistakes) making = making === null ? null : make(making, scene, draw);
  if (making === null) return null;
  const signature = finish(making);
  return toHex(signature) === toHex(finish(right)) ? null : signature;
}

function finish({ terms, number, point, spec, sighashType, secret, edit, highS }: Making): Signature {
  const commitment = buildCommitment(terms, number, point, spec);
  const tx = commitment.unsigned.clone();
  edit(tx, commitment);
  const digest = sighash(tx, 0, { lock: commitment.fundingLock, amount: terms.funding.amount }, sighashType);
  const signature = signHash(digest, new Secret32(secret));
  if (!highS) return signature;
  const s = ORDER - BigInt(`0x${toHex(signature.subarray(32))}`);
  return fromHex(toHex(signature.subarray(0, 32)) + s.toString(16).padStart(64, "0")) as Signature;
}
