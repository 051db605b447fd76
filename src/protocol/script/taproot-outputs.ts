import { type Bytes32, type Point, fromHex } from "../bytes.js";
import { publicRipemd160 } from "../hash.js";
import type { CommitmentKeys } from "../keys/commitment-keys.js";
import { LnError } from "../errors.js";
import { OPS, type TapLeaf, type TapLock, fixedNumber, hashHole, numberHole, scriptTemplate, xOnlyHole } from "./assemble.js";
import { p2tr, xOnly } from "./taproot.js";

/*
 * Outputs of taproot channels: option_simple_taproot (lightning/bolts pull request 995, merged), and the proposal taproot_zero_fee_commitments (pull request
 * 1330). Where the two differ, the second has no block's delay, for its commitments have no anchors of their own.
 * A timelock's number stays on the stack as what makes the script good.
 */

/** A key that nobody has the secret of: what it locks is opened by a script alone. */
export const NUMS_POINT = fromHex("02dca094751109d0bd055d03565874e8276dd53e926b44e3bd1bb6bf4bc130a279") as Point;

/** A preimage's size in bytes. */
const PREIMAGE_SIZE = fixedNumber("preimage_size", 32);
const PREIMAGE = [OPS.OP_SIZE, PREIMAGE_SIZE, OPS.OP_EQUALVERIFY, OPS.OP_HASH160, hashHole("payment_hash_ripemd160")] as const;
const ONE_BLOCK = [OPS.OP_1, OPS.OP_CHECKSEQUENCEVERIFY] as const;

/** The owner, after to_self_delay. Witness: <local_delayedsig>   (nSequence = to_self_delay) */
export const DELAY_LEAF = scriptTemplate([
  xOnlyHole("local_delayedpubkey"),
  OPS.OP_CHECKSIGVERIFY,
  numberHole("to_self_delay"),
  OPS.OP_CHECKSEQUENCEVERIFY,
]);

/** The countersigner, once the owner has revoked; shows the owner's key, which the anchor's tree asks for. Witness: <revocation_sig> */
export const REVOKE_LEAF = scriptTemplate([xOnlyHole("local_delayedpubkey"), OPS.OP_DROP, xOnlyHole("revocationpubkey"), OPS.OP_CHECKSIG]);

/** The countersigner, one block after confirmation. Witness: <remote_sig>   (nSequence = 1) */
export const TO_REMOTE_LEAF = scriptTemplate([xOnlyHole("remotepubkey"), OPS.OP_CHECKSIGVERIFY, ...ONE_BLOCK]);

/** Anyone, 16 blocks after confirmation. Witness: nothing   (nSequence = 16) */
export const ANCHOR_LEAF = scriptTemplate([OPS.OP_16, OPS.OP_CHECKSEQUENCEVERIFY]);

/** The owner's HTLC-timeout. Witness: <remotehtlcsig> <localhtlcsig> */
export const OFFERED_TIMEOUT_LEAF = scriptTemplate([
  xOnlyHole("local_htlcpubkey"),
  OPS.OP_CHECKSIGVERIFY,
  xOnlyHole("remote_htlcpubkey"),
  OPS.OP_CHECKSIG,
]);

/** The countersigner with the preimage. Witness: <remotehtlcsig> <payment_preimage>   (nSequence = 1) */
export const OFFERED_SUCCESS_LEAF = scriptTemplate([
  ...PREIMAGE,
  OPS.OP_EQUALVERIFY,
  xOnlyHole("remote_htlcpubkey"),
  OPS.OP_CHECKSIGVERIFY,
  ...ONE_BLOCK,
]);

/** The same without a delay. Witness: <payment_preimage> <remotehtlcsig> */
export const OFFERED_SUCCESS_ZERO_FEE_LEAF = scriptTemplate([xOnlyHole("remote_htlcpubkey"), OPS.OP_CHECKSIGVERIFY, ...PREIMAGE, OPS.OP_EQUAL]);

/** The countersigner after the expiry. Witness: <remotehtlcsig>   (nSequence = 1, nLockTime ≥ cltv_expiry) */
export const RECEIVED_TIMEOUT_LEAF = scriptTemplate([
  xOnlyHole("remote_htlcpubkey"),
  OPS.OP_CHECKSIGVERIFY,
  ...ONE_BLOCK,
  OPS.OP_VERIFY,
  numberHole("cltv_expiry"),
  OPS.OP_CHECKLOCKTIMEVERIFY,
]);

/** The same without a delay. Witness: <remotehtlcsig>   (nLockTime ≥ cltv_expiry) */
export const RECEIVED_TIMEOUT_ZERO_FEE_LEAF = scriptTemplate([
  xOnlyHole("remote_htlcpubkey"),
  OPS.OP_CHECKSIGVERIFY,
  numberHole("cltv_expiry"),
  OPS.OP_CHECKLOCKTIMEVERIFY,
]);

