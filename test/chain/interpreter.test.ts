import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { decode } from "../../src/json/decode.js";
import { bytes32, equalBytes, fromHex, scriptPubkey, signature, witnessScript } from "../../src/protocol/bytes.js";
import { EMPTY, ONE, p2wsh, readWitnessSignature, witnessSignature } from "../../src/protocol/script/assemble.js";
import { buildCommitment } from "../../src/protocol/tx/commitment-tx.js";
import { CHANNEL_TYPES, type ChannelType } from "../../src/protocol/tx/channel-type.js";
import { FORMATS } from "../../src/protocol/tx/format.js";
import { parseTransaction } from "../../src/protocol/tx/parse.js";
import { sighash, signHash } from "../../src/protocol/tx/sign.js";
import { caseDocument, caseInputs } from "../../src/vectors/case-document.js";
import { signCase } from "../../src/vectors/case.js";
import { type Channel, anyChannel, channelOf, flipBit, secretOf } from "../protocol/channels.js";
import { caseLines, parse, vectorText } from "../vectors/document.js";
import { type Coin, earliestBlock, interpret, timelocksAllow } from "./interpreter.js";
import { type Preimages, SPEND_KINDS, type SpendKind, type Spending, coinsOf, spendingsOf, withLocks, withPreimages } from "./spendings.js";

// A busy machine is slow
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const TYPES = CHANNEL_TYPES;

/** How many inputs of each kind the interpreter has accepted, by what they come from. */
const accepted = new Map<string, number>();
const total = { transactions: 0, inputs: 0, refused: 0 };

function expectAccepted(source: string, kinds: readonly SpendKind[], txHex: string, coins: readonly Coin[]): void {
  expect(interpret(txHex, coins), `${source}: ${kinds.join()} ${txHex}`).toEqual({ kind: "accepted" });
  total.transactions += 1;
  for (const kind of kinds) {
    total.inputs += 1;
    const key = `${source} ${kind}`;
    accepted.set(key, (accepted.get(key) ?? 0) + 1);
  }
}

function expectAllAccepted(source: string, channel: Channel, preimages: Preimages): void {
  for (const spending of spendingsOf(channel, preimages)) expectAccepted(source, spending.kinds, spending.tx.toHex(), coinsOf(spending));
}

/** How many inputs of each kind were accepted from one source, for the kinds of which there were any. */
function countsOf(source: string): Readonly<Partial<Record<SpendKind, number>>> {
  return Object.fromEntries(SPEND_KINDS.flatMap((kind) => (accepted.has(`${source} ${kind}`) ? [[kind, accepted.get(`${source} ${kind}`)]] : [])));
}

interface PublishedFile {
  readonly channel_type_bits: readonly number[];
  readonly common: {
    readonly funding_txid: string;
    readonly funding_output_index: number;
    readonly funding_amount_sat: number;
    readonly funding_witness_script: string;
    readonly commitment_number: number;
    readonly opener: string;
    readonly to_self_delay: number;
    readonly default_dust_limit_sat: number;
    readonly secrets: Readonly<Record<string, string>>;
    readonly htlcs: readonly {
      readonly id: number;
      readonly offered_by: string;
      readonly amount_msat: number;
      readonly cltv_expiry: number;
      readonly payment_preimage: string;
      readonly payment_hash: string;
    }[];
  };
  readonly cases: readonly {
    readonly name: string;
    readonly to_local_msat: number;
    readonly to_remote_msat: number;
    readonly feerate_per_kw: number;
    readonly dust_limit_sat?: number;
    readonly htlc_ids: readonly number[];
    readonly expected: {
      readonly commit_tx: string;
      readonly htlc_txs: readonly { readonly kind: "timeout" | "success"; readonly tx: string; readonly commit_output_index: number }[];
    };
  }[];
}

const PUBLISHED: Readonly<Partial<Record<ChannelType, string>>> = {
  legacy: "historic/commitments-legacy.json",
  static_remotekey: "commitments-static-remotekey.json",
  anchor_outputs: "historic/commitments-anchor-outputs-nonzero-htlc-fee.json",
  anchors: "commitments-anchors.json",
};

