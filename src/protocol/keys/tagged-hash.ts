import { sha256 } from "@noble/hashes/sha2.js";

const prefixes = new Map<string, Uint8Array>();

/** SHA256 of the tag's hash twice, and the parts one after the other. BIP 340. */
export function taggedHash(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const prefix = prefixOf(tag);
  const hash = sha256.create().update(prefix).update(prefix);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function prefixOf(tag: string): Uint8Array {
  const known = prefixes.get(tag);
  if (known !== undefined) return known;
  const made = sha256(Uint8Array.from(tag, (letter) => letter.charCodeAt(0)));
  prefixes.set(tag, made);
  return made;
}
