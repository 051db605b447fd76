import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { wasm } from "../../src/ecc/wasm.js";
import { fromHex, toHex } from "../../src/protocol/bytes.js";
import type { ErrorCode, ErrorDetails } from "../../src/protocol/errors.js";
import { runCli } from "../support/cli.js";
import {
  ARTICLE,
  OUTPOINT,
  type Parties,
  afterStep,
  altered,
  backupOf,
  editState,
  expectNoSecret,
  fingerprint,
  messageOf,
  openChannel,
  parties,
  partiesAs,
  readJson,
  refusal,
  refusedAsIs,
  runCommand,
  send,
  without,
} from "../support/party.js";

/** x = 5 has no y on secp256k1. */
const OFF_CURVE = `02${"05".padStart(64, "0")}`;

const GROUP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The other signature of the same hash by the same key: as good for the curve, not for BOLT. */
function highS(signature: string): string {
  const s = BigInt(`0x${signature.slice(64)}`);
  return signature.slice(0, 64) + (GROUP_ORDER - s).toString(16).padStart(64, "0");
}

function flipBit(hex: string, bit: number): string {
  const bytes = fromHex(hex);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return toHex(bytes);
}

/** What `action` is refused with, told in code and details, every file as it was. */
async function expectRefusal(p: Parties, action: () => Promise<unknown>, code: ErrorCode, details: ErrorDetails): Promise<void> {
  const error = await refusedAsIs(p, action);
  expect({ code: error.code, details: error.details }).toMatchObject({ code, details });
}

const receive = (party: string, input: string | object) => () => runCommand("receive", [party, "-"], {}, { stdin: input as Record<string, unknown> });

describe("text that is no message", () => {
  test("input-no-message: another file is said to be what it is, with the command that takes it", async () => {
    const p = await afterStep(20);
    const old = backupOf((await afterStep(13)).alice, "old");
    const close = (await runCommand("force-close", [old])).document;
    const backup = (await runCommand("backup", [p.bob])).document;
    const file = (folder: string, name: string) => readJson(join(folder, name));
    const built = (await runCommand("build-commitment", [p.alice], { owner: "remote" })).document;
    const psbt = (await runCommand("force-close", [backupOf(p.alice, "copy")], { psbt: true })).document;
    for (const [given, what, hint] of [
      [close, "a chankit-force-close report with transactions", "`penalty-tx`"],
      [close["tx"], "bytes in hex", "`inspect`"],
      [{ tx: close["tx"] }, "a transaction", "`watch`"],
      [built, "a commitment transaction", "`sign`"],
      [psbt, "a chankit-force-close report with a PSBT", "--finish"],
      [psbt["psbt"], "a PSBT", "--finish"],
      [file(p.alice, "channel.json"), "a channel file", "--channel"],
      [file(p.alice, "keys.json"), "a keys file, which nobody else is to see", "--keys"],
      [backup, "a channel's backup", "`restore`"],
      [(await runCommand("status", [p.bob])).document, /JSON of another kind|report/, "`type`"],
      [[], "a list", "one by one"],
      [{}, "JSON of another kind", "`wire`"],
    ] as const) {
      const error = await refusedAsIs(p, receive(p.bob, typeof given === "string" ? given : JSON.stringify(given)));
      expect(error).toMatchObject({ code: "input-no-message", message: expect.stringContaining(hint) as string, details: { source: "-" } });
      expect(error.details["what"]).toMatch(what);
    }
  });

  test("truncated JSON, wherever it is cut", async () => {
    const p = await afterStep(8);
    const text = readFileSync(messageOf(p, "bobRevoked"), "utf8");
    for (let end = 0; end < text.length - 1; end += 13) {
      const error = await refusal(receive(p.alice, text.slice(0, end)));
      expect(error.code).toBe("json-syntax");
      expect(error.details).toMatchObject({ source: "-", line: expect.any(Number) as number, column: expect.any(Number) as number });
      expectNoSecret(p, error.message + JSON.stringify(error.details));
    }
    expect(fingerprint(p.dir)).toEqual(fingerprint((await afterStep(8)).dir));
  });

  test.each(["2000000000.5", "2000000000.0", "2e9", "1e3", "-0", "9007199254740993"])("the number %s", async (number) => {
    const p = await afterStep(3);
    const text = readFileSync(messageOf(p, "pay"), "utf8").replace("2000000000", number);
    await expectRefusal(p, receive(p.bob, text), "json-number", { source: "-", path: "amount_msat", value: number });
  });

  test("a duplicate key", async () => {
    const p = await afterStep(3);
    const text = readFileSync(messageOf(p, "pay"), "utf8").replace('"id": 0', '"id": 0, "id": 0');
    await expectRefusal(p, receive(p.bob, text), "json-duplicate-key", { source: "-", path: "id" });
  });

  test("an unknown key", async () => {
    const p = await afterStep(3);
    const message = altered(messageOf(p, "pay"), { amount_mast: 1 });
    await expectRefusal(p, receive(p.bob, message), "json-unknown-key", { source: "-", path: "amount_mast" });
  });

  test("a missing key, a value of another form", async () => {
    const p = await afterStep(3);
    const rest = without(altered(messageOf(p, "pay"), {}), "amount_msat");
    await expectRefusal(p, receive(p.bob, rest), "json-missing", { path: "amount_msat" });
    await expectRefusal(p, receive(p.bob, { ...rest, amount_msat: "0x10" }), "json-value", { path: "amount_msat", value: '"0x10"' });
  });
});

