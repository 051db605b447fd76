import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { toHex } from "../../src/protocol/bytes.js";
import type { ErrorCode, LnError } from "../../src/protocol/errors.js";
import { runCli, tempDir } from "../support/cli.js";
import {
  ANCHORS,
  ARTICLE,
  type FlagTexts,
  type Parties,
  afterStep,
  backupOf,
  editState,
  parties,
  refusal,
  runCommand,
  send,
} from "../support/party.js";
import { round } from "../support/htlcs.js";
import { WALLET_LOCK, walletSigns } from "../support/wallet.js";
import { type BitcoindNode, startBitcoind } from "./bitcoind.js";
import { bitcoindProgram, isRealBitcoind } from "./build-stand-in.js";
import { PAY_TO_ANCHOR, fundingFrom, walletTx } from "./funding.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const HOME = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

let node: BitcoindNode;
let program: string;
beforeAll(async () => {
  program = await bitcoindProgram();
  node = await startBitcoind(program, WALLET_LOCK.scriptPubkey);
  await node.advance(450);
});
afterAll(() => node.stop());

/** How the commands reach the node. */
const there = (): FlagTexts => ({ rpc: node.url, rpcAuth: node.cookie });

/** A channel with anchors, funded on the chain, at 2500 sat per 1000 weight units. */
async function funded(block: number): Promise<Parties> {
  const tx = await fundingFrom(await node.rewardOf(block), "anchors", [10_000_000n]);
  expect((await node.mine([tx.toHex()])).kind).toBe("mined");
  return parties({ ...ANCHORS, outpoint: `${tx.getId()}:0` });
}

async function sent(party: string, document: object | string, flags: FlagTexts = {}): Promise<Record<string, unknown>[]> {
  const report = await runCommand("broadcast", [party, "-"], { ...there(), ...flags }, { stdin: document as Record<string, unknown> | string });
  return report.document["transactions"] as Record<string, unknown>[];
}

describe("a node takes", () => {
  test("a force-close, once and again, and what is swept of it a block later; then it says that the chain has it", async () => {
    const p = await funded(1);
    const close = (await runCommand("force-close", [p.alice])).document;
    const expected = { txid: close["txid"], what: "commitment", owner: "local", commitment_number: 0 };
    expect(await sent(p.alice, close, { dryRun: true })).toEqual([{ ...expected, in: null }]);
    expect(await sent(p.alice, close)).toEqual([{ ...expected, in: "mempool" }]);
    expect(await sent(p.alice, close)).toEqual([{ ...expected, in: "mempool" }]);
    const sweep = (await runCommand("sweep", [p.bob], { tx: "-", to: HOME, feerate: "2500" }, { stdin: close })).document;
    // One block of confirmation comes first, and the node's words stand in the error
    const early = await refusal(() => sent(p.bob, sweep));
    expect(early).toMatchObject({ code: "state-node-refused", details: { method: "sendrawtransaction", txid: sweep["txid"], sent: [] } });
    expect(early.details["reason"]).toMatch(/non-?(bip68-)?final/i);
    await node.mine([close["tx"] as string]);
    expect(await sent(p.bob, sweep)).toEqual([
      { txid: sweep["txid"], what: "spends_commitment", owner: "remote", commitment_number: 0, in: "mempool" },
    ]);
    expect(await sent(p.alice, close)).toEqual([{ ...expected, in: "chain" }]);
  });

  test("a revoked commitment's penalties, a transaction an output, as one package and one after the other", async () => {
    const p = await funded(2);
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.01btc"])]);
    const cheater = backupOf(p.alice);
    await round(p, "alice");
    const cheat = (await runCommand("force-close", [cheater])).document;
    expect(await sent(p.bob, cheat)).toMatchObject([{ what: "revoked_commitment", commitment_number: 0, in: "mempool" }]);
    await node.mine([cheat["tx"] as string]);
    const penalty = { tx: "-", to: HOME, feerate: "2500", separate: true } as const;
    const { document } = await runCommand("penalty-tx", [p.bob], penalty, { stdin: cheat });
    expect(document["transactions"]).toHaveLength(1);
    expect(await sent(p.bob, document, { package: true })).toMatchObject([{ what: "other", in: "mempool" }]);
    expect(await sent(p.bob, document)).toMatchObject([{ in: "mempool" }]);
  });

  test("nothing that another has spent already, alone or in a package; what went before is named", async () => {
    const p = await funded(3);
    const alices = (await runCommand("force-close", [p.alice])).document;
    const bobs = (await runCommand("force-close", [p.bob])).document;
    await node.mine([alices["tx"] as string]);
    const error = await refusal(() => sent(p.bob, bobs));
    expect(error).toMatchObject({ code: "state-node-refused" });
    expect(error.details["reason"]).toMatch(/missing|spent/i);
    const inPackage = await refusal(() => sent(p.bob, bobs, { package: true }));
    expect(inPackage).toMatchObject({ code: "state-node-refused", details: { method: "submitpackage" } });
    const sweep = (await runCommand("sweep", [p.bob], { tx: "-", to: HOME, feerate: "2500" }, { stdin: alices })).document;
    const files = [sweep, bobs].map((document, at) => {
      const path = join(tempDir(), `${at}.json`);
      writeFileSync(path, JSON.stringify(document));
      return path;
    });
    const second = await refusal(() => runCommand("broadcast", [p.bob, ...files], there()));
    expect(second.details).toMatchObject({ txid: bobs["txid"], sent: [sweep["txid"]] });
  });
});

