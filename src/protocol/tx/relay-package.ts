import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { equalBytes } from "../bytes.js";
import { TRUC_CHILD_WEIGHT, TRUC_VERSION } from "./spend.js";
import { dustThreshold } from "./standardness.js";

/** Why a node does not take a transaction as long as what it spends is unconfirmed. Each ends with the parent's confirmation. */
export type PackageFault =
  /** Of version 3 with a parent of another, or the other way round. BIP 431 rule 2. */
  | { readonly reason: "truc-versions"; readonly parent: string }
  /** More than one unconfirmed parent. BIP 431 rule 3. */
  | { readonly reason: "truc-parents"; readonly parents: number }
  /** A child of more than 1000 vbytes. BIP 431 rule 5. */
  | { readonly reason: "truc-child-size"; readonly vsize: number }
  /** Dust of its parent that it leaves: ephemeral dust is relayed with what spends it alone (Bitcoin Core 29). */
  | { readonly reason: "dust-left"; readonly parent: string; readonly output: number };

/** What a node says of a transaction with these unconfirmed parents, those aside that it does not spend. BIP 431. */
export function packageFaults(tx: Transaction, unconfirmed: readonly Transaction[]): readonly PackageFault[] {
  const parents = unconfirmed.filter((parent) => tx.ins.some(({ hash }) => equalBytes(hash, parent.getHash())));
  const child = tx.version === TRUC_VERSION;
  const tooLarge = child && parents.length > 0 && BigInt(tx.weight()) > TRUC_CHILD_WEIGHT;
  return [
    ...parents.flatMap((parent): PackageFault[] =>
      child === (parent.version === TRUC_VERSION) ? [] : [{ reason: "truc-versions", parent: parent.getId() }],
    ),
    ...(child && parents.length > 1 ? [{ reason: "truc-parents" as const, parents: parents.length }] : []),
    ...(tooLarge ? [{ reason: "truc-child-size" as const, vsize: tx.virtualSize() }] : []),
    ...parents.flatMap((parent) => dustLeft(tx, parent)),
  ];
}

function dustLeft(tx: Transaction, parent: Transaction): readonly PackageFault[] {
  const id = parent.getHash();
  const spends = (output: number): boolean => tx.ins.some(({ hash, index }) => index === output && equalBytes(hash, id));
  return parent.outs.flatMap(({ script, value }, output): PackageFault[] =>
    value < dustThreshold(script) && !spends(output) ? [{ reason: "dust-left", parent: parent.getId(), output }] : [],
  );
}
