import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import "../../support/musig2.js";
import { type SchnorrSignature, bytes32, toHex } from "../../../src/protocol/bytes.js";
import { deriveRevocationSecret, deriveSecret, publicKey } from "../../../src/protocol/keys/derivation.js";
import { GROUP_ORDER, fromNumber, toNumber } from "../../../src/protocol/keys/group.js";
import { type SecretNonce, generateNonce } from "../../../src/protocol/keys/musig2.js";
import { signSchnorr } from "../../../src/protocol/keys/schnorr.js";
import type { Lock, TapLock, Witness } from "../../../src/protocol/script/assemble.js";
import { STANDARD_FLAGS } from "../../../src/protocol/script/interpreter/flags.js";
import { verifyInput } from "../../../src/protocol/script/interpreter/verify.js";
import { leafOf, leafWitness, tweakOf } from "../../../src/protocol/script/taproot.js";
import { delayedTaproot, toLocalTaproot } from "../../../src/protocol/script/taproot-outputs.js";
import { Secret32 } from "../../../src/protocol/secret.js";
import { CHANNEL_TYPES, TAPROOT_TYPES } from "../../../src/protocol/tx/channel-type.js";
import { type Commitment, buildCommitment } from "../../../src/protocol/tx/commitment-tx.js";
import { FORMATS, channelTypeOf } from "../../../src/protocol/tx/format.js";
import { buildHtlcTxs } from "../../../src/protocol/tx/htlc-tx.js";
import { planCommitment } from "../../../src/protocol/tx/owner-plan.js";
import { commitmentSighash, completeHtlcTx, htlcSighash, withWitnesses } from "../../../src/protocol/tx/sign.js";
import {
  SIGHASH_DEFAULT,
  aggregateShares,
  commitmentSigning,
  completeTaprootCommitment,
  completeTaprootHtlcTx,
  signCommitmentShare,
  signTaprootHtlcTx,
  taprootHash,
  verifyCommitmentShare,
  verifyTaprootHtlcSignature,
} from "../../../src/protocol/tx/sign-taproot.js";
import { unsignedTx } from "../../../src/protocol/tx/unsigned.js";
import { sat } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { channelOf, secretOf } from "../channels.js";

const AUXILIARY = new Uint8Array(32);
const preimageOf = (id: bigint) => bytes32(new Uint8Array(32).fill(Number(id) + 1));
const code = (act: () => unknown) => refusal(act).code;

/** A channel of the type with HTLCs whose preimages are known, and both sides' secrets for its commitment. */
function made(type: (typeof TAPROOT_TYPES)[number]) {
  const channel = channelOf(type);
  const { terms, number, perCommitmentSecret, keys } = channel;
  const { spec } = channel.commitment;
  const htlcs = spec.htlcs.map((htlc) => ({ ...htlc, paymentHash: bytes32(sha256(preimageOf(htlc.id))) }));
  const point = publicKey<"per_commitment">(perCommitmentSecret);
  const commitment = buildCommitment(terms, number, point, { ...spec, htlcs });
  const { local, remote } = keys;
  return {
    terms,
    commitment,
    htlcTxs: buildHtlcTxs(commitment),
    funding: { owner: local.fundingPrivkey!, countersigner: remote.fundingPrivkey! },
    htlcBase: { owner: local.htlcBasepointSecret!, countersigner: remote.htlcBasepointSecret! },
    delayed: deriveSecret<"delayed">(local.delayedPaymentBasepointSecret!, point),
    payment: remote.paymentBasepointSecret!,
    htlc: { owner: deriveSecret<"htlc">(local.htlcBasepointSecret!, point), countersigner: deriveSecret<"htlc">(remote.htlcBasepointSecret!, point) },
    revocation: deriveRevocationSecret(remote.revocationBasepointSecret!, perCommitmentSecret),
  };
}

function signing(commitment: Commitment, rands: readonly [string, string] = ["one", "two"]) {
  const { ownerFundingPubkey, countersignerFundingPubkey } = commitment.keys;
  const nonces = {
    owner: generateNonce({ rand: secretOf(rands[0]), pubkey: ownerFundingPubkey }),
    countersigner: generateNonce({ rand: secretOf(rands[1]), pubkey: countersignerFundingPubkey }),
  };
  const opened = commitmentSigning(commitment, { owner: nonces.owner.toPublic(), countersigner: nonces.countersigner.toPublic() });
  return { nonces: nonces as Readonly<Record<"owner" | "countersigner", SecretNonce>>, opened };
}

const spentBy = ({ lock, amount }: { readonly lock: Lock; readonly amount: bigint }) => [{ script: lock.scriptPubkey, amount }];

