import { type Bytes32, toHex } from "../bytes.js";
import { LnError } from "../errors.js";
import { type Dual, type Side, opposite, withSide } from "../side.js";
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

/** The spec after one change by `proposer`. Throws: state-htlc-unknown. */
function apply(spec: CommitmentSpec, proposer: Side, change: ChangeContent): CommitmentSpec {
  switch (change.kind) {
    case "pay":
      return credit(credit(spec, proposer, -change.amountMsat), opposite(proposer), change.amountMsat);
    case "add_htlc": {
      const { id, amountMsat, paymentHash, cltvExpiry } = change;
      const htlc: Htlc = { id, offeredBy: proposer, amountMsat, paymentHash, cltvExpiry };
      return { ...credit(spec, proposer, -amountMsat), htlcs: [...spec.htlcs, htlc] };
    }
    case "fulfill_htlc":
      return settle(spec, proposer, change.id, proposer);
    case "fail_htlc":
      return settle(spec, proposer, change.id, opposite(proposer));
    case "update_fee":
      return { ...spec, feeratePerKw: change.feeratePerKw };
  }
}

/** The spec after changes, in the order given. Throws: state-balance-overdrawn, state-htlc-unknown. */
export function reduce(spec: CommitmentSpec, changes: readonly Proposed[]): CommitmentSpec {
  return changes.reduce((before, { by, content }) => {
    const after = apply(before, by, content);
    if (after.balances[by] < 0n) throw overdrawn(by, before, after);
    return after;
  }, spec);
}

/** The same where changes are looked at apart from those that they are paid from: a balance may come out below 0. Throws: state-htlc-unknown. */
export function reckon(spec: CommitmentSpec, changes: readonly Proposed[]): CommitmentSpec {
  return changes.reduce((before, { by, content }) => apply(before, by, content), spec);
}

/** An HTLC ends: only the side it was offered to removes it. BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`. */
function settle(spec: CommitmentSpec, remover: Side, id: bigint, paidTo: Side): CommitmentSpec {
  const htlc = spec.htlcs.find((candidate) => candidate.id === id && candidate.offeredBy !== remover);
  if (htlc === undefined) throw new LnError("state-htlc-unknown", `no HTLC ${id} was offered to the ${remover} side`, { id: id.toString(), remover });
  return credit({ ...spec, htlcs: spec.htlcs.filter((kept) => kept !== htlc) }, paidTo, htlc.amountMsat);
}

function overdrawn(side: Side, before: CommitmentSpec, after: CommitmentSpec): LnError {
  const amount = before.balances[side] - after.balances[side];
  return new LnError("state-balance-overdrawn", `${amount} msat exceed the ${side} balance of ${before.balances[side]} msat`, {
    side,
    amount_msat: amount.toString(),
    balance_msat: before.balances[side].toString(),
  });
}

function credit(spec: CommitmentSpec, side: Side, amount: bigint): CommitmentSpec {
  return { ...spec, balances: withSide(spec.balances, side, msat(spec.balances[side] + amount)) };
}

/** Whether two specs say the same, HTLCs in any order. */
export function sameSpec(a: CommitmentSpec, b: CommitmentSpec): boolean {
  return fingerprint(a) === fingerprint(b);
}

function fingerprint(spec: CommitmentSpec): string {
  const htlcs = spec.htlcs.map((htlc) => `${htlc.offeredBy} ${htlc.id} ${htlc.amountMsat} ${toHex(htlc.paymentHash)} ${htlc.cltvExpiry}`);
  return [spec.feeratePerKw, spec.balances.local, spec.balances.remote, ...htlcs.sort()].join("\n");
}
