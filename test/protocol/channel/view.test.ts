import { describe, expect, test } from "vitest";
import { decode } from "../../../src/json/decode.js";
import { bytes32, txid } from "../../../src/protocol/bytes.js";
import { viewTransaction } from "../../../src/protocol/channel/view.js";
import { type FundedChannel } from "../../../src/protocol/channel/state.js";
import { commitmentTerms } from "../../../src/protocol/channel/terms.js";
import { publicKey } from "../../../src/protocol/keys/derivation.js";
import { ownSecret } from "../../../src/protocol/keys/party-keys.js";
import { insertSecret, secretIndex } from "../../../src/protocol/keys/shachain.js";
import { buildCommitment } from "../../../src/protocol/tx/commitment-tx.js";
import { describeTransaction } from "../../../src/protocol/tx/describe.js";
import { isHtlcOutput } from "../../../src/protocol/tx/outputs.js";
import { completeHtlcTx, withWitnesses } from "../../../src/protocol/tx/sign.js";
import type { CommitmentSpec } from "../../../src/protocol/tx/spec.js";
import { perKw } from "../../../src/protocol/units.js";
import { caseChannel } from "../../../src/vectors/case-channel.js";
import { caseDocument } from "../../../src/vectors/case-document.js";
import { caseTerms, signCase } from "../../../src/vectors/case.js";
import { CHANNEL_TYPES } from "../../../src/protocol/tx/channel-type.js";
import { caseLines, inType, parse } from "../../vectors/document.js";

/** Every agreed case, in every format. */
const CASES = ["cases/static_remotekey.ndjson", "cases/anchors.ndjson"]
  .flatMap(caseLines)
  .flatMap((line) => CHANNEL_TYPES.map((type) => decode(caseDocument, inType(parse(line), type), "case")))
  .map(({ id, case: inputs }) => ({ id, type: inputs.channelType, inputs }));

const NONE = () => [];

describe.each(CASES)("$id as $type", ({ inputs }) => {
  const signed = signCase(inputs);
  const { commitment } = signed;

  test("its owner and its countersigner name every output as it was built, and find both signatures good", () => {
    for (const as of ["local", "remote"] as const) {
      const view = viewTransaction(caseChannel(inputs, as, "alice"), signed.signed, NONE);
      expect(view.relation).toMatchObject({ kind: "held", owner: as === "local" ? "local" : "remote", standing: "next" });
      const described = describeTransaction(signed.signed, view);
      expect(described.outputs.map(({ name }) => name)).toEqual(commitment.outputs.map(({ kind }) => kind));
      expect(described.outputs.every(({ paths }) => paths.length > 0 && paths.every(({ by }) => by !== "key_holder"))).toBe(true);
      expect(described.fee).toBe(commitment.actualFee);
      expect(described.ordered).toBe(true);
      expect(described.inputs[0]!.matchesOutput).toBe(true);
      expect(described.inputs[0]!.elements.map(({ signature }) => signature?.verdict)).toEqual([undefined, "good", "good", undefined]);
    }
  });

  test("its HTLC transactions are recognised by what they spend, both signatures good", () => {
    const state = caseChannel(inputs, "remote", "bob");
    for (const { htlcTx, ownerSignature, countersignerSignature } of signed.htlcTxs) {
      const preimage = htlcTx.kind === "htlc_success" ? bytes32(new Uint8Array(32).fill(1)) : null;
      const tx = completeHtlcTx(htlcTx, ownerSignature, countersignerSignature, preimage);
      const view = viewTransaction(state, tx, NONE);
      expect(view.relation).toMatchObject({ kind: "htlc", owner: "remote", htlcTx: { kind: htlcTx.kind, outputIndex: htlcTx.outputIndex } });
      const described = describeTransaction(tx, view);
      expect(described.kind).toBe(htlcTx.kind);
      expect(described.outputs).toMatchObject([{ name: "htlc_tx_output", namedBy: "state", script: { kind: "to_local" } }]);
      expect(described.inputs[0]!.elements.flatMap(({ signature }) => signature?.verdict ?? [])).toEqual(["good", "good"]);
      expect(described.fee).toBe(htlcTx.fee);
    }
  });

  test("once revoked, its HTLCs have their names from the lines that were kept, and without those no others", () => {
    const state = revoke(caseChannel(inputs, "remote", "bob"));
    const view = viewTransaction(state, signed.signed, () => mirrored(signed.spec).htlcs);
    expect(view.relation).toMatchObject({ kind: "revoked", owner: "remote", number: signed.number });
    expect(describeTransaction(signed.signed, view).outputs.map(({ name }) => name)).toEqual(commitment.outputs.map(({ kind }) => kind));

    const forgotten = describeTransaction(signed.signed, viewTransaction(state, signed.signed, NONE)).outputs.map(({ name }) => name);
    expect(forgotten).toEqual(commitment.outputs.map((output) => (isHtlcOutput(output) ? "unknown" : output.kind)));
  });

  /** The countersigner's state after it was given this commitment's secret. */
  function revoke(state: FundedChannel): FundedChannel {
    const secret = ownSecret(signed.keys.local, signed.number);
    return { ...state, staged: { local: null, remote: null }, remoteSecrets: insertSecret([], secretIndex(signed.number), secret) };
  }
});

