import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Psbt } from "bitcoinjs-lib/src/psbt";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { bytes32 } from "../../src/protocol/bytes.js";
import { completeClosings } from "../../src/protocol/channel/closing.js";
import { signHash } from "../../src/protocol/tx/sign.js";
import { interpret } from "../chain/interpreter.js";
import { LEGACY, type Name, PAID, SIMPLE, exchange, says, shut } from "../support/closing.js";
import { type FlagTexts, type Parties, type Terms, backupOf, fingerprint, keysOf, parties, refusal, runCommand, stateOf } from "../support/party.js";
import { signPsbt } from "../support/signer.js";

interface ForSigner {
  readonly signs_for: string;
  readonly kind: string;
  readonly transactions: readonly {
    readonly txid: string;
    readonly unsigned_tx: string;
    readonly psbt: string;
    readonly signed_by_peer: boolean;
    readonly to_sign: readonly { readonly pubkey: string; readonly from: string }[];
    readonly outputs: readonly { readonly side: string; readonly amount_sat: number }[];
    readonly fee_sat: number;
  }[];
}

/** Where a close needs a signature: who then closes, with what, and how many variants that signs. */
interface Place {
  readonly name: string;
  readonly message: string;
  readonly who: Name;
  readonly flags: FlagTexts;
  readonly variants: number;
  readonly byPeer: boolean;
  readonly start: () => Promise<Parties>;
}

/** After these messages, each said and heard. */
const after = (terms: Terms, ...said: readonly (readonly [Name, FlagTexts])[]) => {
  return async (): Promise<Parties> => {
    const p = await shut(terms);
    for (const [who, flags] of said) await exchange(p, who, flags);
    return p;
  };
};

const PLACES: readonly Place[] = [
  {
    name: "a closing_complete, with and without the peer's output",
    message: "closing_complete",
    who: "alice",
    flags: { feerate: "2500" },
    variants: 2,
    byPeer: false,
    start: after(SIMPLE),
  },
  {
    name: "a closing_complete of who has less, to another script",
    message: "closing_complete",
    who: "bob",
    flags: { fee: "700sat", script: `5120${"aa".repeat(32)}`, locktime: "500" },
    variants: 1,
    byPeer: false,
    start: after(SIMPLE),
  },
  {
    name: "a closing_sig",
    message: "closing_sig",
    who: "bob",
    flags: {},
    variants: 1,
    byPeer: true,
    start: after(SIMPLE, ["alice", { fee: "500sat" }]),
  },
  {
    name: "a closing_sig without our output",
    message: "closing_sig",
    who: "bob",
    flags: { omitOutput: true },
    variants: 1,
    byPeer: true,
    start: after(SIMPLE, ["alice", { fee: "500sat" }]),
  },
  {
    name: "a second round's closing_complete",
    message: "closing_complete",
    who: "alice",
    flags: { fee: "900sat" },
    variants: 2,
    byPeer: false,
    start: after(SIMPLE, ["alice", { fee: "500sat" }], ["bob", {}]),
  },
  {
    name: "the opener's closing_signed, with what the peer may answer",
    message: "closing_signed",
    who: "alice",
    flags: { fee: "500sat", feeRange: "300sat-900sat" },
    variants: 2,
    byPeer: false,
    start: after(LEGACY),
  },
  {
    name: "a closing_signed with another fee",
    message: "closing_signed",
    who: "bob",
    flags: { fee: "300sat" },
    variants: 2,
    byPeer: false,
    start: after(LEGACY, ["alice", { fee: "500sat" }]),
  },
];

const AGREEMENT: Place = {
  name: "a closing_signed that agrees",
  message: "closing_signed",
  who: "bob",
  flags: {},
  variants: 2,
  byPeer: true,
  start: after(LEGACY, ["alice", { fee: "500sat" }]),
};

/** One side's folder without keys, a copy with them, and what signs. */
async function begun({ start, who, flags }: Place) {
  const p = await start();
  const keys = keysOf(p[who]);
  const copy = backupOf(p[who], "with-keys");
  rmSync(join(p[who], "keys.json"));
  const close = async (more: FlagTexts = {}, party = p[who]) => (await runCommand("close", [party], { ...flags, ...more })).document;
  const write = async () => (await close({ psbt: true })) as unknown as ForSigner;
  const file = (name: string, text: string): string => {
    writeFileSync(join(p.dir, name), text);
    return join(p.dir, name);
  };
  const signed = ({ transactions }: ForSigner): string => transactions.map(({ psbt }, at) => file(`signed-${at}.psbt`, signPsbt(psbt, keys))).join();
  return { p, party: p[who], keys, copy, close, write, file, signed };
}

