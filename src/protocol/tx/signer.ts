import { type Point, equalBytes } from "../bytes.js";
import { LnError } from "../errors.js";
import { deriveRevocationSecret, deriveSecret, publicKey } from "../keys/derivation.js";
import { type PartyKeys, requireSecret } from "../keys/party-keys.js";
import type { Secret32 } from "../secret.js";

/**
 * Which key of ours signs, and how its secret follows from one that we hold. None of it is a secret of ours: whoever has it can look, not sign.
 * `plain` the held one itself · `derived` moved by the per-commitment point · `revocation` joined with the secret that the peer gave away.
 * BOLT 3 §Key Derivation.
 */
export type Signer = PlainSigner | DerivedSigner | RevocationSigner;

interface PlainSigner {
  readonly kind: "plain";
  readonly pubkey: Point;
  readonly from: "fundingPrivkey" | "paymentBasepointSecret";
}

export interface DerivedSigner {
  readonly kind: "derived";
  readonly pubkey: Point;
  readonly from: "paymentBasepointSecret" | "delayedPaymentBasepointSecret" | "htlcBasepointSecret";
  readonly basepoint: Point;
  readonly perCommitmentPoint: Point<"per_commitment">;
}

export interface RevocationSigner {
  readonly kind: "revocation";
  readonly pubkey: Point;
  readonly from: "revocationBasepointSecret";
  readonly basepoint: Point;
  /** Secret of the peer's, revealed to us. */
  readonly perCommitmentSecret: Secret32<"per_commitment">;
}

/** What keys files call the secrets. */
export const SECRET_NAMES: Readonly<Record<Signer["from"], string>> = {
  fundingPrivkey: "funding_privkey",
  paymentBasepointSecret: "payment_basepoint_secret",
  delayedPaymentBasepointSecret: "delayed_payment_basepoint_secret",
  htlcBasepointSecret: "htlc_basepoint_secret",
  revocationBasepointSecret: "revocation_basepoint_secret",
};

/** Secret: signs for what is locked to the signer's key. Throws: key-missing, key-mismatch. */
export function signerSecret(signer: Signer, keys: PartyKeys): Secret32 {
  const secret = secretFor(signer, keys);
  if (equalBytes(publicKey(secret), signer.pubkey)) return secret;
  const what = SECRET_NAMES[signer.from];
  throw new LnError("key-mismatch", `the secret that follows from ${what} is not that of the key which the output is locked to`, { what });
}

function secretFor(signer: Signer, keys: PartyKeys): Secret32 {
  switch (signer.kind) {
    case "plain":
      return requireSecret(keys, signer.from);
    case "derived":
      return deriveSecret(requireSecret(keys, signer.from), signer.perCommitmentPoint);
    case "revocation":
      return deriveRevocationSecret(requireSecret(keys, signer.from), signer.perCommitmentSecret);
  }
}
