import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  bytes32,
  fromHex,
  parseTxid,
  point,
  scriptPubkey,
  signature,
  toHex,
  type Bytes32,
  type Signature,
  type Txid,
} from "../../../src/protocol/bytes.js";
import { LnError } from "../../../src/protocol/errors.js";
import { Secret32 } from "../../../src/protocol/secret.js";
import { msat, perKw, sat } from "../../../src/protocol/units.js";
import { decodeMessage, encodeMessage, MESSAGE_TYPES, type Message, type MessageOf } from "../../../src/protocol/wire/messages.js";
import type { TlvRecord } from "../../../src/protocol/wire/tlv.js";
import { refusal } from "../../json/refusal.js";
import { anyMessage, MESSAGE_NAMES, messageOf } from "./arbitrary.js";

const id = bytes32(new Uint8Array(32).fill(0xc1));
const C1 = "c1".repeat(32);
const sig = (byte: number) => signature(new Uint8Array(64).fill(byte));
const key = (byte: number) => point<never>(Uint8Array.of(2, ...new Uint8Array(32).fill(byte)));
const K = (byte: string) => `02${byte.repeat(32)}`;

/** Each written out by hand from the layout in BOLT 2: type, then field by field. */
const WORKED: readonly (readonly [Message, string])[] = [
  [
    {
      type: "open_channel",
      chainHash: bytes32(new Uint8Array(32).fill(0x43)),
      temporaryChannelId: id,
      fundingSatoshis: sat(10_000_000n),
      pushMsat: msat(0n),
      dustLimitSatoshis: sat(354n),
      maxHtlcValueInFlightMsat: msat(2n ** 64n - 1n),
      channelReserveSatoshis: sat(100_000n),
      htlcMinimumMsat: msat(1n),
      feeratePerKw: perKw(253n),
      toSelfDelay: 144,
      maxAcceptedHtlcs: 483,
      fundingPubkey: key(1),
      revocationBasepoint: key(2),
      paymentBasepoint: key(3),
      delayedPaymentBasepoint: key(4),
      htlcBasepoint: key(5),
      firstPerCommitmentPoint: key(6),
      channelFlags: 1,
      upfrontShutdownScript: scriptPubkey(new Uint8Array()),
      channelType: fromHex("401000"),
      payExtension: true,
    },
    [
      "0020",
      "43".repeat(32),
      C1,
      "0000000000989680",
      "0000000000000000",
      "0000000000000162",
      "ffffffffffffffff",
      "00000000000186a0",
      "0000000000000001",
      "000000fd",
      "0090",
      "01e3",
      K("01"),
      K("02"),
      K("03"),
      K("04"),
      K("05"),
      K("06"),
      "01",
      "0000",
      "0103401000",
      "fe27b0da9700",
    ].join(""),
  ],
  [
    {
      type: "accept_channel",
      temporaryChannelId: id,
      dustLimitSatoshis: sat(354n),
      maxHtlcValueInFlightMsat: msat(5n),
      channelReserveSatoshis: sat(6n),
      htlcMinimumMsat: msat(7n),
      minimumDepth: 3,
      toSelfDelay: 720,
      maxAcceptedHtlcs: 30,
      fundingPubkey: key(1),
      revocationBasepoint: key(2),
      paymentBasepoint: key(3),
      delayedPaymentBasepoint: key(4),
      htlcBasepoint: key(5),
      firstPerCommitmentPoint: key(6),
    },
    [
      "0021",
      C1,
      "0000000000000162",
      "0000000000000005",
      "0000000000000006",
      "0000000000000007",
      "00000003",
      "02d0",
      "001e",
      K("01"),
      K("02"),
      K("03"),
      K("04"),
      K("05"),
      K("06"),
    ].join(""),
  ],
  [
    {
      type: "funding_created",
      temporaryChannelId: id,
      fundingTxid: parseTxid(`${"00".repeat(31)}ff`),
      fundingOutputIndex: 258,
      signature: sig(0x51),
    },
    // The txid's display order begins with 00, the wire with ff.
    ["0022", C1, `ff${"00".repeat(31)}`, "0102", "51".repeat(64)].join(""),
  ],
  [{ type: "funding_signed", channelId: id, signature: sig(0x52) }, ["0023", C1, "52".repeat(64)].join("")],
  [
    { type: "channel_ready", channelId: id, secondPerCommitmentPoint: key(7), shortChannelId: 0x0102030405060708n },
    ["0024", C1, K("07"), "01080102030405060708"].join(""),
  ],
  [
    { type: "shutdown", channelId: id, scriptpubkey: scriptPubkey(fromHex(`0014${"aa".repeat(20)}`)) },
    ["0026", C1, "0016", `0014${"aa".repeat(20)}`].join(""),
  ],
  [
    {
      type: "closing_signed",
      channelId: id,
      feeSatoshis: sat(183n),
      signature: sig(9),
      feeRange: { minFeeSatoshis: sat(1n), maxFeeSatoshis: sat(2n) },
    },
    ["0027", C1, "00000000000000b7", "09".repeat(64), "0110", "0000000000000001", "0000000000000002"].join(""),
  ],
  [
    {
      type: "closing_complete",
      channelId: id,
      closerScriptpubkey: scriptPubkey(fromHex("6a")),
      closeeScriptpubkey: scriptPubkey(fromHex("5152")),
      feeSatoshis: sat(1n),
      locktime: 0x01020304,
      closerOutputOnly: sig(1),
      closerAndCloseeOutputs: sig(3),
    },
    ["0028", C1, "00016a", "00025152", "0000000000000001", "01020304", `0140${"01".repeat(64)}`, `0340${"03".repeat(64)}`].join(""),
  ],
  [
    {
      type: "update_add_htlc",
      channelId: id,
      id: 5n,
      amountMsat: msat(2_000_000n),
      paymentHash: bytes32(new Uint8Array(32).fill(0x77)),
      cltvExpiry: 500,
      onionRoutingPacket: new Uint8Array(1366).fill(0x0e),
    },
    ["0080", C1, "0000000000000005", "00000000001e8480", "77".repeat(32), "000001f4", "0e".repeat(1366)].join(""),
  ],
  [
    {
      type: "update_fulfill_htlc",
      channelId: id,
      id: 5n,
      paymentPreimage: bytes32(new Uint8Array(32).fill(0x78)),
      attributionData: new Uint8Array(920).fill(1),
    },
    ["0082", C1, "0000000000000005", "78".repeat(32), "01fd0398", "01".repeat(920)].join(""),
  ],
  [{ type: "update_fail_htlc", channelId: id, id: 1n, reason: fromHex("abcdef") }, ["0083", C1, "0000000000000001", "0003abcdef"].join("")],
  [
    { type: "commitment_signed", channelId: id, signature: sig(1), htlcSignatures: [sig(2), sig(3)], fundingTxid: parseTxid(`${"00".repeat(31)}ff`) },
    ["0084", C1, "01".repeat(64), "0002", "02".repeat(64), "03".repeat(64), `0120ff${"00".repeat(31)}`].join(""),
  ],
  [
    { type: "revoke_and_ack", channelId: id, perCommitmentSecret: new Secret32(new Uint8Array(32).fill(0x5e)), nextPerCommitmentPoint: key(8) },
    ["0085", C1, "5e".repeat(32), K("08")].join(""),
  ],
  [{ type: "update_fee", channelId: id, feeratePerKw: perKw(15_000n) }, ["0086", C1, "00003a98"].join("")],
  [
    { type: "update_fail_malformed_htlc", channelId: id, id: 2n, sha256OfOnion: bytes32(new Uint8Array(32).fill(4)), failureCode: 0xc005 },
    ["0087", C1, "0000000000000002", "04".repeat(32), "c005"].join(""),
  ],
  [
    {
      type: "channel_reestablish",
      channelId: id,
      nextCommitmentNumber: 1n,
      nextRevocationNumber: 0n,
      yourLastPerCommitmentSecret: new Secret32(new Uint8Array(32)),
      myCurrentPerCommitmentPoint: key(9),
      nextFunding: { txid: parseTxid(`${"00".repeat(31)}ff`), retransmitFlags: 1 },
    },
    ["0088", C1, "0000000000000001", "0000000000000000", "00".repeat(32), K("09"), `0121ff${"00".repeat(31)}01`].join(""),
  ],
  [{ type: "pay", channelId: id, id: 0n, amountMsat: msat(2_000_000_000n) }, ["867c", C1, "0000000000000000", "0000000077359400"].join("")],
  [{ type: "warning", channelId: id, data: new TextEncoder().encode("hm") }, ["0001", C1, "0002", "686d"].join("")],
  [
    {
      type: "error",
      channelId: id,
      data: new Uint8Array(),
      unknownTlvs: [
        { type: 3n, value: fromHex("0102") },
        { type: 65537n, value: new Uint8Array() },
      ],
    },
    ["0011", C1, "0000", "03020102", "fe0001000100"].join(""),
  ],
];

