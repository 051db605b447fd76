import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseSignature, readLogExcerpt } from "../../src/json/log-excerpt.js";
import { fromHex, toHex } from "../../src/protocol/bytes.js";
import { selectCommitment } from "../../src/protocol/channel/select.js";
import { witnessSignature } from "../../src/protocol/script/assemble.js";
import type { Signature } from "../../src/protocol/bytes.js";
import { buildHtlcTxs } from "../../src/protocol/tx/htlc-tx.js";
import { signHtlcTx } from "../../src/protocol/tx/sign.js";
import { refusal } from "../json/refusal.js";
import { offer, offered } from "../support/htlcs.js";
import {
  ANCHORS,
  type Parties,
  backupOf,
  editState,
  fingerprint,
  keysOf,
  parties,
  post,
  readJson,
  runCommand,
  send,
  stateOf,
  without,
} from "../support/party.js";

interface Diagnosed {
  readonly verdict: string;
  readonly explanations?: readonly { readonly differences: readonly Record<string, unknown>[]; readonly unsigned_tx: string }[];
  readonly htlc_signatures?: readonly Record<string, unknown>[];
}

/** Alice pays with a state of hers that says something else than Bob's; her commitment_signed, as a file. */
async function wrongSignature(edit: Parameters<typeof editState>[1]): Promise<{ readonly p: Parties; readonly file: string }> {
  const p = await parties(ANCHORS);
  const wrong = backupOf(p.alice, "alice-wrong");
  for (const at of ["20000sat", "30000sat"]) {
    const { document } = await runCommand("add-htlc", [p.alice, at], offer());
    const file = post(p, { document, fileName: `alice-${at}.json` });
    await runCommand("receive", [p.bob, file]);
    await runCommand("add-htlc", [wrong, at], offer());
  }
  editState(wrong, edit);
  const report = await runCommand("sign", [wrong]);
  return { p, file: post(p, report) };
}

const diagnosed = async (
  p: Parties,
  args: readonly string[],
  flags: Parameters<typeof runCommand>[2] = {},
  options: Parameters<typeof runCommand>[3] = {},
) => {
  const before = fingerprint(p.dir);
  const report = await runCommand("diagnose", args, flags, options);
  expect(fingerprint(p.dir)).toEqual(before);
  return { ...(report.document as unknown as Diagnosed), exit: report.verdict };
};

