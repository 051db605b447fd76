import { type ErrorCode, type ErrorDetails, LnError } from "../errors.js";

/** The tag of a rule: each is refused under its own. */
export type PolicyCode = Extract<ErrorCode, `policy-${string}`>;

/** Tags that are not asked for while an action of `waiving` runs: none by default. */
let waived: ReadonlySet<PolicyCode> = new Set();

/** An action that is over when it returns: a promise would go on under rules that are back in force. */
type Synchronous<T> = T extends PromiseLike<unknown> ? never : T;

/**
 * What `action` gives where the rules of these tags do not hold, beside those that are waived already. It is for proofs alone: whoever drops a rule
 * shows what the rule is for. Before and after the action, and if it throws, every rule is as it was.
 */
export function waiving<T>(tags: readonly PolicyCode[], action: () => Synchronous<T>): T {
  const before = waived;
  waived = new Set([...before, ...tags]);
  try {
    return action();
  } finally {
    waived = before;
  }
}

/**
 * The same for an action that goes on after it has returned. The rules are waived for everything that runs before it has ended, so nothing else may.
 * For proofs alone, like `waiving`.
 */
export async function waivingUntil<T>(tags: readonly PolicyCode[], action: () => Promise<T>): Promise<T> {
  const before = waived;
  waived = new Set([...before, ...tags]);
  try {
    return await action();
  } finally {
    waived = before;
  }
}

/** Every policy refusal goes through here. The fact is only put into words where the rule is broken. */
export function demand(holds: boolean, code: PolicyCode, fact: () => readonly [message: string, details: ErrorDetails]): void {
  if (holds || waived.has(code)) return;
  const [message, details] = fact();
  throw new LnError(code, message, details);
}
