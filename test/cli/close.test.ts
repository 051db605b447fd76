import { join } from "node:path";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { beforeEach, describe, expect, test } from "vitest";
import { FORMATS } from "../../src/protocol/tx/format.js";
import { interpret } from "../chain/interpreter.js";
import { ALICE_SCRIPT, LEGACY, type Name, PAID, SIMPLE, exchange, hears, says, shut } from "../support/closing.js";
import { PREIMAGE, round, withHtlc } from "../support/htlcs.js";
import { type Parties, expectNoSecret, fingerprint, parties, readJson, refusal, runCommand, stateOf, without } from "../support/party.js";

interface Close {
  readonly kind: string;
  readonly fee_paid_by: string;
  readonly txid: string;
  readonly tx: string;
  readonly locktime: number;
  readonly fee_sat: number;
  readonly outputs: readonly { readonly side: string; readonly amount_sat: number; readonly script_pubkey: string }[];
  readonly others?: readonly Close[];
}

const closeOf = async (p: Parties, who: Name): Promise<Close> => (await says(p, who, { tx: true })) as unknown as Close;

function fundingCoin({ alice }: Parties) {
  const { params, channelType, fundings } = stateOf(alice);
  const { scriptPubkey } = FORMATS[channelType].funding(params.local.fundingPubkey, params.remote.fundingPubkey);
  return { amount: fundings[0].amount, scriptPubkey };
}

/** Both print the same transaction, which the interpreter takes; each file knows it for what it is. */
async function expectClosed(p: Parties): Promise<Close> {
  const alice = await closeOf(p, "alice");
  expect((await closeOf(p, "bob")).tx).toBe(alice.tx);
  expect(interpret(alice.tx, [fundingCoin(p)])).toEqual({ kind: "accepted" });
  for (const party of [p.alice, p.bob]) {
    const { document } = await runCommand("inspect", ["-"], { party }, { stdin: alice.tx });
    expect(document["what"]).toMatchObject({ relation: "mutual_close", form: expect.stringContaining("mutual close") as string });
    expect((document["outputs"] as readonly { readonly name: string }[]).every(({ name }) => name.startsWith("close_to_"))).toBe(true);
    const status = (await runCommand("status", [party])).document;
    expect(status).toMatchObject({ closing: { stage: "signed" }, next: ["broadcast the mutual close: close --tx"] });
    expectNoSecret(p, JSON.stringify([document, status, alice]));
  }
  return alice;
}

function expectFeerate({ tx, fee_sat: fee }: Close, asked: number): void {
  const rate = (fee * 1000) / Transaction.fromHex(tx).weight();
  expect(rate).toBeGreaterThanOrEqual(asked);
  expect(rate).toBeLessThanOrEqual(asked * 1.01);
}

