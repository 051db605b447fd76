import { displayTxid, toHex } from "../../protocol/bytes.js";
import type { Relation } from "../../protocol/channel/view.js";
import type { Side } from "../../protocol/side.js";
import type { KnownScript } from "../../protocol/script/known-script.js";
import type { DescribedElement, DescribedInput, DescribedOutput, NamedBy, TxDescription } from "../../protocol/tx/describe.js";
import { amount, htlcOf } from "../shared/summary.js";
import { type Names, type Ownership, type Revocation, sighashName, spenderOf, unknownSpender } from "../../protocol/explain/words.js";

/** Whose commitment the outputs belong to and whether it is revoked, by what the channel makes of the transaction. */
export function ownershipOf(relation: Relation | null, names: Names | null): Ownership {
  const unsaid = { names, owner: null, revocation: { kind: "unsaid" } } as const;
  switch (relation?.kind) {
    case "held":
      return { names, owner: relation.owner, revocation: notRevoked(relation.commitment.number) };
    case "revoked":
      return { names, owner: relation.owner, revocation: { kind: "revoked", number: relation.number } };
    case "htlc":
    case "spends":
      return { names, owner: relation.owner, revocation: notRevoked(relation.held.commitment.number) };
    case "unknown":
      return { names, owner: relation.owner, revocation: unknownRevocation(relation.standing, relation.number) };
    case "mutual":
    case "funding":
    case "unrelated":
    case undefined:
      return unsaid;
  }
}

function notRevoked(number: number): Revocation {
  return { kind: "not_revoked", number };
}

function unknownRevocation(standing: string | null, number: number | null): Revocation {
  return standing === "revoked" && number !== null ? { kind: "revoked", number } : { kind: "unsaid" };
}

export function inputOf({
  txid,
  outputIndex,
  sequence,
  scriptSig,
  spent,
  script,
  path,
  elements,
  matchesOutput,
}: DescribedInput): Record<string, unknown> {
  const name = spent?.name ?? script?.kind ?? "unknown";
  return {
    outpoint: `${displayTxid(txid)}:${outputIndex}`,
    sequence: sequence.toString(16).padStart(8, "0"),
    spends: name === "p2wpkh" ? "a P2WPKH output" : name === "p2a" ? "a P2A output" : name,
    ...(spent === null ? {} : { amount_sat: amount(spent.amount) }),
    path: path?.name ?? null,
    ...(scriptSig.length === 0 ? {} : { script_sig: toHex(scriptSig) }),
    ...(matchesOutput === false ? { fault: "the witness does not open the output that is spent" } : {}),
    witness: elements.map(elementOf),
    ...(script === null || isScriptless(script) ? {} : { script_values: valuesOf(script) }),
  };
}

/** Without a script in the witness, whose values could be told. */
function isScriptless({ kind }: KnownScript): boolean {
  return kind === "p2wpkh" || kind === "p2a";
}

function elementOf({ name, bytes, signature }: DescribedElement): Record<string, unknown> {
  const hex = toHex(bytes);
  if (signature === null) return { name, hex };
  const { encoding, sighashType, verdict } = signature;
  const form = sighashType === null ? "64 bytes, neither DER nor a sighash byte" : `DER, SIGHASH_${sighashName(sighashType)}`;
  const checked = {
    good: "good",
    bad: encoding === "compact" ? "bad, read as SIGHASH_ALL" : "bad",
    unchecked: "not checked: the spent output's amount or the key is not here",
  };
  return { name, form, signature: checked[verdict], hex };
}

function valuesOf({ values }: KnownScript): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]: [string, Uint8Array | number]) => [name, typeof value === "number" ? value : toHex(value)]),
  );
}

const NAMED_BY: Readonly<Record<NamedBy, string>> = {
  state: "the channel's state",
  bare_script: "its script, which stands bare in the output",
  funding_key: "the hash of the anchor script for a funding key in the witness",
  only_p2wpkh: "its form: a commitment without anchors has no other P2WPKH output than to_remote",
  only_p2a: "its form: a commitment has no other P2A output than its shared anchor",
  htlc_transaction: "its place: what an HTLC transaction pays to; only the hash of the script is here",
};

