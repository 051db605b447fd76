import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { printChannel } from "../../src/json/channel-file.js";
import { type FundedChannel, type LocalCommit } from "../../src/protocol/channel/state.js";
import { listing } from "../../src/commands/diff/listing.js";
import type { Report } from "../../src/commands/shared/command.js";
import { loadStyle } from "../../src/commands/shared/render.js";
import { CHANNEL_TYPES } from "../../src/protocol/tx/channel-type.js";
import type { CommitmentSpec, Htlc } from "../../src/protocol/tx/spec.js";
import { msat, perKw, sat } from "../../src/protocol/units.js";
import { bytes32 } from "../../src/protocol/bytes.js";
import { type Draw, drawFrom } from "../model/random.js";
import { randomScene } from "../protocol/diagnose/wrong-signers.js";
import { tempDir } from "../support/cli.js";
import { PREIMAGE, offered, round, withHtlc } from "../support/htlcs.js";
import { ANCHORS, afterStep, editState, expectNoSecret, parties, refusal, runCommand, stateOf } from "../support/party.js";

vi.setConfig({ testTimeout: 300_000 });

interface Compared {
  readonly kind: string;
  readonly equal: boolean;
  readonly commitments: readonly {
    readonly owner: string;
    readonly verdict: "same" | "covers" | "differs";
    readonly differences: readonly { readonly field: string; readonly a: string; readonly b: string; readonly alone: string }[];
    readonly explanations: readonly (readonly string[])[];
  }[];
  readonly unpaired: readonly unknown[];
  readonly fields: readonly { readonly path: string; readonly a: string; readonly b: string }[];
  readonly transaction: readonly { readonly field: string; readonly a: string | null; readonly b: string | null }[];
  readonly not_told: readonly string[];
}

async function diff(a: string, b: string, flags: Readonly<Record<string, string>> = {}): Promise<Compared> {
  const report: Report = await runCommand("diff", [a, b], flags);
  const document = report.document as unknown as Compared;
  expect(report.verdict).toBe(document.equal ? "yes" : "no");
  return document;
}

function fileOf(state: FundedChannel): string {
  const path = join(tempDir(), "channel.json");
  writeFileSync(path, JSON.stringify(printChannel(state)));
  return path;
}

/** A change of a state in one respect, and the field that it must be found under in the commitments. */
interface Edit {
  readonly field: string;
  readonly state: FundedChannel;
}

/** Makes one change; null where this state does not allow it. */
type Editor = (state: FundedChannel, draw: Draw) => Edit | null;

/** The newest own commitment with other contents. */
function withCurrent(state: FundedChannel, change: (current: LocalCommit) => Partial<LocalCommit>): FundedChannel {
  const [funding] = state.fundings;
  const { current } = funding.local;
  if (current === null) throw new Error("the scene has no commitment");
  return { ...state, fundings: [{ ...funding, local: { ...funding.local, current: { ...current, ...change(current) } } }] };
}

const withSpec = (state: FundedChannel, change: (spec: CommitmentSpec) => Partial<CommitmentSpec>): FundedChannel =>
  withCurrent(state, ({ spec }) => ({ spec: { ...spec, ...change(spec) } }));

const nameOf = ({ offeredBy, id }: Htlc): string => `htlcs[${offeredBy} ${id}]`;
/** Large enough for an output in every format at these feerates. */
const LARGE = 2_000_000_000n / 100n;

function htlcEditor(
  edit: (htlc: Htlc, draw: Draw) => { readonly field: string; readonly change: (spec: CommitmentSpec) => Partial<CommitmentSpec> },
): Editor {
  return (state, draw) => {
    const htlcs = state.fundings[0].local.current?.spec.htlcs.filter(({ amountMsat }) => amountMsat > LARGE) ?? [];
    if (htlcs.length === 0) return null;
    const { field, change } = edit(draw.oneOf(htlcs), draw);
    return { field, state: withSpec(state, change) };
  };
}

