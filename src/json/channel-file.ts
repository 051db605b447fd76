import { CHAINS, FEATURES, type Limits, type NumberedPoint, type PartyParams } from "../protocol/channel/params.js";
import { CHANGE_STAGES, type Change, type ChannelState, type Closing, type Funding } from "../protocol/channel/state.js";
import { LnError } from "../protocol/errors.js";
import type { ShachainSlot } from "../protocol/keys/shachain.js";
import { CHANNEL_TYPES } from "../protocol/tx/channel-type.js";
import { CLOSING_OUTPUTS } from "../protocol/tx/closing-terms.js";
import type { Dual } from "../protocol/side.js";
import type { ChangeContent, CommitmentSpec, Htlc } from "../protocol/tx/spec.js";
import { boolean, list, literal, nonEmptyText, nullable, oneOf, single, text, union, type Codec } from "./codec.js";
import { decode, encode } from "./decode.js";
import { fields, optional } from "./fields.js";
import {
  bytes32,
  commitmentNumber,
  feeratePerKw,
  hexBytes,
  millisatoshi,
  point,
  satoshi,
  scriptPubkey,
  secret,
  side,
  signature,
  txid,
  u16,
  u32,
  u64,
} from "./primitives.js";
import { upgraded } from "./upgrade.js";

/** What `channel.json` calls itself. Readers take every version up to this one; writing upgrades. */
export const CHANNEL_FORMAT = "chankit-channel";
export const CHANNEL_VERSION = 3;

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const dual = <T>(side: Codec<T>): Codec<Dual<T>> => fields({ local: side, remote: side });
const count = u32;

/** An HTLC in full. */
export const htlc = fields({
  id: u64,
  offered_by: side,
  amount_msat: millisatoshi,
  payment_hash: bytes32,
  cltv_expiry: u32,
}) satisfies Codec<Htlc>;

/** What one commitment says; balances in msat. */
export const commitmentSpec = fields({
  feerate_per_kw: feeratePerKw,
  balances: dual(millisatoshi),
  htlcs: list(htlc),
}) satisfies Codec<CommitmentSpec>;

/** A line of `revoked.ndjson`. */
export const revokedHtlcs = fields({ number: commitmentNumber, funding_txid: txid, htlcs: list(htlc) });

const limits = fields({
  min_feerate_per_kw: feeratePerKw,
  max_feerate_per_kw: feeratePerKw,
  max_to_self_delay: u16,
  max_dust_limit_satoshis: satoshi,
  max_dust_htlc_exposure_msat: millisatoshi,
}) satisfies Codec<Limits>;

/** One side's announcement in open_channel or accept_channel. */
const partyParams = fields({
  funding_pubkey: point("funding"),
  revocation_basepoint: point("revocation_basepoint"),
  payment_basepoint: point("payment_basepoint"),
  delayed_payment_basepoint: point("delayed_payment_basepoint"),
  htlc_basepoint: point("htlc_basepoint"),
  dust_limit_satoshis: satoshi,
  max_htlc_value_in_flight_msat: millisatoshi,
  channel_reserve_satoshis: satoshi,
  htlc_minimum_msat: millisatoshi,
  to_self_delay: u16,
  max_accepted_htlcs: u16,
  upfront_shutdown_script: nullable(scriptPubkey),
}) satisfies Codec<PartyParams>;

const numberedPoint = fields({ number: commitmentNumber, point: point("per_commitment") }) satisfies Codec<NumberedPoint>;

const localCommit = fields({
  number: commitmentNumber,
  spec: commitmentSpec,
  signature,
  htlc_signatures: list(signature),
});

const remoteCommit = fields({ number: commitmentNumber, point: point("per_commitment"), spec: commitmentSpec });

const funding = fields({
  txid,
  output_index: u16,
  amount: satoshi,
  local: fields({ current: nullable(localCommit), previous: nullable(localCommit) }),
  remote: fields({ current: nullable(remoteCommit), next: nullable(remoteCommit) }),
}) satisfies Codec<Funding>;

const changeContent = union(
  fields({ kind: literal("pay"), id: u64, amount_msat: millisatoshi }),
  fields({ kind: literal("add_htlc"), id: u64, amount_msat: millisatoshi, payment_hash: bytes32, cltv_expiry: u32 }),
  fields({ kind: literal("fulfill_htlc"), id: u64, payment_preimage: bytes32 }),
  fields({ kind: literal("fail_htlc"), id: u64 }),
  fields({ kind: literal("update_fee"), feerate_per_kw: feeratePerKw }),
) satisfies Codec<ChangeContent>;

const change = fields({ content: changeContent, stage: oneOf(CHANGE_STAGES) }) satisfies Codec<Change>;

const messageLog = fields({
  last_sent: count,
  last_received: count,
  recently_received: list(fields({ seq: count, hash: bytes32 })),
  outbox: list(fields({ seq: count, type: text, wire: nullable(hexBytes), acked: boolean })),
  last_reply: nullable(oneOf(["commitment_signed", "revoke_and_ack"])),
  reestablishing: boolean,
  requests: list(fields({ id: text, seq: count, wire: hexBytes })),
});

const shachainSlot = fields({ index: u64, secret: secret("per_commitment") }) satisfies Codec<ShachainSlot>;

