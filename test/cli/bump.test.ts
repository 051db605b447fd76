import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Psbt } from "bitcoinjs-lib/src/psbt";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/protocol/bytes.js";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import { type Coin, interpret } from "../chain/interpreter.js";
import { offered, round, withHtlc } from "../support/htlcs.js";
import { signPsbt } from "../support/signer.js";
import { TAPROOT, WALLET, WALLET_LOCK, walletSigns } from "../support/wallet.js";
import { type FlagTexts, type Parties, afterStep, keysOf, partiesAs, refusal, runCommand } from "../support/party.js";

const input = (at: number, amount: string, script: Uint8Array = WALLET_LOCK.scriptPubkey) =>
  `${"ab".repeat(31)}${String(at).padStart(2, "0")}:${at}:${amount}:${toHex(script)}`;
const CHANGE: FlagTexts = { change: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "10000", inputs: input(1, "0.01btc") };

interface Bump {
  readonly txid: string;
  readonly tx?: string;
  readonly weight?: number;
  readonly psbt: string;
  readonly fee_sat: number;
  readonly fee_weight: number;
  readonly change_sat: number;
  readonly package_fee_sat: number;
  readonly parent: { readonly fee_sat: number; readonly weight: number };
  readonly replaces?: { readonly fee_sat: number };
}

interface Closed {
  readonly tx: string;
  readonly outputs: readonly {
    readonly index: number;
    readonly kind: string;
    readonly amount_sat: number;
    readonly script_pubkey: string;
    readonly htlc?: { readonly cltv_expiry: number };
  }[];
}

function coinsOf(psbt: string): readonly Coin[] {
  return Psbt.fromBase64(psbt).data.inputs.map(({ witnessUtxo }) => ({ amount: witnessUtxo!.value, scriptPubkey: witnessUtxo!.script }));
}

function fileOf(p: Parties, name: string, content: string): string {
  const path = join(p.dir, name);
  writeFileSync(path, content);
  return path;
}

/** Two HTLCs of Alice's with one expiry, one with another, all irrevocable; her commitment signed for broadcast. */
async function closed() {
  const p = await partiesAs("three HTLCs of Alice's, closed", async ({ dir }) => {
    const made = await withHtlc();
    await offered(made, "alice", "0.002btc");
    await offered(made, "alice", "0.003btc", { cltvExpiry: "600" });
    await round(made, "alice");
    cpSync(made.dir, dir, { recursive: true });
  });
  const { document } = await runCommand("force-close", [p.alice]);
  const close = document as unknown as Closed;
  const at = (expiry: number) => close.outputs.filter(({ htlc }) => htlc?.cltv_expiry === expiry).map(({ index }) => index);
  return { p, close, stdin: document, at };
}

async function bump(party: string, flags: FlagTexts, stdin?: Record<string, unknown>): Promise<Bump> {
  return (await runCommand("bump", [party], { ...CHANGE, ...flags }, stdin === undefined ? {} : { stdin })).document as unknown as Bump;
}

/** Never below the feerate asked for, and at most 1 % above it. */
function expectFeerate(fee: number, weight: number, asked: number): void {
  expect(fee * 1000).toBeGreaterThanOrEqual(asked * weight);
  expect(fee * 1000).toBeLessThanOrEqual(asked * weight * 1.01);
}

describe.each(["alice", "bob"] as const)("a child of Alice's commitment, by %s", (who) => {
  test("through the anchor that is hers or his: the two together reach the feerate", async () => {
    const { p, close, stdin } = await closed();
    const made = await bump(p[who], { tx: "-" }, { ...stdin });
    expect(made.tx).toBeUndefined();
    const finish = fileOf(p, "signed.psbt", walletSigns(made.psbt));
    const done = await bump(p[who], { tx: "-", finish }, { ...stdin });
    expect(interpret(done.tx!, coinsOf(made.psbt))).toEqual({ kind: "accepted" });
    const [child, parent] = [Transaction.fromHex(done.tx!), Transaction.fromHex(close.tx)];
    expectFeerate(made.parent.fee_sat + done.fee_sat, child.weight() + parent.weight(), 10_000);
    expect(made.package_fee_sat).toBe(made.parent.fee_sat + done.fee_sat);
    const anchor = parent.outs[child.ins[0]!.index]!;
    expect(anchor.value).toBe(330n);
    expect(child.outs.map(({ value }) => value)).toEqual([330n + 1_000_000n - BigInt(done.fee_sat)]);
    expect(child.ins.every(({ sequence }) => sequence === 0xfffffffd)).toBe(true);
  });

  test("without keys, signed by two signers apart", async () => {
    const { p, stdin } = await closed();
    const keys = keysOf(p[who]);
    rmSync(join(p[who], "keys.json"));
    const { psbt } = await bump(p[who], { tx: "-", psbt: true }, { ...stdin });
    const parts = [fileOf(p, "ours.psbt", signPsbt(psbt, keys)), fileOf(p, "wallet.psbt", walletSigns(psbt))];
    for (const finish of parts) expect((await refusal(() => bump(p[who], { tx: "-", finish }, { ...stdin }))).code).toBe("input-psbt-unsigned");
    const done = await bump(p[who], { tx: "-", finish: parts.join() }, { ...stdin });
    expect(interpret(done.tx!, coinsOf(psbt))).toEqual({ kind: "accepted" });
  });
});

