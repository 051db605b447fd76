import { FORMATS } from "../../protocol/tx/format.js";
import type { DescribedInput, TxDescription } from "../../protocol/tx/describe.js";
import { feeFor, perKw, weight } from "../../protocol/units.js";
import { listed } from "../../protocol/explain/words.js";

/** What these bytes show that no node would make or accept, each as one sentence. */
export function illustrationReasons({ inputs, outputs, obscuredNumber, ordered }: TxDescription, locktime: number): readonly string[] {
  const bare = outputs.flatMap(({ type }, at) => (type === "bare" ? [at] : []));
  const [first] = inputs;
  return [
    `${listed(bare)} ${bare.length === 1 ? "holds its script" : "hold their scripts"} bare; BOLT 3 pays to the script's hash (P2WSH)`,
    ...(obscuredNumber === null && first !== undefined
      ? [`sequence ${hex8(first.sequence)} and locktime ${locktime} lack a commitment's marks (80…… and 0x20……): there is no commitment number`]
      : []),
    ...inputs.flatMap(witnessFaults),
    ...(ordered ? [] : [`the outputs do not stand by amount and script (BIP 69): ${outputs.map(({ amount }) => amount).join(", ")} sat`]),
  ];
}

function witnessFaults({ script, path, elements }: DescribedInput, at: number): readonly string[] {
  if (script?.kind !== "funding" || path !== null) return [];
  const compact = elements.filter(({ signature }) => signature?.encoding === "compact").length;
  const dummy = elements[0]?.bytes.length === 0;
  return [
    ...(dummy ? [] : [`input ${at}: the witness lacks the empty element that OP_CHECKMULTISIG takes before the signatures`]),
    ...(compact === 0 ? [] : [`input ${at}: ${compact} signatures of 64 bytes, as messages carry them: a witness holds DER and a sighash byte`]),
  ];
}

/**
 * What the amounts say of the anchors, which the opener pays for. With the spent amount known, a feerate can explain the fee either way: both are shown. BOLT 3 §Fee Payment.
 */
export function anchorArithmetic({ outputs, outputsSat, fee }: TxDescription): readonly string[] {
  const anchors = outputs.filter(({ name }) => name === "anchor" || name === "to_local_anchor" || name === "to_remote_anchor");
  if (anchors.length === 0) return [];
  const anchorsSat = anchors.reduce((sum, { amount }) => sum + amount, 0n);
  const sum = `${outputs.map(({ amount }) => amount).join(" + ")} = ${outputsSat} sat, ${anchorsSat} sat of them in anchors`;
  if (fee === null) return [`${sum}; whether a balance was charged for those is seen only beside the spent output's amount (--amount)`];

  if (fee < 0n) return [sum];
  const { commitmentWeight, htlcOutputWeight } = FORMATS.anchors;
  const htlcs = outputs.filter(({ name }) => name === "offered_htlc" || name === "received_htlc").length;
  const size = commitmentWeight + htlcOutputWeight * BigInt(htlcs);
  const toLocal = outputs.find(({ name }) => name === "to_local")?.amount;
  const uncharged = fee + anchorsSat;
  const fromBalance = (...costs: readonly bigint[]): string =>
    toLocal === undefined
      ? ""
      : `, if the owner pays to_local is ${costs.reduce<bigint>((sum, cost) => sum + cost, toLocal)} − ${costs.join(" − ")} sat`;
  return [
    `${outputsSat + fee} sat in, ${sum}: ${fee} sat are left for the fee`,
    `with the opener charged for the anchors: a fee of ${feerateWords(fee, size)}${fromBalance(fee, anchorsSat)}`,
    `with nobody charged for them, they come out of a fee of ${feerateWords(uncharged, size)}${fromBalance(uncharged)}`,
  ];
}

/** The feerate whose fee this is. BOLT 3 §Fee Calculation. */
function feerateWords(fee: bigint, size: bigint): string {
  const feerate = perKw((fee * 1000n + size - 1n) / size);
  const exact = fee >= 0n && feeFor(feerate, weight(size)) === fee;
  return `${fee} sat, ${exact ? `that of ${feerate}` : "that of no whole number of"} sat per 1000 weight (weight ${size})`;
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, "0");
}
