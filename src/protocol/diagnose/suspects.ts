import { toHex } from "../bytes.js";
import { LnError } from "../errors.js";
import type { NumberedPoint } from "../channel/params.js";
import { type FundedChannel, newestSpec, unrevokedSpecs } from "../channel/state.js";
import type { Basepoints } from "../keys/commitment-keys.js";
import { SIDES, type Side, opposite, withSide } from "../side.js";
import { CHANNEL_TYPES } from "../tx/channel-type.js";
import type { CommitmentTerms } from "../tx/commitment-tx.js";
import { baseFee, isTrimmed } from "../tx/fees.js";
import { FORMATS, SIGHASH_ALL } from "../tx/format.js";
import { type ChangeContent, type CommitmentSpec, type Htlc, reckon, sameSpec } from "../tx/spec.js";
import { type MilliSatoshi, msat, perKw, sat } from "../units.js";
import { OUTPUT_ORDERS, type Signer, type Variant } from "./variant.js";

/** What a signer may have done otherwise. */
export const CAUSES = [
  "high_s",
  "sighash_type",
  "signer",
  "channel_type",
  "commitment_number",
  "per_commitment_point",
  "to_self_delay",
  "dust_limit",
  "feerate",
  "fee",
  "opener",
  "balances",
  "rounding",
  "htlc_missing",
  "htlc_extra",
  "htlc_terms",
  "change_stage",
  "old_state",
  "output_order",
  "obscuring",
  "funding_script",
  "funding_outpoint",
  "basepoints",
] as const;
export type Cause = (typeof CAUSES)[number];

/** One difference that a signer may have had. */
export interface Suspect {
  readonly cause: Cause;
  /** What the other side has otherwise, in words. */
  readonly words: string;
  /** The value that was expected, and the signer's, where it is a matter of a value. */
  readonly expected?: string;
  readonly actual?: string;
  /** The variant with this difference; null where it can't have it, or has it already. */
  readonly apply: (variant: Variant) => Variant | null;
}

const withSpec = (variant: Variant, spec: Partial<CommitmentSpec>): Variant => ({ ...variant, spec: { ...variant.spec, ...spec } });
const withTerms = (variant: Variant, terms: Partial<CommitmentTerms>): Variant => ({ ...variant, terms: { ...variant.terms, ...terms } });

/** A suspect of another value: `read` says which a variant has. */
function otherValue<T extends bigint | number | string>(
  cause: Cause,
  name: string,
  expected: T,
  actual: T,
  apply: (variant: Variant) => Variant,
): readonly Suspect[] {
  if (expected === actual) return [];
  return [{ cause, words: `with ${name} ${actual}, not ${expected}`, expected: String(expected), actual: String(actual), apply }];
}

/** Everything that is suspected of a signer, the likelier before the less likely. `state`: whose changes, points and earlier commitments give some more. */
export function suspectsOf(base: Variant, state: FundedChannel): readonly Suspect[] {
  return [
    ...stages(base, state),
    ...feerates(base, state),
    ...htlcs(base),
    ...values(base, state),
    ...numbers(base, state),
    ...amounts(base),
    ...builders(base),
    ...keys(base),
  ];
}

/** Changes that have reached the signer's commitment earlier or later than ours, and whole states of before. */
function stages({ spec, terms }: Variant, state: FundedChannel): readonly Suspect[] {
  const suspects = SIDES.flatMap((by) =>
    state.changes[by].flatMap(({ content }): readonly Suspect[] => {
      const name = describeChange(by, content);
      return [
        { cause: "change_stage", words: `without ${name}`, apply: (variant) => without(variant, by, content, state) },
        { cause: "change_stage", words: `with ${name}`, apply: (variant) => including(variant, by, content) },
      ];
    }),
  );
  const [{ local, remote }] = state.fundings;
  const earlier = [local.current, local.previous, remote.current, remote.next].flatMap((commit) => (commit === null ? [] : [commit]));
  const newest = newestSpec(state, terms.owner);
  for (const commit of earlier) {
    if (sameSpec(commit.spec, spec)) continue;
    suspects.push({
      cause: "old_state",
      words: `with what commitment ${commit.number} said${commit.spec === newest ? ", the one before" : ""}`,
      apply: (variant) => ({ ...variant, spec: commit.spec }),
    });
  }
  return suspects;
}