describe("a point off the curve", () => {
  test("is one", () => {
    expect(wasm.isPoint(fromHex(OFF_CURVE))).toBe(false);
  });

  const POINTS = [
    "funding_pubkey",
    "revocation_basepoint",
    "payment_basepoint",
    "delayed_payment_basepoint",
    "htlc_basepoint",
    "first_per_commitment_point",
  ];

  test.each(POINTS)("%s in open_channel and accept_channel", async (field) => {
    const proposed = await parties(ARTICLE, "proposed");
    const open = altered(join(proposed.wire, "0001-alice-open_channel.json"), { [field]: OFF_CURVE });
    const details = { path: field, value: OFF_CURVE, bolt_asks: "send an error and fail the channel" };
    await expectRefusal(
      proposed,
      () => runCommand("accept-channel", [proposed.bob, "-"], ARTICLE.accept, { stdin: open }),
      "key-not-on-curve",
      details,
    );

    const accepted = await parties(ARTICLE, "accepted");
    const accept = altered(join(accepted.wire, "0001-bob-accept_channel.json"), { [field]: OFF_CURVE });
    await expectRefusal(accepted, receive(accepted.alice, accept), "key-not-on-curve", details);
  });

  test("in channel_ready", async () => {
    const p = await parties(ARTICLE, "released");
    const ready = altered(await send(p, "channel-ready", [p.alice]), { second_per_commitment_point: OFF_CURVE });
    await expectRefusal(p, receive(p.bob, ready), "key-not-on-curve", { path: "second_per_commitment_point", value: OFF_CURVE });
  });

  test("in revoke_and_ack", async () => {
    const p = await afterStep(8);
    const revocation = altered(messageOf(p, "bobRevoked"), { next_per_commitment_point: OFF_CURVE });
    await expectRefusal(p, receive(p.alice, revocation), "key-not-on-curve", { path: "next_per_commitment_point", value: OFF_CURVE });
  });

  test("not even shaped like one", async () => {
    const p = await afterStep(8);
    const revocation = altered(messageOf(p, "bobRevoked"), { next_per_commitment_point: `04${OFF_CURVE.slice(2)}` });
    await expectRefusal(p, receive(p.alice, revocation), "key-shape", { path: "next_per_commitment_point" });
  });
});

