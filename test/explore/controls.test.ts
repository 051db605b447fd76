import { describe, expect, test, vi } from "vitest";
import { toHex } from "../../src/protocol/bytes.js";
import { PARTIES, WALLETS } from "../../src/explore/script.js";
import { walletOf } from "../../src/explore/search.js";
import { type FlagTexts, runCommand } from "../support/party.js";

// A search takes its time on a busy machine
vi.setConfig({ testTimeout: 600_000 });

/** What the honest side comes to: each cell's verdict, and what it has. */
async function exploring(scenario: string, flags: FlagTexts) {
  const { document, verdict } = await runCommand("explore", [scenario], flags);
  const { scenarios } = document as unknown as {
    readonly scenarios: readonly {
      readonly unreached: number;
      readonly cells: readonly {
        readonly verdict: string | null;
        readonly honest_sat: number;
        readonly adversary_sat: number;
        readonly entitled_msat: number;
      }[];
    }[];
  };
  const [{ cells, unreached }] = scenarios as [(typeof scenarios)[number]];
  return { found: cells.map((cell) => cell.verdict), cells, unreached, verdict };
}

const BLIND = [
  ["nobody looks", { unwatched: true as const }],
  ["the answer takes longer than to_self_delay", { reaction: "145" }],
] as const;

describe.each([
  ["close-simple", 42],
  ["close-legacy", 40],
] as const)("%s, when both have signed a close", (scenario, step) => {
  const last = { step: String(step), actor: "alice" } as const;

  test.each(BLIND)("the commitment from before the payment takes it back where %s", async (_, flags) => {
    const { cells, verdict } = await exploring(scenario, { ...last, behaviour: "publish-revoked", ...flags });
    // What he had before the payment, of the whole that he is owed
    expect(cells).toMatchObject([{ verdict: "theft", honest_sat: 4_000_000, entitled_msat: 10_000_000_000 }]);
    expect(verdict).toBe("no");
  });

  test("the last block that is fast enough, is", async () => {
    const { cells } = await exploring(scenario, { ...last, behaviour: "publish-revoked", reaction: "143" });
    expect(cells).toMatchObject([{ verdict: "safe" }]);
    // Anchors alone
    expect(cells[0]!.adversary_sat).toBeLessThanOrEqual(660);
  });

  test.each(BLIND)("a close itself takes nothing, though %s", async (_, flags) => {
    expect((await exploring(scenario, { ...last, behaviour: "publish-close", ...flags })).found).toEqual(["safe"]);
  });
});

test.each(BLIND)("a preimage that was told is worth nothing where %s: the HTLC goes back by its expiry", async (_, flags) => {
  const told = { step: "25", actor: "alice", behaviour: "publish-newest" } as const;
  expect((await exploring("close-simple", { ...told, ...flags })).found).toEqual(["theft"]);
  expect((await exploring("close-simple", told)).found).toEqual(["safe"]);
});

test.each(BLIND)("before anything is revoked there is nothing to look for: an opening loses nothing where %s", async (_, flags) => {
  for (const behaviour of ["stop", "publish-newest", "race"]) {
    const { found, unreached } = await exploring("opening", { step: "10", behaviour, ...flags });
    expect(found, behaviour).toEqual(["safe", "safe"]);
    expect(unreached).toBe(0);
  }
});

test("a backup from before the last payment cannot punish what was revoked since, though both have signed a close", async () => {
  const last = { step: "33", actor: "bob" } as const;
  expect((await exploring("outdated-close", { ...last, behaviour: "publish-revoked" })).found).toEqual(["theft"]);
  expect((await exploring("outdated-close", { ...last, behaviour: "publish-close" })).found).toEqual(["safe"]);
});

test("the wallets of the scripts are those whose keys the two hold", () => {
  expect(Object.fromEntries(PARTIES.map((who) => [who, toHex(walletOf(who).script)]))).toEqual(WALLETS);
});
