import { type Point, type Signature, type WitnessScript, compareBytes } from "../bytes.js";
import { aggregateKeys, sortKeys } from "../keys/musig2.js";
import { EMPTY, OPS, type TapLock, type Witness, pointHole, scriptTemplate, witnessSignature } from "./assemble.js";
import { p2tr } from "./taproot.js";

/** BOLT 3 §Funding Transaction Output. */
export const FUNDING_SCRIPT = scriptTemplate([OPS.OP_2, pointHole("pubkey1"), pointHole("pubkey2"), OPS.OP_2, OPS.OP_CHECKMULTISIG]);

/** The 2-of-2 that both parties' money is behind, the keys in lexicographic order. BOLT 3 §Funding Transaction Output. Shape: 71 bytes. */
export function fundingScript(a: Point<"funding">, b: Point<"funding">): WitnessScript {
  const [pubkey1, pubkey2] = compareBytes(a, b) <= 0 ? [a, b] : [b, a];
  return FUNDING_SCRIPT.build({ pubkey1, pubkey2 });
}

/** Both keys as one, in lexicographic order, and no scripts (BIP 86): of taproot channels. option_simple_taproot. Throws: key-not-on-curve, key-degenerate. */
export function fundingTaproot(a: Point<"funding">, b: Point<"funding">): TapLock {
  return p2tr(aggregateKeys(sortKeys([a, b])), []);
}

/**
 * Witness: 0 <signature_for_pubkey1> <signature_for_pubkey2> <script>. Each signature is given with its key, in any order.
 * BOLT 3 §Commitment Transaction.
 */
export function fundingWitness(
  script: WitnessScript,
  a: { readonly pubkey: Point<"funding">; readonly signature: Signature },
  b: { readonly pubkey: Point<"funding">; readonly signature: Signature },
  sighashType: number,
): Witness {
  const [first, second] = compareBytes(a.pubkey, b.pubkey) <= 0 ? [a, b] : [b, a];
  return [EMPTY, witnessSignature(first.signature, sighashType), witnessSignature(second.signature, sighashType), script];
}
