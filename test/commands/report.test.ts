import { readdirSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Markup, markup } from "../../src/commands/report/markup.js";
import { tempDir } from "../support/cli.js";
import { withHtlc } from "../support/htlcs.js";
import { ARTICLE, ARTICLE_MESSAGES, type Parties, afterStep, expectNoSecret, parties, refusal, runCommand } from "../support/party.js";

const messages = ({ wire }: Parties): readonly string[] => readdirSync(wire).map((name) => join(wire, name));

async function report(paths: readonly string[], flags: Readonly<Record<string, string>> = {}): Promise<string> {
  const { plain } = await runCommand("report", paths, flags);
  if (plain === undefined) throw new Error("no page");
  return plain;
}

/** What `explore --json` writes, cut down to two cells. */
function exploreFile(): string {
  const cell = {
    step: 3,
    label: "Send <b>",
    adversary: "alice",
    honest: "bob",
    behaviour: "stop",
    verdict: "safe",
    honest_sat: 10,
    adversary_sat: "20",
  };
  const lost = { ...cell, step: 4, verdict: "robbed", honest_sat: 0 };
  const path = join(tempDir(), "explore.json");
  const document = { format: "chankit-explore", version: 1, scenarios: [{ scenario: "article", summary: "s", cells: [cell, lost] }] };
  writeFileSync(path, JSON.stringify(document));
  return path;
}

/** Elements that are opened are closed, in their order. */
function expectWellFormed(html: string): void {
  const open: string[] = [];
  const alone = new Set(["meta", "!doctype", "line", "rect", "path"]);
  for (const [, close, name = "", self] of html.replace(/<style>[\s\S]*?<\/style>/g, "").matchAll(/<(\/?)([a-z!][a-z0-9]*)[^>]*?(\/?)>/gi)) {
    if (close === "/") expect(open.pop()).toBe(name);
    else if (self !== "/" && !alone.has(name)) open.push(name);
  }
  expect(open).toEqual([]);
}

test("what is put into markup is escaped, markup is not", () => {
  expect(markup`<b title="${'"'}">${"<i>&'"}${new Markup("<u>")}${null}${[1, "<"]}</b>`.text).toBe(
    `<b title="&quot;">&lt;i&gt;&amp;&#39;<u>1&lt;</b>`,
  );
});

