import { sha256 } from "@noble/hashes/sha2.js";
import { displayTxid, toHex, txid } from "../bytes.js";
import { featuresOf } from "../channel/params.js";
import { ecc } from "../ecc.js";
import { publicKey } from "../keys/derivation.js";
import { Secret32 } from "../secret.js";
import { channelTypeOf } from "../tx/format.js";
import type { Form } from "../wire/field.js";
import { type MessageName, MESSAGE_TYPES, decodeMessage } from "../wire/messages.js";
import { MESSAGES, type MessageSpec } from "../wire/table.js";
import { type Explanation, type FieldKind, Reading, type Said, bigEndian, grouped, structure } from "./reading.js";
import { readScript } from "./script.js";

type Table = typeof MESSAGES;
/** Every field and TLV record of every message. */
type FieldName = { [Name in MessageName]: keyof Table[Name]["fields"] | keyof Table[Name]["tlvs"] }[MessageName] | StructName;
type StructName = "min_fee_satoshis" | "max_fee_satoshis" | "txid" | "retransmit_flags";

/** Where BOLT describes each message. */
const SOURCES: Readonly<Record<MessageName, string>> = {
  warning: "BOLT 1 §The `error` and `warning` Messages",
  error: "BOLT 1 §The `error` and `warning` Messages",
  open_channel: "BOLT 2 §The `open_channel` Message",
  accept_channel: "BOLT 2 §The `accept_channel` Message",
  funding_created: "BOLT 2 §The `funding_created` Message",
  funding_signed: "BOLT 2 §The `funding_signed` Message",
  channel_ready: "BOLT 2 §The `channel_ready` Message",
  shutdown: "BOLT 2 §Closing Initiation: `shutdown`",
  closing_signed: "BOLT 2 §Legacy Closing Negotiation: `closing_signed`",
  closing_complete: "BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`",
  closing_sig: "BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`",
  update_add_htlc: "BOLT 2 §Adding an HTLC: `update_add_htlc`",
  update_fulfill_htlc: "BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`",
  update_fail_htlc: "BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`",
  update_fail_malformed_htlc: "BOLT 2 §Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`",
  commitment_signed: "BOLT 2 §Committing Updates So Far: `commitment_signed`",
  revoke_and_ack: "BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`",
  update_fee: "BOLT 2 §Updating Fees: `update_fee`",
  channel_reestablish: "BOLT 2 §Message Retransmission",
  pay: "chankit's own, after BOLT 2 §Normal Operation",
};

const FRAME = "BOLT 1 §Lightning Message Format";
const TLV = "BOLT 1 §Type-Length-Value Format";