describe("signatures", () => {
  test("a high S", async () => {
    const p = await afterStep(4);
    const { signature } = readJson(messageOf(p, "aliceSigned")) as { readonly signature: string };
    const high = highS(signature);
    await expectRefusal(p, receive(p.bob, altered(messageOf(p, "aliceSigned"), { signature: high })), "state-signature-high-s", {
      path: "signature",
      signature: high,
    });
  });

  test("a high S on the first commitments", async () => {
    const created = await parties(ARTICLE, "created");
    const file = join(created.wire, "0002-alice-funding_created.json");
    const high = highS(String(readJson(file)["signature"]));
    const act = () => runCommand("sign-funding", [created.bob, "-"], {}, { stdin: altered(file, { signature: high }) });
    await expectRefusal(created, act, "state-signature-high-s", { path: "signature", signature: high });

    const signed = await parties(ARTICLE, "signed");
    const answer = join(signed.wire, "0002-bob-funding_signed.json");
    const other = highS(String(readJson(answer)["signature"]));
    await expectRefusal(signed, receive(signed.alice, altered(answer, { signature: other })), "state-signature-high-s", {
      path: "signature",
      signature: other,
    });
  });

  test("one over last week's state", async () => {
    const p = await afterStep(20);
    const { signature } = readJson(messageOf(p, "aliceSigned")) as { readonly signature: string };
    await runCommand("receive", [p.bob, await send(p, "pay", [p.alice, "0.01btc"])]);
    const stale = altered(await send(p, "sign", [p.alice]), { signature });
    await expectRefusal(p, receive(p.bob, stale), "state-signature-invalid", {
      number: 2,
      signature,
      bolt_asks: "send an error and fail the channel",
    });
  });

  test("one bit off, in either half", async () => {
    const p = await afterStep(4);
    const { signature } = readJson(messageOf(p, "aliceSigned")) as { readonly signature: string };
    for (const bit of [0, 255, 511]) {
      const error = await refusedAsIs(p, receive(p.bob, altered(messageOf(p, "aliceSigned"), { signature: flipBit(signature, bit) })));
      expect(["state-signature-invalid", "state-signature-high-s"]).toContain(error.code);
      expect(error.details).toMatchObject({ signature: flipBit(signature, bit) });
    }
  });

  test("for another funding", async () => {
    const p = await afterStep(4);
    const txid = "ab".repeat(32);
    await expectRefusal(p, receive(p.bob, altered(messageOf(p, "aliceSigned"), { funding_txid: txid })), "state-wrong-funding", {
      funding_txid: txid,
    });
  });

  test("more of them than HTLCs", async () => {
    const p = await afterStep(4);
    const { signature } = readJson(messageOf(p, "aliceSigned")) as { readonly signature: string };
    const message = altered(messageOf(p, "aliceSigned"), { htlc_signatures: [signature] });
    await expectRefusal(p, receive(p.bob, message), "state-htlc-signature-count", { htlc_signatures: 1, untrimmed_htlcs: 0 });
  });

  test("judged with --dry-run: a verdict, no refusal, and nothing is touched", async () => {
    const p = await afterStep(4);
    const before = fingerprint(p.dir);
    const message = altered(messageOf(p, "aliceSigned"), { signature: flipBit(String(readJson(messageOf(p, "aliceSigned"))["signature"]), 300) });
    const { document, verdict } = await runCommand("verify-sig", [p.bob, "-"], { dryRun: true }, { stdin: message });
    expect(verdict).toBe("no");
    expect(document).toMatchObject({ valid: false, code: "state-signature-invalid" });
    expect(fingerprint(p.dir)).toEqual(before);
  });
});

