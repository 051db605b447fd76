import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as networks from "bitcoinjs-lib/src/networks";
import { Psbt } from "bitcoinjs-lib/src/psbt";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { DescribedCoin } from "../../src/json/psbt-wallet.js";
import { finishPlans } from "../../src/json/psbt-finish.js";
import { printPsbt } from "../../src/json/psbt-plan.js";
import { type Txid, bytes32, parseTxid, txid } from "../../src/protocol/bytes.js";
import { type CompleteClosing, completeClosings } from "../../src/protocol/channel/closing.js";
import { identify } from "../../src/protocol/channel/identify.js";
import { bumpCommitment, bumpHtlcs } from "../../src/protocol/channel/transitions/bump.js";
import { type ForceClose, forceClose, punish } from "../../src/protocol/channel/transitions/leave.js";
import { planSweep, sweepables } from "../../src/protocol/channel/transitions/sweep.js";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import { basepointsOf, ownSecret } from "../../src/protocol/keys/party-keys.js";
import { p2wpkh, witnessSignature } from "../../src/protocol/script/assemble.js";
import { CHANNEL_TYPES } from "../../src/protocol/tx/channel-type.js";
import { type CommitmentFormat, FORMATS, SIGHASH_ALL } from "../../src/protocol/tx/format.js";
import type { BumpPlan } from "../../src/protocol/tx/bump.js";
import { scriptOf } from "../../src/protocol/tx/plan.js";
import { sighash, signHash, withWitnesses } from "../../src/protocol/tx/sign.js";
import { type Claim, SEQUENCE_RBF, signSpend, spendClaims } from "../../src/protocol/tx/spend.js";
import { type ConfirmedCommitment, htlcTxClaim, toLocalClaims, toRemoteClaims } from "../../src/protocol/tx/sweep-tx.js";
import { walletInput } from "../../src/protocol/tx/wallet.js";
import { perKw, sat } from "../../src/protocol/units.js";
import { refusal } from "../json/refusal.js";
import { type Channel, secretOf } from "../protocol/channels.js";
import { ANCHORS, parties, refusal as refusalOf, runCommand, send } from "../support/party.js";
import { interpret } from "./interpreter.js";
import { type Ledger, type Planned, ledgerOn } from "./ledger.js";
import { BOTH, type ChannelPlan, KEYS, type Pair, type Step, type Who, after, closing, offer, open, other, pay, round, stages } from "./pair.js";
import { signPsbt } from "../support/signer.js";
import { NODES, type RegtestNode, type Reward } from "./regtest-node.js";
import { HOME, type Preimages, htlcClaimBatches, spendingOf, withLocks } from "./spendings.js";

// A busy machine is slow
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const TYPES = CHANNEL_TYPES;

const WALLET = secretOf("wallet");
const WALLET_LOCK = p2wpkh(publicKey(WALLET));
const RATE = perKw(253n);
const DELAYS = { alice: 5, bob: 8 } as const;

/**
 * Where every rule is in force on bcoin's regtest: segwit and relative locktimes from block 432 on, strict DER signatures from 1251, and
 * OP_CHECKLOCKTIMEVERIFY from 1351. Coinbases mature on the way.
 */
const ALL_RULES_HEIGHT = 1351;

interface Outpoint {
  readonly txid: Txid;
  readonly outputIndex: number;
}

/** Real funding outputs, in the chain: the wallet's coinbase of one block pays for `count` channels of one format. */
async function fundingOutputs(ledger: Ledger, block: number, { type, fundingSat }: ChannelPlan, count: number): Promise<readonly Outpoint[]> {
  const reward = await ledger.node.rewardOf(block);
  const { scriptPubkey } = FORMATS[type].funding(basepointsOf(KEYS.alice).fundingPubkey, basepointsOf(KEYS.bob).fundingPubkey);
  const unsigned = new Transaction();
  unsigned.version = 2;
  unsigned.addInput(parseTxid(reward.txid), 0, SEQUENCE_RBF);
  for (let channel = 0; channel < count; channel++) unsigned.addOutput(scriptPubkey, fundingSat);
  unsigned.addOutput(WALLET_LOCK.scriptPubkey, reward.amount - BigInt(count) * fundingSat - 10_000n);
  const signature = signHash(sighash(unsigned, 0, { lock: WALLET_LOCK, amount: sat(reward.amount) }, SIGHASH_ALL), WALLET);
  const tx = withWitnesses(unsigned, [[witnessSignature(signature, SIGHASH_ALL), publicKey(WALLET)]]);
  await ledger.mineNow("funding", [tx]);
  return Array.from({ length: count }, (_, outputIndex) => ({ txid: txid(tx.getHash()), outputIndex }));
}