/** A published case as the channel that it is about. */
function publishedChannel(channelType: ChannelType, { common }: PublishedFile, specified: PublishedFile["cases"][number]) {
  const { secrets } = common;
  const htlcs = specified.htlc_ids.map((id) => common.htlcs.find((htlc) => htlc.id === id)!);
  const inputs = {
    channel_type: channelType,
    funding_txid: common.funding_txid,
    funding_output_index: common.funding_output_index,
    funding_satoshi: common.funding_amount_sat,
    commitment_number: common.commitment_number,
    opener: common.opener,
    to_self_delay: common.to_self_delay,
    dust_limit_satoshis: specified.dust_limit_sat ?? common.default_dust_limit_sat,
    feerate_per_kw: specified.feerate_per_kw,
    to_local_msat: specified.to_local_msat,
    to_remote_msat: specified.to_remote_msat,
    htlcs: htlcs.map(({ offered_by, amount_msat, cltv_expiry, payment_hash, payment_preimage }) => ({
      direction: offered_by === "local" ? "offered" : "received",
      amount_msat,
      cltv_expiry,
      payment_hash,
      payment_preimage,
    })),
    local: {
      funding_privkey: secrets["local_funding_privkey"],
      revocation_basepoint_secret: secrets["local_payment_basepoint_secret"],
      payment_basepoint_secret: secrets["local_payment_basepoint_secret"],
      delayed_payment_basepoint_secret: secrets["local_delayed_payment_basepoint_secret"],
      htlc_basepoint_secret: secrets["local_payment_basepoint_secret"],
      per_commitment_secret: secrets["local_per_commitment_secret"],
    },
    remote: {
      funding_privkey: secrets["remote_funding_privkey"],
      revocation_basepoint_secret: secrets["remote_revocation_basepoint_secret"],
      payment_basepoint_secret: secrets["remote_payment_basepoint_secret"],
      delayed_payment_basepoint_secret: secrets["remote_payment_basepoint_secret"],
      htlc_basepoint_secret: secrets["remote_payment_basepoint_secret"],
    },
  };
  const preimages = htlcs.map(({ payment_preimage }) => bytes32(fromHex(payment_preimage)));
  return { channel: signCase(decode(caseInputs, inputs, specified.name)), preimages };
}

/** The same channel in another format. */
function inFormat(channel: Channel, type: ChannelType): Channel {
  const terms = { ...channel.terms, format: FORMATS[type] };
  const { number, keys, spec } = channel.commitment;
  return { ...channel, terms, commitment: buildCommitment(terms, number, keys.perCommitmentPoint, spec) };
}

const RANDOM_CHANNELS = fc.sample(anyChannel, { seed: 20, numRuns: 16 });

/** The kinds of spending that a format has. */
function kindsOf(type: ChannelType): readonly SpendKind[] {
  return SPEND_KINDS.filter((kind) => FORMATS[type].anchorsCost > 0n || !kind.startsWith("anchor_"));
}

/** What the published cases hold, and what follows from them, counted by hand from BOLT 3 and its history. */
const IN_PUBLISHED: Readonly<Partial<Record<ChannelType, readonly [commitments: number, timeouts: number, successes: number]>>> = {
  legacy: [16, 16, 17],
  static_remotekey: [16, 16, 17],
  anchor_outputs: [14, 14, 14],
  anchors: [9, 7, 8],
};

/** Without the secrets that the published file of zero_fee_commitments leaves out, little can be made of its transactions. */
const WITH_SECRETS = TYPES.filter((type) => type in PUBLISHED);

test("bcoin's interpreter accepts the published transactions of zero_fee_commitments as they stand", () => {
  const { channel, funding_output, cases } = parse(vectorText("newer/zero_fee_commitments.json")) as unknown as ZeroFeeFile;
  const funding = { amount: BigInt(channel.funding_amount_sat), scriptPubkey: scriptPubkey(fromHex(funding_output.script_pubkey)) };
  for (const { expected } of cases) {
    expectAccepted("zero_fee published", ["commitment"], expected.signed_tx, [funding]);
    const { outs } = parseTransaction(fromHex(expected.signed_tx));
    for (const { kind, tx, vout_spent } of expected.htlc_txs) {
      const { value, script } = outs[vout_spent]!;
      expectAccepted("zero_fee published", [kind], tx, [{ amount: value, scriptPubkey: scriptPubkey(script) }]);
    }
  }
  expect(countsOf("zero_fee published")).toEqual({ commitment: 11, htlc_timeout: 8, htlc_success: 8 });
});

