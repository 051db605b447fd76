import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { BIN, tempDir } from "../support/cli.js";
import { round } from "../support/htlcs.js";
import { ANCHORS, type FlagTexts, type Parties, backupOf, editState, parties, refusal, runCommand, send } from "../support/party.js";
import { WALLET_LOCK } from "../support/wallet.js";
import { type BitcoindNode, startBitcoind } from "./bitcoind.js";
import { bitcoindProgram } from "./build-stand-in.js";
import { fundingFrom } from "./funding.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

let node: BitcoindNode;
beforeAll(async () => {
  node = await startBitcoind(await bitcoindProgram(), WALLET_LOCK.scriptPubkey);
  await node.advance(450);
});
afterAll(() => node.stop());

interface Event {
  readonly event: string;
  readonly [key: string]: unknown;
}

const named = (events: readonly Event[], name: string): readonly Event[] => events.filter(({ event }) => event === name);

/** Lets `party` watch the node's chain; `pauses` are what happens whenever there is nothing new, and after the last of them it ends. */
async function watch(party: string, flags: FlagTexts, pauses: readonly (() => Promise<unknown>)[] = []): Promise<readonly Event[]> {
  const events: Event[] = [];
  const left = [...pauses];
  const over = new Error("over");
  const options = {
    writeStdout: (text: string) => events.push(JSON.parse(text) as Event),
    pause: async () => {
      const next = left.shift();
      if (next === undefined) throw over;
      await next();
    },
  };
  const there = { to: TO, feerate: "2500", rpc: node.url, rpcAuth: node.cookie, ...(pauses.length === 0 ? { once: true as const } : {}) };
  try {
    await runCommand("watch", [party], { ...there, ...flags }, options);
  } catch (error) {
    if (error !== over) throw error;
  }
  expect(left).toEqual([]);
  return events;
}

/** A funded channel in which Alice holds a revoked commitment: both, her copy, and the block of the funding. */
async function cheated(block: number): Promise<{ readonly p: Parties; readonly cheat: string; readonly funded: number }> {
  const tx = await fundingFrom(await node.rewardOf(block), "anchors", [10_000_000n]);
  expect((await node.mine([tx.toHex()])).kind).toBe("mined");
  const funded = await node.height();
  const p = await parties({ ...ANCHORS, outpoint: `${tx.getId()}:0` });
  await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.01btc"])]);
  const copy = backupOf(p.alice);
  await round(p, "alice");
  const { document } = await runCommand("force-close", [copy]);
  return { p, cheat: document["tx"] as string, funded };
}

async function answersTaken(p: Parties, answers: readonly Event[]): Promise<readonly unknown[]> {
  const fates = [];
  for (const answer of answers) {
    const { document } = await runCommand("broadcast", [p.bob, "-"], { rpc: node.url, rpcAuth: node.cookie }, { stdin: answer });
    fates.push((document["transactions"] as { readonly in: string }[])[0]?.in);
  }
  return fates;
}

test("a node's chain is followed from a height on: the cheat is found, and the node takes the answers", async () => {
  const { p, cheat, funded } = await cheated(1);
  await node.mine([cheat]);
  const height = await node.height();
  await node.advance(2);
  const events = await watch(p.bob, { from: String(funded) });
  expect(events[0]).toMatchObject({ event: "watching", parties: 1 });
  expect(named(events, "commitment")).toMatchObject([{ commitment: "revoked", commitment_number: 0, height }]);
  expect(events.at(-1)).toMatchObject({ event: "end", height: height + 2, blocks: height + 3 - funded, interrupted: false });
  const answers = named(events, "answer");
  expect(answers.length).toBeGreaterThan(0);
  expect(await answersTaken(p, answers)).toEqual(answers.map(() => "mempool"));
  // From the first block of all on, whose coinbase does not tell its height, the same is found
  const all = await watch(p.bob, { from: "0" });
  expect(named(all, "answer").map((answer) => answer["tx"])).toEqual(answers.map((answer) => answer["tx"]));
  expect(all.at(-1)).toMatchObject({ blocks: height + 3 });
  // What is behind the newest block is not looked at unless it is asked for
  expect((await watch(p.bob, {})).map(({ event }) => event)).toEqual(["watching", "end"]);
});

test("blocks that come are taken as they come, and those that are taken back with the ones in their place", async () => {
  const { p, cheat } = await cheated(2);
  const tip = await node.height();
  const events = await watch(p.bob, {}, [
    () => node.advance(1),
    () => node.mine([cheat]),
    async () => {
      // Both blocks go, and three others come, of which the second has the transaction
      await node.takeBack(tip + 1);
      await node.advance(1);
      await node.mine([cheat]);
      await node.advance(1);
    },
    // And a chain that is shorter
    () => node.takeBack(tip + 3),
    () => node.advance(1),
  ]);
  expect(named(events, "disconnected")).toEqual([
    { event: "disconnected", height: tip + 1 },
    { event: "disconnected", height: tip + 3 },
  ]);
  expect(named(events, "commitment")).toMatchObject([{ height: tip + 2 }]);
  expect(named(events, "confirmed")).toMatchObject([{ height: tip + 2 }]);
  expect(named(events, "gap")).toEqual([]);
  expect(named(events, "failed")).toEqual([]);
});