function spend(claims: readonly Claim[], taker: Who, type: CommitmentFormat["channelType"]): Transaction {
  return spendClaims(claims, KEYS[taker], HOME, RATE, FORMATS[type].txVersion).tx;
}

/** The same claims one block sooner than their scripts allow. */
function impatient(claims: readonly Claim[], taker: Who, type: CommitmentFormat["channelType"]): Transaction {
  return spend(
    claims.map((claim) => ({ ...claim, sequence: claim.sequence - 1 })),
    taker,
    type,
  );
}

/** What the owner does after its commitment: its HTLC transactions, and its sweeps when the delay is over. */
function ownersPlan(closed: ForceClose, owner: Who, root: Planned, htlcsByOwner: boolean): readonly Planned[] {
  const { commitment, htlcs } = closed;
  const { format, toSelfDelay } = commitment.terms;
  const { channelType } = format;
  const delayed = basepointsOf(KEYS[owner]);
  const sweep = (kind: string, claims: readonly Claim[], parent: Planned): Planned[] =>
    claims.length === 0
      ? []
      : [{ kind, tx: spend(claims, owner, channelType), parent, delay: toSelfDelay, impatient: impatient(claims, owner, channelType) }];
  const htlcPlans = htlcs.flatMap(({ htlcTx, tx }) => {
    if (!htlcsByOwner) return [];
    if (tx === null) throw new Error("an HTLC-success without its preimage");
    const { kind, output } = htlcTx;
    const planned: Planned = {
      kind,
      tx,
      parent: root,
      delay: format.oneBlockDelay,
      ...(kind === "htlc_timeout" ? { locktime: output.htlc.cltvExpiry } : {}),
    };
    return [planned, ...sweep(`sweep of ${kind}`, [htlcTxClaim(htlcTx, delayed)], planned)];
  });
  return [...sweep("sweep of to_local", toLocalClaims(commitment, toSelfDelay, delayed), root), ...htlcPlans];
}

/** What the other side takes plainly. */
function toRemotePlan(commitment: ConfirmedCommitment, taker: Who, type: CommitmentFormat["channelType"], root: Planned): readonly Planned[] {
  const claims = toRemoteClaims(commitment, FORMATS[type], basepointsOf(KEYS[taker]));
  if (claims.length === 0) return [];
  const { oneBlockDelay } = FORMATS[type];
  const planned = { kind: "sweep of to_remote", tx: spend(claims, taker, type), parent: root, delay: oneBlockDelay };
  return [oneBlockDelay === 1 ? { ...planned, impatient: impatient(claims, taker, type) } : planned];
}

/** What the other side takes of the HTLC outputs: by the preimage at once, by the expiry when it has come. */
function htlcClaimPlan(closed: ForceClose, owner: Who, preimages: Preimages, root: Planned): readonly Planned[] {
  const { commitment } = closed;
  const { terms, number } = commitment;
  const keys = { local: KEYS[owner], remote: KEYS[other(owner)] };
  const channel: Channel = { keys, terms, number, commitment, perCommitmentSecret: ownSecret(KEYS[owner], number) };
  const { oneBlockDelay, txVersion } = terms.format;
  return htlcClaimBatches(channel, preimages).map(({ kind, claims, locktime, keys: taker }) => {
    const kinds = claims.map(kind);
    const spending = spendingOf(kinds, claims, taker, txVersion, locktime);
    const planned = { kind: kinds.join(), tx: spending.tx, parent: root, delay: oneBlockDelay };
    if (locktime === undefined) return planned;
    return { ...planned, locktime, impatient: spending.sign(withLocks(spending.tx, { locktime: locktime - 1 })) };
  });
}

