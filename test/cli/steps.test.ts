import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { beforeAll, describe, expect, test } from "vitest";
import { fromHex, signature as signatureOf, toHex } from "../../src/protocol/bytes.js";
import { selectCommitment } from "../../src/protocol/channel/select.js";
import { commitmentSighash, verifyHash } from "../../src/protocol/tx/sign.js";
import {
  ANCHORS,
  type FlagTexts,
  type Parties,
  afterStep,
  altered,
  copyOf,
  expectNoSecret,
  fingerprint,
  messageOf,
  parties,
  readJson,
  refusal,
  refusedAsIs,
  runCommand,
  send,
  stateOf,
  without,
} from "../support/party.js";

const PENALTY = { to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "2500", tx: "-" };

interface ForceClose {
  readonly commitment_number: number;
  readonly tx: string;
  readonly txid: string;
  readonly outputs: readonly { readonly kind: string; readonly amount_sat: number }[];
}

async function forceClose(folder: string): Promise<ForceClose> {
  return (await runCommand("force-close", [folder])).document as unknown as ForceClose;
}

/** A DER signature with its sighash byte as r and s. */
function compact(der: Uint8Array): Uint8Array {
  const length = der[3]!;
  const number = (at: number, size: number) => {
    const digits = toHex(der.subarray(at, at + size)).replace(/^(00)+/, "");
    return fromHex(digits.padStart(64, "0"));
  };
  return Uint8Array.of(...number(4, length), ...number(6 + length, der[5 + length]!));
}

/** A force-close's transaction, both of whose signatures are found good. */
function complete(folder: string, { tx: hex, commitment_number: number }: ForceClose): Transaction {
  const tx = Transaction.fromHex(hex);
  const state = stateOf(folder);
  const { commitment } = selectCommitment(state, "local", number);
  const [empty, first, second, script] = tx.ins[0]!.witness;
  expect([empty!.length, tx.ins[0]!.witness.length]).toEqual([0, 4]);
  const keys = [script!.subarray(2, 35), script!.subarray(36, 69)];
  expect(keys.map(toHex).sort()).toEqual([state.params.local.fundingPubkey, state.params.remote.fundingPubkey].map(toHex).sort());
  // The amount by BIP 143, reckoned by bitcoinjs-lib from the transaction alone
  const hash = tx.hashForWitnessV0(0, script!, 10_000_000n, Transaction.SIGHASH_ALL);
  expect(toHex(hash)).toBe(toHex(commitmentSighash(commitment)));
  for (const [at, signature] of [first!, second!].entries()) {
    expect(signature.at(-1)).toBe(Transaction.SIGHASH_ALL);
    expect(verifyHash(hash as never, keys[at] as never, signatureOf(compact(signature))), `signature ${at + 1} of ${folder}`).toBe(true);
  }
  return tx;
}

