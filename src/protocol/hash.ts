import { ripemd160 as nobleRipemd160 } from "@noble/hashes/legacy.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";

/** As much of a noble hash as it takes to use its state again. */
interface State {
  update(bytes: Uint8Array): State;
  digestInto(digest: Uint8Array): void;
  _cloneInto(to?: this): this;
}

/** Hashes one after another in the same memory: making a state takes longer than hashing a script. It keeps the last digest, so no secret goes in. */
function reusing(create: () => State, size: number): (bytes: Uint8Array, rounds?: number) => Uint8Array {
  const fresh = create();
  const state = create();
  const digest = new Uint8Array(size);
  return (bytes, rounds = 1) => {
    let input = bytes;
    for (let round = 0; round < rounds; round++) {
      fresh._cloneInto(state).update(input).digestInto(digest);
      input = digest;
    }
    return digest.slice();
  };
}

/** Of public bytes: scripts, transactions. */
export const publicSha256 = reusing(() => nobleSha256.create(), 32);
/** Of public bytes. */
export const publicRipemd160 = reusing(() => nobleRipemd160.create() as State, 20);
