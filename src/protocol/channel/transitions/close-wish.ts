import type { ScriptPubkey } from "../../bytes.js";
import type { FeeratePerKw, Satoshi } from "../../units.js";
import type { FeeRange } from "../state.js";

/** What a party asks of a close; its next message takes what it needs of it. */
export interface CloseWish {
  /** Where we are paid. */
  readonly script?: ScriptPubkey | undefined;
  readonly fee?: { readonly kind: "exactly"; readonly feeSatoshis: Satoshi } | { readonly kind: "rate"; readonly feerate: FeeratePerKw } | undefined;
  /** Of a closing_signed. */
  readonly feeRange?: FeeRange | undefined;
  /** nLockTime of a closing_complete. */
  readonly locktime?: number | undefined;
  /** Leave our own output out. */
  readonly omitOutput?: boolean | undefined;
}
