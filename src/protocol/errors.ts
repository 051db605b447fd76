/**
 * Every way in which chankit refuses, once. The prefix says which kind it is:
 * `usage-` the command line · `input-` `json-` `wire-` `key-` `script-` `tx-` what was read · `policy-` an interlock or a rule of BOLT 2 ·
 * `state-` it does not fit the channel's state · `file-` the store · `output-` what could not be written · `busy-` try again · `internal-` our fault.
 * `bolt` is what BOLT asks a node to do when it receives the message that is refused.
 */
export const ERROR_CODES = {
  "input-hex": { what: "not hexadecimal" },
  "input-length": { what: "wrong number of bytes" },
  "json-syntax": { what: "not one JSON document" },
  "json-duplicate-key": { what: "a key stands twice in one object" },
  "json-number": { what: "a number that is not a plain integer within ±(2^53−1)" },
  "json-depth": { what: "nested too deep" },
  "json-unknown-key": { what: "a key that this document does not have" },
  "json-missing": { what: "a key that this document must have" },
  "json-value": { what: "a value of the wrong form or out of its range" },
  "internal-json-encode": { what: "a value that its own document cannot hold" },
  "key-shape": { what: "not shaped like a compressed point" },
  "key-not-on-curve": { what: "not a point of the curve", bolt: "fail" },
  "key-secret-range": { what: "a secret that is 0 or not below the curve's order" },
  "key-degenerate": { what: "a derivation that ends at infinity" },
  "script-delay-range": { what: "to_self_delay outside 1..65535" },
  "state-shachain-mismatch": { what: "a per-commitment secret from another seed", bolt: "fail" },
  "state-htlc-unknown": { what: "no such HTLC", bolt: "fail" },
  "state-balance-overdrawn": { what: "more than the balance", bolt: "fail" },
  "tx-not-parsed": { what: "bytes that are no transaction" },
  "tx-output-dust": { what: "what is left after the fee would be dust" },
  "tx-not-htlc-output": { what: "the output is no HTLC" },
  "key-mismatch": { what: "a secret whose public key is another" },
  "internal-lock": { what: "an output of the wrong kind inside the core" },
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
