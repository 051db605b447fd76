import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes32 } from "../../../src/protocol/bytes.js";
import { SIDES, type Side, opposite } from "../../../src/protocol/side.js";
import { FORMATS, channelTypeFeatures, channelTypeOf } from "../../../src/protocol/tx/format.js";
import { CHANNEL_TYPES } from "../../../src/protocol/tx/channel-type.js";
import { type ChangeContent, type CommitmentSpec, reduce, sameSpec } from "../../../src/protocol/tx/spec.js";
import { msat, perKw } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { anySpec } from "../channels.js";

const START: CommitmentSpec = { feeratePerKw: perKw(253n), balances: { local: msat(10_000n), remote: msat(5_000n) }, htlcs: [] };
const add = (id: bigint, amount: bigint): ChangeContent => ({
  kind: "add_htlc",
  id,
  amountMsat: msat(amount),
  paymentHash: bytes32(new Uint8Array(32)),
  cltvExpiry: 500,
});
const fulfill = (id: bigint): ChangeContent => ({ kind: "fulfill_htlc", id, paymentPreimage: bytes32(new Uint8Array(32)) });

const totalOf = ({ balances, htlcs }: CommitmentSpec): bigint =>
  htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, balances.local + balances.remote);

describe("reduce", () => {
  test("no change makes or loses a millisatoshi, whoever proposes it", () => {
    fc.assert(
      fc.property(anySpec, fc.constantFrom(...SIDES), fc.nat(20), (spec, by, part) => {
        const amountMsat = msat(spec.balances[by] / BigInt(part + 1));
        const changes: readonly { readonly by: Side; readonly content: ChangeContent }[] = [
          { by, content: { kind: "pay", id: 0n, amountMsat } },
          { by: opposite(by), content: add(99n, amountMsat) },
          { by, content: { kind: "update_fee", feeratePerKw: perKw(300n) } },
          { by, content: part % 2 === 0 ? fulfill(99n) : { kind: "fail_htlc", id: 99n } },
        ];
        for (let count = 0; count <= changes.length; count++) expect(totalOf(reduce(spec, changes.slice(0, count)))).toBe(totalOf(spec));
        const after = reduce(spec, changes);
        const kept = part % 2 === 0 ? spec.balances[by] : msat(spec.balances[by] - amountMsat);
        expect(after.balances[by]).toBe(kept);
        expect(after.feeratePerKw).toBe(300n);
      }),
    );
  });

  test("a fulfilled HTLC pays whom it was offered to, a failed one whom it came from", () => {
    const offered = reduce(START, [{ by: "local", content: add(0n, 3_000n) }]);
    expect(offered.balances).toEqual({ local: 7_000n, remote: 5_000n });
    expect(reduce(offered, [{ by: "remote", content: fulfill(0n) }]).balances).toEqual({ local: 7_000n, remote: 8_000n });
    expect(reduce(offered, [{ by: "remote", content: { kind: "fail_htlc", id: 0n } }])).toEqual(START);
  });

  test("state-balance-overdrawn: a payment or an HTLC of more than there is", () => {
    expect(refusal(() => reduce(START, [{ by: "remote", content: { kind: "pay", id: 0n, amountMsat: msat(5_001n) } }]))).toMatchObject({
      code: "state-balance-overdrawn",
      details: { side: "remote", amount_msat: "5001", balance_msat: "5000" },
    });
    expect(refusal(() => reduce(START, [{ by: "local", content: add(0n, 10_001n) }])).code).toBe("state-balance-overdrawn");
  });

  test("state-htlc-unknown: not there, or removed by who offered it, or twice", () => {
    const offered = reduce(START, [{ by: "local", content: add(0n, 3_000n) }]);
    expect(refusal(() => reduce(offered, [{ by: "remote", content: fulfill(1n) }])).code).toBe("state-htlc-unknown");
    expect(refusal(() => reduce(offered, [{ by: "local", content: fulfill(0n) }])).code).toBe("state-htlc-unknown");
    const settled = reduce(offered, [{ by: "remote", content: fulfill(0n) }]);
    expect(refusal(() => reduce(settled, [{ by: "remote", content: fulfill(0n) }]))).toMatchObject({ details: { id: "0", remover: "remote" } });
  });
});

test("specs are the same in whatever order their HTLCs stand, and differ in anything else", () => {
  fc.assert(
    fc.property(anySpec, (spec) => {
      expect(sameSpec(spec, { ...spec, htlcs: spec.htlcs.toReversed() })).toBe(true);
      expect(sameSpec(spec, { ...spec, feeratePerKw: perKw(spec.feeratePerKw + 1n) })).toBe(false);
      expect(sameSpec(spec, { ...spec, balances: { ...spec.balances, local: msat(spec.balances.local + 1n) } })).toBe(false);
      if (spec.htlcs.length > 0) expect(sameSpec(spec, { ...spec, htlcs: spec.htlcs.slice(1) })).toBe(false);
    }),
  );
});

describe("channel types", () => {
  test.each(CHANNEL_TYPES)("%s is told by its feature bits", (type) => {
    expect(channelTypeOf(channelTypeFeatures(type))).toBe(type);
    expect(FORMATS[type].channelType).toBe(type);
  });

  test("as the wire has them: bit 12 is 1000, bits 12 and 22 are 401000", () => {
    expect(channelTypeFeatures("static_remotekey")).toEqual(Uint8Array.of(0x10, 0x00));
    expect(channelTypeFeatures("anchors")).toEqual(Uint8Array.of(0x40, 0x10, 0x00));
    expect(channelTypeOf(Uint8Array.of(0x40, 0x00, 0x00))).toBeNull();
    expect(channelTypeOf(Uint8Array.of(0x00, 0x10, 0x00))).toBeNull();
  });
});
