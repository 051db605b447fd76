import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LnError } from "../../src/protocol/errors.js";
import { CHANNEL_TYPES } from "../../src/protocol/tx/channel-type.js";
import { caseDocument } from "../../src/vectors/case-document.js";
import { deriveCase } from "../../src/vectors/derive.js";
import { decode } from "../../src/json/decode.js";
import {
  ANCHORS,
  type FlagTexts,
  type Parties,
  afterStep,
  expectNoSecret,
  fingerprint,
  parties,
  refusal,
  runCommand,
  send,
} from "../support/party.js";
import { tempDir } from "../support/cli.js";
import { caseLines, inType, parse, withValue } from "../vectors/document.js";

interface Spender {
  readonly path: string;
  readonly by: string;
  readonly side?: string;
  readonly key?: string;
  readonly after: string;
  readonly witness?: string;
  readonly script_sig?: string;
}

interface Inspection {
  readonly txid: string;
  readonly what: Readonly<Record<string, unknown>> & { readonly kind: string; readonly reasons?: readonly string[]; readonly meaning?: string };
  readonly weight: number;
  readonly inputs: readonly {
    readonly spends: string;
    readonly path: string | null;
    readonly witness: readonly Readonly<Record<string, string>>[];
  }[];
  readonly outputs: readonly { readonly name: string; readonly amount_sat: number; readonly type: string; readonly spenders: readonly Spender[] }[];
  readonly fee_sat: number | null;
  readonly not_told: readonly string[];
}

async function inspect(tx: string, flags: FlagTexts = {}): Promise<Inspection> {
  const { document } = await runCommand("inspect", ["-"], flags, { stdin: tx });
  return JSON.parse(JSON.stringify(document)) as Inspection;
}

const names = ({ outputs }: Inspection) => outputs.map(({ name }) => name);
const spendersOf = ({ outputs }: Inspection, name: string) => outputs.find((output) => output.name === name)?.spenders ?? [];

describe("the article's samples", () => {
  const samples = JSON.parse(readFileSync("fixtures/article/sample-transactions.json", "utf8")) as { transactions: { name: string; tx: string }[] };
  const keys: Readonly<Record<string, readonly string[]>> = {
    "pay-me-first": [
      "03fd5960528dc152014952efdb702a88f71e3c1653b2314431701ec77e57fde83c",
      "0212a140cd0c6539d07cd08dfe09984dec3251ea808b892efeac3ede9402bf2b19",
      "032c0b7cf95324a07d05398b240174dc0c2be444d96b159aa6c7f7b1e668680991",
    ],
    "pay-other-first": [
      "034e0ec6dc63301141448af127eb2d8eba26e8c2bb24d4bfdf8e29afa7bb02657b",
      "03f9b004476ef731bac15887882b99c8756d2451800674e4b9f42d2effde4bebc5",
      "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa",
    ],
  };

  test.each(samples.transactions)("$name, without a channel", async ({ name, tx }) => {
    const read = await inspect(tx);
    expect(read.what).toMatchObject({ kind: "illustration", form: expect.stringContaining("illustration of a commitment transaction") as string });
    expect(names(read)).toEqual(["to_local", "to_remote", "anchor", "anchor"]);
    expect(read.outputs.map(({ type }) => type)).toEqual(["bare", "bare", "p2wsh", "p2wsh"]);
    expect(read.what.reasons).toEqual([
      "outputs 0, 1 hold their scripts bare; BOLT 3 pays to the script's hash (P2WSH)",
      "sequence ffffffff and locktime 0 lack a commitment's marks (80…… and 0x20……): there is no commitment number",
      "input 0: the witness lacks the empty element that OP_CHECKMULTISIG takes before the signatures",
      "input 0: 2 signatures of 64 bytes, as messages carry them: a witness holds DER and a sighash byte",
      "the outputs do not stand by amount and script (BIP 69): 6983140, 3000000, 330, 330 sat",
      "6983140 + 3000000 + 330 + 330 = 9983800 sat, 660 sat of them in anchors; whether a balance was charged for those is seen only beside the spent output's amount (--amount)",
    ]);
    expect(spendersOf(read, "to_local")).toMatchObject([
      {
        by: "owner of this commitment",
        key: keys[name]?.[0],
        after: "144 blocks after confirmation (nSequence 144)",
        script_sig: "<local_delayedsig> <>",
      },
      {
        by: "countersigner",
        key: keys[name]?.[1],
        after: expect.stringContaining("only if the owner has revoked") as string,
        script_sig: "<revocation_sig> 01",
      },
    ]);
    expect(spendersOf(read, "to_remote")).toMatchObject([
      { by: "countersigner", key: keys[name]?.[2], after: "1 block after confirmation (nSequence 1)" },
    ]);
    expect(spendersOf(read, "anchor")).toMatchObject([
      { path: "anchor_key", after: "at once" },
      { by: "anyone", after: "16 blocks after confirmation (nSequence 16)", witness: "<> <script>" },
    ]);
    expect(read.inputs[0]!.witness.map(({ name: element }) => element)).toEqual(["compact signature", "compact signature", "funding script"]);
    expect(read.inputs[0]!.witness[0]!["signature"]).toMatch(/^not checked/);
    expect(read.fee_sat).toBe(null);
    expect(read.not_told).toHaveLength(4);
  });

  test("beside the amount that they spend: the fee both ways, and signatures that are good for neither key", async () => {
    const read = await inspect(samples.transactions[0]!.tx, { amount: "0.1btc" });
    expect(read.fee_sat).toBe(16200);
    expect(read.what.reasons?.slice(-3)).toEqual([
      "10000000 sat in, 6983140 + 3000000 + 330 + 330 = 9983800 sat, 660 sat of them in anchors: 16200 sat are left for the fee",
      "with the opener charged for the anchors: a fee of 16200 sat, that of 14413 sat per 1000 weight (weight 1124), if the owner pays to_local is 7000000 − 16200 − 660 sat",
      "with nobody charged for them, they come out of a fee of 16860 sat, that of 15000 sat per 1000 weight (weight 1124), if the owner pays to_local is 7000000 − 16860 sat",
    ]);
    expect(read.inputs[0]!.witness.map(({ signature }) => signature)).toEqual(["bad, read as SIGHASH_ALL", "bad, read as SIGHASH_ALL", undefined]);
  });

  test("beside a channel that they do not belong to", async () => {
    const { alice } = await parties(ANCHORS);
    expect((await inspect(samples.transactions[0]!.tx, { party: alice })).what).toMatchObject({
      kind: "illustration",
      relation: "funding_spend",
    });
  });
});