const closingTerms = { payer: side, scripts: dual(scriptPubkey), fee_satoshis: satoshi, locktime: u32 };

const closingOffer = fields({
  ...closingTerms,
  fee_range: nullable(fields({ min_fee_satoshis: satoshi, max_fee_satoshis: satoshi })),
  signatures: fields({ both: optional(signature), local: optional(signature), remote: optional(signature) }),
});

const signedClosing = fields({ ...closingTerms, outputs: oneOf(CLOSING_OUTPUTS), signatures: dual(signature) });

const closing = fields({
  offers: dual(nullable(closingOffer)),
  last_offer: nullable(side),
  signed: dual(nullable(signedClosing)),
}) satisfies Codec<Closing>;

const stagedCommit = fields({ number: commitmentNumber, spec: commitmentSpec });

/** What the store keeps in every version of the file. */
const header = {
  format: literal(CHANNEL_FORMAT),
  version: literal(CHANNEL_VERSION),
  revision: count,
  previous_state_hash: nullable(bytes32),
};

const base = {
  party: nonEmptyText,
  purpose: oneOf(["channel", "vector"]),
};

const channel = {
  chain: oneOf(CHAINS),
  channel_type: oneOf(CHANNEL_TYPES),
  opener: side,
  pay_extension: boolean,
  features: list(oneOf(FEATURES)),
  temporary_channel_id: bytes32,
  funding_satoshis: satoshi,
  push_msat: millisatoshi,
  feerate_per_kw: feeratePerKw,
  limits,
};

/** `channel.json` before the funding output is known. Made when asked for: one command reads one of the two. */
export const unfundedChannelFile = once(() =>
  fields({
    ...header,
    ...base,
    phase: oneOf(["awaiting_accept_channel", "awaiting_funding", "awaiting_funding_created"]),
    ...channel,
    params: fields({ local: partyParams, remote: nullable(partyParams) }),
    minimum_depth: nullable(u32),
    remote_first_point: nullable(numberedPoint),
    own_points: list(numberedPoint),
    messages: messageLog,
  }),
);

/** `channel.json` from the funding output on. */
export const fundedChannelFile = once(() =>
  fields({
    ...header,
    ...base,
    phase: oneOf(["awaiting_funding_signed", "funded", "open"]),
    ...channel,
    params: dual(partyParams),
    minimum_depth: u32,
    channel_id: bytes32,
    channel_ready: dual(boolean),
    fundings: single(funding),
    funding_psbt: nullable(text),
    own_points: list(numberedPoint),
    remote_next_point: nullable(numberedPoint),
    changes: dual(list(change)),
    staged: dual(nullable(stagedCommit)),
    next_ids: dual(fields({ htlc: u64, pay: u64 })),
    known_preimages: list(bytes32),
    remote_secrets: list(nullable(shachainSlot)),
    flags: fields({
      behind: boolean,
      force_closed: nullable(commitmentNumber),
      shutdown_sent: boolean,
      shutdown_received: boolean,
      closing_signed: boolean,
    }),
    shutdown_scripts: dual(nullable(scriptPubkey)),
    closing,
    messages: messageLog,
  }),
);

const read = new WeakMap<object, ChannelState>();

/** The state that a document tells. Neither is ever changed, so each document is read once. Throws: json-…, file-version-newer. */
export function readChannel(document: unknown, source: string): ChannelState {
  const known = typeof document === "object" && document !== null ? read.get(document) : undefined;
  if (known !== undefined) return known;
  const state = readAnew(document, source);
  if (typeof document === "object" && document !== null) read.set(document, state);
  return state;
}

function readAnew(document: unknown, source: string): ChannelState {
  requireVersion(document, source);
  const current = upgraded(document);
  const funded = typeof current === "object" && current !== null && "fundings" in current;
  return funded ? withoutStamp(decode(fundedChannelFile(), current, source)) : withoutStamp(decode(unfundedChannelFile(), current, source));
}

/** The document of a state; its revision and hash are the store's to set. */
export function printChannel(state: ChannelState): Record<string, unknown> {
  const stamp = { format: CHANNEL_FORMAT, version: CHANNEL_VERSION, revision: 0, previousStateHash: null } as const;
  return "fundings" in state ? encode(fundedChannelFile(), { ...stamp, ...state }) : encode(unfundedChannelFile(), { ...stamp, ...state });
}

type Stamp = "format" | "version" | "revision" | "previousStateHash";
const STAMP: readonly string[] = ["format", "version", "revision", "previousStateHash"] satisfies Stamp[];

/** The state without what the file says of itself. */
function withoutStamp<T extends Readonly<Record<Stamp, unknown>>>(file: T): Omit<T, Stamp> {
  return Object.fromEntries(Object.entries(file).filter(([key]) => !STAMP.includes(key))) as Omit<T, Stamp>;
}

function requireVersion(document: unknown, source: string): void {
  const version: unknown = typeof document === "object" && document !== null && "version" in document ? document.version : undefined;
  if (typeof version === "number" && version > CHANNEL_VERSION) {
    throw new LnError("file-version-newer", `${source} has version ${version}, this chankit reads up to ${CHANNEL_VERSION}`, {
      source,
      version,
      reads: CHANNEL_VERSION,
    });
  }
}
