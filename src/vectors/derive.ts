import { displayTxid, toHex } from "../protocol/bytes.js";
import { deriveRevocationSecret, deriveSecret } from "../protocol/keys/derivation.js";
import { opposite } from "../protocol/side.js";
import { obscuringFactor } from "../protocol/tx/commitment-number.js";
import { trimThreshold } from "../protocol/tx/fees.js";
import { type CommitmentOutput, isHtlcOutput } from "../protocol/tx/outputs.js";
import { completeHtlcTx, groundToLowR } from "../protocol/tx/sign.js";
import { floorToSat } from "../protocol/units.js";
import { refusalOf } from "./attempt.js";
import type { CaseInputs } from "./case-document.js";
import { type SignedCase, type SignedHtlcTx, der, hex48, hexOrNull, integer, scriptOf, shown, signCase } from "./case.js";
import { deriveClose, deriveSpend } from "./spends.js";

/** Secrets in, and out: this layout publishes them. Every value that `expected` can hold, under its name there. */
export function deriveCase(inputs: CaseInputs, derived: SignedCase = signCase(inputs)) {
  const { commitment, terms, spec, sighash, perCommitmentPoint } = derived;
  const { format, opener, basepoints: points } = terms;
  const toRemoteScript = scriptOf(format.toRemote(commitment.keys));
  const { local, remote, spends, close, attempt } = inputs;
  return {
    channel_type: format.channelType,
    commitment_txid: displayTxid(commitment.txid),
    commitment_tx_unsigned_hex: commitment.unsigned.toHex(),
    commitment_tx_signed_hex: derived.signed.toHex(),
    sighash: toHex(sighash),
    remote_signature_der: der(derived.countersignerSignature),
    local_signature_der: der(derived.ownerSignature),
    remote_signature_der_lowr: der(groundToLowR(derived.countersignerSignature, sighash, remote.fundingPrivkey)),
    local_signature_der_lowr: der(groundToLowR(derived.ownerSignature, sighash, local.fundingPrivkey)),
    outputs: commitment.outputs.map((output, index) => ({
      index,
      value: integer(output.amount),
      scriptpubkey: toHex(output.lock.scriptPubkey),
      kind: outputKind(output),
    })),
    base_fee_sat: integer(commitment.baseFee),
    actual_fee_sat: integer(commitment.actualFee),
    trimmed_htlc_indexes: commitment.trimmedHtlcs.map((htlc) => Number(htlc.id)),
    offered_trim_threshold_sat: integer(trimThreshold(format, spec.feeratePerKw, terms.dustLimit, "offered")),
    received_trim_threshold_sat: integer(trimThreshold(format, spec.feeratePerKw, terms.dustLimit, "received")),
    obscure_factor: hex48(obscuringFactor(points[opener].paymentBasepoint, points[opposite(opener)].paymentBasepoint)),
    funding_witness_script: hexOrNull(scriptOf(commitment.fundingLock)),
    to_local_witness_script: hexOrNull(scriptOf(format.toLocal(commitment.keys, terms.toSelfDelay))),
    ...(toRemoteScript === null ? {} : { to_remote_witness_script: toHex(toRemoteScript) }),
    per_commitment_point: toHex(perCommitmentPoint),
    per_commitment_secret: shown(derived.perCommitmentSecret),
    keys: {
      local_funding_pubkey: toHex(commitment.keys.ownerFundingPubkey),
      remote_funding_pubkey: toHex(commitment.keys.countersignerFundingPubkey),
      revocation_pubkey: toHex(commitment.keys.revocationPubkey),
      local_delayed_pubkey: toHex(commitment.keys.ownerDelayedPubkey),
      local_htlc_pubkey: toHex(commitment.keys.ownerHtlcPubkey),
      remote_htlc_pubkey: toHex(commitment.keys.countersignerHtlcPubkey),
      remote_payment_pubkey: toHex(commitment.keys.remotePubkey),
      local_htlc_privkey: shown(derived.htlcSecrets.local),
      remote_htlc_privkey: shown(derived.htlcSecrets.remote),
      local_delayed_privkey: shown(deriveSecret<"delayed">(local.delayedPaymentBasepointSecret, perCommitmentPoint)),
      revocation_privkey: shown(deriveRevocationSecret(remote.revocationBasepointSecret, derived.perCommitmentSecret)),
    },
    htlc_txs: derived.htlcTxs.map((signed) => deriveHtlcTx(signed, derived, inputs)),
    ...(spends === undefined ? {} : { spends: spends.map((spend, at) => deriveSpend(derived, inputs, spend, at)) }),
    ...(close === undefined ? {} : { close: deriveClose(derived, inputs, close) }),
    ...(attempt === undefined ? {} : { refused: refusalOf(inputs, attempt) }),
  };
}

