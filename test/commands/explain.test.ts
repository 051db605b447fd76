import { cpSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readChannel } from "../../src/json/channel-file.js";
import { explainStateFile } from "../../src/json/explain-file.js";
import type { Report } from "../../src/commands/shared/command.js";
import { loadStyle } from "../../src/commands/shared/render.js";
import { requireFunded } from "../../src/protocol/channel/state.js";
import { expectWhole } from "../support/explained.js";
import { LEGACY, PAID, exchange, offered as closingOffer } from "../support/closing.js";
import { offered, round, withHtlc } from "../support/htlcs.js";
import {
  type FlagTexts,
  type Parties,
  afterStep,
  backupOf,
  expectNoSecret,
  partiesAs,
  readJson,
  refusal,
  runCommand,
  secretsOf,
  stateOf,
} from "../support/party.js";

interface Range {
  readonly from: number;
  readonly to: number;
  readonly path: string;
  readonly label: string;
  readonly hex: string;
  readonly value: string;
  readonly meaning: string;
}
interface Listed {
  readonly bytes: number;
  readonly ranges: readonly Range[];
}
interface Explained extends Listed {
  readonly scripts?: readonly (Listed & { readonly of: string; readonly script: string })[];
  readonly sums?: readonly {
    readonly title: string;
    readonly lines: readonly { readonly kind: string; readonly what: string; readonly msat?: number }[];
  }[];
  readonly commitment_number?: { readonly number: number | null; readonly obscured: string; readonly obscuring_factor: string | null };
}

async function explain(
  file: string,
  flags: FlagTexts = {},
  stdin?: string,
): Promise<{ explained: Explained; what: Record<string, unknown>; report: Report }> {
  const report = await runCommand("inspect", [file], { explain: true, ...flags }, stdin === undefined ? {} : { stdin });
  const document = JSON.parse(JSON.stringify(report.document)) as { explain: Explained; what: Record<string, unknown> };
  return { explained: document.explain, what: document.what, report };
}

/** Side by side from the first byte to the last, as JSON has it. */
function expectCovered({ bytes, ranges }: Listed): void {
  expect(ranges.map(({ from }) => from)).toEqual([0, ...ranges.map(({ to }) => to).slice(0, -1)]);
  expect(ranges.at(-1)?.to).toBe(bytes);
}

const joined = ({ ranges }: Listed): string => ranges.map(({ hex }) => hex).join("");

async function listing({ rendered }: Report, env: Readonly<Record<string, string>>): Promise<string> {
  if (typeof rendered !== "function") throw new Error("no listing");
  return rendered(await loadStyle(env, false));
}

/** HTLCs of both sides, one of them trimmed, and millisatoshis. */
function busyChannel(): Promise<Parties> {
  return partiesAs("a busy channel", async ({ dir }) => {
    const p = await withHtlc();
    await offered(p, "bob", "200000123msat", { cltvExpiry: "600" });
    await offered(p, "bob", "300sat", { cltvExpiry: "601" });
    await round(p, "bob");
    cpSync(p.dir, dir, { recursive: true });
  });
}

test("a commitment by its channel: every byte, every script, every sum, its number", async () => {
  const p = await busyChannel();
  const built = (await runCommand("build-commitment", [p.alice], { owner: "local" })).document as {
    unsigned_tx: string;
    commitment_number: number;
    outputs: { witness_script?: string }[];
    actual_fee_sat: number;
  };
  for (const party of [p.alice, p.bob]) {
    const { explained, what } = await explain("-", { party }, built.unsigned_tx);
    expectCovered(explained);
    expect(joined(explained)).toBe(built.unsigned_tx);
    expect(what).toMatchObject({ relation: "commitment", commitment_number: built.commitment_number });
    expect(explained.commitment_number).toMatchObject({ number: built.commitment_number });
    const { obscured, obscuring_factor } = explained.commitment_number!;
    expect(Number(BigInt(`0x${obscured}`) ^ BigInt(`0x${obscuring_factor!}`))).toBe(built.commitment_number);
    // The funding script and one behind each output
    expect(explained.scripts!.map(({ script }) => script).slice(1)).toEqual(built.outputs.map(({ witness_script }) => witness_script));
    for (const script of explained.scripts!) {
      expectCovered(script);
      expect(joined(script)).toBe(script.script);
    }
    const fees = explained.sums!.slice(-2).map(({ lines }) => lines.at(-1));
    expect(fees).toEqual([1, 2].map(() => ({ kind: "result", what: "fee", msat: built.actual_fee_sat * 1000 })));
    const parts = explained.sums!.at(-1)!.lines.map(({ what: words }) => words);
    expect(parts.some((words) => words.includes("trimmed"))).toBe(true);
    expect(parts).toContain("millisatoshis that no output can hold");
    expectNoSecret(p, JSON.stringify(explained));
  }
});

