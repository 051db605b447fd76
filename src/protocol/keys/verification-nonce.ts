import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Point } from "../bytes.js";
import { Secret32 } from "../secret.js";
import { type SecretNonce, generateNonce } from "./musig2.js";
import { type CommitmentNumber, perCommitmentSecret } from "./shachain.js";

/*
 * The nonce with which an owner will complete its own commitment, derived so that it need not be stored: nobody else checks how. This is lnd's way, by
 * which the published vectors were made. It must complete one signature only for each number.
 */

const LABEL = Uint8Array.from("taproot-rev-root", (letter) => letter.charCodeAt(0));

/** Secret in, and out: the root of a tree of nonces, beside that of the per-commitment secrets. option_simple_taproot. */
export function verificationNonceRoot(shachainRoot: Secret32): Secret32<"per_commitment_seed"> {
  return new Secret32<"per_commitment_seed">(hmac(sha256, LABEL, sha256(shachainRoot.reveal())));
}

/** Secret in, and out: the leaf of one commitment number, from which its nonce is made. option_simple_taproot. */
export function verificationNonceRand(shachainRoot: Secret32, number: CommitmentNumber): Secret32 {
  return perCommitmentSecret(verificationNonceRoot(shachainRoot), number);
}

/** Secret in, and out: the owner's nonce for one number. option_simple_taproot. */
export function verificationNonce(shachainRoot: Secret32, number: CommitmentNumber, fundingPubkey: Point<"funding">): SecretNonce {
  return generateNonce({ rand: verificationNonceRand(shachainRoot, number), pubkey: fundingPubkey });
}