describe("the twenty steps", () => {
  /** What each could leave with after a step, by the article: commitment number, own plain or delayed money and the peer's. */
  const LEAVING: readonly (readonly [step: number, party: "alice" | "bob", number: number, outputs: Readonly<Record<string, number>>])[] = [
    // Bob's signature of 01 is all that Alice has; on Bob's 01 nothing is his
    [3, "alice", 0, { to_local: 10_000_000 }],
    [3, "bob", 0, { to_remote: 10_000_000 }],
    [7, "alice", 0, { to_local: 10_000_000 }],
    [7, "bob", 1, { to_local: 2_000_000, to_remote: 8_000_000 }],
    [10, "alice", 0, { to_local: 10_000_000 }],
    [10, "bob", 1, { to_local: 2_000_000, to_remote: 8_000_000 }],
    [17, "alice", 1, { to_local: 8_000_000, to_remote: 2_000_000 }],
    [17, "bob", 1, { to_local: 2_000_000, to_remote: 8_000_000 }],
    [20, "alice", 1, { to_local: 8_000_000, to_remote: 2_000_000 }],
    [20, "bob", 1, { to_local: 2_000_000, to_remote: 8_000_000 }],
  ];

  test.each(LEAVING)("after step %i %s can publish commitment %i", async (step, party, number, outputs) => {
    const p = await afterStep(step);
    const closed = await forceClose(p[party]);
    expect(closed.commitment_number).toBe(number);
    expect(Object.fromEntries(closed.outputs.map(({ kind, amount_sat: amount }) => [kind, amount]))).toEqual(outputs);
    const tx = complete(p[party], closed);
    expect(tx.getId()).toBe(closed.txid);
    expect(tx.outs.map(({ value }) => Number(value)).sort()).toEqual(Object.values(outputs).sort());
    // Again, the same
    expect(await forceClose(p[party])).toEqual(closed);
  });

  test("what one signs is what the other rebuilds, byte for byte", async () => {
    const build = async (folder: string, owner: string, flags: FlagTexts = {}) => {
      const { document } = await runCommand("build-commitment", [folder], { owner, ...flags });
      return document as { readonly unsigned_tx: string; readonly commitment_number: number; readonly txid: string };
    };
    const first = await build((await afterStep(1)).alice, "remote");
    const rebuilt = await build((await afterStep(5)).bob, "local");
    expect(rebuilt.unsigned_tx).toBe(first.unsigned_tx);
    const second = await build((await afterStep(11)).bob, "remote");
    const own = await build((await afterStep(15)).alice, "local");
    expect(own.unsigned_tx).toBe(second.unsigned_tx);
    // The article's opening: Alice foresees both
    const preview = await build((await afterStep(1)).alice, "local", { preview: true });
    expect(preview.unsigned_tx).toBe(own.unsigned_tx);
    expect([first, rebuilt, second, own].map(({ commitment_number: number }) => number)).toEqual([1, 1, 1, 1]);
    expect(first.txid).not.toBe(second.txid);
  });

  test("the payment is final for Alice after 19, for Bob after 20, and not before", async () => {
    const final = async (folder: string) => {
      const { changes } = (await runCommand("status", [folder])).document as { readonly changes: readonly { readonly irrevocable: boolean }[] };
      return changes.map(({ irrevocable }) => irrevocable);
    };
    const seen: Record<string, readonly (readonly boolean[])[]> = { alice: [], bob: [] };
    for (let step = 0; step <= 20; step++) {
      const p = await afterStep(step);
      seen["alice"] = [...seen["alice"]!, await final(p.alice)];
      seen["bob"] = [...seen["bob"]!, await final(p.bob)];
    }
    // The state is as after 19 once make-revocation has run, in 18: what is printed counts as sent
    const byStep = (step: number, known: number, done: number) => (step < known ? [] : [step >= done]);
    expect(seen["alice"]).toEqual(Array.from({ length: 21 }, (_, step) => byStep(step, 1, 18)));
    expect(seen["bob"]).toEqual(Array.from({ length: 21 }, (_, step) => byStep(step, 4, 20)));
  });

  test("five pipes give the states that the long form gives", async () => {
    const p = await parties();
    const pipe = async (from: readonly [string, ...string[]], to: string) => {
      const { document } = await runCommand(from[0], from.slice(1));
      await runCommand("receive", [to, "-"], {}, { stdin: document });
    };
    await pipe(["pay", p.alice, "0.02btc"], p.bob);
    await pipe(["sign", p.alice], p.bob);
    await pipe(["make-revocation", p.bob], p.alice);
    await pipe(["sign", p.bob], p.alice);
    await pipe(["make-revocation", p.alice], p.bob);
    const long = await afterStep(20);
    for (const party of ["alice", "bob"] as const) {
      const [short, other] = [p, long].map((each) => without(readJson(join(each[party], "channel.json")), "revision", "previous_state_hash"));
      expect(short).toEqual(other);
    }
  });

  test("a second and a third round, in both directions: numbers go up, and nobody ever holds a third", async () => {
    const p = await afterStep(20);
    const round = async (payer: string, payee: string, amount: string) => {
      await runCommand("receive", [payee, await send(p, "pay", [payer, amount])]);
      await runCommand("receive", [payee, await send(p, "sign", [payer])]);
      await runCommand("pay", [payer, "1sat"]);
      const unsent = await refusedAsIs(p, () => runCommand("sign", [payer]));
      expect(unsent.code).toBe("policy-sign-unrevoked");
      // The next one's pay is under way: it comes with the next round
      await runCommand(
        "receive",
        [payee, "-"],
        {},
        { stdin: (await runCommand("resend", [payer], { seq: String(stateOf(payer).messages.lastSent) })).document },
      );
      for (const [from, to] of [
        [payee, payer],
        [payer, payee],
      ] as const) {
        await runCommand("receive", [to, await send(p, "make-revocation", [from])]);
        if (from === payee) await runCommand("receive", [to, await send(p, "sign", [from])]);
      }
    };
    await round(p.bob, p.alice, "0.005btc");
    await round(p.alice, p.bob, "0.001btc");
    await round(p.bob, p.alice, "0.002btc");
    const balances = (folder: string) => stateOf(folder).fundings[0].local.current!.spec.balances;
    expect([p.alice, p.bob].map((folder) => stateOf(folder).fundings[0].local.current!.number)).toEqual([4, 4]);
    expect(balances(p.alice).local + balances(p.alice).remote).toBe(10_000_000_000n);
    // Each side's commitment still publishes
    for (const folder of [p.alice, p.bob]) complete(folder, await forceClose(folder));
  });
});

