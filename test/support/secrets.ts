import { sha256 } from "@noble/hashes/sha2.js";
import { concat, toHex } from "../../src/protocol/bytes.js";
import { deriveRevocationSecret, deriveSecret } from "../../src/protocol/keys/derivation.js";
import { Secret32 } from "../../src/protocol/secret.js";
import { type PartyKeys, ownPerCommitmentPoint, ownSecret } from "../../src/protocol/keys/party-keys.js";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function base58check(payload: Uint8Array): string {
  let number = BigInt(`0x${toHex(concat(payload, sha256(sha256(payload)).subarray(0, 4)))}`);
  let text = "";
  for (; number > 0n; number /= 58n) text = (BASE58[Number(number % 58n)] ?? "") + text;
  return text;
}

/** Wallet import format: for Bitcoin and its test networks, for compressed and uncompressed keys. */
function wifs(secret: Uint8Array): readonly string[] {
  return [0x80, 0xef].flatMap((version) => [[1], []].map((tail) => base58check(Uint8Array.of(version, ...secret, ...tail))));
}

/** What of a text in base64 stands for these bytes and nothing else, at each of the three places where they can begin. */
function base64s(bytes: Uint8Array): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([new Uint8Array(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    return text.slice(before === 0 ? 0 : before + 1, (before + bytes.length) % 3 === 0 ? undefined : -1);
  });
}

/** Every form in which a secret could stand in a file or an output, read as Latin-1. */
export function formsOf(secret: Uint8Array): readonly string[] {
  const hex = toHex(secret);
  const backwards = toHex(Uint8Array.from(secret).reverse());
  const base64 = base64s(secret);
  return [
    Buffer.from(secret).toString("latin1"),
    ...[hex, backwards].flatMap((text) => [text, text.toUpperCase()]),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    ...wifs(secret),
    BigInt(`0x${hex}`).toString(),
    [...secret].join(","),
    [...secret].join(", "),
  ];
}

/** A party's secrets under names of their own; `numbers` is how many commitments are thought of. */
export function secretsFrom(name: string, own: PartyKeys, peer: PartyKeys, numbers: number): ReadonlyMap<string, Uint8Array> {
  const secrets = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(own)) if (value instanceof Secret32) secrets.set(`${name} ${key}`, value.reveal());
  for (let number = 0; number < numbers; number++) {
    secrets.set(`${name} per-commitment ${number}`, ownSecret(own, number).reveal());
    for (const [whose, keys] of [
      ["own", own],
      ["peer's", peer],
    ] as const) {
      const point = ownPerCommitmentPoint(keys, number);
      for (const role of ["delayedPaymentBasepointSecret", "htlcBasepointSecret", "paymentBasepointSecret"] as const)
        secrets.set(`${name} ${role} for ${whose} ${number}`, deriveSecret(own[role]!, point).reveal());
    }
    secrets.set(
      `${name} revocation of the peer's ${number}`,
      deriveRevocationSecret(own.revocationBasepointSecret!, ownSecret(peer, number)).reveal(),
    );
  }
  return secrets;
}
