import type { Transaction } from "bitcoinjs-lib/src/transaction";
import { type ValueOf, anyObject, anything, isObject, list, literal, oneOf, text, union } from "../json/codec.js";
import { decode } from "../json/decode.js";
import { fields, optional } from "../json/fields.js";
import * as json from "../json/primitives.js";
import { type ScriptPubkey, displayTxid, toHex, txid, witnessScript } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { publicKey } from "../protocol/keys/derivation.js";
import { type Lock, type Witness, assemble, p2wpkh, p2wsh, witnessSignature } from "../protocol/script/assemble.js";
import { fundingScript } from "../protocol/script/funding.js";
import type { Secret32 } from "../protocol/secret.js";
import { SIGHASH_ALL } from "../protocol/tx/format.js";
import { type AddedInput, buildInteractiveTx, bySerialId, contributionWeight, serialiseWitness } from "../protocol/tx/interactive-tx.js";
import { parseTransaction } from "../protocol/tx/parse.js";
import { sighash, signHashLowR, withWitnesses } from "../protocol/tx/sign.js";
import { type Satoshi, type Weight, feeAtLeast, sat } from "../protocol/units.js";
import { firstTransaction, withOwnHashes } from "./block.js";
import { integer } from "./case.js";
import { testnetSecret } from "./testnet.js";
import { type VectorSet, expectedOf } from "./vector.js";

const derivedValue = optional(anything);

const PARTIES = ["opener", "accepter"] as const;
const party = oneOf(PARTIES);
type Party = (typeof PARTIES)[number];

const sharedByInputs = { owner: party, serial_id: json.u64, prevtx_vout: json.u32, sequence: json.u32, prevtx_len: derivedValue };

/** Appendix G: each side brings an output of one transaction, and takes change. */
const document = fields({
  source: optional(anyObject),
  status: optional(text),
  cases: list(
    fields({
      name: text,
      feerate_per_kw: json.feeratePerKw,
      locktime: json.u32,
      genesis_block: json.hexBytes,
      block1: json.hexBytes,
      coinbase_privkey_wif: text,
      parent_tx: json.hexBytes,
      parent_txid: derivedValue,
      opener_funding_sat: json.satoshi,
      accepter_funding_sat: json.satoshi,
      funding_pubkey1: json.point("funding"),
      funding_pubkey2: json.point("funding"),
      funding_witness_script: derivedValue,
      funding_script_pubkey: derivedValue,
      inputs: list(
        union(
          fields({ ...sharedByInputs, preimage: json.hexBytes, witness_script: json.hexBytes }),
          fields({ ...sharedByInputs, pubkey: derivedValue, privkey_wif: text }),
        ),
      ),
      outputs: list(
        union(
          fields({ owner: literal("opener"), serial_id: json.u64, amount_sat: derivedValue, script: derivedValue, role: literal("funding") }),
          fields({ owner: party, serial_id: json.u64, amount_sat: derivedValue, script: json.scriptPubkey, role: literal("change") }),
        ),
      ),
      fees: derivedValue,
      expected: anyObject,
    }),
  ),
});

type Case = ValueOf<typeof document>["cases"][number];
type Input = Case["inputs"][number];

const INPUTS = [
  "name",
  "feerate_per_kw",
  "locktime",
  "coinbase_privkey_wif",
  "opener_funding_sat",
  "accepter_funding_sat",
  "funding_pubkey1",
  "funding_pubkey2",
  "inputs",
  "outputs",
];
const INPUT_INPUTS = ["owner", "serial_id", "prevtx_vout", "sequence", "preimage", "witness_script", "privkey_wif"];
const OUTPUT_INPUTS = ["owner", "serial_id", "role"];

const OF_TRANSACTION = "locktime, the parent and what each side spends of it, the outputs' scripts and amounts, all serial_ids";
const FOLLOWS_FROM: Readonly<Record<string, string>> = {
  genesis_block: "itself: its header has the hash of its transaction",
  block1: "itself and genesis_block: its header has the hashes of its transaction and of the block before",
  parent_tx: "block1, coinbase_privkey_wif, and itself but for the signature",
  parent_txid: "parent_tx",
  funding_script_pubkey: "both funding keys",
  inputs: "parent_tx, privkey_wif",
  outputs: "what each side spends and funds, its fee, and both funding keys",
  fees: "feerate_per_kw; the inputs, outputs and witnesses of each side (107 for a witness at least), the opener's with what belongs to neither; rounded up",
  unsigned_tx: OF_TRANSACTION,
  txid: OF_TRANSACTION,
  tx_signatures_txid_field: OF_TRANSACTION,
  signed_tx: `${OF_TRANSACTION}; what opens each input`,
  opener_witness_data: "what opens the opener's inputs: preimages and scripts, or signatures of all of the transaction",
  accepter_witness_data: "what opens the accepter's inputs: preimages and scripts, or signatures of all of the transaction",
};

