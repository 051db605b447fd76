import { sha256 } from "@noble/hashes/sha2.js";
import { anyObject, anything, boolean, list, oneOf, text } from "../json/codec.js";
import { type Shape, fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { type Bytes32, type Point, type Txid, equalBytes, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { Basepoints, CommitmentKeys } from "../protocol/keys/commitment-keys.js";
import { deriveSecret, publicKey } from "../protocol/keys/derivation.js";
import type { CommitmentNumber } from "../protocol/keys/shachain.js";
import type { Secret32, SecretRole } from "../protocol/secret.js";
import { type Dual, opposite } from "../protocol/side.js";
import type { ChannelType, TaprootType } from "../protocol/tx/channel-type.js";
import { obscuringFactor } from "../protocol/tx/commitment-number.js";
import { type Commitment, type CommitmentTerms, buildCommitmentOf } from "../protocol/tx/commitment-tx.js";
import { FORMATS } from "../protocol/tx/format.js";
import { isAnchorOutput } from "../protocol/tx/outputs.js";
import { commitmentKeysOf } from "../protocol/tx/recognise.js";
import { type FeeratePerKw, type MilliSatoshi, type Satoshi, sat } from "../protocol/units.js";
import { hex48, integer, shown } from "./case.js";

/*
 * The layout of fixtures/vectors/newer: one channel, one commitment number, many specs. `local` is the owner. What its readers share, and the
 * commitments that follow from it.
 */

export const derivedValue = optional(anything);

export const secretKey = <Role extends SecretRole>(role: Role) => fields({ secret: json.secret<Role>(role), pubkey: derivedValue });

/** The keys that every such file has. */
export const WORKED_KEYS = {
  local_funding: secretKey("funding"),
  remote_funding: secretKey("funding"),
  local_payment_basepoint: secretKey("payment_basepoint"),
  remote_payment_basepoint: secretKey("payment_basepoint"),
  local_delayed_payment_basepoint: secretKey("delayed_payment_basepoint"),
  local_htlc_basepoint: secretKey("htlc_basepoint"),
  remote_htlc_basepoint: secretKey("htlc_basepoint"),
  derived: derivedValue,
} satisfies Shape;

/** Beside those, where the peer's other secrets are not told. */
export const POINTS_ONLY = {
  remote_revocation_basepoint: fields({ pubkey: json.point("revocation_basepoint") }),
  per_commitment: fields({ point: json.point("per_commitment") }),
} satisfies Shape;

export const WORKED_CHANNEL = {
  funding_txid: json.txid,
  funding_vout: json.u16,
  funding_amount_sat: json.satoshi,
  commitment_number: json.commitmentNumber,
  to_self_delay: json.u16,
  local_is_opener: boolean,
  obscured_commitment_number_hex: derivedValue,
} satisfies Shape;
/** What of it is an input; of the funding transaction's id the file may give the transaction. */
export const CHANNEL_INPUTS = ["funding_vout", "funding_amount_sat", "commitment_number", "to_self_delay", "local_is_opener"];

export const workedCases = <const More extends Shape>(more: More) =>
  list(
    fields({
      name: text,
      to_local_msat: json.millisatoshi,
      to_remote_msat: json.millisatoshi,
      htlcs: list(
        fields({
          id: json.u32,
          direction: oneOf(["offered", "received"]),
          amount_msat: json.millisatoshi,
          cltv_expiry: json.u32,
          payment_hash: json.bytes32,
          preimage: json.bytes32,
          trimmed: derivedValue,
        }),
      ),
      expected: anyObject,
      ...more,
    }),
  );
export const CASE_INPUTS = ["name", "feerate_per_kw", "dust_limit_sat", "to_local_msat", "to_remote_msat"];
export const HTLC_INPUTS = ["id", "direction", "amount_msat", "cltv_expiry", "payment_hash", "preimage"];

/** One channel, as far as its owner's transactions need it. Secrets: both sides'. */
export interface WorkedChannel {
  readonly terms: Omit<CommitmentTerms, "dustLimit">;
  readonly number: CommitmentNumber;
  readonly keys: CommitmentKeys;
  readonly funding: Dual<Secret32<"funding">>;
  readonly htlc: Dual<Secret32<"htlc_basepoint">>;
}

/** What a file gives of its channel, in whatever layout. Secrets: both sides'. */
export interface ChannelGiven {
  readonly fundingTxid: Txid;
  readonly fundingIndex: number;
  readonly fundingAmount: Satoshi;
  readonly number: CommitmentNumber;
  readonly toSelfDelay: number;
  readonly localIsOpener: boolean;
  readonly funding: Dual<Secret32<"funding">>;
  readonly payment: Dual<Secret32<"payment_basepoint">>;
  readonly delayed: Secret32<"delayed_payment_basepoint">;
  readonly htlc: Dual<Secret32<"htlc_basepoint">>;
  readonly revocationBasepoint: Point<"revocation_basepoint">;
  readonly perCommitmentPoint: Point<"per_commitment">;
}

interface Stated {
  readonly fundingTxid: Txid;
  readonly fundingVout: number;
  readonly fundingAmountSat: Satoshi;
  readonly commitmentNumber: CommitmentNumber;
  readonly toSelfDelay: number;
  readonly localIsOpener: boolean;
}

interface Secrets {
  readonly localFunding: { readonly secret: Secret32<"funding"> };
  readonly remoteFunding: { readonly secret: Secret32<"funding"> };
  readonly localPaymentBasepoint: { readonly secret: Secret32<"payment_basepoint"> };
  readonly remotePaymentBasepoint: { readonly secret: Secret32<"payment_basepoint"> };
  readonly localDelayedPaymentBasepoint: { readonly secret: Secret32<"delayed_payment_basepoint"> };
  readonly localHtlcBasepoint: { readonly secret: Secret32<"htlc_basepoint"> };
  readonly remoteHtlcBasepoint: { readonly secret: Secret32<"htlc_basepoint"> };
}

/** Secrets in. The channel that a file of this layout states. */
export function workedChannel(
  type: ChannelType | TaprootType,
  channel: Stated,
  keys: Secrets,
  points: Pick<ChannelGiven, "revocationBasepoint" | "perCommitmentPoint">,
): WorkedChannel {
  return channelGiven(type, {
    fundingTxid: channel.fundingTxid,
    fundingIndex: channel.fundingVout,
    fundingAmount: channel.fundingAmountSat,
    number: channel.commitmentNumber,
    toSelfDelay: channel.toSelfDelay,
    localIsOpener: channel.localIsOpener,
    funding: { local: keys.localFunding.secret, remote: keys.remoteFunding.secret },
    payment: { local: keys.localPaymentBasepoint.secret, remote: keys.remotePaymentBasepoint.secret },
    delayed: keys.localDelayedPaymentBasepoint.secret,
    htlc: { local: keys.localHtlcBasepoint.secret, remote: keys.remoteHtlcBasepoint.secret },
    ...points,
  });
}

/**
 * Secrets in. No file gives the owner's revocation basepoint nor the other side's delayed one, which are in none of the owner's transactions: another
 * point stands in for them.
 */
export function channelGiven(type: ChannelType | TaprootType, given: ChannelGiven): WorkedChannel {
  const { funding, payment, delayed, htlc, revocationBasepoint, perCommitmentPoint, number } = given;
  const points = (side: "local" | "remote"): Basepoints => ({
    fundingPubkey: publicKey(funding[side]),
    revocationBasepoint,
    paymentBasepoint: publicKey(payment[side]),
    delayedPaymentBasepoint: publicKey(delayed),
    htlcBasepoint: publicKey(htlc[side]),
  });
  const terms: WorkedChannel["terms"] = {
    format: FORMATS[type],
    owner: "local",
    opener: given.localIsOpener ? "local" : "remote",
    basepoints: { local: points("local"), remote: points("remote") },
    funding: { txid: given.fundingTxid, outputIndex: given.fundingIndex, amount: given.fundingAmount },
    toSelfDelay: given.toSelfDelay,
  };
  return { terms, number, keys: commitmentKeysOf({ ...terms, dustLimit: sat(0n) }, perCommitmentPoint), funding, htlc };
}

export interface CaseHtlc {
  readonly id: number;
  readonly direction: "offered" | "received";
  readonly amountMsat: MilliSatoshi;
  readonly cltvExpiry: number;
  readonly paymentHash: Bytes32;
  readonly preimage: Bytes32;
}

export interface CaseGiven {
  readonly feeratePerKw: FeeratePerKw;
  readonly dustLimit: Satoshi;
  readonly toLocalMsat: MilliSatoshi;
  readonly toRemoteMsat: MilliSatoshi;
  readonly htlcs: readonly CaseHtlc[];
}

/** A case's commitment. An HTLC's id in the core is its place in the case's list, since the two sides' ids are alike. */
export function buildCase(
  { terms, number, keys }: WorkedChannel,
  { dustLimit, feeratePerKw, htlcs, toLocalMsat, toRemoteMsat }: CaseGiven,
): Commitment {
  return buildCommitmentOf({ ...terms, dustLimit }, number, keys, {
    feeratePerKw,
    balances: { local: toLocalMsat, remote: toRemoteMsat },
    htlcs: htlcs.map(({ direction, amountMsat, paymentHash, cltvExpiry }, place) => ({
      id: BigInt(place),
      offeredBy: direction === "offered" ? "local" : "remote",
      amountMsat,
      paymentHash,
      cltvExpiry,
    })),
  });
}

/** The case's own HTLC behind one of the core's. */
export function caseHtlcOf<T>(htlcs: readonly T[], { htlc }: { readonly htlc: { readonly id: bigint } }): T | undefined {
  return htlcs[Number(htlc.id)];
}

/** Throws: input-preimage-mismatch. */
export function requirePreimages(htlcs: readonly Pick<CaseHtlc, "paymentHash" | "preimage">[], pathOf: (place: number) => string): void {
  for (const [place, { paymentHash, preimage }] of htlcs.entries()) {
    if (equalBytes(sha256(preimage), paymentHash)) continue;
    const path = pathOf(place);
    throw new LnError("input-preimage-mismatch", `${path}: its hash is not ${toHex(paymentHash)}`, { path, payment_hash: toHex(paymentHash) });
  }
}

export function deriveObscured({ terms, number }: WorkedChannel) {
  const { [terms.opener]: opener, [opposite(terms.opener)]: accepter } = terms.basepoints;
  return { obscured_commitment_number_hex: hex48(obscuringFactor(opener.paymentBasepoint, accepter.paymentBasepoint) ^ BigInt(number)) };
}

export function derivePubkeys({ terms }: WorkedChannel): Readonly<Record<string, { readonly pubkey: string }>> {
  const { local, remote } = terms.basepoints;
  return {
    local_funding: { pubkey: toHex(local.fundingPubkey) },
    remote_funding: { pubkey: toHex(remote.fundingPubkey) },
    local_payment_basepoint: { pubkey: toHex(local.paymentBasepoint) },
    remote_payment_basepoint: { pubkey: toHex(remote.paymentBasepoint) },
    local_delayed_payment_basepoint: { pubkey: toHex(local.delayedPaymentBasepoint) },
    local_htlc_basepoint: { pubkey: toHex(local.htlcBasepoint) },
    remote_htlc_basepoint: { pubkey: toHex(remote.htlcBasepoint) },
  };
}

/** Secrets in, and out: this layout publishes them. */
export function deriveCommitmentSecrets({ keys, htlc }: WorkedChannel, delayed: Secret32<"delayed_payment_basepoint">) {
  return {
    local_delayed: toHex(keys.ownerDelayedPubkey),
    local_htlc: toHex(keys.ownerHtlcPubkey),
    remote_htlc: toHex(keys.countersignerHtlcPubkey),
    revocation: toHex(keys.revocationPubkey),
    remote_payment: toHex(keys.remotePubkey),
    local_htlc_secret: shown(deriveSecret<"htlc">(htlc.local, keys.perCommitmentPoint)),
    remote_htlc_secret: shown(deriveSecret<"htlc">(htlc.remote, keys.perCommitmentPoint)),
    local_delayed_secret: shown(deriveSecret<"delayed">(delayed, keys.perCommitmentPoint)),
  };
}

/** Where the funding goes that no other output has, in a channel without a feerate. */
export function deriveRemainder({ outputs, actualFee }: Commitment) {
  const shared = outputs.filter(isAnchorOutput).reduce<bigint>((sum, { amount }) => sum + amount, 0n);
  return { trimmed_and_rounded_sat: integer(shared + actualFee), shared_anchor_sat: integer(shared), fee_sat: integer(actualFee) };
}

export function deriveTrimmed({ trimmedHtlcs }: Commitment, { htlcs }: Pick<CaseGiven, "htlcs">) {
  return htlcs.map((_, place) => ({ trimmed: trimmedHtlcs.some(({ id }) => id === BigInt(place)) }));
}
