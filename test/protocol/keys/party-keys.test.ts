import { expect, test } from "vitest";
import { type PartyKeys, basepointsOf, ownPerCommitmentPoint, ownSecret, requireSecret } from "../../../src/protocol/keys/party-keys.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { perCommitmentSecret } from "../../../src/protocol/keys/shachain.js";
import { refusal } from "../../json/refusal.js";
import { partyOf, secretOf } from "../channels.js";

const NAMES = [
  "fundingPrivkey",
  "revocationBasepointSecret",
  "paymentBasepointSecret",
  "delayedPaymentBasepointSecret",
  "htlcBasepointSecret",
  "perCommitmentSeed",
] as const;

test.each(NAMES)("%s is what was given, and a party that lacks it says so", (name) => {
  const keys = partyOf("alice");
  expect(requireSecret(keys, name)).toBe(keys[name]);
  const lacking = { ...keys, [name]: null };
  const asked = name === "perCommitmentSeed" ? () => ownPerCommitmentPoint(lacking, 3) : () => basepointsOf(lacking);
  for (const act of [() => requireSecret(lacking, name), asked]) expect(refusal(act)).toMatchObject({ code: "key-missing", details: { name } });
});

test("the secret of a number is the stated one, else that of the seed, and the point is its own", () => {
  const stated = [1, 3].map((number) => ({ number, secret: secretOf<"per_commitment">(`stated ${number}`) }));
  const keys: PartyKeys = { ...partyOf("alice"), perCommitmentSecrets: stated };
  const seed = keys.perCommitmentSeed!;
  const expected = [perCommitmentSecret(seed, 0), stated[0]!.secret, perCommitmentSecret(seed, 2), stated[1]!.secret];
  for (const [number, secret] of expected.entries()) {
    expect(ownSecret(keys, number).reveal()).toEqual(secret.reveal());
    expect(ownPerCommitmentPoint(keys, number)).toEqual(publicKey(secret));
  }
  expect(ownSecret({ ...keys, perCommitmentSeed: null }, 3)).toBe(stated[1]!.secret);
});
