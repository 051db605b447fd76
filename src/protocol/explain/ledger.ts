import type { FundedChannel } from "../channel/state.js";
import type { Relation } from "../channel/view.js";
import { obscuringFactorOf } from "../channel/identify.js";
import { type Side, opposite } from "../side.js";
import type { ClosingTx } from "../tx/closing-tx.js";
import type { Commitment } from "../tx/commitment-tx.js";
import type { TxDescription } from "../tx/describe.js";
import { directionFor, trimThreshold } from "../tx/fees.js";
import type { HtlcTx } from "../tx/htlc-tx.js";
import { type CommitmentOutput, isAnchorOutput, isHtlcOutput } from "../tx/outputs.js";
import { MSAT_PER_SAT, type Satoshi, floorToSat, toMsat } from "../units.js";
import { grouped } from "./reading.js";
import { type Names, SHARED_ANCHOR_SOURCE, sideName } from "./words.js";

/** One line of a sum. The lines before a result add up to it. */
export interface LedgerLine {
  readonly kind: "term" | "result" | "remark";
  readonly what: string;
  /** Signed; null where the line is words only. */
  readonly msat: bigint | null;
}

/** The arithmetic of one amount. */
export interface Ledger {
  readonly title: string;
  /** The output that it is of, null for a fee. */
  readonly output: number | null;
  readonly lines: readonly LedgerLine[];
  readonly source: string;
}

const term = (what: string, msat: bigint): LedgerLine => ({ kind: "term", what, msat });
const result = (what: string, msat: bigint): LedgerLine => ({ kind: "result", what, msat });
const remark = (what: string): LedgerLine => ({ kind: "remark", what, msat: null });
const sats = (amount: bigint): bigint => amount * MSAT_PER_SAT;

/** How the amounts of a transaction came about, as far as the channel tells; without one only what goes in and out. */
export function ledgersOf(description: TxDescription, relation: Relation | null, names: Names | null): readonly Ledger[] {
  switch (relation?.kind) {
    case "held":
      return names === null ? [] : commitmentLedgers(relation.commitment, names);
    case "revoked":
      return [...(names === null ? [] : revokedLedgers(relation.outputs, names)), feeLedger(description)];
    case "htlc":
      return [htlcLedger(relation.htlcTx), feeLedger(description)];
    case "mutual":
      return relation.closing === null || names === null ? [feeLedger(description)] : closingLedgers(relation.closing, names);
    default:
      return [feeLedger(description)];
  }
}

/**
 * Every amount of a commitment and both ways to its fee: what is left of the funding, and what it is made of.
 * BOLT 3 §Commitment Transaction Construction, §Fee Payment.
 */
export function commitmentLedgers(commitment: Commitment, names: Names): readonly Ledger[] {
  const { terms, outputs, actualFee } = commitment;
  const { owner, opener, funding } = terms;
  const mains = [mainOutput(commitment, owner, names), mainOutput(commitment, opposite(owner), names)];
  const others = outputs.flatMap((output, at) => otherLedger(commitment, output, at, names));
  const inOrder = [...mains.map(({ ledger }) => ledger), ...others].sort((a, b) => (a.output ?? -1) - (b.output ?? -1));
  return [
    ...inOrder,
    {
      title: "fee: what the outputs leave",
      output: null,
      lines: [
        term("funding output", sats(funding.amount)),
        ...outputs.map(({ kind, amount }, at) => term(`output ${at}: ${kind}`, -sats(amount))),
        result("fee", sats(actualFee)),
      ],
      source: "BOLT 3 §Fees",
    },
    {
      title: `fee: what it is made of; ${terms.format.hasFeerate ? `${sideName(names, opener)} opened the channel and pays it` : "nobody pays one, it is what a shared anchor has no room for"}`,
      output: null,
      lines: [...feeParts(commitment, mains), result("fee", sats(actualFee))],
      source: "BOLT 3 §Fee Payment",
    },
  ];
}