test("the article's run on one page, which needs nothing else, and tells no secret", async () => {
  const p = await afterStep(20);
  const html = await report([p.alice, p.bob, ...messages(p)], { explore: exploreFile() });
  expectWellFormed(html);
  expect(html).not.toMatch(/<script|<link|<img|<iframe|url\(|@import|(?:src|href)="(?!#)/);
  expect(html.match(/https?:[^"'\s<]*/g)?.every((url) => url === "http://www.w3.org/2000/svg")).toBe(true);
  expectNoSecret(p, html);
  expectNoSecret(p, JSON.stringify((await runCommand("report", [p.alice, p.bob, ...messages(p)])).document));
  for (const landmark of ["<header>", "<nav aria-label", '<main id="main">', "<footer>", 'lang="en"', 'class="skip"'])
    expect(html).toContain(landmark);
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, named = ""] of html.matchAll(/ aria-labelledby="([^"]+)"/g)) for (const id of named.split(" ")) expect(ids).toContain(id);
  for (const [, target = ""] of html.matchAll(/ href="#([^"]+)"/g)) expect(ids).toContain(target);
  const count = (pattern: RegExp): number => html.match(pattern)?.length ?? 0;
  // Two commitments and the messages; each drawing with its words, each table with its caption
  expect([count(/<svg /g), count(/<title id=/g), count(/<desc id=/g)]).toEqual([3, 3, 3]);
  expect(count(/<table>/g)).toBe(count(/<caption>/g));
  expect(count(/<th scope="col">/g)).toBeGreaterThan(10);
  expect(html).toContain("LOSS (robbed) 0 / 20");
  expect(html).toContain("3 Send &lt;b&gt;");
});

test("the messages in an order in which they can have been sent", async () => {
  const p = await afterStep(20);
  const lines = (await report([p.alice, ...messages(p).toReversed()], { format: "mermaid" })).split("\n");
  expect(lines.slice(0, 3)).toEqual(["sequenceDiagram", "  participant A as alice", "  participant B as bob"]);
  const types = lines.slice(3, -1).map((line) => line.trim().replace(/^([AB])->>[AB]: ([a-z_]+).*$/, "$1 $2"));
  expect(types).toEqual([
    "A open_channel",
    "B accept_channel",
    "A funding_created",
    "B funding_signed",
    "B channel_ready",
    "A channel_ready",
    "A pay",
    "A commitment_signed",
    "B revoke_and_ack",
    "B commitment_signed",
    "A revoke_and_ack",
  ]);
  const some = messages(p).filter((path) => !path.endsWith(ARTICLE_MESSAGES.pay));
  expect(await report([p.alice, ...some], { format: "mermaid" })).toContain("Note over A: message 4 of alice is not among the files");
});

test("one party's view: both sides' commitments, HTLCs by who can take them, to scale", async () => {
  const p = await withHtlc();
  const svg = await report([p.bob], { format: "svg" });
  expectWellFormed(svg);
  expect(svg).toContain("bob&#39;s commitment");
  expect(svg).toContain("the peer&#39;s commitment");
  expect(svg).toContain(
    "received_htlc, 100,000 sat: bob with the preimage, after 1 block; the peer, from block 500, after 1 block; the peer if it is revoked, at once",
  );
  // Of each picture: what flows out adds up to what is funded, by the height at which each begins and ends
  const flows = [...svg.matchAll(/d="M150 ([\d.]+)C[^Z]* 150 ([\d.]+)Z"/g)].map(([, from, to]) => Number(to) - Number(from));
  expect(flows.length).toBe(12);
  const [first = 0, second = 0] = flows;
  expect(first / second).toBeCloseTo(5_895_670 / 4_000_000, 1);
  expectNoSecret(p, svg);
});

test("what is no run is refused", async () => {
  const [p, other] = [await afterStep(1), await parties({ ...ARTICLE, outpoint: `${"ab".repeat(32)}:1` })];
  const codes: (readonly [readonly string[], string])[] = [
    [[], "usage-argument"],
    [[p.alice, p.bob, p.alice], "usage-argument"],
    [[p.alice, p.alice], "usage-argument"],
    [[p.alice, join(p.wire, "nameless.json")], "usage-argument"],
    [[p.alice, join(p.wire, "0009-alice-pay.json")], "input-unreadable"],
  ];
  for (const [paths, code] of codes) expect((await refusal(() => report(paths))).code, paths.join(" ")).toBe(code);
  expect((await refusal(() => report([p.alice, other.bob]))).code).toBe("usage-argument");
});

/** A real Chromium, by the path of its program: CHANKIT_CHROMIUM=/usr/bin/chromium npx vitest run test/commands/report.test.ts */
const CHROMIUM = process.env["CHANKIT_CHROMIUM"];

function chromium(program: string, ...args: readonly string[]): string {
  const quiet = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  return execFileSync(program, [...quiet, `--user-data-dir=${tempDir()}`, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

if (CHROMIUM !== undefined) {
  describe("in Chromium", () => {
    test("the page stands as it was written, and prints", async () => {
      const p = await afterStep(20);
      const file = join(tempDir(), "report.html");
      writeFileSync(file, await report([p.alice, p.bob, ...messages(p)]));
      const dom = chromium(CHROMIUM, "--dump-dom", `file://${file}`);
      expect(dom.match(/<svg /g)).toHaveLength(3);
      expect(dom).toContain('<section id="messages"');
      const pdf = join(tempDir(), "report.pdf");
      chromium(CHROMIUM, `--print-to-pdf=${pdf}`, `file://${file}`);
      expect(readdirSync(join(pdf, ".."))).toEqual(["report.pdf"]);
    });
  });
}
