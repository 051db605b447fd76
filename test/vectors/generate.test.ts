import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { CHANNEL_TYPES, type ChannelType } from "../../src/protocol/tx/channel-type.js";
import { FORMATS } from "../../src/protocol/tx/format.js";
import { RECIPES, recipeFor } from "../../src/vectors/generate/recipes.js";
import { REFUSALS } from "../../src/vectors/generate/refusals.js";
import { NumberStream, seedOf } from "../../src/vectors/generate/number-stream.js";
import { type GeneratedCase, generateCase } from "../../src/vectors/generate/generate.js";
import { verifyLine } from "../../src/vectors/verify.js";

const SET = { seed: "edges", channelTypes: CHANNEL_TYPES };
const ROUND = Object.keys(RECIPES).length + Object.keys(REFUSALS).length;
/** After as many rounds as there are channel types every recipe has met every type. */
const CASES = Array.from({ length: ROUND * CHANNEL_TYPES.length }, (_, index) => generateCase(SET, index));

interface Inputs {
  readonly commitment_number: number;
  readonly opener: "local" | "remote";
  readonly dust_limit_satoshis: number;
  readonly feerate_per_kw: number;
  readonly funding_satoshi: number;
  readonly to_local_msat: number;
  readonly to_remote_msat: number;
  readonly htlcs: readonly {
    readonly direction: string;
    readonly amount_msat: number;
    readonly cltv_expiry: number;
    readonly payment_hash: string;
  }[];
}

interface Expected {
  readonly outputs: readonly { readonly index: number; readonly value: number; readonly kind: string; readonly scriptpubkey: string }[];
  readonly trimmed_htlc_indexes: readonly number[];
  readonly offered_trim_threshold_sat: number;
  readonly received_trim_threshold_sat: number;
  readonly base_fee_sat: number;
  readonly actual_fee_sat: number;
  readonly htlc_txs: readonly { readonly htlc_index: number; readonly output_index: number; readonly cltv_expiry: number }[];
}

interface Made {
  readonly inputs: Inputs;
  readonly expected: Expected;
}

/** What says something of fees alone, and what stands in its place where there are none. */
const OF_FEES = ["opener-cannot-pay", "opener-can-just-pay", "feerate-253", "feerate-high", "feerate-any"];
const WITHOUT_FEE = ["shared-anchor-0", "shared-anchor-1", "shared-anchor-239", "shared-anchor-240", "shared-anchor-and-fee"];
const WITH_FEERATE = CHANNEL_TYPES.filter((type) => FORMATS[type].hasFeerate);
const typesOf = (tag: string, ofFees: readonly string[]) => (ofFees.includes(tag) ? WITH_FEERATE : CHANNEL_TYPES);

/** What a recipe made, of each channel type. */
function madeBy(recipe: string): readonly Made[] {
  const found = CASES.filter(({ tags }) => tags.includes(recipe));
  const types = WITHOUT_FEE.includes(recipe) ? ["zero_fee_commitments"] : typesOf(recipe, OF_FEES);
  expect(found.map(({ tags }) => tags[0]).sort()).toEqual([...types].sort());
  return found.map(({ case: inputs, expected }) => ({ inputs: inputs as unknown as Inputs, expected: expected as unknown as Expected }));
}

const satoshisOf = ({ inputs }: Made): readonly number[] => inputs.htlcs.map(({ amount_msat: amount }) => Math.floor(amount / 1000));
const valueOf = ({ expected }: Made, kind: string): number | undefined => expected.outputs.find((output) => output.kind === kind)?.value;
const costsOf = ({ expected }: Made): number =>
  expected.base_fee_sat + 330 * 2 * Number(expected.outputs.some(({ kind }) => kind === "local_anchor" || kind === "remote_anchor"));
const anchorAndFee = (made: Made) => [valueOf(made, "shared_anchor"), made.expected.actual_fee_sat];

