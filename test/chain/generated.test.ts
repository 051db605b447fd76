import { describe, expect, test } from "vitest";
import { fromHex } from "../../src/protocol/bytes.js";
import { p2wsh } from "../../src/protocol/script/assemble.js";
import { witnessScript } from "../../src/protocol/bytes.js";
import { parseTransaction } from "../../src/protocol/tx/parse.js";
import { CHANNEL_TYPES } from "../../src/protocol/tx/channel-type.js";
import { generateCase } from "../../src/vectors/generate/generate.js";
import { RECIPES } from "../../src/vectors/generate/recipes.js";
import { REFUSALS } from "../../src/vectors/generate/refusals.js";
import { type Coin, interpret } from "./interpreter.js";

const ROUNDS = 2;
const ROUND = Object.keys(RECIPES).length + Object.keys(REFUSALS).length;

interface Expected {
  readonly commitment_txid: string;
  readonly commitment_tx_signed_hex: string;
  readonly funding_witness_script: string;
  readonly outputs: readonly { readonly value: number; readonly scriptpubkey: string }[];
  readonly htlc_txs: readonly { readonly output_index: number; readonly txid: string; readonly unsigned_hex: string; readonly signed_hex?: string }[];
  readonly spends?: readonly {
    readonly kind: string;
    readonly signed_hex: string;
    readonly fee_sat: number;
    readonly fee_weight: number;
    readonly inputs: readonly { readonly txid: string; readonly output_index: number; readonly amount_sat: number }[];
  }[];
  readonly close?: { readonly kind: string; readonly signed_hex: string };
}

const coin = (amount: number | bigint, script: string | Uint8Array): Coin => ({
  amount: BigInt(amount),
  scriptPubkey: typeof script === "string" ? fromHex(script) : script,
});

describe("what `vectors generate` signs, two interpreters accept", () => {
  test("commitments, HTLC transactions, penalties, sweeps and closes of two rounds of recipes", () => {
    const counts = new Map<string, number>();
    const accept = (kind: string, tx: string, coins: readonly Coin[]): void => {
      expect(interpret(tx, coins), `${kind} ${tx}`).toEqual({ kind: "accepted" });
      // No witness opens an output that holds another amount
      const others = coins.map(({ amount, scriptPubkey }, at) => ({ amount: at === 0 ? amount + 1n : amount, scriptPubkey }));
      expect(interpret(tx, others).kind, kind).toBe("refused");
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    };
    for (let index = 0; index < ROUNDS * ROUND; index++) {
      const { case: inputs, expected, tags } = generateCase({ seed: "interpreted", channelTypes: CHANNEL_TYPES }, index);
      if (tags.includes("refused")) continue;
      const made = expected as unknown as Expected;
      const funding = coin(inputs["funding_satoshi"] as number, p2wsh(witnessScript(fromHex(made.funding_witness_script))).scriptPubkey);
      accept("commitment", made.commitment_tx_signed_hex, [funding]);
      const outputs = made.outputs.map(({ value, scriptpubkey }) => coin(value, scriptpubkey));
      const stages = new Map(
        made.htlc_txs.map(({ txid, unsigned_hex: hex }) => {
          const [output] = parseTransaction(fromHex(hex)).outs;
          return [txid, coin(output!.value, output!.script)];
        }),
      );
      for (const { signed_hex: signed, output_index: at } of made.htlc_txs) if (signed !== undefined) accept("htlc_tx", signed, [outputs[at]!]);
      for (const { kind, signed_hex: signed, inputs: spent, fee_sat: fee, fee_weight: weight } of made.spends ?? []) {
        accept(
          kind,
          signed,
          spent.map(({ txid, output_index: at }) => (txid === made.commitment_txid ? outputs[at]! : stages.get(txid)!)),
        );
        // What a fee was reckoned with is never less than the transaction weighs, and hardly more
        const real = parseTransaction(fromHex(signed)).weight();
        expect(real, kind).toBeLessThanOrEqual(weight);
        expect(real, kind).toBeGreaterThan(weight - 4 * spent.length);
        expect(fee).toBeGreaterThanOrEqual(0);
      }
      if (made.close !== undefined) accept(`close_${made.close.kind}`, made.close.signed_hex, [funding]);
    }
    expect(Object.fromEntries([...counts].sort())).toEqual({
      claim_htlc: 43,
      close_legacy: 3,
      close_simple: 6,
      commitment: 64,
      htlc_tx: 143,
      penalty: 62,
      penalty_second_stage: 51,
      sweep_second_stage: 50,
      sweep_to_local: 55,
      sweep_to_remote: 57,
    });
  });
});