/** Force-closes, and plays everything out to the last satoshi. */
async function closeAndPlayOut(ledger: Ledger, pair: Pair, owner: Who, htlcsBy: "owner" | "countersigner", preimages: Preimages): Promise<void> {
  // Whoever made the invoices knows the preimages, and has not told
  const closed = forceClose({ ...pair[owner].state, knownPreimages: preimages }, KEYS[owner]);
  const seen = identify(pair[other(owner)].state, closed.tx, () => []);
  if (seen.kind !== "held") throw new Error(`the other side takes its peer's commitment for ${seen.kind}`);
  const { channelType } = closed.commitment.terms.format;
  const root: Planned = { kind: "commitment", tx: closed.tx, parent: null, delay: 0 };
  await ledger.playOut([
    root,
    ...ownersPlan(closed, owner, root, htlcsBy === "owner"),
    ...toRemotePlan(seen.commitment, other(owner), channelType, root),
    ...(htlcsBy === "countersigner" ? htlcClaimPlan(closed, owner, preimages, root) : []),
  ]);
}

/** A wallet's coinbase, to pay fees with. */
function coinOf(reward: Reward): DescribedCoin {
  const { scriptPubkey: script } = WALLET_LOCK;
  const at = { txid: parseTxid(reward.txid), outputIndex: 0 };
  return { ...at, ...walletInput(sat(reward.amount), script), fields: { witnessUtxo: { script, value: reward.amount } } };
}

/** A plan through PSBTs: our part signed by one signer, the wallet's by another, put together and finished. */
async function finishedBy(who: Who, plan: BumpPlan<DescribedCoin>, parents: readonly Transaction[]): Promise<Transaction> {
  const written = printPsbt(plan, parents);
  const wallet = Psbt.fromBase64(written);
  wallet.signInput(plan.inputs.length - 1, { publicKey: publicKey(WALLET), sign: (hash) => signHash(bytes32(hash), WALLET) });
  const [tx] = await finishPlans(
    [plan],
    [signPsbt(written, KEYS[who]), wallet.toBase64()].map((text) => ({ text, source: "a signer" })),
  );
  const coins = plan.inputs.map((input) => ({ amount: input.amount, scriptPubkey: scriptOf(input) }));
  expect(interpret(tx!.toHex(), coins)).toEqual({ kind: "accepted" });
  return tx!;
}

/** The dearest mutual close of a pair: the same in both files, and good by the interpreter. */
function mutualClose({ alice, bob }: Pair): CompleteClosing {
  const [ours, theirs] = [completeClosings(alice.state)[0]!, completeClosings(bob.state)[0]!];
  expect(theirs.tx.toHex()).toBe(ours.tx.toHex());
  const { params, channelType, fundings } = alice.state;
  const { scriptPubkey } = FORMATS[channelType].funding(params.local.fundingPubkey, params.remote.fundingPubkey);
  expect(interpret(ours.tx.toHex(), [{ amount: fundings[0].amount, scriptPubkey }])).toEqual({ kind: "accepted" });
  return ours;
}

/** Both name their scripts. */
const SHUTDOWNS: readonly Step[] = BOTH.flatMap((who) => closing(who, { script: p2wpkh(basepointsOf(KEYS[who]).fundingPubkey).scriptPubkey }));

/** Publishes the commitment that `cheater` had in `then`; the victim's state is that of `now`. */
function cheat(then: Pair, now: Pair, cheater: Who) {
  const { tx, commitment } = forceClose(then[cheater].state, KEYS[cheater]);
  const victim = other(cheater);
  const { state, revoked } = now[victim];
  const identity = identify(state, tx, (number) => revoked.find((held) => held.number === number)?.htlcs ?? []);
  if (identity.kind !== "revoked") throw new Error(`the victim takes a revoked commitment for ${identity.kind}`);
  expect(identity.number).toBe(commitment.number);
  const root: Planned = { kind: "commitment", tx, parent: null, delay: 0 };
  const { channelType } = commitment.terms.format;
  const penalty = () => punish(state, KEYS[victim], identity, HOME, RATE).tx;
  return { root, penalty, inputs: commitment.outputs, toRemote: toRemotePlan(identity, victim, channelType, root) };
}

/** The stages at which a side's newest commitment is another than before. */
function closings(reached: readonly { readonly pair: Pair }[]): readonly { readonly owner: Who; readonly stage: number }[] {
  return BOTH.flatMap((owner) => {
    const numbers = reached.map(({ pair }) => pair[owner].state.fundings[0].local.current?.number);
    return numbers.flatMap((number, stage) => (stage === 0 || number !== numbers[stage - 1] ? [{ owner, stage }] : []));
  });
}

const PREIMAGES: Preimages = [bytes32(new Uint8Array(32).fill(1)), bytes32(new Uint8Array(32).fill(2))];

