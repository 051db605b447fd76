/** Every way in which a script can fail, under the name that Bitcoin Core gives it, and what it means. */
export const SCRIPT_ERRORS = {
  EVAL_FALSE: "the script ends with false or an empty stack on top",
  OP_RETURN: "OP_RETURN was executed",
  SCRIPT_SIZE: "a script of more than 10000 bytes",
  PUSH_SIZE: "an element of more than 520 bytes",
  OP_COUNT: "more than 201 operations",
  STACK_SIZE: "more than 1000 elements on the stacks",
  SIG_COUNT: "a number of signatures that is negative or above that of keys",
  PUBKEY_COUNT: "a number of keys that is not within 0..20",
  VERIFY: "OP_VERIFY of a false element",
  EQUALVERIFY: "OP_EQUALVERIFY of unequal elements",
  CHECKMULTISIGVERIFY: "OP_CHECKMULTISIGVERIFY of signatures that are not good",
  CHECKSIGVERIFY: "OP_CHECKSIGVERIFY of a signature that is not good",
  NUMEQUALVERIFY: "OP_NUMEQUALVERIFY of unequal numbers",
  SCRIPTNUM: "a number that is too long or not in its shortest form",
  BAD_OPCODE: "an opcode that does not exist here, or a push that the script is too short for",
  DISABLED_OPCODE: "an opcode that is disabled",
  INVALID_STACK_OPERATION: "too few elements on the stack",
  INVALID_ALTSTACK_OPERATION: "nothing on the alternative stack",
  UNBALANCED_CONDITIONAL: "OP_IF, OP_ELSE and OP_ENDIF that do not match",
  NEGATIVE_LOCKTIME: "a timelock below 0",
  UNSATISFIED_LOCKTIME: "nLockTime or nSequence is below what the script demands, or of the other kind",
  SIG_HASHTYPE: "a sighash type that does not exist",
  SIG_DER: "a signature that is not strict DER",
  MINIMALDATA: "a push that is not in its shortest form",
  SIG_PUSHONLY: "a signature script with more than pushes",
  SIG_HIGH_S: "a signature with a high S",
  SIG_NULLDUMMY: "the element that OP_CHECKMULTISIG takes for nothing is not empty",
  PUBKEYTYPE: "a public key that is neither compressed nor uncompressed",
  CLEANSTACK: "more than one element left on the stack",
  MINIMALIF: "a condition that is neither empty nor 01",
  NULLFAIL: "a signature that is not good, and not empty",
  DISCOURAGE_UPGRADABLE_NOPS: "a NOP that is kept for upgrades",
  DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM: "a witness version that is kept for upgrades",
  DISCOURAGE_UPGRADABLE_TAPROOT_VERSION: "a leaf version that is kept for upgrades",
  DISCOURAGE_OP_SUCCESS: "an OP_SUCCESS, kept for upgrades",
  DISCOURAGE_UPGRADABLE_PUBKEYTYPE: "a kind of public key that is kept for upgrades",
  WITNESS_PROGRAM_WRONG_LENGTH: "a version 0 witness program of neither 20 nor 32 bytes",
  WITNESS_PROGRAM_WITNESS_EMPTY: "a witness program without a witness",
  WITNESS_PROGRAM_MISMATCH: "a witness that does not fit the hash or key of the output",
  WITNESS_MALLEATED: "a native witness program with a signature script",
  WITNESS_MALLEATED_P2SH: "a nested witness program with more in the signature script than its push",
  WITNESS_UNEXPECTED: "a witness for an output that takes none",
  WITNESS_PUBKEYTYPE: "a public key in a witness that is not compressed",
  SCHNORR_SIG_SIZE: "a Schnorr signature of neither 64 nor 65 bytes",
  SCHNORR_SIG_HASHTYPE: "a Schnorr signature with a sighash type that does not exist or has no output to cover",
  SCHNORR_SIG: "a Schnorr signature that is not good",
  TAPROOT_WRONG_CONTROL_SIZE: "a control block of a length that does not exist",
  TAPSCRIPT_VALIDATION_WEIGHT: "more signatures than the witness has weight for",
  TAPSCRIPT_CHECKMULTISIG: "OP_CHECKMULTISIG in tapscript, which has none",
  TAPSCRIPT_MINIMALIF: "a condition in tapscript that is neither empty nor 01",
  TAPSCRIPT_EMPTY_PUBKEY: "an empty public key in tapscript",
  OP_CODESEPARATOR: "OP_CODESEPARATOR outside of a witness",
  SIG_FINDANDDELETE: "a signature that stands in the script which it signs",
} as const satisfies Record<string, string>;

export type ScriptError = keyof typeof SCRIPT_ERRORS;

/** Where in a transaction's scripts something happens. */
export interface ScriptPlace {
  readonly script: ScriptRole;
  /** How many opcodes stand before it. */
  readonly position: number;
  /** In bytes from the script's start. */
  readonly offset: number;
  readonly opcode: string;
}

/** Which of the scripts that an input brings or meets. */
export type ScriptRole = "script_sig" | "script_pubkey" | "redeem_script" | "witness_script" | "tapscript";

/** How an operation ends a script; it never leaves the interpreter. */
export class ScriptFailure extends Error {
  readonly error: ScriptError;
  /** Null where no opcode is at fault. */
  readonly at: ScriptPlace | null;

  constructor(error: ScriptError, at: ScriptPlace | null = null) {
    super(error);
    this.error = error;
    this.at = at;
  }
}

/** Throws: ScriptFailure. */
export function fail(error: ScriptError): never {
  throw new ScriptFailure(error);
}

/** Throws: ScriptFailure where `result` is false. */
export function requireTrue(result: boolean, error: ScriptError): void {
  if (!result) fail(error);
}
