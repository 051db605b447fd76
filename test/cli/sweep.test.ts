import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { PREIMAGE, offered, round, withHtlc } from "../support/htlcs.js";
import { ANCHORS, afterStep, backupOf, parties, refusal, runCommand } from "../support/party.js";

const TO = { to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "2500" };

interface Waiting {
  readonly kind: string;
  readonly waits_for: string;
}

interface Sweep {
  readonly waiting: readonly Waiting[];
  readonly tx: string;
  readonly amount_sat: number;
  readonly fee_sat: number;
  readonly outputs: readonly {
    readonly kind: string;
    readonly amount_sat: number;
    readonly after_blocks: number;
    readonly spendable_from: number | null;
    readonly taken: boolean;
  }[];
}

/** Alice's newest commitment as she publishes it after the twenty steps. */
async function closed() {
  const p = await afterStep(20);
  const { document } = await runCommand("force-close", [backupOf(p.alice)]);
  return { p, close: JSON.stringify(document) };
}

async function sweep(party: string, stdin: string, flags: Readonly<Record<string, string | true>> = {}): Promise<Sweep> {
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

describe("in a channel with anchors and HTLCs", () => {
  const shown = ({ outputs }: Sweep) =>
    outputs.map(({ kind, spendable_from: from, taken }) => `${kind} ${String(from)} ${taken ? "taken" : "left"}`).sort();

  /** An HTLC each way, of Alice's with expiry 500 and of Bob's with expiry 600; `who` publishes. */
  async function closedBy(who: "alice" | "bob") {
    const p = await withHtlc();
    await offered(p, "bob", "0.002btc", { cltvExpiry: "600" });
    await round(p, "bob");
    const { document } = await runCommand("force-close", [p[who]]);
    return { p, close: JSON.stringify(document) };
  }

  test("the peer's commitment: each thing from its height on, by preimage and by expiry, and what lacks its preimage", async () => {
    const { p, close } = await closedBy("bob");
    const at = (height: string, more = {}) => sweep(p.alice, close, { confirmed: "490", height, feerate: "253", ...more });
    expect(shown(await at("490"))).toEqual(["anchor 0 left", "anchor_of_peer 506 left", "htlc 501 left", "to_remote 491 taken"]);
    expect(shown(await at("500"))).toEqual(["anchor 0 left", "anchor_of_peer 506 left", "htlc 501 taken", "to_remote 491 taken"]);
    expect((await at("500")).waiting).toMatchObject([{ kind: "offered_htlc", waits_for: "preimage" }]);
    expect(shown(await at("505", { anchors: true }))).toEqual([
      "anchor 0 taken",
      "anchor_of_peer 506 taken",
      "htlc 501 taken",
      "to_remote 491 taken",
    ]);
    expect(shown(await at("504", { anchors: true }))).toEqual(["anchor 0 taken", "anchor_of_peer 506 left", "htlc 501 taken", "to_remote 491 taken"]);
    // Where each costs more than it holds
    expect(shown(await at("505", { anchors: true, feerate: "1300" }))).toEqual([
      "anchor 0 left",
      "anchor_of_peer 506 taken",
      "htlc 501 taken",
      "to_remote 491 taken",
    ]);
    expect(shown(await sweep(p.alice, close, { anchors: true, feerate: "253" }))).toEqual([
      "anchor 0 taken",
      "anchor_of_peer null left",
      "htlc null taken",
      "to_remote null taken",
    ]);
  });

  test("an HTLC of the peer's with the preimage that is given", async () => {
    const { p, close } = await closedBy("bob");
    const preimage = join(p.dir, "preimage.hex");
    writeFileSync(preimage, PREIMAGE);
    const { outputs, waiting } = await sweep(p.alice, close, { preimage });
    expect(outputs.filter(({ kind, taken }) => kind === "htlc" && taken)).toHaveLength(2);
    expect(waiting).toEqual([]);
  });

  test("our own commitment: HTLCs wait for their transactions", async () => {
    const { p, close } = await closedBy("alice");
    const { waiting } = await sweep(p.alice, close);
    expect(waiting).toMatchObject([
      { kind: "offered_htlc", waits_for: "htlc_tx" },
      { kind: "received_htlc", waits_for: "htlc_tx" },
    ]);
  });

  test("a revoked commitment: the rest is the penalty's", async () => {
    const p = await withHtlc();
    const cheat = backupOf(p.alice);
    await offered(p, "alice");
    await round(p, "alice");
    const { document } = await runCommand("force-close", [cheat]);
    const { outputs, waiting } = await sweep(p.bob, JSON.stringify(document), { feerate: "253", anchors: true });
    expect(outputs.map(({ kind, taken }) => [kind, taken]).sort()).toEqual([
      ["anchor", true],
      ["anchor_of_peer", false],
      ["to_remote", true],
    ]);
    expect(waiting.map(({ kind, waits_for: why }) => [kind, why])).toEqual([
      ["offered_htlc", "penalty_tx"],
      ["to_local", "penalty_tx"],
    ]);
  });

  test("state-nothing-to-sweep: nothing but an anchor, unless it is asked for", async () => {
    const p = await parties({ ...ANCHORS, open: { ...ANCHORS.open, push: "0sat", feerate: "253" } });
    const { document } = await runCommand("force-close", [p.alice]);
    const close = JSON.stringify(document);
    expect((await refusal(() => sweep(p.bob, close))).code).toBe("state-nothing-to-sweep");
    expect((await refusal(() => sweep(p.bob, close, { anchors: true, feerate: "253", confirmed: "1", height: "99" }))).code).toBe("tx-output-dust");
  });
});
