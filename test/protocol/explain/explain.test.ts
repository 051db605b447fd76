import fc from "fast-check";
import { readdirSync } from "node:fs";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { fromHex } from "../../../src/protocol/bytes.js";
import { LnError } from "../../../src/protocol/errors.js";
import { commitmentLedgers, hiddenNumber } from "../../../src/protocol/explain/ledger.js";
import { explainMessage } from "../../../src/protocol/explain/message.js";
import { opcodeWords } from "../../../src/protocol/explain/opcodes.js";
import { explainPsbt } from "../../../src/protocol/explain/psbt.js";
import { explainScript } from "../../../src/protocol/explain/script.js";
import { explainTransaction } from "../../../src/protocol/explain/transaction.js";
import type { Ownership } from "../../../src/protocol/explain/words.js";
import { opcodeName } from "../../../src/protocol/script/interpreter/opcodes.js";
import { knownScript, spendPaths } from "../../../src/protocol/script/known-script.js";
import { describeTransaction } from "../../../src/protocol/tx/describe.js";
import { parseTransaction } from "../../../src/protocol/tx/parse.js";
import { encodeMessage } from "../../../src/protocol/wire/messages.js";
import { expectSums, expectWhole } from "../../support/explained.js";
import { SPEND_KINDS, spendingsOf, withPreimages } from "../../chain/spendings.js";
import { type Json, parse, vectorText } from "../../vectors/document.js";
import { anyChannel, channelOf } from "../channels.js";
import { anyMessage } from "../wire/arbitrary.js";

const NOBODY: Ownership = { names: null, owner: null, revocation: { kind: "unsaid" } };
const NAMES = { local: "alice", remote: "bob" };

function explainTx(tx: Transaction, spent: readonly bigint[] = []) {
  const description = describeTransaction(tx, { spent: spent.map((amount) => ({ amount: amount as never, lock: null, name: null })), outputs: [] });
  return explainTransaction(tx, tx.toBuffer(), description, { ownership: NOBODY, amounts: [] });
}

/** Every string of hex in a document, with the names that lead to it. */
function hexIn(value: Json, path: string): readonly (readonly [path: string, hex: string])[] {
  if (typeof value === "string") return /^(?:[0-9a-f]{2})+$/.test(value) ? [[path, value]] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value as Readonly<Record<string, Json>>).flatMap(([key, inner]) => hexIn(inner, `${path}.${key}`));
}