function describeChange(by: Side, content: ChangeContent): string {
  const whose = `the ${by} side's`;
  switch (content.kind) {
    case "pay":
      return `${whose} payment ${content.id} of ${content.amountMsat} msat`;
    case "add_htlc":
      return `${whose} HTLC ${content.id} of ${content.amountMsat} msat`;
    case "fulfill_htlc":
      return `${whose} fulfilling of HTLC ${content.id}`;
    case "fail_htlc":
      return `${whose} failing of HTLC ${content.id}`;
    case "update_fee":
      return `${whose} feerate of ${content.feeratePerKw}`;
  }
}

function including(variant: Variant, by: Side, content: ChangeContent): Variant | null {
  if (content.kind === "add_htlc" && variant.spec.htlcs.some(({ id, offeredBy }) => id === content.id && offeredBy === by)) return null;
  try {
    return { ...variant, spec: reckon(variant.spec, [{ by, content }]) };
  } catch (error) {
    // An HTLC that the variant does not have can't be removed from it
    if (error instanceof LnError && error.code === "state-htlc-unknown") return null;
    throw error;
  }
}

/** The variant as if the change had not been made, where that can be told. */
function without(variant: Variant, by: Side, content: ChangeContent, state: FundedChannel): Variant | null {
  const find = (all: readonly Htlc[], id: bigint, offeredBy: Side) => all.find((htlc) => htlc.id === id && htlc.offeredBy === offeredBy);
  const { balances, htlcs } = variant.spec;
  const plus = (side: Side, amount: bigint) => withSide(balances, side, msat(balances[side] + amount));
  switch (content.kind) {
    case "pay": {
      const back = plus(by, content.amountMsat);
      return withSpec(variant, { balances: withSide(back, opposite(by), msat(back[opposite(by)] - content.amountMsat)) });
    }
    case "add_htlc": {
      const htlc = find(htlcs, content.id, by);
      return htlc === undefined ? null : removed(variant, htlc, by);
    }
    case "fulfill_htlc":
    case "fail_htlc": {
      const offeredBy = opposite(by);
      const htlc = unrevokedSpecs(state).flatMap((spec) => find(spec.htlcs, content.id, offeredBy) ?? [])[0];
      if (htlc === undefined || find(htlcs, content.id, offeredBy) !== undefined) return null;
      const gainer = content.kind === "fulfill_htlc" ? by : offeredBy;
      return withSpec(variant, { htlcs: [...htlcs, htlc], balances: plus(gainer, 0n - htlc.amountMsat) });
    }
    case "update_fee":
      // What stood there before is another suspect's: a feerate that the channel knows of
      return null;
  }
}

/** Without an HTLC, whose money is `to`'s then; null: nobody's. */
function removed(variant: Variant, htlc: Htlc, to: Side | null): Variant {
  const { balances, htlcs } = variant.spec;
  const left = htlcs.filter(({ id, offeredBy }) => id !== htlc.id || offeredBy !== htlc.offeredBy);
  return withSpec(variant, { htlcs: left, balances: to === null ? balances : withSide(balances, to, msat(balances[to] + htlc.amountMsat)) });
}

/** Feerates that the channel knows of. Any other is found by trying all. */
function feerates({ spec }: Variant, state: FundedChannel): readonly Suspect[] {
  const [{ local, remote }] = state.fundings;
  const commits = [local.current, local.previous, remote.current, remote.next].flatMap((commit) =>
    commit === null ? [] : [commit.spec.feeratePerKw],
  );
  const proposed = SIDES.flatMap((by) => state.changes[by].flatMap(({ content }) => (content.kind === "update_fee" ? [content.feeratePerKw] : [])));
  const known = new Set<bigint>([...proposed, ...commits, state.feeratePerKw, 253n]);
  return [...known].flatMap((feerate) => feerateSuspect(spec.feeratePerKw, feerate));
}

/** A commitment built at another feerate. */
export function feerateSuspect(expected: bigint, actual: bigint): readonly Suspect[] {
  return otherValue("feerate", "feerate_per_kw", expected, actual, (variant) => withSpec(variant, { feeratePerKw: perKw(actual) }));
}

