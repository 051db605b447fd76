import { sha256 } from "@noble/hashes/sha2.js";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Bytes32, type ScriptPubkey, bytes32, equalBytes } from "../../src/protocol/bytes.js";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import { type PartyKeys, basepointsOf, requireSecret } from "../../src/protocol/keys/party-keys.js";
import { type Lock, p2wpkh } from "../../src/protocol/script/assemble.js";
import { toLocalPenaltyWitness } from "../../src/protocol/script/to-local.js";
import { opposite } from "../../src/protocol/side.js";
import { type Commitment, buildCommitment } from "../../src/protocol/tx/commitment-tx.js";
import { SIGHASH_ALL } from "../../src/protocol/tx/format.js";
import { buildHtlcTxs } from "../../src/protocol/tx/htlc-tx.js";
import type { CommitmentOutput } from "../../src/protocol/tx/outputs.js";
import { penaltyClaims } from "../../src/protocol/tx/penalty-tx.js";
import { completeCommitment, completeHtlcTx, signCommitment, signHtlcTx } from "../../src/protocol/tx/sign.js";
import { signPlan } from "../../src/protocol/tx/plan.js";
import { type Claim, SEQUENCE_RBF, spendClaims } from "../../src/protocol/tx/spend.js";
import { anchorClaims, htlcTxClaim, remoteHtlcClaims, toLocalClaims, toRemoteClaims } from "../../src/protocol/tx/sweep-tx.js";
import { perKw } from "../../src/protocol/units.js";
import { type Channel, secretOf } from "../protocol/channels.js";
import type { Coin } from "./interpreter.js";

/** Every way that BOLT 3 and BOLT 5 have to spend what a channel puts on the chain. */
export const SPEND_KINDS = [
  "commitment",
  "htlc_timeout",
  "htlc_success",
  "penalty_to_local",
  "penalty_offered_htlc",
  "penalty_received_htlc",
  "penalty_htlc_tx",
  "sweep_to_local",
  "sweep_htlc_tx",
  "sweep_to_remote",
  "claim_by_preimage",
  "claim_by_expiry",
  "anchor_by_key",
  "anchor_by_anyone",
] as const;
export type SpendKind = (typeof SPEND_KINDS)[number];

/** A transaction with what it spends, and how it came about, so that it can be changed and signed anew. */
export interface Spending {
  /** One for each input. */
  readonly kinds: readonly SpendKind[];
  readonly tx: Transaction;
  readonly spent: readonly { readonly amount: bigint; readonly lock: Lock }[];
  /** Signs a changed copy with the right keys. */
  sign(changed: Transaction): Transaction;
}

export function coinsOf({ spent }: Spending): readonly Coin[] {
  return spent.map(({ amount, lock }) => ({ amount, scriptPubkey: lock.scriptPubkey }));
}

export const HOME: ScriptPubkey = p2wpkh(publicKey(secretOf("home"))).scriptPubkey;

/** The preimages that a channel's HTLCs can be taken with. */
export type Preimages = readonly Bytes32[];

export function preimageFor(preimages: Preimages, paymentHash: Bytes32): Bytes32 | null {
  return preimages.find((preimage) => equalBytes(sha256(preimage), paymentHash)) ?? null;
}

/** The channel with payment hashes whose preimages are known: equal ones stay equal. */
export function withPreimages(channel: Channel): { readonly channel: Channel; readonly preimages: Preimages } {
  const { commitment, terms, number } = channel;
  const preimageOf = (hash: Bytes32): Bytes32 => bytes32(sha256(hash));
  const htlcs = commitment.spec.htlcs.map((htlc) => ({ ...htlc, paymentHash: bytes32(sha256(preimageOf(htlc.paymentHash))) }));
  const rebuilt = buildCommitment(terms, number, commitment.keys.perCommitmentPoint, { ...commitment.spec, htlcs });
  return { channel: { ...channel, commitment: rebuilt }, preimages: commitment.spec.htlcs.map(({ paymentHash }) => preimageOf(paymentHash)) };
}

/** All that can become of one commitment, by its owner, its countersigner and anyone. */
export function spendingsOf(channel: Channel, preimages: Preimages): readonly Spending[] {
  return [commitmentSpending(channel), ...htlcSpendings(channel, preimages), ...claimSpendings(channel, preimages)];
}

function commitmentSpending({ commitment, keys, terms }: Channel): Spending {
  const sign = (unsigned: Transaction): Transaction => {
    const changed: Commitment = { ...commitment, unsigned };
    const by = (side: "local" | "remote") => signCommitment(changed, requireSecret(keys[side], "fundingPrivkey"));
    return completeCommitment(changed, by(terms.owner), by(opposite(terms.owner)));
  };
  return {
    kinds: ["commitment"],
    tx: sign(commitment.unsigned),
    spent: [{ amount: terms.funding.amount, lock: commitment.fundingLock }],
    sign,
  };
}

/** The owner's HTLC transactions; none for a received HTLC whose preimage is not known. */
function htlcSpendings({ commitment, keys, terms }: Channel, preimages: Preimages): readonly Spending[] {
  const owner = requireSecret(keys[terms.owner], "htlcBasepointSecret");
  const countersigner = requireSecret(keys[opposite(terms.owner)], "htlcBasepointSecret");
  return buildHtlcTxs(commitment).flatMap((htlcTx): Spending[] => {
    const { kind, output } = htlcTx;
    const preimage = kind === "htlc_success" ? preimageFor(preimages, output.htlc.paymentHash) : null;
    if (kind === "htlc_success" && preimage === null) return [];
    const sign = (unsigned: Transaction): Transaction => {
      const changed = { ...htlcTx, unsigned };
      return completeHtlcTx(changed, signHtlcTx(changed, "owner", owner), signHtlcTx(changed, "countersigner", countersigner), preimage);
    };
    return [{ kinds: [kind], tx: sign(htlcTx.unsigned), spent: [output], sign }];
  });
}

