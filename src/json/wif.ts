import { toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";

/** As much of ecpair as is used: its own declarations do not resolve under Node's rules. */
interface EcPair {
  readonly networks: { readonly bitcoin: object; readonly testnet: object };
  readonly ECPairFactory: (curve: object) => { fromWIF(wif: string, networks: readonly object[]): { readonly privateKey?: Uint8Array } };
}

/** Wallet import format: base58 of a secret, 51 or 52 characters. */
export const WIF = /^[1-9A-HJ-NP-Za-km-z]{51,52}$/;

/**
 * Secret: a keys document with every secret that stands in wallet import format turned into hex. ecpair is loaded only for these.
 * Throws: key-wif, naming the key; its value is never repeated.
 */
export async function withoutWif(
  document: Readonly<Record<string, unknown>>,
  source: string,
  loadCurve: () => Promise<object>,
): Promise<Readonly<Record<string, unknown>>> {
  const wifs = Object.entries(document).filter((entry): entry is [string, string] => typeof entry[1] === "string" && WIF.test(entry[1]));
  if (wifs.length === 0) return document;
  const [ecpair, curve] = (await Promise.all([import("ecpair"), loadCurve()])) as unknown as [EcPair, object];
  const { networks } = ecpair;
  const pairs = ecpair.ECPairFactory(curve);
  const decoded = wifs.map(([key, wif]) => {
    try {
      const secret = pairs.fromWIF(wif, [networks.bitcoin, networks.testnet]).privateKey;
      if (secret !== undefined) return [key, toHex(secret)];
    } catch {
      // ecpair's own words may hold the text
    }
    throw new LnError("key-wif", `${source}: ${key}: not a key in wallet import format`, { source, path: key });
  });
  return { ...document, ...(Object.fromEntries(decoded) as Record<string, string>) };
}

/** Whether a curve library passes the checks that ecpair makes of it. */
export async function passesKeyChecks(curve: object): Promise<boolean> {
  const { ECPairFactory } = (await import("ecpair")) as unknown as EcPair;
  try {
    ECPairFactory(curve);
    return true;
  } catch {
    return false;
  }
}
