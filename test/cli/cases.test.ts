import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "../../src/protocol/bytes.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { tempDir } from "../support/cli.js";
import { fingerprint, readJson, refusal, runCommand, without } from "../support/party.js";

interface CaseHtlc {
  readonly direction: "offered" | "received";
  readonly payment_hash: string;
  readonly payment_preimage?: string;
}

interface ExpectedHtlcTx {
  readonly output_index: number;
  readonly htlc_index: number;
  readonly kind: "htlc-timeout" | "htlc-success";
  readonly txid: string;
  readonly unsigned_hex: string;
  readonly witness_script: string;
  readonly sighash: string;
  readonly sighash_type: number;
  /** Only where the countersigner signs another. */
  readonly local_sighash_all?: string;
  readonly remote_htlc_signature: string;
  readonly local_htlc_signature: string;
}

interface Case {
  readonly id: string;
  readonly case: {
    readonly commitment_number: number;
    readonly htlcs: readonly CaseHtlc[];
    readonly local: Readonly<Record<string, string>>;
    readonly remote: Readonly<Record<string, string>>;
  };
  readonly expected: {
    readonly commitment_txid: string;
    readonly commitment_tx_unsigned_hex: string;
    readonly commitment_tx_signed_hex: string;
    readonly remote_signature_der: string;
    readonly outputs: readonly { readonly value: number; readonly scriptpubkey: string }[];
    readonly actual_fee_sat: number;
    readonly htlc_txs: readonly ExpectedHtlcTx[];
  };
}

interface ForceClose {
  readonly commitment_number: number;
  readonly not_for_broadcast: string;
  readonly txid: string;
  readonly tx: string;
  readonly fee_sat: number;
  readonly outputs: readonly { readonly amount_sat: number; readonly script_pubkey: string }[];
  readonly htlc_txs: readonly {
    readonly kind: "htlc_timeout" | "htlc_success";
    readonly output_index: number;
    readonly txid: string;
    readonly tx: string | null;
    readonly unsigned_tx?: string;
  }[];
}

const CASES = ["anchors", "static_remotekey"].flatMap((name) => {
  const lines = readFileSync(`fixtures/vectors/cases/${name}.ndjson`, "utf8").trim().split("\n");
  return lines.map((line) => [`${name}.ndjson`, JSON.parse(line) as Case] as const);
});

/** r || s as DER, by the rules of BIP 66. */
function der(signature: string): string {
  const integer = (hex: string) => {
    const digits = hex.replace(/^(00)+/, "");
    const positive = parseInt(digits.slice(0, 2), 16) >= 0x80 ? `00${digits}` : digits;
    return `02${(positive.length / 2).toString(16).padStart(2, "0")}${positive}`;
  };
  const body = integer(signature.slice(0, 64)) + integer(signature.slice(64));
  return `30${(body.length / 2).toString(16)}${body}`;
}

function unsigned(hex: string): string {
  const tx = Transaction.fromHex(hex);
  tx.stripWitnesses();
  return tx.toHex();
}

/** The two folders of one case, the commitment signed by the one and stored by the other. */
async function exchanged(file: string) {
  const dir = tempDir();
  const [owner, countersigner] = [join(dir, "owner"), join(dir, "countersigner")];
  const id = (JSON.parse(readFileSync(file, "utf8")) as Case).id;
  await runCommand("import-channel", [countersigner], { case: file, id, as: "remote" });
  await runCommand("import-channel", [owner], { case: file, id, as: "local" });
  const built = await runCommand("build-commitment", [countersigner], { owner: "remote" });
  // As in the shell: build-commitment … | sign … - | verify-sig … -
  const message = await runCommand("sign", [countersigner, "-"], {}, { stdin: built.document });
  return { dir, owner, countersigner, built, message };
}

/** A case as a file of its own. */
function fileOf(document: unknown): string {
  const file = join(tempDir(), "case.json");
  writeFileSync(file, JSON.stringify(document));
  return file;
}

/** The same with the preimage of every HTLC, each with a hash of its own: whoever made a case can give them. */
function withPreimages(document: Case): Case {
  const htlcs = document.case.htlcs.map((htlc, at) => {
    const preimage = new Uint8Array(32).fill(at + 1);
    return { ...htlc, payment_preimage: toHex(preimage), payment_hash: toHex(sha256(preimage)) };
  });
  return { ...document, case: { ...document.case, htlcs } };
}

