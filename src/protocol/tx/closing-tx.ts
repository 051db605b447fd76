import { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Bytes32, type Point, type ScriptPubkey, type Signature, type Txid, compareBytes, equalBytes, txid } from "../bytes.js";
import { LnError } from "../errors.js";
import { publicKey } from "../keys/derivation.js";
import type { Lock, Witness } from "../script/assemble.js";
import { fundingWitness } from "../script/funding.js";
import { isReturn } from "../script/shutdown.js";
import type { Secret32 } from "../secret.js";
import { type Dual, SIDES, type Side, dual, opposite } from "../side.js";
import { type FeeratePerKw, type MilliSatoshi, type Satoshi, type Weight, feeAtLeast, floorToSat, sat } from "../units.js";
import { type ClosingOutputs, type ClosingTerms, outputsOf, sidesOf } from "./closing-terms.js";
import type { FundingOutput } from "./commitment-tx.js";
import { SIGHASH_ALL } from "./format.js";
import { sighash, signHash, txWeight, verifyHash, withWitnesses } from "./sign.js";
import { LONGEST_SIGNATURE, type OwnInput, type SignableInput, type TxPlan } from "./plan.js";
import { SEQUENCE_RBF, dustThreshold } from "./spend.js";

/** A mutual close but for which outputs it has. */
export interface ClosingPlan extends ClosingTerms {
  readonly kind: ClosingKind;
  readonly funding: FundingOutput;
  readonly fundingKeys: Dual<Point<"funding">>;
  readonly fundingLock: Lock;
  /** What each side has in the last commitments. */
  readonly balances: Dual<MilliSatoshi>;
}

/** By closing_signed, or by closing_complete and closing_sig. */
export type ClosingKind = "legacy" | "simple";

/** BOLT 3 §Legacy Closing Transaction, §Closing Transaction. */
const SEQUENCE: Readonly<Record<ClosingKind, number>> = { legacy: 0xffffffff, simple: SEQUENCE_RBF };

export const CLOSING_SEQUENCES: readonly number[] = Object.values(SEQUENCE);

/** One side's output. */
export interface ClosingOutput {
  readonly side: Side;
  readonly amount: Satoshi;
  readonly scriptPubkey: ScriptPubkey;
}

/** A closing transaction, unsigned. */
export interface ClosingTx {
  readonly plan: ClosingPlan;
  readonly outputs: readonly ClosingOutput[];
  /** Input less outputs: the fee, and what goes to it of an output that is left out, or that is OP_RETURN. */
  readonly actualFee: Satoshi;
  readonly txid: Txid;
  /** Never mutated: signing works on a clone. */
  readonly unsigned: Transaction;
}

/** What a side gets, if it gets an output; below 0 where the fee is more than the payer has. BOLT 3 §Closing Transaction. */
export function closingAmount({ balances, scripts, payer, feeSatoshis }: ClosingPlan, side: Side): bigint {
  if (isReturn(scripts[side])) return 0n;
  return floorToSat(balances[side]) - (side === payer ? feeSatoshis : 0n);
}

/** Whether a side's output would not be relayed. BOLT 3 §Dust Limits. */
export function isClosingDust(plan: ClosingPlan, side: Side): boolean {
  return closingAmount(plan, side) < dustThreshold(plan.scripts[side]);
}

/** The variant without the outputs that are smaller than a limit; null where none is left. BOLT 3 §Legacy Closing Transaction. */
export function outputsAbove(plan: ClosingPlan, limit: Satoshi): ClosingOutputs | null {
  return outputsOf(SIDES.filter((side) => closingAmount(plan, side) >= limit));
}

/** The variant without one side's output; null where no other is left. */
export function withoutSide(outputs: ClosingOutputs, side: Side): ClosingOutputs | null {
  return outputsOf(sidesOf(outputs).filter((other) => other !== side));
}