/** What each field is for. */
const MEANINGS: Readonly<Record<FieldName, string>> = {
  channel_id: "funding txid, its last two bytes XORed with the output index",
  temporary_channel_id: "names the channel until there is a funding output",
  data: "words for the other side",
  chain_hash: "the chain's genesis block",
  funding_satoshis: "the channel's capacity: what the opener puts in",
  push_msat: "of that, what the opener gives to the accepter at once",
  dust_limit_satoshis: "smaller outputs are left out of the sender's own commitments",
  max_htlc_value_in_flight_msat: "most that the receiver of this may have offered in HTLCs at a time",
  channel_reserve_satoshis: "what the receiver of this must keep on its side",
  htlc_minimum_msat: "smallest HTLC that the sender takes",
  feerate_per_kw: "satoshis per 1,000 weight of the commitments",
  to_self_delay: "how long the receiver of this waits for its own money, in blocks",
  max_accepted_htlcs: "most HTLCs that the receiver of this may have offered at a time",
  minimum_depth: "confirmations of the funding before channel_ready",
  funding_pubkey: "the sender's key of the 2-of-2",
  revocation_basepoint: "from it and a secret that the other gives away the sender punishes",
  payment_basepoint: "what the sender's plain output pays to",
  delayed_payment_basepoint: "what the sender's delayed output is derived from",
  htlc_basepoint: "what the sender's HTLC keys are derived from",
  first_per_commitment_point: "for the sender's commitment 0",
  channel_flags: "the lowest bit: whether the channel is to be announced",
  upfront_shutdown_script: "the only script to which a mutual close may pay the sender; empty: any",
  channel_type: "the feature bits that say which kind of commitments",
  pay_extension: "chankit's own: the sender speaks `pay`",
  features: "chankit's own: the feature bits that others have from init",
  funding_txid: "the funding transaction",
  funding_output_index: "which of its outputs is the channel",
  signature: "r, then s: of the receiver's commitment, or of the close",
  second_per_commitment_point: "for the sender's commitment 1",
  short_channel_id: "an alias, or block, transaction and output of the funding",
  scriptpubkey: "what the sender is to be paid to",
  fee_satoshis: "the fee of the close",
  fee_range: "the fees that the sender would take",
  min_fee_satoshis: "the least fee that the sender would take",
  max_fee_satoshis: "the highest fee that the sender would take",
  closer_scriptpubkey: "what the side that pays the fee is paid to",
  closee_scriptpubkey: "what the other side is paid to",
  locktime: "nLockTime of the close",
  closer_output_only: "signature of the close in which only the fee's payer has an output",
  closee_output_only: "signature of the close in which only the other has an output",
  closer_and_closee_outputs: "signature of the close in which both have one",
  id: "counts the sender's HTLCs (or payments) from 0; in an answer that of the HTLC",
  amount_msat: "how much",
  payment_hash: "SHA256 of the preimage for which the HTLC pays",
  cltv_expiry: "the block from which on the HTLC has timed out",
  onion_routing_packet: "what the next node can read of the route",
  blinded_path: "the point of a blinded route",
  payment_preimage: "for which the HTLC pays",
  attribution_data: "how long each hop held the HTLC",
  reason: "an encrypted failure for the payer",
  htlc_signatures: "one for each untrimmed HTLC, in the order of the outputs",
  per_commitment_secret: "of the sender's replaced commitment: it can be punished from here on",
  next_per_commitment_point: "for the sender's commitment after the next",
  sha256_of_onion: "of the onion that could not be read",
  failure_code: "why the onion could not be read",
  next_commitment_number: "of the commitment_signed that the sender waits for",
  next_revocation_number: "of the revoke_and_ack that the sender waits for",
  your_last_per_commitment_secret: "the last that the sender got, as proof; all 0 if none",
  my_current_per_commitment_point: "the sender's newest point that is not revoked",
  next_funding: "a funding transaction whose signing is to be taken up again",
  my_current_funding_locked: "the funding transaction that the sender holds to be final",
  txid: "the funding transaction",
  retransmit_flags: "what is to be sent again",
};

/** What a field or a TLV record of a message is for; undefined for what is none. */
export function meaningOf(field: string): string | undefined {
  return Object.hasOwn(MEANINGS, field) ? MEANINGS[field as FieldName] : undefined;
}

/** Where BOLT describes a message. */
export function sourceOf(type: MessageName): string {
  return SOURCES[type];
}

/**
 * Every byte of a message, in their order.
 * Throws: wire-…, key-shape. BOLT 1 §Lightning Message Format.
 */
export function explainMessage(wire: Uint8Array): Explanation {
  const { type } = decodeMessage(wire);
  const { fields, tlvs }: MessageSpec = MESSAGES[type];
  const reading = new Reading(wire);
  reading.heading(type);
  reading.take("type", 2, () => structure("type", `${MESSAGE_TYPES[type]}, ${type}`, oddWords(MESSAGE_TYPES[type]), FRAME));
  const source = SOURCES[type];
  for (const [name, { form }] of Object.entries(fields)) readField(reading, name as FieldName, form, { source, counted: true });
  const names = new Map(Object.entries(tlvs).map(([name, { type: number, field }]) => [number, { name: name as FieldName, form: field.form }]));
  for (let at = 0; reading.left > 0; at++) {
    if (at === 0) reading.heading("TLV records");
    reading.within(`tlvs[${at}]`, () => {
      readRecord(reading, names, source);
    });
  }
  return reading.end();
}

