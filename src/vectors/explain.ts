import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type Signature, displayTxid, equalBytes, fromHex, toHex, txid } from "../protocol/bytes.js";
import { isLowS, negateS } from "../protocol/keys/scalar.js";
import { readWitnessSignature } from "../protocol/script/assemble.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import type { Difference } from "./compare.js";

/** How many differences of two transactions are told. */
const TOLD = 4;

/** What the two values of a difference tell of how they came apart; undefined where they tell nothing. */
export function whyDifferent({ expected, derived }: Difference): string | undefined {
  if (expected === undefined) return "the vectors lack it";
  if (derived === undefined) return "nothing of that name follows from the inputs";
  const numbers = [integerIn(expected), integerIn(derived)] as const;
  if (numbers[0] !== null && numbers[1] !== null) return byHowMuch(numbers[0], numbers[1]);
  if (typeof expected !== "string" || typeof derived !== "string" || !isHex(expected) || !isHex(derived)) return undefined;
  const [wanted, found] = [fromHex(expected), fromHex(derived)];
  return ofTransactions(wanted, found) ?? ofSignatures(wanted, found) ?? ofBytes(wanted, found);
}

const isHex = (text: string): boolean => /^(?:[0-9a-f]{2})+$/i.test(text);

/** Of a number, or of an amount beyond what a JSON number holds. */
function integerIn(value: unknown): bigint | null {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === "string" && /^(0|[1-9][0-9]{0,19})$/.test(value) ? BigInt(value) : null;
}

function byHowMuch(expected: bigint, derived: bigint): string {
  const apart = expected - derived;
  return apart > 0n ? `expected is ${apart} more` : `expected is ${-apart} less`;
}

function transactionOf(bytes: Uint8Array): Transaction | null {
  // The smallest one has an input and an output
  if (bytes.length < 60) return null;
  try {
    return parseTransaction(bytes);
  } catch {
    return null;
  }
}

/** Field by field, where both are transactions. */
function ofTransactions(wanted: Uint8Array, found: Uint8Array): string | undefined {
  const [a, b] = [transactionOf(wanted), transactionOf(found)];
  if (a === null || b === null) return undefined;
  const told: string[] = [];
  const field = (name: string, one: string | number | bigint, other: string | number | bigint): void => {
    if (one !== other) told.push(`${name} ${one}, not ${other}`);
  };
  field("version", a.version, b.version);
  field("locktime", a.locktime, b.locktime);
  field("inputs", a.ins.length, b.ins.length);
  field("outputs", a.outs.length, b.outs.length);
  for (const [at, { hash, index, sequence, witness }] of a.ins.entries()) {
    const other = b.ins[at];
    if (other === undefined) continue;
    field(`input ${at} spends`, `${displayTxid(txid(hash))}:${index}`, `${displayTxid(txid(other.hash))}:${other.index}`);
    field(`input ${at} sequence`, sequence, other.sequence);
    field(`input ${at} witness elements`, witness.length, other.witness.length);
    for (const [element, bytes] of witness.entries()) {
      const its = other.witness[element];
      if (its === undefined || equalBytes(bytes, its)) continue;
      told.push(`input ${at} witness element ${element}: ${ofWitnessSignatures(bytes, its) ?? ofBytes(bytes, its)}`);
    }
  }
  for (const [at, { value, script }] of a.outs.entries()) {
    const other = b.outs[at];
    if (other === undefined) continue;
    field(`output ${at} holds`, value, other.value);
    field(`output ${at} script`, toHex(script), toHex(other.script));
  }
  const more = told.length - TOLD;
  return `expected has ${told.slice(0, TOLD).join("; ")}${more > 0 ? `; and ${more} more differences` : ""}`;
}

/** Signatures as vectors print them: DER without the sighash byte. */
function ofSignatures(wanted: Uint8Array, found: Uint8Array): string | undefined {
  const withType = (bytes: Uint8Array): Uint8Array => Uint8Array.of(...bytes, SIGHASH_ALL);
  return ofWitnessSignatures(withType(wanted), withType(found));
}

