import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalBytes } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { opposite } from "../../../src/protocol/side.js";
import { buildCommitment } from "../../../src/protocol/tx/commitment-tx.js";
import { decodeCommitmentNumber, encodeCommitmentNumber, obscuringFactor } from "../../../src/protocol/tx/commitment-number.js";
import { baseFee, directionFor, htlcTxFee, trimThreshold } from "../../../src/protocol/tx/fees.js";
import { FORMATS } from "../../../src/protocol/tx/format.js";
import { compareOutputs, isHtlcOutput } from "../../../src/protocol/tx/outputs.js";
import { commitmentKeysOf, recogniseOutputs } from "../../../src/protocol/tx/recognise.js";
import { floorToSat, msat, perKw, sat } from "../../../src/protocol/units.js";
import { anyChannel, channelOf } from "../channels.js";

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

describe("every commitment", () => {
  test("pays out what the funding holds, less a fee whose parts are known", () => {
    fc.assert(
      fc.property(anyChannel, ({ terms, commitment }) => {
        const { format, funding, dustLimit, opener, owner } = terms;
        const { spec, outputs, trimmedHtlcs } = commitment;
        expect(sum(outputs.map(({ amount }) => amount)) + commitment.actualFee).toBe(funding.amount);
        expect(commitment.unsigned.outs.map(({ value }) => value)).toEqual(outputs.map(({ amount }) => amount));

        const costs = baseFee(format, spec.feeratePerKw, spec.htlcs.length - trimmedHtlcs.length) + format.anchorsCost;
        const balances = [owner, opposite(owner)].map((side) => {
          const whole: bigint = floorToSat(spec.balances[side]);
          return side === opener ? (whole > costs ? whole - costs : 0n) : whole;
        });
        const main = balances.filter((balance) => balance >= dustLimit);
        const htlcs = outputs.filter(isHtlcOutput).map(({ amount }) => amount);
        const anchors = outputs.filter(({ kind }) => kind.endsWith("_anchor")).map(({ amount }) => amount);
        expect(sum(outputs.map(({ amount }) => amount))).toBe(sum([...main, ...htlcs, ...anchors]));
        if (floorToSat(spec.balances[opener]) >= costs) expect(commitment.actualFee).toBeGreaterThanOrEqual(commitment.baseFee);
      }),
    );
  });

  test("has no output under the dust limit but anchors, and no HTLC whose transaction would make dust", () => {
    fc.assert(
      fc.property(anyChannel, ({ terms, commitment }) => {
        const { format, dustLimit, owner } = terms;
        const rate = commitment.spec.feeratePerKw;
        for (const output of commitment.outputs) {
          if (output.kind === "shared_anchor") expect(output.amount).toBeLessThanOrEqual(240n);
          else if (output.kind.endsWith("_anchor")) expect(output.amount).toBe(330n);
          else expect(output.amount).toBeGreaterThanOrEqual(dustLimit);
          if (isHtlcOutput(output))
            expect(output.amount - htlcTxFee(format, rate, directionFor(owner, output.htlc))).toBeGreaterThanOrEqual(dustLimit);
        }
        for (const htlc of commitment.trimmedHtlcs) {
          expect(floorToSat(htlc.amountMsat)).toBeLessThan(trimThreshold(format, rate, dustLimit, directionFor(owner, htlc)));
        }
        expect(commitment.outputs.filter(isHtlcOutput).length + commitment.trimmedHtlcs.length).toBe(commitment.spec.htlcs.length);
      }),
    );
  });

  test("has its outputs in one order, however the HTLCs were listed", () => {
    fc.assert(
      fc.property(anyChannel, fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), ({ terms, number, perCommitmentSecret, commitment }, ranks) => {
        const ranked = commitment.spec.htlcs.map((htlc, at) => ({ htlc, rank: ranks[at] ?? 0 }));
        const htlcs = ranked.sort((a, b) => a.rank - b.rank).map(({ htlc }) => htlc);
        const again = buildCommitment(terms, number, publicKey(perCommitmentSecret), { ...commitment.spec, htlcs });
        expect(again.unsigned.toHex()).toBe(commitment.unsigned.toHex());
        const { outputs } = commitment;
        for (const [at, output] of outputs.entries()) {
          const next = outputs[at + 1];
          if (next !== undefined) expect(compareOutputs(output, next)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });

  test("hides its number, and both sides find it again", () => {
    fc.assert(
      fc.property(anyChannel, ({ terms, number, commitment }) => {
        const { basepoints, opener } = terms;
        const factor = obscuringFactor(basepoints[opener].paymentBasepoint, basepoints[opposite(opener)].paymentBasepoint);
        const { locktime, ins } = commitment.unsigned;
        expect(decodeCommitmentNumber({ locktime, sequence: ins[0]!.sequence }, factor)).toBe(number);
        expect(ins[0]!.script).toHaveLength(0);
        expect(equalBytes(ins[0]!.hash, terms.funding.txid)).toBe(true);
      }),
    );
  });

  test("is the same from either side's file", () => {
    fc.assert(
      fc.property(anyChannel, ({ terms, number, perCommitmentSecret, commitment }) => {
        const { basepoints, owner, opener } = terms;
        const { spec } = commitment;
        const mirrored = buildCommitment(
          { ...terms, owner: opposite(owner), opener: opposite(opener), basepoints: { local: basepoints.remote, remote: basepoints.local } },
          number,
          publicKey(perCommitmentSecret),
          {
            ...spec,
            balances: { local: spec.balances.remote, remote: spec.balances.local },
            htlcs: spec.htlcs.map((htlc) => ({ ...htlc, offeredBy: opposite(htlc.offeredBy) })),
          },
        );
        expect(mirrored.unsigned.toHex()).toBe(commitment.unsigned.toHex());
      }),
    );
  });

  test("has its outputs named again by their scripts alone", () => {
    fc.assert(
      fc.property(anyChannel, ({ terms, commitment }) => {
        const keys = commitmentKeysOf(terms, commitment.keys.perCommitmentPoint);
        expect(keys).toEqual(commitment.keys);
        const named = recogniseOutputs(commitment.unsigned, terms, keys, commitment.spec.htlcs);
        expect(named.map((output) => output?.kind)).toEqual(commitment.outputs.map(({ kind }) => kind));
        expect(named.map((output) => output?.amount)).toEqual(commitment.outputs.map(({ amount }) => amount));
      }),
    );
  });
});

test("a shared anchor is there whatever else is, and takes what no output holds before the fee does", () => {
  fc.assert(
    fc.property(anyChannel, ({ terms, number, perCommitmentSecret, commitment: { spec } }) => {
      const { outputs, actualFee, unsigned } = buildCommitment(
        { ...terms, format: FORMATS.zero_fee_commitments },
        number,
        publicKey(perCommitmentSecret),
        spec,
      );
      const anchors = outputs.filter(({ lock }) => lock.kind === "p2a");
      expect(anchors.map(({ kind }) => kind)).toEqual(["shared_anchor"]);
      const [{ amount }] = anchors as [(typeof anchors)[number]];
      // Whatever the feerate in the state says
      const mains = [spec.balances.local, spec.balances.remote].map(floorToSat);
      const kept = [...mains, ...spec.htlcs.map((htlc): bigint => floorToSat(htlc.amountMsat))].filter((whole) => whole >= terms.dustLimit);
      const left = terms.funding.amount - sum(kept);
      expect([amount, actualFee]).toEqual(left <= 240n ? [left, 0n] : [240n, left - 240n]);
      expect(unsigned.version).toBe(3);
    }),
  );
});

test("a shared anchor holds what is left up to 240 sat, and nothing where nothing is", () => {
  const { terms, number, perCommitmentSecret, commitment } = channelOf("zero_fee_commitments");
  const amounts = (left: bigint) => {
    const remote = 1_000_000n - left;
    const balances = { local: msat(9_000_000_000n), remote: msat(remote * 1000n) };
    const built = buildCommitment(terms, number, publicKey(perCommitmentSecret), { ...commitment.spec, balances, htlcs: [] });
    return [built.outputs.find(({ kind }) => kind === "shared_anchor")?.amount, built.actualFee, built.outputs[0]?.kind];
  };
  expect(amounts(0n)).toEqual([0n, 0n, "shared_anchor"]);
  expect(amounts(1n)).toEqual([1n, 0n, "shared_anchor"]);
  expect(amounts(239n)).toEqual([239n, 0n, "shared_anchor"]);
  expect(amounts(240n)).toEqual([240n, 0n, "shared_anchor"]);
  expect(amounts(241n)).toEqual([240n, 1n, "shared_anchor"]);
});

test("an HTLC of the shared anchor's amount stands behind it or before it, by its script", () => {
  const { terms, number, perCommitmentSecret, commitment } = channelOf("zero_fee_commitments");
  const [htlc] = commitment.spec.htlcs;
  const alike = [{ ...htlc!, amountMsat: msat(240_000n) }];
  const balances = { local: msat(9_000_000_000n), remote: msat(999_520_000n) };
  const built = buildCommitment({ ...terms, dustLimit: sat(200n) }, number, publicKey(perCommitmentSecret), {
    ...commitment.spec,
    balances,
    htlcs: alike,
  });
  const [first, second] = built.outputs;
  expect([first, second].map((output) => output?.amount)).toEqual([240n, 240n]);
  // 0020… before 51024e73
  expect([first?.kind, second?.kind]).toEqual(["offered_htlc", "shared_anchor"]);
});

test("an output with a script of nobody's has no name", () => {
  const { terms, commitment } = channelOf("anchors");
  const tx = commitment.unsigned.clone();
  tx.addOutput(Uint8Array.of(0x6a), 0n);
  expect(recogniseOutputs(tx, terms, commitment.keys, commitment.spec.htlcs).at(-1)).toBeNull();
});

describe("commitment numbers", () => {
  const any48 = fc.oneof(fc.constantFrom(0n, 1n, 2n ** 24n - 1n, 2n ** 24n, 2n ** 48n - 1n), fc.bigInt(0n, 2n ** 48n - 1n));

  test("decode ∘ encode = id", () => {
    fc.assert(
      fc.property(any48, any48, (number, factor) => {
        const hidden = encodeCommitmentNumber(Number(number), factor);
        expect(decodeCommitmentNumber(hidden, factor)).toBe(Number(number));
        expect([hidden.locktime >>> 24, hidden.sequence >>> 24]).toEqual([0x20, 0x80]);
      }),
    );
  });

  test("without its marks a transaction is no commitment", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 0xffffffff }), (locktime, sequence) => {
        const marked = locktime >>> 24 === 0x20 && sequence >>> 24 === 0x80;
        expect(decodeCommitmentNumber({ locktime, sequence }, 0n) === null).toBe(!marked);
      }),
    );
    expect(decodeCommitmentNumber({ locktime: 0, sequence: 0xffffffff }, 0n)).toBeNull();
  });
});

