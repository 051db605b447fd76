import { CHAINS, FEATURES } from "../../protocol/channel/params.js";
import { CHANGE_STAGES } from "../../protocol/channel/state.js";
import { MESSAGES } from "../../protocol/wire/table.js";
import type { MessageName } from "../../protocol/wire/messages.js";
import { type Codec, anyObject, boolean, list, literal, nullable, oneOf, text, union } from "../codec.js";
import { fields, optional } from "../fields.js";
import { bytes32, commitmentNumber, feeratePerKw, millisatoshi, satoshi, scriptPubkey, side, txid, u16, u32, u53, u64 } from "../primitives.js";
import { fundedChannelFile, htlc, revokedHtlcs, unfundedChannelFile } from "../channel-file.js";
import { messageFile } from "../messages.js";
import {
  STANDINGS,
  anyPoint,
  balances,
  channelType,
  dryRun,
  format,
  hex,
  hex48,
  notForBroadcast,
  outpoint,
  output,
  refusal,
  sends,
  signedAmount,
  step,
  summary,
} from "./parts.js";

const anyMessage = (): Codec<unknown> => union(...(Object.keys(MESSAGES) as MessageName[]).map(messageFile));

const commitment = nullable(fields({ number: commitmentNumber, ...balances, htlcs: list(htlc), feerate_per_kw: feeratePerKw }));

const fees = fields({ local: nullable(satoshi), remote: nullable(satoshi) });

const closing = fields({
  kind: oneOf(["simple", "legacy"]),
  stage: oneOf(["reply", "await_shutdown", "clearing", "offer", "answer", "await_offer", "await_answer", "signed"]),
  local_script: nullable(scriptPubkey),
  remote_script: nullable(scriptPubkey),
  offered_fee_sat: fees,
  signed_fee_sat: fees,
});

const change = fields({
  by: side,
  kind: oneOf(["pay", "add_htlc", "fulfill_htlc", "fail_htlc", "update_fee"]),
  id: optional(u64),
  amount_msat: optional(millisatoshi),
  payment_hash: optional(bytes32),
  cltv_expiry: optional(u32),
  feerate_per_kw: optional(feeratePerKw),
  stage: oneOf(CHANGE_STAGES),
  irrevocable: boolean,
  meaning: text,
});

const status = union(
  fields({
    party: text,
    purpose: oneOf(["channel", "vector"]),
    phase: summary.phase,
    revision: u32,
    chain: oneOf(CHAINS),
    channel_type: channelType,
    opener: side,
    pay_extension: boolean,
    features: list(oneOf(FEATURES)),
    channel_id: optional(bytes32),
    funding: optional(outpoint),
    funding_address: optional(nullable(text)),
    funding_satoshis: satoshi,
    local_commitment: optional(commitment),
    local_unrevoked: optional(commitment),
    remote_commitment: optional(commitment),
    remote_signed: optional(commitment),
    revoked_by_peer: optional(commitmentNumber),
    changes: optional(list(change)),
    flags: optional(
      fields({
        behind: boolean,
        force_closed: nullable(commitmentNumber),
        shutdown_sent: boolean,
        shutdown_received: boolean,
        closing_signed: boolean,
      }),
    ),
    closing: optional(closing),
    messages: fields({ sent: u32, received: u32, unacknowledged: list(text) }),
    next: list(text),
  }),
  fields({ party: text, holds: nullable(fields({ commitment_number: commitmentNumber, ...balances })) }),
);

/** Of `build-commitment --explain`, under BOLT 3's names. */
const explained = fields({
  per_commitment_point: anyPoint,
  revocationpubkey: anyPoint,
  local_delayedpubkey: anyPoint,
  remotepubkey: anyPoint,
  local_htlcpubkey: anyPoint,
  remote_htlcpubkey: anyPoint,
  local_and_remote: text,
  obscuring_factor: hex48,
  obscured_commitment_number: hex48,
  locktime: u32,
  sequence: u32,
  funding_satoshis: satoshi,
  funding_witness_script: optional(hex),
  sighash: bytes32,
  fee: fields({ weight: u53, terms: text, base_fee_sat: satoshi, anchors_sat: satoshi, paid_by: side }),
  dust_limit_satoshis: satoshi,
  offered_trim_threshold_sat: satoshi,
  received_trim_threshold_sat: satoshi,
});

const buildCommitment = fields({
  id: optional(text),
  ...notForBroadcast,
  ...format("chankit-commitment"),
  owner: side,
  standing: oneOf(STANDINGS),
  commitment_number: commitmentNumber,
  channel_type: channelType,
  txid,
  unsigned_tx: hex,
  balances: fields(balances),
  outputs: list(output),
  trimmed_htlcs: list(htlc),
  feerate_per_kw: feeratePerKw,
  base_fee_sat: satoshi,
  actual_fee_sat: signedAmount,
  explain: optional(explained),
});

const publicKeys = {
  funding_pubkey: anyPoint,
  revocation_basepoint: anyPoint,
  payment_basepoint: anyPoint,
  delayed_payment_basepoint: anyPoint,
  htlc_basepoint: anyPoint,
};

/** What `backup` prints and `restore` reads. */
export const backupFile = () =>
  fields({
    ...format("chankit-backup"),
    party: text,
    funding: outpoint,
    of_revision: u53,
    channel: union(fundedChannelFile(), unfundedChannelFile()),
    revoked: list(revokedHtlcs),
  });

/** What the commands print that set a channel up, change it, commit and revoke. */
export const UPDATE_OUTPUTS = {
  keygen: () => fields({ party: text, keys: text, ...publicKeys }),
  "open-channel": () => sends("open_channel"),
  "accept-channel": () => sends("accept_channel"),
  "create-funding": () => sends("funding_created"),
  "sign-funding": () => sends("funding_signed"),
  "release-funding": () =>
    fields({
      ...dryRun,
      already_done: optional(literal(true)),
      funding_txid: txid,
      funding_output_index: u16,
      funding_satoshis: satoshi,
      may_be_broadcast: boolean,
      psbt: optional(text),
    }),
  "channel-ready": () => sends("channel_ready"),
  "import-channel": () => step({ case: optional(text), as: optional(side) }),
  demo: () => fields({ written: list(text), run: text }),
  pay: () => sends("pay"),
  "add-htlc": () => sends("update_add_htlc"),
  "fulfill-htlc": () => sends("update_fulfill_htlc"),
  "fail-htlc": () => sends("update_fail_htlc", "update_fail_malformed_htlc"),
  "update-fee": () => sends("update_fee"),
  receive: () => step({ received: text }),
  resend: () => union(fields({ messages: list(anyMessage()) }), anyMessage()),
  "build-commitment": () => union(buildCommitment, fields({ error: refusal })),
  sign: () => sends("commitment_signed"),
  "verify-sig": () =>
    union(step({ valid: literal(true) }), fields({ dry_run: literal(true), valid: literal(false), code: text, reason: text, details: anyObject })),
  "make-revocation": () => sends("revoke_and_ack"),
  "receive-revocation": () => step(),
  reestablish: () => union(step(), anyMessage(), step({ behind: boolean, retransmits: list(text), messages: list(anyMessage()) })),
  status: () => status,
  backup: () => backupFile(),
  restore: () => step({ revoked_lines: u53 }),
} as const;
