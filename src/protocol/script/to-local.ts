import type { Point, Signature, WitnessScript } from "../bytes.js";
import { LnError } from "../errors.js";
import { EMPTY, ONE, OPS, type Witness, numberHole, pointHole, scriptTemplate, witnessSignature } from "./assemble.js";

/** BOLT 3 §`to_local` Output. */
// prettier-ignore
export const TO_LOCAL_SCRIPT = scriptTemplate([
  OPS.OP_IF,
    // Penalty: the countersigner, once the owner has revoked this commitment
    pointHole("revocationpubkey"),
  OPS.OP_ELSE,
    // The owner, after the delay
    numberHole("to_self_delay"),
    OPS.OP_CHECKSEQUENCEVERIFY,
    OPS.OP_DROP,
    pointHole("local_delayedpubkey"),
  OPS.OP_ENDIF,
  OPS.OP_CHECKSIG,
]);

/** BIP 68 counts blocks in 16 bits. */
const MAX_DELAY_BLOCKS = 0xffff;

/**
 * Witness script of the to_local output and of what HTLC transactions pay to: the owner after to_self_delay, or the holder of the revocation key at once.
 * BOLT 3 §`to_local` Output.
 * Witness: owner <local_delayedsig> <>   (nSequence = to_self_delay)  ·  penalty <revocation_sig> 01
 * Shape: two points, delay 1..65535 blocks → 77 bytes for a 2-byte delay.
 * Throws: script-delay-range.
 */
export function toLocalScript(revocationPubkey: Point<"revocationpubkey">, ownerDelayedPubkey: Point<"delayedpubkey">, delay: number): WitnessScript {
  if (!Number.isInteger(delay) || delay < 1 || delay > MAX_DELAY_BLOCKS) {
    throw new LnError("script-delay-range", `to_self_delay ${delay} blocks is not within 1..${MAX_DELAY_BLOCKS}`, { to_self_delay: delay });
  }
  return TO_LOCAL_SCRIPT.build({ revocationpubkey: revocationPubkey, to_self_delay: delay, local_delayedpubkey: ownerDelayedPubkey });
}

/** The owner's spend, with nSequence = to_self_delay. BOLT 3 §`to_local` Output. */
export function toLocalSweepWitness(script: WitnessScript, delayedSignature: Signature, sighashType: number): Witness {
  return [witnessSignature(delayedSignature, sighashType), EMPTY, script];
}

/** The victim's spend of a revoked output. BOLT 3 §`to_local` Output. */
export function toLocalPenaltyWitness(script: WitnessScript, revocationSignature: Signature, sighashType: number): Witness {
  return [witnessSignature(revocationSignature, sighashType), ONE, script];
}
