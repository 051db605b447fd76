import { checkEcdsa, ecdsaSighashes, requireSchnorr, scriptCode } from "../checksig.js";
import { FLAG, has } from "../flags.js";
import {
  type Leaf,
  MAX_OPERATIONS,
  type Machine,
  type OperationTable,
  mustHave,
  peek,
  peekNumber,
  pop,
  pushBoolean,
  pushNumber,
} from "../machine.js";
import { OP } from "../opcodes.js";
import { fail, requireTrue } from "../script-error.js";

/** The most keys that OP_CHECKMULTISIG takes. */
const MAX_KEYS = 20;
/** What a signature takes of a tapscript's weight (BIP 342). */
const SIGNATURE_WEIGHT = 50;

function isGood(machine: Machine, signature: Uint8Array, pubkey: Uint8Array): boolean {
  return machine.leaf === null ? isGoodEcdsa(machine, signature, pubkey) : isGoodInLeaf(machine, machine.leaf, signature, pubkey);
}

function isGoodEcdsa(machine: Machine, signature: Uint8Array, pubkey: Uint8Array): boolean {
  const code = scriptCode(machine, [signature]);
  const good = checkEcdsa(machine, signature, pubkey, ecdsaSighashes(machine.context, code, machine.version));
  if (!good && signature.length > 0 && has(machine.flags, FLAG.NULLFAIL)) fail("NULLFAIL");
  return good;
}

/** An empty signature is not good, one that is not empty must be. */
function isGoodInLeaf(machine: Machine, leaf: Leaf, signature: Uint8Array, pubkey: Uint8Array): boolean {
  const { flags, context, codeSeparator, checks } = machine;
  const signed = signature.length > 0;
  if (signed) leaf.budget -= SIGNATURE_WEIGHT;
  if (leaf.budget < 0) fail("TAPSCRIPT_VALIDATION_WEIGHT");
  if (pubkey.length === 0) fail("TAPSCRIPT_EMPTY_PUBKEY");
  if (pubkey.length === 32) {
    if (signed) requireSchnorr(context, signature, pubkey, { annex: leaf.annex, leaf: { hash: leaf.hash, codeSeparator } }, checks);
  } else if (has(flags, FLAG.DISCOURAGE_UPGRADABLE_PUBKEYTYPE)) {
    fail("DISCOURAGE_UPGRADABLE_PUBKEYTYPE");
  }
  return signed;
}

function checkSig(machine: Machine): boolean {
  mustHave(machine, 2);
  const good = isGood(machine, peek(machine, 1), peek(machine));
  pop(machine);
  pop(machine);
  return good;
}

function checkSigAdd(machine: Machine): void {
  if (machine.version !== "tapscript") fail("BAD_OPCODE");
  mustHave(machine, 3);
  const count = peekNumber(machine, 1);
  const good = isGood(machine, peek(machine, 2), peek(machine));
  for (let at = 0; at < 3; at++) pop(machine);
  pushNumber(machine, count + Number(good));
}

/** From the top: the number of keys, the keys, the number of signatures, the signatures, one element for nothing. */
function checkMultisig(machine: Machine): boolean {
  if (machine.version === "tapscript") fail("TAPSCRIPT_CHECKMULTISIG");
  mustHave(machine, 1);
  const keys = peekNumber(machine);
  if (keys < 0 || keys > MAX_KEYS) fail("PUBKEY_COUNT");
  machine.operations += keys;
  if (machine.operations > MAX_OPERATIONS) fail("OP_COUNT");
  mustHave(machine, keys + 2);
  const signatures = peekNumber(machine, keys + 1);
  if (signatures < 0 || signatures > keys) fail("SIG_COUNT");
  mustHave(machine, keys + signatures + 3);
  const good = allGood(
    machine,
    Array.from({ length: signatures }, (_, at) => peek(machine, keys + 2 + at)),
    Array.from({ length: keys }, (_, at) => peek(machine, at + 1)),
  );
  dropMultisig(machine, good, keys, signatures);
  return good;
}

/** Whether each signature is good for a key, in their order, no key taken twice. */
function allGood(machine: Machine, signatures: readonly Uint8Array[], keys: readonly Uint8Array[]): boolean {
  const sighashOf = ecdsaSighashes(machine.context, scriptCode(machine, signatures), machine.version);
  let found = 0;
  for (const [tried, key] of keys.entries()) {
    const signature = signatures[found];
    if (signature === undefined || signatures.length - found > keys.length - tried) break;
    if (checkEcdsa(machine, signature, key, sighashOf)) found += 1;
  }
  return found === signatures.length;
}

function dropMultisig(machine: Machine, good: boolean, keys: number, signatures: number): void {
  machine.stack.length -= keys + 2;
  for (let at = 0; at < signatures; at++) {
    const signature = pop(machine);
    if (!good && signature.length > 0 && has(machine.flags, FLAG.NULLFAIL)) fail("NULLFAIL");
  }
  if (has(machine.flags, FLAG.NULLDUMMY) && peek(machine).length > 0) fail("SIG_NULLDUMMY");
  pop(machine);
}

export const SIGNATURES: OperationTable = {
  [OP.OP_CHECKSIG]: (machine) => {
    pushBoolean(machine, checkSig(machine));
  },
  [OP.OP_CHECKSIGVERIFY]: (machine) => {
    requireTrue(checkSig(machine), "CHECKSIGVERIFY");
  },
  [OP.OP_CHECKSIGADD]: checkSigAdd,
  [OP.OP_CHECKMULTISIG]: (machine) => {
    pushBoolean(machine, checkMultisig(machine));
  },
  [OP.OP_CHECKMULTISIGVERIFY]: (machine) => {
    requireTrue(checkMultisig(machine), "CHECKMULTISIGVERIFY");
  },
};
