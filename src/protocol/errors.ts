/**
 * Every way in which chankit refuses, once. The prefix says which kind it is:
 * `usage-` the command line · `input-` `json-` `wire-` `key-` `script-` `tx-` what was read · `policy-` an interlock or a rule of BOLT 2 ·
 * `state-` it does not fit the channel's state · `file-` the store · `output-` what could not be written · `busy-` try again · `internal-` our fault.
 * `bolt` is what BOLT asks a node to do when it receives the message that is refused.
 */
export const ERROR_CODES = {
  "input-hex": { what: "not hexadecimal" },
  "input-length": { what: "wrong number of bytes" },
  "key-shape": { what: "not shaped like a compressed point" },
  "internal-ecc-missing": { what: "no curve backend" },
} as const satisfies Record<string, { readonly what: string; readonly bolt?: "warning" | "error" | "fail" }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Values as JSON shows them: hex, numbers, decimal strings. Never a secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly (string | number)[]>>;

/** A refusal or bad input, with a stable code, the fact in words and the same fact in fields. */
export class LnError extends Error {
  override readonly name = "LnError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
