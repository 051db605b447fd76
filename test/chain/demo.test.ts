import { Transaction } from "bitcoinjs-lib/src/transaction";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { equalBytes } from "../../src/protocol/bytes.js";
import { identify } from "../../src/protocol/channel/identify.js";
import { forceClose } from "../../src/protocol/channel/transitions/leave.js";
import { basepointsOf } from "../../src/protocol/keys/party-keys.js";
import { FORMATS } from "../../src/protocol/tx/format.js";
import { spendClaims } from "../../src/protocol/tx/spend.js";
import { toLocalClaims, toRemoteClaims } from "../../src/protocol/tx/sweep-tx.js";
import { perKw } from "../../src/protocol/units.js";
import { ANCHORS, type Parties, afterStep, backupOf, copyOf, keysOf, parties, runCommand, stateOf } from "../support/party.js";
import { type Coin, interpret } from "./interpreter.js";
import { HOME } from "./spendings.js";

// A busy machine is slow
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** What was accepted, by its kind: of one test, and of all. */
const accepted = new Map<string, number>();
let total = 0;

beforeEach(() => {
  accepted.clear();
});

/** Runs a transaction's scripts; its inputs spend `parents`' outputs or the channel's funding output. */
function expectAccepted(kind: string, tx: Transaction, p: Parties, parents: readonly Transaction[]): void {
  const coins = tx.ins.map(({ hash, index }): Coin => {
    const parent = parents.find((candidate) => equalBytes(candidate.getHash(), hash));
    if (parent === undefined) return fundingCoin(p);
    const { value, script } = parent.outs[index]!;
    return { amount: value, scriptPubkey: script };
  });
  expect(interpret(tx.toHex(), coins), `${kind}: ${tx.toHex()}`).toEqual({ kind: "accepted" });
  accepted.set(kind, (accepted.get(kind) ?? 0) + 1);
  total += 1;
}

function fundingCoin({ alice }: Parties): Coin {
  const { params, channelType, fundings } = stateOf(alice);
  const { scriptPubkey } = FORMATS[channelType].funding(params.local.fundingPubkey, params.remote.fundingPubkey);
  return { amount: fundings[0].amount, scriptPubkey };
}

/** Both sides' ways out as they are now, with what each then sweeps. */
function expectWaysOut(p: Parties): void {
  for (const [owner, countersigner] of [
    [p.alice, p.bob],
    [p.bob, p.alice],
  ] as const) {
    const keys = keysOf(owner);
    const { tx, commitment } = forceClose(stateOf(owner), keys);
    expectAccepted("commitment", tx, p, []);
    const { terms } = commitment;
    const toLocal = toLocalClaims(commitment, terms.toSelfDelay, basepointsOf(keys));
    if (toLocal.length > 0) expectAccepted("sweep_to_local", spendClaims(toLocal, keys, HOME, perKw(253n), 2).tx, p, [tx]);

    // The other side's own file knows the commitment, too
    const seen = identify(stateOf(countersigner), tx, () => []);
    if (seen.kind !== "held") throw new Error(`a commitment that is ${seen.kind}`);
    const toRemote = toRemoteClaims(seen.commitment, terms.format, basepointsOf(keysOf(countersigner)));
    if (toRemote.length > 0) expectAccepted("sweep_to_remote", spendClaims(toRemote, keysOf(countersigner), HOME, perKw(253n), 2).tx, p, [tx]);
  }
}

const PENALTY = { to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "2500", tx: "-" };

/** The cheater's copy from before publishes what it has; the victim takes it. */
async function expectPunished(p: Parties, backup: string, victim: string): Promise<void> {
  const cheat = (await runCommand("force-close", [backup])).document;
  const published = Transaction.fromHex(cheat["tx"] as string);
  expectAccepted("commitment", published, p, []);
  const penalty = await runCommand("penalty-tx", [victim], PENALTY, { stdin: cheat });
  expectAccepted("penalty", Transaction.fromHex(penalty.document["tx"] as string), p, [published]);
}

test("the article's update: either side's way out after every step, the cheat and the penalty are accepted", async () => {
  for (let step = 0; step <= 20; step++) expectWaysOut(await afterStep(step));
  const p = copyOf(await afterStep(20));
  const before = await afterStep(13);
  await expectPunished(p, backupOf(before.alice), p.bob);
  expect(Object.fromEntries(accepted)).toEqual({ commitment: 43, sweep_to_local: 35, sweep_to_remote: 25, penalty: 1 });
});

type Who = "alice" | "bob";

async function pipe(p: Parties, from: Who, name: string, args: readonly string[] = []): Promise<void> {
  const { document } = await runCommand(name, [p[from], ...args]);
  await runCommand("receive", [p[from === "alice" ? "bob" : "alice"], "-"], {}, { stdin: document });
}

/** The five pipes' last four, each followed by a look at both ways out. */
async function round(p: Parties, first: Who, second: Who): Promise<void> {
  for (const [who, name] of [
    [first, "sign"],
    [second, "make-revocation"],
    [second, "sign"],
    [first, "make-revocation"],
  ] as const) {
    await pipe(p, who, name);
    expectWaysOut(p);
  }
}

test("the demo's second scenario, with anchors: the same", async () => {
  const p = await parties(ANCHORS);
  expectWaysOut(p);
  await pipe(p, "alice", "pay", ["0.01btc"]);
  await round(p, "alice", "bob");
  await pipe(p, "bob", "pay", ["0.025btc"]);
  await pipe(p, "alice", "pay", ["0.005btc"]);
  await round(p, "bob", "alice");
  const backup = backupOf(p.bob);
  await round(p, "alice", "bob");
  await pipe(p, "bob", "pay", ["0.01btc"]);
  await round(p, "bob", "alice");
  await expectPunished(p, backup, p.alice);
  expect(Object.fromEntries(accepted)).toEqual({ commitment: 35, sweep_to_local: 34, sweep_to_remote: 34, penalty: 1 });
});

afterAll(() => {
  console.info(`interpreted: ${total} transactions of the demo accepted`);
});
