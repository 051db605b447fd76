import { createHash } from "node:crypto";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test, vi } from "vitest";
import { tempDir } from "../support/cli.js";
import { offered, round } from "../support/htlcs.js";
import {
  ANCHORS,
  type Parties,
  afterStep,
  backupOf,
  editState,
  expectNoSecret,
  fingerprint,
  parties,
  readJson,
  refusal,
  refusedAsIs,
  runCommand,
  send,
  stateOf,
} from "../support/party.js";
import { interpret } from "../chain/interpreter.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
const PAYOUT = { to: TO, feerate: "1000" } as const;

/** A folder with nothing but the party's keys, as they were kept elsewhere. */
function onlyKeys(folder: string): string {
  const fresh = join(tempDir(), "restored");
  mkdirSync(fresh);
  cpSync(join(folder, "keys.json"), join(fresh, "keys.json"));
  return fresh;
}

/** Bob's backup after an HTLC was revoked, then two more payments; what Alice could publish at each time. */
async function aged(): Promise<{ readonly p: Parties; readonly restored: string; readonly cheat: Record<string, unknown>; readonly backup: object }> {
  const p = await parties(ANCHORS);
  await offered(p, "alice");
  await round(p, "alice");
  const cheater = backupOf(p.alice);
  const pay = async () => {
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.001btc"])]);
    await round(p, "alice");
  };
  await pay();
  const { document: backup } = await runCommand("backup", [p.bob]);
  await pay();
  await pay();
  const restored = onlyKeys(p.bob);
  await runCommand("restore", [restored, "-"], {}, { stdin: backup });
  const cheat = { ...(await runCommand("force-close", [cheater])).document };
  return { p, restored, cheat, backup };
}

describe("a backup", () => {
  test("holds no secret and no signature of an own commitment, and writing it changes nothing", async () => {
    const p = await afterStep(20);
    const before = fingerprint(p.dir);
    const { document, fileName } = await runCommand("backup", [p.alice]);
    expect(fingerprint(p.dir)).toEqual(before);
    expect(fileName).toMatch(/^backup-alice-\d+\.json$/);
    const text = JSON.stringify(document);
    expectNoSecret({ ...p, bob: p.alice }, text);
    const { current } = stateOf(p.alice).fundings[0].local;
    expect(text).not.toContain(Buffer.from(current!.signature).toString("hex"));
    expect(document).toMatchObject({
      channel: { flags: { behind: true }, fundings: [{ local: { current: { signature: `${"00".repeat(31)}01`.repeat(2) } } }] },
    });
  });

  test("restored, however old, publishes nothing of its own and signs nothing, whatever its file is told", async () => {
    const { restored, p } = await aged();
    expect(stateOf(restored).flags.behind).toBe(true);
    expect((await refusal(() => runCommand("force-close", [restored]))).code).toBe("policy-broadcast-behind");
    for (const [name, args] of [
      ["pay", ["1sat"]],
      ["sign", []],
      ["make-revocation", []],
    ] as const) {
      expect((await refusal(() => runCommand(name, [restored, ...args]))).code, name).toMatch(/^policy-(behind|sign-no-changes|revoke-unverified)$/);
    }
    // Not even where the mark is taken out: no signature of the peer's is there
    editState(restored, (state) => ({ ...state, flags: { ...state.flags, behind: false } }));
    const { document } = await runCommand("force-close", [restored]);
    const { amount } = stateOf(p.bob).fundings[0];
    const witness = Transaction.fromHex(document["tx"] as string).ins[0]!.witness;
    expect(interpret(document["tx"] as string, [{ amount, scriptPubkey: fundingScript(witness) }])).toMatchObject({ kind: "refused" });
  });

  test("restored asks the peer to close, which it does", async () => {
    const { p, restored } = await aged();
    const { document } = await runCommand("reestablish", [restored]);
    expect(document).toMatchObject({ type: "channel_reestablish", next_commitment_number: 0 });
    await send(p, "reestablish", [p.alice]);
    const error = await refusal(() => runCommand("reestablish", [p.alice, "-"], {}, { stdin: document }));
    expect(error).toMatchObject({ code: "state-peer-asks-fail" });
    const close = (await runCommand("force-close", [p.alice])).document;
    // The state does not know this commitment, and still takes what it pays plainly
    const inspected = await runCommand("inspect", ["-"], { party: restored }, { stdin: close });
    expect(JSON.stringify(inspected.document)).toContain("later than any that this state knows");
    const sweep = (await runCommand("sweep", [restored], { ...PAYOUT, tx: "-" }, { stdin: close })).document;
    expect(sweep["outputs"]).toMatchObject([{ kind: "to_remote", taken: true }]);
    accept(sweep["tx"] as string, close["tx"] as string);
  });

  test("restored punishes what was revoked before it was made, HTLCs too", async () => {
    const { restored, cheat } = await aged();
    const penalty = (await runCommand("penalty-tx", [restored], { ...PAYOUT, tx: "-" }, { stdin: cheat })).document;
    expect((penalty["takes"] as { kind: string }[]).map(({ kind }) => kind).sort()).toEqual(["offered_htlc", "to_local"]);
    accept(penalty["tx"] as string, cheat["tx"] as string);
  });

  test("is restored over nothing, and with no other keys", async () => {
    const { p, restored, backup } = await aged();
    const stdin = backup as Record<string, unknown>;
    expect((await refusedAsIs(p, () => runCommand("restore", [p.bob, "-"], {}, { stdin }))).code).toBe("file-exists");
    const before = fingerprint(restored);
    expect((await refusal(() => runCommand("restore", [restored, "-"], {}, { stdin }))).code).toBe("file-exists");
    expect(fingerprint(restored)).toEqual(before);
    const others = onlyKeys(p.alice);
    expect((await refusal(() => runCommand("restore", [others, "-"], {}, { stdin }))).code).toBe("key-mismatch");
    expect((await refusal(() => runCommand("restore", [others], {}))).code).toBe("usage-argument");
    expect((await refusal(() => runCommand("restore", [others, "-"], {}, { stdin: { ...stdin, version: 2 } }))).code).toBe("json-value");
    const fresh = onlyKeys(p.bob);
    const looked = fingerprint(fresh);
    await runCommand("restore", [fresh, "-"], { dryRun: true }, { stdin });
    expect(fingerprint(fresh)).toEqual(looked);
  });

  test("is not made of a test case, nor of a channel without a funding output", async () => {
    const p = await afterStep(20);
    editState(p.alice, (state) => ({ ...state, purpose: "vector" }));
    expect((await refusal(() => runCommand("backup", [p.alice]))).code).toBe("policy-vector-channel");
    expect((await refusal(async () => runCommand("backup", [(await parties(ANCHORS, "proposed")).alice]))).code).toBe("state-not-funded");
  });
});