describe("messages out of place", () => {
  test("for another channel", async () => {
    const other = await partiesAs("another channel", (made) =>
      openChannel(made, { ...ARTICLE, open: { ...ARTICLE.open, funding: "0.11btc" } }, "accepted"),
    );
    await runCommand("create-funding", [other.alice, join(other.wire, "0001-bob-accept_channel.json")], { outpoint: `${"cd".repeat(32)}:1` });
    const foreign = String(readJson(join(other.alice, "channel.json"))["channel_id"]);

    const p = await afterStep(3);
    const expected = String(readJson(join(p.bob, "channel.json"))["channel_id"]);
    await expectRefusal(p, receive(p.bob, altered(messageOf(p, "pay"), { channel_id: foreign })), "state-wrong-channel", {
      channel_id: foreign,
      expected,
    });
    await runCommand("receive", [p.bob, messageOf(p, "pay")]);
    await expectRefusal(p, receive(p.bob, altered(messageOf(p, "aliceSigned"), { channel_id: foreign })), "state-wrong-channel", {
      channel_id: foreign,
      expected,
    });
    // Its number fits no better than its channel: the channel is what is wrong
    await expectRefusal(p, receive(p.bob, altered(messageOf(p, "aliceSigned"), { channel_id: foreign, seq: 77 })), "state-wrong-channel", {
      channel_id: foreign,
      expected,
    });

    const revoked = await afterStep(8);
    const revocation = altered(messageOf(revoked, "bobRevoked"), { channel_id: foreign });
    await expectRefusal(revoked, receive(revoked.alice, revocation), "state-wrong-channel", { channel_id: foreign, expected });
  });

  test("before the one that is due", async () => {
    const p = await afterStep(3);
    await expectRefusal(p, () => runCommand("receive", [p.bob, messageOf(p, "aliceSigned")]), "state-message-gap", { seq: 5, expected_seq: 4 });
  });

  test("another one under a number that was received", async () => {
    const p = await afterStep(4);
    await expectRefusal(p, receive(p.bob, altered(messageOf(p, "pay"), { amount_msat: 1 })), "state-message-conflict", { seq: 4, expected_seq: 5 });
  });

  test("one that is long past", async () => {
    const p = await afterStep(20);
    editState(p.bob, (state) => ({ ...state, messages: { ...state.messages, recentlyReceived: state.messages.recentlyReceived.slice(-1) } }));
    await expectRefusal(p, () => runCommand("receive", [p.bob, messageOf(p, "pay")]), "state-message-old", { seq: 4, expected_seq: 7 });
  });

  test.each([
    ["verify-sig", "pay", "commitment_signed"],
    ["verify-sig", "bobRevoked", "commitment_signed"],
    ["receive-revocation", "pay", "revoke_and_ack"],
    ["receive-revocation", "aliceSigned", "revoke_and_ack"],
  ] as const)("%s of a %s", async (command, name, expected) => {
    const p = await afterStep(20);
    const { type } = readJson(messageOf(p, name));
    await expectRefusal(p, () => runCommand(command, [p.bob, messageOf(p, name)]), "state-message-type", { type: type as string, expected });
  });

  test("accept-channel, sign-funding and release-funding of another type", async () => {
    const p = await parties(ARTICLE, "created");
    const file = join(p.wire, "0001-bob-accept_channel.json");
    for (const [command, party] of [
      ["accept-channel", p.bob],
      ["sign-funding", p.bob],
      ["release-funding", p.alice],
    ] as const) {
      await expectRefusal(p, () => runCommand(command, [party, file]), "state-message-type", { type: "accept_channel" });
    }
  });

  test("a second channel_ready, other than the first", async () => {
    const p = await parties();
    const ready = altered(join(p.wire, "0003-alice-channel_ready.json"), { second_per_commitment_point: OFF_CURVE, seq: 4 });
    await expectRefusal(p, receive(p.bob, ready), "state-message-unexpected", { type: "channel_ready", phase: "open" });
  });

  test("one that this version does not take in", async () => {
    const p = await parties();
    const channelId = String(readJson(join(p.bob, "channel.json"))["channel_id"]);
    await expectRefusal(p, receive(p.bob, { type: "warning", channel_id: channelId, data: "00" }), "state-message-unsupported", { type: "warning" });
  });
});

