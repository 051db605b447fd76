import type { Point } from "../bytes.js";
import { deriveKey, deriveRevocationPubkey } from "./derivation.js";

/** What one party tells the other when the channel opens. BOLT 2 §The `open_channel` Message. */
export interface Basepoints {
  readonly fundingPubkey: Point<"funding">;
  readonly revocationBasepoint: Point<"revocation_basepoint">;
  readonly paymentBasepoint: Point<"payment_basepoint">;
  readonly delayedPaymentBasepoint: Point<"delayed_payment_basepoint">;
  readonly htlcBasepoint: Point<"htlc_basepoint">;
}

/** The keys in one commitment's scripts, named from its owner's view like the rest of BOLT 3. */
export interface CommitmentKeys {
  readonly perCommitmentPoint: Point<"per_commitment">;
  readonly ownerFundingPubkey: Point<"funding">;
  readonly countersignerFundingPubkey: Point<"funding">;
  readonly revocationPubkey: Point<"revocationpubkey">;
  readonly ownerDelayedPubkey: Point<"delayedpubkey">;
  readonly remotePubkey: Point<"remotepubkey">;
  readonly ownerHtlcPubkey: Point<"htlcpubkey">;
  readonly countersignerHtlcPubkey: Point<"htlcpubkey">;
}

/**
 * All keys of the commitment whose owner gave `perCommitmentPoint`. `remotepubkey` is the countersigner's payment_basepoint itself,
 * but for `legacy` channels, which derived it like the others. BOLT 3 §Key Derivation. Throws: key-degenerate.
 */
export function deriveCommitmentKeys(
  owner: Basepoints,
  countersigner: Basepoints,
  perCommitmentPoint: Point<"per_commitment">,
  remotePubkeyRotates: boolean,
): CommitmentKeys {
  return {
    perCommitmentPoint,
    ownerFundingPubkey: owner.fundingPubkey,
    countersignerFundingPubkey: countersigner.fundingPubkey,
    revocationPubkey: deriveRevocationPubkey(countersigner.revocationBasepoint, perCommitmentPoint),
    ownerDelayedPubkey: deriveKey(owner.delayedPaymentBasepoint, perCommitmentPoint),
    remotePubkey: remotePubkeyRotates
      ? deriveKey(countersigner.paymentBasepoint, perCommitmentPoint)
      : (countersigner.paymentBasepoint as Point as Point<"remotepubkey">),
    ownerHtlcPubkey: deriveKey(owner.htlcBasepoint, perCommitmentPoint),
    countersignerHtlcPubkey: deriveKey(countersigner.htlcBasepoint, perCommitmentPoint),
  };
}
