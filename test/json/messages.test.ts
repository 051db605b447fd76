import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageSchema, printMessage, readMessage } from "../../src/json/messages.js";
import { parseStrict } from "../../src/json/strict.js";
import { bytes32, fromHex, parseTxid, point, signature, toHex } from "../../src/protocol/bytes.js";
import { LnError } from "../../src/protocol/errors.js";
import { Secret32 } from "../../src/protocol/secret.js";
import { msat } from "../../src/protocol/units.js";
import { encodeMessage, type Message } from "../../src/protocol/wire/messages.js";
import { anyMessage, MESSAGE_NAMES, messageOf } from "../protocol/wire/arbitrary.js";
import { refusal } from "./refusal.js";

const CHANNEL_ID = "c1".repeat(32);
const channelId = bytes32(fromHex(CHANNEL_ID));
const TXID = `${"00".repeat(31)}ff`;

const COMMITMENT_SIGNED = {
  type: "commitment_signed",
  channel_id: CHANNEL_ID,
  signature: "01".repeat(64),
  htlc_signatures: ["02".repeat(64)],
  funding_txid: TXID,
  unknown_tlvs: [{ type: 65537, value: "abcd" }],
  wire: `0084${CHANNEL_ID}${"01".repeat(64)}0001${"02".repeat(64)}0120ff${"00".repeat(31)}fe0001000102abcd`,
  seq: 7,
};
const REVOKE = {
  type: "revoke_and_ack",
  channel_id: CHANNEL_ID,
  per_commitment_secret: "5e".repeat(32),
  next_per_commitment_point: `02${"08".repeat(32)}`,
};
const PAY = { type: "pay", channel_id: CHANNEL_ID, id: 3, amount_msat: 2_000_000_000 };

const read = (document: unknown) => readMessage(document, "m.json");
const refused = (document: unknown) => refusal(() => read(document));
const without = <T extends object>(object: T, ...keys: (keyof T)[]) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key as keyof T)));

describe("printing", () => {
  test("type first, fields in BOLT's order, TLV records, unknown ones, wire, seq", () => {
    const message: Message = {
      type: "commitment_signed",
      unknownTlvs: [{ type: 65537n, value: fromHex("abcd") }],
      fundingTxid: parseTxid(TXID),
      htlcSignatures: [signature(new Uint8Array(64).fill(2))],
      signature: signature(new Uint8Array(64).fill(1)),
      channelId,
    };
    expect(JSON.stringify(printMessage(message, 7))).toBe(JSON.stringify(COMMITMENT_SIGNED));
    expect(printMessage(message)).not.toHaveProperty("seq");
  });

  test("nested records and amounts", () => {
    const closing: Message = {
      type: "closing_signed",
      channelId,
      feeSatoshis: (2n ** 64n - 1n) as never,
      signature: signature(new Uint8Array(64)),
      feeRange: { minFeeSatoshis: 1n as never, maxFeeSatoshis: (2n ** 53n) as never },
    };
    expect(printMessage(closing)).toMatchObject({
      fee_satoshis: "18446744073709551615",
      fee_range: { min_fee_satoshis: 1, max_fee_satoshis: "9007199254740992" },
    });
  });

  test("a revocation carries its secret in JSON, and nowhere by accident", () => {
    const message: Message = {
      type: "revoke_and_ack",
      channelId,
      perCommitmentSecret: new Secret32(new Uint8Array(32).fill(0x5e)),
      nextPerCommitmentPoint: point(fromHex(`02${"08".repeat(32)}`)),
    };
    expect(printMessage(message)).toMatchObject(REVOKE);
    expect(JSON.stringify(message)).not.toContain("5e5e");
  });
});

