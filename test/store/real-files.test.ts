import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseStrict } from "../../src/json/strict.js";
import { openStore } from "../../src/store/channel-store.js";
import { nodeHost } from "../../src/store/file-system.js";
import { partyPaths, type PartyPaths } from "../../src/store/paths.js";
import { refusal } from "../json/refusal.js";
import { failing } from "./faulty-host.js";
import { change } from "./party.js";

let root = "";
beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), "chankit-store-"));
});
afterAll(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

const store = openStore(parseStrict);
const newFolder = () => fs.mkdtempSync(join(root, "folder-"));

function newParty(): PartyPaths {
  const paths = partyPaths(join(newFolder(), "alice"));
  store.createKeys(paths, { secret: "s" });
  store.createChannel(paths, { count: 0 }, { marks: change(0).marks });
  return paths;
}

const modeOf = (path: string) => (fs.statSync(path).mode & 0o777).toString(8);

/** What `act` writes into a FIFO. */
function throughFifo(act: (path: string) => void): Promise<string> {
  const path = join(newFolder(), "fifo");
  execFileSync("mkfifo", [path]);
  const reader = spawn("cat", [path]);
  const text = new Promise<string>((resolve) => {
    let read = "";
    reader.stdout.on("data", (chunk: Buffer) => (read += chunk.toString()));
    reader.on("close", () => {
      resolve(read);
    });
  });
  act(path);
  return text;
}

describe("a party's files", () => {
  test("hold what was written, and nothing is left beside them", () => {
    const paths = newParty();
    const loaded = store.load(paths, "update");
    store.save(paths, loaded, { ...loaded.document, count: 1 }, change(1));
    expect(fs.readFileSync(paths.channel, "utf8")).toBe(`{\n  "count": 1,\n  "revision": 2,\n  "previous_state_hash": "${loaded.hash}"\n}\n`);
    expect(fs.readdirSync(join(paths.channel, "..")).sort()).toEqual(["channel.json", "highwater.json", "keys.json"]);
  });

  test("keys are for their owner alone; wider modes warn, and strictly are refused", () => {
    const paths = newParty();
    expect(modeOf(paths.keys)).toBe("600");
    expect(store.readKeys(paths, { strict: true }).warnings).toEqual([]);
    fs.chmodSync(paths.keys, 0o640);
    const { document, warnings } = store.readKeys(paths, { strict: false });
    expect(document).toEqual({ secret: "s" });
    expect(warnings).toEqual([`${paths.keys} holds secrets and has mode 0640: chmod 600 ${paths.keys}`]);
    expect(refusal(() => store.readKeys(paths, { strict: true })).code).toBe("file-mode");
    fs.chmodSync(paths.keys, 0o400);
    expect(store.readKeys(paths, { strict: true }).warnings).toEqual([]);
  });

  test("a channel file keeps its mode", () => {
    const paths = newParty();
    fs.chmodSync(paths.channel, 0o600);
    store.save(paths, store.load(paths, "update"), {}, change(1));
    expect(modeOf(paths.channel)).toBe("600");
    expect(modeOf(paths.highwater)).toBe("600");
  });

  test("without modes and fsync of folders it works too", () => {
    const host = failing(
      { ...nodeHost(), posix: false },
      "EPERM",
      ({ name, args }) => name === "openSync" && fs.statSync(join(String(args[0]), "."), { throwIfNoEntry: false })?.isDirectory() === true,
    );
    const windows = openStore(parseStrict, host);
    const paths = newParty();
    fs.chmodSync(paths.keys, 0o666);
    windows.save(paths, windows.load(paths, "update"), { count: 5 }, change(1));
    expect(windows.load(paths, "update").document["count"]).toBe(5);
    expect(windows.readKeys(paths, { strict: true }).warnings).toEqual([]);
  });

  test("a channel file that is a link is read, and not rewritten in place", () => {
    const paths = newParty();
    const linked = partyPaths(newFolder());
    fs.symlinkSync(paths.channel, linked.channel);
    const loaded = store.load(linked, "update");
    expect(refusal(() => store.save(linked, loaded, {}, change(1))).code).toBe("file-not-regular");
    expect(fs.readdirSync(join(linked.channel, ".."))).toEqual(["channel.json"]);
  });

  test("a file in place of the folder", () => {
    const { channel } = newParty();
    expect(refusal(() => store.load(partyPaths(channel), "update")).code).toBe("file-not-folder");
    expect(refusal(() => store.createChannel(partyPaths(channel), {}, { marks: change(0).marks })).code).toBe("file-not-written");
  });
});

describe("a state that goes elsewhere", () => {
  test("is the one that save would write, and leaves the old files alone", () => {
    const paths = newParty();
    const loaded = store.load(paths, "pure");
    const before = fs.readFileSync(paths.channel, "utf8");
    const out = join(newFolder(), "next.json");
    const next = store.next(loaded, { count: 1 });
    store.writeState(out, next.text);
    expect(fs.readFileSync(out, "utf8")).toBe(store.next(loaded, { count: 1 }).text);
    expect(store.load({ ...paths, channel: out }, "pure")).toMatchObject({ revision: 2, hash: next.hash });
    expect(fs.readFileSync(paths.channel, "utf8")).toBe(before);
    store.save(paths, loaded, { count: 1 }, change(1));
    expect(fs.readFileSync(out, "utf8")).toBe(fs.readFileSync(paths.channel, "utf8"));
  });

  test("goes into a pipe", async () => {
    const paths = newParty();
    const loaded = store.load(paths, "pure");
    const text = await throughFifo((path) => {
      store.writeState(path, store.next(loaded, { count: 1 }).text);
    });
    expect(text).toBe(store.next(loaded, { count: 1 }).text);
    const lines = await throughFifo((path) => {
      store.appendRevoked(path, [{ number: 1 }, { number: 2 }]);
    });
    expect(lines).toBe('{"number":1}\n{"number":2}\n');
  });

  test("on a full device is file-not-written", () => {
    const loaded = store.load(newParty(), "pure");
    expect(
      refusal(() => {
        store.writeState("/dev/full", store.next(loaded, {}).text);
      }),
    ).toMatchObject({ code: "file-not-written", details: { system: "ENOSPC" } });
  });
});

describe("an output", () => {
  test("replaces a file, through links, and keeps its mode", () => {
    const folder = newFolder();
    const [file, link] = [join(folder, "out.json"), join(folder, "link.json")];
    fs.writeFileSync(file, "old", { mode: 0o640 });
    fs.symlinkSync("out.json", link);
    store.writeOutput(link, "new", "replace");
    expect(fs.readFileSync(file, "utf8")).toBe("new");
    expect(modeOf(file)).toBe("640");
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
    expect(fs.readdirSync(folder).sort()).toEqual(["link.json", "out.json"]);
  });

  test("of ours is written once; the same again is fine, other content is not", () => {
    const path = join(newFolder(), "0001-alice-pay.json");
    store.writeOutput(path, "one", "keep");
    store.writeOutput(path, "one", "keep");
    expect(
      refusal(() => {
        store.writeOutput(path, "two", "keep");
      }).code,
    ).toBe("output-exists");
    expect(fs.readFileSync(path, "utf8")).toBe("one");
  });

  test.each(["replace", "keep"] as const)("goes into a pipe (%s)", async (existing) => {
    const long = `${"x".repeat(300_000)}\n`;
    expect(
      await throughFifo((path) => {
        store.writeOutput(path, long, existing);
      }),
    ).toBe(long);
  });

  test("to a device that is full, or a folder, is output-not-written", () => {
    expect(
      refusal(() => {
        store.writeOutput("/dev/full", "x", "replace");
      }).details,
    ).toMatchObject({ system: "ENOSPC" });
    const folder = newFolder();
    for (const path of [folder, join(folder, "missing", "x.json")]) {
      expect(
        refusal(() => {
          store.writeOutput(path, "x", "replace");
        }),
      ).toMatchObject({ code: "output-not-written", details: { path } });
    }
    fs.writeFileSync(join(folder, "file"), "");
    expect(
      refusal(() => {
        store.makeFolder(join(folder, "file", "x"));
      }).code,
    ).toBe("output-not-written");
    store.makeFolder(join(folder, "a", "b"));
    expect(fs.statSync(join(folder, "a", "b")).isDirectory()).toBe(true);
  });

  test("that nobody reads any more is output-closed", () => {
    const host = failing(nodeHost(), "EPIPE", ({ name }) => name === "writeSync");
    expect(
      refusal(() => {
        openStore(parseStrict, host).writeOutput("/dev/null", "x", "replace");
      }).code,
    ).toBe("output-closed");
  });
});

test("four real processes on one party, killed at random: no count is lost and none is made twice", async () => {
  const target = 40;
  const paths = newParty();
  const script = join(root, "counter.cjs");
  await build({
    stdin: {
      contents: `
        import { parseStrict } from "./src/json/strict.js";
        import { openStore } from "./src/store/channel-store.js";
        import { writeSync } from "node:fs";
        const store = openStore(parseStrict);
        const paths = JSON.parse(process.argv[2]);
        for (;;) {
          try {
            const loaded = store.load(paths, "update");
            if (loaded.document.count >= ${target}) break;
            const count = loaded.document.count + 1;
            store.save(paths, loaded, { ...loaded.document, count }, { marks: { lowestUnreleased: count, highestSigned: null }, revoked: [{ number: count }] });
            writeSync(1, count + "\\n");
          } catch (error) {
            if (error.code !== "file-revision-conflict" && error.code !== "busy-channel") throw error;
          }
        }`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    format: "cjs",
    platform: "node",
    mainFields: ["module", "main"],
    outfile: script,
  });

  let acknowledged = "";
  let kills = 0;
  const failures: string[] = [];
  const run = (): Promise<boolean> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [script, JSON.stringify(paths)]);
      child.stdout.on("data", (chunk: Buffer) => (acknowledged += chunk.toString()));
      // After its first success, so that every process makes some progress.
      child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), Math.random() * 60));
      child.stderr.on("data", (chunk: Buffer) => failures.push(chunk.toString()));
      child.on("close", (_code, signal) => {
        if (signal !== null) kills++;
        resolve(signal === null);
      });
    });
  const worker = async (): Promise<void> => {
    while (!(await run()));
  };
  await Promise.all([worker(), worker(), worker(), worker()]);

  expect(failures).toEqual([]);
  const counts = acknowledged.trimEnd().split("\n").map(Number);
  expect(new Set(counts).size).toBe(counts.length);
  expect(kills).toBeGreaterThan(3);
  expect(counts.length).toBeGreaterThanOrEqual(target - kills);
  const state = store.load(paths, "update");
  expect(state.document["count"]).toBe(target);
  expect(state.revision).toBe(target + 1);
  const lines = fs.readFileSync(paths.revoked, "utf8").trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual(Array.from({ length: target }, (_, index) => index + 1));
  store.save(paths, state, {}, change(target + 1));
  expect(fs.readdirSync(join(paths.channel, "..")).sort()).toEqual(["channel.json", "highwater.json", "keys.json", "revoked.ndjson"]);
}, 120_000);