describe.each(CASES.map(([file, document]) => [document.id, file, document] as const))("%s, by the commands", (id, file, document) => {
  const { expected } = document;
  const path = `fixtures/vectors/cases/${file}`;

  test("signed by the countersigner, verified and published by the owner: every byte as expected", async () => {
    const { owner, countersigner, built, message } = await exchanged(fileOf(document));
    expect(built.document).toMatchObject({ unsigned_tx: expected.commitment_tx_unsigned_hex, txid: expected.commitment_txid });
    const rebuilt = await runCommand("build-commitment", [owner], { owner: "local" });
    expect(rebuilt.document).toMatchObject({ unsigned_tx: expected.commitment_tx_unsigned_hex, commitment_number: document.case.commitment_number });

    const { signature, htlc_signatures: htlcSignatures } = message.document as {
      readonly signature: string;
      readonly htlc_signatures: readonly string[];
    };
    expect(der(signature)).toBe(expected.remote_signature_der);
    const inOrder = expected.htlc_txs.toSorted((a, b) => a.output_index - b.output_index);
    expect(htlcSignatures.map(der)).toEqual(inOrder.map((tx) => tx.remote_htlc_signature));
    // With nothing new, the same again
    expect((await runCommand("sign", [countersigner])).document).toEqual(message.document);

    const { verdict } = await runCommand("verify-sig", [owner, "-"], {}, { stdin: message.document });
    expect(verdict).toBe("yes");
    const closed = (await runCommand("force-close", [owner])).document as unknown as ForceClose;
    expect(closed).toMatchObject({
      not_for_broadcast: "a test case",
      txid: expected.commitment_txid,
      commitment_number: document.case.commitment_number,
    });
    expect(closed.tx).toBe(expected.commitment_tx_signed_hex);
    expect(closed.fee_sat).toBe(expected.actual_fee_sat);
    expect(closed.outputs.map(({ amount_sat: value, script_pubkey: scriptpubkey }) => ({ value, scriptpubkey }))).toEqual(
      expected.outputs.map(({ value, scriptpubkey }) => ({ value, scriptpubkey })),
    );

    expect(closed.htlc_txs.map((tx) => tx.output_index)).toEqual(inOrder.map((tx) => tx.output_index));
    for (const [at, made] of closed.htlc_txs.entries()) {
      const wanted = inOrder[at]!;
      expect([made.kind.replace("_", "-"), made.txid]).toEqual([wanted.kind, wanted.txid]);
      expect(unsigned(made.tx ?? made.unsigned_tx!)).toBe(wanted.unsigned_hex);
      const amount = BigInt(expected.outputs[made.output_index]!.value);
      const tx = Transaction.fromHex(made.tx ?? made.unsigned_tx!);
      const hash = (type: number) => toHex(tx.hashForWitnessV0(0, fromHex(wanted.witness_script), amount, type));
      expect([hash(wanted.sighash_type), hash(Transaction.SIGHASH_ALL)]).toEqual([wanted.sighash, wanted.local_sighash_all ?? wanted.sighash]);
      // HTLC-timeout completes by itself, HTLC-success only with the preimage
      const preimage = document.case.htlcs[wanted.htlc_index]!.payment_preimage;
      expect(made.tx !== null).toBe(wanted.kind === "htlc-timeout" || preimage !== undefined);
      if (made.tx === null) continue;
      const type = wanted.sighash_type.toString(16).padStart(2, "0");
      expect(tx.ins[0]!.witness.map(toHex)).toEqual([
        "",
        wanted.remote_htlc_signature + type,
        `${wanted.local_htlc_signature}01`,
        preimage ?? "",
        wanted.witness_script,
      ]);
    }
  });

  test("with every preimage each HTLC transaction is complete, and both its signatures are good", async () => {
    const known = withPreimages(document);
    const { owner, message } = await exchanged(fileOf({ ...known, expected: {} }));
    await runCommand("verify-sig", [owner, "-"], {}, { stdin: message.document });
    const closed = (await runCommand("force-close", [owner])).document as unknown as ForceClose;
    const preimages = known.case.htlcs.map((htlc) => htlc.payment_preimage);
    for (const { kind, tx: hex, txid } of closed.htlc_txs) {
      const tx = Transaction.fromHex(hex!);
      expect(tx.getId()).toBe(txid);
      const witness = tx.ins[0]!.witness;
      expect(witness).toHaveLength(5);
      if (kind === "htlc_success") expect(preimages).toContain(toHex(witness[3]!));
      else expect(witness[3]).toHaveLength(0);
    }
    expect(closed.htlc_txs.every(({ tx }) => tx !== null)).toBe(true);
  });

  test("by its id out of the whole file, with keys of mode 0600, and never over another", async () => {
    const dir = tempDir();
    const folder = join(dir, "owner");
    await runCommand("import-channel", [folder], { case: path, id, as: "local" });
    const before = fingerprint(dir);
    expect(before["owner/keys.json"]).toMatch(/^100600 /);
    expect((await refusal(() => runCommand("import-channel", [folder], { case: path, id, as: "remote" }))).code).toBe("file-exists");
    expect(fingerprint(dir)).toEqual(before);
    // One side's keys alone
    const { funding_privkey: held } = readJson(join(folder, "keys.json"));
    expect(held).toBe(document.case.local["funding_privkey"]);
    expect(readFileSync(join(folder, "keys.json"), "utf8") + readFileSync(join(folder, "channel.json"), "utf8")).not.toContain(
      document.case.remote["funding_privkey"],
    );
  });
});