/** A child of Alice's commitment, and what a wallet that holds a reward adds to it. */
async function childOf(p: Parties, close: Record<string, unknown>, block: number): Promise<Record<string, unknown>> {
  const { txid, amount } = await node.rewardOf(block);
  const inputs = `${txid}:0:${String(amount)}sat:${toHex(WALLET_LOCK.scriptPubkey)}`;
  const flags = { tx: "-", change: HOME, feerate: "10000", inputs };
  const { document } = await runCommand("bump", [p.alice], flags, { stdin: close });
  const finish = join(tempDir(), "signed.psbt");
  writeFileSync(finish, walletSigns(document["psbt"] as string));
  return (await runCommand("bump", [p.alice], { ...flags, finish }, { stdin: close })).document;
}

describe("as one package", () => {
  test("a commitment and the child that pays for it through the anchor, once and again", async () => {
    const p = await funded(4);
    const close = (await runCommand("force-close", [p.alice])).document;
    const child = await childOf(p, close, 10);
    const both = { transactions: [{ tx: close["tx"] }, { tx: child["tx"] }] };
    const taken = [
      { txid: close["txid"], what: "commitment", in: "mempool" },
      { txid: child["txid"], what: "spends_commitment", in: "mempool" },
    ];
    expect(await sent(p.alice, both, { package: true })).toMatchObject(taken);
    expect(await sent(p.alice, both, { package: true })).toMatchObject(taken);
    expect((await node.mine([close["tx"] as string, child["tx"] as string])).kind).toBe("mined");
  });

  // Only a node with today's rules of relay can say anything of it
  if (isRealBitcoind()) {
    test("a commitment that pays nothing is not taken alone, but with its child", async () => {
      const tx = await fundingFrom(await node.rewardOf(5), "anchors", [10_000_000n]);
      expect((await node.mine([tx.toHex()])).kind).toBe("mined");
      const { open } = ANCHORS;
      const terms = { open: { ...open, feerate: "0", minFeerate: "0" }, accept: { minFeerate: "0" }, outpoint: `${tx.getId()}:0` };
      const p = await parties(terms);
      const close = (await runCommand("force-close", [p.alice])).document;
      const alone = await refusal(() => sent(p.alice, close));
      expect(alone.details["reason"]).toMatch(/min relay fee not met/);
      const child = await childOf(p, close, 11);
      const both = { transactions: [{ tx: close["tx"] }, { tx: child["tx"] }] };
      // Before version 31 only TRUC transactions came in like this
      expect(await sent(p.alice, both, { package: true })).toMatchObject([{ in: "mempool" }, { in: "mempool" }]);
    });

    test("TRUC transactions: a parent that pays nothing, its pay-to-anchor output of 0 sat, and the child that spends it", async () => {
      const p = await funded(6);
      const { txid, amount } = await node.rewardOf(12);
      const parent = walletTx(
        [{ txid, outputIndex: 0, amount }],
        [
          { script: WALLET_LOCK.scriptPubkey, value: amount },
          { script: PAY_TO_ANCHOR, value: 0n },
        ],
      );
      const child = walletTx(
        [{ txid: parent.getId(), outputIndex: 0, amount }],
        [{ script: WALLET_LOCK.scriptPubkey, value: amount - 5000n }],
        [{ txid: parent.getId(), outputIndex: 1 }],
      );
      const alone = await refusal(() => sent(p.alice, parent.toHex()));
      expect(alone.code).toBe("state-node-refused");
      const both = { transactions: [parent, child].map((tx) => ({ tx: tx.toHex() })) };
      expect(await sent(p.alice, both, { package: true })).toMatchObject([{ in: "mempool" }, { in: "mempool" }]);
    });
  }
});

