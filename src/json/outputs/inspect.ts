import { boolean, integer, list, literal, nullable, oneOf, record, text, union } from "../codec.js";
import { type Shape, fields, optional } from "../fields.js";
import { commitmentNumber, hexBytes, satoshi, scriptPubkey, side, txid, u16, u32, u53 } from "../primitives.js";
import { htlc } from "../channel-file.js";
import { HTLC_TXS, OUTPUT_KINDS, STANDINGS, format, hex, hex32, hex48, notForBroadcast, outpoint, refusal, signedAmount } from "./parts.js";

const KINDS = ["structure", "number", "amount", "time", "key", "hash", "signature", "code", "data", "secret"] as const;

/** Bytes, each under one label. */
const explanation = {
  bytes: u53,
  headings: list(fields({ at: u53, title: text })),
  ranges: list(
    fields({
      from: u53,
      to: u53,
      path: text,
      label: text,
      kind: oneOf(KINDS),
      hex: union(hexBytes, literal("[secret]")),
      value: text,
      meaning: text,
      source: text,
    }),
  ),
} satisfies Shape;

const explainedTx = {
  ...explanation,
  scripts: optional(list(fields({ of: text, title: text, script: hex, ...explanation }))),
  sums: optional(
    list(
      fields({
        title: text,
        output: optional(u16),
        lines: list(fields({ kind: oneOf(["term", "result", "remark"]), what: text, msat: optional(signedAmount) })),
        source: text,
      }),
    ),
  ),
  commitment_number: optional(
    fields({ obscured: hex48, obscuring_factor: nullable(hex48), number: nullable(commitmentNumber), formula: text, source: text }),
  ),
} satisfies Shape;

const scriptValues = record(union(hexBytes, integer));

// What no block may hold, a negative amount, is shown as it stands
const inspectedInput = fields({
  outpoint,
  sequence: hex32,
  spends: text,
  amount_sat: optional(signedAmount),
  path: nullable(text),
  script_sig: optional(hex),
  fault: optional(text),
  witness: list(fields({ name: text, form: optional(text), signature: optional(text), hex })),
  script_values: optional(scriptValues),
});

const spender = fields({
  path: text,
  by: text,
  side: optional(side),
  key_name: optional(text),
  key: optional(hex),
  after: text,
  csv: optional(u32),
  cltv_expiry: optional(u32),
  script_sig: optional(text),
  witness: optional(text),
  via: optional(text),
});

const inspectedOutput = fields({
  index: u32,
  name: oneOf([...OUTPUT_KINDS, "anchor", "funding", "htlc_tx_output", "close_to_local", "close_to_remote", "unknown"]),
  amount_sat: signedAmount,
  type: text,
  named_by: optional(text),
  script_pubkey: scriptPubkey,
  witness_script: optional(hex),
  script_values: optional(scriptValues),
  htlc: optional(htlc),
  spenders: list(spender),
});

/** What the channel says of a transaction. */
const relation = {
  relation: optional(oneOf(["commitment", ...HTLC_TXS, "spends_commitment", "funding", "mutual_close", "funding_spend", "unrelated"])),
  owner: optional(nullable(side)),
  owner_name: optional(text),
  fee_paid_by: optional(side),
  commitment_number: optional(nullable(commitmentNumber)),
  standing: optional(oneOf([...STANDINGS, "revoked", "ahead", "other", "unknown"])),
  revoked: optional(nullable(boolean)),
  output_index: optional(u32),
  punishable_outputs: optional(list(u32)),
  meaning: optional(text),
} satisfies Shape;

/** What `inspect` prints. */
export const inspection = union(
  fields({
    ...format("chankit-inspection"),
    txid,
    ...notForBroadcast,
    what: fields({
      kind: oneOf([
        "coinbase",
        "commitment",
        "illustration",
        "funding_spend",
        ...HTLC_TXS,
        "htlc_batch",
        "penalty",
        "sweep",
        "anchor_spend",
        "mixed",
        "unknown",
      ]),
      form: text,
      ...relation,
      obscured_commitment_number: optional(hex48),
      reasons: optional(list(text)),
    }),
    tx_version: u32,
    locktime: u32,
    locktime_hex: hex32,
    signed: boolean,
    weight: u53,
    vsize: u53,
    inputs: list(inspectedInput),
    outputs: list(inspectedOutput),
    outputs_sat: signedAmount,
    fee_sat: nullable(signedAmount),
    fee_per_kw: optional(satoshi),
    fault: optional(text),
    outputs_in_order: boolean,
    not_told: list(text),
    explain: optional(fields(explainedTx)),
  }),
  fields({
    ...format("chankit-inspection"),
    what: fields({ kind: oneOf(["message", "script", "state", "psbt"]), form: text }),
    explain: fields(explanation),
  }),
  fields({ error: refusal }),
);
