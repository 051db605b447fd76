import { describe, expect, test } from "vitest";
import "../support/musig2.js";
import { formatPath } from "../../src/json/path.js";
import { LnError } from "../../src/protocol/errors.js";
import { compare } from "../../src/vectors/compare.js";
import { readPublished } from "../../src/vectors/published.js";
import { verifyVectors } from "../../src/vectors/verify.js";
import { refusal } from "../json/refusal.js";
import { type Json, type Path, changed, leaves, parse, valueAt, vectorText, withValue, withoutKey } from "./document.js";

const SIMPLE = "newer/simple_taproot.json";
const ZERO_FEE = "newer/taproot_zero_fee_commitments.json";
// file, layout, cases, single values
const FILES = [
  [SIMPLE, "simple_taproot", 11, 542],
  [ZERO_FEE, "taproot_zero_fee_commitments", 11, 870],
] as const;

const READ = new Map(FILES.map(([file]) => [file, readPublished(parse(vectorText(file)), file)] as const));

describe.each(FILES)("%s", (file, format, cases, values) => {
  const whole = parse(vectorText(file));

  test("every value comes out", () => {
    expect(verifyVectors(vectorText(file), file)).toEqual({ format, cases, values, differences: [], explanations: [] });
    expect(verifyVectors(vectorText(file), file, format).differences).toEqual([]);
  });

  test("every expected value, changed: found where it stands and nowhere else", () => {
    let found = 0;
    const { common, cases: vectors } = READ.get(file)!;
    for (const { expected, derived, path } of [...common, ...vectors]) {
      for (const leaf of leaves(expected)) {
        const wrong = changed(valueAt(expected, leaf));
        const { differences } = compare(withValue(expected, leaf, wrong), derived, path);
        expect(differences).toEqual([{ path: formatPath([...path, ...leaf]), expected: wrong, derived: valueAt(expected, leaf) }]);
        found++;
      }
    }
    expect(found).toBe(values);
  });

  test("nothing of the file is neither an input nor expected", () => {
    const { common, cases: vectors } = READ.get(file)!;
    const expected = new Set([...common, ...vectors].flatMap((one) => leaves(one.expected).map((leaf) => formatPath([...one.path, ...leaf]))));
    const inputs = leaves(whole).filter((leaf) => !expected.has(formatPath(leaf)));
    const names = new Set(inputs.map((leaf) => leaf.map((step) => (typeof step === "number" ? "*" : step)).join(".")));
    expect([...names].filter((name) => !name.startsWith("about.")).sort()).toEqual([...(INPUTS[file] ?? [])].sort());
  });
});

const SHARED_INPUTS = [
  ...["commitment_number", "funding_amount_sat", "funding_vout", "local_is_opener", "to_self_delay"].map((name) => `channel.${name}`),
  ...["name", "dust_limit_sat", "to_local_msat", "to_remote_msat"].map((name) => `cases.*.${name}`),
  ...["id", "direction", "amount_msat", "cltv_expiry", "payment_hash", "preimage"].map((name) => `cases.*.htlcs.*.${name}`),
];
const KEYS = ["funding", "payment_basepoint", "htlc_basepoint"].flatMap((name) => [`local_${name}`, `remote_${name}`]);
const LABELS = [...KEYS, "local_delayed_payment_basepoint", "remote_revocation_basepoint", "local_per_commitment"];
const INPUTS: Readonly<Record<string, readonly string[]>> = {
  [SIMPLE]: [
    ...SHARED_INPUTS,
    "channel.default_dust_limit_sat",
    "cases.*.feerate_per_kw",
    "keys.seed",
    "keys.derivation",
    ...LABELS.map((name) => `keys.labels.${name}`),
    ...["local_verification.how", "local_verification.note", "remote_jit_signing.how"].map((name) => `nonce_derivation.${name}`),
    "script_trees.*.role",
    ...["payment_hash", "cltv_expiry", "receiver_key", "sender_key"].map((name) => `script_trees.*.inputs.${name}`),
  ],
  [ZERO_FEE]: [
    ...SHARED_INPUTS,
    "channel.funding_txid",
    "channel.feerate_per_kw",
    ...[...KEYS, "local_delayed_payment_basepoint"].map((name) => `keys.${name}.secret`),
    "keys.remote_revocation_basepoint.pubkey",
    "keys.per_commitment.point",
    "cases.*.expected.local_secnonce",
    "cases.*.expected.remote_secnonce",
  ],
};

