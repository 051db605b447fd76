import { describe, expect, test } from "vitest";
import { runCommand } from "../support/party.js";

interface Cell {
  readonly step: number;
  readonly adversary: string;
  readonly behaviour: string;
  readonly verdict: string | null;
  readonly honest_sat: number;
  readonly adversary_sat: number;
  readonly tried: number;
  readonly how?: string;
  readonly refused: Readonly<Record<string, number>>;
  readonly confirmed?: readonly { readonly txid: string }[];
}

async function exploring(scenario: string, flags: Readonly<Record<string, string | true>>) {
  const { document, verdict } = await runCommand("explore", [scenario], flags);
  const { scenarios, transactions } = document as unknown as {
    readonly scenarios: readonly {
      readonly cells: readonly Cell[];
      readonly unreached: number;
      readonly cut: string | null;
      readonly counts: { readonly situations: number };
    }[];
    readonly transactions: Readonly<Record<string, string>>;
  };
  const [{ cells, unreached, cut, counts }] = scenarios as [(typeof scenarios)[number]];
  return {
    cells,
    unreached,
    cut,
    situations: counts.situations,
    transactions,
    verdict,
    lost: cells.filter(({ verdict: each }) => each !== null && each !== "safe" && each !== "waits"),
  };
}

/** Of the article's last step, where Bob has been paid and Alice's old commitment is revoked. */
const PAID = { step: "20", actor: "alice" } as const;

describe("the article", () => {
  test("Bob has his 0.02 once he holds Alice's revocation, or everything if she publishes what it revokes", async () => {
    const { cells, lost, unreached, verdict, transactions } = await exploring("article", PAID);
    expect(lost).toEqual([]);
    expect(unreached).toBe(0);
    expect(verdict).toBe("yes");
    const of = (behaviour: string) => cells.find((cell) => cell.behaviour === behaviour)!;
    expect(of("stop")).toMatchObject({ honest_sat: 2_000_000, adversary_sat: 8_000_000 });
    expect(of("publish-revoked")).toMatchObject({ honest_sat: 10_000_000, adversary_sat: 0 });
    expect(of("publish-theirs").verdict).toBeNull();
    for (const behaviour of ["replay", "lie", "mistake"]) expect(of(behaviour).tried, behaviour).toBeGreaterThan(5);
    for (const { txid } of cells.flatMap(({ confirmed = [] }) => confirmed)) expect(transactions[txid], txid).toMatch(/^0[23]0000000001/);
  });

  test.each([
    ["nobody looks", { unwatched: true as const }],
    ["the answer takes longer than to_self_delay", { reaction: "145" }],
  ])("it is lost where %s", async (_, flags) => {
    const { lost, verdict } = await exploring("article", { ...PAID, behaviour: "publish-revoked", ...flags });
    expect(lost).toMatchObject([{ verdict: "theft", honest_sat: 0, adversary_sat: 10_000_000 }]);
    expect(verdict).toBe("no");
  });

  test("the last block that is fast enough, is", async () => {
    const { lost } = await exploring("article", { ...PAID, behaviour: "publish-revoked", reaction: "143" });
    expect(lost).toEqual([]);
  });

  test("a secret that is not checked is worth nothing: Alice keeps the real one and takes back what she paid", async () => {
    const { lost, transactions } = await exploring("article", {
      step: "19",
      actor: "alice",
      behaviour: "lie",
      without: "policy-revocation-wrong-secret",
    });
    expect(lost).toMatchObject([{ verdict: "theft", honest_sat: 0, adversary_sat: 10_000_000 }]);
    expect(lost[0]!.confirmed!.length).toBeGreaterThan(0);
    for (const { txid } of lost[0]!.confirmed!) expect(transactions[txid]).toBeDefined();
  });
});

test("a bound ends the search, and is said", async () => {
  const { cut, verdict } = await exploring("article", { step: "3", maxStates: "5" });
  expect(cut).toBe("after 5 situations");
  expect(verdict).toBe("no");
});

test("HTLCs on the commitments of both: nobody loses", async () => {
  const { lost, unreached } = await exploring("htlcs", { step: "17", actor: "bob", behaviour: "publish-newest" });
  expect(lost).toEqual([]);
  expect(unreached).toBe(0);
});

test("whoever has lost state waits, and nothing is taken from it; a backup that is older than revocations is not enough", async () => {
  const restored = await exploring("restored", { step: "17", behaviour: "publish-newest" });
  expect(restored.lost).toEqual([]);
  const stopped = await exploring("rolled-back", { step: "22", actor: "bob", behaviour: "stop" });
  expect(stopped.cells).toMatchObject([{ verdict: "waits", honest_sat: 0 }]);
  expect(stopped.verdict).toBe("yes");
  const outdated = await exploring("outdated", { step: "34", actor: "bob", behaviour: "publish-revoked" });
  expect(outdated.lost).toMatchObject([{ verdict: "theft" }]);
});

describe("situations that cannot differ are played once: the table is that of playing them all", () => {
  test.each([
    ["article", { step: "20", actor: "alice", behaviour: "mistake" }],
    ["article", { step: "3", actor: "bob", behaviour: "replay" }],
    ["crossing", { step: "20", actor: "bob", behaviour: "publish-newest" }],
    ["htlcs", { step: "17", actor: "bob", behaviour: "race" }],
    ["htlcs", { step: "24", actor: "alice", behaviour: "publish-revoked" }],
  ] as const)("%s %o", async (scenario, flags) => {
    const merged = await exploring(scenario, flags);
    const whole = await exploring(scenario, { ...flags, exhaustive: true });
    expect(merged.cells.map(withoutHow)).toEqual(whole.cells.map(withoutHow));
    expect(merged.situations).toBeLessThan(whole.situations);
  });
});

/** Of ends that are equally bad any may be shown. */
function withoutHow(cell: Cell): object {
  return { ...cell, how: undefined, confirmed: undefined };
}
