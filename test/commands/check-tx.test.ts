import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Psbt } from "bitcoinjs-lib/src/psbt";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { withHtlc } from "../support/htlcs.js";
import { signPsbt } from "../support/signer.js";
import { type FlagTexts, type Parties, afterStep, expectNoSecret, fingerprint, keysOf, parties, refusal, runCommand } from "../support/party.js";
import { runCli, tempDir } from "../support/cli.js";

const HOME = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

interface Finding {
  readonly code: string;
  readonly reason: string;
  readonly early_by?: number;
  readonly from_block?: number;
  readonly opcode?: string;
}

interface Step {
  readonly script: string;
  readonly opcode: string;
  readonly executed: boolean;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly error?: string;
}

interface Check {
  readonly accepted: boolean;
  readonly rules: string;
  readonly transactions: readonly {
    readonly txid: string;
    readonly accepted: boolean;
    readonly refusals: readonly Finding[];
    readonly notes: readonly Finding[];
    readonly fee_sat: number;
    readonly fee_per_kw: number;
    readonly inputs: readonly { readonly spends?: string; readonly amount_sat: number; readonly known_from: string }[];
    readonly traces?: readonly { readonly elements: Readonly<Record<string, string>>; readonly steps: readonly Step[] }[];
  }[];
}

async function check(files: readonly string[], flags: FlagTexts = {}): Promise<Check> {
  const { document, verdict } = await runCommand("check-tx", files, flags);
  const said = JSON.parse(JSON.stringify(document)) as Check;
  expect(verdict).toBe(said.accepted ? "yes" : "no");
  return said;
}

const codes = ({ transactions }: Check) => transactions.flatMap(({ refusals }) => refusals.map(({ code }) => code));

function written(dir: string, name: string, document: unknown): string {
  const path = join(dir, name);
  writeFileSync(path, typeof document === "string" ? document : JSON.stringify(document));
  return path;
}

/** Alice cheats with commitment 0, Bob answers. */
async function cheated() {
  const before = await afterStep(13);
  const cheat = written(before.dir, "cheat.json", (await runCommand("force-close", [before.alice])).document);
  const p = await afterStep(20);
  const document = (await runCommand("penalty-tx", [p.bob], { tx: cheat, to: HOME, feerate: "2500" })).document as { readonly tx: string };
  return { p, cheat, penalty: written(p.dir, "penalty.json", document), hex: document.tx };
}

describe("what is spent", () => {
  test("a parent, with the names of the channel; the party's files stay as they are", async () => {
    const { p, cheat, penalty } = await cheated();
    const files = fingerprint(p.dir);
    const said = await check([penalty], { parent: cheat, party: p.bob });
    expect(said.accepted).toBe(true);
    expect(said.rules).toBe("standard");
    const [one] = said.transactions;
    expect(one?.inputs).toEqual([
      expect.objectContaining({ spends: "to_local of the peer's revoked commitment 0", amount_sat: 10_000_000, known_from: "--parent" }),
    ]);
    expect(one?.fee_per_kw).toBeGreaterThanOrEqual(2500);
    expect(fingerprint(p.dir)).toEqual(files);
  });

  test("an output by itself, or the transaction in hex; both where they agree", async () => {
    const { cheat, penalty, hex } = await cheated();
    const { tx: parent } = JSON.parse(readFileSync(cheat, "utf8")) as { readonly tx: string };
    const { transactions } = await check([penalty], { parent });
    const { outpoint } = transactions[0]?.inputs[0] as unknown as { readonly outpoint: string };
    const script = /0020[0-9a-f]{64}/.exec(parent.slice(100))?.[0] ?? "";
    const prevout = `${outpoint}:0.1btc:${script}`;
    expect((await check([hex], { prevout, flags: "consensus" })).accepted).toBe(true);
    expect((await check([penalty], { parent: [parent, cheat], prevout })).accepted).toBe(true);
    const less = await check([penalty], { prevout: `${outpoint}:9999999sat:${script}` });
    expect(codes(less)).toEqual(["NULLFAIL"]);
    const conflict = await refusal(() => runCommand("check-tx", [penalty], { parent, prevout: `${outpoint}:1sat:${script}` }));
    expect(conflict.code).toBe("input-prevout-conflict");
  });

  test("each transaction may spend those before it", async () => {
    const { p, cheat, penalty } = await cheated();
    const said = await check([cheat, penalty], { party: p.bob });
    expect(said.transactions.map(({ accepted }) => accepted)).toEqual([true, true]);
    expect(said.transactions.map(({ inputs }) => inputs[0]?.known_from)).toEqual(["the channel's state", "a transaction before it"]);
    // A commitment at feerate 0: nothing wrong with its scripts, but no node takes it alone
    expect(said.transactions[0]?.notes.map(({ code }) => code)).toEqual(["min-relay-fee"]);
  });

  test("input-prevout-unknown: nothing is known of it", async () => {
    const { penalty } = await cheated();
    expect((await refusal(() => runCommand("check-tx", [penalty]))).code).toBe("input-prevout-unknown");
  });

  test("usage: values of no form, two things from standard input, two names of a channel", async () => {
    for (const flags of [{ prevout: "00:1" }, { confirmed: "x" }, { height: "-1" }] as const) {
      expect((await refusal(() => runCommand("check-tx", ["-"], flags))).code).toBe("usage-value");
    }
    expect((await refusal(() => runCommand("check-tx", ["-"], { flags: "P2WSH" }))).code).toBe("input-script-flag");
    expect((await refusal(() => runCommand("check-tx", ["-"], { channel: "-" }))).code).toBe("usage-stdin-twice");
    const p = await parties();
    const { penalty } = await cheated();
    expect((await refusal(() => runCommand("check-tx", [penalty], { channel: "a", party: p.alice }))).code).toBe("usage-argument");
  });
});