function oddWords(number: number): string {
  return number % 2 === 1 ? "odd: who does not know it may ignore it" : "even: who does not know it closes the connection";
}

type Names = ReadonlyMap<bigint, { readonly name: FieldName; readonly form: Form }>;

function readRecord(reading: Reading, names: Names, source: string): void {
  let known: ReturnType<Names["get"]>;
  takeBigSize(reading, "type", (number) => {
    known = names.get(number);
    const words = number % 2n === 1n ? "odd: may be ignored by who does not know it" : "even: must be known";
    return structure("TLV type", `${number}${known === undefined ? "" : `, ${known.name}`}`, words, TLV);
  });
  const size = takeBigSize(reading, "length", (length) =>
    structure("TLV length", grouped(length), length > 0n ? "bytes of its value" : known === undefined ? "empty" : MEANINGS[known.name], TLV),
  );
  if (known === undefined) {
    reading.take("value", Number(size), () => ({
      label: "unknown record",
      kind: "data",
      meaning: "a record that chankit does not know",
      source: TLV,
    }));
  } else if (size > 0n) readField(reading, known.name, known.form, { source, counted: false, size: Number(size) });
}

const BIGSIZES: Readonly<Record<number, number>> = { 0xfd: 2, 0xfe: 4, 0xff: 8 };

function takeBigSize(reading: Reading, name: string, say: (value: bigint) => Said): bigint {
  const [first = 0] = reading.peek(1);
  const more = BIGSIZES[first] ?? 0;
  const read = (bytes: Uint8Array): bigint => (more === 0 ? BigInt(first) : bigEndian(bytes.subarray(1)));
  return read(reading.take(name, 1 + more, (bytes) => say(read(bytes))));
}

interface FieldAbout {
  readonly source: string;
  /** Whether bytes of no fixed size come after a length; in a TLV record they fill it. */
  readonly counted: boolean;
  readonly size?: number;
}

/** The size of each form that has one. */
const SIZES: Partial<Readonly<Record<Form["kind"], number>>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  satoshi: 8,
  millisatoshi: 8,
  feerate_per_kw: 4,
  bytes32: 32,
  txid: 32,
  signature: 64,
  point: 33,
  secret: 32,
};

function readField(reading: Reading, name: FieldName, form: Form, about: FieldAbout): void {
  switch (form.kind) {
    case "struct":
      reading.within(name, () => {
        for (const [part, inner] of Object.entries(form.parts)) readField(reading, part as FieldName, inner, about);
      });
      return;
    case "list": {
      const count = takeLength(reading, `${name}_count`, `${name}, count`, about.source);
      for (let at = 0; at < count; at++) {
        reading.within(`${name}[${at}]`, () => {
          readField(reading, name, form.of, about);
        });
      }
      return;
    }
    case "script":
    case "bytes": {
      const size = form.kind === "bytes" ? form.size : undefined;
      const length = size ?? (about.counted ? takeLength(reading, `${name}_length`, `${name}, length`, about.source) : (about.size ?? 0));
      if (form.kind === "script") {
        reading.within(name, () => {
          readScript(reading, reading.peek(length), { ownership: NOBODY, pays: MEANINGS[name] });
        });
      } else if (name === "onion_routing_packet") readOnion(reading);
      else reading.take(name, length, (bytes) => said(name, form, bytes, about.source));
      return;
    }
    default:
      reading.take(name, SIZES[form.kind] ?? 0, (bytes) => said(name, form, bytes, about.source));
  }
}

const NOBODY = { names: null, owner: null, revocation: { kind: "unsaid" } } as const;