describe("reading", () => {
  test("both forms, either alone", () => {
    const both = read(COMMITMENT_SIGNED);
    expect(both.seq).toBe(7);
    expect(toHex(both.wire)).toBe(COMMITMENT_SIGNED.wire);
    expect(both.message).not.toHaveProperty("wire");
    expect(read(without(COMMITMENT_SIGNED, "wire"))).toEqual(both);
    for (const alone of [
      { wire: COMMITMENT_SIGNED.wire, seq: 7 },
      { type: "commitment_signed", wire: COMMITMENT_SIGNED.wire, seq: 7 },
    ]) {
      expect(read(alone)).toEqual(both);
    }
    expect(read({ wire: COMMITMENT_SIGNED.wire })).not.toHaveProperty("seq");
  });

  test("amounts as integers or decimal strings", () => {
    expect(read({ ...PAY, amount_msat: "2000000000" })).toEqual(read(PAY));
    expect(read(PAY).message).toEqual({ type: "pay", channelId, id: 3n, amountMsat: msat(2_000_000_000n) });
  });

  test("a flag", () => {
    const points = [
      "funding_pubkey",
      "revocation_basepoint",
      "payment_basepoint",
      "delayed_payment_basepoint",
      "htlc_basepoint",
      "first_per_commitment_point",
    ];
    const agreed = {
      type: "accept_channel",
      temporary_channel_id: CHANNEL_ID,
      dust_limit_satoshis: 354,
      max_htlc_value_in_flight_msat: "18446744073709551615",
      channel_reserve_satoshis: 100_000,
      htlc_minimum_msat: 1,
      minimum_depth: 3,
      to_self_delay: 144,
      max_accepted_htlcs: 483,
      ...Object.fromEntries(points.map((name) => [name, `02${"08".repeat(32)}`])),
      pay_extension: true,
    };
    expect(read(agreed).message).toMatchObject({ payExtension: true });
    expect(refused({ ...agreed, pay_extension: false })).toMatchObject({ code: "json-value", details: { path: "pay_extension", value: "false" } });
  });
});