/** Bob sweeps what Alice's force-close pays to herself after the delay, before and when it may. */
async function swept(p: Parties) {
  const close = written(p.dir, "close.json", (await runCommand("force-close", [p.alice])).document);
  const sweep = (await runCommand("sweep", [p.alice], { tx: close, to: HOME, feerate: "2500" })).document;
  return { close, sweep: written(p.dir, "sweep.json", sweep) };
}

describe("what is refused", () => {
  test("one block too early, and in time", async () => {
    const { close, sweep } = await swept(await afterStep(20));
    const delay = { parent: close, confirmed: "1000" };
    const unknown = await check([sweep], { parent: close });
    expect(unknown.accepted).toBe(true);
    expect(unknown.transactions[0]?.notes[0]).toMatchObject({ code: "timelock-not-checked" });
    const from = (await check([sweep], { ...delay, height: "1000" })).transactions[0]?.refusals[0]?.from_block ?? 0;
    expect(from).toBeGreaterThan(1000);
    const early = await check([sweep], { ...delay, height: String(from - 1) });
    expect(early.transactions[0]?.refusals).toMatchObject([{ code: "non-BIP68-final", early_by: 1, from_block: from }]);
    expect(early.transactions[0]?.refusals[0]?.reason).toMatch(/^one block too early/);
    expect((await check([sweep], { ...delay, height: String(from) })).accepted).toBe(true);
    // Together with what it spends it stands in the same block
    expect(codes(await check([close, sweep], { prevout: fundingOf(close), height: "5000" }))).toEqual(["non-BIP68-final"]);
  });

  test("a changed signature, with the opcode that fails; more out than in", async () => {
    const { cheat, hex } = await cheated();
    const changed = hex.replace(/0101014d63/, "0301014d63");
    expect(changed).not.toBe(hex);
    const bad = await check([changed], { parent: cheat });
    expect(bad.transactions[0]?.refusals).toMatchObject([{ code: "NULLFAIL", opcode: "OP_CHECKSIG", script: "witness_script" }]);
    const prevout = fundingOf(cheat).replace(":10000000sat:", ":1sat:");
    expect(codes(await check([cheat], { prevout }))).toEqual(["bad-txns-in-belowout", "NULLFAIL"]);
  });
});

/** A commitment's funding output as --prevout says it: the script is the hash of the one that its witness ends with. */
function fundingOf(path: string): string {
  const { tx } = JSON.parse(readFileSync(path, "utf8")) as { readonly tx: string };
  return `${outpointIn(tx)}:10000000sat:${programIn(tx)}`;
}

function outpointIn(tx: string): string {
  const txid = Buffer.from(tx.slice(14, 78), "hex").reverse().toString("hex");
  return `${txid}:${Buffer.from(tx.slice(78, 86), "hex").readUInt32LE()}`;
}

