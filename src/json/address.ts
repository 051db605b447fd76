import { LnError } from "../protocol/errors.js";
import { type ScriptPubkey, scriptPubkey } from "../protocol/bytes.js";
import type { Chain } from "../protocol/channel/params.js";

/** bitcoinjs-lib's address code is large: it is loaded by the commands that meet an address. */
async function addressing(chain: Chain) {
  const [{ fromOutputScript, toOutputScript }, networks] = await Promise.all([
    import("bitcoinjs-lib/src/address"),
    import("bitcoinjs-lib/src/networks"),
  ]);
  const network = { bitcoin: networks.bitcoin, testnet4: networks.testnet, signet: networks.testnet, regtest: networks.regtest }[chain];
  return { fromOutputScript, toOutputScript, network };
}

/** What a bech32 address has at most (BIP 173): of a longer text a refusal shows the beginning. */
const LONGEST = 90;

/** The script of an address of one chain. Throws: input-address. */
export async function scriptOfAddress(address: string, chain: Chain): Promise<ScriptPubkey> {
  const { toOutputScript, network } = await addressing(chain);
  try {
    // base58 takes quadratic time, which a longer text is not worth
    if (address.length > LONGEST) throw new RangeError("longer than any address");
    return scriptPubkey(toOutputScript(address, network));
  } catch {
    const shown = address.length <= LONGEST ? address : `${address.slice(0, LONGEST)}…`;
    throw new LnError("input-address", `${JSON.stringify(shown)} is no address of ${chain}`, { address: shown, chain });
  }
}

/** The address of a script on one chain. Throws: a plain error where it has none. */
export async function addressOfScript(script: ScriptPubkey, chain: Chain): Promise<string> {
  const { fromOutputScript, network } = await addressing(chain);
  return fromOutputScript(script, network);
}
