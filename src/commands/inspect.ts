import { readChannel, revokedHtlcs } from "../json/channel-file.js";
import { decode } from "../json/decode.js";
import { displayTxid, equalBytes, txid } from "../protocol/bytes.js";
import { type FundedChannel, requireFunded } from "../protocol/channel/state.js";
import { type ChannelView, type HtlcsOf, type Relation, viewTransaction } from "../protocol/channel/view.js";
import { LnError } from "../protocol/errors.js";
import { grouped } from "../protocol/explain/reading.js";
import type { Names, Ownership } from "../protocol/explain/words.js";
import { type Knowledge, type TxDescription, describeTransaction } from "../protocol/tx/describe.js";
import type { Satoshi } from "../protocol/units.js";
import type { PartyPaths } from "../store/paths.js";
import { formWords, inputOf, outputOf, ownershipOf, untold } from "./inspect/document.js";
import { anchorArithmetic, illustrationReasons } from "./inspect/illustration.js";
import { relationOf } from "./inspect/relation.js";
import type { OtherSubject } from "./inspect/subject.js";
import { SUBJECTS } from "./inspect/subjects.js";
import { type Document, type Report, defineCommand } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { amountSat, flag, oneOf, text, toggle } from "./shared/options.js";
import { locateParty, readInput } from "./shared/party.js";
import { transactionIn } from "./shared/read-transaction.js";
import type { Style } from "./shared/render.js";
import { amount } from "./shared/summary.js";

type Tx = ReturnType<typeof transactionIn>;

/** All the satoshis that there can be. */
const MAX_SAT = 2_100_000_000_000_000n;

/** Throws: usage-value. */
function spentAmount(value: string): Satoshi {
  const given = amountSat(value);
  if (given > MAX_SAT)
    throw new LnError("usage-value", `${JSON.stringify(value)} is more than all bitcoin`, { value, expected: "an amount up to 21000000btc" });
  return given;
}

const flags = {
  party: flag("--party <folder>", "read it as this party's channel sees it (no keys needed)", text),
  channel: flag("--channel <file>", "the same with a channel file, or - for standard input", text),
  amount: flag(
    "--amount <amount>",
    "what its only input spends, like 0.1btc: without a channel the fee and the signatures can't be checked else",
    spentAmount,
  ),
  explain: toggle("--explain", "every byte: field, value, meaning and source; the arithmetic of the amounts and the fee"),
  as: flag("--as <kind>", `with --explain: take the bytes for ${SUBJECTS.join(", ")}, whatever they look like`, oneOf(SUBJECTS)),
};

export const command = defineCommand({
  name: "inspect",
  summary: "read a transaction: whose, which number, who can spend what and when; or every byte of anything",
  description:
    "Reads a transaction, alone or with a channel's view: what it is, whose commitment, which number and whether it is revoked, the name of every output, and who " +
    "can spend it, when and with which witness. What the bytes can't tell is said, never guessed. --explain accounts for every byte, also of a message, a script, a PSBT " +
    "or a party's file: field, value, meaning, where it is specified, and the arithmetic of every amount. Needs no keys.",
  args: [{ syntax: "[file]", help: "the transaction: hex, or JSON with a `tx` or an `unsigned_tx`; - for standard input" }],
  flags,
  batch: {
    help: "read a transaction a line (hex, or JSON with a `tx`), and print an inspection of each, without a channel's view",
    file: ([file = "-"]) => file,
    with: [],
    line: (line, source) => ({ document: inspected(transactionIn(line, source), null, undefined).document }),
  },
  examples: [
    "chankit inspect cheat.json --party bob",
    "chankit inspect cheat.json --party bob --explain",
    "chankit inspect wire/0005-alice-commitment_signed.json --explain",
    "chankit build-commitment alice --owner remote | chankit inspect - --party alice",
    "jq -r '.transactions[0].tx' fixtures/article/sample-transactions.json | chankit inspect - --amount 0.1btc",
    "chankit inspect --batch txs.ndjson | jq -r .what.kind",
  ],
  curve: true,
  exits: [1, 4, 5],
  run: async (ctx, [file, ...more], o) => {
    if (file === undefined) throw new LnError("usage-argument", "name the transaction's file, or - for standard input", {});
    if (more.length > 0)
      throw new LnError("usage-argument", `${JSON.stringify(more[0])} is one argument too many: a party is named with --party`, {});
    if (file === "-" && o.channel === "-")
      throw new LnError("usage-stdin-twice", "the transaction and the channel can't both come from standard input", {});
    if (o.as !== undefined && o.explain !== true) throw new LnError("usage-argument", "--as goes with --explain", {});
    const text = readInput(ctx, file);
    // What explains is loaded where something is to be explained
    const other = o.explain === true ? (await import("./inspect/subject.js")).otherSubject(text, file, o.as) : null;
    if (other !== null) {
      if (o.party !== undefined || o.channel !== undefined || o.amount !== undefined)
        throw new LnError("usage-argument", `--party, --channel and --amount go with a transaction: ${file} is none`, {});
      return explainedReport(other);
    }
    const tx = transactionIn(text, file);
    const seen = inspected(tx, openView(ctx, tx, o), o.amount);
    const { document, listing } = o.explain === true ? await explained(tx, seen) : { document: seen.document };
    return { document, ...(listing === undefined ? {} : { rendered: listing }), fileName: `inspection-${tx.getId()}.json` };
  },
});

