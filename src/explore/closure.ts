import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes32, type Signature, equalBytes, fromHex, signature, toHex } from "../protocol/bytes.js";
import { ecc } from "../protocol/ecc.js";
import { deriveSecret } from "../protocol/keys/derivation.js";
import { type PartyKeys, requireSecret } from "../protocol/keys/party-keys.js";
import { generateFromSeed, secretIndex as shachainIndex } from "../protocol/keys/shachain.js";
import { witnessSignature } from "../protocol/script/assemble.js";
import { fundingWitness } from "../protocol/script/funding.js";
import { htlcTxWitness } from "../protocol/script/htlc.js";
import { Secret32 } from "../protocol/secret.js";
import { type ClosingTx, closingSighash, completeClosing } from "../protocol/tx/closing-tx.js";
import type { Commitment } from "../protocol/tx/commitment-tx.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import { buildHtlcTxs } from "../protocol/tx/htlc-tx.js";
import { commitmentSighash, htlcSighash, signHash, withWitnesses } from "../protocol/tx/sign.js";
import type { Spending } from "./grip.js";
import type { Knowledge } from "./knowledge.js";

/** A commitment or a close that the adversary can put on the chain. Like all here it is from the honest side's view: `local` is the honest side. */
export interface Publishable {
  readonly spending: Spending;
  readonly tx: Transaction;
  /** HTLC transactions that can be completed with it; only their owner has some. */
  readonly htlcTxs: readonly Transaction[];
}

/** All that follows from what the adversary knows. */
export interface Closure {
  readonly publishable: readonly Publishable[];
  /** Secret: of a commitment's point, where what is known opens it. Only the honest side's own are asked for. */
  readonly secretOf: (commitment: Commitment) => Secret32<"per_commitment"> | null;
}

/** Who the adversary is: its keys, and every preimage there is. */
export interface Adversary {
  readonly keys: PartyKeys;
  readonly preimages: readonly Bytes32[];
}

/** What the adversary can complete of what it knows. Remembers, for the same signature is looked at in many places. */
export function closer({ keys, preimages }: Adversary): (knowledge: Knowledge) => Closure {
  const good = new Map<string, boolean>();
  const isGood = (hash: Bytes32, pubkey: Uint8Array, candidate: string): boolean => {
    const key = `${toHex(hash)} ${toHex(pubkey)} ${candidate}`;
    const known = good.get(key);
    if (known !== undefined) return known;
    const bytes = fromHex(candidate);
    const result = ecc().isSecret(bytes.subarray(0, 32)) && ecc().isSecret(bytes.subarray(32)) && ecc().verify(hash, pubkey, bytes);
    good.set(key, result);
    return result;
  };
  const found = (hash: Bytes32, pubkey: Uint8Array, signatures: ReadonlySet<string>): Signature | null => {
    for (const candidate of signatures) if (isGood(hash, pubkey, candidate)) return signature(fromHex(candidate));
    return null;
  };

  const complete = (commitment: Commitment, signatures: ReadonlySet<string>): Publishable[] => {
    const { owner } = commitment.terms;
    const { ownerFundingPubkey, countersignerFundingPubkey } = commitment.keys;
    const [honest, own] = owner === "local" ? [ownerFundingPubkey, countersignerFundingPubkey] : [countersignerFundingPubkey, ownerFundingPubkey];
    const hash = commitmentSighash(commitment);
    const theirs = found(hash, honest, signatures);
    const lock = commitment.fundingLock;
    if (theirs === null || lock.kind !== "p2wsh") return [];
    const mine = { pubkey: own, signature: signHash(hash, requireSecret(keys, "fundingPrivkey")) };
    const witness = fundingWitness(lock.witnessScript, { pubkey: honest, signature: theirs }, mine, SIGHASH_ALL);
    return [
      {
        spending: { kind: "commitment", commitment },
        tx: withWitnesses(commitment.unsigned, [witness]),
        htlcTxs: owner === "remote" ? htlcTransactions(commitment, signatures) : [],
      },
    ];
  };

  const completeClose = (closing: ClosingTx, signatures: ReadonlySet<string>): Publishable[] => {
    const hash = closingSighash(closing);
    const theirs = found(hash, closing.plan.fundingKeys.local, signatures);
    if (theirs === null) return [];
    const mine = signHash(hash, requireSecret(keys, "fundingPrivkey"));
    return [{ spending: { kind: "closing", closing }, tx: completeClosing(closing, { local: theirs, remote: mine }), htlcTxs: [] }];
  };

  const htlcTransactions = (commitment: Commitment, signatures: ReadonlySet<string>): Transaction[] =>
    buildHtlcTxs(commitment).flatMap((htlcTx) => {
      const theirs = found(htlcSighash(htlcTx, "countersigner"), commitment.keys.countersignerHtlcPubkey, signatures);
      const { lock, htlc } = htlcTx.output;
      const preimage = preimages.find((candidate) => hashOf(candidate) === toHex(htlc.paymentHash)) ?? null;
      if (theirs === null || lock.kind !== "p2wsh" || (htlcTx.kind === "htlc_success" && preimage === null)) return [];
      const secret = deriveSecret<"htlc">(requireSecret(keys, "htlcBasepointSecret"), commitment.keys.perCommitmentPoint);
      const witness = htlcTxWitness(
        lock.witnessScript,
        witnessSignature(theirs, commitment.terms.format.htlcSighash),
        witnessSignature(signHash(htlcSighash(htlcTx, "owner"), secret), SIGHASH_ALL),
        htlcTx.kind === "htlc_success" ? preimage : null,
      );
      return [withWitnesses(htlcTx.unsigned, [witness])];
    });

  const opened = new Map<string, boolean>();
  /** Whether a value is the secret of a number's point, or what the secret is made of (BOLT 3's shachain). */
  const secretOf = ({ number, keys: { perCommitmentPoint } }: Commitment, values: ReadonlySet<string>): Secret32<"per_commitment"> | null => {
    for (const value of values) {
      const bytes = fromHex(value);
      for (const candidate of [bytes, generateFromSeed(bytes, shachainIndex(number))]) {
        const key = `${toHex(candidate)} ${toHex(perCommitmentPoint)}`;
        let fits = opened.get(key);
        if (fits === undefined) {
          fits = ecc().isSecret(candidate) && equalBytes(ecc().pointFromSecret(candidate), perCommitmentPoint);
          opened.set(key, fits);
        }
        if (fits) return new Secret32(candidate);
      }
    }
    return null;
  };

  const known = new Map<string, Closure>();
  return (knowledge) => {
    const before = known.get(knowledge.key);
    if (before !== undefined) return before;
    const closure: Closure = {
      publishable: [
        ...knowledge.commitments.flatMap((commitment) => complete(commitment, knowledge.signatures)),
        ...knowledge.closings.flatMap((closing) => completeClose(closing, knowledge.signatures)),
      ],
      secretOf: (commitment) => (commitment.terms.owner === "local" ? secretOf(commitment, knowledge.values) : null),
    };
    known.set(knowledge.key, closure);
    return closure;
  };
}

const hashOf = (preimage: Bytes32): string => toHex(sha256(preimage));
