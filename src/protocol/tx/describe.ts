import type { Transaction } from "bitcoinjs-lib/src/transaction";
import {
  type Bytes32,
  type Point,
  type ScriptPubkey,
  type Signature,
  type Txid,
  type WitnessScript,
  compareBytes,
  equalBytes,
  point,
  scriptPubkey,
  signature,
  txid,
  witnessScript,
} from "../bytes.js";
import { ecc } from "../ecc.js";
import { anchorScript } from "../script/anchor.js";
import { EMPTY, type Lock, P2A, type Witness, hash160, p2wpkh, p2wsh, readWitnessSignature } from "../script/assemble.js";
import {
  type KnownScript,
  type ScriptType,
  type SpendPath,
  delayedPaths,
  isPointShaped,
  knownLock,
  knownScript,
  pathTaken,
  scriptTypeOf,
  spendPaths,
} from "../script/known-script.js";
import { type Satoshi, sat } from "../units.js";
import { decodeCommitmentNumber } from "./commitment-number.js";
import { SIGHASH_ALL } from "./format.js";
import type { CommitmentOutput } from "./outputs.js";
import { sighash, verifyHash } from "./sign.js";
import type { Htlc } from "./spec.js";

/** What an output is called. `anchor`: which side's is not known. `htlc_tx_output`: what an HTLC transaction pays to, locked like to_local. `close_to_…`: a mutual close's, by whose script it is. */
export type OutputName = CommitmentOutput["kind"] | "anchor" | "funding" | "htlc_tx_output" | "close_to_local" | "close_to_remote" | "unknown";

/** What gave an output its name. */
export type NamedBy = "state" | "bare_script" | "funding_key" | "only_p2wpkh" | "only_p2a" | "htlc_transaction";

export interface DescribedOutput {
  readonly name: OutputName;
  /** Null for an unknown one. */
  readonly namedBy: NamedBy | null;
  readonly amount: Satoshi;
  readonly scriptPubkey: ScriptPubkey;
  readonly type: ScriptType;
  readonly witnessScript: WitnessScript | null;
  readonly script: KnownScript | null;
  readonly htlc: Htlc | null;
  /** Empty where nothing of its script is known. */
  readonly paths: readonly SpendPath[];
}

/** Good or bad for its key; `unchecked` where the amount that it covers, or the key, is not known. */
export type Verdict = "good" | "bad" | "unchecked";

export interface DescribedElement {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** `compact` signatures are as BOLT 2's messages have them, 64 bytes: none that a witness can hold. */
  readonly signature: { readonly encoding: "der" | "compact"; readonly sighashType: number | null; readonly verdict: Verdict } | null;
}

export interface DescribedInput {
  readonly txid: Txid;
  readonly outputIndex: number;
  readonly sequence: number;
  readonly scriptSig: Uint8Array;
  readonly spent: SpentOutput | null;
  readonly script: KnownScript | null;
  readonly path: SpendPath | null;
  readonly elements: readonly DescribedElement[];
  /** Whether the witness brings the script whose hash the spent output is; null where that output is not known or there is no witness. */
  readonly matchesOutput: boolean | null;
}

/** Whatever is known of an output that an input spends: a transaction holds neither its amount nor its lock. */
export interface SpentOutput {
  readonly amount: Satoshi;
  readonly lock: Lock | null;
  readonly name: OutputName | null;
}

/** What is known beside the bytes: of the outputs that the inputs spend, and of the outputs' names. */
export interface Knowledge {
  readonly spent: readonly (SpentOutput | null)[];
  readonly outputs: readonly (DescribedOutput | null)[];
}

/** What a transaction is, by its form alone. */
export type TxKind =
  | "coinbase"
  | "commitment"
  | "illustration"
  | "funding_spend"
  | "htlc_timeout"
  | "htlc_success"
  | "htlc_batch"
  | "penalty"
  | "sweep"
  | "anchor_spend"
  | "mixed"
  | "unknown";