describe("the penalty", () => {
  let cheat: ForceClose;
  beforeAll(async () => {
    cheat = await forceClose((await afterStep(13)).alice);
  });

  test("Bob takes everything of Alice's revoked commitment, for the fee that was asked", async () => {
    const p = await afterStep(20);
    const before = fingerprint(p.dir);
    const { document } = await runCommand("penalty-tx", [p.bob], PENALTY, { stdin: { ...cheat } });
    const { tx: hex, fee_sat: fee, amount_sat: amount } = document as { readonly tx: string; readonly fee_sat: number; readonly amount_sat: number };
    expect(document).toMatchObject({
      punishes: { txid: cheat.txid, commitment_number: 0 },
      takes: [{ output_index: 0, kind: "to_local", amount_sat: 10_000_000 }],
      leaves: [],
    });
    const tx = Transaction.fromHex(hex);
    expect(tx.ins.map(({ hash, index }) => [toHex(Uint8Array.from(hash).reverse()), index])).toEqual([[cheat.txid, 0]]);
    expect(tx.outs.map(({ value }) => Number(value))).toEqual([amount]);
    expect(amount + fee).toBe(10_000_000);
    const perKw = (fee * 1000) / tx.weight();
    expect(perKw).toBeGreaterThanOrEqual(2500);
    expect(perKw).toBeLessThanOrEqual(2525);
    // The witness takes the revocation branch of the very script that the output hashes
    const [signature, branch, script] = tx.ins[0]!.witness;
    expect([toHex(branch!), tx.ins[0]!.witness.length]).toEqual(["01", 3]);
    const hash = tx.hashForWitnessV0(0, script!, 10_000_000n, Transaction.SIGHASH_ALL);
    expect(verifyHash(hash as never, script!.subarray(2, 35) as never, signatureOf(compact(signature!)))).toBe(true);
    // It is a question, not a change
    expect(fingerprint(p.dir)).toEqual(before);
  });

  test.each(["253", "1000", "10000", "100000"])("at %s sat per kw: never below, and within 1 %", async (feerate) => {
    const p = await afterStep(20);
    const { document } = await runCommand("penalty-tx", [p.bob], { ...PENALTY, feerate }, { stdin: cheat.tx });
    const { tx, fee_sat: fee } = document as { readonly tx: string; readonly fee_sat: number };
    const ratio = (fee * 1000) / Transaction.fromHex(tx).weight() / Number(feerate);
    expect(ratio).toBeGreaterThanOrEqual(1);
    expect(ratio).toBeLessThanOrEqual(1.01);
  });

  test("of dust nothing is left", async () => {
    const p = await afterStep(20);
    const error = await refusedAsIs(p, () => runCommand("penalty-tx", [p.bob], { ...PENALTY, feerate: "100000000" }, { stdin: cheat.tx }));
    expect(error.code).toBe("tx-output-dust");
  });

  test("refused against her current one, his own, an unrelated one, and before the secret is his", async () => {
    const p = await afterStep(20);
    const current = await forceClose(copyOf(p).alice);
    const own = await forceClose(copyOf(p).bob);
    for (const [tx, details] of [
      [current.tx, { owner: "remote", number: 1, standing: "current" }],
      [own.tx, { owner: "local", number: 1, standing: "current" }],
      [own.tx.replace(/^(.{14})../, "$1ff"), { identity: "unrelated" }],
    ] as const) {
      const error = await refusedAsIs(p, () => runCommand("penalty-tx", [p.bob], PENALTY, { stdin: tx }));
      expect({ code: error.code, details: error.details }).toMatchObject({ code: "policy-penalty-not-revoked", details });
    }
    const early = await afterStep(19);
    const error = await refusedAsIs(early, () => runCommand("penalty-tx", [early.bob], PENALTY, { stdin: cheat.tx }));
    expect({ code: error.code, details: error.details }).toMatchObject({ code: "policy-penalty-not-revoked", details: { number: 0 } });
  });

  test("nothing to punish on Bob's first commitment: he had nothing", async () => {
    const first = await forceClose((await afterStep(3)).bob);
    const p = await afterStep(10);
    const error = await refusedAsIs(p, () => runCommand("penalty-tx", [p.alice], PENALTY, { stdin: first.tx }));
    expect({ code: error.code, details: error.details }).toMatchObject({
      code: "state-nothing-to-punish",
      details: { number: 0, to_remote_outputs: [0] },
    });
  });

  test("with anchors both of the cheater's outputs are named, only the revocable one is taken", async () => {
    const p = await parties(ANCHORS);
    const old = copyOf(p);
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.01btc"])]);
    for (const [from, to, command] of [
      ["alice", "bob", "sign"],
      ["bob", "alice", "make-revocation"],
      ["bob", "alice", "sign"],
      ["alice", "bob", "make-revocation"],
    ] as const) {
      await runCommand("receive", [p[to], await send(p, command, [p[from]])]);
    }
    const { tx } = await forceClose(old.alice);
    const { document } = await runCommand("penalty-tx", [p.bob], PENALTY, { stdin: tx });
    const {
      takes,
      leaves,
      fee_sat: fee,
      tx: hex,
    } = document as {
      readonly takes: readonly { readonly kind: string; readonly amount_sat: number }[];
      readonly leaves: readonly { readonly kind: string; readonly amount_sat: number }[];
      readonly fee_sat: number;
      readonly tx: string;
    };
    // 0.06 BTC less the commitment's fee of 2810 and two anchors of 330
    expect(takes.map(({ kind, amount_sat: amount }) => [kind, amount])).toEqual([["to_local", 5_996_530]]);
    expect(leaves.map(({ kind, amount_sat: amount }) => [kind, amount]).sort()).toEqual([
      ["to_local_anchor", 330],
      ["to_remote", 4_000_000],
      ["to_remote_anchor", 330],
    ]);
    const ratio = (fee * 1000) / Transaction.fromHex(hex).weight() / 2500;
    expect(ratio).toBeGreaterThanOrEqual(1);
    expect(ratio).toBeLessThanOrEqual(1.01);
  });
});