interface MainOutput {
  readonly ledger: Ledger;
  /** The costs as far as the balance covers them: of the opener only. */
  readonly paid: readonly LedgerLine[];
  /** What is too small for an output. */
  readonly dropped: LedgerLine | null;
}

function mainOutput(commitment: Commitment, side: Side, names: Names): MainOutput {
  const { terms, spec, outputs } = commitment;
  const kind = side === terms.owner ? "to_local" : "to_remote";
  const at = outputs.findIndex((output) => output.kind === kind);
  const whole = toMsat(floorToSat(spec.balances[side]));
  const costs = side === terms.opener ? costsOf(commitment) : [];
  const paid = cover(costs, whole);
  const left = whole + sumOf(paid);
  const missing = sumOf(paid) - sumOf(costs);
  const short = missing === 0n ? [] : [remark(`the balance falls ${grouped(missing / MSAT_PER_SAT)} sat short: so much less is paid`)];
  const heir = terms.format.hasFeerate ? "the fee" : "the shared anchor and then to the fee";
  const fate = `less than dust_limit_satoshis ${grouped(terms.dustLimit)} sat: no output, it goes to ${heir}`;
  const lines = [
    term(`balance of ${sideName(names, side)}`, spec.balances[side]),
    ...remainderLines(spec.balances[side]),
    ...paid,
    ...short,
    result(at === -1 ? fate : "amount", left),
  ];
  const source = "BOLT 3 §Commitment Transaction Construction";
  if (at !== -1) return { ledger: { title: `output ${at}: ${kind}`, output: at, lines, source }, paid, dropped: null };
  return { ledger: { title: `no output: ${kind}`, output: null, lines, source }, paid, dropped: term(`${kind}, too small for an output`, left) };
}

/** Everything that goes to the fee. */
function feeParts({ terms, spec, outputs, trimmedHtlcs }: Commitment, mains: readonly MainOutput[]): readonly LedgerLine[] {
  const charged = mains.flatMap(({ paid }) => paid.map(({ what, msat }) => term(what, -(msat ?? 0n))));
  const anchors = outputs
    .filter(isAnchorOutput)
    .map(({ kind, amount }) => term(`${terms.format.hasFeerate ? "of that in" : "held by"} ${kind}`, -sats(amount)));
  const trimmed = trimmedHtlcs.map((htlc) => {
    const direction = directionFor(terms.owner, htlc);
    const threshold = trimThreshold(terms.format, spec.feeratePerKw, terms.dustLimit, direction);
    return term(`${direction} HTLC ${htlc.id}, trimmed: less than ${grouped(threshold)} sat`, htlc.amountMsat);
  });
  const kept = outputs.flatMap((output) => (isHtlcOutput(output) ? [output.htlc.amountMsat] : []));
  const remainders = [...Object.values(spec.balances), ...kept].reduce((sum, amount) => sum + (amount % MSAT_PER_SAT), 0n);
  const total = spec.htlcs.reduce<bigint>((sum, { amountMsat }) => sum + amountMsat, spec.balances.local + spec.balances.remote);
  const rest: readonly LedgerLine[] = [
    term("millisatoshis that no output can hold", remainders),
    term("what the state gives to nobody of the funding", sats(terms.funding.amount) - total),
    ...mains.flatMap(({ dropped }) => dropped ?? []),
  ];
  return [...charged, ...anchors, ...trimmed, ...rest.filter(({ msat }) => msat !== 0n)];
}

const sumOf = (lines: readonly LedgerLine[]): bigint => lines.reduce((sum, { msat }) => sum + (msat ?? 0n), 0n);

/** `floor(feerate × weight / 1000)` with its numbers. BOLT 3 §Fee Calculation. */
function feeWords({ terms: { format }, spec, outputs }: Commitment): string {
  const htlcs = outputs.filter(isHtlcOutput).length;
  const size = format.commitmentWeight + format.htlcOutputWeight * BigInt(htlcs);
  const sum = htlcs === 0 ? grouped(size) : `(${grouped(format.commitmentWeight)} + ${format.htlcOutputWeight} × ${htlcs} HTLCs)`;
  return `${grouped(spec.feeratePerKw)} sat/kw × ${sum} ÷ 1,000, rounded down`;
}