export interface TxDescription {
  readonly kind: TxKind;
  /** Locktime's and sequence's 48 bits where both bear a commitment's marks. BOLT 3 §Commitment Transaction. */
  readonly obscuredNumber: number | null;
  readonly inputs: readonly DescribedInput[];
  readonly outputs: readonly DescribedOutput[];
  readonly outputsSat: bigint;
  /** Inputs less outputs, where every input's amount is known. */
  readonly fee: bigint | null;
  /** Whether the outputs stand by amount, then script. BOLT 3 §Transaction Output Ordering. */
  readonly ordered: boolean;
}

/** Reads a transaction as far as its bytes and `knowledge` tell. Never guesses: what they do not tell is null or unknown. */
export function describeTransaction(tx: Transaction, knowledge: Knowledge): TxDescription {
  const inputs = tx.ins.map((input, at) => describeInput(tx, input, at, knowledge.spent[at] ?? null));
  const obscuredNumber = obscuredNumberOf(tx, inputs);
  const fundingKeys = inputs.flatMap(({ script }) => (script?.kind === "funding" ? [script.values.pubkey1, script.values.pubkey2] : []));
  const anchors = fundingKeys.map((key) => p2wsh(anchorScript(point<"funding">(key))));
  const hasAnchor = tx.outs.some(({ script }) => anchors.some((anchor) => equalBytes(anchor.scriptPubkey, script)));
  const keyHashes = tx.outs.filter(({ script }) => scriptTypeOf(script) === "p2wpkh");
  const outputs = tx.outs.map(
    ({ script, value }, at): DescribedOutput =>
      knowledge.outputs[at] ??
      describeOutput(scriptPubkey(script), sat(value), {
        anchors,
        isCommitment: obscuredNumber !== null,
        onlyP2wpkhIsToRemote: obscuredNumber !== null && !hasAnchor && keyHashes.length === 1,
        htlcTransaction: isHtlcTransaction(inputs[at]),
      }),
  );
  const outputsSat = outputs.reduce((sum, { amount }) => sum + amount, 0n);
  const amounts = inputs.map(({ spent }) => spent?.amount ?? null);
  const known = amounts.filter((amount) => amount !== null);
  return {
    kind: kindOf(tx, inputs, outputs, obscuredNumber),
    obscuredNumber,
    inputs,
    outputs,
    outputsSat,
    fee: known.length === amounts.length && known.length > 0 ? known.reduce((sum, amount) => sum + amount, 0n) - outputsSat : null,
    ordered: outputs.every((output, at) => isInOrder(outputs[at - 1] ?? output, output)),
  };
}

function isInOrder(a: DescribedOutput, b: DescribedOutput): boolean {
  return a.amount < b.amount || (a.amount === b.amount && compareBytes(a.scriptPubkey, b.scriptPubkey) <= 0);
}

/** A commitment has one input, which spends the funding output; what shows that it spends another one is no commitment for its marks. */
function obscuredNumberOf(tx: Transaction, inputs: readonly DescribedInput[]): number | null {
  const [input, ...more] = inputs;
  if (input === undefined || more.length > 0) return null;
  if (input.script !== null && input.script.kind !== "funding") return null;
  return decodeCommitmentNumber({ locktime: tx.locktime, sequence: input.sequence }, 0n);
}

function isHtlcTransaction(input: DescribedInput | undefined): boolean {
  return input?.path?.name === "htlc_timeout" || input?.path?.name === "htlc_success";
}

const SWEPT: ReadonlySet<KnownScript["kind"]> = new Set(["to_local", "to_remote", "offered_htlc", "received_htlc"]);

function kindOf(tx: Transaction, inputs: readonly DescribedInput[], outputs: readonly DescribedOutput[], obscured: number | null): TxKind {
  if (tx.isCoinbase()) return "coinbase";
  if (outputs.some(({ type }) => type === "bare")) return "illustration";
  if (obscured !== null) return "commitment";
  if (inputs.some(({ script }) => script?.kind === "funding")) return inputs.length === 1 ? "funding_spend" : "mixed";

  const paths = new Set(inputs.map(({ path }) => path?.name ?? null));
  // Fee inputs may stand beside HTLC inputs
  if (paths.has("htlc_timeout") && paths.has("htlc_success")) return "htlc_batch";
  if (paths.has("revocation")) return paths.size === 1 ? "penalty" : "mixed";
  if (paths.has("htlc_timeout")) return "htlc_timeout";
  if (paths.has("htlc_success")) return "htlc_success";
  if (paths.has("anchor_key") || paths.has("anyone")) return "anchor_spend";
  const sweeping = inputs.some(({ script }) => script !== null && SWEPT.has(script.kind));
  return sweeping && !paths.has(null) ? "sweep" : "unknown";
}

