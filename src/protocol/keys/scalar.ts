import { Field } from "@noble/curves/abstract/modular.js";
import { type Signature, concat } from "../bytes.js";
import { GROUP_ORDER, fromNumber, toNumber } from "./group.js";

const scalars = Field(GROUP_ORDER);

/**
 * Secret: the product of two secrets modulo the group's order, which curve backends do not offer.
 * On bigints, hence not in constant time: fit for a tool whose user owns the machine, not for a shared signer.
 */
export function multiplySecrets(a: Uint8Array, b: Uint8Array): Uint8Array {
  return fromNumber(scalars.mul(toScalar(a), toScalar(b)));
}

function toScalar(bytes: Uint8Array): bigint {
  return scalars.create(toNumber(bytes));
}

/** Whether a signature's S is at most half the order (BIP 146): the other one, though as valid, is not relayed. */
export function isLowS(signature: Signature): boolean {
  return toNumber(signature.subarray(32)) <= GROUP_ORDER / 2n;
}

/** The same signature with the other S, which the curve takes as well and the network does not where it is the high one. */
export function negateS(signature: Signature): Signature {
  return concat(signature.subarray(0, 32), fromNumber(GROUP_ORDER - toNumber(signature.subarray(32)))) as Signature;
}