describe("each recipe hits its edge, with every channel type", () => {
  const EDGES: Readonly<Record<string, (made: Made) => void>> = {
    "no-htlcs": ({ inputs }) => {
      expect(inputs.htlcs).toEqual([]);
    },
    "random-htlcs": ({ inputs }) => {
      expect(inputs.htlcs.length).toBeGreaterThan(0);
    },
    "msat-remainders": (made) => {
      const remainders = made.inputs.htlcs.map(({ amount_msat: amount }) => amount % 1000);
      expect(remainders.slice(0, 5)).toEqual([0, 1, 499, 500, 999]);
      expect([1, 500, 999]).toContain(made.inputs.to_local_msat % 1000);
    },
    "equal-amounts-different-expiries": ({ inputs, expected }) => {
      const alike = inputs.htlcs.slice(0, 4);
      expect(new Set(alike.map(({ amount_msat: amount, payment_hash: hash }) => `${amount} ${hash}`)).size).toBe(1);
      expect(alike.map(({ cltv_expiry: expiry }) => expiry)).toEqual([500_007, 500_003, 500_005, 500_003]);
      if (alike[0]?.direction !== "offered") return;
      // Alike in amount and script: in the order of their expiries
      const inOrder = expected.htlc_txs.filter(({ htlc_index: index }) => index < 4).map(({ cltv_expiry: expiry }) => expiry);
      expect(inOrder).toEqual([500_003, 500_003, 500_005, 500_007]);
    },
    "identical-htlcs": ({ inputs }) => {
      const looks = inputs.htlcs.map((htlc) => JSON.stringify(htlc));
      expect(new Set(looks).size).toBeLessThan(looks.length);
    },
    "equal-satoshis-different-msat": (made) => {
      expect(new Set(satoshisOf(made)).size).toBe(1);
      expect(new Set(made.expected.outputs.filter(({ kind }) => kind === "htlc").map(({ scriptpubkey }) => scriptpubkey)).size).toBe(1);
    },
    "equal-amounts-different-hashes": ({ expected }) => {
      const htlcs = expected.outputs.filter(({ kind }) => kind === "htlc");
      expect(htlcs).toHaveLength(3);
      expect(htlcs.map(({ scriptpubkey }) => scriptpubkey)).toEqual(htlcs.map(({ scriptpubkey }) => scriptpubkey).sort());
    },
    "offered-and-received-alike": ({ inputs }) => {
      const [offered, received] = inputs.htlcs;
      expect({ ...offered, direction: "received" }).toEqual(received);
      expect(offered?.direction).toBe("offered");
    },
    "opener-cannot-pay": (made) => {
      const balance = made.inputs.opener === "local" ? made.inputs.to_local_msat : made.inputs.to_remote_msat;
      expect(Math.floor(balance / 1000)).toBeLessThan(costsOf(made));
      expect(valueOf(made, made.inputs.opener === "local" ? "to_local" : "to_remote")).toBeUndefined();
    },
    "opener-can-just-pay": (made) => {
      const balance = made.inputs.opener === "local" ? made.inputs.to_local_msat : made.inputs.to_remote_msat;
      expect(Math.floor(balance / 1000)).toBe(costsOf(made));
    },
    "no-to-local": (made) => {
      expect([valueOf(made, "to_local"), typeof valueOf(made, "to_remote")]).toEqual([undefined, "number"]);
    },
    "no-to-remote": (made) => {
      expect([typeof valueOf(made, "to_local"), valueOf(made, "to_remote")]).toEqual(["number", undefined]);
    },
    "no-main-outputs": (made) => {
      expect([valueOf(made, "to_local"), valueOf(made, "to_remote")]).toEqual([undefined, undefined]);
      expect(made.expected.htlc_txs.length).toBeGreaterThan(0);
    },
    "all-htlcs-trimmed": ({ inputs, expected }) => {
      expect([inputs.htlcs.length, expected.trimmed_htlc_indexes, expected.htlc_txs]).toEqual([2, [0, 1], []]);
    },
    "to-local-at-dust-limit": (made) => {
      expect(valueOf(made, "to_local")).toBe(made.inputs.dust_limit_satoshis);
    },
    "to-local-below-dust-limit": (made) => {
      const costs = made.inputs.opener === "local" ? costsOf(made) : 0;
      expect(Math.floor(made.inputs.to_local_msat / 1000) - costs).toBe(made.inputs.dust_limit_satoshis - 1);
      expect(valueOf(made, "to_local")).toBeUndefined();
    },
    "to-remote-at-dust-limit": (made) => {
      expect(valueOf(made, "to_remote")).toBe(made.inputs.dust_limit_satoshis);
    },
    "to-remote-below-dust-limit": (made) => {
      const costs = made.inputs.opener === "remote" ? costsOf(made) : 0;
      expect(Math.floor(made.inputs.to_remote_msat / 1000) - costs).toBe(made.inputs.dust_limit_satoshis - 1);
      expect(valueOf(made, "to_remote")).toBeUndefined();
    },
    "shared-anchor-0": (made) => {
      expect(anchorAndFee(made)).toEqual([0, 0]);
    },
    "shared-anchor-1": (made) => {
      expect(anchorAndFee(made)).toEqual([1, 0]);
      expect(made.expected.trimmed_htlc_indexes).toEqual([]);
    },
    "shared-anchor-239": (made) => {
      expect(anchorAndFee(made)).toEqual([239, 0]);
    },
    "shared-anchor-240": (made) => {
      expect(anchorAndFee(made)).toEqual([240, 0]);
    },
    "shared-anchor-and-fee": (made) => {
      expect(valueOf(made, "shared_anchor")).toBe(240);
      expect(made.expected.actual_fee_sat).toBeGreaterThan(0);
    },
    "feerate-0": ({ expected, inputs }) => {
      expect([inputs.feerate_per_kw, expected.base_fee_sat]).toEqual([0, 0]);
    },
    "feerate-253": ({ inputs }) => {
      expect(inputs.feerate_per_kw).toBe(253);
    },
    "feerate-high": ({ inputs }) => {
      expect(inputs.feerate_per_kw).toBeGreaterThanOrEqual(20_000);
    },
    "feerate-any": ({ inputs }) => {
      expect(inputs.feerate_per_kw).toBeGreaterThanOrEqual(253);
    },
    "number-0": ({ inputs }) => {
      expect(inputs.commitment_number).toBe(0);
    },
    "number-1": ({ inputs }) => {
      expect(inputs.commitment_number).toBe(1);
    },
    "number-at-2^24": ({ inputs }) => {
      expect(Math.abs(inputs.commitment_number - 2 ** 24)).toBeLessThanOrEqual(2);
    },
    "number-highest": ({ inputs }) => {
      expect(inputs.commitment_number).toBeGreaterThanOrEqual(2 ** 48 - 3);
    },
    "number-of-one-bit": ({ inputs }) => {
      expect(Number.isInteger(Math.log2(inputs.commitment_number))).toBe(true);
    },
    "many-htlcs": ({ inputs }) => {
      expect(inputs.htlcs.length).toBeGreaterThanOrEqual(13);
    },
    ...Object.fromEntries(
      (["offered", "received"] as const).flatMap((direction) =>
        ([0, -1] as const).map((away) => [
          `dust-${direction}-${away === 0 ? "at" : "below"}`,
          (made: Made) => {
            const edge = made.expected[`${direction}_trim_threshold_sat`] + away;
            const at = made.inputs.htlcs.flatMap((htlc, index) =>
              htlc.direction === direction && Math.floor(htlc.amount_msat / 1000) === edge ? [index] : [],
            );
            expect(at.length).toBeGreaterThan(0);
            for (const index of at) expect(made.expected.trimmed_htlc_indexes.includes(index)).toBe(away < 0);
          },
        ]),
      ),
    ),
  };

  test("none is without its test", () => {
    expect(Object.keys(EDGES).sort()).toEqual([...Object.keys(RECIPES), ...WITHOUT_FEE].sort());
    expect(OF_FEES.map((name) => recipeFor(name, "zero_fee_commitments").name)).toEqual(WITHOUT_FEE);
    expect(OF_FEES.map((name) => recipeFor(name, "anchors").name)).toEqual(OF_FEES);
  });

  test.each(Object.entries(EDGES))("%s", (recipe, check) => {
    for (const made of madeBy(recipe)) check(made);
  });

  test.each([
    ["anchors", 483],
    ["zero_fee_commitments", 114],
  ] as const)("as many HTLCs as one side of %s can have, once in 512 cases: %i", (type, most) => {
    const { tags, case: inputs, expected } = generateCase({ ...SET, channelTypes: [type] }, 511);
    expect(tags).toContain(`${most}-htlcs`);
    expect([(inputs as unknown as Inputs).htlcs.length, (expected as unknown as Expected).htlc_txs.length]).toEqual([most, most]);
    expect(generateCase({ ...SET, channelTypes: [type] }, 510).tags).not.toContain(`${most}-htlcs`);
  });
});

