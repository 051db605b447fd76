import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, equalBytes, toHex } from "../bytes.js";
import { LnError } from "../errors.js";
import { type FundedChannel, eventualSpec, unrevokedSpecs } from "../channel/state.js";
import { SIDES, type Side, opposite } from "../side.js";
import { isTrimmed } from "../tx/fees.js";
import { FORMATS } from "../tx/format.js";
import type { ChangeContent, Htlc } from "../tx/spec.js";
import type { FeeratePerKw } from "../units.js";
import { atWorstFor } from "./changes.js";
import { demand } from "./rule.js";

type Add = Extract<ChangeContent, { readonly kind: "add_htlc" }>;

/** An expiry is a block height, not a time. BOLT 2 §Adding an HTLC: `update_add_htlc`. */
const MAX_CLTV_EXPIRY = 500_000_000;

/** Not below what the receiver takes. BOLT 2 §Adding an HTLC: `update_add_htlc`. */
export function htlcMustReachMinimum(state: FundedChannel, by: Side, { amountMsat }: Add): void {
  const minimum = state.params[opposite(by)].htlcMinimumMsat;
  demand(amountMsat >= minimum, "policy-htlc-minimum", () => [
    `${amountMsat} msat is below the receiver's htlc_minimum_msat of ${minimum}`,
    { amount_msat: amountMsat.toString(), htlc_minimum_msat: minimum.toString() },
  ]);
}

/** BOLT 2 §Adding an HTLC: `update_add_htlc`. */
export function expiryMustBeHeight({ cltvExpiry }: Add): void {
  demand(cltvExpiry < MAX_CLTV_EXPIRY, "policy-htlc-expiry", () => [
    `cltv_expiry ${cltvExpiry} is not below ${MAX_CLTV_EXPIRY}: it would be a time`,
    { cltv_expiry: cltvExpiry, limit: MAX_CLTV_EXPIRY },
  ]);
}

/** Number and sum of what one side has offered, on the receiver's commitment, trimmed ones too. BOLT 2 §Adding an HTLC: `update_add_htlc`. */
export function htlcsMustFit(proposed: FundedChannel, by: Side): void {
  const receiver = opposite(by);
  const { maxAcceptedHtlcs, maxHtlcValueInFlightMsat } = proposed.params[receiver];
  const offered = eventualSpec(atWorstFor(proposed, by), receiver).htlcs.filter(({ offeredBy }) => offeredBy === by);
  demand(offered.length <= maxAcceptedHtlcs, "policy-htlc-count", () => [
    `${offered.length} HTLCs exceed the receiver's max_accepted_htlcs of ${maxAcceptedHtlcs}`,
    { htlcs: offered.length, max_accepted_htlcs: maxAcceptedHtlcs },
  ]);
  const inFlight = offered.reduce((sum, { amountMsat }) => sum + amountMsat, 0n);
  demand(inFlight <= maxHtlcValueInFlightMsat, "policy-htlc-in-flight", () => [
    `${inFlight} msat in HTLCs exceed the receiver's max_htlc_value_in_flight_msat of ${maxHtlcValueInFlightMsat}`,
    { in_flight_msat: inFlight.toString(), max_htlc_value_in_flight_msat: maxHtlcValueInFlightMsat.toString() },
  ]);
}

/** What would go to the miners if `owner`'s commitment were published. BOLT 2 §Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`. */
export function dustExposure(state: FundedChannel, owner: Side): bigint {
  const spec = eventualSpec(state, owner);
  const format = FORMATS[state.channelType];
  const { dustLimitSatoshis } = state.params[owner];
  return spec.htlcs.filter((htlc) => isTrimmed(format, spec, dustLimitSatoshis, owner, htlc)).reduce((sum, { amountMsat }) => sum + amountMsat, 0n);
}

/** BOLT 2 §Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`. */
export function dustMustBeBounded(proposed: FundedChannel): void {
  const limit = proposed.limits.maxDustHtlcExposureMsat;
  for (const owner of SIDES) {
    const exposure = dustExposure(proposed, owner);
    demand(exposure <= limit, "policy-dust-exposure", () => [
      `${exposure} msat would stand in trimmed HTLCs of the ${owner} commitment, more than ${limit} msat`,
      { owner, exposure_msat: exposure.toString(), limit_msat: limit.toString() },
    ]);
  }
}

/**
 * The HTLC that `remover` may end: offered to it, irrevocably committed, and not ended yet.
 * BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`. Throws: state-htlc-unknown, policy-htlc-….
 */
