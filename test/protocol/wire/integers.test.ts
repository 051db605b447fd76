import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "../../../src/protocol/bytes.js";
import { cursorOver } from "../../../src/protocol/wire/cursor.js";
import { readBigSize, writeBigSize, writeUint } from "../../../src/protocol/wire/integers.js";
import { refusal } from "../../json/refusal.js";

const read = (hex: string) => readBigSize(cursorOver(fromHex(hex)));

// BOLT 1 §Appendix A: BigSize Test Vectors.
describe("BigSize", () => {
  test.each([
    [0n, "00"],
    [252n, "fc"],
    [253n, "fd00fd"],
    [65535n, "fdffff"],
    [65536n, "fe00010000"],
    [4294967295n, "feffffffff"],
    [4294967296n, "ff0000000100000000"],
    [18446744073709551615n, "ffffffffffffffffff"],
  ])("%d is %s", (value, hex) => {
    expect(toHex(writeBigSize(value))).toBe(hex);
    expect(read(hex)).toBe(value);
  });

  test.each(["fd00fc", "fe0000ffff", "ff00000000ffffffff"])("%s is not minimal", (hex) => {
    expect(refusal(() => read(hex)).code).toBe("wire-bigsize");
  });

  test.each(["", "fd", "fd00", "fe", "feffff", "ff", "ffffffffff"])("%j ends too early", (hex) => {
    expect(refusal(() => read(hex)).code).toBe("wire-truncated");
  });

  test("read ∘ write = id", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
        expect(readBigSize(cursorOver(writeBigSize(value)))).toBe(value);
      }),
    );
  });
});

test("an integer that does not fit is refused", () => {
  for (const [value, size] of [
    [-1n, 1],
    [256n, 1],
    [65536n, 2],
    [2n ** 64n, 8],
  ] as const) {
    expect(refusal(() => writeUint(value, size)).code).toBe("wire-range");
  }
  expect(refusal(() => writeBigSize(2n ** 64n)).code).toBe("wire-range");
});
