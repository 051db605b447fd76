import { sha256 } from "@noble/hashes/sha2.js";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Bytes32, type Signature, type Txid, bytes32, displayTxid, equalBytes, parseTxid, txid } from "../../../src/protocol/bytes.js";
import { identify } from "../../../src/protocol/channel/identify.js";
import { type ForceClose, finishHtlcTx, forceClose, punish, punishSeparately } from "../../../src/protocol/channel/transitions/leave.js";
import { deriveSecret, publicKey } from "../../../src/protocol/keys/derivation.js";
import { basepointsOf, requireSecret } from "../../../src/protocol/keys/party-keys.js";
import { p2wpkh, witnessSignature } from "../../../src/protocol/script/assemble.js";
import { htlcTxWitness } from "../../../src/protocol/script/htlc.js";
import { CHANNEL_TYPES, type ChannelType } from "../../../src/protocol/tx/channel-type.js";
import { FORMATS, SIGHASH_ALL } from "../../../src/protocol/tx/format.js";
import type { HtlcTx } from "../../../src/protocol/tx/htlc-tx.js";
import { isHtlcOutput } from "../../../src/protocol/tx/outputs.js";
import { sighash, signHash, withWitnesses } from "../../../src/protocol/tx/sign.js";
import { SEQUENCE_RBF } from "../../../src/protocol/tx/spend.js";
import { msat, perKw, sat } from "../../../src/protocol/units.js";
import { interpret } from "../../chain/interpreter.js";
import { type Ledger, ledgerOn } from "../../chain/ledger.js";
import { BOTH, KEYS, type Who, other } from "../../chain/pair.js";
import { NODES, type RegtestNode } from "../../chain/regtest-node.js";
import { HOME } from "../../chain/spendings.js";
import { DirectChannel, openBetween } from "../../model/channel.js";
import { secretOf } from "../channels.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const WALLET = secretOf("wallet");
const WALLET_LOCK = p2wpkh(publicKey(WALLET));
const RATE = perKw(253n);
const FUNDING_SAT = 2_000_000n;
const TEN = Array.from({ length: 10 }, (_, at) => at);
/** Where every rule is in force on bcoin's regtest; see mined.test.ts. */
const ALL_RULES_HEIGHT = 1351;

const preimageOf = (who: Who, at: number): Bytes32 => bytes32(sha256(new TextEncoder().encode(`${who} ${at}`)));
const ALL_PREIMAGES = BOTH.flatMap((who) => TEN.map((at) => preimageOf(who, at)));

/** Ten HTLCs of each side's: two that are trimmed in every format, two that are alike, two at the border, the others plain. */
function amountOf(type: ChannelType, at: number): bigint {
  const success = FORMATS[type].htlcSuccessFeeWeight === 0n ? 354n : 354n + (type === "anchor_outputs" ? 706n : 703n);
  return [300n, 353n, 9000n, 9000n, success - 1n, success, 20_000n, 30_000n, 40_000n, 50_000n][at]!;
}

/** A commitment of the cheater's with 20 HTLCs that is revoked, complete. */
interface Revoked {
  readonly channel: DirectChannel;
  readonly cheater: Who;
  readonly closed: ForceClose;
}

function revoke(type: ChannelType, cheater: Who, outpoint: Outpoint): Revoked {
  const party = {
    dustLimitSat: 354n,
    maxInFlightMsat: FUNDING_SAT * 1000n,
    reserveSat: 20_000n,
    htlcMinimumMsat: 1n,
    toSelfDelay: 144,
    maxAcceptedHtlcs: FORMATS[type].maxAcceptedHtlcs,
    maxDustExposureMsat: 50_000_000n,
  };
  const feerate = FORMATS[type].hasFeerate ? 1000n : 0n;
  const amounts = { fundingSat: FUNDING_SAT, pushSat: 900_000n, feerate, minFeerate: 253n, maxFeerate: 25_000n };
  const channel = new DirectChannel(openBetween({ type, opener: "alice", ...amounts, parties: { alice: party, bob: party } }, outpoint));
  for (const at of TEN) {
    for (const who of BOTH) {
      // The two that are alike have one preimage
      const paymentHash = bytes32(sha256(preimageOf(who, at === 3 ? 2 : at)));
      const cltvExpiry = at === 3 ? 502 : 500 + at;
      channel.propose(who, {
        kind: "add_htlc",
        amountMsat: msat(amountOf(type, at) * 1000n + 1n),
        paymentHash,
        cltvExpiry,
        onionRoutingPacket: new Uint8Array(1366),
      });
    }
  }
  for (const signer of [other(cheater), cheater, other(cheater)]) channel.commit(signer);
  const closed = forceClose(channel.states[cheater], KEYS[cheater]);
  expect(closed.commitment.spec.htlcs).toHaveLength(20);
  channel.propose("alice", { kind: "pay", amountMsat: msat(1000n) });
  for (const signer of BOTH) channel.commit(signer);
  return { channel, cheater, closed };
}

