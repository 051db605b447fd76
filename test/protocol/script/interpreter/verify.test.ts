import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "../../../../src/protocol/bytes.js";
import { type ErrorCode, LnError } from "../../../../src/protocol/errors.js";
import {
  CONSENSUS_FLAGS,
  FLAG_NAMES,
  NO_FLAGS,
  STANDARD_FLAGS,
  flagNames,
  flagSet,
  parseFlags,
} from "../../../../src/protocol/script/interpreter/flags.js";
import { type TraceStep, verifyInput, verifyTransaction } from "../../../../src/protocol/script/interpreter/verify.js";
import { structureFault } from "../../../../src/protocol/tx/structure.js";
import { scriptOf } from "./script-text.js";

function refusal(act: () => unknown): ErrorCode | null {
  try {
    act();
    return null;
  } catch (error) {
    return error instanceof LnError ? error.code : null;
  }
}

function spending(...scriptSigs: readonly string[]): Transaction {
  const tx = new Transaction();
  for (const [index, script] of scriptSigs.entries()) tx.addInput(new Uint8Array(32).fill(7), index, 0, scriptOf(script));
  tx.addOutput(scriptOf("1"), 1000n);
  return tx;
}

const output = (script: string) => ({ script: scriptOf(script), amount: 1000n });

describe("flags", () => {
  test("names there and back", () => {
    expect(flagNames(parseFlags("WITNESS,P2SH"))).toEqual(["P2SH", "WITNESS"]);
    expect(flagNames(flagSet(...FLAG_NAMES))).toEqual(FLAG_NAMES);
    expect([parseFlags("NONE"), parseFlags("")]).toEqual([NO_FLAGS, NO_FLAGS]);
    expect(flagNames(CONSENSUS_FLAGS)).toHaveLength(7);
    expect(FLAG_NAMES.filter((name) => !flagNames(STANDARD_FLAGS).includes(name))).toEqual(["SIGPUSHONLY"]);
  });

  test("input-script-flag: a name that is none", () => {
    expect(refusal(() => parseFlags("P2SH,P2WSH"))).toBe("input-script-flag");
    expect(refusal(() => parseFlags("p2sh"))).toBe("input-script-flag");
  });
});

describe("verdicts", () => {
  test("input-spent-outputs: not one output for each input", () => {
    expect(refusal(() => verifyInput(spending("1"), 0, [], CONSENSUS_FLAGS))).toBe("input-spent-outputs");
    expect(refusal(() => verifyTransaction(spending("1"), [output("1"), output("1")], CONSENSUS_FLAGS))).toBe("input-spent-outputs");
  });

  test("one an input, with the place where it went wrong", () => {
    const tx = spending("1 2", "1", "1", "0");
    expect(
      verifyTransaction(tx, [output("2 EQUALVERIFY"), output("DROP 0x02 0x0102 RETURN"), output("DROP 0"), output("0x05 0x00")], CONSENSUS_FLAGS),
    ).toEqual([
      { ok: true },
      { ok: false, error: "OP_RETURN", input: 1, at: { script: "script_pubkey", position: 2, offset: 4, opcode: "OP_RETURN" } },
      { ok: false, error: "EVAL_FALSE", input: 2, at: null },
      { ok: false, error: "BAD_OPCODE", input: 3, at: { script: "script_pubkey", position: 0, offset: 0, opcode: "OP_PUSHBYTES_5" } },
    ]);
  });
});

describe("a trace", () => {
  test("every opcode in its order, with the stack before and behind it; what is not taken, too; the last one with its error", () => {
    const steps: TraceStep[] = [];
    const verdict = verifyInput(spending("5 0"), 0, [output("IF 1ADD ELSE DUP TOALTSTACK ENDIF 4 EQUALVERIFY 1")], CONSENSUS_FLAGS, (step) =>
      steps.push(step),
    );
    expect(verdict).toMatchObject({ ok: false, error: "EQUALVERIFY", at: { position: 7 } });
    const hex = (stack: readonly Uint8Array[]) => stack.map(toHex).join(" ");
    expect(steps.map(({ script, opcode, executed, before, after, error }) => [script, opcode, executed, hex(before), hex(after), error])).toEqual([
      ["script_sig", "OP_5", true, "", "05", null],
      ["script_sig", "OP_0", true, "05", "05 ", null],
      ["script_pubkey", "OP_IF", true, "05 ", "05", null],
      ["script_pubkey", "OP_1ADD", false, "05", "05", null],
      ["script_pubkey", "OP_ELSE", true, "05", "05", null],
      ["script_pubkey", "OP_DUP", true, "05", "05 05", null],
      ["script_pubkey", "OP_TOALTSTACK", true, "05 05", "05", null],
      ["script_pubkey", "OP_ENDIF", true, "05", "05", null],
      ["script_pubkey", "OP_4", true, "05", "05 04", null],
      ["script_pubkey", "OP_EQUALVERIFY", true, "05 04", "", "EQUALVERIFY"],
    ]);
    expect(steps.at(-1)!.altStack.map(toHex)).toEqual(["05"]);
  });

  test("the signatures that were looked at, and what they had to cover", () => {
    // The first transaction of all that spent an output: block 170 of the main chain
    const tx = Transaction.fromHex(
      "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000",
    );
    const key = "0411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3";
    const spent = [{ script: fromHex(`41${key}ac`), amount: 5_000_000_000n }];
    const steps: TraceStep[] = [];
    expect(verifyInput(tx, 0, spent, CONSENSUS_FLAGS, (step) => steps.push(step))).toEqual({ ok: true });
    const [check] = steps.at(-1)!.checks;
    expect(toHex(check!.pubkey)).toBe(key);
    expect(toHex(check!.sighash)).toBe("7a05c6145f10101e9d6325494245adf1297d80f8f38d4d576d57cdba220bcb19");
    expect(check!.good).toBe(true);
    tx.locktime = 1;
    expect(verifyInput(tx, 0, spent, CONSENSUS_FLAGS)).toEqual({ ok: false, error: "EVAL_FALSE", input: 0, at: null });
  });
});

describe("a transaction by itself", () => {
  test("without inputs, without outputs, larger than a block", () => {
    const tx = spending("1");
    expect(structureFault(tx)).toBeNull();
    expect(structureFault(new Transaction())).toBe("bad-txns-vin-empty");
    const large = spending("1");
    large.addOutput(new Uint8Array(1_000_000), 0n);
    expect(structureFault(large)).toBe("bad-txns-oversize");
    tx.outs = [];
    expect(structureFault(tx)).toBe("bad-txns-vout-empty");
  });
});
