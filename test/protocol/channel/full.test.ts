import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test, vi } from "vitest";
import { type Bytes32, bytes32, equalBytes } from "../../../src/protocol/bytes.js";
import { identify } from "../../../src/protocol/channel/identify.js";
import { propose } from "../../../src/protocol/channel/transitions/changes.js";
import { finishHtlcTx, forceClose, punish } from "../../../src/protocol/channel/transitions/leave.js";
import type { ChannelType } from "../../../src/protocol/tx/channel-type.js";
import { isHtlcOutput } from "../../../src/protocol/tx/outputs.js";
import { msat, perKw } from "../../../src/protocol/units.js";
import { interpret } from "../../chain/interpreter.js";
import { BOTH, KEYS, type Who, other } from "../../chain/pair.js";
import { HOME } from "../../chain/spendings.js";
import { DirectChannel, openBetween } from "../../model/channel.js";

vi.setConfig({ testTimeout: 600_000 });

/** Most HTLCs that one side may have accepted. BOLT 2 §The `open_channel` Message. */
const EACH_WAY = 483;
/** The largest transaction that is relayed, in weight units. BOLT 5 §Penalty Transactions Weight Calculation. */
const MAX_STANDARD_WEIGHT = 400_000;
/** Every input of the penalty through the interpreter takes its time: of one format always, of all where this is set. */
const INTERPRET_ALL = process.env["CHANKIT_FULL_INTERPRET"] !== undefined;

const preimageOf = (who: Who, at: number): Bytes32 => bytes32(sha256(new TextEncoder().encode(`${who} ${at}`)));

function openFull(type: ChannelType): DirectChannel {
  const party = {
    dustLimitSat: 354n,
    maxInFlightMsat: 16_000_000_000n,
    reserveSat: 160_000n,
    htlcMinimumMsat: 1n,
    toSelfDelay: 144,
    maxAcceptedHtlcs: EACH_WAY,
    maxDustExposureMsat: 50_000_000n,
  };
  const amounts = { fundingSat: 16_000_000n, pushSat: 8_000_000n, feerate: 253n, minFeerate: 253n, maxFeerate: 25_000n };
  return new DirectChannel(openBetween({ type, opener: "alice", ...amounts, parties: { alice: party, bob: party } }));
}

describe("as many HTLCs as two sides can have: 483 each way", () => {
  test.each(["static_remotekey", "anchors"] as const)("%s: built, signed, verified, force-closed and punished in one transaction", (type) => {
    const channel = openFull(type);
    for (let at = 0; at < EACH_WAY; at++) {
      for (const who of BOTH) {
        const paymentHash = bytes32(sha256(preimageOf(who, at)));
        const amountMsat = msat(BigInt(5000 + at) * 1000n);
        const proposal = { kind: "add_htlc", amountMsat, paymentHash, cltvExpiry: 500 + at, onionRoutingPacket: new Uint8Array(1366) } as const;
        channel.propose(who, proposal);
      }
    }
    for (const who of BOTH) {
      const proposal = {
        kind: "add_htlc",
        amountMsat: msat(1n),
        paymentHash: bytes32(sha256(new Uint8Array(0))),
        cltvExpiry: 1,
        onionRoutingPacket: new Uint8Array(1366),
      } as const;
      expect(() => propose(channel.states[who], proposal)).toThrow(expect.objectContaining({ code: "policy-htlc-count" }) as Error);
    }
    // The third brings Bob's own to Bob's commitment
    for (const signer of ["alice", "bob", "alice"] as const) channel.commit(signer);
    expect(channel.largestMessage).toBeGreaterThan(64 * 2 * EACH_WAY);
    expect(channel.largestMessage).toBeLessThanOrEqual(65_535);

    const published = BOTH.map((cheater) => {
      const closed = forceClose(channel.states[cheater], KEYS[cheater]);
      const { commitment, tx } = closed;
      expect(commitment.outputs.filter(isHtlcOutput)).toHaveLength(2 * EACH_WAY);
      expect(closed.htlcs.filter(({ tx: signed }) => signed !== null)).toHaveLength(EACH_WAY);
      const { amount } = commitment.terms.funding;
      expect(interpret(tx.toHex(), [{ amount, scriptPubkey: commitment.fundingLock.scriptPubkey }])).toEqual({ kind: "accepted" });
      // Of the HTLC transactions every hundredth
      for (const [index, output] of commitment.outputs.entries()) {
        if (index % 100 !== 0 || !isHtlcOutput(output)) continue;
        const at = output.htlc.cltvExpiry - 500;
        const known = [preimageOf("alice", at), preimageOf("bob", at)].find((preimage) => equalBytes(sha256(preimage), output.htlc.paymentHash))!;
        const { tx: second } = finishHtlcTx(closed.state, KEYS[cheater], index, output.kind === "received_htlc" ? known : null, 1000);
        expect(interpret(second.toHex(), [{ amount: output.amount, scriptPubkey: output.lock.scriptPubkey }])).toEqual({ kind: "accepted" });
      }
      return { cheater, tx };
    });

    channel.propose("alice", { kind: "pay", amountMsat: msat(1n) });
    for (const signer of BOTH) channel.commit(signer);

    for (const { cheater, tx } of published) {
      const victim = other(cheater);
      const identity = identify(channel.states[victim], tx, (number) => channel.htlcsOf(victim, number));
      if (identity.kind !== "revoked") throw new Error(`${cheater}'s commitment is ${identity.kind}`);
      const spend = punish(channel.states[victim], KEYS[victim], identity, HOME, perKw(2500n));
      expect(spend.tx.ins).toHaveLength(2 * EACH_WAY + 1);
      expect(spend.tx.weight()).toBeLessThanOrEqual(MAX_STANDARD_WEIGHT);
      expect(Number(spend.feeWeight)).toBeLessThanOrEqual(MAX_STANDARD_WEIGHT);
      const taken = spend.tx.ins.reduce((sum, { index }) => sum + tx.outs[index]!.value, 0n);
      expect(spend.amount + spend.fee).toBe(taken);
      console.log(`966 HTLCs, ${type}: ${victim} punishes with ${spend.tx.ins.length} inputs, ${spend.tx.weight()} weight units`);
      if (!INTERPRET_ALL && (type !== "anchors" || cheater !== "alice")) continue;
      const coins = spend.tx.ins.map(({ index }) => ({ amount: tx.outs[index]!.value, scriptPubkey: tx.outs[index]!.script }));
      expect(interpret(spend.tx.toHex(), coins)).toEqual({ kind: "accepted" });
    }
  });
});
