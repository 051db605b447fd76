import { describe, expect, test } from "vitest";
import { loadEcc } from "../../src/ecc/load.js";

describe("the curve backend that CHANKIT_ECC asks for", () => {
  test("wasm", async () => {
    expect((await loadEcc("wasm", true)).name).toBe("wasm");
  });

  test("none other than wasm or native", async () => {
    await expect(loadEcc("elliptic", true)).rejects.toMatchObject({ code: "usage-ecc", details: { value: "elliptic" } });
  });
});
