import { Transaction } from "bitcoinjs-lib/src/transaction";
import type { ScriptPubkey, Signature, Txid } from "../bytes.js";
import { LnError } from "../errors.js";
import type { Lock, Witness } from "../script/assemble.js";
import type { Secret32 } from "../secret.js";
import { type FeeratePerKw, type Satoshi, type Weight, feeAtLeast, sat } from "../units.js";
import { SIGHASH_ALL } from "./format.js";
import { sighash, signHash, txWeight, withWitnesses } from "./sign.js";

/** An output that we can spend with one signature, and how. */
export interface Claim {
  readonly txid: Txid;
  readonly outputIndex: number;
  readonly amount: Satoshi;
  readonly lock: Lock;
  readonly sequence: number;
  /** The height before which it can't be spent; none where absent. */
  readonly locktime?: number;
  /** Secret: signs for the output. */
  readonly secret: Secret32;
  witness(signature: Signature): Witness;
}

/** A signed transaction that takes every claim to one script. */
export interface Spend {
  readonly tx: Transaction;
  readonly fee: Satoshi;
  /** The weight that the fee was reckoned with: every signature at its largest, 72 bytes with the sighash byte. */
  readonly feeWeight: Weight;
  readonly amount: Satoshi;
}

/** nSequence that asks for nothing and lets the fee be raised (BIP 125). */
export const SEQUENCE_RBF = 0xfffffffd;

/** The compact signature whose DER form is the longest that a low S allows: 71 bytes. */
export const LONGEST_SIGNATURE = Uint8Array.from({ length: 64 }, (_, at) => (at === 0 ? 0xff : at === 32 ? 0x7f : 0x01)) as Signature;

/**
 * Spends all claims to one output. The fee is the smallest whose feerate is not below the one asked for, whatever length the signatures have.
 * Throws: tx-output-dust.
 */
export function spendClaims(claims: readonly Claim[], to: ScriptPubkey, feerate: FeeratePerKw, version: 2 | 3): Spend {
  const total = claims.reduce((sum, claim) => sum + claim.amount, 0n);
  const draft = new Transaction();
  draft.version = version;
  draft.locktime = Math.max(0, ...claims.map(({ locktime = 0 }) => locktime));
  for (const claim of claims) draft.addInput(claim.txid, claim.outputIndex, claim.sequence);
  draft.addOutput(to, total);

  const sized = withWitnesses(
    draft,
    claims.map((claim) => claim.witness(LONGEST_SIGNATURE)),
  );
  const feeWeight = txWeight(sized);
  const fee = feeAtLeast(feerate, feeWeight);
  const amount = sat(total - fee);
  const threshold = dustThreshold(to);
  if (amount < threshold) {
    throw new LnError("tx-output-dust", `${total} sat less ${fee} sat of fee leave ${amount} sat, below the dust threshold of ${threshold} sat`, {
      inputs_sat: total.toString(),
      fee_sat: fee.toString(),
      dust_threshold_sat: threshold.toString(),
    });
  }

  const unsigned = draft.clone();
  const [output] = unsigned.outs;
  if (output !== undefined) output.value = amount;
  const witnesses = claims.map((claim, input) => claim.witness(signHash(sighash(unsigned, input, claim, SIGHASH_ALL), claim.secret)));
  return { tx: withWitnesses(unsigned, witnesses), fee, feeWeight, amount };
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