/** Each side offers an HTLC, and both become irrevocable. */
function htlcUpdate(height: number): readonly Step[] {
  return [
    ...offer({ by: "alice", amountSat: 30_000n, preimage: PREIMAGES[0]!, cltvExpiry: height + 11 }),
    ...offer({ by: "bob", amountSat: 40_000n, preimage: PREIMAGES[1]!, cltvExpiry: height + 13 }),
    ...round("alice"),
    // Bob's proposal is in Alice's commitment, and acknowledged; now it comes into Bob's
    ...round("alice").slice(0, 4),
  ];
}

/** Force-closes of `pair` at every stage are good by the interpreter, whoever closes. */
function interpretClosings(reached: readonly { readonly name: string; readonly pair: Pair }[]): number {
  for (const { name, pair } of reached) {
    for (const who of BOTH) {
      const { tx, commitment } = forceClose(pair[who].state, KEYS[who]);
      const coin = { amount: commitment.terms.funding.amount, scriptPubkey: commitment.fundingLock.scriptPubkey };
      expect(interpret(tx.toHex(), [coin]), `${who}'s commitment when ${name}`).toEqual({ kind: "accepted" });
    }
  }
  return 2 * reached.length;
}

const triple = (count: number): readonly number[] => [count, count, count];

describe.each(NODES)("on %s", (name, start) => {
  let node: RegtestNode;
  let ledger: Ledger;
  let interpreted = 0;
  let block = 0;

  beforeAll(async () => {
    node = await start(WALLET_LOCK.scriptPubkey);
    await node.advance(ALL_RULES_HEIGHT);
    ledger = ledgerOn(node);
  });

  afterAll(async () => {
    await node.stop();
  });

  describe.each(TYPES)("a %s channel", (type) => {
    const plan: ChannelPlan = { type, feerate: FORMATS[type].hasFeerate ? 1000n : 0n, fundingSat: 1_000_000n, pushSat: 300_000n, delays: DELAYS };

    test("is left by either side at every stage of an update, with everything that is its own, no block too early", async () => {
      const [probe, ...outpoints] = await fundingOutputs(ledger, ++block, plan, 6);
      const probed = stages(open(plan, probe!), htlcUpdate(await node.height()));
      interpreted += interpretClosings(probed);
      const distinct = closings(probed);
      expect(distinct.map(({ owner, stage }) => `${owner} ${probed[stage]!.name}`)).toEqual([
        "alice at the start",
        "alice alice verifies",
        "bob at the start",
        "bob bob verifies",
        "bob bob verifies",
      ]);
      for (const [at, { owner, stage }] of distinct.entries()) {
        const pair = after(open(plan, outpoints[at]!), htlcUpdate(await node.height()).slice(0, stage));
        await closeAndPlayOut(ledger, pair, owner, "owner", PREIMAGES);
      }
    });

    test("leaves HTLC outputs to the other side by preimage and by expiry", async () => {
      const outpoints = await fundingOutputs(ledger, ++block, plan, 2);
      for (const [at, owner] of BOTH.entries()) {
        const pair = after(open(plan, outpoints[at]!), htlcUpdate(await node.height()));
        await closeAndPlayOut(ledger, pair, owner, "countersigner", PREIMAGES);
      }
    });

    test("is closed together: by simple close, no block before its locktime, and by negotiation", async () => {
      const [simply, negotiated] = await fundingOutputs(ledger, ++block, plan, 2);
      const paid = [...pay("alice", 50_000n), ...round("alice"), ...SHUTDOWNS];
      const locktime = (await node.height()) + 3;
      const fee = (feeSatoshis: bigint) => ({ fee: { kind: "exactly", feeSatoshis: sat(feeSatoshis) } }) as const;
      const first = after(open(plan, simply!), [...paid, ...closing("alice", fee(500n)), ...closing("bob")]);
      const replaced = mutualClose(first);
      const simple = mutualClose(after(first, [...closing("bob", { ...fee(800n), locktime }), ...closing("alice")]));
      // Whoever offers pays
      expect(replaced.tx.outs.map(({ value }) => value)).toEqual([350_000n, 649_500n]);
      expect(simple.tx.outs.map(({ value }) => value)).toEqual([349_200n, 650_000n]);
      await ledger.playOut([{ kind: "simple close", tx: simple.tx, parent: null, delay: 0, locktime }]);

      // The opener pays
      const agreed = [...paid, ...closing("alice", fee(600n)), ...closing("bob")];
      const legacy = mutualClose(after(open({ ...plan, features: [] }, negotiated!), agreed));
      expect(legacy.tx.outs.map(({ value }) => value)).toEqual([350_000n, 649_400n]);
      await ledger.playOut([{ kind: "negotiated close", tx: legacy.tx, parent: null, delay: 0 }]);
    });

    test("whose revoked commitment is published gives everything to the other side", async () => {
      const outpoints = await fundingOutputs(ledger, ++block, plan, 2);
      for (const [at, cheater] of BOTH.entries()) {
        const then = after(open(plan, outpoints[at]!), htlcUpdate(await node.height()));
        const now = after(then, [...pay(other(cheater), 5000n), ...round(other(cheater))]);
        const { root, penalty, toRemote } = cheat(then, now, cheater);
        const punished: Planned = { kind: "penalty", tx: penalty(), parent: root, delay: 0 };
        expect(punished.tx.ins).toHaveLength(3);
        await ledger.playOut([root, punished, ...toRemote]);
      }
    });
  });

  describe.each(TYPES.filter((type) => FORMATS[type].oneBlockDelay === 1))("a %s channel whose fees a wallet pays", (type) => {
    const plan: ChannelPlan = { type, feerate: 1000n, fundingSat: 1_000_000n, pushSat: 300_000n, delays: DELAYS };
    const change = WALLET_LOCK.scriptPubkey;

    test("its owner's commitment with a child, HTLC transactions with inputs and change, and what they pay to", async () => {
      const [outpoint] = await fundingOutputs(ledger, ++block, plan, 1);
      const pair = after(open(plan, outpoint!), htlcUpdate(await node.height()));
      const closed = forceClose({ ...pair.alice.state, knownPreimages: PREIMAGES }, KEYS.alice);
      const { state, commitment } = closed;
      const wallet = async () => ({ coins: [coinOf(await node.rewardOf(++block))], change });
      const identity = identify(state, closed.tx, () => []);
      const child = bumpCommitment(state, identity, await wallet(), perKw(5000n));
      const root: Planned = { kind: "commitment", tx: closed.tx, parent: null, delay: 0 };
      const planned: Planned[] = [
        root,
        { kind: "child of a commitment", tx: await finishedBy("alice", child.plan, [closed.tx]), parent: root, delay: 0 },
      ];
      for (const { htlcTx } of closed.htlcs) {
        const { outputIndex, kind, output } = htlcTx;
        const height = output.htlc.cltvExpiry;
        const bumped = bumpHtlcs(state, [outputIndex], { preimage: null, height }, await wallet(), perKw(5000n));
        const tx = await finishedBy("alice", bumped.plan, [commitment.unsigned]);
        const stage: Planned = {
          kind: `${kind} with fee inputs`,
          tx,
          parent: root,
          delay: 1,
          ...(kind === "htlc_timeout" ? { locktime: height } : {}),
        };
        const [second] = sweepables(state, identity, [tx]).filter((one) => one.kind === "htlc_tx_output");
        const claims = [second!.claim];
        const swept = { kind: "sweep of HTLCs with fee inputs", tx: spend(claims, "alice", type), parent: stage, delay: DELAYS.bob };
        planned.push(stage, { ...swept, impatient: impatient(claims, "alice", type) });
      }
      await ledger.playOut(planned);
    });

    test("the peer's commitment with a child of ours; everything else of it that is ours in one, the peer's anchor too", async () => {
      const [outpoint] = await fundingOutputs(ledger, ++block, plan, 1);
      const pair = after(open(plan, outpoint!), htlcUpdate(await node.height()));
      const closed = forceClose(pair.alice.state, KEYS.alice);
      const state = { ...pair.bob.state, knownPreimages: PREIMAGES };
      const identity = identify(state, closed.tx, () => []);
      const child = bumpCommitment(state, identity, { coins: [coinOf(await node.rewardOf(++block))], change }, perKw(5000n));
      const root: Planned = { kind: "commitment", tx: closed.tx, parent: null, delay: 0 };
      const found = sweepables(state, identity, []).filter(({ kind }) => kind !== "anchor");
      expect(found.map(({ kind }) => kind).sort()).toEqual(["anchor_of_peer", "htlc", "htlc", "to_remote"]);
      const late = { height: 10_000, confirmed: 1 };
      const { plan: everything, taken } = planSweep(found, late, HOME, RATE, { version: 2, anchors: true });
      expect(taken).toHaveLength(4);
      const claims = taken.map(({ claim }) => claim);
      await ledger.playOut([
        root,
        { kind: "child of a commitment", tx: await finishedBy("bob", child.plan, [closed.tx]), parent: root, delay: 0 },
        {
          kind: "sweep of everything",
          tx: signSpend(everything, KEYS.bob).tx,
          parent: root,
          delay: 16,
          locktime: everything.unsigned.locktime,
          impatient: spend(
            claims.map((claim) => (claim.signer === null ? { ...claim, sequence: 15 } : claim)),
            "bob",
            type,
          ),
        },
      ]);
    });
  });

  test("a zero_fee_commitments channel: children through the anchor that anyone may spend, in the same block; HTLC transactions with inputs", async () => {
    const type = "zero_fee_commitments";
    const plan: ChannelPlan = { type, feerate: 0n, fundingSat: 1_000_000n, pushSat: 300_000n, delays: DELAYS };
    const outpoints = await fundingOutputs(ledger, ++block, plan, 2);
    const wallet = async () => ({ coins: [coinOf(await node.rewardOf(++block))], change: WALLET_LOCK.scriptPubkey });
    for (const [at, by] of BOTH.entries()) {
      // Alice's commitment, with a child of hers, then of Bob's
      const pair = after(open(plan, outpoints[at]!), htlcUpdate(await node.height()));
      const closed = forceClose({ ...pair.alice.state, knownPreimages: PREIMAGES }, KEYS.alice);
      const { state, commitment } = closed;
      expect([closed.tx.version, commitment.actualFee]).toEqual([3, 0n]);
      const child = bumpCommitment(
        pair[by].state,
        identify(pair[by].state, closed.tx, () => []),
        await wallet(),
        perKw(5000n),
      );
      const tx = await finishedBy(by, child.plan, [closed.tx]);
      expect([tx.version, tx.ins[0]!.witness]).toEqual([3, []]);
      expect((child.plan.fee * 1000n) / BigInt(closed.tx.weight() + tx.weight())).toBeGreaterThanOrEqual(5000n);
      await ledger.mineNow("child in its commitment's block", [closed.tx, tx]);
      if (by === "bob") continue;
      for (const { htlcTx } of closed.htlcs) {
        const height = htlcTx.output.htlc.cltvExpiry;
        const bumped = bumpHtlcs(state, [htlcTx.outputIndex], { preimage: null, height }, await wallet(), perKw(5000n));
        const stage = await finishedBy("alice", bumped.plan, [commitment.unsigned]);
        expect([stage.version, stage.ins[0]!.sequence]).toEqual([3, 0]);
        if (htlcTx.kind === "htlc_success") await ledger.mineNow("version 3 HTLC transaction with fee inputs", [stage]);
      }
    }
  });

  test("the article's update, at feerate 0: both ways out at every stage, the cheat and the penalty", async () => {
    const plan: ChannelPlan = { type: "static_remotekey", feerate: 0n, fundingSat: 10_000_000n, pushSat: 0n, delays: { alice: 144, bob: 144 } };
    const [probe, ...outpoints] = await fundingOutputs(ledger, ++block, plan, 7);
    const steps = [...pay("alice", 2_000_000n), ...round("alice")];
    const probed = stages(open(plan, probe!), steps);
    interpreted += interpretClosings(probed);
    const distinct = closings(probed);
    expect(distinct).toHaveLength(4);
    for (const [at, { owner, stage }] of distinct.entries()) {
      await closeAndPlayOut(ledger, after(open(plan, outpoints[at]!), steps.slice(0, stage)), owner, "owner", []);
    }

    const [first, second] = outpoints.slice(distinct.length);
    const alice = open(plan, first!);
    const { root, penalty } = cheat(alice, after(alice, steps), "alice");
    const tx = penalty();
    expect(root.tx.outs.map(({ value }) => value)).toEqual([10_000_000n]);
    await ledger.playOut([root, { kind: "penalty", tx, parent: root, delay: 0 }]);

    // Bob's state 01 holds nothing of Bob's
    const bob = open(plan, second!);
    const nothing = cheat(bob, after(bob, steps), "bob");
    expect(refusal(nothing.penalty).code).toBe("state-nothing-to-punish");
    await ledger.playOut([nothing.root, ...nothing.toRemote]);
  });

  test("a channel funded by a wallet's PSBT: signed only when release-funding has given it out, mined, and left by force-close", async () => {
    const reward = await node.rewardOf(++block);
    const p = await parties(ANCHORS, "accepted");
    await runCommand("receive", [p.alice, join(p.wire, "0001-bob-accept_channel.json")]);
    const { document } = await runCommand("status", [p.alice]);
    const unsigned = new Psbt({ network: networks.regtest });
    const input = { script: WALLET_LOCK.scriptPubkey, value: reward.amount };
    unsigned.addInput({ hash: reward.txid, index: 0, sequence: SEQUENCE_RBF, witnessUtxo: input });
    unsigned.addOutput({ script: WALLET_LOCK.scriptPubkey, value: reward.amount - 10_010_000n });
    unsigned.addOutput({ address: document["funding_address"] as string, value: 10_000_000n });
    const file = join(p.dir, "funding.psbt");
    writeFileSync(file, unsigned.toBase64());

    const created = await send(p, "create-funding", [p.alice], { psbt: file });
    expect((await refusalOf(() => runCommand("release-funding", [p.alice]))).code).toBe("policy-funding-unverified");
    const signed = await send(p, "sign-funding", [p.bob, created]);
    const released = await runCommand("release-funding", [p.alice, signed]);
    const psbt = Psbt.fromBase64(released.document["psbt"] as string, { network: networks.regtest });
    psbt.signInput(0, { publicKey: publicKey(WALLET), sign: (hash) => signHash(bytes32(hash), WALLET) });
    const funding = psbt.finalizeAllInputs().extractTransaction();
    expect(funding.getId()).toBe(released.document["funding_txid"]);
    await ledger.mineNow("funding by PSBT", [funding]);

    const { document: closed } = await runCommand("force-close", [p.alice]);
    await ledger.mineNow("commitment", [Transaction.fromHex(closed["tx"] as string)]);
  });

  test("the counts", () => {
    const sum = (what: "mined" | "refusedEarly" | "refusedByScript") => [...ledger.tallies.values()].reduce((total, tally) => total + tally[what], 0);
    const lines = [...ledger.tallies].map(([kind, { mined, refusedEarly }]) => `${kind} ${mined}/${refusedEarly}`);
    console.info(
      `on ${name}: ${sum("mined")} transactions mined, ${sum("refusedEarly")} refused a block too early, ${sum("refusedByScript")} by their scripts ` +
        `(mined/early: ${lines.join(", ")}); ${interpreted} force-closes interpreted`,
    );
    // Each format's three updates: left in five ways, in two with the HTLCs claimed by the other side, and in two with a revoked commitment
    const formats = TYPES.length;
    const waiting = TYPES.filter((type) => FORMATS[type].oneBlockDelay === 1).length;
    expect(Object.fromEntries([...ledger.tallies].map(([kind, tally]) => [kind, Object.values(tally)]))).toEqual({
      // [mined, refused a block too early, refused by their scripts]
      funding: [4 * formats + 2 + 2 * waiting, 0, 0],
      "funding by PSBT": [1, 0, 0],
      "simple close": [formats, formats, 0],
      "negotiated close": [formats, 0, 0],
      commitment: [9 * formats + 7 + 2 * waiting, 0, 0],
      "child of a commitment": [2 * waiting, 0, 0],
      "htlc_timeout with fee inputs": [waiting, waiting, 0],
      "htlc_success with fee inputs": [waiting, waiting, 0],
      "sweep of HTLCs with fee inputs": triple(2 * waiting),
      "sweep of everything": triple(waiting),
      htlc_timeout: [2 * formats, 2 * formats, 0],
      htlc_success: [3 * formats, 3 * waiting, 0],
      "child in its commitment's block": [4, 0, 0],
      "version 3 HTLC transaction with fee inputs": [1, 0, 0],
      penalty: [2 * formats + 1, 0, 0],
      "sweep of to_local": triple(7 * formats + 3),
      "sweep of htlc_timeout": triple(2 * formats),
      "sweep of htlc_success": triple(3 * formats),
      "sweep of to_remote": [9 * formats + 4, 9 * waiting, 9 * waiting],
      claim_by_preimage: [2 * formats, 2 * waiting, 0],
      claim_by_expiry: triple(2 * formats),
    });
    expect(interpreted).toBe(34 * formats + 22);
  });
});
