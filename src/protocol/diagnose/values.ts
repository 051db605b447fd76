import { toHex } from "../bytes.js";
import type { NumberedPoint } from "../channel/params.js";
import type { FundedChannel } from "../channel/state.js";
import { type Side, SIDES, opposite, withSide } from "../side.js";
import { CHANNEL_TYPES } from "../tx/channel-type.js";
import { baseFee, isTrimmed } from "../tx/fees.js";
import { FORMATS } from "../tx/format.js";
import { type MilliSatoshi, msat, perKw, sat } from "../units.js";
import type { Variant } from "./variant.js";
import { type Suspect, otherValue, withSpec, withTerms } from "./suspect.js";

/** Feerates that the channel knows of. Any other is found by trying all. */
export function feerates({ spec }: Variant, state: FundedChannel): readonly Suspect[] {
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

const DUST_LIMITS = [294n, 330n, 354n, 546n, 573n, 1000n] as const;
const DELAYS = [1, 6, 10, 144, 720, 1008, 2016] as const;

/** Values of the channel that the two may have taken the wrong way round, and usual ones. */
export function values({ terms }: Variant, state: FundedChannel): readonly Suspect[] {
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
export function numbers({ number, point, terms }: Variant, state: FundedChannel): readonly Suspect[] {
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
export function amounts({ terms, spec }: Variant): readonly Suspect[] {
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
