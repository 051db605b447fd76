import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { list, literal, nullable, text, union } from "../../src/json/codec.js";
import { decode, encode } from "../../src/json/decode.js";
import { fields, optional } from "../../src/json/fields.js";
import {
  bytes32,
  commitmentNumber,
  feeratePerKw,
  hexBytes,
  hexBytesOf,
  millisatoshi,
  point,
  satoshi,
  secret,
  side,
  signature,
  txid,
  u16,
  u32,
  u64,
  u8,
} from "../../src/json/primitives.js";
import type { Point, Txid } from "../../src/protocol/bytes.js";
import type { Secret32 } from "../../src/protocol/secret.js";
import type { MilliSatoshi, Satoshi } from "../../src/protocol/units.js";
import { refusal } from "./refusal.js";

const funding = fields({
  funding_txid: txid,
  output_index: u16,
  capacity_sat: satoshi,
  label: optional(text),
});
const channel = fields({
  fundings: list(funding),
  next: nullable(fields({ per_commitment_point: point("per_commitment"), to_local_msat: millisatoshi })),
  funding_secret: secret("funding"),
});

const ID = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const POINT = `02${ID}`;
const CHANNEL = {
  fundings: [{ funding_txid: ID, output_index: 1, capacity_sat: 10_000_000 }],
  next: { per_commitment_point: POINT, to_local_msat: 8_000_000_000 },
  funding_secret: "11".repeat(32),
};

const refused = (value: unknown) => refusal(() => decode(channel, value, "c.json"));

describe("fields", () => {
  test("snake_case in JSON, camelCase and typed inside", () => {
    const value = decode(channel, CHANNEL, "c.json");
    expect(value.fundings[0]?.outputIndex).toBe(1);
    expect(value.fundings[0]?.capacitySat).toBe(10_000_000n);
    expect(value.fundings[0]?.fundingTxid[0]).toBe(0x1f);
    expect(value.fundingSecret.reveal()).toEqual(new Uint8Array(32).fill(0x11));
    expectTypeOf(value.fundings).items.toEqualTypeOf<{
      readonly fundingTxid: Txid;
      readonly outputIndex: number;
      readonly capacitySat: Satoshi;
      readonly label?: string;
    }>();
    expectTypeOf(value.next).toEqualTypeOf<{ readonly perCommitmentPoint: Point<"per_commitment">; readonly toLocalMsat: MilliSatoshi } | null>();
    expectTypeOf(value.fundingSecret).toEqualTypeOf<Secret32<"funding">>();
  });

  test("writes what it read, keys in the shape's order", () => {
    expect(JSON.stringify(encode(channel, decode(channel, CHANNEL, "c.json")))).toBe(JSON.stringify(CHANNEL));
    const withLabel = { ...CHANNEL, next: null, fundings: [{ label: "first", ...CHANNEL.fundings[0] }] };
    expect(encode(channel, decode(channel, withLabel, "c.json"))).toEqual(withLabel);
  });

  test("an absent optional key is absent inside, and null is no absence", () => {
    expect(decode(channel, CHANNEL, "c.json").fundings[0]).not.toHaveProperty("label");
    expect(refused({ ...CHANNEL, fundings: [{ ...CHANNEL.fundings[0], label: null }] })).toMatchObject({
      code: "json-value",
      details: { path: "fundings[0].label", value: "null", expected: "a string" },
    });
  });

  test("an optional key whose value is a codec", () => {
    const shape = fields({ funding_txid: optional(txid), next: optional(fields({ output_index: u16 })) });
    expect(decode(shape, {}, "c.json")).toEqual({});
    expect(encode(shape, {})).toEqual({});
    expect(encode(shape, decode(shape, { funding_txid: ID, next: { output_index: 3 } }, ""))).toEqual({
      funding_txid: ID,
      next: { output_index: 3 },
    });
  });

  test("prints as JSON Schema", () => {
    expect(channel.jsonSchema()).toMatchObject({
      additionalProperties: false,
      required: ["fundings", "next", "funding_secret"],
      properties: {
        fundings: {
          items: {
            required: ["funding_txid", "output_index", "capacity_sat"],
            properties: {
              funding_txid: { type: "string", pattern: "^(?:[0-9a-fA-F]{2}){32}$" },
              output_index: { type: "integer", minimum: 0, maximum: 65535 },
            },
          },
        },
      },
    });
  });
});