describe("diagnose", () => {
  test("names what the signer has otherwise, and gives the commitment that it signed", async () => {
    const { p, file } = await wrongSignature((state) => ({
      ...state,
      params: { ...state.params, local: { ...state.params.local, toSelfDelay: state.params.local.toSelfDelay + 1 } },
    }));
    await expect(runCommand("verify-sig", [p.bob, file])).rejects.toMatchObject({ code: "state-signature-invalid" });
    const { verdict, explanations = [], exit } = await diagnosed(p, [p.bob, file]);
    expect([verdict, exit]).toEqual(["explained", "yes"]);
    expect(explanations.map(({ differences }) => differences)).toEqual([
      [{ cause: "to_self_delay", words: "with to_self_delay 145, not 144", expected: "144", actual: "145" }],
    ]);

    // With that transaction at hand the hash is enough, and the output is named
    const tx = join(p.dir, "theirs.hex");
    writeFileSync(tx, explanations[0]!.unsigned_tx);
    const again = await diagnosed(p, [p.bob, file], { tx });
    expect(again).toMatchObject({
      verdict: "explained",
      signature_good_for_it: true,
      differences: [{ field: "to_local script" }],
      tried: { signatures: 0 },
    });
  });

  test("a good signature is called good, and one that nothing explains exits 1", async () => {
    const { p, file } = await wrongSignature((state) => state);
    expect(await diagnosed(p, [p.bob, file])).toMatchObject({ verdict: "valid", exit: "yes" });
    const flags = { signature: "11".repeat(64), maxTries: "300", maxFeerate: "300" };
    expect(await diagnosed(p, [p.bob], flags)).toMatchObject({ verdict: "unexplained", exit: "no", tried: { complete: false } });
  });

  test("HTLC signatures: in another order, of another delay, and one too few", async () => {
    const { p, file } = await wrongSignature((state) => state);
    const signed = readJson(file) as { readonly htlc_signatures: readonly string[]; readonly signature: string };
    const [first, second] = signed.htlc_signatures;
    const altered = (htlcSignatures: readonly (string | undefined)[]) => {
      return { stdin: JSON.stringify({ ...without(signed, "wire"), htlc_signatures: htlcSignatures }) };
    };
    const ofHtlcs = async (stdin: { readonly stdin: string }) => (await diagnosed(p, [p.bob, "-"], {}, stdin)).htlc_signatures;
    expect(await ofHtlcs(altered([second, first]))).toMatchObject([
      { at: 0, htlc_id: 0 },
      { at: 1, words: "it is good for the HTLC at 0: the signatures are in another order" },
    ]);
    expect(await ofHtlcs(altered([first]))).toMatchObject([{ at: 1, htlc_id: 1, words: "there is no signature for it" }]);

    // Alice has the same commitment, but lets the second HTLC transaction wait longer
    const { commitment } = selectCommitment(stateOf(p.bob), "local");
    const [, patient] = buildHtlcTxs({ ...commitment, terms: { ...commitment.terms, toSelfDelay: 300 } });
    const delayed = toHex(signHtlcTx(patient!, "countersigner", keysOf(p.alice).htlcBasepointSecret!));
    const found = await diagnosed(p, [p.bob, "-"], {}, altered([first, delayed]));
    expect(found).toMatchObject({ verdict: "explained", commitment_signature: "valid", htlc_signatures: [{ at: 1, verdict: "explained" }] });
    expect(JSON.stringify(found)).toContain("with to_self_delay 300, not 144");
  });

  test("the peer's log line, in which our signature was not good: what the peer has otherwise", async () => {
    const p = await parties(ANCHORS);
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "20000sat"])]);
    const { document: signed } = await runCommand("sign", [p.alice]);
    // Bob takes Alice's feerate for another
    const wrong = backupOf(p.bob, "bob-wrong");
    editState(wrong, (state) => {
      const [funding] = state.fundings;
      const current = funding.local.current!;
      const spec = { ...current.spec, feeratePerKw: 2600n as typeof current.spec.feeratePerKw };
      return { ...state, fundings: [{ ...funding, local: { ...funding.local, current: { ...current, spec } } }] };
    });
    const { document } = await runCommand("build-commitment", [wrong], { owner: "local", explain: true });
    const { unsigned_tx: tx, explain } = document as { readonly unsigned_tx: string; readonly explain: { readonly sighash: string } };
    const compact = (signed as { readonly signature: string }).signature;
    const der = toHex(witnessSignature(fromHex(compact) as Signature, 1));
    const key = "02".padEnd(66, "3");
    const lines = {
      lnd: `[ERR] PEER: rejected commitment: commit_height=1, invalid_commit_sig=${der.slice(0, -2)}, commit_tx=${tx}, sig_hash=${explain.sighash}`,
      "core-lightning": `DEBUG channeld: Bad commit_sig signature 1 ${der} for tx ${tx} wscript 5221ae key ${key} feerate 2600`,
      ldk: `TRACE Checking commitment tx signature ${compact} by key ${key} against tx ${tx} (sighash ${explain.sighash}) with redeemscript 5221ae`,
      eclair: `invalid commitment signature: fundingTxId=${"aa".repeat(32)} commitmentNumber=1 commitTxId=${"bb".repeat(32)} commitTx=${tx}`,
    };
    for (const [node, line] of Object.entries(lines)) {
      const found = await diagnosed(p, [p.alice], { owner: "remote", log: "-" }, { stdin: `before\n${line}\nafter\n` });
      expect(found).toMatchObject({ verdict: "explained", log_of: node, owner: "remote", tried: { signatures: 0 } });
      expect(found.explanations![0]!.differences).toMatchObject([{ cause: "feerate", actual: "2600", expected: "2500" }]);
      expect((found as unknown as { readonly differences: unknown[] }).differences).toMatchObject([{ field: "to_remote amount" }]);
    }
  });

  test("bad input: nothing given, a log without such a line, a signature that is none", async () => {
    const p = await parties(ANCHORS);
    await offered(p, "alice");
    await expect(runCommand("diagnose", [p.bob])).rejects.toMatchObject({ code: "usage-argument" });
    await expect(runCommand("diagnose", [p.bob, await send(p, "pay", [p.alice, "1sat"])])).rejects.toMatchObject({ code: "state-message-type" });
    expect(refusal(() => readLogExcerpt("peer_in WIRE_COMMITMENT_SIGNED", "peer.log"))).toMatchObject({
      code: "input-log",
      details: { source: "peer.log" },
    });
    for (const hex of ["", "30", "zz".repeat(64), "11".repeat(63), `30${"44".repeat(70)}`]) {
      expect(refusal(() => parseSignature(hex, "--signature")).code).toBe("input-signature");
    }
  });

  test("DER with and without its sighash byte is the compact signature", () => {
    for (const compact of ["11".repeat(64), `ff${"22".repeat(31)}7f${"33".repeat(31)}`, `00${"44".repeat(31)}00${"55".repeat(31)}`]) {
      const der = toHex(witnessSignature(fromHex(compact) as Signature, 0x83));
      expect(toHex(parseSignature(der, "s"))).toBe(compact);
      expect(toHex(parseSignature(der.slice(0, -2), "s"))).toBe(compact);
    }
  });
});
