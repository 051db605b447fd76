import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { fromHex } from "../../../src/protocol/bytes.js";
import { dustThreshold, standardnessFaults } from "../../../src/protocol/tx/standardness.js";

const P2WPKH = `0014${"11".repeat(20)}`;
const P2WSH = `0020${"11".repeat(32)}`;
const P2TR = `5120${"11".repeat(32)}`;
const P2PKH = `76a914${"11".repeat(20)}88ac`;
const KEY = `2102${"11".repeat(32)}`;

interface Form {
  readonly version?: number;
  readonly scriptSig?: string;
  readonly witness?: readonly Uint8Array[];
  readonly outputs?: readonly (readonly [script: string, value: bigint])[];
}

function faults({ version = 2, scriptSig = "", witness = [], outputs = [[P2WPKH, 1000n]] }: Form, spent = P2WSH, fee = 1000n) {
  const tx = new Transaction();
  tx.version = version;
  tx.addInput(new Uint8Array(32).fill(1), 0, 0xffffffff, fromHex(scriptSig));
  tx.setWitness(0, [...witness]);
  for (const [script, value] of outputs) tx.addOutput(fromHex(script), value);
  return standardnessFaults(tx, [{ script: fromHex(spent), amount: 5000n }], fee);
}

/** A transaction of this weight, a multiple of 4, with one output of OP_RETURN. */
function ofWeight(weight: number): Form {
  const overhead = 4 * (4 + 1 + 41 + 1 + 8 + 5 + 4);
  return { outputs: [[`6a${"00".repeat((weight - overhead) / 4 - 1)}`, 0n]] };
}

test("version 3 has at most 10000 vbytes", () => {
  // 53 bytes without outputs and 31 for each
  const outputs = (count: number) => Array.from({ length: count }, () => [P2WPKH, 1000n] as const);
  const [fits, exceeds] = [faults({ version: 3, outputs: outputs(320) }), faults({ version: 3, outputs: outputs(321) })];
  expect(fits).toEqual([]);
  expect(exceeds).toEqual([{ reason: "truc-size", vsize: 10_004 }]);
  expect(faults({ version: 2, outputs: outputs(321) })).toEqual([]);
});

describe("dust", () => {
  test("by the output's form, as Bitcoin Core reckons it", () => {
    const thresholds = [P2WPKH, P2WSH, P2TR, P2PKH, `a914${"11".repeat(20)}87`, "51024e73", "6a0401020304"].map((script) =>
      dustThreshold(fromHex(script)),
    );
    expect(thresholds).toEqual([294n, 330n, 330n, 546n, 540n, 240n, 0n]);
  });

  test("of a witness program of any version and size, whose spending is cheap; of what only resembles one, whose spending is not", () => {
    const program = (version: string, size: number) => dustThreshold(fromHex(version + size.toString(16).padStart(2, "0") + "11".repeat(size)));
    const [witness, plain] = [(length: number) => (8n + 1n + BigInt(length) + 67n) * 3n, (length: number) => (8n + 1n + BigInt(length) + 148n) * 3n];
    for (const version of ["00", "51", "52", "60"]) for (const size of [2, 20, 32, 40]) expect(program(version, size)).toBe(witness(size + 2));
    for (const version of ["01", "50", "61"]) expect(program(version, 20)).toBe(plain(22));
    expect([program("51", 1), program("51", 41)]).toEqual([plain(3), plain(43)]);
    expect(dustThreshold(fromHex(`5115${"11".repeat(20)}`))).toBe(plain(22));
    expect([252, 253].map((length) => dustThreshold(new Uint8Array(length).fill(0x61)))).toEqual([plain(252), plain(253) + 6n]);
  });

  test("one output of it is for the child of a transaction without a fee", () => {
    expect(faults({ outputs: [[P2WSH, 330n]] })).toEqual([]);
    expect(faults({ outputs: [[P2WSH, 329n]] })).toEqual([{ reason: "dust", output: 0, threshold: 330n }]);
    expect(faults({ outputs: [[P2WSH, 329n]] }, P2WSH, 0n)).toEqual([]);
    expect(
      faults(
        {
          outputs: [
            [P2WSH, 329n],
            ["51024e73", 0n],
          ],
        },
        P2WSH,
        0n,
      ),
    ).toHaveLength(2);
  });
});