describe("simple close", () => {
  let p: Parties;
  beforeEach(async () => {
    p = await shut(SIMPLE);
  });

  test("four pipes: two shutdowns, closing_complete, closing_sig", async () => {
    const { document } = await exchange(p, "alice", { feerate: "2500" });
    expect(document).toMatchObject({ received: "closing_complete", next: ["close, which answers the peer's offer"] });
    await exchange(p, "bob");
    const close = await expectClosed(p);
    expect(close).toMatchObject({ kind: "simple", fee_paid_by: "local", locktime: 0 });
    expectFeerate(close, 2500);
    expect(close.outputs).toMatchObject([
      { side: "remote", amount_sat: 4_000_000, script_pubkey: PAID.bob.script },
      { side: "local", amount_sat: 6_000_000 - close.fee_sat, script_pubkey: ALICE_SCRIPT },
    ]);
    const tx = Transaction.fromHex(close.tx);
    expect([tx.version, tx.locktime, tx.ins[0]!.sequence]).toEqual([2, 0, 0xfffffffd]);
  });

  test("run again each step prints the same again; with all said at once it is the next message each time", async () => {
    const q = await parties(SIMPLE);
    const all = { ...PAID.alice, feerate: "500" };
    const shutdown = await says(q, "alice", all);
    expect(shutdown["type"]).toBe("shutdown");
    const before = fingerprint(q.dir);
    expect(await says(q, "alice", all)).toEqual(shutdown);
    expect(await says(q, "alice")).toEqual(shutdown);
    await hears(q, "bob", shutdown);
    expect(fingerprint(q.alice)).toEqual(fingerprint(join(q.dir, "alice")));
    expect(Object.keys(fingerprint(q.dir))).toEqual(Object.keys(before));
    await exchange(q, "bob", PAID.bob);
    const complete = await says(q, "alice", all);
    expect(complete["type"]).toBe("closing_complete");
    const after = fingerprint(q.alice);
    for (const flags of [all, { feerate: "500" }, {}]) expect(await says(q, "alice", flags)).toEqual(complete);
    expect(fingerprint(q.alice)).toEqual(after);
    await hears(q, "bob", complete);
    expect((await hears(q, "bob", complete)).document).toMatchObject({ already_done: true });
    const sig = await says(q, "bob");
    expect(await says(q, "bob")).toEqual(sig);
    await hears(q, "alice", sig);
    const close = await expectClosed(q);
    // Nothing is to be sent any more: the transaction itself
    for (const flags of [all, {}]) expect(await says(q, "alice", flags)).toMatchObject({ txid: close.txid });
  });

  test("later rounds: more fee, another script, the peer's own close; each opens the earlier ones again for nobody", async () => {
    await exchange(p, "alice", { fee: "500sat" });
    await exchange(p, "bob");
    const first = await expectClosed(p);
    const script = `5120${"aa".repeat(32)}`;
    await exchange(p, "alice", { fee: "900sat", script, locktime: "600000" });
    await exchange(p, "bob");
    const second = await expectClosed(p);
    expect(second).toMatchObject({ fee_sat: 900, locktime: 600_000 });
    expect(second.outputs.find(({ side }) => side === "local")).toMatchObject({ script_pubkey: script, amount_sat: 5_999_100 });
    await exchange(p, "bob", { fee: "700sat" });
    await exchange(p, "alice");
    const both = await expectClosed(p);
    expect(both.txid).toBe(second.txid);
    // Bob's pays Alice to the script that she named last
    expect(both.others).toMatchObject([{ fee_sat: 700, fee_paid_by: "remote" }]);
    expect(both.others![0]!.outputs.find(({ side }) => side === "local")).toMatchObject({ script_pubkey: script, amount_sat: 6_000_000 });
    // The first is still a mutual close, though its terms are forgotten
    const { document } = await runCommand("inspect", ["-"], { party: p.alice }, { stdin: first.tx });
    expect(document["what"]).toMatchObject({ relation: "mutual_close", meaning: expect.stringContaining("earlier round") as string });
  });

  test("both at once: two offers cross, two closes", async () => {
    const [alice, bob] = [await says(p, "alice", { fee: "500sat" }), await says(p, "bob", { fee: "600sat" })];
    await hears(p, "bob", alice);
    await hears(p, "alice", bob);
    const [fromAlice, fromBob] = [await says(p, "alice"), await says(p, "bob")];
    expect([fromAlice["type"], fromBob["type"]]).toEqual(["closing_sig", "closing_sig"]);
    await hears(p, "bob", fromAlice);
    await hears(p, "alice", fromBob);
    expect(await expectClosed(p)).toMatchObject({ fee_sat: 600, fee_paid_by: "remote", others: [{ fee_sat: 500, fee_paid_by: "local" }] });
  });

  test("both change their scripts at once: neither signs, and after a reconnection each uses the other's newest", async () => {
    const [a, b] = [`5120${"aa".repeat(32)}`, `5120${"bb".repeat(32)}`];
    const [alice, bob] = [await says(p, "alice", { fee: "500sat", script: a }), await says(p, "bob", { fee: "600sat", script: b })];
    expect((await refusal(() => hears(p, "bob", alice))).code).toBe("policy-closing-closee-script");
    expect((await refusal(() => hears(p, "alice", bob))).code).toBe("policy-closing-closee-script");
    await reconnect(p);
    await exchange(p, "alice", { fee: "500sat" });
    await exchange(p, "bob");
    const { outputs } = await expectClosed(p);
    expect(outputs.map(({ script_pubkey: script }) => script).sort()).toEqual([a, b]);
  });

  test("who has less leaves its output out, or takes the close that does", async () => {
    await exchange(p, "bob", { fee: "500sat", omitOutput: true });
    await exchange(p, "alice");
    expect(await expectClosed(p)).toMatchObject({ fee_paid_by: "remote", fee_sat: 4_000_000, outputs: [{ side: "local", amount_sat: 6_000_000 }] });
    const q = await shut(SIMPLE);
    await exchange(q, "alice", { fee: "500sat" });
    await exchange(q, "bob", { omitOutput: true });
    expect(await expectClosed(q)).toMatchObject({ fee_paid_by: "local", fee_sat: 4_000_500, outputs: [{ side: "local", amount_sat: 5_999_500 }] });
  });

  test("force-close stays possible, and the peer's commitment still is", async () => {
    await exchange(p, "alice", { fee: "500sat" });
    await exchange(p, "bob");
    const { document } = await runCommand("force-close", [p.alice]);
    expect(interpret(document["tx"] as string, [fundingCoin(p)])).toEqual({ kind: "accepted" });
  });
});

