import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Point, type ScriptPubkey, equalBytes, scriptPubkey } from "../bytes.js";
import { type CommitmentNumber, lookupSecret, secretIndex } from "../keys/shachain.js";
import { type Dual, SIDES, type Side, opposite } from "../side.js";
import { anchorScript } from "../script/anchor.js";
import { type Lock, p2wsh } from "../script/assemble.js";
import { scriptTypeOf } from "../script/known-script.js";
import type { ClosingTx } from "../tx/closing-tx.js";
import { type DescribedOutput, type Knowledge, type OutputName, type SpentOutput, describeLock } from "../tx/describe.js";
import { FORMATS } from "../tx/format.js";
import { type HtlcTx, buildHtlcTxs } from "../tx/htlc-tx.js";
import { type CommitmentOutput, isHtlcOutput } from "../tx/outputs.js";
import { commitmentKeysOf } from "../tx/recognise.js";
import type { Htlc } from "../tx/spec.js";
import { type Satoshi, sat } from "../units.js";
import { type Identity, identify } from "./identify.js";
import { type HeldCommitment, heldCommitments } from "./select.js";
import { type FundedChannel, highestSigned, lowestUnreleased } from "./state.js";
import { commitmentTerms } from "./terms.js";

/** What a transaction is to a channel, with what follows one that is no commitment. */
export type Relation =
  | Exclude<Identity, { readonly kind: "unrelated" | "unknown" }>
  /** Pays to the funding output. */
  | { readonly kind: "funding" }
  /** An HTLC transaction of a commitment that the state rebuilds; fee inputs may have been added. */
  | { readonly kind: "htlc"; readonly owner: Side; readonly held: HeldCommitment; readonly htlcTx: HtlcTx }
  /** Spends outputs of a commitment that the state rebuilds. */
  | { readonly kind: "spends"; readonly owner: Side; readonly held: HeldCommitment }
  /**
   * Spends the funding output without being a commitment that the state can rebuild. `standing`, where number and owner are told:
   * `revoked` our own, whose secret we gave away · `ahead` later than any that this state knows · `other` of a number that it holds with other contents.
   */
  | {
      readonly kind: "unknown";
      readonly number: CommitmentNumber | null;
      readonly owner: Side | null;
      /** By what the owner is told: the key of to_remote, or because the other side's commitment of that number has none of these outputs. */
      readonly ownerBy: "to_remote" | "elimination" | null;
      readonly standing: "revoked" | "ahead" | "other" | null;
    }
  | { readonly kind: "unrelated" };

/** The HTLCs of a revoked commitment of the peer's; null where the lines that were kept of them are not at hand. */
export type HtlcsOf = (number: CommitmentNumber) => readonly Htlc[] | null;

/** A transaction as a channel sees it. */
export interface ChannelView extends Knowledge {
  readonly relation: Relation;
}

/**
 * Whose transaction it is, and what the channel's state knows of its inputs and outputs.
 * BOLT 5 §Commitment Transaction.
 */
export function viewTransaction(state: FundedChannel, tx: Transaction, htlcsOf: HtlcsOf): ChannelView {
  const identity = identify(state, tx, (number) => htlcsOf(number) ?? []);
  const held = SIDES.flatMap((owner) => heldCommitments(state, owner).map((one) => ({ owner, held: one })));
  const relation = relationOf(state, tx, identity, { held, htlcsOf });
  const funding = fundingLock(state);
  return {
    relation,
    spent: tx.ins.map(({ hash, index }): SpentOutput | null => {
      const [output] = state.fundings;
      if (equalBytes(hash, output.txid) && index === output.outputIndex) return { name: "funding", amount: output.amount, lock: funding };
      const parent = held.find(({ held: { commitment } }) => equalBytes(commitment.txid, hash))?.held.commitment.outputs[index];
      return parent === undefined ? null : { name: parent.kind, amount: parent.amount, lock: parent.lock };
    }),
    outputs: tx.outs.map(({ script, value }, at) => nameOutput(state, relation, { lockingScript: script, amount: sat(value), at })),
  };
}

type Owned = { readonly owner: Side; readonly held: HeldCommitment };

function relationOf(
  state: FundedChannel,
  tx: Transaction,
  identity: Identity,
  { held, htlcsOf }: { readonly held: readonly Owned[]; readonly htlcsOf: HtlcsOf },
): Relation {
  switch (identity.kind) {
    case "held":
    case "revoked":
    case "mutual":
      return identity;
    case "unknown": {
      const { number } = identity;
      const byToRemote = identity.owner ?? ownerByToRemote(state, tx);
      // A commitment of the peer's with this number would have been recognised by the secret that we hold
      const eliminated =
        byToRemote === null && number !== null && htlcsOf(number) !== null && lookupSecret(state.remoteSecrets, secretIndex(number)) !== null;
      const owner = eliminated ? "local" : byToRemote;
      const ownerBy = eliminated ? "elimination" : byToRemote === null ? null : "to_remote";
      return { kind: "unknown", number, owner, ownerBy, standing: standingOf(state, owner, number) };
    }
    case "unrelated": {
      const [{ txid: fundingTxid, outputIndex }] = state.fundings;
      const pays = tx.outs[outputIndex];
      if (equalBytes(tx.getHash(), fundingTxid) && pays !== undefined && equalBytes(pays.script, fundingLock(state).scriptPubkey))
        return { kind: "funding" };
      return childOf(tx, held) ?? { kind: "unrelated" };
    }
  }
}