describe("run again after a crash", () => {
  test.each([
    [2, "alice", "sign", "aliceSigned"],
    [8, "bob", "make-revocation", "bobRevoked"],
    [12, "bob", "sign", "bobSigned"],
    [18, "alice", "make-revocation", "aliceRevoked"],
    // long after, too
    [20, "alice", "sign", "aliceSigned"],
    [20, "bob", "make-revocation", "bobRevoked"],
    [20, "bob", "sign", "bobSigned"],
    [20, "alice", "make-revocation", "aliceRevoked"],
  ] as const)("after step %i %s: %s prints the same, and the state stays", async (step, party, command, name) => {
    const p = await afterStep(step);
    const before = fingerprint(p.dir);
    const again = await runCommand(command, [p[party]]);
    expect(JSON.stringify(again.document, null, 2)).toBe(readFileSync(messageOf(p, name), "utf8"));
    expect(messageOf(p, name).endsWith(`/${again.fileName!}`)).toBe(true);
    expect(fingerprint(p.dir)).toEqual(before);
  });

  test.each([
    [7, "bob", "verify-sig", "aliceSigned"],
    [10, "alice", "receive-revocation", "bobRevoked"],
    [17, "alice", "verify-sig", "bobSigned"],
    [20, "bob", "receive-revocation", "aliceRevoked"],
  ] as const)("after step %i %s: %s says that it was done, and the state stays", async (step, party, command, name) => {
    const p = await afterStep(step);
    const before = fingerprint(p.dir);
    expect((await runCommand(command, [p[party], messageOf(p, name)])).document).toMatchObject({ already_done: true });
    expect(fingerprint(p.dir)).toEqual(before);
  });

  test("pay with --request-id is made once, other contents under it are refused", async () => {
    const p = await parties();
    const first = await runCommand("pay", [p.alice, "0.02btc"], { requestId: "invoice-7" });
    const after = fingerprint(p.dir);
    const again = await runCommand("pay", [p.alice, "2000000sat"], { requestId: "invoice-7" });
    expect(again).toEqual(first);
    expect(fingerprint(p.dir)).toEqual(after);
    const error = await refusedAsIs(p, () => runCommand("pay", [p.alice, "0.03btc"], { requestId: "invoice-7" }));
    expect({ code: error.code, details: error.details }).toMatchObject({
      code: "state-request-conflict",
      details: { request_id: "invoice-7", type: "pay", seq: 4 },
    });
    // Without it, a second pay
    const second = await runCommand("pay", [p.alice, "0.02btc"]);
    expect(second.document).toMatchObject({ id: 1, seq: 5 });
    // The first one again when all is over, too
    const long = await afterStep(20);
    await runCommand("receive", [long.bob, await send(long, "pay", [long.alice, "1sat"], { requestId: "x" })]);
    expect((await runCommand("pay", [long.alice, "1sat"], { requestId: "x" })).document).toEqual(readJson(join(long.wire, "0007-alice-pay.json")));
  });

  test("resend gives the bytes of the first time", async () => {
    for (const [step, party, names] of [
      [2, "alice", ["pay", "aliceSigned"]],
      [8, "bob", ["bobRevoked"]],
      [12, "bob", ["bobRevoked", "bobSigned"]],
      [18, "alice", ["aliceRevoked"]],
    ] as const) {
      const p = await afterStep(step);
      const before = fingerprint(p.dir);
      const all = await runCommand("resend", [p[party]]);
      const sent = (all.document as { readonly messages: readonly object[] }).messages.map((message) => JSON.stringify(message, null, 2));
      expect(sent).toEqual(expect.arrayContaining(names.map((name) => readFileSync(messageOf(p, name), "utf8"))));
      for (const name of names) {
        const { seq } = readJson(messageOf(p, name));
        const one = await runCommand("resend", [p[party]], { seq: String(seq) });
        expect(JSON.stringify(one.document, null, 2)).toBe(readFileSync(messageOf(p, name), "utf8"));
      }
      expect(fingerprint(p.dir)).toEqual(before);
    }
  });

  test("create-funding and channel-ready, too", async () => {
    const created = await parties(undefined, "created");
    const before = fingerprint(created.dir);
    const again = await runCommand("create-funding", [created.alice]);
    expect(again.document).toEqual(readJson(join(created.wire, "0002-alice-funding_created.json")));
    expect(fingerprint(created.dir)).toEqual(before);
    const signed = await parties(undefined, "signed");
    const answer = await runCommand("sign-funding", [signed.bob, join(signed.wire, "0002-alice-funding_created.json")]);
    expect(answer.document).toEqual(readJson(join(signed.wire, "0002-bob-funding_signed.json")));
    const open = await parties();
    expect((await runCommand("channel-ready", [open.alice])).document).toEqual(readJson(join(open.wire, "0003-alice-channel_ready.json")));
  });
});