function describeInput(tx: Transaction, input: Transaction["ins"][number], at: number, spent: SpentOutput | null): DescribedInput {
  const { script, lock, inner } = lockShown(input.witness, spent);
  const demanded = spent?.lock ?? null;
  const path = script === null ? null : pathTaken(script, inner);
  const scriptElement =
    script !== null && lock?.kind === "p2wsh" ? [{ name: `${script.kind} script`, bytes: lock.witnessScript, signature: null }] : [];
  return {
    txid: txid(input.hash),
    outputIndex: input.index,
    sequence: input.sequence,
    scriptSig: input.script,
    spent,
    script,
    path,
    elements: [...inner.map((bytes, place) => describeElement(bytes, place, path, { tx, at, lock, script, spent, inner })), ...scriptElement],
    matchesOutput: lock === null || demanded === null ? null : equalBytes(lock.scriptPubkey, demanded.scriptPubkey),
  };
}

/** The lock that a witness opens: a script of BOLT 3's at its end, or a key and its signature (P2WPKH); else what is known to be spent. */
function lockShown(
  stack: Witness,
  spent: SpentOutput | null,
): { readonly script: KnownScript | null; readonly lock: Lock | null; readonly inner: Witness } {
  const last = stack.at(-1);
  const [first = EMPTY, second = EMPTY] = stack;
  const opened = spent?.lock ?? null;
  if (stack.length === 2 && isPointShaped(second) && readWitnessSignature(first) !== null) {
    const lock = p2wpkh(point(second));
    return { script: { kind: "p2wpkh", values: { pubkey_hash160: hash160(second) } }, lock, inner: stack };
  }
  if (last !== undefined) {
    const script = knownScript(last);
    if (script !== null) return { script, lock: p2wsh(witnessScript(last)), inner: stack.slice(0, -1) };
    return { script: null, lock: null, inner: stack };
  }
  return { script: opened === null ? null : knownLock(opened), lock: null, inner: stack };
}

interface Place {
  readonly tx: Transaction;
  readonly at: number;
  readonly lock: Lock | null;
  readonly script: KnownScript | null;
  readonly spent: SpentOutput | null;
  readonly inner: Witness;
}

const COMPACT_BYTES = 64;

function describeElement(bytes: Uint8Array, index: number, path: SpendPath | null, place: Place): DescribedElement {
  const wanted = path?.witness[index];
  // A preimage can have a signature's form
  const der = wanted === undefined || wanted.form === "signature" ? readWitnessSignature(bytes) : null;
  if (der !== null) {
    const keys = wanted === undefined ? keysOf(place.script) : wanted.key === null ? keysIn(place.inner) : [wanted.key];
    const verdict = verdictOn(place, der.signature, der.sighashType, keys);
    return { name: wanted?.name ?? "signature", bytes, signature: { encoding: "der", sighashType: der.sighashType, verdict } };
  }
  if (wanted === undefined && bytes.length === COMPACT_BYTES) {
    const verdict = verdictOn(place, signature(bytes), SIGHASH_ALL, keysOf(place.script));
    return { name: "compact signature", bytes, signature: { encoding: "compact", sighashType: null, verdict } };
  }
  return { name: wanted?.name ?? formOf(bytes), bytes, signature: null };
}

function formOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return "empty";
  return isPointShaped(bytes) ? "public key" : "data";
}

/** The keys that the witness itself brings beside a signature. */
function keysIn(inner: Witness): readonly Point[] {
  return inner.filter(isPointShaped).map((bytes) => point(bytes));
}

/** The keys that a signature in no known place could be for. */
function keysOf(script: KnownScript | null): readonly Point[] {
  return script === null ? [] : spendPaths(script).flatMap(({ witness }) => witness.flatMap(({ key }) => key ?? []));
}