/** What the opener pays for a commitment. BOLT 3 §Fee Payment. */
function costsOf(commitment: Commitment): readonly LedgerLine[] {
  const { anchorsCost, hasFeerate } = commitment.terms.format;
  if (!hasFeerate) return [];
  return [
    term(`base fee: ${feeWords(commitment)}`, -sats(commitment.baseFee)),
    ...(anchorsCost === 0n ? [] : [term("two anchors, which the opener pays for", -sats(anchorsCost))]),
  ];
}

/** The costs as far as the balance covers them, one after the other. */
function cover(costs: readonly LedgerLine[], balance: bigint): readonly LedgerLine[] {
  let left = balance;
  return costs.map(({ what, msat }) => {
    const owed = -(msat ?? 0n);
    const paid = owed < left ? owed : left;
    left -= paid;
    return term(what, -paid);
  });
}

function remainderLines(msat: bigint): readonly LedgerLine[] {
  const remainder = msat % MSAT_PER_SAT;
  return remainder === 0n ? [] : [term("its remainder, which no output can hold", -remainder)];
}

function otherLedger(commitment: Commitment, output: CommitmentOutput, at: number, names: Names): readonly Ledger[] {
  const { terms, spec } = commitment;
  const { kind, amount } = output;
  if (isHtlcOutput(output)) {
    const { htlc } = output;
    const direction = directionFor(terms.owner, htlc);
    const threshold = trimThreshold(terms.format, spec.feeratePerKw, terms.dustLimit, direction);
    return [
      {
        title: `output ${at}: ${kind}`,
        output: at,
        lines: [
          term(`HTLC ${htlc.id}, offered by ${sideName(names, htlc.offeredBy)}`, htlc.amountMsat),
          ...remainderLines(htlc.amountMsat),
          result(
            `amount, which is not below ${grouped(threshold)} sat: dust limit${terms.format.hasFeerate ? " and the HTLC transaction's fee" : ""}`,
            sats(amount),
          ),
        ],
        source: "BOLT 3 §Trimmed Outputs",
      },
    ];
  }
  if (!isAnchorOutput(output)) return [];
  const title = `output ${at}: ${kind}`;
  if (kind === "shared_anchor") return [{ title, output: at, lines: sharedAnchorLines(commitment, amount), source: SHARED_ANCHOR_SOURCE }];
  const source = "BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors)";
  return [{ title, output: at, lines: [term("fixed", sats(amount)), result("amount", sats(amount))], source }];
}

/** A shared anchor takes what no other output holds, as far as it has room for it: the rest is the fee. */
function sharedAnchorLines({ terms, outputs, actualFee }: Commitment, amount: Satoshi): readonly LedgerLine[] {
  const others = outputs.flatMap((output, at) => (isAnchorOutput(output) ? [] : [term(`output ${at}: ${output.kind}`, -sats(output.amount))]));
  return [
    term("funding output", sats(terms.funding.amount)),
    ...others,
    ...(actualFee === 0n ? [] : [term(`more than ${grouped(amount)} sat are not held: the rest is the fee`, -sats(actualFee))]),
    result("amount", sats(amount)),
  ];
}

/** Of a revoked commitment the state has its HTLCs alone: balances and feerate are forgotten. BOLT 5 §Revoked Transaction Close Handling. */
function revokedLedgers(outputs: readonly (CommitmentOutput | null)[], names: Names): readonly Ledger[] {
  return outputs.flatMap((output, at): readonly Ledger[] => {
    if (output === null || !isHtlcOutput(output)) return [];
    const { kind, htlc, amount } = output;
    return [
      {
        title: `output ${at}: ${kind}`,
        output: at,
        lines: [
          term(`HTLC ${htlc.id}, offered by ${sideName(names, htlc.offeredBy)}, as the revoked file has it`, htlc.amountMsat),
          ...remainderLines(htlc.amountMsat),
          result(`amount: all of it is ${sideName(names, "local")}'s by the revocation key`, sats(amount)),
        ],
        source: "BOLT 5 §Revoked Transaction Close Handling",
      },
    ];
  });
}