export function outputOf(output: DescribedOutput, index: number, ownership: Ownership): Record<string, unknown> {
  const { name, namedBy, amount: value, scriptPubkey, type, witnessScript, script, htlc, paths } = output;
  return {
    index,
    name,
    amount_sat: amount(value),
    type,
    ...(namedBy === null ? {} : { named_by: NAMED_BY[namedBy] }),
    script_pubkey: toHex(scriptPubkey),
    ...(witnessScript === null ? {} : { witness_script: toHex(witnessScript) }),
    ...(script === null || isScriptless(script) ? {} : { script_values: valuesOf(script) }),
    ...(htlc === null ? {} : { htlc: htlcOf(htlc) }),
    spenders: paths.length === 0 ? [unknownSpender(output)] : paths.map((path) => spenderOf(path, output, ownership)),
  };
}

/** What the transaction is by its form, where no channel says more. */
export function formWords({ kind, obscuredNumber, inputs }: TxDescription): string {
  switch (kind) {
    case "coinbase":
      return "a coinbase";
    case "commitment":
      return inputs[0]?.script === null || inputs[0] === undefined
        ? "a commitment transaction by its marks (locktime 0x20……, sequence 0x80……)"
        : "a commitment transaction: it spends a 2-of-2 and bears the marks (locktime 0x20……, sequence 0x80……)";
    case "illustration":
      return `an illustration${inputs[0]?.script?.kind === "funding" ? " of a commitment transaction" : ""}: its outputs hold scripts of BOLT 3 bare, as no node makes them`;
    case "funding_spend":
      return "spends a 2-of-2 as a funding output is, without a commitment's marks: as a mutual close does";
    case "htlc_timeout":
      return "an HTLC-timeout transaction: the owner of a commitment takes back an HTLC that it offered";
    case "htlc_success":
      return "an HTLC-success transaction: the owner of a commitment takes an HTLC that it received";
    case "htlc_batch":
      return "HTLC-timeout and HTLC-success transactions in one";
    case "penalty":
      return "a penalty: every input takes an output of a revoked commitment by its revocation key";
    case "sweep":
      return "a sweep: takes outputs of a commitment, none of them by a revocation key";
    case "anchor_spend":
      return "spends an anchor, to pay for the confirmation of its commitment or to tidy it away";
    case "mixed":
      return "spends channel outputs of several kinds: see the inputs";
    case "unknown":
      return obscuredNumber === null ? "nothing in its form tells that it belongs to a channel" : "bears a commitment's marks";
  }
}

/** What the bytes, and the channel where there is one, do not tell. */
export function untold(tx: TxDescription, relation: Relation | null, owner: Side | null): readonly string[] {
  const { kind, inputs, outputs, obscuredNumber } = tx;
  const commitment = kind === "commitment" || kind === "illustration";
  const unchecked = inputs.some(({ elements }) => elements.some(({ signature }) => signature?.verdict === "unchecked"));
  const hashed = outputs.flatMap(({ name, type }, at) => (name === "unknown" && type === "p2wsh" ? [at] : []));
  return [
    ...(tx.fee === null && kind !== "coinbase" ? ["the fee: a transaction does not hold the amounts that it spends"] : []),
    ...(unchecked ? ["whether the signatures are good: they cover the spent amount"] : []),
    ...(commitment && relation === null ? ["which side is the owner, and whether this commitment was revoked"] : []),
    ...(obscuredNumber !== null && relation === null ? ["the commitment number: it is obscured by both sides' payment basepoints"] : []),
    ...(outputs.some(({ name }) => name === "anchor") && owner === null ? ["which of the funding keys, and so which anchor, is the owner's"] : []),
    ...(commitment && hashed.length > 0
      ? [`what these outputs are, of which only a hash shows (to_local, an HTLC, with anchors to_remote): ${hashed.join(", ")}`]
      : []),
  ];
}
