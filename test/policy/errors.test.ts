import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Psbt } from "bitcoinjs-lib/src/psbt";
import { describe, expect, test } from "vitest";
import { ERROR_CODES, type ErrorCode, type ErrorDetails, type LnError } from "../../src/protocol/errors.js";
import { bytes32, fromHex } from "../../src/protocol/bytes.js";
import { msat } from "../../src/protocol/units.js";
import { requireFunded } from "../../src/protocol/channel/state.js";
import { readChannel } from "../../src/json/channel-file.js";
import { parseStrict } from "../../src/json/strict.js";
import { openStore } from "../../src/store/channel-store.js";
import { runCli, tempDir } from "../support/cli.js";
import {
  afterStep,
  ARTICLE,
  editState,
  fingerprint,
  messageOf,
  parties,
  readJson,
  refusal,
  refusedAsIs,
  runCommand,
  send,
  type Parties,
  without,
} from "../support/party.js";

/** What cannot be provoked from outside: each is thrown where a type or an earlier check already excludes it. */
const INTERNAL: Readonly<Record<string, string>> = {
  "internal-lock": "funding and HTLC outputs of today's formats are P2WSH; the type of a lock allows more",
  "internal-no-remote-commit": "a revocation is only due (policy-revocation-unexpected) where both commitments are held",
  "internal-no-local-commit": "force-close asks first whether one is held (policy-broadcast-unverified)",
  "internal-outbox": "only a revoke_and_ack is kept without its bytes, and that is made again from the keys",
  "internal-unsigned": "whoever completes a plan has asked for each signature before",
  "internal-phase": "an accept_channel is taken in before the funding is known, never after",
  "internal-closing": "which signatures a close has is asked (policy-closing-variant, state-signature-invalid) before one is used",
  "internal-explain": "whoever reads bytes has parsed them before, and reads a PSBT's into input-psbt",
  "internal-recipe": "what each recipe of refused cases makes is tried with every channel type in test/vectors/generate.test.ts",
  "internal-ecc-missing": "the program and the library set the backend when they load",
  "internal-musig2-missing": "vectors verify gives it before it reads what may need it",
};

const CASES = "fixtures/vectors/cases/anchors.ndjson";

function expectDetails(error: LnError, code: ErrorCode, details: ErrorDetails): void {
  expect({ code: error.code, details: error.details }).toMatchObject({ code, details });
}

describe("every code has a negative test", () => {
  test("somewhere in the tests each is asked for, or it is internal and its reason is given", () => {
    const files = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    const text = files.map((name) => readFileSync(join("test", name), "utf8")).join("\n");
    const missing = Object.keys(ERROR_CODES).filter((code) => !(code in INTERNAL) && !new RegExp(`(?<![a-z-])${code}(?![a-z-])`).test(text));
    expect(missing).toEqual([]);
  });

  test("only internal- codes are excused", () => {
    expect(Object.keys(INTERNAL).filter((code) => !code.startsWith("internal-") || !(code in ERROR_CODES))).toEqual([]);
  });

  test("what BOLT asks for is said of what a peer can send", () => {
    const withBolt = Object.entries(ERROR_CODES).flatMap(([code, entry]) => ("bolt" in entry ? [code] : []));
    expect(withBolt.filter((code) => /^(usage|input|json|file|output|busy|internal)-/.test(code))).toEqual([]);
  });
});