/** Every command that changes a state, with the files that it needs. */
interface Changing {
  readonly name: string;
  readonly start: () => Promise<Parties>;
  readonly command: string;
  readonly args: (p: Parties) => readonly [party: string, ...rest: string[]];
  readonly flags?: FlagTexts;
}

const CHANGING: readonly Changing[] = [
  { name: "open-channel", start: () => parties(undefined, "keys"), command: "open-channel", args: (p) => [p.alice], flags: { funding: "0.1btc" } },
  {
    name: "accept-channel",
    start: () => parties(undefined, "proposed"),
    command: "accept-channel",
    args: (p) => [p.bob, join(p.wire, "0001-alice-open_channel.json")],
    flags: { minFeerate: "0" },
  },
  {
    name: "create-funding",
    start: () => parties(undefined, "accepted"),
    command: "create-funding",
    args: (p) => [p.alice, join(p.wire, "0001-bob-accept_channel.json")],
    flags: { outpoint: `${"ab".repeat(32)}:3` },
  },
  {
    name: "sign-funding",
    start: () => parties(undefined, "created"),
    command: "sign-funding",
    args: (p) => [p.bob, join(p.wire, "0002-alice-funding_created.json")],
  },
  {
    name: "release-funding",
    start: () => parties(undefined, "signed"),
    command: "release-funding",
    args: (p) => [p.alice, join(p.wire, "0002-bob-funding_signed.json")],
  },
  { name: "channel-ready", start: () => parties(undefined, "released"), command: "channel-ready", args: (p) => [p.alice] },
  {
    name: "receive accept_channel",
    start: () => parties(undefined, "accepted"),
    command: "receive",
    args: (p) => [p.alice, join(p.wire, "0001-bob-accept_channel.json")],
  },
  { name: "pay", start: () => afterStep(0), command: "pay", args: (p) => [p.alice, "0.02btc"], flags: { requestId: "r" } },
  { name: "sign", start: () => afterStep(1), command: "sign", args: (p) => [p.alice] },
  { name: "receive pay", start: () => afterStep(3), command: "receive", args: (p) => [p.bob, messageOf(p, "pay")] },
  { name: "verify-sig", start: () => afterStep(5), command: "verify-sig", args: (p) => [p.bob, messageOf(p, "aliceSigned")] },
  { name: "make-revocation", start: () => afterStep(7), command: "make-revocation", args: (p) => [p.bob] },
  { name: "receive-revocation", start: () => afterStep(8), command: "receive-revocation", args: (p) => [p.alice, messageOf(p, "bobRevoked")] },
  { name: "force-close", start: () => afterStep(20), command: "force-close", args: (p) => [p.alice] },
];

