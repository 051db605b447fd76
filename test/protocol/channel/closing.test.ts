import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printChannel, readChannel } from "../../../src/json/channel-file.js";
import { type ScriptPubkey, fromHex, scriptPubkey, txid } from "../../../src/protocol/bytes.js";
import { identify } from "../../../src/protocol/channel/identify.js";
import { completeClosings } from "../../../src/protocol/channel/closing.js";
import { type FundedChannel, requireFunded } from "../../../src/protocol/channel/state.js";
import type { CloseWish } from "../../../src/protocol/channel/transitions/close-wish.js";
import { LnError } from "../../../src/protocol/errors.js";
import { shutdownForm } from "../../../src/protocol/script/shutdown.js";
import { swapSides } from "../../../src/protocol/side.js";
import { FORMATS } from "../../../src/protocol/tx/format.js";
import { dustThreshold } from "../../../src/protocol/tx/spend.js";
import { msat, perKw, sat } from "../../../src/protocol/units.js";
import { interpret } from "../../chain/interpreter.js";
import { BOTH, type Pair, type Who, after, closing, open, other } from "../../chain/pair.js";

const FUNDING_SAT = 1_000_000n;
const OUTPOINT = { txid: txid(fromHex("bef67e4e2fb9ddeeb3461973cd4c62abb35050b1add772995b820b584a488489")), outputIndex: 0 };
const start = open({ type: "anchors", feerate: 253n, fundingSat: FUNDING_SAT, pushSat: 400_000n, delays: { alice: 5, bob: 5 } }, OUTPOINT);

interface Setting {
  readonly simple: boolean;
  readonly aliceMsat: bigint;
  readonly dustLimits: Readonly<Record<Who, bigint>>;
}

