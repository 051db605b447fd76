import { describe, expect, test } from "vitest";
import { partyPaths, singlePaths } from "../../src/store/paths.js";
import { refusal } from "../json/refusal.js";
import { failing, hostOn } from "./faulty-host.js";
import { contentOf, copyOf, emptyDisk, fileSystemOn, type Disk } from "./memory-disk.js";
import { change, diskAt, FOLDER, PATHS, processOn, stepOf, storeOn } from "./party.js";

const from = diskAt(7);

function write(disk: Disk, path: string, content: string): void {
  processOn(disk, 1).writeOutput(path, content, "replace");
}

function fileAt(revision: number, name: string): string {
  return contentOf(diskAt(revision), FOLDER)[name] ?? "";
}

/** What loading says after files of the party were replaced (undefined: removed). */
function faultAfter(files: Readonly<Record<string, string | undefined>>, disk = copyOf(from)) {
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) fileSystemOn(disk).unlinkSync(`${FOLDER}/${name}`);
    else write(disk, `${FOLDER}/${name}`, content);
  }
  const look = refusal(() => processOn(disk, 1).load(PATHS, "look"));
  const update = refusal(() => processOn(disk, 1).load(PATHS, "update"));
  expect(look.message).toBe(update.message);
  return update;
}

describe("a state and the highwater file beside it", () => {
  test("the document comes as it was written, with its place in the chain", () => {
    const first = processOn(diskAt(1), 1).load(PATHS, "look");
    expect(first.document).toEqual({ format: "test", step: 1, revision: 1, previous_state_hash: null });
    const second = processOn(diskAt(2), 1).load(PATHS, "look");
    expect(second.document).toEqual({ format: "test", step: 2, revision: 2, previous_state_hash: first.hash });
  });

  test("laid out anew, it is the same", () => {
    const disk = copyOf(from);
    write(disk, PATHS.channel, JSON.stringify(JSON.parse(fileAt(7, "channel.json")), null, "\t"));
    expect(processOn(disk, 1).load(PATHS, "update").hash).toBe(processOn(from, 1).load(PATHS, "update").hash);
  });

  test("an older channel file is refused, and both revisions are named", () => {
    const error = faultAfter({ "channel.json": fileAt(5, "channel.json") });
    expect(error.code).toBe("file-revision-stale");
    expect(error.message).toContain("at revision 5, but revision 7 was in use already");
    expect(error.details).toMatchObject({ revision: 5, highwater_revision: 7 });
  });

  test("a channel file that was changed by hand is refused", () => {
    const edited = fileAt(7, "channel.json").replace('"step": 7', '"step": 70');
    expect(faultAfter({ "channel.json": edited }).code).toBe("file-edited");
    expect(faultAfter({ "channel.json": edited }).message).toContain("changed by hand");
  });

  test("one revision ahead is what a kill between the two writes leaves, and the next save repairs it", () => {
    const disk = copyOf(from);
    write(disk, PATHS.highwater, fileAt(6, "highwater.json"));
    const store = processOn(disk, 1);
    store.save(PATHS, store.load(PATHS, "update"), { step: 8 }, change(8));
    expect(JSON.parse(contentOf(disk, FOLDER)["highwater.json"] ?? "")).toMatchObject({ revision: 8, highest_signed: 8 });
    expect(stepOf(store.load(PATHS, "update"))).toBe(8);
  });

  test("one revision ahead of another state is refused", () => {
    const other = fileAt(6, "highwater.json").replace(/"state_hash": "\w+/, `"state_hash": "${"0".repeat(64)}`);
    expect(faultAfter({ "highwater.json": other }).code).toBe("file-edited");
  });

  test("an older highwater file is refused", () => {
    const error = faultAfter({ "highwater.json": fileAt(5, "highwater.json") });
    expect(error.code).toBe("file-highwater-stale");
  });

  test("a missing highwater file is refused, but for the first revision", () => {
    expect(faultAfter({ "highwater.json": undefined }).code).toBe("file-highwater-missing");
    const disk = diskAt(1);
    fileSystemOn(disk).unlinkSync(PATHS.highwater);
    expect(stepOf(processOn(disk, 1).load(PATHS, "update"))).toBe(1);
  });

  test("a highwater file of a later version is refused, and one that is none", () => {
    const text = fileAt(7, "highwater.json");
    expect(faultAfter({ "highwater.json": text.replace('"version": 1', '"version": 2') }).code).toBe("file-version-newer");
    expect(faultAfter({ "highwater.json": text.replace("chankit-highwater", "other") }).code).toBe("file-damaged");
    expect(faultAfter({ "highwater.json": "" }).code).toBe("file-damaged");
  });

  test("a pure function reads the channel file alone", () => {
    const disk = copyOf(from);
    write(disk, PATHS.channel, fileAt(5, "channel.json"));
    expect(stepOf(processOn(disk, 1).load(PATHS, "pure"))).toBe(5);
  });
});

describe("what is no state", () => {
  test.each([
    ["nothing", "", "empty"],
    ["half of one", fileAt(7, "channel.json").slice(0, 40), "channel.json"],
    ["a list", "[]", "no JSON object"],
    ["no revision", '{"previous_state_hash":null}', "no revision"],
    ["revision 0", '{"revision":0,"previous_state_hash":null}', "no revision"],
    ["no previous state", '{"revision":1}', "no previous_state_hash"],
  ])("%s is file-damaged", (_, content, words) => {
    const error = faultAfter({ "channel.json": content });
    expect(error.code).toBe("file-damaged");
    expect(error.message).toContain(words);
  });

  test("bytes that are no text are file-damaged", () => {
    const fs = fileSystemOn(emptyDisk());
    const fd = fs.openSync("/x", "wx");
    fs.writeSync(fd, Uint8Array.of(0xff), 0, 1, null);
    expect(refusal(() => storeOn(hostOn(fs, 1)).readText("/x")).code).toBe("file-damaged");
  });

  test("a file without end is given up", () => {
    const fs = fileSystemOn(copyOf(from));
    const endless = { ...fs, readSync: (_fd: number, _buffer: Uint8Array, _offset: number, length: number) => length };
    expect(refusal(() => storeOn(hostOn(endless, 1)).load(PATHS, "pure")).code).toBe("file-too-large");
  });
});

describe("no state at all", () => {
  test("each case says what is missing", () => {
    const disk = emptyDisk();
    const absent = (purpose: "look" | "update" = "look") => refusal(() => processOn(disk, 1).load(PATHS, purpose));
    expect(absent()).toMatchObject({ code: "file-folder-missing", message: "there is no folder /alice" });
    fileSystemOn(disk).mkdirSync(FOLDER);
    expect(absent("update").code).toBe("file-missing");
    expect(absent().message).toContain("no channel has been opened or accepted in it");
    write(disk, PATHS.highwater, fileAt(1, "highwater.json"));
    expect(absent().message).toContain("was removed");
    fileSystemOn(disk).unlinkSync(PATHS.highwater);
    fileSystemOn(disk).rmdirSync(FOLDER);
    write(disk, FOLDER, "a file");
    expect(absent().code).toBe("file-not-folder");
    expect(refusal(() => processOn(disk, 1).load(PATHS, "pure")).code).toBe("file-missing");
  });

  test.each(["EACCES", "EIO"])("a file that cannot be read (%s) is named", (code) => {
    const host = failing(hostOn(fileSystemOn(copyOf(from)), 1), code, ({ name }) => name === "openSync");
    const error = refusal(() => storeOn(host).load(PATHS, "update"));
    expect(error).toMatchObject({ code: "file-unreadable", details: { path: PATHS.channel, system: code } });
  });
});

describe("creating a party", () => {
  test.each(["channel.json", "highwater.json", "revoked.ndjson"])("is refused over %s", (name) => {
    const disk = copyOf(from);
    for (const other of Object.keys(contentOf(disk, FOLDER))) if (other !== name) fileSystemOn(disk).unlinkSync(`${FOLDER}/${other}`);
    const content = contentOf(disk, FOLDER);
    const error = refusal(() => processOn(disk, 1).createChannel(PATHS, {}, { marks: change(0).marks }));
    expect(error).toMatchObject({ code: "file-exists", details: { path: `${FOLDER}/${name}` } });
    expect(contentOf(disk, FOLDER)).toEqual(content);
  });

  test("never replaces keys", () => {
    const disk = emptyDisk();
    processOn(disk, 1).createKeys(PATHS, { secret: "one" });
    expect(
      refusal(() => {
        processOn(disk, 1).createKeys(PATHS, { secret: "two" });
      }).code,
    ).toBe("file-exists");
    expect(processOn(disk, 1).readKeys(PATHS, { strict: false }).document).toEqual({ secret: "one" });
    expect(Object.keys(contentOf(disk, FOLDER))).toEqual(["keys.json"]);
  });
});

describe("where the files are", () => {
  test("a folder holds them under the usual names", () => {
    expect(partyPaths("alice/")).toEqual({
      channel: "alice/channel.json",
      keys: "alice/keys.json",
      revoked: "alice/revoked.ndjson",
      highwater: "alice/highwater.json",
      journal: "alice/journal.ndjson",
    });
  });

  test("beside a channel file that is named singly", () => {
    expect(singlePaths("alice/channel.json")).toEqual(partyPaths("alice"));
    expect(singlePaths("a.json", "secret/k.json")).toEqual({
      channel: "a.json",
      keys: "secret/k.json",
      revoked: "a.revoked.ndjson",
      highwater: "a.highwater.json",
      journal: "a.journal.ndjson",
    });
  });
});

describe("a name below /dev or /proc", () => {
  const withFolders = (...folders: readonly string[]): Disk => {
    const disk = emptyDisk();
    for (const folder of folders) fileSystemOn(disk).mkdirSync(folder);
    return disk;
  };

  test("is that of a file like any, in the memory that a system lends as a disk", () => {
    const disk = withFolders("/dev", "/dev/shm");
    write(disk, "/dev/shm/out.json", "new");
    expect(contentOf(disk, "/dev/shm")).toEqual({ "out.json": "new" });
  });

  test.each(["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])("is never made where it stands for what is open: %s", (path) => {
    const disk = withFolders("/dev", "/dev/fd", "/proc", "/proc/self", "/proc/self/fd");
    const before = contentOf(disk, "/");
    const writing = refusal(() => {
      write(disk, path, "new");
    });
    expect(writing).toMatchObject({ code: "output-not-written", details: { system: "ENOENT" } });
    expect(contentOf(disk, "/")).toEqual(before);
  });
});
