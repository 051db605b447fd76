import type { JsonPath } from "../../json/path.js";
import { formatPath } from "../../json/path.js";
import { namesSecret } from "../../json/redact.js";
import { printChannel } from "../../json/channel-file.js";
import { type HeldCommitment, heldCommitments, selectCommitment } from "../../protocol/channel/select.js";
import type { FundedChannel } from "../../protocol/channel/state.js";
import { equalBytes } from "../../protocol/bytes.js";
import { type Explained, explainDifference, mirrored } from "../../protocol/diagnose/facts.js";
import type { Variant } from "../../protocol/diagnose/variant.js";
import { SIDES, type Side, opposite } from "../../protocol/side.js";

/** `states` of one party's · `views` of one channel, one of each party's. */
export type Stand = "states" | "views";

/** Whether B is the other party of A's channel, by most of the keys that both name. */
export function standOf(a: FundedChannel, b: FundedChannel): Stand {
  const keys = ["fundingPubkey", "revocationBasepoint", "paymentBasepoint", "delayedPaymentBasepoint", "htlcBasepoint"] as const;
  const agreeing = (across: boolean): number =>
    SIDES.flatMap((side) => keys.filter((key) => equalBytes(a.params[side][key], b.params[across ? opposite(side) : side][key]))).length;
  return agreeing(true) > agreeing(false) ? "views" : "states";
}

/** A commitment that both hold. */
export interface Pair {
  /** As A says it. */
  readonly owner: Side;
  readonly standing: Readonly<Record<"a" | "b", HeldCommitment["standing"]>>;
  readonly explained: Explained;
}

/** A commitment that only one of them holds. */
export interface Unpaired {
  readonly owner: Side;
  readonly number: number;
  readonly only: "a" | "b";
}

/**
 * Each owner's commitments of both states, put together by their numbers or by how they stand, whichever leaves less to be said. What one of them has besides is unpaired.
 * Throws: state-point-unknown, state-no-commitment, state-commitment-not-held.
 */
export function pairsOf(
  a: FundedChannel,
  b: FundedChannel,
  stand: Stand,
  only: { readonly owner: Side | undefined; readonly number: number | undefined },
): { readonly pairs: readonly Pair[]; readonly unpaired: readonly Unpaired[] } {
  const pairs: Pair[] = [];
  const unpaired: Unpaired[] = [];
  for (const owner of SIDES.filter((side) => only.owner === undefined || side === only.owner)) {
    const ofB = stand === "views" ? opposite(owner) : owner;
    const held = { a: heldOf(a, owner, only.number), b: heldOf(b, ofB, only.number) };
    const ways = [byNumber(held), byStanding(held)].map((matches) => matches.map(([one, other]) => paired(owner, one, other, stand)));
    const [best] = ways.toSorted((one, other) => cost(one, held) - cost(other, held));
    pairs.push(...(best ?? []).map(({ pair }) => pair));
    const taken = new Set((best ?? []).flatMap(({ of }) => of));
    for (const side of ["a", "b"] as const)
      for (const one of held[side]) {
        if (!taken.has(one)) unpaired.push({ owner, number: one.commitment.number, only: side });
      }
  }
  return { pairs, unpaired };
}

interface Held {
  readonly a: readonly HeldCommitment[];
  readonly b: readonly HeldCommitment[];
}

type Match = readonly [a: HeldCommitment, b: HeldCommitment];

/** Those of the same number; where there is none, the newest of each. */
function byNumber({ a, b }: Held): readonly Match[] {
  const both = a.flatMap((one) => b.filter(({ commitment }) => commitment.number === one.commitment.number).map((other): Match => [one, other]));
  const [newestA] = a;
  const [newestB] = b;
  return both.length > 0 || newestA === undefined || newestB === undefined ? both : [[newestA, newestB]];
}

