import { schnorr } from "@noble/curves/secp256k1.js";
import { Session, deterministicSign, keyAggregate, nonceAggregate, nonceGen } from "@scure/btc-signer/musig2.js";
import type { Musig2, Tweak } from "../protocol/musig2.js";

const bytesOf = (tweaks: readonly Tweak[]): Uint8Array[] => tweaks.map(({ tweak }) => tweak);
const xOnlyOf = (tweaks: readonly Tweak[]): boolean[] => tweaks.map(({ xOnly }) => xOnly);

/** MuSig2 as @scure/btc-signer does it, on @noble/curves: in JavaScript, not in constant time, as `keys/scalar.ts` says of itself. */
export const scureMusig2: Musig2 = {
  signSchnorr: (hash, secret, auxiliary) => schnorr.sign(hash, secret, auxiliary),
  aggregateKeys: (pubkeys, tweaks) => keyAggregate([...pubkeys], bytesOf(tweaks), xOnlyOf(tweaks)).aggPublicKey.toBytes(true),
  generateNonce: ({ rand, pubkey, secret, aggregateKey, message, extraInput }) => {
    const made = nonceGen(pubkey, secret, aggregateKey, message, extraInput, rand);
    return { secretNonce: made.secret, publicNonce: made.public };
  },
  aggregateNonces: (publicNonces) => nonceAggregate([...publicNonces]),
  openSession: ({ aggregateNonce, pubkeys, message, tweaks }) => {
    const session = new Session(aggregateNonce, [...pubkeys], message, bytesOf(tweaks), xOnlyOf(tweaks));
    return {
      sign: (secretNonce, secret) => session.sign(secretNonce, secret),
      verify: (partialSignature, publicNonces, signer) => session.partialSigVerify(partialSignature, [...publicNonces], signer),
      aggregate: (partialSignatures) => session.partialSigAgg([...partialSignatures]),
    };
  },
  signDeterministically: (secret, { othersNonce, pubkeys, message, tweaks, rand }) => {
    const { publicNonce, partialSig } = deterministicSign(secret, othersNonce, [...pubkeys], message, bytesOf(tweaks), xOnlyOf(tweaks), rand);
    return { publicNonce, partialSignature: partialSig };
  },
};
