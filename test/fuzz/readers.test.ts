import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Psbt } from "bitcoinjs-lib/src/psbt";
import { regtest } from "bitcoinjs-lib/src/networks";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { tiny } from "../../src/ecc/wasm.js";
import { scriptOfAddress } from "../../src/json/address.js";
import { readChannel } from "../../src/json/channel-file.js";
import { readKeysDocument } from "../../src/json/keys-file.js";
import { readMessage } from "../../src/json/messages.js";
import { fundingOutputOf } from "../../src/json/psbt.js";
import { parseStrict } from "../../src/json/strict.js";
import { withoutWif } from "../../src/json/wif.js";
import { fromHex, point, toHex } from "../../src/protocol/bytes.js";
import { CHAINS } from "../../src/protocol/channel/params.js";
import { LnError } from "../../src/protocol/errors.js";
import { FORMATS } from "../../src/protocol/tx/format.js";
import { sat } from "../../src/protocol/units.js";
import { decodeMessage } from "../../src/protocol/wire/messages.js";
import { openStore } from "../../src/store/channel-store.js";
import { partyPaths } from "../../src/store/paths.js";
import { verifyLine, verifyVectors } from "../../src/vectors/verify.js";
import { type Disk, copyOf, emptyDisk } from "../store/memory-disk.js";
import { ANCHORS, ARTICLE, type Step, filesOf, openingSteps, perform, processOf, putHtlcs, updateSteps } from "../support/memory-party.js";
import { runCommand } from "../support/party.js";
import { contentOf } from "../store/memory-disk.js";
import { FUZZ, byteInputs, jsonInputs } from "./mutations.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

/** Far more than any reader takes for inputs of this size, on a machine that is busy too. */
const MILLISECONDS = 5000;
const MEGABYTES = 700;

/** What a reader makes of bytes that it may not trust. */
type Reader = (bytes: Uint8Array) => unknown;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A result or a refusal with a tag, soon. Anything else fails, with the seed. */
async function check(inputs: fc.Arbitrary<Uint8Array>, read: Reader, runs = FUZZ.runs): Promise<void> {
  const before = process.memoryUsage().rss;
  let refused = 0;
  const failed = await fc.check(
    fc.asyncProperty(inputs, async (bytes) => {
      const started = performance.now();
      try {
        await read(bytes);
      } catch (error) {
        if (!(error instanceof LnError)) throw error;
        expect(error.code).not.toMatch(/^internal-/);
        // What a terminal or a log is given stays readable
        expect(error.message.length + JSON.stringify(error.details).length, error.code).toBeLessThan(20_000);
        refused++;
      }
      expect(performance.now() - started).toBeLessThan(MILLISECONDS);
    }),
    { seed: FUZZ.seed, numRuns: Math.ceil(runs), endOnFailure: true },
  );
  if (failed.failed) {
    const [input] = failed.counterexample ?? [new Uint8Array()];
    const shown = JSON.stringify(text(input).slice(0, 1000));
    throw new Error(`CHANKIT_SEED=${FUZZ.seed}, path ${failed.counterexamplePath ?? ""}: ${input.length} bytes ${shown}`, {
      cause: failed.errorInstance,
    });
  }
  expect(refused, "most of it is refused").toBeGreaterThan(runs / 4);
  expect((process.memoryUsage().rss - before) / 2 ** 20, "memory stays bounded").toBeLessThan(MEGABYTES);
}

let article: Disk;
let anchors: Disk;

beforeAll(async () => {
  const made = async (steps: readonly Step[], disk: Disk): Promise<Disk> => {
    for (const step of steps) await perform(processOf(disk, 1001), step);
    return disk;
  };
  article = await made([...openingSteps(ARTICLE), ...updateSteps()], emptyDisk());
  const opened = await made(openingSteps(ANCHORS), emptyDisk());
  putHtlcs(opened);
  anchors = await made(updateSteps(), opened);
});

const PATHS = partyPaths("/alice");
const JUNK_TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

/** Alice's folder with one file replaced by any bytes. */
function withFile(disk: Disk, path: string, bytes: Uint8Array): Disk {
  const copy = copyOf(disk);
  const { fs } = processOf(copy, 1);
  try {
    fs.unlinkSync(path);
  } catch {
    // It was not there
  }
  const fd = fs.openSync(path, "wx", 0o600);
  fs.writeSync(fd, bytes, 0, bytes.length, 0);
  fs.closeSync(fd);
  return copy;
}

const storeOn = (disk: Disk) => openStore(parseStrict, processOf(disk, 2));

