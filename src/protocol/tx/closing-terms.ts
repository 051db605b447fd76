import type { ScriptPubkey } from "../bytes.js";
import { type Dual, SIDES, type Side } from "../side.js";
import type { Satoshi } from "../units.js";

/** Whose outputs a closing transaction has. */
export const CLOSING_OUTPUTS = ["both", "local", "remote"] as const;
export type ClosingOutputs = (typeof CLOSING_OUTPUTS)[number];

/** What a closing transaction follows from, beside the funding and the final balances. */
export interface ClosingTerms {
  /** Whose output the fee comes off: the opener's in a legacy close, the closer's in a simple one. */
  readonly payer: Side;
  readonly scripts: Dual<ScriptPubkey>;
  readonly feeSatoshis: Satoshi;
  readonly locktime: number;
}

export function sidesOf(outputs: ClosingOutputs): readonly Side[] {
  return outputs === "both" ? SIDES : [outputs];
}

/** The variant with outputs of these sides alone; null for none. */
export function outputsOf(sides: readonly Side[]): ClosingOutputs | null {
  const [first = null, second] = sides;
  return second === undefined ? first : "both";
}
