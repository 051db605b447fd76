import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Psbt } from "bitcoinjs-lib/src/psbt";
import { Transaction } from "bitcoinjs-lib/src/transaction";
import { describe, expect, test } from "vitest";
import { bytes32 } from "../../src/protocol/bytes.js";
import type { PartyKeys } from "../../src/protocol/keys/party-keys.js";
import { signHash } from "../../src/protocol/tx/sign.js";
import { type Coin, interpret } from "../chain/interpreter.js";
import { PREIMAGE, offered, round, withHtlc } from "../support/htlcs.js";
import { signPsbt } from "../support/signer.js";
import {
  type FlagTexts,
  type Parties,
  type RunOptions,
  afterStep,
  backupOf,
  editState,
  keysOf,
  partiesAs,
  refusal,
  runCommand,
} from "../support/party.js";

const TO: FlagTexts = { to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "2500" };

interface Shown {
  readonly txid: string;
  readonly tx?: string;
  readonly unsigned_tx?: string;
  readonly psbt?: string;
  readonly to_sign?: readonly { readonly input: number; readonly pubkey: string; readonly from: string }[];
}

/** What an input spends, as the PSBT itself says. */
function coinsOf(psbt: string): readonly Coin[] {
  return Psbt.fromBase64(psbt).data.inputs.map(({ witnessUtxo }) => ({ amount: witnessUtxo!.value, scriptPubkey: witnessUtxo!.script }));
}

/** A command whose transactions can be signed elsewhere. */
interface Way {
  readonly name: string;
  readonly start: () => Promise<{ readonly p: Parties; readonly party: string; readonly flags: FlagTexts; readonly stdin?: RunOptions["stdin"] }>;
  readonly command: string;
  readonly inputs: number;
}

/** An HTLC each way, irrevocable; and both offered by their sides' commitments. */
async function withTwoHtlcs(): Promise<Parties> {
  return partiesAs("an HTLC each way", async ({ dir }) => {
    const p = await withHtlc();
    await offered(p, "bob", "0.002btc", { cltvExpiry: "600" });
    await round(p, "bob");
    cpSync(p.dir, dir, { recursive: true });
  });
}

async function closedBy(who: "alice" | "bob") {
  const p = await withTwoHtlcs();
  const { document } = await runCommand("force-close", [p[who]]);
  const outputs = (document as { readonly outputs: readonly { readonly kind: string }[] }).outputs;
  return { p, document, at: (kind: string) => String(outputs.findIndex((output) => output.kind === kind)) };
}

const WAYS: readonly Way[] = [
  {
    name: "force-close",
    command: "force-close",
    inputs: 1,
    start: async () => {
      const p = await withTwoHtlcs();
      return { p, party: p.alice, flags: {} };
    },
  },
  {
    name: "htlc-tx, by expiry",
    command: "htlc-tx",
    inputs: 1,
    start: async () => {
      const { p, at } = await closedBy("alice");
      return { p, party: p.alice, flags: { outputIndex: at("offered_htlc"), height: "500" } };
    },
  },
  {
    name: "htlc-tx, by preimage",
    command: "htlc-tx",
    inputs: 1,
    start: async () => {
      const { p, at } = await closedBy("alice");
      const preimage = join(p.dir, "preimage.hex");
      writeFileSync(preimage, PREIMAGE);
      return { p, party: p.alice, flags: { outputIndex: at("received_htlc"), preimage } };
    },
  },
  {
    name: "sweep of our own commitment",
    command: "sweep",
    inputs: 1,
    start: async () => {
      const { p, document } = await closedBy("alice");
      return { p, party: p.alice, flags: { ...TO, tx: "-" }, stdin: document };
    },
  },
  {
    name: "sweep of the peer's commitment",
    command: "sweep",
    inputs: 2,
    start: async () => {
      const { p, document } = await closedBy("bob");
      return { p, party: p.alice, flags: { ...TO, tx: "-" }, stdin: document };
    },
  },
  {
    name: "sweep of a channel whose to_remote is P2WPKH",
    command: "sweep",
    inputs: 1,
    start: async () => {
      const p = await afterStep(20);
      const { document } = await runCommand("force-close", [backupOf(p.alice)]);
      return { p, party: p.bob, flags: { ...TO, tx: "-" }, stdin: document };
    },
  },
  {
    name: "penalty-tx",
    command: "penalty-tx",
    inputs: 3,
    start: async () => {
      const p = await withTwoHtlcs();
      const cheat = backupOf(p.alice);
      await offered(p, "alice", "0.001btc");
      await round(p, "alice");
      const { document } = await runCommand("force-close", [cheat]);
      return { p, party: p.bob, flags: { ...TO, tx: "-" }, stdin: document };
    },
  },
];

/** A PSBT in a file. */
function fileOf(p: Parties, name: string, psbt: string): string {
  const path = join(p.dir, name);
  writeFileSync(path, psbt);
  return path;
}

