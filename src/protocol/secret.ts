import { bytes32 } from "./bytes.js";

/** What a secret is for. Two roles never interchange. */
export type SecretRole =
  | "funding"
  | "revocation_basepoint"
  | "payment_basepoint"
  | "delayed_payment_basepoint"
  | "htlc_basepoint"
  | "per_commitment"
  | "per_commitment_seed"
  | "revocation"
  | "delayed"
  | "htlc"
  | "payment";

const REDACTED = "[secret]";

/**
 * Secret: 32 bytes that must never be seen. Printing, interpolating, inspecting or serialising one shows `[secret]`;
 * only `reveal()` gives the bytes.
 */
export class Secret32<Role extends SecretRole = SecretRole> {
  declare readonly role?: Role;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes32(bytes, "secret");
  }

  /** Secret: the bytes themselves. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}
