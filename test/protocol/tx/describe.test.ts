import { Transaction } from "bitcoinjs-lib/src/transaction";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ScriptPubkey,
  type Signature,
  type WitnessScript,
  bytes32,
  concat,
  fromHex,
  point,
  scriptPubkey,
  txid,
  witnessScript,
} from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { basepointsOf } from "../../../src/protocol/keys/party-keys.js";
import {
  type Lock,
  P2A,
  type Witness,
  hash160,
  p2wpkh,
  p2wsh,
  readWitnessSignature,
  witnessSignature,
} from "../../../src/protocol/script/assemble.js";
import { knownScript, pathTaken, spendPaths } from "../../../src/protocol/script/known-script.js";
import { type SpentOutput, describeLock, describeTransaction } from "../../../src/protocol/tx/describe.js";
import { LnError } from "../../../src/protocol/errors.js";
import type { Secret32 } from "../../../src/protocol/secret.js";
import { CHANNEL_TYPES, type ChannelType } from "../../../src/protocol/tx/channel-type.js";
import { buildHtlcTxs } from "../../../src/protocol/tx/htlc-tx.js";
import { parseTransaction } from "../../../src/protocol/tx/parse.js";
import { penaltyClaims } from "../../../src/protocol/tx/penalty-tx.js";
import { completeCommitment, completeHtlcTx, sighash, signCommitment, signHash, signHtlcTx } from "../../../src/protocol/tx/sign.js";
import { spendClaims } from "../../../src/protocol/tx/spend.js";
import { type Satoshi, perKw, sat } from "../../../src/protocol/units.js";
import { anyChannel, channelOf, flipBit } from "../channels.js";
import { parse, vectorText } from "../../vectors/document.js";

const BYTES_ONLY = { spent: [], outputs: [] };
const FILES = [
  "commitments-static-remotekey.json",
  "commitments-anchors.json",
  "historic/commitments-legacy.json",
  "historic/commitments-anchor-outputs-nonzero-htlc-fee.json",
];

interface Published {
  readonly common: { readonly funding_amount_sat: number };
  readonly cases: readonly {
    readonly name: string;
    readonly expected: {
      readonly commit_tx: string;
      readonly outputs: readonly { readonly kind: string }[];
      readonly htlc_txs: readonly {
        readonly kind: string;
        readonly tx: string;
        readonly htlc_id: number;
        readonly amount_sat: number;
        readonly commit_output_index: number;
      }[];
    };
  }[];
}

describe.each(FILES)("%s, from the bytes alone", (file) => {
  const document = parse(vectorText(file)) as unknown as Published;
  const anchors = file.includes("anchor");

  test.each(document.cases.map((specified) => [specified.name, specified] as const))("%s", (_, { expected }) => {
    const tx = parseTransaction(fromHex(expected.commit_tx));
    const amount = sat(BigInt(document.common.funding_amount_sat));
    const { kind, outputs, inputs, ordered } = describeTransaction(tx, { spent: [{ amount, lock: null, name: null }], outputs: [] });
    expect({ kind, ordered }).toEqual({ kind: "commitment", ordered: true });
    expect(inputs[0]!.elements.map(({ name }) => name)).toEqual(["dummy", "signature_for_pubkey1", "signature_for_pubkey2", "funding script"]);
    expect(inputs[0]!.elements.flatMap(({ signature }) => signature?.verdict ?? [])).toEqual(["good", "good"]);
    expect(outputs.map(({ name }) => name)).toEqual(
      expected.outputs.map(({ kind: is }) => (is.endsWith("_anchor") ? "anchor" : is === "to_remote" && !anchors ? "to_remote" : "unknown")),
    );
  });

  test.each(
    document.cases.flatMap(({ name, expected }) =>
      expected.htlc_txs.map((htlc) => [`${name}: ${htlc.kind} ${htlc.htlc_id}`, htlc, expected] as const),
    ),
  )("%s", (_, htlc, { commit_tx: parent }) => {
    const spent = parseTransaction(fromHex(parent)).outs[htlc.commit_output_index]!;
    const { kind, inputs, outputs } = describeTransaction(parseTransaction(fromHex(htlc.tx)), {
      spent: [{ amount: sat(spent.value), lock: null, name: null }],
      outputs: [],
    });
    expect(kind).toBe(`htlc_${htlc.kind}`);
    const [dummy, remote, local, preimage, script] = inputs[0]!.elements;
    expect([dummy?.name, remote?.name, local?.name, preimage?.name]).toEqual([
      "dummy",
      "remotehtlcsig",
      "localhtlcsig",
      htlc.kind === "success" ? "payment_preimage" : "empty",
    ]);
    expect(script?.name).toBe(`${htlc.kind === "success" ? "received" : "offered"}_htlc script`);
    expect([remote?.signature, local?.signature]).toEqual([
      { encoding: "der", sighashType: anchors ? 0x83 : 0x01, verdict: "good" },
      { encoding: "der", sighashType: 0x01, verdict: "good" },
    ]);
    expect(outputs).toMatchObject([{ name: "htlc_tx_output", namedBy: "htlc_transaction" }]);
  });
});