function takeLength(reading: Reading, name: string, label: string, source: string): number {
  return Number(
    bigEndian(
      reading.take(name, 2, (raw) =>
        structure(label, grouped(bigEndian(raw)), label.endsWith("count") ? "how many follow" : "how many bytes follow", source),
      ),
    ),
  );
}

function said(name: FieldName, form: Form, bytes: Uint8Array, source: string): Said {
  return {
    label: name,
    kind: kindOf(name, form),
    value: valueOf(name, form, bytes),
    meaning: `${MEANINGS[name]}${beyond(name, form, bytes)}`,
    source,
  };
}

function kindOf(name: FieldName, { kind }: Form): FieldKind {
  if (name === "to_self_delay" || name === "cltv_expiry" || name === "locktime" || name === "minimum_depth") return "time";
  switch (kind) {
    case "satoshi":
    case "millisatoshi":
    case "feerate_per_kw":
      return "amount";
    case "bytes32":
    case "txid":
      return "hash";
    case "signature":
    case "point":
    case "secret":
      return kind === "point" ? "key" : kind;
    case "u8":
    case "u16":
    case "u32":
    case "u64":
      return "number";
    default:
      return "data";
  }
}

function valueOf(name: FieldName, { kind }: Form, bytes: Uint8Array): string {
  const number = bigEndian(bytes);
  switch (kind) {
    case "satoshi":
      return `${grouped(number)} sat`;
    case "millisatoshi":
      return `${grouped(number)} msat`;
    case "feerate_per_kw":
      return `${grouped(number)} sat/kw`;
    case "u8":
    case "u16":
    case "u32":
    case "u64":
      if (name === "short_channel_id") return `${number >> 40n}x${(number >> 16n) & 0xffffffn}x${number & 0xffffn}`;
      return kindOf(name, { kind }) === "time" ? `${grouped(number)}${name === "to_self_delay" ? " blocks" : ""}` : number.toString();
    case "txid":
      return displayTxid(txid(Uint8Array.from(bytes)));
    default:
      return name === "data" ? quoted(bytes) : toHex(bytes);
  }
}

/** What else the bytes tell. */
function beyond(name: FieldName, { kind }: Form, bytes: Uint8Array): string {
  if (name === "payment_preimage") return `; payment_hash ${toHex(sha256(bytes))}`;
  if (name === "channel_type") return `: ${channelTypeOf(bytes) ?? "a type that chankit does not know"}`;
  if (name === "features") return `: ${featuresOf(bytes).join(", ") || "none that chankit knows"}`;
  if (name === "channel_flags") return (bytes[0] ?? 0) % 2 === 1 ? ": yes" : ": no";
  if (kind === "point") return ecc().isPoint(bytes) ? "" : "; NOT a point of the curve";
  return kind === "secret" ? pointWords(bytes) : "";
}

/** Secret: says of 32 bytes only their point. */
function pointWords(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return ": all 0";
  return ecc().isSecret(bytes) ? `; its point is ${toHex(publicKey(new Secret32(Uint8Array.from(bytes))))}` : "; NOT a secret key of the curve";
}

/** Printable characters as they are, all others as escapes. */
function quoted(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`));
  return `"${text.join("")}"`;
}

/** BOLT 4 (Packet Structure). */
function readOnion(reading: Reading): void {
  const source = "BOLT 4 (Packet Structure)";
  const part = (name: string, size: number, kind: FieldKind, meaning: string): void => {
    reading.take(name, size, () => ({ label: `onion, ${name}`, kind, meaning, source }));
  };
  reading.within("onion_routing_packet", () => {
    part("version", 1, "number", "of the packet: 0");
    part("public_key", 33, "key", "from it and its own key a node has the secret that opens its layer");
    part("hop_payloads", 1300, "data", "encrypted once for each hop");
    part("hmac", 32, "hash", "shows that the packet was not changed");
  });
}
