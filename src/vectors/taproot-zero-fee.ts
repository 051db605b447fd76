import { anyObject, literal } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { fromHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { SecretNonce } from "../protocol/keys/musig2.js";
import { perKw } from "../protocol/units.js";
import { FOLLOWS_FROM, type RawDocument, caseVector, deriveFundingOutput, expectedCommon } from "./taproot-case.js";
import { type VectorSet, expectedOf } from "./vector.js";
import {
  deriveCommitmentSecrets,
  deriveObscured,
  derivedValue,
  workedCases,
  workedChannel,
  WORKED_KEYS,
  POINTS_ONLY,
  derivePubkeys,
  WORKED_CHANNEL,
  CHANNEL_INPUTS,
} from "./worked-channel.js";

const zeroFee = fields({
  about: anyObject,
  channel: fields({ ...WORKED_CHANNEL, feerate_per_kw: literal(0) }),
  keys: fields({ ...WORKED_KEYS, ...POINTS_ONLY }),
  funding_output: derivedValue,
  cases: workedCases({ dust_limit_sat: json.satoshi }),
});

/** taproot_zero_fee_commitments, a proposal. Secrets in, and out: this layout publishes them. */
export function readTaprootZeroFee(value: unknown, source: string): VectorSet {
  const { channel: stated, keys: given, cases } = decode(zeroFee, value, source);
  const channel = workedChannel("taproot_zero_fee_commitments", stated, given, {
    revocationBasepoint: given.remoteRevocationBasepoint.pubkey,
    perCommitmentPoint: given.perCommitment.point,
  });
  const raw = value as RawDocument;
  return {
    common: [
      {
        id: "common",
        path: [],
        expected: {
          ...expectedCommon(raw, [...CHANNEL_INPUTS, "funding_txid", "feerate_per_kw"]),
          keys: Object.fromEntries(
            Object.entries(expectedOf(raw.keys, ["remote_revocation_basepoint", "per_commitment"])).map(([name, key]) => [
              name,
              name === "derived" ? key : expectedOf(key, ["secret"]),
            ]),
          ),
        },
        derived: {
          channel: deriveObscured(channel),
          keys: {
            ...derivePubkeys(channel),
            derived: deriveCommitmentSecrets(channel, given.localDelayedPaymentBasepoint.secret),
          },
          funding_output: deriveFundingOutput(channel),
        },
        followsFrom: FOLLOWS_FROM,
      },
    ],
    cases: cases.map((one, at) => {
      const rawCase = raw.cases[at];
      // How its nonces were made, nobody says
      const nonceOf = (key: string): SecretNonce => statedNonce(rawCase?.expected[key], `cases[${at}].expected.${key}`);
      return caseVector(channel, { ...one, feeratePerKw: perKw(0n), dustLimit: one.dustLimitSat }, at, rawCase, () => ({
        local: nonceOf("local_secnonce"),
        remote: nonceOf("remote_secnonce"),
      }));
    }),
  };
}

/** Secret in, and out. Throws: json-value, key-nonce-used. */
function statedNonce(value: unknown, path: string): SecretNonce {
  if (typeof value === "string" && /^[0-9a-f]{194}$/i.test(value)) return new SecretNonce(fromHex(value));
  throw new LnError("json-value", `${path}: not a secret nonce of 97 bytes in hex`, { path });
}