interface Outpoint {
  readonly txid: Txid;
  readonly outputIndex: number;
}

/** Funding outputs of one format, in the chain. */
async function fund(ledger: Ledger, block: number, type: ChannelType, count: number): Promise<readonly Outpoint[]> {
  const reward = await ledger.node.rewardOf(block);
  const { scriptPubkey } = FORMATS[type].funding(basepointsOf(KEYS.alice).fundingPubkey, basepointsOf(KEYS.bob).fundingPubkey);
  const unsigned = new Transaction();
  unsigned.version = 2;
  unsigned.addInput(parseTxid(reward.txid), 0, SEQUENCE_RBF);
  for (let made = 0; made < count; made++) unsigned.addOutput(scriptPubkey, FUNDING_SAT);
  const signature = signHash(sighash(unsigned, 0, { lock: WALLET_LOCK, amount: sat(reward.amount) }, SIGHASH_ALL), WALLET);
  const tx = withWitnesses(unsigned, [[witnessSignature(signature, SIGHASH_ALL), publicKey(WALLET)]]);
  await ledger.mineNow("funding", [tx]);
  return Array.from({ length: count }, (_, outputIndex) => ({ txid: txid(tx.getHash()), outputIndex }));
}

/** The cheater's HTLC transaction of one output, with the preimage where it needs one. */
function secondLevel({ closed, cheater }: Revoked, outputIndex: number): { readonly htlcTx: HtlcTx; readonly tx: Transaction } {
  const output = closed.commitment.outputs[outputIndex]!;
  if (!isHtlcOutput(output)) throw new Error("no HTLC");
  const preimage = ALL_PREIMAGES.find((candidate) => equalBytes(sha256(candidate), output.htlc.paymentHash))!;
  return finishHtlcTx(closed.state, KEYS[cheater], outputIndex, output.kind === "received_htlc" ? preimage : null, 600);
}

/** Two HTLC-successes in one transaction, as anchors allow: each of the peer's signatures covers its input and the output beside it. */
function together({ closed, cheater }: Revoked, indexes: readonly number[]): Transaction {
  const { commitment, state } = closed;
  const { htlcSignatures } = state.fundings[0].local.current!;
  const parts = indexes.map((index) => secondLevel({ closed, cheater, channel: null as never }, index));
  const merged = new Transaction();
  merged.version = 2;
  for (const { htlcTx } of parts) merged.addInput(commitment.txid, htlcTx.outputIndex, htlcTx.unsigned.ins[0]!.sequence);
  for (const { htlcTx } of parts) merged.addOutput(htlcTx.lock.scriptPubkey, htlcTx.amount);
  const secret = deriveSecret<"htlc">(requireSecret(KEYS[cheater], "htlcBasepointSecret"), commitment.keys.perCommitmentPoint);
  const untrimmed = commitment.outputs.flatMap((output, index) => (isHtlcOutput(output) ? [index] : []));
  const witnesses = parts.map(({ htlcTx: { output, outputIndex } }, input) => {
    const theirs: Signature = htlcSignatures[untrimmed.indexOf(outputIndex)]!;
    const preimage = ALL_PREIMAGES.find((candidate) => equalBytes(sha256(candidate), output.htlc.paymentHash))!;
    if (output.lock.kind !== "p2wsh") throw new Error("not P2WSH");
    return htlcTxWitness(
      output.lock.witnessScript,
      witnessSignature(theirs, commitment.terms.format.htlcSighash),
      witnessSignature(signHash(sighash(merged, input, output, SIGHASH_ALL), secret), SIGHASH_ALL),
      preimage,
    );
  });
  return withWitnesses(merged, witnesses);
}

let interpreted = 0;

function accept(tx: Transaction, parents: readonly Transaction[]): void {
  const coins = tx.ins.map(({ hash, index }) => {
    const parent = parents.find((candidate) => equalBytes(candidate.getHash(), hash))!;
    return { amount: parent.outs[index]!.value, scriptPubkey: parent.outs[index]!.script };
  });
  expect(interpret(tx.toHex(), coins), displayTxid(txid(tx.getHash()))).toEqual({ kind: "accepted" });
  interpreted += 1;
}