test("all that a channel holds is in its cases: balances and HTLCs are the funding", () => {
  for (const { case: made } of CASES) {
    const { htlcs, to_local_msat: local, to_remote_msat: remote, funding_satoshi: funding } = made as unknown as Inputs;
    expect(htlcs.reduce((sum, { amount_msat: amount }) => sum + amount, local + remote)).toBe(funding * 1000);
  }
});

describe("what was made, verifies", () => {
  const verified = (made: GeneratedCase) => verifyLine(JSON.stringify(made), 0, "made");

  test("every case of five rounds, each value derived again", () => {
    const reports = CASES.map(verified);
    expect(reports.flatMap(({ differences }) => differences)).toEqual([]);
    expect(reports.reduce((sum, { values }) => sum + values, 0)).toBeGreaterThan(20_000);
  });

  const OF_FEES_REFUSED = ["policy-fee-unaffordable", "policy-fee-not-opener", "policy-feerate-range", "policy-commitment-underpaid"];

  test.each([...Object.keys(REFUSALS), "policy-update-fee"])("%s is what the core says, whatever the channel type", (tag) => {
    const refused = CASES.filter(({ tags }) => tags.includes(tag));
    const types = tag === "policy-update-fee" ? OF_FEES_REFUSED.map(() => "zero_fee_commitments") : typesOf(tag, OF_FEES_REFUSED);
    expect(refused.map(({ tags }) => tags[0]).sort()).toEqual([...types].sort());
    for (const made of refused) {
      expect(made.expected).toEqual({ refused: tag });
      expect(verified({ ...made, expected: { refused: "policy-balance-not-this" } }).differences).toMatchObject([
        { path: "[0].expected.refused", expected: "policy-balance-not-this", derived: tag },
      ]);
      // Without the attempt nothing is refused
      const { attempt, ...without } = made.case;
      expect(attempt).toBeDefined();
      expect(verified({ ...made, case: without }).differences).toMatchObject([{ path: "[0].expected.refused", expected: tag }]);
    }
  });

  test("every kind of spend and of close is among them", () => {
    const kinds = new Set(CASES.flatMap(({ tags }) => tags));
    for (const kind of [
      "penalty",
      "penalty_second_stage",
      "sweep_to_local",
      "sweep_to_remote",
      "sweep_second_stage",
      "claim_htlc",
      "close_legacy",
      "close_simple",
    ])
      expect(kinds).toContain(kind);
  });
});

