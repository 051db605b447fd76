import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Txid, equalBytes, txid } from "../bytes.js";
import type { Basepoints, CommitmentKeys } from "../keys/commitment-keys.js";
import type { Lock } from "../script/assemble.js";
import { htlcPenaltyWitness } from "../script/htlc.js";
import { toLocalPenaltyWitness } from "../script/to-local.js";
import type { Secret32 } from "../secret.js";
import { sat } from "../units.js";
import { SIGHASH_ALL } from "./format.js";
import { type CommitmentOutput, isHtlcOutput } from "./outputs.js";
import type { RecognisedOutput } from "./recognise.js";
import type { Signer } from "./signer.js";
import { type Claim, SEQUENCE_RBF } from "./spend.js";

/** Outputs of a revoked commitment that the revocation key takes. BOLT 5 §Revoked Transaction Close Handling. */
export function isRevocable(output: CommitmentOutput): boolean {
  return output.kind === "to_local" || isHtlcOutput(output);
}

/** A revoked commitment as it was published. */
export interface RevokedCommitment {
  readonly txid: Txid;
  readonly outputs: readonly RecognisedOutput[];
  readonly keys: CommitmentKeys;
}

/**
 * What the victim can take of a revoked commitment: its to_local and HTLC outputs, in their order.
 * Secret in: the per-commitment secret that the cheater gave away.
 * BOLT 5 §Revoked Transaction Close Handling.
 */
export function penaltyClaims(
  revoked: RevokedCommitment,
  own: Pick<Basepoints, "revocationBasepoint">,
  perCommitmentSecret: Secret32<"per_commitment">,
): readonly Claim[] {
  const { revocationPubkey } = revoked.keys;
  const signer = revocationSigner(revoked.keys, own, perCommitmentSecret);
  return revoked.outputs.flatMap((output, outputIndex): Claim[] => {
    if (output === null || !isRevocable(output) || output.lock.kind !== "p2wsh") return [];
    const { amount, lock } = output;
    const script = output.lock.witnessScript;
    const witness: Claim["witness"] = (signature) =>
      isHtlcOutput(output)
        ? htlcPenaltyWitness(script, signature, SIGHASH_ALL, revocationPubkey)
        : toLocalPenaltyWitness(script, signature, SIGHASH_ALL);
    return [{ txid: revoked.txid, outputIndex, amount, lock, sequence: SEQUENCE_RBF, signer, witness }];
  });
}

/**
 * What a cheater's HTLC transaction has moved on, whichever inputs and outputs it has beside: each HTLC's money is in the output beside its input, and
 * waits there for the cheater as to_local does. `lock` is the to_local script of the revoked commitment.
 * Secret in: as for penaltyClaims. BOLT 5 §Revoked Transaction Close Handling.
 */
export function secondStagePenaltyClaims(
  tx: Transaction,
  revoked: Pick<RevokedCommitment, "txid" | "keys">,
  lock: Lock,
  own: Pick<Basepoints, "revocationBasepoint">,
  perCommitmentSecret: Secret32<"per_commitment">,
): readonly Claim[] {
  if (lock.kind !== "p2wsh") return [];
  const script = lock.witnessScript;
  const signer = revocationSigner(revoked.keys, own, perCommitmentSecret);
  return tx.ins.flatMap(({ hash }, at): Claim[] => {
    const output = tx.outs[at];
    if (!equalBytes(hash, revoked.txid) || output === undefined || !equalBytes(output.script, lock.scriptPubkey)) return [];
    const witness: Claim["witness"] = (signature) => toLocalPenaltyWitness(script, signature, SIGHASH_ALL);
    return [{ txid: txid(tx.getHash()), outputIndex: at, amount: sat(output.value), lock, sequence: SEQUENCE_RBF, signer, witness }];
  });
}

function revocationSigner(
  { revocationPubkey }: CommitmentKeys,
  own: Pick<Basepoints, "revocationBasepoint">,
  perCommitmentSecret: Secret32<"per_commitment">,
): Signer {
  return {
    kind: "revocation",
    pubkey: revocationPubkey,
    from: "revocationBasepointSecret",
    basepoint: own.revocationBasepoint,
    perCommitmentSecret,
  };
}
