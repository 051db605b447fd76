import { toHex } from "../bytes.js";
import type { Basepoints } from "../keys/commitment-keys.js";
import type { Commitment } from "../tx/commitment-tx.js";
import type { CommitmentSpec, Htlc } from "../tx/spec.js";
import { SIDES, type Side, opposite, withSide } from "../side.js";
import { msat } from "../units.js";
import { withSpec, withTerms } from "./suspect.js";
import { Builder, type Variant, digestOf } from "./variant.js";

/** A field in which two commitments' inputs differ: one way to have what the other has. */
export interface Fact {
  /** Under channel.json's names: `feerate_per_kw`, `htlcs[local 3].cltv_expiry`. */
  readonly field: string;
  readonly a: string;
  readonly b: string;
  /** More than the two values say. */
  readonly words: string | null;
  /** The variant with B's value in the place of its own. */
  readonly apply: (variant: Variant) => Variant;
}

/** What of B's a field brings about in A's commitment when it alone is changed: B's own, something else, or nothing. */
export type Effect = "explains" | "changes" | "nothing";

/** Two commitments, and what makes the one of them the other. */
export interface Explained {
  readonly facts: readonly (Fact & { readonly alone: Effect })[];
  /** The least sets of facts with which A's commitment becomes B's byte for byte; one empty set where the two are the same. */
  readonly sets: readonly (readonly Fact[])[];
  readonly a: Commitment;
  readonly b: Commitment;
  /** `same` to the byte, and so is what a signature covers · `covers` the transactions are the same, what signatures of them cover is not. */
  readonly verdict: "same" | "covers" | "differs";
}

/**
 * Every field in which B's inputs differ from A's, and which of them explain the difference between the transactions: one alone, two together, or the fewest that
 * none can be left out of. Throws: key-degenerate, script-delay-range.
 */
export function explainDifference(a: Variant, b: Variant): Explained {
  const builder = new Builder();
  const built = { a: builder.build(a), b: builder.build(b) };
  const nameOf = (commitment: Commitment): string => `${commitment.unsigned.toHex()} ${toHex(digestOf(commitment, {}))}`;
  const [from, target] = [nameOf(built.a), nameOf(built.b)];
  const facts = factsBetween(a, b);
  const after = (some: readonly Fact[]): string => nameOf(builder.build(some.reduce((variant, fact) => fact.apply(variant), a)));
  const alone = (fact: Fact): Effect => {
    const name = after([fact]);
    return name === target && from !== target ? "explains" : name === from ? "nothing" : "changes";
  };
  const same = built.a.unsigned.toHex() === built.b.unsigned.toHex();
  return {
    facts: facts.map((fact) => ({ ...fact, alone: alone(fact) })),
    sets: from === target ? [[]] : leastSets(facts, (some) => after(some) === target),
    ...built,
    verdict: from === target ? "same" : same ? "covers" : "differs",
  };
}

/** More pairs than of so many are not tried. */
const MAX_PAIRED = 40;

function leastSets(facts: readonly Fact[], suffices: (some: readonly Fact[]) => boolean): readonly (readonly Fact[])[] {
  const singles = facts.map((fact) => [fact]).filter(suffices);
  if (singles.length > 0) return singles;
  const pairs = facts.length > MAX_PAIRED ? [] : facts.flatMap((first, at) => facts.slice(at + 1).map((second) => [first, second])).filter(suffices);
  if (pairs.length > 0) return pairs;
  // From all of them, which suffice, each is left out that can be
  const needed = facts.reduceRight<readonly Fact[]>((kept, fact) => {
    const without = kept.filter((one) => one !== fact);
    return suffices(without) ? without : kept;
  }, facts);
  return suffices(needed) ? [needed] : [];
}

const POINTS: Readonly<Record<keyof Basepoints, string>> = {
  fundingPubkey: "funding_pubkey",
  revocationBasepoint: "revocation_basepoint",
  paymentBasepoint: "payment_basepoint",
  delayedPaymentBasepoint: "delayed_payment_basepoint",
  htlcBasepoint: "htlc_basepoint",
};

/** One fact, or none where the two values are the same. */
function fact(
  field: string,
  a: string | number | bigint,
  b: string | number | bigint,
  apply: Fact["apply"],
  words: string | null = null,
): readonly Fact[] {
  return String(a) === String(b) ? [] : [{ field, a: String(a), b: String(b), words, apply }];
}