test.each(CHANNEL_TYPES)("penalties on %s commitments are called that, each signature good for the revocation key", (type) => {
  const { commitment, keys, perCommitmentSecret } = channelOf(type, "remote");
  const revoked = { txid: commitment.txid, outputs: commitment.outputs, keys: commitment.keys };
  const claims = penaltyClaims(revoked, basepointsOf(keys.local), perCommitmentSecret);
  const { tx, fee } = spendClaims(claims, keys.local, scriptPubkey(fromHex(`0014${"00".repeat(20)}`)), perKw(1000n), 2);
  const described = describeTransaction(tx, { spent: claims.map(({ amount, lock }) => ({ amount, lock, name: null })), outputs: [] });
  expect(described.kind).toBe("penalty");
  expect(described.fee).toBe(fee);
  expect(described.inputs.map(({ script }) => script?.kind)).toEqual(claims.map((claim) => commitment.outputs[claim.outputIndex]!.kind));
  for (const { path, elements, matchesOutput } of described.inputs) {
    expect({ path: path?.name, verdict: elements[0]!.signature?.verdict, matchesOutput }).toEqual({
      path: "revocation",
      verdict: "good",
      matchesOutput: true,
    });
  }
});

test("a witness for another output is told from one that opens it", () => {
  const { commitment, keys } = channelOf("anchors");
  const tx = completeCommitment(
    commitment,
    signCommitment(commitment, keys.local.fundingPrivkey!),
    signCommitment(commitment, keys.remote.fundingPrivkey!),
  );
  const other = { amount: commitment.terms.funding.amount, lock: commitment.outputs[0]!.lock, name: null };
  expect(describeTransaction(tx, { spent: [other], outputs: [] }).inputs[0]!.matchesOutput).toBe(false);
  expect(describeTransaction(commitment.unsigned, { spent: [other], outputs: [] }).inputs[0]!.matchesOutput).toBe(null);
});

test("HTLC transactions in one, and beside a fee input", () => {
  const { commitment, keys } = channelOf("anchors");
  const txs = buildHtlcTxs(commitment).map((htlcTx) => {
    const own = signHtlcTx(htlcTx, "owner", keys.local.htlcBasepointSecret!);
    const other = signHtlcTx(htlcTx, "countersigner", keys.remote.htlcBasepointSecret!);
    return completeHtlcTx(htlcTx, own, other, htlcTx.kind === "htlc_success" ? bytes32(new Uint8Array(32)) : null);
  });
  const [first, second] = txs;
  const batch = first!.clone();
  batch.ins.push(...second!.ins);
  batch.outs.push(...second!.outs);
  expect(describeTransaction(batch, BYTES_ONLY)).toMatchObject({
    kind: "htlc_batch",
    outputs: [{ name: "htlc_tx_output" }, { name: "htlc_tx_output" }],
  });

  const paid = first!.clone();
  paid.addInput(txid(new Uint8Array(32).fill(7)), 0);
  paid.addOutput(fromHex(`0014${"00".repeat(20)}`), 1000n);
  expect(describeTransaction(paid, BYTES_ONLY)).toMatchObject({
    kind: first!.locktime === 0 ? "htlc_success" : "htlc_timeout",
    outputs: [{}, { name: "unknown" }],
  });
});

