import { ERROR_CODES } from "../../protocol/errors.js";
import type { PolicyCode } from "../../protocol/policy/rule.js";

/** Every policy tag. */
export function policyCodes(): readonly PolicyCode[] {
  return Object.keys(ERROR_CODES).filter((code): code is PolicyCode => code.startsWith("policy-"));
}