/** Good where it is good for one of the keys. */
function verdictOn({ tx, at, lock, spent }: Place, candidate: Signature, sighashType: number, keys: readonly Point[]): Verdict {
  if (lock === null || spent === null) return "unchecked";
  const hash = sighash(tx, at, { lock, amount: spent.amount }, sighashType);
  return keys.some((key) => isGood(hash, key, candidate)) ? "good" : "bad";
}

/** `verifyHash` for bytes that may be no point of the curve, or no signature. */
function isGood(hash: Bytes32, key: Point, candidate: Signature): boolean {
  const inRange = ecc().isSecret(candidate.subarray(0, 32)) && ecc().isSecret(candidate.subarray(32));
  return inRange && ecc().isPoint(key) && verifyHash(hash, key, candidate);
}

interface Surroundings {
  /** The anchors that the funding keys in the witness would have. */
  readonly anchors: readonly Lock[];
  /** The only P2A output that a commitment can have is its shared anchor. */
  readonly isCommitment: boolean;
  /** In a commitment without anchors P2WPKH can only be to_remote. BOLT 3 §Commitment Transaction Outputs. */
  readonly onlyP2wpkhIsToRemote: boolean;
  /** The input of the same index makes this the output of an HTLC transaction. BOLT 3 §HTLC-Timeout and HTLC-Success Transactions. */
  readonly htlcTransaction: boolean;
}

function describeOutput(
  script: ScriptPubkey,
  amount: Satoshi,
  { anchors, isCommitment, onlyP2wpkhIsToRemote, htlcTransaction }: Surroundings,
): DescribedOutput {
  const type = scriptTypeOf(script);
  const plain = { amount, scriptPubkey: script, type, witnessScript: null, script: null, htlc: null };
  const bare = knownScript(script);
  if (bare !== null) return { ...plain, name: bare.kind, namedBy: "bare_script", script: bare, paths: spendPaths(bare) };
  const anchor = anchors.find((lock) => equalBytes(lock.scriptPubkey, script));
  if (anchor !== undefined) return describeLock("anchor", "funding_key", anchor, amount, null);
  if (type === "p2a" && isCommitment) return describeLock("shared_anchor", "only_p2a", P2A, amount, null);
  if (type === "p2wpkh" && onlyP2wpkhIsToRemote) {
    const known: KnownScript = { kind: "p2wpkh", values: { pubkey_hash160: script.subarray(2) } };
    return { ...plain, name: "to_remote", namedBy: "only_p2wpkh", script: known, paths: pathsOf("to_remote", known, null) };
  }
  if (type === "p2wsh" && htlcTransaction) return { ...plain, name: "htlc_tx_output", namedBy: "htlc_transaction", paths: delayedPaths(null) };
  return { ...plain, name: "unknown", namedBy: null, paths: [] };
}

/** An output whose lock is known. */
export function describeLock(name: OutputName, namedBy: NamedBy, lock: Lock, amount: Satoshi, htlc: Htlc | null): DescribedOutput {
  const script = knownLock(lock);
  return {
    name,
    namedBy,
    amount,
    scriptPubkey: lock.scriptPubkey,
    type: scriptTypeOf(lock.scriptPubkey),
    witnessScript: lock.kind === "p2wsh" ? lock.witnessScript : null,
    script,
    htlc,
    paths:
      script === null
        ? []
        : pathsOf(name, script, htlc).map((path) => (lock.kind === "p2wpkh" ? { ...path, key: { name: "pubkey", value: lock.pubkey } } : path)),
  };
}

/** The paths with what the output's name says beyond its script: whose key it is, and when an offered HTLC expires. */
function pathsOf(name: OutputName, script: KnownScript, htlc: Htlc | null): readonly SpendPath[] {
  return spendPaths(script).map((path) => {
    const by = path.by === "key_holder" ? keyHolderOf(name) : path.by;
    return { ...path, by, cltv: path.cltv === "unseen" && htlc !== null ? htlc.cltvExpiry : path.cltv };
  });
}

function keyHolderOf(name: OutputName): "owner" | "countersigner" | "key_holder" {
  if (name === "to_local_anchor") return "owner";
  return name === "to_remote_anchor" || name === "to_remote" ? "countersigner" : "key_holder";
}