describe("a test case stays one", () => {
  const document = CASES.find(([, { case: inputs }]) => inputs.htlcs.length > 2)![1];

  test("wrong signatures are refused as in a live channel", async () => {
    const { dir, owner, message } = await exchanged(fileOf(document));
    const before = fingerprint(dir);
    const bare = without(message.document, "wire");
    const signatures = bare["htlc_signatures"] as readonly string[];
    const [first, second, ...others] = signatures;
    for (const [changes, code, details] of [
      [
        { htlc_signatures: signatures.slice(1) },
        "state-htlc-signature-count",
        { htlc_signatures: signatures.length - 1, untrimmed_htlcs: signatures.length },
      ],
      [{ htlc_signatures: [second, first, ...others] }, "state-htlc-signature-invalid", { at: 0 }],
      [{ signature: first }, "state-signature-invalid", { signature: first }],
    ] as const) {
      const error = await refusal(() => runCommand("verify-sig", [owner, "-"], {}, { stdin: { ...bare, ...changes } }));
      expect({ code: error.code, details: error.details }).toMatchObject({ code, details });
      expect(fingerprint(dir)).toEqual(before);
    }
  });

  test("the owner has nothing of the other side's, the countersigner no commitment of its own", async () => {
    const { owner, countersigner } = await exchanged(fileOf(document));
    expect((await refusal(() => runCommand("build-commitment", [owner], { owner: "remote" }))).code).toBe("state-no-commitment");
    expect((await refusal(() => runCommand("build-commitment", [countersigner], { owner: "local" }))).code).toBe("state-no-commitment");
    expect((await refusal(() => runCommand("force-close", [countersigner]))).code).toBe("policy-broadcast-unverified");
    expect((await refusal(() => runCommand("pay", [owner, "1sat"]))).code).toBe("policy-pay-not-agreed");
  });

  test("the owner's own commitment is not signed for the countersigner", async () => {
    const { owner } = await exchanged(fileOf(document));
    const { document: own } = await runCommand("build-commitment", [owner], { owner: "local" });
    expect((await refusal(() => runCommand("sign", [owner, "-"], {}, { stdin: own }))).code).toBe("policy-sign-own-commitment");
  });

  test("a key that the case lacks, or a wrong preimage", async () => {
    const folder = join(tempDir(), "owner");
    const [htlc, ...others] = document.case.htlcs;
    const wrong = { ...document, case: { ...document.case, htlcs: [{ ...htlc, payment_preimage: "00".repeat(32) }, ...others] } };
    expect((await refusal(() => runCommand("import-channel", [folder], { case: fileOf(wrong), as: "local" }))).code).toBe("input-preimage-mismatch");
    const { countersigner } = await exchanged(fileOf(document));
    const state = fingerprint(countersigner);
    writeFileSync(join(countersigner, "keys.json"), JSON.stringify({ ...readJson(join(countersigner, "keys.json")), funding_privkey: null }));
    const { document: again } = await runCommand("sign", [countersigner]);
    expect(again).toMatchObject({ type: "commitment_signed" });
    expect(fingerprint(countersigner)).toMatchObject(without(state, "keys.json"));
  });
});