/** The owner's HTLC-success. Witness: <remotehtlcsig> <localhtlcsig> <payment_preimage> */
export const RECEIVED_SUCCESS_LEAF = scriptTemplate([
  ...PREIMAGE,
  OPS.OP_EQUALVERIFY,
  xOnlyHole("local_htlcpubkey"),
  OPS.OP_CHECKSIGVERIFY,
  xOnlyHole("remote_htlcpubkey"),
  OPS.OP_CHECKSIG,
]);

/** What the leaves of a taproot output are of, from the owner's view. */
type Keys = Pick<CommitmentKeys, "revocationPubkey" | "ownerDelayedPubkey" | "ownerHtlcPubkey" | "countersignerHtlcPubkey" | "remotePubkey">;

/** BIP 68 counts blocks in 16 bits; a delay of 0 would leave nothing true on the stack. */
const MAX_DELAY_BLOCKS = 0xffff;

/** Throws: script-delay-range. */
function delayLeaf({ ownerDelayedPubkey }: Keys, delay: number): TapLeaf {
  if (!Number.isInteger(delay) || delay < 1 || delay > MAX_DELAY_BLOCKS) {
    throw new LnError("script-delay-range", `to_self_delay ${delay} blocks is not within 1..${MAX_DELAY_BLOCKS}`, { to_self_delay: delay });
  }
  return { name: "delay", script: DELAY_LEAF.build({ local_delayedpubkey: xOnly(ownerDelayedPubkey), to_self_delay: delay }) };
}

/** to_local of option_simple_taproot. Throws: script-delay-range. */
export function toLocalTaproot(keys: Keys, delay: number): TapLock {
  const revoke = REVOKE_LEAF.build({ local_delayedpubkey: xOnly(keys.ownerDelayedPubkey), revocationpubkey: xOnly(keys.revocationPubkey) });
  return p2tr(NUMS_POINT, [delayLeaf(keys, delay), { name: "revoke", script: revoke }]);
}

/** What HTLC transactions pay to, and to_local where nothing is to be shown: opened by the revocation key, or by the owner after the delay. Throws: script-delay-range. */
export function delayedTaproot(keys: Keys, delay: number): TapLock {
  return p2tr(keys.revocationPubkey, [delayLeaf(keys, delay)]);
}

/** to_remote of option_simple_taproot. */
export function toRemoteTaproot({ remotePubkey }: Keys): TapLock {
  return p2tr(NUMS_POINT, [{ name: "claim", script: TO_REMOTE_LEAF.build({ remotepubkey: xOnly(remotePubkey) }) }]);
}

/** An anchor: its side's by that side's key, which is the delayed one or that of to_remote. */
export function anchorTaproot(key: Point): TapLock {
  return p2tr(key, [{ name: "anyone", script: ANCHOR_LEAF.build({}) }]);
}

function htlcHoles({ ownerHtlcPubkey, countersignerHtlcPubkey }: Keys, paymentHash: Bytes32) {
  return {
    local_htlcpubkey: xOnly(ownerHtlcPubkey),
    remote_htlcpubkey: xOnly(countersignerHtlcPubkey),
    payment_hash_ripemd160: publicRipemd160(paymentHash),
  };
}

/** An HTLC that the owner offered. The revocation key opens it as well. */
export function offeredHtlcTaproot(keys: Keys, paymentHash: Bytes32, delayedByOneBlock: boolean): TapLock {
  const holes = htlcHoles(keys, paymentHash);
  const success = delayedByOneBlock ? OFFERED_SUCCESS_LEAF : OFFERED_SUCCESS_ZERO_FEE_LEAF;
  return p2tr(keys.revocationPubkey, [
    { name: "timeout", script: OFFERED_TIMEOUT_LEAF.build(holes) },
    { name: "success", script: success.build(holes) },
  ]);
}

/** An HTLC that the owner received. The revocation key opens it as well. */
export function receivedHtlcTaproot(keys: Keys, paymentHash: Bytes32, cltvExpiry: number, delayedByOneBlock: boolean): TapLock {
  const holes = { ...htlcHoles(keys, paymentHash), cltv_expiry: cltvExpiry };
  const timeout = delayedByOneBlock ? RECEIVED_TIMEOUT_LEAF : RECEIVED_TIMEOUT_ZERO_FEE_LEAF;
  return p2tr(keys.revocationPubkey, [
    { name: "timeout", script: timeout.build(holes) },
    { name: "success", script: RECEIVED_SUCCESS_LEAF.build(holes) },
  ]);
}
