import { ripemd160 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type ValueOf, anyObject, anything, list, literal, text, union } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { type Point, type Txid, concat, displayTxid, toHex, txid } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { publicKey } from "../protocol/keys/derivation.js";
import { p2wsh } from "../protocol/script/assemble.js";
import { fundingScript } from "../protocol/script/funding.js";
import type { Secret32 } from "../protocol/secret.js";
import { buildFundingTx } from "../protocol/tx/funding-tx.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import { sat } from "../protocol/units.js";
import { integer } from "./case.js";
import { type VectorSet, expectedOf } from "./vector.js";

const derivedValue = optional(anything);

/** Appendix B: a block whose only transaction pays the key that then funds the channel. */
const document = fields({
  source: optional(anyObject),
  status: optional(text),
  cases: list(
    fields({
      name: text,
      opener: json.side,
      block0: json.hexBytes,
      block1: json.hexBytes,
      block1_coinbase_tx: derivedValue,
      input_privkey: json.secret("funding"),
      input_privkey_printed_suffix: optional(literal("01")),
      input_privkey_wif: derivedValue,
      input_address: derivedValue,
      input_txid: derivedValue,
      input_index: json.u16,
      input_sat: derivedValue,
      funding_sat: json.satoshi,
      feerate_per_kw: json.feeratePerKw,
      change_sat: derivedValue,
      funding_output_index: union(literal(0), literal(1)),
      local_funding_pubkey: json.point("funding"),
      remote_funding_pubkey: json.point("funding"),
      funding_witness_script: derivedValue,
      expected: anyObject,
    }),
  ),
});
const INPUTS = [
  "name",
  "opener",
  "block0",
  "block1",
  "input_privkey",
  "input_privkey_printed_suffix",
  "input_index",
  "funding_sat",
  "feerate_per_kw",
  "funding_output_index",
  "local_funding_pubkey",
  "remote_funding_pubkey",
];

/** BOLT 3 §Appendix B: Funding Transaction Test Vectors. */
export function readFunding(value: unknown, source: string): VectorSet {
  const raw = value as { readonly cases: readonly object[] };
  return {
    common: [],
    cases: decode(document, value, source).cases.map((one, at) => ({
      id: one.name,
      path: ["cases", at],
      expected: expectedOf(raw.cases[at], INPUTS),
      derived: deriveFunding(one, `cases[${at}]`),
    })),
  };
}

type FundingCase = ValueOf<typeof document>["cases"][number];

/** Secrets in, and out: this layout publishes them. */
function deriveFunding(given: FundingCase, where: string) {
  const coinbase = firstTransaction(given.block1, `${where}.block1`);
  const paid = coinbase.outs[given.inputIndex];
  if (paid === undefined) {
    const path = `${where}.input_index`;
    throw new LnError("json-value", `${path}: the block's transaction has no output ${given.inputIndex}`, { path, value: given.inputIndex });
  }
  const inputTxid: Txid = txid(coinbase.getHash());
  const script = fundingScript(given.localFundingPubkey, given.remoteFundingPubkey);
  const { tx, fee, change } = buildFundingTx({
    input: { txid: inputTxid, outputIndex: given.inputIndex, amount: sat(paid.value), secret: given.inputPrivkey },
    funding: { lock: p2wsh(script), amount: given.fundingSat },
    fundingOutputIndex: given.fundingOutputIndex,
    feerate: given.feeratePerKw,
  });
  return {
    block1_coinbase_tx: coinbase.toHex(),
    input_privkey_wif: testnetWif(given.inputPrivkey),
    input_address: testnetAddress(publicKey(given.inputPrivkey)),
    input_txid: displayTxid(inputTxid),
    input_sat: integer(paid.value),
    change_sat: integer(change),
    funding_witness_script: toHex(script),
    expected: {
      tx: tx.toHex(),
      txid: tx.getId(),
      outputs: tx.outs.map((output, index) => ({ index, amount_sat: integer(output.value), script_pubkey: toHex(output.script) })),
      fee_sat: integer(fee),
    },
  };
}

/** A block's header has 80 bytes; one more counts its transactions, as long as they are few. */
const FIRST_TRANSACTION = 81;

function firstTransaction(block: Uint8Array, path: string): Transaction {
  try {
    return parseTransaction(block.subarray(FIRST_TRANSACTION));
  } catch {
    throw new LnError("tx-not-parsed", `${path}: no block with one transaction`, { path });
  }
}

const TESTNET_ADDRESS = 0x6f;
const TESTNET_SECRET = 0xef;
const COMPRESSED = 0x01;

function testnetAddress(pubkey: Point): string {
  return base58Check(concat(Uint8Array.of(TESTNET_ADDRESS), ripemd160(sha256(pubkey))));
}

/** Secret in, and out. */
function testnetWif(secret: Secret32): string {
  return base58Check(concat(Uint8Array.of(TESTNET_SECRET), secret.reveal(), Uint8Array.of(COMPRESSED)));
}

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Of a payload that does not begin with a zero byte. */
function base58Check(payload: Uint8Array): string {
  let rest = BigInt(`0x${toHex(concat(payload, sha256(sha256(payload)).subarray(0, 4)))}`);
  let text = "";
  for (; rest > 0n; rest /= 58n) text = BASE58.charAt(Number(rest % 58n)) + text;
  return text;
}