describe("the same file twice says so, and changes nothing", () => {
  test.each([
    [4, "bob", "pay", "receive"],
    [7, "bob", "aliceSigned", "receive"],
    [7, "bob", "aliceSigned", "verify-sig"],
    [10, "alice", "bobRevoked", "receive"],
    [10, "alice", "bobRevoked", "receive-revocation"],
    [20, "bob", "aliceRevoked", "receive-revocation"],
    // long after, too
    [20, "bob", "pay", "receive"],
    [20, "bob", "aliceSigned", "verify-sig"],
    [20, "alice", "bobRevoked", "receive-revocation"],
  ] as const)("after step %i %s: %s by %s", async (step, party, name, command) => {
    const p = await afterStep(step);
    const before = fingerprint(p.dir);
    const { document } = await runCommand(command, [p[party], messageOf(p, name)]);
    expect(document).toMatchObject({ already_done: true });
    expect(fingerprint(p.dir)).toEqual(before);
  });

  test("without a number, by its bytes alone", async () => {
    const p = await afterStep(10);
    const before = fingerprint(p.dir);
    const { wire } = readJson(messageOf(p, "bobRevoked"));
    const { document } = await runCommand("receive", [p.alice, "-"], {}, { stdin: { wire } });
    expect(document).toMatchObject({ already_done: true });
    expect(fingerprint(p.dir)).toEqual(before);
  });

  test("the messages of the opening", async () => {
    const p = await parties();
    const before = fingerprint(p.dir);
    for (const [command, party, file] of [
      ["receive", p.alice, "0001-bob-accept_channel.json"],
      ["sign-funding", p.bob, "0002-alice-funding_created.json"],
      ["receive", p.alice, "0002-bob-funding_signed.json"],
      ["receive", p.bob, "0003-alice-channel_ready.json"],
      ["receive", p.alice, "0003-bob-channel_ready.json"],
    ] as const) {
      expect((await runCommand(command, [party, join(p.wire, file)])).document, file).toMatchObject({ already_done: true });
    }
    // release-funding answers again what may be broadcast
    expect((await runCommand("release-funding", [p.alice, join(p.wire, "0002-bob-funding_signed.json")])).document).toMatchObject({
      may_be_broadcast: true,
    });
    expect(fingerprint(p.dir)).toEqual(before);
  });
});

test("a secret one bit off, whichever bit: refused, and neither it nor the right one is told", async () => {
  const p = await afterStep(8);
  const { per_commitment_secret: secret } = readJson(messageOf(p, "bobRevoked")) as { readonly per_commitment_secret: string };
  for (const bit of [0, 7, 100, 255]) {
    const wrong = flipBit(secret, bit);
    const error = await refusedAsIs(p, receive(p.alice, altered(messageOf(p, "bobRevoked"), { per_commitment_secret: wrong })));
    expect(error.code).toBe("policy-revocation-wrong-secret");
    expect(error.details).toMatchObject({ number: 0, bolt_asks: "send an error and fail the channel" });
    expect(error.message + JSON.stringify(error.details)).not.toContain(wrong);
  }
});

test.each([0n, GROUP_ORDER])("the secret %s, which no point has", async (secret) => {
  const p = await afterStep(8);
  const message = altered(messageOf(p, "bobRevoked"), { per_commitment_secret: secret.toString(16).padStart(64, "0") });
  await expectRefusal(p, receive(p.alice, message), "policy-revocation-wrong-secret", { number: 0 });
});