describe("export-watchtower", () => {
  test("a line with signed penalties at each feerate, that hold against the commitment once it is published; then it is too late", async () => {
    const p = await parties(ANCHORS);
    await offered(p, "alice");
    await round(p, "alice");
    const cheat = (await runCommand("force-close", [backupOf(p.alice)])).document;
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.001btc"])]);
    await runCommand("receive", [p.bob, await send(p, "sign", [p.alice])]);
    await runCommand("receive", [p.alice, await send(p, "make-revocation", [p.bob])]);
    await runCommand("receive", [p.alice, await send(p, "sign", [p.bob])]);
    const revocation = await send(p, "make-revocation", [p.alice]);
    const before = fingerprint(p.dir);
    const flags = { to: TO, feerate: "1000,5000" };
    const { document, plain } = await runCommand("export-watchtower", [p.bob, revocation], flags);
    expect(fingerprint(p.dir)).toEqual(before);
    expect(JSON.parse(plain!)).toEqual(document);
    expect(plain!.trimEnd()).not.toContain("\n");
    expectNoSecret({ ...p, alice: p.bob }, plain!);
    const secret = readJson(revocation)["per_commitment_secret"] as string;
    expect(plain).not.toContain(secret);
    expect(document).toMatchObject({ commitment_txid: cheat["txid"], hint: (cheat["txid"] as string).slice(0, 32), commitment_number: 1 });
    const penalties = document["penalties"] as { tx: string; takes: number[]; feerate_per_kw: number }[];
    expect(penalties.map(({ takes, feerate_per_kw: rate }) => [rate, takes.length])).toEqual([
      [1000, 2],
      [1000, 1],
      [1000, 1],
      [5000, 2],
      [5000, 1],
      [5000, 1],
    ]);
    for (const { tx } of penalties) accept(tx, cheat["tx"] as string);

    await runCommand("receive-revocation", [p.bob, revocation]);
    expect((await refusal(() => runCommand("export-watchtower", [p.bob, revocation], flags))).code).toBe("state-revocation-taken");
    // The same bytes as penalty-tx gives afterwards
    const penalty = (await runCommand("penalty-tx", [p.bob], { ...PAYOUT, tx: "-" }, { stdin: cheat })).document;
    expect(penalties[0]!.tx).toBe(penalty["tx"]);
    expect((await refusal(() => runCommand("export-watchtower", [p.bob, revocation], { ...flags, to: "x" }))).code).toBe("input-address");
  });
});

/** Runs the scripts of a transaction that spends outputs of one other. */
function accept(hex: string, parent: string): void {
  const { outs } = Transaction.fromHex(parent);
  const coins = Transaction.fromHex(hex).ins.map(({ index }) => ({ amount: outs[index]!.value, scriptPubkey: outs[index]!.script }));
  expect(interpret(hex, coins)).toEqual({ kind: "accepted" });
}

/** The P2WSH script of a witness's last element. */
function fundingScript(witness: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Buffer.from("0020", "hex"), createHash("sha256").update(witness.at(-1)!).digest()]);
}
