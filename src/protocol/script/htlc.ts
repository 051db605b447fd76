import type { Bytes32, Point, Signature, WitnessScript } from "../bytes.js";
import { publicRipemd160 } from "../hash.js";
import { EMPTY, OPS, type Witness, fixedNumber, hash160, hashHole, numberHole, pointHole, scriptTemplate, witnessSignature } from "./assemble.js";

/** With anchors every spend but the penalty waits a block, so that only the anchors can carry unconfirmed children. */
const ONE_BLOCK = [OPS.OP_1, OPS.OP_CHECKSEQUENCEVERIFY, OPS.OP_DROP] as const;

/** A preimage's size in bytes, by which the scripts tell it from an empty element. BOLT 3 §Offered HTLC Outputs. */
const PREIMAGE_SIZE = fixedNumber("preimage_size", 32);

// prettier-ignore
const OFFERED_HTLC = [
  // Penalty: the countersigner, with the revocation key
  OPS.OP_DUP, OPS.OP_HASH160, hashHole("revocationpubkey_hash160"), OPS.OP_EQUAL,
  OPS.OP_IF,
    OPS.OP_CHECKSIG,
  OPS.OP_ELSE,
    pointHole("remote_htlcpubkey"), OPS.OP_SWAP, OPS.OP_SIZE, PREIMAGE_SIZE, OPS.OP_EQUAL,
    OPS.OP_NOTIF,
      // To the owner via the HTLC-timeout transaction
      OPS.OP_DROP, OPS.OP_2, OPS.OP_SWAP, pointHole("local_htlcpubkey"), OPS.OP_2, OPS.OP_CHECKMULTISIG,
    OPS.OP_ELSE,
      // To the countersigner with the preimage
      OPS.OP_HASH160, hashHole("payment_hash_ripemd160"), OPS.OP_EQUALVERIFY,
      OPS.OP_CHECKSIG,
    OPS.OP_ENDIF,
] as const;

// prettier-ignore
const RECEIVED_HTLC = [
  // Penalty: the countersigner, with the revocation key
  OPS.OP_DUP, OPS.OP_HASH160, hashHole("revocationpubkey_hash160"), OPS.OP_EQUAL,
  OPS.OP_IF,
    OPS.OP_CHECKSIG,
  OPS.OP_ELSE,
    pointHole("remote_htlcpubkey"), OPS.OP_SWAP, OPS.OP_SIZE, PREIMAGE_SIZE, OPS.OP_EQUAL,
    OPS.OP_IF,
      // To the owner via the HTLC-success transaction
      OPS.OP_HASH160, hashHole("payment_hash_ripemd160"), OPS.OP_EQUALVERIFY,
      OPS.OP_2, OPS.OP_SWAP, pointHole("local_htlcpubkey"), OPS.OP_2, OPS.OP_CHECKMULTISIG,
    OPS.OP_ELSE,
      // To the countersigner after the expiry
      OPS.OP_DROP, numberHole("cltv_expiry"), OPS.OP_CHECKLOCKTIMEVERIFY, OPS.OP_DROP,
      OPS.OP_CHECKSIG,
    OPS.OP_ENDIF,
] as const;

/** BOLT 3 §Offered HTLC Outputs. */
export const OFFERED_HTLC_SCRIPT = scriptTemplate([...OFFERED_HTLC, OPS.OP_ENDIF]);
/** BOLT 3 §Offered HTLC Outputs. */
export const OFFERED_HTLC_ANCHORS_SCRIPT = scriptTemplate([...OFFERED_HTLC, ...ONE_BLOCK, OPS.OP_ENDIF]);
/** BOLT 3 §Received HTLC Outputs. */
export const RECEIVED_HTLC_SCRIPT = scriptTemplate([...RECEIVED_HTLC, OPS.OP_ENDIF]);
/** BOLT 3 §Received HTLC Outputs. */
export const RECEIVED_HTLC_ANCHORS_SCRIPT = scriptTemplate([...RECEIVED_HTLC, ...ONE_BLOCK, OPS.OP_ENDIF]);

