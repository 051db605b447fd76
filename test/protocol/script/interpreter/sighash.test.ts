import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { fromHex, reversed, toHex } from "../../../../src/protocol/bytes.js";
import { legacySighash } from "../../../../src/protocol/script/interpreter/sighash/legacy.js";
import { midstates } from "../../../../src/protocol/script/interpreter/sighash/midstates.js";
import { taprootSighash } from "../../../../src/protocol/script/interpreter/sighash/taproot.js";
import { branchHash, leafHash, tapTweak } from "../../../../src/protocol/script/tap-tree.js";
import { CONSENSUS_FLAGS, STANDARD_FLAGS } from "../../../../src/protocol/script/interpreter/flags.js";
import { verifyInput } from "../../../../src/protocol/script/interpreter/verify.js";
import { isTweakedKey } from "../../../../src/protocol/keys/schnorr.js";
import { coreFile, entries, packagedFile } from "./published.js";

type SighashTest = readonly [tx: string, script: string, index: number, type: number, hash: string];

describe("legacy sighashes", () => {
  const expectAll = (file: unknown) => {
    const cases = entries(file) as readonly SighashTest[];
    expect(cases).toHaveLength(500);
    for (const [hex, script, index, type, hash] of cases) {
      const tx = Transaction.fromHex(hex);
      expect(toHex(reversed(legacySighash({ tx, index, spent: [], midstates: midstates(tx, []) }, fromHex(script), type)))).toBe(hash);
    }
  };

  test("500 as the package bitcore-lib brings them", () => {
    expectAll(packagedFile("sighash.json"));
  });

  const current = coreFile("sighash.json");
  test(`Bitcoin Core's current 500 ${current === null ? "are not here (../shared/vectors/core)" : ""}`, () => {
    if (current === null) expect(current).toBeNull();
    else expectAll(current);
  });
});

interface Tree {
  readonly script: string;
  readonly leafVersion: number;
}
type TreeOrPair = Tree | readonly [TreeOrPair, TreeOrPair];

interface WalletVectors {
  readonly scriptPubKey: readonly {
    readonly given: { readonly internalPubkey: string; readonly scriptTree: TreeOrPair | null };
    readonly intermediary: {
      readonly leafHashes?: readonly string[];
      readonly merkleRoot: string | null;
      readonly tweak: string;
      readonly tweakedPubkey: string;
    };
    readonly expected: { readonly scriptPathControlBlocks?: readonly string[] };
  }[];
  readonly keyPathSpending: readonly {
    readonly given: {
      readonly rawUnsignedTx: string;
      readonly utxosSpent: readonly { readonly scriptPubKey: string; readonly amountSats: number }[];
    };
    readonly auxiliary: { readonly fullySignedTx: string };
    readonly inputSpending: readonly {
      readonly given: { readonly txinIndex: number; readonly hashType: number };
      readonly intermediary: { readonly sigHash: string };
      readonly expected: { readonly witness: readonly string[] };
    }[];
  }[];
}

function rootOf(tree: TreeOrPair): Uint8Array {
  return "script" in tree ? leafHash(tree.leafVersion, fromHex(tree.script)) : branchHash(rootOf(tree[0]), rootOf(tree[1]));
}

const WALLET_VECTORS: readonly (readonly [string, unknown])[] = [
  ["as the package bitcore-lib brings them", packagedFile("bitcoind/wallet_test_vectors.json")],
  ["current", coreFile("bip341_wallet_vectors.json")],
];

describe.each(WALLET_VECTORS.filter(([, file]) => file !== null))("BIP 341's wallet vectors, %s", (_, file) => {
  const { scriptPubKey, keyPathSpending } = file as WalletVectors;

  test("7 outputs: roots, tweaks, keys, control blocks", () => {
    expect(scriptPubKey).toHaveLength(7);
    for (const { given, intermediary, expected } of scriptPubKey) {
      const internal = fromHex(given.internalPubkey);
      const root = given.scriptTree === null ? new Uint8Array(0) : rootOf(given.scriptTree);
      expect(toHex(root)).toBe(intermediary.merkleRoot ?? "");
      const tweak = tapTweak(internal, root);
      expect(toHex(tweak)).toBe(intermediary.tweak);
      const key = fromHex(intermediary.tweakedPubkey);
      const odd = (fromHex(expected.scriptPathControlBlocks?.[0] ?? "")[0] ?? 0) & 1;
      const parities = [false, true].filter((parity) => isTweakedKey(key, parity, internal, tweak));
      expect(parities).toHaveLength(1);
      if (expected.scriptPathControlBlocks !== undefined) expect(parities).toEqual([odd === 1]);
    }
  });

  test("7 key path spends: what is signed, and the signatures", () => {
    const [spending] = keyPathSpending;
    const { given, auxiliary, inputSpending } = spending!;
    expect(inputSpending).toHaveLength(7);
    const tx = Transaction.fromHex(given.rawUnsignedTx);
    const signed = Transaction.fromHex(auxiliary.fullySignedTx);
    const spent = given.utxosSpent.map((output) => ({ script: fromHex(output.scriptPubKey), amount: BigInt(output.amountSats) }));
    for (const { given: input, intermediary, expected } of inputSpending) {
      const context = { tx, index: input.txinIndex, spent, midstates: midstates(tx, spent) };
      expect(toHex(taprootSighash(context, input.hashType, null, null)!)).toBe(intermediary.sigHash);
      expect(signed.ins[input.txinIndex]!.witness.map(toHex)).toEqual(expected.witness);
    }
    for (const index of signed.ins.keys()) {
      for (const flags of [CONSENSUS_FLAGS, STANDARD_FLAGS]) expect(verifyInput(signed, index, spent, flags)).toEqual({ ok: true });
    }
  });
});
