import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "../../src/protocol/bytes.js";
import { runCli, tempDir } from "../support/cli.js";
import { ANCHORS, type FlagTexts, type Parties, parties, refusal, runCommand } from "../support/party.js";
import { WALLET_LOCK } from "../support/wallet.js";
import { type BitcoindNode, startBitcoind } from "./bitcoind.js";
import { bitcoindProgram } from "./build-stand-in.js";
import { fundingFrom } from "./funding.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const HOME = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

let node: BitcoindNode;
let p: Parties;
let close: string;
let tx: string;
beforeAll(async () => {
  node = await startBitcoind(await bitcoindProgram(), WALLET_LOCK.scriptPubkey);
  await node.advance(450);
  const funding = await fundingFrom(await node.rewardOf(1), "anchors", [10_000_000n]);
  expect((await node.mine([funding.toHex()])).kind).toBe("mined");
  p = await parties({ ...ANCHORS, outpoint: `${funding.getId()}:0` });
  const { document } = await runCommand("force-close", [p.alice]);
  tx = document["tx"] as string;
  close = join(tempDir(), "close.json");
  writeFileSync(close, JSON.stringify(document));
});
afterAll(() => node.stop());

async function check(file: string, flags: FlagTexts = {}) {
  const { document, verdict } = await runCommand("check-tx", [file], { party: p.alice, rpc: node.url, rpcAuth: node.cookie, ...flags });
  return {
    ...(document as { readonly accepted: boolean; readonly transactions: readonly { readonly accepted: boolean; readonly node?: object }[] }),
    verdict,
  };
}

test("a node is asked, which sends nothing; what it has taken it accepts", async () => {
  const taken = { verdict: "yes", accepted: true, transactions: [{ accepted: true, node: { accepted: true, reason: null } }] };
  expect(await check(close)).toMatchObject(taken);
  expect(await check(close)).toMatchObject(taken);
  const report = await runCommand("check-tx", [close], { party: p.alice });
  expect((report.document["transactions"] as readonly object[])[0]).not.toHaveProperty("node");
  await runCommand("broadcast", [p.alice, close], { rpc: node.url, rpcAuth: node.cookie });
  expect(await check(close)).toMatchObject({ verdict: "yes", transactions: [{ node: { accepted: true, reason: "txn-already-in-mempool" } }] });
});

test("what our interpreter takes and the node does not: its words, and the answer is no", async () => {
  const bobs = (await runCommand("sweep", [p.bob], { tx: close, to: HOME, feerate: "2500" })).document;
  const sweep = join(tempDir(), "sweep.json");
  writeFileSync(sweep, JSON.stringify(bobs));
  const said = await check(sweep, { parent: close });
  expect(said).toMatchObject({ verdict: "no", accepted: false, transactions: [{ accepted: true, node: { accepted: false } }] });
  expect(JSON.stringify(said.transactions[0]?.node)).toMatch(/final/i);
  await node.mine([tx]);
  expect(await check(sweep, { parent: close })).toMatchObject({ verdict: "yes", transactions: [{ node: { accepted: true } }] });
});

test("several are one package, each spending those before it; what the node has is not asked again", async () => {
  const reward = await node.rewardOf(2);
  const funding = await fundingFrom(reward, "anchors", [10_000_000n]);
  const q = await parties({ ...ANCHORS, outpoint: `${funding.getId()}:0` });
  const { document } = await runCommand("force-close", [q.alice]);
  const files = [funding.toHex(), document["tx"] as string];
  const prevout = `${reward.txid}:0:${String(reward.amount)}sat:${toHex(WALLET_LOCK.scriptPubkey)}`;
  const asked = () => runCommand("check-tx", files, { prevout: [prevout], rpc: node.url, rpcAuth: node.cookie });
  const accepted = (...reasons: readonly (string | null)[]) => ({
    verdict: "yes",
    document: { transactions: reasons.map((reason) => ({ accepted: true, node: { accepted: true, reason } })) },
  });
  expect(await asked()).toMatchObject(accepted(null, null));
  await runCommand("broadcast", [q.alice, "-"], { rpc: node.url, rpcAuth: node.cookie }, { stdin: files[0]! });
  expect(await asked()).toMatchObject(accepted("txn-already-in-mempool", null));
  await runCommand("broadcast", [q.alice, "-"], { rpc: node.url, rpcAuth: node.cookie }, { stdin: document });
  expect(await asked()).toMatchObject(accepted("txn-already-in-mempool", "txn-already-in-mempool"));
  // A child whose parent the node refuses is not judged
  const bobs = (await runCommand("force-close", [q.bob])).document["tx"] as string;
  const both = await runCommand("check-tx", [bobs, files[1]!], { party: q.alice, rpc: node.url, rpcAuth: node.cookie });
  expect(both.verdict).toBe("no");
});

test("the node must be on the channel's chain, or on the one that is named", async () => {
  const error = await refusal(() => check(close, { chain: "signet" }));
  expect(error).toMatchObject({ code: "state-node-chain", details: { chain: "signet", node_chain: "regtest" } });
});

test("a process: 1 where the node refuses, 75 where none answers", async () => {
  const there = await runCli(["check-tx", close, "--party", p.alice, "--rpc", node.url, "--rpc-auth", node.cookie, "--json"]);
  expect(JSON.parse(there.stdout)).toHaveProperty("transactions.0.node.accepted");
  const nowhere = await runCli(["check-tx", close, "--party", p.alice, "--node", "--rpc", "http://127.0.0.1:1/", "--json"], {
    env: { CHANKIT_RPC_AUTH: "user:secret-word" },
  });
  expect(nowhere.status).toBe(75);
  expect(nowhere.stderr).toContain("busy-node-unreachable");
  expect(nowhere.stderr).not.toContain("secret-word");
});