describe("HTLC transactions with a wallet's inputs", () => {
  test("several as one, where their locktimes agree: each beside its output, as the peer has signed it; then swept", async () => {
    const { p, close, stdin, at } = await closed();
    const htlcs = at(500).join();
    const flags = { htlcs, height: "500", inputs: `${input(1, "0.01btc")},${input(2, "20000sat")}` };
    const made = await bump(p.alice, flags);
    const done = await bump(p.alice, { ...flags, finish: fileOf(p, "signed.psbt", walletSigns(made.psbt)) });
    expect(interpret(done.tx!, coinsOf(made.psbt))).toEqual({ kind: "accepted" });
    const tx = Transaction.fromHex(done.tx!);
    expect(tx.locktime).toBe(500);
    expect([tx.ins.length, tx.outs.length]).toEqual([4, 3]);
    expect(tx.ins.map(({ sequence }) => sequence)).toEqual([1, 1, 0xfffffffd, 0xfffffffd]);
    expect(tx.outs.slice(0, 2).map(({ value }) => Number(value))).toEqual(at(500).map((index) => close.outputs[index]!.amount_sat));
    expectFeerate(done.fee_sat, tx.weight(), 10_000);

    const htlcTxs = fileOf(p, "htlcs.hex", done.tx!);
    const sweep = { to: CHANGE["change"]!, feerate: "2500", tx: "-", htlcTxs, confirmed: "600" };
    const { document } = await runCommand("sweep", [p.alice], sweep, { stdin });
    expect(
      (document["outputs"] as readonly { readonly kind: string }[]).map(({ kind }) => kind).filter((kind) => kind === "htlc_tx_output"),
    ).toHaveLength(2);
  });

  test("the wallet's by taproot", async () => {
    const { p, at } = await closed();
    const flags = { htlcs: String(at(600)[0]), height: "600", inputs: input(3, "0.01btc", TAPROOT) };
    const made = await bump(p.alice, flags);
    const done = await bump(p.alice, { ...flags, finish: fileOf(p, "signed.psbt", walletSigns(made.psbt)) });
    expectFeerate(done.fee_sat, Transaction.fromHex(done.tx!).weight(), 10_000);
    const wrong = Psbt.fromBase64(walletSigns(made.psbt));
    wrong.data.inputs[1]!.tapKeySig = wrong.data.inputs[1]!.tapKeySig!.map((byte, index) => (index === 5 ? byte ^ 1 : byte));
    const finish = fileOf(p, "wrong.psbt", wrong.toBase64());
    expect((await refusal(() => bump(p.alice, { ...flags, finish }))).code).toBe("input-psbt-signature");
  });

  test("tx-htlc-locktimes-differ, tx-htlc-fee-fixed, and too early", async () => {
    const { p, at } = await closed();
    const all = [...at(500), ...at(600)].join();
    expect((await refusal(() => bump(p.alice, { htlcs: all, height: "600" }))).code).toBe("tx-htlc-locktimes-differ");
    expect((await refusal(() => bump(p.alice, { htlcs: String(at(500)[0]), height: "499" }))).code).toBe("policy-htlc-not-expired");
    const fixed = await partiesAs("an HTLC without anchors", async ({ dir }) => {
      const made = await afterStep(20);
      await offered(made, "alice", "0.001btc");
      await round(made, "alice");
      cpSync(made.dir, dir, { recursive: true });
    });
    const { document } = await runCommand("force-close", [fixed.alice]);
    const index = (document as unknown as Closed).outputs.findIndex(({ kind }) => kind === "offered_htlc");
    expect((await refusal(() => bump(fixed.alice, { htlcs: String(index), height: "500" }))).code).toBe("tx-htlc-fee-fixed");
    expect((await refusal(() => bump(fixed.alice, { tx: "-" }, { ...document }))).code).toBe("state-no-anchor");
  });
});

