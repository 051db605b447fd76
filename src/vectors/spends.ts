import { type Bytes32, displayTxid, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import type { PartyKeys } from "../protocol/keys/party-keys.js";
import type { Secret32 } from "../protocol/secret.js";
import { type Side, dual } from "../protocol/side.js";
import { type ClosingPlan, buildClosing, closingFee, closingWeight, completeClosing } from "../protocol/tx/closing-tx.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import { penaltyClaims, secondStagePenaltyClaims } from "../protocol/tx/penalty-tx.js";
import { completePlan, inputSighash } from "../protocol/tx/plan.js";
import { sighash, signHash } from "../protocol/tx/sign.js";
import { type Signer, signerSecret } from "../protocol/tx/signer.js";
import { type Claim, planSpend } from "../protocol/tx/spend.js";
import { htlcTxClaim, remoteHtlcClaims, toLocalClaims, toRemoteClaims } from "../protocol/tx/sweep-tx.js";
import type { CaseClose, CaseInputs, CaseSpend, SpendKind } from "./case-document.js";
import { type SignedCase, type SignedHtlcTx, der, hexOrNull, integer, scriptOf } from "./case.js";

/** Whose money each kind takes. */
const TAKEN_BY: Readonly<Record<SpendKind, Side>> = {
  penalty: "remote",
  penalty_second_stage: "remote",
  sweep_to_local: "local",
  sweep_second_stage: "local",
  sweep_to_remote: "remote",
  claim_htlc: "remote",
};

/** What a kind of spend takes of a commitment; none where there is nothing of that kind. `outputIndex`: of the commitment's HTLC output that it is about. */
export function claimsOf(
  { commitment, terms, htlcTxs, perCommitmentSecret }: SignedCase,
  inputs: Pick<CaseInputs, "htlcs">,
  kind: SpendKind,
  outputIndex: number | undefined,
): readonly Claim[] {
  const { format, basepoints, toSelfDelay } = terms;
  const second = htlcTxs.find(({ htlcTx }) => htlcTx.outputIndex === outputIndex);
  switch (kind) {
    case "penalty":
      return penaltyClaims(commitment, basepoints.remote, perCommitmentSecret);
    case "penalty_second_stage":
      return second === undefined
        ? []
        : secondStagePenaltyClaims(second.htlcTx.unsigned, commitment, second.htlcTx.lock, basepoints.remote, perCommitmentSecret);
    case "sweep_to_local":
      return toLocalClaims(commitment, toSelfDelay, basepoints.local);
    case "sweep_second_stage":
      return second === undefined ? [] : [htlcTxClaim(second.htlcTx, basepoints.local)];
    case "sweep_to_remote":
      return toRemoteClaims(commitment, format, basepoints.remote);
    case "claim_htlc":
      return second === undefined
        ? []
        : remoteHtlcClaims(commitment, format, basepoints.remote, () => preimageOf(second, inputs)).filter(
            (claim) => claim.outputIndex === outputIndex,
          );
  }
}

function preimageOf({ htlcIndex }: SignedHtlcTx, { htlcs }: Pick<CaseInputs, "htlcs">): Bytes32 | null {
  return htlcs[htlcIndex]?.paymentPreimage ?? null;
}

/** Secrets in: the case's. What `expected.spends` can hold of one. Throws: json-value where there is nothing for it to take, tx-output-dust. */
export function deriveSpend(derived: SignedCase, inputs: CaseInputs, spend: CaseSpend, at: number) {
  const claims = claimsOf(derived, inputs, spend.kind, spend.outputIndex);
  if (claims.length === 0) {
    const path = `case.spends[${at}].${spend.outputIndex === undefined ? "kind" : "output_index"}`;
    throw new LnError("json-value", `${path}: the commitment has no output that a ${spend.kind} takes`, {
      path,
      value: spend.outputIndex ?? spend.kind,
    });
  }
  const plan = planSpend(claims, spend.toScriptpubkey, spend.feeratePerKw, derived.terms.format.txVersion);
  const keys = derived.keys[TAKEN_BY[spend.kind]];
  const secretOf = rememberingSecrets(keys);
  const signed = claims.map((claim, index) => {
    const hash = inputSighash(plan, index, claim);
    return { claim, hash, signature: claim.signer === null ? null : signHash(hash, secretOf(claim.signer)) };
  });
  const tx = completePlan(
    plan,
    signed.map(({ signature }) => signature),
  );
  return {
    kind: spend.kind,
    fee_weight: integer(plan.feeWeight),
    fee_sat: integer(plan.fee),
    amount_sat: integer(plan.amount),
    txid: tx.getId(),
    unsigned_hex: plan.unsigned.toHex(),
    signed_hex: tx.toHex(),
    inputs: signed.map(({ claim, hash, signature }) => ({
      txid: displayTxid(claim.txid),
      output_index: claim.outputIndex,
      amount_sat: integer(claim.amount),
      sequence: claim.sequence,
      witness_script: hexOrNull(scriptOf(claim.lock)),
      sighash: toHex(hash),
      ...(signature === null ? {} : { signature_der: der(signature) }),
    })),
  };
}

/** Secrets in, and out. A penalty takes hundreds of outputs with one key. */
function rememberingSecrets(keys: PartyKeys): (signer: Signer) => Secret32 {
  const known = new Map<Signer, Secret32>();
  return (signer) => {
    let secret = known.get(signer);
    if (secret === undefined) known.set(signer, (secret = signerSecret(signer, keys)));
    return secret;
  };
}

/** The terms of `case.close`. */
export function closePlan(
  { terms, spec, commitment }: SignedCase,
  close: Pick<CaseClose, "kind" | "payer" | "localScriptpubkey" | "remoteScriptpubkey" | "locktime" | "feeSat">,
): ClosingPlan {
  return {
    kind: close.kind,
    payer: close.payer,
    scripts: { local: close.localScriptpubkey, remote: close.remoteScriptpubkey },
    feeSatoshis: close.feeSat,
    locktime: close.locktime,
    funding: terms.funding,
    fundingKeys: dual((side) => terms.basepoints[side].fundingPubkey),
    fundingLock: commitment.fundingLock,
    balances: spec.balances,
  };
}

/** Secrets in: the case's. What `expected.close` can hold. */
export function deriveClose(derived: SignedCase, inputs: CaseInputs, close: CaseClose) {
  const plan = closePlan(derived, close);
  const closing = buildClosing(plan, close.outputs);
  const hash = sighash(closing.unsigned, 0, { lock: plan.fundingLock, amount: plan.funding.amount }, SIGHASH_ALL);
  const signatures = dual((side) => signHash(hash, inputs[side].fundingPrivkey));
  return {
    kind: close.kind,
    fee_weight: integer(closingWeight(plan, close.outputs)),
    fee_sat: integer(closingFee(plan, close.outputs, close.feeratePerKw)),
    actual_fee_sat: integer(closing.actualFee),
    txid: displayTxid(closing.txid),
    outputs: closing.outputs.map(({ side, amount, scriptPubkey }, index) => ({
      index,
      value: integer(amount),
      scriptpubkey: toHex(scriptPubkey),
      side,
    })),
    unsigned_hex: closing.unsigned.toHex(),
    sighash: toHex(hash),
    local_signature_der: der(signatures.local),
    remote_signature_der: der(signatures.remote),
    signed_hex: completeClosing(closing, signatures).toHex(),
  };
}
