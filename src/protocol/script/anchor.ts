import type { Point, Signature, WitnessScript } from "../bytes.js";
import { OPS, type Witness, pointHole, scriptTemplate, witnessSignature } from "./assemble.js";

/** BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors). */
// prettier-ignore
export const ANCHOR_SCRIPT = scriptTemplate([
  // Its funding key's holder, at any time
  pointHole("funding_pubkey"),
  OPS.OP_CHECKSIG,
  OPS.OP_IFDUP,
  OPS.OP_NOTIF,
    // Anyone, 16 blocks after confirmation
    OPS.OP_16,
    OPS.OP_CHECKSEQUENCEVERIFY,
  OPS.OP_ENDIF,
]);

/**
 * Witness script of an anchor, by which its side can pay for the commitment's confirmation.
 * BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors).
 * Witness: funding key <sig>  ·  anyone <>   (nSequence = 16)
 */
export function anchorScript(fundingPubkey: Point<"funding">): WitnessScript {
  return ANCHOR_SCRIPT.build({ funding_pubkey: fundingPubkey });
}

/** The spend by its funding key's holder. BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors). */
export function anchorWitness(script: WitnessScript, fundingSignature: Signature, sighashType: number): Witness {
  return [witnessSignature(fundingSignature, sighashType), script];
}
