import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Point, equalBytes, scriptPubkey } from "../bytes.js";
import { type CommitmentKeys, deriveCommitmentKeys } from "../keys/commitment-keys.js";
import { opposite } from "../side.js";
import { floorToSat, sat } from "../units.js";
import type { CommitmentTerms } from "./commitment-tx.js";
import { directionFor } from "./fees.js";
import type { CommitmentOutput } from "./outputs.js";
import type { Htlc } from "./spec.js";

/** An output of somebody's commitment as it stands in the transaction; null where none of the channel's scripts is its lock. */
export type RecognisedOutput = CommitmentOutput | null;

/** All keys of the commitment to which the owner's point belongs. Throws: key-degenerate. */
export function commitmentKeysOf(terms: CommitmentTerms, perCommitmentPoint: Point<"per_commitment">): CommitmentKeys {
  const { basepoints, owner, format } = terms;
  return deriveCommitmentKeys(basepoints[owner], basepoints[opposite(owner)], perCommitmentPoint, format.remotePubkeyRotates);
}

/**
 * Names the outputs of a commitment that can't be rebuilt whole, because its balances are forgotten, by their scripts:
 * what a penalty needs is only its keys and the HTLCs that it carried.
 */
export function recogniseOutputs(tx: Transaction, terms: CommitmentTerms, keys: CommitmentKeys, htlcs: readonly Htlc[]): readonly RecognisedOutput[] {
  const { format, owner } = terms;
  const everything = { toLocal: true, toRemote: true, untrimmedHtlcs: true, left: sat(0n) };
  const candidates: CommitmentOutput[] = [
    { kind: "to_local", amount: sat(0n), lock: format.toLocal(keys, terms.toSelfDelay) },
    { kind: "to_remote", amount: sat(0n), lock: format.toRemote(keys) },
    ...format.anchors(keys, everything),
    ...htlcs.map((htlc): CommitmentOutput => {
      const amount = floorToSat(htlc.amountMsat);
      return directionFor(owner, htlc) === "offered"
        ? { kind: "offered_htlc", amount, htlc, lock: format.offeredHtlc(keys, htlc.paymentHash) }
        : { kind: "received_htlc", amount, htlc, lock: format.receivedHtlc(keys, htlc.paymentHash, htlc.cltvExpiry) };
    }),
  ];
  return tx.outs.map(({ script, value }): RecognisedOutput => {
    const found = takeMatch(candidates, scriptPubkey(script), value);
    return found === undefined ? null : { ...found, amount: sat(value) };
  });
}

/** HTLCs with one payment hash can share a script: each candidate is taken once, one of the right amount first. */
function takeMatch(candidates: CommitmentOutput[], script: Uint8Array, value: bigint): CommitmentOutput | undefined {
  const sameScript = candidates.filter((candidate) => equalBytes(candidate.lock.scriptPubkey, script));
  const found = sameScript.find((candidate) => candidate.amount === value) ?? sameScript[0];
  if (found !== undefined) candidates.splice(candidates.indexOf(found), 1);
  return found;
}