/** The connection breaks: what is under way is lost, and each sends again what the other lacks. */
async function reconnect(p: Parties): Promise<Readonly<Record<Name, readonly string[]>>> {
  const told = { alice: (await runCommand("reestablish", [p.alice])).document, bob: (await runCommand("reestablish", [p.bob])).document };
  const again = {
    alice: (await runCommand("reestablish", [p.alice, "-"], {}, { stdin: told.bob })).parts ?? [],
    bob: (await runCommand("reestablish", [p.bob, "-"], {}, { stdin: told.alice })).parts ?? [],
  };
  for (const { document } of again.alice) await hears(p, "bob", document);
  for (const { document } of again.bob) await hears(p, "alice", document);
  return { alice: again.alice.map(({ document }) => String(document["type"])), bob: again.bob.map(({ document }) => String(document["type"])) };
}

describe("legacy close", () => {
  let p: Parties;
  beforeEach(async () => {
    p = await shut(LEGACY);
  });

  test("in two messages: the accepter takes the opener's fee", async () => {
    await exchange(p, "alice", { feerate: "2500", feeRange: "300sat-3000sat" });
    await exchange(p, "bob");
    const close = await expectClosed(p);
    expectFeerate(close, 2500);
    expect(close).toMatchObject({ kind: "legacy", fee_paid_by: "local" });
    const tx = Transaction.fromHex(close.tx);
    expect([tx.version, tx.locktime, tx.ins[0]!.sequence]).toEqual([2, 0, 0xffffffff]);
  });

  test("in three: the accepter takes another fee of the opener's range", async () => {
    await exchange(p, "alice", { fee: "1000sat", feeRange: "300sat-3000sat" });
    const answer = await exchange(p, "bob", { fee: "400sat", feeRange: "200sat-5000sat" });
    expect(answer.document["next"]).toEqual(["close, which answers the peer's offer"]);
    const last = await says(p, "alice");
    expect(last).toMatchObject({ type: "closing_signed", fee_satoshis: 400, fee_range: { min_fee_satoshis: 300, max_fee_satoshis: 3000 } });
    await hears(p, "bob", last);
    expect(await says(p, "alice")).toEqual(last);
    expect(await expectClosed(p)).toMatchObject({ fee_sat: 400 });
  });

  test("without ranges each offer comes nearer, until one agrees", async () => {
    for (const [who, fee] of [
      ["alice", "1000sat"],
      ["bob", "400sat"],
      ["alice", "800sat"],
      ["bob", "600sat"],
      ["alice", "700sat"],
    ] as const) {
      const said = await says(p, who, { fee });
      expect(said).not.toHaveProperty("fee_range");
      await hears(p, who === "alice" ? "bob" : "alice", said);
    }
    await exchange(p, "bob");
    expect(await expectClosed(p)).toMatchObject({ fee_sat: 700 });
  });

  test("a side leaves its output out", async () => {
    await exchange(p, "alice", { fee: "1000sat", omitOutput: true });
    await exchange(p, "bob");
    expect(await expectClosed(p)).toMatchObject({ fee_sat: 6_000_000, outputs: [{ side: "remote", amount_sat: 4_000_000 }] });
  });

  test("after a reconnection shutdown comes again, and the negotiation starts anew", async () => {
    await exchange(p, "alice", { fee: "1000sat" });
    await says(p, "bob");
    // Bob's answer is lost: he holds the close, she does not
    expect((await refusal(() => closeOf(p, "alice"))).code).toBe("state-closing-unsigned");
    expect(await closeOf(p, "bob")).toMatchObject({ fee_sat: 1000 });
    expect(await reconnect(p)).toEqual({ alice: ["channel_ready", "shutdown"], bob: ["channel_ready", "shutdown"] });
    await exchange(p, "alice", { fee: "800sat" });
    await exchange(p, "bob");
    expect(await expectClosed(p)).toMatchObject({ fee_sat: 800 });
  });
});

