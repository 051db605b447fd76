import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Point, type Txid, txid } from "../bytes.js";
import { type Basepoints, type CommitmentKeys, deriveCommitmentKeys } from "../keys/commitment-keys.js";
import type { CommitmentNumber } from "../keys/shachain.js";
import type { Lock } from "../script/assemble.js";
import { type Dual, type Side, opposite } from "../side.js";
import { type Satoshi, floorToSat, sat } from "../units.js";
import { encodeCommitmentNumber, obscuringFactor } from "./commitment-number.js";
import { baseFee, directionFor, isTrimmed } from "./fees.js";
import type { CommitmentFormat } from "./format.js";
import { type CommitmentOutput, compareOutputs } from "./outputs.js";
import type { CommitmentSpec, Htlc } from "./spec.js";
import { unsignedTx } from "./unsigned.js";

/** What all commitments of one owner on one funding output share. */
export interface CommitmentTerms {
  readonly format: CommitmentFormat;
  /** Who may broadcast: BOLT 3's "local node". */
  readonly owner: Side;
  readonly opener: Side;
  readonly basepoints: Dual<Basepoints>;
  readonly funding: FundingOutput;
  /** The owner's. */
  readonly dustLimit: Satoshi;
  /** Imposed on the owner by the other side, in blocks. */
  readonly toSelfDelay: number;
}

export interface FundingOutput {
  readonly txid: Txid;
  readonly outputIndex: number;
  readonly amount: Satoshi;
}

/** A commitment transaction, unsigned, with all that is known about it. */
export interface Commitment {
  readonly terms: CommitmentTerms;
  readonly number: CommitmentNumber;
  readonly spec: CommitmentSpec;
  readonly keys: CommitmentKeys;
  readonly fundingLock: Lock;
  readonly outputs: readonly CommitmentOutput[];
  readonly trimmedHtlcs: readonly Htlc[];
  readonly baseFee: Satoshi;
  /** Inputs minus outputs: the base fee, what was trimmed and what rounding took, as far as no shared anchor holds it. */
  readonly actualFee: Satoshi;
  readonly txid: Txid;
  /** Never mutated: signing works on a clone. */
  readonly unsigned: Transaction;
}

/**
 * The owner's commitment `number`, byte for byte, in the order of BOLT 3's own steps.
 * BOLT 3 §Commitment Transaction Construction. Throws: key-degenerate, script-delay-range.
 */
export function buildCommitment(
  terms: CommitmentTerms,
  number: CommitmentNumber,
  perCommitmentPoint: Point<"per_commitment">,
  spec: CommitmentSpec,
): Commitment {
  const { format, owner, basepoints } = terms;
  const keys = deriveCommitmentKeys(basepoints[owner], basepoints[opposite(owner)], perCommitmentPoint, format.remotePubkeyRotates);
  return buildCommitmentOf(terms, number, keys, spec);
}

/** The same from keys that were derived before: whoever builds many commitments of one point derives them once. Throws: script-delay-range. */
export function buildCommitmentOf(terms: CommitmentTerms, number: CommitmentNumber, keys: CommitmentKeys, spec: CommitmentSpec): Commitment {
  const { format, owner, opener, basepoints, funding, dustLimit } = terms;
  const countersigner = opposite(owner);

  // 1. Input and locktime hide the number
  const factor = obscuringFactor(basepoints[opener].paymentBasepoint, basepoints[opposite(opener)].paymentBasepoint);
  const { locktime, sequence } = encodeCommitmentNumber(number, factor);

  // 2. Which HTLCs are too small for an output
  const trimmedHtlcs = spec.htlcs.filter((htlc) => isTrimmed(format, spec, dustLimit, owner, htlc));
  const untrimmedHtlcs = spec.htlcs.filter((htlc) => !trimmedHtlcs.includes(htlc));

  // 3. The base fee
  const fee = baseFee(format, spec.feeratePerKw, untrimmedHtlcs.length);

  // 4. The opener pays it, and the anchors, as far as it can
  const afterCosts = (side: Side): Satoshi => {
    const balance = floorToSat(spec.balances[side]);
    const costs = side === opener ? fee + format.anchorsCost : 0n;
    return sat(balance > costs ? balance - costs : 0n);
  };

  // 5., 6. HTLC outputs
  const outputs: CommitmentOutput[] = untrimmedHtlcs.map((htlc) => {
    const amount = floorToSat(htlc.amountMsat);
    return directionFor(owner, htlc) === "offered"
      ? { kind: "offered_htlc", amount, htlc, lock: format.offeredHtlc(keys, htlc.paymentHash) }
      : { kind: "received_htlc", amount, htlc, lock: format.receivedHtlc(keys, htlc.paymentHash, htlc.cltvExpiry) };
  });

  // 7. to_local
  const toLocal = afterCosts(owner);
  if (toLocal >= dustLimit) outputs.push({ kind: "to_local", amount: toLocal, lock: format.toLocal(keys, terms.toSelfDelay) });

  // 8. to_remote
  const toRemote = afterCosts(countersigner);
  if (toRemote >= dustLimit) outputs.push({ kind: "to_remote", amount: toRemote, lock: format.toRemote(keys) });

  // 9. Anchors
  outputs.push(
    ...format.anchors(keys, {
      toLocal: toLocal >= dustLimit,
      toRemote: toRemote >= dustLimit,
      untrimmedHtlcs: untrimmedHtlcs.length > 0,
      left: leftOf(funding, outputs),
    }),
  );

  // 10. Order
  outputs.sort(compareOutputs);
  const input = { txid: funding.txid, outputIndex: funding.outputIndex, sequence };
  const unsigned = unsignedTx({ version: format.txVersion, locktime, input, outputs });

  return {
    terms,
    number,
    spec,
    keys,
    fundingLock: format.funding(basepoints.local.fundingPubkey, basepoints.remote.fundingPubkey),
    outputs,
    trimmedHtlcs,
    baseFee: fee,
    actualFee: leftOf(funding, outputs),
    txid: txid(unsigned.getHash()),
    unsigned,
  };
}

/** What is not in the outputs. */
function leftOf(funding: FundingOutput, outputs: readonly CommitmentOutput[]): Satoshi {
  return sat(outputs.reduce<bigint>((left, { amount }) => left - amount, funding.amount));
}