describe("fees", () => {
  // BOLT 3 §Fee Calculation's own example
  test("feerate 5000, dust limit 546: 5340 sat for two untrimmed HTLCs, 3315 and 3515 for their transactions", () => {
    const format = FORMATS.static_remotekey;
    const rate = perKw(5000n);
    expect(htlcTxFee(format, rate, "offered")).toBe(3315n);
    expect(htlcTxFee(format, rate, "received")).toBe(3515n);
    expect(baseFee(format, rate, 2)).toBe(5340n);
    expect(trimThreshold(format, rate, sat(546n), "offered")).toBe(3861n);
  });

  test("HTLC transactions pay in anchor_outputs, not in anchors", () => {
    expect(htlcTxFee(FORMATS.anchor_outputs, perKw(1000n), "offered")).toBe(666n);
    expect(htlcTxFee(FORMATS.anchors, perKw(1000n), "received")).toBe(0n);
  });

  test("nothing pays in zero_fee_commitments, at any feerate", () => {
    expect(htlcTxFee(FORMATS.zero_fee_commitments, perKw(1000n), "offered")).toBe(0n);
    expect(baseFee(FORMATS.zero_fee_commitments, perKw(1000n), 114)).toBe(0n);
    expect(trimThreshold(FORMATS.zero_fee_commitments, perKw(1000n), sat(546n), "offered")).toBe(546n);
  });
});

