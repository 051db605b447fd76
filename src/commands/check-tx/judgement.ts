import { CONSENSUS_FLAGS, type Flags, STANDARD_FLAGS, flagNames } from "../../protocol/script/interpreter/flags.js";
import { SCRIPT_ERRORS, type ScriptVerdict, type TraceStep, verifyTransaction } from "../../protocol/script/interpreter/verify.js";
import { type ChainPlace, type Timelock, passed, timelocksOf } from "../../protocol/tx/finality.js";
import { type PackageFault, packageFaults } from "../../protocol/tx/relay-package.js";
import { type StandardnessFault, standardnessFaults } from "../../protocol/tx/standardness.js";
import { STRUCTURE_FAULTS, structureFault } from "../../protocol/tx/structure.js";
import { amount } from "../shared/summary.js";
import { type KnownOutput, type Tx, outpointOf } from "./known-outputs.js";

/** Something that is wrong, or worth knowing: a tag, words, and the fact in fields. */
export type Finding = Readonly<Record<string, unknown>> & { readonly code: string; readonly reason: string };

export interface Judgement {
  readonly refusals: readonly Finding[];
  /** What does not refuse it under these rules. */
  readonly notes: readonly Finding[];
  readonly fee: bigint;
}

export interface Rules {
  readonly flags: Flags;
  /** Whether what no node relays is refused, or only told. */
  readonly standard: boolean;
}

/** Where a transaction would stand: in the chain, and behind which transactions that wait for a block. */
export interface Place extends ChainPlace {
  readonly unconfirmed: readonly Tx[];
}

