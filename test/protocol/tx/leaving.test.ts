import { sha256 } from "@noble/hashes/sha2.js";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { type Bytes32, bytes32, equalBytes, toHex, txid } from "../../../src/protocol/bytes.js";
import { deriveSecret, publicKey } from "../../../src/protocol/keys/derivation.js";
import { basepointsOf } from "../../../src/protocol/keys/party-keys.js";
import { type Lock, p2wpkh } from "../../../src/protocol/script/assemble.js";
import { STANDARD_FLAGS } from "../../../src/protocol/script/interpreter/flags.js";
import { verifyTransaction } from "../../../src/protocol/script/interpreter/verify.js";
import { type Side, opposite } from "../../../src/protocol/side.js";
import { planAnchorBump, planHtlcBump } from "../../../src/protocol/tx/bump.js";
import { CHANNEL_TYPES, type ChannelType } from "../../../src/protocol/tx/channel-type.js";
import { buildCommitment } from "../../../src/protocol/tx/commitment-tx.js";
import { SIGHASH_SINGLE_ANYONECANPAY } from "../../../src/protocol/tx/format.js";
import { type HtlcTx, buildHtlcTxs } from "../../../src/protocol/tx/htlc-tx.js";
import { commitmentWeightAtMost, htlcInput, planCommitment, planHtlcTx } from "../../../src/protocol/tx/owner-plan.js";
import { penaltyClaims, secondStagePenaltyClaims } from "../../../src/protocol/tx/penalty-tx.js";
import { type OwnInput, isOwn, signInput, signInputs, signPlan, withLargestWitnesses } from "../../../src/protocol/tx/plan.js";
import {
  LOW_R,
  completeCommitment,
  completeHtlcTx,
  htlcSighash,
  signCommitment,
  signHashLowR,
  signHtlcTx,
  signHtlcTxs,
  txWeight,
  verifyHtlcSignatures,
  withWitnesses,
} from "../../../src/protocol/tx/sign.js";
import { type Claim, claimWeight, planSpend, spendClaims } from "../../../src/protocol/tx/spend.js";
import {
  ANCHOR_ANYONE_BLOCKS,
  anchorClaims,
  htlcTxClaim,
  remoteHtlcClaims,
  toLocalClaims,
  toRemoteClaims,
} from "../../../src/protocol/tx/sweep-tx.js";
import { walletInput } from "../../../src/protocol/tx/wallet.js";
import { msat, perKw, sat } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { type Channel, channelOf, secretOf } from "../channels.js";

const HOME = p2wpkh(publicKey(secretOf("home"))).scriptPubkey;
const PREIMAGES = [1, 2, 3, 4].map((byte) => bytes32(new Uint8Array(32).fill(byte)));
const RATE = perKw(2500n);

const preimageOf = (hash: Bytes32): Bytes32 | null => PREIMAGES.find((preimage) => equalBytes(sha256(preimage), hash)) ?? null;

/** The owner's commitment with two HTLCs in each direction, whose preimages are known. */
function channel(type: ChannelType): Channel {
  const { terms, number, commitment, ...rest } = channelOf(type);
  const htlcs = PREIMAGES.map((preimage, at) => ({
    id: BigInt(at),
    offeredBy: at % 2 === 0 ? terms.owner : opposite(terms.owner),
    amountMsat: msat(BigInt(at + 3) * 10_000_000n),
    paymentHash: bytes32(sha256(preimage)),
    cltvExpiry: 800_000 + at,
  }));
  const held = htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, 0n);
  const balances = { local: msat(6_000_000_000n), remote: msat(4_000_000_000n - held) };
  const feeratePerKw = type === "zero_fee_commitments" ? perKw(0n) : RATE;
  return {
    ...rest,
    terms,
    number,
    commitment: buildCommitment(terms, number, commitment.keys.perCommitmentPoint, { feeratePerKw, balances, htlcs }),
  };
}

interface Spent {
  readonly amount: bigint;
  readonly lock: Lock;
}

/** What a node's script interpreter says of each input: "ok", or its error. */
function verdicts(tx: Transaction, spent: readonly Spent[]): readonly string[] {
  const outputs = spent.map(({ lock, amount }) => ({ script: lock.scriptPubkey, amount }));
  return verifyTransaction(tx, outputs, STANDARD_FLAGS).map((verdict) => (verdict.ok ? "ok" : verdict.error));
}