function ofWitnessSignatures(wanted: Uint8Array, found: Uint8Array): string | undefined {
  const [a, b] = [readWitnessSignature(wanted), readWitnessSignature(found)];
  if (a === null || b === null) return undefined;
  if (equalBytes(a.signature, b.signature)) return `the same signature with sighash type ${a.sighashType}, not ${b.sighashType}`;
  if (equalBytes(a.signature, negateS(b.signature))) return `the same signature with ${isLowS(a.signature) ? "a low" : "a high"} S`;
  return sameR(a.signature, b.signature) ? "a signature with the same nonce: by that key, of another hash" : "another signature";
}

function sameR(a: Signature, b: Signature): boolean {
  return equalBytes(a.subarray(0, 32), b.subarray(0, 32));
}

function ofBytes(wanted: Uint8Array, found: Uint8Array): string {
  if (wanted.length !== found.length) return `${wanted.length} bytes, not ${found.length}`;
  if (equalBytes(wanted, found.toReversed())) return "the same bytes in the other order";
  const apart = [...wanted.keys()].filter((at) => wanted[at] !== found[at]);
  const [first = 0] = apart;
  return apart.length === 1
    ? `one byte differs, at ${first} of ${wanted.length}`
    : `${apart.length} of ${wanted.length} bytes differ, from ${first} on`;
}

/** Which inputs a value under this key of `expected` follows from, in the words of the layouts. */
const FOLLOWS_FROM: Readonly<Record<string, string>> = {
  channel_type: "channel_type",
  per_commitment_secret: "local.per_commitment_seed, commitment_number",
  per_commitment_point: "local.per_commitment_seed, commitment_number",
  keys: "the basepoint secrets, per_commitment_point, channel_type",
  funding_witness_script: "both funding keys",
  to_local_witness_script: "to_self_delay, remote.revocation_basepoint_secret, local.delayed_payment_basepoint_secret, per_commitment_point",
  to_remote_witness_script: "remote.payment_basepoint_secret",
  obscure_factor: "opener, both payment basepoints",
  obscuring_factor: "opener, both payment basepoints",
  obscured_commitment_number: "opener, both payment basepoints, commitment_number",
  offered_trim_threshold_sat: "dust_limit_satoshis, feerate_per_kw, channel_type",
  received_trim_threshold_sat: "dust_limit_satoshis, feerate_per_kw, channel_type",
  trimmed_htlc_indexes: "the amounts of the HTLCs, dust_limit_satoshis, feerate_per_kw, channel_type",
  base_fee_sat: "feerate_per_kw, channel_type, how many HTLCs are untrimmed",
  actual_fee_sat: "funding_satoshi less all outputs",
  onchain_fee_sat: "the funding less all outputs",
  outputs: "balances, HTLCs, feerate_per_kw, opener, dust_limit_satoshis, channel_type, to_self_delay and the keys",
  annotated_outputs: "balances, HTLCs, the feerate, the opener, the dust limit, the channel type, the delay and the keys",
  num_htlcs: "the amounts of the HTLCs, the dust limit, the feerate, the channel type",
  htlc_txs: "the commitment's txid and HTLC outputs, feerate_per_kw, channel_type, to_self_delay, both HTLC keys",
  spends: "the commitment's outputs, case.spends, the keys of who takes them",
  close: "the balances, case.close, both funding keys",
  refused: "case.attempt, case.limits and the commitment's contents",
  sighash: "the unsigned commitment, the funding script, funding_satoshi",
};

/** Of the commitment itself, and of its signatures. */
const OF_COMMITMENT = "the funding outpoint, commitment_number, opener, both payment basepoints, and all outputs";
const OF_SIGNATURE = `the signer's funding key and the sighash: the funding script and amount, ${OF_COMMITMENT}`;

/** What the value at a key of `expected` follows from; undefined for a key that the layouts do not have. */
export function followsFrom(key: string): string | undefined {
  const known = FOLLOWS_FROM[key];
  if (known !== undefined) return known;
  if (/_signature(_der)?(_lowr)?$/.test(key)) return OF_SIGNATURE;
  if (/^commit(ment)?_/.test(key)) return key.includes("unsigned") || key.endsWith("txid") ? OF_COMMITMENT : `${OF_COMMITMENT}; both signatures`;
  return undefined;
}
