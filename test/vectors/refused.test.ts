import { describe, expect, test } from "vitest";
import { verifyLine, verifyVectors } from "../../src/vectors/verify.js";
import { refusal } from "../json/refusal.js";
import { type Path, caseLines, parse, vectorText, withValue, withoutKey } from "./document.js";

const CASE = parse(caseLines("cases/anchors.ndjson")[0]!);
const ANCHORS = parse(vectorText("commitments-anchors.json"));

const refused = (document: unknown) => refusal(() => verifyVectors(JSON.stringify(document), "v.json"));

describe("nothing to verify is no pass", () => {
  test.each([
    ["an empty file", ""],
    ["blank lines", "\n \n"],
    ["an empty list", "[]"],
    ["a case that expects nothing", JSON.stringify(withValue(CASE, ["expected"], {}))],
    ["a case that expects an empty object", JSON.stringify(withValue(CASE, ["expected"], { keys: {} }))],
    ["no published cases", JSON.stringify(withValue(ANCHORS, ["cases"], []))],
    ["a published case that expects nothing", JSON.stringify(withValue(ANCHORS, ["cases", 2, "expected"], {}))],
    ["a funding transaction that is not there", JSON.stringify(withValue(parse(vectorText("funding.json")), ["cases", 0, "expected"], {}))],
  ])("%s", (_, text) => {
    expect(refusal(() => verifyVectors(text, "v.json"))).toMatchObject({ code: "input-vectors-empty", details: { source: "v.json" } });
  });

  test("without `expected` it is no case", () => {
    expect(refused(withoutKey(CASE, ["expected"]))).toMatchObject({ code: "json-missing", details: { path: "expected" } });
  });
});

describe("what is no vector", () => {
  test.each([[{}], [{ about: {} }], [5], ["text"], [{ generation: [] }]])("%j", (document) => {
    expect(refused(document).code).toBe("input-vectors-layout");
  });

  test("broken JSON says where, in NDJSON with the line", () => {
    expect(refusal(() => verifyVectors("{", "v.json")).code).toBe("json-syntax");
    const error = refusal(() => verifyVectors(`${JSON.stringify(CASE)}\n\n{"id":`, "v.json"));
    expect(error).toMatchObject({ code: "json-syntax", details: { source: "v.json: line 3" } });
  });
});

describe("inputs are read strictly", () => {
  test.each<[Path]>([[["surprise"]], [["case", "surprise"]], [["case", "local", "surprise"]], [["case", "htlcs", 0, "surprise"]]])(
    "unknown key %j",
    (path) => {
      const text = path.reduce<string>(
        (whole, step) => (typeof step === "number" ? `${whole}[${step}]` : whole === "" ? step : `${whole}.${step}`),
        "",
      );
      expect(refused(withValue(CASE, path, 1))).toMatchObject({ code: "json-unknown-key", details: { path: text } });
      expect(refused([CASE, withValue(CASE, path, 1)])).toMatchObject({ code: "json-unknown-key", details: { path: `[1].${text}` } });
    },
  );

  test.each<[string, Path]>([
    ["commitments-anchors.json", ["surprise"]],
    ["commitments-anchors.json", ["common", "surprise"]],
    ["commitments-anchors.json", ["common", "secrets", "surprise"]],
    ["commitments-anchors.json", ["cases", 0, "surprise"]],
    ["funding.json", ["cases", 0, "surprise"]],
    ["per-commitment-secrets.json", ["generation", 0, "surprise"]],
    ["per-commitment-secrets.json", ["storage", 0, "steps", 0, "surprise"]],
    ["key-derivation.json", ["inputs", "surprise"]],
  ])("unknown key in %s at %j", (file, path) => {
    expect(refused(withValue(parse(vectorText(file)), path, 1)).code).toBe("json-unknown-key");
  });

  test.each(Object.keys((CASE as { case: object }).case))("missing %s", (key) => {
    expect(refused(withoutKey(CASE, ["case", key]))).toMatchObject({ code: "json-missing", details: { path: `case.${key}` } });
  });

  test("the owner needs a seed or a secret, the other side neither", () => {
    expect(refused(withoutKey(CASE, ["case", "local", "per_commitment_seed"]))).toMatchObject({
      code: "json-missing",
      details: { path: "case.local.per_commitment_seed" },
    });
    expect(verifyLine(JSON.stringify(withoutKey(CASE, ["case", "remote", "per_commitment_seed"])), 0, "v").differences).toEqual([]);
  });

  test("a channel type without a format, or without a meaning", () => {
    for (const type of ["simple_taproot"]) {
      expect(refused(withValue(CASE, ["case", "channel_type"], type))).toMatchObject({
        code: "input-channel-type",
        details: { channel_type: type, path: "case.channel_type" },
      });
    }
    expect(refused(withValue(CASE, ["case", "channel_type"], "tap")).code).toBe("json-value");
    expect(refused(withValue(ANCHORS, ["channel_type_bits"], [12, 40]))).toMatchObject({ code: "input-channel-type" });
  });

  test("a preimage of another hash", () => {
    expect(refused(withValue(CASE, ["case", "htlcs", 1, "payment_preimage"], "00".repeat(32)))).toMatchObject({
      code: "input-preimage-mismatch",
      details: { path: "case.htlcs[1].payment_preimage" },
    });
  });

  test("an HTLC that is not there", () => {
    expect(refused(withValue(ANCHORS, ["cases", 8, "htlc_ids", 2], 99))).toMatchObject({
      code: "json-value",
      details: { path: "cases[8].htlc_ids[2]" },
    });
  });

  test("a block without its transaction, an output that it does not have", () => {
    const funding = parse(vectorText("funding.json"));
    expect(refused(withValue(funding, ["cases", 0, "block1"], "00"))).toMatchObject({ code: "tx-not-parsed", details: { path: "cases[0].block1" } });
    expect(refused(withValue(funding, ["cases", 0, "input_index"], 4))).toMatchObject({
      code: "json-value",
      details: { path: "cases[0].input_index" },
    });
  });
});