/** Claims of one kind, taken together by one transaction. */
interface Batch {
  readonly kind: (claim: Claim) => SpendKind;
  readonly claims: readonly Claim[];
  /** Whoever takes them. */
  readonly keys: PartyKeys;
  readonly locktime?: number;
}

function claimSpendings(channel: Channel, preimages: Preimages): readonly Spending[] {
  return batchesOf(channel, preimages)
    .filter(({ claims }) => claims.length > 0)
    .map(({ kind, claims, keys, locktime = 0 }) => spendingOf(claims.map(kind), claims, keys, channel.terms.format.txVersion, locktime));
}

/** Spends claims as the core does, at its own locktime, which is 0, or at another. */
export function spendingOf(kinds: readonly SpendKind[], claims: readonly Claim[], keys: PartyKeys, version: 2 | 3, locktime = 0): Spending {
  const sign = (unsigned: Transaction): Transaction => signPlan({ unsigned, inputs: claims }, keys);
  const { tx } = spendClaims(claims, keys, HOME, perKw(0n), version);
  return { kinds, tx: locktime === 0 ? tx : sign(withLocks(tx, { locktime })), spent: claims, sign };
}

/** A copy with other timelocks, which no signature covers yet. */
export function withLocks(tx: Transaction, { locktime, sequence }: { readonly locktime?: number; readonly sequence?: number }): Transaction {
  const changed = tx.clone();
  if (locktime !== undefined) changed.locktime = locktime;
  if (sequence !== undefined) for (const input of changed.ins) input.sequence = sequence;
  return changed;
}

function batchesOf(channel: Channel, preimages: Preimages): readonly Batch[] {
  const { commitment, keys, terms, perCommitmentSecret } = channel;
  const owner = keys[terms.owner];
  const countersigner = keys[opposite(terms.owner)];
  const [owners, theirs] = [basepointsOf(owner), basepointsOf(countersigner)];
  const htlcTxs = buildHtlcTxs(commitment);
  const signer: Claim["signer"] = {
    kind: "revocation",
    pubkey: commitment.keys.revocationPubkey,
    from: "revocationBasepointSecret",
    basepoint: theirs.revocationBasepoint,
    perCommitmentSecret,
  };
  const always = (kind: SpendKind) => () => kind;
  return [
    {
      kind: ({ outputIndex }) => penaltyKind(commitment.outputs[outputIndex]!),
      claims: penaltyClaims(commitment, theirs, perCommitmentSecret),
      keys: countersigner,
    },
    {
      kind: always("penalty_htlc_tx"),
      claims: htlcTxs.map((htlcTx) => {
        const { txid, amount, lock } = htlcTx;
        const script = scriptOf(lock);
        const witness: Claim["witness"] = (signature) => toLocalPenaltyWitness(script, signature, SIGHASH_ALL);
        return { txid, outputIndex: 0, amount, lock, sequence: SEQUENCE_RBF, signer, witness };
      }),
      keys: countersigner,
    },
    { kind: always("sweep_to_local"), claims: toLocalClaims(commitment, terms.toSelfDelay, owners), keys: owner },
    { kind: always("sweep_htlc_tx"), claims: htlcTxs.map((htlcTx) => htlcTxClaim(htlcTx, owners)), keys: owner },
    { kind: always("sweep_to_remote"), claims: toRemoteClaims(commitment, terms.format, theirs), keys: countersigner },
    ...htlcClaimBatches(channel, preimages),
    ...anchorBatches(channel),
  ];
}

function penaltyKind({ kind }: CommitmentOutput): SpendKind {
  if (kind === "to_local" || kind === "offered_htlc" || kind === "received_htlc") return `penalty_${kind}`;
  throw new Error(`a penalty takes ${kind}`);
}

/** The countersigner's own spends of HTLC outputs, each alone. BOLT 5 §HTLC Output Handling: Remote Commitment, Local Offers, §HTLC Output Handling: Remote Commitment, Remote Offers. */
export function htlcClaimBatches({ commitment, keys, terms }: Channel, preimages: Preimages): readonly Batch[] {
  const countersigner = keys[opposite(terms.owner)];
  const claims = remoteHtlcClaims(commitment, terms.format, basepointsOf(countersigner), (hash) => preimageFor(preimages, hash));
  return claims.map((claim): Batch => {
    const batch = { claims: [claim], keys: countersigner };
    return claim.locktime === undefined
      ? { ...batch, kind: () => "claim_by_preimage" }
      : { ...batch, kind: () => "claim_by_expiry", locktime: claim.locktime };
  });
}

/** Each anchor taken by its side, and by the other like anyone. */
function anchorBatches({ commitment, keys, terms }: Channel): readonly Batch[] {
  return (["to_local_anchor", "to_remote_anchor"] as const).flatMap((ours) => {
    const side = keys[ours === "to_local_anchor" ? terms.owner : opposite(terms.owner)];
    return anchorClaims(commitment, basepointsOf(side), ours).map((claim): Batch => {
      const kind: SpendKind = claim.signer === null ? "anchor_by_anyone" : "anchor_by_key";
      return { kind: () => kind, claims: [claim], keys: side };
    });
  });
}

function scriptOf(lock: Lock) {
  if (lock.kind !== "p2wsh") throw new Error("an output that is not P2WSH");
  return lock.witnessScript;
}
