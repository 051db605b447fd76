import { displayTxid, equalBytes, scriptPubkey, toHex, txid } from "../../protocol/bytes.js";
import type { transactionFromHex } from "../../protocol/channel/identify.js";
import { type TxDescription, describeTransaction } from "../../protocol/tx/describe.js";

type Tx = ReturnType<typeof transactionFromHex>;

/** A field in which two transactions differ. */
export interface TxField {
  readonly field: string;
  readonly a: string | null;
  readonly b: string | null;
}

export interface TxDifference {
  readonly kinds: Readonly<Record<"a" | "b", string>>;
  readonly fields: readonly TxField[];
  readonly untold: readonly string[];
}

/** Two transactions by their bytes alone, outputs put together by script and then by amount. */
export function transactionsApart(a: Tx, b: Tx): TxDifference {
  const [ours, theirs] = [describe(a), describe(b)];
  const fields: TxField[] = [];
  const field = (name: string, left: string | null, right: string | null): void => {
    if (left !== right) fields.push({ field: name, a: left, b: right });
  };
  field("version", String(a.version), String(b.version));
  for (let at = 0; at < Math.max(a.ins.length, b.ins.length); at++) {
    const [left, right] = [a.ins[at], b.ins[at]];
    const outpoint = (input: typeof left): string | null => (input === undefined ? null : `${displayTxid(txid(input.hash))}:${input.index}`);
    field(`inputs[${at}]`, outpoint(left), outpoint(right));
    if (left === undefined || right === undefined) continue;
    if (ours.obscuredNumber === null || theirs.obscuredNumber === null) field(`inputs[${at}].sequence`, hex32(left.sequence), hex32(right.sequence));
    const witness = (input: NonNullable<typeof left>): string => input.witness.map(toHex).join(" ") || "none";
    field(`inputs[${at}].witness`, witness(left), witness(right));
    field(`inputs[${at}].script_sig`, toHex(left.script), toHex(right.script));
  }
  const hidden = ours.obscuredNumber !== null && theirs.obscuredNumber !== null;
  if (hidden) field("obscured_commitment_number", hex48(ours.obscuredNumber), hex48(theirs.obscuredNumber));
  else field("locktime", String(a.locktime), String(b.locktime));
  fields.push(...outputFields(a, b, ours, theirs));
  const total = (tx: Tx): bigint => tx.outs.reduce((sum, { value }) => sum + value, 0n);
  field("outputs_sat", String(total(a)), String(total(b)));
  return { kinds: { a: ours.kind, b: theirs.kind }, fields, untold: fields.length === 0 ? [] : untold(ours, theirs, fields) };
}

const describe = (tx: Tx): TxDescription => describeTransaction(tx, { spent: [], outputs: [] });
const hex32 = (value: number): string => value.toString(16).padStart(8, "0");
const hex48 = (value: number): string => value.toString(16).padStart(12, "0");

function outputFields(a: Tx, b: Tx, ours: TxDescription, theirs: TxDescription): readonly TxField[] {
  const listed = (tx: Tx, { outputs }: TxDescription) =>
    tx.outs.map(({ script, value }, at) => ({ script: scriptPubkey(script), value, at, name: outputs[at]?.name ?? "unknown" }));
  const left = listed(a, ours);
  const right = listed(b, theirs);
  const pairs: (readonly [(typeof left)[number], (typeof right)[number]])[] = [];
  const match = (fits: (one: (typeof left)[number], other: (typeof right)[number]) => boolean): void => {
    for (const one of [...left]) {
      const other = right.find((candidate) => fits(one, candidate));
      if (other === undefined) continue;
      left.splice(left.indexOf(one), 1);
      right.splice(right.indexOf(other), 1);
      pairs.push([one, other]);
    }
  };
  match((one, other) => one.value === other.value && equalBytes(one.script, other.script));
  match((one, other) => equalBytes(one.script, other.script));
  match((one, other) => one.value === other.value);
  const named = ({ name, at }: (typeof left)[number]): string => `outputs[${at}]${name === "unknown" ? "" : ` ${name}`}`;
  const fields = pairs
    .toSorted(([one], [other]) => one.at - other.at)
    .flatMap(([one, other]): readonly TxField[] => [
      ...(one.value === other.value ? [] : [{ field: `${named(one)} amount_sat`, a: String(one.value), b: String(other.value) }]),
      ...(equalBytes(one.script, other.script) ? [] : [{ field: `${named(one)} script_pubkey`, a: toHex(one.script), b: toHex(other.script) }]),
    ]);
  const whole = ({ script, value }: (typeof left)[number]): string => `${value} sat to ${toHex(script)}`;
  const alone = [
    ...left.map((one): TxField => ({ field: named(one), a: whole(one), b: null })),
    ...right.map((one): TxField => ({ field: named(one), a: null, b: whole(one) })),
  ];
  const order = [...pairs].sort(([one], [other]) => one.at - other.at).map(([, other]) => other.at);
  const moved = fields.length === 0 && alone.length === 0 && order.some((at, index) => index > 0 && at < (order[index - 1] ?? 0));
  return [...fields, ...alone, ...(moved ? [{ field: "output order", a: order.map((_, at) => at).join(" "), b: order.join(" ") }] : [])];
}

/** What two transactions without a channel do not tell. */
function untold(a: TxDescription, b: TxDescription, fields: readonly TxField[]): readonly string[] {
  const commitments = a.kind === "commitment" && b.kind === "commitment";
  const has = (part: string): boolean => fields.some(({ field }) => field.includes(part));
  return [
    ...(has("obscured_commitment_number")
      ? ["the commitment numbers: both sides' payment basepoints hide them. That they differ shows all the same"]
      : []),
    ...(has("amount_sat") || has("outputs_sat") ? ["whether a feerate, a balance or an HTLC made the amounts differ"] : []),
    ...(has("script_pubkey")
      ? ["what made a script differ: it stands as its hash, which keys, a point, a delay, a payment hash or an expiry change alike"]
      : []),
    ...(commitments
      ? ["which field of a state explains this: give two states, or `chankit diagnose PARTY --tx FILE` for a state and the other's transaction"]
      : []),
  ];
}