test("with --state it goes on after the last block, also where that one was taken back or is unknown", async () => {
  const { p, cheat } = await cheated(3);
  const state = join(tempDir(), "watch.json");
  await node.mine([cheat]);
  const height = await node.height();
  expect(named(await watch(p.bob, { state, from: String(height) }), "commitment")).toHaveLength(1);
  expect(JSON.parse(readFileSync(state, "utf8"))).toMatchObject({ tip: { height, hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string } });
  await node.advance(3);
  const on = await watch(p.bob, { state });
  expect(on.map(({ event }) => event)).toEqual(["watching", "end"]);
  expect(on.at(-1)).toMatchObject({ height: height + 3, blocks: 3 });
  await node.takeBack(height);
  await node.mine([cheat]);
  await node.advance(5);
  const back = await watch(p.bob, { state });
  expect(named(back, "disconnected")).toEqual([{ event: "disconnected", height }]);
  expect(named(back, "confirmed")).toMatchObject([{ height }]);
  expect(back.at(-1)).toMatchObject({ height: height + 5, blocks: 6 });
  // Of another chain's block it only knows that it must be far back
  const other = join(tempDir(), "watch.json");
  const { tip, ...rest } = JSON.parse(readFileSync(state, "utf8")) as { readonly tip: object };
  writeFileSync(other, JSON.stringify({ ...rest, tip: { ...tip, hash: "ab".repeat(32) } }));
  const far = await watch(p.bob, { state: other });
  expect(named(far, "disconnected")).toEqual([{ event: "disconnected", height: height + 5 - 99 }]);
  expect(far.at(-1)).toMatchObject({ height: height + 5, blocks: 100 });
});

test("a node that goes away is told once and asked again; with --once it is the end", async () => {
  const { p } = await cheated(4);
  const other = await startBitcoind(await bitcoindProgram(), WALLET_LOCK.scriptPubkey);
  await other.advance(1);
  // Its cookie goes with it
  const auth = join(tempDir(), "auth");
  writeFileSync(auth, readFileSync(other.cookie));
  const flags = { rpc: other.url, rpcAuth: auth };
  const events = await watch(p.bob, flags, [() => other.stop(), () => Promise.resolve(), () => Promise.resolve()]);
  expect(named(events, "node")).toMatchObject([{ reached: false, error: { code: "busy-node-unreachable" } }]);
  expect((await refusal(() => watch(p.bob, flags))).code).toBe("busy-node-unreachable");
});

test("the parties tell the chain: the node must be on it, and they on one", async () => {
  const { p } = await cheated(5);
  const early = await parties(undefined, "proposed");
  expect((await refusal(() => watch(early.alice, {}))).code).toBe("usage-party");
  editState(p.alice, (channel) => ({ ...channel, chain: "signet" }));
  expect((await refusal(() => watch(p.dir, {}))).code).toBe("usage-party");
  expect((await refusal(() => watch(p.alice, {}))).code).toBe("state-node-chain");
  for (const [option, value] of [
    ["from", "1"],
    ["once", true],
    ["poll", "1"],
  ] as const) {
    const error = await refusal(() => runCommand("watch", [p.bob], { to: TO, feerate: "2500", [option]: value }));
    expect(error).toMatchObject({ code: "usage-argument", details: { option: `--${option}` } });
  }
});

test("a process follows the chain until it is interrupted, and says what it has", async () => {
  const { p, cheat } = await cheated(6);
  const cwd = tempDir();
  const options = [
    "--to",
    TO,
    "--feerate",
    "2500",
    "--rpc",
    node.url,
    "--rpc-auth",
    node.cookie,
    "--poll",
    "1",
    "--state",
    "watch.json",
    "-o",
    "out/",
  ];
  const child = spawn(process.execPath, [BIN, "watch", p.bob, ...options], { cwd, env: {} });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on("close", (_, by) => {
      resolve(by);
    });
  });
  while (!stdout.includes('"watching"') && child.exitCode === null) await sleep(20);
  await node.mine([cheat]);
  while (!stdout.includes('"answer"') && child.exitCode === null) await sleep(20);
  child.kill("SIGINT");
  expect({ by: await ended, stderr }).toEqual({ by: "SIGINT", stderr: "" });
  const events = stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Event);
  expect(events.at(-1)).toMatchObject({ event: "end", interrupted: true, height: await node.height() });
  expect(readdirSync(join(cwd, "out")).length).toBe(named(events, "answer").length);
  expect(JSON.parse(readFileSync(join(cwd, "watch.json"), "utf8"))).toMatchObject({ tip: { height: await node.height() } });
});
