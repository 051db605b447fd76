import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import { parseTxid } from "../../src/protocol/bytes.js";
import { p2wpkh, witnessSignature } from "../../src/protocol/script/assemble.js";
import { spendClaims } from "../../src/protocol/tx/spend.js";
import { SIGHASH_ALL } from "../../src/protocol/tx/format.js";
import { perKw, sat } from "../../src/protocol/units.js";
import { partyOf, secretOf } from "../protocol/channels.js";
import { tempDir } from "../support/cli.js";
import { startBitcoind } from "./bitcoind.js";
import { buildStandIn } from "./build-stand-in.js";
import { HOME } from "./spendings.js";

// A busy machine is slow
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const WALLET = secretOf<"payment_basepoint">("wallet");
const LOCK = p2wpkh(publicKey(WALLET));

describe("a bitcoind", () => {
  let program: string;
  beforeAll(async () => {
    program = await buildStandIn();
  });

  test("is started on regtest, mines what it is given, says why it refuses, and leaves nothing behind", async () => {
    vi.stubEnv("TMPDIR", tempDir());
    const node = await startBitcoind(program, LOCK.scriptPubkey);
    expect(await readdir(tmpdir())).toHaveLength(1);
    await node.advance(450);
    expect(await node.height()).toBe(450);
    const { txid, amount } = await node.rewardOf(1);
    expect(amount).toBe(5_000_000_000n);
    expect(await node.medianTimePast()).toBeGreaterThan(1_296_688_602);

    const keys = { ...partyOf("miner"), paymentBasepointSecret: WALLET };
    const claimOf = (txidHex: string) => ({
      txid: parseTxid(txidHex),
      outputIndex: 0,
      amount: sat(amount),
      lock: LOCK,
      sequence: 0xffffffff,
      signer: { kind: "plain" as const, pubkey: publicKey(WALLET), from: "paymentBasepointSecret" as const },
      witness: (signature: Parameters<typeof witnessSignature>[0]) => [witnessSignature(signature, SIGHASH_ALL), publicKey(WALLET)],
    });
    const { tx } = spendClaims([claimOf(txid)], keys, HOME, perKw(253n), 2);
    const early = spendClaims([claimOf((await node.rewardOf(400)).txid)], keys, HOME, perKw(253n), 2);
    const refused = await node.mine([early.tx.toHex()]);
    expect(refused.kind === "refused" && refused.reason).toMatch(/bad-txns-premature-spend-of-coinbase/);
    expect(await node.mine([tx.toHex()])).toEqual({ kind: "mined", height: 451 });
    expect((await node.mine([tx.toHex()])).kind).toBe("refused");
    expect(await node.height()).toBe(451);
    await node.stop();
    expect(await readdir(tmpdir())).toEqual([]);
    vi.unstubAllEnvs();
  });

  test("that is none is said to be none", async () => {
    await expect(startBitcoind(join(tempDir(), "bitcoind"), LOCK.scriptPubkey)).rejects.toThrow(/does not run: .*ENOENT/);
    await expect(startBitcoind("/bin/false", LOCK.scriptPubkey)).rejects.toThrow(/does not run: it ended with 1/);
  });
});