describe("a seed gives the same bytes", () => {
  test("on every backend and every Node: the first two rounds of two seeds", () => {
    const hashOf = (seed: string, channelTypes: readonly ChannelType[]): string => {
      const hash = createHash("sha256");
      for (let index = 0; index < 2 * ROUND; index++) hash.update(`${JSON.stringify(generateCase({ seed, channelTypes }, index))}\n`);
      return hash.digest("hex");
    };
    expect([hashOf("1", WITH_FEERATE), hashOf("Größe", WITH_FEERATE)]).toEqual([
      "3106ac4b9d4bff8c788c1346c9a5bd7478029fcbd6d76dba225719b0c5b7c3a5",
      "f756b6bde157c660d9894155ab245fc39ac412209ed4d9093576a438076ec04f",
    ]);
    expect([hashOf("1", CHANNEL_TYPES), hashOf("Größe", CHANNEL_TYPES)]).toEqual([
      "504cd33d5d17c6acf1d04853523d0b6b90608f6ffab74fc1f829e3f94bee7de1",
      "d33bf85d845ddca0bc1bdbae680285a4c3f6add600ba5899d3a80e8a4185ae84",
    ]);
  });

  test("a case is what it is whichever were made before, and no two are alike", () => {
    expect(generateCase(SET, 77)).toEqual(CASES[77]);
    expect(new Set(CASES.map(({ case: inputs }) => JSON.stringify(inputs))).size).toBe(CASES.length);
    expect(new Set(CASES.map(({ id }) => id)).size).toBe(CASES.length);
    expect(generateCase({ ...SET, seed: "edge" }, 0).case).not.toEqual(CASES[0]!.case);
  });

  test("of one channel type alone", () => {
    const alone = Array.from({ length: 8 }, (_, index) => generateCase({ ...SET, channelTypes: ["anchor_outputs"] }, index));
    expect(new Set(alone.map(({ case: inputs }) => inputs["channel_type"]))).toEqual(new Set(["anchor_outputs"]));
  });
});

test("numbers are within their bounds, and both bounds come", () => {
  const stream = new NumberStream(seedOf("bounds"), 3);
  const drawn = Array.from({ length: 200 }, () => stream.integer(3, 5));
  expect(new Set(drawn)).toEqual(new Set([3, 4, 5]));
  expect(stream.between(7n, 7n)).toBe(7n);
  expect(stream.bytes(100)).toHaveLength(100);
});