describe("bytes and keys", () => {
  test("input-hex: an odd digit, another sign", () => {
    for (const hex of ["0", "0g", "é0"]) expect(() => fromHex(hex)).toThrow(expect.objectContaining({ code: "input-hex" }) as Error);
  });

  test("input-length", () => {
    expect(() => bytes32(new Uint8Array(31), "payment_hash")).toThrow(
      expect.objectContaining({ code: "input-length", details: { what: "payment_hash", bytes: 31, expected: 32 } }) as Error,
    );
  });

  test("key-missing: a keys file that lacks what a step needs", async () => {
    const p = await afterStep(1);
    const path = join(p.alice, "keys.json");
    writeFileSync(path, JSON.stringify({ ...readJson(path), funding_privkey: null }));
    expectDetails(await refusedAsIs(p, () => runCommand("sign", [p.alice])), "key-missing", { name: "fundingPrivkey" });
  });

  test("key-wif: not a key in wallet import format, and its text is not told", async () => {
    const p = await afterStep(1);
    const path = join(p.alice, "keys.json");
    const wif = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWo";
    writeFileSync(path, JSON.stringify({ ...readJson(path), funding_privkey: wif }));
    const error = await refusal(() => runCommand("sign", [p.alice]));
    expectDetails(error, "key-wif", { path: "funding_privkey" });
    expect(error.message + JSON.stringify(error.details)).not.toContain(wif.slice(0, 10));
  });

  test("input-seed: keygen takes 32 bytes of hex, and does not repeat what it was given", async () => {
    const dir = tempDir();
    const seed = "ab".repeat(31);
    const error = await refusal(() => runCommand("keygen", [join(dir, "alice")], { seed: "-" }, { stdin: seed }));
    expectDetails(error, "input-seed", { source: "-" });
    expect(error.message).not.toContain(seed);
    expect(fingerprint(dir)).toEqual({});
  });
});

describe("state", () => {
  test("state-not-funded", async () => {
    const p = await parties(ARTICLE, "accepted");
    for (const [command, args, flags] of [
      ["build-commitment", [p.alice], { owner: "local" }],
      ["pay", [p.alice, "1sat"], {}],
      ["sign", [p.alice], {}],
      ["make-revocation", [p.bob], {}],
      ["force-close", [p.bob], {}],
      ["release-funding", [p.alice], {}],
    ] as const) {
      const error = await refusedAsIs(p, () => runCommand(command, args, flags));
      expect(error.code, command).toBe("state-not-funded");
      expect(error.details).toHaveProperty("phase");
    }
  });

  test("state-point-unknown: the peer's next commitment before its point has come", async () => {
    const p = await afterStep(2);
    await runCommand("pay", [p.alice, "1sat"]);
    expectDetails(await refusedAsIs(p, () => runCommand("build-commitment", [p.alice], { owner: "remote" })), "state-point-unknown", { number: 2 });
  });

  test("state-commitment-not-held", async () => {
    const p = await afterStep(7);
    const error = await refusedAsIs(p, () => runCommand("build-commitment", [p.bob], { owner: "local", number: "2" }));
    expectDetails(error, "state-commitment-not-held", { owner: "local", number: 2, held: [1, 0] });
    const revoked = await afterStep(20);
    const gone = await refusedAsIs(revoked, () => runCommand("build-commitment", [revoked.bob], { owner: "local", number: "0" }));
    expectDetails(gone, "state-commitment-not-held", { number: 0, held: [1] });
  });

  test("state-message-not-held", async () => {
    const p = await afterStep(8);
    expectDetails(await refusedAsIs(p, () => runCommand("resend", [p.bob], { seq: "99" })), "state-message-not-held", { seq: 99 });
  });

  test("state-message-unexpected: a step of the opening at the wrong time", async () => {
    const p = await parties(ARTICLE, "created");
    const error = await refusedAsIs(p, () => runCommand("sign-funding", [p.alice, join(p.wire, "0002-alice-funding_created.json")]));
    expect(error.code).toBe("state-message-own");
    const early = await parties(ARTICLE, "accepted");
    const unfunded = await refusedAsIs(early, () => runCommand("create-funding", [early.alice], { outpoint: `${"ab".repeat(32)}:0` }));
    expect(unfunded.code).toBe("state-message-unexpected");
  });
});

function codeOfCall(act: () => void): string {
  try {
    act();
  } catch (error) {
    return (error as LnError).code;
  }
  return "none";
}

