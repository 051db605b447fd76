import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { offered, round } from "../support/htlcs.js";
import { ANCHORS, type FlagTexts, backupOf, parties, runCommand } from "../support/party.js";
import { type Rule, rule } from "./rule.js";

const WALLET: FlagTexts = {
  tx: "-",
  change: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
  inputs: `${"ab".repeat(32)}:0:0.01btc:bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080`,
};

/** Alice's commitment, the newest or one that an HTLC has replaced, as she publishes it. */
async function published(old: boolean) {
  const p = await parties(ANCHORS);
  const before = backupOf(p.alice);
  await offered(p, "alice");
  await round(p, "alice");
  const { document } = await runCommand("force-close", [old ? before : backupOf(p.alice, "alice-leaving")]);
  return { p, document };
}

/** The rules of fee bumping. */
export const BUMP_RULES: readonly Rule[] = [
  rule("policy-bump-not-held", "bump a revoked commitment", async (broken) => {
    const { p, document: stdin } = await published(broken);
    return { p, act: () => runCommand("bump", [p.bob], { ...WALLET, feerate: "5000" }, { stdin }) };
  }),
  rule("policy-replacement-underpaid", "bump again for hardly more", async (broken) => {
    const { p, document: stdin } = await published(false);
    const { document } = await runCommand("bump", [p.bob], { ...WALLET, feerate: "5000" }, { stdin });
    const replaces = join(p.dir, "first.json");
    writeFileSync(replaces, JSON.stringify(document));
    // The child's own weight at the relay's 250 sat per 1000 weight is what is asked on top
    return { p, act: () => runCommand("bump", [p.bob], { ...WALLET, replaces, feerate: broken ? "5050" : "5200" }, { stdin }) };
  }),
];
