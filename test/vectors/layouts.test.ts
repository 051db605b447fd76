import { describe, expect, test } from "vitest";
import { formatPath } from "../../src/json/path.js";
import { verifyVectors } from "../../src/vectors/verify.js";
import { refusal } from "../json/refusal.js";
import { changed, parse, valueAt, vectorText, withValue } from "./document.js";

const LND_LEGACY = "published/lnd-test_vectors_legacy.json";
const LND_ANCHORS = "published/lnd-test_vectors_zero_fee_htlc_tx.json";
const ECLAIR_ANCHOR_OUTPUTS = "published/eclair-bolt3-tx-test-vectors-anchor-outputs-format.txt";
const ECLAIR_ANCHORS = "published/eclair-bolt3-tx-test-vectors-anchor-outputs-zero-fee-htlc-tx-format.txt";
const BOLT3 = "published/bolts-03-transactions-appendices-B-F.md";

// file, layout, cases, single values
const FILES = [
  [BOLT3, "bolt3", 44, 636],
  [LND_LEGACY, "lnd", 14, 88],
  [LND_ANCHORS, "lnd", 9, 52],
  [ECLAIR_ANCHORS, "eclair", 10, 134],
] as const;

describe("the files that others publish, in their own layouts", () => {
  test.each(FILES)("every value of %s comes out", (file, format, cases, values) => {
    expect(verifyVectors(vectorText(file), file)).toEqual({ format, cases, values, differences: [], explanations: [] });
  });

  test("of eclair's anchor outputs all but one signature, which is not the one in its own transaction", () => {
    const { cases, values, differences, explanations } = verifyVectors(vectorText(ECLAIR_ANCHOR_OUTPUTS), ECLAIR_ANCHOR_OUTPUTS);
    expect([cases, values]).toEqual([17, 222]);
    expect(differences).toMatchObject([
      { case: "commitment tx with two outputs untrimmed (maximum feerate)", path: "line 229 (remote_signature)", why: "another signature" },
    ]);
    expect(explanations[0]?.words).toMatch(/^commit_tx is as expected/);
    const [{ derived, expected }] = differences as unknown as readonly [{ readonly derived: string; readonly expected: string }];
    const commitTx = vectorText(ECLAIR_ANCHOR_OUTPUTS).split("\n")[229]!;
    expect([commitTx.includes(derived), commitTx.includes(expected)]).toEqual([true, false]);
  });

  test.each(FILES)("%s is read alike where its layout is told, and as no other", (file, format) => {
    const text = vectorText(file);
    expect(verifyVectors(text, file, format).differences).toEqual([]);
    expect(refusal(() => verifyVectors(text, file, "funding")).code).toMatch(/^json-/);
  });
});

/** Where labelled lines have a value that is derived. */
const VALUE = /(?:[:=]|wscript|amount) (?:0x)?([0-9a-f]{40,})\)?$/;
/** What they are made of: another one gives other values, or none. */
const INPUT = /preimage|secret|funding_tx_id|funding_pubkey: (?=.*)|Block [01]\b(?! coinbase t)|^\s*I:|seed|_funding_privkey|SHA256|base_secret/;