function htlcs({ spec, terms }: Variant): readonly Suspect[] {
  return spec.htlcs.flatMap((htlc): readonly Suspect[] => {
    const name = `HTLC ${htlc.id} offered by the ${htlc.offeredBy} side`;
    const same = ({ spec: { htlcs: all } }: Variant): Htlc | undefined =>
      all.find(({ id, offeredBy }) => id === htlc.id && offeredBy === htlc.offeredBy);
    const changed = (change: (found: Htlc) => Partial<Htlc>) => (variant: Variant) => {
      const found = same(variant);
      return found === undefined
        ? null
        : withSpec(variant, { htlcs: variant.spec.htlcs.map((one) => (one === found ? { ...one, ...change(one) } : one)) });
    };
    const missing = (words: string, to: Side | null): Suspect => ({
      cause: "htlc_missing",
      words: `without ${name}${words}`,
      apply: (variant) => (same(variant) === undefined ? null : removed(variant, htlc, to)),
    });
    return [
      missing(", its amount with its offerer", htlc.offeredBy),
      missing(", its amount with its receiver", opposite(htlc.offeredBy)),
      missing(", its amount with nobody", null),
      {
        cause: "htlc_extra",
        words: `with ${name} twice`,
        apply: (variant) => (same(variant) === undefined ? null : withSpec(variant, { htlcs: [...variant.spec.htlcs, htlc] })),
      },
      {
        cause: "htlc_terms",
        words: `with ${name} as if the other side had offered it`,
        apply: changed(({ offeredBy }) => ({ offeredBy: opposite(offeredBy) })),
      },
      ...[-1, 1].map((by): Suspect => ({
        cause: "htlc_terms",
        words: `with ${name} expiring at ${htlc.cltvExpiry + by}, not ${htlc.cltvExpiry}`,
        expected: String(htlc.cltvExpiry),
        actual: String(htlc.cltvExpiry + by),
        apply: changed(({ cltvExpiry }) => ({ cltvExpiry: cltvExpiry + by })),
      })),
      ...([-1n, 1n] as const).map((by): Suspect => ({
        cause: "rounding",
        words: `with ${name} of a satoshi ${by > 0n ? "more" : "less"}`,
        apply: changed(({ amountMsat }) => ({ amountMsat: msat(amountMsat + by * 1000n) })),
      })),
      ...(isTrimmed(terms.format, spec, terms.dustLimit, terms.owner, htlc)
        ? []
        : [
            {
              cause: "dust_limit" as const,
              words: `with ${name} trimmed`,
              // Below a satoshi it is trimmed by any dust limit, and its amount is nobody's
              apply: (variant: Variant) => (same(variant) === undefined ? null : removed(variant, htlc, null)),
            },
          ]),
    ];
  });
}

const DUST_LIMITS = [294n, 330n, 354n, 546n, 573n, 1000n] as const;
const DELAYS = [1, 6, 10, 144, 720, 1008, 2016] as const;

/** Values of the channel that the two may have taken the wrong way round, and usual ones. */
function values({ terms }: Variant, state: FundedChannel): readonly Suspect[] {
  const { params } = state;
  const delays = new Set([params[terms.owner].toSelfDelay, terms.toSelfDelay - 1, terms.toSelfDelay + 1, ...DELAYS]);
  const limits = new Set([params[opposite(terms.owner)].dustLimitSatoshis, terms.dustLimit - 1n, terms.dustLimit + 1n, ...DUST_LIMITS]);
  return [
    ...[...delays].filter((delay) => delay >= 0 && delay <= 0xffff).flatMap((delay) => delaySuspect(terms.toSelfDelay, delay)),
    ...[...limits].flatMap((limit) =>
      otherValue("dust_limit", "dust_limit_satoshis", terms.dustLimit, limit, (variant) => withTerms(variant, { dustLimit: sat(limit) })),
    ),
    ...CHANNEL_TYPES.flatMap((type) =>
      otherValue("channel_type", "channel type", terms.format.channelType, type, (variant) => withTerms(variant, { format: FORMATS[type] })),
    ),
  ];
}

/** A commitment whose owner waits for another number of blocks. */
export function delaySuspect(expected: number, actual: number): readonly Suspect[] {
  return otherValue("to_self_delay", "to_self_delay", expected, actual, (variant) => withTerms(variant, { toSelfDelay: actual }));
}

