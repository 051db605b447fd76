import { type FundedChannel, newestSpec, unrevokedSpecs } from "../channel/state.js";
import { LnError } from "../errors.js";
import { type Side, SIDES, opposite, withSide } from "../side.js";
import { isTrimmed } from "../tx/fees.js";
import { type ChangeContent, type Htlc, reckon, sameSpec } from "../tx/spec.js";
import { msat } from "../units.js";
import type { Variant } from "./variant.js";
import { type Suspect, withSpec } from "./suspect.js";

/** Changes that have reached the signer's commitment earlier or later than ours, and whole states of before. */
export function stages({ spec, terms }: Variant, state: FundedChannel): readonly Suspect[] {
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

export function htlcs({ spec, terms }: Variant): readonly Suspect[] {
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
