import type { Point, WitnessScript } from "../bytes.js";
import { OPS, pointHole, scriptTemplate } from "./assemble.js";

/** BOLT 3 §`to_remote` Output. */
// prettier-ignore
export const TO_REMOTE_ANCHORS_SCRIPT = scriptTemplate([
  pointHole("remotepubkey"),
  OPS.OP_CHECKSIGVERIFY,
  OPS.OP_1,
  OPS.OP_CHECKSEQUENCEVERIFY,
]);

/**
 * Witness script of to_remote in channels with anchors: the countersigner, one block after confirmation. Other channels pay to P2WPKH.
 * BOLT 3 §`to_remote` Output.
 * Witness: <remote_sig>   (nSequence = 1)
 */
export function toRemoteAnchorsScript(remotePubkey: Point<"remotepubkey">): WitnessScript {
  return TO_REMOTE_ANCHORS_SCRIPT.build({ remotepubkey: remotePubkey });
}
