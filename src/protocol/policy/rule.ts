import { type ErrorCode, type ErrorDetails, LnError } from "../errors.js";

/** The tag of a rule: each is refused under its own. */
export type PolicyCode = Extract<ErrorCode, `policy-${string}`>;

/** Every policy refusal goes through here. The fact is only put into words where the rule is broken. */
export function demand(holds: boolean, code: PolicyCode, fact: () => readonly [message: string, details: ErrorDetails]): void {
  if (holds) return;
  const [message, details] = fact();
  throw new LnError(code, message, details);
}