test("every output of a commitment with its script known has a way for each side that BOLT 3 gives one", () => {
  fc.assert(
    fc.property(anyChannel, ({ commitment }) => {
      for (const { kind, lock } of commitment.outputs) {
        if (lock.kind !== "p2wsh") continue;
        const script = knownScript(lock.witnessScript);
        expect(script?.kind).toBe(kind.endsWith("_anchor") ? "anchor" : kind);
        const by = spendPaths(script!).map((path) => path.by);
        const expected = kind === "to_remote" ? ["countersigner"] : kind.endsWith("_anchor") ? ["key_holder", "anyone"] : ["owner", "countersigner"];
        expect([...new Set(by)].sort()).toEqual([...expected].sort());
      }
    }),
  );
});

test("no witness takes two paths", () => {
  const { commitment } = channelOf("anchors");
  const key = publicKey(channelOf("anchors").keys.local.fundingPrivkey!);
  const signature = fromHex("300602010102010101");
  const elements = [new Uint8Array(0), Uint8Array.of(1), new Uint8Array(32), key, signature];
  const scripts = commitment.outputs.flatMap(({ lock }) => (lock.kind === "p2wsh" ? [knownScript(lock.witnessScript)!] : []));
  fc.assert(
    fc.property(fc.constantFrom(...scripts), fc.array(fc.constantFrom(...elements), { maxLength: 4 }), (script, stack) => {
      const fitting = spendPaths(script).filter((path) => pathTaken({ ...script }, stack)?.name === path.name);
      expect(fitting.length).toBeLessThanOrEqual(1);
    }),
  );
});

/** Bytes near a transaction are the ones that get far. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.constantFrom(...CHANNEL_TYPES), fc.array(fc.nat(5000), { maxLength: 3 }))
    .map(([type, bits]) => bits.reduce(flipBit, signedBytes(type))),
);

function signedBytes(type: (typeof CHANNEL_TYPES)[number]): Uint8Array {
  const { commitment, keys } = channelOf(type);
  return completeCommitment(
    commitment,
    signCommitment(commitment, keys.local.fundingPrivkey!),
    signCommitment(commitment, keys.remote.fundingPrivkey!),
  ).toBuffer();
}

test("any bytes are described or refused", () => {
  fc.assert(
    fc.property(anyBytes, fc.option(fc.bigInt(0n, 2_100_000_000_000_000n)), (bytes, amount) => {
      try {
        const tx = parseTransaction(bytes);
        const spent = amount === null ? [] : tx.ins.map(() => ({ amount: sat(amount), lock: null, name: null }));
        const described = describeTransaction(tx, { spent, outputs: [] });
        expect(described.outputs).toHaveLength(tx.outs.length);
        expect(described.inputs).toHaveLength(tx.ins.length);
      } catch (error) {
        expect(error).toBeInstanceOf(LnError);
        expect((error as LnError).code).toBe("tx-not-parsed");
      }
    }),
    { numRuns: 500 },
  );
});

const PUBKEY = publicKey(channelOf("anchors").keys.local.paymentBasepointSecret!);
const P2WPKH = scriptPubkey(fromHex(`0014${"11".repeat(20)}`));
const P2WSH = scriptPubkey(fromHex(`0020${"22".repeat(32)}`));
const DER = fromHex("300602010102010101");
const MARKS = { locktime: 0x20000005, sequence: 0x80000001 };

/** An input for each witness, spending unlike outputs. */
function txWith(witnesses: readonly Witness[], outs: readonly (readonly [ScriptPubkey, bigint])[] = [[P2WPKH, 1n]]): Transaction {
  const tx = new Transaction();
  tx.version = 2;
  for (const [at, witness] of witnesses.entries()) {
    tx.addInput(new Uint8Array(32).fill(7), at);
    tx.setWitness(at, [...witness]);
  }
  for (const [script, amount] of outs) tx.addOutput(script, amount);
  return tx;
}

const marked = (tx: Transaction): Transaction => {
  tx.locktime = MARKS.locktime;
  for (const input of tx.ins) input.sequence = MARKS.sequence;
  return tx;
};