describe("refusals", () => {
  test("unknown key, even where it leaves the right one missing", () => {
    const { funding_secret: secretHex, ...rest } = CHANNEL;
    expect(refused({ ...rest, funding_secert: secretHex })).toMatchObject({
      code: "json-unknown-key",
      message: "c.json: funding_secert: no such key",
      details: { source: "c.json", path: "funding_secert" },
    });
    expect(refused({ ...CHANNEL, fundings: [{ ...CHANNEL.fundings[0], x: 1 }] }).details["path"]).toBe("fundings[0].x");
  });

  test("missing key", () => {
    expect(refused({ ...CHANNEL, fundings: [{ funding_txid: ID, capacity_sat: 1 }] })).toMatchObject({
      code: "json-missing",
      message: "c.json: fundings[0].output_index: missing, expected an integer from 0 to 65535",
      details: { path: "fundings[0].output_index" },
    });
    expect(refused(undefined).code).toBe("json-missing");
  });

  test("wrong value", () => {
    expect(refused({ ...CHANNEL, fundings: [{ ...CHANNEL.fundings[0], output_index: 65536 }] })).toMatchObject({
      code: "json-value",
      message: "c.json: fundings[0].output_index: 65536 is not an integer from 0 to 65535",
      details: { source: "c.json", path: "fundings[0].output_index", value: "65536", expected: "an integer from 0 to 65535" },
    });
    expect(refused([]).message).toBe("c.json: a list of 0 is not an object");
    expect(refused({ ...CHANNEL, fundings: {} }).message).toBe("c.json: fundings: an object is not a list");
    const long = refused({ ...CHANNEL, fundings: [{ ...CHANNEL.fundings[0], funding_txid: "zz".repeat(500) }] });
    expect(long.details["value"]).toHaveLength(80);
  });

  test("a codec's own refusal keeps its code and gets the path", () => {
    const error = refused({ ...CHANNEL, next: { ...CHANNEL.next, per_commitment_point: `05${ID}` } });
    expect(error).toMatchObject({ code: "key-shape", details: { source: "c.json", path: "next.per_commitment_point", value: `05${ID}` } });
    expect(error.message).toMatch(/^c\.json: next\.per_commitment_point: /);
  });

  test("of several forms the first that fits", () => {
    const either = union(fields({ kind: literal("a"), at: u8 }), fields({ kind: literal("b"), at: u8 }));
    expect(encode(either, decode(either, { kind: "b", at: 1 }, "d.json"))).toEqual({ kind: "b", at: 1 });
    expect(refusal(() => decode(either, { kind: "c", at: 1 }, "d.json"))).toMatchObject({
      code: "json-value",
      message: "d.json: an object is not any form allowed here",
    });
    expect(refusal(() => decode(fields({ one: either }), { one: { kind: "b", at: 1, on: 2 } }, "d.json"))).toMatchObject({
      code: "json-unknown-key",
      message: "d.json: one.on: no such key",
    });
  });

  test("the value of a secret is in no refusal", () => {
    const almost = "42".repeat(31) + "4";
    const mistyped = [
      refused({ ...CHANNEL, funding_secret: almost }),
      refused({ ...CHANNEL, funding_secret: 42424242 }),
      refusal(() => decode(fields({ plain: secret("htlc") }), { plain: almost }, "k.json")),
      refusal(() =>
        decode(
          fields({ basepoint_secrets: fields({ htlc: point("htlc_basepoint") }) }),
          { basepoint_secrets: { htlc: `42${"42".repeat(32)}` } },
          "k.json",
        ),
      ),
    ];
    for (const error of mistyped) expect(JSON.stringify([error.message, error.details, error.stack])).not.toContain("4242");
    expect(mistyped.map(({ code }) => code)).toEqual(["json-value", "json-value", "json-value", "key-shape"]);
  });

  test("what a document cannot hold is our fault", () => {
    const value = decode(channel, CHANNEL, "c.json");
    const wrong = { ...value, fundings: [{ ...value.fundings[0], outputIndex: 70_000 }] } as unknown as typeof value;
    expect(refusal(() => encode(channel, wrong))).toMatchObject({ code: "internal-json-encode", details: { path: "fundings[0].output_index" } });
  });
});

