import { concat, equalBytes } from "../../bytes.js";
import { hasLowS, isCompressedKey, isStrictDer, isUncompressedKey, verifyOnChain } from "../../keys/ecdsa.js";
import { verifySchnorr } from "../../keys/schnorr.js";
import { FLAG, type Flags, has } from "./flags.js";
import type { InputContext } from "./input-context.js";
import { instructionAt, lengthPush } from "./instruction.js";
import type { Machine, ScriptVersion, SignatureCheck } from "./machine.js";
import { fail } from "./script-error.js";
import { legacySighash } from "./sighash/legacy.js";
import { SIGHASH } from "./sighash/sighash-type.js";
import { type LeafExtension, taprootSighash } from "./sighash/taproot.js";
import { witnessV0Sighash } from "./sighash/witness-v0.js";

/** The script that ECDSA signatures in `machine` cover: from the last OP_CODESEPARATOR on, outside of witnesses without the signatures themselves. */
export function scriptCode(machine: Machine, signatures: readonly Uint8Array[]): Uint8Array {
  let code = machine.script.subarray(machine.codeStart);
  if (machine.version !== "legacy") return code;
  for (const signature of signatures) {
    const left = withoutPush(code, lengthPush(signature));
    if (left.length !== code.length && has(machine.flags, FLAG.CONST_SCRIPTCODE)) fail("SIG_FINDANDDELETE");
    code = left;
  }
  return code;
}

/** A script without those of its elements that begin with exactly these bytes: what is called FindAndDelete. */
export function withoutPush(script: Uint8Array, push: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = [];
  let from = 0;
  for (let at = 0; ;) {
    const start = at;
    while (equalBytes(script.subarray(at, at + push.length), push)) at += push.length;
    if (at > start) {
      kept.push(script.subarray(from, start));
      from = at;
    }
    const instruction = instructionAt(script, at);
    if (instruction === null) break;
    at = instruction.end;
  }
  return from === 0 ? script : concat(...kept, script.subarray(from));
}

/** What ECDSA signatures over one script code cover, each type hashed once. */
export function ecdsaSighashes(context: InputContext, code: Uint8Array, version: ScriptVersion): (type: number) => Uint8Array {
  const made = new Map<number, Uint8Array>();
  return (type) => {
    const known = made.get(type);
    if (known !== undefined) return known;
    const hash = version === "legacy" ? legacySighash(context, code, type) : witnessV0Sighash(context, code, type);
    made.set(type, hash);
    return hash;
  };
}

/** Whether an ECDSA signature with its sighash byte is good. Throws: ScriptFailure for an encoding that the flags do not allow. */
export function checkEcdsa(machine: Machine, signature: Uint8Array, pubkey: Uint8Array, sighashOf: (type: number) => Uint8Array): boolean {
  requireSignatureEncoding(signature, machine.flags);
  requireKeyEncoding(pubkey, machine);
  const type = signature.at(-1);
  if (type === undefined) return false;
  const sighash = sighashOf(type);
  const good = verifyOnChain(sighash, pubkey, signature.subarray(0, -1));
  machine.checks?.push({ signature, pubkey, sighash, good });
  return good;
}

function requireSignatureEncoding(signature: Uint8Array, flags: Flags): void {
  const type = signature.at(-1);
  if (type === undefined) return;
  const der = signature.subarray(0, -1);
  if ((has(flags, FLAG.DERSIG) || has(flags, FLAG.LOW_S) || has(flags, FLAG.STRICTENC)) && !isStrictDer(der)) fail("SIG_DER");
  if (has(flags, FLAG.LOW_S) && !hasLowS(der)) fail("SIG_HIGH_S");
  const base = type & ~SIGHASH.ANYONECANPAY;
  if (has(flags, FLAG.STRICTENC) && (base < SIGHASH.ALL || base > SIGHASH.SINGLE)) fail("SIG_HASHTYPE");
}

function requireKeyEncoding(pubkey: Uint8Array, { flags, version }: Machine): void {
  if (has(flags, FLAG.STRICTENC) && !isCompressedKey(pubkey) && !isUncompressedKey(pubkey)) fail("PUBKEYTYPE");
  if (has(flags, FLAG.WITNESS_PUBKEYTYPE) && version === "witness_v0" && !isCompressedKey(pubkey)) fail("WITNESS_PUBKEYTYPE");
}

/** What a Schnorr signature besides the transaction belongs to. */
export interface SchnorrScope {
  readonly annex: Uint8Array | null;
  readonly leaf: LeafExtension | null;
}

/** Looks at a Schnorr signature, which must be good. Throws: ScriptFailure. BIP 341, BIP 342. */
export function requireSchnorr(
  context: InputContext,
  signature: Uint8Array,
  pubkey: Uint8Array,
  { annex, leaf }: SchnorrScope,
  checks: SignatureCheck[] | null,
): void {
  if (signature.length !== 64 && signature.length !== 65) fail("SCHNORR_SIG_SIZE");
  const type = signature[64] ?? SIGHASH.DEFAULT;
  // The default type is the one without a byte
  if (signature.length === 65 && type === SIGHASH.DEFAULT) fail("SCHNORR_SIG_HASHTYPE");
  const sighash = taprootSighash(context, type, annex, leaf) ?? fail("SCHNORR_SIG_HASHTYPE");
  const good = verifySchnorr(sighash, pubkey, signature.subarray(0, 64));
  checks?.push({ signature, pubkey, sighash, good });
  if (!good) fail("SCHNORR_SIG");
}
