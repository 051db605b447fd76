import { OP, opcodeName } from "../script/interpreter/opcodes.js";

/** What an opcode does, by its name. */
const WORDS: Readonly<Record<string, string>> = {
  OP_0: "pushes the empty element, which is false and the number 0",
  OP_1NEGATE: "pushes the number −1",
  OP_NOP: "does nothing",
  OP_IF: "takes the top element: goes on here where it is true, else after OP_ELSE",
  OP_NOTIF: "takes the top element: goes on here where it is false, else after OP_ELSE",
  OP_ELSE: "the other branch",
  OP_ENDIF: "the end of the branches",
  OP_VERIFY: "fails unless the top element is true, and drops it",
  OP_RETURN: "fails: an output that begins with it can never be spent",
  OP_TOALTSTACK: "moves the top element to the other stack",
  OP_FROMALTSTACK: "takes the top element of the other stack",
  OP_2DROP: "drops the two top elements",
  OP_2DUP: "copies the two top elements",
  OP_3DUP: "copies the three top elements",
  OP_2OVER: "copies the third and fourth elements to the top",
  OP_2ROT: "moves the fifth and sixth elements to the top",
  OP_2SWAP: "exchanges the two top pairs",
  OP_IFDUP: "copies the top element if it is true",
  OP_DEPTH: "pushes how many elements there are",
  OP_DROP: "drops the top element",
  OP_DUP: "copies the top element",
  OP_NIP: "drops the second element",
  OP_OVER: "copies the second element to the top",
  OP_PICK: "copies the element at the depth that the top one says",
  OP_ROLL: "moves the element at the depth that the top one says to the top",
  OP_ROT: "moves the third element to the top",
  OP_SWAP: "exchanges the two top elements",
  OP_TUCK: "copies the top element below the second",
  OP_SIZE: "pushes how many bytes the top element has",
  OP_EQUAL: "whether the two top elements are the same bytes",
  OP_EQUALVERIFY: "fails unless the two top elements are the same bytes",
  OP_1ADD: "adds 1",
  OP_1SUB: "subtracts 1",
  OP_NEGATE: "turns the sign",
  OP_ABS: "drops the sign",
  OP_NOT: "whether the number is 0",
  OP_0NOTEQUAL: "whether the number is not 0",
  OP_ADD: "the sum of two numbers",
  OP_SUB: "the difference of two numbers",
  OP_BOOLAND: "whether both numbers are not 0",
  OP_BOOLOR: "whether one of the numbers is not 0",
  OP_NUMEQUAL: "whether two numbers are equal",
  OP_NUMEQUALVERIFY: "fails unless two numbers are equal",
  OP_NUMNOTEQUAL: "whether two numbers differ",
  OP_LESSTHAN: "whether the second number is less than the top one",
  OP_GREATERTHAN: "whether the second number is more than the top one",
  OP_LESSTHANOREQUAL: "whether the second number is at most the top one",
  OP_GREATERTHANOREQUAL: "whether the second number is at least the top one",
  OP_MIN: "the smaller of two numbers",
  OP_MAX: "the larger of two numbers",
  OP_WITHIN: "whether a number lies between two others",
  OP_RIPEMD160: "RIPEMD160 of the top element",
  OP_SHA1: "SHA1 of the top element",
  OP_SHA256: "SHA256 of the top element",
  OP_HASH160: "RIPEMD160 of SHA256 of the top element",
  OP_HASH256: "SHA256 of SHA256 of the top element",
  OP_CODESEPARATOR: "signatures cover the script from here on",
  OP_CHECKSIG: "whether the signature is good for the key",
  OP_CHECKSIGVERIFY: "fails unless the signature is good for the key",
  OP_CHECKMULTISIG: "whether so many signatures are good for so many keys, in their order",
  OP_CHECKMULTISIGVERIFY: "fails unless so many signatures are good for so many keys, in their order",
  OP_CHECKSIGADD: "adds 1 if the signature is good for the key (tapscript)",
  OP_CHECKLOCKTIMEVERIFY: "fails unless the transaction's nLockTime has reached the number above",
  OP_CHECKSEQUENCEVERIFY: "fails unless the input's nSequence waits as long as the number above says",
  OP_NOP1: "does nothing; kept for a later rule",
  OP_RESERVED: "fails where it is reached",
  OP_VER: "fails where it is reached",
  OP_VERIF: "fails wherever it stands",
  OP_VERNOTIF: "fails wherever it stands",
  OP_RESERVED1: "fails where it is reached",
  OP_RESERVED2: "fails where it is reached",
};

/** Opcodes switched off in 2010: a script that has one is invalid even where it is not reached. */
const DISABLED: ReadonlySet<string> = new Set(
  ["CAT", "SUBSTR", "LEFT", "RIGHT", "INVERT", "AND", "OR", "XOR", "2MUL", "2DIV", "MUL", "DIV", "MOD", "LSHIFT", "RSHIFT"].map(
    (name) => `OP_${name}`,
  ),
);

/** What an opcode does, in words; of a push, how many bytes follow. */
export function opcodeWords(opcode: number): string {
  const name = opcodeName(opcode);
  if (opcode >= OP.OP_1 && opcode <= OP.OP_16) return `pushes the number ${opcode - OP.OP_1 + 1}`;
  if (opcode > OP.OP_0 && opcode < OP.OP_PUSHDATA1) return `pushes the ${opcode === 1 ? "byte" : `${opcode} bytes`} that follow`;
  if (opcode >= OP.OP_PUSHDATA1 && opcode <= OP.OP_PUSHDATA4) return "pushes as many bytes as the length after it says";
  if (DISABLED.has(name)) return "switched off: a script with it is invalid";
  if (/^OP_NOP\d+$/.test(name)) return "does nothing; kept for a later rule";
  return WORDS[name] ?? "no opcode: fails where it is reached";
}
