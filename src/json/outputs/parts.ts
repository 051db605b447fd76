import { CHANNEL_TYPES } from "../../protocol/tx/channel-type.js";
import type { MessageName } from "../../protocol/wire/messages.js";
import { anyObject, type Codec, integer, list, literal, nullable, oneOf, plain, text, union } from "../codec.js";
import { fields, optional, type Shape } from "../fields.js";
import { commitmentNumber, hexBytes, millisatoshi, point, satoshi, scriptPubkey, txid, u16, u32, u53 } from "../primitives.js";
import { htlc } from "../channel-file.js";
import { messageFile } from "../messages.js";

/*
 * What commands print, for its schema alone: a command writes its document itself, and test/support holds each document that a test's command prints to the
 * schema here.
 */

/** A hash of a script, a form of a key: hex of any length. */
export const hex = hexBytes;
/** A key that is named by the place where it stands. */
export const anyPoint = point("funding");
export const channelType = oneOf(CHANNEL_TYPES);
/** `TXID:INDEX`. */
export const outpoint = plain<string>({
  is: (value): value is string => typeof value === "string",
  expected: "an outpoint",
  jsonSchema: { type: "string", pattern: "^[0-9a-f]{64}:[0-9]{1,10}$" },
});
const hexOfSize = (size: number): Codec<string> =>
  plain({ is: (value) => typeof value === "string", expected: "hex", jsonSchema: { type: "string", pattern: `^[0-9a-f]{${size}}$` } });
/** 48 bits. */
export const hex48 = hexOfSize(12);
/** 32 bits. */
export const hex32 = hexOfSize(8);

/** An amount that may be below zero. */
export const signedAmount = plain<number | string>({
  is: (value): value is number | string => typeof value === "number" || typeof value === "string",
  expected: "an amount",
  jsonSchema: { anyOf: [integer.jsonSchema(), { type: "string", pattern: "^-?(?:0|[1-9][0-9]*)$" }] },
});

/** Of a document that says what it is. */
export const format = <Name extends string>(name: Name) => ({ format: literal(name), version: literal(1) });

export const STANDINGS = ["next", "current", "pending", "previous", "preview"] as const;
export const HTLC_TXS = ["htlc_timeout", "htlc_success"] as const;
export const OUTPUT_KINDS = [
  "to_local",
  "to_remote",
  "to_local_anchor",
  "to_remote_anchor",
  "shared_anchor",
  "offered_htlc",
  "received_htlc",
] as const;
export const SWEEPABLES = ["to_local", "to_remote", "htlc", "htlc_tx_output", "anchor", "anchor_of_peer"] as const;

export const balances = { local_msat: millisatoshi, remote_msat: millisatoshi };
const standing = nullable(fields({ number: commitmentNumber, ...balances }));

/** What every step that moves a channel says of it. */
export const summary = {
  party: text,
  phase: oneOf(["awaiting_accept_channel", "awaiting_funding", "awaiting_funding_created", "awaiting_funding_signed", "funded", "open"]),
  local_commitment: optional(standing),
  remote_commitment: optional(standing),
  next: list(text),
} satisfies Shape;

export const dryRun = { dry_run: optional(literal(true)) };
export const notForBroadcast = { not_for_broadcast: optional(literal("a test case")) };

/** A step that was tried, made before, or had nothing to send. */
export const step = (more: Shape = {}): Codec<unknown> =>
  fields({ ...dryRun, already_done: optional(literal(true)), would_send: optional(text), ...more, ...summary });

/** A step that sends a message of these types, or was tried, or made before with nothing to send again. */
export const sends = (...types: readonly MessageName[]): Codec<unknown> => union(step(), ...types.map(messageFile));

/** An output of a commitment, whole. */
export const output = fields({
  index: u16,
  kind: oneOf(OUTPUT_KINDS),
  amount_sat: satoshi,
  script_pubkey: scriptPubkey,
  witness_script: optional(hex),
  pubkey: optional(anyPoint),
  htlc: optional(htlc),
});

/** A transaction that we sign, or have signed elsewhere. */
export const carried = {
  txid: optional(txid),
  tx: optional(hex),
  weight: optional(u53),
  unsigned_tx: optional(hex),
  psbt: optional(text),
  to_sign: optional(
    list(
      fields({
        input: u32,
        pubkey: anyPoint,
        from: oneOf([
          "funding_privkey",
          "payment_basepoint_secret",
          "delayed_payment_basepoint_secret",
          "htlc_basepoint_secret",
          "revocation_basepoint_secret",
        ]),
        basepoint: optional(anyPoint),
        per_commitment_point: optional(anyPoint),
        with: optional(text),
      }),
    ),
  ),
} satisfies Shape;

/** An output that a transaction takes. */
export const taken = fields({ txid, output_index: u32, kind: text, amount_sat: optional(satoshi) });

/** What commands say of a refusal. */
export const refusal = fields({ code: text, message: text, details: anyObject });
