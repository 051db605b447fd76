import { type Bytes32, type Signature, signature } from "../protocol/bytes.js";
import { ecc } from "../protocol/ecc.js";
import type { Secret32 } from "../protocol/secret.js";

/**
 * Secret in. A signature whose R needs no leading zero byte in DER, found as Bitcoin Core finds it: plain RFC 6979 first, then with the
 * numbers 1, 2 … as extra entropy, each in 32 little-endian bytes. One byte shorter than half of the plain ones.
 */
export function signLowR(hash: Bytes32, secret: Secret32): Signature {
  let candidate = ecc().sign(hash, secret.reveal());
  for (let counter = 1; !hasLowR(candidate); counter++) {
    const entropy = new Uint8Array(32);
    new DataView(entropy.buffer).setUint32(0, counter, true);
    candidate = ecc().sign(hash, secret.reveal(), entropy);
  }
  return signature(candidate);
}

function hasLowR(compact: Uint8Array): boolean {
  return (compact[0] ?? 0) < 0x80;
}