const FILES = readdirSync(new URL("../../../fixtures/vectors", import.meta.url), { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith("json"),
);
const HEXES = FILES.flatMap((name) => {
  const text = vectorText(name);
  const documents = name.endsWith("ndjson") ? text.trim().split("\n") : [text];
  return documents.flatMap((document, at) => hexIn(parse(document), `${name}[${at}]`));
});

function transactionOf(hex: string): Transaction | null {
  try {
    return parseTransaction(fromHex(hex));
  } catch (error) {
    if (error instanceof LnError) return null;
    throw error;
  }
}

describe("every byte is accounted for", () => {
  test("of every transaction in the vectors", () => {
    const found = HEXES.flatMap(([path, hex]) => {
      const tx = hex.length < 120 ? null : transactionOf(hex);
      return tx === null ? [] : [[path, tx] as const];
    });
    for (const [path, tx] of found) expectWhole(explainTx(tx), path);
    expect(found.length).toBe(TRANSACTIONS_IN_VECTORS);
  });

  test("of every script in the vectors, the outputs' among them", () => {
    const scripts = new Set(
      HEXES.flatMap(([path, hex]) => [
        ...(/script/i.test(path) ? [hex] : []),
        ...(transactionOf(hex)?.outs.map(({ script }) => Buffer.from(script).toString("hex")) ?? []),
      ]),
    );
    for (const hex of scripts) expectWhole(explainScript(fromHex(hex), { ownership: NOBODY }), hex);
    expect(scripts.size).toBe(SCRIPTS_IN_VECTORS);
  });

  test("of random messages, each type with any of its records", () => {
    const types = new Set<string>();
    fc.assert(
      fc.property(anyMessage, (message) => {
        const wire = encodeMessage(message);
        expectWhole(explainMessage(wire), Buffer.from(wire).toString("hex"));
        types.add(message.type);
      }),
      { numRuns: 600 },
    );
    expect(types.size).toBe(20);
  });

  test("of random bytes as a script, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (script) => {
        expectWhole(explainScript(script, { ownership: NOBODY }), Buffer.from(script).toString("hex"));
      }),
      { numRuns: 500 },
    );
  });

  test("of every way to spend what a channel puts on the chain, whatever the format", () => {
    const kinds = new Set<string>();
    for (const type of ["legacy", "static_remotekey", "anchor_outputs", "anchors"] as const) {
      const { channel, preimages } = withPreimages(channelOf(type));
      for (const { tx, kinds: spends, spent } of spendingsOf(channel, preimages)) {
        expectWhole(
          explainTx(
            tx,
            spent.map(({ amount }) => amount),
          ),
          `${type} ${spends.join()}`,
        );
        for (const kind of spends) kinds.add(kind);
      }
    }
    expect([...kinds].sort()).toEqual([...SPEND_KINDS].sort());
  });

  test("of random transactions: any scripts, witnesses and counts", () => {
    const bytes = (most: number) => fc.uint8Array({ maxLength: most }).map((raw) => Buffer.from(raw));
    const element = fc.oneof(
      bytes(80),
      fc.constantFrom(...DER, Buffer.alloc(64, 1), Buffer.alloc(33, 2), Buffer.concat([Buffer.of(0xc0), Buffer.alloc(64, 3)])),
    );
    const anyTx = fc
      .record({
        version: fc.constantFrom(0, 1, 2, 3, 0x7fffffff),
        locktime: fc.oneof(fc.nat(1_000_000), fc.integer({ min: 500_000_000, max: 0xffffffff })),
        ins: fc.array(
          fc.record({
            hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
            index: fc.nat(5),
            sequence: fc.integer({ min: 0, max: 0xffffffff }),
            script: bytes(300),
            witness: fc.array(element, { maxLength: 4 }),
          }),
          { minLength: 1, maxLength: 4 },
        ),
        outs: fc.array(fc.record({ value: fc.bigInt(0n, 2_100_000_000_000_000n), script: bytes(60) }), { minLength: 1, maxLength: 260 }),
      })
      .map(({ version, locktime, ins, outs }) => {
        const tx = new Transaction();
        tx.version = version;
        tx.locktime = locktime;
        for (const [at, { hash, index, sequence, script, witness }] of ins.entries()) {
          tx.addInput(hash, index, sequence, script);
          tx.setWitness(at, witness);
        }
        for (const { value, script } of outs) tx.addOutput(script, value);
        return tx;
      });
    fc.assert(
      fc.property(anyTx, (tx) => {
        expectWhole(explainTx(tx), tx.toHex());
      }),
      { numRuns: 200 },
    );
  });

  test("of a PSBT with every field that we know, one of ours and one that nobody knows", () => {
    const tx = channelOf("anchors").commitment.unsigned;
    const field = (key: string, value: Uint8Array): Buffer => {
      const raw = Buffer.from(key, "hex");
      const size = value.length < 0xfd ? Buffer.of(value.length) : Buffer.of(0xfd, value.length & 0xff, value.length >> 8);
      return Buffer.concat([Buffer.of(raw.length), raw, size, value]);
    };
    const hex = (text: string): Buffer => Buffer.from(text, "hex");
    const key = "02".repeat(33);
    const ours = (subtype: string): string => `fc07${Buffer.from("chankit").toString("hex")}${subtype}${key}`;
    const script = tx.outs[0]!.script;
    const psbt = Buffer.concat([
      hex("70736274ff"),
      field("00", tx.toBuffer()),
      field("fb", hex("00000000")),
      field(`01${"04".repeat(78)}`, hex("0102030405060708")),
      Buffer.of(0),
      field("00", tx.toBuffer()),
      field("01", Buffer.concat([hex("4a01000000000000"), Buffer.of(script.length), script])),
      field(`02${key}`, DER[0]!),
      field("03", hex("01000000")),
      field("04", script),
      field("05", Buffer.from(script)),
      field(`06${key}`, hex("01020304")),
      field("07", hex("00")),
      field("08", hex("020001aa")),
      field(`0b${"11".repeat(32)}`, Buffer.alloc(32, 7)),
      field("18", Buffer.alloc(32, 9)),
      field("7777", hex("1234")),
      field(ours("00"), Buffer.alloc(66, 2)),
      field(ours("01"), Buffer.concat([Buffer.alloc(33, 2), Buffer.alloc(32, 0xee)])),
      field("fc046162636405ab", hex("99")),
      Buffer.of(0),
      ...tx.outs.map(() => Buffer.concat([field("01", Buffer.from(script)), field("05", Buffer.alloc(32, 5)), Buffer.of(0)])),
    ]);
    const explained = explainPsbt(psbt, NOBODY);
    expectWhole(explained, "PSBT");
    expect(JSON.stringify(explained.ranges)).not.toContain("ee".repeat(32));
    for (const cut of [3, 6, 40, psbt.length - 1]) expect(() => explainPsbt(psbt.subarray(0, cut), NOBODY), String(cut)).toThrow(/PSBT|transaction/);
    expect(() => explainPsbt(Buffer.concat([psbt, hex("00")]), NOBODY)).toThrow("1 bytes that nothing is said of");
  });
});