describe.each(TAPROOT_TYPES)("%s", (type) => {
  const it = made(type);
  const { commitment, htlcTxs } = it;
  const funding = { lock: commitment.fundingLock, amount: commitment.terms.funding.amount };

  test("both shares make the commitment one that the interpreter takes, and no other does", () => {
    const { nonces, opened } = signing(commitment);
    const owner = signCommitmentShare(opened, nonces.owner, it.funding.owner);
    const countersigner = signCommitmentShare(opened, nonces.countersigner, it.funding.countersigner);
    expect(verifyCommitmentShare(opened, "owner", owner)).toBe(true);
    expect(verifyCommitmentShare(opened, "countersigner", countersigner)).toBe(true);
    expect(verifyCommitmentShare(opened, "countersigner", owner)).toBe(false);
    const other = signing(commitment, ["three", "two"]);
    expect(verifyCommitmentShare(other.opened, "countersigner", countersigner)).toBe(false);

    const signature = aggregateShares(opened, { owner, countersigner });
    const signed = completeTaprootCommitment(commitment, signature);
    expect(verifyInput(signed, 0, spentBy(funding), STANDARD_FLAGS)).toEqual({ ok: true });
    const broken = Uint8Array.from(signature, (byte, at) => (at === 40 ? byte ^ 1 : byte)) as SchnorrSignature;
    expect(verifyInput(completeTaprootCommitment(commitment, broken), 0, spentBy(funding), STANDARD_FLAGS).ok).toBe(false);
    expect(verifyInput(signed, 0, [{ ...spentBy(funding)[0]!, amount: funding.amount + 1n }], STANDARD_FLAGS).ok).toBe(false);
  });

  test("a share is made by a side's key with that side's nonce, once", () => {
    const { nonces, opened } = signing(commitment);
    expect(code(() => signCommitmentShare(opened, nonces.owner, it.funding.countersigner))).toBe("key-mismatch");
    expect(code(() => signCommitmentShare(opened, nonces.owner, it.funding.owner))).toBe("key-nonce-used");
    const stranger = secretOf<"funding">("stranger");
    const nonce = generateNonce({ rand: secretOf("four"), pubkey: publicKey(stranger) });
    expect(code(() => signCommitmentShare(opened, nonce, stranger))).toBe("key-not-a-signer");
  });

  test("HTLC transactions signed by both are taken", () => {
    expect(htlcTxs.map(({ kind }) => kind).sort()).toEqual(["htlc_success", "htlc_timeout"]);
    for (const htlcTx of htlcTxs) {
      const owner = signTaprootHtlcTx(htlcTx, "owner", it.htlcBase.owner, AUXILIARY);
      const countersigner = signTaprootHtlcTx(htlcTx, "countersigner", it.htlcBase.countersigner, AUXILIARY);
      expect([verifyTaprootHtlcSignature(htlcTx, countersigner), verifyTaprootHtlcSignature(htlcTx, owner)]).toEqual([true, false]);
      const preimage = htlcTx.kind === "htlc_success" ? preimageOf(htlcTx.output.htlc.id) : null;
      const signed = completeTaprootHtlcTx(htlcTx, owner, countersigner, preimage);
      expect(verifyInput(signed, 0, spentBy(htlcTx.output), STANDARD_FLAGS)).toEqual({ ok: true });
      const exchanged = completeTaprootHtlcTx(htlcTx, countersigner, owner, preimage);
      expect(verifyInput(exchanged, 0, spentBy(htlcTx.output), STANDARD_FLAGS).ok).toBe(false);
      expect(code(() => signTaprootHtlcTx(htlcTx, "owner", it.htlcBase.countersigner, AUXILIARY))).toBe("key-mismatch");
    }
  });

  test("what signs by ECDSA refuses it", () => {
    expect(code(() => commitmentSighash(commitment))).toBe("internal-lock");
    expect(code(() => htlcSighash(htlcTxs[0]!, "owner"))).toBe("internal-lock");
    expect(code(() => completeHtlcTx(htlcTxs[0]!, new Uint8Array(64) as never, new Uint8Array(64) as never, null))).toBe("internal-lock");
    expect(code(() => planCommitment(commitment, new Uint8Array(64) as never))).toBe("internal-lock");
  });

  describe("every way to spend an output is one that the interpreter takes, with nothing else than it asks for", () => {
    const delay = it.terms.toSelfDelay;
    const oneBlock = FORMATS[type].oneBlockDelay;
    const lockOf = (kind: string): TapLock => commitment.outputs.find((output) => output.kind === kind)!.lock as TapLock;
    const secondStage = htlcTxs[0]!.lock as TapLock;
    const [offered, received] = ["offered_htlc", "received_htlc"].map((kind) => commitment.outputs.find((output) => output.kind === kind)!);
    const expiry = htlcTxs.find(({ kind }) => kind === "htlc_success")!.output.htlc.cltvExpiry;
    const preimage = preimageOf(htlcTxs.find(({ kind }) => kind === "htlc_timeout")!.output.htlc.id);
    const simple = type === "simple_taproot";
    type Way = readonly [
      name: string,
      lock: TapLock,
      leaf: string | null,
      by: Secret32 | null,
      asks: { sequence?: number; locktime?: number; preimage?: "before" | "after" },
    ];
    const ways: readonly Way[] = [
      ["to_local by its owner", lockOf("to_local"), "delay", it.delayed, { sequence: delay }],
      ["to_local, revoked", lockOf("to_local"), simple ? "revoke" : null, it.revocation, {}],
      ["to_remote", lockOf("to_remote"), simple ? "claim" : null, it.payment, simple ? { sequence: 1 } : {}],
      ["second stage by its owner", secondStage, "delay", it.delayed, { sequence: delay }],
      ["second stage, revoked", secondStage, null, it.revocation, {}],
      [
        "offered HTLC by preimage",
        offered!.lock as TapLock,
        "success",
        it.htlc.countersigner,
        { sequence: oneBlock, preimage: simple ? "after" : "before" },
      ],
      ["received HTLC after its expiry", received!.lock as TapLock, "timeout", it.htlc.countersigner, { sequence: oneBlock, locktime: expiry }],
      ["offered HTLC, revoked", offered!.lock as TapLock, null, it.revocation, {}],
      ["received HTLC, revoked", received!.lock as TapLock, null, it.revocation, {}],
      ...(simple
        ? ([
            ["own anchor", lockOf("to_local_anchor"), null, it.delayed, {}],
            ["the other's anchor", lockOf("to_remote_anchor"), null, it.payment, {}],
            ["anchor by anyone", lockOf("to_local_anchor"), "anyone", null, { sequence: 16 }],
          ] as const)
        : []),
    ];

    test.each(ways)("%s", (_, lock, leafName, by, { sequence = 0, locktime = 0, preimage: where }) => {
      const output = { lock, amount: sat(50_000n) };
      const spend = (withSequence: number, withLocktime: number, secret: Secret32 | null, shown: Uint8Array = preimage) => {
        const input = { txid: commitment.txid, outputIndex: 0, sequence: withSequence };
        const tx = unsignedTx({ version: FORMATS[type].txVersion, locktime: withLocktime, input, outputs: [{ lock, amount: sat(49_000n) }] });
        const leaf = leafName === null ? null : leafOf(lock, leafName);
        const hash = taprootHash(tx, 0, spentBy(output), SIGHASH_DEFAULT, leaf);
        const signatures = secret === null ? [] : [signSchnorr(hash, leaf === null ? tweaked(secret, lock) : secret, AUXILIARY)];
        const elements: Witness = where === undefined ? signatures : where === "after" ? [...signatures, shown] : [shown, ...signatures];
        const witness = leaf === null ? elements : leafWitness(lock, leaf, elements);
        return verifyInput(withWitnesses(tx, [witness]), 0, spentBy(output), STANDARD_FLAGS).ok;
      };
      expect(spend(sequence, locktime, by)).toBe(true);
      if (sequence > 0) expect(spend(sequence - 1, locktime, by)).toBe(false);
      if (locktime > 0) expect(spend(sequence, locktime - 1, by)).toBe(false);
      if (where !== undefined) expect(spend(sequence, locktime, by, preimageOf(7n))).toBe(false);
      if (by !== null) expect(spend(sequence, locktime, secretOf("nobody"))).toBe(false);
    });
  });
});