describe("what nodes do not relay", () => {
  test("versions, sizes, signature scripts", () => {
    expect([0, 1, 3, 4].map((version) => faults({ version }).length)).toEqual([1, 0, 0, 1]);
    expect(faults({ version: 4 })).toEqual([{ reason: "version" }]);
    expect(faults({ version: -1 })).toEqual([{ reason: "version" }]);
    expect(faults({ outputs: [["6a", 0n]] })).toEqual([{ reason: "tx-size-small" }]);
    expect([3, 4].map((length) => faults({ outputs: [[`6a${"00".repeat(length)}`, 0n]] }))).toEqual([[{ reason: "tx-size-small" }], []]);
    expect([0, 1].map((more) => faults(ofWeight(400_000 + 4 * more)))).toEqual([[], [{ reason: "tx-size" }]]);
    expect(faults({ scriptSig: "00".repeat(1650) })).toEqual([]);
    expect(faults({ witness: [new Uint8Array(1)], outputs: Array.from({ length: 4000 }, () => [P2WPKH, 1000n] as const) })).toEqual([
      { reason: "tx-size" },
    ]);
    expect(faults({ scriptSig: "61" })).toEqual([{ reason: "scriptsig-not-pushonly", input: 0 }]);
    expect(faults({ scriptSig: "00".repeat(1651) })).toEqual([{ reason: "scriptsig-size", input: 0 }]);
  });

  test("witnesses: scripts of more than 3600 bytes, more than 100 elements or one of more than 80 bytes, an annex", () => {
    const refused = [{ reason: "bad-witness-nonstandard", input: 0 }];
    const small = new Uint8Array(80);
    expect(faults({ witness: [...Array.from({ length: 100 }, () => small), new Uint8Array(3600)] })).toEqual([]);
    expect(faults({ witness: [new Uint8Array(3601)] })).toEqual(refused);
    expect(faults({ witness: [...Array.from({ length: 101 }, () => small), small] })).toEqual(refused);
    expect(faults({ witness: [new Uint8Array(81), small] })).toEqual(refused);
    expect(faults({ witness: [new Uint8Array(64), Uint8Array.of(0x50)] }, P2TR)).toEqual(refused);
    expect(faults({ witness: [new Uint8Array(81), small, new Uint8Array(33)] }, P2TR)).toEqual(refused);
    expect(faults({ witness: [new Uint8Array(80), new Uint8Array(5000), new Uint8Array(33)] }, P2TR)).toEqual([]);
    expect(faults({ witness: [Uint8Array.of(0x50)] }, P2TR)).toEqual([]);
    expect(faults({ witness: [small, Uint8Array.of(0x51)] }, P2TR)).toEqual([]);
    expect(faults({ witness: [small, new Uint8Array(0)] }, P2TR)).toEqual([]);
    expect(faults({ witness: [] }, P2TR)).toEqual([]);
    expect(faults({ witness: [new Uint8Array(81)] }, P2TR)).toEqual([]);
    expect(faults({ witness: [small] }, "51024e73")).toEqual(refused);
    expect(faults({ witness: [] }, "51024e73")).toEqual([]);
    expect(faults({ witness: [new Uint8Array(200)] }, P2WPKH)).toEqual([]);
  });

  test("outputs of no known form; a key and up to three keys may stand bare", () => {
    const strange = (script: string) =>
      faults({
        outputs: [
          [script, 1000n],
          [P2WSH, 1000n],
        ],
      });
    const whole = `41${"22".repeat(65)}`;
    for (const script of [`${whole}ac`, `51${whole}51ae`, `51${KEY}${whole}52ae`, `6028${"11".repeat(40)}`]) expect(strange(script)).toEqual([]);
    const nearly = [
      `21${"22".repeat(32)}ac`,
      `20${"22".repeat(32)}ac`,
      `20${"22".repeat(33)}ac`,
      `${KEY}00ac`,
      `50${KEY}51ae`,
      `51${KEY}51ad`,
      `51${KEY}5100ae`,
    ];
    for (const script of [...nearly, `5129${"11".repeat(41)}`, "510111", `6102abcd`, `5020${"11".repeat(32)}`, `51${KEY}20${"11".repeat(32)}52ae`]) {
      expect([script, strange(script)]).toEqual([script, [{ reason: "scriptpubkey", output: 0 }]]);
    }
    for (const script of [`${KEY}ac`, `51${KEY}51ae`, `52${KEY.repeat(3)}53ae`, "6a0401020304", "5202abcd"]) expect(strange(script)).toEqual([]);
    for (const script of ["51", `51${KEY.repeat(4)}54ae`, `52${KEY}51ae`, `51${KEY}52ae`, `51${KEY.slice(0, -2)}51ae`, `${KEY}ad`]) {
      expect(strange(script)).toEqual([{ reason: "scriptpubkey", output: 0 }]);
    }
  });
});
