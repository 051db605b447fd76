import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes32, fromHex, scriptPubkey, txid } from "../../../src/protocol/bytes.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { basepointsOf } from "../../../src/protocol/keys/party-keys.js";
import { knownScript, pathTaken, spendPaths } from "../../../src/protocol/script/known-script.js";
import { describeTransaction } from "../../../src/protocol/tx/describe.js";
import { LnError } from "../../../src/protocol/errors.js";
import { CHANNEL_TYPES } from "../../../src/protocol/tx/channel-type.js";
import { buildHtlcTxs } from "../../../src/protocol/tx/htlc-tx.js";
import { parseTransaction } from "../../../src/protocol/tx/parse.js";
import { penaltyClaims } from "../../../src/protocol/tx/penalty-tx.js";
import { completeCommitment, completeHtlcTx, signCommitment, signHtlcTx } from "../../../src/protocol/tx/sign.js";
import { spendClaims } from "../../../src/protocol/tx/spend.js";
import { perKw, sat } from "../../../src/protocol/units.js";
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