describe.each(WAYS)("$name, signed elsewhere", ({ command, inputs, start }) => {
  async function begun() {
    const { p, party, flags, stdin } = await start();
    const options = stdin === undefined ? {} : { stdin };
    const keys = keysOf(party);
    const copy = backupOf(party, "with-keys");
    rmSync(join(party, "keys.json"));
    const run = async (more: FlagTexts, who = party) =>
      (await runCommand(command, [who], { ...flags, ...more }, options)).document as unknown as Shown;
    return { p, party, keys, copy, run };
  }

  test("without keys: PSBT, signed by what it holds, finished: the very transaction that the keys would have given", async () => {
    const { p, keys, copy, run } = await begun();
    const written = await run({ psbt: true });
    expect(written.tx).toBeUndefined();
    expect(written.to_sign).toHaveLength(inputs);
    const psbt = Psbt.fromBase64(written.psbt!);
    expect(psbt.toBase64()).toBe(written.psbt);
    const peers = psbt.data.inputs.flatMap(({ partialSig = [] }) => partialSig);
    expect(peers).toHaveLength(["force-close", "htlc-tx"].includes(command) ? 1 : 0);
    expect(Buffer.from(psbt.data.getTransaction()).toString("hex")).toBe(written.unsigned_tx);
    for (const [input, { nonWitnessUtxo, witnessUtxo }] of psbt.data.inputs.entries()) {
      if (command === "force-close") continue;
      const spent = Transaction.fromBuffer(nonWitnessUtxo!).outs[psbt.txInputs[input]!.index];
      expect(spent).toEqual({ value: witnessUtxo!.value, script: witnessUtxo!.script });
    }
    const finish = fileOf(p, "signed.psbt", signPsbt(written.psbt!, keys));
    const finished = await run({ finish });
    expect(finished).toMatchObject({ txid: written.txid });
    expect(finished.tx).toBe((await run({}, copy)).tx);
    expect(interpret(finished.tx!, coinsOf(written.psbt!))).toEqual({ kind: "accepted" });
  });

  test("what is not signed, wrongly signed, signed for less than all, or another transaction, is refused", async () => {
    const { p, keys, run } = await begun();
    const written = await run({ psbt: true });
    const finishing = async (psbt: string) => (await refusal(() => run({ finish: fileOf(p, "given.psbt", psbt) }))).code;
    expect(await finishing(written.psbt!)).toBe("input-psbt-unsigned");
    const flipped = signPsbt(written.psbt!, keys, (hash, secret) => signHash(bytes32(hash.map((byte, at) => (at === 0 ? byte ^ 1 : byte))), secret));
    expect(await finishing(flipped)).toBe("input-psbt-signature");
    const [first] = written.to_sign!;
    const lesser = Psbt.fromBase64(signPsbt(written.psbt!, keys));
    for (const held of lesser.data.inputs[first!.input]!.partialSig!) {
      if (Buffer.from(held.pubkey).toString("hex") === first!.pubkey)
        held.signature = held.signature.map((byte, at) => (at === held.signature.length - 1 ? 0x83 : byte));
    }
    expect(await finishing(lesser.toBase64())).toBe("input-psbt-signature");
    for (const [field, change] of Object.entries(CHANGES)) {
      const other = new Psbt();
      const tx = Transaction.fromHex(written.unsigned_tx!);
      change(tx);
      other.setVersion(tx.version).setLocktime(tx.locktime);
      for (const { hash, index, sequence } of tx.ins) other.addInput({ hash, index, sequence });
      for (const { value, script } of tx.outs) other.addOutput({ value, script });
      const error = await refusal(() => run({ finish: fileOf(p, "other.psbt", other.toBase64()) }));
      expect(error).toMatchObject({ code: "input-psbt-transaction", details: { field } });
    }
  });
});

/** What a signer may not have changed, each under the name that the refusal has for it. */
const CHANGES: Readonly<Record<string, (tx: Transaction) => void>> = {
  version: (tx) => (tx.version = 1),
  locktime: (tx) => (tx.locktime = (tx.locktime ^ 1) >>> 0),
  "number of outputs": (tx) => tx.addOutput(Uint8Array.of(0x6a), 0n),
  "input 0: sequence": (tx) => (tx.ins[0]!.sequence = (tx.ins[0]!.sequence ^ 1) >>> 0),
  "input 0: outpoint": (tx) => (tx.ins[0]!.index += 100),
  "output 0: amount": (tx) => (tx.outs[0]!.value -= 1n),
};

/** The keys of someone who has only one of the two halves that sign. */
const only = (keys: PartyKeys, name: "htlcBasepointSecret" | "paymentBasepointSecret"): PartyKeys => ({
  ...keys,
  fundingPrivkey: null,
  paymentBasepointSecret: null,
  delayedPaymentBasepointSecret: null,
  htlcBasepointSecret: null,
  revocationBasepointSecret: null,
  [name]: keys[name],
});

