import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { afterStep, backupOf, runCommand } from "../support/party.js";

const TO = { to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "2500" };

interface Sweep {
  readonly tx: string;
  readonly amount_sat: number;
  readonly fee_sat: number;
  readonly outputs: readonly {
    readonly kind: string;
    readonly amount_sat: number;
    readonly after_blocks: number;
    readonly spendable_from: number | null;
  }[];
}

/** Alice's newest commitment as she publishes it after the twenty steps. */
async function closed() {
  const p = await afterStep(20);
  const { document } = await runCommand("force-close", [backupOf(p.alice)]);
  return { p, close: JSON.stringify(document) };
}

async function sweep(party: string, stdin: string, flags: Readonly<Record<string, string>> = {}): Promise<Sweep> {
  return (await runCommand("sweep", [party], { ...TO, ...flags, tx: "-" }, { stdin })).document as unknown as Sweep;
}

describe("sweep", () => {
  test("our to_local after the delay, with the delay as sequence", async () => {
    const { p, close } = await closed();
    const { tx, outputs, amount_sat: kept, fee_sat: fee } = await sweep(p.alice, close, { confirmed: "100", height: "243" });
    expect(outputs).toMatchObject([{ kind: "to_local", amount_sat: 8_000_000, after_blocks: 144, spendable_from: 244 }]);
    expect(Transaction.fromHex(tx).ins.map(({ sequence }) => sequence)).toEqual([144]);
    expect(kept + fee).toBe(8_000_000);
    const perKw = (fee * 1000) / Transaction.fromHex(tx).weight();
    expect(perKw).toBeGreaterThanOrEqual(2500);
    expect(perKw).toBeLessThanOrEqual(2525);
  });

  test("a block too early it says from when", async () => {
    const { p, close } = await closed();
    await expect(sweep(p.alice, close, { confirmed: "100", height: "242" })).rejects.toMatchObject({
      code: "policy-sweep-immature",
      details: { height: 242, earliest: 244 },
    });
    await expect(sweep(p.alice, close, { height: "242" })).rejects.toMatchObject({ code: "policy-sweep-immature", details: { earliest: null } });
  });

  test("the peer's to_remote at once", async () => {
    const { p, close } = await closed();
    const { outputs } = await sweep(p.bob, close, { height: "1" });
    expect(outputs).toMatchObject([{ kind: "to_remote", amount_sat: 2_000_000, after_blocks: 0, spendable_from: 0 }]);
  });

  test("what a revoked commitment without an output of the cheater's leaves to us", async () => {
    const p = await afterStep(20);
    const { document } = await runCommand("force-close", [(await afterStep(3)).bob]);
    const { outputs } = await sweep(p.alice, JSON.stringify(document));
    expect(outputs).toMatchObject([{ kind: "to_remote", amount_sat: 10_000_000 }]);
  });

  test("nothing of a transaction that is none of the channel's, and nothing where we have no output", async () => {
    const { p } = await closed();
    const { document } = await runCommand("force-close", [(await afterStep(3)).alice]);
    // Alice's first commitment has no to_remote: Bob had nothing
    await expect(sweep(p.bob, JSON.stringify(document))).rejects.toMatchObject({ code: "state-nothing-to-sweep" });
  });
});
