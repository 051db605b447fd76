import { type ValueOf, anyObject, anything, boolean, list, nullable } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { type Shape, fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { equalBytes, toHex } from "../protocol/bytes.js";
import { publicKey } from "../protocol/keys/derivation.js";
import {
  SecretNonce,
  type SigningSession,
  aggregateKeys,
  aggregateNonces,
  aggregateSignatures,
  generateNonce,
  openSession,
  signDeterministically,
  signPartially,
  sortKeys,
  verifyPartialSignature,
} from "../protocol/keys/musig2.js";
import { verifySchnorr } from "../protocol/keys/schnorr.js";
import type { Tweak } from "../protocol/musig2.js";
import { EMPTY } from "../protocol/script/assemble.js";
import { Secret32 } from "../protocol/secret.js";
import { failedVerification, refusalReason, within } from "./musig2-reasons.js";
import { type Vector, type VectorSet, expectedOf } from "./vector.js";

const derivedValue = optional(anything);
const hex = json.hexBytes;
const bytes32 = json.bytes32;
/** Of what must be refused any bytes may stand where a key or a nonce does: what is wrong with them is what is to be found. */
const pubkeys = list(hex);
const tweaks = list(fields({ tweak: bytes32, xonly: boolean }));
const why = { why: derivedValue };
const signing = { pubkeys, pubnonces: list(hex), signer_index: json.u8, partial_signature: derivedValue };

/** The vectors of BIP 327, by what they are of; indices into shared lists are resolved. */
const document = fields({
  about: anyObject,
  key_sort: fields({ pubkeys, sorted: derivedValue }),
  key_agg: fields({
    valid: list(fields({ pubkeys, aggregate_xonly: derivedValue })),
    invalid: list(fields({ pubkeys, tweaks, ...why })),
  }),
  nonce_gen: list(
    fields({
      rand: bytes32,
      sk: nullable(bytes32),
      pk: json.hexBytesOf(33),
      aggregate_xonly: nullable(bytes32),
      msg: nullable(hex),
      extra_in: nullable(hex),
      secnonce: derivedValue,
      pubnonce: derivedValue,
    }),
  ),
  nonce_agg: fields({
    valid: list(fields({ pubnonces: list(hex), aggregate: derivedValue })),
    invalid: list(fields({ pubnonces: list(hex), ...why })),
  }),
  sign: fields({
    secret: bytes32,
    secnonce: hex,
    valid: list(fields({ ...signing, aggregate_nonce: derivedValue, msg: hex })),
    sign_invalid: list(fields({ pubkeys, aggregate_nonce: hex, msg: hex, secnonce: hex, ...why })),
    verify_invalid: list(fields({ ...signing, partial_signature: hex, msg: hex, ...why })),
  }),
  tweak: fields({
    secret: bytes32,
    secnonce: hex,
    aggregate_nonce: hex,
    msg: hex,
    valid: list(fields({ ...signing, tweaks })),
    invalid: list(fields({ pubkeys, tweaks, ...why })),
  }),
  signature_agg: fields({
    msg: hex,
    valid: list(fields({ pubkeys, aggregate_nonce: hex, tweaks, partial_signatures: list(hex), signature: derivedValue })),
    invalid: list(fields({ pubkeys, aggregate_nonce: hex, tweaks, partial_signatures: list(hex), ...why })),
  }),
  deterministic_sign: fields({
    secret: bytes32,
    valid: list(deterministic({ pubnonce: derivedValue, partial_signature: derivedValue })),
    invalid: list(deterministic(why)),
  }),
});

function deterministic<const More extends Shape>(more: More) {
  return fields({ other_aggregate_nonce: hex, pubkeys, tweaks, msg: hex, signer_index: json.u8, rand: nullable(bytes32), ...more });
}

type Document = ValueOf<typeof document>;
type Tweaks = Document["tweak"]["valid"][number]["tweaks"];

const OF_SESSION = "the keys in their order, all nonces, the message, the tweaks";
const FOLLOWS_FROM: Readonly<Record<string, string>> = {
  sorted: "pubkeys",
  aggregate_xonly: "pubkeys in their order",
  secnonce: "rand, sk, pk, aggregate_xonly, msg, extra_in",
  pubnonce: "what the secret nonce follows from",
  aggregate: "pubnonces",
  aggregate_nonce: "pubnonces",
  partial_signature: `the signer's secret and secret nonce; ${OF_SESSION}`,
  signature: `partial_signatures; ${OF_SESSION}`,
  why: "what is wrong with the inputs",
};

/**
 * BIP 327's vectors, also those that must be refused: for the reason that they state.
 * Secrets in, and out: this layout publishes them. Throws: what a valid case is refused for, with its path.
 */
export function readMusig2(value: unknown, source: string): VectorSet {
  const { keySort, keyAgg, nonceGen, nonceAgg, sign, tweak, signatureAgg, deterministicSign } = decode(document, value, source);
  const raw = value as Readonly<Record<string, Readonly<Record<string, unknown>>>>;

  /** The cases of one list, and all that one can expect. */
  const cases = <T>(path: readonly string[], list: readonly T[], inputs: readonly string[], derive: (one: T) => object): readonly Vector[] => {
    const rawCases = path.reduce<unknown>((inner, key) => (inner as Readonly<Record<string, unknown>>)[key], raw) as readonly object[];
    return list.map((one, at) => ({
      id: `${path.join(".")}[${at}]`,
      path: [...path, at],
      expected: expectedOf(rawCases[at], inputs),
      derived: within([...path, at], () => derive(one)),
      followsFrom: FOLLOWS_FROM,
    }));
  };
  /** The same of what must be refused: `act` throws. */
  const refused = <T extends { readonly why?: unknown }>(
    path: readonly string[],
    list: readonly T[],
    inputs: readonly string[],
    act: (one: T) => unknown,
  ) => cases(path, list, inputs, (one) => ({ why: refusalReason(one.why, () => act(one)) }));

  const [firstTweaked] = tweak.valid;
  const nonceOfTweaks =
    firstTweaked === undefined ? tweak.aggregateNonce : within(["tweak", "valid", 0], () => aggregateNonces(firstTweaked.pubnonces));
  return {
    common: [
      {
        id: "key_sort",
        path: ["key_sort"],
        expected: expectedOf(raw["key_sort"], ["pubkeys"]),
        derived: { sorted: sortKeys(keySort.pubkeys).map(toHex) },
      },
      {
        id: "tweak",
        path: ["tweak"],
        expected: expectedOf(raw["tweak"], ["secret", "secnonce", "msg", "valid", "invalid"]),
        derived: { aggregate_nonce: toHex(nonceOfTweaks) },
      },
    ].map((vector) => ({ ...vector, followsFrom: FOLLOWS_FROM })),
    cases: [
      ...cases(["key_agg", "valid"], keyAgg.valid, ["pubkeys"], ({ pubkeys: keys }) => ({ aggregate_xonly: toHex(aggregateKeys(keys).subarray(1)) })),
      ...refused(["key_agg", "invalid"], keyAgg.invalid, ["pubkeys", "tweaks"], ({ pubkeys: keys, tweaks: given }) =>
        aggregateKeys(keys, tweaksOf(given)),
      ),
      ...cases(["nonce_gen"], nonceGen, ["rand", "sk", "pk", "aggregate_xonly", "msg", "extra_in"], (one) => {
        const nonce = generateNonce({
          rand: new Secret32(one.rand),
          pubkey: one.pk,
          ...(one.sk === null ? {} : { secret: new Secret32(one.sk) }),
          ...(one.aggregateXonly === null ? {} : { aggregateKey: one.aggregateXonly }),
          ...(one.msg === null ? {} : { message: one.msg }),
          ...(one.extraIn === null ? {} : { extraInput: one.extraIn }),
        });
        return { secnonce: toHex(nonce.reveal()), pubnonce: toHex(nonce.toPublic()) };
      }),
      ...cases(["nonce_agg", "valid"], nonceAgg.valid, ["pubnonces"], ({ pubnonces }) => ({ aggregate: toHex(aggregateNonces(pubnonces)) })),
      ...refused(["nonce_agg", "invalid"], nonceAgg.invalid, ["pubnonces"], ({ pubnonces }) => aggregateNonces(pubnonces)),
      ...cases(["sign", "valid"], sign.valid, ["pubkeys", "pubnonces", "msg", "signer_index"], (one) => {
        const nonce = aggregateNonces(one.pubnonces);
        const session = sessionOf(one.pubkeys, nonce, one.msg);
        return { aggregate_nonce: toHex(nonce), partial_signature: ownPart(session, sign, one) };
      }),
      ...refused(["sign", "sign_invalid"], sign.signInvalid, ["pubkeys", "aggregate_nonce", "msg", "secnonce"], (one) =>
        signPartially(sessionOf(one.pubkeys, one.aggregateNonce, one.msg), new SecretNonce(one.secnonce), new Secret32(sign.secret)),
      ),
      ...cases(
        ["sign", "verify_invalid"],
        sign.verifyInvalid,
        ["partial_signature", "pubkeys", "pubnonces", "msg", "signer_index"],
        ({ why: words, pubkeys: keys, pubnonces, msg, signerIndex, partialSignature }) => ({
          why: refusalReason(words, () => {
            const session = sessionOf(keys, aggregateNonces(pubnonces), msg);
            failedVerification(partialSignature, keys.length, signerIndex, (candidate, signer) =>
              verifyPartialSignature(session, candidate, pubnonces, signer),
            );
          }),
        }),
      ),
      ...cases(["tweak", "valid"], tweak.valid, ["pubkeys", "pubnonces", "tweaks", "signer_index"], (one) => ({
        partial_signature: ownPart(sessionOf(one.pubkeys, aggregateNonces(one.pubnonces), tweak.msg, one.tweaks), tweak, one),
      })),
      ...refused(["tweak", "invalid"], tweak.invalid, ["pubkeys", "tweaks"], (one) => sessionOf(one.pubkeys, nonceOfTweaks, tweak.msg, one.tweaks)),
      ...cases(["signature_agg", "valid"], signatureAgg.valid, ["pubkeys", "aggregate_nonce", "tweaks", "partial_signatures"], (one) => {
        const signature = aggregateSignatures(sessionOf(one.pubkeys, one.aggregateNonce, signatureAgg.msg, one.tweaks), one.partialSignatures);
        const key = aggregateKeys(one.pubkeys, tweaksOf(one.tweaks)).subarray(1);
        return { signature: verifySchnorr(signatureAgg.msg, key, signature) ? toHex(signature) : null };
      }),
      ...refused(["signature_agg", "invalid"], signatureAgg.invalid, ["pubkeys", "aggregate_nonce", "tweaks", "partial_signatures"], (one) =>
        aggregateSignatures(sessionOf(one.pubkeys, one.aggregateNonce, signatureAgg.msg, one.tweaks), one.partialSignatures),
      ),
      ...cases(["deterministic_sign", "valid"], deterministicSign.valid, DETERMINISTIC, (one) => {
        const { publicNonce, partialSignature } = signAlone(deterministicSign.secret, one);
        const own = equalBytes(one.pubkeys[one.signerIndex] ?? EMPTY, publicKey(new Secret32(deterministicSign.secret)));
        return { pubnonce: toHex(publicNonce), partial_signature: own ? toHex(partialSignature) : null };
      }),
      ...refused(["deterministic_sign", "invalid"], deterministicSign.invalid, DETERMINISTIC, (one) => signAlone(deterministicSign.secret, one)),
    ],
  };
}

const DETERMINISTIC = ["other_aggregate_nonce", "pubkeys", "tweaks", "msg", "signer_index", "rand"];

function tweaksOf(given: Tweaks): readonly Tweak[] {
  return given.map(({ tweak, xonly }) => ({ tweak, xOnly: xonly }));
}

function sessionOf(keys: readonly Uint8Array[], aggregateNonce: Uint8Array, message: Uint8Array, given: Tweaks = []): SigningSession {
  return openSession({ pubkeys: keys, aggregateNonce, message, tweaks: tweaksOf(given) });
}

/** Secrets in. The signer's share; null where the stated index is not the signer's. */
function ownPart(
  session: SigningSession,
  { secret, secnonce }: { readonly secret: Uint8Array; readonly secnonce: Uint8Array },
  { pubnonces, signerIndex }: { readonly pubnonces: readonly Uint8Array[]; readonly signerIndex: number },
): string | null {
  const share = signPartially(session, new SecretNonce(secnonce), new Secret32(secret));
  return signerIndex < pubnonces.length && verifyPartialSignature(session, share, pubnonces, signerIndex) ? toHex(share) : null;
}

/** Secret in. */
function signAlone(secret: Uint8Array, one: Document["deterministicSign"]["invalid"][number]) {
  return signDeterministically(new Secret32(secret), {
    pubkeys: one.pubkeys,
    message: one.msg,
    tweaks: tweaksOf(one.tweaks),
    othersNonce: one.otherAggregateNonce,
    ...(one.rand === null ? {} : { rand: new Secret32(one.rand) }),
  });
}
