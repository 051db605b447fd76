import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, type Point, type Signature, bytes32, concat, point, signature, toHex } from "../protocol/bytes.js";
import type { Ecc } from "../protocol/ecc.js";
import { multiplySecrets } from "../protocol/keys/scalar.js";
import { Secret32, type SecretRole } from "../protocol/secret.js";

/** What stands for a signature that is nowhere to be seen. */
export const NO_SIGNATURE: Signature = signature(new Uint8Array(64));

/** A signature that was asked for, and what was at hand for it. */
export interface Unfound {
  readonly hash: Bytes32;
  readonly key: Point;
}

/**
 * A curve on which whoever knows a public key alone can go through every step of its owner's: a secret is a name that stands for it, and a signature
 * is looked up among those that the record shows, and is found only where it is good. So the transitions are the very ones that the parties ran.
 */
export class StandIns {
  private readonly points = new Map<string, Uint8Array>();
  private offered: Signature[] = [];
  private unfound: Unfound[] = [];
  /** How many signatures were found good. */
  verified = 0;

  private readonly real: Ecc;

  constructor(real: Ecc) {
    this.real = real;
  }

  /** The name of the secret of a point; `what` tells it from others. A point that is not known is one that nothing can be done with. */
  secretOf<Role extends SecretRole>(what: string, known: Point | undefined): Secret32<Role> {
    const name = sha256(new TextEncoder().encode(`chankit stand-in ${what} ${known === undefined ? "" : toHex(known)}`));
    this.points.set(toHex(name), known ?? unknownPoint(what));
    return new Secret32<Role>(name);
  }

  /**
   * Stands for the secret that opens what the peer has revoked: the secret is the sum of two products, of which the other one is known once the
   * per-commitment secret is given away. BOLT 3 §`revocationpubkey` Derivation.
   */
  revokes(basepointSecret: Secret32<"revocation_basepoint">, given: Secret32<"per_commitment">): void {
    const basepoint = this.points.get(toHex(basepointSecret.reveal()));
    if (basepoint === undefined) return;
    const factor = sha256(concat(basepoint, this.real.pointFromSecret(given.reveal())));
    const product = this.real.pointMultiply(basepoint, factor);
    if (product !== null) this.points.set(toHex(multiplySecrets(basepointSecret.reveal(), factor)), product);
  }

  /** Runs `act` with these signatures to find what it signs; those that it looked for in vain come with the result. */
  signing<T>(signatures: readonly Signature[], act: () => T): { readonly result: T; readonly unfound: readonly Unfound[] } {
    [this.offered, this.unfound] = [[...signatures], []];
    const result = act();
    return { result, unfound: this.unfound };
  }

  readonly ecc = (): Ecc => ({
    name: this.real.name,
    isPoint: (candidate) => this.real.isPoint(candidate),
    isSecret: (secret) => this.points.has(toHex(secret)) || this.real.isSecret(secret),
    pointFromSecret: (secret) => this.points.get(toHex(secret)) ?? this.real.pointFromSecret(secret),
    pointAdd: (a, b) => this.real.pointAdd(a, b),
    pointMultiply: (base, scalar) => this.real.pointMultiply(base, scalar),
    pointAddScalar: (base, scalar) => this.real.pointAddScalar(base, scalar),
    secretAdd: (a, b) => this.sumOf(a, b),
    sign: (hash, secret) => this.find(hash, secret),
    verify: (hash, key, candidate) => {
      const good = this.real.verify(hash, key, candidate);
      if (good) this.verified++;
      return good;
    },
  });

  private sumOf(a: Uint8Array, b: Uint8Array): Uint8Array | null {
    const known = this.points.get(toHex(a));
    if (known === undefined) return this.real.secretAdd(a, b);
    const sum = this.real.pointAddScalar(known, b);
    if (sum === null) return null;
    const name = sha256(concat(a, b));
    this.points.set(toHex(name), sum);
    return name;
  }

  private find(hash: Uint8Array, secret: Uint8Array): Uint8Array {
    const key = this.points.get(toHex(secret));
    if (key === undefined) return NO_SIGNATURE;
    // They come in the order in which they are asked for, as a rule
    const at = this.offered.findIndex((candidate) => this.real.verify(hash, key, candidate));
    const [found] = at === -1 ? [] : this.offered.splice(at, 1);
    if (found === undefined) this.unfound.push({ hash: bytes32(hash), key: point(key) });
    return found ?? NO_SIGNATURE;
  }
}

/** No point of the curve that anybody has chosen: the place of one that the record does not show. */
function unknownPoint(what: string): Point {
  return point(concat(Uint8Array.of(2), sha256(new TextEncoder().encode(`chankit unknown point ${what}`))));
}

/** The stand-in for a party's point of one number, where the record does not show it. */
export function unknownPointOf(party: string, number: number): Point {
  return unknownPoint(pointName(party, number));
}

export function pointName(party: string, number: number): string {
  return `${party} per_commitment ${number}`;
}
