import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { LnError } from "../../src/protocol/errors.js";
import type { Loaded, Store } from "../../src/store/channel-store.js";
import { refusal } from "../json/refusal.js";
import { hostOn, Killed, mortal, watched } from "./faulty-host.js";
import { contentOf, copyOf, emptyDisk, fileSystemOn, type Disk } from "./memory-disk.js";
import { change, diskAt, FOLDER, PATHS, processOn, revokedLine, revokedNumbers, revoking, stepOf, storeOn } from "./party.js";

// Thousands of runs to a test: no measure of anything on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const alive = () => true;

/** A living process, in the middle of which, before operation `at`, others do something. Returns how many operations there were. */
function interrupted(disk: Disk, pid: number, at: number, meanwhile: () => void, run: (store: Store) => void): number {
  let count = 0;
  let busy = false;
  const host = watched(hostOn(fileSystemOn(disk), pid, alive), ({ index }) => {
    count = index + 1;
    if (index !== at || busy) return;
    busy = true;
    meanwhile();
  });
  run(storeOn(host));
  return count;
}

/** "won", or the code of the refusal. */
function outcome(run: () => unknown): string {
  try {
    run();
    return "won";
  } catch (error) {
    if (error instanceof LnError) return error.code;
    throw error;
  }
}

const living = (disk: Disk, pid: number): Store => storeOn(hostOn(fileSystemOn(disk), pid, alive));

/** Every point of one process's work, tried in turn on a fresh copy of the disk until the work ends before the point. */
function atEveryPoint(from: Disk, act: (disk: Disk, at: number) => number): number {
  for (let at = 0; ; at++) {
    if (act(copyOf(from), at) <= at) return at;
  }
}

const from = diskAt(3);

describe("two processes that have read the same state", () => {
  // Equal documents too: that two pay the same amount does not make it one payment.
  test.each([
    ["different", "b"],
    ["equal", "a"],
  ])("and write %s ones: exactly one wins, and its state stands", (_, other) => {
    const winners = new Set<string>();
    const points = atEveryPoint(from, (disk, at) => {
      const loaded = living(disk, 1).load(PATHS, "update");
      const write = (store: Store, step: string) => store.save(PATHS, loaded, { ...loaded.document, step }, revoking(4));
      let second = "";
      let first = "";
      const count = interrupted(
        disk,
        1,
        at,
        () => (second = outcome(() => write(living(disk, 2), other))),
        (store) => (first = outcome(() => write(store, "a"))),
      );
      if (count > at) {
        expect([first, second].sort()).toEqual(["file-revision-conflict", "won"]);
        const state = processOn(disk, 3).load(PATHS, "update");
        expect(state.revision).toBe(loaded.revision + 1);
        expect(stepOf(state)).toBe(first === "won" ? "a" : other);
        expect(revokedNumbers(disk)).toEqual([2, 3, 4]);
        winners.add(first === "won" ? "first" : "second");
      }
      return count;
    });
    expect(points).toBeGreaterThan(40);
    expect(winners).toEqual(new Set(["first", "second"]));
  });

  test("three of them, each in the midst of the one before", () => {
    atEveryPoint(from, (disk, at) => {
      for (let inner = 0; ; inner += 2) {
        const copy = copyOf(disk);
        const loaded = living(copy, 1).load(PATHS, "update");
        const write = (store: Store, step: number) => outcome(() => store.save(PATHS, loaded, { ...loaded.document, step }, revoking(4)));
        const outcomes: string[] = [];
        let innerCount = Infinity;
        const third = () => outcomes.push(write(living(copy, 3), 3));
        const second = () => (innerCount = interrupted(copy, 2, inner, third, (store) => outcomes.push(write(store, 2))));
        const count = interrupted(copy, 1, at, second, (store) => outcomes.push(write(store, 1)));
        if (count <= at || innerCount <= inner) return count;
        expect(outcomes.filter((one) => one === "won")).toHaveLength(1);
        expect(outcomes.filter((one) => one === "file-revision-conflict")).toHaveLength(2);
        expect(processOn(copy, 4).load(PATHS, "update").revision).toBe(loaded.revision + 1);
      }
    });
  });

  test("and create the same party: one of them does", () => {
    atEveryPoint(emptyDisk(), (disk, at) => {
      const outcomes: string[] = [];
      const create = (store: Store, step: number) => outcomes.push(outcome(() => store.createChannel(PATHS, { step }, { marks: change(0).marks })));
      const count = interrupted(
        disk,
        1,
        at,
        () => create(living(disk, 2), 2),
        (store) => create(store, 1),
      );
      if (count > at) {
        expect(outcomes.filter((one) => one === "won")).toHaveLength(1);
        expect(["file-exists", "file-revision-conflict"]).toContain(outcomes.find((one) => one !== "won"));
      }
      return count;
    });
  });
});