function programIn(tx: string): string {
  const script = /5221[0-9a-f]{66}21[0-9a-f]{66}52ae/.exec(tx)?.[0] ?? "";
  return `0020${createHash("sha256").update(Buffer.from(script, "hex")).digest("hex")}`;
}

describe("a trace", () => {
  test("every opcode in field names, whose signature is whose, and no secret", async () => {
    const { p, cheat, penalty } = await cheated();
    const said = await check([cheat, penalty], { party: p.bob, trace: true });
    expectNoSecret(p, JSON.stringify(said));
    const [funding, penaltyTrace] = said.transactions.map(({ traces }) => traces?.[0]);
    const last = funding?.steps.at(-1);
    expect(last).toMatchObject({ script: "witness_script", opcode: "OP_CHECKMULTISIG", after: ["01"] });
    expect([...(last?.before ?? [])].sort()).toEqual(["02", "02", "<>", "<bob_funding_pubkey>", "<bob_sig>", "<peer_funding_pubkey>", "<peer_sig>"]);
    expect(penaltyTrace?.steps.map(({ opcode, executed }) => `${executed ? "" : "-"}${opcode}`)).toEqual([
      "OP_0",
      "OP_PUSHBYTES_32",
      "OP_IF",
      "OP_PUSHBYTES_33",
      "OP_ELSE",
      "-OP_PUSHBYTES_2",
      "-OP_CHECKSEQUENCEVERIFY",
      "-OP_DROP",
      "-OP_PUSHBYTES_33",
      "OP_ENDIF",
      "OP_CHECKSIG",
    ]);
    expect(penaltyTrace?.steps.at(-1)?.before).toEqual(["<revocation_sig>", "<revocationpubkey>"]);
    expect(penaltyTrace?.elements["<revocationpubkey>"]).toMatch(/^0[23][0-9a-f]{64}$/);
  });
});

/** Alice's commitment with an HTLC that she offered, and the transaction that takes it back; the same as a PSBT that is signed elsewhere. */
async function timedOut() {
  const p = await withHtlc();
  const { document } = await runCommand("force-close", [p.alice]);
  const { outputs } = document as unknown as { readonly outputs: readonly { readonly kind: string }[] };
  const at = { outputIndex: String(outputs.findIndex(({ kind }) => kind === "offered_htlc")), height: "500" };
  const { document: made } = await runCommand("htlc-tx", [p.alice], at);
  const { psbt } = (await runCommand("htlc-tx", [p.alice], { ...at, psbt: true })).document as { readonly psbt: string };
  const signed = Psbt.fromBase64(signPsbt(psbt, keysOf(p.alice)));
  return { p, close: written(p.dir, "close.json", document), htlcTx: written(p.dir, "htlc-tx.json", made), hex: made["tx"] as string, psbt, signed };
}

describe("an HTLC transaction", () => {
  test("its trace: the expiry branch, both sides' signatures by their names, each with its own sighash type", async () => {
    const { p, close, htlcTx } = await timedOut();
    const said = await check([close, htlcTx], { party: p.alice, trace: true });
    expect(said.accepted).toBe(true);
    expectNoSecret(p, JSON.stringify(said));
    const [, second] = said.transactions;
    expect(second?.inputs).toMatchObject([
      { known_from: "the channel's state", amount_sat: 100_000, spends: "offered_htlc of alice's commitment 1" },
    ]);
    const [trace] = second?.traces ?? [];
    const ran = trace!.steps.filter(({ script, executed }) => script === "witness_script" && executed);
    expect(ran.map(({ opcode }) => opcode)).toEqual(TIMEOUT_PATH);
    const multisig = ran.find(({ opcode }) => opcode === "OP_CHECKMULTISIG")!;
    expect(multisig.before.toSorted()).toEqual(["02", "02", "<>", "<local_htlcpubkey>", "<localhtlcsig>", "<remote_htlcpubkey>", "<remotehtlcsig>"]);
    expect(multisig.after).toEqual(["01"]);
    expect(trace!.elements["<remotehtlcsig>"]).toMatch(/83$/);
    expect(trace!.elements["<localhtlcsig>"]).toMatch(/01$/);
  });

  test("with a preimage in the place of the empty one it comes into the other branch, where our signature is none", async () => {
    const { close, hex } = await timedOut();
    const { tx } = JSON.parse(readFileSync(close, "utf8")) as { readonly tx: string };
    const wrong = Transaction.fromHex(hex);
    wrong.ins[0]!.witness[3] = new Uint8Array(32).fill(7);
    const said = await check([wrong.toHex()], { parent: tx, trace: true });
    expect(said.transactions[0]?.refusals).toMatchObject([{ code: "EQUALVERIFY", opcode: "OP_EQUALVERIFY", script: "witness_script" }]);
  });
});