function factsBetween(a: Variant, b: Variant): readonly Fact[] {
  const { terms: ours, spec } = a;
  const { terms: theirs } = b;
  const { owner } = ours;
  const imposer = opposite(owner);
  const funding = (field: string, name: "txid" | "outputIndex" | "amount", show: (terms: typeof ours) => string): readonly Fact[] =>
    fact(`funding.${field}`, show(ours), show(theirs), (variant) =>
      withTerms(variant, { funding: { ...variant.terms.funding, [name]: theirs.funding[name] } }),
    );
  return [
    ...fact("feerate_per_kw", spec.feeratePerKw, b.spec.feeratePerKw, (variant) => withSpec(variant, { feeratePerKw: b.spec.feeratePerKw })),
    ...contentFacts(spec, b.spec),
    ...(a.number === b.number
      ? fact("per_commitment_point", toHex(a.point), toHex(b.point), (variant) => ({ ...variant, point: b.point }))
      : fact(
          "commitment_number",
          a.number,
          b.number,
          (variant) => ({ ...variant, number: b.number, point: b.point }),
          "with the per-commitment point of that number",
        )),
    ...fact("channel_type", ours.format.channelType, theirs.format.channelType, (variant) => withTerms(variant, { format: theirs.format })),
    ...fact("opener", ours.opener, theirs.opener, (variant) => withTerms(variant, { opener: theirs.opener })),
    ...fact(`params.${owner}.dust_limit_satoshis`, ours.dustLimit, theirs.dustLimit, (variant) =>
      withTerms(variant, { dustLimit: theirs.dustLimit }),
    ),
    ...fact(`params.${imposer}.to_self_delay`, ours.toSelfDelay, theirs.toSelfDelay, (variant) =>
      withTerms(variant, { toSelfDelay: theirs.toSelfDelay }),
    ),
    ...funding("txid", "txid", ({ funding: { txid } }) => toHex(txid.toReversed())),
    ...funding("output_index", "outputIndex", ({ funding: { outputIndex } }) => String(outputIndex)),
    ...funding("amount", "amount", ({ funding: { amount } }) => String(amount)),
    ...SIDES.flatMap((side) =>
      (Object.keys(POINTS) as (keyof Basepoints)[]).flatMap((name) =>
        fact(`params.${side}.${POINTS[name]}`, toHex(ours.basepoints[side][name]), toHex(theirs.basepoints[side][name]), (variant) =>
          withTerms(variant, {
            basepoints: withSide(variant.terms.basepoints, side, { ...variant.terms.basepoints[side], [name]: theirs.basepoints[side][name] }),
          }),
        ),
      ),
    ),
  ];
}

const sameHtlc =
  ({ id, offeredBy }: Pick<Htlc, "id" | "offeredBy">) =>
  (other: Htlc): boolean =>
    other.id === id && other.offeredBy === offeredBy;

/** Where the amount of an HTLC is that only one of the two has, or by which the two differ. */
type Holder = "offerer" | "receiver" | "nobody";

/** One way to tell how an HTLC differs, and what it moves of the balances from A to B. */
interface Telling {
  readonly facts: readonly Fact[];
  readonly moves: Readonly<Record<Side, bigint>>;
}

/**
 * HTLCs and balances. An HTLC that one of the two lacks has its amount with one of the sides there: told so that the fewest balances are left over
 * whose change no HTLC explains.
 */
function contentFacts(a: CommitmentSpec, b: CommitmentSpec): readonly Fact[] {
  const all = [...a.htlcs, ...b.htlcs.filter((htlc) => !a.htlcs.some(sameHtlc(htlc)))];
  const ways = all
    .map((htlc) => tellings(a.htlcs.find(sameHtlc(htlc)) ?? null, b.htlcs.find(sameHtlc(htlc)) ?? null))
    .filter((each) => each.length > 0);
  const chosen = combinations(ways)
    .map((tellingsOfAll) => {
      const facts = tellingsOfAll.flatMap((telling) => telling.facts);
      const rest = balanceFacts(a, b, tellingsOfAll);
      return [...facts, ...rest];
    })
    .reduce<readonly Fact[] | null>((best, facts) => (best === null || facts.length < best.length ? facts : best), null);
  return chosen ?? [];
}

/** Beyond so many HTLCs that can be told in several ways, all are told in the same. */
const MAX_COMBINED = 6;

function combinations(ways: readonly (readonly Telling[])[]): readonly (readonly Telling[])[] {
  if (ways.length > MAX_COMBINED) return [0, 1, 2].map((at) => ways.map((each) => each[Math.min(at, each.length - 1)] as Telling));
  return ways.reduce<readonly (readonly Telling[])[]>((before, each) => before.flatMap((some) => each.map((one) => [...some, one])), [[]]);
}