/** The file with one case, one script tree of a kind, and few HTLCs. */
function reduced(file: string): Json {
  const whole = parse(vectorText(file));
  const one = withValue(whole, ["cases"], [valueAt(whole, ["cases", file === SIMPLE ? 1 : 4])]);
  return file === SIMPLE ? withValue(one, ["script_trees"], (valueAt(whole, ["script_trees"]) as readonly Json[]).slice(4, 7)) : one;
}

/** Where differences are, or the tag of what is said instead. */
function outcome(document: unknown): readonly string[] | string {
  try {
    return verifyVectors(JSON.stringify(document), "v").differences.map(({ path }) => path);
  } catch (error) {
    if (error instanceof LnError) return error.code;
    throw error;
  }
}

/** What says nothing of the values: words, and a limit that every case states for itself. */
const SAYS_NOTHING = /(^about|\.name$|\.derivation$|\.how$|\.note$|default_dust_limit_sat$)/;

/** Other values of the same kind, where a thousand more or another digit would be none, or be the same. */
function other(path: string, before: unknown): unknown {
  if (path.endsWith(".direction")) return before === "offered" ? "received" : "offered";
  if (path.endsWith(".funding_vout")) return 2;
  // So that an HTLC is trimmed that was not
  if (path.endsWith(".dust_limit_sat")) return 7000;
  if (path.endsWith(".role")) return "to_remote";
  return changed(before);
}

describe.each([SIMPLE, ZERO_FEE])("%s: an input changed", (file) => {
  const document = reduced(file);
  const { common, cases } = readPublished(document, file);
  const expected = new Set([...common, ...cases].flatMap((one) => leaves(one.expected).map((leaf) => formatPath([...one.path, ...leaf]))));
  const inputs = leaves(document).filter((leaf) => !expected.has(formatPath(leaf)) && !SAYS_NOTHING.test(formatPath(leaf)));

  test("the case as it is has no difference", () => {
    expect(outcome(document)).toEqual([]);
    expect(inputs.length).toBeGreaterThan(35);
  });

  test.each(inputs.map((path) => [formatPath(path), path] as const))("%s: values differ, or it is refused", (name, path) => {
    const found = outcome(withValue(document, path, other(name, valueAt(document, path))));
    if (typeof found === "string") expect(found).toMatch(/^(key-|json-|input-preimage-mismatch|script-delay-range)/);
    else expect(found.length).toBeGreaterThan(0);
  });

  test("the commitment is said to be another, or to be as expected", () => {
    const words = (path: Path, value: unknown) =>
      verifyVectors(JSON.stringify(withValue(document, path, value)), "v").explanations.map((one) => one.words);
    expect(words(["channel", "to_self_delay"], 145)).toEqual([expect.stringMatching(/^the commitment is another: /)]);
    const share: Path = ["cases", 0, "expected", "local_partial_signature"];
    expect(words(share, changed(valueAt(document, share)))).toEqual([expect.stringMatching(/^the commitment is as expected, .*: 1 of \d+ values/)]);
  });

  test("each difference says what its value follows from", () => {
    const { differences } = verifyVectors(JSON.stringify(withValue(document, ["channel", "commitment_number"], 43)), "v");
    expect(differences.length).toBeGreaterThan(10);
    for (const { path, follows_from: follows } of differences) expect(follows, path).toEqual(expect.any(String));
  });

  test("what is not known is refused among inputs, and a difference among what is expected", () => {
    for (const path of [
      ["surprise"],
      ["channel", "surprise"],
      ["keys", "surprise"],
      ["cases", 0, "surprise"],
      ["cases", 0, "htlcs", 0, "surprise"],
    ]) {
      expect(outcome(withValue(document, path, 1)), path.join()).toBe("json-unknown-key");
    }
    for (const path of [["expected"], ["expected", "outputs", 0], ["expected", "htlc_txs", 0]] as const) {
      const at: Path = ["cases", 0, ...path, "surprise"];
      expect(outcome(withValue(document, at, 1))).toEqual([formatPath(at)]);
    }
    expect(outcome(withValue(document, ["funding_output", "surprise"], 1))).toEqual(["funding_output.surprise"]);
  });

  test("any part of what is expected may be missing", () => {
    for (const key of Object.keys(valueAt(document, ["cases", 0, "expected"]) as object)) {
      const found = outcome(withoutKey(document, ["cases", 0, "expected", key]));
      // Of the proposal's nonces nobody says how they were made: they are inputs, wherever they stand
      expect(found, key).toEqual(file === ZERO_FEE && key.endsWith("secnonce") ? "json-value" : []);
    }
  });
});

