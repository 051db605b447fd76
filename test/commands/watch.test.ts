import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test, vi } from "vitest";
import { displayTxid, txid } from "../../src/protocol/bytes.js";
import { FORMATS } from "../../src/protocol/tx/format.js";
import { interpret, timelocksAllow } from "../chain/interpreter.js";
import { tempDir } from "../support/cli.js";
import { LEGACY, SIMPLE, exchange, says, shut } from "../support/closing.js";
import { offered, round } from "../support/htlcs.js";
import {
  ANCHORS,
  type FlagTexts,
  type Parties,
  type Terms,
  afterStep,
  backupOf,
  editState,
  expectNoSecret,
  fingerprint,
  parties,
  partiesAs,
  refusal,
  runCommand,
  send,
  stateOf,
} from "../support/party.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
const BOBS_PREIMAGE = "11".repeat(32);
const BOBS_HASH = createHash("sha256").update(Buffer.from(BOBS_PREIMAGE, "hex")).digest("hex");

interface Event {
  readonly event: string;
  readonly [key: string]: unknown;
}

interface Watched {
  readonly events: readonly Event[];
  readonly verdict: string | undefined;
}

/** Lets `folders` watch these lines. */
async function watch(folders: readonly string[], lines: readonly unknown[], flags: FlagTexts = {}, output?: string): Promise<Watched> {
  let text = "";
  const stdin = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");
  const options = {
    stdin,
    writeStdout: (part: string) => {
      text += part;
    },
    ...(output === undefined ? {} : { output }),
  };
  const { verdict } = await runCommand("watch", folders, { to: TO, feerate: "1000", ...flags }, options);
  return {
    events: text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Event),
    verdict,
  };
}

const named = (events: readonly Event[], name: string): readonly Event[] => events.filter(({ event }) => event === name);
const kindsOf = (event: Event): readonly string[] => (event["takes"] as { kind: string }[]).map(({ kind }) => kind).sort();

type Blocks = Map<string, { readonly tx: Transaction; readonly height: number }>;

/** Looks at an answer as a node at `height` would in the next block: scripts of every input, and its timelocks. */
function expectMinable(p: Parties, hex: string, chain: Blocks, height: number): void {
  const { params, channelType, fundings } = stateOf(p.alice);
  const funding = FORMATS[channelType].funding(params.local.fundingPubkey, params.remote.fundingPubkey).scriptPubkey;
  const tx = Transaction.fromHex(hex);
  const parents = tx.ins.map(({ hash }) => chain.get(displayTxid(txid(hash))));
  const coins = tx.ins.map(({ index }, at) => {
    const output = parents[at]?.tx.outs[index];
    return output === undefined ? { amount: fundings[0].amount, scriptPubkey: funding } : { amount: output.value, scriptPubkey: output.script };
  });
  expect(interpret(hex, coins)).toEqual({ kind: "accepted" });
  const place = { height: height + 1, medianTimePast: 0 };
  expect(
    timelocksAllow(
      hex,
      parents.map((parent) => parent?.height ?? 1),
      place,
    ),
  ).toBe(true);
}

/** Two HTLCs, one each way, in both sides' newest commitments; Bob knows the preimage of Alice's, Alice that of Bob's. */
function htlcs(channelType: string): Promise<Parties> {
  return partiesAs(`HTLCs ${channelType}`, async ({ dir }) => {
    const p = await parties({ ...ANCHORS, open: { ...ANCHORS.open, channelType } });
    await offered(p, "alice");
    await offered(p, "bob", "0.002btc", { paymentHash: BOBS_HASH, cltvExpiry: "600" });
    await round(p, "alice");
    // Bob's own reaches Bob's commitment when Alice signs again
    await runCommand("receive", [p.bob, await send(p, "sign", [p.alice])]);
    await runCommand("receive", [p.alice, await send(p, "make-revocation", [p.bob])]);
    cpSync(p.dir, dir, { recursive: true });
  });
}

const knowing = (folder: string, ...preimages: readonly string[]): void => {
  editState(folder, (state) => ({ ...state, knownPreimages: preimages.map((hex) => Uint8Array.from(Buffer.from(hex, "hex")) as never) }));
};

/** Blocks from one height to another, these transactions in the first. */
const blocks = (from: number, to: number, first: readonly string[]): readonly object[] =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ height: from + at, txs: at === 0 ? first : [] }));

