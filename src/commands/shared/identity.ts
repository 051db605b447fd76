import { basename, dirname, resolve } from "node:path";
import { toHex } from "../../protocol/bytes.js";
import { basepointsOf, type PartyKeys } from "../../protocol/keys/party-keys.js";
import type { PartyPaths } from "../../store/paths.js";

/** A party's name: that of its folder, or of its channel file where that has a name of its own. */
export function partyName({ channel }: PartyPaths): string {
  const file = basename(channel).replace(/\.json$/, "");
  return file === "channel" ? basename(resolve(dirname(channel))) : file;
}

/** The public half of a keys file. */
export function publicKeys(keys: PartyKeys): Record<string, string> {
  const basepoints = basepointsOf(keys);
  return {
    funding_pubkey: toHex(basepoints.fundingPubkey),
    revocation_basepoint: toHex(basepoints.revocationBasepoint),
    payment_basepoint: toHex(basepoints.paymentBasepoint),
    delayed_payment_basepoint: toHex(basepoints.delayedPaymentBasepoint),
    htlc_basepoint: toHex(basepoints.htlcBasepoint),
  };
}