/** What can be taken of a commitment. */
const CLAIMS = [
  "to_local",
  "own anchor",
  "outputs of HTLC transactions",
  "to_remote",
  "HTLC outputs",
  "own anchor in the peer's commitment",
  "revoked outputs",
  "revoked outputs of HTLC transactions",
] as const;

/** By whose keys, and how. */
function everyClaim({
  commitment,
  keys,
  terms,
  perCommitmentSecret,
}: Channel): Readonly<Record<(typeof CLAIMS)[number], readonly [Side, readonly Claim[]]>> {
  const { owner } = terms;
  const [own, theirs] = [basepointsOf(keys[owner]), basepointsOf(keys[opposite(owner)])];
  const htlcTxs = buildHtlcTxs(commitment);
  return {
    to_local: [owner, toLocalClaims(commitment, terms.toSelfDelay, own)],
    "own anchor": [owner, anchorClaims(commitment, own, "to_local_anchor")],
    "outputs of HTLC transactions": [owner, htlcTxs.map((htlcTx) => htlcTxClaim(htlcTx, own))],
    to_remote: [opposite(owner), toRemoteClaims(commitment, terms.format, theirs)],
    "HTLC outputs": [opposite(owner), remoteHtlcClaims(commitment, terms.format, theirs, preimageOf)],
    "own anchor in the peer's commitment": [opposite(owner), anchorClaims(commitment, theirs, "to_remote_anchor")],
    "revoked outputs": [opposite(owner), penaltyClaims(commitment, theirs, perCommitmentSecret)],
    "revoked outputs of HTLC transactions": [
      opposite(owner),
      htlcTxs.flatMap(({ unsigned, lock }) => secondStagePenaltyClaims(unsigned, commitment, lock, theirs, perCommitmentSecret)),
    ],
  };
}

/** A claim that may be taken a block too early, and how the chain says no. */
function tooEarly(claim: Claim): Claim | null {
  if (claim.locktime !== undefined) return { ...claim, locktime: claim.locktime - 1 };
  return claim.sequence < 0x80000000 && claim.sequence > 0 ? { ...claim, sequence: claim.sequence - 1 } : null;
}