describe("a process that is stopped for long", () => {
  /** Three more states, by somebody for whom the stopped process is alive, or (in another container) seems dead. */
  function goOn(disk: Disk, seenAs: (pid: number) => boolean): Loaded {
    const store = storeOn(hostOn(fileSystemOn(disk), 2, seenAs));
    let loaded = store.load(PATHS, "update");
    for (let more = 1; more <= 3; more++) {
      loaded = store.save(PATHS, loaded, { ...loaded.document, step: `more ${more}` }, revoking(loaded.revision + 1));
    }
    return loaded;
  }

  test("while saving never puts an old state back", () => {
    const results = new Set<string>();
    atEveryPoint(from, (disk, at) => {
      const loaded = living(disk, 1).load(PATHS, "update");
      let last: Loaded | undefined;
      let first = "";
      const count = interrupted(
        disk,
        1,
        at,
        () => (last = goOn(disk, alive)),
        (store) => (first = outcome(() => store.save(PATHS, loaded, { ...loaded.document, step: "slow" }, revoking(4)))),
      );
      if (last !== undefined) {
        const state = processOn(disk, 3).load(PATHS, "update");
        expect(state).toEqual(last);
        // Won: the other went on from its state. Lost: the other's first is the fourth.
        expect(state.revision).toBe(loaded.revision + (first === "won" ? 4 : 3));
        expect(revokedNumbers(disk)).toEqual(first === "won" ? [2, 3, 4, 5, 6, 7] : [2, 3, 4, 5, 6]);
        results.add(first);
      }
      return count;
    });
    expect(results).toEqual(new Set(["won", "file-revision-conflict"]));
  });

  test("while finishing what another left never puts an old state back", () => {
    for (let killed = 0; ; killed++) {
      const left = copyOf(from);
      const victim = storeOn(mortal(hostOn(fileSystemOn(left), 9), killed));
      try {
        const loaded = victim.load(PATHS, "update");
        victim.save(PATHS, loaded, { ...loaded.document, step: "left" }, revoking(4));
        break;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
      atEveryPoint(left, (disk, at) => {
        let last: Loaded | undefined;
        const count = interrupted(
          disk,
          1,
          at,
          () => (last = goOn(disk, (pid) => pid !== 9)),
          (store) => store.load(PATHS, "update"),
        );
        if (last !== undefined) expect(processOn(disk, 3).load(PATHS, "update")).toEqual(last);
        return count;
      });
    }
  });

  test("and taken for dead loses its unfinished files, and is told to try again", () => {
    const results = new Set<string>();
    atEveryPoint(from, (disk, at) => {
      const loaded = living(disk, 1).load(PATHS, "update");
      let last: Loaded | undefined;
      let first = "";
      const count = interrupted(
        disk,
        1,
        at,
        () => (last = goOn(disk, (pid) => pid !== 1)),
        (store) => (first = outcome(() => store.save(PATHS, loaded, { ...loaded.document, step: "slow" }, change(4)))),
      );
      if (last !== undefined) expect(processOn(disk, 3).load(PATHS, "update").revision).toBe(last.revision);
      results.add(first);
      return count;
    });
    expect(results).toContain("busy-channel");
  });
});

describe("what was left under the name of the next revision", () => {
  /** A disk on which pid 9 died with its update named and not carried out. */
  function abandoned(): Disk {
    for (let at = 0; ; at++) {
      const disk = copyOf(from);
      const victim = storeOn(mortal(hostOn(fileSystemOn(disk), 9), at));
      try {
        const loaded = victim.load(PATHS, "update");
        victim.save(PATHS, loaded, { ...loaded.document, step: "left" }, change(4));
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
      if (Object.keys(contentOf(disk, FOLDER)).includes(".channel.json.next-4")) return disk;
    }
  }

  test("is carried out by whoever comes, its owner dead or alive", () => {
    expect(stepOf(processOn(abandoned(), 1).load(PATHS, "update"))).toBe("left");
    expect(stepOf(living(abandoned(), 1).load(PATHS, "update"))).toBe("left");
  });

  test("makes a save of what was read before it a conflict", () => {
    const loaded = processOn(copyOf(from), 1).load(PATHS, "look");
    const error = refusal(() => processOn(abandoned(), 1).save(PATHS, loaded, loaded.document, change(4)));
    expect(error.code).toBe("file-revision-conflict");
    expect(error.details).toMatchObject({ revision_read: 3, revision: 4 });
    expect(error.message).toContain("it was at revision 3 when this command read it and is at revision 4 now");
  });

  describe("but fits no state, since the channel file was replaced by another's", () => {
    function misfit(): Disk {
      const disk = abandoned();
      const fs = fileSystemOn(disk);
      const other = emptyDisk();
      const store = processOn(other, 1);
      let loaded: Loaded = store.createChannel(PATHS, { step: "other" }, { marks: change(0).marks });
      while (loaded.revision < 3) loaded = store.save(PATHS, loaded, loaded.document, change(1));
      for (const [name, content] of Object.entries(contentOf(other, FOLDER))) {
        if (fs.readdirSync(FOLDER).includes(name)) fs.unlinkSync(`${FOLDER}/${name}`);
        processOn(disk, 1).writeOutput(`${FOLDER}/${name}`, content, "replace");
      }
      return disk;
    }

    test("is removed when its owner is dead", () => {
      const disk = misfit();
      const store = processOn(disk, 1);
      const loaded = store.load(PATHS, "update");
      expect(stepOf(loaded)).toBe("other");
      store.save(PATHS, loaded, loaded.document, change(1));
      expect(Object.keys(contentOf(disk, FOLDER))).toEqual(["channel.json", "highwater.json", "revoked.ndjson"]);
    });

    test("is waited for when its owner lives", () => {
      const store = living(misfit(), 1);
      const loaded = store.load(PATHS, "update");
      expect(refusal(() => store.save(PATHS, loaded, loaded.document, change(1))).code).toBe("busy-channel");
    });
  });
});

test("any number of processes, interrupting and killing each other anywhere, make one line of states", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ at: fc.nat({ max: 90 }), killed: fc.boolean() }), { minLength: 1, maxLength: 5 }), (plan) => {
      const disk = copyOf(from);
      const acknowledged: number[] = [];
      let pid = 10;
      const increment = (store: Store): void => {
        const loaded = store.load(PATHS, "update");
        const count = Number(loaded.document["count"] ?? 0) + 1;
        store.save(PATHS, loaded, { ...loaded.document, count }, { ...change(4), revoked: [revokedLine(100 + count)] });
        acknowledged.push(count);
      };
      let kills = 0;
      const go = (depth: number): void => {
        const step = plan[depth];
        const own = pid++;
        const host = step?.killed === true ? mortal(hostOn(fileSystemOn(disk), own, alive), step.at) : hostOn(fileSystemOn(disk), own, alive);
        let done = false;
        const interruptible = watched(host, ({ index }) => {
          if (step === undefined || done || index !== Math.floor(step.at / 2)) return;
          done = true;
          go(depth + 1);
        });
        try {
          increment(storeOn(interruptible));
        } catch (error) {
          if (error instanceof Killed) kills++;
          else expect((error as LnError).code).toBe("file-revision-conflict");
        }
      };
      go(0);
      const state = processOn(disk, 1).load(PATHS, "update");
      const count = Number(state.document["count"] ?? 0);
      expect(new Set(acknowledged).size).toBe(acknowledged.length);
      expect(count).toBeGreaterThanOrEqual(acknowledged.length);
      expect(count).toBeLessThanOrEqual(acknowledged.length + kills);
      expect(state.revision).toBe(3 + count);
      expect(revokedNumbers(disk).filter((number) => number > 100)).toEqual(Array.from({ length: count }, (_, index) => 101 + index));
    }),
    { numRuns: 500 },
  );
});