/** BOLT 3 §HTLC-Timeout and HTLC-Success Transactions, §Fee Calculation. */
function htlcLedger({ kind, commitment, output, amount, fee, outputIndex }: HtlcTx): Ledger {
  const { format } = commitment.terms;
  const size = kind === "htlc_timeout" ? format.htlcTimeoutFeeWeight : format.htlcSuccessFeeWeight;
  const words =
    size === 0n
      ? `fee: none in ${format.channelType} channels, inputs are added that pay it`
      : `fee: ${grouped(commitment.spec.feeratePerKw)} sat/kw × ${size} ÷ 1,000, rounded down`;
  return {
    title: "output 0: what the HTLC leaves",
    output: 0,
    lines: [
      term(`output ${outputIndex} of the commitment: ${output.kind}`, sats(output.amount)),
      term(words, -sats(fee)),
      result("amount", sats(amount)),
    ],
    source: "BOLT 3 §Fee Calculation",
  };
}

/** BOLT 3 §Closing Transaction, §Legacy Closing Transaction. */
function closingLedgers({ plan, outputs, actualFee }: ClosingTx, names: Names): readonly Ledger[] {
  const source = plan.kind === "simple" ? "BOLT 3 §Closing Transaction" : "BOLT 3 §Legacy Closing Transaction";
  const paid = outputs.map(({ side, amount }, at): Ledger => {
    const whole = plan.balances[side];
    return {
      title: `output ${at}: to ${sideName(names, side)}`,
      output: at,
      lines: [
        term(`balance of ${sideName(names, side)}`, whole),
        ...remainderLines(whole),
        ...(side === plan.payer ? [term("fee, as agreed on", -sats(plan.feeSatoshis))] : []),
        result("amount", sats(amount)),
      ],
      source,
    };
  });
  return [
    ...paid,
    {
      title: `fee: what the outputs leave, paid by ${sideName(names, plan.payer)}`,
      output: null,
      lines: [
        term("funding output", sats(plan.funding.amount)),
        ...outputs.map(({ side, amount }, at) => term(`output ${at}: to ${sideName(names, side)}`, -sats(amount))),
        result("fee", sats(actualFee)),
      ],
      source,
    },
  ];
}

/** What goes in and what comes out, as far as the amounts of the inputs are known. */
function feeLedger({ inputs, outputs, fee }: TxDescription): Ledger {
  const spent = inputs.flatMap(({ spent: output }, at) =>
    output === null
      ? [remark(`input ${at}: its amount is not known`)]
      : [term(`input ${at}${output.name === null ? "" : `: ${output.name}`}`, sats(output.amount))],
  );
  const paid = outputs.map(({ name, amount }, at) => term(`output ${at}${name === "unknown" ? "" : `: ${name}`}`, -sats(amount)));
  return {
    title: "fee: what the outputs leave",
    output: null,
    lines: [
      ...spent,
      ...paid,
      fee === null ? remark("the fee is not told: a transaction does not hold the amounts that it spends") : result("fee", sats(fee)),
    ],
    source: "Bitcoin transaction format",
  };
}

/** How a commitment hides its number. BOLT 3 §Commitment Transaction. */
export interface HiddenNumber {
  readonly obscured: bigint;
  /** Null where the channel is not known: then the number is not either. */
  readonly factor: bigint | null;
  readonly number: bigint | null;
}

export function hiddenNumber(obscured: number | null, state: FundedChannel | null): HiddenNumber | null {
  if (obscured === null) return null;
  if (state === null) return { obscured: BigInt(obscured), factor: null, number: null };
  const factor = obscuringFactorOf(state);
  return { obscured: BigInt(obscured), factor, number: BigInt(obscured) ^ factor };
}

export const hex48 = (value: bigint): string => value.toString(16).padStart(12, "0");
