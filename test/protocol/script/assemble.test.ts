import { compile } from "bitcoinjs-lib/src/script";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromHex, point } from "../../../src/protocol/bytes.js";
import { OPS, assemble, fixedNumber, hashHole, numberHole, pointHole, scriptTemplate } from "../../../src/protocol/script/assemble.js";

/** Every size at which a push takes another form, and its neighbours. */
const SIZES = [0, 1, 2, 74, 75, 76, 77, 254, 255, 256, 257, 65_534, 65_535, 65_536, 65_537];

describe("a script is put together as bitcoinjs-lib does, every push in its shortest form", () => {
  test.each(SIZES)("a push of %i bytes", (size) => {
    const chunks = [OPS.OP_DUP, new Uint8Array(size).fill(0xab), OPS.OP_DROP];
    expect(assemble(chunks)).toEqual(compile(chunks));
  });

  test("every push of one byte", () => {
    for (let byte = 0; byte < 256; byte++) expect(assemble([Uint8Array.of(byte)])).toEqual(compile([Uint8Array.of(byte)]));
  });

  test("opcodes and pushes in any order", () => {
    const chunk = fc.oneof(fc.constantFrom(0, 0x51, 0x60, 0x63, 0xac, 0xae), fc.uint8Array({ maxLength: 90 }));
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
        expect(assemble(chunks)).toEqual(compile(chunks));
      }),
    );
  });
});

describe("a template", () => {
  const template = scriptTemplate([OPS.OP_IF, pointHole("key"), hashHole("hash"), numberHole("number"), fixedNumber("fixed", 16), OPS.OP_ENDIF]);
  const key = `02${"11".repeat(32)}`;
  const hash = "22".repeat(20);
  const with_ = (parts: Partial<Record<"open" | "key" | "hash" | "number" | "fixed" | "close" | "behind", string>>) =>
    template.parse(
      fromHex(
        `${parts.open ?? "63"}${parts.key ?? `21${key}`}${parts.hash ?? `14${hash}`}${parts.number ?? "029000"}${parts.fixed ?? "60"}${parts.close ?? "68"}${parts.behind ?? ""}`,
      ),
    );

  test("reads what it builds", () => {
    expect(with_({})).toEqual({ key: point(fromHex(key)), hash: fromHex(hash), number: 144 });
    expect(with_({ key: `2103${"11".repeat(32)}` })?.key[0]).toBe(3);
  });

  test.each<[string, number]>([
    ["00", 0],
    ["51", 1],
    ["60", 16],
    ["0111", 17],
    ["04ffffff7f", 2 ** 31 - 1],
    ["05ffffffff00", 2 ** 32 - 1],
  ])("a number pushed by %s is %i", (number, value) => {
    expect(with_({ number })?.number).toBe(value);
  });

  test.each<[string, Parameters<typeof with_>[0]]>([
    ["another opcode in front", { open: "64" }],
    ["another opcode at the end", { close: "69" }],
    ["an opcode more", { behind: "61" }],
    ["an opcode less", { close: "" }],
    ["two less", { fixed: "", close: "" }],
    ["an opcode for a key", { key: "61" }],
    ["a key of another prefix", { key: `2104${"11".repeat(32)}` }],
    ["a key of 32 bytes", { key: `2002${"11".repeat(31)}` }],
    ["a key of 34 bytes", { key: `2202${"11".repeat(33)}` }],
    ["an opcode for a hash", { hash: "61" }],
    ["a hash of 19 bytes", { hash: `13${"22".repeat(19)}` }],
    ["a hash of 21 bytes", { hash: `15${"22".repeat(21)}` }],
    ["-1 by its opcode", { number: "4f" }],
    ["-1 as data", { number: "0181" }],
    ["a negative number", { number: "02ff80" }],
    ["0 as data", { number: "0100" }],
    ["negative 0", { number: "0180" }],
    ["16 as data", { number: "0110" }],
    ["an opcode above those of small numbers", { number: "61" }],
    ["OP_RESERVED, which stands before them", { number: "50" }],
    ["a number in a longer form", { number: "03900000" }],
    ["a number of six bytes", { number: "06000000000001" }],
    ["another fixed number", { fixed: "5f" }],
    ["the fixed number as data", { fixed: "0110" }],
    ["a push that its bytes do not fill", { close: "4c" }],
  ])("does not read %s", (_, parts) => {
    expect(with_(parts)).toBeNull();
  });

  test("names its elements, holes and fixed numbers, and those alone", () => {
    const elements = template.elements(template.build({ key: point(fromHex(key)), hash: fromHex(hash), number: 3 }));
    expect(elements).toStrictEqual([
      { opcode: OPS.OP_IF },
      { data: fromHex(key), name: "key" },
      { data: fromHex(hash), name: "hash" },
      { opcode: OPS.OP_3, name: "number" },
      { opcode: OPS.OP_16, name: "fixed" },
      { opcode: OPS.OP_ENDIF },
    ]);
    expect(template.elements(fromHex("6368"))).toBeNull();
  });
});
