import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readKeysDocument } from "../../src/json/keys-file.js";
import { LnError } from "../../src/protocol/errors.js";
import { lowestUnreleased } from "../../src/protocol/channel/state.js";
import type { PartyKeys } from "../../src/protocol/keys/party-keys.js";
import { type Disk, contentOf, copyOf, emptyDisk } from "../store/memory-disk.js";
import { runCli, tempDir } from "../support/cli.js";
import { LEGACY } from "../support/closing.js";
import {
  ANCHORS,
  ARTICLE,
  CLOSING_STEPS,
  type Name,
  type Step,
  closeSteps,
  filesOf,
  openingSteps,
  perform,
  printed,
  processOf,
  putHtlcs,
  returnSteps,
  stateOn,
  updateSteps,
} from "../support/memory-party.js";
import { type FlagTexts, SEEDS, type Terms, runCommand } from "../support/party.js";
import { formsOf, secretsFrom } from "../support/secrets.js";

const NAMES: readonly Name[] = ["alice", "bob"];
const NUMBERS = 6;

/** Everything that was ever shown, each with what showed it. */
interface Shown {
  readonly by: string;
  readonly text: string;
}

/** What is printed, and after each PSBT its bytes in hex: in base64 nothing could be found. */
function opened(text: string): string {
  return text.replace(/cHNidP8[\w+/=]+/g, (psbt) => `${psbt} ${Buffer.from(psbt, "base64").toString("hex")}`);
}

function told(error: unknown): string {
  if (!(error instanceof LnError)) throw error;
  return `${error.message}\n${JSON.stringify(error.details)}\n${error.stack ?? ""}`;
}

interface Scene {
  readonly disk: Disk;
  readonly shown: Shown[];
  /** Tries something on a copy of the disk, and notes what it shows. */
  readonly attempt: (by: string, name: string, args: readonly string[], flags?: FlagTexts, stdin?: string) => Promise<void>;
  /** Goes on as two users would, looking at everything after each step, and making mistakes. */
  readonly run: (steps: readonly Step[]) => Promise<void>;
}