/** The number and the point that goes with it. */
function numbers({ number, point, terms }: Variant, state: FundedChannel): readonly Suspect[] {
  const [{ remote }] = state.fundings;
  const known: readonly NumberedPoint[] =
    terms.owner === "local" ? state.ownPoints : [remote.current, remote.next, state.remoteNextPoint].flatMap((held) => (held === null ? [] : [held]));
  const others = known.filter((held) => toHex(held.point) !== toHex(point));
  return [
    ...[-1, 1, -2, 2]
      .map((by) => number + by)
      .filter((other) => other >= 0)
      .flatMap((other) => otherValue("commitment_number", "commitment number", number, other, (variant) => ({ ...variant, number: other }))),
    ...others.flatMap((held): readonly Suspect[] => [
      {
        cause: "per_commitment_point",
        words: `with the per-commitment point of number ${held.number}`,
        expected: toHex(point),
        actual: toHex(held.point),
        apply: (variant) => ({ ...variant, point: held.point }),
      },
      ...(held.number === number
        ? []
        : [
            {
              cause: "commitment_number" as const,
              words: `as number ${held.number} with that number's point, not ${number}`,
              expected: String(number),
              actual: String(held.number),
              apply: (variant: Variant) => ({ ...variant, number: held.number, point: held.point }),
            },
          ]),
    ]),
  ];
}

const up = (amount: MilliSatoshi): MilliSatoshi => msat(((amount + 999n) / 1000n) * 1000n);
const nearest = (amount: MilliSatoshi): MilliSatoshi => msat(((amount + 500n) / 1000n) * 1000n);

/** Whose money it is, and how it is rounded. */
function amounts({ terms, spec }: Variant): readonly Suspect[] {
  const { opener, format } = terms;
  const untrimmed = spec.htlcs.filter((htlc) => !isTrimmed(format, spec, terms.dustLimit, terms.owner, htlc)).length;
  const balanceOf = (side: Side, by: bigint) => (variant: Variant) =>
    withSpec(variant, { balances: withSide(variant.spec.balances, side, msat(variant.spec.balances[side] + by)) });
  const suspects: Suspect[] = [
    {
      cause: "balances",
      words: "with the two balances exchanged",
      apply: (variant) => withSpec(variant, { balances: { local: variant.spec.balances.remote, remote: variant.spec.balances.local } }),
    },
    { cause: "opener", words: "with the fee paid by the accepter", apply: exchangePayer },
  ];
  for (const [how, round] of [
    ["up", up],
    ["to the nearest", nearest],
  ] as const) {
    suspects.push(
      {
        cause: "rounding",
        words: `with the HTLCs' amounts rounded ${how} satoshi`,
        apply: (variant) => withSpec(variant, { htlcs: variant.spec.htlcs.map((htlc) => ({ ...htlc, amountMsat: round(htlc.amountMsat) })) }),
      },
      ...SIDES.map((side): Suspect => ({
        cause: "rounding",
        words: `with the ${side} balance rounded ${how} satoshi`,
        apply: (variant) => withSpec(variant, { balances: withSide(variant.spec.balances, side, round(variant.spec.balances[side])) }),
      })),
    );
  }
  for (const side of SIDES) {
    for (const by of [-1n, 1n]) {
      suspects.push({
        cause: side === opener ? "fee" : "rounding",
        words: `with the ${side} output a satoshi ${by > 0n ? "larger" : "smaller"}${side === opener ? ", as by another rounding of the fee" : ""}`,
        apply: balanceOf(side, by * 1000n),
      });
    }
  }
  if (format.anchorsCost > 0n) {
    for (const [count, cost] of [
      ["neither anchor", format.anchorsCost],
      ["one anchor only", format.anchorsCost / 2n],
    ] as const) {
      suspects.push({ cause: "fee", words: `with ${count} taken from the opener's balance`, apply: balanceOf(opener, cost * 1000n) });
    }
  }
  for (const [words, count] of [
    ["trimmed HTLCs counted into the fee", spec.htlcs.length],
    ["no HTLC counted into the fee", 0],
    ["one HTLC fewer in the fee", untrimmed - 1],
    ["one HTLC more in the fee", untrimmed + 1],
  ] as const) {
    if (count < 0 || count === untrimmed) continue;
    const difference = baseFee(format, spec.feeratePerKw, untrimmed) - baseFee(format, spec.feeratePerKw, count);
    suspects.push({ cause: "fee", words: `with ${words}`, apply: balanceOf(opener, difference * 1000n) });
  }
  return suspects;
}

/** The fee taken from the other side's balance; who hides the number how stays. */
function exchangePayer(variant: Variant): Variant {
  const { terms, departures } = variant;
  // The number stays hidden by the opener's key first, whoever pays
  const { obscuring, ...rest } = departures;
  const other = obscuring === undefined ? { obscuring: "swapped" as const } : obscuring === "swapped" ? {} : { obscuring };
  return { ...variant, terms: { ...terms, opener: opposite(terms.opener) }, departures: { ...rest, ...other } };
}

