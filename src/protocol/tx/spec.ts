import { type Bytes32, toHex } from "../bytes.js";
import { LnError } from "../errors.js";
import { type Dual, type Side, opposite } from "../side.js";
import { type FeeratePerKw, type MilliSatoshi, msat } from "../units.js";

/** A conditional payment that both commitments can carry. */
export interface Htlc {
  readonly id: bigint;
  readonly offeredBy: Side;
  readonly amountMsat: MilliSatoshi;
  readonly paymentHash: Bytes32;
  readonly cltvExpiry: number;
}

/** What one commitment says, without keys: whose money is where. Balances are after HTLCs in flight, before fee and anchors. */
export interface CommitmentSpec {
  readonly feeratePerKw: FeeratePerKw;
  readonly balances: Dual<MilliSatoshi>;
  readonly htlcs: readonly Htlc[];
}

/** What one side can propose. BOLT 2 §Normal Operation; `pay` is chankit's direct balance shift. */
export type ChangeContent =
  | { readonly kind: "pay"; readonly id: bigint; readonly amountMsat: MilliSatoshi }
  | {
      readonly kind: "add_htlc";
      readonly id: bigint;
      readonly amountMsat: MilliSatoshi;
      readonly paymentHash: Bytes32;
      readonly cltvExpiry: number;
    }
  | { readonly kind: "fulfill_htlc"; readonly id: bigint; readonly paymentPreimage: Bytes32 }
  | { readonly kind: "fail_htlc"; readonly id: bigint }
  | { readonly kind: "update_fee"; readonly feeratePerKw: FeeratePerKw };

/** A change with who proposed it. */
interface Proposed {
  readonly by: Side;
  readonly content: ChangeContent;
}

/** A spec that is being added up: what many changes need in time that grows with their number only. */
interface Tally {
  feeratePerKw: FeeratePerKw;
  readonly balances: Record<Side, bigint>;
  readonly htlcs: Map<string, Htlc>;
}

const keyOf = (offeredBy: Side, id: bigint): string => `${offeredBy} ${id}`;

/** Adds one change to the tally. Throws: state-htlc-unknown. */
function apply(tally: Tally, by: Side, change: ChangeContent): void {
  const { balances, htlcs } = tally;
  switch (change.kind) {
    case "pay":
      balances[by] -= change.amountMsat;
      balances[opposite(by)] += change.amountMsat;
      return;
    case "add_htlc": {
      const { id, amountMsat, paymentHash, cltvExpiry } = change;
      balances[by] -= amountMsat;
      htlcs.set(keyOf(by, id), { id, offeredBy: by, amountMsat, paymentHash, cltvExpiry });
      return;
    }
    case "fulfill_htlc":
      balances[by] += removed(htlcs, by, change.id).amountMsat;
      return;
    case "fail_htlc":
      balances[opposite(by)] += removed(htlcs, by, change.id).amountMsat;
      return;
    case "update_fee":
      tally.feeratePerKw = change.feeratePerKw;
  }
}

/** Only the side it was offered to removes an HTLC. BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`. */
function removed(htlcs: Map<string, Htlc>, remover: Side, id: bigint): Htlc {
  const key = keyOf(opposite(remover), id);
  const htlc = htlcs.get(key);
  if (htlc === undefined) throw new LnError("state-htlc-unknown", `no HTLC ${id} was offered to the ${remover} side`, { id: id.toString(), remover });
  htlcs.delete(key);
  return htlc;
}

function added(spec: CommitmentSpec, changes: readonly Proposed[], check: (by: Side, before: bigint, after: bigint) => void): CommitmentSpec {
  const tally: Tally = {
    feeratePerKw: spec.feeratePerKw,
    balances: { ...spec.balances },
    htlcs: new Map(spec.htlcs.map((htlc) => [keyOf(htlc.offeredBy, htlc.id), htlc])),
  };
  for (const { by, content } of changes) {
    const before = tally.balances[by];
    apply(tally, by, content);
    check(by, before, tally.balances[by]);
  }
  const { feeratePerKw, balances, htlcs } = tally;
  return { feeratePerKw, balances: { local: msat(balances.local), remote: msat(balances.remote) }, htlcs: [...htlcs.values()] };
}

/** The spec after changes, in the order given. Throws: state-balance-overdrawn, state-htlc-unknown. */
export function reduce(spec: CommitmentSpec, changes: readonly Proposed[]): CommitmentSpec {
  return added(spec, changes, mustSuffice);
}

/** The same where changes are looked at apart from those that they are paid from: a balance may come out below 0. Throws: state-htlc-unknown. */
export function reckon(spec: CommitmentSpec, changes: readonly Proposed[]): CommitmentSpec {
  return added(spec, changes, () => undefined);
}

function mustSuffice(side: Side, before: bigint, after: bigint): void {
  if (after >= 0n) return;
  throw new LnError("state-balance-overdrawn", `${before - after} msat exceed the ${side} balance of ${before} msat`, {
    side,
    amount_msat: (before - after).toString(),
    balance_msat: before.toString(),
  });
}

/** Whether two specs say the same, HTLCs in any order. */
export function sameSpec(a: CommitmentSpec, b: CommitmentSpec): boolean {
  return fingerprint(a) === fingerprint(b);
}

function fingerprint(spec: CommitmentSpec): string {
  const htlcs = spec.htlcs.map((htlc) => `${htlc.offeredBy} ${htlc.id} ${htlc.amountMsat} ${toHex(htlc.paymentHash)} ${htlc.cltvExpiry}`);
  return [spec.feeratePerKw, spec.balances.local, spec.balances.remote, ...htlcs.sort()].join("\n");
}