test("a list that is shorter or longer is found", () => {
  const document = reduced(SIMPLE);
  const outputs = valueAt(document, ["cases", 0, "expected", "outputs"]) as readonly Json[];
  expect(outcome(withValue(document, ["cases", 0, "expected", "outputs"], outputs.slice(1))).length).toBeGreaterThan(0);
  expect(outcome(withValue(document, ["cases", 0, "expected", "outputs"], [...outputs, outputs[0]]))).toEqual([
    `cases[0].expected.outputs[${outputs.length}]`,
  ]);
});

test("a tree without what it is made of, or of no known role, is refused with its place", () => {
  const document = reduced(SIMPLE);
  expect(refusal(() => verifyVectors(JSON.stringify(withoutKey(document, ["script_trees", 1, "inputs"])), "v"))).toMatchObject({
    code: "json-missing",
    details: { path: "script_trees[1].inputs.payment_hash" },
  });
  expect(refusal(() => verifyVectors(JSON.stringify(withValue(document, ["script_trees", 1, "role"], "closing")), "v"))).toMatchObject({
    code: "json-value",
    details: { path: "script_trees[1].role", value: "closing" },
  });
});

test("a nonce that is none, or not of the key that signs, is refused with its place and without its bytes", () => {
  const document = reduced(ZERO_FEE);
  const nonce: Path = ["cases", 0, "expected", "local_secnonce"];
  const bytes = valueAt(document, nonce) as string;
  const refused = (value: string) => refusal(() => verifyVectors(JSON.stringify(withValue(document, nonce, value)), "v"));
  const short = refused(bytes.slice(2));
  expect(short).toMatchObject({ code: "json-value", details: { path: "cases[0].expected.local_secnonce" } });
  expect(short.message).toBe("cases[0].expected.local_secnonce: not a secret nonce of 97 bytes in hex");
  expect(refused(`${"00".repeat(64)}${bytes.slice(128)}`)).toMatchObject({ code: "key-nonce-used", details: { path: "cases[0]" } });
  expect(refused(bytes.slice(0, 128) + (valueAt(document, ["keys", "remote_funding", "pubkey"]) as string))).toMatchObject({
    code: "key-mismatch",
    details: { path: "cases[0]" },
  });
});

test("a document about another channel type is refused by name", () => {
  const document = withValue(reduced(SIMPLE), ["about", "format"], "some_other_channels (bits 90/91)");
  expect(refusal(() => verifyVectors(JSON.stringify(document), "v"))).toMatchObject({
    code: "input-channel-type",
    details: { channel_type: "some_other_channels (bits 90/91)" },
  });
});