/** Of what is no transaction. */
async function explainedReport({ subject, explanation }: OtherSubject): Promise<Report> {
  const [{ explanationDocument }, { byteListing, valueListing }] = await Promise.all([
    import("./inspect/explained.js"),
    import("./inspect/listing.js"),
  ]);
  const show = subject === "state" ? valueListing : byteListing;
  const [{ title } = { title: "nothing" }] = explanation.headings;
  return {
    document: { format: "chankit-inspection", version: 1, what: { kind: subject, form: title }, explain: explanationDocument(explanation) },
    rendered: (style) => `${show(explanation, style).slice(1).join("\n")}\n`,
  };
}

interface Seen {
  readonly state: FundedChannel;
  readonly view: ChannelView;
}

/** The channel's view of the transaction, or null where none was named. Throws: usage-argument, state-not-funded, file-…, json-…. */
function openView(
  ctx: Context,
  tx: Tx,
  { party, channel }: { readonly party: string | undefined; readonly channel: string | undefined },
): Seen | null {
  if (party === undefined && channel === undefined) return null;
  if (party !== undefined && channel !== undefined) throw new LnError("usage-argument", "name the channel by --party or by --channel, not both", {});
  const { paths } = locateParty(party === undefined ? [] : [party], { channel, keys: undefined, strict: undefined });
  // A channel file on its own may be a copy that an auditor was sent, without the files that stand beside it
  const { document } = ctx.store.load(paths, channel === undefined ? "look" : "pure");
  const state = requireFunded(readChannel(document, paths.channel));
  const htlcsOf: HtlcsOf = (number) => {
    const htlcs = channel === "-" ? [] : revokedHtlcsOf(ctx, paths, state, number);
    return htlcs.length === 0 && channel !== undefined ? null : htlcs;
  };
  return { state, view: viewTransaction(state, tx, htlcsOf) };
}

function revokedHtlcsOf(ctx: Context, paths: PartyPaths, state: FundedChannel, number: number) {
  const [funding] = state.fundings;
  return ctx.store
    .findRevoked(paths, number)
    .map((line) => decode(revokedHtlcs, line, paths.revoked))
    .filter(({ fundingTxid }) => equalBytes(fundingTxid, funding.txid))
    .flatMap(({ htlcs }) => htlcs);
}

/** What is told of a transaction, and what explaining it goes on from. */
interface Inspected {
  readonly document: Document;
  readonly description: TxDescription;
  readonly seen: (Seen & { readonly names: Names }) | null;
  readonly ownership: Ownership;
  readonly untold: readonly string[];
}

