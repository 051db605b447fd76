import { Psbt } from "bitcoinjs-lib/src/psbt";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../../src/protocol/errors.js";
import { type Parties, ZERO_FEE, parties, post, readJson, refusal, refusedAsIs, runCommand, send } from "../support/party.js";

const HOME = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

interface Output {
  readonly kind: string;
  readonly amount_sat: number;
}

/** A payment of some millisatoshis, irrevocable. */
async function paid(p: Parties, amount: string): Promise<void> {
  for (const [name, from, to] of [
    ["pay", "alice", "bob"],
    ["sign", "alice", "bob"],
    ["make-revocation", "bob", "alice"],
    ["sign", "bob", "alice"],
    ["make-revocation", "alice", "bob"],
  ] as const) {
    await runCommand("receive", [p[to], await send(p, name, name === "pay" ? [p[from], amount] : [p[from]])]);
  }
}

test("a channel opens at feerate 0 without a word of it, each side with at most 114 HTLCs", async () => {
  const p = await parties(ZERO_FEE, "proposed");
  expect(readJson(`${p.wire}/0001-alice-open_channel.json`)).toMatchObject({
    feerate_per_kw: 0,
    max_accepted_htlcs: 114,
    channel_type: "010000000000",
  });
  const other = await parties({ ...ZERO_FEE, open: { ...ZERO_FEE.open, channelType: "anchors" } }, "keys");
  const open = (flags: Readonly<Record<string, string>>) => refusal(() => runCommand("open-channel", [other.alice], { ...ZERO_FEE.open, ...flags }));
  expect((await open({ feerate: "253" })).code).toBe("policy-feerate-not-zero");
  expect((await open({ maxAcceptedHtlcs: "115" })).code).toBe("policy-max-accepted-htlcs");
});

test("there is no update_fee: not ours, and not the peer's, which BOLT asks to warn of", async () => {
  const p = await parties(ZERO_FEE);
  expect((await refusedAsIs(p, () => runCommand("update-fee", [p.alice, "253"]))).code).toBe("policy-update-fee");
  const { channel_id } = (await runCommand("status", [p.bob])).document;
  const message = { type: "update_fee", channel_id, feerate_per_kw: 0 };
  const refused = await refusedAsIs(p, () => runCommand("receive", [p.bob, "-"], {}, { stdin: message }));
  expect(refused.code).toBe("policy-update-fee");
  expect(ERROR_CODES["policy-update-fee"].bolt).toBe("warning");
});

test("what rounding leaves is in the anchor that anyone may spend; either side bumps through it, with an empty witness", async () => {
  const p = await parties(ZERO_FEE);
  await paid(p, "1000001msat");
  const { document: close } = await runCommand("force-close", [p.alice]);
  const outputs = close["outputs"] as readonly Output[];
  expect(outputs.map(({ kind, amount_sat }) => [kind, amount_sat])).toEqual([
    ["shared_anchor", 1],
    ["to_remote", 4_001_000],
    ["to_local", 5_998_999],
  ]);
  const parent = Transaction.fromHex(close["tx"] as string);
  expect(parent.version).toBe(3);
  for (const who of ["alice", "bob"] as const) {
    const flags = { tx: "-", feerate: "5000", inputs: `${"11".repeat(32)}:0:500000sat:${HOME}`, change: HOME };
    const { document: bump } = await runCommand("bump", [p[who]], flags, { stdin: close });
    const child = Transaction.fromHex(bump["unsigned_tx"] as string);
    expect([child.version, child.ins[0]!.index]).toEqual([3, 0]);
    const [anchor] = Psbt.fromBase64(bump["psbt"] as string).data.inputs;
    expect(anchor?.finalScriptWitness).toEqual(Uint8Array.of(0));
    // The commitment pays nothing: the child pays for both
    const paidFor = (bump["fee_weight"] as number) + (bump["parent"] as { weight: number }).weight;
    expect(bump["package_fee_sat"]).toBe(Math.ceil((5000 * paidFor) / 1000));
  }
});

test("a sweep that leaves the commitment's dust is told to wait for its confirmation", async () => {
  const p = await parties(ZERO_FEE);
  await paid(p, "1000001msat");
  const closed = post(p, await runCommand("force-close", [p.alice]));
  const swept = post(p, await runCommand("sweep", [p.bob], { tx: closed, feerate: "500", to: HOME }));
  expect(Transaction.fromHex(readJson(swept)["tx"] as string).version).toBe(3);
  const { document } = await runCommand("check-tx", [closed, swept], { party: p.bob });
  const [, sweep] = document["transactions"] as readonly { readonly accepted: boolean; readonly notes: readonly { readonly code: string }[] }[];
  expect([sweep?.accepted, sweep?.notes.map(({ code }) => code)]).toEqual([true, ["missing-ephemeral-spends"]]);
});