describe("a PSBT", () => {
  test("finalised: it says what it spends, and nothing else is needed; in base64, in hex, with a trace", async () => {
    const { p, hex, signed } = await timedOut();
    const { witness } = Transaction.fromHex(hex).ins[0]!;
    signed.finalizeInput(0, () => ({ finalScriptSig: undefined, finalScriptWitness: serialize(witness) }));
    for (const text of [signed.toBase64(), Buffer.from(signed.toBuffer()).toString("hex")]) {
      const said = await check([written(p.dir, "final.psbt", text)], { trace: true });
      expect(said.accepted).toBe(true);
      expect(said.transactions).toMatchObject([
        { txid: Transaction.fromHex(hex).getId(), inputs: [{ amount_sat: 100_000, known_from: "the PSBT" }] },
      ]);
      expect(said.transactions[0]?.traces?.[0]?.steps.at(-1)?.after).toEqual(["01"]);
    }
  });

  test("input-psbt-unsigned: with signatures, but not finalised; input-psbt: of no form", async () => {
    const { p, signed, psbt } = await timedOut();
    for (const text of [psbt, signed.toBase64()]) {
      const error = await refusal(() => runCommand("check-tx", [written(p.dir, "open.psbt", text)]));
      expect(error).toMatchObject({ code: "input-psbt-unsigned", details: { input: 0 } });
    }
    expect((await refusal(() => runCommand("check-tx", [written(p.dir, "torn.psbt", psbt.slice(0, 60))]))).code).toBe("input-psbt");
  });

  test("one whose finished witness is another's: refused by the interpreter", async () => {
    const { p, hex, signed } = await timedOut();
    const witness = Transaction.fromHex(hex).ins[0]!.witness.map((element, at) =>
      at === 1 ? element.map((byte, place) => (place === 20 ? byte ^ 1 : byte)) : element,
    );
    signed.finalizeInput(0, () => ({ finalScriptSig: undefined, finalScriptWitness: serialize(witness) }));
    expect(codes(await check([written(p.dir, "bad.psbt", signed.toBase64())]))).toEqual(["NULLFAIL"]);
  });
});

/** What of BOLT 3's offered HTLC script runs where it has timed out. */
const TIMEOUT_PATH: readonly string[] = [
  ...["OP_DUP", "OP_HASH160", "OP_PUSHBYTES_20", "OP_EQUAL", "OP_IF", "OP_ELSE"],
  ...["OP_PUSHBYTES_33", "OP_SWAP", "OP_SIZE", "OP_PUSHBYTES_1", "OP_EQUAL", "OP_NOTIF"],
  ...["OP_DROP", "OP_2", "OP_SWAP", "OP_PUSHBYTES_33", "OP_2", "OP_CHECKMULTISIG", "OP_ELSE", "OP_ENDIF"],
  ...["OP_1", "OP_CHECKSEQUENCEVERIFY", "OP_DROP", "OP_ENDIF"],
];

/** A witness as a PSBT has it: all elements here are shorter than 253 bytes. */
function serialize(witness: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from([witness.length, ...witness.flatMap((element) => [element.length, ...element])]);
}

describe("as a process", () => {
  test("exit 0, 1 and 3, and a trace in lines for people", async () => {
    const { p, cheat, penalty, hex } = await cheated();
    const cwd = tempDir();
    const good = await runCli(["check-tx", penalty, "--parent", cheat, "--parent", cheat, "--party", p.bob, "--trace", "--text"], { cwd });
    expect(good).toMatchObject({ status: 0, stderr: "" });
    expect(good.stdout).toContain(
      "witness_script  OP_CHECKSIG             <revocation_sig> <revocationpubkey>  →  01  [<revocation_sig> is good for <revocationpubkey>]",
    );
    const bad = await runCli(["check-tx", "-", "--parent", cheat], { cwd, stdin: hex.replace(/0101014d63/, "0301014d63") });
    expect(bad).toMatchObject({ status: 1, stderr: "" });
    expect(JSON.parse(bad.stdout)).toMatchObject({ accepted: false });
    expect((await runCli(["check-tx", penalty], { cwd })).status).toBe(3);
  });
});