describe(`any bytes give a result or a tagged error, ${FUZZ.runs} a reader (seed ${FUZZ.seed})`, () => {
  test("channel.json", async () => {
    const valid = [article, anchors].map((disk) => filesOf(disk, "alice")["channel.json"]!);
    await check(jsonInputs(valid), (bytes) => readChannel(parseStrict(text(bytes), "-"), "-"));
  });

  test("channel.json and highwater.json, in a party's folder", async () => {
    const files = filesOf(anchors, "bob");
    for (const name of ["channel.json", "highwater.json"] as const) {
      await check(
        jsonInputs([files[name]!]),
        (bytes) => {
          const disk = withFile(anchors, `/bob/${name}`, bytes);
          storeOn(disk).load(partyPaths("/bob"), "update");
        },
        FUZZ.runs / 2,
      );
    }
  });

  test("an update that is half done", async () => {
    const revision = (JSON.parse(filesOf(article, "alice")["channel.json"]!) as { readonly revision: number }).revision + 1;
    const copy = copyOf(article);
    await runCommand("pay", ["/alice", "1sat"], {}, { host: processOf(copy, 1) });
    const valid = filesOf(copy, "alice")["channel.json"]!;
    const folder = `/alice/.channel.json.next-${revision}`;
    const left = copyOf(article);
    processOf(left, 1).fs.mkdirSync(folder);
    await check(
      jsonInputs([valid]),
      (bytes) => {
        const disk = withFile(left, `${folder}/77-x.state`, bytes);
        const store = storeOn(disk);
        store.load(PATHS, "look");
        store.load(PATHS, "update");
        throw new LnError("file-damaged", "counted as refused where the old state is what counts", {});
      },
      FUZZ.runs / 2,
    );
  });

  test("keys.json, in hex and in wallet import format", async () => {
    const valid = filesOf(article, "alice")["keys.json"]!;
    const wif = valid.replace(/"funding_privkey": "[0-9a-f]+"/, '"funding_privkey": "cVpF924EspNh8KjYsfhgY96mmxvT6DgdWiTYMtMjuM74hJaU5psW"');
    await check(jsonInputs([valid, wif]), async (bytes) => {
      const { document } = storeOn(withFile(article, PATHS.keys, bytes)).readKeys(PATHS, { strict: true });
      return readKeysDocument(await withoutWif(document, "-", () => Promise.resolve(tiny)), "-");
    });
  });

  test("messages, as JSON and as bytes", async () => {
    const files = [article, anchors].flatMap((disk) => Object.values(contentOf(disk, "/wire")));
    await check(jsonInputs(files), (bytes) => readMessage(parseStrict(text(bytes), "-"), "-"), FUZZ.runs * 2);
    const wires = files.map((file) => fromHex((JSON.parse(file) as { readonly wire: string }).wire));
    await check(byteInputs(wires), decodeMessage, FUZZ.runs * 2);
  });

  test("messages that a party takes in: its files are as they were, or the step is done", async () => {
    const steps = [...openingSteps(ARTICLE), ...updateSteps()];
    const disk = emptyDisk();
    for (const step of steps) {
      if (["receive", "verify-sig", "receive-revocation"].includes(step.command)) {
        const file = contentOf(article, "/wire")[step.args[0]!.slice("/wire/".length)]!;
        await check(
          jsonInputs([file]),
          async (bytes) => {
            const copy = copyOf(disk);
            const before = filesOf(copy, step.party);
            try {
              await runCommand("receive", [`/${step.party}`, "-"], {}, { host: processOf(copy, 2), stdin: text(bytes) });
            } catch (error) {
              expect(filesOf(copy, step.party)).toEqual(before);
              throw error;
            }
          },
          FUZZ.runs / 8,
        );
      }
      await perform(processOf(disk, 1), step);
    }
  });

  test("a channel to import", async () => {
    const disk = copyOf(article);
    const valid = filesOf(disk, "alice")["channel.json"]!;
    for (const name of ["channel.json", "highwater.json"]) processOf(disk, 1).fs.unlinkSync(`/alice/${name}`);
    await check(
      jsonInputs([valid]),
      (bytes) => runCommand("import-channel", ["/alice", "-"], { dryRun: true }, { host: processOf(copyOf(disk), 2), stdin: text(bytes) }),
      FUZZ.runs / 4,
    );
  });

  test("a channel to look at and to work with", async () => {
    const valid = filesOf(anchors, "alice")["channel.json"]!;
    const commands: readonly (readonly [string, readonly string[], Record<string, string | true>])[] = [
      ["status", [], {}],
      ["build-commitment", [], { owner: "local", explain: true }],
      ["build-commitment", [], { owner: "remote" }],
      ["sign", [], { keys: "/alice/keys.json", channelOut: "/out" }],
      ["make-revocation", [], { keys: "/alice/keys.json", channelOut: "/out" }],
      ["pay", ["1sat"], { channelOut: "/out" }],
      ["force-close", [], { keys: "/alice/keys.json", channelOut: "/out" }],
      ["resend", [], { keys: "/alice/keys.json" }],
    ];
    let turn = 0;
    await check(
      jsonInputs([valid]),
      (bytes) => {
        const [name, args, flags] = commands[turn++ % commands.length]!;
        return runCommand(name, args, { ...flags, channel: "-" }, { host: processOf(copyOf(anchors), 2), stdin: text(bytes) });
      },
      FUZZ.runs,
    );
  });

  test("test vectors: cases and published layouts", async () => {
    const lines = readFileSync("fixtures/vectors/cases/anchors.ndjson", "utf8").trim().split("\n").slice(0, 2);
    await check(jsonInputs(lines), (bytes) => verifyLine(text(bytes), 0, "-"), FUZZ.runs / 4);
    await check(byteInputs([new TextEncoder().encode(lines.join("\n"))]), (bytes) => verifyVectors(text(bytes), "-"), FUZZ.runs / 8);
    for (const name of ["key-derivation", "per-commitment-secrets", "funding"]) {
      const file = readFileSync(join("fixtures/vectors", `${name}.json`), "utf8");
      await check(jsonInputs([file]), (bytes) => verifyVectors(text(bytes), "-"), FUZZ.runs / 8);
    }
  });

  test("transactions, to inspect, to punish and to sign", async () => {
    const close = async (disk: Disk, name: string) => {
      const { document } = await runCommand("force-close", [`/${name}`], {}, { host: processOf(copyOf(disk), 2) });
      return (document as { readonly tx: string }).tx;
    };
    const sample = JSON.parse(readFileSync("fixtures/article/sample-transactions.json", "utf8")) as {
      readonly transactions: readonly { readonly tx: string }[];
    };
    const txs = [await close(article, "alice"), await close(anchors, "bob"), ...sample.transactions.map(({ tx }) => tx)];
    const inspect = (disk: Disk, stdin: string, party: Record<string, string>) =>
      runCommand("inspect", ["-"], party, { host: processOf(copyOf(disk), 2), stdin });
    await check(byteInputs(txs.map(fromHex)), (bytes) => inspect(anchors, toHex(bytes), { party: "/alice" }));
    await check(byteInputs(txs.map((tx) => new TextEncoder().encode(tx))), (bytes) => inspect(anchors, text(bytes), {}), FUZZ.runs / 2);
    await check(
      byteInputs(txs.map(fromHex)),
      (bytes) =>
        runCommand("penalty-tx", ["/alice"], { tx: "-", to: JUNK_TO, feerate: "253" }, { host: processOf(copyOf(anchors), 2), stdin: toHex(bytes) }),
      FUZZ.runs / 2,
    );
    const built = await runCommand("build-commitment", ["/alice"], { owner: "remote" }, { host: processOf(copyOf(article), 2) });
    await check(
      jsonInputs([JSON.stringify(built.document)]),
      (bytes) => runCommand("sign", ["/alice", "-"], {}, { host: processOf(copyOf(article), 2), stdin: text(bytes) }),
      FUZZ.runs / 4,
    );
  });

  test("PSBTs", async () => {
    const keys = ["02", "03"].map((prefix) => point<"funding">(fromHex(`${prefix}79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798`)));
    const lock = FORMATS.anchors.funding(keys[0]!, keys[1]!);
    const psbt = new Psbt({ network: regtest });
    psbt.addInput({ hash: "ab".repeat(32), index: 2, witnessUtxo: { script: fromHex(`0014${"11".repeat(20)}`), value: 20_000_000n } });
    psbt.addOutput({ script: fromHex(`0014${"22".repeat(20)}`), value: 9_000_000n });
    psbt.addOutput({ script: lock.scriptPubkey, value: 10_000_000n });
    const read = (input: string) => fundingOutputOf(input, lock, sat(10_000_000n));
    await expect(read(psbt.toBase64())).resolves.toMatchObject({ outputIndex: 1 });
    await check(byteInputs([psbt.toBuffer()]), (bytes) => read(toHex(bytes)), FUZZ.runs * 2);
    await check(byteInputs([new TextEncoder().encode(psbt.toBase64())]), (bytes) => read(text(bytes)));
  });

  test("addresses", async () => {
    const valid = [
      JUNK_TO,
      "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6",
      "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
      "2N2JD6wb56AfK4tfmM6PwdVmoYk2dCKf4Br",
      "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
    ].map((address) => new TextEncoder().encode(address));
    let turn = 0;
    await check(byteInputs(valid), (bytes) => scriptOfAddress(text(bytes), CHAINS[turn++ % CHAINS.length]!));
  });

  test("lines of revoked commitments", async () => {
    const valid = filesOf(anchors, "bob")["revoked.ndjson"]!;
    const disk = copyOf(anchors);
    const cheat = await runCommand("force-close", ["/alice"], {}, { host: processOf(copyOf(anchors), 2) });
    const numbers = [0, 1, 2 ** 48 - 1];
    let turn = 0;
    await check(fc.oneof(jsonInputs([valid.trim()]), byteInputs([new TextEncoder().encode(valid)])), (bytes) => {
      const damaged = withFile(disk, "/bob/revoked.ndjson", bytes);
      const store = storeOn(damaged);
      if (turn++ % 4 === 0)
        return runCommand("penalty-tx", ["/bob"], { tx: "-", to: JUNK_TO, feerate: "253" }, { host: processOf(damaged, 2), stdin: cheat.document });
      for (const number of numbers) store.findRevoked(partyPaths("/bob"), number);
      store.appendRevoked("/bob/revoked.ndjson", [{ number: 7, htlcs: [] }]);
      throw new LnError("file-damaged", "counted as refused where a torn line is nothing", {});
    });
  });
});
