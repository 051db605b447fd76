import { describe, expect, test } from "vitest";
import { REGISTRY } from "../../src/commands/registry.js";
import { runCommand } from "../support/party.js";

/** The requests and macros of man(7) that the pages use. */
const MACROS = /^[.](TH|SH|SS|TP|B|BR|I|nf|fi)\b/;
/** What may follow a backslash: an option's dash, a backslash, a font, nothing before a dot. */
const ESCAPES = /\\(?:[-e&]|f[BIR])/g;

/** What a page says once its formatting is taken off. */
const plainOf = (text: string): string =>
  text
    .replaceAll(/\\f[BIR]/g, "")
    .replaceAll("\\&", "")
    .replaceAll("\\-", "-")
    .replaceAll("\\e", "\\");

describe("the manual", () => {
  const pages = runCommand("help", [], { man: true }).then(({ parts = [] }) =>
    parts.map(({ fileName = "", plain = "" }) => ({ fileName, text: plain })),
  );

  test("has a first page and one for each command", async () => {
    expect((await pages).map(({ fileName }) => fileName)).toEqual(["chankit.1", ...REGISTRY.map(({ name }) => `chankit-${name}.1`)]);
    const [first] = await pages;
    for (const { name } of REGISTRY) expect(plainOf(first!.text)).toContain(`chankit-${name} (1)`);
    expect((await runCommand("help", [], { man: true })).plain).toBe(first!.text);
  });

  test("is man(7) and nothing else: no line that a formatter would take for a request, no escape that it does not know", async () => {
    for (const { fileName, text } of await pages) {
      expect(text.startsWith(".TH CHANKIT")).toBe(true);
      for (const line of text.split("\n")) {
        if (/^[.']/.test(line)) expect(line, fileName).toMatch(MACROS);
        expect(line.replaceAll(ESCAPES, ""), fileName).not.toContain("\\");
      }
      expect(text.match(/^[.]nf$/gm)).toHaveLength(text.match(/^[.]fi$/gm)!.length);
    }
  });

  test("says of each command what it takes, every option with its help, and every example as it is typed", async () => {
    const byName = new Map((await pages).map(({ fileName, text }) => [fileName, plainOf(text)]));
    for (const { name, load } of REGISTRY) {
      const text = byName.get(`chankit-${name}.1`) ?? "";
      const { args, flags, examples } = await load();
      for (const { syntax, help } of Object.values(flags)) {
        expect(text, name).toContain(`${syntax.replaceAll(/[<>]/g, "")}\n`);
        expect(text, name).toContain(help.slice(1));
      }
      for (const { help } of args) expect(text, name).toContain(help.slice(1));
      for (const example of examples) expect(text, name).toContain(`\n${example}\n`);
    }
  });

  test("goes with no topic", async () => {
    await expect(runCommand("help", ["files"], { man: true })).rejects.toMatchObject({ code: "usage-argument" });
  });
});
