import { sha256 } from "@noble/hashes/sha2.js";
import { type KeyRole, type Point, concat, point, toHex } from "../bytes.js";
import { type Ecc, ecc } from "../ecc.js";
import { LnError } from "../errors.js";
import { Secret32, type SecretRole } from "../secret.js";
import { multiplySecrets } from "./scalar.js";

/** Throws: key-not-on-curve. */
export function assertOnCurve(candidate: Point, what: string): void {
  if (!ecc().isPoint(candidate)) {
    throw new LnError("key-not-on-curve", `${what} ${toHex(candidate)} is not a point of the curve`, { path: what, value: toHex(candidate) });
  }
}

/** Points by the secrets that they were asked for of, under one backend: to make one takes as long as a signature, and a case asks many times. */
let known: { readonly backend: Ecc; readonly points: WeakMap<Secret32, Point> } | undefined;

/** The public key of a secret. Throws: key-secret-range. */
export function publicKey<Role extends KeyRole>(secret: Secret32): Point<Role> {
  const backend = ecc();
  if (known?.backend !== backend) known = { backend, points: new WeakMap() };
  let held = known.points.get(secret);
  if (held === undefined) {
    assertSecretRange(secret);
    known.points.set(secret, (held = point(backend.pointFromSecret(secret.reveal()))));
  }
  return held as Point<Role>;
}

/**
 * A key of one commitment: `basepoint + SHA256(per_commitment_point || basepoint) * G`.
 * BOLT 3 §`localpubkey`, `local_htlcpubkey`, `remote_htlcpubkey`, `local_delayedpubkey`, and `remote_delayedpubkey` Derivation.
 * Throws: key-degenerate.
 */
export function deriveKey<Role extends KeyRole>(basepoint: Point, perCommitmentPoint: Point<"per_commitment">): Point<Role> {
  return existing<Role>(ecc().pointAddScalar(basepoint, sha256(concat(perCommitmentPoint, basepoint))));
}

/**
 * Secret: the secret of `deriveKey`: `basepoint_secret + SHA256(per_commitment_point || basepoint)`.
 * BOLT 3 §`localpubkey`, `local_htlcpubkey`, `remote_htlcpubkey`, `local_delayedpubkey`, and `remote_delayedpubkey` Derivation.
 * Throws: key-secret-range, key-degenerate.
 */
export function deriveSecret<Role extends SecretRole>(basepointSecret: Secret32, perCommitmentPoint: Point<"per_commitment">): Secret32<Role> {
  const basepoint = publicKey(basepointSecret);
  return existingSecret(ecc().secretAdd(basepointSecret.reveal(), sha256(concat(perCommitmentPoint, basepoint))));
}

/**
 * The key that takes a revoked output:
 * `revocation_basepoint * SHA256(revocation_basepoint || per_commitment_point) + per_commitment_point * SHA256(per_commitment_point || revocation_basepoint)`.
 * The basepoint is the countersigner's, the point the owner's: neither knows the secret until the owner gives away its half.
 * BOLT 3 §`revocationpubkey` Derivation. Throws: key-degenerate.
 */
export function deriveRevocationPubkey(
  revocationBasepoint: Point<"revocation_basepoint">,
  perCommitmentPoint: Point<"per_commitment">,
): Point<"revocationpubkey"> {
  const fromBasepoint = ecc().pointMultiply(revocationBasepoint, sha256(concat(revocationBasepoint, perCommitmentPoint)));
  const fromPoint = ecc().pointMultiply(perCommitmentPoint, sha256(concat(perCommitmentPoint, revocationBasepoint)));
  return existing(ecc().pointAdd(existing(fromBasepoint), existing(fromPoint)));
}

/**
 * Secret: the secret of `deriveRevocationPubkey`, from the countersigner's basepoint secret and the owner's revealed per-commitment secret.
 * BOLT 3 §`revocationpubkey` Derivation. Throws: key-secret-range, key-degenerate.
 */
export function deriveRevocationSecret(
  revocationBasepointSecret: Secret32<"revocation_basepoint">,
  perCommitmentSecret: Secret32<"per_commitment">,
): Secret32<"revocation"> {
  const basepoint = publicKey(revocationBasepointSecret);
  const perCommitmentPoint = publicKey(perCommitmentSecret);
  const fromBasepoint = multiplySecrets(revocationBasepointSecret.reveal(), sha256(concat(basepoint, perCommitmentPoint)));
  const fromSecret = multiplySecrets(perCommitmentSecret.reveal(), sha256(concat(perCommitmentPoint, basepoint)));
  return existingSecret(ecc().secretAdd(fromBasepoint, fromSecret));
}

/** Secret in. Throws: key-secret-range. */
export function assertSecretRange(secret: Secret32): void {
  if (!ecc().isSecret(secret.reveal())) throw new LnError("key-secret-range", "a secret is 0 or not below the curve's order", {});
}

function existing<Role extends KeyRole>(result: Uint8Array | null): Point<Role> {
  if (result === null) throw new LnError("key-degenerate", "the derived key is the point at infinity", {});
  return point<Role>(result);
}

function existingSecret<Role extends SecretRole>(result: Uint8Array | null): Secret32<Role> {
  if (result === null) throw new LnError("key-degenerate", "the derived secret is 0", {});
  return new Secret32<Role>(result);
}