const replaced = (htlc: Htlc, change: Partial<Htlc>) => (spec: CommitmentSpec) => ({
  htlcs: spec.htlcs.map((one) => (one === htlc ? { ...one, ...change } : one)),
});
const plus = (spec: CommitmentSpec, side: "local" | "remote", amount: bigint) => ({ ...spec.balances, [side]: msat(spec.balances[side] + amount) });

const EDITORS: Readonly<Record<string, Editor>> = {
  feerate: (state, draw) => ({
    field: "feerate_per_kw",
    state: withSpec(state, (spec) => ({ feeratePerKw: perKw(spec.feeratePerKw + BigInt(100 + draw.below(900))) })),
  }),
  "an HTLC gone": htlcEditor((htlc) => ({
    field: nameOf(htlc),
    change: (spec) => ({ htlcs: spec.htlcs.filter((one) => one !== htlc), balances: plus(spec, htlc.offeredBy, htlc.amountMsat) }),
  })),
  "an HTLC fulfilled": htlcEditor((htlc) => ({
    field: nameOf(htlc),
    change: (spec) => ({
      htlcs: spec.htlcs.filter((one) => one !== htlc),
      balances: plus(spec, htlc.offeredBy === "local" ? "remote" : "local", htlc.amountMsat),
    }),
  })),
  "an HTLC more": (state) => ({
    field: "htlcs[remote 99]",
    state: withSpec(state, (spec) => ({
      htlcs: [
        ...spec.htlcs,
        { id: 99n, offeredBy: "remote", amountMsat: msat(50_000_000n), paymentHash: bytes32(new Uint8Array(32).fill(9)), cltvExpiry: 640 },
      ],
      balances: plus(spec, "remote", -50_000_000n),
    })),
  }),
  "an HTLC's amount": htlcEditor((htlc) => ({
    field: `${nameOf(htlc)}.amount_msat`,
    change: (spec) => ({ ...replaced(htlc, { amountMsat: msat(htlc.amountMsat + 7000n) })(spec), balances: plus(spec, htlc.offeredBy, -7000n) }),
  })),
  "an HTLC's amount out of nothing": htlcEditor((htlc) => ({
    field: `${nameOf(htlc)}.amount_msat`,
    change: replaced(htlc, { amountMsat: msat(htlc.amountMsat + 9000n) }),
  })),
  // An offered HTLC's script does not hold its expiry
  "an HTLC's expiry": (state, draw) => {
    const htlcs =
      state.fundings[0].local.current?.spec.htlcs.filter(({ amountMsat, offeredBy }) => amountMsat > LARGE && offeredBy === "remote") ?? [];
    if (htlcs.length === 0) return null;
    const htlc = draw.oneOf(htlcs);
    return { field: `${nameOf(htlc)}.cltv_expiry`, state: withSpec(state, replaced(htlc, { cltvExpiry: htlc.cltvExpiry + 100 })) };
  },
  "an HTLC's hash": htlcEditor((htlc) => ({
    field: `${nameOf(htlc)}.payment_hash`,
    change: replaced(htlc, { paymentHash: bytes32(new Uint8Array(32).fill(8)) }),
  })),
  number: (state) => {
    const { current, previous } = state.fundings[0].local;
    return current === null || previous !== null
      ? null
      : { field: "commitment_number", state: withCurrent(state, ({ number }) => ({ number: number + 1 })) };
  },
  "dust limit": (state) => ({
    field: "params.local.dust_limit_satoshis",
    state: { ...state, params: { ...state.params, local: { ...state.params.local, dustLimitSatoshis: sat(9_000_000n) } } },
  }),
  delay: (state, draw) => ({
    field: "params.remote.to_self_delay",
    state: {
      ...state,
      params: { ...state.params, remote: { ...state.params.remote, toSelfDelay: state.params.remote.toSelfDelay + 1 + draw.below(300) } },
    },
  }),
  format: (state, draw) => ({
    field: "channel_type",
    state: { ...state, channelType: draw.oneOf(CHANNEL_TYPES.filter((type) => type !== state.channelType)) },
  }),
  balances: (state) => ({
    field: "balances",
    state: withSpec(state, (spec) => ({ balances: { local: msat(spec.balances.local - 5000n), remote: msat(spec.balances.remote + 5000n) } })),
  }),
  "one balance": (state) => ({ field: "balances.local", state: withSpec(state, (spec) => ({ balances: plus(spec, "local", -3000n) })) }),
  "a key": (state) => ({
    field: "params.remote.delayed_payment_basepoint",
    state: {
      ...state,
      params: { ...state.params, remote: { ...state.params.remote, delayedPaymentBasepoint: state.params.remote.htlcBasepoint as never } },
    },
  }),
  "the punishing key": (state) => ({
    field: "params.remote.revocation_basepoint",
    state: {
      ...state,
      params: { ...state.params, remote: { ...state.params.remote, revocationBasepoint: state.params.remote.htlcBasepoint as never } },
    },
  }),
};