describe("layouts", () => {
  test.each(WORKED)("$type", (message, hex) => {
    expect(toHex(encodeMessage(message))).toBe(hex);
    expect(decodeMessage(fromHex(hex))).toEqual(message);
  });

  test("types", () => {
    expect(MESSAGE_TYPES).toEqual({
      warning: 1,
      error: 17,
      open_channel: 32,
      accept_channel: 33,
      funding_created: 34,
      funding_signed: 35,
      channel_ready: 36,
      shutdown: 38,
      closing_signed: 39,
      closing_complete: 40,
      closing_sig: 41,
      update_add_htlc: 128,
      update_fulfill_htlc: 130,
      update_fail_htlc: 131,
      commitment_signed: 132,
      revoke_and_ack: 133,
      update_fee: 134,
      update_fail_malformed_htlc: 135,
      channel_reestablish: 136,
      pay: 34428,
    });
  });

  test("a message's type in TypeScript", () => {
    expectTypeOf<MessageOf<"commitment_signed">>().toEqualTypeOf<{
      readonly type: "commitment_signed";
      readonly channelId: Bytes32;
      readonly signature: Signature;
      readonly htlcSignatures: readonly Signature[];
      readonly fundingTxid?: Txid;
      readonly unknownTlvs?: readonly TlvRecord[];
    }>();
    expectTypeOf<Extract<Message, { type: "pay" }>>().toEqualTypeOf<MessageOf<"pay">>();
  });
});

