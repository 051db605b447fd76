import type { Signature } from "../../protocol/bytes.js";
import { toHex } from "../../protocol/bytes.js";
import { negateS } from "../../protocol/keys/scalar.js";
import { MAX_COMMITMENT_NUMBER, perCommitmentSecret } from "../../protocol/keys/shachain.js";
import { type Side, SIDES, opposite } from "../../protocol/side.js";
import { FORMATS } from "../../protocol/tx/format.js";
import type { CaseInputs } from "../case-document.js";
import { type SignedCase, der, integer, shown } from "../case.js";
import type { ChannelType } from "../../protocol/tx/channel-type.js";
import { type Draft, anyHtlc, costsOf, feerateOf, thresholdOf } from "./draft.js";
import type { NumberStream } from "./number-stream.js";

/** A case before its attempt is worded: the inputs so far, read and (when asked for) signed. */
export interface Worded {
  readonly inputs: CaseInputs;
  readonly signed: () => SignedCase;
}

/** The JSON of `case.limits`. */
interface Limits extends Record<Side, SideLimits> {
  min_feerate_per_kw: number;
  max_feerate_per_kw: number;
  max_dust_htlc_exposure_msat: number | string;
}

interface SideLimits {
  channel_reserve_satoshis: number | string;
  htlc_minimum_msat: number | string;
  max_htlc_value_in_flight_msat: number | string;
  max_accepted_htlcs: number;
}

type Attempt = Readonly<Record<string, unknown>>;

/** How a case comes to be refused with one tag and no other: what it changes of the draft, then of the limits, and what is attempted. */
export interface Refusal {
  readonly prepare?: (draft: Draft, stream: NumberStream) => void;
  readonly attempt: (worded: Worded, limits: Limits, stream: NumberStream) => Attempt;
}

/** A channel in which everything is allowed: nothing but the one attempt is to be refused. */
export function healthy(draft: Draft, stream: NumberStream): void {
  draft.feerate = feerateOf(draft.channelType, stream.pick([253n, 500n, 1000n]));
  draft.dustLimit = stream.pick([354n, 546n]);
  draft.number = stream.integer(1, MAX_COMMITMENT_NUMBER - 2);
  for (const side of SIDES) draft.main[side] = stream.between(5_000_000n, 50_000_000n);
  for (const direction of ["offered", "received", stream.pick(["offered", "received"] as const)] as const) addUntrimmed(draft, stream, direction);
}

function addUntrimmed(draft: Draft, stream: NumberStream, direction: "offered" | "received"): void {
  const amountMsat = (2n * thresholdOf(draft, direction) + stream.between(1000n, 500_000n)) * 1000n + stream.between(0n, 999n);
  draft.htlcs.push({ ...anyHtlc(draft, stream, direction), amountMsat });
}

export function ordinaryLimits(): Limits {
  const side = (): SideLimits => ({
    channel_reserve_satoshis: 10_000,
    htlc_minimum_msat: 1,
    max_htlc_value_in_flight_msat: 2_100_000_000_000_000,
    max_accepted_htlcs: 483,
  });
  return { local: side(), remote: side(), min_feerate_per_kw: 253, max_feerate_per_kw: 50_000, max_dust_htlc_exposure_msat: 5_000_000_000 };
}

/** An HTLC that nothing speaks against, but for what is changed. */
function addHtlc(stream: NumberStream, by: Side, amountMsat: bigint, cltvExpiry = stream.integer(500_000, 900_000)): Attempt {
  return { act: "add_htlc", by, amount_msat: integer(amountMsat), cltv_expiry: cltvExpiry, payment_hash: toHex(stream.bytes(32)) };
}

const ORDINARY_MSAT = 10_000_000n;

function balanceOf({ toLocalMsat, toRemoteMsat }: CaseInputs, side: Side): bigint {
  return side === "local" ? toLocalMsat : toRemoteMsat;
}

const accepterOf = ({ opener }: Pick<CaseInputs, "opener">): Side => opposite(opener);

function offeredBy({ htlcs }: CaseInputs, by: Side): CaseInputs["htlcs"] {
  return htlcs.filter(({ direction }) => direction === (by === "local" ? "offered" : "received"));
}

/** What the commitment costs with one more HTLC output, in satoshis. */
function costsWithOneMore({ channelType, feeratePerKw, htlcs }: CaseInputs): bigint {
  const { commitmentWeight, htlcOutputWeight, anchorsCost } = FORMATS[channelType];
  return (feeratePerKw * (commitmentWeight + htlcOutputWeight * BigInt(htlcs.length + 1))) / 1000n + anchorsCost;
}