test("a revoked commitment: its HTLCs by the revoked file", async () => {
  const p = await withHtlc();
  const cheat = join(p.dir, "cheat.json");
  writeFileSync(cheat, JSON.stringify((await runCommand("force-close", [backupOf(p.alice)])).document));
  await offered(p, "alice", "200000123msat");
  await round(p, "alice");
  const { document } = await runCommand("inspect", [cheat], { party: p.bob, explain: true });
  const { what, explain } = document as unknown as {
    readonly what: object;
    readonly explain: { readonly sums: readonly { readonly title: string; readonly lines: readonly object[] }[] };
  };
  expect(what).toMatchObject({ revoked: true });
  const [htlc] = explain.sums.filter(({ title }) => title.includes("htlc"));
  expect(htlc?.lines[0]).toMatchObject({
    kind: "term",
    what: expect.stringContaining("HTLC 0, offered by the peer (remote)") as string,
    msat: 100_000_000,
  });
  expect(htlc?.lines.at(-1)).toMatchObject({ kind: "result", msat: 100_000_000 });
});

test("the listing: a hundred columns, the same words in colour and without, all bytes on it", async () => {
  const p = await busyChannel();
  const closed = (await runCommand("force-close", [p.alice])).document as { tx: string };
  const { report } = await explain("-", { party: p.bob }, closed.tx);
  const plain = await listing(report, { NO_COLOR: "1" });
  const coloured = await listing(report, { FORCE_COLOR: "1" });
  // eslint-disable-next-line no-control-regex
  expect(coloured.replace(/\u001b\[[0-9;]*m/g, "")).toBe(plain);
  expect(coloured).not.toBe(plain);
  expect(plain.split("\n").filter((line) => line.length > 100)).toEqual([]);
  const bytes = plain.slice(0, plain.indexOf("the script behind")).match(/^ {0,5}\d* {2}((?:[0-9a-f]{2})+)(?= |$)/gm) ?? [];
  const more = plain.slice(0, plain.indexOf("the script behind")).match(/^ {7}((?:[0-9a-f]{2})+)(?= |$)/gm) ?? [];
  expect([...bytes, ...more].map((line) => line.replace(/^ *\d* {2}/, "").trim()).join("").length).toBeGreaterThanOrEqual(closed.tx.length);
  for (const words of ["the commitment number", "the amounts", "who can spend what", "good for its key", "▸ revocation"])
    expect(plain).toContain(words);
});

test("from bare hex: as far as the bytes tell, and no further", async () => {
  const p = await busyChannel();
  const closed = (await runCommand("force-close", [p.alice])).document as { tx: string };
  const { explained, report } = await explain("-", {}, closed.tx);
  expectCovered(explained);
  expect(explained.commitment_number).toMatchObject({ number: null, obscuring_factor: null });
  const told = await listing(report, {});
  for (const words of ["what these bytes do not tell", "the fee is not told", "?????? ??????", "not checked: it covers the spent amount"])
    expect(told).toContain(words);
});

test("each HTLC transaction, a penalty and a PSBT", async () => {
  const p = await busyChannel();
  const psbt = (await runCommand("force-close", [p.alice], { psbt: true })).document as { psbt: string };
  const { explained: partial, what } = await explain("-", {}, psbt.psbt);
  expect(what["kind"]).toBe("psbt");
  expectCovered(partial);
  expect(joined(partial)).toBe(Buffer.from(psbt.psbt, "base64").toString("hex"));
  const closed = (await runCommand("force-close", [p.alice])).document as { outputs: { kind: string; index: number }[] };
  const offeredAt = closed.outputs.findIndex(({ kind }) => kind === "offered_htlc");
  const htlc = (await runCommand("htlc-tx", [p.alice], { outputIndex: String(offeredAt), height: "500" })).document as { tx: string };
  const { explained } = await explain("-", { party: p.alice }, htlc.tx);
  expectCovered(explained);
  expect(explained.sums![0]).toMatchObject({
    title: "output 0: what the HTLC leaves",
    lines: [{ what: `output ${offeredAt} of the commitment: offered_htlc` }, { msat: 0 }, { kind: "result" }],
  });
});

test("every message of a run; a secret is told by its point alone", async () => {
  const p = await afterStep(20);
  const files = readdirSync(p.wire);
  expect(files.length).toBe(11);
  for (const name of files) {
    const { explained, what, report } = await explain(join(p.wire, name));
    expectCovered(explained);
    expect(what["kind"]).toBe("message");
    const told = `${JSON.stringify(report.document)} ${await listing(report, {})}`;
    expectNoSecret(p, told);
    if (!name.includes("revoke_and_ack")) continue;
    const point = name.includes("alice") ? stateOf(p.bob) : stateOf(p.alice);
    expect(explained.ranges.find(({ label }) => label === "per_commitment_secret")).toMatchObject({ hex: "[secret]", value: "[secret]" });
    expect(told).toMatch(/its point is 0[23][0-9a-f]{64}/);
    expect(point.remoteSecrets.some((slot) => slot !== null)).toBe(true);
  }
  const { explained: bare } = await explain("-", {}, String(readJson(join(p.wire, files[0]!))["wire"]));
  expect(bare).toEqual((await explain(join(p.wire, files[0]!))).explained);
});

test("every value of a party's files has words, and their secrets stay theirs", async () => {
  const busy = await busyChannel();
  const closing = await partiesAs("closing", async ({ dir }) => {
    const p = await afterStep(20);
    await exchange(p, "alice", PAID.alice);
    await exchange(p, "bob", PAID.bob);
    await exchange(p, "alice", { fee: "300sat" });
    await exchange(p, "bob");
    cpSync(p.dir, dir, { recursive: true });
  });
  const negotiating = await closingOffer(LEGACY, { fee: "300sat" });
  const folders = [...[busy, closing, negotiating].flatMap((p) => [p.alice, p.bob]), "fixtures/channel-v1"];
  let revoked = 0;
  for (const folder of folders) {
    for (const name of readdirSync(folder).filter((file) => file.endsWith("json") && file !== "keys.json")) {
      const path = join(folder, name);
      const { explained, what, report } = await explain(path);
      expectCovered(explained);
      expect(what["kind"]).toBe("state");
      expect(
        explained.ranges.filter(({ meaning }) => meaning.includes("does not know")),
        path,
      ).toEqual([]);
      const told = `${JSON.stringify(report.document)} ${await listing(report, {})}`;
      for (const p of [busy, closing, negotiating]) expectNoSecret(p, told);
      if (name === "revoked.ndjson") revoked += 1;
    }
  }
  expect(revoked).toBeGreaterThan(0);
  // What the peer has given away is not shown either
  const given = requireFunded(readChannel(readJson(join(closing.alice, "channel.json")), "")).remoteSecrets.flatMap((slot) =>
    slot === null ? [] : [slot.secret],
  );
  const told = JSON.stringify((await explain(join(closing.alice, "channel.json"))).report.document);
  expect(given.map((secret) => Buffer.from(secret.reveal()).toString("hex")).filter((hex) => told.includes(hex))).toEqual([]);
  expect(given.length).toBeGreaterThan(0);
});

test("a test case's channel, and any layout of the same file", () => {
  const text = readFileSync("fixtures/channel-v1/channel.json", "utf8");
  const document = JSON.parse(text) as Record<string, unknown>;
  for (const [name, other] of [
    ["one line", JSON.stringify(document)],
    ["tabs", JSON.stringify(document, null, "\t")],
    ["another alphabet", JSON.stringify({ ...document, party: "Зоя 🙂" }, null, 2)],
    ["empty objects", JSON.stringify({ ...document, extra: {}, known_preimages: ["11".repeat(32)] })],
  ] as const) {
    const explained = explainStateFile(other, name);
    expectWhole(explained, name);
    expect(JSON.stringify(explained.ranges)).not.toContain("11".repeat(32));
  }
});

test("keys are never explained, and what nothing is, is refused", async () => {
  const p = await afterStep(0);
  const error = await refusal(() => explain(join(p.alice, "keys.json")));
  expect(error.code).toBe("tx-not-parsed");
  for (const secret of secretsOf(p.alice)) expect(error.message).not.toContain(secret);
  expect((await refusal(() => explain("-", { as: "state" }, readFileSync(join(p.alice, "keys.json"), "utf8")))).code).toBe("tx-not-parsed");
  expect((await refusal(() => explain("-", {}, "0102"))).code).toBe("tx-not-parsed");
  expect((await refusal(() => explain("-", { as: "psbt" }, "%%"))).code).toBe("input-psbt");
  expect((await refusal(() => runCommand("inspect", ["-"], { as: "script" }, { stdin: "51" }))).code).toBe("usage-argument");
});

test("a script by its form, and any bytes where they are said to be one", async () => {
  const toLocal =
    "63210212a140cd0c6539d07cd08dfe09984dec3251ea808b892efeac3ede9402bf2b1967029000b2752103fd5960528dc152014952efdb702a88f71e3c1653b2314431701ec77e57fde83c68ac";
  const { explained, what } = await explain("-", {}, toLocal);
  expect(what).toEqual({ kind: "script", form: "the to_local script" });
  expect(explained.ranges.map(({ label }) => label).filter((label) => !label.startsWith("OP_"))).toEqual([
    "revocationpubkey",
    "to_self_delay",
    "local_delayedpubkey",
  ]);
  const { explained: odd } = await explain("-", { as: "script" }, "514c0501");
  expect(odd.ranges.map(({ label }) => label)).toEqual(["OP_1", "incomplete push"]);
});
