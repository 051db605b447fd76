import { BufferReader } from "bitcoinjs-lib/src/bufferutils";
import type { Psbt } from "bitcoinjs-lib/src/psbt";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Point, type Signature, equalBytes, toHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { type Witness, readWitnessSignature } from "../protocol/script/assemble.js";
import { STANDARD_FLAGS } from "../protocol/script/interpreter/flags.js";
import { SCRIPT_ERRORS, verifyTransaction } from "../protocol/script/interpreter/verify.js";
import { firstDifference } from "../protocol/tx/compare.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import {
  type OwnInput,
  type SignableInput,
  type TxPlan,
  type WalletInput,
  inputSighash,
  isOwn,
  isWhole,
  scriptOf,
  witnessOf,
} from "../protocol/tx/plan.js";
import { verifyHash, withWitnesses } from "../protocol/tx/sign.js";
import { isGoodWalletWitness } from "../protocol/tx/wallet.js";
import { parsePsbt } from "./psbt.js";
import { serialized } from "./psbt-plan.js";

type Plan = TxPlan<OwnInput | WalletInput>;
type Unsigned = Pick<Plan, "unsigned">;
type InputFields = Psbt["data"]["inputs"][number];

/** A PSBT as somebody handed it in. */
export interface PsbtText {
  readonly text: string;
  /** What refusals call it. */
  readonly source: string;
}

/**
 * The transactions of these plans with the signatures that the PSBTs hold, each PSBT being one of theirs, and several of one transaction put together.
 * Nothing but signatures is taken from a PSBT, and each is checked. BIP 174 Combiner, Input Finalizer and Transaction Extractor.
 * Throws: input-psbt, input-psbt-transaction, input-psbt-unsigned, input-psbt-signature, input-psbt-refused.
 */
export async function finishPlans(plans: readonly Plan[], psbts: readonly PsbtText[]): Promise<readonly Transaction[]> {
  const signed = await byPlan(plans, psbts);
  return plans.map((plan, at) => finish(plan, signed[at] ?? []));
}

/**
 * Our signatures alone, an input after the other, of plans that may want the peer's, too. Each is checked.
 * Throws: input-psbt, input-psbt-transaction, input-psbt-unsigned, input-psbt-signature.
 */
export async function signaturesIn(plans: readonly TxPlan<SignableInput>[], psbts: readonly PsbtText[]): Promise<readonly Signature[]> {
  const signed = await byPlan(plans, psbts);
  return plans.flatMap((plan, at) =>
    plan.inputs.flatMap((input, index) => {
      const fields = (signed[at] ?? []).flatMap((inputs) => inputs[index] ?? []);
      return input.signer === null ? [] : [ownSignature(plan, index, input, input.signer.pubkey, fields)];
    }),
  );
}

/** The inputs of the PSBTs that are of each plan. Throws: input-psbt, input-psbt-transaction. */
async function byPlan(plans: readonly Unsigned[], psbts: readonly PsbtText[]): Promise<readonly (readonly (readonly InputFields[])[])[]> {
  const signed = plans.map((): InputFields[][] => []);
  for (const given of psbts) {
    const psbt = await parsePsbt(given.text);
    signed[planOf(psbt, plans, given.source)]?.push(psbt.data.inputs);
  }
  return signed;
}

/** Which plan's transaction a PSBT has, byte for byte. Throws: input-psbt-transaction. */
function planOf(psbt: Psbt, plans: readonly Unsigned[], source: string): number {
  const bytes = psbt.data.getTransaction();
  const found = plans.findIndex(({ unsigned }) => equalBytes(unsigned.toBuffer(), bytes));
  if (found !== -1) return found;
  const given = parseTransaction(bytes);
  const differences = plans.map(({ unsigned }) => firstDifference(unsigned, given));
  const [first] = differences;
  if (plans.length !== 1 || first === undefined || first === null) {
    throw new LnError("input-psbt-transaction", `${source}: the PSBT is of transaction ${given.getId()}, which is none of ours`, {
      source,
      txid: given.getId(),
      expected: plans.map(({ unsigned }) => unsigned.getId()),
    });
  }
  const { field, expected, given: has } = first;
  throw new LnError("input-psbt-transaction", `${source}: the PSBT is of another transaction: ${field} is ${has}, not ${expected}`, {
    source,
    field,
    expected,
    given: has,
  });
}