/** Secret in, and out: what signs for a key that was tweaked. BIP 341. */
function tweaked(secret: Secret32, lock: TapLock): Secret32 {
  const own = toNumber(secret.reveal());
  const even = publicKey(secret)[0] === 2 ? own : GROUP_ORDER - own;
  return new Secret32(fromNumber((even + toNumber(tweakOf(lock))) % GROUP_ORDER));
}

test("a delay that a script cannot hold is refused, a leaf that is not there is our fault", () => {
  const { keys } = made("simple_taproot").commitment;
  for (const delay of [0, -1, 65_536, 1.5]) {
    expect(code(() => toLocalTaproot(keys, delay))).toBe("script-delay-range");
    expect(code(() => delayedTaproot(keys, delay))).toBe("script-delay-range");
  }
  expect(code(() => leafOf(delayedTaproot(keys, 1), "revoke"))).toBe("internal-lock");
});

test("no channel of these types is opened: their bits name no type that is known", () => {
  for (const type of TAPROOT_TYPES) {
    expect(CHANNEL_TYPES as readonly string[]).not.toContain(type);
    const [bit = 0] = FORMATS[type].featureBits;
    const field = new Uint8Array((bit >> 3) + 1);
    field[0] = 1 << (bit & 7);
    expect([toHex(field).length, channelTypeOf(field)]).toEqual([22, null]);
  }
});

test("without what does MuSig2 there is no funding output, and that is said", async () => {
  const { musig2, useMusig2 } = await import("../../../src/protocol/musig2.js");
  const held = musig2();
  useMusig2(undefined as never);
  try {
    const [a, b] = [publicKey<"funding">(secretOf("a")), publicKey<"funding">(secretOf("b"))];
    expect(code(() => FORMATS.simple_taproot.funding(a, b))).toBe("internal-musig2-missing");
  } finally {
    useMusig2(held);
  }
});
