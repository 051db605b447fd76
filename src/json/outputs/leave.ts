import { CHAINS } from "../../protocol/channel/params.js";
import { boolean, list, literal, nullable, oneOf, record, text, union } from "../codec.js";
import { fields, optional, type Shape } from "../fields.js";
import { commitmentNumber, feeratePerKw, satoshi, scriptPubkey, side, txid, u16, u32, u53 } from "../primitives.js";
import { htlc } from "../channel-file.js";
import { messageFile } from "../messages.js";
import {
  HTLC_TXS,
  OUTPUT_KINDS,
  SWEEPABLES,
  carried,
  channelType,
  dryRun,
  format,
  hex,
  notForBroadcast,
  outpoint,
  output,
  refusal,
  signedAmount,
  step,
  taken,
} from "./parts.js";

const remote = literal("remote");

const closing = {
  kind: oneOf(["simple", "legacy"]),
  fee_paid_by: side,
  txid,
  tx: hex,
  locktime: u32,
  outputs: list(fields({ index: u16, side, amount_sat: satoshi, script_pubkey: scriptPubkey })),
  fee_sat: satoshi,
  weight: u53,
  fee_per_kw: satoshi,
} satisfies Shape;

const htlcTx = { kind: oneOf(HTLC_TXS), output_index: u16, htlc };

const forceClose = fields({
  ...dryRun,
  already_done: optional(literal(true)),
  ...format("chankit-force-close"),
  owner: literal("local"),
  commitment_number: commitmentNumber,
  ...notForBroadcast,
  txid,
  outputs: list(output),
  fee_sat: signedAmount,
  to_self_delay: u16,
  ...without(carried, "txid"),
  htlc_txs: optional(
    list(
      fields({
        ...htlcTx,
        ...without(carried, "txid", "tx"),
        txid,
        tx: optional(nullable(hex)),
        amount_sat: satoshi,
        fee_sat: satoshi,
        needs: optional(literal("the preimage")),
      }),
    ),
  ),
});

function without<S extends Shape, const Names extends readonly (keyof S)[]>(shape: S, ...names: Names): Omit<S, Names[number]> {
  return Object.fromEntries(Object.entries(shape).filter(([name]) => !names.includes(name))) as Omit<S, Names[number]>;
}

const punishment = {
  ...format("chankit-penalty"),
  punishes: fields({ txid, owner: remote, commitment_number: nullable(commitmentNumber) }),
  to: text,
  feerate_per_kw: feeratePerKw,
} satisfies Shape;

const penalty = {
  ...punishment,
  ...carried,
  takes: list(taken),
  amount_sat: satoshi,
  fee_sat: satoshi,
  fee_weight: u53,
} satisfies Shape;

const sweep = fields({
  ...format("chankit-sweep"),
  outputs: list(
    fields({
      txid,
      output_index: u32,
      kind: oneOf(SWEEPABLES),
      amount_sat: satoshi,
      after_blocks: u32,
      spendable_from: nullable(u32),
      taken: boolean,
    }),
  ),
  waiting: list(
    fields({ output_index: u32, kind: oneOf(OUTPUT_KINDS), amount_sat: satoshi, waits_for: oneOf(["htlc_tx", "preimage", "penalty_tx"]) }),
  ),
  ...carried,
  locktime: u32,
  to: text,
  amount_sat: satoshi,
  fee_sat: satoshi,
  feerate_per_kw: feeratePerKw,
  fee_weight: u53,
});

const bump = fields({
  ...format("chankit-bump"),
  kind: oneOf(["commitment", "htlcs"]),
  parent: optional(fields({ txid, owner: side, commitment_number: commitmentNumber, fee_sat: satoshi, weight: u53 })),
  package_fee_sat: optional(satoshi),
  package_weight: optional(u53),
  htlcs: optional(list(fields({ ...htlcTx, amount_sat: satoshi, pays_to_output: u16 }))),
  locktime: optional(u32),
  ...carried,
  feerate_per_kw: feeratePerKw,
  fee_sat: satoshi,
  fee_weight: u53,
  change_sat: satoshi,
  change: text,
  replaces: optional(fields({ txid, fee_sat: satoshi })),
});

/** A line for a watchtower. */
const justiceKit = fields({
  ...format("chankit-justice-kit"),
  hint: hex,
  commitment_txid: txid,
  commitment_number: commitmentNumber,
  channel_type: channelType,
  chain: oneOf(CHAINS),
  funding: outpoint,
  to: text,
  outputs: list(fields({ index: u16, kind: oneOf(OUTPUT_KINDS), amount_sat: satoshi })),
  penalties: list(fields({ feerate_per_kw: feeratePerKw, takes: list(u16), amount_sat: satoshi, fee_sat: satoshi, txid, tx: hex })),
});

const refused = fields({
  code: text,
  reason: text,
  input: optional(u32),
  output: optional(u32),
  outpoint: optional(nullable(outpoint)),
  spends: optional(nullable(text)),
  script: optional(text),
  opcode: optional(text),
  position: optional(u32),
  offset: optional(u32),
  early_by: optional(u53),
  delay_blocks: optional(u32),
  delay_seconds: optional(u53),
  from_block: optional(u53),
  after_time: optional(u53),
  missing_sat: optional(satoshi),
  threshold_sat: optional(satoshi),
  fee_per_kw: optional(satoshi),
  parent: optional(txid),
  vsize: optional(u32),
});

