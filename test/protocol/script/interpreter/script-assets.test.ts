import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { fromHex } from "../../../../src/protocol/bytes.js";
import { CONSENSUS_FLAGS, FLAG, FLAG_NAMES, type Flags, has, parseFlags } from "../../../../src/protocol/script/interpreter/flags.js";
import { type SpentOutput, verifyInput } from "../../../../src/protocol/script/interpreter/verify.js";
import { packagedFile } from "./published.js";

interface Spend {
  readonly scriptSig: string;
  readonly witness: readonly string[];
}

interface Asset {
  readonly tx: string;
  readonly prevouts: readonly string[];
  readonly index: number;
  readonly flags: string;
  readonly comment: string;
  readonly success?: Spend;
  readonly failure?: Spend;
  readonly final?: boolean;
}

const ASSETS = packagedFile("bitcoind/script_assets_test.json") as readonly Asset[];

function outputOf(hex: string): SpentOutput {
  const bytes = fromHex(hex);
  const amount = new DataView(bytes.buffer).getBigUint64(0, true);
  // The script's length is a compact size of one byte or three
  const script = bytes.subarray(bytes[8] === 0xfd ? 11 : 9);
  return { script, amount };
}

function verdict({ tx, prevouts, index }: Asset, { scriptSig, witness }: Spend, flags: Flags) {
  const changed = Transaction.fromHex(tx);
  const input = changed.ins[index]!;
  input.script = fromHex(scriptSig);
  input.witness = witness.map(fromHex);
  return verifyInput(changed, index, prevouts.map(outputOf), flags);
}

/** Every set of consensus rules but those with WITNESS and without P2SH, which no block has ever known. */
const CONSENSUS_SETS = subsets(FLAG_NAMES.filter((name) => has(CONSENSUS_FLAGS, FLAG[name])).map((name) => FLAG[name])).filter(
  (flags) => !has(flags, FLAG.WITNESS) || has(flags, FLAG.P2SH),
);

function subsets([first, ...others]: readonly Flags[]): readonly Flags[] {
  if (first === undefined) return [0 as Flags];
  return subsets(others).flatMap((flags) => [flags, (flags | first) as Flags]);
}

describe("Bitcoin Core's script_assets, as the package bitcore-lib brings them", () => {
  test("2243 of them, 1492 with a failure, 96 sets of consensus rules", () => {
    expect(ASSETS).toHaveLength(2243);
    expect(ASSETS.filter(({ success }) => success !== undefined)).toHaveLength(2243);
    expect(ASSETS.filter(({ failure }) => failure !== undefined)).toHaveLength(1492);
    expect(CONSENSUS_SETS).toHaveLength(96);
  });

  test("what succeeds does so under its rules and under fewer; what is final under any", () => {
    const wrong: string[] = [];
    for (const asset of ASSETS) {
      if (asset.success === undefined) continue;
      const own = parseFlags(asset.flags);
      for (const flags of someOf(asset, (set) => asset.final === true || (set & own) === set, own)) {
        const said = verdict(asset, asset.success, flags);
        if (!said.ok) wrong.push(`${asset.comment} ${asset.flags}: ${said.error}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("what fails does so under its rules and under more", () => {
    const wrong: string[] = [];
    for (const asset of ASSETS) {
      if (asset.failure === undefined) continue;
      const own = parseFlags(asset.flags);
      for (const flags of someOf(asset, (set) => (set & own) === own, own)) {
        if (verdict(asset, asset.failure, flags).ok) wrong.push(`${asset.comment} ${asset.flags}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** The case's own rules, all of consensus, and another set: over the cases each of those that `fits` comes up. */
function someOf({ tx, index }: Asset, fits: (flags: Flags) => boolean, own: Flags): ReadonlySet<Flags> {
  const fitting = CONSENSUS_SETS.filter(fits);
  const another = fitting[(tx.length + index) % fitting.length];
  return new Set([own, CONSENSUS_FLAGS, ...(another === undefined ? [] : [another])].filter(fits));
}