describe("JSON and wire in disagreement", () => {
  test("a field", async () => {
    const p = await afterStep(3);
    const message = { ...readJson(messageOf(p, "pay")), amount_msat: 2_000_000_001 };
    await expectRefusal(p, receive(p.bob, message), "wire-json-mismatch", { path: "amount_msat", json: "2000000001", wire: "2000000000" });
  });

  test("a secret, of which neither form is told", async () => {
    const p = await afterStep(8);
    const message = readJson(messageOf(p, "bobRevoked"));
    const wrong = flipBit(String(message["per_commitment_secret"]), 9);
    const error = await refusedAsIs(p, receive(p.alice, { ...message, per_commitment_secret: wrong }));
    expect(error.code).toBe("wire-json-mismatch");
    expect(error.details).toEqual({ source: "-", path: "per_commitment_secret" });
    expect(error.message).not.toContain(wrong);
  });

  test("bytes that end too early, or are of no message", async () => {
    const p = await afterStep(8);
    const wire = String(readJson(messageOf(p, "bobRevoked"))["wire"]);
    await expectRefusal(p, receive(p.alice, { wire: wire.slice(0, -2) }), "wire-truncated", { path: "wire" });
    await expectRefusal(p, receive(p.alice, { wire: `fffd${wire.slice(4)}` }), "wire-unknown-type", { path: "wire", type: 0xfffd });
    // Shifted by a byte, the secret stands where the point is read
    await expectRefusal(p, receive(p.alice, { wire: `${wire.slice(0, 4)}00${wire.slice(4)}` }), "key-shape", { path: "wire" });
  });
});