const TYPES = ["anchors", "static_remotekey", "legacy", "anchor_outputs"] as const;

describe.each(TYPES)("%s", (type) => {
  test("a revoked commitment: a penalty at once, another when the cheater's HTLC transaction is first, and our plain output", async () => {
    const p = await htlcs(type);
    const cheater = backupOf(p.alice);
    const cheat = (await runCommand("force-close", [cheater])).document;
    const timeout = (cheat["htlc_txs"] as { kind: string; tx: string }[]).find(({ kind }) => kind === "htlc_timeout")!.tx;
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.001btc"])]);
    await round(p, "alice");
    const before = fingerprint(p.dir);
    const out = `${tempDir()}/`;
    const chain: Blocks = new Map();
    const hex = cheat["tx"] as string;
    chain.set(cheat["txid"] as string, { tx: Transaction.fromHex(hex), height: 400 });
    chain.set(Transaction.fromHex(timeout).getId(), { tx: Transaction.fromHex(timeout), height: 501 });

    const { events, verdict } = await watch([p.bob], [...blocks(400, 500, [hex]), { height: 501, txs: [timeout] }], {}, out);
    expect(verdict).toBe("yes");
    expect(named(events, "commitment")).toMatchObject([{ commitment: "revoked", commitment_number: 1, txid: cheat["txid"], height: 400 }]);
    const [first, plain, second, ...rest] = named(events, "answer");
    expect(rest).toEqual([]);
    expect(kindsOf(first!)).toEqual(["penalty", "penalty", "penalty"]);
    expectMinable(p, first!["tx"] as string, chain, 400);
    expect(kindsOf(plain!)).toEqual(["to_remote"]);
    expectMinable(p, plain!["tx"] as string, chain, 400);
    expect(named(events, "spend")).toMatchObject([{ by: "htlc_tx", height: 501 }]);
    // The first is spoiled: what is left of it, and what the cheater has moved
    expect(kindsOf(second!)).toEqual(["penalty", "penalty", "penalty"]);
    expect((second!["takes"] as { txid: string }[]).map((take) => take.txid).sort()).toEqual(
      [cheat["txid"], cheat["txid"], Transaction.fromHex(timeout).getId()].sort(),
    );
    expectMinable(p, second!["tx"] as string, chain, 501);
    expect(readdirSync(out)).toHaveLength(3);
    for (const answer of [first!, plain!, second!]) {
      expect(JSON.parse(readFileSync(answer["file"] as string, "utf8"))).toMatchObject({ format: "chankit-answer", tx: answer["tx"] });
    }
    expect(fingerprint(p.dir)).toEqual(before);
    expectNoSecret({ ...p, alice: p.bob }, JSON.stringify(events));

    // Once our penalty is in a block, nothing is left to do; and the same lines give the same files
    const penalty = { height: 502, txs: [second!["tx"], plain!["tx"]] };
    const lines = [...blocks(400, 500, [hex]), { height: 501, txs: [timeout] }, penalty];
    const again = await watch([p.bob], lines, {}, out);
    expect(again.events.filter(({ event }) => event !== "spend" && event !== "end")).toEqual(
      events.filter(({ event }) => event !== "spend" && event !== "end"),
    );
    expect(named(again.events, "spend").slice(1)).toMatchObject([{ by: "answer" }, { by: "answer" }]);
    expect(readdirSync(out)).toHaveLength(3);
  });

  test("our own, force-closed: HTLC transactions when they are due, to_local and what those pay after the delay", async () => {
    const p = await htlcs(type);
    knowing(p.alice, BOBS_PREIMAGE);
    const close = (await runCommand("force-close", [p.alice])).document;
    const success = (close["htlc_txs"] as { kind: string; tx: string }[]).find(({ kind }) => kind === "htlc_success")!.tx;
    const chain: Blocks = new Map([
      [close["txid"] as string, { tx: Transaction.fromHex(close["tx"] as string), height: 400 }],
      [Transaction.fromHex(success).getId(), { tx: Transaction.fromHex(success), height: 405 }],
    ]);
    const lines = [...blocks(400, 404, [close["tx"] as string]), ...blocks(405, 560, [success])];
    const { events, verdict } = await watch([p.alice], lines);
    expect(verdict).toBe("yes");
    expect(named(events, "commitment")).toMatchObject([{ commitment: "own", commitment_number: 1, standing: "current" }]);
    const answers = named(events, "answer");
    expect(answers.map(({ kind }) => kind)).toEqual(["htlc_success", "htlc_timeout", "sweep", "sweep"]);
    expect(answers[0]!["tx"]).toBe(success);
    expect(answers.slice(2).map(kindsOf)).toEqual([["to_local"], ["htlc_tx_output"]]);
    // Each at the height before the first block that may hold it: the commitment at 400, the HTLC transaction at 405, the expiry 500
    const heights = [400, 500, 543, 548];
    for (const [at, answer] of answers.entries()) expectMinable(p, answer["tx"] as string, chain, heights[at]!);
    for (const [at, height] of heights.entries()) {
      const until = lines.filter((line) => (line as { height: number }).height < height);
      if (until.length > 0) expect(named((await watch([p.alice], until)).events, "answer"), String(height)).toHaveLength(at);
    }
  });

  test("the peer's: to_remote, the HTLC with its preimage, and ours after its expiry", async () => {
    const p = await htlcs(type);
    knowing(p.alice, BOBS_PREIMAGE);
    const close = (await runCommand("force-close", [p.bob])).document;
    const chain: Blocks = new Map([[close["txid"] as string, { tx: Transaction.fromHex(close["tx"] as string), height: 400 }]]);
    const { events, verdict } = await watch([p.alice], blocks(400, 500, [close["tx"] as string]));
    expect(verdict).toBe("yes");
    expect(named(events, "commitment")).toMatchObject([{ commitment: "theirs", commitment_number: 2 }]);
    const answers = named(events, "answer");
    expect(answers.map(kindsOf)).toEqual([["htlc", "to_remote"], ["htlc"]]);
    expectMinable(p, answers[0]!["tx"] as string, chain, 400);
    expectMinable(p, answers[1]!["tx"] as string, chain, 500);
    // A block sooner it is not there
    expect(named((await watch([p.alice], blocks(400, 499, [close["tx"] as string]))).events, "answer")).toHaveLength(1);
  });
});