describe("files that are not what they are taken for", () => {
  test("state-message-own: a party's own channel_ready, which would give it its own point for the peer's", async () => {
    const p = await parties(ARTICLE, "released");
    const ready = await send(p, "channel-ready", [p.bob]);
    expect((await refusedAsIs(p, () => runCommand("receive", [p.bob, ready]))).code).toBe("state-message-own");
    await runCommand("receive", [p.alice, ready]);
  });

  test("input-unreadable: no such message, which is no fault of the store", async () => {
    const p = await parties(ARTICLE, "released");
    expect((await refusedAsIs(p, () => runCommand("receive", [p.bob, join(p.wire, "none.json")]))).code).toBe("input-unreadable");
  });

  test("output-over-party-file: an output never replaces what a party lives by", async () => {
    const p = await parties(ARTICLE, "released");
    const store = openStore(parseStrict);
    for (const path of [join(p.alice, "keys.json"), join(p.alice, "channel.json"), join(p.bob, "highwater.json")]) {
      expect(
        codeOfCall(() => {
          store.requireWritable(path);
        }),
      ).toBe("output-over-party-file");
    }
    expect(
      codeOfCall(() => {
        store.writeState(join(p.bob, "channel.json"), "{}");
      }),
    ).toBe("output-over-party-file");
    store.requireWritable(join(p.wire, "other.json"));
    expect(
      codeOfCall(() => {
        store.requireWritable(join(p.dir, "none", "other.json"));
      }),
    ).toBe("output-not-written");
    expect(
      codeOfCall(() => {
        store.requireWritable(p.wire);
      }),
    ).toBe("output-not-written");
  });
});

describe("import-channel", () => {
  type Document = Record<string, unknown>;

  /** A channel document, at one place other than it was. */
  function edited(document: Document, path: readonly (string | number)[], value: unknown): Document {
    const copy = structuredClone(document);
    let at: unknown = copy;
    for (const key of path.slice(0, -1)) at = (at as Record<string | number, unknown>)[key];
    (at as Record<string | number, unknown>)[path.at(-1)!] = value;
    return copy;
  }

  /** Alice's keys in a folder of their own, and her channel in mid-life. */
  async function elsewhere(step: number) {
    const from = await afterStep(step);
    const p = await parties(ARTICLE, "keys");
    return { p, document: readJson(join(from.alice, "channel.json")), bob: readJson(join(from.bob, "channel.json")) };
  }

  test.each([0, 2, 10, 13, 17, 20])("takes over Alice's channel as it is after step %i, and goes on from there", async (step) => {
    const { p, document } = await elsewhere(step);
    await runCommand("import-channel", [p.alice, "-"], {}, { stdin: document });
    const state = (from: Document) => without(from, "revision", "previous_state_hash");
    expect(state(readJson(join(p.alice, "channel.json")))).toEqual(state(document));
    expect((await runCommand("force-close", [p.alice])).document).toEqual(
      (await runCommand("force-close", [(await afterStep(step)).alice])).document,
    );
  });

  test("state-import-contradiction: what contradicts itself or the keys", async () => {
    const { p, document, bob } = await elsewhere(17);
    const local = (document["own_points"] as readonly { readonly number: number; readonly point: string }[]).toReversed();
    const attempts: readonly (readonly [path: string, Document])[] = [
      ["params.local.fundingPubkey", bob],
      ["own_points", edited(document, ["own_points"], local)],
      ["own_points", edited(document, ["own_points", 1, "point"], local[0]!.point)],
      ["remote_next_point", edited(document, ["remote_next_point", "number"], 7)],
      ["fundings[0].local.current.spec", edited(document, ["fundings", 0, "local", "current", "spec", "balances", "local"], 9_000_000_000)],
      ["fundings[0].remote.current.spec", edited(document, ["fundings", 0, "remote", "current", "spec", "balances", "local"], 9_000_000_000)],
      ["fundings[0].local.current", edited(edited(document, ["fundings", 0, "local", "current"], null), ["fundings", 0, "local", "previous"], null)],
      ["remote_secrets", edited(document, ["remote_secrets"], [])],
    ];
    for (const [path, stdin] of attempts) {
      const error = await refusedAsIs(p, () => runCommand("import-channel", [p.alice, "-"], {}, { stdin }));
      expect({ path, code: error.code }).toEqual({ path, code: "state-import-contradiction" });
      // Where a commitment is missing, the points before it may be what does not fit
      if (!path.endsWith(".current")) expect(error.details).toMatchObject({ path });
    }
    expect(fingerprint(p.alice)).toEqual(fingerprint((await parties(ARTICLE, "keys")).alice));
  });

  test("a signature that is another, a point off the curve", async () => {
    const { p, document } = await elsewhere(17);
    const wrong = edited(document, ["fundings", 0, "local", "current", "signature"], "01".repeat(64));
    expect((await refusedAsIs(p, () => runCommand("import-channel", [p.alice, "-"], {}, { stdin: wrong }))).code).toBe("state-signature-invalid");
    const off = edited(document, ["params", "remote", "htlc_basepoint"], `02${"05".padStart(64, "0")}`);
    expect((await refusedAsIs(p, () => runCommand("import-channel", [p.alice, "-"], {}, { stdin: off }))).code).toBe("key-not-on-curve");
  });

  test("usage-case: which of the cases is not said", async () => {
    const dir = tempDir();
    expectDetails(await refusal(() => runCommand("import-channel", [join(dir, "x")], { case: CASES, as: "local" })), "usage-case", { cases: 8 });
    expectDetails(await refusal(() => runCommand("import-channel", [join(dir, "x")], { case: CASES, as: "local", id: "none" })), "usage-case", {
      cases: 0,
    });
    expect(fingerprint(dir)).toEqual({});
  });

  test("a channel that is there is not written over, not even its keys, and a dry run says so", async () => {
    const p = await afterStep(20);
    for (const flags of [{}, { dryRun: true } as const]) {
      const attempts = [
        () => runCommand("open-channel", [p.alice], { funding: "0.1btc", ...flags }),
        () => runCommand("accept-channel", [p.bob, join(p.wire, "0001-alice-open_channel.json")], { minFeerate: "0", ...flags }),
        () => runCommand("import-channel", [p.alice, join(p.alice, "channel.json")], flags),
      ];
      for (const attempt of attempts) expect((await refusedAsIs(p, attempt)).code).toBe("file-exists");
    }
    const keyless = await afterStep(20);
    writeFileSync(join(keyless.dir, "keys.json"), readFileSync(join(keyless.alice, "keys.json")));
    const { rmSync } = await import("node:fs");
    rmSync(join(keyless.alice, "keys.json"));
    const before = fingerprint(keyless.dir);
    const error = await refusal(() => runCommand("import-channel", [keyless.alice], { case: CASES, id: "anchors-01", as: "local" }));
    expect(error.code).toBe("file-exists");
    expect(fingerprint(keyless.dir)).toEqual(before);
  });
});