describe("a party's own files", () => {
  /** Every command that reads a state, as far as it comes to be asked. */
  const COMMANDS = (p: Parties): readonly (readonly [string, readonly string[], Record<string, string | true>])[] => [
    ["status", [p.alice], {}],
    ["build-commitment", [p.alice], { owner: "local" }],
    ["pay", [p.alice, "1sat"], {}],
    ["pay", [p.alice, "1sat"], { dryRun: true }],
    ["sign", [p.alice], {}],
    ["verify-sig", [p.alice, messageOf(p, "bobSigned")], {}],
    ["receive", [p.alice, messageOf(p, "bobRevoked")], {}],
    ["make-revocation", [p.alice], {}],
    ["receive-revocation", [p.alice, messageOf(p, "bobRevoked")], {}],
    ["resend", [p.alice], {}],
    ["force-close", [p.alice], {}],
    ["force-close", [p.alice], { dryRun: true }],
  ];

  test("a restored older channel.json: no command goes on from it", async () => {
    const p = await afterStep(20);
    const old = await afterStep(13);
    copyFileSync(join(old.alice, "channel.json"), join(p.alice, "channel.json"));
    for (const [name, args, flags] of COMMANDS(p)) {
      await expectRefusal(p, () => runCommand(name, args, flags), "file-revision-stale", { path: join(p.alice, "channel.json") });
    }
  });

  test("an edited channel.json", async () => {
    const p = await afterStep(20);
    const path = join(p.alice, "channel.json");
    writeFileSync(path, readFileSync(path, "utf8").replace('"local": 8000000000', '"local": 8000000001'));
    for (const [name, args, flags] of COMMANDS(p)) {
      await expectRefusal(p, () => runCommand(name, args, flags), "file-edited", { path });
    }
  });

  test("laid out anew it is the same", async () => {
    const p = await afterStep(20);
    const path = join(p.alice, "channel.json");
    writeFileSync(path, JSON.stringify(readJson(path)));
    expect((await runCommand("status", [p.alice])).document).toMatchObject({ phase: "open" });
  });

  test("truncated, or with a secret in the wrong place", async () => {
    const p = await afterStep(20);
    const keys = join(p.alice, "keys.json");
    const text = readFileSync(keys, "utf8");
    for (const end of [1, 100, 200, text.length - 5]) {
      writeFileSync(keys, text.slice(0, end), { mode: 0o600 });
      const error = await refusal(() => runCommand("force-close", [p.alice]));
      expect(error.code).toBe("file-damaged");
      writeFileSync(keys, text);
      expectNoSecret(p, error.message + JSON.stringify(error.details));
    }
    writeFileSync(keys, text.replace('"funding_privkey": "', '"funding_privkey": "zz'));
    const error = await refusal(() => runCommand("force-close", [p.alice]));
    expect(error.code).toBe("json-value");
    expect(error.details).toMatchObject({ path: "funding_privkey" });
    writeFileSync(keys, text);
    expectNoSecret(p, error.message + JSON.stringify(error.details));
  });

  test("another party's keys: nothing is signed with them, and no secret of theirs leaves", async () => {
    const exchanged = async (step: number) => {
      const p = await afterStep(step);
      const kept = readFileSync(join(p.alice, "keys.json"));
      copyFileSync(join(p.bob, "keys.json"), join(p.alice, "keys.json"));
      writeFileSync(join(p.bob, "keys.json"), kept);
      return p;
    };
    for (const [step, command, party] of [
      [1, "sign", "alice"],
      [7, "make-revocation", "bob"],
      [8, "make-revocation", "bob"],
      [8, "resend", "bob"],
      [11, "sign", "bob"],
      [20, "force-close", "alice"],
    ] as const) {
      const p = await exchanged(step);
      await expectRefusal(p, () => runCommand(command, [p[party]]), "key-mismatch", { what: "funding_privkey" });
    }
    const p = await exchanged(20);
    const { document } = await runCommand("force-close", [(await afterStep(13)).alice]);
    const penalty = { tx: "-", to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "2500" };
    await expectRefusal(p, () => runCommand("penalty-tx", [p.bob], penalty, { stdin: document }), "key-mismatch", { what: "funding_privkey" });
  });

  test.each([
    "revocation_basepoint_secret",
    "payment_basepoint_secret",
    "delayed_payment_basepoint_secret",
    "htlc_basepoint_secret",
    "per_commitment_seed",
  ] as const)("one secret that is another: %s", async (what) => {
    const p = await afterStep(7);
    const path = join(p.bob, "keys.json");
    writeFileSync(path, JSON.stringify({ ...readJson(path), [what]: "07".repeat(32) }));
    await expectRefusal(p, () => runCommand("make-revocation", [p.bob]), "key-mismatch", { what });
    await expectRefusal(p, () => runCommand("force-close", [p.bob]), "key-mismatch", { what });
  });

  test("keys of another party where the channel opens", async () => {
    const accepted = await parties(ARTICLE, "accepted");
    copyFileSync(join(accepted.bob, "keys.json"), join(accepted.alice, "keys.json"));
    const file = join(accepted.wire, "0001-bob-accept_channel.json");
    await expectRefusal(accepted, () => runCommand("create-funding", [accepted.alice, file], { outpoint: OUTPOINT }), "key-mismatch", {
      what: "funding_privkey",
    });

    const created = await parties(ARTICLE, "created");
    copyFileSync(join(created.alice, "keys.json"), join(created.bob, "keys.json"));
    const funding = join(created.wire, "0002-alice-funding_created.json");
    await expectRefusal(created, () => runCommand("sign-funding", [created.bob, funding]), "key-mismatch", { what: "funding_privkey" });
  });
});

describe("a commitment that is piped into sign", () => {
  test("one byte off: the first difference is named", async () => {
    const p = await afterStep(1);
    const { document } = await runCommand("build-commitment", [p.alice], { owner: "remote" });
    const { unsigned_tx: tx } = document as { readonly unsigned_tx: string };
    for (const [at, field] of [
      [0, "version"],
      [5, "funding txid"],
      [37, "funding output index"],
      [43, "sequence"],
      [50, "outputs"],
      [tx.length / 2 - 1, "locktime"],
    ] as const) {
      const stdin = { ...document, unsigned_tx: flipBit(tx, 8 * at) };
      await expectRefusal(p, () => runCommand("sign", [p.alice, "-"], {}, { stdin }), "state-commitment-mismatch", { first_difference: at, field });
    }
  });

  test("an older one that was signed before is not taken for the next", async () => {
    const p = await afterStep(10);
    const { document } = await runCommand("build-commitment", [p.alice], { owner: "remote" });
    expect(document).toMatchObject({ commitment_number: 1, standing: "current" });
    // The same again, as long as it is what sign would sign
    const again = await runCommand("sign", [p.alice, "-"], {}, { stdin: document });
    expect(again.document).toEqual(readJson(messageOf(p, "aliceSigned")));

    await runCommand("pay", [p.alice, "0.01btc"]);
    const details = { number: 1, expected_number: 2 };
    await expectRefusal(p, () => runCommand("sign", [p.alice, "-"], {}, { stdin: document }), "state-commitment-mismatch", details);
  });
});