interface RawCase {
  readonly inputs: readonly object[];
  readonly outputs: readonly { readonly role: string }[];
}

/** Whether a document's first case is one of two funders. */
export function isDualFunding({ cases }: Readonly<Record<string, unknown>>): boolean {
  const [first] = Array.isArray(cases) ? (cases as readonly unknown[]) : [];
  return isObject(first) && Object.hasOwn(first, "accepter_funding_sat");
}

/** BOLT 3 §Appendix G: Dual Funded Transaction Test Vectors. */
export function readDualFunding(value: unknown, source: string): VectorSet {
  const raw = value as { readonly cases: readonly RawCase[] };
  return {
    common: [],
    cases: decode(document, value, source).cases.map((one, at) => ({
      id: one.name,
      path: ["cases", at],
      expected: expectedCase(raw.cases[at]),
      derived: deriveDualFunding(one, `cases[${at}]`),
      decisive: { what: "the funding transaction", path: ["expected", "txid"] },
      followsFrom: FOLLOWS_FROM,
    })),
  };
}

/** A change output's script is given, the funding output's follows. */
function expectedCase(raw: RawCase | undefined): Readonly<Record<string, unknown>> {
  return {
    ...expectedOf(raw, INPUTS),
    inputs: raw?.inputs.map((input) => expectedOf(input, INPUT_INPUTS)),
    outputs: raw?.outputs.map((output) => expectedOf(output, output.role === "change" ? [...OUTPUT_INPUTS, "script"] : OUTPUT_INPUTS)),
  };
}

/** An input with what it spends and how. */
interface OwnedInput extends AddedInput {
  readonly given: Input;
  readonly amount: Satoshi;
  /** Secret: null for a script that needs no signature. */
  readonly secret: Secret32 | null;
  readonly lock: Lock;
}

