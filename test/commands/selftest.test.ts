import { describe, expect, test } from "vitest";
import { ecc } from "../../src/protocol/ecc.js";
import { runCommand } from "../support/party.js";

describe("selftest", () => {
  test("every check of every backend passes, and the backend in use stays in use", async () => {
    const before = ecc();
    const { document, verdict } = await runCommand("selftest", []);
    expect(verdict).toBe("yes");
    expect(document).toMatchObject({ backend: before.name, failed: 0, installed: expect.arrayContaining(["wasm"]) as unknown });
    expect((document["checks"] as { ok: boolean }[]).length).toBeGreaterThanOrEqual(12);
    expect(ecc()).toBe(before);
  });
});
