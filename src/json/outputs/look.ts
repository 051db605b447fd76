import { MESSAGES } from "../../protocol/wire/table.js";
import { type Codec, anyObject, boolean, integer, list, literal, nullable, oneOf, plain, record, text, union } from "../codec.js";
import { fields, optional, type Shape, someFields } from "../fields.js";
import { bytes32, commitmentNumber, hexBytes, satoshi, scriptPubkey, side, txid, u16, u32, u53 } from "../primitives.js";
import { htlc } from "../channel-file.js";
import {
  HTLC_TXS,
  OUTPUT_KINDS,
  STANDINGS,
  channelType,
  format,
  hex,
  hex32,
  hex48,
  notForBroadcast,
  outpoint,
  refusal,
  signedAmount,
} from "./parts.js";

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

const inspection = union(
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

/** A value of a channel: a count, an amount, hex. */
const shown = union(text, integer);

const found = {
  verdict: oneOf(["valid", "high_s", "explained", "unexplained"]),
  explanations: optional(
    list(
      fields({
        differences: list(fields({ cause: text, words: text, expected: optional(text), actual: optional(text) })),
        txid,
        unsigned_tx: hex,
      }),
    ),
  ),
  tried: fields({ suspects: u53, variants: u53, signatures: u53, feerates: u53, pairs: u53, complete: boolean }),
} satisfies Shape;

const diagnosis = fields({
  ...format("chankit-diagnosis"),
  owner: side,
  commitment_number: commitmentNumber,
  standing: oneOf(STANDINGS),
  txid,
  log_of: optional(oneOf(["lnd", "ldk", "core-lightning", "eclair"])),
  log_number: optional(nullable(u53)),
  log_feerate_per_kw: optional(nullable(u53)),
  of: optional(literal("htlc")),
  at: optional(u16),
  sighash: optional(bytes32),
  peers_sighash: optional(bytes32),
  signature_good_for_it: optional(boolean),
  ...found,
  differences: optional(list(fields({ field: text, ours: shown, theirs: shown }))),
  commitment_signature: optional(literal("valid")),
  htlc_signatures: optional(
    list(
      union(
        fields({ at: u16, htlc_id: u53, offered_by: side, output_index: u16, verdict: literal("explained"), words: text }),
        fields({ at: u16, htlc_id: u53, offered_by: side, output_index: u16, ...found }),
      ),
    ),
  ),
});

const apart = list(fields({ field: text, a: nullable(text), b: nullable(text) }));
const held = { commitment_number: commitmentNumber, standing: oneOf(STANDINGS), txid };
const heldSide = fields({ name: text, party: text, owner: side, ...held });

const diff = union(
  fields({
    ...format("chankit-diff"),
    kind: oneOf(["states", "views"]),
    equal: boolean,
    a: fields({ name: text, party: text }),
    b: fields({ name: text, party: text }),
    commitments: list(
      fields({
        owner: side,
        a: fields(held),
        b: fields(held),
        verdict: oneOf(["same", "covers", "differs"]),
        differences: list(fields({ field: text, a: text, b: text, words: optional(text), alone: oneOf(["explains", "changes", "nothing"]) })),
        explanations: list(list(text)),
        transaction: apart,
      }),
    ),
    unpaired: list(fields({ owner: side, commitment_number: commitmentNumber, only: oneOf(["a", "b"]) })),
    fields: list(fields({ path: text, a: text, b: text })),
  }),
  fields({
    ...format("chankit-diff"),
    kind: literal("transactions"),
    equal: boolean,
    a: fields({ name: text, txid, what: text }),
    b: fields({ name: text, txid, what: text }),
    transaction: apart,
    not_told: list(text),
  }),
  fields({
    ...format("chankit-diff"),
    kind: literal("state-and-transaction"),
    equal: boolean,
    a: union(heldSide, fields({ name: text, txid })),
    b: union(heldSide, fields({ name: text, txid })),
    transaction: apart,
    not_told: list(text),
  }),
);

const audit = fields({
  ...format("chankit-audit"),
  verdict: oneOf(["consistent", "incomplete", "diverges"]),
  parties: optional(
    list(
      fields({
        party: text,
        messages: u53,
        begins_at: optional(fields({ file: text, sent: u53, received: u53 })),
        funding: optional(outpoint),
        local_commitment: optional(nullable(commitmentNumber)),
        remote_commitment: optional(nullable(commitmentNumber)),
      }),
    ),
  ),
  replayed: boolean,
  checked: optional(fields({ messages_sent: u53, messages_received: u53, signatures: u53, secrets: u53, moments: u53, state_hashes: u53 })),
  regenerated: optional(list(text)),
  journals: list(fields({ file: text, lines: u53, head: nullable(bytes32) })),
  findings: list(
    fields({
      kind: oneOf(["unreadable", "conflict", "differs", "signature", "secret", "refused", "not-due", "missing", "unreached", "state", "chain"]),
      message: optional(fields({ party: text, seq: u53, type: optional(text) })),
      files: optional(list(text)),
      journal: optional(fields({ file: text, line: u53 })),
      file: optional(text),
      path: optional(text),
      fact: text,
      expected: optional(text),
      found: optional(text),
      code: optional(text),
    }),
  ),
  missing: optional(list(text)),
  ignored_files: u53,
});

const party = oneOf(["alice", "bob"]);

const cell = {
  step: u32,
  label: text,
  adversary: party,
  honest: party,
  behaviour: text,
} satisfies Shape;

const explore = fields({
  ...format("chankit-explore"),
  without: list(text),
  expected: optional(fields({ leads_to: union(text, list(text)), because: text, as_stated: boolean })),
  circumstances: fields({ patience_blocks: u53, reaction_blocks: nullable(u53), sweep_feerate_per_kw: u53, start_height: u53 }),
  losses: u53,
  scenarios: list(
    fields({
      scenario: text,
      summary: text,
      channel_type: channelType,
      feerate_per_kw: u53,
      losses: u53,
      unreached: u53,
      cut: nullable(text),
      counts: fields({ cells: u53, situations: u53, transactions: u53, commands: u53, states: u53, interpreted: u53 }),
      cells: list(
        union(
          fields({ ...cell, verdict: literalNull(), why: nullable(text) }),
          fields({
            ...cell,
            verdict: text,
            honest_sat: satoshi,
            adversary_sat: satoshi,
            locked_sat: satoshi,
            entitled_msat: satoshi,
            terms: fields({
              commitment_msat: signedAmount,
              closing_msat: signedAmount,
              dust_msat: signedAmount,
              rounding_msat: signedAmount,
              spending_msat: signedAmount,
            }),
            missing_msat: signedAmount,
            how: text,
            tried: u53,
            refused: record(u53),
            confirmed: list(fields({ height: u32, txid })),
          }),
        ),
      ),
    }),
  ),
  transactions: record(hex),
});

function literalNull(): Codec<null> {
  return plain<null>({ is: (value): value is null => value === null, expected: "null", jsonSchema: { type: "null" } });
}

const report = fields({
  ...format("chankit-report"),
  title: text,
  parties: list(text),
  commitments: list(
    someFields({
      title: text,
      txid,
      outputs: list(fields({ name: text, sat: satoshi, taker: oneOf(["opener", "accepter", "either", "fee"]), delayed: boolean, ways: list(text) })),
    }),
  ),
  messages: list(
    union(
      fields({ kind: literal("message"), from: text, to: text, seq: u53, type: oneOf(Object.keys(MESSAGES)), detail: text }),
      fields({ kind: literal("gap"), from: text, first: u53, last: u53 }),
    ),
  ),
  tables: list(fields({ caption: text, head: list(text), rows: list(list(text)) })),
});

/** What the commands print that look closely, and those about chankit. */
export const LOOK_OUTPUTS = {
  inspect: () => inspection,
  diff: () => diff,
  diagnose: () => diagnosis,
  audit: () => audit,
  explore: () => explore,
  report: () => report,
  /** What each of them compares has the layout's own names. */
  vectors: () => anyObject,
  schema: () => anyObject,
  completion: () => fields({ shell: oneOf(["bash", "zsh", "fish"]), script: text }),
  selftest: () =>
    fields({
      backend: oneOf(["wasm", "native"]),
      reason: text,
      installed: list(oneOf(["wasm", "native"])),
      checks: list(fields({ backend: oneOf(["wasm", "native"]), check: text, ok: boolean })),
      failed: u53,
    }),
  help: () => union(fields({ topic: text, text: list(text) }), fields({ page: text, text: list(text) })),
} as const;
