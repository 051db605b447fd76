import { displayTxid, toHex } from "../../protocol/bytes.js";
import type { HeldCommitment } from "../../protocol/channel/select.js";
import type { Lock } from "../../protocol/script/assemble.js";
import { encodeCommitmentNumber, obscuringFactor } from "../../protocol/tx/commitment-number.js";
import type { Commitment } from "../../protocol/tx/commitment-tx.js";
import { trimThreshold } from "../../protocol/tx/fees.js";
import { type CommitmentOutput, isHtlcOutput } from "../../protocol/tx/outputs.js";
import { commitmentSighash } from "../../protocol/tx/sign.js";
import { opposite } from "../../protocol/side.js";
import { amount, balancesOf, htlcOf } from "./summary.js";

export const COMMITMENT_FORMAT = "chankit-commitment";

export function lockOf(lock: Lock): Record<string, string> {
  const script = toHex(lock.scriptPubkey);
  switch (lock.kind) {
    case "p2wsh":
      return { script_pubkey: script, witness_script: toHex(lock.witnessScript) };
    case "p2wpkh":
      return { script_pubkey: script, pubkey: toHex(lock.pubkey) };
    case "p2tr":
    case "p2a":
      return { script_pubkey: script };
  }
}

export function outputOf(output: CommitmentOutput, index: number): Record<string, unknown> {
  return {
    index,
    kind: output.kind,
    amount_sat: amount(output.amount),
    ...lockOf(output.lock),
    ...(isHtlcOutput(output) ? { htlc: htlcOf(output.htlc) } : {}),
  };
}

/** What `build-commitment` prints, and `sign` reads. */
export function commitmentDocument({ standing, commitment }: HeldCommitment, explain: boolean): Record<string, unknown> {
  const { terms, number, spec, outputs, trimmedHtlcs, baseFee, actualFee, txid, unsigned } = commitment;
  return {
    format: COMMITMENT_FORMAT,
    version: 1,
    owner: terms.owner,
    standing,
    commitment_number: number,
    channel_type: terms.format.channelType,
    txid: displayTxid(txid),
    unsigned_tx: unsigned.toHex(),
    balances: balancesOf(spec),
    outputs: outputs.map(outputOf),
    trimmed_htlcs: trimmedHtlcs.map(htlcOf),
    feerate_per_kw: amount(spec.feeratePerKw),
    base_fee_sat: amount(baseFee),
    actual_fee_sat: amount(actualFee),
    ...(explain ? { explain: explanation(commitment) } : {}),
  };
}

/** Every intermediate value under the spec's own labels. */
function explanation(commitment: Commitment): Record<string, unknown> {
  const { terms, number, keys, spec, fundingLock, outputs } = commitment;
  const { format, owner, opener, basepoints, funding } = terms;
  const factor = obscuringFactor(basepoints[opener].paymentBasepoint, basepoints[opposite(opener)].paymentBasepoint);
  const { locktime, sequence } = encodeCommitmentNumber(number, factor);
  const untrimmed = outputs.filter(isHtlcOutput).length;
  const hex48 = (value: bigint): string => value.toString(16).padStart(12, "0");
  return {
    per_commitment_point: toHex(keys.perCommitmentPoint),
    revocationpubkey: toHex(keys.revocationPubkey),
    local_delayedpubkey: toHex(keys.ownerDelayedPubkey),
    remotepubkey: toHex(keys.remotePubkey),
    local_htlcpubkey: toHex(keys.ownerHtlcPubkey),
    remote_htlcpubkey: toHex(keys.countersignerHtlcPubkey),
    local_and_remote: `from the owner's view, the ${owner} side of this file`,
    obscuring_factor: hex48(factor),
    obscured_commitment_number: hex48(BigInt(number) ^ factor),
    locktime,
    sequence,
    funding_satoshis: amount(funding.amount),
    ...(fundingLock.kind === "p2wsh" ? { funding_witness_script: toHex(fundingLock.witnessScript) } : {}),
    sighash: toHex(commitmentSighash(commitment)),
    fee: {
      weight: Number(format.commitmentWeight + format.htlcOutputWeight * BigInt(untrimmed)),
      terms: `${format.commitmentWeight} + ${format.htlcOutputWeight} × ${untrimmed} untrimmed HTLCs`,
      base_fee_sat: amount(commitment.baseFee),
      anchors_sat: amount(format.anchorsCost),
      paid_by: opener,
    },
    dust_limit_satoshis: amount(terms.dustLimit),
    offered_trim_threshold_sat: amount(trimThreshold(format, spec.feeratePerKw, terms.dustLimit, "offered")),
    received_trim_threshold_sat: amount(trimThreshold(format, spec.feeratePerKw, terms.dustLimit, "received")),
  };
}