export function requireRemovable(state: FundedChannel, remover: Side, id: bigint): Htlc {
  const details = { id: id.toString(), offered_by: opposite(remover) };
  const found = unrevokedSpecs(state).map(({ htlcs }) => htlcs.find((htlc) => htlc.id === id && htlc.offeredBy !== remover));
  const pending = pendingHtlc(state, opposite(remover), id);
  const htlc = found.find((candidate) => candidate !== undefined) ?? pending;
  if (htlc === undefined) throw new LnError("state-htlc-unknown", `no HTLC ${id} was offered by the ${opposite(remover)} side`, details);
  const ending = state.changes[remover].some(
    ({ content, stage }) => (content.kind === "fulfill_htlc" || content.kind === "fail_htlc") && content.id === id && stage !== "irrevocable",
  );
  demand(!ending, "policy-htlc-removed-twice", () => [`HTLC ${id} is being removed already`, details]);
  demand(pending === undefined && found.every((candidate) => candidate !== undefined), "policy-htlc-not-committed", () => [
    `HTLC ${id} is not irrevocably committed on both sides yet`,
    details,
  ]);
  return htlc;
}

/** An HTLC whose offer is not irrevocable yet. */
function pendingHtlc(state: FundedChannel, offeredBy: Side, id: bigint): Htlc | undefined {
  for (const { content, stage } of state.changes[offeredBy]) {
    if (content.kind !== "add_htlc" || content.id !== id || stage === "irrevocable") continue;
    const { amountMsat, paymentHash, cltvExpiry } = content;
    return { id, offeredBy, amountMsat, paymentHash, cltvExpiry };
  }
  return undefined;
}

/** BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`. */
export function preimageMustMatch(htlc: Htlc, preimage: Bytes32): void {
  demand(equalBytes(sha256(preimage), htlc.paymentHash), "policy-preimage-mismatch", () => [
    `the preimage's hash is not HTLC ${htlc.id}'s payment_hash ${toHex(htlc.paymentHash)}`,
    { id: htlc.id.toString(), payment_hash: toHex(htlc.paymentHash) },
  ]);
}

/** Blocks that a fulfilled HTLC must have left, so that it can still be enforced on chain: 2R + G + S. BOLT 2 §`cltv_expiry_delta` Selection. */
const FULFILL_MARGIN = 18;

/** A preimage revealed too late may be used against us: the peer takes the money upstream, and ours back by timeout. */
export function deadlineMustAllow(htlc: Htlc, height: number): void {
  demand(height + FULFILL_MARGIN <= htlc.cltvExpiry, "policy-htlc-deadline", () => [
    `at height ${height} HTLC ${htlc.id}, which expires at ${htlc.cltvExpiry}, has less than ${FULFILL_MARGIN} blocks left`,
    { id: htlc.id.toString(), height, cltv_expiry: htlc.cltvExpiry, margin: FULFILL_MARGIN },
  ]);
}

/** The bit by which a failure says that the onion itself was bad. BOLT 4 (Failure Messages). */
const BADONION = 0x8000;

/** BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`. */
export function malformedMustSayBadOnion(failureCode: number): void {
  demand((failureCode & BADONION) !== 0, "policy-badonion", () => [
    `failure_code 0x${failureCode.toString(16)} lacks the BADONION bit`,
    { failure_code: failureCode },
  ]);
}

/** Where commitments pay no fee, there is none to change: lightning/bolts pull request 1228. */
export function feeMustBeAgreedOn({ channelType }: FundedChannel): void {
  demand(FORMATS[channelType].hasFeerate, "policy-update-fee", () => [
    `the commitments of a ${channelType} channel pay no fee: there is no update_fee`,
    { channel_type: channelType },
  ]);
}

/** BOLT 2 §Updating Fees: `update_fee`. */
export function feeMustBeOpeners(state: FundedChannel, by: Side): void {
  demand(by === state.opener, "policy-fee-not-opener", () => ["only the opener, who pays it, changes the fee", { by }]);
}

/** BOLT 2 §Updating Fees: `update_fee`. */
export function feerateMustBeSane({ limits }: FundedChannel, feerate: FeeratePerKw): void {
  demand(feerate >= limits.minFeeratePerKw && feerate <= limits.maxFeeratePerKw, "policy-feerate-range", () => [
    `feerate_per_kw ${feerate} is not within ${limits.minFeeratePerKw}..${limits.maxFeeratePerKw}`,
    { feerate_per_kw: feerate.toString(), min: limits.minFeeratePerKw.toString(), max: limits.maxFeeratePerKw.toString() },
  ]);
}