/** A scene whose newest own commitment is that which the edits are about. */
function scene(seed: number): { readonly state: FundedChannel; readonly draw: Draw } {
  const draw = drawFrom(seed);
  for (;;) {
    const { state } = randomScene(draw);
    if (state.fundings[0].local.current !== null) return { state, draw };
  }
}

/** What explains each pair of commitments that is not the same. */
const explanationsOf = ({ commitments }: Compared) => commitments.filter(({ verdict }) => verdict !== "same").map(({ explanations }) => explanations);

const SEEDS = [1, 2, 3, 4];

describe("two states that differ in", () => {
  test.each(Object.keys(EDITORS))("%s: that field explains it, and no other", async (name) => {
    let made = 0;
    for (const seed of SEEDS) {
      const { state, draw } = scene(seed);
      const edit = EDITORS[name]!(state, draw);
      if (edit === null) continue;
      made++;
      const found = await diff(fileOf(state), fileOf(edit.state));
      expect(found).toMatchObject({ kind: "states", equal: false, unpaired: [] });
      const explanations = explanationsOf(found);
      expect(explanations.length, `seed ${seed}`).toBeGreaterThan(0);
      for (const one of explanations) expect(one, `seed ${seed}`).toEqual([[edit.field]]);
      for (const { differences } of found.commitments)
        expect(
          differences.every(({ field }) => field === edit.field),
          JSON.stringify(differences),
        ).toBe(true);
    }
    expect(made).toBeGreaterThan(0);
  });

  test("two fields: both together, each of which changes it alone", async () => {
    const pairs = [
      ["feerate", "delay"],
      ["an HTLC gone", "balances"],
      ["an HTLC's amount", "feerate"],
      ["an HTLC more", "the punishing key"],
      ["an HTLC fulfilled", "delay"],
    ] as const;
    let made = 0;
    for (const seed of SEEDS) {
      for (const [first, second] of pairs) {
        const { state, draw } = scene(seed);
        const one = EDITORS[first]!(state, draw);
        const both = one === null ? null : EDITORS[second]!(one.state, draw);
        if (one === null || both === null) continue;
        const found = await diff(fileOf(state), fileOf(both.state));
        const current = found.commitments.find(({ explanations }) => explanations.some((set) => set.length === 2));
        expect(
          current?.explanations.map((set) => [...set].sort()),
          `${first} and ${second}, seed ${seed}`,
        ).toEqual([[one.field, both.field].sort()]);
        expect(current?.differences.map(({ alone }) => alone)).toEqual(["changes", "changes"]);
        made++;
      }
    }
    expect(made).toBeGreaterThan(12);
  });

  test("nothing: equal", async () => {
    for (const seed of SEEDS) {
      const { state } = scene(seed);
      const found = await diff(fileOf(state), fileOf(state));
      expect(found).toMatchObject({ equal: true, fields: [], unpaired: [] });
      expect(found.commitments.length).toBeGreaterThan(0);
      for (const { verdict, differences } of found.commitments) expect({ verdict, differences }).toEqual({ verdict: "same", differences: [] });
    }
  });

  test("a change's stage: the stage in the files, the HTLC in the commitment that it reaches", async () => {
    const p = await withHtlc();
    await offered(p, "alice", "0.002btc");
    const before = stateOf(p.alice);
    const [change] = before.changes.local;
    const after: FundedChannel = { ...before, changes: { ...before.changes, local: [{ ...change!, stage: "acked" }] } };
    const found = await diff(fileOf(before), fileOf(after), { owner: "local" });
    expect(found.fields).toContainEqual({ path: "changes.local[0].stage", a: "proposed", b: "acked" });
    // There is a next one in one of them alone
    expect(found.unpaired).toEqual([{ owner: "local", commitment_number: 2, only: "b" }]);
    await offered(p, "alice", "0.003btc");
    const [first, second] = stateOf(p.alice).changes.local;
    const withStages = (stage: "proposed" | "acked"): FundedChannel => {
      const state = stateOf(p.alice);
      return {
        ...state,
        changes: {
          ...state.changes,
          local: [
            { ...first!, stage: "acked" },
            { ...second!, stage },
          ],
        },
      };
    };
    const staged = await diff(fileOf(withStages("proposed")), fileOf(withStages("acked")), { owner: "local" });
    expect(explanationsOf(staged)).toEqual([[["htlcs[local 2]"]]]);
    expect(staged.fields).toEqual([{ path: "changes.local[1].stage", a: "proposed", b: "acked" }]);
  });

  test("the amount of the funding output: the same bytes, of which a signature covers something else", async () => {
    const { state } = scene(1);
    const [funding] = state.fundings;
    const found = await diff(fileOf(state), fileOf({ ...state, fundings: [{ ...funding, amount: sat(funding.amount + 1n) }] }));
    for (const { verdict, explanations } of found.commitments)
      expect({ verdict, explanations }).toEqual({ verdict: "covers", explanations: [["funding.amount"]] });
  });
});

