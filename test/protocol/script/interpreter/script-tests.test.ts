import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { concat, fromHex } from "../../../../src/protocol/bytes.js";
import { ecc } from "../../../../src/protocol/ecc.js";
import { FLAG, type Flags, has, parseFlags } from "../../../../src/protocol/script/interpreter/flags.js";
import { leafHash, tapTweak } from "../../../../src/protocol/script/tap-tree.js";
import { verifyInput } from "../../../../src/protocol/script/interpreter/verify.js";
import { coreFile, entries, filled, packagedFile } from "./published.js";
import { scriptOf } from "./script-text.js";

type WitnessAndAmount = readonly [...(readonly string[]), number];
type Plain = readonly [scriptSig: string, scriptPubkey: string, flags: string, expected: string, ...comments: readonly string[]];
type ScriptTest = Plain | readonly [WitnessAndAmount, ...Plain];

interface Case {
  readonly witness: readonly Uint8Array[];
  readonly amount: bigint;
  readonly scriptSig: Uint8Array;
  readonly scriptPubkey: Uint8Array;
  readonly flags: Flags;
  readonly expected: string;
}

const SATOSHI = 100_000_000;
/** A point nobody knows the secret of (BIP 341). */
const NUMS_KEY = fromHex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0");

function caseOf(entry: ScriptTest): Case {
  const [first, ...rest] = entry;
  const [witnessAndAmount, plain] = typeof first === "string" ? [[0], entry as Plain] : [first, rest];
  const [scriptSig, scriptPubkey, flags, expected] = plain;
  const texts = witnessAndAmount.slice(0, -1) as readonly string[];
  const taproot = taprootOf(texts);
  const witness = texts.map((text) => {
    if (text.startsWith("#SCRIPT#")) return taproot.script;
    return text === "#CONTROLBLOCK#" ? taproot.control : fromHex(text);
  });
  return {
    witness,
    amount: BigInt(Math.round(Number(witnessAndAmount.at(-1)) * SATOSHI)),
    scriptSig: scriptOf(scriptSig),
    scriptPubkey: scriptOf(scriptPubkey.replace("#TAPROOTOUTPUT#", `0x${Buffer.from(taproot.output).toString("hex")}`)),
    flags: filled(parseFlags(flags)),
    expected,
  };
}

/** The one script of a witness that has to be put into an output, as its only leaf. */
function taprootOf(witness: readonly string[]) {
  const text = witness.find((element) => element.startsWith("#SCRIPT#"));
  if (text === undefined) return { script: new Uint8Array(0), control: new Uint8Array(0), output: new Uint8Array(0) };
  const script = scriptOf(text.slice("#SCRIPT#".length));
  const output = ecc().pointAddScalar(Uint8Array.of(2, ...NUMS_KEY), tapTweak(NUMS_KEY, leafHash(0xc0, script)))!;
  return { script, control: concat(Uint8Array.of(0xc0 | (output[0]! & 1)), NUMS_KEY), output: output.subarray(1) };
}

/** The transaction that these tests mean: it spends the only output of another one that no chain has. */
function verdictOn({ witness, amount, scriptSig, scriptPubkey, flags }: Case): string {
  const credit = new Transaction();
  credit.addInput(new Uint8Array(32), 0xffffffff, 0xffffffff, Uint8Array.of(0, 0));
  credit.addOutput(scriptPubkey, amount);
  const spend = new Transaction();
  spend.addInput(credit.getHash(), 0, 0xffffffff, scriptSig);
  spend.setWitness(0, [...witness]);
  spend.addOutput(new Uint8Array(0), amount);
  const verdict = verifyInput(spend, 0, [{ script: scriptPubkey, amount }], flags);
  return verdict.ok ? "OK" : verdict.error;
}

/** How many end otherwise than is expected, by what is expected and what is said. */
function differences(file: unknown): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const entry of entries(file) as readonly ScriptTest[]) {
    const specified = caseOf(entry);
    const said = verdictOn(specified);
    if (said === specified.expected) continue;
    const kind = `${specified.expected} is ${said}`;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

describe("script_tests: every script ends as Bitcoin Core says, with its name for the error", () => {
  test("1189 as the package bitcore-lib brings them, but for what Bitcoin Core itself has changed since", () => {
    const file = packagedFile("bitcoind/script_tests.json");
    expect(entries(file)).toHaveLength(1189);
    expect(differences(file)).toEqual({
      // A name of its own for numbers
      "UNKNOWN_ERROR is SCRIPTNUM": 66,
      // The same error for whatever lacks an element, OP_IF too
      "UNBALANCED_CONDITIONAL is INVALID_STACK_OPERATION": 12,
      // The stack's size is looked at before its top, and a timelock that is not enforced is not discouraged
      "EVAL_FALSE is CLEANSTACK": 14,
      "DISCOURAGE_UPGRADABLE_NOPS is OK": 2,
    });
  });

  const current = coreFile("script_tests.json");
  if (current === null) {
    test("Bitcoin Core's current ones are not here (../shared/vectors/core)", () => {
      expect(current).toBeNull();
    });
  } else {
    test("1222 current ones", () => {
      expect(entries(current)).toHaveLength(1222);
      expect(new Set((entries(current) as readonly ScriptTest[]).map((entry) => caseOf(entry).expected)).size).toBe(40);
      expect((entries(current) as readonly ScriptTest[]).some((entry) => has(caseOf(entry).flags, FLAG.TAPROOT))).toBe(true);
      expect(differences(current)).toEqual({});
    });
  }
});
