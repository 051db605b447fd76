import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Point, type Txid, equalBytes, fromHex, txid } from "../bytes.js";
import { LnError } from "../errors.js";
import { publicKey } from "../keys/derivation.js";
import { type CommitmentKeys } from "../keys/commitment-keys.js";
import { type CommitmentNumber, lookupSecret, secretIndex } from "../keys/shachain.js";
import type { Lock } from "../script/assemble.js";
import type { Secret32 } from "../secret.js";
import { SIDES, type Side, opposite } from "../side.js";
import { CLOSING_SEQUENCES, type ClosingTx } from "../tx/closing-tx.js";
import { type Commitment } from "../tx/commitment-tx.js";
import { decodeCommitmentNumber, obscuringFactor } from "../tx/commitment-number.js";
import { parseTransaction } from "../tx/parse.js";
import { type RecognisedOutput, commitmentKeysOf, recogniseOutputs } from "../tx/recognise.js";
import { isAnchorOutput } from "../tx/outputs.js";
import type { ConfirmedCommitment } from "../tx/sweep-tx.js";
import { sat } from "../units.js";
import type { Htlc } from "../tx/spec.js";
import { knownClosings } from "./closing.js";
import { type Standing, heldCommitments } from "./select.js";
import { type FundedChannel } from "./state.js";
import { commitmentTerms } from "./terms.js";

/** What a transaction is to a channel. */
export type Identity =
  | { readonly kind: "unrelated" }
  /** A commitment that the state rebuilds byte for byte. */
  | { readonly kind: "held"; readonly owner: Side; readonly standing: Standing; readonly commitment: Commitment }
  /** A commitment of the peer's whose secret we hold: everything in it can be taken. */
  | {
      readonly kind: "revoked";
      readonly owner: "remote";
      readonly number: CommitmentNumber;
      readonly txid: Txid;
      readonly keys: CommitmentKeys;
      readonly outputs: readonly RecognisedOutput[];
      readonly secret: Secret32<"per_commitment">;
      readonly secondStageLock: Lock;
    }
  /** A mutual close, which both have signed; `closing` where the state can rebuild it, else one of an earlier round. */
  | { readonly kind: "mutual"; readonly closing: ClosingTx | null }
  /** Spends the funding output, but is no commitment that the state can name. `plain`: the peer's, of which we know our own plain output. */
  | {
      readonly kind: "unknown";
      readonly number: CommitmentNumber | null;
      readonly owner: Side | null;
      readonly plain: ConfirmedCommitment | null;
    };

/** The channel's obscuring factor. BOLT 3 §Commitment Transaction. */
export function obscuringFactorOf(state: FundedChannel): bigint {
  const { opener, params } = state;
  return obscuringFactor(params[opener].paymentBasepoint, params[opposite(opener)].paymentBasepoint);
}

/**
 * Whose commitment a transaction is, and which. `htlcsOf` gives the HTLCs of a revoked one, without which only its other outputs have names.
 * BOLT 5 §Commitment Transaction.
 */
export function identify(state: FundedChannel, tx: Transaction, htlcsOf: (number: CommitmentNumber) => readonly Htlc[]): Identity {
  const [funding] = state.fundings;
  const spend = tx.ins.find(({ hash, index }) => equalBytes(hash, funding.txid) && index === funding.outputIndex);
  if (spend === undefined) return { kind: "unrelated" };

  const id = txid(tx.getHash());
  for (const owner of SIDES) {
    const held = heldCommitments(state, owner).find(({ commitment }) => equalBytes(commitment.txid, id));
    if (held !== undefined) return { kind: "held", owner, ...held };
  }

  const number = decodeCommitmentNumber({ locktime: tx.locktime, sequence: spend.sequence }, obscuringFactorOf(state));
  if (number === null && mayBeClosing(state, tx, spend.sequence)) {
    return { kind: "mutual", closing: knownClosings(state).find((closing) => equalBytes(closing.txid, id)) ?? null };
  }
  if (number === null) return { kind: "unknown", number, owner: null, plain: null };
  const secret = lookupSecret(state.remoteSecrets, secretIndex(number));
  if (secret !== null) {
    const terms = commitmentTerms(state, "remote");
    const keys = commitmentKeysOf(terms, publicKey<"per_commitment">(secret));
    const outputs = recogniseOutputs(tx, terms, keys, htlcsOf(number));
    // Anchors are alike on both sides' commitments: they tell nothing of whose it is
    if (outputs.some((output) => output !== null && !isAnchorOutput(output)))
      return {
        kind: "revoked",
        owner: "remote",
        number,
        txid: id,
        keys,
        outputs,
        secret,
        secondStageLock: terms.format.secondStage(keys, terms.toSelfDelay),
      };
  }
  const owner = SIDES.find((side) => staticOutputs(state, tx, opposite(side)) !== null) ?? null;
  return { kind: "unknown", number, owner, plain: owner === "remote" ? staticOutputs(state, tx, "local") : null };
}

/** Only what we have signed can spend the funding output, and of that only closes lack a commitment's marks. BOLT 3 §Closing Transaction. */
function mayBeClosing({ flags }: FundedChannel, tx: Transaction, sequence: number): boolean {
  return flags.closingSigned && tx.ins.length === 1 && CLOSING_SEQUENCES.includes(sequence);
}

/** The plain output of `side`'s in the other's commitment, which marks it as such even where its point is forgotten; null where there is none. */
function staticOutputs(state: FundedChannel, tx: Transaction, side: Side): ConfirmedCommitment | null {
  const terms = commitmentTerms(state, opposite(side));
  if (terms.format.remotePubkeyRotates) return null;
  // Any point gives the same remotepubkey
  const anyPoint = state.params[side].fundingPubkey as Point as Point<"per_commitment">;
  const keys = commitmentKeysOf(terms, anyPoint);
  const lock = terms.format.toRemote(keys);
  const outputs = tx.outs.map(({ script, value }): RecognisedOutput => {
    return equalBytes(script, lock.scriptPubkey) ? { kind: "to_remote", amount: sat(value), lock } : null;
  });
  return outputs.some((output) => output !== null) ? { txid: txid(tx.getHash()), outputs, keys } : null;
}

/** Throws: tx-not-parsed. */
export function transactionFromHex(hex: string): Transaction {
  try {
    return parseTransaction(fromHex(hex));
  } catch (error) {
    if (error instanceof LnError && error.code === "tx-not-parsed") throw error;
    throw new LnError("tx-not-parsed", "not a transaction in hex", {});
  }
}