describe("by the program: exit codes, and the error as JSON", () => {
  interface Spawned {
    readonly code: ErrorCode;
    readonly exit: number;
    readonly args: (p: Parties) => readonly string[];
    readonly stdin?: (p: Parties) => string;
  }
  const CASES: readonly Spawned[] = [
    { code: "json-syntax", exit: 3, args: (p) => ["receive", p.bob, "-"], stdin: () => '{"type": "pay",' },
    {
      code: "wire-json-mismatch",
      exit: 3,
      args: (p) => ["receive", p.bob, "-"],
      stdin: (p) => readFileSync(messageOf(p, "pay"), "utf8").replace("2000000000", "2000000001"),
    },
    {
      code: "key-shape",
      exit: 3,
      args: (p) => ["receive", p.bob, "-"],
      stdin: (p) => JSON.stringify(altered(join(p.wire, "0003-alice-channel_ready.json"), { second_per_commitment_point: "05".repeat(33) })),
    },
    { code: "state-message-gap", exit: 4, args: (p) => ["receive", p.bob, messageOf(p, "aliceSigned")] },
    { code: "policy-balance", exit: 4, args: (p) => ["pay", p.alice, "1btc"] },
    { code: "file-folder-missing", exit: 5, args: (p) => ["status", join(p.dir, "carol")] },
    { code: "usage-value", exit: 2, args: (p) => ["pay", p.alice, "0.02"] },
    { code: "usage-syntax", exit: 2, args: (p) => ["pay", p.alice, "0.02btc", "--no-such-option"] },
  ];

  test.each(CASES.map((one) => [one.code, one.exit, one] as const))("%s: exit %i", async (code, exit, { args, stdin }) => {
    const p = await afterStep(3);
    const before = fingerprint(p.dir);
    const { status, stdout, stderr } = await runCli([...args(p), "--json"], { stdin: stdin?.(p) ?? "" });
    expect({ status, stdout }).toEqual({ status: exit, stdout: "" });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code, message: expect.any(String) as string, details: {} } });
    expect(fingerprint(p.dir)).toEqual(before);
    expectNoSecret(p, stderr);
  });

  test("verify-sig: a wrong signature is exit 4, with --dry-run exit 1; a message held already is exit 0", async () => {
    const p = await afterStep(4);
    const wrong = JSON.stringify(altered(messageOf(p, "aliceSigned"), { signature: "01".repeat(64) }));
    const before = fingerprint(p.dir);
    expect((await runCli(["verify-sig", p.bob, "-"], { stdin: wrong })).status).toBe(4);
    expect((await runCli(["verify-sig", p.bob, "-", "--dry-run"], { stdin: wrong })).status).toBe(1);
    expect(fingerprint(p.dir)).toEqual(before);
    const again = await runCli(["receive", p.bob, messageOf(p, "pay")]);
    expect(again.status).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ already_done: true, received: "pay" });
  });
});

test("a backup of a party's folder, used after all, is what the README warns of: the file cannot tell", async () => {
  const p = await afterStep(13);
  const backup = backupOf(p.alice);
  await runCommand("verify-sig", [p.alice, messageOf(p, "bobSigned")]);
  expect((await runCommand("status", [backup])).document).toMatchObject({ phase: "open" });
});