const traceStep = fields({
  script: text,
  opcode: text,
  executed: boolean,
  before: list(text),
  after: list(text),
  signatures: optional(list(record(union(text, boolean)))),
  error: optional(text),
});

const check = fields({
  ...format("chankit-check"),
  accepted: boolean,
  rules: text,
  transactions: list(
    fields({
      txid,
      accepted: boolean,
      refusals: list(refused),
      notes: list(refused),
      fee_sat: signedAmount,
      fee_per_kw: optional(satoshi),
      weight: u53,
      vsize: u53,
      inputs: list(fields({ outpoint, spends: optional(text), amount_sat: satoshi, known_from: text })),
      node: optional(fields({ accepted: boolean, reason: nullable(text) })),
      traces: optional(list(fields({ input: u32, elements: record(hex), steps: list(traceStep) }))),
    }),
  ),
});

const due = { txid, output_index: u32, kind: oneOf(["penalty", "htlc_timeout", "htlc_success", ...SWEEPABLES]), amount_sat: satoshi };
const waitingOutput = fields({ ...due, spendable_from: nullable(u32) });
const ofCommitment = { party: text, commitment_txid: txid };
const height = nullable(u32);

const answer = {
  ...ofCommitment,
  kind: oneOf(["penalty", "sweep", ...HTLC_TXS]),
  txid,
  takes: list(fields(due)),
  locktime: u32,
  amount_sat: optional(satoshi),
  fee_sat: optional(satoshi),
  tx: hex,
} satisfies Shape;

/** A file that `watch` writes. */
export const answerFile = fields({ ...format("chankit-answer"), ...answer, to: text, feerate_per_kw: feeratePerKw });

const event = <Name extends string, S extends Shape>(name: Name, shape: S) => fields({ event: literal(name), ...shape });

/** Each line that `watch` prints. */
const watchEvents = () =>
  union(
    event("watching", { parties: u53, unfunded: u53, failed: u53 }),
    event("failed", { party: optional(text), line: optional(u53), height: optional(u32), error: refusal }),
    event("commitment", {
      party: text,
      txid,
      height,
      commitment: oneOf(["own", "theirs", "revoked", "mutual", "unknown"]),
      owner: nullable(side),
      commitment_number: nullable(commitmentNumber),
      standing: text,
      meaning: text,
    }),
    event("confirmed", { party: text, txid, height: u32 }),
    event("spend", { ...ofCommitment, txid, height, by: oneOf(["answer", "htlc_tx", "other"]), outputs: list(outpoint) }),
    event("answer", { ...answer, file: optional(text) }),
    event("waiting", { ...ofCommitment, outputs: list(waitingOutput) }),
    event("uneconomical", { ...ofCommitment, output: waitingOutput }),
    event("refused", { ...ofCommitment, output: optional(outpoint), file: optional(text), error: refusal }),
    event("disconnected", { height: u32 }),
    event("gap", { from: u32, to: u32 }),
    event("node", { reached: boolean, error: nullable(refusal) }),
    event("end", {
      height,
      blocks: u53,
      transactions: u53,
      commitments: u53,
      answers: u53,
      refused: u53,
      failed: u53,
      interrupted: boolean,
    }),
  );

const broadcast = fields({
  ...format("chankit-broadcast"),
  chain: oneOf(CHAINS),
  transactions: list(
    fields({
      txid,
      what: oneOf(["commitment", "revoked_commitment", ...HTLC_TXS, "spends_commitment", "funding", "mutual_close", "funding_spend", "other"]),
      owner: optional(nullable(side)),
      commitment_number: optional(nullable(commitmentNumber)),
      in: nullable(oneOf(["mempool", "chain"])),
    }),
  ),
});

/** What the commands print that leave the channel and meet the chain. */
export const LEAVE_OUTPUTS = {
  close: () =>
    union(
      fields({ ...format("chankit-close"), ...closing, others: optional(list(fields(closing))) }),
      fields({
        ...format("chankit-close"),
        kind: closing.kind,
        fee_paid_by: side,
        locktime: u32,
        signs_for: oneOf(["closing_signed", "closing_complete", "closing_sig"]),
        transactions: list(
          fields({ ...without(carried, "txid", "tx", "weight"), txid, signed_by_peer: boolean, outputs: closing.outputs, fee_sat: satoshi }),
        ),
      }),
      step(),
      ...(["shutdown", "closing_signed", "closing_complete", "closing_sig"] as const).map(messageFile),
    ),
  "force-close": () => forceClose,
  "htlc-tx": () =>
    fields({
      ...format("chankit-htlc-tx"),
      commitment_txid: txid,
      ...htlcTx,
      ...carried,
      amount_sat: satoshi,
      fee_sat: satoshi,
      locktime: u32,
      to_self_delay: u16,
    }),
  sweep: () => sweep,
  bump: () => bump,
  "penalty-tx": () =>
    union(
      fields({
        ...penalty,
        leaves: optional(list(fields({ output_index: u32, kind: oneOf([...OUTPUT_KINDS, "unknown"]), amount_sat: satoshi }))),
      }),
      fields({ ...punishment, transactions: list(fields(penalty)), uneconomical: list(fields({ txid, output_index: u32, amount_sat: satoshi })) }),
    ),
  "export-watchtower": () => justiceKit,
  watch: watchEvents,
  "check-tx": () => check,
  broadcast: () => broadcast,
} as const;
