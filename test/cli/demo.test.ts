import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { runCli, tempDir } from "../support/cli.js";
import { readJson } from "../support/party.js";

/** What the article calls its steps, in their order; those that take several names are named by the first. */
const ARTICLE_STEPS = [
  "1. BuildPayMeFirstTx(alice)",
  "2. Sign(payAliceFirstTx)",
  "3. Send(payAliceFirstSignature)",
  "4. Receive(payAliceFirstSignature)",
  "5. BuildPayOtherFirstTx(alice)",
  "6. CheckSignature(payOtherFirstTx, payAliceFirstSignature)",
  "7. Store(payAliceFirstSignature)",
  "8. BuildRevokeCommitmentMsg()",
  "9. Send(revokeMessage)",
  "10. ReceiveRevokeMsg(revokeMessage)",
  "11. BuildPayMeFirstTx(bob)",
  "12. Sign(payBobFirstTx)",
  "13. Send(payBobFirstSignature)",
  "14. Receive(signatureBob)",
  "15. BuildPayOtherFirstTx(bob)",
  "16. CheckSignature(payOtherFirstTx, signatureBob)",
  "17. Store(signatureBob)",
  "18. BuildRevokeCommitmentMsg()",
  "19. Send(revokeMessage)",
  "20. Receive(revokeMessage)",
];

interface Penalty {
  readonly punishes: { readonly txid: string; readonly owner: string; readonly commitment_number: number };
  readonly tx: string;
  readonly takes: readonly { readonly kind: string; readonly amount_sat: number }[];
  readonly amount_sat: number;
  readonly fee_sat: number;
}

interface Close {
  readonly tx: string;
  readonly fee_sat: number;
}

