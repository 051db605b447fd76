import { sha256 } from "@noble/hashes/sha2.js";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import type { InputContext, Midstates, SpentOutput } from "../input-context.js";
import { compactSize, u32, u64 } from "../serialise.js";

export function midstates(tx: Transaction, spent: readonly SpentOutput[]): Midstates {
  return {
    prevouts: once(() => hashAll(tx.ins.flatMap(({ hash, index }) => [hash, u32(index)]))),
    sequences: once(() => hashAll(tx.ins.map(({ sequence }) => u32(sequence)))),
    outputs: once(() => hashAll(tx.outs.flatMap(outputParts))),
    amounts: once(() => hashAll(spent.map(({ amount }) => u64(amount)))),
    scripts: once(() => hashAll(spent.flatMap(({ script }) => [compactSize(script.length), script]))),
  };
}

/** An output as a transaction holds it. */
export function outputParts({ value, script }: { readonly value: bigint; readonly script: Uint8Array }): readonly Uint8Array[] {
  return [u64(value), compactSize(script.length), script];
}

/** What an input spends, as a transaction holds it. */
export function outpoint({ tx, index }: InputContext): readonly Uint8Array[] {
  const input = tx.ins[index];
  return input === undefined ? [] : [input.hash, u32(input.index)];
}

export function hashAll(parts: Iterable<Uint8Array>): Uint8Array {
  const hash = sha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
