import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { tempDir } from "../support/cli.js";
import { withHtlc } from "../support/htlcs.js";
import { type Parties, SEEDS, altered, afterStep, backupOf, readJson, refusal, runCommand, send } from "../support/party.js";
import type { Audited } from "../support/run-folders.js";

vi.setConfig({ testTimeout: 120_000 });

async function audited({
  dir,
}: Pick<Parties, "dir">): Promise<Audited & { readonly parties: readonly { readonly party: string; readonly begins_at?: object }[] }> {
  return (await runCommand("audit", [dir])).document as never;
}

/** The two parties of a channel in mid-life, imported into folders of their own; `copies` are of the moment after. */
async function imported(copies: (p: Parties) => void): Promise<Parties> {
  const before = await afterStep(20);
  const dir = tempDir();
  const p: Parties = { dir, alice: join(dir, "alice"), bob: join(dir, "bob"), wire: join(dir, "wire") };
  mkdirSync(p.wire);
  for (const name of ["alice", "bob"] as const) {
    await runCommand("keygen", [p[name]], { seed: "-" }, { stdin: SEEDS[name] });
    await runCommand("import-channel", [p[name], join(before[name], "channel.json")], { journal: true });
  }
  copies(p);
  return p;
}

/** One payment of Bob's, to the last secret. */
async function update(p: Parties): Promise<void> {
  await runCommand("receive", [p.alice, await send(p, "pay", [p.bob, "0.003btc"])]);
  await runCommand("receive", [p.alice, await send(p, "sign", [p.bob])]);
  await runCommand("receive", [p.bob, await send(p, "make-revocation", [p.alice])]);
  await runCommand("receive", [p.bob, await send(p, "sign", [p.alice])]);
  await runCommand("receive", [p.alice, await send(p, "make-revocation", [p.bob])]);
}

const copied = (p: Parties): void => {
  for (const name of ["alice", "bob"] as const) backupOf(p[name], `${name}-start`);
};

test("a run that begins with import-channel is judged from a copy of that moment: messages, states, every journal line", async () => {
  const p = await imported(copied);
  await update(p);
  const { verdict, findings, checked, parties } = await audited(p);
  expect({ verdict, findings }).toEqual({ verdict: "consistent", findings: [] });
  expect(Object.fromEntries(parties.map(({ party, begins_at: begins }) => [party, begins]))).toEqual({
    alice: { file: "alice-start/channel.json", sent: 6, received: 5 },
    bob: { file: "bob-start/channel.json", sent: 5, received: 6 },
  });
  const lines = [p.alice, p.bob].flatMap((folder) => readFileSync(join(folder, "journal.ndjson"), "utf8").trimEnd().split("\n"));
  expect(checked).toMatchObject({ messages_sent: 5, messages_received: 5, secrets: 2, state_hashes: lines.length });
});

test("by the document that was imported, too", async () => {
  const p = await imported((made) => {
    for (const name of ["alice", "bob"] as const) cpSync(join(made[name], "channel.json"), join(made.dir, `${name}.channel.json`));
  });
  await update(p);
  const { verdict, findings, parties } = await audited(p);
  expect({ verdict, findings }).toEqual({ verdict: "consistent", findings: [] });
  for (const { party, begins_at: begins } of parties) expect(begins).toMatchObject({ file: `${party}.channel.json` });
});

test("a signature of such a run that is another is found at its message", async () => {
  const p = await imported(copied);
  await update(p);
  const name = readdirSync(p.wire).find((file) => file.includes("bob-commitment_signed"))!;
  const signature = String(readJson(join(p.wire, name))["signature"]);
  const other = signature.slice(0, -1) + (signature.endsWith("0") ? "1" : "0");
  writeFileSync(join(p.wire, name), JSON.stringify(altered(join(p.wire, name), { signature: other })));
  const { verdict, findings } = await audited(p);
  expect(verdict).toBe("diverges");
  expect(findings[0]).toMatchObject({ message: { party: "bob", seq: 7 } });
});

test("without a copy of its beginning a run is taken up at its end, and what was before is said not to be judged", async () => {
  const p = await imported(() => undefined);
  await update(p);
  const { verdict, findings, missing = [] } = await audited(p);
  expect({ verdict, findings }).toEqual({ verdict: "incomplete", findings: [] });
  expect(missing.join()).toContain("are not judged");
});

test("a run that begins with restore is judged from the backup: both know that the party has lost state", async () => {
  const before = await withHtlc();
  const dir = tempDir();
  const p: Parties = { dir, alice: join(dir, "alice"), bob: join(dir, "bob"), wire: join(dir, "wire") };
  mkdirSync(p.wire);
  cpSync(before.alice, p.alice, { recursive: true });
  backupOf(p.alice, "alice-start");
  const backup = join(dir, "backup-bob.json");
  writeFileSync(backup, JSON.stringify((await runCommand("backup", [before.bob])).document));
  await runCommand("keygen", [p.bob], { seed: "-" }, { stdin: SEEDS.bob });
  await runCommand("restore", [p.bob, backup], { journal: true });
  const [asks, answers] = [await send(p, "reestablish", [p.bob]), await send(p, "reestablish", [p.alice])];
  expect((await refusal(() => runCommand("reestablish", [p.alice, asks]))).code).toBe("state-peer-asks-fail");
  await runCommand("reestablish", [p.bob, answers]);
  const { verdict, findings, parties } = await audited(p);
  expect({ verdict, findings }).toEqual({ verdict: "consistent", findings: [] });
  expect(parties.find(({ party }) => party === "bob")?.begins_at).toMatchObject({ file: "backup-bob.json" });
  writeFileSync(asks, JSON.stringify(altered(asks, { next_revocation_number: 7 })));
  expect((await audited(p)).verdict).toBe("diverges");
});
