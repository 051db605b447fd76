import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { displayTxid, equalBytes, toHex, txid } from "../bytes.js";
import { opposite } from "../side.js";
import { decodeCommitmentNumber, obscuringFactor } from "../tx/commitment-number.js";
import type { Commitment } from "../tx/commitment-tx.js";

/** A place where another transaction says something else than our commitment. */
export interface Difference {
  readonly field: string;
  readonly ours: string | null;
  readonly theirs: string | null;
}

/** Every field in which another's version of a commitment differs from ours, outputs matched by script and then by amount. */
export function compareCommitment(ours: Commitment, theirs: Transaction): readonly Difference[] {
  const differences: Difference[] = [];
  const field = (name: string, our: string, their: string): void => {
    if (our !== their) differences.push({ field: name, ours: our, theirs: their });
  };
  const { unsigned, terms, outputs } = ours;
  field("version", String(unsigned.version), String(theirs.version));
  const [our] = unsigned.ins;
  const [their] = theirs.ins;
  if (our !== undefined && their !== undefined) {
    field("input", `${displayTxid(txid(our.hash))}:${our.index}`, `${displayTxid(txid(their.hash))}:${their.index}`);
    const { basepoints, opener } = terms;
    const factor = obscuringFactor(basepoints[opener].paymentBasepoint, basepoints[opposite(opener)].paymentBasepoint);
    const number = decodeCommitmentNumber({ locktime: theirs.locktime, sequence: their.sequence }, factor);
    field(
      "commitment_number",
      String(ours.number),
      number === null ? `none: locktime ${theirs.locktime}, sequence ${their.sequence}` : String(number),
    );
  }
  if (theirs.ins.length !== 1) field("inputs", "1", String(theirs.ins.length));

  const left = theirs.outs.map((output, index) => ({ ...output, index }));
  const take = (fits: (candidate: (typeof left)[number]) => boolean) => {
    const at = left.findIndex(fits);
    return at === -1 ? undefined : left.splice(at, 1)[0];
  };
  const alone = outputs.filter(
    ({ lock, amount }) => take(({ script, value }) => equalBytes(script, lock.scriptPubkey) && value === amount) === undefined,
  );
  const missing = alone.filter(({ kind, lock, amount }) => {
    const match = take(({ script }) => equalBytes(script, lock.scriptPubkey));
    if (match !== undefined) differences.push({ field: `${kind} amount`, ours: String(amount), theirs: String(match.value) });
    return match === undefined;
  });
  for (const { kind, lock, amount } of missing) {
    const match = take(({ value }) => value === amount);
    differences.push({
      field: match === undefined ? kind : `${kind} script`,
      ours: match === undefined ? `${amount} sat to ${toHex(lock.scriptPubkey)}` : toHex(lock.scriptPubkey),
      theirs: match === undefined ? null : toHex(match.script),
    });
  }
  for (const { script, value } of left) differences.push({ field: "output", ours: null, theirs: `${value} sat to ${toHex(script)}` });
  const order = (scripts: readonly Uint8Array[]): string => scripts.map(toHex).join();
  if (differences.length === 0 && order(outputs.map(({ lock }) => lock.scriptPubkey)) !== order(theirs.outs.map(({ script }) => script))) {
    differences.push({ field: "output order", ours: kindsOf(ours, unsigned), theirs: kindsOf(ours, theirs) });
  }
  return differences;
}

function kindsOf({ outputs }: Commitment, tx: Transaction): string {
  return tx.outs.map(({ script }) => outputs.find(({ lock }) => equalBytes(lock.scriptPubkey, script))?.kind ?? "unknown").join(", ");
}
