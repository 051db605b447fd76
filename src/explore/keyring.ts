import { ripemd160 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, toHex } from "../protocol/bytes.js";
import { deriveRevocationSecret, deriveSecret, publicKey } from "../protocol/keys/derivation.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import { type Lock, hash160 } from "../protocol/script/assemble.js";
import { type KnownScript, type SpendPath, knownLock, spendPaths } from "../protocol/script/known-script.js";
import { scriptHex } from "./chain.js";
import type { Secret32 } from "../protocol/secret.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";

/** Secret: whatever somebody can sign and show. Nothing in it was put there for one output or one attack. */
export interface Keyring {
  /** Secret keys by their public keys and by the hashes of these, in hex: scripts name them in both ways. */
  readonly secrets: ReadonlyMap<string, Secret32>;
  /** Preimages by the RIPEMD160 of their payment hashes in hex: that is what scripts name. */
  readonly preimages: ReadonlyMap<string, Bytes32>;
  /** Witness scripts by the outputs that hash them, in hex. */
  readonly scripts: ReadonlyMap<string, Lock>;
}

/** Secret in: preimages by what HTLC scripts name them by. */
export function preimageIndex(preimages: Iterable<Bytes32>): ReadonlyMap<string, Bytes32> {
  return new Map([...preimages].map((preimage) => [toHex(ripemd160(sha256(preimage))), preimage]));
}

/**
 * Secret: the keys that a party has on one commitment, its own or the other side's: every derivation from every one of its basepoints, and the
 * revocation key if the owner's per-commitment secret is known to it.
 */
export function keysOn({ keys }: Commitment, party: PartyKeys, perCommitmentSecret: Secret32<"per_commitment"> | null): readonly Secret32[] {
  const { perCommitmentPoint } = keys;
  const held = [party.fundingPrivkey, party.paymentBasepointSecret, party.delayedPaymentBasepointSecret, party.htlcBasepointSecret];
  const own = held.flatMap((secret): Secret32[] => (secret === null ? [] : [secret, deriveSecret(secret, perCommitmentPoint)]));
  const { revocationBasepointSecret } = party;
  if (perCommitmentSecret === null || revocationBasepointSecret === null) return own;
  return [...own, deriveRevocationSecret(revocationBasepointSecret, perCommitmentSecret)];
}

/** Secret in: keys by what scripts name them by. */
export function secretIndex(secrets: Iterable<Secret32>): ReadonlyMap<string, Secret32> {
  const index = new Map<string, Secret32>();
  for (const secret of secrets) {
    const pubkey = publicKey(secret);
    index.set(toHex(pubkey), secret).set(toHex(hash160(pubkey)), secret);
  }
  return index;
}

/** What the outputs of a commitment, and of its HTLC transactions, are locked with. */
export function locksOf({ outputs, terms, keys }: Commitment): readonly Lock[] {
  return [...outputs.map(({ lock }) => lock), terms.format.secondStage(keys, terms.toSelfDelay)];
}

/** One way to spend an output with one signature. */
export interface Way {
  readonly path: SpendPath;
  readonly lock: Lock;
  /** Secret: signs; null where none is asked for. */
  readonly secret: Secret32 | null;
  readonly preimage: Bytes32 | null;
}

export function isAnchor({ scripts }: Keyring, script: Uint8Array): boolean {
  const lock = scripts.get(scriptHex(script));
  const kind = lock === undefined ? undefined : knownLock(lock)?.kind;
  return kind === "anchor" || kind === "p2a";
}

/** Every way in which a keyring alone can spend an output, timelocks aside. An output whose script nobody has told has none. */
export function waysToSpend(ring: Keyring, script: Uint8Array): readonly Way[] {
  const lock = ring.scripts.get(scriptHex(script));
  if (lock === undefined) return [];
  const known = knownLock(lock);
  if (known === null) return [];
  return spendPaths(known).flatMap((path): Way[] => {
    const signatures = path.witness.filter(({ form }) => form === "signature");
    // Two signatures are two parties': such a path is taken by what both have signed beforehand
    if (signatures.length > 1) return [];
    const preimage = path.witness.some(({ form }) => form === "preimage") ? preimageFor(ring, known) : null;
    if (preimage === undefined) return [];
    const [wanted] = signatures;
    if (wanted === undefined) return [{ path, lock, secret: null, preimage }];
    const key = wanted.key ?? path.key?.value;
    const secret = key === undefined ? undefined : ring.secrets.get(toHex(key));
    return secret === undefined ? [] : [{ path, lock, secret, preimage }];
  });
}

function preimageFor(ring: Keyring, known: KnownScript): Bytes32 | undefined {
  return known.kind === "offered_htlc" || known.kind === "received_htlc" ? ring.preimages.get(toHex(known.values.payment_hash_ripemd160)) : undefined;
}

export const scriptIndex = (locks: Iterable<Lock>): ReadonlyMap<string, Lock> => new Map([...locks].map((lock) => [toHex(lock.scriptPubkey), lock]));
