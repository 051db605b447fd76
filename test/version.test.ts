import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { VERSION } from "../src/version.js";

test("--version says what package.json says", () => {
  expect(VERSION).toBe(manifest.version);
});