const scriptOf = (kind: string, type: ChannelType = "anchors"): WitnessScript => {
  const found = channelOf(type).commitment.outputs.find((output) => output.kind === kind)!;
  if (found.lock.kind !== "p2wsh") throw new Error(kind);
  return found.lock.witnessScript;
};
const lockOf = (kind: string, type: ChannelType = "anchors"): Lock => channelOf(type).commitment.outputs.find((output) => output.kind === kind)!.lock;
const FUNDING_LOCK = channelOf("anchors").commitment.fundingLock;
const FUNDING_SCRIPT = FUNDING_LOCK.kind === "p2wsh" ? FUNDING_LOCK.witnessScript : new Uint8Array(0);
const NONE = new Uint8Array(0);
const FUNDING: Witness = [NONE, DER, DER, FUNDING_SCRIPT];
const REVOKED_HTLC: Witness = [DER, PUBKEY, scriptOf("offered_htlc")];
const DELAYED: Witness = [DER, NONE, scriptOf("to_local")];
const EXPIRY: Witness = [DER, NONE, scriptOf("received_htlc")];
const TIMEOUT: Witness = [NONE, DER, DER, NONE, scriptOf("offered_htlc")];
const SUCCESS: Witness = [NONE, DER, DER, new Uint8Array(32), scriptOf("received_htlc")];
const ANCHOR: Witness = [DER, scriptOf("to_local_anchor")];
const ANYONE: Witness = [NONE, scriptOf("to_local_anchor")];
const WALLET: Witness = [DER, PUBKEY];
const TAPROOT: Witness = [new Uint8Array(64)];

describe("what a transaction is called", () => {
  const kindOf = (...witnesses: readonly Witness[]) => describeTransaction(txWith(witnesses), BYTES_ONLY).kind;

  test.each<readonly [string, readonly Witness[]]>([
    ["funding_spend", [FUNDING]],
    ["mixed", [FUNDING, WALLET]],
    ["mixed", [WALLET, FUNDING]],
    ["penalty", [REVOKED_HTLC, REVOKED_HTLC]],
    ["mixed", [REVOKED_HTLC, DELAYED]],
    ["htlc_timeout", [TIMEOUT, WALLET]],
    ["htlc_success", [SUCCESS, WALLET]],
    ["htlc_batch", [TIMEOUT, SUCCESS]],
    ["anchor_spend", [ANCHOR, WALLET]],
    ["anchor_spend", [ANYONE, WALLET]],
    ["sweep", [DELAYED]],
    ["sweep", [EXPIRY, WALLET]],
    ["unknown", [WALLET]],
    ["unknown", [TAPROOT]],
    ["unknown", [DELAYED, TAPROOT]],
    ["unknown", [[DER, DER, scriptOf("to_local")]]],
  ])("%s", (kind, witnesses) => {
    expect(kindOf(...witnesses)).toBe(kind);
  });

  test("a coinbase, whatever its marks", () => {
    const tx = marked(txWith([]));
    tx.addInput(new Uint8Array(32), 0xffffffff, MARKS.sequence, Uint8Array.of(1, 2));
    expect(describeTransaction(tx, BYTES_ONLY).kind).toBe("coinbase");
  });

  test("an illustration where a script of BOLT 3's stands in an output itself, which is what names that output", () => {
    const bare = scriptPubkey(scriptOf("to_local"));
    const { kind, outputs } = describeTransaction(marked(txWith([FUNDING], [[P2WSH, 1n], [bare, 2n]])), BYTES_ONLY); // prettier-ignore
    expect(kind).toBe("illustration");
    expect(outputs).toMatchObject([
      { name: "unknown", namedBy: null, paths: [] },
      {
        name: "to_local",
        namedBy: "bare_script",
        script: { kind: "to_local" },
        paths: [{ name: "delayed", by: "owner", csv: 144 }, { name: "revocation" }],
      },
    ]);
  });

  test("a commitment by its marks, of one input that can be the funding output's", () => {
    const numberOf = (...witnesses: readonly Witness[]) => describeTransaction(marked(txWith(witnesses)), BYTES_ONLY).obscuredNumber;
    expect([numberOf(FUNDING), numberOf([])]).toEqual([0x1000005, 0x1000005]);
    expect([numberOf(), numberOf(FUNDING, FUNDING), numberOf(DELAYED)]).toEqual([null, null, null]);
    expect(describeTransaction(txWith([FUNDING]), BYTES_ONLY).obscuredNumber).toBeNull();
  });
});

