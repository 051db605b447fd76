import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/protocol/errors.js";
import { PREIMAGE, offer, offered, round, withHtlc } from "../support/htlcs.js";
import { ANCHORS, type Parties, afterStep, backupOf, parties, refusedAsIs, runCommand, stateOf, without } from "../support/party.js";

async function codeOf(p: Parties, action: () => Promise<unknown>): Promise<ErrorCode> {
  return (await refusedAsIs(p, action)).code;
}

describe("what add-htlc, fulfill-htlc and htlc-tx read", () => {
  test("input-onion: not 1366 bytes of hex", async () => {
    const p = await parties(ANCHORS);
    for (const stdin of ["", "00".repeat(1365), "00".repeat(1367), `zz${"00".repeat(1365)}`]) {
      expect(await codeOf(p, () => runCommand("add-htlc", [p.alice, "1sat"], offer({ onion: "-" }), { stdin }))).toBe("input-onion");
    }
    const { document } = await runCommand("add-htlc", [p.alice, "1sat"], offer({ onion: "-" }), { stdin: `${"ab".repeat(1366)}\n` });
    expect(document).toMatchObject({ onion_routing_packet: "ab".repeat(1366) });
  });

  test("input-preimage: not 32 bytes of hex, and what it was is not told", async () => {
    const p = await withHtlc();
    for (const stdin of ["", "77".repeat(31), "77".repeat(33), `${"77".repeat(31)}zz`]) {
      const error = await refusedAsIs(p, () => runCommand("fulfill-htlc", [p.bob, "0"], { preimage: "-" }, { stdin }));
      expect(error.code).toBe("input-preimage");
      expect(error.message + JSON.stringify(error.details)).not.toContain("77");
    }
  });

  test("state-preimage-unknown: a received HTLC that nobody has opened", async () => {
    const p = await withHtlc();
    const { document } = await runCommand("force-close", [p.bob]);
    const { outputs } = document as { readonly outputs: readonly { readonly kind: string }[] };
    const outputIndex = String(outputs.findIndex(({ kind }) => kind === "received_htlc"));
    expect(await codeOf(p, () => runCommand("htlc-tx", [p.bob], { outputIndex }))).toBe("state-preimage-unknown");
    expect((await runCommand("htlc-tx", [p.bob], { outputIndex, preimage: "-" }, { stdin: PREIMAGE })).document).toMatchObject({
      kind: "htlc_success",
    });
  });

  test("state-htlc-unknown: an id that was never offered, or long ended", async () => {
    const p = await withHtlc();
    expect(await codeOf(p, () => runCommand("fail-htlc", [p.bob, "1"]))).toBe("state-htlc-unknown");
    expect(await codeOf(p, () => runCommand("fail-htlc", [p.alice, "0"]))).toBe("state-htlc-unknown");
  });
});