function finish(plan: Plan, psbts: readonly (readonly InputFields[])[]): Transaction {
  const witnesses = plan.inputs.map((input, index) => {
    const fields = psbts.flatMap((inputs) => inputs[index] ?? []);
    return isOwn(input) ? ownWitness(plan, index, input, fields) : walletWitness(plan, index, input, fields);
  });
  const tx = withWitnesses(plan.unsigned, witnesses);
  requireAccepted(tx, plan);
  return tx;
}

/**
 * Each signature was found good by itself; that the scripts take them with what the state adds (the peer's signature, a preimage) is run, not believed.
 * Throws: input-psbt-refused.
 */
function requireAccepted(tx: Transaction, { inputs }: Plan): void {
  const spent = inputs.map((input) => ({ script: scriptOf(input), amount: input.amount }));
  const refused = verifyTransaction(tx, spent, STANDARD_FLAGS).find((verdict) => !verdict.ok);
  if (refused === undefined) return;
  throw new LnError("input-psbt-refused", `input ${refused.input} of the finished transaction is refused: ${SCRIPT_ERRORS[refused.error]}`, {
    input: refused.input,
    error: refused.error,
  });
}

/** Throws: input-psbt-unsigned, input-psbt-signature. */
function ownWitness(plan: Plan, index: number, input: OwnInput, psbts: readonly InputFields[]): Witness {
  const { signer } = input;
  return witnessOf(input, signer === null ? null : ownSignature(plan, index, input, signer.pubkey, psbts));
}

/** Throws: input-psbt-unsigned, input-psbt-signature. */
function ownSignature(plan: Unsigned, index: number, input: SignableInput, pubkey: Point, psbts: readonly InputFields[]): Signature {
  const offered = psbts.flatMap((fields) => [...partialSignatures(fields, pubkey), ...(isWhole(input) ? finalSignatures(fields, input) : [])]);
  const good = offered.map((bytes) => checked(plan, index, input, pubkey, bytes)).find((signature) => signature !== null);
  if (good !== undefined) return good;
  throw offered.length === 0 ? unsigned(index, pubkey) : badSignature(index);
}

function partialSignatures({ partialSig = [] }: InputFields, pubkey: Point): readonly Uint8Array[] {
  return partialSig.filter((held) => equalBytes(held.pubkey, pubkey)).map(({ signature }) => signature);
}

/** What a signer that finishes inputs itself has put where our signature belongs: only where the rest of the witness is as we make it. */
function finalSignatures({ finalScriptWitness }: InputFields, input: OwnInput): readonly Uint8Array[] {
  if (finalScriptWitness === undefined) return [];
  return readWitness(finalScriptWitness).filter((element) => {
    const read = readWitnessSignature(element);
    return read !== null && equalBytes(serialized(witnessOf(input, read.signature)), finalScriptWitness);
  });
}

function readWitness(bytes: Uint8Array): Witness {
  try {
    return new BufferReader(bytes).readVector();
  } catch {
    return [];
  }
}

function checked(plan: Unsigned, index: number, input: SignableInput, pubkey: Point, bytes: Uint8Array): Signature | null {
  const read = readWitnessSignature(bytes);
  if (read?.sighashType !== SIGHASH_ALL) return null;
  return verifyHash(inputSighash(plan, index, input), pubkey, read.signature) ? read.signature : null;
}

/** Throws: input-psbt-unsigned, input-psbt-signature. */
function walletWitness({ unsigned: tx, inputs }: Plan, index: number, input: WalletInput, psbts: readonly InputFields[]): Witness {
  const offered = psbts.flatMap(({ finalScriptWitness, partialSig = [], tapKeySig }): Witness[] => [
    ...(finalScriptWitness === undefined ? [] : [readWitness(finalScriptWitness)]),
    ...(tapKeySig === undefined ? [] : [[tapKeySig]]),
    ...partialSig.map(({ signature, pubkey }) => [signature, pubkey]),
  ]);
  const good = offered.find((witness) => isGoodWalletWitness(tx, index, inputs, input, witness));
  if (good !== undefined) return good;
  throw offered.length === 0 ? unsigned(index, null) : badSignature(index);
}

function unsigned(input: number, pubkey: Point | null): LnError {
  const whose = pubkey === null ? "the wallet" : `key ${toHex(pubkey)}`;
  return new LnError("input-psbt-unsigned", `input ${input} of the PSBT lacks the signature of ${whose}`, {
    input,
    pubkey: pubkey === null ? null : toHex(pubkey),
  });
}

function badSignature(input: number): LnError {
  return new LnError("input-psbt-signature", `the signature of input ${input} is not good, or not over the whole transaction (SIGHASH_ALL)`, {
    input,
  });
}