function tellings(a: Htlc | null, b: Htlc | null): readonly Telling[] {
  const htlc = a ?? b;
  if (htlc === null) return [];
  const name = `htlcs[${htlc.offeredBy} ${htlc.id}]`;
  const only = (holder: Holder): Telling => {
    const gains = a === null ? 0n - htlc.amountMsat : htlc.amountMsat;
    const who = holder === "offerer" ? htlc.offeredBy : holder === "receiver" ? opposite(htlc.offeredBy) : null;
    const moves = { local: 0n, remote: 0n, ...(who === null ? {} : { [who]: gains }) };
    const shown = `${htlc.amountMsat} msat, ${toHex(htlc.paymentHash)}, expiry ${htlc.cltvExpiry}`;
    const where = who === null ? "its amount is nobody's where it is not" : `its amount is the ${who} side's where it is not`;
    const apply = (variant: Variant): Variant =>
      moved(
        withSpec(variant, { htlcs: a === null ? [...variant.spec.htlcs, htlc] : variant.spec.htlcs.filter((one) => !sameHtlc(htlc)(one)) }),
        moves,
      );
    return { facts: [{ field: name, a: a === null ? "absent" : shown, b: b === null ? "absent" : shown, words: where, apply }], moves };
  };
  if (a === null || b === null) return [only("offerer"), only("receiver"), only("nobody")];

  const changed = (change: Partial<Htlc>) => (variant: Variant) =>
    withSpec(variant, { htlcs: variant.spec.htlcs.map((one) => (sameHtlc(htlc)(one) ? { ...one, ...change } : one)) });
  const terms = [
    ...fact(`${name}.payment_hash`, toHex(a.paymentHash), toHex(b.paymentHash), changed({ paymentHash: b.paymentHash })),
    ...fact(`${name}.cltv_expiry`, a.cltvExpiry, b.cltvExpiry, changed({ cltvExpiry: b.cltvExpiry })),
  ];
  const still = { local: 0n, remote: 0n };
  const amount = (moves: Telling["moves"], words: string | null): Telling => ({
    facts: [
      ...terms,
      ...fact(`${name}.amount_msat`, a.amountMsat, b.amountMsat, (variant) => moved(changed({ amountMsat: b.amountMsat })(variant), moves), words),
    ],
    moves,
  });
  if (a.amountMsat === b.amountMsat) return terms.length === 0 ? [] : [{ facts: terms, moves: still }];
  const paid = { ...still, [htlc.offeredBy]: a.amountMsat - b.amountMsat };
  return [amount(paid, `out of the ${htlc.offeredBy} side's balance`), amount(still, null)];
}

function moved(variant: Variant, moves: Readonly<Record<Side, bigint>>): Variant {
  const { balances } = variant.spec;
  return withSpec(variant, { balances: { local: msat(balances.local + moves.local), remote: msat(balances.remote + moves.remote) } });
}

/** What of the balances' change the HTLCs do not explain: a shift from one to the other is one fact. */
function balanceFacts(a: CommitmentSpec, b: CommitmentSpec, told: readonly Telling[]): readonly Fact[] {
  const left = (side: Side): bigint => told.reduce((sum, { moves }) => sum - moves[side], b.balances[side] - a.balances[side]);
  const rest = { local: left("local"), remote: left("remote") };
  if (rest.local === 0n && rest.remote === 0n) return [];
  if (rest.local + rest.remote === 0n) {
    const show = ({ balances }: CommitmentSpec): string => `${balances.local} / ${balances.remote} msat`;
    const [from, to] = rest.local < 0n ? ["local", "remote"] : ["remote", "local"];
    const words = `${rest.local < 0n ? rest.remote : rest.local} msat from the ${from} to the ${to} side`;
    return [{ field: "balances", a: show(a), b: show(b), words, apply: (variant) => moved(variant, rest) }];
  }
  return SIDES.flatMap((side) => {
    if (rest[side] === 0n) return [];
    const words = `${rest[side] > 0n ? "+" : ""}${rest[side]} msat that no HTLC accounts for`;
    const alone = { local: 0n, remote: 0n, [side]: rest[side] };
    return [
      {
        field: `balances.${side}`,
        a: String(a.balances[side]),
        b: String(b.balances[side]),
        words,
        apply: (variant: Variant) => moved(variant, alone),
      },
    ];
  });
}

/** The same commitment as the other side's state has it: what is local there is remote here. */
export function mirrored({ terms, spec, ...rest }: Variant): Variant {
  const turn = <T>({ local, remote }: { readonly local: T; readonly remote: T }) => ({ local: remote, remote: local });
  return {
    ...rest,
    terms: { ...terms, owner: opposite(terms.owner), opener: opposite(terms.opener), basepoints: turn(terms.basepoints) },
    spec: { ...spec, balances: turn(spec.balances), htlcs: spec.htlcs.map((htlc) => ({ ...htlc, offeredBy: opposite(htlc.offeredBy) })) },
  };
}