describe("a channel_reestablish that does not fit", () => {
  /** Two rounds have passed; Bob's folder of before them is kept. */
  async function twoRounds() {
    const p = await parties(ANCHORS);
    const old = backupOf(p.bob, "bob-old");
    for (const who of ["alice", "bob"] as const) {
      await offered(p, who);
      await round(p, who);
    }
    const said = async (folder: string, to: string, changes: Readonly<Record<string, unknown>> = {}) => {
      const { document } = await runCommand("reestablish", [folder]);
      return { ...without(document, "wire"), seq: stateOf(to).messages.lastReceived + 1, ...changes };
    };
    const meets = async (changes: Readonly<Record<string, unknown>>) => {
      const stdin = await said(p.bob, p.alice, changes);
      return codeOf(p, () => runCommand("reestablish", [p.alice, "-"], {}, { stdin }));
    };
    return { p, old, said, meets };
  }

  test("state-reestablish-first, state-reestablishing: each side's own comes before the other's, and nothing between the two", async () => {
    const { p, said } = await twoRounds();
    const late = without((await runCommand("add-htlc", [p.bob, "20000sat"], offer())).document, "wire");
    const fromBob = await said(p.bob, p.alice);
    expect(await codeOf(p, () => runCommand("reestablish", [p.alice, "-"], {}, { stdin: fromBob }))).toBe("state-reestablish-first");
    await runCommand("reestablish", [p.alice]);
    expect(await codeOf(p, () => runCommand("receive", [p.alice, "-"], {}, { stdin: late }))).toBe("state-reestablishing");
    expect(await codeOf(p, () => runCommand("add-htlc", [p.alice, "20000sat"], offer()))).toBe("state-reestablishing");
    await runCommand("reestablish", [p.alice, "-"], {}, { stdin: fromBob });
    await runCommand("add-htlc", [p.alice, "20000sat"], offer());
  });

  test("state-peer-asks-fail, state-reestablish-number, state-reestablish-secret", async () => {
    const { p, said, meets } = await twoRounds();
    await runCommand("reestablish", [p.alice]);
    expect(await meets({ next_commitment_number: 0 })).toBe("state-peer-asks-fail");
    expect(await meets({ next_commitment_number: 2 })).toBe("state-reestablish-number");
    expect(await meets({ next_commitment_number: 4 })).toBe("state-reestablish-number");
    expect(await meets({ your_last_per_commitment_secret: "ab".repeat(32) })).toBe("state-reestablish-secret");
    expect(await meets({ next_revocation_number: 9 })).toBe("state-reestablish-secret");
    expect(await meets({ next_revocation_number: 1 })).toBe("state-reestablish-secret");
    const { document } = await runCommand("reestablish", [p.alice, "-"], {}, { stdin: await said(p.bob, p.alice) });
    expect(document).toMatchObject({ behind: false, retransmits: [] });
  });

  test("state-peer-behind: the peer's folder is an old one, and the peer itself never broadcasts again", async () => {
    const { p, old, said } = await twoRounds();
    const fromOld = await said(old, p.alice);
    await runCommand("reestablish", [p.alice]);
    expect(await codeOf(p, () => runCommand("reestablish", [p.alice, "-"], {}, { stdin: fromOld }))).toBe("state-peer-behind");
    const { document } = await runCommand("reestablish", [old, "-"], {}, { stdin: await said(p.alice, old) });
    expect(document).toMatchObject({ behind: true, retransmits: [] });
    expect(await codeOf(p, () => runCommand("force-close", [old]))).toBe("policy-broadcast-behind");
    expect(await codeOf(p, () => runCommand("add-htlc", [old, "1sat"], offer()))).toBe("policy-behind");
  });

  test("the same one handed over twice changes nothing the second time, and gives the same messages", async () => {
    const p = await parties(ANCHORS);
    await runCommand("add-htlc", [p.alice, "1sat"], offer());
    await runCommand("sign", [p.alice]);
    const { document: told } = await runCommand("reestablish", [p.bob]);
    await runCommand("reestablish", [p.alice]);
    const first = await runCommand("reestablish", [p.alice, "-"], {}, { stdin: told });
    const before = stateOf(p.alice);
    const second = await runCommand("reestablish", [p.alice, "-"], {}, { stdin: told });
    expect(first.document).toMatchObject({ retransmits: ["channel_ready", "update_add_htlc", "commitment_signed"] });
    expect(second.parts?.map(({ document }) => document)).toEqual(first.parts?.map(({ document }) => document));
    expect(stateOf(p.alice)).toEqual(before);
    // channel_ready comes again as long as nothing has moved, and says nothing new
    await runCommand("reestablish", [p.bob, "-"], {}, { stdin: (await runCommand("reestablish", [p.alice])).document });
  });
});

describe("penalty-tx", () => {
  test("state-second-stage-unrelated: a transaction that spends no HTLC of the commitment", async () => {
    const p = await afterStep(20);
    const { document } = await runCommand("force-close", [(await afterStep(13)).alice]);
    const secondStage = join(p.dir, "unrelated.json");
    writeFileSync(secondStage, JSON.stringify(document));
    const flags = { tx: "-", to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "2500", secondStage };
    expect(await codeOf(p, () => runCommand("penalty-tx", [p.bob], flags, { stdin: document }))).toBe("state-second-stage-unrelated");
  });
});
