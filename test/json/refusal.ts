import { LnError } from "../../src/protocol/errors.js";

/** The LnError that `action` throws; anything else fails the test. */
export function refusal(action: () => unknown): LnError {
  try {
    action();
  } catch (error) {
    if (error instanceof LnError) return error;
    throw error;
  }
  throw new Error("not refused");
}