describe("properties", () => {
  test.each(MESSAGE_NAMES)("%s: read ∘ parse ∘ print = id", (name) => {
    fc.assert(
      fc.property(messageOf(name), fc.option(fc.maxSafeInteger().map(Math.abs), { nil: undefined }), (message, seq) => {
        const again = read(parseStrict(JSON.stringify(printMessage(message, seq)), "m.json"));
        expect(toHex(again.wire)).toBe(toHex(encodeMessage(message)));
        expect(toHex(encodeMessage(again.message))).toBe(toHex(again.wire));
        expect(again.seq).toBe(seq);
      }),
      { numRuns: 30 },
    );
  });

  test("any JSON is a message or an LnError", () => {
    const almost = fc.tuple(anyMessage, fc.nat(), fc.jsonValue()).map(([message, at, value]) => {
      const document: Record<string, unknown> = { ...printMessage(message) };
      const keys = Object.keys(document);
      document[keys[at % keys.length] ?? ""] = value;
      return document;
    });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), almost), (document) => {
        try {
          read(document);
        } catch (error) {
          expect(error).toBeInstanceOf(LnError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("refusals", () => {
  const cut = COMMITMENT_SIGNED.wire.slice(0, 80);

  test.each<[string, unknown, string, object]>([
    ["no object", [], "json-value", { path: "", expected: "an object" }],
    ["nothing", {}, "json-missing", { path: "type" }],
    ["an unknown type", { type: "init" }, "json-value", { path: "type", value: '"init"' }],
    ["an unknown key", { ...PAY, amount_sat: 1 }, "json-unknown-key", { path: "amount_sat" }],
    ["a mistyped key", { ...without(PAY, "amount_msat"), amount_mast: 1 }, "json-unknown-key", { path: "amount_mast" }],
    ["a missing key", without(PAY, "id"), "json-missing", { path: "id" }],
    ["a type without fields", { type: "pay" }, "json-missing", { path: "channel_id" }],
    [
      "a value out of range",
      { type: "update_fee", channel_id: CHANNEL_ID, feerate_per_kw: 2 ** 32 },
      "json-value",
      { path: "feerate_per_kw", value: "4294967296" },
    ],
    [
      "a point of another shape",
      { ...REVOKE, next_per_commitment_point: `04${"08".repeat(32)}` },
      "key-shape",
      { path: "next_per_commitment_point" },
    ],
    ["an unknown even TLV in JSON", { ...PAY, unknown_tlvs: [{ type: 2, value: "" }] }, "wire-tlv-even", { path: "", message: "pay", tlv: "2" }],
    ["a sequence number that is none", { ...PAY, seq: -1 }, "json-value", { path: "seq" }],
    ["wire that is not hex", { wire: "0g" }, "json-value", { path: "wire" }],
    ["wire of an unknown type", { wire: "0100" }, "wire-unknown-type", { path: "wire", type: 256 }],
    ["wire cut short", { wire: cut }, "wire-truncated", { path: "wire", message: "commitment_signed", field: "signature" }],
    ["wire cut short beside its JSON", { ...COMMITMENT_SIGNED, wire: cut }, "wire-truncated", { path: "wire" }],
  ])("%s", (_what, document, code, details) => {
    expect(refused(document)).toMatchObject({ code, details: { source: "m.json", ...details } });
  });

  test.each<[string, object, object]>([
    ["type", { type: "update_fee", wire: COMMITMENT_SIGNED.wire }, { path: "type", json: '"update_fee"', wire: '"commitment_signed"' }],
    ["type with fields", { ...PAY, wire: COMMITMENT_SIGNED.wire }, { path: "type", json: '"pay"', wire: '"commitment_signed"' }],
    ["an item of a list", { ...COMMITMENT_SIGNED, htlc_signatures: ["03".repeat(64)] }, { path: "htlc_signatures[0]" }],
    ["a list's length", { ...COMMITMENT_SIGNED, htlc_signatures: [] }, { path: "htlc_signatures[0]", json: "nothing" }],
    ["a TLV that only one has", without(COMMITMENT_SIGNED, "funding_txid"), { path: "funding_txid", json: "nothing", wire: `"${TXID}"` }],
    [
      "an unknown TLV",
      { ...COMMITMENT_SIGNED, unknown_tlvs: [{ type: 65539, value: "abcd" }] },
      { path: "unknown_tlvs[0].type", json: "65539", wire: "65537" },
    ],
    [
      "a byte far behind",
      { ...COMMITMENT_SIGNED, signature: `${"01".repeat(63)}02` },
      { path: "signature", json: `…1${"01".repeat(11)}02"`, wire: `…1${"01".repeat(12)}"` },
    ],
  ])("JSON and wire differ in %s", (_what, document, details) => {
    expect(refused(document)).toMatchObject({ code: "wire-json-mismatch", details: { source: "m.json", ...details } });
  });

  test("a secret is in no refusal", () => {
    const wire = `0085${CHANNEL_ID}${"5f".repeat(32)}02${"08".repeat(32)}`;
    const errors = [
      refused({ ...REVOKE, wire }),
      refused({ ...REVOKE, per_commitment_secret: "5e".repeat(31) }),
      refused({ ...REVOKE, wire: `${wire}00` }),
      refused({ wire: wire.slice(0, 120) }),
      refused({ wire: `${wire}0` }),
      refused({ ...REVOKE, per_commitment_secert: "5e".repeat(32) }),
    ];
    expect(errors.map(({ code }) => code)).toEqual([
      "wire-json-mismatch",
      "json-value",
      "wire-truncated",
      "wire-truncated",
      "json-value",
      "json-unknown-key",
    ]);
    expect(errors[0]?.details).toEqual({ source: "m.json", path: "per_commitment_secret" });
    for (const error of errors) expect(JSON.stringify([error.message, error.details])).not.toMatch(/5e5e|5f5f/);
  });
});

test("every message has a JSON Schema", () => {
  for (const name of MESSAGE_NAMES) {
    expect(messageSchema(name)).toMatchObject({
      additionalProperties: false,
      properties: { type: { const: name } },
    });
  }
  expect(messageSchema()).toHaveProperty("anyOf");
});