interface ZeroFeeFile {
  readonly channel: { readonly funding_amount_sat: number };
  readonly funding_output: { readonly script_pubkey: string };
  readonly cases: readonly {
    readonly expected: {
      readonly signed_tx: string;
      readonly htlc_txs: readonly { readonly kind: "htlc_timeout" | "htlc_success"; readonly tx: string; readonly vout_spent: number }[];
    };
  }[];
}

describe.each(WITH_SECRETS)("bcoin's interpreter accepts, of %s channels,", (type) => {
  test("the published transactions as they stand, and all that can be made of them", () => {
    const file = parse(vectorText(PUBLISHED[type]!)) as unknown as PublishedFile;
    const { funding_amount_sat, funding_witness_script } = file.common;
    const funding = { amount: BigInt(funding_amount_sat), scriptPubkey: p2wsh(witnessScript(fromHex(funding_witness_script))).scriptPubkey };
    for (const specified of file.cases) {
      const { commit_tx, htlc_txs } = specified.expected;
      expectAccepted(`${type} published`, ["commitment"], commit_tx, [funding]);
      const { outs } = parseTransaction(fromHex(commit_tx));
      for (const { kind, tx, commit_output_index } of htlc_txs) {
        const { value, script } = outs[commit_output_index]!;
        expectAccepted(`${type} published`, [`htlc_${kind}`], tx, [{ amount: value, scriptPubkey: script }]);
      }
      const { channel, preimages } = publishedChannel(type, file, specified);
      expect(channel.commitment.unsigned.getId()).toBe(parseTransaction(fromHex(commit_tx)).getId());
      expectAllAccepted(`${type} rebuilt`, channel, preimages);
    }
    const [commitments, timeouts, successes] = IN_PUBLISHED[type]!;
    const untouched = { commitment: commitments, htlc_timeout: timeouts, htlc_success: successes };
    expect(countsOf(`${type} published`)).toEqual(untouched);
    const secondLevel = timeouts + successes;
    expect(countsOf(`${type} rebuilt`)).toMatchObject({
      ...untouched,
      penalty_offered_htlc: timeouts,
      penalty_received_htlc: successes,
      penalty_htlc_tx: secondLevel,
      sweep_htlc_tx: secondLevel,
      claim_by_preimage: timeouts,
      claim_by_expiry: successes,
    });
    expect(Object.keys(countsOf(`${type} rebuilt`)).sort()).toEqual([...kindsOf(type)].sort());
  });
});

describe.each(TYPES)("bcoin's interpreter accepts, of %s channels,", (type) => {
  test("random ones", () => {
    for (const drawn of RANDOM_CHANNELS) {
      const { channel, preimages } = withPreimages(inFormat(drawn, type));
      expectAllAccepted(`${type} random`, channel, preimages);
    }
    const counts = countsOf(`${type} random`);
    expect(counts.commitment).toBe(RANDOM_CHANNELS.length);
    for (const kind of kindsOf(type)) expect(counts[kind], kind).toBeGreaterThanOrEqual(5);
  });
});

const CASE_FILES = { static_remotekey: "cases/static_remotekey.ndjson", anchors: "cases/anchors.ndjson" } as const;

test.each(Object.entries(CASE_FILES))(
  "bcoin's interpreter accepts the worked cases of %s, as agreed on and with preimages that are known",
  (type, file) => {
    const lines = caseLines(file);
    for (const line of lines) {
      const document = decode(caseDocument, JSON.parse(line), file);
      const signed = signCase(document.case);
      const agreed = document.expected["commitment_tx_signed_hex"] as string;
      const [commitment, ...others] = spendingsOf(signed, []);
      expect(commitment!.tx.getId()).toBe(parseTransaction(fromHex(agreed)).getId());
      expectAccepted(`${type} cases`, ["commitment"], agreed, coinsOf(commitment!));
      for (const spending of others) expectAccepted(`${type} cases`, spending.kinds, spending.tx.toHex(), coinsOf(spending));
      const known = withPreimages(signed);
      expectAllAccepted(`${type} cases`, known.channel, known.preimages);
    }
    expect(lines).toHaveLength(8);
    expect(countsOf(`${type} cases`)).toMatchObject(IN_CASES[type as keyof typeof IN_CASES]);
  },
);

