import { type Point, equalBytes } from "../bytes.js";
import { LnError } from "../errors.js";
import { publicKey } from "../keys/derivation.js";
import { type PartyKeys, ownPerCommitmentPoint } from "../keys/party-keys.js";
import type { Secret32 } from "../secret.js";
import type { NumberedPoint } from "./params.js";
import type { ChannelState } from "./state.js";

/**
 * Secrets in: the keys of the party whose state this is, or it ends here. With another party's a signature would be good for nothing, a revocation
 * would give away a secret that opens nothing, and the points after it would make our own commitments unspendable. A secret that is lacking is
 * missed only where it is used.
 * Throws: key-mismatch.
 */
export function requireOwnKeys(state: ChannelState, keys: PartyKeys): void {
  const { fundingPubkey, revocationBasepoint, paymentBasepoint, delayedPaymentBasepoint, htlcBasepoint } = state.params.local;
  const pairs: readonly (readonly [what: string, secret: Secret32 | null, announced: Point])[] = [
    ["funding_privkey", keys.fundingPrivkey, fundingPubkey],
    ["revocation_basepoint_secret", keys.revocationBasepointSecret, revocationBasepoint],
    ["payment_basepoint_secret", keys.paymentBasepointSecret, paymentBasepoint],
    ["delayed_payment_basepoint_secret", keys.delayedPaymentBasepointSecret, delayedPaymentBasepoint],
    ["htlc_basepoint_secret", keys.htlcBasepointSecret, htlcBasepoint],
  ];
  for (const [what, secret, announced] of pairs) {
    if (secret !== null && !equalBytes(publicKey(secret), announced)) throw mismatch(what);
  }
  const [held] = state.ownPoints;
  if (held === undefined || (keys.perCommitmentSeed === null && keys.perCommitmentSecrets.every(({ number }) => number !== held.number))) return;
  if (!equalBytes(ownPerCommitmentPoint(keys, held.number), held.point)) throw mismatch("per_commitment_seed");
}

function mismatch(what: string): LnError {
  return new LnError("key-mismatch", `the keys are not this channel's: ${what} is another`, { what });
}

/** Own points that the state holds, so that building and verifying need no keys: of the lowest unreleased number and the two after it. */
export function ownPointsFrom(keys: PartyKeys, first: number): readonly NumberedPoint[] {
  return [first, first + 1, first + 2].map((number) => ({ number, point: ownPerCommitmentPoint(keys, number) }));
}
