import { looksLikePsbt } from "../json/psbt-form.js";
import { fromHex } from "../protocol/bytes.js";
import { LnError } from "../protocol/errors.js";
import { CONSENSUS_FLAGS, STANDARD_FLAGS, parseFlags } from "../protocol/script/interpreter/flags.js";
import type { SpentOutput, TraceStep } from "../protocol/script/interpreter/verify.js";
import { CHAINS } from "../protocol/channel/params.js";
import { type Seen, addChannelOutputs, openChannel, outputNames } from "./check-tx/channel.js";
import { type Place, type Rules, judge, rulesNamed } from "./check-tx/judgement.js";
import { type KnownOutputs, type Tx, addOutputs, knownOutputs, outpointOf, spentBy } from "./check-tx/known-outputs.js";
import { askNode } from "./check-tx/node.js";
import { type ShownTrace, shownTraces, traceLines } from "./check-tx/trace.js";
import { defineCommand } from "./shared/command.js";
import type { Context } from "./shared/context.js";
import { readInput } from "./shared/load-party.js";
import { nodeFlags } from "./shared/node.js";
import { amountSat, flag, integer, list, oneOf, text, toggle } from "./shared/options.js";
import { readTransactions, transactionIn, transactionsIn } from "./shared/read-transaction.js";
import { amount } from "./shared/summary.js";

const MAX_HEIGHT = 499_999_999;
const MAX_TIME = 0xffffffff;

/** Throws: usage-value, input-script-flag. */
function rulesOf(value: string): Rules {
  if (value === "standard") return { flags: STANDARD_FLAGS, standard: true };
  return { flags: value === "consensus" ? CONSENSUS_FLAGS : parseFlags(value), standard: false };
}

interface Prevout {
  readonly outpoint: string;
  readonly output: SpentOutput;
}

/** Throws: usage-value. */
function prevoutOf(value: string): Prevout {
  const [, outpoint, sum, script] = /^([0-9a-f]{64}:\d{1,10}):([^:]+):((?:[0-9a-fA-F]{2})*)$/.exec(value) ?? [];
  if (outpoint === undefined || sum === undefined || script === undefined) {
    const form = "TXID:INDEX:AMOUNT:SCRIPT, like 4a5e…3b:0:0.5btc:0014…";
    throw new LnError("usage-value", `${JSON.stringify(value)} is not ${form}`, { value, expected: form });
  }
  return { outpoint, output: { script: fromHex(script), amount: amountSat(sum) } };
}

/** The block that holds one transaction, or where none is named, all those that are not named. */
interface Confirmed {
  readonly txid: string | null;
  readonly height: number;
}

/** Throws: usage-value. */
function confirmedIn(value: string): Confirmed {
  const [, txid, height] = /^(?:([0-9a-f]{64}):)?(\d{1,9})$/.exec(value) ?? [];
  if (height === undefined) {
    throw new LnError("usage-value", `${JSON.stringify(value)} is not a height or TXID:HEIGHT`, { value, expected: "a height or TXID:HEIGHT" });
  }
  return { txid: txid ?? null, height: integer(0, MAX_HEIGHT)(height) };
}

const flags = {
  parent: list("--parent <file>", "a transaction that is spent, as a file or in hex; may be given again", text),
  prevout: list("--prevout <outpoint>", "an output that is spent: TXID:INDEX:AMOUNT:SCRIPT; may be given again", prevoutOf),
  party: flag("--party <folder>", "this party's channel knows its funding output and its commitments' outputs (no keys needed)", text),
  channel: flag("--channel <file>", "the same with a channel file, or - for standard input", text),
  flags: flag("--flags <rules>", "standard (the default), consensus, or Bitcoin Core's names of script flags, separated by commas", rulesOf),
  height: flag("--height <block>", "the block that would hold it, for timelocks", integer(0, MAX_HEIGHT)),
  time: flag("--time <seconds>", "the median time of the eleven blocks before that, for an nLockTime that is a time", integer(0, MAX_TIME)),
  confirmed: list("--confirmed <height>", "the block that holds what it spends, or TXID:HEIGHT for one of several; may be given again", confirmedIn),
  trace: toggle("--trace", "show every opcode with the stack before and behind it"),
  node: toggle("--node", "ask a Bitcoin Core node as well (testmempoolaccept); so does --rpc"),
  ...nodeFlags,
  chain: flag("--chain <name>", `the chain that the node must be on: ${CHAINS.join(", ")} (default: the channel's, else regtest)`, oneOf(CHAINS)),
};

