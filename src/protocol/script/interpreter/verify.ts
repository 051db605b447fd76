import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { equalBytes } from "../../bytes.js";
import { LnError } from "../../errors.js";
import { EMPTY } from "../assemble.js";
import { type Environment, type TraceStep, evaluate } from "./evaluate.js";
import { FLAG, type Flags, has } from "./flags.js";
import type { Midstates, SpentOutput } from "./input-context.js";
import { isPushOnly, lengthPush } from "./instruction.js";
import { isTrue } from "./number.js";
import { OP } from "./opcodes.js";
import { type ScriptError, ScriptFailure, type ScriptPlace, fail } from "./script-error.js";
import { midstates } from "./sighash/midstates.js";
import { verifyWitness, witnessProgram } from "./witness-program.js";

export type { TraceStep } from "./evaluate.js";
export type { SpentOutput } from "./input-context.js";
export type { SignatureCheck } from "./machine.js";
export { SCRIPT_ERRORS, type ScriptError, type ScriptPlace, type ScriptRole } from "./script-error.js";

/** Whether an input may spend what it spends, and if not, why and where: `at` is null where no opcode is at fault. */
export type ScriptVerdict =
  { readonly ok: true } | { readonly ok: false; readonly error: ScriptError; readonly input: number; readonly at: ScriptPlace | null };

/**
 * Runs the scripts of one input as a node does. `spent` are the outputs that the transaction's inputs spend, in their order, all of them: a taproot
 * signature covers them. `trace` is called after every opcode.
 * Timelocks are compared with the transaction's own fields; whether those have come, is not asked.
 * Throws: input-spent-outputs.
 */
export function verifyInput(
  tx: Transaction,
  inputIndex: number,
  spent: readonly SpentOutput[],
  flags: Flags,
  trace?: (step: TraceStep) => void,
): ScriptVerdict {
  requireOneEach(tx, spent);
  return verdictOn(tx, inputIndex, spent, flags, midstates(tx, spent), trace ?? null);
}

/** The same for all inputs in their order, hashing what they share once. Throws: input-spent-outputs. */
export function verifyTransaction(
  tx: Transaction,
  spent: readonly SpentOutput[],
  flags: Flags,
  trace?: (step: TraceStep) => void,
): readonly ScriptVerdict[] {
  requireOneEach(tx, spent);
  const shared = midstates(tx, spent);
  return tx.ins.map((_, index) => verdictOn(tx, index, spent, flags, shared, trace ?? null));
}

function requireOneEach({ ins }: Transaction, spent: readonly SpentOutput[]): void {
  if (ins.length !== spent.length) {
    throw new LnError("input-spent-outputs", `${spent.length} spent outputs for ${ins.length} inputs`, { inputs: ins.length, spent: spent.length });
  }
}

function verdictOn(
  tx: Transaction,
  index: number,
  spent: readonly SpentOutput[],
  flags: Flags,
  shared: Midstates,
  trace: Environment["trace"],
): ScriptVerdict {
  try {
    verifyScripts({ context: { tx, index, spent, midstates: shared }, flags, trace });
    return { ok: true };
  } catch (failure) {
    if (!(failure instanceof ScriptFailure)) throw failure;
    return { ok: false, error: failure.error, input: index, at: failure.at };
  }
}

/** The signature script, then the output's on the stack that it leaves, then what that one commits to: a redeem script, a witness. */
function verifyScripts(environment: Environment): void {
  const { context, flags } = environment;
  const { script: scriptSig, witness } = context.tx.ins[context.index] ?? { script: EMPTY, witness: [] };
  const scriptPubkey = context.spent[context.index]?.script ?? EMPTY;
  if (has(flags, FLAG.SIGPUSHONLY) && !isPushOnly(scriptSig)) fail("SIG_PUSHONLY");
  let stack: Uint8Array[] = [];
  evaluate({ script: scriptSig, role: "script_sig", version: "legacy", stack }, environment);
  const pushed = [...stack];
  evaluate({ script: scriptPubkey, role: "script_pubkey", version: "legacy", stack }, environment);
  requireTrueTop(stack);
  let committed = has(flags, FLAG.WITNESS) ? witnessProgram(scriptPubkey, false) : null;
  if (committed !== null && scriptSig.length > 0) fail("WITNESS_MALLEATED");
  if (has(flags, FLAG.P2SH) && isPayToScriptHash(scriptPubkey)) {
    stack = pushed;
    const redeemScript = runRedeemScript(stack, scriptSig, environment);
    committed = has(flags, FLAG.WITNESS) ? witnessProgram(redeemScript, true) : null;
    if (committed !== null && !equalBytes(scriptSig, lengthPush(redeemScript))) fail("WITNESS_MALLEATED_P2SH");
  }
  if (committed !== null) verifyWitness(witness, committed, environment);
  else if (has(flags, FLAG.CLEANSTACK) && stack.length !== 1) fail("CLEANSTACK");
  else if (has(flags, FLAG.WITNESS) && witness.length > 0) fail("WITNESS_UNEXPECTED");
}

function requireTrueTop(stack: readonly Uint8Array[]): void {
  if (!isTrue(stack.at(-1) ?? EMPTY)) fail("EVAL_FALSE");
}

function isPayToScriptHash(script: Uint8Array): boolean {
  return script.length === 23 && script[0] === OP.OP_HASH160 && script[1] === 20 && script[22] === OP.OP_EQUAL;
}

/** Runs the script that the signature script has pushed last, and gives it back. BIP 16. */
function runRedeemScript(stack: Uint8Array[], scriptSig: Uint8Array, environment: Environment): Uint8Array {
  if (!isPushOnly(scriptSig)) fail("SIG_PUSHONLY");
  const script = stack.pop() ?? fail("EVAL_FALSE");
  evaluate({ script, role: "redeem_script", version: "legacy", stack }, environment);
  requireTrueTop(stack);
  return script;
}