/** The keys that an HTLC script names, from the owner's view. */
export interface HtlcKeys {
  readonly revocationPubkey: Point<"revocationpubkey">;
  readonly ownerHtlcPubkey: Point<"htlcpubkey">;
  readonly countersignerHtlcPubkey: Point<"htlcpubkey">;
}

/** Of the keys of the commitments at hand: hundreds of HTLCs have the same. */
const revocationHashes = new WeakMap<HtlcKeys, Uint8Array>();

function revocationHash(keys: HtlcKeys): Uint8Array {
  const known = revocationHashes.get(keys);
  if (known !== undefined) return known;
  const hash = hash160(keys.revocationPubkey);
  revocationHashes.set(keys, hash);
  return hash;
}

function shared(keys: HtlcKeys, paymentHash: Bytes32) {
  return {
    revocationpubkey_hash160: revocationHash(keys),
    remote_htlcpubkey: keys.countersignerHtlcPubkey,
    local_htlcpubkey: keys.ownerHtlcPubkey,
    payment_hash_ripemd160: publicRipemd160(paymentHash),
  };
}

/**
 * Witness script of an HTLC that the owner offered.
 * BOLT 3 §Offered HTLC Outputs.
 * Witness: timeout 0 <remotehtlcsig> <localhtlcsig> <>  ·  countersigner <remotehtlcsig> <payment_preimage>  ·  penalty <revocation_sig> <revocationpubkey>
 * Shape: 133 bytes, 136 with anchors.
 */
export function offeredHtlcScript(keys: HtlcKeys, paymentHash: Bytes32, delayedByOneBlock: boolean): WitnessScript {
  return (delayedByOneBlock ? OFFERED_HTLC_ANCHORS_SCRIPT : OFFERED_HTLC_SCRIPT).build(shared(keys, paymentHash));
}

/**
 * Witness script of an HTLC that the owner received.
 * BOLT 3 §Received HTLC Outputs.
 * Witness: success 0 <remotehtlcsig> <localhtlcsig> <payment_preimage>  ·  countersigner <remotehtlcsig> <> (nLockTime ≥ cltv_expiry)  ·  penalty <revocation_sig> <revocationpubkey>
 * Shape: 139 bytes for an expiry of 3 bytes, 142 with anchors.
 */
export function receivedHtlcScript(keys: HtlcKeys, paymentHash: Bytes32, cltvExpiry: number, delayedByOneBlock: boolean): WitnessScript {
  const values = { ...shared(keys, paymentHash), cltv_expiry: cltvExpiry };
  return (delayedByOneBlock ? RECEIVED_HTLC_ANCHORS_SCRIPT : RECEIVED_HTLC_SCRIPT).build(values);
}

/** The owner's HTLC-timeout (no preimage) or HTLC-success. BOLT 3 §HTLC-Timeout and HTLC-Success Transactions. */
export function htlcTxWitness(script: WitnessScript, remoteSignature: Uint8Array, localSignature: Uint8Array, preimage: Bytes32 | null): Witness {
  return [EMPTY, remoteSignature, localSignature, preimage ?? EMPTY, script];
}

/** The countersigner's own spend: with the preimage of an offered HTLC, or after a received one's expiry. BOLT 5 §Generation of HTLC Transactions. */
export function htlcClaimWitness(script: WitnessScript, htlcSignature: Signature, sighashType: number, preimage: Bytes32 | null): Witness {
  return [witnessSignature(htlcSignature, sighashType), preimage ?? EMPTY, script];
}

/** The victim's spend of a revoked HTLC output. BOLT 5 §Revoked Transaction Close Handling. */
export function htlcPenaltyWitness(
  script: WitnessScript,
  revocationSignature: Signature,
  sighashType: number,
  revocationPubkey: Point<"revocationpubkey">,
): Witness {
  return [witnessSignature(revocationSignature, sighashType), revocationPubkey, script];
}
