import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { type Bytes32, bytes32, fromHex, txid } from "../../src/protocol/bytes.js";
import { type PartyKeys, basepointsOf, ownSecret } from "../../src/protocol/keys/party-keys.js";
import { publicKey } from "../../src/protocol/keys/derivation.js";
import type { CommitmentNumber } from "../../src/protocol/keys/shachain.js";
import { Secret32, type SecretRole } from "../../src/protocol/secret.js";
import { type Dual, SIDES, opposite } from "../../src/protocol/side.js";
import { type Commitment, type CommitmentTerms, buildCommitment } from "../../src/protocol/tx/commitment-tx.js";
import { type CommitmentFormat, FORMATS } from "../../src/protocol/tx/format.js";
import { CHANNEL_TYPES } from "../../src/protocol/tx/channel-type.js";
import type { CommitmentSpec, Htlc } from "../../src/protocol/tx/spec.js";
import { msat, perKw, sat } from "../../src/protocol/units.js";

/** A secret that follows from a name, so that a failing run can be run again. */
export function secretOf<Role extends SecretRole>(name: string): Secret32<Role> {
  return new Secret32<Role>(sha256(new TextEncoder().encode(name)));
}

export function partyOf(name: string): PartyKeys {
  return {
    fundingPrivkey: secretOf(`${name} funding`),
    revocationBasepointSecret: secretOf(`${name} revocation`),
    paymentBasepointSecret: secretOf(`${name} payment`),
    delayedPaymentBasepointSecret: secretOf(`${name} delayed`),
    htlcBasepointSecret: secretOf(`${name} htlc`),
    perCommitmentSeed: secretOf(`${name} seed`),
    perCommitmentSecrets: [],
  };
}

export const anyHash: fc.Arbitrary<Bytes32> = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes32(bytes));

/** A secret within the group's range: neither 0 nor near the order. */
export const anySecret: fc.Arbitrary<Secret32> = anyHash.map(
  (bytes) => new Secret32(Uint8Array.of((bytes[0] ?? 0) & 0x7f, ...bytes.subarray(1, 31), (bytes[31] ?? 0) | 1)),
);

/** Few hashes, amounts and expiries, many of them around the dust limits: HTLCs that look alike are the difficult ones. */
const anyHtlcs: fc.Arbitrary<readonly Htlc[]> = fc
  .array(
    fc.record({
      offeredBy: fc.constantFrom(...SIDES),
      amountMsat: fc.oneof(
        fc.bigInt(0n, 2_000_000n),
        fc.constantFrom(353_999n, 354_000n, 546_000n, 5_000_000n, 5_000_999n),
        fc.bigInt(0n, 10_000_000_000n),
      ),
      hash: fc.constantFrom(1, 2, 3),
      cltvExpiry: fc.oneof(fc.constantFrom(500, 501), fc.integer({ min: 0, max: 0xffffffff })),
    }),
    { maxLength: 8 },
  )
  .map((htlcs) =>
    htlcs.map(({ offeredBy, amountMsat, hash, cltvExpiry }, id) => ({
      id: BigInt(id),
      offeredBy,
      amountMsat: msat(amountMsat),
      paymentHash: bytes32(new Uint8Array(32).fill(hash)),
      cltvExpiry,
    })),
  );

const anyBalance = fc.oneof(fc.constantFrom(0n, 353_999n, 354_000n, 1_014_000n), fc.bigInt(0n, 30_000_000_000n));

export const anySpec: fc.Arbitrary<CommitmentSpec> = fc
  .record({ feerate: fc.oneof(fc.constantFrom(0n, 253n), fc.bigInt(0n, 50_000n)), local: anyBalance, remote: anyBalance, htlcs: anyHtlcs })
  .map(({ feerate, local, remote, htlcs }) => {
    // A channel's capacity is whole satoshis
    const total = htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, local + remote);
    return { feeratePerKw: perKw(feerate), balances: { local: msat(local), remote: msat(remote + ((1000n - (total % 1000n)) % 1000n)) }, htlcs };
  });

/** A commitment with everything that made it. */
export interface Channel {
  readonly keys: Dual<PartyKeys>;
  readonly terms: CommitmentTerms;
  readonly number: CommitmentNumber;
  /** Secret. */
  readonly perCommitmentSecret: Secret32<"per_commitment">;
  readonly commitment: Commitment;
}

const KEYS: Dual<PartyKeys> = { local: partyOf("alice"), remote: partyOf("bob") };

export const anyChannel: fc.Arbitrary<Channel> = fc
  .record({
    type: fc.constantFrom(...CHANNEL_TYPES),
    owner: fc.constantFrom(...SIDES),
    opener: fc.constantFrom(...SIDES),
    number: fc.oneof(fc.constantFrom(0, 1, 2 ** 48 - 1), fc.nat(2 ** 24)),
    dustLimit: fc.constantFrom(354n, 546n, 1000n),
    toSelfDelay: fc.constantFrom(1, 16, 17, 127, 128, 144, 32_767, 32_768, 65_535),
    outputIndex: fc.nat(65_535),
    spec: anySpec,
  })
  .map(({ type, owner, opener, number, dustLimit, toSelfDelay, outputIndex, spec }) => {
    const total = spec.htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, spec.balances.local + spec.balances.remote);
    const terms: CommitmentTerms = {
      format: FORMATS[type],
      owner,
      opener,
      basepoints: { local: basepointsOf(KEYS.local), remote: basepointsOf(KEYS.remote) },
      funding: { txid: FUNDING_TXID, outputIndex, amount: sat(total / 1000n) },
      dustLimit: sat(dustLimit),
      toSelfDelay,
    };
    const perCommitmentSecret = ownSecret(KEYS[owner], number);
    const commitment = buildCommitment(terms, number, publicKey(perCommitmentSecret), spec);
    return { keys: KEYS, terms, number, perCommitmentSecret, commitment };
  });

const FUNDING_TXID = txid(fromHex("bef67e4e2fb9ddeeb3461973cd4c62abb35050b1add772995b820b584a488489"));

/** One channel of each kind, with HTLCs of both directions and both balances. */
export function channelOf(type: CommitmentFormat["channelType"], owner: "local" | "remote" = "local"): Channel {
  const htlc = (id: number, offeredBy: "local" | "remote", amount: bigint): Htlc => ({
    id: BigInt(id),
    offeredBy,
    amountMsat: msat(amount),
    paymentHash: bytes32(new Uint8Array(32).fill(id + 1)),
    cltvExpiry: 800_000 + id,
  });
  const terms: CommitmentTerms = {
    format: FORMATS[type],
    owner,
    opener: "local",
    basepoints: { local: basepointsOf(KEYS.local), remote: basepointsOf(KEYS.remote) },
    funding: { txid: FUNDING_TXID, outputIndex: 1, amount: sat(10_000_000n) },
    dustLimit: sat(546n),
    toSelfDelay: 144,
  };
  const spec: CommitmentSpec = {
    feeratePerKw: perKw(2500n),
    balances: { local: msat(5_900_000_000n), remote: msat(4_000_000_000n) },
    htlcs: [htlc(0, "local", 30_000_000n), htlc(1, opposite("local"), 70_000_000n)],
  };
  const perCommitmentSecret = ownSecret(KEYS[owner], 7);
  return { keys: KEYS, terms, number: 7, perCommitmentSecret, commitment: buildCommitment(terms, 7, publicKey(perCommitmentSecret), spec) };
}

/** The same bytes with one bit flipped. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = (bit >> 3) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