/** The channel with other balances, dust limits and features, as if it had come so far. */
function withSetting({ alice, bob }: Pair, { simple, aliceMsat, dustLimits }: Setting): Pair {
  const set = (who: Who, state: FundedChannel): FundedChannel => {
    const mine = who === "alice" ? aliceMsat : FUNDING_SAT * 1000n - aliceMsat;
    const balances = { local: msat(mine), remote: msat(FUNDING_SAT * 1000n - mine) };
    const [funding] = state.fundings;
    const { local, remote } = funding;
    return {
      ...state,
      features: simple ? state.features : ["option_shutdown_anysegwit"],
      params: {
        local: { ...state.params.local, dustLimitSatoshis: sat(dustLimits[who]) },
        remote: { ...state.params.remote, dustLimitSatoshis: sat(dustLimits[other(who)]) },
      },
      fundings: [
        {
          ...funding,
          local: { ...local, current: { ...local.current!, spec: { ...local.current!.spec, balances } } },
          remote: { ...remote, current: { ...remote.current!, spec: { ...remote.current!.spec, balances } } },
        },
      ],
    };
  };
  return { alice: { ...alice, state: set("alice", alice.state) }, bob: { ...bob, state: set("bob", bob.state) }, mail: null };
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const script = (prefix: string, length: number): fc.Arbitrary<ScriptPubkey> =>
  bytes(length).map((program) => scriptPubkey(Uint8Array.of(...fromHex(prefix), ...program)));

const p2wpkh = script("0014", 20);
const segwitScripts = fc.oneof(p2wpkh, script("0020", 32), script("5120", 32), script("6002", 2));
const returns = fc.oneof(script("6a06", 6), script("6a4b", 75), script("6a4c50", 80));
const anyAlice = fc.oneof(
  fc.bigInt(0n, FUNDING_SAT * 1000n),
  // Around the dust limits of either side, and around equality
  fc.bigInt(0n, 1_200_000n),
  fc.bigInt(FUNDING_SAT * 1000n - 1_200_000n, FUNDING_SAT * 1000n),
  fc.bigInt(499_999_000n, 500_001_000n),
);
const anyDust = fc.constantFrom(354n, 546n, 1000n);
const anyFee = fc.oneof(
  fc.bigInt(0n, 2000n).map((fee) => ({ kind: "exactly" as const, feeSatoshis: sat(fee) })),
  fc.bigInt(0n, FUNDING_SAT).map((fee) => ({ kind: "exactly" as const, feeSatoshis: sat(fee) })),
  fc.bigInt(253n, 5000n).map((rate) => ({ kind: "rate" as const, feerate: perKw(rate) })),
);

const rarely = fc.nat(9).map((draw) => draw === 0);

const setting = (simple: boolean) =>
  fc.record({
    simple: fc.constant(simple),
    aliceMsat: anyAlice,
    dustLimits: fc.record({ alice: anyDust, bob: anyDust }),
    scripts: fc.record({
      alice: simple ? fc.oneof({ weight: 3, arbitrary: segwitScripts }, returns) : segwitScripts,
      bob: simple ? fc.oneof({ weight: 3, arbitrary: segwitScripts }, returns) : segwitScripts,
    }),
    closer: fc.constantFrom(...BOTH),
    fee: anyFee,
    omit: fc.record({ mine: rarely, theirs: rarely }),
  });

/** What a close of this kind may be refused for. */
const REFUSALS: readonly string[] = ["policy-closing-dust", "policy-closing-fee-unaffordable", "policy-closing-omission", "policy-closing-variant"];

/** The pair after both shutdowns, the offer and its answer; the code of the refusal where there was one. */
function closed(from: Pair, closer: Who, scripts: Readonly<Record<Who, ScriptPubkey>>, offer: CloseWish, answer: CloseWish): Pair | string {
  try {
    const shut = after(from, [...closing(closer, { script: scripts[closer] }), ...closing(other(closer), { script: scripts[other(closer)] })]);
    const offered = throughFiles(after(shut, closing(closer, offer)));
    return after(offered, closing(other(closer), answer));
  } catch (error) {
    if (error instanceof LnError) return error.code;
    throw error;
  }
}

/** What each keeps is what its file says. */
function throughFiles({ alice, bob, mail }: Pair): Pair {
  const reread = ({ state, revoked }: Pair["alice"]) => ({ state: requireFunded(readChannel(printChannel(state), "channel.json")), revoked });
  return { alice: reread(alice), bob: reread(bob), mail };
}

function fundingCoin({ alice }: Pair) {
  const { params } = alice.state;
  return { amount: FUNDING_SAT, scriptPubkey: FORMATS.anchors.funding(params.local.fundingPubkey, params.remote.fundingPubkey).scriptPubkey };
}

/** The one transaction that both hold, byte for byte, by the interpreter's leave; each sees what it is. */
function expectSame(pair: Pair) {
  const [ours] = completeClosings(pair.alice.state);
  const [theirs] = completeClosings(pair.bob.state);
  expect(ours, "alice holds it").toBeDefined();
  expect(theirs?.tx.toHex()).toBe(ours?.tx.toHex());
  expect(theirs?.signed.scripts).toEqual(swapSides(ours!.signed.scripts));
  expect(interpret(ours!.tx.toHex(), [fundingCoin(pair)])).toEqual({ kind: "accepted" });
  for (const who of BOTH) {
    // As the file has it, nothing is lost
    expect(readChannel(printChannel(pair[who].state), who)).toEqual(pair[who].state);
    const seen = identify(pair[who].state, ours!.tx, () => []);
    expect(seen.kind === "mutual" && seen.closing?.txid).toEqual(ours!.closing.txid);
  }
  return ours!;
}

describe("both sides build the same closing transaction", () => {
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);

  test("simple", () => {
    fc.assert(
      fc.property(setting(true), ({ closer, scripts, fee, omit, ...rest }) => {
        const from = withSetting(start, rest);
        const wish = { fee, omitOutput: omit.mine, locktime: 7 };
        const result = closed(from, closer, scripts, wish, { omitOutput: omit.theirs });
        if (typeof result === "string") {
          expect(REFUSALS).toContain(result);
          count(`simple ${result}`);
          return;
        }
        const { tx, closing: built, signed } = expectSame(result);
        expect(tx.version).toBe(2);
        expect(tx.locktime).toBe(7);
        expect(tx.ins[0]!.sequence).toBe(0xfffffffd);
        // Nothing that is not relayed; OP_RETURN holds nothing
        for (const { amount, scriptPubkey: to } of built.outputs) {
          expect(amount).toBeGreaterThanOrEqual(dustThreshold(to));
          if (to[0] === 0x6a) expect(amount).toBe(0n);
        }
        expect(built.outputs.reduce((sum, { amount }) => sum + amount, built.actualFee + 0n)).toBe(FUNDING_SAT);
        const payer = signed.payer === "local" ? "alice" : "bob";
        expect(payer).toBe(closer);
        // The closee loses nothing of what it has but for what it leaves out itself
        const closeeMsat = closer === "alice" ? FUNDING_SAT * 1000n - rest.aliceMsat : rest.aliceMsat;
        const closee = built.outputs.find(({ side }) => side !== signed.payer);
        if (closee !== undefined && closee.scriptPubkey[0] !== 0x6a) expect(closee.amount).toBe(closeeMsat / 1000n);
        if (fee.kind === "rate" && built.outputs.length === 2) {
          const rate = Number(built.actualFee) / (tx.weight() / 1000);
          const burnt = built.outputs.some(({ scriptPubkey: to }) => to[0] === 0x6a);
          expect(rate).toBeGreaterThanOrEqual(Number(fee.feerate));
          // Whole satoshis, and what was below one
          if (!burnt) expect(rate).toBeLessThanOrEqual(Number(fee.feerate) * 1.01 + 3);
        }
        count(`simple ${signed.outputs}`);
      }),
      { numRuns: 250 },
    );
    console.info(`closing: ${[...seen].map(([what, times]) => `${what} ${times}`).join(", ")}`);
    for (const outputs of ["both", "local", "remote"]) expect(seen.get(`simple ${outputs}`) ?? 0).toBeGreaterThan(0);
  }, 120_000);

  test("legacy, by either opener's first offer and an agreement, each leaving out what is below its own dust limit", () => {
    fc.assert(
      fc.property(setting(false), ({ scripts, fee, omit, ...rest }) => {
        const from = withSetting(start, rest);
        const result = closed(from, "alice", scripts, { fee, omitOutput: omit.mine }, { omitOutput: omit.theirs });
        if (typeof result === "string") {
          expect(REFUSALS).toContain(result);
          count(`legacy ${result}`);
          return;
        }
        // Both hold a transaction; where they leave out different outputs, each one that the other has signed
        const [ours] = completeClosings(result.alice.state);
        const [theirs] = completeClosings(result.bob.state);
        const agree = ours!.tx.toHex() === theirs!.tx.toHex();
        for (const { tx, closing: built } of [ours!, theirs!]) {
          expect([tx.version, tx.locktime, tx.ins[0]!.sequence]).toEqual([2, 0, 0xffffffff]);
          expect(interpret(tx.toHex(), [fundingCoin(result)])).toEqual({ kind: "accepted" });
          for (const { amount, scriptPubkey: to } of built.outputs) expect(amount).toBeGreaterThanOrEqual(dustThreshold(to));
          for (const who of BOTH) expect(identify(result[who].state, tx, () => []).kind).toBe("mutual");
        }
        if (rest.dustLimits.alice === rest.dustLimits.bob && !omit.theirs) expect(agree).toBe(true);
        if (agree) expectSame(result);
        count(`legacy ${agree ? ours!.signed.outputs : "two"}`);
      }),
      { numRuns: 250 },
    );
    console.info(`closing: ${[...seen].map(([what, times]) => `${what} ${times}`).join(", ")}`);
    for (const outputs of ["both", "local", "remote", "two"]) expect(seen.get(`legacy ${outputs}`) ?? 0, outputs).toBeGreaterThan(0);
  }, 120_000);
});