describe.each([...PLACES, AGREEMENT])("$name, signed elsewhere", (place) => {
  const { message, variants, byPeer, who } = place;

  test("without keys: a PSBT for each variant, and from them the message and the state that the keys would have given", async () => {
    const { p, party, copy, close, write, signed } = await begun(place);
    const written = await write();
    expect(written).toMatchObject({ signs_for: message, kind: message === "closing_signed" ? "legacy" : "simple" });
    expect(written.transactions).toHaveLength(variants);
    expect(written.transactions.some(({ signed_by_peer: theirs }) => theirs)).toBe(byPeer);
    const { params, fundings } = stateOf(party);
    for (const { psbt, unsigned_tx: unsigned, txid, signed_by_peer: theirs, to_sign: toSign, outputs, fee_sat: fee } of written.transactions) {
      const read = Psbt.fromBase64(psbt);
      const tx = Transaction.fromHex(unsigned);
      expect(Buffer.from(read.data.getTransaction()).toString("hex")).toBe(unsigned);
      expect(tx.getId()).toBe(txid);
      expect(tx.outs.map(({ value }) => Number(value))).toEqual(outputs.map(({ amount_sat: value }) => value));
      expect(outputs.reduce((sum, { amount_sat: value }) => sum + value, fee)).toBe(Number(fundings[0].amount));
      expect(toSign).toEqual([{ input: 0, pubkey: Buffer.from(params.local.fundingPubkey).toString("hex"), from: "funding_privkey" }]);
      const [input] = read.data.inputs;
      expect(input!.witnessUtxo!.value).toBe(fundings[0].amount);
      expect(input!.witnessScript).toHaveLength(71);
      expect(input!.sighashType).toBe(1);
      expect((input!.partialSig ?? []).map(({ pubkey }) => pubkey)).toEqual(theirs ? [params.remote.fundingPubkey] : []);
    }
    const sent = await close({ finish: signed(written) });
    expect(sent).toMatchObject({ type: message });
    expect(sent).toEqual(await close({}, copy));
    const [ours, theirs] = [stateOf(party), stateOf(copy)];
    expect(ours).toEqual(theirs);
    // The peer takes it, as it would the other
    const heard = await runCommand("receive", [p[who === "alice" ? "bob" : "alice"], "-"], {}, { stdin: sent });
    expect(heard.document).toMatchObject({ received: message });
    // Run again it is the same again, whatever the signer's files hold now
    expect(await close({ finish: "/nowhere" })).toEqual(sent);
    expect(await close({ psbt: true })).toEqual(sent);
  });

  test("from the PSBT on the channel moves no more; a dry run leaves it as it was", async () => {
    const { party, close, write } = await begun(place);
    const before = fingerprint(party);
    const was = stateOf(party);
    expect(await close({ psbt: true, dryRun: true })).toMatchObject({ dry_run: true });
    expect(fingerprint(party)).toEqual(before);
    const first = await write();
    expect(stateOf(party)).toEqual({ ...was, flags: { ...was.flags, closingSigned: true } });
    const settled = fingerprint(party);
    expect(await write()).toEqual(first);
    expect(fingerprint(party)).toEqual(settled);
  });

  test("what is not signed, wrongly signed, signed for less than all, or another transaction, is refused, and changes nothing", async () => {
    const { party, keys, close, write, file, signed } = await begun(place);
    const written = await write();
    const before = fingerprint(party);
    const [{ psbt }, ...others] = written.transactions as [ForSigner["transactions"][number], ...ForSigner["transactions"]];
    const rest = others.map(({ psbt: other }, at) => file(`other-${at}.psbt`, signPsbt(other, keys)));
    const finishing = async (text: string) => (await refusal(() => close({ finish: [file("given.psbt", text), ...rest].join() }))).code;
    expect(await finishing(psbt)).toBe("input-psbt-unsigned");
    expect(
      await finishing(signPsbt(psbt, keys, (hash, secret) => signHash(bytes32(hash.map((byte, at) => (at === 0 ? byte ^ 1 : byte))), secret))),
    ).toBe("input-psbt-signature");
    const lesser = Psbt.fromBase64(signPsbt(psbt, keys));
    for (const held of lesser.data.inputs[0]!.partialSig!) held.signature = Uint8Array.from([...held.signature.slice(0, -1), 0x83]);
    expect(await finishing(lesser.toBase64())).toBe("input-psbt-signature");
    for (const at of rest.keys()) {
      expect((await refusal(() => close({ finish: signed(written).split(",").toSpliced(at, 1).join() }))).code).toBe("input-psbt-unsigned");
    }
    const tx = Transaction.fromHex(written.transactions[0]!.unsigned_tx);
    tx.outs[0]!.value -= 1n;
    const other = new Psbt().setVersion(tx.version).setLocktime(tx.locktime);
    for (const { hash, index, sequence } of tx.ins) other.addInput({ hash, index, sequence });
    for (const { value, script } of tx.outs) other.addOutput({ value, script });
    expect(await finishing(other.toBase64())).toBe("input-psbt-transaction");
    expect(fingerprint(party)).toEqual(before);
  });
});