describe("properties", () => {
  test.each(MESSAGE_NAMES)("%s: decode ∘ encode = id", (name) => {
    fc.assert(
      fc.property(messageOf(name), (message) => {
        expect(reveal(decodeMessage(encodeMessage(message)))).toEqual(reveal(message));
      }),
      { numRuns: 50 },
    );
  });

  test("any bytes are a message, which gives them again, or an LnError", () => {
    const headed = fc
      .tuple(fc.constantFrom(...Object.values(MESSAGE_TYPES)), fc.uint8Array({ maxLength: 600 }))
      .map(([type, tail]) => Uint8Array.of(type >> 8, type & 0xff, ...tail));
    const mutated = fc.tuple(anyMessage, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([message, at, byte]) => {
      const bytes = encodeMessage(message);
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), headed, mutated), (bytes) => {
        let message: Message;
        try {
          message = decodeMessage(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(LnError);
          return;
        }
        expect(toHex(encodeMessage(message))).toBe(toHex(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  test("cut anywhere, a message is refused or ends before its TLV records", () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, cut) => {
        const whole = encodeMessage(message);
        const bytes = whole.slice(0, cut % whole.length);
        try {
          expect(toHex(encodeMessage(decodeMessage(bytes)))).toBe(toHex(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: "wire-truncated" });
        }
      }),
    );
  });
});

describe("refusals when reading", () => {
  const decode = (hex: string) => refusal(() => decodeMessage(fromHex(hex)));
  const payment = `867c${C1}00000000000000000000000077359400`;

  test.each([
    ["no type", "00", "wire-truncated", { message: "message", field: "type", needed: 2, left: 1 }],
    ["unknown even type", "0100", "wire-unknown-type", { type: 256, odd: false }],
    ["unknown odd type", "0101", "wire-unknown-type", { type: 257, odd: true }],
    ["a field cut", payment.slice(0, -2), "wire-truncated", { message: "pay", field: "amount_msat", needed: 8, left: 7 }],
    [
      "fewer items than counted",
      `0084${C1}${"01".repeat(64)}0002${"02".repeat(64)}`,
      "wire-truncated",
      { message: "commitment_signed", field: "htlc_signatures" },
    ],
    ["fewer bytes than counted", `0026${C1}ffff00`, "wire-truncated", { message: "shutdown", field: "scriptpubkey", needed: 65535, left: 1 }],
    ["a point's first byte", `0024${C1}04${"07".repeat(32)}`, "key-shape", { message: "channel_ready", field: "second_per_commitment_point" }],
    ["a TLV cut", `${payment}0302aa`, "wire-truncated", { message: "pay", field: "tlvs", tlv: "3", needed: "2", left: 1 }],
    ["a TLV's length beyond all", `${payment}03ffffffffffffffffff`, "wire-truncated", { needed: "18446744073709551615", left: 0 }],
    ["a TLV without its length", `${payment}03`, "wire-truncated", { field: "tlvs" }],
    ["a TLV's type in a long form", `${payment}fd000300`, "wire-bigsize", { field: "tlvs", value: "3" }],
    ["a TLV's length in a long form", `${payment}03fd0001aa`, "wire-bigsize", { field: "tlvs", value: "1" }],
    ["falling TLV types", `${payment}05000300`, "wire-tlv-order", { tlv: "3", after: "5" }],
    ["a TLV twice", `${payment}05000500`, "wire-tlv-order", { tlv: "5", after: "5" }],
    ["an unknown even TLV", `${payment}0400`, "wire-tlv-even", { tlv: "4" }],
    [
      "a known TLV too short",
      `0024${C1}${K("07")}010701020304050607`,
      "wire-tlv-length",
      { message: "channel_ready", field: "short_channel_id", bytes: 7, expected: 8 },
    ],
    [
      "a known TLV too long",
      `0027${C1}0000000000000001${"09".repeat(64)}0111${"00".repeat(17)}`,
      "wire-tlv-length",
      { field: "fee_range", bytes: 17, expected: 16 },
    ],
    [
      "a flag with a value",
      `0021${C1}${"00".repeat(40)}${K("01").repeat(6)}fe27b0da970100`,
      "wire-tlv-length",
      { field: "pay_extension", bytes: 1, expected: 0 },
    ],
    ["more bytes than a transport carries", `0001${"00".repeat(65534)}`, "wire-too-long", { bytes: 65536, limit: 65535 }],
  ])("%s", (_what, hex, code, details) => {
    expect(decode(hex)).toMatchObject({ code, details });
  });

  test("a secret is in no refusal, even where bytes too many shift it into a point's place", () => {
    for (const shift of ["", "00", "0000000000000000"]) {
      const error = decode(`0085${C1}${shift}${"5e".repeat(32)}04${"08".repeat(32)}`);
      expect(error).toMatchObject({ code: "key-shape", details: { message: "revoke_and_ack", field: "next_per_commitment_point" } });
      expect(JSON.stringify([error.message, error.details])).not.toContain("5e");
    }
  });
});

describe("refusals when writing", () => {
  const pay: MessageOf<"pay"> = { type: "pay", channelId: id, id: 0n, amountMsat: msat(1n) };
  const encode = (message: Message) => refusal(() => encodeMessage(message));
  const value = new Uint8Array();

  test.each<[string, Message, string, object]>([
    ["an integer too large", { ...pay, id: 2n ** 64n }, "wire-range", { message: "pay", field: "id" }],
    ["a negative amount", { ...pay, amountMsat: msat(-1n) }, "wire-range", { message: "pay", field: "amount_msat" }],
    ["an unknown even TLV", { ...pay, unknownTlvs: [{ type: 2n, value }] }, "wire-tlv-even", { tlv: "2" }],
    [
      "unknown TLVs out of order",
      {
        ...pay,
        unknownTlvs: [
          { type: 3n, value },
          { type: 1n, value },
        ],
      },
      "wire-tlv-order",
      { tlv: "1", after: "3" },
    ],
    [
      "a known TLV as an unknown one",
      { type: "channel_ready", channelId: id, secondPerCommitmentPoint: key(1), unknownTlvs: [{ type: 1n, value }] },
      "wire-tlv-known",
      { tlv: "1" },
    ],
    [
      "an onion of the wrong size",
      { type: "update_add_htlc", channelId: id, id: 0n, amountMsat: msat(1n), paymentHash: id, cltvExpiry: 1, onionRoutingPacket: value },
      "wire-range",
      { field: "onion_routing_packet" },
    ],
    ["more bytes than a u16 counts", { type: "error", channelId: id, data: new Uint8Array(65536) }, "wire-range", { field: "data" }],
    ["more bytes than a transport carries", { type: "error", channelId: id, data: new Uint8Array(65535) }, "wire-too-long", { bytes: 65571 }],
  ])("%s", (_what, message, code, details) => {
    expect(encode(message)).toMatchObject({ code, details });
  });
});

/** Secrets compare equal whatever they hold, so a comparison must look at their bytes. */
function reveal(message: Message): object {
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => [name, value instanceof Secret32 ? toHex(value.reveal()) : (value as unknown)]),
  );
}