test("every opcode has words", () => {
  for (let opcode = 0; opcode < 256; opcode++) {
    const known = !/^OP_(?:UNKNOWN|INVALIDOPCODE)/.test(opcodeName(opcode));
    expect([opcodeName(opcode), opcodeWords(opcode).startsWith("no opcode")], opcodeName(opcode)).toEqual([opcodeName(opcode), !known]);
  }
});

test("every branch of every script of a channel is announced where it begins", () => {
  const nested = new Set(["to_local", "anchor", "offered_htlc", "received_htlc"]);
  for (const type of ["static_remotekey", "anchors"] as const) {
    for (const { lock } of channelOf(type).commitment.outputs) {
      if (lock.kind !== "p2wsh") continue;
      const known = knownScript(lock.witnessScript);
      if (known === null || !nested.has(known.kind)) continue;
      const { headings } = explainScript(lock.witnessScript, { ownership: NOBODY });
      const announced = headings.filter(({ level }) => level === 2).map(({ title }) => title.split(":", 1).join(""));
      const branches = spendPaths(known)
        .map(({ name }) => name)
        .filter((name) => name !== "anchor_key");
      expect(announced.sort()).toEqual(branches.sort());
    }
  }
});

describe("the arithmetic", () => {
  test("of any commitment: every sum is right, every output has one, both ways to the fee meet", () => {
    fc.assert(
      fc.property(anyChannel, ({ commitment }) => {
        const ledgers = commitmentLedgers(commitment, NAMES);
        expectSums(ledgers, commitment.unsigned.toHex());
        const results = ledgers.map(({ output, lines }) => [output, lines.find(({ kind }) => kind === "result")?.msat] as const);
        for (const [at, { amount }] of commitment.outputs.entries())
          expect(results.filter(([output]) => output === at)).toEqual([[at, amount * 1000n]]);
        expect(results.slice(-2).map(([, msat]) => msat)).toEqual([commitment.actualFee * 1000n, commitment.actualFee * 1000n]);
      }),
      { numRuns: 500 },
    );
  });

  test("the worked example of BOLT 3 §Fee Calculation's kind: trimmed HTLC, remainders, anchors", () => {
    const { commitment } = channelOf("anchors");
    const made = commitmentLedgers(commitment, NAMES).at(-1)!;
    expect(made.lines.map(({ what, msat }) => [what, msat])).toEqual([
      ["base fee: 2,500 sat/kw × (1,124 + 172 × 2 HTLCs) ÷ 1,000, rounded down", 3_670_000n],
      ["two anchors, which the opener pays for", 660_000n],
      ["of that in to_local_anchor", -330_000n],
      ["of that in to_remote_anchor", -330_000n],
      ["fee", 3_670_000n],
    ]);
  });

  test("a number without its channel is not made up", () => {
    expect(hiddenNumber(0x2bb038521914, null)).toEqual({ obscured: 0x2bb038521914n, factor: null, number: null });
    expect(hiddenNumber(null, null)).toBeNull();
  });
});

const DER = [
  Buffer.from(
    "3045022100f51d2e566a70ba740fc5d8c0f07b9b93d2ed741c3c0860c613173de7d39e7968022041376d520e9c0e1ad52248ddf4b22e12be8763007df977253ef45a4ca3bdb7c001",
    "hex",
  ),
];
const TRANSACTIONS_IN_VECTORS = 413;
const SCRIPTS_IN_VECTORS = 358;