export const command = defineCommand({
  name: "check-tx",
  summary: "verify transactions, without a node or with one: scripts, timelocks, fee, standardness",
  description:
    "Runs every script of a signed transaction as a node would, and looks at its timelocks, fee, weight and outputs. What it spends is told by the transactions " +
    "themselves (each may spend those before it), by --parent, --prevout or a finalised PSBT, or by a party's channel. Exit 1 where it would be refused. Needs no keys. With --node a Bitcoin Core node must accept them too, several as one package; nothing is sent.",
  args: [
    { syntax: "<files...>", help: "transactions: hex, our reports with a `tx` or with `transactions`, or a finalised PSBT; - for standard input" },
  ],
  flags,
  examples: [
    "chankit check-tx close.json --party alice",
    "chankit check-tx penalty.json --parent cheat.json --party bob --trace",
    "chankit check-tx sweep.json --parent close.json --confirmed 800000 --height 800144",
    "chankit check-tx close.json --party alice --node",
    "chankit check-tx - --prevout 4a5e…3b:0:0.5btc:0014… --flags consensus < tx.hex",
  ],
  curve: true,
  exits: [1, 4, 5, 75],
  run: async (ctx, files, o) => {
    const named = [...files, ...(o.parent ?? []), ...(o.channel === undefined ? [] : [o.channel])];
    if (named.filter((name) => name === "-").length > 1) throw new LnError("usage-stdin-twice", "only one input can come from standard input", {});
    const known = knownOutputs();
    const txs: Tx[] = [];
    for (const file of files) txs.push(...(await readChecked(ctx, file, known)));
    const parents = (o.parent ?? []).flatMap((file) => (isHex(file) ? [transactionIn(file, "--parent")] : readTransactions(ctx, file).txs));
    const seen = openChannel(ctx, o);
    addKnown(known, { parents, prevouts: o.prevout ?? [], seen });
    const rules = o.flags ?? rulesOf("standard");
    const checked = new Map<string, Tx>();
    const results = txs.map((tx) => {
      const place = { ...placeOf(tx, o, checked), height: o.height ?? null, medianTime: o.time ?? null };
      const result = checkOne(tx, known, { rules, place, seen, trace: o.trace === true });
      addOutputs(known, tx, "a transaction before it", namesBy(seen, tx));
      checked.set(tx.getId(), tx);
      return result;
    });
    const asked = o.node === true || o.rpc !== undefined;
    const said = asked ? await askNode(ctx, o.chain ?? seen?.state.chain ?? "regtest", o, txs) : null;
    const accepted = results.every((result) => result.accepted) && (said === null || said.every((one) => one.accepted));
    const shown = results.map(({ fields, traces }, at) => ({ fields: said === null ? fields : { ...fields, node: said[at] }, traces }));
    const head = { format: "chankit-check", version: 1, accepted, rules: rulesNamed(rules) };
    return {
      document: { ...head, transactions: shown.map(({ fields, traces }) => ({ ...fields, ...(traces === null ? {} : { traces }) })) },
      readable: {
        ...head,
        transactions: shown.map(({ fields, traces }) => ({ ...fields, ...(traces === null ? {} : { traces: traces.map(traceLines) }) })),
      },
      verdict: accepted ? "yes" : "no",
      fileName: `check-${txs[0]?.getId() ?? "none"}.json`,
    };
  },
});

