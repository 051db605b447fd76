import { describe, expect, test } from "vitest";
import { ANCHORS, parties, runCommand, send } from "../support/party.js";

interface Commitment {
  readonly local_msat: number;
  readonly remote_msat: number;
  readonly htlcs: readonly { readonly id: number; readonly offered_by: string; readonly amount_msat: number; readonly cltv_expiry: number }[];
}

const HASH = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925";

describe("status", () => {
  test("an HTLC stands in full with the commitment that carries it, and the parts are the whole funding", async () => {
    const p = await parties(ANCHORS);
    await runCommand("receive", [p.bob, await send(p, "add-htlc", [p.alice, "0.005btc"], { paymentHash: HASH, cltvExpiry: "500" })]);
    await runCommand("receive", [p.bob, await send(p, "sign", [p.alice])]);
    const { document } = await runCommand("status", [p.bob]);
    const { local_commitment: now, local_unrevoked: before } = document as unknown as Record<string, Commitment>;
    expect(now!.htlcs).toMatchObject([{ id: 0, offered_by: "remote", amount_msat: 500_000_000, cltv_expiry: 500 }]);
    expect(before!.htlcs).toEqual([]);
    for (const { local_msat: local, remote_msat: remote, htlcs } of [now!, before!]) {
      expect(local + remote + htlcs.reduce((sum, { amount_msat: amount }) => sum + amount, 0)).toBe(10_000_000_000);
    }
  });
});