/** Of each kind in the eight cases of a file: everything twice, as it is and with known preimages, but for what needs one. */
const IN_CASES = {
  static_remotekey: { commitment: 16, htlc_timeout: 26, htlc_success: 14 },
  anchors: { commitment: 16, htlc_timeout: 20, htlc_success: 19 },
} as const;

/** A transaction with one thing wrong. */
interface Mutant {
  readonly txHex: string;
  readonly coins: readonly Coin[];
}

interface Mutation {
  readonly name: string;
  /** The interpreter's word for it. */
  readonly reason: string | readonly string[];
  /** Null where the input has nothing of the sort. */
  readonly change: (spending: Spending, input: number) => Mutant | null;
}

const HALF_THE_SEQUENCES = 2 ** 31;

/** The transaction with another witness in one input. */
function withWitness(spending: Spending, input: number, edit: (stack: readonly Uint8Array[]) => readonly Uint8Array[] | null): Mutant | null {
  const tx = spending.tx.clone();
  const changed = edit(tx.ins[input]!.witness);
  if (changed === null) return null;
  tx.setWitness(input, [...changed]);
  return { txHex: tx.toHex(), coins: coinsOf(spending) };
}

/** The same with every element changed that `change` says something of, or null where it does not of any. */
function withElements(spending: Spending, input: number, change: (element: Uint8Array, at: number) => Uint8Array | null): Mutant | null {
  return withWitness(spending, input, (stack) => {
    const changed = stack.map((element, at) => (at === stack.length - 1 && stack.length > 2 ? null : change(element, at)));
    return changed.every((element) => element === null) ? null : stack.map((element, at) => changed[at] ?? element);
  });
}

/** With other timelocks, and everybody's good signature of just that. */
function resigned(spending: Spending, locks: Parameters<typeof withLocks>[1], edit: (tx: Spending["tx"]) => void = () => undefined): Mutant {
  const tx = withLocks(spending.tx, locks);
  edit(tx);
  return { txHex: spending.sign(tx).toHex(), coins: coinsOf(spending) };
}

function flippedBit(name: string, bit: number): Mutation {
  const change: Mutation["change"] = (spending, input) =>
    withElements(spending, input, (element) => {
      const read = readWitnessSignature(element);
      return read === null ? null : witnessSignature(signature(flipBit(read.signature, bit)), read.sighashType);
    });
  return { name, reason: "NULLFAIL", change };
}

const hasDelay = (spending: Spending, input: number): boolean => {
  const { sequence } = spending.tx.ins[input]!;
  return sequence > 0 && sequence < HALF_THE_SEQUENCES;
};

