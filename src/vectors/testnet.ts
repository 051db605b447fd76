import { ripemd160 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { createBase58check } from "@scure/base";
import { type Point, concat } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { Secret32 } from "../protocol/secret.js";

/* Addresses and secrets as wallets write them on test networks. */

const base58Check = createBase58check(sha256);

const ADDRESS = 0x6f;
const SECRET = 0xef;
/** Behind a secret: its key is a compressed one. */
const COMPRESSED = 0x01;

/** P2PKH of a key. */
export function testnetAddress(pubkey: Point): string {
  return base58Check.encode(concat(Uint8Array.of(ADDRESS), ripemd160(sha256(pubkey))));
}

/** Secret in, and out: wallet import format. */
export function testnetWif(secret: Secret32): string {
  return base58Check.encode(concat(Uint8Array.of(SECRET), secret.reveal(), Uint8Array.of(COMPRESSED)));
}

/** Secret in, and out: the inverse. Throws: key-wif, which never repeats the text. */
export function testnetSecret(wif: string, path: string): Secret32 {
  try {
    const bytes = base58Check.decode(wif);
    if (bytes.length === 34 && bytes[0] === SECRET && bytes[33] === COMPRESSED) return new Secret32(bytes.subarray(1, 33));
  } catch {
    // The library's words hold the text
  }
  throw new LnError("key-wif", `${path}: not a key in wallet import format for test networks`, { path });
}