describe("the article's update, by its parties", () => {
  const commitment = async (folder: string, owner: string) => JSON.stringify((await runCommand("build-commitment", [folder], { owner })).document);

  test("whose it is and which, with names, from either side's file", async () => {
    const p = await afterStep(7);
    const mine = await inspect(await commitment(p.bob, "local"), { party: p.bob });
    expect(mine.what).toMatchObject({ owner: "local", owner_name: "bob (local)", commitment_number: 1, standing: "current", revoked: false });
    expect(spendersOf(mine, "to_local")).toMatchObject([
      { by: "owner of this commitment: bob (local)", side: "local" },
      {
        by: "countersigner: the peer (remote)",
        side: "remote",
        after: "not now: only if bob (local) revokes this commitment by giving away its secret 1",
      },
    ]);
    const theirs = await inspect(await commitment(p.bob, "local"), { party: p.alice });
    expect(theirs.what).toMatchObject({ owner: "remote", owner_name: "the peer (remote)", commitment_number: 1, standing: "pending" });
    expect(spendersOf(theirs, "to_remote")).toMatchObject([{ by: "countersigner: alice (local)", after: "at once", witness: "<sig> <pubkey>" }]);
  });

  test("the revoked one: who may take what, by either side's file and without keys", async () => {
    const old = await afterStep(17);
    const cheat = JSON.stringify((await runCommand("force-close", [old.alice])).document);
    const before = await afterStep(0);
    const published = JSON.stringify((await runCommand("force-close", [before.alice])).document);
    expect((await inspect(cheat, { party: old.alice })).what).toMatchObject({ standing: "current", commitment_number: 1 });

    const p = await afterStep(20);
    const bob = await inspect(published, { party: p.bob });
    expect(bob.what).toMatchObject({ owner: "remote", commitment_number: 0, standing: "revoked", revoked: true, punishable_outputs: [0] });
    expect(bob.what.meaning).toBe(
      "the peer (remote)'s commitment 0, which is REVOKED: bob (local) holds its secret and may take output 0 at once (penalty-tx), before the owner's delay is over",
    );
    expect(spendersOf(bob, "to_local")[1]).toMatchObject({
      side: "local",
      after: "at once: the peer (remote) revoked this commitment and gave away its secret 0",
    });

    const alice = await inspect(published, { party: p.alice });
    expect(alice.what).toMatchObject({ owner: "local", commitment_number: 0, revoked: true });
    expect(alice.what.meaning).toContain("the peer (remote)'s commitment 0 has none of these outputs");
    expectNoSecret(p, JSON.stringify([bob, alice]));
  });

  test("a revoked one without an output of the cheater's", async () => {
    const before = await afterStep(0);
    const published = JSON.stringify((await runCommand("force-close", [before.bob])).document);
    const p = await afterStep(10);
    expect((await inspect(published, { party: p.alice })).what).toMatchObject({
      revoked: true,
      punishable_outputs: [],
      meaning: expect.stringContaining("nothing to punish") as string,
    });
  });

  test("a channel file alone, or piped in, says the same; nothing is written", async () => {
    const p = await afterStep(20);
    const tx = await commitment(p.alice, "local");
    const before = fingerprint(p.dir);
    const byFolder = await inspect(tx, { party: p.alice });
    const copy = join(tempDir(), "sent.json");
    writeFileSync(copy, readFileSync(join(p.alice, "channel.json")));
    expect(await inspect(tx, { channel: copy })).toEqual(byFolder);
    expect(fingerprint(p.dir)).toEqual(before);
  });

  test("a penalty, from its bytes", async () => {
    const before = await afterStep(0);
    const published = await runCommand("force-close", [before.alice]);
    const p = await afterStep(20);
    const to = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    const penalty = await runCommand("penalty-tx", [p.bob], { tx: "-", to, feerate: "1000" }, { stdin: published.document });
    const amount = (published.document as { outputs: { amount_sat: number }[] }).outputs[0]!.amount_sat;
    const read = await inspect(JSON.stringify(penalty.document), { amount: `${amount}sat` });
    expect(read.what.kind).toBe("penalty");
    expect(read.inputs).toMatchObject([
      {
        spends: "to_local",
        path: "revocation",
        witness: [{ name: "revocation_sig", signature: "good" }, { name: "01" }, { name: "to_local script" }],
      },
    ]);
    expect(read.fee_sat).toBe((penalty.document as { fee_sat: number }).fee_sat);
  });

  test("with anchors, each is its side's", async () => {
    const p = await parties(ANCHORS);
    await send(p, "pay", [p.alice, "0.01btc"]);
    const read = await inspect(await commitment(p.alice, "local"), { party: p.alice });
    expect(spendersOf(read, "to_local_anchor")).toMatchObject([{ by: "owner of this commitment: alice (local)" }, { by: "anyone" }]);
    expect(spendersOf(read, "to_remote_anchor")).toMatchObject([{ by: "countersigner: the peer (remote)" }, { by: "anyone" }]);
  });
});