describe("zero_fee_commitments, as the specification publishes them", () => {
  // bolt03/zero-fee-commitments-test.json has these figures under other names
  const { channel, keys, cases } = parse(vectorText("newer/zero_fee_commitments.json")) as unknown as WorkedZeroFee;
  const listed = (htlcs: WorkedZeroFee["cases"][number]["htlcs"], wanted: string) =>
    htlcs
      .filter(({ direction }) => direction === wanted)
      .map(({ id, amount_msat, payment_hash, cltv_expiry }) => ({ id, amount_msat, payment_hash, cltv_expiry }));
  const file = {
    local_funding_priv: keys.local_funding.secret,
    remote_funding_priv: keys.remote_funding.secret,
    funding_txid: channel.funding_txid,
    funding_index: channel.funding_vout,
    funding_amount_satoshis: channel.funding_amount_sat,
    commitment_number: channel.commitment_number,
    to_self_delay: channel.to_self_delay,
    local_payment_basepoint_secret: keys.local_payment_basepoint.secret,
    local_delayed_payment_basepoint_secret: keys.local_delayed_payment_basepoint.secret,
    local_htlc_basepoint_secret: keys.local_htlc_basepoint.secret,
    per_commitment_point: keys.per_commitment.point,
    remote_payment_basepoint_secret: keys.remote_payment_basepoint.secret,
    remote_htlc_basepoint_secret: keys.remote_htlc_basepoint.secret,
    revocation_basepoint: keys.remote_revocation_basepoint.pubkey,
    payment_hash_to_preimage: Object.fromEntries(cases.flatMap(({ htlcs }) => htlcs.map((htlc) => [htlc.payment_hash, htlc.preimage]))),
    tests: cases.map(({ name, dust_limit_sat, to_local_msat, to_remote_msat, htlcs, expected }) => ({
      name,
      dust_limit_satoshis: dust_limit_sat,
      to_local_msat,
      to_remote_msat,
      ...(htlcs.length === 0 ? {} : { incoming_htlcs: listed(htlcs, "received"), outgoing_htlcs: listed(htlcs, "offered") }),
      signed_commit_tx: expected.signed_tx,
      signed_htlc_success_txs: expected.htlc_txs.filter(({ kind }) => kind === "htlc_success").map(({ tx }) => tx),
      signed_htlc_timeout_txs: expected.htlc_txs.filter(({ kind }) => kind === "htlc_timeout").map(({ tx }) => tx),
    })),
  };

  test("every value comes out", () => {
    const { format, cases: count, values, differences } = verifyVectors(JSON.stringify(file), "v");
    // 11 commitments, 16 HTLC transactions, 14 empty lists of such
    expect({ format, count, values, differences }).toEqual({ format: "zero_fee_commitments", count: 11, values: 41, differences: [] });
  });

  test("a changed value is found where it stands", () => {
    for (const path of [["signed_commit_tx"], ["signed_htlc_success_txs", 1], ["signed_htlc_timeout_txs", 2]]) {
      const wrong = withValue(file, ["tests", 3, ...path], changed(valueAt(file, ["tests", 3, ...path])));
      const { differences } = verifyVectors(JSON.stringify(wrong), "v");
      expect(differences.map((one) => one.path)).toEqual([formatPath(["tests", 3, ...path])]);
    }
  });

  test("a preimage that is missing, or another's", () => {
    const [hash = ""] = Object.keys(file.payment_hash_to_preimage);
    const without = withValue(file, ["payment_hash_to_preimage"], {});
    expect(refusal(() => verifyVectors(JSON.stringify(without), "v"))).toMatchObject({
      code: "json-value",
      details: { path: "tests[3].incoming_htlcs[0].payment_hash" },
    });
    const other = withValue(file, ["payment_hash_to_preimage", hash], "00".repeat(32));
    expect(refusal(() => verifyVectors(JSON.stringify(other), "v")).code).toBe("input-preimage-mismatch");
    const worked = parse(vectorText("newer/zero_fee_commitments.json"));
    const mismatched = withValue(worked, ["cases", 3, "htlcs", 1, "preimage"], "00".repeat(32));
    expect(refusal(() => verifyVectors(JSON.stringify(mismatched), "v"))).toMatchObject({
      code: "input-preimage-mismatch",
      details: { path: "cases[3].htlcs[1].preimage" },
    });
  });
});

interface WorkedZeroFee {
  readonly channel: Readonly<Record<"funding_txid" | "funding_vout" | "funding_amount_sat" | "commitment_number" | "to_self_delay", unknown>>;
  readonly keys: Readonly<Record<string, { readonly secret: string; readonly point: string; readonly pubkey: string }>> &
    Readonly<
      Record<
        | `${"local" | "remote"}_${"funding" | "payment_basepoint" | "htlc_basepoint"}`
        | "local_delayed_payment_basepoint"
        | "per_commitment"
        | "remote_revocation_basepoint",
        { readonly secret: string; readonly point: string; readonly pubkey: string }
      >
    >;
  readonly cases: readonly {
    readonly name: string;
    readonly dust_limit_sat: number;
    readonly to_local_msat: number;
    readonly to_remote_msat: number;
    readonly htlcs: readonly {
      readonly id: number;
      readonly direction: string;
      readonly amount_msat: number;
      readonly cltv_expiry: number;
      readonly payment_hash: string;
      readonly preimage: string;
    }[];
    readonly expected: { readonly signed_tx: string; readonly htlc_txs: readonly { readonly kind: string; readonly tx: string }[] };
  }[];
}