describe("the funding as a PSBT", () => {
  /** Where Alice's channel is to be funded. */
  async function address(p: Parties): Promise<string> {
    await runCommand("receive", [p.alice, join(p.wire, "0001-bob-accept_channel.json")]);
    const { funding_address: to } = (await runCommand("status", [p.alice])).document as { readonly funding_address: string };
    return to;
  }

  const network = { bech32: "bcrt", pubKeyHash: 0x6f, scriptHash: 0xc4, wif: 0xef, messagePrefix: "", bip32: { public: 0, private: 0 } };

  function psbtTo(to: string, value: bigint, script = `0014${"11".repeat(20)}`): string {
    const psbt = new Psbt({ network });
    psbt.addInput({ hash: "ab".repeat(32), index: 2, witnessUtxo: { script: fromHex(script), value: 20_000_000n } });
    psbt.addOutput({ script: fromHex(`0014${"22".repeat(20)}`), value: 9_000_000n });
    psbt.addOutput({ address: to, value });
    return psbt.toBase64();
  }

  test("one that funds the channel: kept, and given out only when the peer's signature is stored", async () => {
    const p = await parties(ARTICLE, "accepted");
    const psbt = psbtTo(await address(p), 10_000_000n);
    const created = await runCommand("create-funding", [p.alice], { psbt: "-" }, { stdin: psbt });
    expect(created.document).toMatchObject({ type: "funding_created", funding_output_index: 1 });
    const answer = await runCommand("sign-funding", [p.bob, "-"], {}, { stdin: created.document });
    const early = await refusedAsIs(p, () => runCommand("release-funding", [p.alice]));
    expect(early.code).toBe("policy-funding-unverified");
    const checked = await runCommand("release-funding", [p.alice, "-"], { dryRun: true }, { stdin: answer.document });
    expect(checked.document).toMatchObject({ may_be_broadcast: false });
    expect(JSON.stringify(checked.document)).not.toContain(psbt.slice(0, 40));
    const released = await runCommand("release-funding", [p.alice, "-"], {}, { stdin: answer.document });
    expect(released.document).toMatchObject({ may_be_broadcast: true, psbt, funding_output_index: 1 });
  });

  test("input-psbt, input-psbt-output, input-psbt-legacy-input, usage-funding", async () => {
    const p = await parties(ARTICLE, "accepted");
    const to = await address(p);
    const attempts: readonly (readonly [ErrorCode, string, ErrorDetails])[] = [
      ["input-psbt", "not a PSBT", {}],
      ["input-psbt", psbtTo(to, 10_000_000n).slice(0, 60), {}],
      ["input-psbt-output", psbtTo(to, 9_999_999n), { matches: 0 }],
      ["input-psbt-output", psbtTo("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", 10_000_000n), { matches: 0 }],
      ["input-psbt-legacy-input", psbtTo(to, 10_000_000n, `76a914${"11".repeat(20)}88ac`), { input: 0 }],
    ];
    for (const [code, stdin, details] of attempts) {
      expectDetails(await refusedAsIs(p, () => runCommand("create-funding", [p.alice], { psbt: "-" }, { stdin })), code, details);
    }
    expect((await refusedAsIs(p, () => runCommand("create-funding", [p.alice]))).code).toBe("usage-funding");
    const both = { psbt: "-", outpoint: `${"ab".repeat(32)}:0` };
    expect((await refusedAsIs(p, () => runCommand("create-funding", [p.alice], both, { stdin: psbtTo(to, 10_000_000n) }))).code).toBe(
      "usage-funding",
    );
  });
});