/** A channel that both have signed away: the close, and the parties. */
async function mutuallyClosed(terms: Terms) {
  const p = await shut(terms);
  await exchange(p, "alice", { feerate: "2500" });
  await exchange(p, "bob");
  return { p, close: await says(p, "alice", { tx: true }) };
}

describe.each([
  ["simple", SIMPLE],
  ["legacy", LEGACY],
] as const)("a %s mutual close", (_, terms) => {
  test("watch says so of both parties' folders, and has nothing to answer", async () => {
    const { p, close } = await mutuallyClosed(terms);
    const { events, verdict } = await watch([p.alice, p.bob], [...blocks(400, 402, [close["tx"] as string])]);
    expect(verdict).toBe("yes");
    expect(events.map(({ event }) => event)).toEqual(["watching", "commitment", "commitment", "end"]);
    expect(named(events, "commitment")).toMatchObject(
      [p.alice, p.bob].map((party) => ({ party, commitment: "mutual", standing: "mutual", height: 400 })),
    );
  });

  test("check-tx takes it with the channel's names, and what it would be broadcast as is said", async () => {
    const { p, close } = await mutuallyClosed(terms);
    for (const party of [p.alice, p.bob]) {
      const check = await runCommand("check-tx", ["-"], { party }, { stdin: close });
      expect(check).toMatchObject({ verdict: "yes", document: { transactions: [{ accepted: true, inputs: [{ spends: "funding" }] }] } });
      const sent = await runCommand("broadcast", [party, "-"], { dryRun: true }, { stdin: close });
      expect(sent.document["transactions"]).toEqual([{ txid: close["txid"], what: "mutual_close", in: null }]);
    }
  });
});

