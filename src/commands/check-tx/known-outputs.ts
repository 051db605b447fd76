import { displayTxid, equalBytes, toHex, txid } from "../../protocol/bytes.js";
import { LnError } from "../../protocol/errors.js";
import type { SpentOutput } from "../../protocol/script/interpreter/verify.js";
import type { readTransaction } from "../shared/read-transaction.js";

export type Tx = ReturnType<typeof readTransaction>;

/** An output that an input may spend, and who says so. */
export interface KnownOutput extends SpentOutput {
  /** Where it is known from. */
  readonly source: string;
  /** What it is called in a channel, where one knows it. */
  readonly name: string | null;
}

/** Outputs by outpoint, as they become known. */
export interface KnownOutputs {
  /** Throws: input-prevout-conflict where another script or amount is known. */
  add(outpoint: string, output: KnownOutput): void;
  get(outpoint: string): KnownOutput | undefined;
}

export function knownOutputs(): KnownOutputs {
  const outputs = new Map<string, KnownOutput>();
  return {
    add: (outpoint, output) => {
      const known = outputs.get(outpoint);
      if (known !== undefined && (known.amount !== output.amount || !equalBytes(known.script, output.script))) {
        throw new LnError("input-prevout-conflict", `${outpoint} is ${shown(known)} by ${known.source}, ${shown(output)} by ${output.source}`, {
          outpoint,
          one: shown(known),
          other: shown(output),
        });
      }
      // A name is more than none, and a transaction more than somebody's word
      if (known === undefined || (known.name === null && output.name !== null)) outputs.set(outpoint, output);
    },
    get: (outpoint) => outputs.get(outpoint),
  };
}

function shown({ amount, script }: SpentOutput): string {
  return `${amount} sat to ${toHex(script)}`;
}

export function outpointOf({ hash, index }: Tx["ins"][number]): string {
  return `${displayTxid(txid(hash))}:${index}`;
}

/** All outputs of a transaction. `nameOf` is what a channel calls one. */
export function addOutputs(known: KnownOutputs, tx: Tx, source: string, nameOf: (index: number) => string | null): void {
  const id = tx.getId();
  for (const [index, { script, value }] of tx.outs.entries()) known.add(`${id}:${index}`, { script, amount: value, source, name: nameOf(index) });
}

/** What every input spends, in their order. Throws: input-prevout-unknown. */
export function spentBy(tx: Tx, known: KnownOutputs): readonly KnownOutput[] {
  return tx.ins.map((input, at) => {
    const outpoint = outpointOf(input);
    const output = known.get(outpoint);
    if (output !== undefined) return output;
    throw new LnError(
      "input-prevout-unknown",
      `input ${at} spends ${outpoint}, of which nothing is known: give the transaction (--parent), the output (--prevout) or a party (--party)`,
      { input: at, outpoint },
    );
  });
}