describe("a changed value is found where it stands", () => {
  test.each([BOLT3, ECLAIR_ANCHORS])("in lines of %s", (file) => {
    const lines = vectorText(file).split("\n");
    const at = lines.flatMap((line, index) => (VALUE.test(line) && !INPUT.test(line) && !line.includes('"') ? [index] : []));
    let found = 0;
    for (const index of at.filter((_, nth) => nth % 23 === 5)) {
      const [, value = ""] = VALUE.exec(lines[index]!) ?? [];
      const wrong = lines.with(index, lines[index]!.replace(value, changed(value) as string)).join("\n");
      const { differences } = verifyVectors(wrong, file);
      expect(
        differences.map(({ path }) => /^line \d+/.exec(path)?.[0]),
        lines[index],
      ).toEqual([`line ${index + 1}`]);
      found++;
    }
    expect(found).toBeGreaterThan(3);
  });

  test("in a list of lnd's, and in Appendix F", () => {
    for (const key of ["ExpectedCommitmentTxHex", "ResolutionTxHex", "RemoteSigHex"]) {
      const text = vectorText(LND_ANCHORS);
      const [whole = "", hex = ""] = new RegExp(`"${key}": "([0-9a-f]+)"`).exec(text.slice(8000)) ?? [];
      const wrong = text.slice(0, 8000) + text.slice(8000).replace(whole, whole.replace(hex, changed(hex) as string));
      expect(verifyVectors(wrong, "v").differences.map(({ path }) => /^\[\d+\](\.HtlcDescs\[\d+\])?\.(\w+)$/.exec(path)?.[2])).toEqual([key]);
    }
    const text = vectorText(BOLT3);
    const [, signature = ""] = /"RemoteSigHex": "([0-9a-f]+)"/.exec(text) ?? [];
    const { differences } = verifyVectors(text.replace(`"${signature}"`, `"${changed(signature) as string}"`), "v");
    expect(differences.map(({ path }) => path)).toEqual(["Appendix F, the list from line 791 on: [0].RemoteSigHex"]);
  });

  test("another feerate: the commitments differ, and that is why", () => {
    const text = vectorText(LND_ANCHORS).replace('"FeePerKw": 645', '"FeePerKw": 646');
    const { differences, explanations } = verifyVectors(text, "v");
    expect(differences.length).toBeGreaterThan(3);
    expect(explanations.map(({ words }) => words).join()).toMatch(/the expected commitment comes about .*with feerate_per_kw 645, not 646/);
  });
});

describe("what is none of these", () => {
  const code = (text: string, layout?: Parameters<typeof verifyVectors>[2]) => refusal(() => verifyVectors(text, "v", layout)).code;

  test("a text without vectors, a specification without its lines, balances without their HTLCs", () => {
    expect(code("# Appendix C: nothing\n")).toBe("input-vectors-layout");
    expect(code("# Appendix X: nothing\n", "bolt3")).toBe("input-vectors-layout");
    expect(code("# Appendix F: broken\n```yaml\n[{]\n```\n# References\n")).toBe("input-vectors-layout");
    expect(code("name: x\nto_local_msat: 1\noutput commit_tx: 00")).toBe("json-value");
    expect(code("name: x\nto_local_msat: 1\nto_remote_msat: 2\nlocal_feerate_per_kw: 0\noutput commit_tx: 00")).toBe("json-value");
    expect(code("", "eclair")).toBe("input-vectors-empty");
    expect(code("hello")).toBe("json-syntax");
  });
});
