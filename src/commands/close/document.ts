import { displayTxid, toHex } from "../../protocol/bytes.js";
import type { CompleteClosing } from "../../protocol/channel/closing.js";
import type { SigningStep } from "../../protocol/channel/transitions/close-step.js";
import type { ClosingTx } from "../../protocol/tx/closing-tx.js";
import type { Document } from "../shared/command.js";
import { amount } from "../shared/summary.js";

/** The closing transaction to broadcast; where each side pays for one of its own, the other beside it. Only one of them can be mined. */
export function closingsDocument([best, ...others]: readonly CompleteClosing[]): Document {
  return {
    format: "chankit-close",
    version: 1,
    ...(best === undefined ? {} : closingOf(best)),
    ...(others.length === 0 ? {} : { others: others.map(closingOf) }),
  };
}

function closingOf({ signed, closing, tx }: CompleteClosing): Record<string, unknown> {
  return {
    kind: closing.plan.kind,
    fee_paid_by: signed.payer,
    txid: displayTxid(closing.txid),
    tx: tx.toHex(),
    locktime: tx.locktime,
    ...paysOf(closing),
    weight: tx.weight(),
    fee_per_kw: amount((closing.actualFee * 1000n) / BigInt(tx.weight())),
  };
}

function paysOf({ outputs, actualFee }: ClosingTx): Document {
  return {
    outputs: outputs.map(({ side, amount: value, scriptPubkey }, index) => ({
      index,
      side,
      amount_sat: amount(value),
      script_pubkey: toHex(scriptPubkey),
    })),
    fee_sat: amount(actualFee),
  };
}

/** What a signer elsewhere is to sign before the next message can go; `psbts` are what a report shows of each transaction. */
export function forSignerDocument({ message, terms, closings }: SigningStep, psbts: readonly Document[]): Document {
  return {
    format: "chankit-close",
    version: 1,
    kind: terms.kind,
    fee_paid_by: terms.payer,
    locktime: terms.locktime,
    signs_for: message,
    transactions: closings.map(({ closing, plan: { inputs } }, at) => ({
      ...psbts[at],
      signed_by_peer: inputs.every(({ cosigner }) => cosigner !== undefined),
      ...paysOf(closing),
    })),
  };
}
