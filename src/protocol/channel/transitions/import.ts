import { equalBytes, toHex } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { assertOnCurve } from "../../keys/derivation.js";
import { type PartyKeys, basepointsOf, ownPerCommitmentPoint } from "../../keys/party-keys.js";
import { type Shachain, EMPTY_SHACHAIN, insertSecret, lookupSecret, secretIndex, slotIndexes } from "../../keys/shachain.js";
import { FORMATS } from "../../tx/format.js";
import type { CommitmentSpec } from "../../tx/spec.js";
import { toMsat } from "../../units.js";
import { selectCommitment } from "../select.js";
import { type FundedChannel, lowestUnreleased } from "../state.js";
import { verifySignatures } from "./commit.js";

/**
 * A state from elsewhere, believed only as far as it can be checked: keys, points, every signature, every secret, every sum.
 * Secrets in: the party's keys. Throws: state-import-…, state-signature-…, state-shachain-mismatch, key-not-on-curve.
 */
export function checkImported(state: FundedChannel, keys: PartyKeys): void {
  checkKeys(state, keys);
  checkPoints(state, keys);
  checkFeerates(state);
  checkSums(state);
  checkSignatures(state);
  checkSecrets(state.remoteSecrets, state.fundings[0].remote.current?.number ?? 0);
}

function refuse(path: string, fact: string, value?: string): LnError {
  return new LnError("state-import-contradiction", `${path}: ${fact}`, { path, ...(value === undefined ? {} : { value }) });
}

function checkKeys(state: FundedChannel, keys: PartyKeys): void {
  for (const [name, point] of Object.entries(basepointsOf(keys))) {
    const stated = state.params.local[name as keyof ReturnType<typeof basepointsOf>];
    if (!equalBytes(point as Uint8Array, stated)) throw refuse(`params.local.${name}`, "is not that of the keys", toHex(stated));
  }
}

function checkPoints(state: FundedChannel, keys: PartyKeys): void {
  const lowest = lowestUnreleased(state);
  const numbers = state.ownPoints.map(({ number }) => number);
  if (numbers.join() !== [lowest, lowest + 1, lowest + 2].join()) {
    throw refuse("own_points", `are for ${numbers.join(", ")}, not for ${lowest} and the two after it`);
  }
  for (const { number, point } of state.ownPoints) {
    if (!equalBytes(point, ownPerCommitmentPoint(keys, number)))
      throw refuse("own_points", `the one for ${number} is not that of the keys`, toHex(point));
  }
  const { fundingPubkey, revocationBasepoint, paymentBasepoint, delayedPaymentBasepoint, htlcBasepoint } = state.params.remote;
  for (const point of [fundingPubkey, revocationBasepoint, paymentBasepoint, delayedPaymentBasepoint, htlcBasepoint])
    assertOnCurve(point, "params.remote");
  const { current, next } = state.fundings[0].remote;
  for (const held of [current, next, state.remoteNextPoint]) if (held !== null) assertOnCurve(held.point, `the peer's point ${held.number}`);
  const newest = (next ?? current)?.number ?? -1;
  if (state.remoteNextPoint !== null && state.remoteNextPoint.number !== newest + 1) {
    throw refuse("remote_next_point", `is for ${state.remoteNextPoint.number}, the next to be signed is ${newest + 1}`);
  }
}

/** The state's specs, each with its path. */
function specsOf({ fundings: [funding] }: FundedChannel): readonly (readonly [path: string, spec: CommitmentSpec | undefined])[] {
  return [
    ["local.current", funding.local.current?.spec],
    ["local.previous", funding.local.previous?.spec],
    ["remote.current", funding.remote.current?.spec],
    ["remote.next", funding.remote.next?.spec],
  ];
}

/** Where commitments pay no fee, none has a feerate. */
function checkFeerates(state: FundedChannel): void {
  if (FORMATS[state.channelType].hasFeerate) return;
  const fact = `is not 0 in a ${state.channelType} channel, whose commitments pay no fee`;
  if (state.feeratePerKw !== 0n) throw refuse("feerate_per_kw", fact, state.feeratePerKw.toString());
  for (const [path, spec] of specsOf(state)) {
    if (spec !== undefined && spec.feeratePerKw !== 0n) throw refuse(`fundings[0].${path}.spec.feerate_per_kw`, fact, spec.feeratePerKw.toString());
  }
}

function checkSums(state: FundedChannel): void {
  const [funding] = state.fundings;
  for (const [path, spec] of specsOf(state)) {
    if (spec === undefined) continue;
    const sum = spec.balances.local + spec.balances.remote + spec.htlcs.reduce((total, { amountMsat }) => total + amountMsat, 0n);
    if (sum !== toMsat(funding.amount))
      throw refuse(`fundings[0].${path}.spec`, `adds up to ${sum} msat, the funding holds ${toMsat(funding.amount)} msat`);
  }
}

function checkSignatures(state: FundedChannel): void {
  const { current, previous } = state.fundings[0].local;
  if (current === null) throw refuse("fundings[0].local.current", "is null: a channel without a commitment of ours is opened, not imported");
  if (previous !== null && previous.number !== current.number - 1)
    throw refuse("fundings[0].local.previous.number", `is ${previous.number}, not ${current.number - 1}`);
  for (const commit of [current, previous]) {
    if (commit !== null) verifySignatures(selectCommitment(state, "local", commit.number).commitment, commit);
  }
}

/** The store must hold exactly what receiving `count` secrets in order would have left. */
function checkSecrets(chain: Shachain, count: number): void {
  const expected = slotIndexes(count);
  const held = chain.map((slot) => slot?.index ?? null);
  if (held.join() !== expected.join()) throw refuse("remote_secrets", `do not stand for the peer's ${count} revoked commitments`);
  let checked = EMPTY_SHACHAIN;
  for (const slot of chain.filter((held) => held !== null).sort((a, b) => (a.index > b.index ? -1 : 1)))
    checked = insertSecret(checked, slot.index, slot.secret);
  if (count > 0 && lookupSecret(checked, secretIndex(count - 1)) === null) throw refuse("remote_secrets", `lack number ${count - 1}`);
}