describe("what is on the lines", () => {
  const cheated = async () => {
    const p = await afterStep(20);
    const cheat = (await runCommand("force-close", [backupOf((await afterStep(13)).alice, "old")])).document;
    return { p, cheat, hex: cheat["tx"] as string };
  };
  const raw = (txs: readonly string[], height: number): string => {
    const coinbase = new Transaction();
    coinbase.addInput(new Uint8Array(32), 0xffffffff, 0xffffffff, Uint8Array.of(2, height & 0xff, height >> 8));
    coinbase.addOutput(Uint8Array.of(0x51), 0n);
    return "00".repeat(80) + (txs.length + 1).toString(16).padStart(2, "0") + coinbase.toHex() + txs.join("");
  };

  test("transactions and blocks of every form find the same", async () => {
    const { p, cheat, hex } = await cheated();
    const answer = named((await watch([p.bob], [hex])).events, "answer")[0]!["tx"];
    for (const line of [cheat, { tx: hex, height: 400 }, { transactions: [{ tx: hex }] }])
      expect(named((await watch([p.bob], [line])).events, "answer")[0]!["tx"]).toBe(answer);
    for (const line of [{ height: 400, hash: "aa", txs: [hex] }, { height: 400, tx: [{ hex }] }, { block: raw([hex], 400) }, raw([hex], 400)]) {
      const { events } = await watch([p.bob], [line]);
      expect(named(events, "commitment")).toMatchObject([{ height: 400 }]);
      expect(named(events, "answer")[0]!["tx"]).toBe(answer);
      expect(named(events, "end")).toMatchObject([{ height: 400, blocks: 1 }]);
    }
  });

  test("a broken line is told with its number, and the others are read; or it is the end", async () => {
    const { p, hex } = await cheated();
    const broken = [
      "{",
      "zz",
      "00",
      "[]",
      "{}",
      '{"height": -1, "txs": []}',
      '{"height": 7, "txs": [1]}',
      '{"tx": 1}',
      '{"disconnected": "x"}',
      `${hex}00`,
    ];
    const { events, verdict } = await watch([p.bob], [...broken, hex]);
    expect(verdict).toBe("no");
    expect(named(events, "failed").map(({ line }) => line)).toEqual(broken.map((_, at) => at + 1));
    const codes = named(events, "failed").map(({ error }) => (error as { code: string }).code);
    const expected = [
      "json-syntax",
      "input-hex",
      "tx-not-parsed",
      "input-hex",
      "json-missing",
      "json-value",
      "json-value",
      "json-value",
      "json-value",
      "tx-not-parsed",
    ];
    expect(codes).toEqual(expected);
    expect(named(events, "answer")).toHaveLength(1);
    const stopped = await watch([p.bob], [...broken, hex], { stopOnError: true });
    expect(stopped.verdict).toBe("no");
    expect(stopped.events.map(({ event }) => event)).toEqual(["watching", "failed", "end"]);
  });

  test("both parties' folders, the folder that holds them, and those that hold no channel", async () => {
    const { p, hex } = await cheated();
    const { events } = await watch([p.dir], [hex]);
    expect(events[0]).toEqual({ event: "watching", parties: 2, unfunded: 0, failed: 0 });
    expect(named(events, "commitment").map(({ party, commitment }) => [basename(party as string), commitment])).toEqual([
      ["alice", "own"],
      ["bob", "revoked"],
    ]);
    const early = await parties(undefined, "proposed");
    expect((await watch([early.alice], [hex])).events[0]).toMatchObject({ parties: 0, unfunded: 1 });
    expect((await refusal(() => watch([join(p.dir, "none")], []))).code).toBe("file-folder-missing");
    expect((await refusal(() => watch([join(p.bob, "keys.json")], []))).code).toBe("file-not-folder");
    expect((await refusal(() => watch([], []))).code).toBe("usage-party");
    expect((await refusal(() => watch([p.bob], [], {}, join(p.dir, "x.json")))).code).toBe("usage-argument");
  });

  test("test cases and damaged folders are told, and the others watched", async () => {
    const { p, hex } = await cheated();
    editState(p.alice, (state) => ({ ...state, purpose: "vector" }));
    const torn = backupOf(p.bob, "torn");
    writeFileSync(join(torn, "channel.json"), readFileSync(join(torn, "channel.json"), "utf8").slice(0, 100));
    const { events, verdict } = await watch([p.dir], [hex]);
    expect(verdict).toBe("no");
    expect(named(events, "failed").map(({ party, error }) => [basename(party as string), (error as { code: string }).code])).toEqual([
      ["alice", "policy-vector-channel"],
      ["torn", "json-syntax"],
    ]);
    expect(named(events, "answer")).toHaveLength(1);
  });

  test("what keeps a party from an answer is told once", async () => {
    const { p, hex } = await cheated();
    writeFileSync(join(p.bob, "keys.json"), readFileSync(join(p.alice, "keys.json")));
    const { events, verdict } = await watch([p.bob], [...blocks(400, 402, [hex])]);
    expect(verdict).toBe("no");
    expect(named(events, "refused")).toMatchObject([{ error: { code: "key-mismatch" } }]);
    expect((await watch([(await afterStep(20)).bob], [hex], { to: "nowhere" })).events).toMatchObject([
      { event: "watching" },
      { event: "commitment" },
      { event: "refused", error: { code: "input-address" } },
      { event: "end" },
    ]);
  });

  test("nothing is answered twice differently", async () => {
    const { p, hex } = await cheated();
    const out = `${tempDir()}/`;
    await watch([p.bob], [hex], {}, out);
    const before = fingerprint(out);
    const { events, verdict } = await watch([p.bob], [hex, hex], { feerate: "2000" }, out);
    expect(verdict).toBe("no");
    expect(named(events, "refused")).toMatchObject([{ error: { code: "output-exists" } }]);
    expect(named(events, "answer")).toEqual([]);
    expect(fingerprint(out)).toEqual(before);
  });

  test("with --state a run goes on where the one before ended, wherever it was cut", async () => {
    const p = await htlcs("anchors");
    knowing(p.alice, BOBS_PREIMAGE);
    const close = (await runCommand("force-close", [p.alice])).document;
    const success = (close["htlc_txs"] as { kind: string; tx: string }[]).find(({ kind }) => kind === "htlc_success")!.tx;
    const lines = [...blocks(400, 404, [close["tx"] as string]), ...blocks(405, 560, [success])];
    const whole = await watch([p.alice], lines);
    for (const cut of [1, 3, 6, 100, 145]) {
      const state = join(tempDir(), "watch.json");
      const first = await watch([p.alice], lines.slice(0, cut), { state });
      const second = await watch([p.alice], lines.slice(cut), { state });
      const rest = [...first.events, ...second.events].filter(({ event }) => event !== "watching" && event !== "end");
      expect(rest, String(cut)).toEqual(whole.events.filter(({ event }) => event !== "watching" && event !== "end"));
      expectNoSecret({ ...p, bob: p.alice }, readFileSync(state, "utf8"));
    }
    const state = join(tempDir(), "watch.json");
    writeFileSync(state, "{}");
    expect((await refusal(() => watch([p.alice], [], { state }))).code).toBe("json-missing");
    expect((await refusal(() => watch([p.alice], [], { state: join(p.alice, "channel.json") }))).code).toBe("output-over-party-file");
    expect(existsSync(join(p.alice, "channel.json"))).toBe(true);
  });

  test("a reorganisation takes confirmations back, told or seen by a second block of one height", async () => {
    const p = await htlcs("anchors");
    const close = (await runCommand("force-close", [p.bob])).document;
    const hex = close["tx"] as string;
    const block = (height: number, hash: string, txs: readonly string[] = []) => ({ height, hash, txs });
    for (const lines of [
      [block(400, "a", [hex]), { disconnected: 400 }, block(400, "b"), block(401, "c", [hex])],
      [block(400, "a", [hex]), block(400, "b"), block(401, "c", [hex])],
    ]) {
      const { events } = await watch([p.alice], lines);
      expect(named(events, "disconnected")).toEqual([{ event: "disconnected", height: 400 }]);
      expect(named(events, "confirmed")).toMatchObject([{ height: 401 }]);
      expect(named(events, "commitment")).toHaveLength(1);
    }
    const { events } = await watch([p.alice], [block(400, "a"), block(400, "a"), block(403, "d")]);
    expect(named(events, "disconnected")).toEqual([]);
    expect(named(events, "gap")).toEqual([{ event: "gap", from: 401, to: 402 }]);
  });

  test("a mempool's transaction is answered before it is in a block, the cheater's second stage too", async () => {
    const p = await htlcs("anchors");
    const cheat = (await runCommand("force-close", [backupOf(p.alice)])).document;
    const timeout = (cheat["htlc_txs"] as { kind: string; tx: string }[]).find(({ kind }) => kind === "htlc_timeout")!.tx;
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.001btc"])]);
    await round(p, "alice");
    const { events } = await watch([p.bob], [cheat["tx"], timeout]);
    const answers = named(events, "answer");
    // The first stays good as long as the second stage is in no block
    expect(answers.map((answer) => (answer["takes"] as object[]).length)).toEqual([3, 1]);
    const confirmed = await watch([p.bob], [cheat["tx"], timeout, { height: 501, txs: [cheat["tx"], timeout] }]);
    expect(named(confirmed.events, "answer").map((answer) => (answer["takes"] as object[]).length)).toEqual([3, 1, 2, 1]);
  });
});