/** Of a case that only says what is to be refused, that alone: null where it is not refused. */
export function deriveRefusal(inputs: CaseInputs): { readonly refused: string | null } {
  return { refused: inputs.attempt === undefined ? null : refusalOf(inputs, inputs.attempt) };
}

function deriveHtlcTx(signed: SignedHtlcTx, { htlcSecrets }: SignedCase, inputs: CaseInputs) {
  const { htlcTx, htlcIndex, ownerSignature, countersignerSignature, countersignerSighash } = signed;
  const { htlc, lock } = htlcTx.output;
  const preimage = inputs.htlcs[htlcIndex]?.paymentPreimage ?? null;
  const timeout = htlcTx.kind === "htlc_timeout";
  return {
    output_index: htlcTx.outputIndex,
    htlc_index: htlcIndex,
    direction: timeout ? "offered" : "received",
    kind: htlcTx.kind.replace("_", "-"),
    amount_msat: integer(htlc.amountMsat),
    cltv_expiry: htlc.cltvExpiry,
    payment_hash: toHex(htlc.paymentHash),
    witness_script: hexOrNull(scriptOf(lock)),
    txid: displayTxid(htlcTx.txid),
    unsigned_hex: htlcTx.unsigned.toHex(),
    sighash: toHex(countersignerSighash),
    sighash_type: htlcTx.commitment.terms.format.htlcSighash,
    remote_htlc_signature: der(countersignerSignature),
    remote_htlc_signature_lowr: der(groundToLowR(countersignerSignature, countersignerSighash, htlcSecrets.remote)),
    local_sighash_all: toHex(signed.ownerSighash),
    local_htlc_signature: der(ownerSignature),
    ...(timeout || preimage !== null
      ? { signed_hex: completeHtlcTx(htlcTx, ownerSignature, countersignerSignature, timeout ? null : preimage).toHex() }
      : {}),
  };
}

export type DerivedCase = ReturnType<typeof deriveCase>;

/**
 * What was derived, with identical HTLCs under the indices that `expected` gives them where it only exchanges them: which of two twins an
 * output stands for is nobody's to say.
 */
export function matchTwins(derived: DerivedCase, inputs: CaseInputs, expected: unknown): DerivedCase {
  const wantedByOutput = new Map(listed(expected).map((tx) => [tx["output_index"], tx["htlc_index"]]));
  const free = new Set(derived.htlc_txs.map((tx) => tx.htlc_index));
  const twins = (a: number, b: number): boolean => looks(inputs, a) === looks(inputs, b);

  const wanted = derived.htlc_txs.map((tx) => {
    const index = wantedByOutput.get(tx.output_index);
    return typeof index === "number" && free.has(index) && twins(index, tx.htlc_index) && free.delete(index) ? index : null;
  });
  const htlcTxs = derived.htlc_txs.map((tx, at) => {
    const index = wanted[at] ?? [...free].find((other) => twins(other, tx.htlc_index)) ?? tx.htlc_index;
    free.delete(index);
    return { ...tx, htlc_index: index, amount_msat: integer(inputs.htlcs[index]?.amountMsat ?? 0n) };
  });
  return { ...derived, htlc_txs: htlcTxs };
}

/** What of an HTLC shows in the transactions: its amount in whole satoshis only. */
function looks(inputs: CaseInputs, index: number): string {
  const htlc = inputs.htlcs[index];
  if (htlc === undefined) return "";
  return `${htlc.direction} ${floorToSat(htlc.amountMsat)} ${htlc.cltvExpiry} ${toHex(htlc.paymentHash)}`;
}

function listed(expected: unknown): readonly Record<string, unknown>[] {
  if (!Array.isArray(expected)) return [];
  return expected.filter((element): element is Record<string, unknown> => typeof element === "object" && element !== null);
}

function outputKind(output: CommitmentOutput): string {
  if (isHtlcOutput(output)) return "htlc";
  switch (output.kind) {
    case "to_local_anchor":
      return "local_anchor";
    case "to_remote_anchor":
      return "remote_anchor";
    case "to_local":
    case "to_remote":
    case "shared_anchor":
      return output.kind;
  }
}
