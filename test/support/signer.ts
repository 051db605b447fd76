import { Psbt } from "bitcoinjs-lib/src/psbt";
import { type Point, bytes32, concat, equalBytes, point, toHex } from "../../src/protocol/bytes.js";
import { deriveRevocationSecret, deriveSecret, publicKey } from "../../src/protocol/keys/derivation.js";
import type { PartyKeys } from "../../src/protocol/keys/party-keys.js";
import { p2wpkh } from "../../src/protocol/script/assemble.js";
import { Secret32 } from "../../src/protocol/secret.js";
import { type HashSigner, signHash } from "../../src/protocol/tx/sign.js";

/** BIP 174: a field of a program's own, and ours by their subtypes. */
const PROPRIETARY = concat(Uint8Array.of(0xfc, 7), new TextEncoder().encode("chankit"));
const DERIVED = 0;
const REVOCATION = 1;

/**
 * A signer as a device would be: it has the party's basepoint secrets and the PSBT, and nothing of the channel. It reads which key signs and how that
 * follows from a basepoint, as docs/psbt.md has it, and signs by the PSBT's own fields.
 */
export function signPsbt(text: string, keys: PartyKeys, sign: HashSigner["one"] = signHash): string {
  const psbt = Psbt.fromBase64(text);
  for (const [index, input] of psbt.data.inputs.entries()) {
    const secret = secretFor(input, keys);
    if (secret !== null) psbt.signInput(index, { publicKey: publicKey(secret), sign: (hash) => sign(bytes32(hash), secret) });
  }
  return psbt.toBase64();
}

type Input = Psbt["data"]["inputs"][number];

function secretFor(input: Input, keys: PartyKeys): Secret32 | null {
  const held = [keys.paymentBasepointSecret, keys.delayedPaymentBasepointSecret, keys.htlcBasepointSecret, keys.revocationBasepointSecret];
  for (const { key, value } of input.unknownKeyVals ?? []) {
    if (!equalBytes(key.subarray(0, PROPRIETARY.length), PROPRIETARY)) continue;
    const basepoint = point(value.subarray(0, 33));
    const secret = held.find((one) => one !== null && equalBytes(publicKey(one), basepoint));
    if (secret === undefined || secret === null) continue;
    const subtype = key[PROPRIETARY.length];
    const made =
      subtype === REVOCATION
        ? deriveRevocationSecret(keys.revocationBasepointSecret!, new Secret32(value.subarray(33)))
        : subtype === DERIVED
          ? deriveSecret(secret, point(value.subarray(33)))
          : null;
    if (made === null) throw new Error(`a field of subtype ${String(subtype)}`);
    expectKey(made, point(key.subarray(PROPRIETARY.length + 1)));
    return made;
  }
  return plainSecret(input, keys);
}

function expectKey(secret: Secret32, pubkey: Point): void {
  if (!equalBytes(publicKey(secret), pubkey)) throw new Error("the key that follows is not the one that the PSBT names");
}

/** A key that is ours as it is stands in the script, or its hash does. */
function plainSecret({ witnessScript, witnessUtxo, finalScriptWitness }: Input, keys: PartyKeys): Secret32 | null {
  if (finalScriptWitness !== undefined) return null;
  const plain = [keys.fundingPrivkey, keys.paymentBasepointSecret].flatMap((secret) => (secret === null ? [] : [secret]));
  const isLockedTo = (pubkey: Point): boolean =>
    witnessScript === undefined ? equalBytes(p2wpkh(pubkey).scriptPubkey, witnessUtxo!.script) : toHex(witnessScript).includes(toHex(pubkey));
  return plain.find((secret) => isLockedTo(publicKey(secret))) ?? null;
}
