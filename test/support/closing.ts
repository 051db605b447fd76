import { ANCHORS, type FlagTexts, type Parties, type Terms, parties, partiesAs, runCommand } from "./party.js";
import type { Report } from "../../src/commands/shared/command.js";
import { cpSync } from "node:fs";

/** Alice 0.06 BTC, Bob 0.04, who have agreed to option_simple_close; and who have not. */
export const SIMPLE: Terms = ANCHORS;
export const LEGACY: Terms = { ...ANCHORS, open: { ...ANCHORS.open, withoutSimpleClose: true } };

/** Where each is paid. */
export const PAID = {
  alice: { address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" },
  bob: { script: `0020${"bb".repeat(32)}` },
} as const;
export const ALICE_SCRIPT = "0014751e76e8199196d454941c45d1b3a323f1433bd6";

export type Name = "alice" | "bob";

/** What `close` prints for one of them. */
export async function says(p: Parties, who: Name, flags: FlagTexts = {}): Promise<Report["document"]> {
  return (await runCommand("close", [p[who]], flags)).document;
}

export function hears(p: Parties, who: Name, message: Report["document"]): Promise<Report> {
  return runCommand("receive", [p[who], "-"], {}, { stdin: message });
}

/** `chankit close A … | chankit receive B -` */
export async function exchange(p: Parties, who: Name, flags: FlagTexts = {}): Promise<Report> {
  return hears(p, who === "alice" ? "bob" : "alice", await says(p, who, flags));
}

/** A channel in which both have sent shutdown. */
export function shut(terms: Terms): Promise<Parties> {
  return partiesAs(`shut ${JSON.stringify(terms)}`, async ({ dir }) => {
    const p = await parties(terms);
    await exchange(p, "alice", PAID.alice);
    await exchange(p, "bob", PAID.bob);
    cpSync(p.dir, dir, { recursive: true });
  });
}

/** The same with Alice's first offer on its way. */
export async function offered(terms: Terms, flags: FlagTexts): Promise<Parties & { readonly offer: Report["document"] }> {
  const p = await shut(terms);
  return { ...p, offer: await says(p, "alice", flags) };
}

/** A message with fields changed, its bytes left out so that they are made anew. */
export function edited(message: Report["document"], changes: Readonly<Record<string, unknown>>): Report["document"] {
  const entries = Object.entries({ ...message, ...changes }).filter(([key, value]) => key !== "wire" && value !== undefined);
  return Object.fromEntries(entries);
}
