import type { SecretRole } from "../protocol/secret.js";
import type { JsonPath } from "./path.js";

/**
 * Keys under which a value may be a secret, or bytes with a secret in them, as a message's `wire` has. Decided by name
 * and not by schema, since the value of a mistyped or misplaced key must not be shown either.
 */
const SECRET_KEY = /secret|seed|preimage|priv|nonce|wif|mnemonic|password|^wire$/i;

export function namesSecret(path: JsonPath): boolean {
  return path.some((key) => typeof key === "string" && SECRET_KEY.test(key));
}

const SECRET_FORM = "a secret (";

/** How errors describe what a secret must look like. */
export function secretForm(role: SecretRole): string {
  return `${SECRET_FORM}${role}) of 32 bytes in hex`;
}

/** Whether an expectation is about a secret, whatever its key is called. */
export function isSecretForm(expected: string): boolean {
  return expected.startsWith(SECRET_FORM);
}