function inspected(tx: Tx, seen: Seen | null, given: Satoshi | undefined): Inspected {
  const description = describeTransaction(tx, withAmount(tx, seen?.view ?? NOTHING_KNOWN, given));
  const { kind, obscuredNumber, inputs, outputs, fee, outputsSat, ordered } = description;
  const names: Names | null = seen === null ? null : { local: seen.state.party, remote: "the peer" };
  const relation = seen?.view.relation ?? null;
  const ownership = ownershipOf(relation, names);
  const not_told = untold(description, relation, ownership.owner);
  const document = {
    format: "chankit-inspection",
    version: 1,
    txid: displayTxid(txid(tx.getHash())),
    ...(seen?.state.purpose === "vector" ? { not_for_broadcast: "a test case" } : {}),
    what: {
      kind,
      form: formWords(description),
      ...(relation === null || names === null ? {} : relationOf(relation, names)),
      ...(obscuredNumber === null ? {} : { obscured_commitment_number: obscuredNumber.toString(16).padStart(12, "0") }),
      ...(kind === "illustration" ? { reasons: [...illustrationReasons(description, tx.locktime), ...anchorArithmetic(description)] } : {}),
    },
    tx_version: tx.version,
    locktime: tx.locktime,
    locktime_hex: tx.locktime.toString(16).padStart(8, "0"),
    signed: inputs.some(({ elements, scriptSig }) => elements.length > 0 || scriptSig.length > 0),
    weight: tx.weight(),
    vsize: tx.virtualSize(),
    inputs: inputs.map(inputOf),
    outputs: outputs.map((output, index) => outputOf(output, index, ownership)),
    outputs_sat: amount(outputsSat),
    ...feeFields(description, fee, tx.weight()),
    outputs_in_order: ordered,
    not_told,
  };
  return { document, description, seen: seen === null || names === null ? null : { ...seen, names }, ownership, untold: not_told };
}

async function explained(
  tx: Tx,
  { document, description, seen, ownership, untold: notTold }: Inspected,
): Promise<{ readonly document: Document; readonly listing: (style: Style) => string }> {
  const [{ explainTx, explainedTxDocument }, { txListing }] = await Promise.all([import("./inspect/explained.js"), import("./inspect/listing.js")]);
  const whole = explainTx(tx, description, seen, ownership);
  const title = titleOf(description, seen?.view.relation ?? null, seen?.names ?? null);
  return {
    document: { ...document, explain: explainedTxDocument(whole) },
    listing: (style) => txListing(whole, { description, ownership, title, facts: factsOf(tx, description), untold: notTold }, style),
  };
}

function titleOf(description: TxDescription, relation: Relation | null, names: Names | null): string {
  const form = formWords(description);
  return relation === null || names === null ? form : String(relationOf(relation, names)["meaning"]);
}

function factsOf(tx: Tx, { fee, kind }: TxDescription): readonly string[] {
  const weight = BigInt(tx.weight());
  const paid =
    fee === null || kind === "coinbase" ? [] : [`fee ${grouped(fee)} sat`, `${grouped((fee * 1000n) / weight)} sat/kw of its present weight`];
  return [
    `txid ${displayTxid(txid(tx.getHash()))}`,
    [
      `${grouped(tx.byteLength())} bytes`,
      `weight ${grouped(weight)}${tx.hasWitnesses() ? "" : " without witnesses"}`,
      `${grouped(tx.virtualSize())} vbytes`,
      ...paid,
    ].join(", "),
  ];
}

const NOTHING_KNOWN: Knowledge = { spent: [], outputs: [] };

/** Throws: usage-value. */
function withAmount(tx: Tx, known: Knowledge, given: Satoshi | undefined): Knowledge {
  if (given === undefined) return known;
  if (tx.ins.length !== 1)
    throw new LnError("usage-value", `--amount is for a transaction with one input; this one has ${tx.ins.length}`, { inputs: tx.ins.length });
  const [spent] = known.spent;
  if (spent !== null && spent !== undefined && spent.amount !== given) {
    throw new LnError("usage-value", `--amount ${given} sat is not what the channel says: ${spent.amount} sat`, {
      given_sat: given.toString(),
      channel_sat: spent.amount.toString(),
    });
  }
  return { ...known, spent: [{ lock: null, name: null, ...spent, amount: given }] };
}

function feeFields({ kind }: TxDescription, fee: bigint | null, txWeight: number): Record<string, unknown> {
  if (fee === null || kind === "coinbase") return { fee_sat: null };
  return {
    fee_sat: amount(fee),
    ...(fee < 0n ? { fault: "it pays out more than it spends" } : { fee_per_kw: amount((fee * 1000n) / BigInt(txWeight)) }),
  };
}
