import type { CommitmentTerms } from "../tx/commitment-tx.js";
import type { CommitmentSpec } from "../tx/spec.js";
import type { Variant } from "./variant.js";

/** What a signer may have done otherwise. */
export const CAUSES = [
  "high_s",
  "sighash_type",
  "signer",
  "channel_type",
  "commitment_number",
  "per_commitment_point",
  "to_self_delay",
  "dust_limit",
  "feerate",
  "fee",
  "opener",
  "balances",
  "rounding",
  "htlc_missing",
  "htlc_extra",
  "htlc_terms",
  "change_stage",
  "old_state",
  "output_order",
  "obscuring",
  "funding_script",
  "funding_outpoint",
  "basepoints",
] as const;
export type Cause = (typeof CAUSES)[number];

/** One difference that a signer may have had. */
export interface Suspect {
  readonly cause: Cause;
  /** What the other side has otherwise, in words. */
  readonly words: string;
  /** The value that was expected, and the signer's, where it is a matter of a value. */
  readonly expected?: string;
  readonly actual?: string;
  /** The variant with this difference; null where it can't have it, or has it already. */
  readonly apply: (variant: Variant) => Variant | null;
}

export const withSpec = (variant: Variant, spec: Partial<CommitmentSpec>): Variant => ({ ...variant, spec: { ...variant.spec, ...spec } });
export const withTerms = (variant: Variant, terms: Partial<CommitmentTerms>): Variant => ({ ...variant, terms: { ...variant.terms, ...terms } });

/** A suspect of another value: `read` says which a variant has. */
export function otherValue<T extends bigint | number | string>(
  cause: Cause,
  name: string,
  expected: T,
  actual: T,
  apply: (variant: Variant) => Variant,
): readonly Suspect[] {
  if (expected === actual) return [];
  return [{ cause, words: `with ${name} ${actual}, not ${expected}`, expected: String(expected), actual: String(actual), apply }];
}
