import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { LnError } from "../../src/protocol/errors.js";
import type { Store } from "../../src/store/channel-store.js";
import type { Host } from "../../src/store/file-system.js";
import { changesFiles, failing, hostOn, Killed, mortal, watched, type Operation } from "./faulty-host.js";
import { contentOf, copyOf, cutPower, emptyDisk, fileSystemOn, type Disk } from "./memory-disk.js";
import { change, diskAt, FOLDER, PATHS, processOn, revokedNumbers, revoking, stepOf, storeOn } from "./party.js";

// Thousands of runs to a test: no measure of anything on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const VICTIM = 2002;
const HEIR = 3003;

/** Something that changes a party's files, and what shows whether it was done. Undefined: there is no channel. */
interface Work {
  readonly name: string;
  readonly from: Disk;
  readonly run: (store: Store) => void;
  readonly before: number | undefined;
  readonly after: number;
  readonly revoked: readonly number[];
}

const works: readonly Work[] = [
  {
    name: "save",
    from: diskAt(3),
    run: (store) => {
      const loaded = store.load(PATHS, "update");
      store.save(PATHS, loaded, { ...loaded.document, step: 4 }, revoking(4));
    },
    before: 3,
    after: 4,
    revoked: [2, 3, 4],
  },
  {
    name: "createChannel",
    from: emptyDisk(),
    run: (store) => {
      store.createChannel(PATHS, { step: 1 }, { marks: change(0).marks });
    },
    before: undefined,
    after: 1,
    revoked: [],
  },
];

function stepSeen(store: Store, purpose: "look" | "update"): unknown {
  try {
    return stepOf(store.load(PATHS, purpose));
  } catch (error) {
    if (error instanceof LnError && (error.code === "file-missing" || error.code === "file-folder-missing")) return undefined;
    throw error;
  }
}

function hostFor(disk: Disk, pid: number): Host {
  return hostOn(fileSystemOn(disk), pid);
}

/** Whether the process lived to the end of it. */
function survives(host: Host, run: (store: Store) => void): boolean {
  try {
    run(storeOn(host));
    return true;
  } catch (error) {
    if (error instanceof Killed) return false;
    throw error;
  }
}

function operationsOf(work: Work): readonly Operation[] {
  const operations: Operation[] = [];
  work.run(
    storeOn(
      watched(hostFor(copyOf(work.from), VICTIM), (operation) => {
        operations.push(operation);
      }),
    ),
  );
  return operations;
}

/** After whatever happened: the work can be done, or is, and the files end as if nothing had happened. */
function expectRecovery(work: Work, disk: Disk): void {
  const heir = processOn(disk, HEIR);
  if (stepSeen(heir, "update") === work.before) work.run(heir);
  expect(stepSeen(processOn(disk, HEIR), "update")).toBe(work.after);
  expect(revokedNumbers(disk)).toEqual(work.revoked);
  // The next save tidies up after whoever was killed.
  const loaded = heir.load(PATHS, "update");
  heir.save(PATHS, loaded, { ...loaded.document, step: "next" }, change(9));
  const content = contentOf(disk, FOLDER);
  expect(Object.keys(content)).toEqual(["channel.json", "highwater.json", ...(work.revoked.length > 0 ? ["revoked.ndjson"] : [])]);
  expect(JSON.parse(content["highwater.json"] ?? "")).toMatchObject({ revision: loaded.revision + 1, lowest_unreleased: 9 });
}

describe.each(works)("killed at any file operation of $name", (work) => {
  const count = operationsOf(work).length;

  test("leaves the old state or the new one, and the work can be done again", () => {
    const outcomes = new Set<unknown>();
    for (let at = 0; at < count; at++) {
      const disk = copyOf(work.from);
      expect(survives(mortal(hostFor(disk, VICTIM), at), work.run)).toBe(false);
      const content = contentOf(disk, "/");
      const seen = stepSeen(processOn(disk, HEIR), "look");
      expect(contentOf(disk, "/"), "looking changes nothing").toEqual(content);
      expect(stepSeen(processOn(disk, HEIR), "update"), "and shows what comes out").toBe(seen);
      outcomes.add(seen);
      expectRecovery(work, disk);
    }
    expect(outcomes).toEqual(new Set([work.before, work.after]));
  });

  test("killed again at any operation of the recovery", () => {
    let kills = 0;
    for (let at = 0; at < count; at++) {
      const left = copyOf(work.from);
      survives(mortal(hostFor(left, VICTIM), at), work.run);
      for (let again = 0; ; again++) {
        const disk = copyOf(left);
        if (survives(mortal(hostFor(disk, HEIR + 1), again), (store) => stepSeen(store, "update"))) break;
        kills++;
        expect([work.before, work.after]).toContain(stepSeen(processOn(disk, HEIR), "look"));
        expectRecovery(work, disk);
      }
    }
    expect(kills).toBeGreaterThan(count);
  });

  test("with the power gone too, whichever changes the disk has kept", () => {
    fc.assert(
      fc.property(fc.nat({ max: count }), fc.infiniteStream(fc.boolean()), (at, kept) => {
        const disk = copyOf(work.from);
        const ended = survives(mortal(hostFor(disk, VICTIM), at), work.run);
        cutPower(disk, () => kept.next().value === true);
        const seen = stepSeen(processOn(disk, HEIR), "update");
        expect(ended ? [work.after] : [work.before, work.after]).toContain(seen);
        // A command that finds its work done prints what it would have printed: that must not be lost either.
        cutPower(disk, () => false);
        expect(stepSeen(processOn(disk, HEIR), "update")).toBe(seen);
        expectRecovery(work, disk);
      }),
      { numRuns: 400 },
    );
  });

  test("killed, its work finished by another, then the power gone", () => {
    for (let at = 0; at < count; at++) {
      const disk = copyOf(work.from);
      survives(mortal(hostFor(disk, VICTIM), at), work.run);
      const seen = stepSeen(processOn(disk, HEIR), "update");
      cutPower(disk, () => false);
      expect(stepSeen(processOn(disk, HEIR), "update")).toBe(seen);
      expectRecovery(work, disk);
    }
  });
});