const MUTATIONS: readonly Mutation[] = [
  flippedBit("one flipped bit in a signature's r", 8 * 31),
  flippedBit("one flipped bit in a signature's s", 8 * 63),
  {
    name: "a stranger's signature",
    reason: "NULLFAIL",
    change: (spending, input) =>
      withElements(spending, input, (element) => {
        const read = readWitnessSignature(element);
        if (read === null) return null;
        const hash = sighash(spending.tx, input, spending.spent[input] as Parameters<typeof sighash>[2], read.sighashType);
        return witnessSignature(signHash(hash, secretOf("stranger")), read.sighashType);
      }),
  },
  {
    name: "an amount of one satoshi more",
    reason: "NULLFAIL",
    change: (spending, input) => {
      if (spending.kinds[input] === "anchor_by_anyone") return null;
      const coins = coinsOf(spending).map((coin, at) => (at === input ? { ...coin, amount: coin.amount + 1n } : coin));
      return { txHex: spending.tx.toHex(), coins };
    },
  },
  {
    name: "an output of one satoshi less than was signed for",
    reason: "NULLFAIL",
    change: (spending, input) => {
      if (spending.kinds[input] === "anchor_by_anyone") return null;
      const tx = spending.tx.clone();
      tx.outs[0]!.value -= 1n;
      return { txHex: tx.toHex(), coins: coinsOf(spending) };
    },
  },
  {
    name: "a script of another output",
    reason: ["WITNESS_PROGRAM_MISMATCH", "EQUALVERIFY"],
    change: (spending, input) => withWitness(spending, input, (stack) => [...stack.slice(0, -1), flipBit(stack.at(-1)!, 8 * 20)]),
  },
  {
    name: "a preimage with one bit flipped",
    reason: "EQUALVERIFY",
    change: (spending, input) => {
      if (!["htlc_success", "claim_by_preimage"].includes(spending.kinds[input]!)) return null;
      return withElements(spending, input, (element) => (element.length === 32 ? flipBit(element, 5) : null));
    },
  },
  {
    name: "a preimage of 31 bytes",
    // It counts as none: the path of the expiry, which has not come, or that of the timeout, which needs two signatures
    reason: ["UNSATISFIED_LOCKTIME", "INVALID_STACK_OPERATION"],
    change: (spending, input) => {
      if (!["htlc_success", "claim_by_preimage"].includes(spending.kinds[input]!)) return null;
      return withElements(spending, input, (element) => (element.length === 32 ? element.subarray(1) : null));
    },
  },
  {
    name: "nSequence one too small",
    reason: "UNSATISFIED_LOCKTIME",
    change: (spending, input) => (hasDelay(spending, input) ? resigned(spending, { sequence: spending.tx.ins[input]!.sequence - 1 }) : null),
  },
  {
    name: "nSequence in seconds instead of blocks",
    reason: "UNSATISFIED_LOCKTIME",
    change: (spending, input) => (hasDelay(spending, input) ? resigned(spending, { sequence: spending.tx.ins[input]!.sequence + 2 ** 22 }) : null),
  },
  {
    name: "version 1, in which nSequence means nothing",
    reason: "UNSATISFIED_LOCKTIME",
    change: (spending, input) => (hasDelay(spending, input) ? resigned(spending, {}, (tx) => void (tx.version = 1)) : null),
  },
  {
    name: "nLockTime one too low",
    reason: "UNSATISFIED_LOCKTIME",
    change: (spending, input) => (spending.kinds[input] === "claim_by_expiry" ? resigned(spending, { locktime: spending.tx.locktime - 1 }) : null),
  },
  {
    name: "nLockTime made void by a final nSequence",
    reason: "UNSATISFIED_LOCKTIME",
    change: (spending, input) => (spending.kinds[input] === "claim_by_expiry" ? resigned(spending, { sequence: 0xffffffff }) : null),
  },
  {
    name: "an HTLC-timeout's nLockTime one too low, for which the peer has not signed",
    reason: "NULLFAIL",
    change: (spending, input) => {
      if (spending.kinds[input] !== "htlc_timeout") return null;
      return { txHex: withLocks(spending.tx, { locktime: spending.tx.locktime - 1 }).toHex(), coins: coinsOf(spending) };
    },
  },
  {
    name: "the delayed path without the delay",
    reason: "UNSATISFIED_LOCKTIME",
    change: (spending, input) =>
      ["penalty_to_local", "penalty_htlc_tx"].includes(spending.kinds[input]!)
        ? withElements(spending, input, (element) => (equalBytes(element, ONE) ? EMPTY : null))
        : null,
  },
  {
    name: "the revocation path with the owner's key",
    reason: "NULLFAIL",
    change: (spending, input) =>
      ["sweep_to_local", "sweep_htlc_tx"].includes(spending.kinds[input]!)
        ? withElements(spending, input, (element) => (element.length === 0 ? ONE : null))
        : null,
  },
  {
    name: "another number than 1 to choose the path",
    reason: "MINIMALIF",
    change: (spending, input) =>
      ["penalty_to_local", "penalty_htlc_tx"].includes(spending.kinds[input]!)
        ? withElements(spending, input, (element) => (equalBytes(element, ONE) ? Uint8Array.of(2) : null))
        : null,
  },
];