describe("a wallet's PSBT", () => {
  const derivation = { masterFingerprint: new Uint8Array(4).fill(1), path: "m/84'/1'/0'/0/0", pubkey: publicKey(WALLET) };

  test("its inputs with all that it says of them, its outputs left out", async () => {
    const { p, stdin } = await closed();
    const parent = new Transaction();
    parent.addInput(new Uint8Array(32).fill(3), 0);
    parent.addOutput(WALLET_LOCK.scriptPubkey, 1_000_000n);
    const given = new Psbt();
    given.addInput({ hash: parent.getId(), index: 0, nonWitnessUtxo: parent.toBuffer(), bip32Derivation: [derivation] });
    given.addOutput({ script: TAPROOT, value: 5n });
    const flags = { change: CHANGE["change"]!, feerate: "10000", tx: "-", wallet: fileOf(p, "wallet.psbt", given.toBase64()) };
    const { psbt, change_sat: change, fee_sat: fee } = (await runCommand("bump", [p.alice], flags, { stdin })).document as unknown as Bump;
    const [, field] = Psbt.fromBase64(psbt).data.inputs;
    expect(field!.bip32Derivation).toEqual([derivation]);
    expect(change + fee).toBe(1_000_330);
    expect(Psbt.fromBase64(psbt).txOutputs).toHaveLength(1);
  });

  test("input-psbt-legacy-input, tx-wallet-script: what it spends is not said, or no lock that we can reckon with", async () => {
    const { p, stdin } = await closed();
    const codeOf = async (fields: Parameters<Psbt["updateInput"]>[1]) => {
      const given = new Psbt();
      given.addInput({ hash: "cd".repeat(32), index: 0, ...fields });
      given.addOutput({ script: TAPROOT, value: 5n });
      return (await refusal(() => bump(p.alice, { tx: "-", wallet: fileOf(p, "wallet.psbt", given.toBase64()) }, { ...stdin }))).code;
    };
    expect(await codeOf({})).toBe("input-psbt-legacy-input");
    expect(await codeOf({ witnessUtxo: { script: Uint8Array.of(0x51), value: 5n } })).toBe("tx-wallet-script");
  });
});

describe("refused", () => {
  test("usage-bump, usage-value, tx-input-twice, tx-output-dust, state-bump-needless", async () => {
    const { p, stdin } = await closed();
    const codeOf = async (flags: FlagTexts) => (await refusal(() => bump(p.alice, { tx: "-", ...flags }, { ...stdin }))).code;
    expect((await refusal(() => bump(p.alice, {}))).code).toBe("usage-bump");
    expect(await codeOf({ htlcs: "1" })).toBe("usage-bump");
    for (const inputs of ["", "x", `${"ab".repeat(32)}:0:5:bcrt1q`, `${"ab".repeat(32)}:70000:5sat:bcrt1q`, `${"ab".repeat(31)}:0:5sat:bcrt1q`])
      expect(await codeOf({ inputs })).toBe("usage-value");
    expect(await codeOf({ inputs: `${"ab".repeat(32)}:0:5sat:bcrt1q` })).toBe("input-address");
    expect(await codeOf({ inputs: [input(1, "1btc"), input(1, "1btc")].join() })).toBe("tx-input-twice");
    expect(await codeOf({ inputs: input(1, "5000sat") })).toBe("tx-output-dust");
    expect(await codeOf({ feerate: "2400" })).toBe("state-bump-needless");
  });
});

describe("a replacement", () => {
  async function first() {
    const { p, stdin } = await closed();
    const made = await bump(p.alice, { tx: "-" }, { ...stdin });
    const again = (flags: FlagTexts) => bump(p.alice, { tx: "-", ...flags }, { ...stdin });
    return { p, made, again };
  }

  test("pays what it replaces and its own relay", async () => {
    const { p, made, again } = await first();
    for (const replaces of [fileOf(p, "first.psbt", made.psbt), fileOf(p, "first.json", JSON.stringify(made))]) {
      const second = await again({ feerate: "20000", replaces });
      expect(second.replaces).toEqual({ txid: made.txid, fee_sat: made.fee_sat });
      expect(second.fee_sat).toBeGreaterThan(made.fee_sat + made.fee_weight / 4);
      const small = await refusal(() => again({ feerate: "10020", replaces }));
      expect(small).toMatchObject({ code: "policy-replacement-underpaid", details: { replaced_fee_sat: String(made.fee_sat) } });
    }
  });

  test("state-replaces-nothing, input-replaced-unknown", async () => {
    const { p, made, again } = await first();
    const stranger = new Transaction();
    stranger.addInput(new Uint8Array(32).fill(9), 0);
    stranger.addOutput(WALLET_LOCK.scriptPubkey, 5n);
    expect((await refusal(() => again({ replaces: fileOf(p, "other.hex", stranger.toHex()) }))).code).toBe("state-replaces-nothing");
    const bare = fileOf(p, "first.hex", Transaction.fromBuffer(Psbt.fromBase64(made.psbt).data.getTransaction()).toHex());
    const elsewhere = { inputs: input(2, "0.02btc"), feerate: "20000" };
    expect((await refusal(() => again({ ...elsewhere, replaces: bare }))).code).toBe("input-replaced-unknown");
    expect((await again({ ...elsewhere, replaces: fileOf(p, "first.psbt", made.psbt) })).replaces).toEqual({
      txid: made.txid,
      fee_sat: made.fee_sat,
    });
  });
});

test("policy-bump-not-held: a revoked commitment is punished", async () => {
  const p = await afterStep(20);
  const { document } = await runCommand("force-close", [(await afterStep(13)).alice]);
  const error = await refusal(() => bump(p.bob, { tx: "-" }, { ...document }));
  expect(error).toMatchObject({ code: "policy-bump-not-held", details: { identity: "revoked" } });
});