function scene(): Scene {
  const disk = emptyDisk();
  const shown: Shown[] = [];
  const attempt = async (by: string, name: string, args: readonly string[], flags: FlagTexts = {}, stdin?: string): Promise<void> => {
    const options = { host: processOf(copyOf(disk), 2), ...(stdin === undefined ? {} : { stdin }) };
    try {
      shown.push({ by, text: opened(printed(await runCommand(name, args, flags, options))) });
    } catch (error) {
      shown.push({ by, text: told(error) });
    }
  };
  const lookAround = async (): Promise<void> => {
    for (const name of NAMES) {
      await attempt("status", "status", [`/${name}`]);
      for (const owner of ["local", "remote"]) await attempt("build-commitment", "build-commitment", [`/${name}`], { owner, explain: true });
      await attempt("resend", "resend", [`/${name}`]);
      for (const command of ["pay", "sign", "make-revocation", "force-close", "channel-ready"])
        await attempt(command, command, [`/${name}`, ...(command === "pay" ? ["1sat"] : [])], { dryRun: true });
      await attempt("close", "close", [`/${name}`], { dryRun: true, address: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" });
      await attempt("close", "close", [`/${name}`], { dryRun: true, fee: "300sat" });
      await attempt("close", "close", [`/${name}`], { tx: true });
    }
  };
  const run = async (steps: readonly Step[]): Promise<void> => {
    for (const step of steps) {
      const wrong = step.args[0]?.startsWith("/wire/") === true ? contentOf(disk, "/wire")[step.args[0].slice("/wire/".length)] : undefined;
      if (wrong !== undefined) {
        // A message with a digit changed, one of the other type, one of our own, and what is no message at all
        for (let at = 40; at < wrong.length; at += 97) {
          const changed = `${wrong.slice(0, at)}${wrong[at] === "1" ? "2" : "1"}${wrong.slice(at + 1)}`;
          await attempt("mistake", step.command, [`/${step.party}`, "-"], {}, changed);
        }
        for (const file of Object.keys(contentOf(disk, "/wire")).slice(-4))
          await attempt("mistake", step.command, [`/${step.party}`, `/wire/${file}`]);
      }
      shown.push({ by: step.command, text: printed(await perform(processOf(disk, 1), step)) });
      await lookAround();
    }
  };
  return { disk, shown, attempt, run };
}

/** An opening, updates, a cheat and its penalty, both leaving; and keys where something else is meant. */
async function scenario(terms: Terms, withHtlcs: boolean): Promise<Scene> {
  const all = scene();
  const { disk, shown, attempt, run } = all;
  await run(openingSteps(terms));
  if (withHtlcs) putHtlcs(disk);
  const backup = copyOf(disk);
  await run(updateSteps());
  await run(returnSteps(6, 5));
  // The cheat and the penalty
  const cheat = await runCommand("force-close", ["/alice"], {}, { host: processOf(copyOf(backup), 2) });
  shown.push({ by: "cheat", text: printed(cheat) });
  const penalty = { tx: "-", to: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", feerate: "500" };
  await attempt("penalty-tx", "penalty-tx", ["/bob"], penalty, JSON.stringify(cheat.document));
  await attempt("penalty-tx", "penalty-tx", ["/alice"], penalty, JSON.stringify(cheat.document));
  await attempt("penalty-tx --psbt", "penalty-tx", ["/bob"], { ...penalty, psbt: true }, JSON.stringify(cheat.document));
  for (const name of NAMES) {
    await attempt("force-close --psbt", "force-close", [`/${name}`], { psbt: true });
    await attempt("sweep --psbt", "sweep", [`/${name}`], { ...penalty, psbt: true }, JSON.stringify(cheat.document));
  }
  for (const name of NAMES) await attempt("inspect", "inspect", ["-"], { party: `/${name}` }, JSON.stringify(cheat.document));
  await run(CLOSING_STEPS);
  // Keys where something else is meant
  for (const name of NAMES) {
    const keys = `/${name}/keys.json`;
    const text = contentOf(disk, "/")[keys.slice(1)]!;
    for (const command of ["receive", "verify-sig", "receive-revocation", "sign"]) await attempt("mistake", command, ["/alice", keys]);
    await attempt("mistake", "inspect", [keys], { party: "/alice" });
    await attempt("mistake", "vectors", ["verify", keys]);
    await attempt("mistake", "status", [], { channel: keys });
    await attempt("mistake", "status", [], { channel: "-" }, text);
    await attempt("mistake", "import-channel", ["/carol", keys], { keys });
    await attempt("mistake", "import-channel", ["/carol"], { case: keys, as: "local" });
    await attempt("mistake", "keygen", ["/carol"], { seed: keys });
    await attempt("mistake", "keygen", ["/carol"], { seed: "-" }, `${SEEDS.alice}00`);
    await attempt("mistake", "penalty-tx", ["/bob"], { ...penalty, tx: keys });
    // And keys that are damaged, in each of the ways that an editor does it
    for (const damage of [/"[0-9a-f]{64}"/, /[0-9a-f]"/, /_privkey/, /_secret"/, /per_commitment_seed/, /,/, /\}\s*$/]) {
      for (const by of ["", "7", '"x"', "null", "12345678901234567890"]) {
        const { fs } = processOf(disk, 1);
        const fd = fs.openSync("/damaged.json", 0o102, 0o600);
        const bytes = new TextEncoder().encode(text.replace(damage, by).padEnd(text.length + 40));
        fs.writeSync(fd, bytes, 0, bytes.length, 0);
        fs.closeSync(fd);
        await attempt("mistake", "sign", [`/${name}`], { keys: "/damaged.json", dryRun: true });
        await attempt("mistake", "receive", [`/${name}`, "/damaged.json"]);
      }
    }
    processOf(disk, 1).fs.unlinkSync("/damaged.json");
  }
  return all;
}

/** An opening and a mutual close. */
async function closed(terms: Terms, kind: "simple" | "negotiated"): Promise<Scene> {
  const all = scene();
  await all.run(openingSteps(terms));
  await all.run(closeSteps(kind));
  return all;
}

function keysIn(disk: Disk, name: Name): PartyKeys {
  return readKeysDocument(JSON.parse(filesOf(disk, name)["keys.json"]!), name);
}

/** Who may tell this secret: nobody, or for one that was released its revoke_and_ack and the peer's channel file. */
function mayTell(secret: string, disk: Disk, { by, text }: Shown): boolean {
  const [, owner, number] = /^(alice|bob) per-commitment (\d+)$/.exec(secret) ?? [];
  if (owner === undefined || Number(number) >= lowestUnreleased(stateOn(disk, owner as Name))) return false;
  if (by === `${owner === "alice" ? "bob" : "alice"}/channel.json`) return true;
  // A penalty's signer needs the cheater's secret
  if (by === "penalty-tx --psbt") return owner === "alice";
  const inMessage = by.startsWith(`wire/`) && by.includes(`-${owner}-revoke_and_ack`);
  return inMessage || (["make-revocation", "resend"].includes(by) && text.includes('"type": "revoke_and_ack"'));
}

/** Looks for every secret in everything: it may be where `mayTell` says, and nowhere else. */
function look(disk: Disk, shown: readonly Shown[]) {
  const files = Object.entries(contentOf(disk, "/")).map(([by, text]): Shown => ({ by, text }));
  const everything = [...shown, ...files];
  const [alice, bob] = [keysIn(disk, "alice"), keysIn(disk, "bob")];
  const secrets = [...secretsFrom("alice", alice, bob, NUMBERS), ...secretsFrom("bob", bob, alice, NUMBERS)];
  expect(secrets.length).toBe(2 * (6 + 8 * NUMBERS));
  let [looked, released] = [0, 0];
  const inPsbt = new Set<string>();
  for (const [name, secret] of secrets) {
    for (const form of formsOf(secret)) {
      for (const place of everything) {
        looked++;
        if (!place.text.includes(form)) continue;
        if (place.by === `${name.split(" ")[0]!}/keys.json` && !name.includes("per-commitment ")) continue;
        expect(mayTell(name, disk, place), `${name} is in ${place.by}`).toBe(true);
        released++;
        if (place.by === "penalty-tx --psbt") inPsbt.add(name);
      }
    }
  }
  console.info(
    `${secrets.length} secrets in ${everything.length} outputs, errors and files: ${looked} looks, ${released} released ones where they belong`,
  );
  return { everything, released, inPsbt };
}

describe.each([
  ["the article's channel", ARTICLE, false],
  ["a channel with anchors and HTLCs", ANCHORS, true],
] as const)("%s: a whole life with mistakes", (_, terms, withHtlcs) => {
  test("no secret in any output, error or file but its own keys.json; a released one only where it was released to", async () => {
    const { disk, shown } = await scenario(terms, withHtlcs);
    const { everything, released, inPsbt } = look(disk, shown);
    // It would be found: what was released is
    expect(released).toBeGreaterThan(8);
    // Of the cheat, and of nothing else
    expect([...inPsbt]).toEqual(["alice per-commitment 0"]);
    expect(everything.filter(({ by }) => by === "mistake").length).toBeGreaterThan(100);
  }, 240_000);
});

test.each([
  ["simple", ANCHORS],
  ["negotiated", LEGACY],
] as const)(
  "a mutual close, %s, with mistakes: no secret in any output, error or file but its own keys.json",
  async (kind, terms) => {
    const { disk, shown } = await closed(terms, kind);
    const { everything, released } = look(disk, shown);
    // Nothing was revoked
    expect(released).toBe(0);
    expect(everything.filter(({ by }) => by === "mistake").length).toBeGreaterThan(50);
    expect(shown.some(({ by, text }) => by === "close" && text.includes('"tx": "02'))).toBe(true);
  },
  240_000,
);

test("the same for real processes, their errors in words and as JSON", async () => {
  const disk = emptyDisk();
  for (const step of [...openingSteps(ARTICLE), ...updateSteps()]) await perform(processOf(disk, 1), step);
  const dir = tempDir();
  for (const [name, text] of Object.entries(contentOf(disk, "/"))) {
    if (text === "") continue;
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text, { mode: name.endsWith("keys.json") ? 0o600 : 0o644 });
  }
  const keys = readFileSync(join(dir, "alice/keys.json"), "utf8");
  writeFileSync(join(dir, "broken.json"), keys.replace(/("funding_privkey": "[0-9a-f]{60})/, "$1zz"), { mode: 0o600 });
  writeFileSync(join(dir, "number.json"), keys.replace(/"funding_privkey": "[0-9a-f]{64}"/, `"funding_privkey": ${BigInt(`0x${SEEDS.bob}`)}`), {
    mode: 0o600,
  });
  chmodSync(join(dir, "bob/keys.json"), 0o644);
  const shown: Shown[] = [];
  for (const args of [
    ["receive", "bob", "alice/keys.json"],
    ["sign", "alice", "--keys", "broken.json"],
    ["sign", "alice", "--keys", "number.json"],
    ["sign", "alice", "--keys", "bob/keys.json"],
    ["make-revocation", "bob", "--strict"],
    ["status", "--channel", "alice/keys.json"],
    ["inspect", "alice/keys.json"],
    ["vectors", "verify", "alice/keys.json"],
    ["penalty-tx", "bob", "--tx", "alice/keys.json", "--to", "x", "--feerate", "253"],
    ["force-close", "alice", "--text"],
    ["status", "bob", "--text"],
    ["pay", SEEDS.alice, "1sat"],
  ]) {
    for (const more of [[], ["--json"]]) {
      const { stdout, stderr } = await runCli([...args, ...more], { cwd: dir });
      shown.push({ by: args.join(" "), text: stdout + stderr });
    }
  }
  const [alice, bob] = [keysIn(disk, "alice"), keysIn(disk, "bob")];
  for (const [name, secret] of [...secretsFrom("alice", alice, bob, NUMBERS), ...secretsFrom("bob", bob, alice, NUMBERS)]) {
    for (const form of formsOf(secret)) for (const { by, text } of shown) expect(text.includes(form), `${name} is in what ${by} prints`).toBe(false);
  }
}, 120_000);