describe("before any node is asked", () => {
  // Nothing listens there: whoever asks gets another error
  const nowhere: FlagTexts = { rpc: "http://127.0.0.1:1/" };
  const environment = { CHANKIT_RPC_AUTH: "user:secret-word" };
  const codeOf = async (party: string, stdin: object | string, flags: FlagTexts = {}, env = environment): Promise<ErrorCode> => {
    const options = { stdin: stdin as string, env };
    return (await refusal(() => runCommand("broadcast", [party, "-"], { ...nowhere, ...flags }, options))).code;
  };

  test("an own commitment is refused until force-close, an older one for ever, all of them where state was lost", async () => {
    const p = await afterStep(20);
    const backup = backupOf((await afterStep(13)).alice, "old");
    const old = (await runCommand("force-close", [backup])).document;
    expect(await codeOf(p.alice, old)).toBe("policy-broadcast-revoked");
    const copy = backupOf(p.alice, "copy");
    const close = (await runCommand("force-close", [copy])).document;
    expect(await codeOf(p.alice, close)).toBe("policy-broadcast-unsigned");
    await runCommand("force-close", [p.alice]);
    expect(await codeOf(p.alice, close)).toBe("busy-node-unreachable");
    editState(p.alice, (state) => ({ ...state, flags: { ...state.flags, behind: true } }));
    expect(await codeOf(p.alice, close)).toBe("policy-broadcast-behind");
    expect(await codeOf(p.alice, old)).toBe("policy-broadcast-behind");
    // What spends the peer's commitment is no commitment of ours
    const bobs = (await runCommand("force-close", [p.bob])).document;
    const sweep = (await runCommand("sweep", [p.alice], { tx: "-", to: HOME, feerate: "253" }, { stdin: bobs })).document;
    expect(await codeOf(p.alice, sweep)).toBe("busy-node-unreachable");
  });

  test("a test case's and a marked report's are refused, and the main chain's without --mainnet", async () => {
    const p = await afterStep(20);
    const close = (await runCommand("force-close", [p.alice])).document;
    expect(await codeOf(p.alice, { ...close, not_for_broadcast: "a test case" })).toBe("policy-broadcast-marked");
    editState(p.alice, (state) => ({ ...state, chain: "bitcoin" }));
    expect(await codeOf(p.alice, close)).toBe("policy-broadcast-mainnet");
    expect(await codeOf(p.alice, close, { mainnet: true })).toBe("busy-node-unreachable");
    editState(p.alice, (state) => ({ ...state, purpose: "vector" }));
    expect(await codeOf(p.alice, close)).toBe("policy-vector-channel");
  });

  test("what is no transaction, or not signed, is refused; so are two standard inputs", async () => {
    const p = await afterStep(20);
    const unsigned = (await runCommand("build-commitment", [p.alice], { owner: "local" })).document;
    expect(await codeOf(p.alice, unsigned)).toBe("tx-not-parsed");
    expect(await codeOf(p.alice, "00")).toBe("tx-not-parsed");
    expect((await refusal(() => runCommand("broadcast", [p.alice], nowhere))).code).toBe("usage-argument");
    const unfunded = await parties(ARTICLE, "proposed");
    expect(await codeOf(unfunded.alice, "00")).toBe("tx-not-parsed");
    const close = (await runCommand("force-close", [p.alice])).document;
    expect(await codeOf(unfunded.alice, close)).toBe("state-not-funded");
  });

  test("a funding transaction waits for the peer's signature", async () => {
    const tx = await fundingFrom({ txid: "01".repeat(32), amount: 5_000_000_000n }, "static_remotekey", [10_000_000n]);
    const terms = { ...ARTICLE, outpoint: `${tx.getId()}:0` };
    expect(await codeOf((await parties(terms, "created")).alice, tx.toHex())).toBe("policy-funding-unverified");
    expect(await codeOf((await parties(terms, "released")).alice, tx.toHex())).toBe("busy-node-unreachable");
  });

  test("credentials: from a file, the environment, or the cookie in its place; never on the command line", async () => {
    const p = await afterStep(20);
    const close = (await runCommand("force-close", [p.alice])).document;
    expect(await codeOf(p.alice, close, {}, {} as never)).toBe("usage-node-credentials");
    expect(await codeOf(p.alice, close, { rpcAuth: join(tempDir(), "none") })).toBe("usage-node-credentials");
    const file = join(tempDir(), "auth");
    writeFileSync(file, "no colon\n");
    expect(await codeOf(p.alice, close, { rpcAuth: file })).toBe("usage-node-credentials");
    for (const url of ["http://user:secret-word@127.0.0.1/", "https://127.0.0.1/", "127.0.0.1:18443"]) {
      const error = await refusal(() => runCommand("broadcast", [p.alice, "-"], { rpc: url }, { stdin: close }));
      expect(error.code).toBe("usage-node-url");
      expect(error.message).not.toContain("secret-word");
    }
  });
});

