import { describe, expect, test, vi } from "vitest";
import { equalBytes } from "../../../src/protocol/bytes.js";
import { type Diagnosis, diagnose } from "../../../src/protocol/diagnose/search.js";
import type { Cause } from "../../../src/protocol/diagnose/suspect.js";
import { drawFrom } from "../../model/random.js";
import { MISTAKES, MOST_HTLCS, type Mistake, type Scene, randomScene, signedWith } from "./wrong-signers.js";

vi.setConfig({ testTimeout: 3_600_000 });

/** How many cases, and the first seed: 1000 and more by CHANKIT_DIAGNOSE_CASES. */
const CASES = Number(process.env["CHANKIT_DIAGNOSE_CASES"] ?? 68);
const LIMITS = { maxFeerate: 25_000n, maxVariants: 60_000 };

function causesOf({ verdict, explanations }: Diagnosis): readonly (readonly Cause[])[] {
  return verdict === "high_s" ? [["high_s"]] : explanations.map(({ suspects }) => suspects.map(({ cause }) => cause));
}

/** A scene in which each of the mistakes changes the signature, and that signature. */
function wronged(mistakes: readonly Mistake[], seed: number) {
  const draw = drawFrom(seed);
  for (;;) {
    const scene = randomScene(draw);
    const choices = draw.below(2 ** 31);
    const signed = (made: readonly Mistake[]) => signedWith(made, scene, drawFrom(choices));
    const signature = signed(mistakes);
    const fewer = mistakes.map((left) => signed(mistakes.filter((mistake) => mistake !== left)));
    if (signature !== null && !fewer.some((other) => other !== null && equalBytes(other, signature))) return { scene, signature };
  }
}

const search = ({ base, state }: Scene, signature: Parameters<typeof diagnose>[2]["signature"]) =>
  diagnose(base, state, { signature, sighash: null }, LIMITS);

describe("what made a signature bad", () => {
  test(`each mistake alone, on random channels in both roles: ${CASES} cases`, () => {
    const missed: string[] = [];
    const met = { roles: new Set<string>(), openers: new Set<string>(), causes: new Set<Cause>(), htlcs: new Set<number>() };
    const started = performance.now();
    for (let seed = 1; seed <= CASES; seed++) {
      const mistake = MISTAKES[seed % MISTAKES.length]!;
      const { scene, signature } = wronged([mistake], seed);
      met.roles.add(`${scene.party} ${scene.owner}`);
      met.openers.add(scene.base.terms.opener);
      met.causes.add(mistake.cause);
      met.htlcs.add(scene.base.spec.htlcs.length);
      const found = causesOf(search(scene, signature));
      if (!found.some((causes) => causes.length === 1 && causes[0] === mistake.cause)) missed.push(`${seed} ${mistake.cause}: ${found.join(" or ")}`);
    }
    const each = (performance.now() - started) / CASES;
    console.log(`diagnose: ${CASES - missed.length} of ${CASES} single mistakes named, ${each.toFixed(0)} ms a case`);
    expect(missed).toEqual([]);
    // Every mistake, each side's commitment seen by either, either as the opener, no HTLC and as many as there can be
    expect([...met.causes].sort()).toEqual([...new Set(MISTAKES.map(({ cause }) => cause))].sort());
    expect([...met.roles].sort()).toEqual(["alice local", "alice remote", "bob local", "bob remote"]);
    expect([...met.openers].sort()).toEqual(["local", "remote"]);
    expect([Math.min(...met.htlcs), Math.max(...met.htlcs)]).toEqual([0, MOST_HTLCS]);
  });

  test("two mistakes at once", () => {
    const pairs: readonly (readonly [Cause, Cause])[] = [
      ["to_self_delay", "htlc_missing"],
      ["balances", "sighash_type"],
      ["change_stage", "dust_limit"],
      ["htlc_missing", "channel_type"],
    ];
    for (const [at, pair] of pairs.entries()) {
      const mistakes = pair.map((cause) => MISTAKES.find((mistake) => mistake.cause === cause)!);
      const { scene, signature } = wronged(mistakes, 8200 + at);
      const [causes = []] = causesOf(search(scene, signature));
      expect([...causes].sort(), `seed ${8200 + at}`).toEqual([...pair].sort());
    }
  });

  test("a good signature is good, and one that nothing explains is said to be that, with what was tried", () => {
    const draw = drawFrom(1);
    const scene = randomScene(draw);
    const good = signedWith([{ cause: "high_s", make: (making) => ({ ...making, highS: true }) }], scene, draw);
    expect(search(scene, good).verdict).toBe("high_s");
    const { verdict, explanations, tried } = diagnose(
      scene.base,
      scene.state,
      { signature: new Uint8Array(64).fill(0x11) as NonNullable<typeof good>, sighash: null },
      { maxFeerate: 300n, maxVariants: 2000 },
    );
    expect(verdict).toBe("unexplained");
    expect(explanations).toEqual([]);
    expect(tried.complete).toBe(false);
    expect(tried.signatures).toBeGreaterThan(100);
    expect(tried.variants).toBeGreaterThanOrEqual(2000);
  });
});