/** Secrets in: this layout publishes them. Throws: json-value, key-wif, tx-not-parsed. */
function deriveDualFunding(given: Case, where: string) {
  const genesis = firstTransaction(given.genesisBlock, `${where}.genesis_block`);
  const coinbase = firstTransaction(given.block1, `${where}.block1`);
  const parent = parseTransaction(given.parentTx);
  const script = fundingScript(given.fundingPubkey1, given.fundingPubkey2);
  const funding = p2wsh(script).scriptPubkey;
  const scriptOf = (output: Case["outputs"][number]): ScriptPubkey => (output.role === "funding" ? funding : output.script);

  const inputs = given.inputs.map((input, at) => ownedInput(input, parent, `${where}.inputs[${at}]`));
  const inOrder = bySerialId(inputs);
  const build = (amounts: readonly Satoshi[]): Transaction =>
    buildInteractiveTx(
      given.locktime,
      inputs,
      given.outputs.map((output, at) => ({ serialId: output.serialId, script: scriptOf(output), amount: amounts[at] ?? sat(0n) })),
    );
  // The amounts depend on the fees, those on the witnesses' size, which no amount changes
  const sizes = signAll(build([]), inOrder);
  const weightOf = (who: Party): Weight =>
    contributionWeight({
      initiator: who === "opener",
      witnesses: sizes.filter((_, at) => inOrder[at]?.given.owner === who),
      outputs: given.outputs.filter(({ owner }) => owner === who).map(scriptOf),
    });
  const weights = { opener: weightOf("opener"), accepter: weightOf("accepter") };
  const fees = { opener: feeAtLeast(given.feeratePerKw, weights.opener), accepter: feeAtLeast(given.feeratePerKw, weights.accepter) };
  const contributed = { opener: given.openerFundingSat, accepter: given.accepterFundingSat };
  const amounts = given.outputs.map(({ role, owner }) => {
    if (role === "funding") return sat(contributed.opener + contributed.accepter);
    const brought = inputs.reduce((sum, input) => sum + (input.given.owner === owner ? input.amount : 0n), 0n);
    const change = sat(brought - contributed[owner] - fees[owner]);
    if (change >= 0n) return change;
    const path = `${where}.${owner}_funding_sat`;
    throw new LnError(
      "json-value",
      `${path}: ${contributed[owner]} sat and a fee of ${fees[owner]} sat are more than the ${brought} sat of its inputs`,
      {
        path,
        value: contributed[owner].toString(),
      },
    );
  });
  const unsigned = build(amounts);
  const witnesses = signAll(unsigned, inOrder);
  const witnessData = (owner: Party): string =>
    witnesses.flatMap((witness, at) => (inOrder[at]?.given.owner === owner ? [toHex(serialiseWitness(witness))] : [])).join("");
  const id = displayTxid(txid(unsigned.getHash()));

  return {
    genesis_block: toHex(withOwnHashes(given.genesisBlock, null, genesis)),
    block1: toHex(withOwnHashes(given.block1, given.genesisBlock, coinbase)),
    parent_tx: signedParent(parent, coinbase, testnetSecret(given.coinbasePrivkeyWif, `${where}.coinbase_privkey_wif`)).toHex(),
    parent_txid: parent.getId(),
    funding_witness_script: toHex(script),
    funding_script_pubkey: toHex(funding),
    inputs: inputs.map(({ secret }) => ({ prevtx_len: given.parentTx.length, ...(secret === null ? {} : { pubkey: toHex(publicKey(secret)) }) })),
    outputs: given.outputs.map((output, at) => ({ amount_sat: integer(amounts[at] ?? 0n), script: toHex(scriptOf(output)) })),
    fees: {
      initiator_weight: integer(weights.opener),
      initiator_fee_sat: integer(fees.opener),
      contributor_weight_stated: integer(weights.accepter),
      contributor_weight_used_in_fee_line: integer(weights.accepter),
      contributor_fee_sat: integer(fees.accepter),
    },
    expected: {
      unsigned_tx: unsigned.toHex(),
      signed_tx: withWitnesses(unsigned, witnesses).toHex(),
      txid: id,
      tx_signatures_txid_field: PARTIES.map(() => id),
      opener_witness_data: witnessData("opener"),
      accepter_witness_data: witnessData("accepter"),
    },
  };
}

/** Throws: json-value where the parent has no such output, key-wif. */
function ownedInput(given: Input, parent: Transaction, where: string): OwnedInput {
  const { serialId, sequence, prevtxVout: outputIndex } = given;
  const spent = parent.outs[outputIndex];
  if (spent === undefined) {
    const path = `${where}.prevtx_vout`;
    throw new LnError("json-value", `${path}: the parent has no output ${outputIndex}`, { path, value: outputIndex });
  }
  const added = { given, serialId, txid: txid(parent.getHash()), outputIndex, sequence, amount: sat(spent.value) };
  if (!("privkeyWif" in given)) return { ...added, secret: null, lock: p2wsh(witnessScript(given.witnessScript)) };
  const secret = testnetSecret(given.privkeyWif, `${where}.privkey_wif`);
  return { ...added, secret, lock: p2wpkh(publicKey(secret)) };
}

/** Secrets in. A witness an input, which stand in the transaction's order. */
function signAll(unsigned: Transaction, inOrder: readonly OwnedInput[]): readonly Witness[] {
  return inOrder.map(({ given, amount, secret, lock }, at) => {
    if ("preimage" in given) return [given.preimage, given.witnessScript];
    if (secret === null || lock.kind !== "p2wpkh") return [];
    return [witnessSignature(signHashLowR(sighash(unsigned, at, { lock, amount }, SIGHASH_ALL), secret), SIGHASH_ALL), lock.pubkey];
  });
}

/** Secret in. The parent spends the first output of block 1's transaction, which pays P2WPKH within P2SH of this key. */
function signedParent(parent: Transaction, coinbase: Transaction, secret: Secret32): Transaction {
  const lock = p2wpkh(publicKey(secret));
  const own = parent.clone();
  const [input] = own.ins;
  if (input !== undefined) {
    input.hash = coinbase.getHash();
    input.index = 0;
    input.script = assemble([lock.scriptPubkey]);
  }
  const amount = sat(coinbase.outs[0]?.value ?? 0n);
  const signature = signHashLowR(sighash(own, 0, { lock, amount }, SIGHASH_ALL), secret);
  return withWitnesses(own, [[witnessSignature(signature, SIGHASH_ALL), publicKey(secret)]]);
}
