/**
 * Every way in which chankit refuses, once. The prefix says which kind it is:
 * `usage-` the command line · `input-` `json-` `wire-` `key-` `script-` `tx-` what was read · `policy-` an interlock or a rule of BOLT 2 ·
 * `state-` it does not fit the channel's state · `file-` the store · `output-` what could not be written · `busy-` try again · `internal-` our fault.
 * `bolt` is what BOLT asks a node to do when it receives the message that is refused.
 */
export const ERROR_CODES = {
  "input-hex": { what: "not hexadecimal" },
  "input-length": { what: "wrong number of bytes" },
  "input-vectors-layout": { what: "a document that is laid out like no test vectors" },
  "input-vectors-empty": { what: "test vectors that expect nothing" },
  "input-channel-type": { what: "a channel type that is not supported" },
  "input-preimage-mismatch": { what: "a preimage whose hash is another" },
  "json-syntax": { what: "not one JSON document" },
  "json-duplicate-key": { what: "a key stands twice in one object" },
  "json-number": { what: "a number that is not a plain integer within ±(2^53−1)" },
  "json-depth": { what: "nested too deep" },
  "json-unknown-key": { what: "a key that this document does not have" },
  "json-missing": { what: "a key that this document must have" },
  "json-value": { what: "a value of the wrong form or out of its range" },
  "wire-truncated": { what: "a message that ends too early", bolt: "warning" },
  "wire-too-long": { what: "a message of more than 65535 bytes", bolt: "warning" },
  "wire-unknown-type": { what: "a message that we do not know", bolt: "warning" },
  "wire-bigsize": { what: "a BigSize that is not in its shortest form", bolt: "warning" },
  "wire-tlv-order": { what: "TLV records whose types do not increase", bolt: "warning" },
  "wire-tlv-even": { what: "an unknown TLV record of even type", bolt: "warning" },
  "wire-tlv-length": { what: "a TLV record of the wrong length", bolt: "warning" },
  "wire-tlv-known": { what: "a known TLV record among the unknown ones" },
  "wire-range": { what: "a value that its field cannot hold" },
  "wire-json-mismatch": { what: "a message whose JSON and wire form differ" },
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
  "key-missing": { what: "a secret that the keys file lacks" },
  "state-not-funded": { what: "the channel has no funding output yet" },
  "state-no-commitment": { what: "no commitment was signed yet" },
  "state-point-unknown": { what: "a per-commitment point that the state does not hold" },
  "state-message-gap": { what: "a message before this one is missing" },
  "state-message-conflict": { what: "another message came under the same number" },
  "state-message-old": { what: "a message that is long past" },
  "policy-funding-unverified": { what: "funding before the peer's signature of our commitment 0 is stored" },
  "policy-sign-unrevoked": { what: "a third unrevoked commitment for the peer" },
  "policy-sign-point-unknown": { what: "signing a commitment whose point has not come" },
  "policy-sign-no-changes": { what: "signing a commitment with nothing new" },
  "policy-sign-different": { what: "signing a number again with other contents" },
  "policy-sign-own-commitment": { what: "giving away a signature of one's own commitment" },
  "policy-revoke-unverified": { what: "revoking before the next commitment is verified" },
  "policy-revoke-broadcast": { what: "revoking a commitment that was signed for broadcast" },
  "policy-commitment-unanswered": { what: "a second commitment_signed before our revoke_and_ack", bolt: "fail" },
  "policy-commitment-no-changes": { what: "a commitment_signed with nothing new", bolt: "fail" },
  "policy-revocation-unexpected": { what: "a revocation that is not due", bolt: "fail" },
  "policy-revocation-wrong-secret": { what: "a secret that is not that of the point", bolt: "fail" },
  "policy-broadcast-revoked": { what: "broadcasting anything but the newest own commitment" },
  "policy-broadcast-unverified": { what: "broadcasting a commitment without the peer's signature" },
  "policy-broadcast-behind": { what: "broadcasting after having lost state" },
  "policy-force-closed": { what: "anything new after a commitment was signed for broadcast" },
  "policy-closing-signed": { what: "anything new after a mutual close was signed" },
  "policy-shutdown": { what: "a new payment after shutdown", bolt: "fail" },
  "policy-pay-not-agreed": { what: "pay in a channel that did not agree to it", bolt: "fail" },
  "policy-channel-not-open": { what: "a change before both sides' channel_ready", bolt: "fail" },
  "policy-amount-zero": { what: "an amount of 0", bolt: "fail" },
  "policy-change-id": { what: "an id that is not the next", bolt: "fail" },
  "policy-balance": { what: "more than the payer has", bolt: "fail" },
  "policy-fee-unaffordable": { what: "the opener could not pay the commitment's fee", bolt: "fail" },
  "policy-reserve": { what: "the payer would fall below its reserve", bolt: "fail" },
  "policy-funding-too-large": { what: "funding of 2^24 sat or more", bolt: "fail" },
  "policy-push-exceeds-funding": { what: "push_msat above the funding", bolt: "fail" },
  "policy-feerate-range": { what: "a feerate outside the limits", bolt: "fail" },
  "policy-initial-fee-unaffordable": { what: "the opener can't pay the first commitment's fee", bolt: "fail" },
  "policy-delay-too-long": { what: "to_self_delay above the limit", bolt: "fail" },
  "policy-delay-zero": { what: "to_self_delay of 0", bolt: "fail" },
  "policy-dust-limit-too-small": { what: "dust_limit_satoshis below 354", bolt: "fail" },
  "policy-dust-limit-too-large": { what: "dust_limit_satoshis above the limit", bolt: "fail" },
  "policy-dust-limit-above-reserve": { what: "dust_limit_satoshis above channel_reserve_satoshis", bolt: "fail" },
  "policy-max-accepted-htlcs": { what: "max_accepted_htlcs above the format's", bolt: "fail" },
  "policy-reserve-below-dust": { what: "a reserve below the other side's dust limit", bolt: "fail" },
  "policy-initial-balances": { what: "both sides start at or below the reserve", bolt: "fail" },
  "policy-channel-type": { what: "a channel_type that is unknown or not the proposed one", bolt: "fail" },
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
