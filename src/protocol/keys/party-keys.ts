import type { Point } from "../bytes.js";
import { LnError } from "../errors.js";
import type { Secret32 } from "../secret.js";
import type { Basepoints } from "./commitment-keys.js";
import { publicKey } from "./derivation.js";
import { type CommitmentNumber, perCommitmentSecret } from "./shachain.js";

/**
 * Secret: all of one party's secrets. Test cases may lack some; what needs a missing one says so.
 * `perCommitmentSecrets` stand for numbers whose secret a test case states outright.
 */
export interface PartyKeys {
  readonly fundingPrivkey: Secret32<"funding"> | null;
  readonly revocationBasepointSecret: Secret32<"revocation_basepoint"> | null;
  readonly paymentBasepointSecret: Secret32<"payment_basepoint"> | null;
  readonly delayedPaymentBasepointSecret: Secret32<"delayed_payment_basepoint"> | null;
  readonly htlcBasepointSecret: Secret32<"htlc_basepoint"> | null;
  readonly perCommitmentSeed: Secret32<"per_commitment_seed"> | null;
  readonly perCommitmentSecrets: readonly { readonly number: CommitmentNumber; readonly secret: Secret32<"per_commitment"> }[];
}

type SecretName = Exclude<keyof PartyKeys, "perCommitmentSecrets">;

/** Secret: one of the party's. Throws: key-missing. */
export function requireSecret<Name extends SecretName>(keys: PartyKeys, name: Name): NonNullable<PartyKeys[Name]> {
  const secret = keys[name];
  if (secret === null) throw new LnError("key-missing", `the keys lack ${name}`, { name });
  return secret;
}

/** What the party announces when a channel opens. Throws: key-missing, key-secret-range. */
export function basepointsOf(keys: PartyKeys): Basepoints {
  return {
    fundingPubkey: publicKey(requireSecret(keys, "fundingPrivkey")),
    revocationBasepoint: publicKey(requireSecret(keys, "revocationBasepointSecret")),
    paymentBasepoint: publicKey(requireSecret(keys, "paymentBasepointSecret")),
    delayedPaymentBasepoint: publicKey(requireSecret(keys, "delayedPaymentBasepointSecret")),
    htlcBasepoint: publicKey(requireSecret(keys, "htlcBasepointSecret")),
  };
}

/** Secret: the party's own per-commitment secret. BOLT 3 §Per-commitment Secret Requirements. Throws: key-missing. */
export function ownSecret(keys: PartyKeys, number: CommitmentNumber): Secret32<"per_commitment"> {
  const stated = keys.perCommitmentSecrets.find((held) => held.number === number);
  return stated?.secret ?? perCommitmentSecret(requireSecret(keys, "perCommitmentSeed"), number);
}

/** The point that the peer gets for one of our numbers. BOLT 3 §Per-commitment Secret Requirements. Throws: key-missing. */
export function ownPerCommitmentPoint(keys: PartyKeys, number: CommitmentNumber): Point<"per_commitment"> {
  return publicKey(ownSecret(keys, number));
}