describe("two parties' views", () => {
  test("of a channel at rest are equal, in all formats", async () => {
    for (const channelType of ["static_remotekey", "anchors"]) {
      const p = await withHtlc({ ...ANCHORS, open: { ...ANCHORS.open, channelType } });
      expect(await diff(p.alice, p.bob)).toMatchObject({ kind: "views", equal: true, fields: [], unpaired: [] });
    }
  });

  test("in the middle of an update: what only one of them holds", async () => {
    const p = await afterStep(2);
    expect(await diff(p.alice, p.bob)).toMatchObject({
      kind: "views",
      equal: false,
      unpaired: [{ owner: "remote", commitment_number: 1, only: "a" }],
    });
    const done = await afterStep(20);
    expect((await diff(done.bob, done.alice)).equal).toBe(true);
  });

  test("of which one has another feerate, or another HTLC: seen from the first", async () => {
    const p = await withHtlc();
    editState(p.bob, (state) => withSpec(state, ({ feeratePerKw }) => ({ feeratePerKw: perKw(feeratePerKw + 100n) })));
    const report = await runCommand("diff", [p.alice, p.bob]);
    const found = report.document as unknown as Compared;
    expect(found.commitments.map(({ owner, explanations }) => [owner, explanations])).toEqual([
      ["local", []],
      ["remote", [["feerate_per_kw"]]],
    ]);
    const text = listing(report.document, await loadStyle({ NO_COLOR: "1" }, false));
    expect(text).toContain("feerate_per_kw 2500 → 2600 alone makes A's transaction B's, byte for byte");
    const other = await withHtlc();
    editState(other.bob, (state) => withSpec(state, (spec) => ({ htlcs: [], balances: plus(spec, "remote", 100_000_000n) })));
    expect(explanationsOf(await diff(other.alice, other.bob))).toEqual([[["htlcs[local 0]"]]]);
  });

  test("tell no secret, whatever differs", async () => {
    const [early, late] = [await afterStep(0), await afterStep(20)];
    const texts = await Promise.all(
      [
        [early.alice, late.alice],
        [late.bob, early.bob],
        [late.alice, late.bob],
      ].map(async ([a = "", b = ""]) => JSON.stringify((await runCommand("diff", [a, b])).document)),
    );
    expect(texts[0]).toContain("remote_secrets");
    for (const text of texts) {
      expectNoSecret(early, text);
      expectNoSecret(late, text);
    }
    const p = await withHtlc();
    const knowing = fileOf({ ...stateOf(p.bob), knownPreimages: [bytes32(Buffer.from(PREIMAGE, "hex"))] });
    const told = JSON.stringify((await runCommand("diff", [p.bob, knowing])).document);
    expect(told).toContain("known_preimages");
    expect(told).not.toContain(PREIMAGE);
  });
});