/** Hex in a document that is a signature or a secret: none of these keys may be there, nor 64 bytes that a party could have signed. */
const PRECIOUS = /"(signature|htlc_signatures|per_commitment_secret|wire|tx)":/;

describe.each(CHANGING.map((one) => [one.name, one] as const))("%s", (_, { start, command, args, flags = {} }) => {
  test("--dry-run leaves every file, and shows neither signature nor secret", async () => {
    const p = await start();
    const before = fingerprint(p.dir);
    const { document } = await runCommand(command, args(p), { ...flags, dryRun: true });
    expect(fingerprint(p.dir)).toEqual(before);
    expect(document).toMatchObject({ dry_run: true });
    const shown = JSON.stringify(document);
    expect(shown).not.toMatch(PRECIOUS);
    expectNoSecret(p, shown);
    for (const value of await preciousOf(await start(), command, args, flags)) expect(shown).not.toContain(value);
  });

  test("--channel-out leaves the old files alone, and writes what use in place would", async () => {
    const p = await start();
    const inPlace = copyOf(p);
    const report = await runCommand(command, args(inPlace), flags);
    const party = args(inPlace)[0];

    const before = fingerprint(p.dir);
    const out = join((await parties(undefined, "keys")).dir, "out.json");
    const other = await runCommand(command, args(p), { ...flags, channelOut: out });
    expect(fingerprint(p.dir)).toEqual(before);
    expect(readFileSync(out, "utf8")).toBe(readFileSync(join(party, "channel.json"), "utf8"));
    expect(other.document).toEqual(report.document);

    // And again from there: the step is done, the state is the same
    const next = join((await parties(undefined, "keys")).dir, "next.json");
    if (["sign", "make-revocation", "verify-sig", "receive-revocation", "channel-ready"].includes(command)) {
      const rest = args(p).slice(1);
      await runCommand(command, rest, { ...flags, channel: out, keys: join(args(p)[0], "keys.json"), channelOut: next });
      expect(readJson(next)).toEqual(readJson(out));
    }
  });
});

