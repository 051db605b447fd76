import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { REGISTRY } from "../src/commands/registry.js";
import { page, pages } from "./tools/docs.mjs";

describe("what is written from the program", () => {
  test.each(Object.keys(pages))("%s is what the program says (npm run docs)", async (path) => {
    expect(readFileSync(new URL(`../${path}`, import.meta.url), "utf8")).toBe(await page(path));
  });

  test("commands.md has every command", () => {
    const text = readFileSync(new URL("../docs/commands.md", import.meta.url), "utf8");
    expect([...text.matchAll(/^## (\S+)$/gm)].map(([, name]) => name)).toEqual(REGISTRY.map(({ name }) => name));
  });
});
