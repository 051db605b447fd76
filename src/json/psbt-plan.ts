import { sha256 } from "@noble/hashes/sha2.js";
import { Psbt } from "bitcoinjs-lib/src/psbt";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Signature, concat, equalBytes } from "../protocol/bytes.js";
import { hash160, witnessSignature } from "../protocol/script/assemble.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import { type SignableInput, type TxPlan, type WalletInput, isOwn, isWhole, scriptOf, witnessOf } from "../protocol/tx/plan.js";
import type { Signer } from "../protocol/tx/signer.js";

interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** BIP 174: the types of an input's fields that the library has no name for. */
const PSBT_IN_SHA256 = 0x0b;
const PSBT_IN_HASH160 = 0x0c;
const PSBT_IN_PROPRIETARY = 0xfc;

/** Who the proprietary fields are of. */
const PREFIX = new TextEncoder().encode("chankit");
/** Key: the public key that signs. Value: our basepoint and the per-commitment point from which it is derived. */
const DERIVED_KEY = 0x00;
/** Key: the public key that signs. Value: our revocation basepoint and the per-commitment secret that the peer gave away. */
const REVOCATION_KEY = 0x01;

/** Whole parent transactions go in as long as all of them together stay below it: a lock of segregated witness can do without. */
const MAX_PARENT_BYTES = 1_000_000;

/** A wallet's input with the fields that its own PSBT had for it. */
export interface DescribedWalletInput extends WalletInput {
  readonly fields: Psbt["data"]["inputs"][number];
}

/**
 * A PSBT (version 0, base64) of a planned transaction with all that a signer needs: what each input spends, its witness script, the peer's signature,
 * the preimage, and how the key that signs follows from one of ours. `signatures` are ours, where we have signed. `parents` are transactions whose
 * outputs are spent. BIP 174 Creator and Updater.
 */
export function printPsbt(
  plan: TxPlan<SignableInput | DescribedWalletInput>,
  parents: readonly Transaction[],
  signatures: readonly (Signature | null)[] = [],
): string {
  const { unsigned, inputs } = plan;
  const psbt = new Psbt();
  psbt.setVersion(unsigned.version);
  psbt.setLocktime(unsigned.locktime);
  const parentOf = parentsByInput(unsigned, parents);
  for (const { hash, index, sequence } of unsigned.ins) psbt.addInput({ hash, index, sequence });
  for (const { script, value } of unsigned.outs) psbt.addOutput({ script, value });
  for (const [at, input] of inputs.entries()) {
    const { unknownKeyVals = [], ...fields } = isOwn(input) ? ownFields(input, signatures[at] ?? null, parentOf(at)) : input.fields;
    psbt.updateInput(at, fields);
    // The library itself adds none whose type it takes for one of its own, as those of preimages
    Object.assign(psbt.data.inputs[at] ?? {}, { unknownKeyVals });
  }
  return psbt.toBase64();
}

function parentsByInput(unsigned: Transaction, parents: readonly Transaction[]): (input: number) => Uint8Array | null {
  const found = unsigned.ins.map(({ hash }) => parents.find((parent) => equalBytes(parent.getHash(), hash)));
  const size = found.reduce((sum, parent) => sum + (parent?.byteLength(false) ?? 0), 0);
  return (input) => {
    const parent = found[input];
    return parent === undefined || size > MAX_PARENT_BYTES ? null : withoutWitnesses(parent).toBuffer();
  };
}

function withoutWitnesses(tx: Transaction): Transaction {
  const bare = tx.clone();
  for (const input of bare.ins) input.witness = [];
  return bare;
}

function ownFields(input: SignableInput, signature: Signature | null, parent: Uint8Array | null) {
  const { lock, amount, signer, cosigner } = input;
  const partialSig = [
    ...(cosigner === undefined ? [] : [{ pubkey: cosigner.pubkey, signature: witnessSignature(cosigner.signature, cosigner.sighashType) }]),
    ...(signature === null || signer === null ? [] : [{ pubkey: signer.pubkey, signature: witnessSignature(signature, SIGHASH_ALL) }]),
  ];
  // One type for all signatures of an input (BIP 174): where the peer's is another, a signer's own default says what ours is
  const oneType = cosigner === undefined || cosigner.sighashType === SIGHASH_ALL;
  return {
    witnessUtxo: { script: scriptOf(input), value: amount },
    ...(parent === null ? {} : { nonWitnessUtxo: parent }),
    ...(lock.kind === "p2wsh" ? { witnessScript: lock.witnessScript } : {}),
    ...(oneType ? { sighashType: SIGHASH_ALL } : {}),
    ...(partialSig.length === 0 ? {} : { partialSig }),
    ...(signer === null && isWhole(input) ? { finalScriptWitness: serialized(witnessOf(input, null)) } : {}),
    unknownKeyVals: [...preimageFields(input), ...signerFields(signer)],
  };
}

/** The payment hash as Lightning has it, and the hash that the script compares. */
function preimageFields({ preimage }: SignableInput): readonly KeyValue[] {
  if (preimage === undefined) return [];
  return [
    { key: concat(Uint8Array.of(PSBT_IN_SHA256), sha256(preimage)), value: preimage },
    { key: concat(Uint8Array.of(PSBT_IN_HASH160), hash160(preimage)), value: preimage },
  ];
}

function signerFields(signer: Signer | null): readonly KeyValue[] {
  switch (signer?.kind) {
    case undefined:
    case "plain":
      return [];
    case "derived":
      return [{ key: proprietary(DERIVED_KEY, signer.pubkey), value: concat(signer.basepoint, signer.perCommitmentPoint) }];
    case "revocation":
      return [{ key: proprietary(REVOCATION_KEY, signer.pubkey), value: concat(signer.basepoint, signer.perCommitmentSecret.reveal()) }];
  }
}

function proprietary(subtype: number, keyData: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(PSBT_IN_PROPRIETARY, PREFIX.length), PREFIX, Uint8Array.of(subtype), keyData);
}

/** A witness as PSBT_IN_FINAL_SCRIPTWITNESS holds it: a count, then each element after its length. Ours are all shorter than 253 bytes. */
export function serialized(witness: readonly Uint8Array[]): Uint8Array {
  return concat(Uint8Array.of(witness.length), ...witness.flatMap((element) => [Uint8Array.of(element.length), element]));
}