describe.each(TYPES)("bcoin's interpreter refuses, of %s channels,", (type) => {
  const { channel, preimages } = withPreimages(channelOf(type));
  const spendings = spendingsOf(channel, preimages);
  const refused = new Map<SpendKind, number>();

  test.each(MUTATIONS)("$name", ({ reason, change }) => {
    let mutants = 0;
    for (const spending of spendings) {
      for (const [input, kind] of spending.kinds.entries()) {
        const mutant = change(spending, input);
        if (mutant === null) continue;
        const verdict = interpret(mutant.txHex, mutant.coins);
        if (verdict.kind === "accepted") throw new Error(`${kind} accepted: ${mutant.txHex}`);
        expect([reason].flat(), kind).toContain(verdict.reason);
        refused.set(kind, (refused.get(kind) ?? 0) + 1);
        mutants += 1;
      }
    }
    expect(mutants).toBeGreaterThan(0);
    total.refused += mutants;
  });

  test("something of every kind", () => {
    expect([...refused.keys()].sort()).toEqual([...kindsOf(type)].sort());
  });
});

describe("timelocks", () => {
  const { channel, preimages } = withPreimages(channelOf("anchors"));
  const spendingOfKind = (kind: SpendKind) => spendingsOf(channel, preimages).find(({ kinds }) => kinds.includes(kind))!.tx;
  const place = (height: number, medianTimePast = 1_700_000_000) => ({ height, medianTimePast });

  test.each([
    // A coin of block 1000 and to_self_delay 144
    ["sweep_to_local", [1000], 1144],
    ["sweep_htlc_tx", [1000, 1010], 1154],
    ["sweep_htlc_tx", [1010, 1000], 1154],
    ["sweep_to_remote", [1000], 1001],
    ["anchor_by_anyone", [1000], 1016],
    ["anchor_by_key", [1000], 1000],
    ["penalty_to_local", [1000, 1000, 1000], 1000],
    // An HTLC whose expiry is 800,000, in a block before it or long after
    ["htlc_timeout", [1000], 800_001],
    ["htlc_timeout", [800_000], 800_001],
    ["htlc_timeout", [800_007], 800_008],
    ["claim_by_expiry", [1000], 800_002],
    ["htlc_success", [1000], 1001],
    // A commitment's locktime is a time in 1987, its sequence no delay
    ["commitment", [1000], 1000],
  ] as const)("of %s with coins of blocks %j allow block %i, and none before it", (kind, confirmedAt, earliest) => {
    const hex = spendingOfKind(kind).toHex();
    expect(earliestBlock(hex, confirmedAt)).toBe(earliest);
    expect(timelocksAllow(hex, confirmedAt, place(earliest))).toBe(true);
    expect(timelocksAllow(hex, confirmedAt, place(earliest - 1))).toBe(false);
  });

  test("in time wait for the median time past, and bind nobody with final sequences", () => {
    const commitment = spendingOfKind("commitment");
    expect(commitment.locktime).toBeGreaterThanOrEqual(0x20000000);
    expect(timelocksAllow(commitment.toHex(), [5], place(6, commitment.locktime))).toBe(false);
    expect(timelocksAllow(commitment.toHex(), [5], place(6, commitment.locktime + 1))).toBe(true);
    const final = withLocks(spendingOfKind("htlc_timeout"), { sequence: 0xffffffff }).toHex();
    expect([earliestBlock(final, [5]), timelocksAllow(final, [5], place(5))]).toEqual([5, true]);
  });

  test("in version 1 know no delay", () => {
    const tx = withLocks(spendingOfKind("sweep_to_local"), {});
    tx.version = 1;
    expect(earliestBlock(tx.toHex(), [5])).toBe(5);
  });
});

test("the counts", () => {
  const lines = SPEND_KINDS.map((kind) => {
    const of = [...accepted].filter(([key]) => key.endsWith(` ${kind}`)).reduce((sum, [, count]) => sum + count, 0);
    expect(of, kind).toBeGreaterThan(100);
    return `${kind} ${of}`;
  });
  console.info(
    `interpreted: ${total.transactions} transactions with ${total.inputs} inputs accepted (${lines.join(", ")}); ${total.refused} mutants refused`,
  );
  expect(total.transactions).toBeGreaterThan(1500);
  expect(total.refused).toBeGreaterThan(300);
});