/** Those that stand alike, whatever their numbers. */
function byStanding({ a, b }: Held): readonly Match[] {
  return a.flatMap((one) => b.filter(({ standing }) => standing === one.standing).map((other): Match => [one, other]));
}

function paired(owner: Side, one: HeldCommitment, other: HeldCommitment, stand: Stand): { readonly pair: Pair; readonly of: Match } {
  const variant = variantOf(other);
  const explained = explainDifference(variantOf(one), stand === "views" ? mirrored(variant) : variant);
  return { pair: { owner, standing: { a: one.standing, b: other.standing }, explained }, of: [one, other] };
}

/** How much is left to be said where commitments are put together so. */
function cost(pairs: readonly { readonly pair: Pair }[], { a, b }: Held): number {
  return pairs.reduce((sum, { pair }) => sum + pair.explained.facts.length, 0) + a.length + b.length - 2 * pairs.length;
}

function heldOf(state: FundedChannel, owner: Side, number: number | undefined): readonly HeldCommitment[] {
  return number === undefined ? heldCommitments(state, owner) : [selectCommitment(state, owner, number)];
}

function variantOf({ commitment: { terms, number, spec, keys } }: HeldCommitment): Variant {
  return { terms, number, spec, point: keys.perCommitmentPoint, departures: {} };
}

/** A value that the two do not agree on; secrets are not shown. */
export interface Field {
  readonly path: string;
  readonly a: string;
  readonly b: string;
}

/** Of two states of one party: every value of the file. */
export function fieldsBetween(a: FundedChannel, b: FundedChannel, stand: Stand): readonly Field[] {
  const [ours, theirs] = [printChannel(a), printChannel(b)];
  return stand === "states" ? leavesApart(ours, theirs, []) : leavesApart(agreed(ours), agreed(mirror(theirs, "") as Document), []);
}

type Document = Readonly<Record<string, unknown>>;

/** What both parties' files must say alike, B's turned round. What is under way between them only shows in the commitments that each holds. */
const AGREED = [
  "purpose",
  "chain",
  "channel_type",
  "opener",
  "pay_extension",
  "features",
  "temporary_channel_id",
  "funding_satoshis",
  "push_msat",
  "feerate_per_kw",
  "params",
  "minimum_depth",
  "channel_id",
  "shutdown_scripts",
] as const;

function agreed(document: Document): Document {
  const [funding] = document["fundings"] as readonly Document[];
  const { txid, output_index, amount } = funding ?? {};
  return { ...Object.fromEntries(AGREED.map((key) => [key, document[key]])), fundings: [{ txid, output_index, amount }] };
}

/** Where a value is a side. */
const SIDE_VALUES: readonly string[] = ["opener", "offered_by", "payer", "last_offer"];

/** What the other party would have written: local and remote exchanged. */
function mirror(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((one) => mirror(one, ""));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [otherSide(name), mirror(part, name)]));
  }
  return SIDE_VALUES.includes(key) ? otherSide(value) : value;
}

function otherSide<T>(value: T): T | Side {
  return value === "local" ? "remote" : value === "remote" ? "local" : value;
}

/** Every place at which two documents part; of a list or an object that one of them lacks, the whole. */
function leavesApart(a: unknown, b: unknown, path: JsonPath): readonly Field[] {
  if (typeof a === "object" && a !== null && typeof b === "object" && b !== null && Array.isArray(a) === Array.isArray(b)) {
    const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
    return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) =>
      leavesApart(left.get(key), right.get(key), [...path, Array.isArray(a) ? Number(key) : key]),
    );
  }
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  const show = (value: unknown): string =>
    value === undefined ? "absent" : namesSecret(path) && value !== null ? "[secret]" : typeof value === "string" ? value : shownWhole(value);
  return [{ path: formatPath(path), a: show(a), b: show(b) }];
}

/** An object that only one has may hold secrets further in. */
function shownWhole(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => (namesSecret([key]) && part !== null ? "[secret]" : part));
}