/** Everything that is to be said of a transaction whose spent outputs are known. */
export function judge(tx: Tx, spent: readonly KnownOutput[], rules: Rules, place: Place, trace?: (step: TraceStep) => void): Judgement {
  const fee = sum(spent.map((output) => output.amount)) - sum(tx.outs.map(({ value }) => value));
  const structure = structureFault(tx);
  const scripts = verifyTransaction(tx, spent, rules.flags, trace);
  const timelocks = timelocksOf(tx).map((timelock) => timelockFinding(timelock, place));
  const relay = [...standardnessFaults(tx, spent, fee).map(standardnessFinding), ...feeFindings(tx, fee)];
  const refused = relay.filter(({ code }) => rules.standard && code !== "min-relay-fee");
  return {
    refusals: [
      ...(structure === null ? [] : [{ code: structure, reason: STRUCTURE_FAULTS[structure] }]),
      ...(fee < 0n ? [{ code: "bad-txns-in-belowout", reason: `it pays out ${-fee} sat more than it spends`, missing_sat: amount(-fee) }] : []),
      ...scripts.flatMap((verdict) => scriptFinding(verdict, tx, spent)),
      ...timelocks.flatMap(({ early, finding }) => (early ? [finding] : [])),
      ...refused,
    ],
    notes: [
      ...timelocks.flatMap(({ early, finding }) => (early || finding.code === "passed" ? [] : [finding])),
      ...relay.filter((finding) => !refused.includes(finding)),
      ...packageFaults(tx, place.unconfirmed).map(packageFinding),
    ],
    fee,
  };
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

function scriptFinding(verdict: ScriptVerdict, tx: Tx, spent: readonly KnownOutput[]): readonly Finding[] {
  if (verdict.ok) return [];
  const { error, input, at } = verdict;
  const spentInput = tx.ins[input];
  return [
    {
      code: error,
      reason: SCRIPT_ERRORS[error],
      input,
      outpoint: spentInput === undefined ? null : outpointOf(spentInput),
      spends: spent[input]?.name ?? null,
      ...(at === null ? {} : { script: at.script, opcode: at.opcode, position: at.position, offset: at.offset }),
    },
  ];
}

function timelockFinding(timelock: Timelock, place: ChainPlace): { readonly early: boolean; readonly finding: Finding } {
  const state = passed(timelock, place);
  const { fields, words } = timelockWords(timelock, place);
  switch (state.kind) {
    case "passed":
      return { early: false, finding: { code: "passed", reason: words, ...fields } };
    case "unknown":
      return { early: false, finding: { code: "timelock-not-checked", reason: words, ...fields } };
    case "early": {
      const unit = timelock.kind === "time" ? "second" : "block";
      const code = timelock.kind === "delay" ? "non-BIP68-final" : "non-final";
      return {
        early: true,
        finding: { code, reason: `${state.by === 1 ? `one ${unit}` : `${state.by} ${unit}s`} too early: ${words}`, early_by: state.by, ...fields },
      };
    }
  }
}

function timelockWords(
  timelock: Timelock,
  { height, confirmedAt }: ChainPlace,
): { readonly words: string; readonly fields: Readonly<Record<string, unknown>> } {
  const would = height === null ? "" : `, and this is to be block ${height}`;
  switch (timelock.kind) {
    case "height":
      return { words: `nLockTime allows it from block ${timelock.block} on${would}`, fields: { from_block: timelock.block } };
    case "time":
      return {
        words: `nLockTime allows it once the median time of eleven blocks is later than ${timelock.after}`,
        fields: { after_time: timelock.after },
      };
    case "delay": {
      const { input, blocks } = timelock;
      const from = confirmedAt[input] ?? null;
      const delay = `nSequence of input ${input} demands ${blocks} ${blocks === 1 ? "block" : "blocks"} after what it spends`;
      if (from === null) return { words: `${delay}, whose block is not given (--confirmed)`, fields: { input, delay_blocks: blocks } };
      return {
        words: `${delay}, which is in block ${from}: from block ${from + blocks} on${would}`,
        fields: { input, delay_blocks: blocks, from_block: from + blocks },
      };
    }
    case "delay_time": {
      const { input, seconds } = timelock;
      return {
        words: `nSequence of input ${input} demands ${seconds} seconds after what it spends, by the blocks' median times`,
        fields: { input, delay_seconds: seconds },
      };
    }
  }
}

function standardnessFinding(fault: StandardnessFault): Finding {
  switch (fault.reason) {
    case "version":
      return { code: fault.reason, reason: "nodes relay versions 1 to 3 alone" };
    case "tx-size":
      return { code: fault.reason, reason: "it weighs more than 400000" };
    case "truc-size":
      return { code: "TRUC-violation", reason: `version 3 with ${fault.vsize} vbytes: nodes relay 10000` };
    case "tx-size-small":
      return { code: fault.reason, reason: "it has less than 65 bytes without its witnesses" };
    case "scriptsig-size":
      return { code: fault.reason, reason: "a signature script of more than 1650 bytes", input: fault.input };
    case "scriptsig-not-pushonly":
      return { code: fault.reason, reason: "a signature script with more than pushes", input: fault.input };
    case "bad-witness-nonstandard":
      return {
        code: fault.reason,
        reason: "a witness with an annex, a script of more than 3600 bytes, more than 100 elements or one of more than 80 bytes",
        input: fault.input,
      };
    case "scriptpubkey":
      return { code: fault.reason, reason: "an output script of no known form", output: fault.output };
    case "dust":
      return {
        code: fault.reason,
        reason: `an output below ${fault.threshold} sat costs more to spend than it holds`,
        output: fault.output,
        threshold_sat: amount(fault.threshold),
      };
  }
}

/** What holds until the parent is confirmed, which nobody knows here: a note. */
function packageFinding(fault: PackageFault): Finding {
  const until = "nodes refuse it until what it spends is confirmed";
  switch (fault.reason) {
    case "truc-versions":
      return {
        code: "TRUC-violation",
        reason: `of two unconfirmed transactions either both are of version 3 or neither: ${until}`,
        parent: fault.parent,
      };
    case "truc-parents":
      return { code: "TRUC-violation", reason: `version 3 with ${fault.parents} unconfirmed parents, not one: ${until}` };
    case "truc-child-size":
      return { code: "TRUC-violation", reason: `a child of version 3 with ${fault.vsize} vbytes, more than 1000: ${until}`, vsize: fault.vsize };
    case "dust-left":
      return {
        code: "missing-ephemeral-spends",
        reason: `its parent's output ${fault.output} is dust, which a child must spend: ${until}`,
        parent: fault.parent,
        output: fault.output,
      };
  }
}

/** Satoshi per 1000 weight: 1 sat per virtual byte, the least that nodes relayed for long. */
const MIN_RELAY_PER_KW = 250n;

function feeFindings(tx: Tx, fee: bigint): readonly Finding[] {
  const perKw = (fee * 1000n) / BigInt(tx.weight());
  if (fee < 0n || perKw >= MIN_RELAY_PER_KW) return [];
  return [
    {
      code: "min-relay-fee",
      reason: "below 250 sat per kw, which nodes may not relay but in a package with a child that pays",
      fee_per_kw: amount(perKw),
    },
  ];
}

/** Names of the rules in a report: by the set's own name where it has one. */
export function rulesNamed({ flags, standard }: Rules): string {
  if (standard && flags === STANDARD_FLAGS) return "standard";
  if (flags === CONSENSUS_FLAGS) return "consensus";
  const names = flagNames(flags);
  return names.length === 0 ? "NONE" : names.join(",");
}