function standingOf(state: FundedChannel, owner: Side | null, number: CommitmentNumber | null): "revoked" | "ahead" | "other" | null {
  if (owner === null || number === null) return null;
  if (owner === "local" && number < lowestUnreleased(state)) return "revoked";
  const newest = owner === "local" ? (state.fundings[0].local.current?.number ?? -1) : highestSigned(state);
  return number > newest ? "ahead" : "other";
}

/** A transaction that spends outputs of a held commitment; an HTLC transaction may have got further inputs and outputs for its fee. */
function childOf(tx: Transaction, held: readonly Owned[]): Relation | null {
  const parent = held.find(({ held: { commitment } }) => tx.ins.some(({ hash }) => equalBytes(hash, commitment.txid)));
  if (parent === undefined) return null;
  const htlcTx = buildHtlcTxs(parent.held.commitment).find((candidate) =>
    tx.ins.some(({ hash, index, sequence }, at) => {
      const [output] = candidate.unsigned.outs;
      const [input] = candidate.unsigned.ins;
      const paid = tx.outs[at];
      if (!equalBytes(hash, parent.held.commitment.txid) || index !== candidate.outputIndex || output === undefined || paid === undefined)
        return false;
      const same = sequence === input?.sequence && tx.locktime === candidate.unsigned.locktime;
      return same && paid.value === output.value && equalBytes(paid.script, output.script);
    }),
  );
  return htlcTx === undefined ? { kind: "spends", ...parent } : { kind: "htlc", ...parent, htlcTx };
}

function fundingLock(state: FundedChannel): Lock {
  return FORMATS[state.channelType].funding(state.params.local.fundingPubkey, state.params.remote.fundingPubkey);
}

/** Whose commitment pays plainly to the other side: told by a to_remote key that does not rotate. */
function ownerByToRemote(state: FundedChannel, tx: Transaction): Side | null {
  const locks = plainLocks(state);
  if (locks === null) return null;
  return SIDES.find((owner) => tx.outs.some(({ script }) => equalBytes(script, locks[opposite(owner)].scriptPubkey))) ?? null;
}

/** Each side's plain output in the other's commitments, or null where its key rotates. */
function plainLocks(state: FundedChannel): Dual<Lock> | null {
  const lockOf = (side: Side): Lock => {
    const terms = commitmentTerms(state, opposite(side));
    // Any point gives the same remotepubkey
    return terms.format.toRemote(commitmentKeysOf(terms, state.params[side].fundingPubkey as Point as Point<"per_commitment">));
  };
  return FORMATS[state.channelType].remotePubkeyRotates ? null : { local: lockOf("local"), remote: lockOf("remote") };
}

interface Place {
  readonly lockingScript: Uint8Array;
  readonly amount: Satoshi;
  readonly at: number;
}

function nameOutput(state: FundedChannel, relation: Relation, { lockingScript, amount, at }: Place): DescribedOutput | null {
  switch (relation.kind) {
    case "held":
      return named(relation.commitment.outputs[at]);
    case "revoked":
      return named(relation.outputs[at] ?? undefined);
    case "mutual":
      return closeOutput(relation.closing, scriptPubkey(lockingScript), amount);
    case "funding":
      return at === state.fundings[0].outputIndex ? describeLock("funding", "state", fundingLock(state), amount, null) : null;
    case "htlc":
      return equalBytes(lockingScript, relation.htlcTx.lock.scriptPubkey)
        ? describeLock("htlc_tx_output", "state", relation.htlcTx.lock, amount, null)
        : null;
    case "unknown":
      return relation.number === null ? null : staticOutput(state, relation.owner, lockingScript, amount);
    case "spends":
    case "unrelated":
      return null;
  }
}

function named(output: CommitmentOutput | undefined): DescribedOutput | null {
  if (output === undefined) return null;
  return describeLock(output.kind, "state", output.lock, output.amount, isHtlcOutput(output) ? output.htlc : null);
}

/** What of a commitment is known without its point: to_remote where its key does not rotate, and the anchors. */
function staticOutput(state: FundedChannel, owner: Side | null, lockingScript: Uint8Array, amount: Satoshi): DescribedOutput | null {
  const script = scriptPubkey(lockingScript);
  const plain = plainLocks(state);
  const candidates: readonly (readonly [name: OutputName, lock: Lock])[] = SIDES.flatMap((side) => {
    const anchorName: OutputName = owner === null ? "anchor" : owner === side ? "to_local_anchor" : "to_remote_anchor";
    const anchor = p2wsh(anchorScript(state.params[side].fundingPubkey));
    return [...(plain === null ? [] : [["to_remote", plain[side]] as const]), [anchorName, anchor] as const];
  });
  const found = candidates.find(([, lock]) => equalBytes(lock.scriptPubkey, script));
  return found === undefined ? null : describeLock(found[0], "state", found[1], amount, null);
}

/** An output of a mutual close goes to the script that a side named. */
function closeOutput(closing: ClosingTx | null, script: ScriptPubkey, amount: Satoshi): DescribedOutput | null {
  const found = closing?.outputs.find((output) => output.amount === amount && equalBytes(output.scriptPubkey, script));
  if (found === undefined) return null;
  const name = found.side === "local" ? "close_to_local" : "close_to_remote";
  return {
    name,
    namedBy: "state",
    amount,
    scriptPubkey: script,
    type: scriptTypeOf(script),
    witnessScript: null,
    script: null,
    htlc: null,
    paths: [],
  };
}
