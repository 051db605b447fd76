import { schnorr } from "@noble/curves/secp256k1.js";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { bytes32, concat, fromHex, scriptPubkey, txid } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { p2wpkh, witnessSignature } from "../../../src/protocol/script/assemble.js";
import { SIGHASH_ALL, SIGHASH_SINGLE_ANYONECANPAY } from "../../../src/protocol/tx/format.js";
import { sighash, signHash } from "../../../src/protocol/tx/sign.js";
import { isGoodWalletWitness, walletInput } from "../../../src/protocol/tx/wallet.js";
import { sat } from "../../../src/protocol/units.js";
import { refusal } from "../../json/refusal.js";
import { flipBit, secretOf } from "../channels.js";

const SECRET = secretOf("wallet");
const PUBKEY = publicKey(SECRET);
const LOCK = p2wpkh(PUBKEY);
const AMOUNT = sat(50_000n);
const XONLY = schnorr.getPublicKey(SECRET.reveal());
const TAPROOT = scriptPubkey(concat(Uint8Array.of(0x51, 32), XONLY));

const unsigned = new Transaction();
unsigned.version = 2;
for (const index of [0, 1]) unsigned.addInput(txid(new Uint8Array(32).fill(7)), index, 0xfffffffd);
unsigned.addOutput(LOCK.scriptPubkey, 90_000n);
const INPUTS = [walletInput(AMOUNT, LOCK.scriptPubkey), walletInput(AMOUNT, TAPROOT)] as const;
const good = (index: 0 | 1, witness: readonly Uint8Array[]) => isGoodWalletWitness(unsigned, index, INPUTS, INPUTS[index], witness);

describe("a wallet's witness", () => {
  test("P2WPKH: its key's signature over everything, and nothing else", () => {
    const signature = signHash(sighash(unsigned, 0, { lock: LOCK, amount: AMOUNT }, SIGHASH_ALL), SECRET);
    const witness = [witnessSignature(signature, SIGHASH_ALL), PUBKEY];
    expect(good(0, witness)).toBe(true);
    const other = signHash(sighash(unsigned, 0, { lock: LOCK, amount: AMOUNT }, SIGHASH_SINGLE_ANYONECANPAY), SECRET);
    expect(good(0, [witnessSignature(other, SIGHASH_SINGLE_ANYONECANPAY), PUBKEY])).toBe(false);
    expect(good(0, [witness[0]!, publicKey(secretOf("other"))])).toBe(false);
    expect(good(0, [flipBit(witness[0]!, 90), PUBKEY])).toBe(false);
    expect(good(0, [...witness, PUBKEY])).toBe(false);
    expect(good(0, [witness[0]!, PUBKEY.map((byte, at) => (at === 0 ? 4 : byte))])).toBe(false);
    expect(good(0, [])).toBe(false);
    expect(good(0, [witness[0]!])).toBe(false);
    expect(good(0, [Uint8Array.of(1, 2, 3), PUBKEY])).toBe(false);
    expect(good(0, [witness[0]!, PUBKEY.subarray(1)])).toBe(false);
    expect(good(0, [witness[0]!, concat(PUBKEY, Uint8Array.of(0))])).toBe(false);
    const odd = walletInput(AMOUNT, p2wpkh(publicKey(secretOf("another"))).scriptPubkey);
    expect(isGoodWalletWitness(unsigned, 0, [odd, INPUTS[1]], odd, witness)).toBe(false);
  });

  test("P2WPKH: keys of either parity", () => {
    const parities = new Set<number>();
    for (const name of ["a", "b", "c", "d", "e", "f"]) {
      const secret = secretOf(name);
      const key = publicKey(secret);
      const lock = p2wpkh(key);
      const input = walletInput(AMOUNT, lock.scriptPubkey);
      const signature = signHash(sighash(unsigned, 0, { lock, amount: AMOUNT }, SIGHASH_ALL), secret);
      expect(isGoodWalletWitness(unsigned, 0, [input, INPUTS[1]], input, [witnessSignature(signature, SIGHASH_ALL), key])).toBe(true);
      parities.add(key[0]!);
    }
    expect([...parities].sort()).toEqual([2, 3]);
  });

  test.each([0x00, SIGHASH_ALL])("P2TR by its key, sighash type %i", (type) => {
    const scripts = INPUTS.map(({ scriptPubkey: script }) => script);
    const hash = bytes32(unsigned.hashForWitnessV1(1, scripts, [AMOUNT, AMOUNT], type));
    const signature = schnorr.sign(hash, SECRET.reveal(), new Uint8Array(32));
    const witness = type === 0 ? signature : concat(signature, Uint8Array.of(type));
    expect(good(1, [witness])).toBe(true);
    expect(good(1, [flipBit(witness, 3)])).toBe(false);
    expect(good(1, [concat(signature, Uint8Array.of(0x83))])).toBe(false);
    expect(good(1, [concat(signature, Uint8Array.of(0))])).toBe(false);
    expect(good(1, [signature.subarray(1)])).toBe(false);
    expect(good(1, [witness, witness])).toBe(false);
    expect(good(1, [])).toBe(false);
  });

  test("tx-wallet-script: any other lock", () => {
    const nearly = [
      `5114${"00".repeat(20)}`,
      `0013${"00".repeat(20)}`,
      `0014${"00".repeat(21)}`,
      `5220${"00".repeat(32)}`,
      `5121${"00".repeat(32)}`,
      `5120${"00".repeat(33)}`,
    ];
    for (const script of [`0020${"00".repeat(32)}`, `76a914${"00".repeat(20)}88ac`, `a914${"00".repeat(20)}87`, "51024e73", "", ...nearly])
      expect(refusal(() => walletInput(AMOUNT, scriptPubkey(fromHex(script))))).toMatchObject({
        code: "tx-wallet-script",
        details: { script_pubkey: script },
      });
  });
});
