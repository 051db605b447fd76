import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, fromHex, point, toHex } from "../../../src/protocol/bytes.js";
import { ANCHOR_SCRIPT } from "../../../src/protocol/script/anchor.js";
import { OPS, type ScriptTemplate, numberHole, scriptTemplate } from "../../../src/protocol/script/assemble.js";
import { FUNDING_SCRIPT } from "../../../src/protocol/script/funding.js";
import {
  OFFERED_HTLC_ANCHORS_SCRIPT,
  OFFERED_HTLC_SCRIPT,
  RECEIVED_HTLC_ANCHORS_SCRIPT,
  RECEIVED_HTLC_SCRIPT,
} from "../../../src/protocol/script/htlc.js";
import { TO_LOCAL_SCRIPT } from "../../../src/protocol/script/to-local.js";
import { TO_REMOTE_ANCHORS_SCRIPT } from "../../../src/protocol/script/to-remote.js";
import { flipBit } from "../channels.js";

const anyPoint = fc
  .tuple(fc.constantFrom(2, 3), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([head, x]) => point(Uint8Array.of(head, ...x)));
const anyHash160 = fc.uint8Array({ minLength: 20, maxLength: 20 });
/** Every length of push: small numbers have opcodes of their own, large ones take up to five bytes. */
const anyNumber = fc.oneof(
  fc.constantFrom(0, 1, 16, 17, 127, 128, 255, 256, 32_767, 32_768, 8_388_607, 8_388_608, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
);
const htlc = {
  revocationpubkey_hash160: anyHash160,
  remote_htlcpubkey: anyPoint,
  local_htlcpubkey: anyPoint,
  payment_hash_ripemd160: anyHash160,
};

interface Row {
  readonly template: ScriptTemplate<object>;
  readonly values: fc.Arbitrary<object>;
  /** Without numbers in holes, whose pushes differ in length. */
  readonly bytes: number;
}

const row = <Values extends object>(
  template: ScriptTemplate<Values>,
  values: { readonly [Name in keyof Values]: fc.Arbitrary<Values[Name]> },
  bytes: number,
): Row => ({
  template,
  values: fc.record(values),
  bytes,
});

const TEMPLATES: Readonly<Record<string, Row>> = {
  funding: row(FUNDING_SCRIPT, { pubkey1: anyPoint, pubkey2: anyPoint }, 71),
  to_local: row(TO_LOCAL_SCRIPT, { revocationpubkey: anyPoint, to_self_delay: anyNumber, local_delayedpubkey: anyPoint }, 74),
  to_remote: row(TO_REMOTE_ANCHORS_SCRIPT, { remotepubkey: anyPoint }, 37),
  anchor: row(ANCHOR_SCRIPT, { funding_pubkey: anyPoint }, 40),
  offered_htlc: row(OFFERED_HTLC_SCRIPT, htlc, 133),
  "offered_htlc with anchors": row(OFFERED_HTLC_ANCHORS_SCRIPT, htlc, 136),
  received_htlc: row(RECEIVED_HTLC_SCRIPT, { ...htlc, cltv_expiry: anyNumber }, 135),
  "received_htlc with anchors": row(RECEIVED_HTLC_ANCHORS_SCRIPT, { ...htlc, cltv_expiry: anyNumber }, 138),
};

function pushBytes(values: object): number {
  const [number] = Object.values(values).filter((value): value is number => typeof value === "number");
  if (number === undefined) return 0;
  return number <= 16 ? 1 : 1 + [0x7f, 0x7fff, 0x7fffff, 0x7fffffff].filter((limit) => number > limit).length + 1;
}

describe.each(Object.entries(TEMPLATES))("%s", (name, { template, values, bytes }) => {
  test("parse ∘ build = id, and only its own template reads it", () => {
    fc.assert(
      fc.property(values, (given) => {
        const script = template.build(given);
        expect(script).toHaveLength(bytes + pushBytes(given));
        expect(template.parse(script)).toEqual(given);
        const readers = Object.entries(TEMPLATES).filter(([, other]) => other.template.parse(script) !== null);
        expect(readers.map(([reader]) => reader)).toEqual([name]);
      }),
    );
  });

  test("its elements are the script's, holes by their names", () => {
    fc.assert(
      fc.property(values, (given) => {
        const elements = template.elements(template.build(given)) ?? [];
        for (const [hole, value] of Object.entries(given)) {
          const element = elements.find((candidate) => candidate.name === hole);
          expect(element).toBeDefined();
          if (typeof value !== "number") expect(element?.data).toEqual(value);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("a script with a bit flipped is another one of its kind, or none", () => {
    fc.assert(
      fc.property(values, fc.nat(8 * 150), (given, bit) => {
        const script = template.build(given);
        const near = flipBit(script, bit);
        const read = template.parse(near);
        if (read === null) expect(template.elements(near)).toBeNull();
        else expect(template.build(read)).toEqual(near);
        expect(read).not.toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  test("cut, lengthened or doubled it is refused", () => {
    fc.assert(
      fc.property(values, fc.nat(150), (given, length) => {
        const script = template.build(given);
        expect(template.parse(script.subarray(0, length % script.length))).toBeNull();
        expect(template.parse(concat(script, Uint8Array.of(OPS.OP_NOP)))).toBeNull();
        expect(template.parse(concat(script, script))).toBeNull();
      }),
    );
  });
});

describe("near misses", () => {
  const key = `02${"11".repeat(32)}`;

  test("a push in a longer form", () => {
    expect(TO_REMOTE_ANCHORS_SCRIPT.parse(fromHex(`21${key}ad51b2`))).not.toBeNull();
    expect(TO_REMOTE_ANCHORS_SCRIPT.parse(fromHex(`4c21${key}ad51b2`))).toBeNull();
    expect(TO_REMOTE_ANCHORS_SCRIPT.parse(fromHex(`21${key}ad0101b2`))).toBeNull();
  });

  test("a number in a longer form, or a negative one", () => {
    const withDelay = (push: string) => TO_LOCAL_SCRIPT.parse(fromHex(`6321${key}67${push}b27521${key}68ac`))?.to_self_delay;
    expect(withDelay("029000")).toBe(144);
    expect(withDelay("03900000")).toBeUndefined();
    expect(withDelay("020100")).toBeUndefined();
    expect(withDelay("0110")).toBeUndefined();
    expect(withDelay("0190")).toBeUndefined();
    expect(withDelay("02ff80")).toBeUndefined();
    expect(withDelay("4f")).toBeUndefined();
    expect(withDelay("06000000000001")).toBeUndefined();
  });

  test("a preimage of another size", () => {
    const hash = "22".repeat(20);
    const offered = (size: string) => fromHex(`76a914${hash}8763ac6721${key}7c82${size}876475527c21${key}52ae67a914${hash}88ac6868`);
    expect(OFFERED_HTLC_SCRIPT.parse(offered("0120"))).not.toBeNull();
    expect(OFFERED_HTLC_SCRIPT.parse(offered("0121"))).toBeNull();
    expect(OFFERED_HTLC_SCRIPT.parse(offered("60"))).toBeNull();
  });

  test("a key of another shape, bytes that are no script", () => {
    expect(TO_REMOTE_ANCHORS_SCRIPT.parse(fromHex(`2104${"11".repeat(32)}ad51b2`))).toBeNull();
    expect(TO_REMOTE_ANCHORS_SCRIPT.parse(fromHex("21"))).toBeNull();
    expect(TO_REMOTE_ANCHORS_SCRIPT.parse(new Uint8Array())).toBeNull();
  });
});

test("numbers stand as BOLT 3's vectors have them: 144 is 029000, 500 is 02f401, 16 is OP_16", () => {
  const script = scriptTemplate([numberHole("n")]);
  expect([144, 500, 16, 0, 17].map((n) => toHex(script.build({ n })))).toEqual(["029000", "02f401", "60", "00", "0111"]);
});