/** BOLT 3 §Legacy Closing Transaction, §Closing Transaction, §Transaction Output Ordering. */
export function buildClosing(plan: ClosingPlan, variant: ClosingOutputs): ClosingTx {
  const { kind, funding, locktime, scripts } = plan;
  const outputs = sidesOf(variant)
    .map((side): ClosingOutput => ({ side, amount: sat(closingAmount(plan, side)), scriptPubkey: scripts[side] }))
    .sort(compareClosingOutputs);
  const unsigned = new Transaction();
  unsigned.version = 2;
  unsigned.locktime = locktime;
  unsigned.addInput(funding.txid, funding.outputIndex, SEQUENCE[kind]);
  for (const { scriptPubkey, amount } of outputs) unsigned.addOutput(scriptPubkey, amount);
  const actualFee = sat(outputs.reduce<bigint>((left, { amount }) => left - amount, funding.amount));
  return { plan, outputs, actualFee, txid: txid(unsigned.getHash()), unsigned };
}

function compareClosingOutputs(a: ClosingOutput, b: ClosingOutput): number {
  return a.amount === b.amount ? compareBytes(a.scriptPubkey, b.scriptPubkey) : a.amount < b.amount ? -1 : 1;
}

/** The weight that a fee is reckoned with: both signatures at their largest. */
export function closingWeight(plan: ClosingPlan, variant: ClosingOutputs): Weight {
  // What the outputs hold does not count
  const free = { ...plan, feeSatoshis: sat(0n) };
  return txWeight(completeClosing(buildClosing(free, variant), { local: LONGEST_SIGNATURE, remote: LONGEST_SIGNATURE }));
}

/** The smallest fee whose feerate is not below the one asked for, whatever length the signatures have. */
export function closingFee(plan: ClosingPlan, variant: ClosingOutputs, feerate: FeeratePerKw): Satoshi {
  return feeAtLeast(feerate, closingWeight(plan, variant));
}

/** What both sign. BOLT 3 §Closing Transaction. */
export function closingSighash({ plan, unsigned }: ClosingTx): Bytes32 {
  return sighash(unsigned, 0, { lock: plan.fundingLock, amount: plan.funding.amount }, SIGHASH_ALL);
}

/** A closing transaction as we sign it. With the peer's signature ours is all that it lacks; without, ours goes to the peer. BOLT 3 §Closing Transaction. */
export function planClosing(closing: ClosingTx, countersignature: Signature | null): TxPlan<SignableInput> {
  const { plan, unsigned } = closing;
  const { fundingKeys, fundingLock: lock, funding } = plan;
  const input: SignableInput = { amount: funding.amount, lock, signer: { kind: "plain", pubkey: fundingKeys.local, from: "fundingPrivkey" } };
  if (countersignature === null) return { unsigned, inputs: [input] };
  const whole: OwnInput = {
    ...input,
    cosigner: { pubkey: fundingKeys.remote, signature: countersignature, sighashType: SIGHASH_ALL },
    witness: (signature) => closingWitness(plan, { local: signature, remote: countersignature }),
  };
  return { unsigned, inputs: [whole] };
}

/** Secret in. Throws: key-mismatch where it is neither side's funding key. */
export function signClosing(closing: ClosingTx, fundingSecret: Secret32<"funding">): Signature {
  const pubkey = publicKey<"funding">(fundingSecret);
  const { local, remote } = closing.plan.fundingKeys;
  if (!equalBytes(pubkey, local) && !equalBytes(pubkey, remote)) {
    throw new LnError("key-mismatch", "the funding key is neither of the funding output's two", { what: "funding_privkey" });
  }
  return signHash(closingSighash(closing), fundingSecret);
}

export function verifyClosing(closing: ClosingTx, signer: Side, candidate: Signature): boolean {
  return verifyHash(closingSighash(closing), closing.plan.fundingKeys[signer], candidate);
}

/** As either side can broadcast it. BOLT 3 §Closing Transaction. */
export function completeClosing({ plan, unsigned }: ClosingTx, signatures: Dual<Signature>): Transaction {
  return withWitnesses(unsigned, [closingWitness(plan, signatures)]);
}

function closingWitness({ fundingKeys, fundingLock }: ClosingPlan, signatures: Dual<Signature>): Witness {
  if (fundingLock.kind !== "p2wsh") throw new LnError("internal-lock", "a funding output that is not P2WSH", {});
  const { local, remote } = dual((side) => ({ pubkey: fundingKeys[side], signature: signatures[side] }));
  return fundingWitness(fundingLock.witnessScript, local, remote, SIGHASH_ALL);
}

/** Who has less, and may leave its own output out. BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. */
export function isLesser({ balances }: ClosingPlan, side: Side): boolean {
  return balances[side] < balances[opposite(side)];
}
