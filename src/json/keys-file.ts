import type { PartyKeys } from "../protocol/keys/party-keys.js";
import { list, literal, nullable } from "./codec.js";
import { decode, encode } from "./decode.js";
import { fields } from "./fields.js";
import { commitmentNumber, secret } from "./primitives.js";

export const KEYS_FORMAT = "chankit-keys";
export const KEYS_VERSION = 1;

/** `keys.json`: every secret of a party. Test cases may lack some. */
export const keysFile = fields({
  format: literal(KEYS_FORMAT),
  version: literal(KEYS_VERSION),
  funding_privkey: nullable(secret("funding")),
  revocation_basepoint_secret: nullable(secret("revocation_basepoint")),
  payment_basepoint_secret: nullable(secret("payment_basepoint")),
  delayed_payment_basepoint_secret: nullable(secret("delayed_payment_basepoint")),
  htlc_basepoint_secret: nullable(secret("htlc_basepoint")),
  per_commitment_seed: nullable(secret("per_commitment_seed")),
  per_commitment_secrets: list(fields({ number: commitmentNumber, secret: secret("per_commitment") })),
});

/** Secret: a party's keys. Throws: json-…. */
export function readKeysDocument(document: unknown, source: string): PartyKeys {
  return decode(keysFile, document, source);
}

/** Secret: the document for the keys file alone. */
export function printKeysDocument(keys: PartyKeys): Record<string, unknown> {
  return encode(keysFile, { format: KEYS_FORMAT, version: KEYS_VERSION, ...keys });
}
