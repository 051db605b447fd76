import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { type Bytes32, bytes32 } from "../../../src/protocol/bytes.js";
import { requireFunded } from "../../../src/protocol/channel/state.js";
import { type Proposal, propose, receiveChange } from "../../../src/protocol/channel/transitions/changes.js";
import { sign } from "../../../src/protocol/channel/transitions/commit.js";
import { msat } from "../../../src/protocol/units.js";
import { KEYS } from "../../chain/pair.js";
import { DirectChannel, letter, openBetween } from "../../model/channel.js";

const preimage = (at: number): Bytes32 => bytes32(new Uint8Array(32).fill(at));
const add = (sat: bigint, at = 1): Proposal => ({
  kind: "add_htlc",
  amountMsat: msat(sat * 1000n),
  paymentHash: bytes32(sha256(preimage(at))),
  cltvExpiry: 500,
  onionRoutingPacket: new Uint8Array(1366),
});

/** Alice has opened; the reserve of either is 1000 sat. */
function open(pushSat: bigint, feerate: bigint): DirectChannel {
  const party = {
    dustLimitSat: 354n,
    maxInFlightMsat: 100_000_000n,
    reserveSat: 1000n,
    htlcMinimumMsat: 1n,
    toSelfDelay: 144,
    maxAcceptedHtlcs: 483,
    maxDustExposureMsat: 50_000_000n,
  };
  const plan = { type: "static_remotekey", opener: "alice", fundingSat: 100_000n, pushSat, feerate, minFeerate: 253n, maxFeerate: 25_000n } as const;
  return new DirectChannel(openBetween({ ...plan, parties: { alice: party, bob: party } }));
}

describe("what crosses on the wire is no fault of either side's", () => {
  test("the accepter offers what it is just about to claim, and the opener goes on proposing", () => {
    const channel = open(2000n, 253n);
    channel.propose("alice", add(20_000n));
    for (const signer of ["alice", "bob"] as const) channel.commit(signer);
    // Bob has 2000 sat and claims 20000: from these he offers 15000 at once
    channel.propose("bob", { kind: "fulfill_htlc", id: 0n, paymentPreimage: preimage(1) });
    channel.propose("bob", add(15_000n, 2));
    channel.propose("alice", { kind: "pay", amountMsat: msat(1000n) });
    for (const signer of ["bob", "alice", "bob"] as const) channel.commit(signer);
    expect(channel.states.alice.fundings[0].local.current?.spec.htlcs).toHaveLength(1);
  });

  test("the opener pays all that it can while a signature with the other's HTLCs is on its way to it", () => {
    // Alice has 60000 sat: of these 3620 are the fee and 1000 the reserve. An HTLC of Bob's makes the commitment 860 sat dearer
    const channel = open(40_000n, 5000n);
    const { alice } = channel.states;
    channel.propose("bob", add(10_000n));
    const { state } = sign(channel.states.bob, KEYS.bob);
    const crossing = propose(alice, { kind: "pay", amountMsat: msat(55_380_000n) });
    const heard = requireFunded(receiveChange(requireFunded(state), letter(crossing.sent!)).state);
    expect(heard.changes.remote).toHaveLength(1);
    // Beyond that it is a fault whatever crosses
    const { message, seq } = letter(crossing.sent!);
    const more = letter({ message: { ...message, amountMsat: msat(55_380_001n) } as typeof message, seq });
    expect(() => receiveChange(state, more)).toThrow(expect.objectContaining({ code: "policy-reserve" }) as Error);
  });

  test("the accepter helps an opener out that what has crossed leaves short", () => {
    const channel = open(40_000n, 5000n);
    const crossing = propose(channel.states.alice, { kind: "pay", amountMsat: msat(55_380_000n) });
    // Two HTLCs make the commitment 1720 sat dearer, more than Alice's reserve of 1000 holds
    channel.states.alice = requireFunded(crossing.state);
    for (const at of [1, 2]) {
      const offer = propose(channel.states.bob, add(10_000n, at));
      channel.states.bob = requireFunded(offer.state);
      channel.states.alice = requireFunded(receiveChange(channel.states.alice, letter(offer.sent!)).state);
    }
    channel.states.bob = requireFunded(receiveChange(channel.states.bob, letter(crossing.sent!)).state);
    channel.commit("alice");
    const underpaid = expect.objectContaining({ code: "policy-commitment-underpaid" }) as Error;
    expect(() => sign(channel.states.bob, KEYS.bob)).toThrow(underpaid);

    expect(() => propose(channel.states.bob, add(2_000n, 3))).toThrow(expect.objectContaining({ code: "policy-fee-unaffordable" }) as Error);
    channel.propose("bob", { kind: "pay", amountMsat: msat(1_000_000n) });
    for (const signer of ["bob", "alice"] as const) channel.commit(signer);
    expect(channel.states.alice.fundings[0].local.current?.spec.htlcs).toHaveLength(2);
  });
});
