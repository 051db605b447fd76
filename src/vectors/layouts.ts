/** The layouts in which published vectors come: ours, and those of lnd, eclair and the specification's own text. */
export const PUBLISHED_FORMATS = [
  "funding",
  "commitments",
  "per_commitment_secrets",
  "key_derivation",
  "dual_funding",
  "lnd",
  "eclair",
  "bolt3",
] as const;
export type PublishedFormat = (typeof PUBLISHED_FORMATS)[number];

/** What `--layout` can name. */
export const LAYOUTS = ["cases", ...PUBLISHED_FORMATS] as const;
export type Layout = (typeof LAYOUTS)[number];