function mirrored(spec: CommitmentSpec): CommitmentSpec {
  return { ...spec, htlcs: spec.htlcs.map((htlc) => ({ ...htlc, offeredBy: htlc.offeredBy === "local" ? "remote" : "local" })) };
}

describe("what the state can't rebuild", () => {
  const { inputs } = CASES.find(({ type }) => type === "anchors")!;
  const own = caseChannel(inputs, "local", "alice");
  const { keys, number, spec } = caseTerms(inputs);
  const commitmentOf = (owner: "local" | "remote", at: number) =>
    buildCommitment(commitmentTerms(own, owner), at, publicKey(ownSecret(keys[owner], at)), {
      ...spec,
      htlcs: [],
      feeratePerKw: perKw(spec.feeratePerKw + 1000n),
    });

  test("an own commitment whose secret was given away, by its number and plain outputs", () => {
    const { unsigned, outputs } = commitmentOf("local", number - 1);
    const view = viewTransaction(own, unsigned, NONE);
    expect(view.relation).toEqual({ kind: "unknown", number: number - 1, owner: "local", ownerBy: "to_remote", standing: "revoked" });
    const names = describeTransaction(unsigned, view).outputs.map(({ name }) => name);
    expect(names).toEqual(outputs.map(({ kind }) => (kind === "to_local" ? "unknown" : kind)));
  });

  test("a later one than the state knows, of either side", () => {
    for (const owner of ["local", "remote"] as const) {
      const view = viewTransaction(own, commitmentOf(owner, number + 5).unsigned, NONE);
      expect(view.relation).toEqual({ kind: "unknown", number: number + 5, owner, ownerBy: "to_remote", standing: "ahead" });
    }
  });

  test("the same number with other contents", () => {
    const signedOnce = { number, spec, point: publicKey<"per_commitment">(ownSecret(keys.remote, number)) };
    const [funding] = own.fundings;
    const state: FundedChannel = { ...own, fundings: [{ ...funding, remote: { current: signedOnce, next: null } }] };
    const view = viewTransaction(state, commitmentOf("remote", number).unsigned, NONE);
    expect(view.relation).toEqual({ kind: "unknown", number, owner: "remote", ownerBy: "to_remote", standing: "other" });
  });

  test("a spend of the funding output without the marks", () => {
    const tx = commitmentOf("local", number).unsigned.clone();
    tx.locktime = 0;
    tx.ins[0]!.sequence = 0xffffffff;
    expect(viewTransaction(own, tx, NONE).relation).toMatchObject({ kind: "unknown", number: null, standing: null });
  });

  test("a transaction of another channel", () => {
    const tx = commitmentOf("local", number).unsigned.clone();
    tx.ins[0]!.index ^= 1;
    expect(viewTransaction(own, tx, NONE).relation).toEqual({ kind: "unrelated" });
  });

  test("what spends a commitment's output otherwise than its HTLC transactions", () => {
    const { commitment } = signCase(inputs);
    const tx = commitment.unsigned.clone();
    tx.ins = [{ ...tx.ins[0]!, hash: commitment.txid, index: 0 }];
    const view = viewTransaction(own, withWitnesses(tx, [[]]), NONE);
    expect(view.relation).toMatchObject({ kind: "spends", owner: "local" });
    expect(view.spent).toMatchObject([{ name: commitment.outputs[0]!.kind, amount: commitment.outputs[0]!.amount }]);
  });

  test("the funding transaction itself", () => {
    const { commitment } = signCase(inputs);
    const tx = commitment.unsigned.clone();
    tx.outs = Array.from({ length: 3 }, () => ({ script: commitment.fundingLock.scriptPubkey, value: commitment.terms.funding.amount }));
    const [funding] = own.fundings;
    const state: FundedChannel = { ...own, fundings: [{ ...funding, txid: commitment.txid, outputIndex: 1 }] };
    expect(viewTransaction(state, tx, NONE).relation).toEqual({ kind: "unrelated" });
    const found: FundedChannel = { ...own, fundings: [{ ...funding, txid: txid(tx.getHash()), outputIndex: 1 }] };
    const view = viewTransaction(found, tx, NONE);
    expect(view.relation).toEqual({ kind: "funding" });
    expect(view.outputs.map((output) => output?.name ?? null)).toEqual([null, "funding", null]);
  });
});
