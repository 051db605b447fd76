import { compareBytes } from "../bytes.js";
import { taggedHash } from "../keys/tagged-hash.js";
import { compactSize } from "./interpreter/serialise.js";

/** The leaf version of tapscript (BIP 342). */
export const TAPSCRIPT_LEAF = 0xc0;

/** A script with its version, hashed as a leaf of the tree. BIP 341. */
export function leafHash(version: number, script: Uint8Array): Uint8Array {
  return taggedHash("TapLeaf", Uint8Array.of(version), compactSize(script.length), script);
}

/** Two nodes hashed to the one above, the smaller first. BIP 341. */
export function branchHash(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) < 0 ? taggedHash("TapBranch", a, b) : taggedHash("TapBranch", b, a);
}

/** What an internal key is tweaked by for a tree, or for none (`root` empty). BIP 341. */
export function tapTweak(internalKey: Uint8Array, root: Uint8Array): Uint8Array {
  return taggedHash("TapTweak", internalKey, root);
}
