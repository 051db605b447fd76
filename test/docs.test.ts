import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { page, pages } from "./tools/docs.mjs";

describe("docs/", () => {
  test.each(Object.keys(pages))("%s is what the program says (npm run docs)", async (path) => {
    expect(readFileSync(new URL(`../${path}`, import.meta.url), "utf8")).toBe(await page(path));
  });
});
