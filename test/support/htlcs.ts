import { createHash } from "node:crypto";
import { cpSync } from "node:fs";
import { ANCHORS, type FlagTexts, type Parties, type Terms, parties, partiesAs, runCommand, send } from "./party.js";

/** What opens the HTLCs of these tests. */
export const PREIMAGE = "00".repeat(32);
export const HASH = createHash("sha256").update(Buffer.from(PREIMAGE, "hex")).digest("hex");

type Party = "alice" | "bob";
const peerOf = (who: Party): Party => (who === "alice" ? "bob" : "alice");

/** The flags of an add-htlc. */
export const offer = (more: FlagTexts = {}): FlagTexts => ({ paymentHash: HASH, cltvExpiry: "500", ...more });

/** One party offers, the other hears of it. */
export async function offered(p: Parties, who: Party, amount = "0.001btc", more: FlagTexts = {}): Promise<string> {
  const file = await send(p, "add-htlc", [p[who], amount], offer(more));
  await runCommand("receive", [p[peerOf(who)], file]);
  return file;
}

/** Makes what is proposed irrevocable on both sides; `first` signs first. */
export async function round(p: Parties, first: Party): Promise<void> {
  for (const signer of [first, peerOf(first)]) {
    const verifier = peerOf(signer);
    await runCommand("receive", [p[verifier], await send(p, "sign", [p[signer]])]);
    await runCommand("receive", [p[signer], await send(p, "make-revocation", [p[verifier]])]);
  }
}

/** A channel with an anchor each, and one HTLC of Alice's in it, irrevocable. */
export function withHtlc(terms: Terms = ANCHORS): Promise<Parties> {
  return partiesAs(`an HTLC of Alice's ${JSON.stringify(terms)}`, async ({ dir }) => {
    const p = await parties(terms);
    await offered(p, "alice");
    await round(p, "alice");
    cpSync(p.dir, dir, { recursive: true });
  });
}

/** The same HTLC, proposed and not signed. */
export function withProposedHtlc(): Promise<Parties> {
  return partiesAs("an HTLC of Alice's, proposed", async ({ dir }) => {
    const p = await parties(ANCHORS);
    await offered(p, "alice");
    cpSync(p.dir, dir, { recursive: true });
  });
}