describe.each(NODES)("a revoked commitment with 20 HTLCs, some trimmed, is punished completely, on %s", (_, start) => {
  let node: RegtestNode;
  let ledger: Ledger;

  beforeAll(async () => {
    node = await start(WALLET_LOCK.scriptPubkey);
    await node.advance(ALL_RULES_HEIGHT);
    ledger = ledgerOn(node);
  });
  afterAll(async () => {
    const mined = [...ledger.tallies].map(([kind, { mined: count }]) => `${kind} ${count}`).join(", ");
    console.log(`20 HTLCs: ${interpreted} transactions interpreted, mined: ${mined}`);
    await node.stop();
  });

  test.each(CHANNEL_TYPES.flatMap((type, at) => BOTH.map((cheater, second) => [type, cheater, 2 + 2 * at + second] as const)))(
    "%s, %s cheats",
    async (type, cheater, block) => {
      const [whole, single, moved, movedSingle] = (await fund(ledger, block, type, 4)).map((outpoint) => revoke(type, cheater, outpoint));
      const victim = other(cheater);

      const punished = async (revoked: Revoked, separate: boolean, secondStage: readonly Transaction[]): Promise<void> => {
        const { channel, closed } = revoked;
        const { tx, commitment } = closed;
        const state = channel.states[victim];
        const identity = identify(state, tx, (number) => channel.htlcsOf(victim, number));
        if (identity.kind !== "revoked") throw new Error(`${identity.kind}, not revoked`);
        const untrimmed = commitment.outputs.filter(isHtlcOutput);
        expect(untrimmed.length).toBeLessThanOrEqual(16);
        expect(untrimmed.length).toBeGreaterThanOrEqual(12);
        const spends = separate
          ? punishSeparately(state, KEYS[victim], identity, HOME, RATE, secondStage).spends
          : [punish(state, KEYS[victim], identity, HOME, RATE, secondStage)];
        // Every output of the cheater's, or what it was moved to, is taken once
        const spentFirst = secondStage.flatMap(({ ins }) => ins.map(({ index }) => index));
        const due = commitment.outputs.flatMap(({ kind }, index) =>
          (kind === "to_local" || kind.endsWith("_htlc")) && !spentFirst.includes(index) ? [`${tx.getId()}:${index}`] : [],
        );
        const dueThere = secondStage.flatMap((second) => second.outs.map((_output, index) => `${second.getId()}:${index}`));
        const taken = spends.flatMap(({ tx: { ins } }) => ins.map(({ hash, index }) => `${displayTxid(txid(hash))}:${index}`));
        const uneconomical = separate ? punishSeparately(state, KEYS[victim], identity, HOME, RATE, secondStage).uneconomical : [];
        const left = uneconomical.map((claim) => `${displayTxid(claim.txid)}:${claim.outputIndex}`);
        expect([...taken, ...left].sort()).toEqual([...due, ...dueThere].sort());
        for (const { amount } of uneconomical) expect(Number(amount)).toBeLessThan(500);
        for (const { tx: penalty } of spends) accept(penalty, [tx, ...secondStage]);

        await ledger.mineNow("revoked commitment", [tx]);
        if (secondStage.length > 0) {
          const batch = punish(state, KEYS[victim], identity, HOME, RATE).tx;
          await ledger.mineNow("second level", secondStage);
          // What takes the outputs that are gone is spoiled
          await ledger.expectRefused("penalty", [batch], /missing|spent/i);
        }
        await ledger.mineNow(
          separate ? "separate penalty" : "penalty",
          spends.map(({ tx: penalty }) => penalty),
        );
      };

      accept(whole!.closed.tx, [fundingStub(whole!)]);
      await punished(whole!, false, []);
      await punished(single!, true, []);
      for (const [revoked, separate] of [
        [moved!, false],
        [movedSingle!, true],
      ] as const) {
        const { outputs } = revoked.closed.commitment;
        const indexes = (kind: string) => outputs.flatMap((output, index) => (output.kind === kind ? [index] : []));
        const timeouts = indexes("offered_htlc").slice(1, 4);
        const [first, second, third] = indexes("received_htlc");
        const joint = FORMATS[type].oneBlockDelay === 1 ? [together(revoked, [second!, third!])] : [secondLevel(revoked, second!).tx];
        const secondStage = [...timeouts.map((index) => secondLevel(revoked, index).tx), secondLevel(revoked, first!).tx, ...joint];
        for (const tx of secondStage) accept(tx, [revoked.closed.tx]);
        await punished(revoked, separate, secondStage);
      }
    },
  );
});

/** A transaction in the place of the funding, with the same output. */
function fundingStub({ closed: { commitment } }: Revoked): Transaction {
  const { txid: id, outputIndex, amount } = commitment.terms.funding;
  const outs: { value: bigint; script: Uint8Array }[] = [];
  outs[outputIndex] = { value: amount, script: commitment.fundingLock.scriptPubkey };
  return { getHash: () => id, outs } as unknown as Transaction;
}