describe.each(CHANNEL_TYPES)("every agreed case as %s", (type) => {
  const lines = ["cases/static_remotekey.ndjson", "cases/anchors.ndjson"].flatMap(caseLines);
  const documents = lines.map((line) => inType(parse(line), type) as { id: string });

  test.each(documents.map((document) => [document.id, document] as const))(
    "%s: one name for each output, at least one spender",
    async (id, document) => {
      const { commitment_tx_signed_hex: tx, htlc_txs: htlcTxs } = deriveCase(decode(caseDocument, document, "case").case);
      const folder = join(tempDir(), "owner");
      await runCommand("import-channel", [folder], { case: "-", as: "local" }, { stdin: document });
      for (const flags of [{}, { party: folder }]) {
        const read = await inspect(tx, flags);
        expect(read.what.kind).toBe("commitment");
        expect(read.outputs.every(({ name, spenders }) => typeof name === "string" && name !== "" && spenders.length > 0)).toBe(true);
        expect(spendersAreTold(read)).toBe(true);
      }
      const known = await inspect(tx, { party: folder });
      expect(names(known)).not.toContain("unknown");
      expect(names(known).filter((name) => name === "offered_htlc" || name === "received_htlc")).toHaveLength(htlcTxs.length);
      expect(known.not_told).toEqual([]);

      for (const htlc of htlcTxs) {
        const read = await inspect(htlc.unsigned_hex, { party: folder });
        expect(read.what).toMatchObject({ relation: htlc.kind.replace("-", "_"), output_index: htlc.output_index, owner: "local" });
        expect(names(read)).toEqual(["htlc_tx_output"]);
      }
      expect(id).not.toBe("");
    },
  );

  function spendersAreTold({ outputs }: Inspection): boolean {
    return outputs.every(({ spenders }) => spenders.every(({ by, after }) => by !== "" && after !== ""));
  }
});

