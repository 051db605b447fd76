import { Field } from "@noble/curves/abstract/modular.js";
import { type Signature, fromHex, toHex } from "../bytes.js";

/** The order of secp256k1's group (SEC 2, section 2.4.1). */
const GROUP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const scalars = Field(GROUP_ORDER);

/**
 * Secret: the product of two secrets modulo the group's order, which curve backends do not offer.
 * On bigints, hence not in constant time: fit for a tool whose user owns the machine, not for a shared signer.
 */
export function multiplySecrets(a: Uint8Array, b: Uint8Array): Uint8Array {
  const product = scalars.mul(toScalar(a), toScalar(b));
  return fromHex(product.toString(16).padStart(64, "0"));
}

function toScalar(bytes: Uint8Array): bigint {
  return scalars.create(BigInt(`0x${toHex(bytes)}`));
}

/** Whether a signature's S is at most half the order (BIP 146): the other one, though as valid, is not relayed. */
export function isLowS(signature: Signature): boolean {
  return BigInt(`0x${toHex(signature.subarray(32))}`) <= GROUP_ORDER / 2n;
}