describe("primitives", () => {
  const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });

  test("parse ∘ print = id for every kind of bytes", () => {
    fc.assert(
      fc.property(bytes(64), fc.uint8Array(), (raw, any) => {
        const head = raw.slice(0, 32);
        for (const [schema, value] of [
          [hexBytes, any],
          [hexBytesOf(64), raw],
          [bytes32, head],
          [txid, head],
          [signature, raw],
        ] as const) {
          expect(decode(schema as typeof hexBytes, encode(schema as typeof hexBytes, value), "")).toEqual(value);
        }
        const key = Uint8Array.of(3, ...head);
        expect(decode(point("funding"), encode(point("funding"), key as Point<"funding">), "")).toEqual(key);
        const hidden = decode(secret("htlc"), encode(hexBytes, head), "");
        expect(hidden.reveal()).toEqual(head);
        expect(encode(secret("htlc"), hidden)).toBe(encode(hexBytes, head));
      }),
    );
  });

  test("upper case is read, lower case written; no other length, no other digits", () => {
    expect(encode(point("funding"), decode(point("funding"), POINT.toUpperCase(), ""))).toBe(POINT);
    expect(decode(hexBytes, "", "")).toEqual(new Uint8Array());
    for (const bad of ["0", "0g", "0x00", " 00", "00\n"]) expect(refusal(() => decode(hexBytes, bad, "")).code).toBe("json-value");
    for (const bad of [ID.slice(2), `${ID}00`]) expect(refusal(() => decode(bytes32, bad, "")).code).toBe("json-value");
  });

  test("hex of megabytes is read or refused, never an overflow", () => {
    const long = "00".repeat(6_000_000);
    expect(decode(hexBytes, long, "")).toHaveLength(6_000_000);
    expect(refusal(() => decode(hexBytes, `${long}g0`, "")).code).toBe("json-value");
  });

  test("txid is shown reversed", () => {
    expect([...decode(txid, ID, "")]).toEqual(Array.from({ length: 32 }, (_, i) => 31 - i));
  });

  test.each([
    [u8, 255],
    [u16, 65535],
    [u32, 4294967295],
    [commitmentNumber, 281474976710655],
  ])("unsigned integer %#", (schema, max) => {
    for (const value of [0, max]) expect(decode(schema, value, "")).toBe(value);
    for (const bad of [-1, max + 1, 0.5, "1", null, true]) expect(refusal(() => decode(schema, bad, "")).code).toBe("json-value");
  });

  test("feerate", () => {
    expect(decode(feeratePerKw, 253, "")).toBe(253n);
    expect(encode(feeratePerKw, decode(feeratePerKw, 253, ""))).toBe(253);
  });

  test("u64: integer up to 2^53−1, decimal string above, both read", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
        const json = encode(u64, value);
        expect(typeof json).toBe(value < 2n ** 53n ? "number" : "string");
        expect(decode(u64, json, "")).toBe(value);
        expect(decode(u64, String(value), "")).toBe(value);
      }),
    );
    for (const edge of [2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n]) expect(decode(u64, encode(u64, edge), "")).toBe(edge);
    for (const bad of ["18446744073709551616", "99999999999999999999", "01", "-1", "", "1.0", "0x1", " 1", -1, 0.5, 2 ** 53, null, []]) {
      expect(
        refusal(() => decode(u64, bad, "")),
        String(bad),
      ).toMatchObject({
        code: "json-value",
        details: { expected: "an integer from 0 to 2^64−1 (above 2^53−1 as a decimal string)" },
      });
    }
    for (const bad of [-1n, 2n ** 64n]) expect(refusal(() => encode(u64, bad)).code).toBe("internal-json-encode");
  });

  test("side", () => {
    expect(decode(side, "local", "")).toBe("local");
    expect(refusal(() => decode(side, "alice", "s")).message).toBe('s: "alice" is not "local" or "remote"');
  });
});