/** Longer than any file's name, shorter than any transaction. */
const MIN_TX_HEX = 120;

function isHex(text: string): boolean {
  return text.length >= MIN_TX_HEX && /^[0-9a-fA-F]+$/.test(text);
}

/** The transactions of one input; a PSBT says what it spends, too. Throws: tx-not-parsed, input-psbt…, json-…, input-unreadable. */
async function readChecked(ctx: Context, file: string, known: KnownOutputs): Promise<readonly Tx[]> {
  const content = (isHex(file) ? file : readInput(ctx, file)).trim();
  if (looksLikePsbt(content)) {
    const { finishedPsbt } = await import("../json/psbt-finished.js");
    const { hex, spent } = await finishedPsbt(content);
    const tx = transactionIn(hex, file);
    for (const [at, input] of tx.ins.entries()) {
      const output = spent[at];
      if (output !== null && output !== undefined) known.add(outpointOf(input), { ...output, source: "the PSBT", name: null });
    }
    return [tx];
  }
  return transactionsIn(content, isHex(file) ? "the transaction" : file).txs;
}

function addKnown(
  known: KnownOutputs,
  { parents, prevouts, seen }: { readonly parents: readonly Tx[]; readonly prevouts: readonly Prevout[]; readonly seen: Seen | null },
): void {
  for (const parent of parents) addOutputs(known, parent, "--parent", namesBy(seen, parent));
  for (const { outpoint, output } of prevouts) known.add(outpoint, { ...output, source: "--prevout", name: null });
  if (seen !== null) addChannelOutputs(known, seen);
}

function namesBy(seen: Seen | null, tx: Tx): (index: number) => string | null {
  return seen === null ? () => null : outputNames(seen, tx);
}

/** Where the outputs that it spends stand: what was checked before it would be in the same block. */
function placeOf(
  { ins }: Tx,
  { height, confirmed = [] }: { readonly height: number | undefined; readonly confirmed: readonly Confirmed[] | undefined },
  checked: ReadonlyMap<string, Tx>,
): Pick<Place, "confirmedAt" | "unconfirmed"> {
  const others = confirmed.find(({ txid }) => txid === null)?.height ?? null;
  return {
    unconfirmed: [...checked].flatMap(([id, tx]) => (confirmed.some(({ txid }) => txid === id) ? [] : [tx])),
    confirmedAt: ins.map((input) => {
      const [parent = ""] = outpointOf(input).split(":");
      const said = confirmed.find(({ txid }) => txid === parent)?.height;
      return said ?? (checked.has(parent) ? (height ?? null) : others);
    }),
  };
}

interface Asked {
  readonly rules: Rules;
  readonly place: Place;
  readonly seen: Seen | null;
  readonly trace: boolean;
}

interface Checked {
  readonly accepted: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly traces: readonly ShownTrace[] | null;
}

/** Throws: input-prevout-unknown. */
function checkOne(tx: Tx, known: KnownOutputs, { rules, place, seen, trace }: Asked): Checked {
  const spent = spentBy(tx, known);
  const steps: TraceStep[] = [];
  const { refusals, notes, fee } = judge(tx, spent, rules, place, trace ? (step) => steps.push(step) : undefined);
  const weight = tx.weight();
  return {
    accepted: refusals.length === 0,
    fields: {
      txid: tx.getId(),
      accepted: refusals.length === 0,
      refusals,
      notes,
      fee_sat: amount(fee),
      ...(fee < 0n ? {} : { fee_per_kw: amount((fee * 1000n) / BigInt(weight)) }),
      weight,
      vsize: tx.virtualSize(),
      inputs: tx.ins.map((input, at) => ({
        outpoint: outpointOf(input),
        ...(spent[at]?.name === null ? {} : { spends: spent[at]?.name }),
        amount_sat: amount(spent[at]?.amount ?? 0n),
        known_from: spent[at]?.source,
      })),
    },
    traces: trace ? shownTraces(tx, spent, steps, seen?.state ?? null) : null,
  };
}
