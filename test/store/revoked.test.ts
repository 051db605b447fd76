import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/store/state.js";
import { refusal } from "../json/refusal.js";
import { hostOn, watched } from "./faulty-host.js";
import { contentOf, copyOf, emptyDisk, fileSystemOn, type Disk } from "./memory-disk.js";
import { change, diskAt, FOLDER, PATHS, processOn, revokedLine, revokedNumbers, storeOn } from "./party.js";

const from = diskAt(1);

function revoke(disk: Disk, ...revoked: readonly JsonObject[]): void {
  const store = processOn(disk, 1);
  store.save(PATHS, store.load(PATHS, "update"), {}, { ...change(1), revoked });
}

function withText(text: string): Disk {
  const disk = copyOf(from);
  processOn(disk, 1).writeOutput(PATHS.revoked, text, "replace");
  return disk;
}

const textOf = (disk: Disk) => contentOf(disk, FOLDER)["revoked.ndjson"];
const line = (number: number) => `${JSON.stringify(revokedLine(number))}\n`;

describe("lines are added", () => {
  test("one per commitment, in order, and none twice", () => {
    const disk = copyOf(from);
    revoke(disk, revokedLine(3));
    revoke(disk, revokedLine(3), revokedLine(4));
    revoke(disk, revokedLine(4));
    revoke(disk);
    expect(textOf(disk)).toBe(line(3) + line(4));
  });

  test("several of one number, for several fundings, all found", () => {
    const disk = copyOf(from);
    const [one, other] = [
      { number: 3, funding: "a" },
      { number: 3, funding: "b" },
    ];
    revoke(disk, one);
    revoke(disk, one, other);
    revoke(disk, revokedLine(5));
    expect(processOn(disk, 1).findRevoked(PATHS, 3)).toEqual([one, other]);
  });

  test("never out of order", () => {
    const disk = withText(line(3) + line(5));
    expect(
      refusal(() => {
        revoke(disk, revokedLine(4));
      }).code,
    ).toBe("file-revoked-order");
    revoke(disk, revokedLine(3));
    expect(textOf(disk)).toBe(line(3) + line(5));
    expect(processOn(disk, 1).load(PATHS, "look").revision).toBe(2);
  });

  test.each([1, 20, 60, 5000])("over a torn last line of %d bytes", (length) => {
    const torn = `${line(9).slice(0, -2)}${"x".repeat(5000)}`.slice(0, length);
    const disk = withText(line(3) + torn);
    expect(processOn(disk, 1).findRevoked(PATHS, 9)).toEqual([]);
    revoke(disk, revokedLine(4));
    expect(revokedNumbers(disk)).toEqual([3, 4]);
    expect(textOf(disk)?.length).toBe(line(3).length + Math.max(line(4).length, length));
    revoke(disk, revokedLine(4), revokedLine(5));
    expect(revokedNumbers(disk)).toEqual([3, 4, 5]);
    expect(processOn(disk, 1).findRevoked(PATHS, 4)).toEqual([revokedLine(4)]);
  });
});

describe("a number is found", () => {
  test("in files of any lines", () => {
    const lines = fc.uniqueArray(fc.record({ number: fc.nat({ max: 60 }), padding: fc.string({ maxLength: 300 }) }), {
      selector: (one) => one.number,
    });
    fc.assert(
      fc.property(lines, fc.string({ unit: fc.constantFrom("x", "{"), maxLength: 200 }), (unsorted, torn) => {
        const sorted = [...unsorted].sort((a, b) => a.number - b.number);
        const store = processOn(withText(sorted.map((one) => `${JSON.stringify(one)}\n`).join("") + torn), 1);
        for (let number = 0; number <= 60; number++) {
          expect(store.findRevoked(PATHS, number)).toEqual(sorted.filter((one) => one.number === number));
        }
      }),
      { numRuns: 50 },
    );
  });

  test("in a file that is absent, there is none", () => {
    expect(processOn(emptyDisk(), 1).findRevoked(PATHS, 3)).toEqual([]);
  });

  test("in 100,000 lines by reading a few, and one is added as cheaply", () => {
    const disk = withText(Array.from({ length: 100_000 }, (_, number) => line(number)).join(""));
    let bytes = 0;
    const host = watched(hostOn(fileSystemOn(disk), 1), ({ name, args }) => {
      if (name === "readSync") bytes += Number(args[3]);
    });
    expect(storeOn(host).findRevoked(PATHS, 77_777)).toEqual([revokedLine(77_777)]);
    expect(bytes).toBeLessThan(400_000);
    bytes = 0;
    storeOn(host).appendRevoked(PATHS.revoked, [revokedLine(100_000)]);
    expect(bytes).toBeLessThan(20_000);
    expect(processOn(disk, 1).findRevoked(PATHS, 100_000)).toEqual([revokedLine(100_000)]);
  });
});

describe("a damaged line before the last newline is refused, with its place", () => {
  test.each(["{\n", "\n", "[1]\n", '{"number":-1}\n', '{"numbers":4}\n', '{"number":4,"number":4}\n'])("%j", (damage) => {
    const disk = withText(line(3) + damage);
    const error = refusal(() => processOn(disk, 1).findRevoked(PATHS, 4));
    expect(error.code).toBe("file-damaged");
    expect(error.message).toContain(`at byte ${line(3).length}`);
    expect(
      refusal(() => {
        revoke(disk, revokedLine(9));
      }).code,
    ).toBe("file-damaged");
    expect(processOn(disk, 1).load(PATHS, "look").revision).toBe(1);
  });
});
