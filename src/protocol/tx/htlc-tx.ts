import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Txid, txid } from "../bytes.js";
import { LnError } from "../errors.js";
import type { Lock } from "../script/assemble.js";
import { type Satoshi, floorToSat, sat } from "../units.js";
import type { Commitment } from "./commitment-tx.js";
import { htlcTxFee } from "./fees.js";
import { type HtlcOutput, isHtlcOutput } from "./outputs.js";
import { unsignedTx } from "./unsigned.js";

/** The owner's second-stage transaction for one HTLC output of its commitment, unsigned. */
export interface HtlcTx {
  readonly kind: "htlc_timeout" | "htlc_success";
  readonly commitment: Commitment;
  readonly outputIndex: number;
  readonly output: HtlcOutput;
  /** What it pays to. */
  readonly lock: Lock;
  readonly amount: Satoshi;
  readonly fee: Satoshi;
  readonly txid: Txid;
  /** Never mutated: signing works on a clone. */
  readonly unsigned: Transaction;
}

/**
 * HTLC-timeout for an offered HTLC, HTLC-success for a received one.
 * BOLT 3 §HTLC-Timeout and HTLC-Success Transactions. Throws: tx-not-htlc-output.
 */
export function buildHtlcTx(commitment: Commitment, outputIndex: number): HtlcTx {
  return build(commitment, outputIndex, outputLock(commitment));
}

/** One script, which is the same for all of a commitment's. */
function outputLock({ terms, keys }: Commitment): Lock {
  return terms.format.secondStage(keys, terms.toSelfDelay);
}

function build(commitment: Commitment, outputIndex: number, lock: Lock): HtlcTx {
  const output = commitment.outputs[outputIndex];
  if (output === undefined || !isHtlcOutput(output)) {
    throw new LnError("tx-not-htlc-output", `output ${outputIndex} is no HTLC`, { output_index: outputIndex });
  }
  const { format } = commitment.terms;
  const { htlc } = output;
  const offered = output.kind === "offered_htlc";
  const fee = htlcTxFee(format, commitment.spec.feeratePerKw, offered ? "offered" : "received");
  const amount = sat(floorToSat(htlc.amountMsat) - fee);

  const unsigned = unsignedTx({
    version: format.txVersion,
    locktime: offered ? htlc.cltvExpiry : 0,
    input: { txid: commitment.txid, outputIndex, sequence: format.oneBlockDelay },
    outputs: [{ lock, amount }],
  });
  const kind = offered ? "htlc_timeout" : "htlc_success";
  return {
    kind,
    commitment,
    outputIndex,
    output,
    lock,
    amount,
    fee,
    // Whoever signs all of them asks for none
    get txid() {
      return txid(unsigned.getHash());
    },
    unsigned,
  };
}

/** All of a commitment's HTLC transactions in output order, which is the order of `htlc_signature`s. BOLT 2 §Committing Updates So Far: `commitment_signed`. */
export function buildHtlcTxs(commitment: Commitment): readonly HtlcTx[] {
  const lock = outputLock(commitment);
  return commitment.outputs.flatMap((output, index) => (isHtlcOutput(output) ? [build(commitment, index, lock)] : []));
}
