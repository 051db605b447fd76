import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode } from "../../src/json/decode.js";
import { bytes32, equalBytes, toHex } from "../../src/protocol/bytes.js";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import { perCommitmentSecret } from "../../src/protocol/keys/shachain.js";
import { Secret32 } from "../../src/protocol/secret.js";
import { signHash, verifyHash } from "../../src/protocol/tx/sign.js";
import { caseDocument } from "../../src/vectors/case-document.js";
import { caseTerms } from "../../src/vectors/case.js";
import { deriveCase } from "../../src/vectors/derive.js";
import { signHashLowR } from "../../src/protocol/tx/sign.js";
import { verifyVectors } from "../../src/vectors/verify.js";
import { caseLines, parse, withValue } from "./document.js";

const DOCUMENT = parse(caseLines("cases/anchors.ndjson")[0]!);
const inputs = decode(caseDocument, DOCUMENT, "case").case;

describe("caseTerms", () => {
  test("the owner is local, HTLC ids are places in the list", () => {
    const { terms, number, spec, perCommitmentPoint } = caseTerms(inputs);
    expect({ owner: terms.owner, opener: terms.opener, number, feerate: spec.feeratePerKw }).toEqual({
      owner: "local",
      opener: "local",
      number: 16_777_216,
      feerate: 253n,
    });
    expect(spec.htlcs.map(({ id, offeredBy }) => `${id} ${offeredBy}`).slice(0, 3)).toEqual(["0 local", "1 remote", "2 remote"]);
    expect(toHex(perCommitmentPoint)).toBe("038a8b59c3d1bc230fede4126902d3c19bdd5d1091a9a891bb2cd2ace850b4568f");
  });

  test("a secret for this commitment goes before the seed", () => {
    const fromSeed = perCommitmentSecret(inputs.local.perCommitmentSeed!, inputs.commitmentNumber);
    expect(caseTerms(inputs).perCommitmentSecret.reveal()).toEqual(fromSeed.reveal());
    const given = new Secret32<"per_commitment">(new Uint8Array(32).fill(7));
    const { perCommitmentPoint } = caseTerms({ ...inputs, local: { ...inputs.local, perCommitmentSecret: given } });
    expect(perCommitmentPoint).toEqual(publicKey(given));
  });
});

describe("deriveCase", () => {
  test.each(["legacy", "static_remotekey", "anchor_outputs", "anchors"])("what it derives for %s, verifies", (type) => {
    const document = withValue(DOCUMENT, ["case", "channel_type"], type);
    const derived = deriveCase(decode(caseDocument, document, "case").case);
    const text = JSON.stringify({ ...(document as object), expected: derived });
    const { differences, values } = verifyVectors(text, "case");
    expect(differences).toEqual([]);
    expect(values).toBeGreaterThan(100);
  });

  test("only legacy has a payment key for each commitment, only anchors a script for it", () => {
    const keysOf = (type: "legacy" | "static_remotekey" | "anchors") => deriveCase({ ...inputs, channelType: type });
    const basepoint = toHex(publicKey(inputs.remote.paymentBasepointSecret));
    expect(keysOf("static_remotekey").keys.remote_payment_pubkey).toBe(basepoint);
    expect(keysOf("legacy").keys.remote_payment_pubkey).not.toBe(basepoint);
    expect(keysOf("anchors").to_remote_witness_script).toContain(basepoint);
    expect(keysOf("static_remotekey")).not.toHaveProperty("to_remote_witness_script");
  });

  test("an opener that cannot pay, and any dust limit: the transaction is determined all the same", () => {
    const poor = deriveCase({ ...inputs, toLocalMsat: 0n as typeof inputs.toLocalMsat, dustLimitSatoshis: 0n as typeof inputs.dustLimitSatoshis });
    expect(poor.outputs.find(({ kind }) => kind === "to_local")).toMatchObject({ value: 0 });
    expect(poor.actual_fee_sat).toBeGreaterThan(0);
  });
});

test("low-R signatures are good, short, and the plain ones where those are short", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 1, max: 2 ** 31 }), (hash, scalar) => {
      const bytes = new Uint8Array(32);
      new DataView(bytes.buffer).setUint32(28, scalar);
      const secret = new Secret32<"funding">(bytes);
      const lowR = signHashLowR(bytes32(hash), secret);
      const plain = signHash(bytes32(hash), secret);
      expect(lowR[0]).toBeLessThan(0x80);
      expect(verifyHash(bytes32(hash), publicKey(secret), lowR)).toBe(true);
      expect(equalBytes(lowR, plain)).toBe(plain[0]! < 0x80);
    }),
  );
});