async function bash(script: string, cwd: string): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn("bash", [script], { cwd, env: { PATH: "/usr/bin:/bin" }, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { status, stdout, stderr };
}

async function written(): Promise<string> {
  // Blanks in the path: the scripts quote
  const dir = join(tempDir(), "a demo");
  const { status, stderr } = await runCli(["demo", dir]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readdirSync(dir).sort()).toEqual(expect.arrayContaining(["anchors.sh", "close.sh", "htlcs.sh", "update.sh"]));
  return dir;
}

/** The penalty spends the cheat, pays one output, and is worth its feerate. */
function expectPenalty(dir: string, { taken, number }: { readonly taken: number; readonly number: number }): void {
  const penalty = readJson(join(dir, "penalty.json")) as unknown as Penalty;
  const cheat = readJson(join(dir, "cheat.json")) as { readonly txid: string; readonly commitment_number: number };
  expect(penalty.punishes).toEqual({ txid: cheat.txid, owner: "remote", commitment_number: number });
  expect(cheat.commitment_number).toBe(number);
  expect(penalty.takes.map(({ kind, amount_sat: amount }) => [kind, amount])).toEqual([["to_local", taken]]);
  expect(penalty.amount_sat + penalty.fee_sat).toBe(taken);
  const tx = Transaction.fromHex(penalty.tx);
  const perKw = (penalty.fee_sat * 1000) / tx.weight();
  expect(perKw).toBeGreaterThanOrEqual(2500);
  expect(perKw).toBeLessThanOrEqual(2525);
}

describe("chankit demo, as a user runs it", () => {
  test("the article's twenty steps, the cheat and the penalty", async () => {
    const dir = await written();
    const { status, stdout, stderr } = await bash("update.sh", dir);
    expect(status, stderr).toBe(0);
    const lines = stdout.split("\n");
    const places = ARTICLE_STEPS.map((step) => lines.findIndex((line) => line.startsWith(step)));
    expect(places.filter((place) => place < 0)).toEqual([]);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    // At each step both balances, and why the one acting is safe
    for (const [at, place] of places.entries()) {
      const block = lines.slice(place, lines.indexOf("", place));
      expect(
        block.some((line) => line.trimStart().startsWith("safe: ")),
        ARTICLE_STEPS[at],
      ).toBe(true);
      expect(
        block.filter((line) => /(alice|bob) could publish commitment \d: own 0\.\d+, peer 0\.\d+ BTC/.test(line)),
        ARTICLE_STEPS[at],
      ).toHaveLength(2);
    }
    expect(stdout).toContain("alice could publish commitment 1: own 0.08000000, peer 0.02000000 BTC");
    expect(stdout).toContain("bob could publish commitment 1: own 0.02000000, peer 0.08000000 BTC");
    // The one refusal that the script shows: Alice's own file does not publish state 01
    expect(stderr.match(/^chankit: [a-z-]+:/gm)).toEqual(["chankit: policy-broadcast-revoked:"]);
    expectPenalty(dir, { taken: 10_000_000, number: 0 });
    for (const party of ["alice", "bob"]) expect(statSync(join(dir, party, "keys.json")).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(dir, "wire"))).toHaveLength(11);
    expect(existsSync(join(dir, "alice-backup"))).toBe(true);

    // Again over what is there: the same bytes
    const penalty = readFileSync(join(dir, "penalty.json"), "utf8");
    const again = await bash("update.sh", dir);
    expect({ status: again.status, stdout: again.stdout }).toEqual({ status, stdout });
    expect(readFileSync(join(dir, "penalty.json"), "utf8")).toBe(penalty);
  }, 240_000);

  test("the same with anchors, a real feerate and payments both ways, Bob cheating", async () => {
    const dir = await written();
    const { status, stdout, stderr } = await bash("anchors.sh", dir);
    expect(status, stderr).toBe(0);
    expect(stderr).toBe("");
    expect(stdout.split("\n").at(-2)).toBe("Done.");
    const cheat = readJson(join(dir, "cheat.json")) as {
      readonly commitment_number: number;
      readonly outputs: readonly { readonly kind: string; readonly amount_sat: number }[];
    };
    const taken = cheat.outputs.find(({ kind }) => kind === "to_local")!.amount_sat;
    expectPenalty(dir, { taken, number: cheat.commitment_number });
    expect(cheat.outputs.map(({ kind }) => kind).sort()).toEqual(["to_local", "to_local_anchor", "to_remote", "to_remote_anchor"]);
  }, 120_000);

  test("HTLCs both ways, a fee update, a reconnection in the midst of an exchange, a timeout on chain", async () => {
    const dir = await written();
    const { status, stdout, stderr } = await bash("htlcs.sh", dir);
    expect(status, stderr).toBe(0);
    // Too early by a block is the one refusal that the script shows
    expect(stderr.match(/^chankit: [a-z-]+:/gm)).toEqual(["chankit: policy-htlc-not-expired:"]);
    expect(stdout.split("\n").at(-2)).toBe("Done.");
    const again = readdirSync(join(dir, "again-bob")).map((name) => name.replace(/^\d+-bob-|\.json$/g, ""));
    expect(again).toEqual(["update_fulfill_htlc", "update_fail_htlc", "revoke_and_ack", "commitment_signed"]);
    // 0.06 and 0.04 BTC less what is in flight, the fulfilled 0.005 on Bob's side, the failed 0.004 back with Alice
    expect(stdout).toContain("alice could publish commitment 2: own 0.05200000, peer 0.04200000 BTC");
    const close = readJson(join(dir, "close.json")) as unknown as { readonly txid: string; readonly outputs: readonly { readonly kind: string }[] };
    expect(close.outputs.map(({ kind }) => kind).sort()).toEqual(
      ["to_local", "to_remote", "to_local_anchor", "to_remote_anchor", "offered_htlc", "received_htlc", "received_htlc"].sort(),
    );
    const timeout = readJson(join(dir, "timeout.json")) as unknown as { readonly tx: string; readonly commitment_txid: string };
    expect(timeout.commitment_txid).toBe(close.txid);
    expect(Transaction.fromHex(timeout.tx).locktime).toBe(520);
  }, 240_000);

  test("a mutual close, and a dearer one that replaces it", async () => {
    const dir = await written();
    const { status, stdout, stderr } = await bash("close.sh", dir);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.split("\n").at(-2)).toMatch(/^Done\./);
    const [first, close] = ["first.json", "close.json"].map((name) => readJson(join(dir, name)) as unknown as Close);
    expect(first).toMatchObject({ fee_paid_by: "local", outputs: [{ amount_sat: 4_000_000 }, { amount_sat: 6_000_000 - first!.fee_sat }] });
    expect(close).toMatchObject({ fee_paid_by: "local", outputs: [{ amount_sat: 4_000_000 - close!.fee_sat }, { amount_sat: 6_000_000 }] });
    expect(close!.fee_sat).toBeGreaterThan(first!.fee_sat);
    const inputs = [first!, close!].map(({ tx }) => Transaction.fromHex(tx).ins.map(({ hash, index, sequence }) => ({ hash, index, sequence })));
    expect(inputs[1]).toEqual(inputs[0]);
    expect(stdout).toContain("mutual close");
  }, 120_000);
});
