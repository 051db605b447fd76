import { describe, expect, test, vi } from "vitest";
import { ERROR_CODES, type ErrorCode } from "../../src/protocol/errors.js";
import { type PolicyCode, waiving } from "../../src/protocol/policy/rule.js";
import { World, noCounts } from "./world.js";

vi.setConfig({ testTimeout: 3_600_000 });

const FIRST_SEED = 1;
const SEEDS = 8;
const STEPS = 100;

/** Rules that the model does not come by, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "policy-funding-too-large": "opening",
  "policy-push-exceeds-funding": "opening",
  "policy-initial-fee-unaffordable": "opening",
  "policy-delay-too-long": "opening",
  "policy-delay-zero": "opening",
  "policy-dust-limit-too-small": "opening",
  "policy-dust-limit-too-large": "opening",
  "policy-dust-limit-above-reserve": "opening",
  "policy-max-accepted-htlcs": "opening",
  "policy-reserve-below-dust": "opening",
  "policy-initial-balances": "opening",
  "policy-channel-type": "opening",
  "policy-chain": "opening",
  "policy-feerate-not-zero": "opening",
  "policy-update-fee": "channels whose commitments pay no fee, of which the two have none",
  "policy-sign-different": "what is piped into the command sign",
  "policy-sign-own-commitment": "what is piped into the command sign",
  "policy-sweep-immature": "the chain's height, which the command sweep is told",
  "policy-closing-closee-script": "closing together, of which the two make no use",
  "policy-closing-dust": "closing together, of which the two make no use",
  "policy-closing-early": "closing together, of which the two make no use",
  "policy-closing-fee-between": "closing together, of which the two make no use",
  "policy-closing-fee-changed": "closing together, of which the two make no use",
  "policy-closing-fee-range": "closing together, of which the two make no use",
  "policy-closing-fee-unaffordable": "closing together, of which the two make no use",
  "policy-closing-first": "closing together, of which the two make no use",
  "policy-closing-kind": "closing together, of which the two make no use",
  "policy-closing-mismatch": "closing together, of which the two make no use",
  "policy-closing-no-overlap": "closing together, of which the two make no use",
  "policy-closing-omission": "closing together, of which the two make no use",
  "policy-closing-unanswered": "closing together, of which the two make no use",
  "policy-closing-variant": "closing together, of which the two make no use",
  "policy-shutdown-changed": "closing together, of which the two make no use",
  "policy-shutdown-cleared": "closing together, of which the two make no use",
  "policy-shutdown-pending": "closing together, of which the two make no use",
  "policy-shutdown-script": "closing together, of which the two make no use",
  "policy-shutdown-unfunded": "closing together, of which the two make no use",
  "policy-shutdown-upfront": "closing together, of which the two make no use",
  "policy-broadcast-mainnet": "what the command broadcast is given",
  "policy-broadcast-marked": "what the command broadcast is given",
  "policy-broadcast-unsigned": "what the command broadcast is given",
  "policy-bump-not-held": "a transaction that the command bump is given",
  "policy-replacement-underpaid": "a transaction that the command bump is given",
  "policy-htlc-deadline": "the chain's height, which the command fulfill-htlc is told",
};

const isPolicy = (code: ErrorCode): code is PolicyCode => code.startsWith("policy-");

/** A run in which everything is tried after every step that is forbidden under a code of `tries`, up to where it goes wrong. */
function run(seed: number, tries: (code: ErrorCode) => boolean, reached: (code: ErrorCode) => void): void {
  const world = new World({ seed, interpreted: 0, tries, reached }, noCounts());
  for (let at = 0; at < STEPS && !world.over; at++) world.step();
}

/** For each code the first seed whose run comes by it. */
function seedsOf(): ReadonlyMap<ErrorCode, number> {
  const first = new Map<ErrorCode, number>();
  const reached = (seed: number) => (code: ErrorCode) => first.has(code) || first.set(code, seed);
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) run(seed, (code) => !first.has(code), reached(seed));
  return first;
}

describe("with any one rule switched off the model fails", () => {
  test("every rule that it comes by, which are all but those of other places", () => {
    const all = seedsOf();
    console.log(`rules: ${[...all].map(([code, seed]) => `${code} ${seed}`).join(", ")}`);
    const seeds = [...all].flatMap(([code, seed]) => (isPolicy(code) ? [{ code, seed }] : []));
    const unnoticed = seeds.filter(({ code, seed }) => {
      try {
        waiving([code], () => {
          run(
            seed,
            (tried) => tried === code,
            () => undefined,
          );
        });
        return true;
      } catch {
        return false;
      }
    });
    expect(unnoticed, "switched off, and the model runs as before").toEqual([]);
    const met = new Set<string>(seeds.map(({ code }) => code));
    const missed = Object.keys(ERROR_CODES).filter((code) => code.startsWith("policy-") && !met.has(code));
    expect(missed.sort()).toEqual(Object.keys(ELSEWHERE).sort());
  });
});
