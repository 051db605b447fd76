import { sha256 } from "@noble/hashes/sha2.js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { printChannel, readChannel } from "../../../src/json/channel-file.js";
import { type Bytes32, bytes32, concat } from "../../../src/protocol/bytes.js";
import { type FundedChannel, requireFunded } from "../../../src/protocol/channel/state.js";
import { type Proposal, propose, receiveChange } from "../../../src/protocol/channel/transitions/changes.js";
import { type Ecc, ecc, useEcc } from "../../../src/protocol/ecc.js";
import { msat, perKw } from "../../../src/protocol/units.js";
import { BOTH, type Who, other } from "../../chain/pair.js";
import { DirectChannel, openBetween } from "../../model/channel.js";

vi.setConfig({ testTimeout: 3_600_000 });

const UPDATES = Number(process.env["CHANKIT_FLAT_UPDATES"] ?? 1200);
const SAMPLES = 10;

let calls = 0;
const counted = (...parts: readonly Uint8Array[]): Uint8Array => {
  calls += 1;
  return sha256(concat(...parts));
};
const pointOf = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.of(2, ...counted(...parts));

/** No curve, only something of the same shape that costs little: the question here is what a state holds and how much work a step is. */
const STAND_IN: Ecc = {
  name: "wasm",
  isPoint: () => true,
  isSecret: () => true,
  pointFromSecret: (secret) => pointOf(secret),
  pointAdd: (a, b) => pointOf(a, b),
  pointMultiply: (point, scalar) => pointOf(point, scalar),
  pointAddScalar: (point, scalar) => pointOf(point, scalar),
  secretAdd: (a, b) => counted(a, b),
  sign: (hash, secret) => concat(counted(hash, secret), Uint8Array.of(1), new Uint8Array(31).fill(1)),
  verify: (hash) => counted(hash).length > 0,
};

const preimageOf = (at: number): Bytes32 => bytes32(sha256(new TextEncoder().encode(`flat ${at}`)));

/** Six updates, after which the channel is as it was but for its numbers: HTLCs both ways, ended in two ways, a payment and two fee changes. */
function cycle(at: number): readonly (readonly [Who, Proposal])[] {
  const adds = BOTH.map((who, side): readonly [Who, Proposal] => {
    const paymentHash = bytes32(sha256(preimageOf(2 * at + side)));
    return [who, { kind: "add_htlc", amountMsat: msat(10_000_000n), paymentHash, cltvExpiry: 500, onionRoutingPacket: new Uint8Array(1366) }];
  });
  const id = BigInt(at);
  return [
    ...adds,
    ["alice", { kind: "update_fee", feeratePerKw: perKw(at % 2 === 0 ? 2000n : 1000n) }],
    ["bob", { kind: "fulfill_htlc", id, paymentPreimage: preimageOf(2 * at) }],
    ["alice", { kind: "fail_htlc", id, failure: { kind: "reason", reason: new Uint8Array(0) } }],
    ["bob", { kind: "pay", amountMsat: msat(10_000_000n) }],
  ];
}
const CYCLE = 6;

/** What a state weighs in its file, the digits of its numbers and the secrets of revoked commitments left out: of these there are 49 at most. */
function weigh(state: FundedChannel) {
  const { remote_secrets: secrets, ...rest } = printChannel(state) as { readonly remote_secrets: readonly unknown[] };
  const text = JSON.stringify({ ...rest, remote_secrets: [] });
  const { messages, changes, knownPreimages, ownPoints } = state;
  return {
    bytes: text.replace(/(?<=[:[,]"?)\d{1,19}(?="?[,}\]])/g, "0").length,
    outbox: messages.outbox.length,
    recentlyReceived: messages.recentlyReceived.length,
    requests: messages.requests.length,
    changes: changes.local.length + changes.remote.length,
    knownPreimages: knownPreimages.length,
    ownPoints: ownPoints.length,
    secretsBounded: secrets.length <= 49,
  };
}

describe("an update costs the same however many came before it", () => {
  let real: Ecc;
  beforeAll(() => {
    real = ecc();
    useEcc(STAND_IN);
  });
  afterAll(() => {
    useEcc(real);
  });

  test(`${UPDATES} updates with HTLCs: work, size of channel.json and every collection in it`, () => {
    const party = {
      dustLimitSat: 354n,
      maxInFlightMsat: 10_000_000_000n,
      reserveSat: 100_000n,
      htlcMinimumMsat: 1n,
      toSelfDelay: 144,
      maxAcceptedHtlcs: 483,
      maxDustExposureMsat: 50_000_000n,
    };
    const amounts = { fundingSat: 10_000_000n, pushSat: 5_000_000n, feerate: 1000n, minFeerate: 253n, maxFeerate: 25_000n };
    const channel = new DirectChannel(openBetween({ type: "anchors", opener: "alice", ...amounts, parties: { alice: party, bob: party } }));
    const cycles = Math.ceil(UPDATES / CYCLE);
    // As many cycles as the lists of remembered messages and requests take to be full
    const first = 40;
    const every = Math.max(2, Math.floor((cycles - first) / SAMPLES / 2) * 2);
    const samples: { readonly alice: object; readonly bob: object; readonly calls: number }[] = [];
    const times: number[] = [];
    let since = performance.now();
    for (let at = 0; at < cycles; at++) {
      calls = 0;
      for (const [index, [who, proposal]] of cycle(at).entries()) {
        const id = `request ${String(at).padStart(9, "0")} ${index}`;
        channel.say(who, (state) => propose(state, proposal, index % 2 === 0 ? id : undefined), receiveChange);
        for (const signer of [who, other(who)]) channel.commit(signer);
      }
      if (at < first || (at - first) % every !== 0) continue;
      const { alice, bob } = channel.states;
      samples.push({ alice: weigh(alice), bob: weigh(bob), calls });
      times.push((performance.now() - since) / ((at === first ? first : every) * CYCLE));
      since = performance.now();
      // And a new process goes on from what is in the file
      for (const who of BOTH) channel.states[who] = requireFunded(readChannel(printChannel(channel.states[who]), who));
    }
    const whole = BOTH.map((who) => JSON.stringify(printChannel(channel.states[who])).length);
    console.log(
      `flat: ${cycles * CYCLE} updates, ms an update ${times.map((ms) => ms.toFixed(2)).join(" ")}, bytes at the end ${whole.join(" and ")}, ${JSON.stringify(samples[0])}`,
    );
    expect(samples.length).toBeGreaterThan(SAMPLES / 2);
    for (const sample of samples) expect(sample).toEqual(samples[0]);
    expect(samples[0]).toMatchObject({ alice: { recentlyReceived: 32, requests: 64, secretsBounded: true, knownPreimages: 0 } });
  });
});