describe("anchors", () => {
  const kinds = (balances: readonly [bigint, bigint], withHtlcs: boolean): readonly string[] => {
    const { terms, number, perCommitmentSecret, commitment } = channelOf("anchors");
    const { spec } = commitment;
    const [local, remote] = balances as readonly [typeof spec.balances.local, typeof spec.balances.remote];
    const htlcs = withHtlcs ? spec.htlcs : [];
    const built = buildCommitment(terms, number, publicKey(perCommitmentSecret), { ...spec, balances: { local, remote }, htlcs });
    return built.outputs
      .map(({ kind }) => kind)
      .filter((kind) => kind.endsWith("_anchor"))
      .sort();
  };

  test("each side has one where it has an output, both where there is an HTLC", () => {
    expect(kinds([5_000_000_000n, 5_000_000_000n], false)).toEqual(["to_local_anchor", "to_remote_anchor"]);
    expect(kinds([5_000_000_000n, 0n], false)).toEqual(["to_local_anchor"]);
    expect(kinds([0n, 5_000_000_000n], false)).toEqual(["to_remote_anchor"]);
    expect(kinds([0n, 0n], true)).toEqual(["to_local_anchor", "to_remote_anchor"]);
    expect(kinds([0n, 0n], false)).toEqual([]);
  });
});