describe("what a mutual close may pay to", () => {
  test.each([
    [`0014${"11".repeat(20)}`, "p2wpkh"],
    [`0020${"11".repeat(32)}`, "p2wsh"],
    [`0015${"11".repeat(21)}`, null],
    [`5120${"11".repeat(32)}`, "later_segwit"],
    ["51024e73", "later_segwit"],
    ["6002aabb", "later_segwit"],
    [`6028${"11".repeat(40)}`, "later_segwit"],
    [`5129${"11".repeat(41)}`, null],
    ["5101aa", null],
    ["6102aabb", null],
    ["5102aa", null],
    [`6a06${"11".repeat(6)}`, "op_return"],
    [`6a05${"11".repeat(5)}`, null],
    [`6a4b${"11".repeat(75)}`, "op_return"],
    [`6a4c4c${"11".repeat(76)}`, "op_return"],
    [`6a4c4b${"11".repeat(75)}`, null],
    [`6a4c50${"11".repeat(80)}`, "op_return"],
    [`6a4c51${"11".repeat(81)}`, null],
    [`6a06${"11".repeat(7)}`, null],
    ["6a", null],
    [`76a914${"11".repeat(20)}88ac`, "p2pkh"],
    [`a914${"11".repeat(20)}87`, "p2sh"],
    ["", null],
  ] as const)("%s: %s", (hex, form) => {
    expect(shutdownForm(fromHex(hex))).toBe(form);
  });
});
