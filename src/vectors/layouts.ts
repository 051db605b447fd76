/** The layouts in which published vectors come: ours, and those of lnd, eclair and the specification's own text and file. */
export const PUBLISHED_FORMATS = [
  "funding",
  "commitments",
  "per_commitment_secrets",
  "key_derivation",
  "dual_funding",
  "musig2",
  "simple_taproot",
  "taproot_zero_fee_commitments",
  "zero_fee_commitments",
  "lnd",
  "eclair",
  "bolt3",
] as const;
export type PublishedFormat = (typeof PUBLISHED_FORMATS)[number];

/** What `--layout` can name. */
export const LAYOUTS = ["cases", ...PUBLISHED_FORMATS] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Whether a document may be of taproot channels, or of MuSig2 itself, by what stands in its text. */
export function mayNeedMusig2(text: string): boolean {
  return /taproot|key_agg/i.test(text);
}
