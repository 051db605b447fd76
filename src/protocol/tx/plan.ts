import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Bytes32, type Point, type ScriptPubkey, type Signature, toHex } from "../bytes.js";
import { LnError } from "../errors.js";
import type { PartyKeys } from "../keys/party-keys.js";
import type { Lock, Witness } from "../script/assemble.js";
import type { Secret32 } from "../secret.js";
import type { Satoshi } from "../units.js";
import { SIGHASH_ALL } from "./format.js";
import { PLAIN, sighash, signHash, withWitnesses } from "./sign.js";
import { type Signer, signerSecret } from "./signer.js";

/** An input that a signature of ours goes to, over the whole transaction (SIGHASH_ALL). */
export interface SignableInput {
  readonly amount: Satoshi;
  readonly lock: Lock;
  /** Who signs; null for what anyone may take, which needs no signature. */
  readonly signer: Signer | null;
  /** The peer's signature, where the lock asks for two. */
  readonly cosigner?: Cosigner;
  /** What opens an HTLC, where it is opened by its preimage. */
  readonly preimage?: Bytes32;
}

/** One that needs no more to be opened than that signature, and how. */
export interface OwnInput extends SignableInput {
  witness(signature: Signature): Witness;
}

export interface Cosigner {
  readonly pubkey: Point;
  readonly signature: Signature;
  readonly sighashType: number;
}

/** An input that a wallet brings to pay fees with, and signs itself. */
export interface WalletInput {
  readonly amount: Satoshi;
  readonly scriptPubkey: ScriptPubkey;
  /** As large as its witness can be. */
  readonly largestWitness: Witness;
}

/** A transaction as the state determines it, and what is needed to sign it. */
export interface TxPlan<Input extends SignableInput | WalletInput = OwnInput> {
  /** Never mutated: signing works on a clone. */
  readonly unsigned: Transaction;
  readonly inputs: readonly Input[];
}

/** The compact signature whose DER form is the longest that a low S allows: 71 bytes. */
export const LONGEST_SIGNATURE = Uint8Array.from({ length: 64 }, (_, at) => (at === 0 ? 0xff : at === 32 ? 0x7f : 0x01)) as Signature;

export function isOwn(input: SignableInput | WalletInput): input is SignableInput {
  return "lock" in input;
}

/** Whether our signature is all that an input lacks. */
export function isWhole(input: SignableInput): input is OwnInput {
  return "witness" in input;
}

export function scriptOf(input: SignableInput | WalletInput): ScriptPubkey {
  return isOwn(input) ? input.lock.scriptPubkey : input.scriptPubkey;
}

/** Every witness as large as it can be: what a fee is reckoned with. */
export function withLargestWitnesses({ unsigned, inputs }: TxPlan<OwnInput | WalletInput>): Transaction {
  return withWitnesses(
    unsigned,
    inputs.map((input) => (isOwn(input) ? input.witness(LONGEST_SIGNATURE) : input.largestWitness)),
  );
}

/** What our signature of an input covers. */
export function inputSighash({ unsigned }: Pick<TxPlan, "unsigned">, index: number, input: SignableInput): Bytes32 {
  return sighash(unsigned, index, input, SIGHASH_ALL);
}

/** Secret in. Our signature of one input, or null where it needs none. Throws: key-missing, key-mismatch. */
export function signInput(plan: Pick<TxPlan, "unsigned">, index: number, input: SignableInput, keys: PartyKeys): Signature | null {
  if (input.signer === null) return null;
  return signHash(inputSighash(plan, index, input), signerSecret(input.signer, keys));
}

/** Secret in. Our signature of each input that takes one. Throws: key-missing, key-mismatch. */
export function signInputs(plan: TxPlan<SignableInput>, keys: PartyKeys): readonly Signature[] {
  return plan.inputs.flatMap((input, index) => signInput(plan, index, input, keys) ?? []);
}

/** Secret in. The transaction, signed. Throws: key-missing, key-mismatch. */
export function signPlan(plan: TxPlan, keys: PartyKeys): Transaction {
  // Most inputs of a penalty or sweep have one key, whose secret takes longer to derive than to sign with
  const secrets = new Map<string, Secret32>();
  const secretOf = (signer: Signer): Secret32 => {
    const key = toHex(signer.pubkey);
    const secret = secrets.get(key) ?? signerSecret(signer, keys);
    secrets.set(key, secret);
    return secret;
  };
  const tasks = plan.inputs.flatMap((input, index) =>
    input.signer === null ? [] : [{ hash: inputSighash(plan, index, input), secret: secretOf(input.signer) }],
  );
  const made = PLAIN.all(tasks).values();
  return completePlan(
    plan,
    plan.inputs.map(({ signer }) => (signer === null ? null : (made.next().value ?? null))),
  );
}

/** The transaction with its witnesses, from our signature of each input: null where it needs none. */
export function completePlan({ unsigned, inputs }: TxPlan, signatures: readonly (Signature | null)[]): Transaction {
  return withWitnesses(
    unsigned,
    inputs.map((input, index) => witnessOf(input, signatures[index] ?? null)),
  );
}

/** Throws: internal-unsigned. */
export function witnessOf(input: OwnInput, signature: Signature | null): Witness {
  if (signature === null && input.signer !== null) throw new LnError("internal-unsigned", "an input was left without its signature", {});
  return input.witness(signature ?? LONGEST_SIGNATURE);
}