test("a fee is told where every input's amount is known, and of no input none", () => {
  const feeOf = (tx: Transaction, ...amounts: readonly (bigint | null)[]) =>
    describeTransaction(tx, {
      spent: amounts.map((amount) => (amount === null ? null : { amount: sat(amount), lock: null, name: null })),
      outputs: [],
    }).fee;
  const two = txWith([WALLET, WALLET], [[P2WPKH, 5n], [P2WSH, 6n]]); // prettier-ignore
  expect(feeOf(two, 10n, 4n)).toBe(3n);
  expect([feeOf(two, 10n, null), feeOf(two, null, null), feeOf(txWith([]))]).toEqual([null, null, null]);
});

test("outputs are in order by amount, then by script, each after the one before it", () => {
  const orderOf = (...outs: readonly (readonly [ScriptPubkey, bigint])[]) => describeTransaction(txWith([WALLET], outs), BYTES_ONLY).ordered;
  expect([orderOf(), orderOf([P2WSH, 2n]), orderOf([P2WSH, 1n], [P2WPKH, 2n]), orderOf([P2WPKH, 1n], [P2WSH, 1n])]).toEqual([true, true, true, true]);
  expect([orderOf([P2WPKH, 1n], [P2WPKH, 1n])]).toEqual([true]);
  expect([orderOf([P2WPKH, 2n], [P2WSH, 1n]), orderOf([P2WSH, 1n], [P2WPKH, 1n]), orderOf([P2WPKH, 1n], [P2WPKH, 3n], [P2WPKH, 2n])]).toEqual([
    false,
    false,
    false,
  ]);
});

describe("a commitment's outputs, from the bytes alone", () => {
  const anchor = lockOf("to_local_anchor").scriptPubkey;
  const other = scriptPubkey(fromHex(`0014${"33".repeat(20)}`));
  const outputsOf = (...scripts: readonly ScriptPubkey[]) =>
    describeTransaction(marked(txWith([FUNDING], scripts.map((script) => [script, 1n]))), BYTES_ONLY).outputs; // prettier-ignore
  const namesOf = (...scripts: readonly ScriptPubkey[]) => outputsOf(...scripts).map(({ name }) => name);

  test("the only P2WPKH output is to_remote, where no anchor is; of two, nobody can say", () => {
    expect(namesOf(P2WSH, P2WPKH)).toEqual(["unknown", "to_remote"]);
    expect(namesOf(P2WPKH, other)).toEqual(["unknown", "unknown"]);
    expect(namesOf(anchor, P2WSH, P2WPKH)).toEqual(["anchor", "unknown", "unknown"]);
    expect(describeTransaction(txWith([FUNDING]), BYTES_ONLY).outputs[0]!.name).toBe("unknown");
  });

  test("to_remote is the countersigner's by the key whose hash it holds", () => {
    const key = { name: "pubkey_hash160", value: P2WPKH.subarray(2) };
    expect(outputsOf(P2WPKH)[0]!).toMatchObject({
      script: { values: { pubkey_hash160: key.value } },
      paths: [{ name: "plain", by: "countersigner", key }],
    });
  });

  test("P2A is the shared anchor of a commitment, and of nothing else", () => {
    expect(outputsOf(P2A.scriptPubkey)).toMatchObject([{ name: "shared_anchor", namedBy: "only_p2a", paths: [{ by: "anyone" }] }]);
    expect(describeTransaction(txWith([FUNDING], [[P2A.scriptPubkey, 1n]]), BYTES_ONLY).outputs[0]!.name).toBe("unknown");
  });
});

test("only a P2WSH output beside an HTLC input is an HTLC transaction's", () => {
  const outs = [[P2WSH, 1n], [P2WSH, 2n]] as const; // prettier-ignore
  const names = describeTransaction(txWith([TIMEOUT, WALLET], outs), BYTES_ONLY).outputs.map(({ name }) => name);
  expect(names).toEqual(["htlc_tx_output", "unknown"]);
  expect(describeTransaction(txWith([TIMEOUT]), BYTES_ONLY).outputs[0]!.name).toBe("unknown");
});