/** Signatures and secrets that the command would show if it did its work. */
async function preciousOf(p: Parties, command: string, args: Changing["args"], flags: FlagTexts): Promise<readonly string[]> {
  const { document } = await runCommand(command, args(p), flags);
  return ["signature", "per_commitment_secret", "tx"].flatMap((key) => {
    const value = document[key];
    return typeof value === "string" ? [value] : [];
  });
}

test("after force-close the peer's secrets are still taken, ours never leaves, and only this is due", async () => {
  const p = await afterStep(8);
  await runCommand("force-close", [p.alice]);
  expect((await runCommand("receive-revocation", [p.alice, messageOf(p, "bobRevoked")])).document).not.toHaveProperty("already_done");
  expect((await runCommand("receive-revocation", [p.alice, messageOf(p, "bobRevoked")])).document).toMatchObject({ already_done: true });
  // What Bob signed before he knew is not taken, so that 0 stays the newest and its secret here
  const signed = await send(p, "sign", [p.bob]);
  expect((await refusedAsIs(p, () => runCommand("receive", [p.alice, signed]))).code).toBe("policy-force-closed");
  expect((await refusedAsIs(p, () => runCommand("make-revocation", [p.alice]))).code).toBe("policy-revoke-unverified");
});

test("a revoked commitment's secret that was given away in place of the newest: each number's is its own", async () => {
  const p = await afterStep(20);
  const { per_commitment_secret: first } = readJson(messageOf(p, "aliceRevoked"));
  await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.01btc"])]);
  await runCommand("receive", [p.bob, await send(p, "sign", [p.alice])]);
  await runCommand("receive", [p.alice, await send(p, "make-revocation", [p.bob])]);
  await runCommand("receive", [p.alice, await send(p, "sign", [p.bob])]);
  const revocation = await send(p, "make-revocation", [p.alice]);
  const { per_commitment_secret: second } = readJson(revocation);
  expect(second).not.toBe(first);
  const error = await refusal(() => runCommand("receive", [p.bob, "-"], {}, { stdin: altered(revocation, { per_commitment_secret: first }) }));
  expect(error.code).toBe("policy-revocation-wrong-secret");
});
