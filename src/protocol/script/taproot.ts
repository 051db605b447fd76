import { concat, equalBytes, scriptPubkey } from "../bytes.js";
import { ecc } from "../ecc.js";
import { LnError } from "../errors.js";
import { EMPTY, type TapLeaf, type TapLock, type Witness } from "./assemble.js";
import { TAPSCRIPT_LEAF, branchHash, leafHash, tapTweak } from "./tap-tree.js";

const EVEN = 0x02;
const P2TR_PREFIX = Uint8Array.of(0x51, 32);

/** A point by its x alone. */
export function xOnly(point: Uint8Array): Uint8Array {
  return point.subarray(1);
}

/** Pay to the internal key (33 bytes, of which the x counts), joined to scripts or, without any, to nothing (BIP 86). BIP 341. Throws: key-degenerate. */
export function p2tr(internal: Uint8Array, leaves: readonly [] | readonly [TapLeaf] | readonly [TapLeaf, TapLeaf]): TapLock {
  const internalKey = xOnly(internal);
  const outputKey = ecc().pointAddScalar(concat(Uint8Array.of(EVEN), internalKey), tapTweak(internalKey, rootOf(leaves) ?? EMPTY));
  if (outputKey === null) throw new LnError("key-degenerate", "the tweaked key is the point at infinity", {});
  return { kind: "p2tr", scriptPubkey: scriptPubkey(concat(P2TR_PREFIX, xOnly(outputKey))), internalKey, leaves, outputKey };
}

export function tapLeafHash({ script }: TapLeaf): Uint8Array {
  return leafHash(TAPSCRIPT_LEAF, script);
}

/** The root of one leaf or two; null of none. BIP 341. */
export function rootOf(leaves: readonly TapLeaf[]): Uint8Array | null {
  const [first, second] = leaves.map(tapLeafHash);
  if (first === undefined) return null;
  return second === undefined ? first : branchHash(first, second);
}

/** What the internal key is tweaked by. BIP 341. */
export function tweakOf({ internalKey, leaves }: Pick<TapLock, "internalKey" | "leaves">): Uint8Array {
  return tapTweak(internalKey, rootOf(leaves) ?? EMPTY);
}

/** The leaf of a name. Throws: internal-lock. */
export function leafOf({ leaves }: TapLock, name: string): TapLeaf {
  const found = leaves.find((leaf) => leaf.name === name);
  if (found === undefined) throw new LnError("internal-lock", `an output without a leaf ${name}`, { leaf: name });
  return found;
}

/** What shows that an output holds a leaf: 33 bytes, and 32 more where there is another leaf beside it. BIP 341. */
export function controlBlock({ leaves, internalKey, outputKey }: TapLock, leaf: TapLeaf): Uint8Array {
  const own = tapLeafHash(leaf);
  const beside = leaves.map(tapLeafHash).filter((hash) => !equalBytes(hash, own));
  const [parity = EVEN] = outputKey;
  return concat(Uint8Array.of(TAPSCRIPT_LEAF | (parity & 1)), internalKey, ...beside);
}

/** What a leaf's script is given, and then the script itself and its control block. BIP 341. */
export function leafWitness(lock: TapLock, leaf: TapLeaf, elements: Witness): Witness {
  return [...elements, leaf.script, controlBlock(lock, leaf)];
}