describe("an input", () => {
  const inputOf = (witness: Witness, spent: SpentOutput | null = null) =>
    describeTransaction(txWith([[], witness]), { spent: [null, spent], outputs: [] }).inputs[1]!;

  test("tells where its output stands, and each element by its form where its place is not known", () => {
    const tx = txWith([WALLET, [NONE, PUBKEY, Uint8Array.of(5), DER]]);
    tx.ins[1]!.sequence = 9;
    tx.ins[1]!.script = Uint8Array.of(0x51);
    const { inputs } = describeTransaction(tx, BYTES_ONLY);
    expect(inputs[1]).toMatchObject({
      txid: new Uint8Array(32).fill(7),
      outputIndex: 1,
      sequence: 9,
      scriptSig: Uint8Array.of(0x51),
      script: null,
      path: null,
    });
    expect(inputs[1]!.elements.map(({ name }) => name)).toEqual(["empty", "public key", "data", "signature"]);
    expect(inputs[1]!.elements.map(({ signature }) => signature?.verdict)).toEqual([undefined, undefined, undefined, "unchecked"]);
  });

  test("ends with the script that it brings", () => {
    const { elements, path } = inputOf(DELAYED);
    expect(path?.name).toBe("delayed");
    expect(elements.map(({ name }) => name)).toEqual(["local_delayedsig", "empty", "to_local script"]);
    expect(elements[2]!.bytes).toEqual(scriptOf("to_local"));
  });

  test("without a witness is what it is known to spend, by no path", () => {
    const spent = { amount: sat(1n), lock: lockOf("to_local"), name: null };
    expect(inputOf([], spent)).toMatchObject({ script: { kind: "to_local" }, path: null, elements: [], matchesOutput: null });
    expect(inputOf([])).toMatchObject({ script: null, path: null, elements: [] });
    expect(inputOf([], { ...spent, lock: P2A })).toMatchObject({ script: { kind: "p2a" }, path: { name: "anyone" } });
    expect(inputOf(TAPROOT, spent)).toMatchObject({ script: null, path: null });
  });

  test("two elements are P2WPKH's where they are a signature and a key", () => {
    expect(inputOf(WALLET)).toMatchObject({ script: { kind: "p2wpkh", values: { pubkey_hash160: hash160(PUBKEY) } }, path: { name: "plain" } });
    expect(inputOf(WALLET).elements.map(({ name }) => name)).toEqual(["sig", "pubkey"]);
    for (const stack of [[PUBKEY, PUBKEY], [DER, DER], [DER, PUBKEY, PUBKEY], [DER]]) expect(inputOf(stack).script).toBeNull(); // prettier-ignore
  });

  test("a preimage in a signature's form is a preimage", () => {
    const preimage = fromHex(`301d020c${"11".repeat(12)}020d${"11".repeat(13)}01`);
    expect(readWitnessSignature(preimage)).not.toBeNull();
    const { elements } = inputOf([NONE, DER, DER, preimage, scriptOf("received_htlc")], { amount: sat(1n), lock: null, name: null });
    expect(elements[3]).toEqual({ name: "payment_preimage", bytes: preimage, signature: null });
  });
});