describe.each(works)("an error at any file operation of $name", (work) => {
  test.each(["ENOSPC", "EIO"])("%s: the old state if nothing was written, else the new one", (code) => {
    const codes = new Set<string>();
    for (const lasting of [false, true]) {
      for (const { index } of operationsOf(work).filter(changesFiles)) {
        const disk = copyOf(work.from);
        const host = failing(hostFor(disk, VICTIM), code, (operation) => {
          const due = lasting ? operation.index >= index : operation.index === index;
          // A full disk still lets go of files.
          return due && changesFiles(operation) && operation.name !== "unlinkSync" && operation.name !== "rmdirSync";
        });
        let refused = "none";
        try {
          work.run(storeOn(host));
        } catch (error) {
          if (!(error instanceof LnError)) throw error;
          refused = error.code;
        }
        codes.add(refused);
        expect(stepSeen(processOn(disk, HEIR), "update")).toBe(refused === "file-not-written" ? work.before : work.after);
        expectRecovery(work, disk);
      }
    }
    expect(codes).toEqual(new Set(["none", "file-not-written", "file-not-durable"]));
  });
});

test("keys are whole or absent, and never left in an unfinished file", () => {
  let ended = false;
  for (let at = 0; !ended; at++) {
    const disk = emptyDisk();
    ended = survives(mortal(hostFor(disk, VICTIM), at), (store) => {
      store.createKeys(PATHS, { secret: "s" });
    });
    const heir = processOn(disk, HEIR);
    if (contentOf(disk, FOLDER)["keys.json"] === undefined) heir.createKeys(PATHS, { secret: "s" });
    expect(heir.readKeys(PATHS, { strict: false }).document).toEqual({ secret: "s" });
    heir.createChannel(PATHS, {}, { marks: change(0).marks });
    expect(Object.keys(contentOf(disk, FOLDER))).toEqual(["channel.json", "highwater.json", "keys.json"]);
  }
});

test.each(["replace", "keep"] as const)("an output (%s) is whole or as it was", (existing) => {
  let ended = false;
  for (let at = 0; !ended; at++) {
    const disk = emptyDisk();
    if (existing === "replace") processOn(disk, HEIR).writeOutput("/message.json", "old\n", existing);
    ended = survives(mortal(hostFor(disk, VICTIM), at), (store) => {
      store.writeOutput("/message.json", "new\n", existing);
    });
    const content = contentOf(disk, "/")["message.json"];
    expect(existing === "replace" ? ["old\n", "new\n"] : [undefined, "new\n"]).toContain(content);
    if (ended) expect(content).toBe("new\n");
    processOn(disk, HEIR).writeOutput("/message.json", "new\n", existing);
  }
});

test("the order in which a save makes things durable", () => {
  const shown = (path: unknown) =>
    String(path)
      .replace(FOLDER, "")
      .replace(/^[/]/, "")
      .replace(/tmp-2002-\w*/, "OWN")
      .replace(/2002-\w+/, "ID");
  const log: string[] = [];
  let opened = "";
  const host = watched(hostFor(copyOf(diskAt(3)), VICTIM), (operation) => {
    const [first, second] = operation.args;
    const { name } = operation;
    if (name === "openSync") opened = shown(first);
    else if (name === "writeSync" || name === "fsyncSync") log.push(`${name.slice(0, 5)} ${opened}`);
    else if (name === "renameSync") log.push(`move  ${shown(first)} → ${shown(second)}`);
    else if (changesFiles(operation)) log.push(`${name.slice(0, 5)} ${shown(first)}`);
  });
  works[0]?.run(storeOn(host));
  expect(log).toEqual([
    "mkdte .channel.json.OWN",
    "write .channel.json.OWN/ID.state",
    "fsync .channel.json.OWN/ID.state",
    "write .channel.json.OWN/ID.highwater",
    "fsync .channel.json.OWN/ID.highwater",
    "write .channel.json.OWN/ID.revoked-130",
    "fsync .channel.json.OWN/ID.revoked-130",
    "fsync .channel.json.OWN",
    "move  .channel.json.OWN → .channel.json.next-4",
    "write revoked.ndjson",
    "fsync revoked.ndjson",
    "move  .channel.json.next-4/ID.state → channel.json",
    "fsync ",
    "move  .channel.json.next-4/ID.highwater → highwater.json",
    "fsync ",
    "unlin .channel.json.next-4/ID.revoked-130",
    "rmdir .channel.json.next-4",
    "unlin .channel.json.next-4/ID.state",
  ]);
});