describe("a process", () => {
  /** Answers every call of a test in its own way. */
  async function answering(listener: RequestListener, action: (url: string) => Promise<void>): Promise<void> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await action(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  let p: Parties;
  let close: string;
  beforeAll(async () => {
    p = await afterStep(20);
    close = join(tempDir(), "close.json");
    writeFileSync(close, JSON.stringify((await runCommand("force-close", [p.alice])).document));
  });

  const broadcast = async (url: string, ...more: readonly string[]) => {
    const env = { CHANKIT_RPC_AUTH: "user:secret-word" };
    const result = await runCli(["broadcast", p.alice, close, "--rpc", url, "--json", ...more], { env });
    expect(result.stdout + result.stderr).not.toContain("secret-word");
    return { ...result, error: (JSON.parse(result.stderr || "{}") as { readonly error?: LnError }).error };
  };

  test("busy-node-unreachable, busy-node-timeout and busy-node-starting end with 75: try again", async () => {
    const refused = await broadcast("http://127.0.0.1:1/");
    expect(refused).toMatchObject({ status: 75, error: { code: "busy-node-unreachable", details: { reason: "ECONNREFUSED" } } });
    await answering(
      () => undefined,
      async (url) => {
        expect(await broadcast(url, "--rpc-timeout", "1")).toMatchObject({ status: 75, error: { code: "busy-node-timeout" } });
      },
    );
    await answering(
      (_, response) => {
        response.writeHead(500).end(JSON.stringify({ result: null, error: { code: -28, message: "Loading block index…" }, id: 1 }));
      },
      async (url) => {
        expect(await broadcast(url)).toMatchObject({
          status: 75,
          error: { code: "busy-node-starting", details: { reason: "Loading block index…" } },
        });
      },
    );
    await answering(
      (_, response) => {
        response.writeHead(503).end("Work queue depth exceeded");
      },
      async (url) => {
        expect(await broadcast(url)).toMatchObject({ status: 75, error: { code: "busy-node-starting" } });
      },
    );
  });

  test("usage-node-credentials ends with 2, input-node-answer with 3, state-node-chain and state-node-refused with 4", async () => {
    expect(await broadcast(node.url)).toMatchObject({ status: 2, error: { code: "usage-node-credentials", details: { status: 401 } } });
    await answering(
      (_, response) => {
        response.end("<html>");
      },
      async (url) => {
        expect(await broadcast(url)).toMatchObject({ status: 3, error: { code: "input-node-answer" } });
      },
    );
    await answering(
      (_, response) => {
        response.end(JSON.stringify({ result: { chain: "main" }, error: null, id: 1 }));
      },
      async (url) => {
        const details = { chain: "regtest", node_chain: "bitcoin" };
        expect(await broadcast(url)).toMatchObject({ status: 4, error: { code: "state-node-chain", details } });
      },
    );
    // The article's funding output is on no chain
    const refused = await runCli(["broadcast", p.alice, close, "--rpc", node.url, "--rpc-auth", node.cookie, "--json"]);
    expect(refused.status).toBe(4);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "state-node-refused", details: { reason: /missing/ } } });
    expect(refused.stderr).not.toContain(readFileSync(node.cookie, "utf8").slice(11));
  });
});