describe("the command line", () => {
  test("usage-party, usage-argument, usage-value", async () => {
    const p = await afterStep(20);
    for (const [code, command, args, flags] of [
      ["usage-party", "status", [], {}],
      ["usage-argument", "pay", [p.alice], {}],
      ["usage-argument", "verify-sig", [p.alice], {}],
      ["usage-argument", "import-channel", [p.alice], {}],
      ["usage-argument", "import-channel", [p.alice], { case: CASES, id: "anchors-01" }],
      ["usage-value", "pay", [p.alice, "0.02"], {}],
      ["usage-value", "pay", [p.alice, "0.0000000000001btc"], {}],
      ["usage-value", "pay", [p.alice, "-1sat"], {}],
      ["usage-value", "build-commitment", [p.alice], { owner: "bob" }],
      ["usage-value", "force-close", [p.alice], { number: "1.0" }],
      ["usage-value", "create-funding", [p.alice], { outpoint: "ab:1" }],
      ["usage-value", "help", ["nothing"], {}],
      ["usage-value", "vectors", ["falsify", "x"], {}],
    ] as const) {
      const error = await refusedAsIs(p, () => runCommand(command, args, flags));
      expect([command, ...args, error.code]).toEqual([command, ...args, code]);
    }
  });

  test("usage-command: a message that another command answers", async () => {
    const p = await parties(ARTICLE, "created");
    for (const [party, file, type] of [
      [p.bob, "0001-alice-open_channel.json", "open_channel"],
      [p.bob, "0002-alice-funding_created.json", "funding_created"],
    ] as const) {
      expectDetails(await refusedAsIs(p, () => runCommand("receive", [party, join(p.wire, file)])), "usage-command", { type });
    }
  });

  test("input-address: of another chain, or none", async () => {
    const p = await afterStep(20);
    const { document } = await runCommand("force-close", [(await afterStep(13)).alice]);
    for (const to of ["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "alice"]) {
      const error = await refusedAsIs(p, () => runCommand("penalty-tx", [p.bob], { tx: "-", to, feerate: "2500" }, { stdin: document }));
      expectDetails(error, "input-address", { address: to, chain: "regtest" });
    }
  });

  test("tx-not-parsed: what is no transaction", async () => {
    const p = await afterStep(20);
    for (const stdin of ["", "zz", "0200000000", '{"tx": "00"}']) {
      const error = await refusedAsIs(p, () =>
        runCommand("penalty-tx", [p.bob], { tx: "-", to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "1" }, { stdin }),
      );
      expectDetails(error, "tx-not-parsed", { source: "-" });
    }
  });

  test("usage-revoked-out: a commitment with HTLCs is revoked, and nobody said where its line goes", async () => {
    const p = await afterStep(8);
    editState(p.alice, (state) => {
      const [funding] = state.fundings;
      const current = funding.remote.current!;
      const htlc = { id: 0n, offeredBy: "local" as const, amountMsat: msat(1_000_000n), paymentHash: bytes32(new Uint8Array(32)), cltvExpiry: 500 };
      return {
        ...state,
        fundings: [{ ...funding, remote: { ...funding.remote, current: { ...current, spec: { ...current.spec, htlcs: [htlc] } } } }],
      };
    });
    const args = [p.alice, messageOf(p, "bobRevoked")];
    const outside = tempDir();
    const channelOut = join(outside, "channel.json");
    expect((await refusedAsIs(p, () => runCommand("receive-revocation", args, { channelOut }))).code).toBe("usage-revoked-out");
    expect(fingerprint(outside)).toEqual({});
    const revokedOut = join(outside, "revoked.ndjson");
    await runCommand("receive-revocation", args, { channelOut, revokedOut });
    expect(JSON.parse(readFileSync(revokedOut, "utf8"))).toMatchObject({ number: 0, htlcs: [{ offered_by: "local", amount_msat: 1_000_000 }] });
    // In place it goes beside the channel
    await runCommand("receive-revocation", args);
    expect(readFileSync(join(p.alice, "revoked.ndjson"), "utf8")).toBe(readFileSync(revokedOut, "utf8"));
    expect(without(readJson(channelOut), "x")).toEqual(readJson(join(p.alice, "channel.json")));
  });

  test("one input and one output at most are -", async () => {
    const p = await afterStep(20);
    const channel = readFileSync(join(p.alice, "channel.json"), "utf8");
    const before = fingerprint(p.dir);
    const spawned = async (...args: readonly string[]) => {
      const { status, stdout, stderr } = await runCli([...args, "--json"], { stdin: channel });
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      return (JSON.parse(stderr) as { readonly error: { readonly code: string } }).error.code;
    };
    const out = join(tempDir(), "out.json");
    expect(await spawned("pay", "--channel", "-", "1sat")).toBe("usage-channel-out");
    expect(await spawned("pay", "--channel", "-", "1sat", "--channel-out", "-")).toBe("usage-stdout-twice");
    expect(await spawned("receive", "--channel", "-", "-", "--channel-out", out)).toBe("usage-stdin-twice");
    expect(await spawned("status", p.alice, "-o", `${tempDir()}/`)).toBe("usage-output-folder");
    expect(fingerprint(p.dir)).toEqual(before);
  });

  test("a channel through the pipe: out comes the state that use in place gives", async () => {
    const p = await afterStep(20);
    const channel = readFileSync(join(p.alice, "channel.json"), "utf8");
    const out = join(tempDir(), "out.json");
    const piped = await runCli(["pay", "--channel", "-", "1sat", "--channel-out", out], { stdin: channel });
    expect({ status: piped.status, stderr: piped.stderr }).toEqual({ status: 0, stderr: "" });
    const { document } = await runCommand("pay", [p.alice, "1sat"]);
    expect(JSON.parse(piped.stdout)).toEqual(document);
    expect(readFileSync(out, "utf8")).toBe(readFileSync(join(p.alice, "channel.json"), "utf8"));
    expect(requireFunded(readChannel(readJson(out), out)).nextIds.local.pay).toBe(2n);
  });
});
