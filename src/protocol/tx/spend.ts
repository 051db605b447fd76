import { Transaction } from "bitcoinjs-lib/src/transaction";
import type { ScriptPubkey, Txid } from "../bytes.js";
import { LnError } from "../errors.js";
import type { PartyKeys } from "../keys/party-keys.js";
import { type FeeratePerKw, type Satoshi, type Weight, feeAtLeast, sat, weight } from "../units.js";
import { type OwnInput, type TxPlan, withLargestWitnesses, signPlan } from "./plan.js";
import { txWeight } from "./sign.js";

/** An output that we can spend with one signature, and how. */
export interface Claim extends OwnInput {
  readonly txid: Txid;
  readonly outputIndex: number;
  readonly sequence: number;
  /** The height before which it can't be spent; none where absent. */
  readonly locktime?: number;
}

/** What a spend pays. */
export interface Fee {
  readonly fee: Satoshi;
  /** The weight that the fee was reckoned with: every signature at its largest, 72 bytes with the sighash byte. */
  readonly feeWeight: Weight;
  readonly amount: Satoshi;
}

/** A transaction that takes every claim to one script, not signed yet. */
export interface SpendPlan extends TxPlan, Fee {}

/** The same, signed. */
export interface Spend extends Fee {
  readonly tx: Transaction;
}

/** nSequence that asks for nothing and lets the fee be raised (BIP 125). */
export const SEQUENCE_RBF = 0xfffffffd;

/** BIP 431: version 3 transactions have at most 10000 vbytes, and with an unconfirmed parent 1000. */
export const TRUC_VERSION = 3;
export const TRUC_WEIGHT = weight(40_000n);
export const TRUC_CHILD_WEIGHT = weight(4000n);

/**
 * Spends all claims to one output. The fee is the smallest whose feerate is not below the one asked for, whatever length the signatures have. What is
 * too large for version 3 has version 2: nodes take it once all that it spends is confirmed.
 * Throws: tx-output-dust.
 */
export function planSpend(claims: readonly Claim[], to: ScriptPubkey, feerate: FeeratePerKw, version: 2 | 3): SpendPlan {
  const total = claims.reduce((sum, claim) => sum + claim.amount, 0n);
  const draft = new Transaction();
  draft.version = version;
  draft.locktime = Math.max(0, ...claims.map(({ locktime = 0 }) => locktime));
  for (const claim of claims) draft.addInput(claim.txid, claim.outputIndex, claim.sequence);
  draft.addOutput(to, total);

  const feeWeight = txWeight(withLargestWitnesses({ unsigned: draft, inputs: claims }));
  const fee = feeAtLeast(feerate, feeWeight);
  const amount = sat(total - fee);
  demandAboveDust(to, amount, { total: sat(total), fee });

  const unsigned = draft.clone();
  if (version === TRUC_VERSION && feeWeight > TRUC_WEIGHT) unsigned.version = 2;
  const [output] = unsigned.outs;
  if (output !== undefined) output.value = amount;
  return { unsigned, inputs: claims, fee, feeWeight, amount };
}

/** What a claim adds to the weight of a transaction that takes others, too: outpoint, empty script and nSequence, and the witness at its largest. */
export function claimWeight(claim: Claim): Weight {
  const draft = new Transaction();
  const empty = draft.weight();
  draft.addInput(claim.txid, claim.outputIndex, claim.sequence);
  // The marker and the flag are there once, whatever the number of inputs
  return weight(txWeight(withLargestWitnesses({ unsigned: draft, inputs: [claim] })) - BigInt(empty + SEGWIT_MARKER_WEIGHT));
}

/** BIP 144: marker and flag, which weigh as witness does. */
const SEGWIT_MARKER_WEIGHT = 2;

/** Throws: tx-output-dust. */
export function demandAboveDust(to: ScriptPubkey, amount: Satoshi, { total, fee }: { readonly total: Satoshi; readonly fee: Satoshi }): void {
  const threshold = dustThreshold(to);
  if (amount >= threshold) return;
  throw new LnError("tx-output-dust", `${total} sat less ${fee} sat of fee leave ${amount} sat, below the dust threshold of ${threshold} sat`, {
    inputs_sat: total.toString(),
    fee_sat: fee.toString(),
    dust_threshold_sat: threshold.toString(),
  });
}

/** Secret in: the keys of whoever may take the claims. Throws: key-missing, key-mismatch. */
export function signSpend({ unsigned, inputs, fee, feeWeight, amount }: SpendPlan, keys: PartyKeys): Spend {
  return { tx: signPlan({ unsigned, inputs }, keys), fee, feeWeight, amount };
}

/** Secret in: plans and signs. Throws: tx-output-dust, key-missing, key-mismatch. */
export function spendClaims(claims: readonly Claim[], keys: PartyKeys, to: ScriptPubkey, feerate: FeeratePerKw, version: 2 | 3): Spend {
  return signSpend(planSpend(claims, to, feerate, version), keys);
}

/** The smallest amount that the network relays, by the script's type. BOLT 3 §Dust Limits. */
export function dustThreshold(script: ScriptPubkey): Satoshi {
  const [first, second] = script;
  if (first === 0x6a) return sat(0n);
  if (script.length === 25 && first === 0x76) return sat(546n);
  if (script.length === 23 && first === 0xa9) return sat(540n);
  if (script.length === 22 && first === 0x00) return sat(294n);
  if (script.length === 34 && first === 0x00) return sat(330n);
  if (script.length === 4 && first === 0x51 && second === 0x02) return sat(240n);
  return sat(354n);
}