function signatures(
  { signed }: Worded,
  change: (commitment: Signature, htlcs: readonly Signature[]) => readonly [Signature, readonly Signature[]],
): Attempt {
  const { countersignerSignature, htlcTxs } = signed();
  const [commitment, htlcs] = change(
    countersignerSignature,
    htlcTxs.map((one) => one.countersignerSignature),
  );
  return { act: "commitment_signed", signature_der: der(commitment), htlc_signatures_der: htlcs.map(der) };
}

/** Scripts that no shutdown names: a bare key hash's length wrong, a bare OP_TRUE, a push of nothing. BOLT 2 §Closing Initiation: `shutdown`. */
const BAD_SCRIPTS = ["0013000102030405060708090a0b0c0d0e0f101112", "51", "", "6a", "4c"];

const WITNESS_KEY_HASH = "0014";

const withoutHtlcs = (draft: Draft): void => {
  draft.htlcs = [];
};

/** By the tag that each is refused with. Their order is part of what a seed stands for. */
export const REFUSALS: Readonly<Record<string, Refusal>> = {
  "policy-amount-zero": { attempt: (_, __, stream) => addHtlc(stream, stream.pick(SIDES), 0n) },
  "policy-htlc-minimum": {
    attempt: (_, limits, stream) => {
      const by = stream.pick(SIDES);
      const minimum = stream.between(2n, 100_000n);
      limits[opposite(by)].htlc_minimum_msat = integer(minimum);
      return addHtlc(stream, by, minimum - 1n);
    },
  },
  "policy-htlc-expiry": {
    attempt: (_, __, stream) => addHtlc(stream, stream.pick(SIDES), ORDINARY_MSAT, stream.pick([500_000_000, 500_000_001, 0xffffffff])),
  },
  "policy-htlc-count": {
    attempt: ({ inputs }, limits, stream) => {
      const by = stream.pick(SIDES);
      limits[opposite(by)].max_accepted_htlcs = offeredBy(inputs, by).length;
      return addHtlc(stream, by, ORDINARY_MSAT);
    },
  },
  "policy-htlc-in-flight": {
    attempt: ({ inputs }, limits, stream) => {
      const by = stream.pick(SIDES);
      const already = offeredBy(inputs, by).reduce<bigint>((sum, { amountMsat }) => sum + amountMsat, 0n);
      limits[opposite(by)].max_htlc_value_in_flight_msat = integer(already + ORDINARY_MSAT - 1n);
      return addHtlc(stream, by, ORDINARY_MSAT);
    },
  },
  "policy-balance": {
    attempt: ({ inputs }, _, stream) => {
      const by = stream.pick(SIDES);
      return addHtlc(stream, by, balanceOf(inputs, by) + 1n);
    },
  },
  "policy-reserve": {
    attempt: ({ inputs }, limits, stream) => {
      const by = accepterOf(inputs);
      const reserve = stream.between(1000n, 100_000n);
      limits[opposite(by)].channel_reserve_satoshis = integer(reserve);
      return addHtlc(stream, by, balanceOf(inputs, by) - reserve * 1000n + 1n);
    },
  },
  "policy-fee-unaffordable": {
    attempt: ({ inputs }, limits, stream) => {
      const { opener } = inputs;
      const left = balanceOf(inputs, opener) / 1000n;
      if (stream.rarely(2)) return addHtlc(stream, opener, (left - costsWithOneMore(inputs) + 1n) * 1000n);
      limits.max_feerate_per_kw = 0xffffffff;
      const { commitmentWeight } = FORMATS[inputs.channelType];
      return { act: "update_fee", by: opener, feerate_per_kw: Number(((left + 1n) * 1000n) / commitmentWeight + 1n) };
    },
  },
  "policy-dust-exposure": {
    attempt: ({ inputs }, limits, stream) => {
      const amount = (inputs.dustLimitSatoshis - 1n) * 1000n + stream.between(0n, 999n);
      limits.max_dust_htlc_exposure_msat = integer(amount - 1n);
      return addHtlc(stream, "local", amount);
    },
  },
  "policy-fee-not-opener": {
    attempt: ({ inputs }, _, stream) => ({ act: "update_fee", by: accepterOf(inputs), feerate_per_kw: stream.integer(253, 5000) }),
  },
  "policy-feerate-range": {
    attempt: ({ inputs }, limits, stream) => {
      const feerate = stream.pick([limits.min_feerate_per_kw - 1, limits.max_feerate_per_kw + 1]);
      return { act: "update_fee", by: inputs.opener, feerate_per_kw: feerate };
    },
  },
  "policy-preimage-mismatch": {
    attempt: ({ inputs }, _, stream) => {
      const index = stream.integer(0, inputs.htlcs.length - 1);
      const by = inputs.htlcs[index]?.direction === "offered" ? "remote" : "local";
      return { act: "fulfill_htlc", by, htlc_index: index, payment_preimage: toHex(stream.bytes(32)) };
    },
  },
  "state-signature-invalid": {
    // The owner's own, which is as well made
    attempt: (worded) => signatures(worded, (_, htlcs) => [worded.signed().ownerSignature, htlcs]),
  },
  "state-signature-high-s": {
    attempt: (worded, _, stream) =>
      stream.rarely(2)
        ? signatures(worded, (commitment, htlcs) => [negateS(commitment), htlcs])
        : signatures(worded, (commitment, [first, ...htlcs]) => [commitment, first === undefined ? [] : [negateS(first), ...htlcs]]),
  },
  "state-htlc-signature-count": {
    attempt: (worded, _, stream) =>
      signatures(worded, (commitment, htlcs) => [commitment, stream.rarely(2) ? htlcs.slice(1) : [...htlcs, commitment]]),
  },
  "state-htlc-signature-invalid": {
    attempt: (worded, _, stream) =>
      signatures(worded, (commitment, htlcs) => {
        const wrong = stream.integer(0, htlcs.length - 1);
        const [other] = htlcs.filter((__, at) => at !== wrong);
        return [commitment, htlcs.map((one, at) => (at === wrong ? (other ?? commitment) : one))];
      }),
  },
  "policy-commitment-underpaid": {
    prepare: (draft, stream) => {
      draft.openerShort = stream.pick([0n, 1n, costsOf(draft) / 2n]);
    },
    attempt: (worded) => signatures(worded, (commitment, htlcs) => [commitment, htlcs]),
  },
  "policy-revocation-wrong-secret": {
    attempt: ({ inputs: { local, commitmentNumber } }, _, stream) => {
      const seed = local.perCommitmentSeed;
      const [near, far] = [commitmentNumber + stream.pick([-1, 1]), toHex(stream.bytes(32))];
      const secret = seed === undefined || stream.rarely(2) ? far : shown(perCommitmentSecret(seed, near));
      return { act: "revoke_and_ack", per_commitment_secret: secret };
    },
  },
  "policy-shutdown-script": {
    attempt: (_, __, stream) => ({ act: "shutdown", by: stream.pick(SIDES), scriptpubkey: stream.pick(BAD_SCRIPTS) }),
  },
  "policy-closing-fee-unaffordable": {
    prepare: (draft) => {
      withoutHtlcs(draft);
      draft.opener = "local";
    },
    attempt: ({ inputs }, _, stream) => ({
      act: "close",
      kind: stream.pick(["legacy", "simple"]),
      local_scriptpubkey: WITNESS_KEY_HASH + toHex(stream.bytes(20)),
      remote_scriptpubkey: WITNESS_KEY_HASH + toHex(stream.bytes(20)),
      fee_sat: integer(inputs.toLocalMsat / 1000n + 1n),
    }),
  },
  "policy-closing-dust": {
    prepare: (draft, stream) => {
      withoutHtlcs(draft);
      draft.opener = "local";
      draft.openerShort = stream.between(1n, draft.dustLimit - 1n);
      draft.main.remote = stream.between(0n, draft.dustLimit - 1n);
    },
    attempt: ({ inputs }, _, stream) => ({
      act: "close",
      kind: "legacy",
      local_scriptpubkey: WITNESS_KEY_HASH + toHex(stream.bytes(20)),
      remote_scriptpubkey: WITNESS_KEY_HASH + toHex(stream.bytes(20)),
      fee_sat: integer(stream.between(0n, inputs.toLocalMsat / 1000n)),
    }),
  },
};

/** Any change of a feerate that there is not. */
const UPDATE_FEE: Refusal = {
  attempt: (_, __, stream) => ({ act: "update_fee", by: stream.pick(SIDES), feerate_per_kw: stream.pick([0, 253, stream.integer(254, 5000)]) }),
};

/** What is refused where commitments pay a fee alone. */
const OF_FEES: readonly string[] = ["policy-fee-unaffordable", "policy-fee-not-opener", "policy-feerate-range", "policy-commitment-underpaid"];

/** The refusal of a name, for a channel type: another one, with a name of its own, where nothing is refused so. */
export function refusalFor(name: string, type: ChannelType): { readonly name: string; readonly refusal: Refusal | undefined } {
  if (!FORMATS[type].hasFeerate && OF_FEES.includes(name)) return { name: "policy-update-fee", refusal: UPDATE_FEE };
  return { name, refusal: REFUSALS[name] };
}
