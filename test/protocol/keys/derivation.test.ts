import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { wasm } from "../../../src/ecc/wasm.js";
import { fromHex, point } from "../../../src/protocol/bytes.js";
import { type Ecc, useEcc } from "../../../src/protocol/ecc.js";
import { deriveCommitmentKeys } from "../../../src/protocol/keys/commitment-keys.js";
import {
  assertOnCurve,
  deriveKey,
  deriveRevocationPubkey,
  deriveRevocationSecret,
  deriveSecret,
  publicKey,
} from "../../../src/protocol/keys/derivation.js";
import { basepointsOf } from "../../../src/protocol/keys/party-keys.js";
import { Secret32 } from "../../../src/protocol/secret.js";
import { refusal } from "../../json/refusal.js";
import { anySecret, partyOf, secretOf } from "../channels.js";

const ORDER = fromHex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
const asRole = <Role extends "revocation_basepoint" | "per_commitment">(secret: Secret32) => new Secret32<Role>(secret.reveal());

describe("the public key of a derived secret is the derived point", () => {
  test("for keys of one commitment", () => {
    fc.assert(
      fc.property(anySecret, anySecret, (basepointSecret, perCommitmentSecret) => {
        const perCommitmentPoint = publicKey<"per_commitment">(perCommitmentSecret);
        expect(publicKey(deriveSecret(basepointSecret, perCommitmentPoint))).toEqual(deriveKey(publicKey(basepointSecret), perCommitmentPoint));
      }),
    );
  });

  test("for revocation", () => {
    fc.assert(
      fc.property(anySecret, anySecret, (basepointSecret, perCommitmentSecret) => {
        const secret = deriveRevocationSecret(asRole(basepointSecret), asRole(perCommitmentSecret));
        expect(publicKey(secret)).toEqual(deriveRevocationPubkey(publicKey(basepointSecret), publicKey(perCommitmentSecret)));
      }),
    );
  });

  test("basepoint and per-commitment point do not change places", () => {
    fc.assert(
      fc.property(anySecret, anySecret, (a, b) => {
        fc.pre(!wasm.pointFromSecret(a.reveal()).every((byte, at) => byte === wasm.pointFromSecret(b.reveal())[at]));
        expect(deriveKey(publicKey(a), publicKey(b))).not.toEqual(deriveKey(publicKey(b), publicKey(a)));
      }),
    );
  });
});

describe("a commitment's keys", () => {
  const owner = basepointsOf(partyOf("alice"));
  const countersigner = basepointsOf(partyOf("bob"));
  const perCommitmentPoint = publicKey<"per_commitment">(secretOf("point"));

  test("the countersigner's revocation basepoint, the owner's point", () => {
    const keys = deriveCommitmentKeys(owner, countersigner, perCommitmentPoint, false);
    expect(keys.revocationPubkey).toEqual(deriveRevocationPubkey(countersigner.revocationBasepoint, perCommitmentPoint));
    expect(keys.ownerDelayedPubkey).toEqual(deriveKey(owner.delayedPaymentBasepoint, perCommitmentPoint));
    expect(keys.ownerHtlcPubkey).toEqual(deriveKey(owner.htlcBasepoint, perCommitmentPoint));
    expect(keys.countersignerHtlcPubkey).toEqual(deriveKey(countersigner.htlcBasepoint, perCommitmentPoint));
    expect([keys.ownerFundingPubkey, keys.countersignerFundingPubkey]).toEqual([owner.fundingPubkey, countersigner.fundingPubkey]);
  });

  test("remotepubkey is the payment basepoint, unless it rotates", () => {
    expect(deriveCommitmentKeys(owner, countersigner, perCommitmentPoint, false).remotePubkey).toEqual(countersigner.paymentBasepoint);
    const rotated = deriveCommitmentKeys(owner, countersigner, perCommitmentPoint, true).remotePubkey;
    expect(rotated).toEqual(deriveKey(countersigner.paymentBasepoint, perCommitmentPoint));
  });
});

describe("refusals", () => {
  afterEach(() => {
    useEcc(wasm);
  });
  const withBackend = (part: Partial<Ecc>, action: () => unknown): string => {
    useEcc({ ...wasm, ...part });
    return refusal(action).code;
  };
  const nothing = () => null;
  const perCommitmentPoint = publicKey<"per_commitment">(secretOf("point"));

  test("key-secret-range: 0, the order, and more", () => {
    for (const bytes of [new Uint8Array(32), ORDER, new Uint8Array(32).fill(0xff)]) {
      const secret = new Secret32(bytes);
      expect(refusal(() => publicKey(secret)).code).toBe("key-secret-range");
      expect(refusal(() => deriveSecret(secret, perCommitmentPoint)).code).toBe("key-secret-range");
      expect(refusal(() => deriveRevocationSecret(asRole(secret), secretOf("a"))).code).toBe("key-secret-range");
      expect(refusal(() => deriveRevocationSecret(secretOf("a"), asRole(secret))).code).toBe("key-secret-range");
    }
    const largest = Uint8Array.from(ORDER);
    largest[31] = 0x40;
    expect(publicKey(new Secret32(largest))).toHaveLength(33);
  });

  test("key-not-on-curve: x without a y, and x beyond the field", () => {
    const offCurve = point(Uint8Array.of(2, ...new Uint8Array(31), 5), "funding_pubkey");
    expect(
      refusal(() => {
        assertOnCurve(offCurve, "funding_pubkey");
      }),
    ).toMatchObject({ code: "key-not-on-curve", details: { path: "funding_pubkey" } });
    expect(
      refusal(() => {
        assertOnCurve(point(new Uint8Array(33).fill(0xff).fill(3, 0, 1)), "x");
      }).code,
    ).toBe("key-not-on-curve");
    assertOnCurve(perCommitmentPoint, "x");
  });

  // No input is known that ends there: the backend says so here.
  test("key-degenerate: where a sum is infinity or 0", () => {
    expect(withBackend({ pointAddScalar: nothing }, () => deriveKey(perCommitmentPoint, perCommitmentPoint))).toBe("key-degenerate");
    expect(withBackend({ secretAdd: nothing }, () => deriveSecret(secretOf("a"), perCommitmentPoint))).toBe("key-degenerate");
    expect(withBackend({ secretAdd: nothing }, () => deriveRevocationSecret(secretOf("a"), secretOf("b")))).toBe("key-degenerate");
    const basepoint = publicKey<"revocation_basepoint">(secretOf("a"));
    expect(withBackend({ pointAdd: nothing }, () => deriveRevocationPubkey(basepoint, perCommitmentPoint))).toBe("key-degenerate");
    expect(withBackend({ pointMultiply: nothing }, () => deriveRevocationPubkey(basepoint, perCommitmentPoint))).toBe("key-degenerate");
  });

  test("internal-ecc-missing: before a backend is there", async () => {
    vi.resetModules();
    const fresh = await import("../../../src/protocol/ecc.js");
    expect(() => fresh.ecc()).toThrow(expect.objectContaining({ code: "internal-ecc-missing" }) as Error);
  });
});