describe("a close's PSBTs on their way", () => {
  test("in the report that held them, each signed in its place", async () => {
    const { keys, copy, close, write, file } = await begun(PLACES[0]!);
    const written = await write();
    const transactions = written.transactions.map((one) => ({ ...one, psbt: signPsbt(one.psbt, keys) }));
    expect((await refusal(() => close({ finish: file("none.json", '{"transactions":[{}]}') }))).code).toBe("input-psbt");
    expect(await close({ finish: file("signed.json", JSON.stringify({ ...written, transactions })) })).toEqual(await close({}, copy));
  });

  test("of other terms than the ones asked for now: another transaction", async () => {
    const { close, write, signed } = await begun(PLACES[0]!);
    const finish = signed(await write());
    expect((await refusal(() => close({ feerate: "2600", finish }))).code).toBe("input-psbt-transaction");
  });

  test("of which a signer has finished the input, with the peer's signature in it", async () => {
    const place = PLACES.find(({ message }) => message === "closing_sig")!;
    const { p, party, keys, copy, close, write, file } = await begun(place);
    const [one] = (await write()).transactions;
    const final = Psbt.fromBase64(signPsbt(one!.psbt, keys));
    expect(final.validateSignaturesOfInput(0, () => true)).toBe(true);
    const whole = backupOf(copy, "whole");
    await close({}, whole);
    const [{ tx }] = completeClosings(stateOf(whole)) as readonly [ReturnType<typeof completeClosings>[number]];
    const { witnessUtxo } = final.data.inputs[0]!;
    final.finalizeInput(0);
    expect(final.extractTransaction().toHex()).toBe(tx.toHex());
    expect(interpret(tx.toHex(), [{ amount: witnessUtxo!.value, scriptPubkey: witnessUtxo!.script }])).toEqual({ kind: "accepted" });
    expect(await close({ finish: file("final.psbt", final.toBase64()) })).toEqual(await close({}, copy));
    // Whoever has signed such a PSBT may publish, with or without the message: it is known for what it is
    for (const folder of [party, p.alice]) {
      const { document } = await runCommand("inspect", ["-"], { party: folder }, { stdin: tx.toHex() });
      expect(document["what"]).toMatchObject({ relation: "mutual_close" });
    }
  });

  test("an offer's, finished by a signer that has one of two signatures: refused", async () => {
    const { keys, close, write, file } = await begun(PLACES[1]!);
    const [one] = (await write()).transactions;
    const half = Psbt.fromBase64(signPsbt(one!.psbt, keys));
    const { signature } = half.data.inputs[0]!.partialSig![0]!;
    half.finalizeInput(0, () => ({ finalScriptSig: undefined, finalScriptWitness: Uint8Array.from([1, signature.length, ...signature]) }));
    expect((await refusal(() => close({ finish: file("half.psbt", half.toBase64()) }))).code).toBe("input-psbt-unsigned");
  });

  test("a close of which the PSBT alone was written is a mutual close in the chain, too", async () => {
    const { party, write } = await begun(PLACES[0]!);
    const [one] = (await write()).transactions;
    const { document } = await runCommand("inspect", ["-"], { party }, { stdin: one!.unsigned_tx });
    expect(document["what"]).toMatchObject({ relation: "mutual_close" });
  });
});

describe("usage", () => {
  test("usage-psbt: written and finished at once; finished before there is anything to sign", async () => {
    const p = await parties(SIMPLE);
    const codeOf = async (flags: FlagTexts) => (await refusal(() => says(p, "alice", flags))).code;
    expect(await codeOf({ psbt: true, finish: "x" })).toBe("usage-psbt");
    const before = fingerprint(p.dir);
    expect(await codeOf({ ...PAID.alice, finish: "x" })).toBe("usage-psbt");
    expect(fingerprint(p.dir)).toEqual(before);
  });

  test("usage-argument: with --tx, which signs nothing", async () => {
    const p = await parties(SIMPLE);
    for (const flags of [{ psbt: true }, { finish: "x" }] as const) {
      expect((await refusal(() => says(p, "alice", { tx: true, ...flags }))).code).toBe("usage-argument");
    }
  });

  test("a shutdown takes no signature: with --psbt, and without keys, it is said as always", async () => {
    const p = await parties(SIMPLE);
    const expected = await says({ ...p, alice: backupOf(p.alice) }, "alice", PAID.alice);
    rmSync(join(p.alice, "keys.json"));
    expect(await says(p, "alice", { ...PAID.alice, feerate: "500", psbt: true })).toEqual(expected);
  });
});
