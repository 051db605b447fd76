import { describe, expect, test } from "vitest";
import { loadEcc } from "../../src/ecc/load.js";

const here = { system: `${process.platform}-${process.arch}`, recording: true };

describe("the curve backend that CHANKIT_ECC asks for", () => {
  test("wasm", async () => {
    expect((await loadEcc("wasm", here)).name).toBe("wasm");
  });

  test("none other than wasm or native", async () => {
    await expect(loadEcc("elliptic", here)).rejects.toMatchObject({ code: "usage-ecc", details: { value: "elliptic" } });
  });
});