/** What a builder may do otherwise than BOLT 3 says. */
function builders({ terms }: Variant): readonly Suspect[] {
  const { funding } = terms;
  return [
    ...OUTPUT_ORDERS.map((order): Suspect => ({
      cause: "output_order",
      words: `with the outputs ordered by ${order.replace("_", ", ")}`,
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, order } }),
    })),
    {
      cause: "obscuring",
      words: "with the number hidden by the accepter's payment_basepoint first",
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, obscuring: "swapped" } }),
    },
    {
      cause: "obscuring",
      words: "with the number not hidden",
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, obscuring: "none" } }),
    },
    {
      cause: "funding_script",
      words: "with the funding script's keys in the wrong order",
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, fundingKeys: "unsorted" } }),
    },
    {
      cause: "funding_outpoint",
      words: "with the funding txid in the other byte order",
      apply: (variant) =>
        withTerms(variant, { funding: { ...variant.terms.funding, txid: variant.terms.funding.txid.toReversed() as typeof funding.txid } }),
    },
    ...[0, 1, 2, funding.outputIndex + 1].flatMap((index) =>
      otherValue("funding_outpoint", "funding output", funding.outputIndex, index, (variant) =>
        withTerms(variant, { funding: { ...variant.terms.funding, outputIndex: index } }),
      ),
    ),
    ...[0x00, 0x02, 0x03, 0x81, 0x82, 0x83].flatMap((type) =>
      otherValue("sighash_type", "sighash type", hexByte(SIGHASH_ALL), hexByte(type), (variant) => ({
        ...variant,
        departures: { ...variant.departures, sighashType: type },
      })),
    ),
  ];
}

const hexByte = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;

/** The names of the basepoints as BOLT 2 has them. */
const NAMES: Readonly<Record<keyof Basepoints, string>> = {
  fundingPubkey: "funding_pubkey",
  revocationBasepoint: "revocation_basepoint",
  paymentBasepoint: "payment_basepoint",
  delayedPaymentBasepoint: "delayed_payment_basepoint",
  htlcBasepoint: "htlc_basepoint",
};
const BASEPOINTS = ["revocationBasepoint", "paymentBasepoint", "delayedPaymentBasepoint", "htlcBasepoint"] as const;

/** Keys that were confused: of the two sides, or of one side's purposes; and the signing key itself. */
function keys({ terms }: Variant): readonly Suspect[] {
  const suspects: Suspect[] = [];
  const swap = (words: string, change: (basepoints: CommitmentTerms["basepoints"]) => CommitmentTerms["basepoints"]): void => {
    suspects.push({
      cause: "basepoints",
      words,
      apply: (variant) => withTerms(variant, { basepoints: change(variant.terms.basepoints) }),
    });
  };
  const withoutFunding = (mine: Basepoints, others: Basepoints): Basepoints => ({ ...others, fundingPubkey: mine.fundingPubkey });
  swap("with the two sides' basepoints exchanged", ({ local, remote }) => ({
    local: withoutFunding(local, remote),
    remote: withoutFunding(remote, local),
  }));
  for (const name of BASEPOINTS) {
    swap(`with the two sides' ${NAMES[name]} exchanged`, ({ local, remote }) => ({
      local: { ...local, [name]: remote[name] },
      remote: { ...remote, [name]: local[name] },
    }));
  }
  for (const side of SIDES) {
    for (const [at, first] of BASEPOINTS.entries()) {
      for (const second of BASEPOINTS.slice(at + 1)) {
        swap(`with the ${side} side's ${NAMES[first]} and ${NAMES[second]} exchanged`, (basepoints) =>
          withSide(basepoints, side, { ...basepoints[side], [first]: basepoints[side][second], [second]: basepoints[side][first] }),
        );
      }
    }
  }
  const signers: readonly (readonly [Signer, string])[] = [
    ["ownerFundingPubkey", `the ${terms.owner} side's own funding key`],
    ...BASEPOINTS.map((name): readonly [Signer, string] => [name, `the key of its ${NAMES[name]}`]),
    ["htlcPubkey", "its HTLC key of this commitment"],
  ];
  for (const [signer, words] of signers) {
    suspects.push({
      cause: "signer",
      words: `with ${words}, not with its funding key`,
      apply: (variant) => ({ ...variant, departures: { ...variant.departures, signer } }),
    });
  }
  return suspects;
}
