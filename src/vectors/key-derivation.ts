import { sha256 } from "@noble/hashes/sha2.js";
import { anyObject, anything, list, oneOf, text } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional, someFields } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { concat, toHex } from "../protocol/bytes.js";
import { ecc } from "../protocol/ecc.js";
import { deriveKey, deriveRevocationPubkey, deriveRevocationSecret, deriveSecret, publicKey } from "../protocol/keys/derivation.js";
import { multiplySecrets } from "../protocol/keys/scalar.js";
import { Secret32 } from "../protocol/secret.js";
import { shown } from "./case.js";
import { type VectorSet, expectedOf } from "./vector.js";

const derivedValue = optional(anything);

const CASE_NAMES = [
  "pubkey from basepoint and per_commitment_point",
  "privkey from basepoint secret and per_commitment_point",
  "revocation pubkey from basepoint and per_commitment_point",
  "revocation privkey from basepoint secret and per_commitment secret",
] as const;

/** Appendix E: one basepoint and one per-commitment point, and all that is derived from them, step by step. */
const document = fields({
  source: optional(anyObject),
  status: optional(text),
  inputs: fields({
    base_secret: json.bytes32,
    per_commitment_secret: json.secret("per_commitment"),
    base_point: derivedValue,
    per_commitment_point: derivedValue,
  }),
  cases: list(someFields({ name: oneOf(CASE_NAMES) })),
});

/** Secrets in, and out: this layout publishes them. BOLT 3 §Appendix E: Key Derivation Test Vectors. */
export function readKeyDerivation(value: unknown, source: string): VectorSet {
  const { inputs, cases } = decode(document, value, source);
  const { baseSecret, perCommitmentSecret } = inputs;
  const basepoint = publicKey(new Secret32(baseSecret));
  const perCommitmentPoint = publicKey<"per_commitment">(perCommitmentSecret);
  const pointFirst = sha256(concat(perCommitmentPoint, basepoint));
  const baseFirst = sha256(concat(basepoint, perCommitmentPoint));
  const revocationBasepoint = publicKey<"revocation_basepoint">(new Secret32(baseSecret));
  const revocationSecret = deriveRevocationSecret(new Secret32<"revocation_basepoint">(baseSecret), perCommitmentSecret);
  const hashes = { sha256_revbase_pcp: toHex(baseFirst), sha256_pcp_revbase: toHex(pointFirst) };
  const derived: Readonly<Record<(typeof CASE_NAMES)[number], object>> = {
    "pubkey from basepoint and per_commitment_point": {
      sha256_pcp_basepoint: toHex(pointFirst),
      expected_pubkey: toHex(deriveKey(basepoint, perCommitmentPoint)),
    },
    "privkey from basepoint secret and per_commitment_point": {
      sha256_pcp_basepoint: toHex(pointFirst),
      expected_privkey: shown(deriveSecret(new Secret32(baseSecret), perCommitmentPoint)),
    },
    "revocation pubkey from basepoint and per_commitment_point": {
      ...hashes,
      term1_point: hexOrNull(ecc().pointMultiply(basepoint, baseFirst)),
      term2_point: hexOrNull(ecc().pointMultiply(perCommitmentPoint, pointFirst)),
      expected_pubkey: toHex(deriveRevocationPubkey(revocationBasepoint, perCommitmentPoint)),
    },
    "revocation privkey from basepoint secret and per_commitment secret": {
      ...hashes,
      term1_scalar: toHex(multiplySecrets(baseSecret, baseFirst)),
      term2_scalar: toHex(multiplySecrets(perCommitmentSecret.reveal(), pointFirst)),
      expected_privkey: shown(revocationSecret),
    },
  };
  const raw = value as { readonly inputs: object; readonly cases: readonly object[] };
  return {
    common: [
      {
        id: "common",
        path: ["inputs"],
        expected: expectedOf(raw.inputs, ["base_secret", "per_commitment_secret"]),
        derived: { base_point: toHex(basepoint), per_commitment_point: toHex(perCommitmentPoint) },
      },
    ],
    cases: cases.map(({ name }, at) => ({ id: name, path: ["cases", at], expected: expectedOf(raw.cases[at], ["name"]), derived: derived[name] })),
  };
}

function hexOrNull(point: Uint8Array | null): string | null {
  return point === null ? null : toHex(point);
}
