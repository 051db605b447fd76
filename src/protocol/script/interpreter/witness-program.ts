import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equalBytes } from "../../bytes.js";
import { requireSchnorr } from "./checksig.js";
import { type Environment, type Program, evaluate, requireElementSizes } from "./evaluate.js";
import { FLAG, has } from "./flags.js";
import { isTrue } from "./number.js";
import { OP } from "./opcodes.js";
import { fail } from "./script-error.js";
import { compactSizeLength } from "./serialise.js";
import { TAPSCRIPT_LEAF } from "../tap-tree.js";
import { ANNEX_TAG, committedLeaf, holdsOpSuccess } from "./taproot.js";

/** What a script commits to a witness with: a version and 2 to 40 bytes (BIP 141). */
export interface WitnessProgram {
  readonly version: number;
  readonly program: Uint8Array;
  /** Behind the hash of a redeem script. */
  readonly nested: boolean;
}

/** Null where the script is of another form. */
export function witnessProgram(script: Uint8Array, nested: boolean): WitnessProgram | null {
  const [opcode = 0, size = 0] = script;
  if (script.length < 4 || script.length > 42 || size + 2 !== script.length) return null;
  if (opcode !== OP.OP_0 && (opcode < OP.OP_1 || opcode > OP.OP_16)) return null;
  return { version: opcode === OP.OP_0 ? 0 : opcode - OP.OP_1 + 1, program: script.subarray(2), nested };
}

/** Runs what a witness brings for a program. Throws: ScriptFailure. BIP 141, BIP 341. */
export function verifyWitness(witness: readonly Uint8Array[], committed: WitnessProgram, environment: Environment): void {
  const { version, program, nested } = committed;
  const { flags } = environment;
  if (version === 0) {
    verifyVersion0(witness, program, environment);
  } else if (version === 1 && program.length === 32 && !nested) {
    if (has(flags, FLAG.TAPROOT)) verifyTaproot(witness, program, environment);
  } else if (!isPayToAnchor(committed) && has(flags, FLAG.DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM)) {
    fail("DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM");
  }
}

const ANCHOR_PROGRAM = Uint8Array.of(0x4e, 0x73);

function isPayToAnchor({ version, program, nested }: WitnessProgram): boolean {
  return version === 1 && !nested && equalBytes(program, ANCHOR_PROGRAM);
}

function verifyVersion0(witness: readonly Uint8Array[], program: Uint8Array, environment: Environment): void {
  if (program.length === 32) {
    const script = witness.at(-1) ?? fail("WITNESS_PROGRAM_WITNESS_EMPTY");
    if (!equalBytes(sha256(script), program)) fail("WITNESS_PROGRAM_MISMATCH");
    runInWitness({ script, role: "witness_script", version: "witness_v0", stack: witness.slice(0, -1) }, environment);
  } else if (program.length === 20) {
    if (witness.length !== 2) fail("WITNESS_PROGRAM_MISMATCH");
    runInWitness({ script: payToKeyHash(program), role: "witness_script", version: "witness_v0", stack: [...witness] }, environment);
  } else {
    fail("WITNESS_PROGRAM_WRONG_LENGTH");
  }
}

function payToKeyHash(hash: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(OP.OP_DUP, OP.OP_HASH160, hash.length), hash, Uint8Array.of(OP.OP_EQUALVERIFY, OP.OP_CHECKSIG));
}

/** A script in a witness must leave true and nothing else. */
function runInWitness(program: Program, environment: Environment): void {
  requireElementSizes(program.stack, program.version);
  evaluate(program, environment);
  const [result = fail("CLEANSTACK"), ...others] = program.stack;
  if (others.length > 0) fail("CLEANSTACK");
  if (!isTrue(result)) fail("EVAL_FALSE");
}

/** Besides the weight of the witness itself (BIP 342). */
const FREE_WEIGHT = 50;

function verifyTaproot(witness: readonly Uint8Array[], outputKey: Uint8Array, environment: Environment): void {
  if (witness.length === 0) fail("WITNESS_PROGRAM_WITNESS_EMPTY");
  const last = witness.at(-1);
  const annex = witness.length >= 2 && last?.[0] === ANNEX_TAG ? last : null;
  const stack = annex === null ? [...witness] : witness.slice(0, -1);
  const control = stack.pop() ?? fail("WITNESS_PROGRAM_WITNESS_EMPTY");
  const script = stack.pop();
  if (script === undefined) {
    requireSchnorr(environment.context, control, outputKey, { annex, leaf: null }, null);
    return;
  }
  const { version, hash } = committedLeaf(control, script, outputKey);
  if (version === TAPSCRIPT_LEAF) {
    verifyTapscript(
      { script, role: "tapscript", version: "tapscript", stack, leaf: { hash, annex, budget: serialisedSize(witness) + FREE_WEIGHT } },
      environment,
    );
  } else if (has(environment.flags, FLAG.DISCOURAGE_UPGRADABLE_TAPROOT_VERSION)) {
    fail("DISCOURAGE_UPGRADABLE_TAPROOT_VERSION");
  }
}

function verifyTapscript(program: Program, environment: Environment): void {
  if (!holdsOpSuccess(program.script)) {
    runInWitness(program, environment);
  } else if (has(environment.flags, FLAG.DISCOURAGE_OP_SUCCESS)) {
    fail("DISCOURAGE_OP_SUCCESS");
  }
}

function serialisedSize(witness: readonly Uint8Array[]): number {
  return witness.reduce((sum, { length }) => sum + compactSizeLength(length) + length, compactSizeLength(witness.length));
}
