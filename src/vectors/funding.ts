import { type ValueOf, anyObject, anything, list, literal, text, union } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { type Txid, displayTxid, toHex, txid } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { publicKey } from "../protocol/keys/derivation.js";
import { p2wsh } from "../protocol/script/assemble.js";
import { fundingScript } from "../protocol/script/funding.js";
import { buildFundingTx } from "../protocol/tx/funding-tx.js";
import { sat } from "../protocol/units.js";
import { firstTransaction } from "./block.js";
import { integer } from "./case.js";
import { testnetAddress, testnetWif } from "./testnet.js";
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