describe("a signature in a witness", () => {
  const amount = sat(1000n);
  const secret = channelOf("anchors").keys.local.paymentBasepointSecret!;
  const other = channelOf("anchors").keys.remote.paymentBasepointSecret!;
  const verdictsOf = (witness: Witness, spentAmount: Satoshi | null = amount) =>
    describeTransaction(txWith([witness]), {
      spent: [spentAmount === null ? null : { amount: spentAmount, lock: null, name: null }],
      outputs: [],
    }).inputs[0]!.elements.flatMap(({ name, signature }) => (signature === null ? [] : [[name, signature.encoding, signature.verdict]]));
  const signed = (lock: Lock, by: Secret32 = secret) => signHash(sighash(txWith([[]]), 0, { lock, amount }, 1), by);

  test("is good for its key alone, and unchecked without the amount", () => {
    const lock = p2wpkh(point(PUBKEY));
    const good = witnessSignature(signed(lock), 1);
    expect(verdictsOf([good, PUBKEY])).toEqual([["sig", "der", "good"]]);
    expect(verdictsOf([good, PUBKEY], sat(1001n))).toEqual([["sig", "der", "bad"]]);
    expect(verdictsOf([good, PUBKEY], null)).toEqual([["sig", "der", "unchecked"]]);
    expect(verdictsOf([witnessSignature(signed(lock, other), 1), PUBKEY])).toEqual([["sig", "der", "bad"]]);
  });

  test("is bad where it is no pair of scalars, or its key no point", () => {
    const half = "11".repeat(32);
    const integer = (value: Uint8Array) => concat(Uint8Array.of(2, value.length), value);
    const der = (r: string, s: string) => {
      const both = concat(integer(fromHex(r)), integer(fromHex(s)));
      return concat(Uint8Array.of(0x30, both.length), both, Uint8Array.of(1));
    };
    const tooLarge = `00${"ff".repeat(32)}`;
    for (const bad of [der("00", half), der(half, "00"), der(tooLarge, half), der(half, tooLarge)])
      expect(verdictsOf([bad, PUBKEY])).toEqual([["sig", "der", "bad"]]);
    const noPoint = fromHex(`02${"ff".repeat(32)}`);
    expect(verdictsOf([der(half, half), noPoint])).toEqual([["sig", "der", "bad"]]);
  });

  test("in no known place is good where one of the script's keys made it", () => {
    const anchor = lockOf("to_local_anchor");
    const by = channelOf("anchors").keys.local.fundingPrivkey!;
    const stack = (signature: Signature) => [NONE, NONE, witnessSignature(signature, 1), scriptOf("to_local_anchor")];
    expect(verdictsOf(stack(signed(anchor, by)))).toEqual([["signature", "der", "good"]]);
    expect(verdictsOf(stack(signed(anchor)))).toEqual([["signature", "der", "bad"]]);
    const ofFunding = (signature: Signature) => [NONE, witnessSignature(signature, 1), FUNDING_SCRIPT];
    for (const side of ["local", "remote"] as const)
      expect(verdictsOf(ofFunding(signed(FUNDING_LOCK, channelOf("anchors").keys[side].fundingPrivkey!)))).toEqual([["signature", "der", "good"]]);
  });

  test("of 64 bytes is told as a message's, and checked", () => {
    const by = channelOf("anchors").keys.local.fundingPrivkey!;
    const compact = signed(lockOf("to_local_anchor"), by);
    expect(verdictsOf([compact, scriptOf("to_local_anchor")])).toEqual([["compact signature", "compact", "good"]]);
    expect(verdictsOf([compact.subarray(1), scriptOf("to_local_anchor")])).toEqual([]);
  });
});

describe("an output whose lock is known", () => {
  const described = (kind: string, type: ChannelType = "anchors") => {
    const output = channelOf(type).commitment.outputs.find((candidate) => candidate.kind === kind)!;
    return describeLock(output.kind, "state", output.lock, output.amount, "htlc" in output ? output.htlc : null);
  };
  const by = (kind: string, type?: ChannelType) => described(kind, type).paths.map((path) => path.by);

  test("says whose key opens it", () => {
    expect(by("to_local_anchor")).toEqual(["owner", "anyone"]);
    expect(by("to_remote_anchor")).toEqual(["countersigner", "anyone"]);
    expect(by("to_remote", "static_remotekey")).toEqual(["countersigner"]);
    expect(by("to_local")).toEqual(["owner", "countersigner"]);
    expect(describeLock("anchor", "funding_key", lockOf("to_local_anchor"), sat(330n), null).paths[0]!.by).toBe("key_holder");
  });

  test("says when an offered HTLC expires, which its script does not", () => {
    const { paths, htlc } = described("offered_htlc");
    expect(paths.map(({ cltv }) => cltv)).toEqual([htlc!.cltvExpiry, null, null]);
    const { lock, amount } = channelOf("anchors").commitment.outputs.find(({ kind }) => kind === "offered_htlc")!;
    expect(describeLock("offered_htlc", "state", lock, amount, null).paths[0]!.cltv).toBe("unseen");
    expect(described("received_htlc").paths.map(({ cltv }) => cltv)).toEqual([null, described("received_htlc").htlc!.cltvExpiry, null]);
  });

  test("brings its script or its key", () => {
    expect(described("to_local").witnessScript).toEqual(scriptOf("to_local"));
    expect(described("to_local").paths[0]!.key?.name).toBe("local_delayedpubkey");
    const lock = p2wpkh(point(PUBKEY));
    expect(describeLock("to_remote", "state", lock, sat(1n), null)).toMatchObject({
      witnessScript: null,
      paths: [{ key: { name: "pubkey", value: PUBKEY } }],
    });
    expect(describeLock("unknown", "state", p2wsh(witnessScript(Uint8Array.of(0x51))), sat(1n), null)).toMatchObject({ script: null, paths: [] });
  });
});