test("an HTLC's spenders: the owner by its HTLC transaction, the countersigner by preimage or expiry, or once revoked", async () => {
  const document = withValue(parse(caseLines("cases/anchors.ndjson")[0]!), ["id"], "one");
  const { commitment_tx_unsigned_hex: tx } = deriveCase(decode(caseDocument, document, "case").case);
  const folder = join(tempDir(), "owner");
  await runCommand("import-channel", [folder], { case: "-", as: "local" }, { stdin: document as Record<string, unknown> });
  const read = await inspect(tx, { party: folder });
  expect(spendersOf(read, "offered_htlc")).toMatchObject([
    {
      path: "htlc_timeout",
      side: "local",
      after: expect.stringMatching(/^after block \d+ \(nLockTime \d+\), and 1 block after confirmation/) as string,
      witness: "0 <remotehtlcsig> <localhtlcsig> <> <script>",
    },
    { path: "preimage", side: "remote", after: "1 block after confirmation (nSequence 1)", witness: "<remotehtlcsig> <payment_preimage> <script>" },
    { path: "revocation", side: "remote", witness: "<revocation_sig> <revocationpubkey> <script>" },
  ]);
  expect(spendersOf(read, "received_htlc")).toMatchObject([
    { path: "htlc_success", side: "local", witness: "0 <remotehtlcsig> <localhtlcsig> <payment_preimage> <script>" },
    { path: "expiry", side: "remote", after: expect.stringMatching(/^after block/) as string, witness: "<remotehtlcsig> <> <script>" },
    { path: "revocation", side: "remote" },
  ]);
});

describe("refusals", () => {
  const tx = deriveCase(decode(caseDocument, parse(caseLines("cases/anchors.ndjson")[0]!), "case").case).commitment_tx_unsigned_hex;
  const codeOf = async (action: () => Promise<unknown>) => (await refusal(action)).code;

  test("a command line that can't be meant", async () => {
    const p: Parties = await parties();
    expect(await codeOf(() => runCommand("inspect", []))).toBe("usage-argument");
    expect(await codeOf(() => runCommand("inspect", ["-", "alice"], {}, { stdin: tx }))).toBe("usage-argument");
    expect(await codeOf(() => inspect(tx, { party: p.alice, channel: join(p.alice, "channel.json") }))).toBe("usage-argument");
    expect(await codeOf(() => inspect(tx, { channel: "-" }))).toBe("usage-stdin-twice");
    expect(await codeOf(() => inspect(tx, { amount: "21000001btc" }))).toBe("usage-value");
    const input = tx.slice(10, 92);
    expect(await codeOf(() => inspect(`${tx.slice(0, 8)}02${input}${input}${tx.slice(92)}`, { amount: "1sat" }))).toBe("usage-value");
    const current = JSON.stringify((await runCommand("build-commitment", [p.alice], { owner: "local" })).document);
    expect(await codeOf(() => inspect(current, { party: p.alice, amount: "0.2btc" }))).toBe("usage-value");
  });

  test("a channel without a funding output has no commitments", async () => {
    const p = await parties(ANCHORS, "proposed");
    expect(await codeOf(() => inspect(tx, { party: p.alice }))).toBe("state-not-funded");
  });

  test.each([
    ["", "tx-not-parsed"],
    ["00", "tx-not-parsed"],
    [tx.slice(2), "tx-not-parsed"],
    [`${tx}00`, "tx-not-parsed"],
    [tx.replace("0", "g"), "tx-not-parsed"],
    ["{}", "tx-not-parsed"],
    ['{"tx": 1}', "json-value"],
    ["{", "json-syntax"],
  ])("%j is unreadable: %s", async (text, code) => {
    expect(await codeOf(() => inspect(text))).toBe(code);
  });

  test("any text is inspected or refused", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("hex")),
          cut(),
        ),
        async (text) => {
          try {
            expect((await inspect(text)).txid).toMatch(/^[0-9a-f]{64}$/);
          } catch (error) {
            expect(error).toBeInstanceOf(LnError);
            expect((error as LnError).code).toMatch(/^(tx|json)-/);
          }
        },
      ),
      { numRuns: 300 },
    );

    /** The transaction with one hex digit changed. */
    function cut(): fc.Arbitrary<string> {
      return fc
        .tuple(
          fc.nat(tx.length - 1),
          fc.nat(15).map((digit) => digit.toString(16)),
        )
        .map(([at, digit]) => tx.slice(0, at) + digit + tx.slice(at + 1));
    }
  });
});