describe("HTLCs pending at shutdown", () => {
  test.each([["simple", SIMPLE] as const, ["legacy", LEGACY] as const])("%s: no new one; those that are there are ended first", async (_, terms) => {
    const p = await withHtlc(terms);
    await exchange(p, "alice", PAID.alice);
    expect((await refusal(() => runCommand("pay", [p.alice, "1000sat"]))).code).toBe("policy-shutdown");
    // The opener may still change the feerate, for HTLCs that may time out
    await hears(p, "bob", (await runCommand("update-fee", [p.alice, "3000"])).document);
    await round(p, "alice");
    const reply = await exchange(p, "bob", PAID.bob);
    expect(reply.document["next"]).toContain("clear the channel: no HTLC may be left, no signature or revocation owed");
    // A fee comes too early: shutdown is said again
    expect((await says(p, "alice", { fee: "500sat" }))["type"]).toBe("shutdown");
    const fulfilled = await runCommand("fulfill-htlc", [p.bob, "0"], { preimage: "-" }, { stdin: PREIMAGE });
    await hears(p, "alice", fulfilled.document);
    expect((await says(p, "alice", { fee: "500sat" }))["type"]).toBe("shutdown");
    await round(p, "bob");
    await exchange(p, "alice", { fee: "500sat" });
    await exchange(p, "bob");
    const { outputs, fee_sat: fee } = await expectClosed(p);
    const { balances } = stateOf(p.alice).fundings[0].local.current!.spec;
    expect(outputs.find(({ side }) => side === "local")!.amount_sat).toBe(Number(balances.local / 1000n) - 500);
    expect(outputs.find(({ side }) => side === "remote")!.amount_sat).toBe(Number(balances.remote / 1000n));
    expect(fee).toBe(500);
  });
});