describe("a PSBT on its way", () => {
  async function swept() {
    const { p, document } = await closedBy("bob");
    const flags = { ...TO, tx: "-" };
    const run = async (more: FlagTexts) =>
      (await runCommand("sweep", [p.alice], { ...flags, ...more }, { stdin: document })).document as unknown as Shown;
    return { p, run, psbt: (await run({ psbt: true })).psbt!, keys: keysOf(p.alice) };
  }

  test("signed by two signers, each a part: put together", async () => {
    const { p, run, psbt, keys } = await swept();
    const parts = (["htlcBasepointSecret", "paymentBasepointSecret"] as const).map((name) =>
      fileOf(p, `${name}.psbt`, signPsbt(psbt, only(keys, name))),
    );
    for (const part of parts) expect((await refusal(() => run({ finish: part }))).code).toBe("input-psbt-unsigned");
    expect((await run({ finish: parts.join() })).tx).toBe((await run({})).tx);
  });

  /** bitcoinjs-lib's own combiner, as another program would put them together. */
  test("put together by another program", async () => {
    const { p, run, psbt, keys } = await swept();
    const [first, second] = (["htlcBasepointSecret", "paymentBasepointSecret"] as const).map((name) =>
      Psbt.fromBase64(signPsbt(psbt, only(keys, name))),
    );
    const together = first!.combine(second!);
    expect((await run({ finish: fileOf(p, "both.psbt", Buffer.from(together.toBuffer()).toString("hex")) })).tx).toBe((await run({})).tx);
  });

  test("of which a signer has finished the inputs", async () => {
    const { p, run, psbt, keys } = await swept();
    const final = Psbt.fromBase64(signPsbt(psbt, keys));
    const { tx } = await run({});
    for (const [input, { witness }] of Transaction.fromHex(tx!).ins.entries()) {
      final.finalizeInput(input, () => ({ finalScriptSig: undefined, finalScriptWitness: serialize(witness) }));
    }
    expect((await run({ finish: fileOf(p, "final.psbt", final.toBase64()) })).tx).toBe(tx);
  });

  test("as the JSON that held it, with the signed PSBT in it", async () => {
    const { p, run, psbt, keys } = await swept();
    const file = fileOf(p, "signed.json", JSON.stringify({ psbt: signPsbt(psbt, keys) }));
    expect((await run({ finish: file })).tx).toBe((await run({})).tx);
    expect((await refusal(() => run({ finish: fileOf(p, "none.json", "{}") }))).code).toBe("input-psbt");
    expect((await refusal(() => run({ finish: fileOf(p, "none.psbt", "cHNidA==") }))).code).toBe("input-psbt");
  });

  test("usage-psbt: written and finished at once", async () => {
    const { run } = await swept();
    expect((await refusal(() => run({ psbt: true, finish: "x" }))).code).toBe("usage-psbt");
  });

  test("of penalties an output each: one for each, finished in any order", async () => {
    const way = WAYS.find(({ command }) => command === "penalty-tx")!;
    const { p, party, flags, stdin } = await way.start();
    const run = async (more: FlagTexts) =>
      (await runCommand("penalty-tx", [party], { ...flags, separate: true, ...more }, { stdin: stdin! })).document as unknown as {
        readonly transactions: readonly Shown[];
      };
    const { transactions } = await run({ psbt: true });
    expect(transactions).toHaveLength(3);
    const files = transactions.map(({ psbt }, at) => fileOf(p, `${at}.psbt`, signPsbt(psbt!, keysOf(party))));
    const finished = await run({ finish: files.toReversed().join() });
    expect(finished.transactions.map(({ tx }) => tx)).toEqual((await run({})).transactions.map(({ tx }) => tx));
    expect((await refusal(() => run({ finish: files.slice(1).join() }))).code).toBe("input-psbt-unsigned");
    const stranger = fileOf(p, "stranger.psbt", (await swept()).psbt);
    expect((await refusal(() => run({ finish: stranger }))).code).toBe("input-psbt-transaction");
  });

  test("input-psbt-refused: good signatures of ours beside one of the peer's that is none", async () => {
    const p = await withHtlc();
    editState(p.alice, (state) => {
      const [funding] = state.fundings;
      const current = funding.local.current!;
      const signature = current.signature.map((byte, at) => (at === 40 ? byte ^ 1 : byte)) as typeof current.signature;
      return { ...state, fundings: [{ ...funding, local: { ...funding.local, current: { ...current, signature } } }] };
    });
    const { document } = await runCommand("force-close", [p.alice], { psbt: true });
    const keys = keysOf(p.alice);
    const finish = fileOf(p, "signed.psbt", signPsbt(document["psbt"] as string, keys));
    const error = await refusal(() => runCommand("force-close", [p.alice], { finish }));
    expect(error).toMatchObject({ code: "input-psbt-refused", details: { input: 0, error: "NULLFAIL" } });
  });

  test("of our commitment ends the channel before it is written, like a signature", async () => {
    const p = await withHtlc();
    await runCommand("force-close", [p.alice], { psbt: true });
    expect((await refusal(() => runCommand("add-htlc", [p.alice, "1sat"], { paymentHash: "00".repeat(32), cltvExpiry: "500" }))).code).toBe(
      "policy-force-closed",
    );
  });
});

function serialize(witness: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from([witness.length, ...witness.flatMap((element) => [element.length, ...element])]);
}
