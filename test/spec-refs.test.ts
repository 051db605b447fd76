import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/*
 * How the sources point into the specification:
 *
 *   reference = "BOLT " number " §" title { (", §" | " and §" | " · §" | "; §") title }
 *
 * A title is a heading of that BOLT, letter by letter with its backticks, and ends at one of . , ; : ) " ' at " (", " ·" or " and §", or where the comment
 * ends. It may go on in the comment's next line. Other documents (BIP 69 §Abstract) are not checked; a § that belongs to none is refused.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const END_OF_COMMENT = "\u0000";
const END_OF_TITLE = new RegExp(`^([.,;:)"'${END_OF_COMMENT}]| \\(| ·| and §|$)`);
const NEXT_TITLE = /^(?:,| and| ·|;) §/;

const headings = new Map<string, string[]>();
for (const line of readFileSync(`${root}/fixtures/bolt-headings.txt`, "utf8").split("\n")) {
  const [, bolt = "", title = ""] = /^0*(\d+)-[a-z-]+: (.+)$/.exec(line) ?? [];
  headings.set(bolt, [...(headings.get(bolt) ?? []), title]);
}

/** The text with each comment on one line, its end marked. */
function unwrap(source: string): string {
  return source
    .replace(/\n[ \t]*(?:\/\/+|\*(?!\/))[ \t]?/g, " ")
    .replace(/[ \t]*(?:\*\/|\n)/g, END_OF_COMMENT)
    .replace(/ {2,}/g, " ");
}

/** The longest heading that `text` begins with and that ends there. */
function titleAt(text: string, bolt: string): string | undefined {
  const found = (headings.get(bolt) ?? []).filter((title) => text.startsWith(title) && END_OF_TITLE.test(text.slice(title.length)));
  return found.sort((a, b) => b.length - a.length)[0];
}

/** What is wrong with a file's references. */
function wrongReferences(source: string): string[] {
  const text = unwrap(source);
  const wrong: string[] = [];
  let read = text.match(/BIP \d+ §/g)?.length ?? 0;
  for (const { 0: start, 1: bolt = "", index } of text.matchAll(/BOLT (\d+) §/g)) {
    let rest = text.slice(index + start.length);
    for (let more: RegExpExecArray | null | undefined; more !== null; rest = rest.slice(more?.[0].length ?? 0)) {
      read += 1;
      const title = titleAt(rest, bolt);
      if (title === undefined) wrong.push(`BOLT ${bolt} has no heading "${rest.slice(0, 60).split(END_OF_COMMENT, 1).join("")}"`);
      rest = rest.slice(title?.length ?? 0);
      more = NEXT_TITLE.exec(rest);
    }
  }
  if (read !== text.split("§").length - 1) wrong.push("a § that stands neither behind BOLT or BIP and its number nor in a list of titles");
  return wrong;
}

test.each([
  ["/** Rounded down. BOLT 3 §Fee Calculation. */", 0],
  ["// BOLT 3 §`to_local` Output", 0],
  ["/**\n * As in BOLT 3 §Commitment\n * Transaction Outputs: rounded down.\n */", 0],
  ["// BOLT 2 §Committing Updates So Far: `commitment_signed`.", 0],
  ["// BOLT 3 §Keys, §Key Derivation and §Fees; BOLT 5 §General Nomenclature (and BIP 69 §Abstract).", 0],
  ['fail("see BOLT 3 §Fees");', 0],
  ["// BOLT 3 §Fee Calculations.", 1],
  ["// BOLT 3 §Fee Calculation says so.", 1],
  ["// BOLT 2 §Fee Calculation.", 1],
  ["// BOLT 3 §Keys, §Locks.", 1],
  ["// BOLT 4 §Packet Structure.", 1],
  ["// §Keys.", 1],
  ["// BOLT 3 §Commitment\ntransaction();", 1],
])("%j has %i wrong references", (source, count) => {
  expect(wrongReferences(source)).toHaveLength(count);
});

test("every reference to a BOLT names a heading that is there", () => {
  const sources = readdirSync(`${root}/src`, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  const wrong = sources.flatMap((path) => wrongReferences(readFileSync(`${root}/src/${path}`, "utf8")).map((what) => `src/${path}: ${what}`));
  expect(sources).not.toEqual([]);
  expect(wrong).toEqual([]);
});