describe.each(CHANNEL_TYPES)("of a %s channel", (type) => {
  const all = channel(type);
  const { commitment, keys, terms } = all;
  const { owner, format } = terms;
  const countersigner = opposite(owner);
  const htlcTxs = buildHtlcTxs(commitment);
  const countersignatures = signHtlcTxs(commitment, htlcTxs, keys[countersigner].htlcBasepointSecret!);
  const own = basepointsOf(keys[owner]);
  const isSuccess = ({ kind }: HtlcTx) => kind === "htlc_success";
  const preimageFor = (htlcTx: HtlcTx) => (isSuccess(htlcTx) ? preimageOf(htlcTx.output.htlc.paymentHash) : null);

  test("the commitment opens the funding output, by the plan and from both signatures", () => {
    const [ownerSignature, theirs] = [owner, countersigner].map((side) => signCommitment(commitment, keys[side].fundingPrivkey!));
    const tx = signPlan(planCommitment(commitment, theirs!), keys[owner]);
    expect(verdicts(tx, [{ amount: terms.funding.amount, lock: commitment.fundingLock }])).toEqual(["ok"]);
    expect(completeCommitment(commitment, ownerSignature!, theirs!).toHex()).toBe(tx.toHex());
    expect(commitmentWeightAtMost(commitment) - txWeight(tx)).toBeLessThanOrEqual(2n);
    expect(commitmentWeightAtMost(commitment)).toBeGreaterThanOrEqual(txWeight(tx));
  });

  test("every HTLC transaction opens its output, the success ones by their preimage alone", () => {
    expect(htlcTxs.map(({ kind }) => kind).sort()).toEqual(["htlc_success", "htlc_success", "htlc_timeout", "htlc_timeout"]);
    expect(verifyHtlcSignatures(htlcTxs, countersignatures)).toEqual([true, true, true, true]);
    expect(verifyHtlcSignatures(htlcTxs, [...countersignatures].reverse())).toEqual([false, false, false, false]);
    for (const [at, htlcTx] of htlcTxs.entries()) {
      const plan = planHtlcTx(htlcTx, own, countersignatures[at]!, preimageFor(htlcTx));
      const tx = signPlan(plan, keys[owner]);
      expect(verdicts(tx, [htlcTx.output])).toEqual(["ok"]);
      const ownerSignature = signHtlcTx(htlcTx, "owner", keys[owner].htlcBasepointSecret!);
      expect(completeHtlcTx(htlcTx, ownerSignature, countersignatures[at]!, preimageFor(htlcTx)).toHex()).toBe(tx.toHex());
      const other = isSuccess(htlcTx) ? null : PREIMAGES[0]!;
      expect(verdicts(completeHtlcTx(htlcTx, ownerSignature, countersignatures[at]!, other), [htlcTx.output])).not.toEqual(["ok"]);
      expect(htlcInput(htlcTx, own, countersignatures[at]!, preimageFor(htlcTx)).preimage).toEqual(preimageFor(htlcTx) ?? undefined);
    }
  });

  test.each(CLAIMS)("%s, by who may, and not a block too early", (kind) => {
    const [side, claims] = everyClaim(all)[kind];
    expect(claims.length > 0).toBe(
      !kind.includes("anchor") ||
        format.anchors(commitment.keys, { toLocal: true, toRemote: true, untrimmedHtlcs: true, left: sat(0n) }).length === 2,
    );
    for (const claim of claims) {
      const cosy = claim.amount > 1000n ? [claim] : [claim, ...toLocalClaims(commitment, terms.toSelfDelay, own)];
      const signers = cosy.length === 1 ? keys[side] : { ...keys[side], delayedPaymentBasepointSecret: keys[owner].delayedPaymentBasepointSecret! };
      const { tx, fee, amount } = spendClaims(cosy, signers, HOME, RATE, format.txVersion);
      expect(verdicts(tx, cosy)).toEqual(cosy.map(() => "ok"));
      expect(tx.outs.map(({ value, script }) => [value, toHex(script)])).toEqual([[amount, toHex(HOME)]]);
      expect(fee + amount).toBe(cosy.reduce((sum, each) => sum + each.amount, 0n));
      expect([tx.version, tx.locktime]).toEqual([format.txVersion, claim.locktime ?? 0]);
      const early = tooEarly(claim);
      if (early !== null && cosy.length === 1)
        expect(verdicts(spendClaims([early], signers, HOME, RATE, format.txVersion).tx, [early])).toEqual(["UNSATISFIED_LOCKTIME"]);
    }
  });

  test("HTLC outputs: an offered one by its preimage only, and each with what opens it named", () => {
    const theirs = basepointsOf(keys[countersigner]);
    const claims = remoteHtlcClaims(commitment, format, theirs, preimageOf);
    const known = claims.map(({ preimage, locktime }) => [preimage === undefined ? null : toHex(preimage), locktime ?? null]);
    const expected = commitment.outputs.flatMap((output): unknown[] => {
      if (output.kind === "offered_htlc") return [[toHex(preimageOf(output.htlc.paymentHash)!), null]];
      return output.kind === "received_htlc" ? [[null, output.htlc.cltvExpiry]] : [];
    });
    expect(known).toEqual(expected);
    expect(remoteHtlcClaims(commitment, format, theirs, () => null)).toHaveLength(2);
    expect(remoteHtlcClaims({ ...commitment, outputs: commitment.outputs.map(() => null) }, format, theirs, preimageOf)).toEqual([]);
  });

  test("the latest expiry is the locktime of what takes several, and a claim's weight is what it adds", () => {
    const claims = remoteHtlcClaims(commitment, format, basepointsOf(keys[countersigner]), preimageOf);
    expect(planSpend(claims, HOME, RATE, format.txVersion).unsigned.locktime).toBe(800_003);
    const weightOf = (some: readonly Claim[]) => planSpend(some, HOME, RATE, format.txVersion).feeWeight;
    for (const [at, claim] of claims.entries())
      expect(weightOf(claims) - weightOf(claims.filter((_, other) => other !== at))).toBe(claimWeight(claim));
  });

  test("an anchor of the peer's is anyone's 16 blocks later, without a signature", () => {
    const claims = anchorClaims(commitment, own, "to_local_anchor").filter(({ signer }) => signer === null);
    if (format.anchors(commitment.keys, { toLocal: true, toRemote: true, untrimmedHtlcs: true, left: sat(0n) }).length < 2) {
      expect(claims.every((claim) => claim.witness(countersignatures[0]!).length === 0)).toBe(true);
      return;
    }
    expect(claims.map(({ sequence }) => sequence)).toEqual([ANCHOR_ANYONE_BLOCKS]);
    expect(signInput({ unsigned: commitment.unsigned }, 0, claims[0]!, keys[owner])).toBeNull();
  });

  const coin = (outputIndex: number, amount = 10_000_000n) => ({
    txid: txid(new Uint8Array(32).fill(5)),
    outputIndex,
    ...walletInput(sat(amount), HOME),
  });

  test("HTLC transactions in one, each output beside its input, where the peer's signature allows it", () => {
    const parts = htlcTxs.flatMap((htlcTx, at) =>
      isSuccess(htlcTx) ? [{ htlcTx, input: htlcInput(htlcTx, own, countersignatures[at]!, preimageFor(htlcTx)) }] : [],
    );
    const plan = () => planHtlcBump(parts, { coins: [coin(0), coin(1)], change: HOME }, RATE);
    if (format.htlcSighash !== SIGHASH_SINGLE_ANYONECANPAY) {
      expect(refusal(plan)).toMatchObject({ code: "tx-htlc-fee-fixed", details: { channel_type: type } });
      return;
    }
    const { unsigned, inputs, fee, feeWeight, change } = plan();
    expect(unsigned.outs.map(({ value }) => value)).toEqual([...parts.map(({ htlcTx }) => htlcTx.amount), change]);
    expect([unsigned.version, unsigned.locktime, unsigned.ins.map(({ index }) => index).slice(-2)]).toEqual([format.txVersion, 0, [0, 1]]);
    expect(inputs.reduce((sum, { amount }) => sum + amount, 0n)).toBe(unsigned.outs.reduce<bigint>((sum, { value }) => sum + value, fee));
    expect(feeWeight).toBe(txWeight(withLargestWitnesses({ unsigned, inputs })));
    expect(1000n * fee - feeWeight * RATE).toBeLessThan(1000n);
    expect(1000n * fee).toBeGreaterThanOrEqual(feeWeight * RATE);
    const ours = inputs.filter(isOwn) as readonly OwnInput[];
    const signed = withWitnesses(
      unsigned,
      ours.map((input, at) => input.witness(signInput({ unsigned }, at, input, keys[owner])!)),
    );
    const spent = [
      ...ours,
      ...[0, 1].map(() => ({ amount: 10_000_000n, lock: { kind: "p2wpkh" as const, scriptPubkey: HOME, pubkey: publicKey(secretOf("home")) } })),
    ];
    expect(verdicts(signed, spent).slice(0, parts.length)).toEqual(parts.map(() => "ok"));
    expect(signInputs({ unsigned, inputs: ours }, keys[owner])).toHaveLength(parts.length);

    expect(refusal(() => planHtlcBump(parts, { coins: [coin(0), coin(0)], change: HOME }, RATE))).toMatchObject({
      code: "tx-input-twice",
      details: { outpoint: `${"05".repeat(32)}:0` },
    });
    const timeouts = htlcTxs.flatMap((htlcTx, at) =>
      isSuccess(htlcTx) ? [] : [{ htlcTx, input: htlcInput(htlcTx, own, countersignatures[at]!, null) }],
    );
    expect(refusal(() => planHtlcBump(timeouts, { coins: [coin(0)], change: HOME }, RATE))).toMatchObject({
      code: "tx-htlc-locktimes-differ",
      details: { locktimes: timeouts.map(({ htlcTx }) => htlcTx.output.htlc.cltvExpiry) },
    });
    expect(planHtlcBump(timeouts.slice(0, 1), { coins: [coin(0)], change: HOME }, RATE).unsigned.locktime).toBe(
      timeouts[0]!.htlcTx.output.htlc.cltvExpiry,
    );
    expect(refusal(() => planHtlcBump(parts, { coins: [coin(0, 1000n)], change: HOME }, RATE)).code).toBe("tx-output-dust");
  });

  test("a child pays what brings both to the feerate, and nothing where the parent does", () => {
    const [anchor] = anchorClaims(commitment, own, "to_local_anchor").filter(({ signer }) => signer !== null);
    if (anchor === undefined) return;
    const wallet = { coins: [coin(0), coin(1)], change: HOME };
    const parent = { fee: commitment.actualFee, weight: commitmentWeightAtMost(commitment) };
    const asked = perKw(10_000n);
    const { fee, feeWeight, unsigned, change } = planAnchorBump(anchor, parent, wallet, asked, 2);
    expect(1000n * (fee + parent.fee)).toBeGreaterThanOrEqual(asked * (feeWeight + parent.weight));
    expect(1000n * (fee + parent.fee) - asked * (feeWeight + parent.weight)).toBeLessThan(1000n);
    expect(unsigned.outs.map(({ value }) => value)).toEqual([change]);
    expect(change).toBe(20_000_000n + anchor.amount - fee);
    const enough = { fee: sat(parent.weight), weight: parent.weight };
    expect(refusal(() => planAnchorBump(anchor, enough, wallet, perKw(1000n), 2))).toMatchObject({
      code: "state-bump-needless",
      details: { fee_sat: parent.weight.toString(), weight: parent.weight.toString(), feerate_per_kw: "1000" },
    });
    expect(planAnchorBump(anchor, enough, wallet, perKw(1001n), 2).fee).toBeGreaterThan(0n);
    expect(unsigned.locktime).toBe(0);

    const childOf = (witnessBytes: number, version: 2 | 3) => {
      const wide = { ...coin(0), largestWitness: [new Uint8Array(witnessBytes)] };
      return planAnchorBump(anchor, parent, { coins: [wide], change: HOME }, asked, version);
    };
    const most = 3000 + 4000 - Number(childOf(3000, 2).feeWeight);
    expect([childOf(most, 3).feeWeight, childOf(most + 1, 2).feeWeight]).toEqual([4000n, 4001n]);
    expect(refusal(() => childOf(most + 1, 3))).toMatchObject({ code: "tx-truc-too-large", details: { weight: "4001", maximum: "4000" } });
  });

  test("of an HTLC transaction with a wallet's inputs only what stands beside an HTLC's input is punished", () => {
    const [{ unsigned, lock }] = htlcTxs as [HtlcTx];
    const theirs = basepointsOf(keys[countersigner]);
    const tx = unsigned.clone();
    tx.addInput(new Uint8Array(32).fill(5), 0, 0);
    tx.addOutput(lock.scriptPubkey, 7n);
    const taken = (from: Transaction, by: Lock) => secondStagePenaltyClaims(from, commitment, by, theirs, all.perCommitmentSecret);
    expect(taken(tx, lock).map(({ outputIndex, amount }) => [outputIndex, amount])).toEqual([[0, unsigned.outs[0]!.value]]);
    expect(taken(tx, p2wpkh(publicKey(secretOf("home"))))).toEqual([]);
    tx.outs[0]!.script = HOME;
    expect(taken(tx, lock)).toEqual([]);
  });

  test("low-R signatures are good, short, and the plain ones where those are short already", () => {
    const ground = signHtlcTxs(commitment, htlcTxs, keys[countersigner].htlcBasepointSecret!, LOW_R);
    expect(verifyHtlcSignatures(htlcTxs, ground)).toEqual([true, true, true, true]);
    for (const [at, signature] of ground.entries()) {
      expect(signature[0]).toBeLessThan(0x80);
      if (countersignatures[at]![0]! < 0x80) expect(toHex(signature)).toBe(toHex(countersignatures[at]!));
      const secret = deriveSecret<"htlc">(keys[countersigner].htlcBasepointSecret!, commitment.keys.perCommitmentPoint);
      expect(toHex(signHashLowR(htlcSighash(htlcTxs[at]!, "countersigner"), secret))).toBe(toHex(signature));
    }
    expect(signHtlcTxs(commitment, [], keys[countersigner].htlcBasepointSecret!, LOW_R)).toEqual([]);
  });
});