describe("what both agree to when opening", () => {
  test.each([
    [{}, {}, ["option_shutdown_anysegwit", "option_simple_close"]],
    [{ withoutSimpleClose: true }, {}, ["option_shutdown_anysegwit"]],
    [{}, { withoutSimpleClose: true }, ["option_shutdown_anysegwit"]],
    [{ withoutAnysegwit: true }, {}, []],
    [{}, { withoutAnysegwit: true }, []],
  ] as const)("%j and %j: %j", async (open, accept, features) => {
    const p = await parties({ open: { ...SIMPLE.open, ...open }, accept });
    for (const party of [p.alice, p.bob]) expect((await runCommand("status", [party])).document["features"]).toEqual(features);
  });

  test("an upfront script is where shutdown pays, unasked", async () => {
    const p = await parties({ open: { ...SIMPLE.open, upfrontShutdownScript: ALICE_SCRIPT }, accept: {} });
    expect(readJson(join(p.wire, "0001-bob-accept_channel.json"))["upfront_shutdown_script"]).toBe("");
    expect(await says(p, "alice")).toMatchObject({ type: "shutdown", scriptpubkey: ALICE_SCRIPT });
  });

  test("before channel_ready a channel can be closed, too", async () => {
    const p = await parties(SIMPLE, "released");
    await exchange(p, "alice", PAID.alice);
    await exchange(p, "bob", PAID.bob);
    await exchange(p, "alice", { fee: "500sat" });
    await exchange(p, "bob");
    await expectClosed(p);
  });
});

describe("refusals", () => {
  test("usage-argument, usage-value, input-address", async () => {
    const p = await parties(SIMPLE);
    const codeOf = async (flags: Parameters<typeof says>[2]) => (await refusal(() => says(p, "alice", flags))).code;
    expect(await codeOf({ ...PAID.alice, script: ALICE_SCRIPT })).toBe("usage-argument");
    expect(await codeOf({ fee: "1sat", feerate: "500" })).toBe("usage-argument");
    for (const feeRange of ["300sat", "300-900", "900sat-300sat", "-", ""]) expect(await codeOf({ feeRange })).toBe("usage-value");
    expect(await codeOf({ address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4" })).toBe("input-address");
  });

  test("state-closing-choice: what the next message needs; state-closing-unsigned: nothing to print yet", async () => {
    const p = await parties(SIMPLE);
    expect(await refusal(() => says(p, "alice"))).toMatchObject({ code: "state-closing-choice", details: { needs: "script" } });
    expect((await refusal(() => says(p, "alice", { tx: true }))).code).toBe("state-closing-unsigned");
  });

  test("state-message-unexpected: a closing_sig that answers nothing; state-message-own: one's own message", async () => {
    const p = await shut(SIMPLE);
    const offer = await says(p, "alice", { fee: "500sat" });
    expect((await refusal(() => hears(p, "alice", offer))).code).toBe("state-message-own");
    await hears(p, "bob", offer);
    const sig = await says(p, "bob");
    await reconnect(p);
    const late = without(sig, "seq");
    expect((await refusal(() => hears(p, "alice", late))).code).toBe("state-message-unexpected");
  });

  test.each([
    ["state-signature-invalid", (signature: string) => `${signature.slice(0, -1)}${signature.endsWith("0") ? "1" : "0"}`],
    ["state-signature-high-s", highS],
  ] as const)("%s: in each message of the two negotiations", async (code, spoil) => {
    const p = await shut(SIMPLE);
    const spoiled = ({ wire: _, ...message }: Record<string, unknown>) =>
      Object.fromEntries(
        Object.entries(message).map(([key, value]) => [key, key === "signature" || key.endsWith("_outputs") ? spoil(value as string) : value]),
      );
    const offer = await says(p, "alice", { fee: "500sat" });
    expect((await refusal(() => hears(p, "bob", spoiled(offer)))).code).toBe(code);
    await hears(p, "bob", offer);
    const answer = await says(p, "bob");
    expect((await refusal(() => hears(p, "alice", spoiled(answer)))).code).toBe(code);
    await hears(p, "alice", answer);
    const q = await shut(LEGACY);
    const signed = await says(q, "alice", { fee: "500sat" });
    expect((await refusal(() => hears(q, "bob", spoiled(signed)))).code).toBe(code);
  });
});

/** The same signature with the curve's order less S. */
function highS(signature: string): string {
  const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  return signature.slice(0, 64) + (ORDER - BigInt(`0x${signature.slice(64)}`)).toString(16).padStart(64, "0");
}