describe("transactions", () => {
  test("of two feerates: where they part, and what that does not tell", async () => {
    const p = await withHtlc();
    const dir = tempDir();
    const build = async (name: string): Promise<string> => {
      const path = join(dir, `${name}.json`);
      writeFileSync(path, JSON.stringify((await runCommand("build-commitment", [p.alice], { owner: "local" })).document));
      return path;
    };
    const ours = await build("ours");
    editState(p.alice, (state) => withSpec(state, () => ({ feeratePerKw: perKw(2600n) })));
    const theirs = await build("theirs");
    const found = await diff(ours, theirs);
    expect(found).toMatchObject({ kind: "transactions", equal: false });
    expect(found.transaction.map(({ field }) => field)).toEqual([expect.stringMatching(/^outputs\[\d\] amount_sat$/), "outputs_sat"]);
    expect(found.not_told.join()).toContain("diagnose");
    expect((await diff(ours, ours)).equal).toBe(true);
    const beside = await diff(p.alice, ours);
    expect(beside).toMatchObject({ kind: "state-and-transaction", equal: false, transaction: [{ field: "to_local amount" }] });
    expect((await diff(theirs, p.alice)).equal).toBe(true);
  });

  test("of two numbers: that they differ shows, which they are does not", async () => {
    const p = await withHtlc();
    const dir = tempDir();
    const first = join(dir, "first.json");
    writeFileSync(first, JSON.stringify((await runCommand("build-commitment", [p.alice], { owner: "local" })).document));
    await offered(p, "alice", "0.002btc");
    await round(p, "alice");
    const second = join(dir, "second.json");
    writeFileSync(second, JSON.stringify((await runCommand("build-commitment", [p.alice], { owner: "local" })).document));
    const found = await diff(first, second);
    expect(found.transaction.map(({ field }) => field)).toContain("obscured_commitment_number");
    expect(found.not_told[0]).toContain("payment basepoints");
  });
});

test("what is no two of a kind is refused", async () => {
  const p = await parties();
  await expect(runCommand("diff", [p.alice])).rejects.toMatchObject({ code: "usage-argument" });
  await expect(runCommand("diff", ["-", "-"])).rejects.toMatchObject({ code: "usage-stdin-twice" });
  await expect(runCommand("diff", [p.alice, p.dir])).rejects.toMatchObject({ code: "usage-party" });
  await expect(runCommand("diff", [p.alice, p.wire])).rejects.toMatchObject({ code: "usage-party" });
  await expect(runCommand("diff", [p.alice, join(p.dir, "nobody")])).rejects.toMatchObject({ code: "file-folder-missing" });
  const error = await refusal(() => runCommand("diff", [p.alice, p.bob], { number: "7" }));
  expect(error.code).toBe("state-commitment-not-held");
});
